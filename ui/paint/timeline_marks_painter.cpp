// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/fonts.h"
#include "ui/paint/pattern.h"
#include "ui/paint/text.h"
#include "ui/paint/timeline_parts.h"

#include <QPainterPath>

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double headLength = 7, headHalf = 3.5;

// Text on the panel's ground, kept inside the plot.
void drawNote(const TimelineCanvas& canvas, QPointF at, Qt::Alignment side, const QString& text)
{
    const QFont font = canvasFont(10, QFont::Medium);
    const double width = std::ceil(textWidth(font, text)) + 8;
    const QRectF& plot = canvas.layout.plot;
    double left = side & Qt::AlignRight ? at.x() - width - 4 : side & Qt::AlignLeft ? at.x() + 4 : at.x() - width / 2;
    left = std::clamp(left, plot.left() + 2, std::max(plot.left() + 2, plot.right() - width - 8));
    const QRectF ground(std::round(left),
        std::round(std::clamp(at.y() - 7, plot.top() + 1, std::max(plot.top() + 1, plot.bottom() - 15))), width, 14);
    canvas.painter.setRenderHint(QPainter::Antialiasing, true);
    canvas.painter.setPen(QPen(canvas.theme.mid, 1));
    canvas.painter.setBrush(canvas.theme.panel);
    canvas.painter.drawRoundedRect(ground.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2);
    canvas.painter.setPen(canvas.theme.text);
    drawLine(canvas.painter, ground, Qt::AlignHCenter, font, text);
}

QString nameOf(const TimelineCanvas& canvas, InstanceId instance)
{
    const Trace& trace = canvas.trace();
    const QString role = QString::fromStdString(trace.program().roles[trace.op(instance).role.index()].name);
    const CtaId cta = trace.ctaOf(instance);
    const bool shown = std::any_of(canvas.groups.begin(), canvas.groups.end(),
        [&](const LaneGroup& group) { return group.index && group.index->cta() == cta; });
    const QString where = shown ? role : QStringLiteral("CTA %1 · %2").arg(cta.index()).arg(role);
    return QStringLiteral("%1 · %2").arg(where, sliceLabel(trace, instance, true));
}

// Leaves to the right and comes from the left, so that its direction is that of time; between neighbours it rises.
QPainterPath curve(const TimelineArrow& arrow)
{
    QPainterPath path(arrow.from);
    const QPointF end = arrow.to;
    const double reach = std::clamp(std::abs(end.x() - arrow.from.x()) / 2, 10.0, 48.0);
    const double rise = std::abs(end.y() - arrow.from.y()) < 2 ? 12 : 0;
    path.cubicTo(arrow.from + QPointF(reach, -rise), end - QPointF(reach, rise), end);
    return path;
}

void drawHead(QPainter& painter, const QPainterPath& path, const QColor& colour)
{
    const QPointF tip = path.pointAtPercent(1), before = path.pointAtPercent(0.93);
    const double length = std::max(0.01, std::hypot(tip.x() - before.x(), tip.y() - before.y()));
    const QPointF along = (tip - before) / length;
    const QPointF across(-along.y(), along.x());
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    painter.drawPolygon(QPolygonF(QVector<QPointF> {
        tip, tip - along * headLength + across * headHalf, tip - along * headLength - across * headHalf }));
}

void paintArrow(const TimelineCanvas& canvas, const TimelineArrow& arrow)
{
    QPainter& painter = canvas.painter;
    const QPainterPath path = curve(arrow);
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(canvas.theme.panel, 4));
    painter.drawPath(path);
    QPen pen(canvas.theme.text, 1.5);
    pen.setCapStyle(Qt::FlatCap);
    if (arrow.link.kind != TimelineLink::Kind::Data)
        pen.setDashPattern({ 4, 3 });
    painter.setPen(pen);
    painter.drawPath(path);
    drawHead(painter, path, canvas.theme.text);
    painter.setPen(QPen(canvas.theme.panel, 1));
    painter.setBrush(canvas.theme.text);
    painter.drawEllipse(arrow.from, 3, 3);
}

