// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/program.h"

#include <functional>
#include <map>

namespace flashstep {

// The line that called: written down with each op, so the Source view shows the very line that did it.
struct SourceLine {
    std::uint32_t line = __builtin_LINE();
};

// One key block that a query tile visits.
struct VisitedBlock {
    int j = 0; // key block
    int n = 1; // visited as the n-th
    bool first = false, last = false;
    bool masked = false; // belongs to the iterations in which the kernel runs its mask code
};

class Kernel;
class Launch;
class CtaScope;

// Speaks for one role of one CTA: each call records an op. Tiles are named by their buffers; warps touch their own
// rows.
class Warp {
public:
    Warp& paper(int line); // the next op is this line of the paper's algorithm

    // Asynchronous copies of this warp's share of the rows; they land some time before their group is waited for.
    void copyAsync(BufferId to, TensorId tensor, int j = -1, SourceLine at = {});
    void commit(SourceLine at = {});
    void waitGroup(int pending, WaitId name, SourceLine at = {});
    void load(BufferId to, TensorId tensor, int j = -1, SourceLine at = {}); // holds the warp until the rows are there
    void sync(BarrierId barrier, WaitId name, SourceLine at = {});

    void mmaTransposed(
        BufferId out, BufferId a, BufferId b, const VisitedBlock& block, SourceLine at = {}); // out = A Bᵀ
    void mma(BufferId out, BufferId a, BufferId b, const VisitedBlock& block,
        SourceLine at = {}); // out (+)= A B, anew at the first block
    void mask(BufferId s, const VisitedBlock& block, SourceLine at = {});
    void rowMax(BufferId m, BufferId scale, BufferId s, const VisitedBlock& block, SourceLine at = {});
    void rescale(BufferId o, BufferId l, BufferId scale, const VisitedBlock& block, SourceLine at = {});
    void exp2(BufferId p, BufferId s, BufferId m, const VisitedBlock& block, SourceLine at = {});
    void rowSum(BufferId l, BufferId p, const VisitedBlock& block, SourceLine at = {});
    void convert(BufferId tile, int j = -1, int n = 0, SourceLine at = {});
    void normalise(BufferId o, BufferId lse, BufferId l, BufferId m, SourceLine at = {}); // l none: nothing was seen
    void divide(BufferId p, BufferId l, int j, SourceLine at = {}); // P = P / l
    void stage(BufferId to, BufferId from, int j = -1, SourceLine at = {});
    void store(TensorId tensor, BufferId from, int j = -1, SourceLine at = {});

private:
    friend class CtaScope;
    Warp(CtaScope& cta, int index);
    Op& add(OpKind kind, const SourceLine& at);

    CtaScope& m_cta;
    int m_index;
    RowSetId m_queryRows; // rows of the query tile this warp computes
    int m_paper = 0;
    std::map<std::size_t, std::uint32_t> m_turns; // per barrier
};

// One CTA while its roles are being recorded.
class CtaScope {
public:
    int i = 0; // query tile
    int j = 0; // key block the CTA stands for, where the grid has one

    // Each warp of the launch in turn; they run at the same time.
    void eachWarp(const std::function<void(Warp&)>& body);

private:
    friend class Warp;
    friend class Launch;
    Launch& m_launch;
    Stream m_stream;
    explicit CtaScope(Launch& launch)
        : m_launch(launch)
    {
    }
};

// One kernel launch: its buffers, barriers and waits, and the grid it runs over.
class Launch {
public:
    using Tile = BufferDecl::Tile;

    BufferId smem(std::string name, Tile tile, int cols, DType dtype);
    BufferId smemRow(std::string name); // fp32 scores of whole rows, every key block side by side
    BufferId smemAlias(std::string name, BufferId of, int cols, DType dtype); // the same memory under another name
    BufferId registers(std::string name, Tile tile, int cols, DType dtype = DType::Fp32);
    BarrierId barrier(std::string name); // all warps of the CTA
    WaitId wait(std::string name, BarrierId barrier, std::string reason, std::vector<std::string> impliedBy = {});

    [[nodiscard]] int warps() const { return m_warps; }
    // Key blocks that query tile i visits, right to left (n = 1 is the rightmost), none for a tile that sees nothing.
    [[nodiscard]] std::vector<VisitedBlock> blocksRightToLeft(int i) const;
    // Every key block, left to right: what a kernel without skipping visits.
    [[nodiscard]] std::vector<VisitedBlock> allBlocks() const;

    // The grid, query tiles fastest, then batch, then heads. `body` is called once for each distinct shape of CTA.
    void overQueryTiles(const std::function<void(CtaScope&)>& body);
    void overScoreTiles(const std::function<void(CtaScope&)>& body); // one CTA per (i, j)

private:
    friend class Kernel;
    friend class CtaScope;
    friend class Warp;
    Launch(Kernel& kernel, int index, int warps)
        : m_kernel(kernel)
        , m_index(index)
        , m_warps(warps)
    {
    }
    BufferId add(BufferDecl decl);
    RowSetId queryRows(int warp);
    RowSetId copyRows(int warp, int rows, int cols);
    StreamId record(const std::vector<int>& shape, int i, int j, const std::function<void(CtaScope&)>& body);
    void place(StreamId stream, int b, int h, int i, int j);

    Kernel& m_kernel;
    int m_index;
    int m_warps;
    std::map<std::vector<int>, StreamId> m_shapes;
};

// What an algorithm writes into: launches, one after the other.
class Kernel {
public:
    Kernel(Program& program, int warps, int computeCapability, Bytes smemPerCta)
        : m_program(program)
        , m_warps(warps)
        , m_computeCapability(computeCapability)
        , m_smemPerCta(smemPerCta)
    {
    }

    [[nodiscard]] const Problem& problem() const { return m_program.problem; }
    [[nodiscard]] TileSize tile() const { return m_program.tile; }
    [[nodiscard]] TileSize costTile() const { return m_program.costTile; }
    [[nodiscard]] int warps() const { return m_warps; } // of the kernel's table
    [[nodiscard]] int computeCapability() const { return m_computeCapability; }
    [[nodiscard]] Bytes smemPerCta() const { return m_smemPerCta; }

    // `queryRows`: rows of a CTA's tile; 0 means BR, else a divisor of it.
    Launch launch(std::string name, int warps, int queryRows = 0, int registersPerThread = 255);

private:
    friend class Launch;
    friend class CtaScope;
    friend class Warp;
    RowSetId rowSet(const RowSet& rows);

    Program& m_program;
    int m_warps;
    int m_computeCapability;
    Bytes m_smemPerCta;
};

} // namespace flashstep
