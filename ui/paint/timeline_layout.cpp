// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/timeline_layout.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace flashstep::paint {

namespace {

QString engineLabel(Engine engine, const TimelineIndex& index)
{
    switch (engine) {
    case Engine::Tensor:
        return QStringLiteral("tensor core");
    case Engine::Exp:
        return QStringLiteral("MUFU (exp2)");
    case Engine::Alu:
        return QStringLiteral("ALU (max, scale)");
    case Engine::Issue:
        return QStringLiteral("issue");
    case Engine::Smem:
        return QStringLiteral("SMEM port");
    case Engine::L2:
        return index.lane(Engine::Tma) ? QStringLiteral("copies, L2") : QStringLiteral("cp.async, L2");
    case Engine::Hbm:
        return QStringLiteral("HBM");
    case Engine::Tma:
        return QStringLiteral("TMA");
    case Engine::Registers:
        return QStringLiteral("registers");
    case Engine::Tmem:
        return QStringLiteral("TMEM port");
    }
    return QString();
}

struct CounterRow {
    CounterLane lane;
    Engine engine;
    const char16_t* label;
};
constexpr CounterRow counters[] = {
    { CounterLane::TensorUse, Engine::Tensor, u"tensor use" },
    { CounterLane::ExpUse, Engine::Exp, u"exp use" },
    { CounterLane::GlobalRate, Engine::L2, u"reads" },
};

std::vector<Lane> lanesOf(const TimelineIndex& index, const TimelineView& view)
{
    std::vector<Lane> lanes;
    double top = 0;
    const auto add = [&](LaneKind kind, std::size_t k, QString label, double height) {
        lanes.push_back({ kind, k, std::move(label), top, height });
        top += height;
    };
    const Program& program = index.trace().program();
    if (view.roles)
        for (std::size_t k = 0; k < index.roles().size(); ++k)
            add(LaneKind::Role, k, QString::fromStdString(program.roles[index.roles()[k].role.index()].name),
                view.roleHeight);
    if (view.engines)
        for (std::size_t k = 0; k < index.engines().size(); ++k)
            if (view.issue || index.engines()[k].engine != Engine::Issue)
                add(LaneKind::Engine, k, engineLabel(index.engines()[k].engine, index), view.engineHeight);
    if (view.counters)
        for (const CounterRow& row : counters)
            add(LaneKind::Counter, static_cast<std::size_t>(row.lane), QString::fromUtf16(row.label),
                view.counterHeight);
    return lanes;
}

constexpr double smallestWindow = 8; // cycles

TimelineView inside(const TimelineIndex& index, TimelineView view)
{
    const double margin = 0.02 * (index.end() - index.begin());
    const double low = index.begin() - margin, high = index.end() + margin;
    const double width = std::clamp(view.to - view.from, smallestWindow, std::max(high - low, smallestWindow));
    view.from = std::clamp(view.from, low, std::max(high - width, low));
    view.to = view.from + width;
    return view;
}

TimelineView settled(const TimelineIndex& index, const TimelineView& view)
{
    return view.to > view.from ? view : wholeCta(index, view);
}

} // namespace

const Lane* TimelineLayout::laneAt(double y) const
{
    for (const Lane& lane : lanes)
        if (y >= lane.top && y < lane.bottom())
            return &lane;
    return nullptr;
}

QRectF TimelineLayout::sliceRect(const Lane& lane, double begin, double end) const
{
    const double left = timeToX(begin), right = timeToX(end);
    return { left, lane.top + 1, right - left, lane.height - 2 };
}

QRectF TimelineLayout::hopRect(
    const Lane& lane, const TimelineIndex::EngineLane& engine, int row, double begin, double end) const
{
    QRectF rect = sliceRect(lane, begin, end);
    const double height = (rect.height() - footHeight) / engine.rows;
    if (row == TimelineIndex::allRows) {
        rect.setHeight(rect.height() - footHeight);
        return rect;
    }
    rect.setTop(rect.top() + row * height);
    rect.setHeight(height);
    return rect;
}

