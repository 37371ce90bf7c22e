// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/why.h"

#include <string>

namespace flashstep {

// Waits in words, the same for the command line and the window.

// "consumer 1 of CTA 0", "S = Q Kᵀ (0, 3)".
[[nodiscard]] std::string whoText(const Trace& trace, InstanceId instance);
[[nodiscard]] std::string opText(const Trace& trace, InstanceId instance);

// "at 1204 cy, released by arrive (0, 3), producer of CTA 0"
[[nodiscard]] std::string releasedText(const Trace& trace, const WaitLink& link);
// One link of a chain, in one line.
[[nodiscard]] std::string linkText(const Trace& trace, const WaitLink& link);
// How the chain of a deadlock ends: in a circle, or where nobody is left to come; empty where it is none.
[[nodiscard]] std::string stuckText(const WaitExplained& why);

} // namespace flashstep
