// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/timeline_parts.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

void paintScrubber(
    QPainter& painter, const QRectF& rect, const TimelineScene& scene, const TimelineView& view, const Theme& theme)
{
    if (!scene.index)
        return;
    const TimelineIndex& index = *scene.index;
    const double cycles = std::max<double>(1, static_cast<double>(index.trace().cycles()));
    const auto toX = [&](double cycle) { return rect.left() + rect.width() * std::clamp(cycle / cycles, 0.0, 1.0); };
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(theme.line, 1));
    painter.setBrush(theme.alt);
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);

    const TimelineIndex::EngineLane* lane = index.lane(Engine::Tensor);
    if (!lane && !index.engines().empty())
        lane = &index.engines().front();
    if (lane) {
        RectBatch bars;
        double before = 0;
        const double step = 3 * cycles / rect.width();
        for (double x = rect.left() + 3, cycle = 3 * cycles / rect.width(); x + 2 <= rect.right() - 3;
             x += 3, cycle += step) {
            const double until = index.busyUntil(*lane, cycle + step);
            const double share = std::clamp((until - before) / (step * lane->servers), 0.0, 1.0);
            before = until;
            const double height = share * (rect.height() - 8);
            if (height >= 0.5)
                bars.add({ x, rect.bottom() - 4 - height, 2, height });
        }
        bars.drawSquare(painter, theme.hatch);
    }
    painter.setPen(QPen(theme.text, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(scrubberWindow(rect, index, view), 3, 3);
    const double x = std::round(toX(static_cast<double>(index.trace().timeAt(scene.position))));
    painter.fillRect(QRectF(x - 1, rect.top(), 2, rect.height()), theme.text);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.text);
    painter.drawPolygon(
        QPolygonF(QVector<QPointF> { { x - 5, rect.top() }, { x + 5, rect.top() }, { x, rect.top() + 6 } }));
    painter.restore();
}

QRectF scrubberWindow(const QRectF& rect, const TimelineIndex& index, const TimelineView& view)
{
    const double cycles = std::max<double>(1, static_cast<double>(index.trace().cycles()));
    const auto toX = [&](double cycle) { return rect.left() + rect.width() * std::clamp(cycle / cycles, 0.0, 1.0); };
    const double from = view.to > view.from ? view.from : index.begin(),
                 to = view.to > view.from ? view.to : index.end();
    return { toX(from) + 0.5, rect.top() + 0.5, std::max(4.0, toX(to) - toX(from) - 1), rect.height() - 1 };
}

double scrubberToCycle(const QRectF& rect, const Trace& trace, double x)
{
    const double share = rect.width() > 0 ? std::clamp((x - rect.left()) / rect.width(), 0.0, 1.0) : 0;
    return share * static_cast<double>(trace.cycles());
}

} // namespace flashstep::paint
