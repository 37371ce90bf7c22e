// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/kernel_shared.h"

#include "ui/paint/fonts.h"
#include "ui/paint/kernel_values.h"
#include "ui/paint/pattern.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

SharedLayout sharedLayout(bool values)
{
    SharedLayout layout;
    layout.values = values;
    layout.cellWidth = values ? 104 : 20;
    layout.cellHeight = values ? 17 : 15;
    return layout;
}

std::optional<std::uint32_t> SharedLayout::wordAt(const QPointF& point, const SharedScene& scene) const
{
    if (point.x() < gutter || point.y() < header)
        return {};
    const int bank = static_cast<int>((point.x() - gutter + left) / cellWidth);
    const int row = static_cast<int>((point.y() - header) / cellHeight) + firstRow;
    const auto word = static_cast<std::uint32_t>(row * 32 + bank);
    return bank < 32 && word < scene.words.size() ? std::optional(word) : std::nullopt;
}

namespace {

// Coloured by value: a pair has two halves, bits have none. What ink goes on it.
QColor fillValue(
    QPainter& painter, const QRectF& cell, std::uint32_t value, const SharedScene& scene, const Theme& theme)
{
    const bool pair = scene.kind == ptx::RegisterKind::Bf16Pair || scene.kind == ptx::RegisterKind::HalfPair;
    if (!pair && scene.kind != ptx::RegisterKind::F32) {
        painter.fillRect(cell, theme.neutral.tint);
        return theme.text;
    }
    const auto colourOf = [&](int half) {
        const double number = halfValue(value, half, scene.kind);
        return std::isfinite(number) ? mix(divergingColour(theme, number, scene.limit), theme.panel, 0.7)
                                     : theme.neutral.tint;
    };
    const double split = pair ? std::floor(cell.width() / 2) : cell.width();
    painter.fillRect(QRectF(cell.left(), cell.top(), split, cell.height()), colourOf(0));
    if (pair)
        painter.fillRect(QRectF(cell.left() + split, cell.top(), cell.width() - split, cell.height()), colourOf(1));
    return theme.text;
}

void paintCell(QPainter& painter, const QRectF& cell, const SharedWord& word, const SharedScene& scene,
    const SharedLayout& layout, const Theme& theme)
{
    const QRectF inner = cell.adjusted(0, 0, -1, -1);
    QColor ink = theme.text;
    // Lanes that go together in one wavefront have one colour.
    if (word.lane >= 0) {
        const TileColour& colour = theme.keyBlock(word.lane / 8);
        painter.fillRect(inner, colour.fill);
        ink = colour.ink;
    } else if (word.inFlight)
        fillWait(painter, inner, theme);
    else if (!word.written)
        fillMasked(painter, inner, theme);
    else
        ink = fillValue(painter, inner, word.value, scene, theme);
    if (layout.values) {
        if (word.written && !(word.inFlight && word.lane < 0)) {
            painter.setPen(ink);
            drawElided(
                painter, inner.adjusted(3, 0, -3, 0), Qt::AlignRight, monoFont(10.5), wordText(word.value, scene.kind));
        }
        if (word.lane >= 0 && word.first) {
            painter.setPen(ink);
            drawLine(painter, inner.adjusted(2, 0, 0, 0), Qt::AlignLeft, canvasFont(9.5, QFont::Medium),
                QString::number(word.lane));
        }
    } else if (word.lane >= 0 && word.first) {
        painter.setPen(ink);
        drawLine(painter, inner, Qt::AlignHCenter, canvasFont(9.5, QFont::Medium), QString::number(word.lane));
    }
    if (word.lane >= 0 && word.lane == scene.pointedLane) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(theme.text, 2));
        painter.drawRect(inner.adjusted(1, 1, -1, -1));
    }
}

