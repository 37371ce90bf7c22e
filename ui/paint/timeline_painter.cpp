// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/timeline_painter.h"

#include "ui/paint/fonts.h"
#include "ui/paint/pattern.h"
#include "ui/paint/text.h"
#include "ui/paint/timeline_parts.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double headerInset = 12;
constexpr double flagHeight = 15;
constexpr double lowestHeader = 10; // pixels of a lane from which on it has room for its name

double playheadX(const TimelineCanvas& canvas)
{
    return canvas.layout.timeToX(static_cast<double>(canvas.trace().timeAt(canvas.scene.position)));
}

QString playheadText(const TimelineCanvas& canvas)
{
    return grouped(canvas.trace().timeAt(canvas.scene.position));
}

// The flag beside the playhead, on its left where the right has no room; empty when the playhead is out of sight.
QRectF flagRect(const TimelineCanvas& canvas)
{
    if (!canvas.scene.playhead)
        return {};
    const TimelineLayout& layout = canvas.layout;
    const double x = playheadX(canvas);
    if (x < layout.plot.left() - 0.5 || x > layout.plot.right() + 0.5)
        return {};
    const double width = std::ceil(textWidth(monoFont(10.5), playheadText(canvas))) + 12;
    const double left = x + 9 + width > layout.bounds.right() ? x - 9 - width : x + 9;
    return { std::round(left), layout.bounds.top() + (layout.rulerHeight - flagHeight) / 2, width, flagHeight };
}

