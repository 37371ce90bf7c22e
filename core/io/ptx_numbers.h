// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/ptx_arguments.h"

#include <optional>

namespace flashstep {

[[nodiscard]] std::optional<NumberType> numberTypeFromName(std::string_view text);
[[nodiscard]] const std::string& numberTypeNames(); // "f32 f16 …"

} // namespace flashstep
