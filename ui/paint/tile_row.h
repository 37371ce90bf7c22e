// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/state.h"

#include <vector>

namespace flashstep::paint {

// tileAt of every key block of query tile i, in one pass over the ops of its CTA.
[[nodiscard]] std::vector<TileState> tileRow(const Trace& trace, int b, int h, int i, Position p);

} // namespace flashstep::paint
