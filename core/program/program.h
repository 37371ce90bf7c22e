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

enum class Space : std::uint8_t { Hbm, Smem, Registers };
[[nodiscard]] std::string_view name(Space space); // "hbm", "smem", "registers"

// A buffer that every CTA of the launches using it has: shown shape, and what it costs of its memory in the real
// kernel.
struct BufferDecl {
    std::string name; // the paper's letter: Q K V S P O m l, "scale" for exp2((m_old - m) c), "LSE"
    Space space = Space::Smem;
    DType dtype = DType::Fp32;
    int rows = 0, cols = 0; // shown
    Bytes costedBytes = 0; // of SMEM, per CTA, with the costed tile; registers are not budgeted by buffer
    enum class Tile : std::uint8_t { Query, Key, Pair } tile = Tile::Query; // named by i, by j, or by (i, j)
    std::uint8_t launch = 0; // index of the launch whose CTAs own it
    BufferId aliases; // lives in the memory of this other buffer (sO in sQ)
    bool wholeRow = false; // its columns are all key blocks side by side; an op touches those of its block j
};

struct RoleDecl {
    std::string name; // "warp 0"
    int warps = 1;
    int quarter = 0; // sub-partition of the SM its warp runs on
};

struct BarrierDecl {
    std::string name; // "syncthreads"
    std::string unit; // "threads": what its count counts
    int count = 0; // arrivals that complete a turn
    int perArrival = 32; // what one arrival of a role is worth
};

// A named wait of the algorithm: what `--break wait:NAME` drops and `list waits` shows.
struct WaitDecl {
    std::string name;
    BarrierId barrier; // none: the role's own copy groups
    std::uint32_t line = 0;
    std::vector<std::string> impliedBy; // waits without which this one would not be redundant
    std::string reason; // what it protects
};

// The ops of one role inside a stream: Program::ops[first … first + count).
struct RoleRange {
    RoleId role;
    std::uint32_t first = 0, count = 0;
};

// What a CTA of one shape does: the ops of its roles, one role after the other.
struct Stream {
    std::uint32_t firstOp = 0, opCount = 0;
    std::vector<RoleRange> roles;
    int visitedBlocks = 0;
};

struct Cta {
    StreamId stream;
    std::uint8_t launch = 0;
    std::int32_t b = 0, h = 0;
    std::int32_t i = 0; // query tile
    std::int32_t jBase = 0; // added to every op's j
    std::int32_t row = 0; // first query row, over the head's sequence
};

// One kernel launch; launches run one after the other, the next when every CTA of the one before has ended.
struct LaunchDecl {
    std::string name;
    std::uint32_t firstCta = 0, ctaCount = 0;
    int threads = 0;
    int registersPerThread = 255;
    Bytes smemBytes = 0; // costed
    int queryRows = 0; // shown rows of its CTAs' tile
    int ctasPerTile = 1; // consecutive CTAs that work on one query tile
};

// What is to be done, as data: printable, checkable, comparable. Knows nothing of time.
struct Program {
    std::string algorithm, pass;
    Problem problem;
    TileSize tile, costTile;
    int stages = 1;
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
    std::vector<Cta> ctas;

    [[nodiscard]] const Op& op(OpId id) const { return ops[id.index()]; }
    [[nodiscard]] const RowSet& rows(const Op& o) const { return rowSets[o.rows.index()]; }
    [[nodiscard]] const Stream& streamOf(CtaId cta) const { return streams[ctas[cta.index()].stream.index()]; }
    [[nodiscard]] int keyBlock(const Cta& cta, const Op& o) const { return o.j < 0 ? -1 : cta.jBase + o.j; }
    [[nodiscard]] int queryTiles() const { return (problem.seqlenQ + tile.rows - 1) / tile.rows; }
    [[nodiscard]] int keyBlocks() const { return (problem.seqlenK + tile.keys - 1) / tile.keys; }
    [[nodiscard]] BufferId buffer(std::string_view bufferName, int launch) const; // none() if that launch has none
    [[nodiscard]] std::string sourceOf(std::uint32_t line) const { return source + ":" + std::to_string(line); }

    // Rows of the CTA's query tile that lie inside the sequence, and keys of block j that do.
    [[nodiscard]] int rowsInside(const Cta& cta) const;
    [[nodiscard]] int keysInside(int j) const;
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
    std::int64_t exp2 = 0;
    std::int64_t rescales = 0; // rows brought to a new reference
};
[[nodiscard]] OpCounts countsOf(const Program& program, const Cta& cta, const Op& op);

// Short label of an op for timelines and lists: "S = Q Kᵀ", "exp2", "load K".
[[nodiscard]] std::string labelOf(const Program& program, const Op& op);

} // namespace flashstep
