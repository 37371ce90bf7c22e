// SPDX-License-Identifier: Apache-2.0
#include "core/io/step_choice.h"

#include <fmt/format.h>

namespace flashstep {

namespace {

// "2nd", "3rd", "11th"
std::string ordinal(std::size_t n)
{
    const bool teen = n / 10 % 10 == 1;
    const char* const ending = teen ? "th" : n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
    return fmt::format("{}{}", n, ending);
}

} // namespace

void forEachStep(
    const Trace& trace, const Range& range, Level level, CtaId only, const std::function<bool(const Step&)>& visit)
{
    for (Position at = range.from; at < range.to;) {
        at = trace.next(at, level, only);
        if (at > range.to || !completesStep(trace, at, level, only)) // nothing any more: next() gave the end
            return;
        if (!visit({ at, only.valid() ? only : trace.ctaOf(trace.eventAt(at.value - 1).instance) }))
            return;
    }
}

std::string ChosenSteps::note() const
{
    return every == 1 ? "" : fmt::format("{} {} steps: every {} is shown", total, name(level), ordinal(every));
}

Result<ChosenSteps> chooseSteps(const Trace& trace, const Range& range, Level level, CtaId only, std::size_t most)
{
    ChosenSteps chosen;
    chosen.level = level;
    forEachStep(trace, range, level, only, [&](const Step&) { return ++chosen.total > 0; });
    if (chosen.total == 0)
        return Error { fmt::format("no step of the level {} is complete in events {} to {}{}", name(level),
                           range.from.value, range.to.value,
                           only.valid() ? fmt::format(" of CTA {}", only.index()) : ""),
            "--from, --to", "a longer stretch or a finer --level" };
    chosen.every = (chosen.total + most - 1) / most;
    std::size_t number = 0;
    forEachStep(trace, range, level, only, [&](const Step& step) {
        if ((chosen.total - ++number) % chosen.every == 0)
            chosen.shown.push_back(step);
        return true;
    });
    return chosen;
}

} // namespace flashstep
