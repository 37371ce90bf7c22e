// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"
#include "tests/support/trace_invariants.h"

#include <gtest/gtest.h>

namespace {

using namespace flashstep;
using namespace flashstep::test;

// What a version moves and computes, in closed form from shapes, mask and tiles alone.
struct Formula {
    double read = 0, written = 0, flops = 0, exp2 = 0, rescales = 0;
};

constexpr double halfWord = 2; // bytes of an element of Q K V S P O: fp32 is a numerics mode, carried as 16 bits
constexpr double word = 4; // of an LSE

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

class CountsOf : public testing::TestWithParam<const char*> { };
INSTANTIATE_TEST_SUITE_P(Algorithms, CountsOf, testing::Values("standard", "fa2"));

void expectFormula(const Run& run)
{
    const Program& program = *run.program;
    const Formula f = program.algorithm == "fa2"
        ? fa2Formula(program.problem, program.tile)
        : standardFormula(program.problem, program.tile, program.launches[1].queryRows);
    EXPECT_EQ(run.report.globalReadBytes, f.read);
    EXPECT_EQ(run.report.globalWriteBytes, f.written);
    EXPECT_EQ(run.report.flopsExecuted, f.flops);
    EXPECT_EQ(run.report.exp2Hardware, f.exp2);
    EXPECT_EQ(run.report.rescalesDone, f.rescales);
}

TEST_P(CountsOf, EqualTheClosedFormulasOnRandomProblems)
{
    for (const std::uint64_t seed : seeds(400)) {
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
                for (const char* gpu : { "a100", "h100" }) {
                    Scenario s = scenarioOf(GetParam(), length, 2 * length, dim, mask, {});
                    s.tile.reset(); // the kernel's own
                    s.gpu = gpu;
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
