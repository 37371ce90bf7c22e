// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hardware/spec.h"
#include "core/program/program.h"

#include <string_view>
#include <vector>

namespace flashstep {

// The figures of the GPU that the program's times use and that are no better than a guess, by field name.
[[nodiscard]] std::vector<std::string_view> guessesIn(const GpuSpec& gpu, const Program& program);

} // namespace flashstep
