// SPDX-License-Identifier: Apache-2.0
#include "core/program/builder.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace flashstep {

// ---- CtaScope -------------------------------------------------------------------------------------------------------

void CtaScope::eachWarp(const std::function<void(Warp&)>& body)
{
    Program& program = m_launch.m_kernel.m_program;
    for (int w = 0; w < m_launch.warps(); ++w) {
        const auto first = static_cast<std::uint32_t>(program.ops.size());
        Warp warp(*this, w);
        body(warp);
        const auto count = static_cast<std::uint32_t>(program.ops.size()) - first;
        m_stream.roles.push_back({ RoleId(static_cast<std::size_t>(w)), first, count });
    }
}

// ---- Launch ---------------------------------------------------------------------------------------------------------

BufferId Launch::add(BufferDecl decl)
{
    const Program& program = m_kernel.m_program;
    const LaunchDecl& launch = program.launches[static_cast<std::size_t>(m_index)];
    decl.launch = static_cast<std::uint8_t>(m_index);
    decl.rows = decl.tile == Tile::Key ? program.tile.keys : launch.queryRows;
    m_kernel.m_program.buffers.push_back(std::move(decl));
    return BufferId(m_kernel.m_program.buffers.size() - 1);
}

BufferId Launch::smem(std::string name, Tile tile, int cols, DType dtype)
{
    const Program& program = m_kernel.m_program;
    LaunchDecl& launch = m_kernel.m_program.launches[static_cast<std::size_t>(m_index)];
    const TileSize cost = program.costTile;
    const int costRows = tile == Tile::Key ? cost.keys : cost.rows / (program.tile.rows / launch.queryRows);
    const int costCols
        = tile == Tile::Pair ? cost.keys : paddedHeadDim(cols); // along the keys: what the real kernel's block has
    BufferDecl decl;
    decl.name = std::move(name);
    decl.space = Space::Smem;
    decl.dtype = dtype;
    decl.cols = cols;
    decl.tile = tile;
    decl.costedBytes = static_cast<Bytes>(costRows) * costCols * bytesOf(dtype == DType::Fp32 ? DType::Bf16 : dtype);
    launch.smemBytes += decl.costedBytes;
    return add(std::move(decl));
}

BufferId Launch::smemRow(std::string name)
{
    const Program& program = m_kernel.m_program;
    LaunchDecl& launch = m_kernel.m_program.launches[static_cast<std::size_t>(m_index)];
    const int costRows = program.costTile.rows / (program.tile.rows / launch.queryRows);
    BufferDecl decl;
    decl.name = std::move(name);
    decl.space = Space::Smem;
    decl.dtype = DType::Fp32;
    decl.cols = program.keyBlocks() * program.tile.keys;
    decl.tile = Tile::Pair;
    decl.wholeRow = true;
    decl.costedBytes
        = static_cast<Bytes>(costRows) * program.keyBlocks() * program.costTile.keys * bytesOf(DType::Fp32);
    launch.smemBytes += decl.costedBytes;
    return add(std::move(decl));
}

BufferId Launch::smemAlias(std::string name, BufferId of, int cols, DType dtype)
{
    BufferDecl decl;
    decl.name = std::move(name);
    decl.space = Space::Smem;
    decl.dtype = dtype;
    decl.cols = cols;
    decl.tile = m_kernel.m_program.buffers[of.index()].tile;
    decl.aliases = of;
    return add(std::move(decl));
}

BufferId Launch::registers(std::string name, Tile tile, int cols, DType dtype)
{
    BufferDecl decl;
    decl.name = std::move(name);
    decl.space = Space::Registers;
    decl.dtype = dtype;
    decl.cols = cols;
    decl.tile = tile;
    return add(std::move(decl));
}

BarrierId Launch::barrier(std::string name)
{
    auto& barriers = m_kernel.m_program.barriers;
    barriers.push_back({ std::move(name), "threads", 32 * m_warps, 32 });
    return BarrierId(barriers.size() - 1);
}

WaitId Launch::wait(std::string name, BarrierId barrier, std::string reason, std::vector<std::string> impliedBy)
{
    auto& waits = m_kernel.m_program.waits;
    waits.push_back({ std::move(name), barrier, 0, std::move(impliedBy), std::move(reason) });
    return WaitId(waits.size() - 1);
}

RowSetId Launch::queryRows(int warp)
{
    const int rows = m_kernel.m_program.launches[static_cast<std::size_t>(m_index)].queryRows;
    const int slab = 16 * m_warps;
    assert(rows % m_warps == 0);
    const auto u = [](int x) { return static_cast<std::uint16_t>(x); };
    if (rows % slab == 0)
        return m_kernel.rowSet({ u(16 * warp), 16, u(slab), u(rows / slab) });
    return m_kernel.rowSet({ u(warp * (rows / m_warps)), u(rows / m_warps), 0, 1 });
}

// cp.async moves 16 bytes a thread: 8 threads span 64 elements of a row (4 span 32), so a warp covers 4 (or 8) rows of
// each pass of all warps. [FlashAttention kernel_traits.h] A shown tile too small for that is shared out row by row, so
// that here too the rows a warp copies are others than those it computes.
RowSetId Launch::copyRows(int warp, int rows, int cols)
{
    const int run = cols % 64 == 0 ? 4 : 8;
    const auto u = [](int x) { return static_cast<std::uint16_t>(x); };
    if (rows % (2 * run * m_warps) == 0)
        return m_kernel.rowSet({ u(run * warp), u(run), u(run * m_warps), u(rows / (run * m_warps)) });
    assert(rows % m_warps == 0);
    return m_kernel.rowSet({ u((warp + 1) % m_warps), 1, u(m_warps), u(rows / m_warps) });
}

