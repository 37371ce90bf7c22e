// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"
#include "tests/support/trace_invariants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace {

using namespace flashstep;
using namespace flashstep::test;

// What a version moves and computes, in closed form from shapes, mask and tiles alone.
struct Formula {
    double read = 0, written = 0, flops = 0, exp2 = 0, rescales = 0; // rescales: done or skipped
};

constexpr double halfWord = 2; // bytes of an element of Q K V S P O: fp32 is a numerics mode, carried as 16 bits
constexpr double word = 4; // of an LSE, l, m, and of O in fp32 between two visits

// arXiv:2205.14135, Algorithm 0: every tile of S and P goes out and comes back; nothing is skipped.
Formula standardFormula(const Problem& p, TileSize tile, int softmaxRows)
{
    const double heads = static_cast<double>(p.batch) * p.heads;
    const double n = p.seqlenQ;
    const double m = p.seqlenK;
    const double tiles = (p.seqlenQ + tile.rows - 1) / tile.rows;
    const double blocks = (p.seqlenK + tile.keys - 1) / tile.keys;
    const double softmaxTiles = (p.seqlenQ + softmaxRows - 1) / softmaxRows;
    Formula f;
    f.read
        = heads * halfWord * (blocks * n * p.headDim + tiles * m * p.headDim + n * m + n * m + tiles * m * p.headDimV);
    f.written = heads * (halfWord * (n * m + n * m + n * p.headDimV) + word * n);
    f.flops = heads * 2 * tiles * blocks * tile.rows * tile.keys * (p.headDim + p.headDimV);
    f.exp2 = heads * softmaxTiles * softmaxRows * blocks * tile.keys;
    return f;
}

// arXiv:2307.08691: Q once, K and V of every visited block, O and LSE once.
Formula fa2Formula(const Problem& p, TileSize tile)
{
    const double heads = static_cast<double>(p.batch) * p.heads;
    Formula f;
    for (int i = 0; i * tile.rows < p.seqlenQ; ++i) {
        const std::vector<int> visited = visitedKeyBlocks(p, tile, i);
        const double rows = std::min(tile.rows, p.seqlenQ - i * tile.rows);
        const auto count = static_cast<double>(visited.size());
        if (!visited.empty())
            f.read += halfWord * rows * p.headDim;
        for (const int j : visited)
            f.read += halfWord * std::min(tile.keys, p.seqlenK - j * tile.keys) * (p.headDim + p.headDimV);
        f.written += halfWord * rows * p.headDimV + word * rows;
        f.flops += 2 * count * tile.rows * tile.keys * (p.headDim + p.headDimV);
        f.exp2 += count * tile.rows * tile.keys;
        f.rescales += visited.empty() ? 0 : rows * (count - 1);
    }
    return { heads * f.read, heads * f.written, heads * f.flops, heads * f.exp2, heads * f.rescales };
}

// The rows of the tiles are shared out: the smallest split whose waves are filled nearly as well as the best one's, of
// CTAs that stand two on an SM, at most 30. [fmha_fwd_launch_template.h, v1.0.9]
int fa1Splits(const Problem& p, int tiles, double sms)
{
    std::vector<double> filled { 0 }; // by split
    for (int s = 1; s <= std::min(30, tiles); ++s) {
        const double waves = static_cast<double>(p.batch) * p.heads * s / (2 * sms);
        filled.push_back(waves / std::ceil(waves));
    }
    const double best = *std::max_element(filled.begin(), filled.end());
    int s = 1;
    while (s + 1 < static_cast<int>(filled.size()) && filled[static_cast<std::size_t>(s)] <= 0.95 * best)
        ++s;
    return s;
}

