// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/id.h"
#include "core/ptx/code.h"
#include "core/ptx/lanes.h"

#include <vector>

namespace flashstep::ptx {

// Lanes of a warp that run together. Where a branch parts them, each part is a split of its own, until all have come to
// the branch's meeting point.
struct Split {
    enum class State : std::uint8_t {
        Ready,
        Parked, // at an instruction that needs lanes which are not here yet
        AtBarrier
    };
    std::uint32_t pc = 0;
    std::uint32_t mask = 0;
    std::uint32_t join = none; // which it is on its way to
    State state = State::Ready;
    std::uint8_t barrier = 0;
    bool forced = false; // goes on without the lanes it needs; that has been reported
    Cycle ready = 0; // when its next instruction could be issued
};

// Lanes that will meet.
struct Join {
    std::uint32_t meet = none; // pc
    std::uint32_t members = 0;
    std::uint32_t arrived = 0;
    std::uint32_t parent = none; // the join that the met ones are on their way to
    Cycle last = 0; // when the last of them arrived
};

struct Warp {
    std::vector<std::uint32_t> cells; // 32 for each row
    std::vector<std::uint32_t> predicates; // a bit per lane; the carry last
    std::vector<std::uint32_t> defined; // by register number: lanes that have written it
    std::vector<Cycle> available; // by register number: when its newest value is there
    std::vector<Split> splits;
    std::vector<Join> joins;
    std::uint32_t live = 0; // lanes that have not left the kernel
    std::uint32_t current = 0; // split that runs
    std::uint32_t turn = 0; // instructions since it was chosen
    Cycle lastDone = 0; // of all its instructions

    [[nodiscard]] bool finished() const { return live == 0; }
    // The ready split to run next, or none.
    [[nodiscard]] std::uint32_t readySplit() const;
    // The split leaves for `target` with the lanes of `taken`, for the next instruction with the others.
    void diverge(std::uint32_t split, std::uint32_t taken, const Instruction& branch);
    // After a change of pc or of live lanes: splits that have come to their meeting point are merged.
    void settle();
    void leave(std::uint32_t split, std::uint32_t lanes); // the kernel
};

} // namespace flashstep::ptx
