// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"

#include <QString>

#include <optional>
#include <vector>

namespace flashstep::paint {

// The numbers of one tile (i, j) of a head, as far as they are there at a position: read from the trace, row by row
// from the warp that owns the row. NaN where something has not been computed yet, or was not recorded.
struct TileNumbers {
    CtaId cta;
    int i = -1, j = -1, n = 0; // visited as the n-th block; 0: never
    int firstRow = 0, firstKey = 0; // over the head's sequence
    int rows = 0, keys = 0; // inside the sequence
    bool recorded = false;

    TileValues s; // scaled scores in log2 units (S c), -inf where hidden
    TileValues p; // as stored once rounded
    bool rounded = false; // p holds the stored format
    bool ownMaximum = false; // p is relative to the block's own maximum, not to `used`
    struct Row {
        double before = 0; // m in use when the block came, log2 units
        double blockMax = 0; // maximum of this block's visible scores, log2 units
        double used = 0; // m in use with the block in it, log2 units
        double most = 0; // the true maximum with the block in it, log2 units: beyond `used` where that may stay
        double scale = 0; // what O and l were multiplied by
        double l = 0; // with this block in it
    };
    std::vector<Row> row; // `rows` of them
    TileValues oBefore, oAfter; // O when the block came, and after the rescale and, once landed, P V
    bool rescaled = false, landed = false; // every row's
    bool divided = false; // O is divided by l at every block
    bool lazy = false; // the reference stays until the maximum has outgrown it by more than `threshold`
    double threshold = 0; // log2 units
    double offset = 0; // of P's exponents, log2 units
    std::optional<Vote> vote; // on O for this block, once it has been taken
};
[[nodiscard]] TileNumbers tileNumbers(const Trace& trace, int b, int h, int i, int j, Position p);

// "1 of 4 warps rescale (3 of 128 rows asked)"
[[nodiscard]] QString voteText(const Vote& vote);

// Share of every element of the tile in its row's l at `p`, 0…1: what the value squares show. Empty without values.
[[nodiscard]] TileValues tileShares(const Trace& trace, int b, int h, int i, int j, Position p);

// O of query tile i divided by the row's l so far (not divided again once the kernel has), empty without values.
[[nodiscard]] TileValues outputSoFar(const Trace& trace, int b, int h, int i, Position p);

} // namespace flashstep::paint
