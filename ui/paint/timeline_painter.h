// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/highlight.h"
#include "ui/paint/theme.h"
#include "ui/paint/timeline_layout.h"
#include "ui/paint/timeline_marks.h"

#include <QPainter>

namespace flashstep::paint {

struct TimelineScene {
    const TimelineIndex* index = nullptr; // nullptr: only what is beside is shown
    Position position;
    Highlight highlight;
    bool playhead = true;
    bool fullLabels = false; // "exp2 (6, 5)" in place of "exp2 6,5", for pictures
    std::vector<LaneGroup> beside; // further groups below the index's, on the same axis
    const TimelineMarks* marks = nullptr;
    CtaId chosen; // the CTA that the other views show, where several are on show

    [[nodiscard]] std::vector<LaneGroup> groups() const;
};

// Ruler, role lanes, engine lanes, counters and playhead, clipped to rect.
void paintTimeline(
    QPainter& painter, const QRectF& rect, const TimelineScene& scene, const TimelineView& view, const Theme& theme);
// The same in two layers: what stays as it is while the position moves, and what moves with it. The first may be kept
// as a picture.
void paintTimelineBody(
    QPainter& painter, const QRectF& rect, const TimelineScene& scene, const TimelineView& view, const Theme& theme);
void paintTimelineMoving(
    QPainter& painter, const QRectF& rect, const TimelineScene& scene, const TimelineView& view, const Theme& theme);

// Overview of the whole run for the scrubber: tensor-core use in bars, the window outlined, the playhead.
void paintScrubber(
    QPainter& painter, const QRectF& rect, const TimelineScene& scene, const TimelineView& view, const Theme& theme);
// The outline of the window on show.
[[nodiscard]] QRectF scrubberWindow(const QRectF& rect, const TimelineIndex& index, const TimelineView& view);
[[nodiscard]] double scrubberToCycle(const QRectF& rect, const Trace& trace, double x);

// Label of a slice ("S 2,5", "exp2 2,5"), without its tile ("exp2"), and in full ("exp2 (2, 5)").
[[nodiscard]] QString sliceLabel(const Trace& trace, InstanceId instance, bool withTile);
[[nodiscard]] QString fullSliceLabel(const Trace& trace, InstanceId instance);
// One or two lines about a slice for a tool tip: what, tile, begin, end, duration.
[[nodiscard]] QString describeSlice(const Trace& trace, InstanceId instance);

} // namespace flashstep::paint