StreamId Launch::record(const std::vector<int>& shape, int i, int j, const std::function<void(CtaScope&)>& body)
{
    if (const auto known = m_shapes.find(shape); known != m_shapes.end())
        return known->second;
    Program& program = m_kernel.m_program;
    CtaScope cta(*this);
    cta.i = i;
    cta.j = j;
    cta.m_stream.firstOp = static_cast<std::uint32_t>(program.ops.size());
    body(cta);
    cta.m_stream.opCount = static_cast<std::uint32_t>(program.ops.size()) - cta.m_stream.firstOp;
    for (std::uint32_t k = 0; k < cta.m_stream.opCount; ++k)
        cta.m_stream.visitedBlocks = std::max(cta.m_stream.visitedBlocks, program.ops[cta.m_stream.firstOp + k].n);
    program.streams.push_back(std::move(cta.m_stream));
    const StreamId id(program.streams.size() - 1);
    m_shapes.emplace(shape, id);
    return id;
}

void Launch::place(StreamId stream, int b, int h, int i, int j)
{
    Program& program = m_kernel.m_program;
    LaunchDecl& launch = program.launches[static_cast<std::size_t>(m_index)];
    const int row = i * launch.queryRows;
    program.ctas.push_back({ stream, static_cast<std::uint8_t>(m_index), b, h, row / program.tile.rows, j, row });
    ++launch.ctaCount;
}

void Launch::overQueryTiles(const std::function<void(CtaScope&)>& body)
{
    const Program& program = m_kernel.m_program;
    const Problem& p = program.problem;
    const int rows = program.launches[static_cast<std::size_t>(m_index)].queryRows;
    m_kernel.m_program.launches[static_cast<std::size_t>(m_index)].ctasPerTile = program.tile.rows / rows;
    const int tiles = (p.seqlenQ + rows - 1) / rows;
    for (int h = 0; h < p.heads; ++h) {
        for (int b = 0; b < p.batch; ++b) {
            for (int i = 0; i < tiles; ++i) {
                const int row = i * rows;
                std::vector<int> shape { std::min(rows, p.seqlenQ - row) };
                for (const VisitedBlock& block : blocksRightToLeft(row / program.tile.rows))
                    shape.push_back(2 * block.j + (block.masked ? 1 : 0));
                place(record(shape, i, 0, body), b, h, i, 0);
            }
        }
    }
}

void Launch::overScoreTiles(const std::function<void(CtaScope&)>& body)
{
    const Program& program = m_kernel.m_program;
    m_kernel.m_program.launches[static_cast<std::size_t>(m_index)].ctasPerTile = program.keyBlocks();
    const Problem& p = program.problem;
    for (int h = 0; h < p.heads; ++h)
        for (int b = 0; b < p.batch; ++b)
            for (int i = 0; i < program.queryTiles(); ++i)
                for (int j = 0; j < program.keyBlocks(); ++j) {
                    const int rows = std::min(program.tile.rows, p.seqlenQ - i * program.tile.rows);
                    place(record({ rows, program.keysInside(j) }, i, j, body), b, h, i, j);
                }
}

std::vector<VisitedBlock> Launch::allBlocks() const
{
    const int count = m_kernel.m_program.keyBlocks();
    std::vector<VisitedBlock> blocks;
    for (int j = 0; j < count; ++j)
        blocks.push_back({ j, j + 1, j == 0, j == count - 1, true });
    return blocks;
}

// n_block_min, n_block_max and the masked iterations of kernels like FlashAttention-2's. [flash_fwd_kernel.h]
std::vector<VisitedBlock> Launch::blocksRightToLeft(int i) const
{
    const Program& program = m_kernel.m_program;
    const Problem& p = program.problem;
    const int M = program.tile.rows;
    const int N = program.tile.keys;
    const std::int64_t shift = p.seqlenK - p.seqlenQ; // 64 bits: a window may be as wide as an int
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
        blocks.push_back({ j, n, n == 1, j == first, n <= maskSteps });
    }
    return blocks;
}

// ---- Kernel ---------------------------------------------------------------------------------------------------------

Launch Kernel::launch(std::string name, int warps, int queryRows, int registersPerThread)
{
    LaunchDecl decl;
    decl.name = std::move(name);
    decl.firstCta = static_cast<std::uint32_t>(m_program.ctas.size());
    decl.threads = 32 * warps;
    decl.registersPerThread = registersPerThread;
    decl.queryRows = queryRows == 0 ? m_program.tile.rows : queryRows;
    m_program.launches.push_back(decl);
    while (m_program.roles.size() < static_cast<std::size_t>(warps)) {
        const int w = static_cast<int>(m_program.roles.size());
        m_program.roles.push_back({ "warp " + std::to_string(w), 1, w % 4 });
    }
    return Launch(*this, static_cast<int>(m_program.launches.size()) - 1, warps);
}

RowSetId Kernel::rowSet(const RowSet& rows)
{
    auto& sets = m_program.rowSets;
    const auto found = std::find(sets.begin(), sets.end(), rows);
    if (found != sets.end())
        return RowSetId(static_cast<std::size_t>(found - sets.begin()));
    sets.push_back(rows);
    return RowSetId(sets.size() - 1);
}

} // namespace flashstep
