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

class LaneList {
public:
    void add(LaneKind kind, std::size_t k, QString label, double height)
    {
        lanes.push_back({ kind, k, std::move(label), m_top, height, m_group });
        m_top += height;
    }
    void enter(std::size_t group) { m_group = group; }
    std::vector<Lane> lanes;

private:
    double m_top = 0;
    std::size_t m_group = 0;
};

void addLanes(LaneList& list, const TimelineIndex& index, const TimelineView& view, bool counted)
{
    const auto add = [&](LaneKind kind, std::size_t k, QString label, double height) {
        list.add(kind, k, std::move(label), height);
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
    if (view.counters && counted)
        for (const CounterRow& row : counters)
            add(LaneKind::Counter, static_cast<std::size_t>(row.lane), QString::fromUtf16(row.label),
                view.counterHeight);
}

std::vector<Lane> lanesOf(std::span<const LaneGroup> groups, const TimelineView& view)
{
    LaneList list;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        list.enter(g);
        if (g > 0)
            list.add(LaneKind::Title, 0, groups[g].title(), titleHeight);
        if (groups[g].index)
            addLanes(list, *groups[g].index, view, g == 0);
        else if (groups[g].source)
            for (std::size_t k = 0; k < groups[g].source->laneCount(); ++k)
                list.add(LaneKind::Source, k, groups[g].source->laneName(k), view.roleHeight);
    }
    return std::move(list.lanes);
}

constexpr double smallestWindow = 8; // cycles

TimelineView inside(const Extent& extent, TimelineView view)
{
    const double margin = 0.02 * (extent.end - extent.begin);
    const double low = extent.begin - margin, high = extent.end + margin;
    const double width = std::clamp(view.to - view.from, smallestWindow, std::max(high - low, smallestWindow));
    view.from = std::clamp(view.from, low, std::max(high - width, low));
    view.to = view.from + width;
    return view;
}

TimelineView settled(const Extent& extent, const TimelineView& view)
{
    return view.to > view.from ? view : wholeCta(extent, view);
}

} // namespace

QString LaneGroup::title() const
{
    if (!index)
        return source->title();
    return QStringLiteral("CTA %1 on SM %2").arg(index->cta().index()).arg(index->trace().span(index->cta()).sm);
}

Extent::Extent(std::span<const LaneGroup> groups)
{
    for (std::size_t g = 0; g < groups.size(); ++g) {
        begin = g == 0 ? groups[g].begin() : std::min(begin, groups[g].begin());
        end = g == 0 ? groups[g].end() : std::max(end, groups[g].end());
    }
}

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

TimelineLayout layoutTimeline(const QRectF& rect, const TimelineIndex& index, const TimelineView& view)
{
    const LaneGroup alone { &index, nullptr };
    return layoutTimeline(rect, std::span(&alone, 1), view);
}

TimelineLayout layoutTimeline(const QRectF& rect, std::span<const LaneGroup> groups, const TimelineView& asked)
{
    const TimelineView view = settled(Extent(groups), asked);
    TimelineLayout layout;
    layout.bounds = rect;
    layout.rulerHeight = view.rulerHeight;
    layout.plot
        = rect.adjusted(std::min(view.headerWidth, rect.width()), std::min(view.rulerHeight, rect.height()), 0, 0);
    layout.from = view.from;
    layout.to = view.to;
    layout.lanes = lanesOf(groups, view);
    for (Lane& lane : layout.lanes) {
        layout.contentHeight += lane.height;
        lane.top += layout.plot.top() - view.scroll;
    }
    return layout;
}

double timelineHeight(const TimelineIndex& index, const TimelineView& view)
{
    double height = view.rulerHeight;
    const LaneGroup alone { &index, nullptr };
    for (const Lane& lane : lanesOf(std::span(&alone, 1), view))
        height += lane.height;
    return height;
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

TimelineView wholeCta(const Extent& extent, TimelineView view)
{
    const double length = extent.end - extent.begin;
    view.from = extent.begin - 0.005 * length;
    view.to = extent.end + 0.015 * length;
    return view;
}

TimelineView zoomed(const Extent& extent, TimelineView view, double factor, double anchorCycle)
{
    view = settled(extent, view);
    const double width = view.to - view.from;
    const double share = (anchorCycle - view.from) / width;
    const double limited = std::max(width / factor, smallestWindow);
    view.from = anchorCycle - share * limited;
    view.to = view.from + limited;
    return inside(extent, view);
}

TimelineView panned(const Extent& extent, TimelineView view, double cycles)
{
    view = settled(extent, view);
    view.from += cycles;
    view.to += cycles;
    return inside(extent, view);
}

TimelineView revealing(const Extent& extent, TimelineView view, double cycle)
{
    view = settled(extent, view);
    const double margin = 0.1 * (view.to - view.from);
    if (cycle < view.from + margin)
        return panned(extent, view, cycle - margin - view.from);
    if (cycle > view.to - margin)
        return panned(extent, view, cycle + margin - view.to);
    return view;
}

TimelineView revealing(const TimelineLayout& layout, TimelineView view, const Lane& lane)
{
    if (lane.top < layout.plot.top())
        view.scroll -= layout.plot.top() - lane.top;
    else if (lane.bottom() > layout.plot.bottom())
        view.scroll += lane.bottom() - layout.plot.bottom();
    view.scroll = std::clamp(view.scroll, 0.0, std::max(0.0, layout.contentHeight - layout.plot.height()));
    return view;
}

} // namespace flashstep::paint