// Key blocks outside, queries inside; O and the statistics go out at every visit and come back at all but a row tile's
// first. Shipped (v1.0.9): a share of the row tiles for each CTA, which reads K and V of every block that one of its
// rows sees; one statistic, the LSE. Paper (arXiv:2205.14135, Algorithm 1): one CTA for a head; l and m, and at the
// last visit O in 16 bits and the LSE in their place.
Formula fa1Formula(const Problem& p, TileSize tile, bool paper, double sms)
{
    const double heads = static_cast<double>(p.batch) * p.heads;
    const int tiles = (p.seqlenQ + tile.rows - 1) / tile.rows;
    const int blocks = (p.seqlenK + tile.keys - 1) / tile.keys;
    const int splits = paper ? 1 : fa1Splits(p, tiles, sms);
    const double statistics = paper ? 2 * word : word;
    std::set<std::pair<int, int>> fetched; // share, key block
    Formula f;
    for (int i = 0; i < tiles; ++i) {
        const std::vector<int> visited = visitedKeyBlocks(p, tile, i);
        const double rows = std::min(tile.rows, p.seqlenQ - i * tile.rows);
        const auto count = static_cast<double>(visited.size());
        const double again = std::max(0.0, count - 1);
        for (const int j : visited)
            fetched.emplace(i % splits, j);
        f.read += rows * (count * halfWord * p.headDim + again * (word * p.headDimV + statistics));
        f.written += rows * (halfWord * p.headDimV + word) // the last visit, or that of a tile that sees nothing
            + rows * again * (word * p.headDimV + statistics);
        f.flops += 2 * count * tile.rows * tile.keys * (p.headDim + p.headDimV);
        f.exp2 += count * tile.rows * tile.keys;
        f.rescales += rows * again;
    }
    for (const auto& [share, j] : fetched) {
        EXPECT_LT(j, blocks);
        f.read += halfWord * std::min(tile.keys, p.seqlenK - j * tile.keys) * (p.headDim + p.headDimV);
    }
    return { heads * f.read, heads * f.written, heads * f.flops, heads * f.exp2, heads * f.rescales };
}

// FlashAttention-4: the query tiles of a CTA share the range of key blocks that any row of them sees, and K and V; the
// CTAs of a pair share them too, each holding half. A group that sees nothing processes one block all the same. Heads
// packed together count once.
Formula fa4Formula(const Run& run)
{
    const Program& program = *run.program;
    const LaunchDecl& launch = program.launches.back();
    const Problem& p = program.problem;
    const int together = launch.tilesPerWork * (launch.pairs ? 2 : 1); // tiles
    const int packed = program.packed;
    const int rows = p.seqlenQ * packed;
    const int groupRows = program.tile.rows * together;
    Formula f;
    for (int first = 0; first < rows; first += groupRows) {
        std::vector<bool> sees(static_cast<std::size_t>((p.seqlenK + program.tile.keys - 1) / program.tile.keys));
        const int perCta = program.tile.rows * launch.tilesPerWork;
        const int end = launch.pairs ? first + groupRows : first + perCta;
        for (int row = first; row < end; ++row) // also beyond the sequence: the kernel does not look
            for (std::size_t j = 0; j < sees.size(); ++j)
                for (int key = static_cast<int>(j) * program.tile.keys;
                     key < static_cast<int>(j + 1) * program.tile.keys; ++key) {
                    const std::int64_t distance = std::int64_t { key } - row / packed - p.shift();
                    sees[j] = sees[j] || p.mask.kind == MaskKind::None
                        || (distance <= (p.mask.kind == MaskKind::Window ? p.mask.right : 0)
                            && (p.mask.kind == MaskKind::Causal || distance >= -std::int64_t { p.mask.left }));
                }
        std::vector<int> visited;
        for (std::size_t j = 0; j < sees.size(); ++j)
            if (sees[j])
                visited.push_back(static_cast<int>(j));
        if (visited.empty())
            visited.push_back(0);
        const double inside = std::min(groupRows, rows - first);
        const auto count = static_cast<double>(visited.size());
        f.read += halfWord * inside * p.headDim;
        for (const int j : visited)
            f.read
                += halfWord * std::min(program.tile.keys, p.seqlenK - j * program.tile.keys) * (p.headDim + p.headDimV);
        f.written += halfWord * inside * p.headDimV + word * inside;
        f.flops += 2 * count * groupRows * program.tile.keys * (p.headDim + p.headDimV);
        f.exp2 += count * groupRows * program.tile.keys;
        f.rescales += inside * (count - 1);
    }
    const double heads = static_cast<double>(p.batch) * p.heads / packed;
    return { heads * f.read, heads * f.written, heads * f.flops, heads * f.exp2, heads * f.rescales };
}

// arXiv:2407.08608: as FlashAttention-2. A multicast counts at each receiver; what its halves are is seen in the trace.
Formula formulaOf(const Run& run)
{
    const Program& program = *run.program;
    if (program.algorithm == "standard")
        return standardFormula(program.problem, program.tile, program.launches[1].queryRows);
    if (program.algorithm == "fa4")
        return fa4Formula(run);
    const Choices choices = choicesOf(run.scenario);
    const bool qOuter = choices.loopOrder == Choices::LoopOrder::QOuter; // O never leaves the registers
    if (program.algorithm != "fa1" || qOuter)
        return fa2Formula(program.problem, program.tile);
    const bool paper = choices.fa1Form == Choices::Fa1Form::Paper || choices.loopOrder || choices.divide;
    return fa1Formula(program.problem, program.tile, paper, run.gpu.sms);
}

