// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "profile.h"

#include <string>
#include <vector>

namespace flashstep::cuda {

// The stamps of a run, launch by launch, on their way into a recording. Plain C++17 without CUDA's headers.
struct TakenProfiles {
    std::vector<Profile> profiles; // of each launch
    std::vector<int> firstCta; // CTAs are counted on from launch to launch
    std::vector<std::uint64_t> firstTick; // added to a launch's ticks; only where the clock is one for all SMs
    double hertz = 0; // ticks per second
    bool oneClock = false; // all SMs count together, from 0 at each launch's begin: the emulated GPU does
    std::uint64_t dropped = 0;
};

// The slices, and the names of lanes, as Chrome-trace JSON without the brackets around: one object a line. `write`
// takes the text piece by piece.
using WriteText = void (*)(void* context, const std::string& text);
void writeProfileEvents(const TakenProfiles& taken, WriteText write, void* context);

} // namespace flashstep::cuda
