// SPDX-License-Identifier: Apache-2.0
#include "core/program/builder.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace flashstep {

// ---- CtaScope -------------------------------------------------------------------------------------------------------

void CtaScope::record(RoleId role, int index, int sharers, const std::function<void(Warp&)>& body)
{
    const Program& program = m_launch.m_kernel.m_program;
    const auto first = static_cast<std::uint32_t>(program.ops.size());
    Warp warp(*this, role, index, sharers);
    body(warp);
    const auto count = static_cast<std::uint32_t>(program.ops.size()) - first;
    m_stream.roles.push_back({ role, first, count });
}

void CtaScope::eachWarp(const std::function<void(Warp&)>& body)
{
    for (int w = 0; w < m_launch.warps(); ++w)
        record(m_launch.declareRole("warp " + std::to_string(w), 1, w, 0), w, m_launch.warps(), body);
}

void CtaScope::role(const std::string& name, int index, int sharers, const std::function<void(Warp&)>& body)
{
    const auto& roles = m_launch.m_kernel.m_program.roles;
    const auto found = std::find_if(roles.begin(), roles.end(), [&](const RoleDecl& r) { return r.name == name; });
    assert(found != roles.end());
    record(RoleId(static_cast<std::size_t>(found - roles.begin())), index, sharers, body);
}

// ---- Launch: memory, barriers, roles --------------------------------------------------------------------------------

LaunchDecl& Launch::decl() const
{
    return m_kernel.m_program.launches[static_cast<std::size_t>(m_index)];
}

TileSize Launch::tile() const
{
    return m_kernel.m_program.tile;
}

BufferId Launch::add(BufferDecl decl)
{
    Program& program = m_kernel.m_program;
    decl.launch = static_cast<std::uint8_t>(m_index);
    if (decl.rows == 0)
        decl.rows = decl.tile == Tile::Key ? program.tile.keys : this->decl().queryRows;
    if (decl.family.empty())
        decl.family = decl.name;
    const BufferId id(program.buffers.size());
    if (!decl.region.valid())
        decl.region = id;
    program.buffers.push_back(std::move(decl));
    return id;
}