void paintGrid(const TimelineCanvas& canvas, const Ticks& ticks)
{
    QPainter& painter = canvas.painter;
    const TimelineLayout& layout = canvas.layout;
    painter.setRenderHint(QPainter::Antialiasing, false);
    std::vector<QRectF> lines;
    for (int k = -1; k < 2 * ticks.count + 1; ++k) { // a line between every two labels too
        const double x = std::round(layout.timeToX(ticks.first + ticks.step * k / 2));
        if (x > layout.plot.left() && x < layout.plot.right())
            lines.emplace_back(x, layout.plot.top(), 1, layout.plot.height());
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(mix(canvas.theme.line, canvas.theme.panel, 0.6));
    painter.drawRects(lines.data(), static_cast<int>(lines.size()));
}

void paintRuler(const TimelineCanvas& canvas, const Ticks& ticks)
{
    QPainter& painter = canvas.painter;
    const TimelineLayout& layout = canvas.layout;
    const QRectF ruler(layout.bounds.left(), layout.bounds.top(), layout.bounds.width(), layout.rulerHeight);
    painter.fillRect(ruler, canvas.theme.alt);
    painter.setPen(canvas.theme.text);
    drawElided(painter,
        ruler.adjusted(headerInset, 0, 0, 0)
            & QRectF(ruler.left(), ruler.top(), layout.plot.left() - ruler.left() - 4, ruler.height()),
        Qt::AlignLeft, canvasFont(11, QFont::DemiBold), canvas.groups.front().title());
    const QFont font = monoFont(10.5);
    const QRectF flag = flagRect(canvas).adjusted(-4, 0, 4, 0);
    for (int k = 0; k < ticks.count; ++k) {
        const double x = std::round(layout.timeToX(ticks.at(k)));
        if (x < layout.plot.left())
            continue;
        painter.fillRect(QRectF(x, ruler.bottom() - 14, 1, 14), canvas.theme.mid);
        const QString text = grouped(static_cast<std::int64_t>(ticks.at(k)));
        const QRectF place(x + 5, ruler.top(), textWidth(font, text), ruler.height());
        if (place.right() > ruler.right() || (!flagRect(canvas).isEmpty() && place.intersects(flag)))
            continue;
        painter.setPen(canvas.theme.t2);
        drawLine(painter, place, Qt::AlignLeft, font, text);
    }
}

// At the right, under each other where there are two and the lane has room; how wide they are.
double paintCounterValues(const TimelineCanvas& canvas, const Lane& lane, const QRectF& rect)
{
    constexpr double twoLines = 20;
    QStringList values = counterValues(canvas, lane);
    if (values.size() > 1 && rect.height() < twoLines)
        values = values.mid(0, 1);
    const QFont mono = monoFont(values.size() > 1 ? 9 : 10.5);
    canvas.painter.setPen(canvas.theme.text);
    double width = 0;
    const double height = rect.height() / std::max(1, values.size());
    for (int k = 0; k < values.size(); ++k) {
        drawLine(canvas.painter, QRectF(rect.left(), rect.top() + k * height, rect.width(), height), Qt::AlignRight,
            mono, values[k]);
        width = std::max(width, textWidth(mono, values[k]));
    }
    return width;
}

void paintHeader(const TimelineCanvas& canvas, const Lane& lane)
{
    QPainter& painter = canvas.painter;
    const QRectF rect(
        canvas.layout.bounds.left(), lane.top, canvas.layout.plot.left() - canvas.layout.bounds.left(), lane.height);
    double right = rect.right() - 6;
    if (lane.kind == LaneKind::Title) {
        painter.fillRect(
            QRectF(rect.left(), rect.top(), canvas.layout.bounds.width(), rect.height()), canvas.theme.alt);
        painter.setPen(canvas.theme.text);
        drawElided(painter, rect.adjusted(headerInset, 0, canvas.layout.plot.width() - 12, 0), Qt::AlignLeft,
            canvasFont(11, QFont::DemiBold), lane.label);
        return;
    }
    if (lane.kind == LaneKind::Engine) {
        const Engine engine = canvas.index().engines()[lane.index].engine;
        painter.fillRect(
            QRectF(rect.left() + 4, std::round(rect.center().y() - 6), 3, 12), canvas.theme.engine(engine));
    } else if (lane.kind == LaneKind::Counter && lane.height >= lowestHeader) {
        right -= paintCounterValues(canvas, lane, { rect.left(), rect.top(), rect.width() - 7, rect.height() }) + 6;
    }
    if (lane.height < lowestHeader)
        return;
    painter.setPen(lane.kind == LaneKind::Counter ? canvas.theme.t2 : canvas.theme.text);
    const double size = lane.kind == LaneKind::Counter ? 11 : 11.5;
    drawElided(painter, QRectF(rect.left() + headerInset, rect.top(), right - rect.left() - headerInset, rect.height()),
        Qt::AlignLeft, canvasFont(std::min(size, lane.height - 1)), lane.label);
}

void paintLanes(TimelineCanvas canvas)
{
    for (const Lane& lane : canvas.layout.lanes) {
        canvas.group = lane.group;
        if (lane.bottom() <= canvas.layout.plot.top() || lane.top >= canvas.layout.plot.bottom())
            continue;
        switch (lane.kind) {
        case LaneKind::Role:
            paintRoleLane(canvas, lane);
            break;
        case LaneKind::Engine:
            paintEngineLane(canvas, lane);
            break;
        case LaneKind::Counter:
            paintCounterLane(canvas, lane);
            break;
        case LaneKind::Source:
            paintSourceLane(canvas, lane);
            break;
        case LaneKind::Title:
            break;
        }
    }
}

// A line where roles end and engines begin, and where the counters do.
void paintGroups(const TimelineCanvas& canvas)
{
    const TimelineLayout& layout = canvas.layout;
    for (std::size_t k = 1; k < layout.lanes.size(); ++k)
        if (layout.lanes[k].kind != layout.lanes[k - 1].kind && layout.lanes[k].top > layout.plot.top())
            canvas.painter.fillRect(
                QRectF(layout.bounds.left(), std::round(layout.lanes[k].top) - 1, layout.bounds.width(), 1),
                canvas.theme.mid);
}

// Where there are more lanes than room: which of them are on show.
void paintScrolled(const TimelineCanvas& canvas)
{
    const TimelineLayout& layout = canvas.layout;
    if (layout.contentHeight <= layout.plot.height() + 1 || layout.lanes.empty() || drawsVectors(canvas.painter))
        return;
    const double share = layout.plot.height() / layout.contentHeight;
    const double above = (layout.plot.top() - layout.lanes.front().top) / layout.contentHeight;
    canvas.painter.fillRect(QRectF(layout.plot.right() - 5, layout.plot.top() + above * layout.plot.height(), 4,
                                share * layout.plot.height()),
        mix(canvas.theme.mid, canvas.theme.panel, 0.6));
}

} // namespace

