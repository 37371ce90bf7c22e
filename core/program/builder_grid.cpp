// SPDX-License-Identifier: Apache-2.0
#include "core/program/builder.h"
#include "core/program/samples.h"

#include <algorithm>
#include <set>
#include <utility>

namespace flashstep {

// ---- the grid: which work tiles there are, and in which order they are handed out -----------------------------------

void Launch::recordStream(int i, int j, int position, int rank, const std::function<void(CtaScope&)>& body)
{
    Program& program = m_kernel.m_program;
    CtaScope cta(*this);
    cta.i = i;
    cta.j = j;
    cta.position = position;
    cta.rank = rank;
    cta.m_stream.firstOp = static_cast<std::uint32_t>(program.ops.size());
    body(cta);
    cta.m_stream.opCount = static_cast<std::uint32_t>(program.ops.size()) - cta.m_stream.firstOp;
    for (std::uint32_t k = 0; k < cta.m_stream.opCount; ++k)
        cta.m_stream.visitedBlocks = std::max(cta.m_stream.visitedBlocks, program.ops[cta.m_stream.firstOp + k].n);
    program.streams.push_back(std::move(cta.m_stream));
}

StreamId Launch::record(const std::vector<int>& shape, int i, int j, const std::function<void(CtaScope&)>& body)
{
    if (const auto known = m_shapes.find(shape); known != m_shapes.end())
        return known->second;
    auto& streams = m_kernel.m_program.streams;
    const StreamId id(streams.size());
    const int ranks = decl().pairs ? decl().clusterSize : 1;
    for (int rank = 0; rank < ranks; ++rank)
        for (int position = 0; position < decl().ringPositions; ++position)
            recordStream(i + rank, j, position, rank, body);
    const auto positions = static_cast<std::size_t>(decl().ringPositions);
    for (std::size_t k = id.index(); k < streams.size(); ++k) {
        const std::size_t other = ranks == 1 ? k : k < id.index() + positions ? k + positions : k - positions;
        streams[k].turns = turnsOf(streams[k], streams[other]);
    }
    m_shapes.emplace(shape, id);
    return id;
}

// A shape without ops: its time is known from others. What is asked of it is how many blocks it sees; where the kernel
// visits all (standard attention), those that are measured all take the time of the longest.
StreamId Launch::leaveOut(const std::vector<int>& shape, int blocks)
{
    auto& streams = m_kernel.m_program.streams;
    const StreamId id(streams.size());
    Stream empty;
    empty.firstOp = static_cast<std::uint32_t>(m_kernel.m_program.ops.size());
    empty.visitedBlocks = blocks;
    empty.turns.assign(m_kernel.m_program.barriers.size(), 0);
    streams.insert(
        streams.end(), static_cast<std::size_t>(decl().ringPositions * (decl().pairs ? decl().clusterSize : 1)), empty);
    m_shapes.emplace(shape, id);
    return id;
}

// Turns of each barrier that one work tile completes: what arrives within it, by what a turn takes; in a cluster the
// other CTA's arrivals too. Ops of the first or the last work tile alone only shift where a turn begins.
std::vector<std::int32_t> Launch::turnsOf(const Stream& own, const Stream& peer) const
{
    const Program& program = m_kernel.m_program;
    std::vector<std::int64_t> arrived(program.barriers.size(), 0);
    const auto count = [&](const Stream& stream, bool here) {
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const Op& op = program.ops[k];
            const bool reaches = here ? op.reach != Reach::Peer || op.kind == OpKind::Load : op.reach != Reach::Own;
            if (!op.barrier.valid() || op.when != When::Always || op.kind == OpKind::Wait || !reaches)
                continue;
            for (std::size_t b = op.barrier.index(); b < op.barrier.index() + op.barriers; ++b) {
                const BarrierDecl& barrier = program.barriers[b];
                if (barrier.countsBytes()) // one announcement a turn
                    arrived[b] += op.kind == OpKind::Arrive ? barrier.count : 0;
                else
                    arrived[b] += op.arrivals;
            }
        }
    };
    count(own, true);
    if (decl().clusterSize > 1)
        count(peer, false);
    std::vector<std::int32_t> turns(program.barriers.size(), 0);
    for (std::size_t b = 0; b < turns.size(); ++b)
        turns[b] = static_cast<std::int32_t>(arrived[b] / program.barriers[b].count);
    return turns;
}

void Launch::place(StreamId stream, int b, int h, int i, int j)
{
    Program& program = m_kernel.m_program;
    LaunchDecl& launch = decl();
    const int row = i * launch.queryRows;
    program.works.push_back({ stream, static_cast<std::uint8_t>(m_index), b, h, row / program.tile.rows, j, row });
    ++launch.workCount;
    const auto all = static_cast<int>(launch.workCount);
    const int resident = std::max(launch.clusterSize, m_kernel.setting().sms / launch.clusterSize * launch.clusterSize);
    launch.ctaCount
        = static_cast<std::uint32_t>(launch.schedule == Schedule::SingleTile ? all : std::min(all, resident));
}

