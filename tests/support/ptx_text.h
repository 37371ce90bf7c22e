// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/parser.h"

#include <string>
#include <string_view>
#include <vector>

namespace flashstep::ptx {

// A module of nothing but what is given, after the three lines of a header; so that its first line is line 4.
[[nodiscard]] std::string moduleText(std::string_view items);
// A kernel `k` with registers %p %rs %r %rd %f %fd, ten of each, and a parameter `in`; what is given begins at line 9.
[[nodiscard]] std::string kernelText(std::string_view body, std::string_view items = "");

// Its module; a test that needs one and gets an error shows it.
[[nodiscard]] Module parsed(std::string_view text);
// The error's line; empty where there is none.
[[nodiscard]] std::string errorOf(std::string_view text);

// As it could stand in PTX, labels as "->3": a label of statement 3.
[[nodiscard]] std::string textOf(const Module& module, const Function& function, const Operand& operand);
[[nodiscard]] std::string textOf(const Module& module, const Function& function, const Statement& statement);
// All statements of kernel `k`.
[[nodiscard]] std::vector<std::string> statementsOf(const Module& module);

} // namespace flashstep::ptx
