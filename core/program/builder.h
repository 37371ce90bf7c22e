// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/choices.h"
#include "core/program/program.h"

#include <functional>
#include <map>
#include <set>

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
    int i = 0; // query tile, relative to the work's: kernels that keep one query tile leave it 0
};

// Slots of SMEM that a producer fills and consumers empty in turn. Use u of a work tile (from 0) stands in slot
// (position + u) mod stages.
struct Ring {
    std::vector<BufferId> buffers;
    std::vector<BarrierId> full, empty;
};

// K and V in one ring: use u stands in slot (position + u) mod stages, whichever of the two it is.
struct SharedRing {
    Ring K, V; // the same memory and barriers under both names
};

class Kernel;
class Launch;
class CtaScope;

// Speaks for one role of one CTA: each call records an op. Tiles are named by their buffers; roles touch their own
// rows.
class Warp {
public:
    Warp& paper(int line); // the next op is this line of the paper's algorithm
    Warp& once(When when); // the next op only with a persistent CTA's first or last work tile
    Warp& ofTile(int i); // from here on: query tile i, relative to the work's
    Warp& keysOf(int warp); // from here on: of score tiles, only the keys that this warp owns; -1: all of them

    // ---- copies -----------------------------------------------------------------------------------------------------

    // cp.async of this warp's share of the rows; they land some time before their group is waited for.
    void copyAsync(BufferId to, TensorId tensor, int j = -1, SourceLine at = {});
    void commit(SourceLine at = {});
    void waitGroup(int pending, WaitId name, SourceLine at = {});
    void load(BufferId to, TensorId tensor, int j = -1, SourceLine at = {}); // holds the warp until the rows are there
    void loadShared(BufferId to, TensorId tensor, int j, WaitId landed, SourceLine at = {}); // its share of the rows
    // A whole tile by one instruction, or by cp.async of the whole role; it arrives at `full` when it lands. Multicast:
    // this CTA's half of the rows, to both CTAs of the cluster.
    void copyTile(BufferId to, TensorId tensor, int j, BarrierId full, Via via, bool multicast, SourceLine at = {});
    void expect(BarrierId full, int extraBytes = 0, SourceLine at = {}); // announces the bytes of the turn
    // This CTA's half of a pair's operand: `rank` says which half, and whose barrier counts it is the first CTA's.
    void copyHalf(BufferId to, TensorId tensor, int j, BarrierId full, int rank, SourceLine at = {});
    // The same through registers: an ordinary load that is waited for only where its value is used. `byAll`: every warp
    // loads all rows, the first from L2 and the others from L1.
    void prefetch(BufferId to, TensorId tensor, int j = -1, bool byAll = false, SourceLine at = {});
    void fragments(BufferId to, BufferId from, int j, SourceLine at = {}); // the keys of this warp: SMEM to registers
    void stage(BufferId to, BufferId from, int j = -1, SourceLine at = {});
    void stageBlock(BufferId to, BufferId from, const VisitedBlock& block, SourceLine at = {});
    void stageShared(BufferId to, BufferId from, int j = -1, SourceLine at = {}); // the rows this warp prefetched
    // A key block from SMEM to SMEM, keys and columns exchanged on the way: this warp's share of its rows.
    void transposeShared(BufferId to, BufferId from, int j, int warp, int warps, SourceLine at = {});
    void store(TensorId tensor, BufferId from, int j = -1, SourceLine at = {});
    void storeTile(TensorId tensor, BufferId from, SourceLine at = {}); // bulk store by TMA
    void commitStores(SourceLine at = {});
    void waitStores(int pending, WaitId name, SourceLine at = {}); // until SMEM has been read out
    void fence(SourceLine at = {});

    // ---- barriers ---------------------------------------------------------------------------------------------------

    void sync(BarrierId barrier, WaitId name, SourceLine at = {});
    void arrive(BarrierId barrier, int arrivals, Reach reach = Reach::Own, SourceLine at = {});
    // Each warp of the role at a barrier of its own; they stand side by side from `first` on.
    void arriveEach(BarrierId first, SourceLine at = {});
    void syncEach(BarrierId first, WaitId name, SourceLine at = {});
    // Arrives once every product issued so far is done. [tcgen05.commit]
    void commitMma(BarrierId barrier, Reach reach, SourceLine at = {});
    void wait(BarrierId barrier, int turn, WaitId name, SourceLine at = {});
    void waitFull(const Ring& ring, int use, WaitId name, SourceLine at = {});
    void waitEmpty(const Ring& ring, int use, WaitId name, SourceLine at = {});
    void release(const Ring& ring, int use, int arrivals, Reach reach, SourceLine at = {});
    [[nodiscard]] BufferId slot(const Ring& ring, int use) const;
    [[nodiscard]] BarrierId fullOf(const Ring& ring, int use) const;
    [[nodiscard]] BarrierId emptyOf(const Ring& ring, int use) const;

