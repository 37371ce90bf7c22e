// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/trace.h"

namespace flashstep {

// What the machine looks like at a position: read from the trace, the same for the window and the command line.
struct RoleState {
    CtaId cta;
    RoleId role;
    enum class Kind : std::uint8_t { NotStarted, Running, Waiting, Done, Stuck } kind = Kind::NotStarted;
    InstanceId current; // the op begun last; none before the first
    std::string waitingFor; // "syncthreads: 96 of 128 threads have arrived", "copy group of K"; empty when not waiting
    Cycle since = 0; // when the current op began
};
[[nodiscard]] std::string_view name(RoleState::Kind kind); // "not started", "running", "waiting", "done", "stuck"
[[nodiscard]] std::vector<RoleState> rolesAt(const Trace& trace, CtaId cta, Position p);

struct BarrierState {
    CtaId cta;
    BarrierId barrier;
    int expected = 0, arrived = 0; // in the barrier's unit, of the turn under way
    int phase = 0; // completed turns
};
[[nodiscard]] std::vector<BarrierState> barriersAt(const Trace& trace, CtaId cta, Position p);

struct BufferState {
    CtaId cta;
    BufferId buffer;
    int i = -1, j = -1; // what it holds; -1: nothing yet, or not of that kind
    enum class Kind : std::uint8_t { Empty, Loading, Valid, Writing } kind = Kind::Empty;
    double fraction = 0; // of its rows that have been written for (i, j)
    bool normalised = false; // O: already divided by l
};
[[nodiscard]] std::string_view name(BufferState::Kind kind); // "empty", "loading", "valid", "writing"
[[nodiscard]] std::vector<BufferState> buffersAt(const Trace& trace, CtaId cta, Position p);

// What a buffer holds at p, as it is shown: at block(i, n) exactly, each role's rows of O as that block left them,
// whatever runs ahead; elsewhere as the memory stands.
[[nodiscard]] TileValues shownValue(const Trace& trace, CtaId cta, BufferId buffer, Position p);

// The softmax state of one query row. At block(i, n) exactly: the statistics with which block n was added, whatever
// runs ahead; elsewhere as the registers stand: m is the newest maximum, mUsed the one that l is relative to (the one
// before, until l has been rescaled), so mUsed + ln l is the LSE so far at any position. Natural units of the scaled
// scores.
struct RowState {
    int b = 0, h = 0, row = 0; // row of the head's sequence
    double m = 0, mUsed = 0, l = 0;
    double mBefore = 0; // the maximum before the newest (-inf at the first block)
    double referenceBefore = 0; // and the reference before it: the same, unless it may stay
    int blocks = 0; // visited key blocks already in l
    std::string decision; // "none" (no block yet), "first", "rescale", "skip" (the reference stays)
    double scale = 1; // what O and l are multiplied by for the newest maximum; 1 at the first block
};
// Empty where no values were recorded, or the algorithm keeps no running statistics (standard).
[[nodiscard]] std::vector<RowState> ledgerAt(const Trace& trace, CtaId cta, Position p);

// State of the tile (i, j) of head (b, h) in the score matrix, for the stage.
struct TileState {
    enum class Kind : std::uint8_t { Untouched, Loading, InSmem, Computing, Done, Skipped, Stored } kind = Kind::Untouched;
    double fraction = 0; // Loading: of K's rows landed
    bool masked = false; // some of its elements are hidden by the mask
    CtaId cta; // whose tile it is
    int n = 0; // visited as the n-th, 0: never
};
// Stored: an earlier launch has left the tile's scores in HBM (standard attention); nothing works on it now.
// Every key block of query tile i, in one pass over the ops of its CTAs; and one of them alone.
[[nodiscard]] std::vector<TileState> tilesAt(const Trace& trace, int b, int h, int i, Position p);
[[nodiscard]] TileState tileAt(const Trace& trace, int b, int h, int i, int j, Position p);
[[nodiscard]] std::string_view name(TileState::Kind kind);

} // namespace flashstep
