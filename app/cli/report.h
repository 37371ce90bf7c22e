// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/session.h"
#include "core/io/json.h"

#include <string>

namespace flashstep::cli {

// A hazard, a deadlock, or an error beyond the bound: status 1.
[[nodiscard]] bool failed(const Report& report, const Trace& trace);
// What is the same on every computer; the effects of guesses are runs of their own.
[[nodiscard]] Json runObject(const Run& run, bool withGuessEffects);
[[nodiscard]] Json reportObject(const Session& session); // what reportJson writes
[[nodiscard]] std::string reportJson(const Session& session);
[[nodiscard]] std::string reportText(const Session& session);

// Parts of it in words.
[[nodiscard]] std::string titleOf(const Run& run); // "FlashAttention-2, forward, on NVIDIA A100 …"
[[nodiscard]] std::string problemLine(const Problem& problem);
[[nodiscard]] std::string tileLine(const Program& program);
[[nodiscard]] std::string thousands(double value); // "12 345"

} // namespace flashstep::cli
