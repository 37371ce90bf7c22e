// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/timeline_layout.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

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
    const LaneGroup alone { &index, nullptr };
    return hitTest(layout, std::span(&alone, 1), point);
}

TimelineHit hitTest(const TimelineLayout& layout, std::span<const LaneGroup> groups, QPointF point)
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
    if (const SliceSource* source = groups[lane->group].source; source && lane->kind == LaneKind::Source) {
        hit.recorded = source->sliceAt(lane->index, hit.cycle, 3 / layout.pixelsPerCycle());
        hit.part = hit.recorded ? TimelineHit::Part::Slice : hit.part;
    }
    if (!groups[lane->group].index)
        return hit;
    const TimelineIndex& index = *groups[lane->group].index;
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
    const LaneGroup alone { &index, nullptr };
    return snapEdge(layout, std::span(&alone, 1), point, pixels).cycle;
}

SnappedEdge snapEdge(const TimelineLayout& layout, std::span<const LaneGroup> groups, QPointF point, double pixels)
{
    const double cycle = layout.xToTime(point.x());
    const Lane* lane = layout.laneAt(point.y());
    SnappedEdge best { cycle, InstanceId::none(), false };
    if (!lane || (lane->kind != LaneKind::Role && lane->kind != LaneKind::Engine))
        return best;
    const TimelineIndex& index = *groups[lane->group].index;
    const double reach = pixels / layout.pixelsPerCycle();
    double distance = reach;
    const auto offer = [&](double edge, InstanceId instance, bool ends) {
        if (std::fabs(edge - cycle) <= distance) {
            distance = std::fabs(edge - cycle);
            best = { edge, instance, ends };
        }
    };
    const Trace& trace = index.trace();
    if (lane->kind == LaneKind::Role) {
        const TimelineIndex::RoleLane& role = index.roles()[lane->index];
        for (std::size_t k = index.firstVisible(role, cycle - reach); k < index.firstAfter(role, cycle + reach); ++k) {
            const InstanceId at = index.instance(role, k);
            offer(static_cast<double>(trace.beginCycle(at)), at, false);
            if (!index.op(at).async)
                offer(static_cast<double>(trace.endCycle(at)), at, true);
        }
    } else {
        const TimelineIndex::EngineLane& engine = index.engines()[lane->index];
        for (std::size_t k = index.firstVisible(engine, cycle - reach); k < index.firstAfter(engine, cycle + reach);
             ++k) {
            const Hop& hop = trace.hops()[engine.hops[k]];
            offer(hop.begin, InstanceId(hop.instance), false);
            offer(static_cast<double>(hop.end()), InstanceId(hop.instance), true);
        }
    }
    return best;
}

namespace {

const Lane* laneOf(const TimelineLayout& layout, std::size_t group, LaneKind kind, std::size_t index)
{
    for (const Lane& lane : layout.lanes)
        if (lane.group == group && lane.kind == kind && lane.index == index)
            return &lane;
    return nullptr;
}

} // namespace

SlicePlace issuePlace(const TimelineLayout& layout, std::span<const LaneGroup> groups, InstanceId instance)
{
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const TimelineIndex* index = groups[g].index;
        const auto place = index ? index->placeOf(instance) : std::nullopt;
        if (!place)
            continue;
        const auto begin = static_cast<double>(index->trace().beginCycle(instance));
        const bool async = index->op(instance).async;
        return { laneOf(layout, g, LaneKind::Role, place->lane), begin,
            async ? begin : static_cast<double>(index->trace().endCycle(instance)) };
    }
    return {};
}

SlicePlace workPlace(const TimelineLayout& layout, std::span<const LaneGroup> groups, InstanceId instance)
{
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const TimelineIndex* index = groups[g].index;
        if (!index || !index->placeOf(instance) || !index->op(instance).async)
            continue;
        const auto found = index->lastHopOf(instance);
        if (!found)
            continue;
        const Hop& hop = index->trace().hops()[*found];
        for (std::size_t e = 0; e < index->engines().size(); ++e)
            if (index->engines()[e].engine == hop.engine())
                if (const Lane* lane = laneOf(layout, g, LaneKind::Engine, e))
                    return { lane, static_cast<double>(hop.begin), static_cast<double>(hop.end()) };
    }
    return issuePlace(layout, groups, instance);
}

} // namespace flashstep::paint
