// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/emulation/run.h"
#include "core/io/spans.h"

#include <ostream>

namespace flashstep {

// A log in the Kanata format, version 4, for the pipeline viewer Konata: each execution of an op is an instruction,
// from the cycle in which it begins to the one in which its effect is there. In order of time, written as it goes.
[[nodiscard]] Status writeKanata(const Run& run, const Range& range, std::ostream& out, const Progress& progress);

} // namespace flashstep
