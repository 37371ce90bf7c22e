// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/session.h"
#include "core/emulation/critical_path.h"
#include "core/io/json.h"

namespace flashstep::cli {

// What `why`, `stalls` and `critical-path` share.

// cta, role, op, i, j of an op's execution; j is null where it has no key block.
void addOp(Json& out, const Trace& trace, InstanceId instance);
// "exp2 on exp", "load latency", "CTA start".
[[nodiscard]] std::string partText(const PathPart& part);

// --cta; of a grid timed in two steps only a CTA whose events were kept.
[[nodiscard]] Result<CtaId> ctaWithEvents(const Trace& trace, const std::string& text, const std::string& option);
// How many CTAs are known event by event.
[[nodiscard]] std::size_t ctasWithEvents(const Trace& trace);
// Says so on standard error, where that is not all.
void noteTwoSteps(const Trace& trace, bool quiet);

} // namespace flashstep::cli
