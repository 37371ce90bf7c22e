// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/emulator.h"
#include "core/emulation/hazards.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {

using namespace flashstep;
using namespace flashstep::test;

Run brokenRun(const std::vector<std::string>& breaks, const std::string& algorithm = "fa2")
{
    Scenario s = scenarioOf(algorithm, 8, 24, 8, "none", { 8, 8 });
    s.breaks = breaks;
    return runOf(s);
}

std::set<std::string> buffersIn(const Run& run)
{
    std::set<std::string> names;
    for (const Hazard& hazard : run.report.hazardList)
        if (hazard.buffer.valid()) // else of a barrier
            names.insert(run.program->buffers[hazard.buffer.index()].name);
    return names;
}

std::set<std::string> kindsIn(const Run& run)
{
    std::set<std::string> kinds;
    for (const Hazard& hazard : run.report.hazardList)
        kinds.insert(hazard.kind);
    return kinds;
}

TEST(Hazards, OfAWholeProgramAreNone)
{
    EXPECT_EQ(brokenRun({}).report.hazards, 0U);
    EXPECT_EQ(brokenRun({}, "standard").report.hazards, 0U);
}

TEST(Hazards, NameTheBufferThatTheWaitProtects)
{
    EXPECT_TRUE(buffersIn(brokenRun({ "wait:K_landed" })).contains("K"));
    EXPECT_TRUE(buffersIn(brokenRun({ "wait:V_landed" })).contains("V"));
    EXPECT_EQ(buffersIn(brokenRun({ "wait:K_visible" })), (std::set<std::string> { "K", "Q", "V" }))
        << "Q the first time; V of the block before is overwritten";
    EXPECT_EQ(buffersIn(brokenRun({ "wait:V_visible" })), (std::set<std::string> { "K", "V" }))
        << "and K is overwritten by the next block";
    EXPECT_EQ(buffersIn(brokenRun({ "wait:O_staged" })), (std::set<std::string> { "sO" }));
    EXPECT_EQ(buffersIn(brokenRun({ "wait:PV_free" }, "standard")), (std::set<std::string> { "P", "V" }));
    EXPECT_EQ(buffersIn(brokenRun({ "wait:S_staged" }, "standard")), (std::set<std::string> { "sS" }));
}

TEST(Hazards, SayWhichAccessCameFirst)
{
    EXPECT_TRUE(kindsIn(brokenRun({ "wait:K_visible" })).contains("read before write"));
    EXPECT_TRUE(kindsIn(brokenRun({ "wait:PV_free" }, "standard")).contains("write after read"));
    const auto run = brokenRun({ "wait:K_visible" });
    for (const Hazard& hazard : run.report.hazardList) {
        EXPECT_NE(hazard.buffer.valid(), hazard.barrier.valid()) << hazard.kind;
        EXPECT_EQ(hazard.barrier.valid(), hazard.kind == "barrier overrun");
        if (hazard.barrier.valid())
            continue;
        const Op& op = run.program->op(hazard.op);
        const Op& other = run.program->op(hazard.other);
        EXPECT_EQ(op.role, hazard.role);
        EXPECT_NE(hazard.op, hazard.other);
        const bool writes = hazard.kind != "read before write";
        EXPECT_EQ(writes, op.out == hazard.buffer || op.out2 == hazard.buffer) << hazard.kind;
        EXPECT_EQ(hazard.kind == "write after read", std::ranges::find(other.in, hazard.buffer) != other.in.end())
            << hazard.kind;
        EXPECT_EQ(hazard.cycle, run.trace->beginCycle(run.trace->instance(hazard.work, hazard.op)));
    }
}

// O is staged in Q's memory: a warp that is still to read its rows of Q must not find another's O there.
TEST(Hazards, SeeBuffersThatShareMemoryAsOne)
{
    Scenario s = scenarioOf("fa2", 8, 8, 8, "none", { 8, 8 });
    Program program = *programOf(s);
    for (Op& op : program.ops) // each warp stages the next warp's rows of O
        if (op.kind == OpKind::Stage)
            op.rows = program.ops[program.streams[0].roles[(op.role.index() + 1) % 4].first + 7].rows;
    const auto changed = std::make_shared<const Program>(program);
    EXPECT_EQ(program.op(OpId(7)).kind, OpKind::Mma);
    const auto prepared = prepare(s);
    ASSERT_TRUE(prepared);
    const GpuSpec gpu = prepared->gpu;
    const auto trace = emulate(changed, gpu, {}, nullptr, {});
    ASSERT_TRUE(trace);
    const BufferId sO = program.buffer("sO", 0);
    const auto overQ = [&](const HazardReport& report) {
        return std::ranges::any_of(report.list, [&](const Hazard& h) {
            return h.buffer == sO && program.op(h.op).kind == OpKind::Stage && program.op(h.other).kind == OpKind::Mma;
        });
    };
    EXPECT_FALSE(overQ(findHazards(**trace))) << "a barrier lies in between";
    for (Op& op : program.ops)
        op.dropped = op.kind == OpKind::Sync;
    const auto loose = emulate(std::make_shared<const Program>(program), gpu, {}, nullptr, {});
    ASSERT_TRUE(loose);
    EXPECT_TRUE(overQ(findHazards(**loose))) << "O over Q while it is read";
}

TEST(Hazards, CountEveryCta)
{
    Scenario s = scenarioOf("fa2", 8, 24, 8, "none", { 8, 8 });
    s.breaks = { "wait:V_visible" };
    const std::uint64_t one = runOf(s).report.hazards;
    s.problem.heads = s.problem.kvHeads = 5;
    EXPECT_EQ(runOf(s).report.hazards, 5 * one);
    EXPECT_GT(one, 0U);
}

TEST(Hazards, AreCountedBeyondTheList)
{
    const auto run = brokenRun({ "wait:K_landed", "wait:K_visible", "wait:V_landed", "wait:V_visible" });
    const HazardReport all = findHazards(*run.trace, 100'000);
    const HazardReport few = findHazards(*run.trace, 3);
    EXPECT_EQ(few.count, all.count);
    EXPECT_EQ(all.list.size(), all.count);
    EXPECT_EQ(few.list.size(), 3U);
}

TEST(Hazards, NeedNoValues)
{
    Scenario s = scenarioOf("fa2", 8, 24, 8, "none", { 8, 8 });
    s.breaks = { "wait:V_landed" };
    const std::uint64_t with = runOf(s).report.hazards;
    s.record = { Record::Kind::None };
    EXPECT_EQ(runOf(s).report.hazards, with);
}

// A pair is found though other accesses lie between the two: each warp reads V of block 1 and nothing orders that
// before the copies of any later block.
TEST(Hazards, AreFoundBetweenAccessesFarApart)
{
    const auto run = brokenRun({ "wait:K_landed", "wait:K_visible", "wait:V_landed", "wait:V_visible" });
    int farthest = 0;
    for (const Hazard& hazard : findHazards(*run.trace, 100'000).list)
        if (run.program->op(hazard.op).j >= 0 && run.program->op(hazard.other).j >= 0)
            farthest = std::max(farthest, std::abs(run.program->op(hazard.op).j - run.program->op(hazard.other).j));
    EXPECT_EQ(farthest, 2);
}

} // namespace
