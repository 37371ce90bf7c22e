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

// What of the run is on show, bin by bin.
struct Bins {
    double first = 0, width = 1, to = 0; // cycles
    std::vector<double> values;
};

Bins binsOf(const TimelineCanvas& canvas, CounterLane counter)
{
    const TimelineLayout& layout = canvas.layout;
    Bins bins;
    bins.width = binWidth(layout);
    bins.first = std::floor(std::max(layout.from, 0.0) / bins.width) * bins.width;
    bins.to = std::min(layout.to, canvas.index().end());
    double before = total(canvas, counter, bins.first);
    for (double at = bins.first; at < bins.to; at += bins.width) {
        const double after = total(canvas, counter, at + bins.width);
        bins.values.push_back(std::max(0.0, mean(canvas, counter, before, after, bins.width)));
        before = after;
    }
    return bins;
}

QString valueText(CounterLane counter, double value)
{
    if (counter == CounterLane::GlobalRate)
        return (value < 1000 ? shortDecimal(value, 2) : grouped(std::llround(value))) + QStringLiteral(" B/cy");
    return grouped(std::llround(100 * value)) + QStringLiteral(" %");
}

// Without a moment in hand: over what is on show.
QStringList summary(const TimelineCanvas& canvas, CounterLane counter)
{
    const Bins bins = binsOf(canvas, counter);
    const double from = std::max(canvas.layout.from, 0.0);
    if (bins.values.empty() || bins.to <= from)
        return {};
    const double over
        = mean(canvas, counter, total(canvas, counter, from), total(canvas, counter, bins.to), bins.to - from);
    const double top = *std::max_element(bins.values.begin(), bins.values.end());
    return { QStringLiteral("mean ") + valueText(counter, over), QStringLiteral("top ") + valueText(counter, top) };
}

} // namespace

void paintCounterLane(const TimelineCanvas& canvas, const Lane& lane)
{
    const TimelineLayout& layout = canvas.layout;
    const auto counter = static_cast<CounterLane>(lane.index);
    const Bins bins = binsOf(canvas, counter);
    const std::vector<double>& values = bins.values;
    if (values.empty())
        return;
    const double top
        = counter == CounterLane::GlobalRate ? roundUp(*std::max_element(values.begin(), values.end())) : 1;
    const double base = lane.bottom() - 1, height = lane.height - 3;
    QPolygonF curve;
    for (std::size_t k = 0; k < values.size(); ++k) {
        const double y = std::round(base - height * std::min(1.0, values[k] / top)) + 0.5;
        for (const std::size_t edge : { k, k + 1 }) {
            const double x = layout.timeToX(bins.first + bins.width * static_cast<double>(edge));
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

QStringList counterValues(const TimelineCanvas& canvas, const Lane& lane)
{
    const auto counter = static_cast<CounterLane>(lane.index);
    if (!canvas.scene.playhead)
        return summary(canvas, counter);
    const double width = binWidth(canvas.layout);
    const double now = static_cast<double>(canvas.trace().timeAt(canvas.scene.position));
    const double begin = std::floor(now / width) * width;
    return { valueText(
        counter, mean(canvas, counter, total(canvas, counter, begin), total(canvas, counter, begin + width), width)) };
}

} // namespace flashstep::paint
