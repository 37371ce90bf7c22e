// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"
#include "tests/support/trace_invariants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace flashstep;
using namespace flashstep::test;

// How often the ops of all roles that `belongs` accepts touch each row of their tile, over one stream.
template <typename Belongs>
std::vector<int> touches(const Program& program, const Stream& stream, int rows, Belongs belongs)
{
    std::vector<int> counts(static_cast<std::size_t>(rows));
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k)
        if (belongs(program.ops[k]))
            program.rows(program.ops[k]).forEach([&](int row) { ++counts.at(static_cast<std::size_t>(row)); });
    return counts;
}

// Tiles and head dimensions that take every way in which rows are shared out.
std::vector<Scenario> manyTiles()
{
    std::vector<Scenario> all;
    for (const char* algorithm : { "standard", "fa2" })
        for (const int dim : { 8, 32, 64, 96, 192 })
            for (const TileSize tile : { TileSize { 8, 8 }, TileSize { 16, 32 }, TileSize { 24, 40 },
                     TileSize { 64, 16 }, TileSize { 128, 64 } }) {
                all.push_back(scenarioOf(algorithm, tile.rows + 3, 2 * tile.keys, dim, "causal", tile));
                all.back().gpu = "h100";
            }
    return all;
}

TEST(Builder, WarpsShareTheRowsOfATileWithoutGapsOrOverlaps)
{
    for (const Scenario& s : manyTiles()) {
        SCOPED_TRACE(describe(s));
        const auto program = programOf(s);
        for (std::size_t id = 0; id < program->streams.size(); ++id) {
            const Stream& stream = program->streams[id];
            std::set<std::tuple<OpKind, TensorId, int, std::uint32_t>>
                steps; // what a tile goes through: each is shared by all warps
            for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
                const Op& op = program->ops[k];
                if (op.kind != OpKind::Commit && op.kind != OpKind::Wait && op.kind != OpKind::Sync)
                    steps.insert({ op.kind, op.tensor, op.j, op.line });
            }
            for (const auto& [kind, tensor, j, line] : steps) {
                int rows = 0;
                const auto belongs = [&, kind = kind, tensor = tensor, j = j, line = line](const Op& op) {
                    return op.kind == kind && op.tensor == tensor && op.j == j && op.line == line;
                };
                for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
                    const Op& op = program->ops[k];
                    const BufferId buffer = op.out.valid() ? op.out : op.out2.valid() ? op.out2 : op.in[0];
                    if (belongs(op))
                        rows = program->buffers[buffer.index()].rows;
                }
                EXPECT_EQ(touches(*program, stream, rows, belongs), std::vector<int>(static_cast<std::size_t>(rows), 1))
                    << name(kind) << " " << name(tensor) << " j " << j << " line " << line << " of stream " << id;
            }
        }
    }
}

// Else a missing barrier could not be seen: a warp would only ever read what it copied itself.
TEST(Builder, WarpsCopyOtherRowsThanTheyCompute)
{
    for (const Scenario& s : manyTiles()) {
        SCOPED_TRACE(describe(s));
        const auto program = programOf(s);
        for (const Op& op : program->ops) {
            if (op.kind != OpKind::Store || op.tensor != TensorId::O
                || program->buffers[op.in[0].index()].space != Space::Smem)
                continue;
            const auto stage = std::ranges::find_if(program->ops,
                [&](const Op& o) { return o.kind == OpKind::Stage && o.role == op.role && o.out == op.in[0]; });
            ASSERT_NE(stage, program->ops.end());
            const auto rowsOf = [&](const Op& o) {
                std::set<int> rows;
                program->rows(o).forEach([&](int row) { rows.insert(row); });
                return rows;
            };
            EXPECT_NE(rowsOf(op), rowsOf(*stage)) << "role " << op.role.index();
        }
    }
}

TEST(Builder, RowSetsKnowTheirRows)
{
    for (const RowSet rows :
        { RowSet { 0, 16, 64, 2 }, RowSet { 48, 16, 64, 2 }, RowSet { 3, 1, 4, 8 }, RowSet { 5, 7, 0, 1 } }) {
        std::set<int> visited;
        rows.forEach([&](int row) { EXPECT_TRUE(visited.insert(row).second); });
        EXPECT_EQ(static_cast<int>(visited.size()), rows.count());
        for (int row = 0; row < 200; ++row)
            EXPECT_EQ(rows.contains(row), visited.contains(row)) << row;
    }
}

