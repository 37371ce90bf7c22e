// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/parser_context.h"

namespace flashstep::ptx {

// After .entry or .func: a prototype, or a definition with its body.
[[nodiscard]] bool parseFunction(Context& context, bool entry, bool external);

} // namespace flashstep::ptx
