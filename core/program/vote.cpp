// SPDX-License-Identifier: Apache-2.0
#include "core/program/vote.h"

#include <algorithm>

namespace flashstep {

VotingWarps votingWarps(const Program& program, const Op& op)
{
    const int warps = program.roles[op.role.index()].warps;
    return { warps, program.rows(op).count() / warps };
}

Vote assumedVote(const Program& program, const Work& work, WorkId id, OpId op, double rate)
{
    const Op& rescale = program.op(op);
    // By the work and the block, not by where the op stands in the program: rings at other slots vote alike.
    std::uint64_t x = (std::uint64_t { id.index() } << 32U) ^ (static_cast<std::uint64_t>(rescale.i) << 24U)
        ^ static_cast<std::uint64_t>(rescale.n);
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
    x ^= x >> 31U;
    const bool done = static_cast<double>(x >> 11U) * 0x1p-53 < rate;
    const VotingWarps voting = votingWarps(program, rescale);
    const int rows = std::min(program.rowsInside(work, rescale.i), program.rows(rescale).count());
    const int warps = (rows + voting.rowsEach - 1) / voting.rowsEach;
    return done ? Vote { rows, 0, warps, 0, (1U << warps) - 1 } : Vote { 0, rows, 0, warps, 0 };
}

} // namespace flashstep
