// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/op.h"
#include "core/program/problem.h"

#include <string>
#include <vector>

namespace flashstep {

struct TileSize {
    int rows = 0; // BR: query rows of a CTA's tile
    int keys = 0; // BC: keys of a block
    bool operator==(const TileSize&) const = default;
    [[nodiscard]] std::string text() const { return std::to_string(rows) + "x" + std::to_string(keys); }
};

enum class Space : std::uint8_t { Hbm, Smem, Registers, Tmem };
[[nodiscard]] std::string_view name(Space space); // "hbm", "smem", "registers", "tmem"

// A buffer that every CTA of the launches using it has: shown shape, and what it costs of its memory in the real
// kernel.
struct BufferDecl {
    std::string name; // the paper's letter: Q K V S P O m l, "scale" for exp2((m_old - m) c), "LSE"; "K[1]" in a ring
    std::string family; // the name without its slot
    Space space = Space::Smem;
    DType dtype = DType::Fp32;
    int rows = 0, cols = 0; // shown
    Bytes costedBytes = 0; // of SMEM, per CTA, with the costed tile; registers are not budgeted by buffer
    enum class Tile : std::uint8_t { Query, Key, Pair } tile = Tile::Query; // named by i, by j, or by (i, j)
    std::uint8_t launch = 0; // index of the launch whose CTAs own it
    BufferId aliases; // lives in the memory of this other buffer (sO in sQ), from regionByte on
    BufferId region; // the buffer at whose start this stretch of memory begins; itself where it shares with nobody
    Bytes regionByte = 0; // where in it, with the shown shapes
    Bytes pitch = 0; // from row to row there; 0: its rows lie side by side
    Bytes extent = 0; // of a row there; 0: as its format is stored
    int i = 0; // the query tile it belongs to, relative to the work's
    int column = 0, columns = 0; // of tensor memory, with the costed tile
    // Of a pair of CTAs that multiply together each holds half of the operand B: half the keys of K, half the columns
    // of V.
    enum class Half : std::uint8_t { None, Rows, Columns } half = Half::None;
    bool wholeRow = false; // its columns are all key blocks side by side; an op touches those of its block j
    std::uint64_t writers = 0; // roles that write it, a bit each
    bool single = false; // fp32 in the real kernel too, whatever the problem's format: statistics, partial results
    bool perWarp = false; // its rows are the tile's rows once for each warp: partial results

