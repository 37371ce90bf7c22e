// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/trace/trace.h"

#include <string_view>

namespace flashstep {

// Finds a moment by meaning: "1204", "end", "1200cy", "3.4us", "first(rescale, i=2, row=5)", "last(…)", "nth(3, mma,
// j=1)", "block(i=2, n=1, b=0, h=0)". Keys: cta role i j row buffer barrier turn (role by name, "warp 0" or "warp0").
// The position is the one just after the matching op has ended (for waits: been released).
struct Moment {
    Position position;
    CtaId cta; // whose moment it is: the op's CTA, the tile's CTA; none() for plain positions
};
[[nodiscard]] Result<Moment> findMoment(const Trace& trace, std::string_view text);

} // namespace flashstep