void paintArrows(const TimelineCanvas& canvas)
{
    constexpr std::size_t most = 64;
    std::vector<TimelineArrow> arrows = layoutArrows(canvas.layout, canvas.groups, canvas.scene.marks->links);
    if (arrows.size() > most)
        arrows.resize(most);
    for (const TimelineArrow& arrow : arrows)
        paintArrow(canvas, arrow);
    // Who stands beyond the edge, once each.
    std::vector<InstanceId> named;
    for (const TimelineArrow& arrow : arrows)
        for (const auto& [isCut, at, whose] : { std::tuple(arrow.fromCut, arrow.from, arrow.link.from),
                 std::tuple(arrow.toCut, arrow.to, arrow.link.to) }) {
            if (!isCut || std::find(named.begin(), named.end(), whose) != named.end() || named.size() > 6)
                continue;
            named.push_back(whose);
            const bool right = at.x() > canvas.layout.plot.center().x();
            drawNote(canvas, at, right ? Qt::AlignRight : Qt::AlignLeft, nameOf(canvas, whose));
        }
}

// From the tick of its issue down to where an engine works on it, and on to when it is done.
void paintConnector(const TimelineCanvas& canvas, InstanceId instance)
{
    const SlicePlace issue = issuePlace(canvas.layout, canvas.groups, instance);
    const SlicePlace work = workPlace(canvas.layout, canvas.groups, instance);
    if (!issue.lane || !work.lane || issue.lane == work.lane || !canvas.trace().op(instance).async)
        return;
    QPainter& painter = canvas.painter;
    const TimelineLayout& layout = canvas.layout;
    const double x = std::round(layout.timeToX(issue.begin)) + 1.5,
                 begin = std::max(x, std::round(layout.timeToX(work.begin)) + 0.5),
                 done = std::round(layout.timeToX(static_cast<double>(canvas.trace().endCycle(instance)))) + 0.5;
    const double from = issue.lane->bottom() - 1, y = std::round((work.lane->top + work.lane->bottom()) / 2) + 0.5;
    const double end = std::round(layout.timeToX(work.end));
    const QVector<QPolygonF> lines { QPolygonF(QVector<QPointF> { { x, from }, { x, y }, { begin, y } }),
        QPolygonF(QVector<QPointF> { { end, y }, { std::max(done, end), y } }) };
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setBrush(Qt::NoBrush);
    for (const auto& [colour, width] : { std::pair(canvas.theme.panel, 3), std::pair(canvas.theme.text, 1) }) {
        painter.setPen(QPen(colour, width, Qt::SolidLine, Qt::FlatCap));
        for (const QPolygonF& line : lines)
            painter.drawPolyline(line);
    }
    // Completion: an upright tick, as the issue has one.
    painter.fillRect(QRectF(std::round(done) - 1, work.lane->top + 1, 2, work.lane->height - 2), canvas.theme.text);
}

void paintMeasure(const TimelineCanvas& canvas, const TimelineMeasure& measure)
{
    const TimelineLayout& layout = canvas.layout;
    const double a = layout.timeToX(std::min(measure.from.cycle, measure.to.cycle)),
                 b = layout.timeToX(std::max(measure.from.cycle, measure.to.cycle));
    const QRectF band = QRectF(a, layout.plot.top(), b - a, layout.plot.height()) & layout.plot;
    if (b < layout.plot.left() || a > layout.plot.right())
        return;
    QPainter& painter = canvas.painter;
    painter.setRenderHint(QPainter::Antialiasing, false);
    QColor wash = canvas.theme.text;
    wash.setAlphaF(0.08F);
    painter.fillRect(band, wash);
    for (const double x : { a, b })
        if (x >= layout.plot.left() && x <= layout.plot.right())
            painter.fillRect(QRectF(std::round(x), layout.plot.top(), 1, layout.plot.height()), canvas.theme.text);
    const double y = layout.plot.top() + 9.5;
    painter.setPen(QPen(canvas.theme.text, 1));
    painter.drawLine(QPointF(std::max(a, layout.plot.left()), y), QPointF(std::min(b, layout.plot.right()), y));
    const Trace& trace = canvas.trace();
    const bool ordered = measure.from.cycle <= measure.to.cycle;
    const QString text = QStringLiteral("%1 · %2 → %3")
                             .arg(measureText(trace, measure), edgeText(trace, ordered ? measure.from : measure.to),
                                 edgeText(trace, ordered ? measure.to : measure.from));
    drawNote(canvas, { band.center().x(), y }, Qt::AlignHCenter, text);
}

} // namespace

