// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace {

using namespace flashstep;
using namespace flashstep::test;

double largestDifference(const Tensor& a, const Tensor& b)
{
    double worst = 0;
    for (std::size_t k = 0; k < a.data.size(); ++k) {
        const auto x = static_cast<double>(a.data[k]);
        const auto y = static_cast<double>(b.data[k]);
        if (!(x == y))
            worst = std::max(worst,
                std::isfinite(x) && std::isfinite(y) ? std::fabs(x - y) : std::numeric_limits<double>::infinity());
    }
    return worst;
}

class NumbersOf : public testing::TestWithParam<const char*> { };
INSTANTIATE_TEST_SUITE_P(Algorithms, NumbersOf, testing::Values("standard", "fa1", "fa2", "fa3", "fa4"));

TEST_P(NumbersOf, AreWithinTheErrorBoundOfTheFloat64Reference)
{
    for (const std::uint64_t seed : seeds(150)) {
        const Scenario s = randomScenario(seed, GetParam());
        SCOPED_TRACE(describe(seed, s));
        const auto run = runOf(s);
        const Report& report = run.report;
        ASSERT_TRUE(report.maxAbsError && report.maxAbsErrorLse && report.errorBound);
        ASSERT_LE(*report.maxAbsError, *report.errorBound);
        ASSERT_EQ(report.hazards, 0U);
        if (s.problem.dtype == DType::Fp32) { // of degree 3 the polynomial is off by up to 8.8e-5
            const double most = run.program->softmax.emulated.empty() ? 1e-5 : 2e-4;
            ASSERT_LE(*report.maxAbsError, most);
            ASSERT_LE(*report.maxAbsErrorLse, most);
        }
    }
}

// A bound that anything meets says nothing. 256 rows and keys of N(0, 1), so that the largest of many errors is met.
TEST_P(NumbersOf, ComeNearEnoughToTheBoundOnNormalInputs)
{
    // How many times the largest error the bound is. Averages over 256 keys hide most of what rounding P may cost one
    // key, the more so where S is rounded too; rows that see few keys, as under a causal mask, come near it.
    struct Row {
        DType dtype;
        const char* mask;
        double most;
    };
    for (const Row& row :
        { Row { DType::Fp32, "none", 40 }, Row { DType::Fp32, "causal", 40 }, Row { DType::Fp16, "none", 70 },
            Row { DType::Fp16, "causal", 20 }, Row { DType::Bf16, "none", 50 }, Row { DType::Bf16, "causal", 30 } }) {
        const Scenario s = scenarioOf(GetParam(), 256, 256, 64, row.mask, { 64, 64 }, row.dtype);
        SCOPED_TRACE(describe(s));
        const Report report = runOf(s).report;
        const double ratio = *report.errorBound / *report.maxAbsError;
        RecordProperty(std::string(name(row.dtype)) + "_" + row.mask, std::to_string(ratio));
        EXPECT_GE(ratio, 1);
        EXPECT_LE(ratio, row.most) << "bound " << *report.errorBound << ", error " << *report.maxAbsError;
    }
}

TEST_P(NumbersOf, AreWithinTheBoundWhateverTheInputsLookLike)
{
    for (const Init init : { Init::Outliers, Init::RisingLeft, Init::RisingRight, Init::Constant }) {
        for (const DType dtype : { DType::Fp32, DType::Fp16, DType::Bf16 }) {
            for (const auto& [length, dim] : { std::pair(64, 64), std::pair(256, 32), std::pair(1024, 64) }) {
                Scenario s = scenarioOf(GetParam(), 64, length, dim, "causal", { 64, 64 }, dtype);
                s.problem.init = init;
                SCOPED_TRACE(describe(s) + ", " + std::string(name(init)));
                const Report report = runOf(s).report;
                EXPECT_LE(*report.maxAbsError, *report.errorBound);
                EXPECT_LT(*report.errorBound, init == Init::Outliers ? 60 : 1) << "not for want of a bound";
            }
        }
    }
}

// Scores near ±110: exp2 of them overflows and underflows unless the row's maximum is taken away first.
TEST_P(NumbersOf, StandScoresOfAHundredAndTen)
{
    Scenario s = scenarioOf(GetParam(), 64, 96, 64, "none", { 16, 16 });
    Inputs inputs = generateInputs(s.problem);
    // Unit vectors apart from one long direction, so that scores fall on about +110, 0 and -110.
    for (int n = 0; n < 64; ++n)
        inputs.q.row(0, 0, n)[0] = 110;
    for (int n = 0; n < 96; ++n)
        inputs.k.row(0, 0, n)[0] = n % 3 == 0 ? 8.0F : n % 3 == 1 ? 0.0F : -8.0F;
    const Report report = runOf(s, inputs).report;
    EXPECT_LE(*report.maxAbsError, 2e-4);
    EXPECT_LE(*report.maxAbsErrorLse, 2e-4);
    EXPECT_LE(*report.maxAbsError, *report.errorBound);
}