class CountsOf : public testing::TestWithParam<const char*> { };
INSTANTIATE_TEST_SUITE_P(Algorithms, CountsOf, testing::Values("standard", "fa1", "fa2", "fa3", "fa4"));

void expectFormula(const Run& run)
{
    const Formula f = formulaOf(run);
    EXPECT_EQ(run.report.globalReadBytes, f.read);
    EXPECT_EQ(run.report.globalWriteBytes, f.written);
    EXPECT_EQ(run.report.flopsExecuted, f.flops);
    EXPECT_EQ(run.report.exp2Hardware + run.report.exp2Emulated, f.exp2);
    EXPECT_EQ(run.report.rescalesDone + run.report.rescalesSkipped, f.rescales);
    const auto emulated = static_cast<double>(std::ranges::count(run.program->softmax.emulated, true));
    EXPECT_EQ(run.report.exp2Emulated, f.exp2 * emulated / run.program->tile.keys);
}

TEST_P(CountsOf, EqualTheClosedFormulasOnRandomProblems)
{
    for (const std::uint64_t seed : seeds(250)) {
        Scenario s = randomScenario(seed, GetParam());
        s.record = { Record::Kind::None };
        SCOPED_TRACE(describe(seed, s));
        expectFormula(runOf(s));
        if (HasFailure())
            return;
    }
}

TEST_P(CountsOf, EqualTheClosedFormulasAtTheSizesOfTheKernels)
{
    for (const int length : { 512, 1000 }) {
        for (const int dim : { 64, 128, 256 }) {
            for (const char* mask : { "none", "causal", "window:128,0" }) {
                for (const char* gpu : { "a100", "h100", "b200", "b300" }) {
                    Scenario s = scenarioOf(GetParam(), length, 2 * length, dim, mask, {});
                    s.tile.reset(); // the kernel's own
                    s.knobs.clear();
                    s.gpu = gpu;
                    if (!prepare(s))
                        continue; // no kernel of that size, or for that GPU
                    s.record = { Record::Kind::None };
                    SCOPED_TRACE(describe(s));
                    expectFormula(runOf(s));
                }
            }
        }
    }
}

// By hand, so that the formulas themselves are held by something: 2 tiles of 8 rows, 16 keys, d = 8, causal.
TEST(Counts, OfASmallCausalProblemByHand)
{
    Scenario s = scenarioOf("fa2", 16, 16, 8, "causal", { 8, 8 });
    const Report fa2 = runOf(s).report;
    EXPECT_EQ(fa2.globalReadBytes, 2 * (16 * 8 + 3 * 8 * (8 + 8))) << "Q once, three blocks of K and V";
    EXPECT_EQ(fa2.globalWriteBytes, 2 * 16 * 8 + 4 * 16) << "O and LSE";
    EXPECT_EQ(fa2.exp2Hardware, 3 * 64);
    EXPECT_EQ(fa2.rescalesDone, 8) << "the second tile's second block";
    s.algorithm = "standard";
    const Report standard = runOf(s).report;
    EXPECT_EQ(standard.globalReadBytes, 2 * (4 * (8 * 8 + 8 * 8) + 16 * 16 + 16 * 16 + 2 * 16 * 8));
    EXPECT_EQ(standard.globalWriteBytes, 2 * (2 * 16 * 16 + 16 * 8) + 4 * 16);
    EXPECT_EQ(standard.exp2Hardware, 4 * 64);
    EXPECT_EQ(standard.rescalesDone, 0);
}

// The same of FlashAttention-1: with 2 row tiles of 8, each in a CTA of its own, and with both in one.
TEST(Counts, OfASmallCausalProblemInFlashAttention1ByHand)
{
    Scenario s = scenarioOf("fa1", 16, 16, 8, "causal", { 8, 8 });
    const auto shares = [](const Report& report, int blocksFetched) {
        const double visits = 2 * 8 * 8 * 3; // Q of three visits
        EXPECT_EQ(report.globalReadBytes, visits + blocksFetched * 2 * 8 * (8 + 8) + 8 * (4 * 8 + 4));
        EXPECT_EQ(report.globalWriteBytes, 2 * 16 * 8 + 4 * 16 + 8 * (4 * 8 + 4)) << "two last visits and one before";
        EXPECT_EQ(report.exp2Hardware, 3 * 64);
        EXPECT_EQ(report.rescalesDone, 8);
    };
    shares(runOf(s).report, 3);
    s.problem.heads = s.problem.kvHeads = 2;
    const Report one = runOf(with(s, { { "sms", "1" } })).report; // 2 heads fill the 2 places of the one SM
    const Report many = runOf(s).report;
    EXPECT_EQ(many.globalReadBytes - one.globalReadBytes, 2 * 2 * 8 * (8 + 8)) << "block 0 for both tiles of a head";
    s.problem.heads = s.problem.kvHeads = 1;
    const Report paper = runOf(with(s, { { "fa1-form", "paper" } })).report;
    EXPECT_EQ(paper.globalReadBytes, 2 * 8 * 8 * 3 + 2 * 2 * 8 * (8 + 8) + 8 * (4 * 8 + 8)) << "O, l and m once more";
    EXPECT_EQ(paper.globalWriteBytes, 2 * 16 * 8 + 4 * 16 + 8 * (4 * 8 + 8));
}

