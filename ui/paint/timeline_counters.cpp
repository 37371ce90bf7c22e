// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/text.h"
#include "ui/paint/timeline_parts.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace flashstep::paint {

namespace {

constexpr double binSpacing = 22; // pixels, at least

// Cycles per bin of the curves: a round number, so that bins do not move against the run while panning.
double binWidth(const TimelineLayout& layout)
{
    return rulerTicks(layout.from, layout.to, layout.plot.width(), binSpacing).step;
}

Engine engineOf(CounterLane counter)
{
    switch (counter) {
    case CounterLane::TensorUse:
        return Engine::Tensor;
    case CounterLane::ExpUse:
        return Engine::Exp;
    case CounterLane::GlobalRate:
        break;
    }
    return Engine::L2;
}

// How much there has been before a cycle: of uses the engine's busy cycles, of the rate bytes of the whole grid.
double total(const TimelineCanvas& canvas, CounterLane counter, double cycle)
{
    if (counter == CounterLane::GlobalRate) {
        const Trace& trace = canvas.trace();
        return cycle < 0 ? 0.0 : trace.counter(Counter::GlobalRead, trace.positionAt(static_cast<Cycle>(cycle)));
    }
    const TimelineIndex::EngineLane* lane = canvas.index().lane(engineOf(counter));
    return lane ? canvas.index().busyUntil(*lane, cycle) : 0;
}

// What of it a cycle of the bin has: a share of the SM's engine, or bytes.
double mean(const TimelineCanvas& canvas, CounterLane counter, double before, double after, double width)
{
    if (counter == CounterLane::GlobalRate)
        return (after - before) / width;
    const TimelineIndex::EngineLane* lane = canvas.index().lane(engineOf(counter));
    // Bookings end on whole cycles, so that a full engine may come to a little more.
    return lane ? std::min(1.0, (after - before) / (width * lane->servers)) : 0;
}

} // namespace

void paintCounterLane(const TimelineCanvas& canvas, const Lane& lane)
{
    const TimelineLayout& layout = canvas.layout;
    const auto counter = static_cast<CounterLane>(lane.index);
    const double width = binWidth(layout);
    const double runEnd = canvas.index().end();
    std::vector<double> values;
    const double first = std::floor(std::max(layout.from, 0.0) / width) * width;
    double before = total(canvas, counter, first);
    for (double at = first; at < std::min(layout.to, runEnd); at += width) {
        const double after = total(canvas, counter, at + width);
        values.push_back(std::max(0.0, mean(canvas, counter, before, after, width)));
        before = after;
    }
    if (values.empty())
        return;
    const double top
        = counter == CounterLane::GlobalRate ? roundUp(*std::max_element(values.begin(), values.end())) : 1;
    const double base = lane.bottom() - 1, height = lane.height - 3;
    QPolygonF curve;
    for (std::size_t k = 0; k < values.size(); ++k) {
        const double y = std::round(base - height * std::min(1.0, values[k] / top)) + 0.5;
        for (const std::size_t edge : { k, k + 1 }) {
            const double x = layout.timeToX(first + width * static_cast<double>(edge));
            curve << QPointF(std::clamp(x, layout.plot.left(), layout.plot.right()), y);
        }
    }
    QPolygonF area = curve;
    area << QPointF(curve.last().x(), base) << QPointF(curve.first().x(), base);
    const QColor& colour = canvas.theme.engine(engineOf(counter));
    QPainter& painter = canvas.painter;
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(Qt::NoPen);
    painter.setBrush(mix(colour, canvas.theme.panel, 0.45));
    painter.drawPolygon(area);
    painter.setPen(QPen(colour, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawPolyline(curve);
}

QString counterValue(const TimelineCanvas& canvas, const Lane& lane)
{
    const auto counter = static_cast<CounterLane>(lane.index);
    const double width = binWidth(canvas.layout);
    const double now = static_cast<double>(canvas.trace().timeAt(canvas.scene.position));
    const double begin = std::floor(now / width) * width;
    const double value
        = mean(canvas, counter, total(canvas, counter, begin), total(canvas, counter, begin + width), width);
    if (counter == CounterLane::GlobalRate)
        return shortDecimal(value, 2) + QStringLiteral(" B/cy");
    return grouped(std::llround(100 * value)) + QStringLiteral(" %");
}

} // namespace flashstep::paint