void paintMarks(const TimelineCanvas& canvas)
{
    const TimelineMarks* marks = canvas.scene.marks;
    if (!marks)
        return;
    if (marks->connected.valid())
        paintConnector(canvas, marks->connected);
    paintArrows(canvas);
    if (marks->measure)
        paintMeasure(canvas, *marks->measure);
}

namespace {

// What of it lies in the plot, a little outside where the painter clips. A moment has no width, but a place: QRectF's
// own intersection would lose that.
QRectF inPlot(const TimelineCanvas& canvas, const QRectF& rect)
{
    const double margin = drawsVectors(canvas.painter) ? 0 : 4;
    const double low = canvas.layout.plot.left() - margin, high = canvas.layout.plot.right() + margin;
    const double left = std::clamp(rect.left(), low, high);
    return { left, rect.top(), std::clamp(rect.right(), low, high) - left, rect.height() };
}

constexpr double tickBelow = 2; // pixels: narrower slices are ticks

} // namespace

void paintSourceLane(const TimelineCanvas& canvas, const Lane& lane)
{
    const SliceSource* source = canvas.groups[lane.group].source;
    if (!source)
        return;
    const TimelineLayout& layout = canvas.layout;
    const QFont font = canvasFont(10, QFont::Medium);
    std::array<RectBatch, 9> slices, ticks;
    std::vector<std::tuple<QRectF, QString, QColor>> labels;
    source->visit(
        lane.index, layout.from, layout.to, 1 / layout.pixelsPerCycle(), [&](const SliceSource::Slice& slice) {
            QRectF rect = inPlot(canvas, layout.sliceRect(lane, slice.begin, slice.end));
            if (rect.width() <= 0 && slice.end > slice.begin)
                return; // it only touches the plot
            if (slice.waits) {
                if (rect.width() >= 2)
                    fillWait(canvas.painter, QRectF(rect.left(), std::round(rect.center().y() - 3.5), rect.width(), 7),
                        canvas.theme);
                return;
            }
            const std::size_t batch = batchOf(slice.j);
            const bool tick = rect.width() < tickBelow;
            rect.setWidth(std::max(rect.width() - sliceGap, 1.0));
            (tick ? ticks : slices)[batch].add(rect);
            if (rect.width() <= 10)
                return;
            // "S = Q Kᵀ (2, 3)", or where that does not fit "S = Q Kᵀ".
            for (const QString& label : { slice.label, slice.label.section(QStringLiteral(" ("), 0, 0) })
                if (textWidth(font, label) < (rect & layout.plot).width() - 6) {
                    labels.emplace_back(rect & layout.plot, label, batchColour(canvas.theme, batch).ink);
                    break;
                }
        });
    for (std::size_t b = 0; b < slices.size(); ++b) {
        const TileColour& colour = batchColour(canvas.theme, b);
        slices[b].draw(
            canvas.painter, colour.fill, colour.edge == colour.fill ? QColor() : colour.edge, canvas.theme.panel);
        ticks[b].drawSquare(canvas.painter, colour.edge);
    }
    for (const auto& [rect, label, ink] : labels) {
        canvas.painter.setPen(ink);
        drawLine(canvas.painter, rect, Qt::AlignHCenter, font, label);
    }
}

} // namespace flashstep::paint
