// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/memory.h"

namespace flashstep::ptx {

// The module's variables in global and constant memory, with what their initialisers say and zeros behind it, at the
// addresses that load() gave them. What an earlier launch has placed stays as it is.
void placeVariables(GlobalMemory& memory, const Code& code);

} // namespace flashstep::ptx
