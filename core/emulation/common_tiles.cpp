// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/common_tiles.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <tuple>

namespace flashstep {

namespace {

// Queries of one head before row `row` of those that it is packed with: its own rows are place, place + packed, …
int queriesBefore(const Program& program, int place, int row)
{
    return std::min((row - place + program.packed - 1) / program.packed, program.problem.seqlenQ);
}

constexpr std::array<TileOp, 10> tileOps { { { OpKind::Mma, true }, { OpKind::Mask }, { OpKind::RowMax },
    { OpKind::Rescale }, { OpKind::Exp2 }, { OpKind::RowSum }, { OpKind::Convert }, { OpKind::Reduce },
    { OpKind::Mma, false }, { OpKind::Normalise } } };
constexpr std::size_t noTileOp = tileOps.size();

std::size_t tileOpOf(const Op& op)
{
    const TileOp wanted { op.kind, op.kind == OpKind::Mma && op.transposed };
    return static_cast<std::size_t>(std::find(tileOps.begin(), tileOps.end(), wanted) - tileOps.begin());
}

// Whether an op runs over the scores of its query tile and key block. What moves a key block alone does not.
bool isOverTile(const Program& program, const Op& op)
{
    if (op.j < 0)
        return false;
    const auto isKeyBlock = [&](BufferId buffer) {
        return buffer.valid() && program.buffers[buffer.index()].tile == BufferDecl::Tile::Key;
    };
    switch (op.kind) {
    case OpKind::Load:
    case OpKind::Store:
        return op.tensor == TensorId::S || op.tensor == TensorId::P;
    case OpKind::Stage:
        return !isKeyBlock(op.out) && !isKeyBlock(op.in[0]);
    default:
        return tileOpOf(op) != noTileOp;
    }
}

// The cells, numbered by (b, h, rows, keys).
class Cells {
public:
    Cells(const Program& a, const Program& b)
        : m_keys(commonEdges(keyEdges(a), keyEdges(b)))
    {
        for (int h = 0; h < a.problem.heads; ++h) {
            m_first.push_back(m_perBatch);
            m_rows.push_back(commonEdges(rowEdges(a, h), rowEdges(b, h)));
            m_perBatch += (m_rows.back().size() - 1) * (m_keys.size() - 1);
        }
        m_count = m_perBatch * static_cast<std::size_t>(a.problem.batch);
    }

    [[nodiscard]] std::size_t count() const { return m_count; }
    [[nodiscard]] std::size_t at(int b, int h, int query, int key) const
    {
        return static_cast<std::size_t>(b) * m_perBatch + m_first[static_cast<std::size_t>(h)]
            + place(m_rows[static_cast<std::size_t>(h)], query) * (m_keys.size() - 1) + place(m_keys, key);
    }
    template <typename Visit> void forEach(int batch, Visit visit) const
    {
        std::size_t cell = 0;
        for (int b = 0; b < batch; ++b)
            for (std::size_t h = 0; h < m_rows.size(); ++h)
                for (std::size_t r = 0; r + 1 < m_rows[h].size(); ++r)
                    for (std::size_t k = 0; k + 1 < m_keys.size(); ++k)
                        visit(cell++,
                            CommonTile { b, static_cast<int>(h), { m_rows[h][r], m_rows[h][r + 1] },
                                { m_keys[k], m_keys[k + 1] }, {} });
    }

private:
    [[nodiscard]] static std::size_t place(const std::vector<int>& edges, int at)
    {
        return static_cast<std::size_t>(std::upper_bound(edges.begin(), edges.end(), at) - edges.begin()) - 1;
    }

    std::vector<int> m_keys;
    std::vector<std::vector<int>> m_rows; // by head
    std::vector<std::size_t> m_first; // by head: its first cell in a batch
    std::size_t m_perBatch = 0, m_count = 0;
};

constexpr Cycle unseen = std::numeric_limits<Cycle>::max();

// What a run does in a cell.
struct Doings {
    bool visited = false; // also where no events are known
    Cycle begin = unseen, end = 0;
    std::array<Cycle, tileOps.size()> ops = filled(); // where the first of each begins
    [[nodiscard]] bool known() const { return begin != unseen; }

private:
    static constexpr std::array<Cycle, tileOps.size()> filled()
    {
        std::array<Cycle, tileOps.size()> all {};
        all.fill(unseen);
        return all;
    }
};

class Collector {
public:
    Collector(const Run& run, const Cells& cells)
        : t(*run.trace)
        , m_program(*run.program)
        , m_cells(cells)
        , m_doings(cells.count())
    {
    }

