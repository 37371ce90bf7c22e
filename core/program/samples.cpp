// SPDX-License-Identifier: Apache-2.0
#include "core/program/samples.h"

namespace flashstep {

std::set<int> sampledBlocks(const std::set<int>& visited)
{
    constexpr int longest = 20; // of the short ones: beyond, a block more costs what the one before did
    std::set<int> sampled;
    for (const int blocks : visited) {
        const bool isShort = blocks <= 4 || blocks == 6 || blocks == 9 || blocks == 13 || blocks == longest;
        const bool firstLong = blocks > longest && !sampled.empty() && *sampled.rbegin() < longest;
        if (isShort || firstLong || blocks == *visited.rbegin())
            sampled.insert(blocks);
    }
    return sampled;
}

} // namespace flashstep
