// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/session.h"

#include <string>

namespace flashstep::cli {

// A hazard, a deadlock, or an error beyond the bound: status 1.
[[nodiscard]] bool failed(const Report& report, const Trace& trace);
[[nodiscard]] std::string reportJson(const Session& session);
[[nodiscard]] std::string reportText(const Session& session);

} // namespace flashstep::cli