    [[nodiscard]] Bytes rowBytes() const { return static_cast<Bytes>(cols) * bytesOf(dtype); }
    [[nodiscard]] bool onChip() const { return space == Space::Smem || space == Space::Tmem; }
};

struct RoleDecl {
    std::string name; // "warp 0", "producer", "consumer 1"
    int warps = 1;
    int quarter = 0; // sub-partition of the SM its warp runs on; -1: a warp on each of the four
    int registers = 0; // per thread, once re-allocated; 0: the launch's
    [[nodiscard]] bool warpgroup() const { return quarter < 0; }
};

struct BarrierDecl {
    std::string name; // "syncthreads", "pipeline_k.full[1]"
    std::string family; // the name without its slot: what --break and `list waits` call it
    std::string unit; // what its count counts: "threads", "arrivals", "bytes"
    int count = 0; // of that unit, to complete a turn
    bool named = true; // a hardware named barrier (bar); else an mbarrier in SMEM
    std::uint8_t launch = 0;
    [[nodiscard]] bool countsBytes() const { return unit == "bytes"; } // and one arrival, which announces them
};

// A named wait of the algorithm: what `--break wait:NAME` drops and `list waits` shows.
struct WaitDecl {
    std::string name;
    std::string barrier; // family; empty: the role's own groups
    std::string roles; // who waits: "consumer 1, consumer 2"
    std::uint32_t line = 0;
    std::vector<std::string> impliedBy; // waits without which this one would not be redundant
    std::string reason; // what it protects
};

// The ops of one role inside a stream: Program::ops[first … first + count).
struct RoleRange {
    RoleId role;
    std::uint32_t first = 0, count = 0;
};

// The n-th visited block of query tile i landing in O: complete when `parts` ops have ended.
struct StepDecl {
    std::int32_t i = 0; // relative to the work's
    std::int32_t n = 0;
    std::int32_t j = 0; // relative to the work's jBase
    std::int32_t parts = 0;
};

// What a CTA does for a work tile of one shape: the ops of its roles, one role after the other.
struct Stream {
    std::uint32_t firstOp = 0, opCount = 0;
    std::vector<RoleRange> roles;
    std::vector<StepDecl> steps; // in the order in which they were recorded
    std::vector<std::int32_t> turns; // by barrier: how many turns of it one work tile completes
    int visitedBlocks = 0; // of a query tile, at most; of a sweep recorded in part, visits of all its tiles
    double standsFor = 1; // of a sweep recorded in part, for its time alone: all its visits over those recorded
};

// A work tile: what a CTA does in one go for a query tile (or a tile of scores, or a sweep over them). CTAs that are
// not persistent do one each.
struct Work {
    StreamId stream; // of ring position 0; position v has stream + v
    std::uint8_t launch = 0;
    std::int32_t b = 0, h = 0;
    std::int32_t i = 0; // first query tile
    std::int32_t jBase = 0; // added to every op's j
    std::int32_t row = 0; // first query row, over the head's sequence
};

enum class Schedule : std::uint8_t {
    SingleTile, // CTA k does work k
    Static, // CTA k of G does works k, k + G, …
    Dynamic, // each CTA asks for the next one by an atomic counter
};

// One kernel launch; launches run one after the other, the next when every CTA of the one before has ended.
struct LaunchDecl {
    std::string name;
    std::uint32_t firstWork = 0, workCount = 0;
    std::uint32_t firstCta = 0, ctaCount = 0;
    Schedule schedule = Schedule::SingleTile;
    int clusterSize = 1;
    int ringPositions = 1; // streams of a shape: one for each slot its rings may stand at
    int threads = 0;
    int registersPerThread = 255;
    Bytes smemBytes = 0; // costed
    int queryRows = 0; // shown rows of its CTAs' tile
    int worksPerTile = 1; // consecutive works on one query tile
    int sweep = 0; // a work does query tiles i, i + sweep, … to the end; 0: its own alone
    int tilesPerWork = 1; // a work does so many query tiles, `tileStride` apart
    int tileStride = 1;
    bool pairs = false; // the two CTAs of a cluster multiply together: rank 0 issues, and each rank has its own streams
    bool packedMath = false; // compiled with packed fp32 instructions (two elements at a time)
    int tmemColumns = 0; // costed
    int ringUsesPerBlock = 1; // 2: K and V share one ring
    [[nodiscard]] bool severalTiles() const { return sweep > 0 || tilesPerWork > 1; }
};

// How a kernel computes its softmax, beyond the maths that every version shares.
struct SoftmaxForm {
    bool conditional = false; // the reference stays while the maximum has outgrown it by no more than the threshold
    float threshold = 0; // log2 units
    float offset = 0; // P = exp2(S c - m c + offset), log2 units: FP8
    int polynomialDegree = 3; // of the exponentials that the FMA units compute
    std::vector<bool> emulated; // which keys of a block those are; empty: none
    [[nodiscard]] int emulatedKeys(int first, int count) const; // of keys [first, first + count)
    bool operator==(const SoftmaxForm&) const = default;
};

// What is to be done, as data: printable, checkable, comparable. Knows nothing of time.
struct Program {
    std::string algorithm, pass;
    Problem problem;
    TileSize tile, costTile;
    int stages = 1;
    int packed = 1; // query heads whose rows fill one tile: row r is query r / packed of head r mod packed of them
    int headDimUnit = 0; // operands are padded to a multiple of this; 0: to the next head dimension compiled
    SoftmaxForm softmax;
    std::string source; // "core/algorithms/fa2_forward.cpp"
    std::string paper; // what paperLine refers to

    std::vector<RoleDecl> roles;
    std::vector<BufferDecl> buffers;
    std::vector<BarrierDecl> barriers;
    std::vector<WaitDecl> waits;
    std::vector<RowSet> rowSets;
    std::vector<Op> ops;
    std::vector<Stream> streams;
    std::vector<LaunchDecl> launches;
    std::vector<Work> works; // launch by launch, in the order in which they are handed out
    std::vector<std::uint32_t> tileWorks; // of the last launch: the first work on each query tile, by tileIndex

