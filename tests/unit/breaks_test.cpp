// SPDX-License-Identifier: Apache-2.0
#include "core/program/breaks.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace flashstep;
using namespace flashstep::test;

Program small(const char* algorithm = "fa2")
{
    return *programOf(scenarioOf(algorithm, 8, 24, 8, "causal", { 8, 8 }));
}

TEST(Breaks, AWaitDropsEveryExecutionOfItAndNothingElse)
{
    Program program = small();
    ASSERT_TRUE(breakProgram(program, "wait:K_visible"));
    for (const Op& op : program.ops)
        EXPECT_EQ(op.dropped, op.wait.valid() && program.waits[op.wait.index()].name == "K_visible");
    EXPECT_EQ(std::ranges::count_if(program.ops, &Op::dropped), 3 * 4) << "three blocks, four warps";
}

TEST(Breaks, ADroppedBarrierWaitStillArrives)
{
    Scenario s = scenarioOf("fa2", 8, 24, 8, "causal", { 8, 8 });
    s.breaks = { "wait:K_visible" };
    EXPECT_TRUE(runOf(s).trace->deadlock().empty()) << "else the others would wait for ever";
}

TEST(Breaks, ACountReplacesTheBarriers)
{
    Program program = small();
    ASSERT_TRUE(breakProgram(program, "count:syncthreads=96"));
    EXPECT_EQ(program.barriers[0].count, 96);
    EXPECT_TRUE(std::ranges::none_of(program.ops, &Op::dropped));
    ASSERT_TRUE(breakProgram(program, "count:syncthreads=1000000"));
    EXPECT_EQ(program.barriers[0].count, 1000000);
}

TEST(Breaks, SkippedRescalesStayInTheScheduleWithoutEffect)
{
    Scenario s = scenarioOf("fa2", 8, 24, 8, "none", { 8, 8 });
    const auto whole = runOf(s);
    s.breaks = { "rescale:skip" };
    const auto broken = runOf(s);
    EXPECT_EQ(broken.trace->cycles(), whole.trace->cycles());
    EXPECT_EQ(broken.trace->end(), whole.trace->end());
    EXPECT_EQ(whole.report.rescalesDone, 16);
    EXPECT_EQ(broken.report.rescalesDone, 0);
}

TEST(Breaks, SeveralAddUp)
{
    Scenario s = scenarioOf("fa2", 8, 24, 8, "none", { 8, 8 });
    s.breaks = { "wait:K_landed", "wait:V_landed", "count:syncthreads=64" };
    const auto program = programOf(s);
    EXPECT_EQ(program->barriers[0].count, 64);
    EXPECT_EQ(std::ranges::count_if(program->ops, &Op::dropped), 2 * 3 * 4);
}

TEST(Breaks, WhatCannotBeBrokenSaysWhatCan)
{
    const auto errorOfSpec = [](const char* algorithm, const std::string& spec) {
        Program program = small(algorithm);
        const Status status = breakProgram(program, spec);
        EXPECT_FALSE(status) << spec;
        return status ? std::string() : status.error().line();
    };
    EXPECT_NE(errorOfSpec("fa2", "wait:nothing").find("K_landed, K_visible, V_landed, V_visible, O_staged"),
        std::string::npos);
    EXPECT_NE(errorOfSpec("fa2", "wait:").find("K_landed"), std::string::npos);
    EXPECT_NE(errorOfSpec("fa2", "count:other=4").find("syncthreads"), std::string::npos);
    for (const char* spec : { "count:syncthreads", "count:syncthreads=", "count:syncthreads=0", "count:syncthreads=-1",
             "count:syncthreads=4x", "count:syncthreads=1000001", "count:syncthreads=99999999999" })
        EXPECT_NE(errorOfSpec("fa2", spec).find("N from 1"), std::string::npos) << spec;
    EXPECT_NE(errorOfSpec("standard", "rescale:skip").find("never rescales"), std::string::npos);
    EXPECT_NE(errorOfSpec("standard", "rescale:mix-frames").find("keeps no frames"), std::string::npos);
    for (const char* spec : { "", "wait", "rescale", "rescale:", "hurry" })
        EXPECT_NE(errorOfSpec("fa2", spec).find("wait:NAME, count:BARRIER=N, rescale:skip"), std::string::npos) << spec;
}

} // namespace
