// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/io/timeline_facts.h"

#include <ostream>

namespace flashstep {

// A Perfetto trace (protobuf), written as it goes: a process per CTA, a line per role and per engine a role uses,
// flows, counters and marks. Times are whole nanoseconds of the modelled clock. docs/formats.md lists the fields.
[[nodiscard]] Status writePerfetto(const Run& run, const Range& range, std::ostream& out, const Progress& progress);

} // namespace flashstep
