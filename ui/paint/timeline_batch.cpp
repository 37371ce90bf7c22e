// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/pattern.h"
#include "ui/paint/timeline_parts.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double roundedFrom = 5; // pixels; narrower slices keep square corners

// Edges on the device's pixels, at least one of them wide.
class PixelGrid {
public:
    explicit PixelGrid(const QPainter& painter)
        : m_scale(std::max(0.25, std::abs(painter.deviceTransform().m11())))
    {
    }
    [[nodiscard]] QRectF operator()(const QRectF& rect) const
    {
        const double left = at(rect.left()), top = at(rect.top());
        return { left, top, std::max(at(rect.right()) - left, 1 / m_scale),
            std::max(at(rect.bottom()) - top, 1 / m_scale) };
    }

private:
    [[nodiscard]] double at(double x) const { return std::round(x * m_scale) / m_scale; }
    double m_scale;
};

void fillAll(QPainter& painter, const std::vector<QRectF>& rects, const QColor& fill)
{
    if (rects.empty())
        return;
    painter.setPen(Qt::NoPen);
    painter.setBrush(fill);
    painter.drawRects(rects.data(), static_cast<int>(rects.size()));
}

// Two rectangles that leave the corners free, and what softens those.
struct Rounded {
    std::vector<QRectF> body, corners;
    void add(const QRectF& r)
    {
        body.emplace_back(r.left(), r.top() + 1, r.width(), r.height() - 2);
        body.emplace_back(r.left() + 1, r.top(), r.width() - 2, r.height());
        for (const double x : { r.left(), r.right() - 1 })
            for (const double y : { r.top(), r.bottom() - 1 })
                corners.emplace_back(x, y, 1, 1);
    }
    void draw(QPainter& painter, const QColor& fill, const QColor& ground) const
    {
        fillAll(painter, corners, mix(fill, ground, 0.45));
        fillAll(painter, body, fill);
    }
};

void drawVectors(QPainter& painter, const std::vector<QRectF>& rects, const QColor& fill, const QColor& outline)
{
    painter.setPen(Qt::NoPen);
    painter.setBrush(fill);
    painter.setRenderHint(QPainter::Antialiasing, true);
    for (const QRectF& rect : rects)
        if (outline.isValid()) {
            painter.setPen(QPen(outline, 1));
            painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 1.5, 1.5);
        } else {
            painter.drawRoundedRect(rect, 1.5, 1.5);
        }
    // What a QPainter leaves behind here is part of the file.
    painter.setPen(Qt::NoPen);
    painter.setBrush(outline.isValid() ? outline : fill);
    painter.setRenderHint(QPainter::Antialiasing, false);
}

void strokeRounded(QPainter& painter, const QRectF& rect, const QColor& colour, double width)
{
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(colour, width));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(rect, 2, 2);
}

} // namespace

const TileColour& batchColour(const Theme& theme, std::size_t batch)
{
    return batch == 8 ? theme.neutral : theme.tiles[batch];
}

void RectBatch::draw(QPainter& painter, const QColor& fill, const QColor& outline, const QColor& ground) const
{
    if (m_rects.empty())
        return;
    if (drawsVectors(painter)) {
        drawVectors(painter, m_rects, fill, outline);
        return;
    }
    const PixelGrid grid(painter);
    std::vector<QRectF> narrow, inner;
    Rounded rounded;
    for (const QRectF& rect : m_rects) {
        const QRectF whole = grid(rect);
        if (rect.width() < roundedFrom) {
            narrow.push_back(whole);
            continue;
        }
        rounded.add(whole);
        inner.push_back(whole.adjusted(1, 1, -1, -1));
    }
    painter.setRenderHint(QPainter::Antialiasing, false);
    rounded.draw(painter, outline.isValid() ? outline : fill, ground);
    if (outline.isValid())
        fillAll(painter, inner, fill);
    fillAll(painter, narrow, outline.isValid() ? outline : fill);
}

void RectBatch::drawSquare(QPainter& painter, const QColor& fill) const
{
    if (m_rects.empty())
        return;
    if (drawsVectors(painter)) {
        painter.setRenderHint(QPainter::Antialiasing, true);
        fillAll(painter, m_rects, fill);
        return;
    }
    const PixelGrid grid(painter);
    std::vector<QRectF> whole;
    whole.reserve(m_rects.size());
    for (const QRectF& rect : m_rects)
        whole.push_back(grid(rect));
    painter.setRenderHint(QPainter::Antialiasing, false);
    fillAll(painter, whole, fill);
}

void paintOutline(QPainter& painter, const QRectF& rect, const Theme& theme)
{
    strokeRounded(painter, rect.adjusted(-0.5, -0.5, 0.5, 0.5), theme.text, 2);
}

void paintChosen(QPainter& painter, const QRectF& rect, const Theme& theme)
{
    strokeRounded(painter, rect.adjusted(-0.5, -0.5, 0.5, 0.5), theme.panel, 2);
    strokeRounded(painter, rect.adjusted(-1.5, -1.5, 1.5, 1.5), theme.text, 2);
}

} // namespace flashstep::paint
