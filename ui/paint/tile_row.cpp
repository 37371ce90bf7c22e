// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/tile_row.h"

#include <algorithm>

namespace flashstep::paint {

namespace {

struct Tally {
    int n = 0, loads = 0, landed = 0;
    bool started = false, computing = false;
    int rolesDone = 0; // roles whose last product with this block has ended
    bool done = false; // of the role under way
};

TileState stateOf(const Tally& tally, int roles)
{
    TileState tile;
    tile.n = tally.n;
    if (tally.n == 0) {
        tile.kind = TileState::Kind::Skipped;
        return tile;
    }
    tile.fraction = tally.loads > 0 ? static_cast<double>(tally.landed) / tally.loads : 1.0;
    if (tally.rolesDone == roles)
        tile.kind = TileState::Kind::Done;
    else if (tally.computing)
        tile.kind = TileState::Kind::Computing;
    else if (tally.loads > 0 && tally.landed == tally.loads)
        tile.kind = TileState::Kind::InSmem;
    else if (tally.started)
        tile.kind = TileState::Kind::Loading;
    return tile;
}

void count(const Trace& trace, InstanceId instance, const Op& op, Position p, Tally& tally)
{
    tally.n = std::max(tally.n, op.n);
    if (op.kind == OpKind::Load && op.tensor != TensorId::V) {
        ++tally.loads;
        tally.landed += trace.endedAt(instance, p) ? 1 : 0;
        tally.started = tally.started || trace.begunAt(instance, p);
    } else if (op.kind == OpKind::Mma) {
        tally.computing = tally.computing || trace.begunAt(instance, p);
        if (!op.transposed)
            tally.done = trace.endedAt(instance, p);
    }
}

} // namespace

std::vector<TileState> tileRow(const Trace& trace, int b, int h, int i, Position p)
{
    const Program& program = trace.program();
    const CtaId id = trace.ctaOfTile(b, h, i);
    const int blocks = program.keyBlocks();
    std::vector<TileState> states(static_cast<std::size_t>(blocks));
    if (!id.valid())
        return states;
    const Cta& cta = program.ctas[id.index()];
    const Stream& stream = program.streamOf(id);
    std::vector<Tally> tallies(static_cast<std::size_t>(blocks));
    for (const RoleRange& role : stream.roles) {
        const std::size_t first = trace.instance(id, OpId(role.first)).index();
        for (std::uint32_t k = 0; k < role.count; ++k) {
            const Op& op = program.ops[role.first + k];
            const int j = program.keyBlock(cta, op);
            if (j >= 0 && j < blocks)
                count(trace, InstanceId(first + k), op, p, tallies[static_cast<std::size_t>(j)]);
        }
        for (Tally& tally : tallies) {
            tally.rolesDone += tally.done ? 1 : 0;
            tally.done = false;
        }
    }
    // Both ends of the visible range grow with the row: the last row sees least to the left, the first to the right.
    const int rows = program.rowsInside(cta);
    const Problem::KeyRange top = program.problem.visibleKeys(cta.row),
                            bottom = program.problem.visibleKeys(cta.row + std::max(rows, 1) - 1);
    for (int j = 0; j < blocks; ++j) {
        TileState& state = states[static_cast<std::size_t>(j)];
        state = stateOf(tallies[static_cast<std::size_t>(j)], static_cast<int>(stream.roles.size()));
        state.cta = id;
        const int firstKey = j * program.tile.keys;
        state.masked = rows > 0 && (bottom.first > firstKey || top.last < firstKey + program.keysInside(j));
    }
    return states;
}

int walkDirection(const Trace& trace, int b, int h)
{
    int before = 0;
    for (const TileState& tile : tileRow(trace, b, h, trace.program().queryTiles() - 1, Position {})) {
        if (tile.n > 0 && before > 0)
            return before > tile.n ? -1 : 1;
        before = tile.n > 0 ? tile.n : before;
    }
    return 0;
}

} // namespace flashstep::paint
