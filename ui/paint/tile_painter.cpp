// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/tile_painter.h"

#include "ui/paint/pattern.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double radius = 2;
constexpr double detailFrom = 10; // pixels; smaller cells have no room for outlines

void outline(QPainter& painter, const QRectF& rect, const QPen& pen)
{
    const double half = pen.widthF() / 2;
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(rect.adjusted(half, half, -half, -half), radius, radius);
}

void fillRounded(QPainter& painter, const QRectF& rect, const QColor& colour)
{
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    painter.drawRoundedRect(rect, radius, radius);
}

QPen dashed(const QColor& colour, double on, double off)
{
    QPen pen(colour, 1, Qt::CustomDashLine, Qt::FlatCap);
    pen.setDashPattern({ on, off });
    return pen;
}

// A cell too small for outlines: fill alone tells the state, lighter for less.
void paintSmall(
    QPainter& painter, const QRectF& cell, TileLook look, const TileColour& colour, double fraction, const Theme& theme)
{
    const QRectF rect = cell.width() >= 4 ? cell.adjusted(0, 0, -1, -1) : cell;
    painter.setRenderHint(QPainter::Antialiasing, false);
    switch (look) {
    case TileLook::Untouched:
        painter.fillRect(rect, mix(theme.line, theme.panel, 0.35));
        break;
    case TileLook::Loading:
        painter.fillRect(rect, mix(colour.tint, theme.panel, 0.3 + 0.7 * fraction));
        break;
    case TileLook::InSmem:
    case TileLook::Stored:
        painter.fillRect(rect, colour.tint);
        break;
    case TileLook::Computing:
        painter.fillRect(rect, theme.text);
        break;
    case TileLook::Done:
        painter.fillRect(rect, colour.fill);
        break;
    case TileLook::Masked:
        painter.fillRect(rect, mix(theme.hatch, theme.panel, 0.3));
        break;
    case TileLook::Skipped:
        break;
    case TileLook::Hazard:
        painter.fillRect(rect, theme.fault);
        break;
    }
}

} // namespace

TileLook lookOf(const TileState& state, bool hidden)
{
    switch (state.kind) {
    case TileState::Kind::Untouched:
        return TileLook::Untouched;
    case TileState::Kind::Loading:
        return TileLook::Loading;
    case TileState::Kind::InSmem:
        return TileLook::InSmem;
    case TileState::Kind::Computing:
        return TileLook::Computing;
    case TileState::Kind::Done:
        return hidden ? TileLook::Masked : TileLook::Done;
    case TileState::Kind::Stored:
        return TileLook::Stored;
    case TileState::Kind::Skipped:
        break;
    }
    return TileLook::Skipped;
}

void paintTile(
    QPainter& painter, const QRectF& cell, TileLook look, const TileColour& colour, double fraction, const Theme& theme)
{
    if (cell.width() < detailFrom) {
        paintSmall(painter, cell, look, colour, fraction, theme);
        return;
    }
    painter.setRenderHint(QPainter::Antialiasing, true);
    const QRectF rect = cell.adjusted(1, 1, -1, -1);
    switch (look) {
    case TileLook::Untouched:
        fillRounded(painter, rect, theme.panel);
        outline(painter, rect, QPen(theme.line, 1));
        break;
    case TileLook::Loading: {
        QRectF arrived = rect.adjusted(1, 1, -1, -1);
        arrived.setTop(arrived.bottom() - arrived.height() * std::clamp(fraction, 0.0, 1.0));
        painter.fillRect(arrived, colour.tint);
        outline(painter, rect, dashed(colour.edge, 4, 3));
        break;
    }
    case TileLook::InSmem:
        fillRounded(painter, rect, colour.tint);
        outline(painter, rect, QPen(colour.edge, 2));
        break;
    case TileLook::Stored:
        fillRounded(painter, rect, colour.tint);
        outline(painter, rect, dashed(colour.edge, 1, 2));
        break;
    case TileLook::Computing:
        fillRounded(painter, rect.adjusted(3, 3, -3, -3), colour.fill);
        outline(painter, rect, QPen(theme.text, 2));
        break;
    case TileLook::Done:
        fillRounded(painter, rect, colour.fill);
        if (colour.edge != colour.fill)
            outline(painter, rect, QPen(colour.edge, 1));
        break;
    case TileLook::Masked:
        fillMasked(painter, rect, theme);
        break;
    case TileLook::Skipped:
        outline(painter, rect, dashed(theme.mid, 1, 3));
        if (cell.width() >= 15) {
            const double half = std::min(5.0, cell.width() / 5);
            painter.fillRect(
                QRectF(std::round(rect.center().x() - half), std::round(rect.center().y()) - 0.5, 2 * half, 1),
                theme.mid);
        }
        break;
    case TileLook::Hazard:
        fillFault(painter, rect, theme);
        outline(painter, rect, QPen(theme.fault, 2));
        break;
    }
}

} // namespace flashstep::paint