TimelineLayout layoutTimeline(const QRectF& rect, const TimelineIndex& index, const TimelineView& asked)
{
    const TimelineView view = settled(index, asked);
    TimelineLayout layout;
    layout.bounds = rect;
    layout.rulerHeight = view.rulerHeight;
    layout.plot
        = rect.adjusted(std::min(view.headerWidth, rect.width()), std::min(view.rulerHeight, rect.height()), 0, 0);
    layout.from = view.from;
    layout.to = view.to;
    layout.lanes = lanesOf(index, view);
    for (Lane& lane : layout.lanes) {
        layout.contentHeight += lane.height;
        lane.top += layout.plot.top() - view.scroll;
    }
    return layout;
}

double timelineHeight(const TimelineIndex& index, const TimelineView& view)
{
    double height = view.rulerHeight;
    for (const Lane& lane : lanesOf(index, view))
        height += lane.height;
    return height;
}

namespace {

// The op of a role lane at a cycle; a tick of an asynchronous one is `slack` cycles wide.
std::optional<InstanceId> roleHit(
    const TimelineIndex& index, const TimelineIndex::RoleLane& lane, double cycle, double slack)
{
    const Trace& trace = index.trace();
    std::optional<InstanceId> hit;
    for (std::size_t k = index.firstVisible(lane, cycle - slack); k < index.firstAfter(lane, cycle); ++k) {
        const InstanceId at = index.instance(lane, k);
        const auto begin = static_cast<double>(trace.beginCycle(at));
        const double end = index.op(at).async ? begin : static_cast<double>(trace.endCycle(at));
        if (cycle >= begin && cycle < std::max(end, begin + slack))
            hit = at; // the last one begun lies on top
    }
    return hit;
}

std::optional<std::uint32_t> engineHit(
    const TimelineIndex& index, const TimelineIndex::EngineLane& lane, double cycle, double slack, int row)
{
    std::optional<std::uint32_t> hit;
    for (std::size_t k = index.firstVisible(lane, cycle - slack); k < index.firstAfter(lane, cycle); ++k) {
        const Hop& hop = index.trace().hops()[lane.hops[k]];
        if (cycle >= hop.begin && cycle < std::max(static_cast<double>(hop.end()), hop.begin + slack)
            && (row < 0 || lane.row[k] == row || lane.row[k] == TimelineIndex::allRows))
            hit = lane.hops[k];
    }
    return hit;
}

} // namespace

TimelineHit hitTest(const TimelineLayout& layout, const TimelineIndex& index, QPointF point)
{
    TimelineHit hit;
    hit.cycle = layout.xToTime(point.x());
    if (!layout.bounds.contains(point))
        return hit;
    if (point.y() < layout.plot.top()) {
        hit.part = TimelineHit::Part::Ruler;
        return hit;
    }
    const Lane* lane = layout.laneAt(point.y());
    if (!lane)
        return hit;
    hit.lane = static_cast<int>(lane - layout.lanes.data());
    hit.part = point.x() < layout.plot.left() ? TimelineHit::Part::Header : TimelineHit::Part::Lane;
    if (hit.part == TimelineHit::Part::Header)
        return hit;
    const double slack = 3 / layout.pixelsPerCycle();
    if (lane->kind == LaneKind::Role) {
        if (const auto found = roleHit(index, index.roles()[lane->index], hit.cycle, slack)) {
            hit.part = TimelineHit::Part::Slice;
            hit.instance = *found;
        }
    } else if (lane->kind == LaneKind::Engine) {
        const TimelineIndex::EngineLane& engine = index.engines()[lane->index];
        const double rowHeight = (lane->height - 2 - footHeight) / engine.rows;
        const int row = static_cast<int>((point.y() - lane->top - 1) / rowHeight);
        auto found = engineHit(index, engine, hit.cycle, slack, row);
        if (!found && row >= engine.rows) // on the foot
            found = engineHit(index, engine, hit.cycle, slack, -1);
        if (found) {
            hit.part = TimelineHit::Part::Hop;
            hit.hop = found;
            hit.instance = InstanceId(index.trace().hops()[*found].instance);
        }
    }
    return hit;
}

