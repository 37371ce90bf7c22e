// SPDX-License-Identifier: Apache-2.0
#include "core/trace/state.h"

#include <algorithm>

namespace flashstep {

std::string_view name(TileState::Kind kind)
{
    constexpr std::array<std::string_view, 6> names { "untouched", "loading", "in SMEM", "computing", "done",
        "skipped" };
    return names[static_cast<std::size_t>(kind)];
}

TileState tileAt(const Trace& trace, int b, int h, int i, int j, Position p)
{
    const Program& program = trace.program();
    TileState tile;
    tile.cta = trace.ctaOfTile(b, h, i);
    const Stream& stream = program.streamOf(tile.cta);
    const Cta& cta = program.ctas[tile.cta.index()];
    if (stream.roles.empty())
        return tile;

    // The block's place among those the CTA visits, and which of its ops have run, over all roles.
    int loads = 0;
    int landed = 0;
    int products = 0;
    bool started = false;
    bool finished = true;
    for (const RoleRange& role : stream.roles) {
        const InstanceId current = trace.currentOp(tile.cta, role, p);
        bool done = false;
        for (std::uint32_t k = role.first; k < role.first + role.count; ++k) {
            const Op& op = program.ops[k];
            if (program.keyBlock(cta, op) != j)
                continue;
            tile.n = std::max(tile.n, op.n);
            const InstanceId instance = trace.instance(tile.cta, OpId(k));
            if (op.kind == OpKind::Load && op.tensor != TensorId::V) {
                ++loads;
                landed += trace.endedAt(instance, p) ? 1 : 0;
                started = started || trace.begunAt(instance, p);
            }
            if (op.kind == OpKind::Mma && trace.begunAt(instance, p))
                ++products;
            if (op.kind == OpKind::Mma && !op.transposed)
                done = trace.endedAt(instance, p);
        }
        finished = finished && done;
        (void)current;
    }
    const Problem& problem = program.problem;
    const int firstKey = j * program.tile.keys;
    for (int r = cta.row; r < cta.row + program.rowsInside(cta) && !tile.masked; ++r) {
        const Problem::KeyRange keys = problem.visibleKeys(r);
        tile.masked = keys.first > firstKey || keys.last < firstKey + program.keysInside(j);
    }
    if (tile.n == 0) {
        tile.kind = TileState::Kind::Skipped;
        return tile;
    }
    tile.fraction = loads > 0 ? static_cast<double>(landed) / loads : 1.0;
    if (finished)
        tile.kind = TileState::Kind::Done;
    else if (products > 0)
        tile.kind = TileState::Kind::Computing;
    else if (loads > 0 && landed == loads)
        tile.kind = TileState::Kind::InSmem;
    else if (started)
        tile.kind = TileState::Kind::Loading;
    return tile;
}

} // namespace flashstep
