// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/fonts.h"
#include "ui/paint/marks.h"
#include "ui/paint/pattern.h"
#include "ui/paint/text.h"
#include "ui/paint/timeline_parts.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double bandHeight = 7; // of a wait
constexpr double tickWidth = 3; // of an issue
constexpr double densityColumn = 3;
constexpr double voteReach = 5; // of the mark of a vote to either side
constexpr double lowestLabel = 9; // pixels: lower slices have none

using Batches = std::array<RectBatch, 9>;

struct Label {
    QRectF visible;
    InstanceId instance;
    QColor ink;
};

// Labels are dropped, never clipped; the tile goes before the name of the step does.
void drawLabels(const TimelineCanvas& canvas, const std::vector<Label>& labels, bool withTile)
{
    const QFont font = canvasFont(10, QFont::Medium);
    for (const Label& label : labels) {
        const double room
            = label.visible.height() < lowestLabel ? 0 : label.visible.width() - (canvas.scene.fullLabels ? 3 : 6);
        QString text = sliceLabel(canvas.trace(), label.instance, withTile);
        if (withTile && canvas.scene.fullLabels)
            if (const QString full = fullSliceLabel(canvas.trace(), label.instance); textWidth(font, full) <= room)
                text = full;
        if (textWidth(font, text) > room) {
            text = sliceLabel(canvas.trace(), label.instance, false);
            if (textWidth(font, text) > room)
                continue;
        }
        canvas.painter.setPen(label.ink);
        drawLine(canvas.painter, label.visible, Qt::AlignHCenter, font, text);
    }
}

// What a band waits for, where there is room: in full, or by the wait's name.
void drawReasons(const TimelineCanvas& canvas, const std::vector<Label>& reasons)
{
    const QFont font = canvasFont(10);
    for (const Label& label : reasons) {
        const double room = label.visible.width() - 24;
        const Op& op = canvas.trace().op(label.instance);
        if (!op.wait.valid() || op.dropped)
            continue;
        QString text = QStringLiteral("until ") + waitReason(canvas.trace(), label.instance);
        if (textWidth(font, text) > room)
            text = QString::fromStdString(canvas.trace().program().waits[op.wait.index()].name);
        const double width = textWidth(font, text);
        if (width > room)
            continue;
        const QPointF middle = label.visible.center();
        const QRectF ground(
            std::round(middle.x() - width / 2 - 4), std::round(middle.y() - 6), std::ceil(width) + 8, 12);
        canvas.painter.fillRect(ground, canvas.theme.panel);
        canvas.painter.setPen(label.ink);
        drawLine(canvas.painter, ground, Qt::AlignHCenter, font, text);
    }
}

// A vote on O after which no warp rescales.
bool keepsFrame(const TimelineCanvas& canvas, InstanceId instance, const Op& op)
{
    if (op.kind != OpKind::Rescale || !op.conditional || canvas.trace().program().buffers[op.out.index()].family == "l")
        return false;
    const auto vote = canvas.trace().voteOf(instance);
    return vote && vote->warpsDone == 0;
}

bool emphasised(const TimelineCanvas& canvas, InstanceId instance, int j)
{
    const Highlight& highlight = canvas.scene.highlight;
    return instance == highlight.instance || instance == highlight.hoverInstance
        || (j >= 0 && highlight.hoverI >= 0 && highlight.hoverJ == j
            && highlight.hoverI == canvas.index().queryTile(instance));
}

template <typename Column> void eachColumn(const QRectF& plot, Column column)
{
    for (double x = plot.left(); x < plot.right(); x += densityColumn)
        column(x, std::min(x + densityColumn, plot.right()));
}

