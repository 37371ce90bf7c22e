// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/ptx/register_kind.h"
#include "ui/paint/theme.h"

#include <QObject>
#include <QPainter>
#include <QRectF>
#include <QString>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace flashstep::paint {

// Shared memory of a CTA as its banks see it: rows of 32 words of 4 bytes.
struct SharedWord {
    std::uint32_t value = 0;
    bool written = false; // all of it
    bool inFlight = false; // a cp.async that has been issued writes it, and nobody has waited for it yet
    std::int8_t lane = -1; // that the current instruction touches it with; -1: it does not
    bool first = false; // of the lane's words
    bool write = false;
};
struct SharedTile {
    QString name; // "Q"
    std::uint32_t base = 0; // offset
    int rows = 0, columns = 0; // of 16-bit elements
    // Where chunk c (16 bytes) of a row lies, as Tile::at of core/cuda/tile.cuh puts it.
    [[nodiscard]] std::uint32_t chunkAt(int row, int chunk) const
    {
        return base + static_cast<std::uint32_t>(row * columns * 2 + ((chunk ^ (row & 7)) << 4));
    }
    [[nodiscard]] bool holds(std::uint32_t offset) const
    {
        return offset >= base && offset < base + static_cast<std::uint32_t>(rows * columns * 2);
    }
};
struct SharedScene {
    std::uint32_t base = 0; // offset of the first word
    std::vector<SharedWord> words;
    std::vector<SharedTile> tiles;
    std::array<int, 32> asks {}; // of each bank, by the current instruction
    bool touches = false;
    ptx::RegisterKind kind = ptx::RegisterKind::Hex;
    double limit = 1; // of the colours of values
    int chosenTile = -1, chosenRow = -1; // whose chunks are outlined
    int pointedLane = -1;
    std::optional<std::uint32_t> pointedWord;
    [[nodiscard]] int rows() const { return static_cast<int>((words.size() + 31) / 32); }
};

struct SharedLayout {
    double scale = 1, cellWidth = 20, cellHeight = 15, gutter = 92, header = 34;
    double left = 0; // scrolled out of sight
    int firstRow = 0;
    bool values = false;
    [[nodiscard]] double width() const { return gutter + 32 * cellWidth; }
    [[nodiscard]] QRectF cell(int row, int bank) const
    {
        return { gutter + bank * cellWidth - left, header + (row - firstRow) * cellHeight, cellWidth, cellHeight };
    }
    // The word at a point, as an index; none outside.
    [[nodiscard]] std::optional<std::uint32_t> wordAt(const QPointF& point, const SharedScene& scene) const;
};
[[nodiscard]] SharedLayout sharedLayout(bool values);

void paintShared(
    QPainter& painter, const QRectF& rect, const SharedScene& scene, const SharedLayout& layout, const Theme& theme);

// What the cells' looks mean, in a line.
void paintSharedLegend(QPainter& painter, const QRectF& rect, const SharedScene& scene, const Theme& theme);

} // namespace flashstep::paint
