// SPDX-License-Identifier: Apache-2.0
#include "tests/support/clean_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

// What each of the schedule's knobs changes, and in which direction.
namespace {

using namespace flashstep;
using namespace flashstep::test;

using Knobs = std::vector<std::pair<std::string, std::string>>;

Scenario fa3(const std::string& mask, int headDim = 128, int seqlen = 2048)
{
    Scenario s;
    s.algorithm = "fa3";
    s.problem.heads = s.problem.kvHeads = 8;
    s.problem.seqlenQ = s.problem.seqlenK = seqlen;
    s.problem.headDim = s.problem.headDimV = headDim;
    s.problem.mask = *maskFromText(mask);
    s.record = { Record::Kind::None };
    s.knobs = { { "sms", "8" } };
    return s;
}

bool hasBarrier(const Run& run, const std::string& family)
{
    return std::ranges::any_of(run.program->barriers, [&](const BarrierDecl& b) { return b.family == family; });
}

std::size_t opsOfKind(const Run& run, OpKind kind)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(run.program->ops, [&](const Op& op) { return op.kind == kind; }));
}

// The warpgroups in the order in which their products of the main loop began, as their turns would have it.
std::vector<std::size_t> orderOfProducts(const Run& run)
{
    std::vector<std::pair<std::uint32_t, std::size_t>> begun;
    const WorkId work = run.trace->worksOf(CtaId(0)).front();
    for (const RoleRange& role : run.trace->streamOf(work).roles)
        for (std::uint32_t k = role.first; k < role.first + role.count; ++k)
            if (const Op& op = run.program->ops[k]; op.kind == OpKind::Mma && op.transposed && op.n > 1)
                begun.emplace_back(
                    run.trace->beginPosition(run.trace->instance(work, OpId(k))).value, role.role.index());
    std::ranges::sort(begun);
    std::vector<std::size_t> order;
    for (const auto& [position, role] : begun)
        order.push_back(role);
    return order;
}

TEST(ScheduleKnob, PingPongMakesTheWarpgroupsTakeTurns)
{
    const auto on = clean(with(fa3("none"), { { "ping-pong", "on" }, { "jitter-seed", "3" } }));
    const auto off = clean(with(fa3("none"), { { "ping-pong", "off" }, { "jitter-seed", "3" } }));
    EXPECT_TRUE(hasBarrier(on, "WarpSchedulerWG1"));
    EXPECT_FALSE(hasBarrier(off, "WarpSchedulerWG1"));
    const std::vector<std::size_t> order = orderOfProducts(on);
    ASSERT_GT(order.size(), 8U);
    for (std::size_t k = 1; k < order.size(); ++k)
        EXPECT_NE(order[k], order[k - 1]) << "product " << k;
    EXPECT_LT(off.report.events, on.report.events);
}

TEST(ScheduleKnob, IntraOverlapHidesSoftmaxBehindTheProductWithV)
{
    for (const char* mask : { "none", "causal" }) {
        const auto on = clean(fa3(mask));
        const auto off = clean(with(fa3(mask), { { "intra-overlap", "off" } }));
        EXPECT_LT(on.report.cycles, off.report.cycles) << mask;
        EXPECT_EQ(on.report.flopsExecuted, off.report.flopsExecuted);
    }
}

TEST(ScheduleKnob, WarpSpecialisationFreesTheConsumersFromCopies)
{
    const auto on = clean(fa3("none"));
    const auto off = clean(with(fa3("none"), { { "warp-specialisation", "off" } }));
    EXPECT_TRUE(hasRole(on, "producer"));
    EXPECT_FALSE(hasRole(off, "producer"));
    EXPECT_EQ(opsOfKind(off, OpKind::SetRegisters), 0U);
    EXPECT_LT(on.report.cycles, off.report.cycles);
}

