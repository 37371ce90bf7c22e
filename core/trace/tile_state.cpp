// SPDX-License-Identifier: Apache-2.0
#include "core/trace/state.h"

#include <algorithm>

namespace flashstep {

std::string_view name(TileState::Kind kind)
{
    constexpr std::array<std::string_view, 7> names { "untouched", "loading", "in SMEM", "computing", "done", "skipped",
        "stored" };
    return names[static_cast<std::size_t>(kind)];
}

namespace {

// What has become of one key block, over all roles of the CTAs that work on it.
struct Tally {
    int n = 0;
    int ops = 0, begun = 0, ended = 0;
    int loads = 0, landed = 0;
    bool loading = false, product = false;
    int products = 0, productsEnded = 0; // with V
};

void count(const Trace& trace, InstanceId instance, const Op& op, Position p, Tally& tally)
{
    const bool begun = trace.begunAt(instance, p);
    const bool ended = trace.endedAt(instance, p);
    tally.n = std::max(tally.n, op.n);
    ++tally.ops;
    tally.begun += begun ? 1 : 0;
    tally.ended += ended ? 1 : 0;
    if (op.kind == OpKind::Load && op.tensor != TensorId::V) {
        ++tally.loads;
        tally.landed += ended ? 1 : 0;
        tally.loading = tally.loading || begun;
    }
    if (op.kind == OpKind::Mma) {
        tally.product = tally.product || begun;
    }
    if (op.step != Op::noStep) {
        ++tally.products;
        tally.productsEnded += ended ? 1 : 0;
    }
}

// Works of a launch on query tile i of a head. The last launch is indexed; those before it lie in order, some
// consecutive works for each tile.
struct WorkRange {
    std::size_t first = 0, last = 0;
};
WorkRange worksOfTile(const Program& program, std::size_t index, int b, int h, int i)
{
    const LaunchDecl& launch = program.launches[index];
    if (index + 1 == program.launches.size()) {
        const std::size_t first = program.tileWorks[program.tileIndex(b, h, i)];
        return { first, first + (launch.sweep > 0 ? 1U : static_cast<std::size_t>(launch.worksPerTile)) };
    }
    const Problem& p = program.problem;
    const std::size_t perHead = launch.workCount / static_cast<std::size_t>(p.batch * p.heads);
    const std::size_t head
        = static_cast<std::size_t>(h) * static_cast<std::size_t>(p.batch) + static_cast<std::size_t>(b);
    const auto perTile = static_cast<std::size_t>(launch.worksPerTile);
    const std::size_t begin = std::min(static_cast<std::size_t>(i) * perTile, perHead);
    const std::size_t end = std::min(begin + perTile, perHead);
    return { launch.firstWork + head * perHead + begin, launch.firstWork + head * perHead + end };
}

std::vector<Tally> tallyLaunch(const Trace& trace, std::size_t launch, int b, int h, int i, Position p)
{
    const Program& program = trace.program();
    std::vector<Tally> tallies(static_cast<std::size_t>(program.keyBlocks()));
    const WorkRange works = worksOfTile(program, launch, b, h, i);
    const bool sweep = program.launches[launch].severalTiles();
    for (std::size_t w = works.first; w < works.last; ++w) {
        if (!trace.hasEvents(WorkId(w)))
            continue;
        const Work& work = program.works[w];
        const auto countOps = [&](WorkId performer, bool theirProducts) {
            const Stream& stream = trace.streamOf(performer);
            const std::size_t first = trace.instance(performer, OpId(stream.firstOp)).index();
            for (std::uint32_t k = 0; k < stream.opCount; ++k) {
                const Op& op = program.ops[stream.firstOp + k];
                if (theirProducts && op.kind != OpKind::Mma)
                    continue;
                const bool shared = op.kind == OpKind::Load && (op.tensor == TensorId::K || op.tensor == TensorId::V);
                if (sweep && !shared && program.queryTile(work, op) != i) // K and V serve all query tiles of a sweep
                    continue;
                if (const int j = program.keyBlock(work, op); j >= 0)
                    count(trace, InstanceId(first + k), op, p, tallies[static_cast<std::size_t>(j)]);
            }
        };
        countOps(WorkId(w), false);
        if (const WorkId products = trace.productsOf(WorkId(w)); products != WorkId(w))
            countOps(products, true); // issued by the first CTA of the pair
    }
    return tallies;
}

// By the launch that makes O.
TileState::Kind kindOf(const Tally& tally)
{
    if (tally.n == 0)
        return TileState::Kind::Skipped;
    if (tally.products > 0 && tally.productsEnded == tally.products)
        return TileState::Kind::Done;
    if (tally.product)
        return TileState::Kind::Computing;
    if (tally.loads > 0 && tally.landed == tally.loads)
        return TileState::Kind::InSmem;
    return tally.loading ? TileState::Kind::Loading : TileState::Kind::Untouched;
}

// By a launch before that one, while the tile waits for the last.
void lookEarlier(TileState& tile, const Tally& tally)
{
    if (tile.kind != TileState::Kind::Untouched || tally.begun == 0)
        return;
    tile.fraction = tally.loads > 0 ? static_cast<double>(tally.landed) / tally.loads : 1.0;
    if (tally.ended == tally.ops)
        tile.kind = TileState::Kind::Stored;
    else
        tile.kind = tally.landed == tally.loads ? TileState::Kind::Computing : TileState::Kind::Loading;
}

} // namespace

std::vector<TileState> tilesAt(const Trace& trace, int b, int h, int i, Position p)
{
    const Program& program = trace.program();
    const CtaId owner = trace.ctaOfTile(b, h, i);
    const int firstRow = i * program.tile.rows;
    std::vector<TileState> tiles(static_cast<std::size_t>(program.keyBlocks()));
    const std::vector<Tally> last = tallyLaunch(trace, program.launches.size() - 1, b, h, i, p);
    // Both ends of what a row sees grow with the row: the last row sees least to the left, the first to the right.
    const int rows = std::min(program.tile.rows, program.headRows() - firstRow);
    const Problem::KeyRange top = program.problem.visibleKeys(program.queryRow(h, firstRow).row);
    const Problem::KeyRange bottom
        = program.problem.visibleKeys(program.queryRow(h, firstRow + std::max(rows, 1) - 1).row);
    for (std::size_t j = 0; j < tiles.size(); ++j) {
        TileState& tile = tiles[j];
        tile.cta = owner;
        tile.n = last[j].n;
        tile.kind = kindOf(last[j]);
        tile.fraction = last[j].loads > 0 ? static_cast<double>(last[j].landed) / last[j].loads : 1.0;
        const int firstKey = static_cast<int>(j) * program.tile.keys;
        tile.masked
            = rows > 0 && (bottom.first > firstKey || top.last < firstKey + program.keysInside(static_cast<int>(j)));
    }
    for (std::size_t launch = program.launches.size() - 1; launch-- > 0;) {
        const std::vector<Tally> earlier = tallyLaunch(trace, launch, b, h, i, p);
        for (std::size_t j = 0; j < tiles.size(); ++j)
            lookEarlier(tiles[j], earlier[j]);
    }
    return tiles;
}

TileState tileAt(const Trace& trace, int b, int h, int i, int j, Position p)
{
    return tilesAt(trace, b, h, i, p)[static_cast<std::size_t>(j)];
}

} // namespace flashstep
