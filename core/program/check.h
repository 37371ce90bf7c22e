// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/program/program.h"

namespace flashstep {

// What is wrong with a program before it runs: a wait that can never be met, a buffer read before anything wrote it.
struct Offence {
    std::string what;
    std::string role;
    std::string source; // "core/algorithms/fa2_forward.cpp:41"
};
[[nodiscard]] std::vector<Offence> checkProgram(const Program& program);

} // namespace flashstep