TEST(ScheduleKnob, MoreStagesHideMoreOfTheCopies)
{
    Scenario s = fa3("causal");
    const auto one = clean(with(s, { { "stages", "1" } }));
    const auto two = clean(with(s, { { "stages", "2" } }));
    EXPECT_GT(static_cast<double>(one.report.cycles), 1.1 * static_cast<double>(two.report.cycles));
    EXPECT_NE(errorOf(with(fa3("none"), { { "stages", "3" } })).find("shared memory"), std::string::npos);
    s.tile = TileSize { 128, 80 };
    EXPECT_LE(clean(with(s, { { "stages", "3" } })).report.cycles, clean(s).report.cycles);
}

TEST(ScheduleKnob, MoreConsumerWarpgroupsReadKAndVLessOften)
{
    double before = 1e300;
    for (const char* count : { "1", "2", "3" }) {
        const auto run = clean(with(fa3("causal"), { { "consumer-warpgroups", count } }));
        EXPECT_EQ(run.program->tile.rows, 64 * std::stoi(count));
        EXPECT_TRUE(hasRole(run, std::string("consumer ") + count));
        EXPECT_LT(run.report.globalReadBytes, before);
        before = run.report.globalReadBytes;
    }
}

TEST(ScheduleKnob, MulticastHalvesWhatK_AndV_TakeOfL2)
{
    const auto on = clean(with(fa3("none"), { { "multicast", "on" } }));
    const auto off = clean(with(fa3("none"), { { "multicast", "off" } }));
    EXPECT_EQ(on.program->launches[0].clusterSize, 2);
    EXPECT_EQ(off.program->launches[0].clusterSize, 1);
    EXPECT_LT(on.trace->busy(Engine::L2), 0.6 * off.trace->busy(Engine::L2));
    EXPECT_LT(on.report.cycles, off.report.cycles);
    EXPECT_EQ(on.report.globalReadBytes, off.report.globalReadBytes) << "a multicast counts at each receiver";
}

TEST(ScheduleKnob, CopyByCpAsyncCostsInstructions)
{
    const auto tma = clean(with(fa3("causal"), { { "copy", "tma" } }));
    const auto cpAsync = clean(with(fa3("causal"), { { "copy", "cp-async" } }));
    EXPECT_GT(tma.trace->busy(Engine::Tma), 0);
    EXPECT_EQ(cpAsync.trace->busy(Engine::Tma) > 0, true) << "O still leaves by TMA";
    EXPECT_LT(cpAsync.trace->busy(Engine::Tma), tma.trace->busy(Engine::Tma));
    EXPECT_GT(cpAsync.trace->busy(Engine::Issue), 1.01 * tma.trace->busy(Engine::Issue));
    const auto unit = [](const auto& run) {
        return std::ranges::find(run.program->barriers, "pipeline_k.full", &BarrierDecl::family)->unit;
    };
    EXPECT_EQ(unit(tma), "bytes");
    EXPECT_EQ(unit(cpAsync), "threads");
}

TEST(ScheduleKnob, LongestFirstEvensOutACausalGrid)
{
    for (const char* algorithm : { "fa2", "fa3" }) {
        Scenario s = fa3("causal", 64, 2048);
        s.algorithm = algorithm;
        const auto linear = clean(with(s, { { "scheduler", "linear" } }));
        const auto longest = clean(with(s, { { "scheduler", "lpt" } }));
        EXPECT_LT(longest.report.cycles, linear.report.cycles) << algorithm;
        EXPECT_EQ(longest.report.flopsExecuted, linear.report.flopsExecuted);
        const auto blocks
            = [](const auto& run, std::size_t work) { return run.program->streamOf(WorkId(work)).visitedBlocks; };
        EXPECT_GT(blocks(longest, 0), blocks(longest, longest.program->works.size() - 1));
    }
}

