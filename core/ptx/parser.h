// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/ptx/module.h"

#include <string>
#include <string_view>

namespace flashstep::ptx {

// PTX text (as nvcc 12.4 … 13 writes it, with inline assembly and -lineinfo) as a module. An error names `file` and the
// line. Names are scoped by braces; .pragma, .section and debugging directives are read over.
[[nodiscard]] Result<Module> parse(std::string_view text, const std::string& file);

} // namespace flashstep::ptx