    // ---- the machine ------------------------------------------------------------------------------------------------

    void setRegisters(SourceLine at = {});
    void fetchTile(SourceLine at = {}); // the next work tile, by an atomic counter
    void publishTile(BufferId id, SourceLine at = {}); // its number into SMEM
    void readTile(BufferId id, SourceLine at = {});
    void allocate(BufferId address, SourceLine at = {}); // tensor memory; where it begins goes to SMEM
    void readAddress(BufferId to, BufferId address, SourceLine at = {});
    void free(BufferId memory, SourceLine at = {});

    // ---- mathematics ------------------------------------------------------------------------------------------------

    void mmaTransposed(
        BufferId out, BufferId a, BufferId b, const VisitedBlock& block, SourceLine at = {}); // out = A Bᵀ
    void mma(BufferId out, BufferId a, BufferId b, const VisitedBlock& block,
        SourceLine at = {}); // out (+)= A B, anew at the first block; lands in O
    void mmaPart(BufferId out, BufferId a, BufferId b, const VisitedBlock& block, bool accumulate,
        SourceLine at = {}); // the same for a partial result, which is no step yet
    // A product with only some of the keys of a block: columns of P, rows of V.
    void mmaKeys(BufferId out, BufferId a, BufferId b, const VisitedBlock& block, int firstKey, int keys,
        bool accumulate, SourceLine at = {});
    Warp& async(); // the next product is a WGMMA or a tcgen05.mma: the role goes on while it runs
    Warp& together(bool pair); // the next product is that of both CTAs of the pair
    void waitMma(int pending, WaitId name, SourceLine at = {});
    void mask(BufferId s, const VisitedBlock& block, SourceLine at = {});
    // m = max(before, rowmax S); `before`: m itself, another statistic, or none to start anew.
    void rowMax(BufferId m, BufferId scale, BufferId s, const VisitedBlock& block, SourceLine at = {});
    void rowMaxFrom(
        BufferId m, BufferId scale, BufferId s, BufferId before, const VisitedBlock& block, SourceLine at = {});
    void rescale(BufferId o, BufferId l, BufferId scale, const VisitedBlock& block, SourceLine at = {});
    void rescaleOne(BufferId x, BufferId scale, const VisitedBlock& block, SourceLine at = {}); // O or l alone
    // The same, but a reference that the maximum has not outgrown by more than the threshold stays; and only the warps
    // of which a row needs it rescale.
    void rowMaxLazy(BufferId m, BufferId scale, BufferId s, const VisitedBlock& block, SourceLine at = {});
    void rescaleLazy(BufferId o, BufferId scale, const VisitedBlock& block, SourceLine at = {});
    void stageKeys(BufferId to, BufferId from, const VisitedBlock& block, int firstKey, int keys, SourceLine at = {});
    void exp2(BufferId p, BufferId s, BufferId m, const VisitedBlock& block, SourceLine at = {});
    void rowSum(BufferId l, BufferId p, const VisitedBlock& block, SourceLine at = {});
    void rowSumFrom(BufferId l, BufferId p, BufferId before, const VisitedBlock& block, SourceLine at = {});
    void convert(BufferId tile, int j = -1, int n = 0, SourceLine at = {});
    void convertTo(BufferId to, BufferId from, const VisitedBlock& block, SourceLine at = {});
    void normalise(BufferId o, BufferId lse, BufferId l, BufferId m, SourceLine at = {}); // l none: nothing was seen
    // The same as the last part of a block's landing in O: what is divided at every visit.
    void normaliseStep(BufferId o, BufferId lse, BufferId l, BufferId m, const VisitedBlock& block, SourceLine at = {});
    void divide(BufferId p, BufferId l, int j, SourceLine at = {}); // P = P / l
    // The rows' partial results of all warps put together, in their order.
    void reduceMax(BufferId m, BufferId scale, BufferId parts, BufferId before, const VisitedBlock& block,
        SourceLine at = {}); // m = max(before, parts), scale = exp2((before - m) c)
    void reduceSum(BufferId out, BufferId parts, BufferId before, BufferId scale, const VisitedBlock& block, bool step,
        SourceLine at = {}); // out = scale before + parts; scale none: 1

