// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/predict.h"
#include "core/hardware/guesses.h"

#include <vector>

namespace flashstep {

// What a result that rests on guesses would be if one of them were off. One for each of guessesIn(), in its order; the
// grid is predicted twice for each. Empty for grids of more than 100000 works. The error is "cancelled".
[[nodiscard]] Result<std::vector<GuessEffect>> guessEffects(const Scenario& scenario, const Progress& progress);

} // namespace flashstep