// Each CTA of a cluster fetches one half of K and V for both; at each, the whole arrives.
TEST(Counts, OfAMulticastAreThoseOfEachReceiver)
{
    const Scenario s = scenarioOf("fa3", 64, 64, 128, "none", { 16, 16 });
    const auto together = runOf(s);
    const auto apart = runOf(with(s, { { "multicast", "off" } }));
    ASSERT_EQ(together.program->launches.back().clusterSize, 2);
    ASSERT_EQ(apart.program->launches.back().clusterSize, 1);
    EXPECT_EQ(together.report.globalReadBytes, 2 * (64 * 128 + 4 * 64 * 256));
    EXPECT_EQ(together.report.globalReadBytes, apart.report.globalReadBytes);
    EXPECT_EQ(together.report.globalWriteBytes, apart.report.globalWriteBytes);
    for (std::size_t k = 0; k < together.program->ops.size(); ++k) {
        const Op& op = together.program->ops[k];
        if (op.kind == OpKind::Load && op.tensor != TensorId::Q) {
            ASSERT_EQ(together.program->rows(op).count(), 8) << "half of the block";
            ASSERT_EQ(op.reach, Reach::Both);
        }
    }
}

TEST(Counts, OfARowThatSeesNothingAreItsOutputOnly)
{
    const Report report = runOf(scenarioOf("fa2", 16, 8, 8, "causal", { 8, 8 })).report;
    EXPECT_EQ(report.globalReadBytes, 2 * (8 * 8 + 8 * 16)) << "the first tile loads nothing";
    EXPECT_EQ(report.globalWriteBytes, 2 * 16 * 8 + 4 * 16);
}

TEST(Counts, DoNotDependOnTheCostedTileOrTheMachine)
{
    Scenario s = scenarioOf("fa2", 40, 40, 16, "causal", { 8, 8 });
    const Report plain = runOf(s).report;
    s.costTile = TileSize { 128, 128 };
    s.gpu = "h100";
    const Report costed = runOf(s).report;
    EXPECT_EQ(plain.globalReadBytes, costed.globalReadBytes);
    EXPECT_EQ(plain.globalWriteBytes, costed.globalWriteBytes);
    EXPECT_EQ(plain.flopsExecuted, costed.flopsExecuted);
    EXPECT_EQ(plain.exp2Hardware, costed.exp2Hardware);
    EXPECT_GT(costed.cycles, plain.cycles);
    EXPECT_TRUE(plain.tflops);
    EXPECT_FALSE(costed.tflops) << "flops of the shown problem over the time of the costed one mean nothing";
}

TEST(Counts, CausalWorkIsNoMoreThanDense)
{
    for (const std::uint64_t seed : seeds(100)) {
        Scenario s = randomScenario(seed, "fa2");
        s.record = { Record::Kind::None };
        s.problem.mask = { MaskKind::Causal };
        SCOPED_TRACE(describe(seed, s));
        const Report causal = runOf(s).report;
        s.problem.mask = {};
        const Report dense = runOf(s).report;
        EXPECT_LE(causal.globalReadBytes, dense.globalReadBytes);
        EXPECT_EQ(causal.globalWriteBytes, dense.globalWriteBytes);
        EXPECT_LE(causal.flopsExecuted, dense.flopsExecuted);
        EXPECT_LE(causal.exp2Hardware, dense.exp2Hardware);
        EXPECT_LE(causal.rescalesDone, dense.rescalesDone);
    }
    Scenario large = scenarioOf("fa2", 1024, 1024, 64, "causal", { 128, 128 }, DType::Bf16);
    large.record = { Record::Kind::None };
    const Report causal = runOf(large).report;
    large.problem.mask = {};
    const Report dense = runOf(large).report;
    EXPECT_EQ(causal.flopsExecuted, dense.flopsExecuted * 36 / 64) << "8 tiles: 36 of 64 blocks";
    EXPECT_LT(causal.utilisation.tensor * static_cast<double>(causal.cycles),
        0.6 * dense.utilisation.tensor * static_cast<double>(dense.cycles));
    EXPECT_LT(causal.cycles, dense.cycles * 1.05);
}

} // namespace
