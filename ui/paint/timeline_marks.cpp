// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/timeline_marks.h"

#include "ui/paint/text.h"
#include "ui/paint/timeline_painter.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

// ---- critical path --------------------------------------------------------------------------------------------------

PathOutline::PathOutline(const Trace& trace, const CriticalPath& path)
{
    for (const PathSegment& segment : path.segments) {
        if (segment.kind != PathSegment::Kind::Op)
            continue;
        const Op& op = trace.op(segment.instance);
        if (isWaiting(op) && !segment.stuck)
            continue; // a wait is on the path for the latency after its release alone
        const bool byItself = op.async && segment.engine;
        if (op.async && !segment.engine)
            continue; // a latency: nothing works on it
        m_parts.push_back({ static_cast<std::uint32_t>(segment.instance.index()),
            byItself ? static_cast<std::uint8_t>(*segment.engine) : static_cast<std::uint8_t>(engineCount) });
    }
    std::sort(m_parts.begin(), m_parts.end());
    m_parts.erase(std::unique(m_parts.begin(), m_parts.end()), m_parts.end());
}

bool PathOutline::has(InstanceId instance, std::size_t engine) const
{
    return std::binary_search(m_parts.begin(), m_parts.end(),
        Part { static_cast<std::uint32_t>(instance.index()), static_cast<std::uint8_t>(engine) });
}

bool PathOutline::onRole(InstanceId instance) const
{
    return has(instance, engineCount);
}

bool PathOutline::onEngine(InstanceId instance, Engine engine) const
{
    return has(instance, static_cast<std::size_t>(engine));
}

// ---- links ----------------------------------------------------------------------------------------------------------

namespace {

TimelineLink linkOf(const Trace& trace, const Dependency& edge)
{
    const bool release = edge.kind == Dependency::Kind::Release;
    const OpKind kind = trace.op(edge.from).kind;
    const bool arrives = release && (kind == OpKind::Arrive || kind == OpKind::Sync);
    return { release ? TimelineLink::Kind::Release : TimelineLink::Kind::Data, edge.from, edge.to, !arrives };
}

} // namespace

std::vector<TimelineLink> linksOf(const Trace& trace, const Dependencies& all, InstanceId instance)
{
    std::vector<TimelineLink> links;
    for (const Dependency& edge : all.into(instance))
        links.push_back(linkOf(trace, edge));
    for (const Dependency& edge : all.outOf(instance))
        links.push_back(linkOf(trace, edge));
    return links;
}

std::vector<TimelineLink> linksOf(const Trace& trace, const WaitExplained& explained)
{
    std::vector<TimelineLink> links;
    const auto add = [&](const WaitLink& link) {
        if (!link.releasedBy || link.releasedBy->instance == link.instance)
            return;
        const bool engine = link.kind == WaitLink::Kind::Engine;
        const OpKind kind = trace.op(link.releasedBy->instance).kind;
        links.push_back({ engine ? TimelineLink::Kind::Engine : TimelineLink::Kind::Release, link.releasedBy->instance,
            link.instance, link.releasedBy->ended && kind != OpKind::Arrive });
    };
    add(explained.wait);
    for (const WaitLink& link : explained.chain)
        add(link);
    return links;
}

