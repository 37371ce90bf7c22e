// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/io/recording_builder.h"

#include <istream>

namespace flashstep {

// Perfetto's protobuf: track events, with their interned names, defaults and clocks; packets of other kinds are counted
// and left out.
[[nodiscard]] Result<Recording> readPerfetto(
    std::istream& in, std::uint64_t size, const std::string& where, const Progress& progress);

} // namespace flashstep
