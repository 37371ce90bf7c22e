// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/program.h"

#include <string>

namespace flashstep {

// The program as text that people can read in a review, in a stable order.
[[nodiscard]] std::string dumpProgram(const Program& program);

} // namespace flashstep
