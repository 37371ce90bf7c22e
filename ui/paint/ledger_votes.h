// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/ledger_facts.h"
#include "ui/paint/theme.h"

#include <QPainter>

namespace flashstep::paint {

// What the rows of each warp ask for, a cell per row, and what the warp does then. `row`: the one in hand.
void paintVotes(QPainter& painter, const QRectF& rect, const TileNumbers& tile, const std::vector<WarpVote>& votes,
    int row, const Theme& theme);

} // namespace flashstep::paint
