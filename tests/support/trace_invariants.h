// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"
#include "core/trace/state.h"

#include <string>
#include <vector>

namespace flashstep::test {

// Each adds a failure for what it finds wrong.
void expectTimesInOrder(const Trace& trace); // events by time, an op after it began, a role's ops one after the other
void expectWithinCapacity(const Trace& trace, const GpuSpec& gpu); // engines, SMEM, threads, registers, slots
void expectCountersToAddUp(const Trace& trace); // totals at every position are sums over the events before
void expectEveryPairCoveredOnce(const Trace& trace); // by S = Q Kᵀ and by O += P V: each visible (row, key) by one role
void expectSameEvents(const Trace& a, const Trace& b); // every column that is timing: events, spans, engines
void expectSameValues(
    const Trace& a, const Trace& b, CtaId cta); // what every buffer of the CTA holds at every position

// Everything a view shows of a CTA at p, as text that compares and prints: roles, barriers, buffers, row statistics.
[[nodiscard]] std::string stateText(const Trace& trace, CtaId cta, Position p);
// The same, and the bits of every value.
[[nodiscard]] std::string stateWithValues(const Trace& trace, CtaId cta, Position p);

// Key blocks that query tile i visits, in the order of visiting, from the definition: blocks that hold a key some row
// of the tile could see (rows and keys beyond the sequence included, as the kernels' block bounds have it).
[[nodiscard]] std::vector<int> visitedKeyBlocks(const Problem& problem, TileSize tile, int i);
// The same of a program: the query tiles of a work share their blocks, and so do the works of a pair of CTAs; heads may
// be packed together; a group that sees nothing may visit block 0 all the same; FlashAttention-1 goes the other way.
[[nodiscard]] std::vector<int> visitedKeyBlocks(const Program& program, int i);

// Are two tiles the same, NaN for NaN?
[[nodiscard]] bool sameBits(const std::vector<float>& a, const std::vector<float>& b);

} // namespace flashstep::test
