// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/io/timeline_facts.h"

#include <ostream>

namespace flashstep {

// The same slices, lines, arrows, counters and marks as the Perfetto file, as Chrome-trace JSON: times in microseconds
// with three decimals, cycles among the arguments. What runs on while its role goes on is an asynchronous event. One
// line per event, written as it goes.
[[nodiscard]] Status writeChromeJson(const Run& run, const Range& range, std::ostream& out, const Progress& progress);

} // namespace flashstep
