// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/predict.h"

#include <string_view>
#include <vector>

namespace flashstep {

// What a result that rests on a guess would be if the guess were off: the time of the whole grid with the figure 10 %
// smaller and 10 % larger, against the time with the figure as it is. Both in percent; above 0 is slower.
struct GuessEffect {
    std::string_view field; // of GpuSpec
    Figure figure; // as it is
    double smallerPercent = 0, largerPercent = 0;
};
// One for each of guessesIn(), in its order. Predicts the grid twice for each. The error is "cancelled".
[[nodiscard]] Result<std::vector<GuessEffect>> guessEffects(const Scenario& scenario, const Progress& progress);

} // namespace flashstep