std::vector<LaneGroup> TimelineScene::groups() const
{
    std::vector<LaneGroup> groups;
    if (index)
        groups.push_back({ index, nullptr });
    groups.insert(groups.end(), beside.begin(), beside.end());
    return groups;
}

void paintPlayhead(const TimelineCanvas& canvas)
{
    const QRectF flag = flagRect(canvas);
    if (flag.isEmpty())
        return;
    QPainter& painter = canvas.painter;
    const TimelineLayout& layout = canvas.layout;
    const double x = std::round(playheadX(canvas));
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.fillRect(QRectF(x - 1, layout.bounds.top(), 2, layout.bounds.height()), canvas.theme.text);
    painter.setPen(Qt::NoPen);
    painter.setBrush(canvas.theme.text);
    const double top = layout.bounds.top();
    painter.drawPolygon(QPolygonF(QVector<QPointF> { { x - 6, top }, { x + 6, top }, { x, top + 7 } }));
    painter.drawRoundedRect(flag, 3, 3);
    painter.setPen(canvas.theme.panel);
    drawLine(painter, flag, Qt::AlignHCenter, monoFont(10.5), playheadText(canvas));
}

namespace {

enum class Layer : std::uint8_t { Body, Moving, Both };

void paintHeaders(TimelineCanvas canvas, Layer layer)
{
    const TimelineLayout& layout = canvas.layout;
    for (const Lane& lane : layout.lanes) {
        const bool moves = lane.kind == LaneKind::Counter; // bears the value at the playhead
        if (lane.bottom() <= layout.plot.top() || lane.top >= layout.plot.bottom() || (layer == Layer::Body && moves)
            || (layer == Layer::Moving && !moves))
            continue;
        canvas.group = lane.group;
        paintHeader(canvas, lane);
    }
}

void paintLayer(QPainter& painter, const QRectF& rect, const TimelineScene& scene, const TimelineView& view,
    const Theme& theme, Layer layer)
{
    painter.save();
    painter.setClipRect(rect, Qt::IntersectClip);
    if (layer != Layer::Moving)
        painter.fillRect(rect, theme.panel);
    if (const std::vector<LaneGroup> groups = scene.groups(); !groups.empty()) {
        const TimelineLayout layout = layoutTimeline(rect, groups, view);
        const TimelineCanvas canvas { painter, scene, layout, theme, groups, 0 };
        const Ticks ticks = rulerTicks(layout.from, layout.to, layout.plot.width());
        if (layer != Layer::Moving) {
            painter.save();
            painter.setClipRect(layout.plot, Qt::IntersectClip);
            paintGrid(canvas, ticks);
            paintLanes(canvas);
            paintMarks(canvas);
            painter.restore();
        }
        painter.save();
        painter.setClipRect(
            QRectF(rect.left(), layout.plot.top(), rect.width(), layout.plot.height()), Qt::IntersectClip);
        paintHeaders(canvas, layer);
        if (layer != Layer::Moving) {
            paintGroups(canvas);
            paintScrolled(canvas);
        }
        painter.restore();
        if (layer != Layer::Body) {
            paintRuler(canvas, ticks);
            paintPlayhead(canvas);
        }
    }
    painter.restore();
}

} // namespace

void paintTimeline(
    QPainter& painter, const QRectF& rect, const TimelineScene& scene, const TimelineView& view, const Theme& theme)
{
    paintLayer(painter, rect, scene, view, theme, Layer::Both);
}

void paintTimelineBody(
    QPainter& painter, const QRectF& rect, const TimelineScene& scene, const TimelineView& view, const Theme& theme)
{
    paintLayer(painter, rect, scene, view, theme, Layer::Body);
}

void paintTimelineMoving(
    QPainter& painter, const QRectF& rect, const TimelineScene& scene, const TimelineView& view, const Theme& theme)
{
    paintLayer(painter, rect, scene, view, theme, Layer::Moving);
}

} // namespace flashstep::paint
