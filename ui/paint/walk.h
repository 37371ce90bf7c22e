// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/state.h"

namespace flashstep::paint {

// Which way the head's query tiles walk their key blocks, read off the visits: -1 leftwards, +1 rightwards, 0 where
// there are not two to tell.
[[nodiscard]] int walkDirection(const Trace& trace, int b, int h);

} // namespace flashstep::paint