    [[nodiscard]] Op& last(); // the op recorded last, for what has no call of its own
    [[nodiscard]] int index() const { return m_index; } // among the roles that share the rows
    [[nodiscard]] RowSetId ownRows() const { return m_queryRows; }
    [[nodiscard]] RowSetId ownKeys() const { return m_keys; }

private:
    friend class CtaScope;
    Warp(CtaScope& cta, RoleId role, int index, int sharers);
    Op& add(OpKind kind, const SourceLine& at);
    Op& addBlock(OpKind kind, const VisitedBlock& block, const SourceLine& at);
    void countStep(Op& op);
    [[nodiscard]] int relative(int j) const;
    [[nodiscard]] DType formatOf(BufferId tile) const;
    [[nodiscard]] int slotOf(const Ring& ring, int use) const;
    [[nodiscard]] int turnOf(const Ring& ring, int use) const;
    void nameWait(WaitId name, const SourceLine& at);

    CtaScope& m_cta;
    RoleId m_role;
    int m_index; // among those that share the rows
    int m_sharers;
    RowSetId m_queryRows; // rows of the query tile this role computes
    RowSetId m_keys;
    int m_tile = 0;
    int m_paper = 0;
    When m_when = When::Always;
    bool m_async = false;
    bool m_together = false;
    std::map<std::size_t, std::int32_t> m_turns; // per barrier
};

// One CTA while its roles are being recorded.
class CtaScope {
public:
    int i = 0; // query tile, absolute
    int j = 0; // key block the CTA stands for, where the grid has one
    int position = 0; // of its rings
    int rank = 0; // in a pair

    // Each warp of the launch in turn; they run at the same time.
    void eachWarp(const std::function<void(Warp&)>& body);
    // One role by itself. `index` of `sharers` says which part of the rows is its own; sharers 0: the whole tile.
    void role(const std::string& name, int index, int sharers, const std::function<void(Warp&)>& body);

private:
    friend class Warp;
    friend class Launch;
    Launch& m_launch;
    Stream m_stream;
    std::map<std::pair<int, int>, std::uint32_t> m_steps; // (i, n) to index
    explicit CtaScope(Launch& launch)
        : m_launch(launch)
    {
    }
    void record(RoleId role, int index, int sharers, const std::function<void(Warp&)>& body);
};

// One kernel launch: its buffers, barriers and waits, and the grid it runs over.
class Launch {
public:
    using Tile = BufferDecl::Tile;
    enum class Order : std::uint8_t { TilesBatchHeads, TilesHeadsBatch, LongestFirst };

    BufferId smem(std::string name, Tile tile, int cols, DType dtype);
    BufferId smemRow(std::string name); // fp32 scores of whole rows, every key block side by side
    // The same memory under another name, from `byte` on; rows: 0 as its tile says.
    BufferId smemAlias(std::string name, Tile tile, BufferId of, int cols, DType dtype, int rows = 0, Bytes byte = 0,
        bool perWarp = false);
    BufferId smemScratch(std::string name, int rows, int cols, bool perWarp = false); // fp32, beside the tiles
    BufferId registers(std::string name, Tile tile, int cols, DType dtype = DType::Fp32, int copies = 1);
    BarrierId barrier(std::string name); // all warps of the CTA
    BarrierId namedBarrier(std::string name, int threads);
    BarrierId mbarrier(std::string name, std::string unit, int count, std::string family = {});
    // Accumulators and P in tensor memory: from `column` on, of the costed tile `costedColumn` and `costedColumns`.
    struct TmemPlace {
        int column = 0, costedColumn = 0, costedColumns = 0;
        int elementBytes = 4;
    };
    BufferId tmem(std::string name, Tile tile, int cols, DType dtype, const TmemPlace& place);
    // K and V of `stages` slots. In a pair each CTA holds half. `byteOf`: where a slot's K and V begin; empty: one
    // after the other, each as large as the larger of the two.
    struct SlotPlace {
        Bytes k = 0, v = 0;
    };
    SharedRing sharedRing(const std::string& pipeline, int stages, bool pair, Via via, int copyThreads,
        const std::vector<SlotPlace>& byteOf);
    void belongsTo(BufferId buffer, int i); // query tile, relative to the work's
    // `count` of the full barriers: 0 means the bytes of a tile, else threads.
    Ring ring(const std::string& pipeline, const std::string& letter, Tile tile, int cols, DType dtype, int stages,
        int fullThreads, int emptyArrivals);
    WaitId wait(std::string name, const std::string& barrier, std::string reason,
        std::vector<std::string> impliedBy = {}); // barrier: its family; empty: the role's own groups
    WaitId wait(std::string name, BarrierId barrier, std::string reason, std::vector<std::string> impliedBy = {});
    void needSmem(Bytes bytes) { decl().smemBytes += bytes; } // beyond the buffers
    RoleId declareRole(std::string name, int warps, int firstWarp, int registers);
    void setSchedule(Schedule schedule, int clusterSize, int ringPositions);
    void setQueryTiles(int perWork, bool pairs); // a work does several; pairs of CTAs take turns at them
    void setPackedMath() { decl().packedMath = true; }

