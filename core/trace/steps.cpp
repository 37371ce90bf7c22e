// SPDX-License-Identifier: Apache-2.0
#include "core/trace/trace.h"

#include <algorithm>

namespace flashstep {

namespace {

constexpr std::array<std::string_view, 5> levelNames { "event", "operation", "inner-tile", "outer-tile", "cta" };

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
    std::size_t firstInstance = 0;
    std::size_t lastInstance = m_spans.size();
    if (cta.valid()) {
        firstInstance = m_ctaFirst[cta.index()];
        lastInstance = m_ctaFirst[cta.index() + 1];
    }
    const auto counts = [&](std::uint32_t index) {
        const Event e = eventAt(index);
        if (e.instance.index() < firstInstance || e.instance.index() >= lastInstance)
            return false;
        if (level == Level::Event)
            return true;
        const OpKind kind = m_program->op(opOf(e.instance)).kind;
        return e.ends && kind != OpKind::Commit && kind != OpKind::Wait && kind != OpKind::Sync;
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

Position Trace::next(Position p, Level level, CtaId cta) const
{
    if (level == Level::Event || level == Level::Operation)
        return scan(p, +1, level, cta);
    if (level == Level::InnerTile && cta.valid()) {
        const auto first = m_innerByCta.begin() + m_innerFirst[cta.index()];
        const auto last = m_innerByCta.begin() + m_innerFirst[cta.index() + 1];
        const auto found = std::upper_bound(first, last, p.value);
        return found == last || *found == never ? end() : Position { *found };
    }
    const auto& steps = level == Level::InnerTile ? m_innerTiles : m_ctaSteps;
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
    const auto& steps = level == Level::InnerTile ? m_innerTiles : m_ctaSteps;
    auto found = std::lower_bound(
        steps.begin(), steps.end(), p.value, [](const StepRow& s, std::uint32_t v) { return s.position < v; });
    while (found != steps.begin() && !isStep(*(found - 1), level, cta))
        --found;
    return found == steps.begin() ? Position { 0 } : Position { (found - 1)->position };
}

// An outer tile is a query tile whose O is complete: a CTA of the last launch.
bool Trace::isStep(const StepRow& row, Level level, CtaId cta) const
{
    if (cta.valid() && row.cta != cta.index())
        return false;
    return level != Level::OuterTile || m_program->ctas[row.cta].launch + 1U == m_program->launches.size();
}

std::optional<Position> Trace::block(CtaId cta, int n) const
{
    const std::uint32_t first = m_innerFirst[cta.index()];
    if (n < 1 || n > static_cast<int>(m_innerFirst[cta.index() + 1] - first))
        return std::nullopt;
    const std::uint32_t position = m_innerByCta[first + static_cast<std::uint32_t>(n) - 1];
    if (position == never)
        return std::nullopt; // never got there: the run was stuck, or this launch has no such product
    return Position { position };
}

} // namespace flashstep
