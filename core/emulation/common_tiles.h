// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"

#include <array>
#include <optional>
#include <vector>

namespace flashstep {

template <typename Value> struct Interval {
    Value begin {}, end {};
    bool operator==(const Interval&) const = default;
};

// Where the tiles of one head's query rows, and the key blocks, begin and end: from 0 to the sequence's end, ascending.
// Of packed heads each has its own share of a tile's rows.
[[nodiscard]] std::vector<int> rowEdges(const Program& program, int head);
[[nodiscard]] std::vector<int> keyEdges(const Program& program);
// What both lists have.
[[nodiscard]] std::vector<int> commonEdges(const std::vector<int>& a, const std::vector<int>& b);

// What runs over a tile of scores, by kind; of products, which. Copies and stages are left out: what they move, and
// whether there is one at all, differs from kernel to kernel.
struct TileOp {
    OpKind kind = OpKind::Mma;
    bool scores = false; // Mma: S = Q Kᵀ, else P V
    bool operator==(const TileOp&) const = default;
};

// A cell of the finest grid whose edges both runs' tiles have. A run's cycles: from the begin of the first op over any
// of its tiles in the cell to the end of the last; nothing where it visits none, or where no events of it are known.
struct CommonTile {
    int b = 0, h = 0;
    Interval<int> rows, keys; // queries and keys of the head
    std::array<std::optional<Interval<Cycle>>, 2> cycles;
};

// Where the first op of a kind over a cell begins, in either run.
struct Move {
    std::size_t tile = 0; // of CommonTiles::tiles
    TileOp op;
    std::array<Cycle, 2> inRun {}, inTile {}; // since the run's, and the cell's, begin
    [[nodiscard]] Cycle shiftInRun() const { return inRun[1] - inRun[0]; }
    [[nodiscard]] Cycle shiftInTile() const { return inTile[1] - inTile[0]; }
};

// Where ops of a kind begin in their cells, over all cells of which both runs' cycles are known and in which both have
// such an op.
struct PlaceInTile {
    TileOp op;
    std::size_t tiles = 0;
    std::array<Cycle, 2> cycles {}; // since the cell's begin, added up
    [[nodiscard]] double mean(std::size_t run) const
    {
        return static_cast<double>(cycles[run]) / static_cast<double>(tiles);
    }
};

struct CommonTiles {
    std::vector<CommonTile> tiles; // by b, h, rows, keys; those that at least one run visits
    std::vector<Move> moves; // the largest, by shift in the cell, then in the run
    std::size_t moveCount = 0; // of all that are not 0
    std::vector<PlaceInTile> places; // in the order of a block's ops
};
// The runs work on the same sizes (compare_runs.h).
[[nodiscard]] CommonTiles commonTiles(const Run& a, const Run& b, std::size_t mostMoves);

} // namespace flashstep
