// SPDX-License-Identifier: Apache-2.0
#include "core/io/overview.h"

#include "core/algorithms/registry.h"
#include "core/io/validation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {

using namespace flashstep;

// Short, so that a test takes no time.
OverviewRequest shortRequest()
{
    OverviewRequest request;
    request.seqlen = 2048;
    return request;
}

const OverviewRow* rowOf(const Overview& all, const std::string& algorithm, const std::string& gpu, MaskKind mask)
{
    const auto found = std::ranges::find_if(all.rows, [&](const OverviewRow& row) {
        return row.scenario.algorithm == algorithm && row.scenario.gpu == gpu && row.scenario.problem.mask.kind == mask;
    });
    return found == all.rows.end() ? nullptr : &*found;
}

TEST(Overview, HasEachVersionOnEachGpuThatRunsIt)
{
    const auto all = overview(shortRequest(), shippedResults(), {});
    ASSERT_TRUE(all.ok()) << all.error().line();
    EXPECT_EQ(all->rows.size(), 2U * (3 + 3 + 3 + 1 + 1)); // standard, fa1, fa2 everywhere
    EXPECT_EQ(all->rows.size() / 2 + all->gaps.size(), 5U * 3);
    EXPECT_NE(rowOf(*all, "fa3", "h100", MaskKind::Causal), nullptr);
    EXPECT_EQ(rowOf(*all, "fa3", "b200", MaskKind::None), nullptr);
    for (const OverviewGap& gap : all->gaps)
        EXPECT_NE(gap.reason.find("needs"), std::string::npos) << gap.reason;
    for (const OverviewRow& row : all->rows) {
        const Problem& p = row.scenario.problem;
        EXPECT_EQ(p.heads, 16);
        EXPECT_EQ(p.batch * p.seqlenQ, row.scenario.algorithm == "fa4" ? 32768 : 16384);
        EXPECT_GT(row.peakShare(), 0);
        EXPECT_LT(row.peakShare(), 1);
    }
}

TEST(Overview, PredictsWhatARunOfTheScenarioTakes)
{
    OverviewRequest request = shortRequest();
    request.algorithms = { "fa4" };
    request.gpus = { "b200" };
    const auto all = overview(request, shippedResults(), {});
    ASSERT_TRUE(all.ok());
    ASSERT_EQ(all->rows.size(), 2U);
    RunOptions options;
    options.grid = RunOptions::Grid::TwoSteps;
    const auto run = runScenario(all->rows.front().scenario, std::nullopt, {}, options);
    ASSERT_TRUE(run.ok()) << run.error().line();
    const Prediction& prediction = all->rows.front().prediction;
    EXPECT_NEAR(prediction.tflops(), *run->report.tflops, 0.002 * *run->report.tflops);
    EXPECT_EQ(prediction.binding(), run->report.binding);
}

// At the size of the papers' figures: what is there stands beside the row, core first; nothing is interpolated.
TEST(Overview, PublishedFiguresAreOfTheSameProblem)
{
    OverviewRequest request;
    request.gpus = { "h100" };
    request.algorithms = { "fa2", "fa3" };
    const auto all = overview(request, shippedResults(), {});
    ASSERT_TRUE(all.ok());
    const OverviewRow* fa2 = rowOf(*all, "fa2", "h100", MaskKind::None);
    ASSERT_NE(fa2, nullptr);
    ASSERT_FALSE(fa2->published.empty());
    EXPECT_EQ(fa2->published.front().tflops, 370);
    EXPECT_EQ(fa2->published.front().tier, "core");
    EXPECT_TRUE(fa2->published.front().sameWork);
    EXPECT_DOUBLE_EQ(fa2->published.front().errorPercent, errorPercent(fa2->prediction.tflops(), 370));
    EXPECT_NE(fa2->published.front().source.find("https://"), std::string::npos);
    EXPECT_EQ(rowOf(*all, "fa3", "h100", MaskKind::Causal)->published.front().tflops, 602);
    EXPECT_TRUE(rowOf(*all, "fa3", "h100", MaskKind::None)->published.empty()) << "only causal is published at 8k";
    std::set<std::string> guesses;
    for (const std::string_view guess : rowOf(*all, "fa3", "h100", MaskKind::None)->prediction.guesses)
        guesses.emplace(guess);
    EXPECT_TRUE(guesses.contains("setmaxnregCycles"));
}

TEST(Overview, WhatCannotBePredictedIsAnError)
{
    OverviewRequest request = shortRequest();
    request.headDim = 77;
    EXPECT_NE(overview(request, {}, {}).error().line().find("77"), std::string::npos);
    request = shortRequest();
    request.seqlen = 0;
    EXPECT_EQ(overview(request, {}, {}).error().where, "--seqlen");
    request = shortRequest();
    request.gpus = { "v100" };
    EXPECT_EQ(overview(request, {}, {}).error().where, "--gpu");
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(overview(shortRequest(), {}, { stop.get_token(), {} }).error().what, "cancelled");
}

} // namespace
