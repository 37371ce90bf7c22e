// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/access.h"
#include "core/ptx/clocks.h"
#include "core/ptx/warp.h"

#include <array>
#include <vector>

namespace flashstep::ptx {

// One of the 16 named barriers. Arrival counts by warps, 32 threads each, whatever lanes are live; a warp counts once
// all its live lanes have come.
struct NamedBarrier {
    std::uint32_t expected = 0; // threads, 0: nobody has arrived yet
    std::uint32_t arrived = 0; // threads
    bool reduces = false;
    bool countGiven = false;
    std::vector<std::uint32_t> lanes; // by warp: those that have come and wait for the rest of their warp
    std::uint64_t warps = 0; // that count as arrived (bit per warp)
    std::vector<std::uint32_t> threads; // that have arrived in this round, for the order of their accesses
    std::uint32_t firstPc = 0;
    View told; // by those that only arrive
    std::uint32_t popc = 0;
    bool allTrue = true, anyTrue = false;
    Cycle last = 0;
};

// A CTA while it runs.
struct Cta {
    std::uint32_t id = 0; // linear
    std::array<std::uint32_t, 3> index {};
    std::uint32_t threads = 0;
    std::vector<Warp> warps;
    std::vector<std::byte> shared; // from sharedStart on
    std::vector<std::byte> local;
    std::vector<Copy> copies; // from the oldest that has not landed on
    std::uint32_t copiesGone = 0; // that stood before them
    std::vector<std::uint32_t> groups; // by thread: committed groups of copies
    std::array<NamedBarrier, 16> barriers;
    Cycle begin = 0, end = 0;

    [[nodiscard]] bool finished() const
    {
        for (const Warp& warp : warps) {
            if (!warp.finished())
                return false;
        }
        return true;
    }
};

} // namespace flashstep::ptx