// n_block_min, n_block_max and the masked iterations of the kernels, against the definition of the mask.
TEST(Builder, VisitsTheBlocksThatHoldVisibleKeysFromRightToLeft)
{
    for (const std::uint64_t seed : seeds(300)) {
        Scenario s = randomScenario(seed, "fa2");
        s.record = { Record::Kind::None };
        SCOPED_TRACE(describe(seed, s));
        const auto program = programOf(s);
        for (const Work& work : program->works) {
            const std::vector<int> expected = visitedKeyBlocks(s.problem, program->tile, work.i);
            std::vector<int> visited;
            std::set<int> masked;
            const Stream& stream = program->streams[work.stream.index()];
            for (std::uint32_t k = stream.roles[0].first; k < stream.roles[0].first + stream.roles[0].count; ++k) {
                const Op& op = program->ops[k];
                if (op.kind == OpKind::Mma && op.transposed) {
                    visited.push_back(program->keyBlock(work, op));
                    EXPECT_EQ(op.n, static_cast<int>(visited.size()));
                }
                if (op.kind == OpKind::Mask)
                    masked.insert(program->keyBlock(work, op));
            }
            ASSERT_EQ(visited, expected) << "query tile " << work.i;
            for (const int j : visited) {
                bool hidden = false;
                for (int row = work.row; row < work.row + program->rowsInside(work); ++row)
                    for (int key = j * program->tile.keys; key < (j + 1) * program->tile.keys; ++key)
                        hidden = hidden || !s.problem.visible(row, key) || key >= s.problem.seqlenK;
                ASSERT_TRUE(!hidden || masked.contains(j))
                    << "block " << j << " of query tile " << work.i << " is never masked";
            }
        }
    }
}

TEST(Builder, MasksOnlyTheBlocksThatTheKernelMasks)
{
    const auto maskedBlocks = [](const Scenario& s) {
        const auto program = programOf(s);
        const Stream& last = program->streamOf(WorkId(program->ctaCount() - 1));
        return std::count_if(program->ops.begin() + last.roles[0].first,
            program->ops.begin() + last.roles[0].first + last.roles[0].count,
            [](const Op& op) { return op.kind == OpKind::Mask; });
    };
    EXPECT_EQ(maskedBlocks(scenarioOf("fa2", 512, 512, 64, "none", { 128, 128 })), 0) << "even";
    EXPECT_EQ(maskedBlocks(scenarioOf("fa2", 512, 500, 64, "none", { 128, 128 })), 1) << "keys beyond the end";
    EXPECT_EQ(maskedBlocks(scenarioOf("fa2", 512, 512, 64, "causal", { 128, 128 })), 1) << "even: the diagonal block";
    EXPECT_EQ(maskedBlocks(scenarioOf("fa2", 512, 512, 128, "causal", { 128, 64 })), 2) << "even: ceil(128 / 64)";
    EXPECT_EQ(maskedBlocks(scenarioOf("fa2", 500, 512, 128, "causal", { 128, 64 })), 3) << "uneven: one more";
    EXPECT_EQ(maskedBlocks(scenarioOf("fa2", 512, 512, 192, "causal", { 128, 64 })), 3)
        << "kernels of head_dim above 128 never count as even";
    EXPECT_EQ(maskedBlocks(scenarioOf("fa2", 512, 512, 64, "window:256,0", { 128, 128 })), 3)
        << "every block of a window";
}

TEST(Builder, AWindowAsWideAsAnIntIsEveryKey)
{
    const auto program = programOf(scenarioOf("fa2", 32, 48, 8, "window:2147483647,2147483647", { 8, 8 }));
    for (std::size_t c = 0; c < program->ctaCount(); ++c)
        EXPECT_EQ(program->streamOf(WorkId(c)).visitedBlocks, 6);
}

TEST(Builder, CtasOfOneShapeShareTheirStream)
{
    Scenario s = scenarioOf("fa2", 64, 64, 16, "none", { 8, 8 });
    s.problem.batch = 3;
    s.problem.heads = s.problem.kvHeads = 5;
    const auto dense = programOf(s);
    EXPECT_EQ(dense->ctaCount(), 8U * 15U);
    EXPECT_EQ(dense->streams.size(), 1U);
    s.problem.mask = { MaskKind::Causal };
    EXPECT_EQ(programOf(s)->streams.size(), 8U) << "one for each number of key blocks";
    s.problem.seqlenQ = 61;
    s.problem.mask = {};
    EXPECT_EQ(programOf(s)->streams.size(), 2U) << "the last tile has fewer rows";
    s.algorithm = "standard";
    s.problem.seqlenQ = 64;
    const auto standard = programOf(s);
    EXPECT_EQ(standard->streams.size(), 3U) << "one for each launch: score tiles name their block by jBase";
    EXPECT_EQ(standard->ctaCount(), (64U + 8U + 8U) * 15U);
}