// What stands above the columns: the banks, and how often each is asked.
void paintHeader(
    QPainter& painter, const QRectF& rect, const SharedScene& scene, const SharedLayout& layout, const Theme& theme)
{
    painter.fillRect(QRectF(rect.left(), rect.top(), rect.width(), layout.header), theme.panel);
    const int most = *std::max_element(scene.asks.begin(), scene.asks.end());
    painter.save();
    painter.setClipRect(QRectF(layout.gutter, 0, rect.width() - layout.gutter, layout.header), Qt::IntersectClip);
    for (int bank = 0; bank < 32; ++bank) {
        const QRectF cell = layout.cell(layout.firstRow, bank);
        painter.setPen(theme.t2);
        drawLine(
            painter, QRectF(cell.left(), 2, cell.width(), 14), Qt::AlignHCenter, monoFont(10), QString::number(bank));
        if (scene.touches) {
            const int asks = scene.asks[static_cast<std::size_t>(bank)];
            painter.setPen(asks == most ? theme.text : theme.t3);
            drawLine(painter, QRectF(cell.left(), 16, cell.width(), 14), Qt::AlignHCenter,
                monoFont(10, asks == most ? QFont::DemiBold : QFont::Normal), QString::number(asks));
        }
    }
    painter.restore();
    painter.setPen(theme.t2);
    drawLine(painter, QRectF(8, 2, layout.gutter - 14, 14), Qt::AlignRight, canvasFont(10.5), QObject::tr("bank"));
    if (scene.touches)
        drawLine(
            painter, QRectF(8, 16, layout.gutter - 14, 14), Qt::AlignRight, canvasFont(10.5), QObject::tr("asked"));
    painter.fillRect(QRectF(rect.left(), layout.header - 2, rect.width(), 1), theme.line);
}

// The address of a row, and of which tile it is.
void paintGutter(QPainter& painter, const SharedScene& scene, const SharedLayout& layout, int row, const Theme& theme)
{
    const std::uint32_t offset = scene.base + static_cast<std::uint32_t>(row) * 128;
    const double y = layout.cell(row, 0).top();
    painter.setPen(theme.t2);
    drawLine(painter, QRectF(44, y, layout.gutter - 50, layout.cellHeight), Qt::AlignRight, monoFont(10),
        QStringLiteral("0x%1").arg(offset, 4, 16, QLatin1Char('0')));
    for (const SharedTile& tile : scene.tiles) {
        if (!tile.holds(offset))
            continue;
        const int tileRow = static_cast<int>((offset - tile.base) / static_cast<std::uint32_t>(tile.columns * 2));
        const bool starts = (offset - tile.base) % static_cast<std::uint32_t>(tile.columns * 2) == 0;
        painter.setPen(theme.text);
        if (starts)
            drawLine(painter, QRectF(6, y, 40, layout.cellHeight), Qt::AlignLeft,
                canvasFont(10, tileRow % 8 == 0 ? QFont::DemiBold : QFont::Normal),
                QStringLiteral("%1 %2").arg(tile.name).arg(tileRow));
    }
}