BufferId Launch::smem(std::string name, Tile tile, int cols, DType dtype)
{
    const Program& program = m_kernel.m_program;
    LaunchDecl& launch = decl();
    const TileSize cost = program.costTile;
    const int costRows = tile == Tile::Key ? cost.keys : cost.rows / (program.tile.rows / launch.queryRows);
    const int costCols
        = tile == Tile::Pair ? cost.keys : program.padded(cols); // along the keys: what the real kernel's block has
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
    LaunchDecl& launch = decl();
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

BufferId Launch::smemAlias(
    std::string name, Tile tile, BufferId of, int cols, DType dtype, int rows, Bytes byte, bool perWarp)
{
    const BufferDecl& host = m_kernel.m_program.buffers[of.index()];
    BufferDecl decl;
    decl.name = std::move(name);
    decl.space = Space::Smem;
    decl.dtype = dtype;
    decl.rows = rows;
    decl.cols = cols;
    decl.tile = tile;
    decl.aliases = of;
    decl.region = host.region;
    decl.regionByte = host.regionByte + byte;
    decl.perWarp = perWarp;
    return add(std::move(decl));
}

BufferId Launch::smemScratch(std::string name, int rows, int cols, bool perWarp)
{
    BufferDecl decl;
    decl.name = std::move(name);
    decl.space = Space::Smem;
    decl.dtype = DType::Fp32;
    decl.rows = rows;
    decl.cols = cols;
    decl.single = true;
    decl.perWarp = perWarp;
    const Program& program = m_kernel.m_program;
    decl.costedBytes = static_cast<Bytes>(rows) * cols * bytesOf(DType::Fp32)
        * (perWarp ? program.costTile.rows : program.tile.rows) / program.tile.rows;
    this->decl().smemBytes += decl.costedBytes;
    return add(std::move(decl));
}

BufferId Launch::registers(std::string name, Tile tile, int cols, DType dtype, int copies)
{
    BufferDecl decl;
    decl.name = std::move(name);
    decl.space = Space::Registers;
    decl.dtype = dtype;
    decl.cols = cols;
    decl.tile = tile;
    if (copies > 1) {
        decl.perWarp = true;
        decl.rows = copies * this->decl().queryRows;
    }
    return add(std::move(decl));
}

BarrierId Launch::barrier(std::string name)
{
    return namedBarrier(std::move(name), 32 * m_warps);
}

BarrierId Launch::namedBarrier(std::string name, int threads)
{
    auto& barriers = m_kernel.m_program.barriers;
    barriers.push_back({ name, name, "threads", threads, true, static_cast<std::uint8_t>(m_index) });
    return BarrierId(barriers.size() - 1);
}

BarrierId Launch::mbarrier(std::string name, std::string unit, int count, std::string family)
{
    auto& barriers = m_kernel.m_program.barriers;
    if (family.empty())
        family = name;
    barriers.push_back(
        { std::move(name), std::move(family), std::move(unit), count, false, static_cast<std::uint8_t>(m_index) });
    return BarrierId(barriers.size() - 1);
}

Ring Launch::ring(const std::string& pipeline, const std::string& letter, Tile tile, int cols, DType dtype, int stages,
    int fullThreads, int emptyArrivals)
{
    Ring ring;
    for (int s = 0; s < stages; ++s) {
        const std::string slot = "[" + std::to_string(s) + "]";
        const BufferId buffer = smem(letter + slot, tile, cols, dtype);
        auto& buffers = m_kernel.m_program.buffers;
        BufferDecl& decl = buffers[buffer.index()];
        decl.family = letter;
        if (s > 0) { // side by side, so that what aliases the ring may reach over several slots
            decl.region = buffers[ring.buffers.front().index()].region;
            decl.regionByte = s * decl.rows * decl.rowBytes();
        }
        const int bytes = decl.rows * cols * bytesOf(m_kernel.problem().costedDtype());
        ring.buffers.push_back(buffer);
        ring.full.push_back(mbarrier(pipeline + ".full" + slot, fullThreads > 0 ? "threads" : "bytes",
            fullThreads > 0 ? fullThreads : bytes, pipeline + ".full"));
        ring.empty.push_back(mbarrier(pipeline + ".empty" + slot, "arrivals", emptyArrivals, pipeline + ".empty"));
    }
    return ring;
}

// Tensor memory is addressed by lane, which is the row, and by column of 32 bits. 16-bit values fill half a column.
BufferId Launch::tmem(std::string name, Tile tile, int cols, DType dtype, const TmemPlace& place)
{
    const Program& program = m_kernel.m_program;
    BufferDecl decl;
    decl.name = std::move(name);
    decl.space = Space::Tmem;
    decl.dtype = dtype;
    decl.cols = cols;
    decl.tile = tile;
    decl.column = place.costedColumn;
    decl.columns = place.costedColumns;
    decl.regionByte = Bytes { 4 } * place.column;
    decl.pitch = Bytes { 4 } * 65536; // lanes are far apart
    decl.extent = static_cast<Bytes>(cols) * place.elementBytes;
    for (std::size_t k = 0; k < program.buffers.size() && !decl.region.valid(); ++k)
        if (program.buffers[k].space == Space::Tmem && program.buffers[k].launch == m_index)
            decl.region = BufferId(k);
    this->decl().tmemColumns = std::max(this->decl().tmemColumns, place.costedColumn + place.costedColumns);
    return add(std::move(decl));
}

SharedRing Launch::sharedRing(
    const std::string& pipeline, int stages, bool pair, Via via, int copyThreads, const std::vector<SlotPlace>& byteOf)
{
    const Program& program = m_kernel.m_program;
    const Problem& p = program.problem;
    const int halves = pair ? 2 : 1;
    const auto bytes = [&](int keys, int dim) { return static_cast<Bytes>(keys) * dim / halves; };
    const Bytes shown = std::max(bytes(program.tile.keys, p.headDim), bytes(program.tile.keys, p.headDimV));
    const Bytes costed = std::max(bytes(program.costTile.keys, program.padded(p.headDim)),
        bytes(program.costTile.keys, program.padded(p.headDimV)));
    // The turn of a full barrier is a tile of K, of both CTAs; V announces how many bytes it differs by.
    const int fullBytes = program.tile.keys * p.headDim * bytesOf(p.costedDtype());
    decl().ringUsesPerBlock = 2;
    SharedRing ring;
    BufferId region;
    for (int s = 0; s < stages; ++s) {
        const std::string slot = "[" + std::to_string(s) + "]";
        for (const bool key : { true, false }) {
            BufferDecl decl;
            decl.family = key ? "K" : "V";
            decl.name = decl.family + slot;
            decl.dtype = p.dtype;
            decl.tile = Tile::Key;
            decl.rows = program.tile.keys / (key ? halves : 1);
            decl.cols = key ? p.headDim : p.headDimV / halves;
            decl.half = !pair ? BufferDecl::Half::None : key ? BufferDecl::Half::Rows : BufferDecl::Half::Columns;
            decl.region = region;
            const auto& places = byteOf;
            const Bytes element = bytesOf(p.dtype);
            const auto at = static_cast<std::size_t>(s);
            decl.regionByte = element * (places.empty() ? s * shown : key ? places[at].k : places[at].v);
            if (!key)
                decl.aliases = ring.K.buffers.back();
            const BufferId id = add(std::move(decl));
            region = region.valid() ? region : id;
            (key ? ring.K : ring.V).buffers.push_back(id);
        }
        if (byteOf.empty()) {
            BufferDecl& decl = m_kernel.m_program.buffers[ring.K.buffers.back().index()];
            decl.costedBytes = costed * bytesOf(p.costedDtype());
            this->decl().smemBytes += decl.costedBytes;
        }
        const bool tma = via == Via::Tma;
        const BarrierId full = mbarrier(
            pipeline + ".full" + slot, tma ? "bytes" : "threads", tma ? fullBytes : copyThreads, pipeline + ".full");
        const BarrierId empty = mbarrier(pipeline + ".empty" + slot, "arrivals", 1, pipeline + ".empty");
        for (Ring* one : { &ring.K, &ring.V }) {
            one->full.push_back(full);
            one->empty.push_back(empty);
        }
    }
    return ring;
}

void Launch::belongsTo(BufferId buffer, int i)
{
    BufferDecl& decl = m_kernel.m_program.buffers[buffer.index()];
    decl.i = i;
    while (!decl.family.empty() && decl.family.back() >= '0' && decl.family.back() <= '9') // S0 is an S
        decl.family.pop_back();
}

WaitId Launch::wait(
    std::string name, const std::string& barrier, std::string reason, std::vector<std::string> impliedBy)
{
    auto& waits = m_kernel.m_program.waits;
    waits.push_back({ std::move(name), barrier, {}, 0, std::move(impliedBy), std::move(reason) });
    return WaitId(waits.size() - 1);
}

WaitId Launch::wait(std::string name, BarrierId barrier, std::string reason, std::vector<std::string> impliedBy)
{
    const auto& barriers = m_kernel.m_program.barriers;
    return wait(std::move(name), barrier.valid() ? barriers[barrier.index()].family : std::string(), std::move(reason),
        std::move(impliedBy));
}

// A role of one warp runs on the quarter of its warp (of two, which issue copies alone, on that of the first); one of
// four warps, on all of them.
RoleId Launch::declareRole(std::string name, int warps, int firstWarp, int registers)
{
    auto& roles = m_kernel.m_program.roles;
    const auto found = std::find_if(roles.begin(), roles.end(), [&](const RoleDecl& r) { return r.name == name; });
    if (found != roles.end())
        return RoleId(static_cast<std::size_t>(found - roles.begin()));
    roles.push_back({ std::move(name), warps, warps < 4 ? firstWarp % 4 : -1, registers });
    return RoleId(roles.size() - 1);
}

void Launch::setSchedule(Schedule schedule, int clusterSize, int ringPositions)
{
    decl().schedule = schedule;
    decl().clusterSize = clusterSize;
    decl().ringPositions = schedule == Schedule::SingleTile ? 1 : ringPositions;
}

void Launch::setQueryTiles(int perWork, bool pairs)
{
    decl().tilesPerWork = perWork;
    decl().pairs = pairs;
    decl().tileStride = pairs ? decl().clusterSize : 1;
}

// ---- Launch: who touches what ---------------------------------------------------------------------------------------

RowSetId Launch::queryRows(int index, int sharers)
{
    const int rows = decl().queryRows;
    const auto u = [](int x) { return static_cast<std::uint16_t>(x); };
    if (sharers == 0)
        return m_kernel.rowSet({ 0, u(rows), 0, 1 });
    assert(rows % sharers == 0);
    const int slab = 16 * sharers;
    // Single warps: rows 16 w … of every slab; warpgroups own 64 rows each, one after the other.
    if (sharers == m_warps && rows % slab == 0)
        return m_kernel.rowSet({ u(16 * index), 16, u(slab), u(rows / slab) });
    return m_kernel.rowSet({ u(index * (rows / sharers)), u(rows / sharers), 0, 1 });
}

// Warps that share out the keys own groups of 16, interleaved. [FlashAttention v1.0.9, fmha_fprop_kernel_1xN.h]
RowSetId Launch::keyColumns(int warp)
{
    const int keys = m_kernel.m_program.tile.keys;
    const int group = 16 * m_warps;
    assert(keys % m_warps == 0);
    const auto u = [](int x) { return static_cast<std::uint16_t>(x); };
    if (keys % group == 0)
        return m_kernel.rowSet({ u(16 * warp), 16, u(group), u(keys / group) });
    return m_kernel.rowSet({ u(warp * (keys / m_warps)), u(keys / m_warps), 0, 1 });
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

// An operand is stored in the problem's format, O in that of the output.
DType Warp::formatOf(BufferId tile) const
{
    const Program& program = m_cta.m_launch.m_kernel.m_program;
    return program.buffers[tile.index()].tile == BufferDecl::Tile::Query ? program.problem.outputDtype()
                                                                         : program.problem.dtype;
}

// ---- Kernel ---------------------------------------------------------------------------------------------------------

Launch Kernel::launch(std::string name, int warps, int queryRows, int registersPerThread)
{
    LaunchDecl decl;
    decl.name = std::move(name);
    decl.firstWork = static_cast<std::uint32_t>(m_program.works.size());
    decl.firstCta = m_program.ctaCount();
    decl.threads = 32 * warps;
    decl.registersPerThread = registersPerThread;
    decl.queryRows = queryRows == 0 ? m_program.tile.rows : queryRows;
    m_program.launches.push_back(decl);
    return Launch(*this, static_cast<int>(m_program.launches.size()) - 1, warps);
}

void Kernel::finish()
{
    Program& p = m_program;
    const LaunchDecl& last = p.launches.back();
    p.tileWorks.assign(static_cast<std::size_t>(p.problem.batch) * static_cast<std::size_t>(p.groups())
            * static_cast<std::size_t>(p.queryTiles()),
        0);
    for (std::uint32_t k = last.firstWork + last.workCount; k-- > last.firstWork;) {
        const Work& work = p.works[k];
        const int stride = last.sweep > 0 ? last.sweep : last.tileStride;
        const int end = last.sweep > 0 ? p.queryTiles() : work.i + last.tilesPerWork * stride;
        for (int i = work.i; i < std::min(end, p.queryTiles()); i += stride)
            p.tileWorks[p.tileIndex(work.b, work.h, i)] = k;
    }
    for (const Op& op : p.ops) { // who writes each buffer, and who waits under each name
        for (const BufferId out : { op.out, op.out2 })
            if (out.valid() && op.kind != OpKind::Free)
                p.buffers[out.index()].writers |= std::uint64_t { 1 } << op.role.index();
        if (!op.wait.valid())
            continue;
        std::string& roles = p.waits[op.wait.index()].roles;
        const std::string& role = p.roles[op.role.index()].name;
        if ((", " + roles + ",").find(", " + role + ",") == std::string::npos)
            roles += (roles.empty() ? "" : ", ") + role;
    }
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