TEST(ScheduleKnob, PersistentCtasSaveTheStartOfNewOnes)
{
    const auto persistent = clean(with(fa3("none"), { { "scheduler", "persistent" } }));
    const auto single = clean(with(fa3("none"), { { "scheduler", "single-tile" } }));
    EXPECT_EQ(persistent.program->ctaCount(), 8U);
    EXPECT_EQ(single.program->ctaCount(), single.program->works.size());
    EXPECT_LT(persistent.report.cycles, single.report.cycles);
}

Scenario fa2(const std::string& mask = "none")
{
    Scenario s = scenarioOf("fa2", 512, 768, 64, mask, { 64, 64 }, DType::Bf16);
    s.problem.heads = s.problem.kvHeads = 2;
    return s;
}

TEST(ScheduleKnob, WithoutSwizzleRowsMeetInABank)
{
    for (const char* algorithm : { "standard", "fa1", "fa2" }) {
        Scenario s = fa2();
        s.algorithm = algorithm;
        s.tile = std::nullopt;
        const auto on = clean(s);
        const auto off = clean(with(s, { { "swizzle", "off" } }));
        EXPECT_GT(off.trace->busy(Engine::Smem), 2 * on.trace->busy(Engine::Smem)) << algorithm;
        EXPECT_GT(off.report.cycles, on.report.cycles) << algorithm;
        EXPECT_EQ(off.o.data, on.o.data) << algorithm;
    }
}

TEST(ScheduleKnob, DividingNowCostsVectorWork)
{
    const auto end = clean(fa2());
    const auto now = clean(with(fa2(), { { "divide", "now" } }));
    EXPECT_GT(opsOfKind(now, OpKind::Normalise), opsOfKind(end, OpKind::Normalise));
    EXPECT_GT(now.trace->busy(Engine::Issue), end.trace->busy(Engine::Issue));
    EXPECT_GT(now.report.cycles, end.report.cycles);
    EXPECT_EQ(now.report.rescalesDone, end.report.rescalesDone);
    Scenario s = fa2();
    s.algorithm = "fa1";
    s.tile = std::nullopt;
    const auto paper = clean(with(s, { { "fa1-form", "paper" } }));
    const auto later = clean(with(s, { { "divide", "end" } }));
    EXPECT_LT(opsOfKind(later, OpKind::Normalise), opsOfKind(paper, OpKind::Normalise));
}

TEST(ScheduleKnob, SplittingTheKeysSendsPartialResultsThroughSharedMemory)
{
    const auto rows = clean(with(fa2(), { { "warp-split", "q" } }));
    const auto keys = clean(with(fa2(), { { "warp-split", "k" } }));
    EXPECT_EQ(opsOfKind(rows, OpKind::Reduce), 0U);
    EXPECT_GT(opsOfKind(keys, OpKind::Reduce), 0U);
    EXPECT_GT(keys.report.cycles, rows.report.cycles);
    EXPECT_GT(opsOfKind(keys, OpKind::Sync), opsOfKind(rows, OpKind::Sync));
    EXPECT_EQ(keys.report.rescalesDone, rows.report.rescalesDone);
    EXPECT_GT(keys.program->launches[0].smemBytes, rows.program->launches[0].smemBytes);
}

Scenario fa1(const std::string& mask = "none")
{
    Scenario s = fa2(mask);
    s.algorithm = "fa1";
    s.tile = std::nullopt;
    return s;
}

TEST(ScheduleKnob, QueriesOutsideKeepOInRegisters)
{
    const auto outside = clean(with(fa1(), { { "loop-order", "kv-outer" } }));
    const auto inside = clean(with(fa1(), { { "loop-order", "q-outer" } }));
    const auto stored = [](const auto& run, TensorId tensor) {
        return std::ranges::any_of(
            run.program->ops, [&](const Op& op) { return op.kind == OpKind::Store && op.tensor == tensor; });
    };
    EXPECT_TRUE(stored(outside, TensorId::OTmp));
    EXPECT_FALSE(stored(inside, TensorId::OTmp));
    EXPECT_LT(inside.report.globalWriteBytes, outside.report.globalWriteBytes);
    EXPECT_LT(inside.report.cycles, outside.report.cycles) << "and every query tile has a CTA of its own";
}

