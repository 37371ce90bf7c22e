// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/program/program.h"
#include "core/trace/query.h"

#include <string>

namespace flashstep {

// Options that name a place in a run; errors name the option.

// --at, --from, --to; empty text: `otherwise`.
[[nodiscard]] Result<Moment> momentOf(
    const Trace& trace, const std::string& option, const std::string& text, Position otherwise);
// --cta; empty text: none().
[[nodiscard]] Result<CtaId> ctaFrom(const Program& program, const std::string& text);

} // namespace flashstep