namespace {

struct Head {
    int b = 0, h = 0;
};

std::vector<Head> headsOf(const Program& program, bool batchFastest)
{
    std::vector<Head> heads;
    const int groups = program.groups();
    const int outer = batchFastest ? groups : program.problem.batch;
    const int inner = batchFastest ? program.problem.batch : groups;
    for (int x = 0; x < outer; ++x)
        for (int y = 0; y < inner; ++y)
            heads.push_back(batchFastest ? Head { y, x * program.packed } : Head { x, y * program.packed });
    return heads;
}

// Heads whose K and V stay in L2 together: the largest power of two of KV heads that fit in a section of it, times the
// query heads that read each. [FlashAttention hopper/tile_scheduler.hpp, flash_attn/cute/tile_scheduler.py]
int headsPerSection(const Program& program, Bytes section)
{
    const Problem& p = program.problem;
    const Bytes perHead = static_cast<Bytes>(p.seqlenK) * (p.headDim + p.headDimV) * bytesOf(p.costedDtype());
    int heads = 1;
    while (2 * heads * perHead <= section && heads < p.batch * p.kvHeads)
        heads *= 2;
    return heads * (p.heads / p.kvHeads) / program.packed;
}

} // namespace

void Launch::overQueryTiles(const std::function<void(CtaScope&)>& body, Order order, Bytes section)
{
    const Program& program = m_kernel.m_program;
    const int rows = decl().queryRows;
    decl().worksPerTile = program.tile.rows / rows;
    // Works that begin together: one, or those of a pair of CTAs.
    const int together = decl().pairs ? decl().clusterSize : 1;
    const int groupRows = rows * decl().tilesPerWork * together;
    const int groups = (program.headRows() + groupRows - 1) / groupRows;
    // Heads differ in nothing but their number, so a group's stream is looked up once.
    std::vector<std::vector<int>> shapes;
    std::set<int> visited;
    for (int g = 0; g < groups; ++g) {
        const int row = g * groupRows;
        shapes.push_back({ std::min(groupRows, program.headRows() - row) });
        for (const VisitedBlock& block : blocksRightToLeft(row / program.tile.rows))
            shapes.back().push_back(2 * block.j + (block.masked ? 1 : 0));
        visited.insert(static_cast<int>(shapes.back().size()) - 1);
    }
    const std::set<int> sampled = m_kernel.setting().samplesOnly ? sampledBlocks(visited) : visited;
    std::vector<std::optional<StreamId>> streams(static_cast<std::size_t>(groups));
    const auto streamOf = [&](int g) {
        const std::vector<int>& shape = shapes[static_cast<std::size_t>(g)];
        const int blocks = static_cast<int>(shape.size()) - 1;
        if (const auto known = m_shapes.find(shape); known != m_shapes.end())
            return known->second;
        return sampled.contains(blocks) ? record(shape, g * groupRows / rows, 0, body) : leaveOut(shape, blocks);
    };
    const auto placeGroup = [&](const Head& head, int g) {
        std::optional<StreamId>& stream = streams[static_cast<std::size_t>(g)];
        if (!stream)
            stream = streamOf(g);
        const int first = g * groupRows / rows;
        for (int rank = 0; rank < together; ++rank)
            place(StreamId(stream->index() + static_cast<std::size_t>(rank * decl().ringPositions)), head.b, head.h,
                first + rank, 0);
    };
    const std::vector<Head> heads = headsOf(program, order == Order::TilesBatchHeads);
    if (order != Order::LongestFirst) {
        for (const Head& head : heads)
            for (int g = 0; g < groups; ++g)
                placeGroup(head, g);
        return;
    }
    // The last tiles see most keys under a causal mask, so they go first; inside a section heads vary fastest.
    const auto perSection = static_cast<std::size_t>(headsPerSection(program, section));
    for (std::size_t first = 0; first < heads.size(); first += perSection)
        for (int g = groups - 1; g >= 0; --g)
            for (std::size_t k = first; k < std::min(first + perSection, heads.size()); ++k)
                placeGroup(heads[k], g);
}

void Launch::overScoreTiles(const std::function<void(CtaScope&)>& body)
{
    const Program& program = m_kernel.m_program;
    decl().worksPerTile = program.keyBlocks();
    for (const Head& head : headsOf(program, true))
        for (int i = 0; i < program.queryTiles(); ++i)
            for (int j = 0; j < program.keyBlocks(); ++j) {
                const int rows = std::min(program.tile.rows, program.problem.seqlenQ - i * program.tile.rows);
                place(record({ rows, program.keysInside(j) }, i, j, body), head.b, head.h, i, j);
            }
}