    std::vector<Doings> take()
    {
        for (std::size_t k = 0; k < m_program.works.size(); ++k) {
            const WorkId work(k);
            addOps(work, work);
            if (const WorkId first = t.productsOf(work); first != work)
                addOps(first, work); // the first CTA of a pair issues the products of both
        }
        return std::move(m_doings);
    }

private:
    // Ops of `work` over the rows of `rows`.
    void addOps(WorkId work, WorkId rows)
    {
        const Stream& stream = t.streamOf(work);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const Op& op = m_program.ops[k];
            const bool reaches = work == rows || (op.kind == OpKind::Mma && op.reach == Reach::Both);
            if (reaches && isOverTile(m_program, op))
                addOp(work, OpId(k), op, m_program.work(rows));
        }
    }

    void addOp(WorkId work, OpId id, const Op& op, const Work& rows)
    {
        const int first = m_program.firstRow(rows, op);
        const int end = first + m_program.launches[rows.launch].queryRows;
        const int key = m_program.keyBlock(m_program.work(work), op) * m_program.tile.keys;
        for (int place = 0; place < m_program.packed; ++place) {
            const int query = queriesBefore(m_program, place, first);
            if (query < queriesBefore(m_program, place, end))
                add(m_doings[m_cells.at(rows.b, rows.h + place, query, key)], work, id, op);
        }
    }

    void add(Doings& doings, WorkId work, OpId id, const Op& op) const
    {
        doings.visited = true;
        if (!t.hasEvents(work))
            return;
        const InstanceId instance = t.instance(work, id);
        if (!t.began(instance))
            return;
        const Cycle begin = t.beginCycle(instance);
        doings.begin = std::min(doings.begin, begin);
        doings.end = std::max(doings.end, t.endCycle(instance));
        if (const std::size_t which = tileOpOf(op); which != noTileOp)
            doings.ops[which] = std::min(doings.ops[which], begin);
    }

    const Trace& t;
    const Program& m_program;
    const Cells& m_cells;
    std::vector<Doings> m_doings;
};

// `out.places` has an entry for each kind.
void addMoves(CommonTiles& out, const Doings& a, const Doings& b)
{
    for (std::size_t k = 0; k < tileOps.size(); ++k) {
        if (a.ops[k] == unseen || b.ops[k] == unseen)
            continue;
        const Move move { out.tiles.size() - 1, tileOps[k], { a.ops[k], b.ops[k] },
            { a.ops[k] - a.begin, b.ops[k] - b.begin } };
        PlaceInTile& place = out.places[k];
        ++place.tiles;
        for (std::size_t run = 0; run < 2; ++run)
            place.cycles[run] += move.inTile[run];
        if (move.shiftInTile() != 0 || move.shiftInRun() != 0)
            out.moves.push_back(move);
    }
}

// The same order whichever run comes first.
bool isLarger(const Move& a, const Move& b)
{
    const auto key = [](const Move& move) {
        const auto op = std::find(tileOps.begin(), tileOps.end(), move.op) - tileOps.begin();
        return std::tuple(-std::abs(move.shiftInTile()), -std::abs(move.shiftInRun()), move.tile, op);
    };
    return key(a) < key(b);
}

} // namespace

std::vector<int> rowEdges(const Program& program, int head)
{
    std::vector<int> edges;
    for (int i = 0; i <= program.queryTiles(); ++i)
        edges.push_back(queriesBefore(program, head % program.packed, i * program.tile.rows));
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    return edges;
}

std::vector<int> keyEdges(const Program& program)
{
    std::vector<int> edges;
    for (int j = 0; j <= program.keyBlocks(); ++j)
        edges.push_back(std::min(j * program.tile.keys, program.problem.seqlenK));
    return edges;
}

std::vector<int> commonEdges(const std::vector<int>& a, const std::vector<int>& b)
{
    std::vector<int> common;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
    return common;
}

CommonTiles commonTiles(const Run& a, const Run& b, std::size_t mostMoves)
{
    const Cells cells(*a.program, *b.program);
    const std::array<std::vector<Doings>, 2> doings { Collector(a, cells).take(), Collector(b, cells).take() };
    CommonTiles out;
    for (const TileOp& op : tileOps)
        out.places.push_back({ op });
    cells.forEach(a.program->problem.batch, [&](std::size_t cell, CommonTile tile) {
        const Doings& first = doings[0][cell];
        const Doings& second = doings[1][cell];
        if (!first.visited && !second.visited)
            return;
        for (std::size_t run = 0; run < 2; ++run)
            if (const Doings& one = doings[run][cell]; one.known())
                tile.cycles[run] = { one.begin, one.end };
        out.tiles.push_back(tile);
        if (first.known() && second.known())
            addMoves(out, first, second);
    });
    std::erase_if(out.places, [](const PlaceInTile& place) { return place.tiles == 0; });
    out.moveCount = out.moves.size();
    const auto kept = static_cast<std::ptrdiff_t>(std::min(mostMoves, out.moves.size()));
    std::partial_sort(out.moves.begin(), out.moves.begin() + kept, out.moves.end(), isLarger);
    out.moves.resize(static_cast<std::size_t>(kept));
    return out;
}

} // namespace flashstep
