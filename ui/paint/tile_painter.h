// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/state.h"
#include "ui/paint/theme.h"

#include <QPainter>

namespace flashstep::paint {

// How a tile of the score matrix looks: state by fill, outline and pattern, never by colour alone.
enum class TileLook : std::uint8_t { Untouched, Loading, InSmem, Computing, Done, Masked, Skipped, Stored, Hazard };
[[nodiscard]] TileLook lookOf(const TileState& state, bool hidden); // hidden: the mask hides all of it

// One tile in its cell, inset by 1 px. `fraction`: of it that has arrived, for Loading.
void paintTile(QPainter& painter, const QRectF& cell, TileLook look, const TileColour& colour, double fraction,
    const Theme& theme);

} // namespace flashstep::paint
