// SPDX-License-Identifier: Apache-2.0
#include "core/program/builder.h"

#include <algorithm>
#include <utility>

namespace flashstep {

// ---- the grid: which work tiles there are, and in which order they are handed out -----------------------------------

void Launch::recordStream(int i, int j, int position, const std::function<void(CtaScope&)>& body)
{
    Program& program = m_kernel.m_program;
    CtaScope cta(*this);
    cta.i = i;
    cta.j = j;
    cta.position = position;
    cta.m_stream.firstOp = static_cast<std::uint32_t>(program.ops.size());
    body(cta);
    cta.m_stream.opCount = static_cast<std::uint32_t>(program.ops.size()) - cta.m_stream.firstOp;
    for (std::uint32_t k = 0; k < cta.m_stream.opCount; ++k)
        cta.m_stream.visitedBlocks = std::max(cta.m_stream.visitedBlocks, program.ops[cta.m_stream.firstOp + k].n);
    cta.m_stream.turns = turnsOf(cta.m_stream);
    program.streams.push_back(std::move(cta.m_stream));
}

StreamId Launch::record(const std::vector<int>& shape, int i, int j, const std::function<void(CtaScope&)>& body)
{
    if (const auto known = m_shapes.find(shape); known != m_shapes.end())
        return known->second;
    const StreamId id(m_kernel.m_program.streams.size());
    for (int position = 0; position < decl().ringPositions; ++position)
        recordStream(i, j, position, body);
    m_shapes.emplace(shape, id);
    return id;
}

// Turns of each barrier that one work tile completes: what arrives within it, by what a turn takes. Ops of the first
// or the last work tile alone only shift where a turn begins.
std::vector<std::int32_t> Launch::turnsOf(const Stream& stream) const
{
    const Program& program = m_kernel.m_program;
    std::vector<std::int64_t> arrived(program.barriers.size(), 0);
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const Op& op = program.ops[k];
        if (!op.barrier.valid() || op.when != When::Always || op.kind == OpKind::Wait)
            continue;
        const BarrierDecl& barrier = program.barriers[op.barrier.index()];
        if (barrier.countsBytes()) // one announcement a turn
            arrived[op.barrier.index()] += op.kind == OpKind::Arrive ? barrier.count : 0;
        else
            arrived[op.barrier.index()] += op.arrivals * (op.reach == Reach::Both ? decl().clusterSize : 1);
    }
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

std::vector<Head> headsOf(const Problem& p, bool batchFastest)
{
    std::vector<Head> heads;
    const int outer = batchFastest ? p.heads : p.batch;
    const int inner = batchFastest ? p.batch : p.heads;
    for (int x = 0; x < outer; ++x)
        for (int y = 0; y < inner; ++y)
            heads.push_back(batchFastest ? Head { y, x } : Head { x, y });
    return heads;
}

// Heads whose K and V stay in L2 together: the largest power of two of KV heads that fit in 32 MB, times the query
// heads that read each. [FlashAttention hopper/tile_scheduler.hpp]
int headsPerSection(const Problem& p)
{
    const Bytes perHead = static_cast<Bytes>(p.seqlenK) * (p.headDim + p.headDimV) * bytesOf(p.costedDtype());
    constexpr Bytes section = Bytes { 32 } * 1024 * 1024;
    int heads = 1;
    while (2 * heads * perHead <= section && heads < p.batch * p.kvHeads)
        heads *= 2;
    return heads * (p.heads / p.kvHeads);
}

} // namespace

void Launch::overQueryTiles(const std::function<void(CtaScope&)>& body, Order order)
{
    const Program& program = m_kernel.m_program;
    const Problem& p = program.problem;
    const int rows = decl().queryRows;
    decl().worksPerTile = program.tile.rows / rows;
    const int tiles = (p.seqlenQ + rows - 1) / rows;
    const auto placeTile = [&](const Head& head, int i) {
        const int row = i * rows;
        std::vector<int> shape { std::min(rows, p.seqlenQ - row) };
        for (const VisitedBlock& block : blocksRightToLeft(row / program.tile.rows))
            shape.push_back(2 * block.j + (block.masked ? 1 : 0));
        place(record(shape, i, 0, body), head.b, head.h, i, 0);
    };
    const std::vector<Head> heads = headsOf(p, order == Order::TilesBatchHeads);
    if (order != Order::LongestFirst) {
        for (const Head& head : heads)
            for (int i = 0; i < tiles; ++i)
                placeTile(head, i);
        return;
    }
    // The last tiles see most keys under a causal mask, so they go first; inside a section heads vary fastest.
    const auto section = static_cast<std::size_t>(headsPerSection(p));
    for (std::size_t first = 0; first < heads.size(); first += section)
        for (int i = tiles - 1; i >= 0; --i)
            for (std::size_t k = first; k < std::min(first + section, heads.size()); ++k)
                placeTile(heads[k], i);
}

void Launch::overScoreTiles(const std::function<void(CtaScope&)>& body)
{
    const Program& program = m_kernel.m_program;
    decl().worksPerTile = program.keyBlocks();
    for (const Head& head : headsOf(program.problem, true))
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
        for (const Head& head : headsOf(program.problem, true))
            place(record({ s }, s, 0, body), head.b, head.h, s, 0);
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
    const int M = program.tile.rows;
    const int N = program.tile.keys;
    const std::int64_t shift = p.shift(); // 64 bits: a window may be as wide as an int
    const auto ceilDiv
        = [](std::int64_t a, std::int64_t b) { return static_cast<int>(a >= 0 ? (a + b - 1) / b : -(-a / b)); };

    std::int64_t keys = p.seqlenK; // one past the rightmost that any row of the tile could see
    if (p.mask.kind != MaskKind::None)
        keys = std::min(keys, (i + 1) * M + shift + (p.mask.kind == MaskKind::Window ? p.mask.right : 0));
    const int last = ceilDiv(keys, N); // one past the rightmost block
    int first = 0;
    if (p.mask.kind == MaskKind::Window)
        first = static_cast<int>(std::max<std::int64_t>(0, (i * M + shift - p.mask.left) / N));

    // The kernels' tiles divide each other; shown ones need not, and then the diagonal may cross one block more.
    const bool nested = M % N == 0 || N % M == 0;
    const bool even
        = p.seqlenQ % M == 0 && p.seqlenK % N == 0 && nested && p.headDim <= 128 && p.mask.kind != MaskKind::Window;
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
