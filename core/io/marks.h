// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/spans.h"

#include <functional>
#include <string>
#include <string_view>

namespace flashstep {

// A moment worth a mark: a turn of a barrier completed (an mbarrier's phase flips with it), what a rescale came to.
struct Mark {
    std::string_view line; // "pipeline_k.full[1]", "rescales"
    std::string_view text; // until the next mark
    Cycle cycle = 0;
};
// Of one CTA, line by line, in each by time; found as they are visited, so nothing grows with the run.
void forEachMark(const Trace& trace, CtaId cta, const Range& range, const std::function<void(const Mark&)>& visit);

} // namespace flashstep
