// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/tile_numbers.h"
#include "ui/paint/tile_parts.h"

#include <limits>
#include <vector>

namespace flashstep::paint {

// Reads that the numbers of one tile and what they have come to so far share; for no other painter.

constexpr float notThere = std::numeric_limits<float>::quiet_NaN();

[[nodiscard]] TileValues emptyTile(int rows, int cols); // nothing is there yet
[[nodiscard]] float& cell(TileValues& values, int r, int c);
// The stretches an op touches, of the tile's columns of a buffer, times `factor`.
void copyRows(const PartReader& reader, OpId id, BufferId buffer, Position at, float factor, TileValues& to);

// What the block of a tile that landed last has left for the next one.
struct Left {
    std::vector<TileNumbers::Row> row; // `before`: m in use for the next
    TileValues o;
};
// Every row's statistics as a block left them, and O.
[[nodiscard]] Left leftBy(const Trace& trace, int b, int h, int i, const LandedBlock& block);

} // namespace flashstep::paint
