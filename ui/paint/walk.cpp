// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/walk.h"

namespace flashstep::paint {

int walkDirection(const Trace& trace, int b, int h)
{
    int before = 0;
    for (const TileState& tile : tilesAt(trace, b, h, trace.program().queryTiles() - 1, Position {})) {
        if (tile.n > 0 && before > 0)
            return before > tile.n ? -1 : 1;
        before = tile.n > 0 ? tile.n : before;
    }
    return 0;
}

} // namespace flashstep::paint