// Too many slices for the pixels: how much of each column was worked, in the colour of the block it was spent on.
void paintRoleDensity(const TimelineCanvas& canvas, const Lane& lane, const TimelineIndex::RoleLane& role)
{
    const TimelineLayout& layout = canvas.layout;
    Batches bars;
    double before = canvas.index().busyUntil(role, layout.from);
    eachColumn(layout.plot, [&](double x, double next) {
        const double begin = layout.xToTime(x), end = layout.xToTime(next);
        const double until = canvas.index().busyUntil(role, end);
        const double share = std::clamp((until - before) / (end - begin), 0.0, 1.0);
        before = until;
        const std::size_t k = canvas.index().firstAfter(role, (begin + end) / 2);
        if (share <= 0 || k == 0)
            return;
        const double height = std::max(1.0, share * (lane.height - 2));
        bars[batchOf(role.slices[k - 1].j)].add({ x, lane.bottom() - 1 - height, next - x - 0.5, height });
    });
    for (std::size_t b = 0; b < bars.size(); ++b)
        bars[b].drawSquare(canvas.painter, batchColour(canvas.theme, b).fill, 0.5);
}

void paintEngineDensity(const TimelineCanvas& canvas, const Lane& lane, const TimelineIndex::EngineLane& engine)
{
    const TimelineLayout& layout = canvas.layout;
    RectBatch body;
    Batches feet;
    double before = canvas.index().busyUntil(engine, layout.from);
    eachColumn(layout.plot, [&](double x, double next) {
        const double begin = layout.xToTime(x), end = layout.xToTime(next);
        const double until = canvas.index().busyUntil(engine, end);
        const double share = std::clamp((until - before) / ((end - begin) * engine.servers), 0.0, 1.0);
        before = until;
        const std::size_t k = canvas.index().firstAfter(engine, (begin + end) / 2);
        if (share <= 0 || k == 0)
            return;
        const double height = std::max(1.0, share * (lane.height - 2 - footHeight));
        body.add({ x, lane.bottom() - 1 - footHeight - height, next - x - 0.5, height });
        feet[batchOf(engine.bookings[k - 1].j)].add({ x, lane.bottom() - 1 - footHeight, next - x - 0.5, footHeight });
    });
    body.drawSquare(canvas.painter, canvas.theme.engine(engine.engine), 0.5);
    for (std::size_t b = 0; b < feet.size(); ++b)
        feet[b].drawSquare(canvas.painter, batchColour(canvas.theme, b).fill, 0.5);
}

// Left a little outside, so that a slice that goes on there shows no rounded end; not in vectors, which know no clip.
QRectF clipped(const TimelineCanvas& canvas, const QRectF& rect)
{
    const QRectF& plot = canvas.layout.plot;
    const double margin = drawsVectors(canvas.painter) ? 0 : 4;
    const double left = std::max(rect.left(), plot.left() - margin),
                 right = std::min(rect.right(), plot.right() + margin);
    return { left, rect.top(), right - left, rect.height() };
}

} // namespace