    [[nodiscard]] const Op& op(OpId id) const { return ops[id.index()]; }
    [[nodiscard]] const RowSet& rows(const Op& o) const { return rowSets[o.rows.index()]; }
    [[nodiscard]] const Work& work(WorkId id) const { return works[id.index()]; }
    // With its ring at position 0; every position has the same ops on other slots.
    [[nodiscard]] const Stream& streamOf(WorkId id) const { return streams[works[id.index()].stream.index()]; }
    [[nodiscard]] std::uint32_t ctaCount() const
    {
        return launches.empty() ? 0 : launches.back().firstCta + launches.back().ctaCount;
    }
    [[nodiscard]] const LaunchDecl& launchOf(CtaId cta) const;
    [[nodiscard]] int clusterSizeOf(CtaId cta) const { return launchOf(cta).clusterSize; }
    // The other CTA of a cluster of two; itself where there is none.
    [[nodiscard]] CtaId peerOf(CtaId cta) const
    {
        const LaunchDecl& launch = launchOf(cta);
        return launch.clusterSize == 1 ? cta : CtaId(launch.firstCta + ((cta.index() - launch.firstCta) ^ 1U));
    }
    [[nodiscard]] int keyBlock(const Work& w, const Op& o) const { return o.j < 0 ? -1 : w.jBase + o.j; }
    [[nodiscard]] int queryTile(const Work& w, const Op& o) const { return w.i + o.i; }
    [[nodiscard]] int firstRow(const Work& w, const Op& o) const { return w.row + o.i * launches[w.launch].queryRows; }
    // Rows that the query tiles of one head, or of the heads packed together, are cut from.
    [[nodiscard]] int headRows() const { return problem.seqlenQ * packed; }
    [[nodiscard]] int queryTiles() const { return (headRows() + tile.rows - 1) / tile.rows; }
    // The query and the head that such a row stands for; `head` is the first of those packed together.
    struct QueryRow {
        int h = 0, row = 0;
    };
    [[nodiscard]] QueryRow queryRow(int head, int row) const { return { head + row % packed, row / packed }; }
    [[nodiscard]] int groups() const { return problem.heads / packed; } // of heads, each with tiles of its own
    [[nodiscard]] int keyBlocks() const { return (problem.seqlenK + tile.keys - 1) / tile.keys; }
    [[nodiscard]] std::size_t tileIndex(int b, int h, int i) const
    {
        return (static_cast<std::size_t>(b) * static_cast<std::size_t>(groups()) + static_cast<std::size_t>(h / packed))
            * static_cast<std::size_t>(queryTiles())
            + static_cast<std::size_t>(i);
    }
    [[nodiscard]] BufferId buffer(std::string_view bufferName, int launch) const; // none() if that launch has none
    // The one of a family that belongs to query tile i of a work (relative to the work's); none() if there is none.
    [[nodiscard]] BufferId bufferOf(std::string_view family, int launch, int i) const;
    [[nodiscard]] int padded(int headDim) const;
    // The quarter of the SM whose engines an op keeps busy; -1: all four.
    [[nodiscard]] int quarterOf(const Op& o) const
    {
        const bool wholeSm = o.kind == OpKind::Mma && buffers[o.out.index()].space == Space::Tmem;
        return wholeSm ? -1 : roles[o.role.index()].quarter;
    }
    // Key rows or value columns before the first that this op loads: half a tile for the second CTA of a pair.
    [[nodiscard]] int halfOffset(const Op& o) const
    {
        const BufferDecl& to = buffers[o.out.index()];
        return to.half == BufferDecl::Half::Rows   ? o.part * to.rows
            : to.half == BufferDecl::Half::Columns ? o.part * to.cols
                                                   : 0;
    }
    [[nodiscard]] std::string sourceOf(std::uint32_t line) const { return source + ":" + std::to_string(line); }

    // Rows of the work's query tile (`i` tiles after its first) that lie inside the sequence, and keys of block j that
    // do.
    [[nodiscard]] int rowsInside(const Work& w, int i = 0) const;
    [[nodiscard]] int keysInside(int j) const;
    // What is added to an op's row to find it in the buffer: a warp's own copy of the tile's rows.
    [[nodiscard]] int rowOffset(const BufferDecl& buffer, const Op& o) const
    {
        return buffer.perWarp ? o.part * launches[buffer.launch].queryRows : 0;
    }
    // Columns [first, first + count) of a buffer that an op on key block j touches.
    struct Columns {
        int first = 0, count = 0;
    };
    [[nodiscard]] Columns columns(BufferId buffer, int j) const;
};

// The head dimension a kernel is compiled for: operands are padded to 32, 64, 96, 128, 192 or 256.
[[nodiscard]] int paddedHeadDim(int headDim);

// What one execution of an op moves and computes, of the shown problem: exact, by the rules of docs/hardware-model.md.
struct OpCounts {
    Bytes globalRead = 0, globalWrite = 0;
    std::int64_t flops = 0; // executed by the tensor core
    std::int64_t exp2 = 0; // by the exponential unit
    std::int64_t exp2Emulated = 0; // by a polynomial
    std::int64_t rescales = 0; // rows brought to a new reference; of a conditional rescale, that may be
};
[[nodiscard]] OpCounts countsOf(const Program& program, const Work& work, const Op& op);

// Bytes that an asynchronous load brings to its barrier in each CTA it reaches: whole rows, also beyond the sequence.
[[nodiscard]] int landingBytes(const Program& program, const Op& op);

// A Stage from SMEM to SMEM: its tile is transposed on the way.
[[nodiscard]] bool transposes(const Program& program, const Op& op);

// Short label of an op for timelines and lists: "S = Q Kᵀ", "exp2", "load K".
[[nodiscard]] std::string labelOf(const Program& program, const Op& op);

} // namespace flashstep