void Launch::overHeads(int splits, const std::function<void(CtaScope&)>& body)
{
    const Program& program = m_kernel.m_program;
    const int shares = std::min(splits, program.queryTiles());
    decl().sweep = shares;
    for (int s = 0; s < shares; ++s)
        for (const Head& head : headsOf(program, true))
            place(record({ s }, s, 0, body), head.b, head.h, s, 0);
}

void Launch::overHeadsInPart(int splits, const std::vector<int>& visits, const std::function<int(CtaScope&)>& body)
{
    const auto [fewest, most] = std::minmax_element(visits.begin(), visits.begin() + splits);
    decl().sweep = splits;
    for (int s = 0; s < splits; ++s) {
        const int all = visits[static_cast<std::size_t>(s)];
        int recorded = 0;
        const bool isSample = s == fewest - visits.begin() || s == most - visits.begin();
        const StreamId id
            = isSample ? record({ s }, s, 0, [&](CtaScope& cta) { recorded = body(cta); }) : leaveOut({ s }, all);
        Stream& stream = m_kernel.m_program.streams[id.index()];
        stream.visitedBlocks = all;
        stream.standsFor = recorded > 0 ? static_cast<double>(all) / recorded : 1;
        for (const Head& head : headsOf(m_kernel.m_program, true))
            place(id, head.b, head.h, s, 0);
    }
}

std::vector<VisitedBlock> Launch::blocksLeftToRight(int i) const
{
    std::vector<VisitedBlock> blocks = blocksRightToLeft(i);
    std::reverse(blocks.begin(), blocks.end());
    for (std::size_t k = 0; k < blocks.size(); ++k) {
        blocks[k].n = static_cast<int>(k) + 1;
        blocks[k].first = k == 0;
        blocks[k].last = k + 1 == blocks.size();
    }
    return blocks;
}

std::vector<VisitedBlock> Launch::allBlocks() const
{
    const int count = m_kernel.m_program.keyBlocks();
    std::vector<VisitedBlock> blocks;
    for (int j = 0; j < count; ++j)
        blocks.push_back({ j, j + 1, j == 0, j == count - 1, true, 0 });
    return blocks;
}

// n_block_min, n_block_max and the masked iterations of kernels like FlashAttention-2's. [flash_fwd_kernel.h]
std::vector<VisitedBlock> Launch::blocksRightToLeft(int i) const
{
    const Program& program = m_kernel.m_program;
    const Problem& p = program.problem;
    const int N = program.tile.keys;
    // Query tiles of one work share a range of blocks. In queries, not rows, where heads are packed.
    const int together = decl().tilesPerWork * (decl().pairs ? decl().clusterSize : 1);
    const std::int64_t firstRow = std::int64_t { i / together * together } * program.tile.rows;
    const std::int64_t firstQuery = firstRow / program.packed;
    const std::int64_t lastQuery = (firstRow + std::int64_t { together } * program.tile.rows - 1) / program.packed;
    const int M = static_cast<int>(lastQuery - firstQuery) + 1;
    const std::int64_t shift = p.shift(); // 64 bits: a window may be as wide as an int
    const auto ceilDiv
        = [](std::int64_t a, std::int64_t b) { return static_cast<int>(a >= 0 ? (a + b - 1) / b : -(-a / b)); };

    std::int64_t keys = p.seqlenK; // one past the rightmost that any row of the tile could see
    if (p.mask.kind != MaskKind::None)
        keys = std::min(keys, lastQuery + 1 + shift + (p.mask.kind == MaskKind::Window ? p.mask.right : 0));
    const int last = ceilDiv(keys, N); // one past the rightmost block
    int first = 0;
    if (p.mask.kind == MaskKind::Window)
        first = static_cast<int>(std::max<std::int64_t>(0, (firstQuery + shift - p.mask.left) / N));

    // The kernels' tiles divide each other; shown ones need not, and then the diagonal may cross one block more.
    const bool nested = M % N == 0 || N % M == 0;
    const bool even = p.seqlenQ % M == 0 && p.seqlenK % N == 0 && nested && p.headDim <= 128
        && p.mask.kind != MaskKind::Window && program.packed == 1;
    int maskSteps = 0;
    switch (p.mask.kind) {
    case MaskKind::None:
        maskSteps = even || p.seqlenK % N == 0 ? 0 : 1; // the one masked step of an even kernel masks nothing
        break;
    case MaskKind::Causal:
        maskSteps = ceilDiv(M, N) + (even ? 0 : 1);
        break;
    case MaskKind::Window:
        maskSteps = last - first;
        break;
    }

    std::vector<VisitedBlock> blocks;
    for (int j = last - 1; j >= first; --j) {
        const int n = last - j;
        blocks.push_back({ j, n, n == 1, j == first, n <= maskSteps, 0 });
    }
    return blocks;
}

} // namespace flashstep