TEST_P(NumbersOf, GiveZeroAndMinusInfinityToRowsThatSeeNothing)
{
    for (const char* mask : { "causal", "window:0,0", "window:3,2" }) {
        for (const TileSize tile : { TileSize { 8, 8 }, TileSize { 16, 32 } }) {
            const Scenario s = scenarioOf(GetParam(), 45, 20, 16, mask, tile);
            SCOPED_TRACE(describe(s));
            const auto run = runOf(s);
            int blind = 0;
            for (int row = 0; row < s.problem.seqlenQ; ++row) {
                if (!s.problem.visibleKeys(row).empty()) {
                    EXPECT_TRUE(std::isfinite(run.lse.row(0, 0, row)[0])) << row;
                    continue;
                }
                ++blind;
                EXPECT_EQ(run.lse.row(0, 0, row)[0], -std::numeric_limits<float>::infinity()) << row;
                for (const float o : run.o.row(0, 0, row))
                    EXPECT_EQ(o, 0.0F) << row;
            }
            EXPECT_GE(blind, 20);
            EXPECT_EQ(run.report.maxAbsErrorLse.has_value(), true);
            EXPECT_LE(*run.report.maxAbsErrorLse, run.program->softmax.emulated.empty() ? 1e-5 : 2e-4);
        }
    }
}

// Shown tiles are ours to choose, so the masked iterations have to hold for tiles no kernel has: neither a multiple of
// the other, lengths that divide evenly, and a shift that is a multiple of neither.
TEST_P(NumbersOf, HoldForTilesThatDoNotDivideEachOther)
{
    for (const TileSize tile :
        { TileSize { 8, 12 }, TileSize { 12, 8 }, TileSize { 20, 12 }, TileSize { 12, 20 }, TileSize { 28, 24 } }) {
        for (const char* mask : { "causal", "window:5,3", "none" }) {
            for (const auto& [tilesQ, blocksK] :
                { std::pair(1, 2), std::pair(2, 3), std::pair(3, 3), std::pair(4, 2) }) {
                const Scenario s = scenarioOf(GetParam(), tilesQ * tile.rows, blocksK * tile.keys, 16, mask, tile);
                SCOPED_TRACE(describe(s));
                EXPECT_LE(*runOf(s).report.maxAbsError, 1e-5);
            }
        }
    }
}

// Each version on the same problem, whatever its knobs are; fa1 and fa3 have narrower tables, so the problem is theirs.
TEST(Numbers, OfAllVersionsAgree)
{
    for (const std::uint64_t seed : seeds(60)) {
        for (const char* algorithm : { "fa1", "fa2", "fa3" }) {
            Scenario s = randomScenario(seed, algorithm);
            s.problem.headDimV = s.problem.headDim;
            s.tile = TileSize { 8, 16 };
            s.costTile.reset();
            SCOPED_TRACE(describe(seed, s));
            if (!prepare(s)) // eight rows are not for three warpgroups
                s.tile = TileSize { 24, 16 };
            const auto own = runOf(s);
            s.algorithm = "standard";
            std::erase_if(s.knobs, [](const auto& knob) { return knob.first != "causal-alignment"; });
            const auto standard = runOf(s);
            const double bounds = *own.report.errorBound + *standard.report.errorBound;
            EXPECT_LE(largestDifference(own.o, standard.o), bounds);
            EXPECT_LE(largestDifference(own.lse, standard.lse), s.problem.dtype == DType::Fp32 ? 2e-5 : 0.05);
        }
    }
}

// What the kernels themselves store for a row that sees nothing: FlashAttention-2 +inf, the others -inf as well.
TEST(Numbers, OfRowsThatSeeNothingAsTheKernelStoresThem)
{
    const Scenario s = with(scenarioOf("fa2", 45, 20, 16, "causal", { 8, 8 }), { { "empty-row-lse", "kernel" } });
    const auto run = runOf(s);
    for (int row = 0; row < 45; ++row) {
        if (s.problem.visibleKeys(row).empty())
            EXPECT_EQ(run.lse.row(0, 0, row)[0], std::numeric_limits<float>::infinity()) << row;
        else
            EXPECT_TRUE(std::isfinite(run.lse.row(0, 0, row)[0])) << row;
    }
    for (const char* algorithm : { "standard", "fa1", "fa3" })
        EXPECT_NE(
            errorOf(with(scenarioOf(algorithm, 45, 20, 16, "causal", { 8, 8 }), { { "empty-row-lse", "kernel" } })), "")
            << "-inf is what it stores anyway";
}

TEST_P(NumbersOf, GiveGroupedHeadsWhatTheirRepeatedKeyHeadsGet)
{
    Scenario grouped = scenarioOf(GetParam(), 40, 40, 32, "causal", { 16, 16 });
    grouped.problem.batch = 2;
    grouped.problem.heads = 6;
    grouped.problem.kvHeads = 2;
    const Inputs inputs = generateInputs(grouped.problem);
    const auto run = runOf(grouped, inputs);
    Scenario apart = grouped;
    apart.problem.kvHeads = 6;
    Inputs repeated { inputs.q, Tensor(2, 6, 40, 32), Tensor(2, 6, 40, 32) };
    for (int b = 0; b < 2; ++b)
        for (int h = 0; h < 6; ++h)
            for (int n = 0; n < 40; ++n) {
                std::ranges::copy(inputs.k.row(b, h / 3, n), repeated.k.row(b, h, n).begin());
                std::ranges::copy(inputs.v.row(b, h / 3, n), repeated.v.row(b, h, n).begin());
            }
    const auto same = runOf(apart, repeated);
    EXPECT_EQ(run.o.data, same.o.data);
    EXPECT_EQ(run.lse.data, same.lse.data);
}

} // namespace
