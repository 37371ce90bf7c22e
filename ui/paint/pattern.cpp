// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/pattern.h"

#include <QBrush>
#include <QImage>
#include <QPaintDevice>
#include <QPaintEngine>
#include <QPainterPath>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace flashstep::paint {

namespace {

enum class Kind : std::uint8_t { Wait, Masked, Fault };

struct Style {
    int tile; // side of the repeating square, pixels
    double period; // of the lines along x, or of the dots
    double width;
    int slope; // +1: rising to the right on screen, -1: falling
};
constexpr Style wait { 12, 6, 1, 1 };
constexpr Style fault { 14, 7, 1.6, -1 };
constexpr double dotPeriod = 4, dotRadius = 0.8;

// Diagonals x + slope * y = k * period that meet the rectangle, cut to it.
std::vector<QLineF> diagonals(const QRectF& r, const Style& style)
{
    const double low = r.left() + std::min(style.slope * r.top(), style.slope * r.bottom());
    const double high = r.right() + std::max(style.slope * r.top(), style.slope * r.bottom());
    std::vector<QLineF> lines;
    for (double c = std::ceil(low / style.period) * style.period; c <= high; c += style.period) {
        const double yAtLeft = style.slope * (c - r.left()), yAtRight = style.slope * (c - r.right());
        const double top = std::max(r.top(), std::min(yAtLeft, yAtRight));
        const double bottom = std::min(r.bottom(), std::max(yAtLeft, yAtRight));
        if (bottom > top)
            lines.emplace_back(c - style.slope * top, top, c - style.slope * bottom, bottom);
    }
    return lines;
}

void drawDots(QPainter& painter, const QRectF& r, const QColor& colour)
{
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    const double half = dotPeriod / 2;
    for (double y = std::ceil((r.top() + dotRadius - half) / dotPeriod) * dotPeriod + half; y + dotRadius <= r.bottom();
         y += dotPeriod)
        for (double x = std::ceil((r.left() + dotRadius - half) / dotPeriod) * dotPeriod + half;
             x + dotRadius <= r.right(); x += dotPeriod)
            painter.drawEllipse(QPointF(x, y), dotRadius, dotRadius);
}

void drawLines(QPainter& painter, const QRectF& rect, const Style& style, const QColor& colour)
{
    painter.setPen(QPen(colour, style.width, Qt::SolidLine, Qt::FlatCap));
    const std::vector<QLineF> lines = diagonals(rect, style);
    painter.drawLines(lines.data(), static_cast<int>(lines.size()));
}

// One path for all of them: in a file each line would bring its own pen.
void strokeLines(QPainter& painter, const QRectF& rect, const Style& style, const QColor& colour)
{
    QPainterPath path;
    for (const QLineF& line : diagonals(rect, style)) {
        path.moveTo(line.p1());
        path.lineTo(line.p2());
    }
    painter.strokePath(path, QPen(colour, style.width, Qt::SolidLine, Qt::FlatCap));
}

QImage makeTile(int side, double ratio, const QColor& ground, Kind kind, const QColor& colour)
{
    const int pixels = std::max(1, static_cast<int>(std::lround(side * ratio)));
    QImage image(pixels, pixels, QImage::Format_RGB32);
    image.fill(ground);
    QPainter painter(&image);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.scale(pixels / static_cast<double>(side), pixels / static_cast<double>(side));
    // Beyond the tile's edges, so that lines join across them.
    const QRectF area(-side, -side, 3.0 * side, 3.0 * side);
    if (kind == Kind::Masked)
        drawDots(painter, area, colour);
    else
        drawLines(painter, area, kind == Kind::Wait ? wait : fault, colour);
    return image;
}

struct Key {
    QRgb ground = 0, colour = 0;
    int ratio = 0;
    Kind kind = Kind::Wait;
    bool operator==(const Key&) const = default;
};

// A tile is a function of its key, so a kept one cannot go stale. Painting happens on one thread at a time per thread.
const QBrush& brush(Kind kind, int side, const QColor& ground, const QColor& colour, double ratio)
{
    struct Kept {
        Key key;
        QBrush brush;
    };
    thread_local std::vector<Kept> kept;
    const Key key { ground.rgb(), colour.rgb(), static_cast<int>(std::lround(ratio * 64)), kind };
    for (const Kept& k : kept)
        if (k.key == key)
            return k.brush;
    if (kept.size() > 24)
        kept.clear();
    const QImage image = makeTile(side, ratio, ground, kind, colour);
    QBrush made(image);
    const double shrink = side / static_cast<double>(image.width());
    made.setTransform(QTransform::fromScale(shrink, shrink));
    kept.push_back({ key, made });
    return kept.back().brush;
}

double deviceRatio(const QPainter& painter)
{
    const QTransform t = painter.deviceTransform();
    return std::clamp(std::hypot(t.m11(), t.m12()), 0.25, 16.0);
}

void fill(QPainter& painter, const QRectF& rect, Kind kind, int side, const QColor& ground, const QColor& colour)
{
    if (!drawsVectors(painter)) {
        painter.fillRect(rect, brush(kind, side, ground, colour, deviceRatio(painter)));
        return;
    }
    painter.save();
    painter.fillRect(rect, ground);
    if (kind == Kind::Masked)
        drawDots(painter, rect, colour);
    else
        strokeLines(painter, rect, kind == Kind::Wait ? wait : fault, colour);
    painter.restore();
}

} // namespace

bool drawsVectors(const QPainter& painter)
{
    const QPaintEngine* engine = painter.paintEngine();
    if (!engine)
        return false;
    const QPaintEngine::Type type = engine->type();
    return type == QPaintEngine::SVG || type == QPaintEngine::Pdf || type == QPaintEngine::Picture;
}

void fillWait(QPainter& painter, const QRectF& rect, const Theme& theme)
{
    fill(painter, rect, Kind::Wait, wait.tile, theme.waitGround, theme.hatch);
}

void fillMasked(QPainter& painter, const QRectF& rect, const Theme& theme)
{
    fill(painter, rect, Kind::Masked, 8, theme.waitGround, theme.hatch);
}

void fillFault(QPainter& painter, const QRectF& rect, const Theme& theme)
{
    fill(painter, rect, Kind::Fault, fault.tile, theme.panel, theme.fault);
}

} // namespace flashstep::paint
