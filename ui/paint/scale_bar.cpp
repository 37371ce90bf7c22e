// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/scale_bar.h"

#include "ui/paint/fonts.h"
#include "ui/paint/text.h"

#include <QLinearGradient>

#include <cmath>
#include <vector>

namespace flashstep::paint {

namespace {

constexpr double barHeight = 9;

struct Tick {
    double share;
    QString text;
};

void paintBar(QPainter& painter, QPointF topLeft, double width, const std::array<QColor, 5>& stops, bool squareRoot,
    const std::vector<Tick>& ticks, const QString& words, const Theme& theme)
{
    painter.save();
    const QRectF bar(topLeft.x(), topLeft.y(), width, barHeight);
    // Steps of 3 px: the colours are the painters' own, and vectors need no gradient.
    painter.setRenderHint(QPainter::Antialiasing, false);
    const int steps = static_cast<int>(width / 3);
    for (int k = 0; k < steps; ++k)
        painter.fillRect(QRectF(bar.left() + width * k / steps, bar.top(), width / steps + 0.5, barHeight),
            mapColour(stops, (k + 0.5) / steps));
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(theme.mid, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, -0.5));
    const QFont mono = monoFont(10.5);
    double free = bar.left() - 20;
    for (const Tick& tick : ticks) {
        const double x = bar.left() + width * (squareRoot ? std::sqrt(tick.share) : tick.share);
        const double half = textWidth(mono, tick.text) / 2;
        const double left = std::min(std::max(x - half, bar.left()), bar.right() - 2 * half);
        if (left < free)
            continue;
        painter.setPen(theme.t2);
        drawLine(painter, QRectF(left, bar.bottom() + 2, 2 * half, 12), Qt::AlignLeft, mono, tick.text);
        free = left + 2 * half + 4;
    }
    painter.setPen(theme.t2);
    drawLine(
        painter, QRectF(bar.right() + 10, bar.top() - 3, 400, barHeight + 6), Qt::AlignLeft, canvasFont(11), words);
    painter.restore();
}

} // namespace

void paintDivergingScale(
    QPainter& painter, QPointF topLeft, double width, double limit, const QString& words, const Theme& theme)
{
    const int decimals = limit >= 10 ? 0 : limit >= 1 ? 1 : 3;
    paintBar(painter, topLeft, width, theme.diverging, false,
        { { 0, fixed(-limit, decimals) }, { 0.5, QStringLiteral("0") }, { 1, fixed(limit, decimals) } }, words, theme);
}

void paintSequentialScale(
    QPainter& painter, QPointF topLeft, double width, double maximum, const QString& words, const Theme& theme)
{
    std::vector<Tick> ticks { { 0, QStringLiteral("0") } };
    if (maximum >= 4)
        ticks.push_back({ 1 / maximum, QStringLiteral("1") });
    ticks.push_back({ 0.25, shortDecimal(maximum / 4, 2) });
    ticks.push_back({ 1, shortDecimal(maximum, 3) });
    paintBar(painter, topLeft, width, theme.sequential, true, ticks, words, theme);
}

} // namespace flashstep::paint
