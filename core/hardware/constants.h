// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// A figure that no source gives: its value is what makes the model meet published throughput.
struct Constant {
    std::string name; // of the figure, as knobs spell it
    double value = 0;
    std::string_view unit;
    double prior = 0; // what one would take without the fit
    double low = 0, high = 0; // plausible: the fit stays inside
    std::vector<std::string_view> appliesTo; // GPUs
    std::string_view reason; // why the model has the term
    std::string_view priorReason;
    std::string_view fittedTo;
};

// All fitted figures: at most 14, each for one GPU or for several alike. [docs/hardware-model.md, fitted constants]
[[nodiscard]] std::vector<Constant> fittedConstants();

} // namespace flashstep
