// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/timeline_painter.h"

// The parts that paintTimeline is made of; each draws inside the plot, which the caller has set as the clip.
namespace flashstep::paint {

struct TimelineCanvas {
    QPainter& painter;
    const TimelineScene& scene;
    const TimelineLayout& layout;
    const Theme& theme;
    std::span<const LaneGroup> groups;
    std::size_t group = 0; // whose lanes are being drawn

    [[nodiscard]] const TimelineIndex& index() const { return *groups[group].index; }
    [[nodiscard]] const Trace& trace() const { return scene.index->trace(); }
    [[nodiscard]] const PathOutline* path() const
    {
        return scene.marks && groups[group].index ? scene.marks->path(index().cta()) : nullptr;
    }
};

void paintRoleLane(const TimelineCanvas& canvas, const Lane& lane);
void paintEngineLane(const TimelineCanvas& canvas, const Lane& lane);
void paintCounterLane(const TimelineCanvas& canvas, const Lane& lane);
// The value where the playhead stands, with its unit; without one the mean and the top of what is on show.
[[nodiscard]] QStringList counterValues(const TimelineCanvas& canvas, const Lane& lane);
void paintSourceLane(const TimelineCanvas& canvas, const Lane& lane);
void paintPlayhead(const TimelineCanvas& canvas);
// Over the lanes: issue and completion joined, arrows, what is measured.
void paintMarks(const TimelineCanvas& canvas);

// How a slice of a role is drawn.
enum class SliceStyle : std::uint8_t {
    Solid, // computes: S, PV, max, exp2, rescale
    Tint, // moves, reduces or manages: load, store, stage, mask, sum, convert, next tile
    Issue, // starts what runs by itself: a copy, a WGMMA, a bulk store
    Wait,
    Hidden, // takes no time of its own: commit, arrive
};
[[nodiscard]] SliceStyle sliceStyle(const Op& op);

constexpr double sliceGap = 0.8; // pixels to the next slice

// Rectangles of one colour, drawn in one go: the order of colours is the order of layers.
class RectBatch {
public:
    void add(const QRectF& rect) { m_rects.push_back(rect); }
    // Rounded where they are wide enough for it to be seen; `outline`: a 1 px inner line of that colour. On screens the
    // edges stand on whole pixels, and the corners are softened by a pixel each, a mix with `ground`, since a path for
    // each slice would cost more than all else; vectors are drawn as they are.
    void draw(QPainter& painter, const QColor& fill, const QColor& outline, const QColor& ground) const;
    // Square corners on whole pixels. `gap`: by how much they are shorter on the right than what they stand for.
    void drawSquare(QPainter& painter, const QColor& fill, double gap = 0) const;

private:
    std::vector<QRectF> m_rects;
};
// Index of a batch for key block j: 0…7, 8 for none.
[[nodiscard]] inline std::size_t batchOf(int j)
{
    return j < 0 ? 8 : static_cast<std::size_t>(j) % 8;
}
[[nodiscard]] const TileColour& batchColour(const Theme& theme, std::size_t batch);

// 2 px of text colour around slices: those on the critical path; and a panel's pixel further out, so that they show on
// the critical path too, those chosen or hovered.
class OutlineBatch {
public:
    void add(const QRectF& rect) { m_rects.push_back(rect); }
    void draw(QPainter& painter, const Theme& theme) const;
    void drawChosen(QPainter& painter, const Theme& theme) const;

private:
    std::vector<QRectF> m_rects;
};

} // namespace flashstep::paint