void paintRoleLane(const TimelineCanvas& canvas, const Lane& lane)
{
    const TimelineIndex& index = canvas.index();
    const TimelineLayout& layout = canvas.layout;
    const TimelineIndex::RoleLane& role = index.roles()[lane.index];
    const std::size_t first = index.firstVisible(role, layout.from), last = index.firstAfter(role, layout.to);
    if (static_cast<double>(last - first) * 2 > layout.plot.width()) {
        paintRoleDensity(canvas, lane, role);
        return;
    }
    const PathOutline* path = canvas.path();
    std::vector<QRectF> waits;
    OutlineBatch outlines, chosen;
    std::vector<Label> reasons;
    std::vector<QPointF> kept;
    Batches solid, tint, ticks;
    std::vector<Label> labels;
    for (std::size_t k = first; k < last; ++k) {
        const InstanceId instance = index.instance(role, k);
        const TimelineIndex::Slice& slice = role.slices[k];
        const int j = slice.j;
        const std::size_t batch = batchOf(j);
        const TileColour& colour = batchColour(canvas.theme, batch);
        QRectF rect = layout.sliceRect(lane, slice.begin, slice.end);
        const SliceStyle style = sliceStyle(*slice.op);
        if (style == SliceStyle::Issue)
            rect.setWidth(tickWidth);
        rect = clipped(canvas, rect);
        if (rect.width() < 0)
            continue; // a tick before the plot
        if (style == SliceStyle::Wait) {
            if (rect.width() >= 2)
                waits.emplace_back(
                    rect.left(), std::round(rect.center().y() - bandHeight / 2), rect.width(), bandHeight);
            if (canvas.scene.marks && canvas.scene.marks->reasons && rect.width() > 60)
                reasons.push_back({ rect & layout.plot, instance, canvas.theme.t2 });
        } else if (style == SliceStyle::Issue) {
            ticks[batch].add(rect);
        } else if (style != SliceStyle::Hidden && rect.width() > 0) {
            rect.setWidth(std::max(rect.width() - sliceGap, 0.8));
            (style == SliceStyle::Solid ? solid : tint)[batch].add(rect);
            if (rect.width() > 10)
                labels.push_back(
                    { rect & layout.plot, instance, style == SliceStyle::Solid ? colour.ink : canvas.theme.text });
        }
        if (keepsFrame(canvas, instance, *slice.op) && rect.right() >= layout.plot.left() + voteReach
            && rect.right() <= layout.plot.right() - voteReach)
            kept.emplace_back(rect.right(), (lane.top + lane.bottom()) / 2);
        if (path && style != SliceStyle::Hidden && path->onRole(instance))
            outlines.add(rect);
        if (emphasised(canvas, instance, style == SliceStyle::Wait ? -1 : j))
            chosen.add(rect);
    }
    QPainter& painter = canvas.painter;
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (const QRectF& rect : waits)
        fillWait(painter, rect, canvas.theme);
    for (std::size_t b = 0; b < solid.size(); ++b) {
        const TileColour& colour = batchColour(canvas.theme, b);
        tint[b].draw(painter, colour.tint, colour.edge, canvas.theme.panel);
        solid[b].draw(painter, colour.fill, colour.edge == colour.fill ? QColor() : colour.edge, canvas.theme.panel);
        ticks[b].drawSquare(painter, colour.edge);
    }
    drawReasons(canvas, reasons);
    outlines.draw(painter, canvas.theme);
    chosen.drawChosen(painter, canvas.theme);
    for (const QPointF& centre : kept)
        if (lane.height >= lowestLabel)
            paintVoteMark(painter, centre, canvas.theme);
    drawLabels(canvas, labels, true);
}

namespace {

// Hops of one row that follow each other without a gap and show the same tile read as one slice; ticks at the foot tell
// them apart.
struct Run {
    double begin = 0, end = 0;
    InstanceId instance;
    int j = -1;
};

struct EngineDrawing {
    RectBatch body, seams;
    Batches feet;
    std::array<std::vector<std::pair<QRectF, Run>>, 4> runs; // by row, from left to right
    std::vector<std::pair<QRectF, Run>> whole; // over all rows
    std::vector<QRectF> path;
    OutlineBatch outlines, chosen;
};

void finish(const TimelineCanvas& canvas, const Lane& lane, const TimelineIndex::EngineLane& engine, int row,
    const Run& run, EngineDrawing& drawing)
{
    QRectF rect = clipped(canvas, canvas.layout.hopRect(lane, engine, row, run.begin, run.end));
    rect.setWidth(std::max(rect.width() - sliceGap, 0.8));
    drawing.body.add(rect);
    drawing.feet[batchOf(run.j)].add({ rect.left(), lane.bottom() - 1 - footHeight, rect.width(), footHeight });
    (row == TimelineIndex::allRows ? drawing.whole : drawing.runs[static_cast<std::size_t>(row)])
        .emplace_back(rect, run);
    if (emphasised(canvas, run.instance, run.j))
        drawing.chosen.add({ rect.left(), lane.top + 1, rect.width(), lane.height - 2 });
}

// Hops on the path that touch are one outline.
void addToPath(
    const TimelineCanvas& canvas, const Lane& lane, const TimelineIndex::Booking& hop, std::vector<QRectF>& path)
{
    QRectF rect = clipped(canvas, canvas.layout.sliceRect(lane, hop.begin, hop.end));
    rect.setWidth(std::max(rect.width() - sliceGap, 0.8));
    if (!path.empty() && path.back().right() + sliceGap + 0.5 >= rect.left())
        path.back() |= rect;
    else
        path.push_back(rect);
}

// One label over all rows, where every row does the same under it.
std::vector<Label> labelsOf(const TimelineCanvas& canvas, const Lane& lane, int rows, const EngineDrawing& drawing)
{
    std::vector<Label> labels;
    std::array<std::size_t, 4> next {};
    for (const auto& [rect, run] : drawing.runs[0]) {
        QRectF common(rect.left(), lane.top + 1, rect.width(), lane.height - 2 - footHeight);
        common &= canvas.layout.plot;
        bool same = true;
        for (int row = 1; row < rows && same; ++row) {
            const auto& others = drawing.runs[static_cast<std::size_t>(row)];
            std::size_t& at = next[static_cast<std::size_t>(row)];
            while (at < others.size() && others[at].first.right() <= rect.left())
                ++at;
            same = at < others.size() && others[at].second.j == run.j
                && canvas.index().op(others[at].second.instance).kind == canvas.index().op(run.instance).kind;
            if (same)
                common &= QRectF(others[at].first.left(), common.top(), others[at].first.width(), common.height());
        }
        if (same && common.width() > 10)
            labels.push_back({ common, run.instance, Qt::black });
    }
    for (const auto& [rect, run] : drawing.whole)
        if (const QRectF inside = rect & canvas.layout.plot; inside.width() > 10)
            labels.push_back({ inside, run.instance, Qt::black });
    return labels;
}

} // namespace

