// SPDX-License-Identifier: Apache-2.0
// The grid in two steps (tiles by themselves, then the grid from their times) against the whole grid, event by event.
#include "core/emulation/predict.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

namespace {

using namespace flashstep;
using namespace flashstep::test;

flashstep::Run timed(const Scenario& s, RunOptions::Grid grid)
{
    RunOptions options;
    options.grid = grid;
    Result<flashstep::Run> run = runScenario(s, std::nullopt, {}, options);
    if (!run)
        throw std::runtime_error(describe(s) + ": " + run.error().line());
    return std::move(*run);
}

// The kernel's own tile, or a smaller one, so that an SM is full of work for a while; no values.
Scenario grid(const std::string& algorithm, int heads, int length, int dim, const char* mask, const char* sms,
    const std::vector<std::pair<std::string, std::string>>& knobs = {})
{
    Scenario s = scenarioOf(algorithm, length, length, dim, mask, { 64, 64 }, DType::Bf16);
    s.problem.heads = s.problem.kvHeads = heads;
    s.knobs.clear();
    s.tile.reset();
    s.record = { Record::Kind::None };
    return with(with(s, { { "sms", sms } }), knobs);
}

// Few waves and many, causal and dense, one CTA on an SM and two, a fixed share of the works and whatever comes next.
std::vector<Scenario> scenariosOf(const std::string& algorithm)
{
    std::vector<Scenario> all { grid(algorithm, 8, 1024, 64, "none", "8"), grid(algorithm, 8, 1024, 64, "causal", "8"),
        grid(algorithm, 2, 1024, 64, "none", "8"), grid(algorithm, 16, 1024, 128, "causal", "12"),
        grid(algorithm, 12, 2048, 64, "window:512,0", "16"), grid(algorithm, 16, 768, 128, "none", "4") };
    if (algorithm == "fa1")
        all.push_back(grid("fa1", 16, 1024, 64, "none", "8", { { "fa1-form", "paper" } }));
    if (algorithm == "fa4") {
        all.push_back(grid("fa4", 12, 1536, 128, "none", "8", { { "two-cta", "off" } }));
        all.push_back(grid("fa4", 12, 1536, 128, "causal", "8", { { "scheduler", "persistent" } }));
        all.push_back(grid("fa4", 12, 1536, 64, "none", "8", { { "scheduler", "single-tile" }, { "q-stage", "1" } }));
    }
    if (algorithm == "fa3") {
        for (const char* scheduler : { "linear", "persistent", "single-tile" })
            all.push_back(grid("fa3", 12, 1536, 128, "causal", "8", { { "scheduler", scheduler } }));
        all.push_back(grid("fa3", 12, 1536, 128, "none", "8", { { "multicast", "off" } }));
        all.push_back(grid("fa3", 12, 1152, 64, "none", "8", { { "scheduler", "single-tile" } }));
        all.push_back(grid("fa3", 12, 1152, 64, "none", "8", { { "warp-specialisation", "off" } }));
    }
    return all;
}

class GridOf : public testing::TestWithParam<const char*> { };
INSTANTIATE_TEST_SUITE_P(Algorithms, GridOf, testing::Values("standard", "fa1", "fa2", "fa3", "fa4"));

TEST_P(GridOf, TakesInTwoStepsWhatItTakesAsAWhole)
{
    for (const Scenario& s : scenariosOf(GetParam())) {
        SCOPED_TRACE(describe(s));
        const auto whole = timed(s, RunOptions::Grid::Whole);
        const auto twice = timed(s, RunOptions::Grid::TwoSteps);
        ASSERT_FALSE(whole.report.twoSteps);
        ASSERT_TRUE(twice.report.twoSteps);
        const auto percent = [](double a, double b) { return a == 0 && b == 0 ? 0 : 100 * (b - a) / std::max(1.0, a); };
        const double cycles
            = percent(static_cast<double>(whole.report.cycles), static_cast<double>(twice.report.cycles));
        const double read = percent(whole.report.hbmReadBytes, twice.report.hbmReadBytes);
        const double written = percent(whole.report.hbmWriteBytes, twice.report.hbmWriteBytes);
        if (std::getenv("FLASHSTEP_TEST_VERBOSE") != nullptr)
            std::cout << describe(s) << ": " << whole.report.cycles << " cycles, " << whole.report.events << " events "
                      << cycles << " %, read " << read << " %, written " << written << " %\n";
        // CTAs of unequal length that share an SM slow each other down by what they do at the time, not on average.
        const bool unequal = whole.trace->ctasPerSm() > 1 && s.problem.mask.kind != MaskKind::None;
        EXPECT_LE(std::fabs(cycles), unequal ? 8 : 2) << whole.report.cycles << " and " << twice.report.cycles;
        EXPECT_LE(std::fabs(read), 6) << whole.report.hbmReadBytes << " and " << twice.report.hbmReadBytes;
        EXPECT_LE(std::fabs(written), 1) << whole.report.hbmWriteBytes << " and " << twice.report.hbmWriteBytes;
        EXPECT_EQ(whole.report.globalReadBytes, twice.report.globalReadBytes);
        EXPECT_EQ(whole.report.globalWriteBytes, twice.report.globalWriteBytes);
        EXPECT_EQ(whole.report.flopsExecuted, twice.report.flopsExecuted);
        EXPECT_EQ(whole.report.exp2Hardware, twice.report.exp2Hardware);
        EXPECT_EQ(whole.report.rescalesDone, twice.report.rescalesDone);
        EXPECT_EQ(twice.report.hazards, 0U);
    }
}

// The same time without a trace, and without the ops of the shapes in between.
TEST_P(GridOf, IsPredictedAsItIsTimed)
{
    bool leftOut = false;
    for (const Scenario& s : scenariosOf(GetParam())) {
        SCOPED_TRACE(describe(s));
        const auto run = timed(s, RunOptions::Grid::TwoSteps);
        const auto prediction = predict(s, {});
        ASSERT_TRUE(prediction.ok()) << prediction.error().line();
        EXPECT_EQ(prediction->cycles, run.report.cycles);
        EXPECT_EQ(prediction->flops, run.report.flops);
        const Utilisation u = prediction->utilisation();
        const Utilisation& v = run.report.utilisation;
        EXPECT_NEAR(u.tensor, v.tensor, 0.002);
        EXPECT_NEAR(u.exp, v.exp, 0.005);
        EXPECT_NEAR(u.issue, v.issue, 0.005);
        EXPECT_NEAR(u.smem, v.smem, 0.005);
        EXPECT_NEAR(u.l2, v.l2, 0.005);
        EXPECT_NEAR(u.hbm, v.hbm, 0.05); // the least, where pieces are not gone through: what L2 still holds counts
        EXPECT_EQ(prediction->binding(), run.report.binding);
        for (const Engine engine : { Engine::Alu, Engine::Registers, Engine::Tmem }) {
            const double quarters = engine == Engine::Tmem ? 1 : 4;
            const double share = run.trace->busy(engine) / (quarters * run.gpu.sms * run.report.cycles);
            EXPECT_NEAR(prediction->shares[static_cast<std::size_t>(engine)], share, 0.005) << name(engine);
        }
        EXPECT_NEAR(prediction->microseconds, run.report.microseconds, 0.002 * run.report.microseconds);
        leftOut = leftOut || prepare(s, true)->program->ops.size() < run.program->ops.size();
    }
    EXPECT_EQ(leftOut, GetParam() != std::string("fa1")); // which sweeps over query tiles
}

// A long sweep of FlashAttention-1 is recorded in part.
TEST(GridOfSweeps, AreTimedByAPartOfTheirVisits)
{
    for (const Scenario& s : { grid("fa1", 8, 3072, 128, "none", "24"), grid("fa1", 8, 3072, 128, "causal", "24"),
             grid("fa1", 3, 2560, 128, "window:1200,0", "8") }) {
        SCOPED_TRACE(describe(s));
        const auto run = timed(s, RunOptions::Grid::TwoSteps);
        const auto prediction = predict(s, {});
        ASSERT_TRUE(prediction.ok()) << prediction.error().line();
        EXPECT_LT(prepare(s, true)->program->ops.size(), run.program->ops.size() / 3);
        const auto cycles = static_cast<double>(run.report.cycles);
        EXPECT_NEAR(static_cast<double>(prediction->cycles), cycles, 0.03 * cycles);
        EXPECT_EQ(prediction->binding(), run.report.binding);
        EXPECT_NEAR(prediction->utilisation().tensor, run.report.utilisation.tensor, 0.02);
        EXPECT_NEAR(prediction->utilisation().smem, run.report.utilisation.smem, 0.03);
        EXPECT_NEAR(prediction->utilisation().l2, run.report.utilisation.l2, 0.03);
        EXPECT_NEAR(prediction->utilisation().hbm, run.report.utilisation.hbm, 0.03);
    }
}

// What is asked for of such a grid is computed: the CTA's rows of O, as in the whole grid.
TEST_P(GridOf, GivesTheValuesOfTheCtaAskedFor)
{
    Scenario s = scenarioOf(GetParam(), 96, 64, 32, "causal", { 16, 16 });
    if (GetParam() == std::string("standard"))
        return; // its launches hand their values over through HBM
    s.problem.heads = s.problem.kvHeads = 2;
    s.knobs.emplace_back("sms", "4");
    const auto whole = timed(s, RunOptions::Grid::Whole);
    s.record = { Record::Kind::OneCta, 1 };
    const auto twice = timed(s, RunOptions::Grid::TwoSteps);
    int rows = 0;
    for (int h = 0; h < 2; ++h)
        for (int row = 0; row < 96; ++row) {
            if (std::isnan(twice.lse.row(0, h, row)[0]))
                continue;
            ++rows;
            EXPECT_EQ(twice.lse.row(0, h, row)[0], whole.lse.row(0, h, row)[0]);
            EXPECT_TRUE(std::ranges::equal(twice.o.row(0, h, row), whole.o.row(0, h, row))) << row;
        }
    EXPECT_GE(rows, 16);
    EXPECT_LE(*twice.report.maxAbsError, *twice.report.errorBound);
}

} // namespace
