// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/io/recording_builder.h"

#include <istream>

namespace flashstep {

// Chrome-trace JSON: a list of events, also one that ends early, or an object with "traceEvents".
[[nodiscard]] Result<Recording> readChromeJson(
    std::istream& in, std::uint64_t size, const std::string& where, const Progress& progress);

} // namespace flashstep