    [[nodiscard]] int warps() const { return m_warps; }
    [[nodiscard]] TileSize tile() const;
    // Key blocks that query tile i visits, right to left (n = 1 is the rightmost), none for a tile that sees nothing.
    [[nodiscard]] std::vector<VisitedBlock> blocksRightToLeft(int i) const;
    // The same from left to right.
    [[nodiscard]] std::vector<VisitedBlock> blocksLeftToRight(int i) const;
    // Every key block, left to right: what a kernel without skipping visits.
    [[nodiscard]] std::vector<VisitedBlock> allBlocks() const;

    // The grid. `body` is called once for each distinct shape of CTA.
    // `section`: bytes of K and V that L2 is to hold, for the longest-first order.
    void overQueryTiles(const std::function<void(CtaScope&)>& body, Order order = Order::TilesBatchHeads,
        Bytes section = Bytes { 32 } * 1024 * 1024);
    void overScoreTiles(const std::function<void(CtaScope&)>& body); // one CTA per (i, j)
    // One CTA for each head and each of `splits` shares of the query tiles, all of which it sweeps itself: query tile
    // of a share s is s, s + splits, …
    void overHeads(int splits, const std::function<void(CtaScope&)>& body);
    // The same for its time alone: of the shares, those with the fewest and the most visits are recorded, and of each
    // of them as many visits as `body` says.
    void overHeadsInPart(int splits, const std::vector<int>& visits, const std::function<int(CtaScope&)>& body);

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
    [[nodiscard]] LaunchDecl& decl() const;
    BufferId add(BufferDecl decl);
    RowSetId queryRows(int index, int sharers);
    RowSetId keyColumns(int warp);
    RowSetId copyRows(int warp, int rows, int cols);
    StreamId record(const std::vector<int>& shape, int i, int j, const std::function<void(CtaScope&)>& body);
    void recordStream(int i, int j, int position, int rank, const std::function<void(CtaScope&)>& body);
    StreamId leaveOut(const std::vector<int>& shape, int blocks);
    [[nodiscard]] std::vector<std::int32_t> turnsOf(const Stream& own, const Stream& peer) const;
    void place(StreamId stream, int b, int h, int i, int j);

    Kernel& m_kernel;
    int m_index;
    int m_warps;
    std::map<std::vector<int>, StreamId> m_shapes;
};

// What the machine says to a kernel's host code, and what the table chose.
struct KernelSetting {
    int warps = 0; // of the kernel's table
    int computeCapability = 0;
    Bytes smemPerCta = 0;
    int sms = 0;
    Choices choices;
    bool samplesOnly = false; // of shapes whose time is interpolated no ops are recorded (samples.h)
};

// What an algorithm writes into: launches, one after the other.
class Kernel {
public:
    Kernel(Program& program, KernelSetting setting)
        : m_program(program)
        , m_setting(std::move(setting))
    {
    }

    [[nodiscard]] const Problem& problem() const { return m_program.problem; }
    [[nodiscard]] TileSize tile() const { return m_program.tile; }
    [[nodiscard]] TileSize costTile() const { return m_program.costTile; }
    [[nodiscard]] int stages() const { return m_program.stages; }
    [[nodiscard]] int warps() const { return m_setting.warps; }
    [[nodiscard]] const KernelSetting& setting() const { return m_setting; }
    [[nodiscard]] const Choices& choices() const { return m_setting.choices; }
    [[nodiscard]] Bytes smemPerCta() const { return m_setting.smemPerCta; }

    // `queryRows`: rows of a CTA's tile; 0 means BR, else a divisor of it.
    Launch launch(std::string name, int warps, int queryRows = 0, int registersPerThread = 255);
    [[nodiscard]] const SoftmaxForm& softmax() const { return m_program.softmax; }
    void setSoftmax(SoftmaxForm form) { m_program.softmax = std::move(form); }
    void padHeadDim(int unit) { m_program.headDimUnit = unit; }
    void packHeads(int heads) { m_program.packed = heads; }
    void setSource(std::string file) { m_program.source = std::move(file); } // where the lines of its ops are
    void finish(); // indices over everything recorded

private:
    friend class Launch;
    friend class CtaScope;
    friend class Warp;
    RowSetId rowSet(const RowSet& rows);

    Program& m_program;
    KernelSetting m_setting;
};

} // namespace flashstep