TEST(ScheduleKnob, ThePaperKeepsTwoStatisticsTheKernelOne)
{
    const auto shipped = clean(with(fa1(), { { "fa1-form", "shipped" } }));
    const auto paper = clean(with(fa1(), { { "fa1-form", "paper" } }));
    const auto uses = [](const auto& run, TensorId tensor) {
        return std::ranges::any_of(run.program->ops, [&](const Op& op) { return op.tensor == tensor; });
    };
    EXPECT_FALSE(uses(shipped, TensorId::M) || uses(shipped, TensorId::L));
    EXPECT_TRUE(uses(paper, TensorId::M) && uses(paper, TensorId::L));
    EXPECT_EQ(shipped.program->tile.rows, 16);
    EXPECT_EQ(paper.program->source, "core/algorithms/fa1_paper.cpp");
    EXPECT_GT(paper.report.cycles, shipped.report.cycles) << "one CTA for each head";
}

TEST(ScheduleKnob, CausalAlignmentMovesTheDiagonal)
{
    for (const char* algorithm : { "standard", "fa1", "fa2", "fa3" }) {
        Scenario s = fa2("causal"); // more keys than queries
        s.algorithm = algorithm;
        s.tile = std::nullopt;
        const auto right = clean(s);
        const auto left = clean(with(s, { { "causal-alignment", "top-left" } }));
        EXPECT_NE(right.o.data, left.o.data) << algorithm;
        EXPECT_LT(*left.report.maxAbsError, *left.report.errorBound) << algorithm;
        if (s.algorithm != "standard") {
            EXPECT_LT(left.report.flopsExecuted, right.report.flopsExecuted) << algorithm << ": row 0 sees key 0 alone";
        }
    }
}

TEST(ScheduleKnob, EmptyRowsAsTheKernelStoresThem)
{
    Scenario s = scenarioOf("fa2", 64, 32, 16, "causal", { 16, 16 });
    const auto ours = clean(s);
    const auto kernel = clean(with(s, { { "empty-row-lse", "kernel" } }));
    EXPECT_EQ(ours.lse.data[0], -std::numeric_limits<float>::infinity());
    EXPECT_EQ(kernel.lse.data[0], std::numeric_limits<float>::infinity());
    EXPECT_EQ(ours.o.data, kernel.o.data);
}

TEST(ScheduleKnob, JitterChangesTimesAndNothingElse)
{
    for (const char* algorithm : { "standard", "fa1", "fa2", "fa3" }) {
        Scenario s = fa2();
        s.algorithm = algorithm;
        s.tile = std::nullopt;
        const auto still = clean(with(s, { { "jitter-seed", "0" } }));
        std::set<Cycle> times { still.report.cycles };
        for (const char* seed : { "1", "2", "3" }) {
            const auto shaken = clean(with(s, { { "jitter-seed", seed } }));
            EXPECT_EQ(shaken.o.data, still.o.data) << algorithm << seed;
            EXPECT_EQ(shaken.report.events, still.report.events) << algorithm << seed;
            times.insert(shaken.report.cycles);
        }
        EXPECT_EQ(times.size(), 4U) << algorithm;
    }
}

TEST(ScheduleKnob, ASmallerL2SendsMoreToHbm)
{
    Scenario s = fa3("none", 64, 4096);
    s.algorithm = "fa2";
    s.problem.heads = s.problem.kvHeads = 16;
    const auto large = clean(with(s, { { "l2-mib", "40" } }));
    const auto small = clean(with(s, { { "l2-mib", "1" } }));
    EXPECT_GT(small.report.hbmReadBytes, 1.2 * large.report.hbmReadBytes);
    EXPECT_EQ(small.report.globalReadBytes, large.report.globalReadBytes);
    EXPECT_GE(small.report.cycles, large.report.cycles);
}

} // namespace
