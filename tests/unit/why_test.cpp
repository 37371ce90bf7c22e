// SPDX-License-Identifier: Apache-2.0
#include "core/trace/why.h"

#include "core/trace/query.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace flashstep {
namespace {

const flashstep::Run& pingPong()
{
    static const flashstep::Run run
        = test::runOf(test::scenarioOf("fa3", 32, 64, 128, "none", { 32, 16 }, DType::Bf16));
    return run;
}

std::string roleOf(const Trace& trace, InstanceId instance)
{
    return trace.program().roles[trace.op(instance).role.index()].name;
}

// The longest execution of a wait by its name.
InstanceId longestWait(const Trace& trace, const std::string& wait, const std::string& role)
{
    InstanceId longest;
    Cycle most = -1;
    for (std::uint32_t k = 0; k < trace.end().value; ++k) {
        const InstanceId instance = trace.eventAt(k).instance;
        const Op& op = trace.op(instance);
        if (!op.wait.valid() || trace.program().waits[op.wait.index()].name != wait || roleOf(trace, instance) != role)
            continue;
        if (const Cycle cycles = trace.endCycle(instance) - trace.beginCycle(instance); cycles > most) {
            longest = instance;
            most = cycles;
        }
    }
    return longest;
}

TEST(Why, WhatAWaitIsReleasedBy)
{
    struct Row {
        const char* wait;
        const char* role;
        const char* releasedBy;
        OpKind kind;
        bool ended;
        const char* barrier;
    };
    const Row rows[] = {
        { "barrier_Q", "consumer 1", "producer", OpKind::Load, true, "barrier_Q" },
        { "K_landed", "consumer 1", "producer", OpKind::Load, true, "pipeline_k.full[0]" },
        { "WarpSchedulerWG2", "consumer 2", "consumer 1", OpKind::Arrive, false, "WarpSchedulerWG2" },
        { "S_ready_first", "consumer 2", "consumer 2", OpKind::Mma, true, "" },
        { "K_free", "producer", "consumer 2", OpKind::Arrive, false, "pipeline_k.empty[0]" },
        { "O_read_out", "store warp", "store warp", OpKind::Store, true, "" },
    };
    const Trace& trace = *pingPong().trace;
    const Causes causes(trace);
    for (const Row& row : rows) {
        SCOPED_TRACE(row.wait);
        const InstanceId wait = longestWait(trace, row.wait, row.role);
        ASSERT_TRUE(wait.valid());
        const WaitExplained why = explainWait(causes, wait);
        ASSERT_TRUE(why.wait.releasedBy.has_value());
        const ReleasedBy& by = *why.wait.releasedBy;
        EXPECT_EQ(roleOf(trace, by.instance), row.releasedBy);
        EXPECT_EQ(trace.op(by.instance).kind, row.kind);
        EXPECT_EQ(by.ended, row.ended);
        EXPECT_EQ(barrierOf(trace, why.wait), row.barrier);
        EXPECT_LE(by.cycle, why.wait.end);
        EXPECT_FALSE(reasonOf(trace, why.wait).empty());
        ASSERT_FALSE(why.chain.empty());
        EXPECT_EQ(why.chain.back().kind, WaitLink::Kind::Start);
    }
}

TEST(Why, BehindAProductIsWhoHadTheTensorCore)
{
    // Two warps on one quarter: the second product waits for the first.
    Scenario s = test::scenarioOf("fa2", 128, 64, 64, "none", { 32, 32 }, DType::Bf16);
    s.costTile = TileSize { 128, 128 };
    s.knobs.emplace_back("sms", "1");
    const flashstep::Run run = test::runOf(s);
    const Trace& trace = *run.trace;
    const Causes causes(trace);
    int products = 0;
    for (std::uint32_t k = 0; k < trace.hops().size(); ++k) {
        const Hop& hop = trace.hops()[k];
        if (hop.engine() != Engine::Tensor || !causes.queued(k))
            continue;
        const std::uint32_t owner = causes.ownerBefore(k);
        ASSERT_NE(owner, Causes::none);
        ASSERT_LT(owner, k);
        if (causes.tookBandwidth(k))
            continue;
        ++products;
        const Hop& before = trace.hops()[owner];
        EXPECT_EQ(before.engine(), Engine::Tensor);
        EXPECT_LE(static_cast<Cycle>(hop.begin) - before.end(), 0) << "busy until this one could begin";
        EXPECT_GE(static_cast<Cycle>(hop.begin) - before.end(), -1);
    }
    EXPECT_GT(products, 0);
}

TEST(Why, EveryoneWhoWaitsAtAMoment)
{
    const Trace& trace = *pingPong().trace;
    const Causes causes(trace);
    const InstanceId wait = longestWait(trace, "barrier_Q", "consumer 1");
    const std::vector<WaitExplained> all = waitsAt(causes, CtaId(0), trace.beginPosition(wait));
    ASSERT_GE(all.size(), 2U);
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const auto& why) { return why.wait.instance == wait; }));
    for (std::size_t k = 1; k < all.size(); ++k)
        EXPECT_GE(all[k - 1].wait.end - all[k - 1].wait.begin, all[k].wait.end - all[k].wait.begin);
    EXPECT_TRUE(waitsAt(causes, CtaId(0), Position { 0 }).empty());
    EXPECT_TRUE(waitsAt(causes, CtaId(0), trace.end()).empty());
}

TEST(Why, ADeadlockNamesWhoNeverComes)
{
    Scenario s = test::scenarioOf("fa3", 32, 64, 128, "none", { 32, 16 }, DType::Bf16);
    s.breaks = { "count:pipeline_v.empty=5" };
    const flashstep::Run run = test::runOf(s);
    const Trace& trace = *run.trace;
    ASSERT_FALSE(trace.deadlock().empty());
    const Causes causes(trace);
    const std::vector<WaitExplained> all = waitsAt(causes, CtaId(0), trace.end());
    ASSERT_EQ(all.size(), trace.deadlock().size());
    bool missing = false;
    for (const WaitExplained& why : all) {
        EXPECT_TRUE(why.wait.stuck);
        EXPECT_FALSE(why.wait.releasedBy.has_value());
        EXPECT_EQ(why.wait.end, trace.cycles());
        for (const WaitLink& link : why.chain) {
            missing = missing || link.kind == WaitLink::Kind::Missing;
            EXPECT_EQ(link.kind == WaitLink::Kind::Missing, !trace.began(link.instance));
        }
    }
    EXPECT_TRUE(missing);
}

TEST(Why, ADroppedWaitWaitsForNothing)
{
    Scenario s = test::scenarioOf("fa2", 32, 32, 64, "none", { 16, 16 }, DType::Bf16);
    s.breaks = { "wait:K_visible" };
    const flashstep::Run run = test::runOf(s);
    const Causes causes(*run.trace);
    const WaitExplained why = explainWait(causes, longestWait(*run.trace, "K_visible", "warp 0"));
    EXPECT_FALSE(why.wait.releasedBy.has_value());
    EXPECT_TRUE(why.chain.empty());
    EXPECT_EQ(reasonOf(*run.trace, why.wait), "broken on purpose: it does not wait");
}

} // namespace
} // namespace flashstep
