// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/slice_source.h"
#include "ui/paint/timeline_index.h"

#include <QPointF>
#include <QRectF>
#include <QString>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace flashstep::paint {

// Which stretch of which lanes is on show. The CTA is the index's. For larger type scale the painter and divide the
// rectangle and the mouse position by the same factor.
struct TimelineView {
    double from = 0, to = 0; // cycles; to <= from: the whole CTA
    double scroll = 0; // lanes moved up by so many pixels
    double headerWidth = 124;
    double rulerHeight = 20;
    double roleHeight = 20, engineHeight = 18, counterHeight = 17;
    bool roles = true, engines = true, counters = true;
    bool issue = false; // the lane of the issue slots too

    bool operator==(const TimelineView&) const = default;
};

// Lanes that belong together: those of a CTA, or of another source. All groups share one axis.
struct LaneGroup {
    const TimelineIndex* index = nullptr;
    const SliceSource* source = nullptr; // where there is no index
    [[nodiscard]] QString title() const; // "CTA 1 on SM 1"
    [[nodiscard]] double begin() const { return index ? index->begin() : source->begin(); }
    [[nodiscard]] double end() const { return index ? index->end() : source->end(); }
};

// Title: the line above the second group and those after it, which bears its name.
enum class LaneKind : std::uint8_t { Role, Engine, Counter, Title, Source };
enum class CounterLane : std::uint8_t { TensorUse, ExpUse, GlobalRate };

struct Lane {
    LaneKind kind = LaneKind::Role;
    std::size_t index = 0; // into TimelineIndex::roles() or engines(); a CounterLane; the lane of a source
    QString label;
    double top = 0, height = 0;
    std::size_t group = 0;
    [[nodiscard]] double bottom() const { return top + height; }
};

// Geometry of the timeline in a rectangle: pure values, no painter.
struct TimelineLayout {
    QRectF bounds;
    QRectF plot; // right of the headers, below the ruler
    double from = 0, to = 1; // cycles at plot.left() and plot.right()
    double rulerHeight = 20;
    std::vector<Lane> lanes; // tops with the scroll applied; may lie outside the plot
    double contentHeight = 0; // of all lanes, for a scroll bar

    [[nodiscard]] double timeToX(double cycle) const { return plot.left() + (cycle - from) * pixelsPerCycle(); }
    [[nodiscard]] double xToTime(double x) const { return from + (x - plot.left()) / pixelsPerCycle(); }
    [[nodiscard]] double pixelsPerCycle() const { return plot.width() / (to - from); }
    [[nodiscard]] const Lane* laneAt(double y) const; // nullptr between and outside lanes
    // Where a slice from begin to end of a lane lies, before clipping to the plot: lane height less 2.
    [[nodiscard]] QRectF sliceRect(const Lane& lane, double begin, double end) const;
    // A hop in its row of an engine lane, above the foot (footHeight) that carries the colour of its tile.
    [[nodiscard]] QRectF hopRect(
        const Lane& lane, const TimelineIndex::EngineLane& engine, int row, double begin, double end) const;
};
constexpr double footHeight = 4;
constexpr double titleHeight = 18; // of a group
// The first group has its name beside the ruler; of the others the counters, which they would repeat, are left out.
[[nodiscard]] TimelineLayout layoutTimeline(
    const QRectF& rect, std::span<const LaneGroup> groups, const TimelineView& view);
[[nodiscard]] TimelineLayout layoutTimeline(const QRectF& rect, const TimelineIndex& index, const TimelineView& view);
// Height the lanes and the ruler need.
[[nodiscard]] double timelineHeight(const TimelineIndex& index, const TimelineView& view);

// What is under a point.
struct TimelineHit {
    enum class Part : std::uint8_t { Nothing, Ruler, Header, Lane, Slice, Hop } part = Part::Nothing;
    int lane = -1; // into TimelineLayout::lanes
    InstanceId instance; // Slice, Hop
    std::optional<std::uint32_t> hop; // into Trace::hops()
    double cycle = 0;
    std::optional<std::uint32_t> recorded; // Slice of a source: its number there
};
[[nodiscard]] TimelineHit hitTest(const TimelineLayout& layout, std::span<const LaneGroup> groups, QPointF point);
[[nodiscard]] TimelineHit hitTest(const TimelineLayout& layout, const TimelineIndex& index, QPointF point);

// The edge of a slice within `pixels` of x in the lane at y, else the cycle at x; and whose edge it is.
struct SnappedEdge {
    double cycle = 0;
    InstanceId instance; // none(): no edge
    bool ends = false;
};
[[nodiscard]] SnappedEdge snapEdge(
    const TimelineLayout& layout, std::span<const LaneGroup> groups, QPointF point, double pixels = 6);
[[nodiscard]] double snapToEdge(
    const TimelineLayout& layout, const TimelineIndex& index, QPointF point, double pixels = 6);

// Round steps of 1, 2, 5 x 10^k cycles at least `spacing` pixels apart.
struct Ticks {
    double step = 1;
    double first = 0; // >= from
    int count = 0;
    [[nodiscard]] double at(int k) const { return first + step * k; }
};
[[nodiscard]] Ticks rulerTicks(double from, double to, double width, double spacing = 90);

// 1, 2 or 5 times a power of ten: the smallest not below the value.
[[nodiscard]] double roundUp(double value);

// From where to where the groups on show reach, in cycles.
struct Extent {
    double begin = 0, end = 1;
    Extent() = default;
    Extent(const TimelineIndex& index) // NOLINT: one CTA is the usual case
        : begin(index.begin())
        , end(index.end())
    {
    }
    explicit Extent(std::span<const LaneGroup> groups);
};

// Views moved by the user; kept inside the extent, at least 8 cycles wide.
[[nodiscard]] TimelineView wholeCta(const Extent& extent, TimelineView view);
[[nodiscard]] TimelineView zoomed(const Extent& extent, TimelineView view, double factor, double anchorCycle);
[[nodiscard]] TimelineView panned(const Extent& extent, TimelineView view, double cycles);
// Moved just so far that the cycle is on show with a margin.
[[nodiscard]] TimelineView revealing(const Extent& extent, TimelineView view, double cycle);
// Moved just so far that the lane is on show.
[[nodiscard]] TimelineView revealing(const TimelineLayout& layout, TimelineView view, const Lane& lane);

// Where the slice of an op lies: its lane in the group of its CTA (nullptr: of no group on show), and its cycles. Of
// what runs by itself the engine that finishes it, where that has a lane; its issue is the tick in the role's.
struct SlicePlace {
    const Lane* lane = nullptr;
    double begin = 0, end = 0;
};
[[nodiscard]] SlicePlace issuePlace(
    const TimelineLayout& layout, std::span<const LaneGroup> groups, InstanceId instance);
[[nodiscard]] SlicePlace workPlace(
    const TimelineLayout& layout, std::span<const LaneGroup> groups, InstanceId instance);

} // namespace flashstep::paint