TEST(Builder, OrdersTheGridByQueryTileThenBatchThenHead)
{
    Scenario s = scenarioOf("fa2", 16, 16, 8, "none", { 8, 8 });
    s.problem.batch = 2;
    s.problem.heads = s.problem.kvHeads = 2;
    const auto program = programOf(s);
    std::vector<std::array<int, 3>> grid;
    for (const Work& work : program->works)
        grid.push_back({ work.h, work.b, work.i });
    EXPECT_TRUE(std::ranges::is_sorted(grid));
    EXPECT_EQ(std::set(grid.begin(), grid.end()).size(), 8U);
}

// The Source view shows these lines: each must be the one that says what the op does.
TEST(Builder, OpsNameTheLineThatMadeThem)
{
    const std::map<OpKind, std::vector<std::string>> calls { { OpKind::Load, { "copyAsync(", "load(" } },
        { OpKind::Commit, { "commit()" } }, { OpKind::Wait, { "waitGroup(" } }, { OpKind::Sync, { "sync(" } },
        { OpKind::Mma, { "mmaTransposed(", "mma(" } }, { OpKind::Mask, { "mask(" } }, { OpKind::RowMax, { "rowMax(" } },
        { OpKind::Rescale, { "rescale(" } }, { OpKind::Exp2, { "exp2(" } }, { OpKind::RowSum, { "rowSum(" } },
        { OpKind::Convert, { "convert(" } }, { OpKind::Normalise, { "normalise(", "divide(" } },
        { OpKind::Stage, { "stage(" } }, { OpKind::Store, { "store(" } } };
    for (const char* algorithm : { "standard", "fa2" }) {
        const auto program = programOf(scenarioOf(algorithm, 20, 16, 8, "causal", { 8, 8 }));
        std::ifstream file(std::string(FLASHSTEP_SOURCE_DIR) + "/" + program->source);
        std::vector<std::string> lines(1);
        for (std::string line; std::getline(file, line);)
            lines.push_back(line);
        std::set<OpKind> met;
        for (const Op& op : program->ops) {
            ASSERT_GT(op.line, 0U);
            ASSERT_LT(op.line, lines.size());
            const std::vector<std::string>& names = calls.at(op.kind);
            EXPECT_TRUE(std::ranges::any_of(
                names, [&](const std::string& call) { return lines[op.line].find(call) != std::string::npos; }))
                << name(op.kind) << " says line " << op.line << ": " << lines[op.line];
            met.insert(op.kind);
        }
        EXPECT_GE(met.size(), 12U);
        for (const WaitDecl& wait : program->waits)
            EXPECT_NE(lines.at(wait.line).find("w."), std::string::npos) << wait.name;
    }
}

TEST(Builder, CountsTheTurnsOfABarrierPerRole)
{
    const auto program = programOf(scenarioOf("fa2", 8, 24, 8, "none", { 8, 8 }));
    for (const RoleRange& role : program->streams[0].roles) {
        std::uint32_t turn = 0;
        for (std::uint32_t k = role.first; k < role.first + role.count; ++k)
            if (program->ops[k].kind == OpKind::Sync) {
                EXPECT_EQ(program->ops[k].turn, turn++);
            }
        EXPECT_EQ(turn, 2U * 3U + 1U) << "two a block and one at the end";
    }
}

TEST(Builder, CostsSharedMemoryByTheCostedTile)
{
    Scenario s = scenarioOf("fa2", 16, 16, 64, "none", { 8, 8 }, DType::Bf16);
    s.costTile = TileSize { 128, 128 };
    EXPECT_EQ(programOf(s)->launches[0].smemBytes, 48 * 1024) << "kernels.md 2.1: head_dim 64";
    s.problem.dtype = DType::Fp32;
    EXPECT_EQ(programOf(s)->launches[0].smemBytes, 48 * 1024) << "fp32 is carried in the 16-bit kernel's room";
    s.problem.headDim = s.problem.headDimV = 128;
    s.costTile = TileSize { 128, 64 };
    EXPECT_EQ(programOf(s)->launches[0].smemBytes, 64 * 1024);
    s.problem.headDim = s.problem.headDimV = 256;
    EXPECT_EQ(programOf(s)->launches[0].smemBytes, 128 * 1024);
}

} // namespace