void paintEngineLane(const TimelineCanvas& canvas, const Lane& lane)
{
    const TimelineIndex& index = canvas.index();
    const TimelineLayout& layout = canvas.layout;
    const TimelineIndex::EngineLane& engine = index.engines()[lane.index];
    const std::size_t first = index.firstVisible(engine, layout.from), last = index.firstAfter(engine, layout.to);
    if (first<last&& static_cast<double>(last - first) * 2> layout.plot.width() * engine.rows) {
        paintEngineDensity(canvas, lane, engine);
        return;
    }
    const PathOutline* path = canvas.path();
    EngineDrawing drawing;
    std::array<std::optional<Run>, 5> open; // by row, the last over all of them
    const auto slot = [](int row) { return static_cast<std::size_t>(row == TimelineIndex::allRows ? 4 : row); };
    for (std::size_t k = first; k < last; ++k) {
        const TimelineIndex::Booking& hop = engine.bookings[k];
        if (hop.end < layout.from)
            continue;
        const InstanceId instance(canvas.trace().hops()[engine.hops[k]].instance);
        if (path && path->onEngine(instance, engine.engine))
            addToPath(canvas, lane, hop, drawing.path);
        const int row = engine.row[k];
        std::optional<Run>& run = open[slot(row)];
        if (run && hop.goesOn && hop.begin <= run->end) {
            const QRectF seam = layout.hopRect(lane, engine, row, hop.begin, hop.begin);
            if (layout.pixelsPerCycle() * (hop.end - hop.begin) > 6)
                drawing.seams.add({ std::round(seam.left()) - 0.5, lane.bottom() - 1 - footHeight, 1, footHeight });
            run->end = std::max<double>(run->end, hop.end);
            continue;
        }
        if (run)
            finish(canvas, lane, engine, row, *run, drawing);
        run = Run { static_cast<double>(hop.begin), static_cast<double>(hop.end), instance, hop.j };
    }
    for (const int row : { 0, 1, 2, 3, static_cast<int>(TimelineIndex::allRows) })
        if (open[slot(row)])
            finish(canvas, lane, engine, row, *open[slot(row)], drawing);

    drawing.body.drawSquare(canvas.painter, canvas.theme.engine(engine.engine), sliceGap);
    for (std::size_t b = 0; b < drawing.feet.size(); ++b)
        drawing.feet[b].drawSquare(canvas.painter, batchColour(canvas.theme, b).fill, sliceGap);
    drawing.seams.drawSquare(canvas.painter, canvas.theme.panel);
    for (const QRectF& rect : drawing.path)
        drawing.outlines.add(rect);
    drawing.outlines.draw(canvas.painter, canvas.theme);
    drawing.chosen.drawChosen(canvas.painter, canvas.theme);
    drawLabels(canvas, labelsOf(canvas, lane, engine.rows, drawing), false);
}

} // namespace flashstep::paint
