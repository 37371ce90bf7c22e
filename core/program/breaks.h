// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/program/program.h"

#include <string>

namespace flashstep {

// Breaks the program on purpose: "wait:NAME" drops every execution of that wait, "count:BARRIER=N" completes that
// barrier's turns with N arrivals (in its unit), "rescale:skip" never rescales O and l.
[[nodiscard]] Status breakProgram(Program& program, const std::string& spec);

} // namespace flashstep
