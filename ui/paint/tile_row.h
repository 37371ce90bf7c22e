// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/state.h"

#include <vector>

namespace flashstep::paint {

// tileAt of every key block of query tile i, in one pass over the ops of its CTA.
[[nodiscard]] std::vector<TileState> tileRow(const Trace& trace, int b, int h, int i, Position p);

// Which way the head's query tiles walk their key blocks, read off the visits: -1 leftwards, +1 rightwards, 0 where
// there are not two to tell.
[[nodiscard]] int walkDirection(const Trace& trace, int b, int h);

} // namespace flashstep::paint