namespace {

struct End {
    double cycle = 0;
    const Lane* lane = nullptr;
};

End leaves(
    const TimelineLayout& layout, std::span<const LaneGroup> groups, const Trace& trace, const TimelineLink& link)
{
    if (!link.leavesAtEnd)
        return { static_cast<double>(trace.beginCycle(link.from)), issuePlace(layout, groups, link.from).lane };
    return { static_cast<double>(trace.endCycle(link.from)), workPlace(layout, groups, link.from).lane };
}

End arrives(const TimelineLayout& layout, std::span<const LaneGroup> groups, const Trace& trace,
    const TimelineLink& link, double left)
{
    if (link.kind == TimelineLink::Kind::Engine) {
        const SlicePlace place = workPlace(layout, groups, link.to);
        return { place.lane ? std::max(place.begin, left) : left, place.lane };
    }
    const auto begin = static_cast<double>(trace.beginCycle(link.to)),
               end = static_cast<double>(trace.endCycle(link.to));
    const SlicePlace place = issuePlace(layout, groups, link.to);
    if (link.kind == TimelineLink::Kind::Release) // within the wait, at the moment of its release
        return { std::clamp(left, begin, std::max(begin, end)), place.lane };
    return { begin, place.lane };
}

constexpr double edgeInset = 5;

// To the plot's edge where it lies beyond; true if it did.
bool cut(const QRectF& plot, QPointF& point)
{
    const QPointF asked = point;
    point.setX(std::clamp(point.x(), plot.left() + 1, plot.right() - 1));
    point.setY(std::clamp(point.y(), plot.top() + edgeInset, plot.bottom() - edgeInset));
    return std::abs(point.x() - asked.x()) > 1 || std::abs(point.y() - asked.y()) > edgeInset;
}

} // namespace

std::vector<TimelineArrow> layoutArrows(
    const TimelineLayout& layout, std::span<const LaneGroup> groups, const std::vector<TimelineLink>& links)
{
    std::vector<TimelineArrow> arrows;
    if (groups.empty() || !groups.front().index)
        return arrows;
    const Trace& trace = groups.front().index->trace();
    const auto y
        = [&](const Lane* lane) { return lane ? (lane->top + lane->bottom()) / 2 : layout.plot.bottom() + 40; };
    for (const TimelineLink& link : links) {
        const End from = leaves(layout, groups, trace, link);
        const End to = arrives(layout, groups, trace, link, from.cycle);
        TimelineArrow arrow { { layout.timeToX(from.cycle), y(from.lane) }, { layout.timeToX(to.cycle), y(to.lane) },
            false, false, link };
        const bool outside = (arrow.from.x() < layout.plot.left() && arrow.to.x() < layout.plot.left())
            || (arrow.from.x() > layout.plot.right() && arrow.to.x() > layout.plot.right());
        if (outside)
            continue;
        arrow.fromCut = cut(layout.plot, arrow.from);
        arrow.toCut = cut(layout.plot, arrow.to);
        arrows.push_back(arrow);
    }
    return arrows;
}

// ---- measure --------------------------------------------------------------------------------------------------------

bool TimelineMeasure::operator==(const TimelineMeasure& other) const
{
    const auto same = [](const SnappedEdge& a, const SnappedEdge& b) {
        return a.cycle == b.cycle && a.instance == b.instance && a.ends == b.ends;
    };
    return same(from, other.from) && same(to, other.to);
}

QString measureText(const Trace& trace, const TimelineMeasure& measure)
{
    return QStringLiteral("%1 cy · %2 modelled")
        .arg(grouped(std::llround(measure.cycles())), duration(measure.cycles(), trace.clockMhz()));
}

QString edgeText(const Trace& trace, const SnappedEdge& edge)
{
    if (!edge.instance.valid())
        return QStringLiteral("cycle %1").arg(grouped(std::llround(edge.cycle)));
    const Op& op = trace.op(edge.instance);
    return QStringLiteral("%1 of %2 (%3)")
        .arg(edge.ends ? QStringLiteral("end") : QStringLiteral("begin"), sliceLabel(trace, edge.instance, true),
            QString::fromStdString(trace.program().roles[op.role.index()].name));
}

TimelineMeasure measureOf(const Trace& trace, InstanceId instance)
{
    return { { static_cast<double>(trace.beginCycle(instance)), instance, false },
        { static_cast<double>(trace.endCycle(instance)), instance, true } };
}

TimelineMeasure measureBetween(const Trace& trace, InstanceId a, InstanceId b)
{
    if (trace.beginCycle(b) < trace.beginCycle(a))
        std::swap(a, b);
    const TimelineMeasure first = measureOf(trace, a), second = measureOf(trace, b);
    return { first.to.cycle <= second.from.cycle ? first.to : first.from, second.from };
}

} // namespace flashstep::paint
