// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/emulation/run.h"

#include <string>
#include <vector>

namespace flashstep::cli {

// Which state: of one CTA, or of all where `cta` is none().
struct StateRequest {
    Position position;
    CtaId cta;
    std::vector<std::string> buffers; // whose values are written; "all"
};
[[nodiscard]] Status checkBufferNames(const Program& program, const std::vector<std::string>& names);
[[nodiscard]] std::string stateJson(const Run& run, const StateRequest& request);
[[nodiscard]] std::string stateText(const Run& run, const StateRequest& request);

} // namespace flashstep::cli
