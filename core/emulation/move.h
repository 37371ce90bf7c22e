// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/resident.h"
#include "core/program/program.h"

namespace flashstep {

// Of an op what the loop asks for again and again, in a quarter of a cache line: there are thousands of ops, every SM
// is at others of them, and an Op is larger than a line.
struct Move {
    OpKind kind = OpKind::Load;
    When when : 2 = When::Always;
    Reach reach : 2 = Reach::Own;
    bool async : 1 = false;
    bool dropped : 1 = false;
    bool votes : 1 = false; // a rescale that is done where a warp asks for it
    bool reads : 1 = false; // NextTile: the number from SMEM, else from the scheduler
    BarrierId barrier;
    std::uint8_t barriers = 1;
    std::uint8_t group = 0; // GroupKind: what it commits or waits for, or joins
    std::uint8_t pending = 0;
    std::uint16_t arrivals = 0;
    std::int32_t turn = 0;
    std::int32_t bytes = 0; // Load: what lands at its barrier; Arrive: announced beyond the barrier's count

    Move(const Program& program, const Op& op)
        : kind(op.kind)
        , when(op.when)
        , reach(op.reach)
        , async(op.async)
        , dropped(op.dropped)
        , votes(op.kind == OpKind::Rescale && op.conditional)
        , reads(op.kind == OpKind::NextTile && op.in[0].valid())
        , barrier(op.barrier)
        , barriers(op.barriers)
        , group(op.kind == OpKind::Commit || op.kind == OpKind::Wait ? static_cast<std::uint8_t>(op.group)
                                                                     : static_cast<std::uint8_t>(groupOf(op)))
        , pending(op.pending)
        , arrivals(op.arrivals)
        , turn(op.turn)
        , bytes(op.kind == OpKind::Load && op.barrier.valid() ? landingBytes(program, op) : op.extraBytes)
    {
    }
};
static_assert(sizeof(Move) == 16);

[[nodiscard]] inline std::vector<Move> movesOf(const Program& program)
{
    std::vector<Move> moves;
    moves.reserve(program.ops.size());
    for (const Op& op : program.ops)
        moves.emplace_back(program, op);
    return moves;
}

} // namespace flashstep
