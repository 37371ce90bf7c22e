// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/parser_context.h"

namespace flashstep::ptx {

// From the opening brace of Context::function to its closing one.
[[nodiscard]] bool parseBody(Context& context);

// .pragma "…", …; asks the compiler for something that no result depends on.
[[nodiscard]] bool skipPragma(Cursor& cursor);

} // namespace flashstep::ptx
