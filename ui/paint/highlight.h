// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"

namespace flashstep::paint {

// What is chosen and what is hovered, the same in every view; -1 and none() for nothing.
struct Highlight {
    int i = -1, j = -1; // chosen tile of the head on show
    int row = -1; // chosen query row, over the head's sequence
    int key = -1; // chosen key, over the head's sequence
    InstanceId instance; // chosen slice

    int hoverI = -1, hoverJ = -1;
    InstanceId hoverInstance;

    bool operator==(const Highlight&) const = default;
};

} // namespace flashstep::paint
