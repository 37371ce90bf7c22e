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
    std::vector<std::string_view> appliesTo; // GPUs
    std::string_view reason; // why the model has the term
    std::string fittedTo;
};

// All fitted figures of all GPUs, one for each name and value, in the order of gpuFigures().
[[nodiscard]] std::vector<Constant> fittedConstants();

} // namespace flashstep
