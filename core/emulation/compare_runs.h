// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/common_tiles.h"
#include "core/emulation/critical_path.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace flashstep {

// Where the time of all roles goes, added up: busy + waits + idle = total, in cycles of roles. The same figures as
// stallsOf, whose roles differ from kernel to kernel.
struct PhaseTimes {
    std::vector<std::pair<OpKind, Cycle>> busy; // in the order of list ops; none of zero
    std::vector<std::pair<std::string, Cycle>> waits; // in order of appearance
    Cycle idle = 0, total = 0;
};

// The barriers of a family: a ring's, one for each slot, together.
struct BarrierUse {
    std::string name;
    std::uint64_t turns = 0; // completed, of all CTAs
    std::uint64_t waits = 0; // waits and syncs that began
    Cycle waited = 0; // from their begin to their end, over all roles
};

// One of the two runs, beside its report.
struct ComparedRun {
    std::vector<std::pair<OpKind, std::uint64_t>> only; // kinds that the other run never executes, and how often
    PhaseTimes phases;
    std::vector<BarrierUse> barriers; // in the order of list waits
    Cycle pathCycles = 0; // of the grid's critical path
    std::size_t pathSegments = 0;
    std::vector<PathPart> path; // the largest first
};

struct Comparison {
    std::array<ComparedRun, 2> runs; // A, B
    CommonTiles common;
};

// An error that says which size differs: then there is nothing that could be laid side by side.
[[nodiscard]] Status checkComparable(const Problem& a, const Problem& b);
// Phases, barriers and tiles are those of the CTAs of which events were kept.
[[nodiscard]] Result<Comparison> compareRuns(const Run& a, const Run& b, std::size_t mostMoves = 1000);

} // namespace flashstep
