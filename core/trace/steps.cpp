// SPDX-License-Identifier: Apache-2.0
#include "core/trace/trace.h"

#include <algorithm>

namespace flashstep {

namespace {

constexpr std::array<std::string_view, 5> levelNames { "event", "operation", "inner-tile", "outer-tile", "cta" };

// Computes or moves something; the others only keep order.
bool isWork(OpKind kind)
{
    switch (kind) {
    case OpKind::Commit:
    case OpKind::Wait:
    case OpKind::Sync:
    case OpKind::Arrive:
    case OpKind::Fence:
    case OpKind::SetRegisters:
        return false;
    default:
        return true;
    }
}

} // namespace

std::string_view name(Level level)
{
    return levelNames[static_cast<std::size_t>(level)];
}

std::optional<Level> levelFromName(std::string_view text)
{
    const auto found = std::find(levelNames.begin(), levelNames.end(), text);
    if (found == levelNames.end())
        return std::nullopt;
    return static_cast<Level>(found - levelNames.begin());
}

// Event by event to the nearest that counts: every event, or the end of an op that does something.
Position Trace::scan(Position p, int direction, Level level, CtaId cta) const
{
    const auto counts = [&](std::uint32_t index) {
        const Event e = eventAt(index);
        if (cta.valid() && ctaOf(e.instance) != cta)
            return false;
        return level == Level::Event || (e.ends && isWork(op(e.instance).kind));
    };
    if (direction > 0) {
        for (std::uint32_t at = p.value; at < m_events.size(); ++at)
            if (counts(at))
                return Position { at + 1 };
        return end();
    }
    for (std::uint32_t at = p.value; at >= 2; --at)
        if (counts(at - 2))
            return Position { at - 1 };
    return Position { 0 };
}

// In a sweep over query tiles an outer tile ends with one of the inner ones, else with a work.
const std::vector<Trace::StepRow>& Trace::stepsOf(Level level) const
{
    const bool sweep = m_program->launches.back().sweep > 0;
    return level == Level::InnerTile || (level == Level::OuterTile && sweep) ? m_innerTiles : m_ctaSteps;
}

Position Trace::next(Position p, Level level, CtaId cta) const
{
    if (level == Level::Event || level == Level::Operation)
        return scan(p, +1, level, cta);
    if (level == Level::InnerTile && cta.valid()) {
        const auto first = m_innerByCta.begin() + m_innerFirst[cta.index()];
        const auto last = m_innerByCta.begin() + m_innerFirst[cta.index() + 1];
        const auto found = std::upper_bound(first, last, p.value);
        return found == last ? end() : Position { *found };
    }
    const auto& steps = stepsOf(level);
    auto found = std::upper_bound(
        steps.begin(), steps.end(), p.value, [](std::uint32_t v, const StepRow& s) { return v < s.position; });
    while (found != steps.end() && !isStep(*found, level, cta))
        ++found;
    return found == steps.end() ? end() : Position { found->position };
}

Position Trace::previous(Position p, Level level, CtaId cta) const
{
    if (level == Level::Event || level == Level::Operation)
        return scan(p, -1, level, cta);
    if (level == Level::InnerTile && cta.valid()) {
        const auto first = m_innerByCta.begin() + m_innerFirst[cta.index()];
        const auto last = m_innerByCta.begin() + m_innerFirst[cta.index() + 1];
        const auto found = std::lower_bound(first, last, p.value);
        return found == first ? Position { 0 } : Position { *(found - 1) };
    }
    const auto& steps = stepsOf(level);
    auto found = std::lower_bound(
        steps.begin(), steps.end(), p.value, [](const StepRow& s, std::uint32_t v) { return s.position < v; });
    while (found != steps.begin() && !isStep(*(found - 1), level, cta))
        --found;
    return found == steps.begin() ? Position { 0 } : Position { (found - 1)->position };
}

bool Trace::isStep(const StepRow& row, Level level, CtaId cta) const
{
    if (cta.valid() && row.cta != cta.index())
        return false;
    return level == Level::OuterTile ? row.outer : level != Level::Cta || row.endsCta;
}

std::optional<Position> Trace::block(int b, int h, int i, int n) const
{
    const WorkId work = workOfTile(b, h, i);
    return block(work, i - m_program->work(work).i, n);
}

std::optional<Position> Trace::block(WorkId asked, int i, int n) const
{
    const WorkId work = productsOf(asked);
    const auto& steps = streamOf(work).steps;
    const auto found
        = std::find_if(steps.begin(), steps.end(), [&](const StepDecl& s) { return s.i == i && s.n == n; });
    if (found == steps.end() || !hasEvents(work))
        return std::nullopt;
    const std::uint32_t position
        = m_stepPositions[m_stepFirst[work.index()] + static_cast<std::uint32_t>(found - steps.begin())];
    if (position == never)
        return std::nullopt; // never got there: the run was stuck
    return Position { position };
}

} // namespace flashstep
