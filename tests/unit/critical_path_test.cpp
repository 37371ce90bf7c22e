// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/critical_path.h"

#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace flashstep {
namespace {

Cycle sumOf(const CriticalPath& path)
{
    Cycle at = path.begin;
    for (const PathSegment& segment : path.segments) {
        EXPECT_EQ(segment.begin, at);
        at = segment.end;
    }
    return at - path.begin;
}

TEST(CriticalPath, CtasThatWaitForAPlaceFollowEachOther)
{
    Scenario s = test::scenarioOf("fa2", 32, 32, 64, "none", { 16, 16 }, DType::Bf16);
    s.problem.heads = s.problem.kvHeads = 6;
    s.costTile = TileSize { 128, 128 };
    s.knobs.emplace_back("sms", "1");
    const flashstep::Run run = test::runOf(s);
    const CriticalPath path = criticalPath(run, CtaId::none());
    EXPECT_EQ(path.cycles, run.report.cycles);
    EXPECT_EQ(sumOf(path), path.cycles);
    const auto starts = std::count_if(path.segments.begin(), path.segments.end(),
        [](const PathSegment& segment) { return segment.kind == PathSegment::Kind::Start; });
    EXPECT_GE(starts, 2) << "more CTAs than places";
    EXPECT_EQ(opOf(*run.trace, path.segments.front()), "CTA start");
}

TEST(CriticalPath, LaunchesFollowEachOther)
{
    const flashstep::Run run = test::runOf(test::scenarioOf("standard", 32, 32, 64, "none", { 16, 16 }, DType::Bf16));
    const CriticalPath path = criticalPath(run, CtaId::none());
    EXPECT_EQ(sumOf(path), run.report.cycles);
    EXPECT_EQ(std::count_if(path.segments.begin(), path.segments.end(),
                  [](const PathSegment& segment) { return segment.kind == PathSegment::Kind::Start; }),
        3);
}

TEST(CriticalPath, OfACtaIsItsSpan)
{
    const flashstep::Run run = test::runOf(test::scenarioOf("fa3", 64, 96, 128, "none", { 32, 16 }, DType::Bf16));
    for (std::size_t cta = 0; cta < run.program->ctaCount(); ++cta) {
        const CriticalPath path = criticalPath(run, CtaId(cta));
        const CtaSpan& span = run.trace->span(CtaId(cta));
        EXPECT_EQ(path.begin, span.begin);
        EXPECT_EQ(sumOf(path), static_cast<Cycle>(span.end) - span.begin);
        EXPECT_EQ(path.cycles, sumOf(path));
    }
}

// What the path says is slow is what makes the run slow: without it, the run ends that much earlier.
TEST(CriticalPath, ALatencyOnItShortensTheRun)
{
    const Scenario s = test::scenarioOf("fa2", 16, 64, 64, "none", { 16, 16 }, DType::Bf16);
    const flashstep::Run run = test::runOf(s);
    const CriticalPath path = criticalPath(run, CtaId::none());
    const auto starts = std::count_if(path.segments.begin(), path.segments.end(),
        [](const PathSegment& segment) { return segment.kind == PathSegment::Kind::Start; });
    EXPECT_EQ(starts, 1);
    EXPECT_EQ(path.segments.front().end, static_cast<Cycle>(run.gpu.ctaStartCycles));
    Cycle loads = 0;
    for (const PathSegment& segment : path.segments)
        loads += opOf(*run.trace, segment) == "load" && !segment.engine ? segment.end - segment.begin : 0;
    EXPECT_GE(loads, static_cast<Cycle>(run.gpu.copyLatency)) << "the first tiles have to come from memory";
}

TEST(CriticalPath, ADeadlockEndsStandingStill)
{
    Scenario s = test::scenarioOf("fa3", 32, 64, 128, "none", { 32, 16 }, DType::Bf16);
    s.breaks = { "count:pipeline_v.empty=5" };
    const flashstep::Run run = test::runOf(s);
    const CriticalPath path = criticalPath(run, CtaId(0));
    EXPECT_EQ(sumOf(path), run.trace->cycles());
}

TEST(CriticalPath, OfAGridInTwoSteps)
{
    const Result<flashstep::Run> run = test::runOfManyTiles(RunOptions::Grid::TwoSteps);
    ASSERT_TRUE(run.ok());
    ASSERT_FALSE(run->trace->wholeGrid());
    const CriticalPath path = criticalPath(*run, CtaId::none());
    EXPECT_EQ(sumOf(path), run->trace->cycles());
    EXPECT_EQ(sumOf(criticalPath(*run, CtaId(1))),
        static_cast<Cycle>(run->trace->span(CtaId(1)).end) - run->trace->span(CtaId(1)).begin);
}

} // namespace
} // namespace flashstep
