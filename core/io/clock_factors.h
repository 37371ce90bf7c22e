// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace flashstep {

// How fast the computer behind a log of benchmarks really ran, where its clock was not fixed: a share of the GPU's
// clockMhz. One for all rows of the log (the column `machine` of the published results), fitted with them.
struct ClockFactor {
    std::string_view machine;
    double factor = 1;
    std::string_view reason;
    std::string_view fittedTo;
};

// Machines that have none are taken at the GPU's clock.
[[nodiscard]] std::span<const ClockFactor> clockFactors();
[[nodiscard]] double clockFactorOf(std::string_view machine);

} // namespace flashstep