void paintChosenRow(QPainter& painter, const SharedScene& scene, const SharedLayout& layout, const Theme& theme)
{
    if (scene.chosenTile < 0 || scene.chosenTile >= static_cast<int>(scene.tiles.size()) || scene.chosenRow < 0)
        return;
    const SharedTile& tile = scene.tiles[static_cast<std::size_t>(scene.chosenTile)];
    for (int chunk = 0; chunk < tile.columns / 8; ++chunk) {
        const std::uint32_t offset = tile.chunkAt(scene.chosenRow, chunk);
        const auto word = static_cast<int>((offset - scene.base) / 4);
        const QRectF from = layout.cell(word / 32, word % 32);
        if (from.top() < layout.header)
            continue;
        const QRectF box(from.left(), from.top(), 4 * layout.cellWidth - 1, layout.cellHeight - 1);
        painter.setPen(QPen(theme.text, 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(box.adjusted(1, 1, -1, -1));
        const QString name = QStringLiteral("c%1").arg(chunk);
        const QFont font = canvasFont(9.5, QFont::DemiBold);
        const double wide = textWidth(font, name) + 6;
        // Clear of the lane's number, and of values.
        const double at = layout.values ? box.left() + 18 : box.right() - wide - 1;
        const QRectF flag(at, box.top() + 1, wide, box.height() - 2);
        painter.fillRect(flag, theme.text);
        painter.setPen(theme.panel);
        drawLine(painter, flag, Qt::AlignHCenter, font, name);
    }
}

} // namespace

void paintShared(
    QPainter& painter, const QRectF& rect, const SharedScene& scene, const SharedLayout& layout, const Theme& theme)
{
    painter.fillRect(rect, theme.panel);
    painter.setRenderHint(QPainter::Antialiasing, false);
    const int shown = static_cast<int>((rect.height() - layout.header) / layout.cellHeight) + 1;
    const int last = std::min(scene.rows(), layout.firstRow + shown);
    painter.save();
    painter.setClipRect(
        QRectF(layout.gutter, layout.header - 1, rect.width() - layout.gutter, rect.height() - layout.header + 1),
        Qt::IntersectClip);
    for (int row = layout.firstRow; row < last; ++row) {
        for (int bank = 0; bank < 32; ++bank) {
            const auto k = static_cast<std::size_t>(row) * 32 + static_cast<std::size_t>(bank);
            if (k < scene.words.size())
                paintCell(painter, layout.cell(row, bank), scene.words[k], scene, layout, theme);
        }
    }
    if (scene.pointedWord) {
        const auto k = static_cast<int>(*scene.pointedWord);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(theme.text, 1));
        painter.drawRect(layout.cell(k / 32, k % 32).adjusted(0, 0, -1, -1));
    }
    paintChosenRow(painter, scene, layout, theme);
    painter.restore();
    for (int row = layout.firstRow; row < last; ++row)
        paintGutter(painter, scene, layout, row, theme);
    paintHeader(painter, rect, scene, layout, theme);
}

void paintSharedLegend(QPainter& painter, const QRectF& rect, const SharedScene& scene, const Theme& theme)
{
    const QFont font = canvasFont(10.5);
    double x = rect.left() + 12;
    const auto entry = [&](double swatch, const QString& text, auto&& fill) {
        const double wide = textWidth(font, text);
        if (x + swatch + 5 + wide > rect.right() - 6)
            return;
        fill(QRectF(x, rect.center().y() - 5, swatch, 10));
        painter.setPen(theme.t2);
        drawLine(painter, QRectF(x + swatch + 5, rect.top(), wide, rect.height()), Qt::AlignLeft, font, text);
        x += swatch + 5 + wide + 16;
    };
    entry(32, QObject::tr("touched now, with the lane"), [&](const QRectF& r) {
        for (int k = 0; k < 4; ++k)
            painter.fillRect(QRectF(r.left() + 8 * k, r.top(), 7, r.height()), theme.keyBlock(k).fill);
    });
    entry(14, QObject::tr("copy under way"), [&](const QRectF& r) { fillWait(painter, r, theme); });
    entry(14, QObject::tr("never written"), [&](const QRectF& r) { fillMasked(painter, r, theme); });
    const bool coloured = scene.kind != ptx::RegisterKind::Hex && scene.kind != ptx::RegisterKind::Signed;
    if (coloured) {
        const QString limit = shortDecimal(scene.limit, 3);
        entry(60, QStringLiteral("%1%2 … %2").arg(QChar(0x2212)).arg(limit), [&](const QRectF& r) {
            for (int k = 0; k < 60; ++k)
                painter.fillRect(QRectF(r.left() + k, r.top(), 1, r.height()),
                    mix(divergingColour(theme, (k - 30) / 30.0, 1), theme.panel, 0.7));
        });
    }
}

} // namespace flashstep::paint
