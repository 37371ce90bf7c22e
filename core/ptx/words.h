// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/code.h"

#include <optional>
#include <string_view>

namespace flashstep::ptx {

// The row of the covered set that a statement is written after.
[[nodiscard]] std::optional<FormRow> formOf(const Statement& statement);
// What its opcode does, in a few words: "d = a + b"; empty for one without any here.
[[nodiscard]] std::string_view meaningOf(const Statement& statement);

} // namespace flashstep::ptx
