// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hardware/spec.h"
#include "core/program/program.h"

#include <string_view>
#include <vector>

namespace flashstep {

// The figures of the GPU that the program's times use and that are no better than a guess, by field name.
[[nodiscard]] std::vector<std::string_view> guessesIn(const GpuSpec& gpu, const Program& program);

// What it would do to the time of the whole grid if such a figure were 10 % smaller, or larger: percent of the time as
// it is; above 0 is slower. (core/emulation/guess_effects.h)
struct GuessEffect {
    std::string_view field; // of GpuSpec
    Figure figure; // as it is
    double smallerPercent = 0, largerPercent = 0;
};

} // namespace flashstep