double snapToEdge(const TimelineLayout& layout, const TimelineIndex& index, QPointF point, double pixels)
{
    const double cycle = layout.xToTime(point.x());
    const Lane* lane = layout.laneAt(point.y());
    if (!lane || lane->kind == LaneKind::Counter)
        return cycle;
    const double reach = pixels / layout.pixelsPerCycle();
    double best = cycle, distance = reach;
    const auto offer = [&](double edge) {
        if (std::fabs(edge - cycle) <= distance) {
            distance = std::fabs(edge - cycle);
            best = edge;
        }
    };
    const Trace& trace = index.trace();
    if (lane->kind == LaneKind::Role) {
        const TimelineIndex::RoleLane& role = index.roles()[lane->index];
        for (std::size_t k = index.firstVisible(role, cycle - reach); k < index.firstAfter(role, cycle + reach); ++k) {
            const InstanceId at = index.instance(role, k);
            offer(static_cast<double>(trace.beginCycle(at)));
            if (!index.op(at).async)
                offer(static_cast<double>(trace.endCycle(at)));
        }
    } else {
        const TimelineIndex::EngineLane& engine = index.engines()[lane->index];
        for (std::size_t k = index.firstVisible(engine, cycle - reach); k < index.firstAfter(engine, cycle + reach);
             ++k) {
            const Hop& hop = trace.hops()[engine.hops[k]];
            offer(hop.begin);
            offer(static_cast<double>(hop.end()));
        }
    }
    return best;
}

double roundUp(double value)
{
    if (!(value > 0) || !std::isfinite(value))
        return 1;
    double power = 1;
    while (power > value)
        power /= 10;
    while (power * 10 <= value)
        power *= 10;
    for (const double factor : { 1.0, 2.0, 5.0 })
        if (factor * power >= value)
            return factor * power;
    return 10 * power;
}

Ticks rulerTicks(double from, double to, double width, double spacing)
{
    Ticks ticks;
    if (!(to > from) || width <= 0)
        return ticks;
    ticks.step = std::max(1.0, roundUp((to - from) * spacing / width)); // whole cycles
    ticks.first = std::ceil(from / ticks.step) * ticks.step;
    ticks.count = to >= ticks.first ? static_cast<int>(std::floor((to - ticks.first) / ticks.step)) + 1 : 0;
    return ticks;
}

TimelineView wholeCta(const TimelineIndex& index, TimelineView view)
{
    const double length = index.end() - index.begin();
    view.from = index.begin() - 0.005 * length;
    view.to = index.end() + 0.015 * length;
    return view;
}

TimelineView zoomed(const TimelineIndex& index, TimelineView view, double factor, double anchorCycle)
{
    view = settled(index, view);
    const double width = view.to - view.from;
    const double share = (anchorCycle - view.from) / width;
    const double limited = std::max(width / factor, smallestWindow);
    view.from = anchorCycle - share * limited;
    view.to = view.from + limited;
    return inside(index, view);
}

TimelineView panned(const TimelineIndex& index, TimelineView view, double cycles)
{
    view = settled(index, view);
    view.from += cycles;
    view.to += cycles;
    return inside(index, view);
}

TimelineView revealing(const TimelineIndex& index, TimelineView view, double cycle)
{
    view = settled(index, view);
    const double margin = 0.1 * (view.to - view.from);
    if (cycle < view.from + margin)
        return panned(index, view, cycle - margin - view.from);
    if (cycle > view.to - margin)
        return panned(index, view, cycle + margin - view.to);
    return view;
}

} // namespace flashstep::paint
