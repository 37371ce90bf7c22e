// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/trace.h"

#include <optional>
#include <utility>

namespace flashstep {

// From when to when a CTA has its SM: to the end of the run where it never ends; nullopt where it never got one.
[[nodiscard]] std::optional<std::pair<Cycle, Cycle>> lifeOf(const Trace& trace, CtaId cta);

} // namespace flashstep
