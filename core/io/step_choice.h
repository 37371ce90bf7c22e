// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/io/spans.h"

#include <functional>
#include <string>
#include <vector>

namespace flashstep {

// A step of some level: the position at which it is complete, and whose it is.
struct Step {
    Position at;
    CtaId cta;
};

// Every step of the level that is complete behind range.from and up to range.to, in order; of one CTA, or of all where
// `only` is none(). `visit` returns false to stop.
void forEachStep(
    const Trace& trace, const Range& range, Level level, CtaId only, const std::function<bool(const Step&)>& visit);

// What a film or a document shows of a stretch: every step, or where there are more than `most` every n-th, counted
// back from the last.
struct ChosenSteps {
    Level level = Level::InnerTile;
    std::vector<Step> shown;
    std::size_t total = 0;
    std::size_t every = 1;

    [[nodiscard]] std::size_t number(std::size_t k) const // of the k-th shown among all, from 1
    {
        return total - (shown.size() - 1 - k) * every;
    }
    [[nodiscard]] std::string note() const; // "412 inner-tile steps: every 2nd is shown"; empty where all are
};
constexpr std::size_t mostSteps = 400;
// An error where the stretch has none.
[[nodiscard]] Result<ChosenSteps> chooseSteps(
    const Trace& trace, const Range& range, Level level, CtaId only, std::size_t most = mostSteps);

} // namespace flashstep
