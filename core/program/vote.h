// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/program.h"

#include <cstdint>

namespace flashstep {

// How a conditional rescale of one block came out. Every row decides whether its reference moves; a warp multiplies all
// of its rows when one of them does. Rows and warps beyond the end of the sequence do not count.
struct Vote {
    int rowsDone = 0, rowsSkipped = 0;
    int warpsDone = 0, warpsSkipped = 0;
    std::uint32_t multiply = 0; // which warps do, a bit each, those beyond the end too
    bool operator==(const Vote&) const = default;
};

// Warps of the op's role, and how many of its rows are a warp's.
struct VotingWarps {
    int warps = 0, rowsEach = 0;
    // Whether the warp of row r multiplies it.
    [[nodiscard]] bool multiply(const Vote& vote, int r) const { return (vote.multiply >> (r / rowsEach) & 1U) != 0; }
};
[[nodiscard]] VotingWarps votingWarps(const Program& program, const Op& op);

// Where no values are computed: a share `rate` of all blocks is rescaled, whole, picked by a fixed hash.
[[nodiscard]] Vote assumedVote(const Program& program, const Work& work, WorkId id, OpId op, double rate);

} // namespace flashstep
