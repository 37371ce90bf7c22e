// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/pattern.h"
#include "ui/paint/timeline_parts.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double ringFrom = 6, ringGap = 3; // pixels: slices with a ring around them, and apart
constexpr double roundedFrom = 5; // pixels; narrower slices keep square corners

// Edges on the device's pixels, at least one of them wide.
class PixelGrid {
public:
    explicit PixelGrid(const QPainter& painter)
        : m_scale(std::max(0.25, std::abs(painter.deviceTransform().m11())))
    {
    }
    // `gap`: what has been taken off on the right, so that the next one shows apart. It is a pixel or more wherever
    // that leaves something.
    [[nodiscard]] QRectF operator()(const QRectF& rect, double gap = 0) const
    {
        const double left = at(rect.left()), top = at(rect.top());
        double right = at(rect.right());
        if (gap > 0 && rect.width() * m_scale > 2)
            right = at(rect.right() + gap) - std::max(1.0, std::round(gap * m_scale)) / m_scale;
        return { left, top, std::max(right - left, 1 / m_scale), std::max(at(rect.bottom()) - top, 1 / m_scale) };
    }

private:
    [[nodiscard]] double at(double x) const { return std::round(x * m_scale) / m_scale; }
    double m_scale;
};

// Of rectangles on whole pixels. Those that touch, one after the other, become one: slices of a pixel or less do.
void fillAll(QPainter& painter, const std::vector<QRectF>& rects, const QColor& fill)
{
    if (rects.empty())
        return;
    if (painter.deviceTransform().type() > QTransform::TxTranslate) {
        for (const QRectF& rect : rects)
            painter.fillRect(rect, fill);
        return;
    }
    // Rectangles of integers take the short way through the raster engine, those of reals the one of polygons.
    std::vector<QRect> whole;
    whole.reserve(rects.size());
    for (const QRectF& rect : rects) {
        const QRect next = rect.toRect();
        QRect* last = whole.empty() ? nullptr : &whole.back();
        if (last && last->top() == next.top() && last->bottom() == next.bottom() && next.left() <= last->right() + 1
            && next.left() >= last->left())
            last->setRight(std::max(last->right(), next.right()));
        else
            whole.push_back(next);
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(fill);
    painter.drawRects(whole.data(), static_cast<int>(whole.size()));
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

// Rings of `width` pixels whose outer edge is `outside` pixels from the rectangles, without their corners.
void fillRings(QPainter& painter, const std::vector<QRectF>& rects, double outside, double width, const QColor& colour)
{
    const PixelGrid grid(painter);
    std::vector<QRectF> sides;
    sides.reserve(4 * rects.size());
    for (const QRectF& rect : rects) {
        const QRectF r = grid(rect).adjusted(-outside, -outside, outside, outside);
        sides.emplace_back(r.left() + 1, r.top(), r.width() - 2, width);
        sides.emplace_back(r.left() + 1, r.bottom() - width, r.width() - 2, width);
        sides.emplace_back(r.left(), r.top() + 1, width, r.height() - 2);
        sides.emplace_back(r.right() - width, r.top() + 1, width, r.height() - 2);
    }
    fillAll(painter, sides, colour);
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
        const QRectF whole = grid(rect, sliceGap);
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

void RectBatch::drawSquare(QPainter& painter, const QColor& fill, double gap) const
{
    if (m_rects.empty())
        return;
    if (drawsVectors(painter)) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(fill);
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.drawRects(m_rects.data(), static_cast<int>(m_rects.size()));
        return;
    }
    const PixelGrid grid(painter);
    std::vector<QRectF> whole;
    whole.reserve(m_rects.size());
    for (const QRectF& rect : m_rects)
        whole.push_back(grid(rect, gap));
    painter.setRenderHint(QPainter::Antialiasing, false);
    fillAll(painter, whole, fill);
}

void OutlineBatch::draw(QPainter& painter, const Theme& theme) const
{
    // The sides of a ring would cover a narrow slice: it has a line above and below, one for those that follow closely.
    std::vector<QRectF> wide, runs;
    for (const QRectF& rect : m_rects)
        if (rect.width() >= ringFrom)
            wide.push_back(rect);
        else if (!runs.empty() && runs.back().top() == rect.top() && rect.left() >= runs.back().left()
            && rect.left() - runs.back().right() <= ringGap)
            runs.back() |= rect;
        else
            runs.push_back(rect);
    std::vector<QRectF> lines;
    for (const QRectF& run : runs)
        for (const double y : { std::round(run.top()) - 1, std::round(run.bottom()) }) {
            const double left = std::floor(run.left());
            lines.emplace_back(left, y, std::max(1.0, std::ceil(run.right()) - left), 1);
        }
    if (drawsVectors(painter)) {
        for (const QRectF& rect : wide)
            strokeRounded(painter, rect.adjusted(-0.5, -0.5, 0.5, 0.5), theme.text, 2);
        for (const QRectF& line : lines)
            painter.fillRect(line, theme.text);
        return;
    }
    painter.setRenderHint(QPainter::Antialiasing, false);
    fillRings(painter, wide, 1, 2, theme.text);
    for (const QRectF& line : lines)
        painter.fillRect(line, theme.text);
}

void OutlineBatch::drawChosen(QPainter& painter, const Theme& theme) const
{
    if (drawsVectors(painter)) {
        for (const QRectF& rect : m_rects)
            strokeRounded(painter, rect.adjusted(-0.5, -0.5, 0.5, 0.5), theme.text, 2);
        return;
    }
    painter.setRenderHint(QPainter::Antialiasing, false);
    fillRings(painter, m_rects, 1, 1, theme.panel);
    fillRings(painter, m_rects, 3, 2, theme.text);
}

} // namespace flashstep::paint
