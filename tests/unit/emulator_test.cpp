// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/emulator.h"
#include "core/hardware/cost.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

namespace {

using namespace flashstep;
using namespace flashstep::test;

Scenario timing(const char* algorithm, int seqlenQ, int seqlenK, int dim, const char* mask, TileSize tile)
{
    Scenario s = scenarioOf(algorithm, seqlenQ, seqlenK, dim, mask, tile, DType::Bf16);
    s.record = { Record::Kind::None };
    return s;
}

// The single instance of a kind with this role, for a CTA of one block.
InstanceId instanceOf(const Trace& trace, CtaId cta, std::size_t role, OpKind kind, TensorId tensor = TensorId::None)
{
    const RoleRange& range = trace.program().streamOf(WorkId(cta.index())).roles[role];
    for (std::uint32_t k = range.first; k < range.first + range.count; ++k)
        if (trace.program().ops[k].kind == kind && trace.program().ops[k].tensor == tensor)
            return trace.instance(WorkId(cta.index()), OpId(k));
    return InstanceId::none();
}

TEST(Emulator, StartsACtaAfterItsStartCost)
{
    const auto run = runOf(timing("fa2", 8, 8, 8, "none", { 8, 8 }));
    EXPECT_EQ(run.trace->span(CtaId(0)).begin, 0U);
    EXPECT_EQ(run.trace->timeAt(Position { 1 }), static_cast<Cycle>(run.gpu.ctaStartCycles));
}

TEST(Emulator, AWaitEndsWhenTheLastOfItsOwnCopiesHasLanded)
{
    const auto run = runOf(timing("fa2", 8, 8, 64, "none", { 8, 8 }));
    const Trace& trace = *run.trace;
    for (std::size_t role = 0; role < 4; ++role) {
        const Cycle q = trace.endCycle(instanceOf(trace, CtaId(0), role, OpKind::Load, TensorId::Q));
        const Cycle k = trace.endCycle(instanceOf(trace, CtaId(0), role, OpKind::Load, TensorId::K));
        EXPECT_EQ(trace.endCycle(instanceOf(trace, CtaId(0), role, OpKind::Wait)), std::max(q, k));
    }
}

TEST(Emulator, ABarrierLetsEveryoneGoWhenTheLastArrives)
{
    const auto run = runOf(timing("fa2", 8, 8, 64, "none", { 8, 8 }));
    const Trace& trace = *run.trace;
    Cycle lastArrival = 0;
    for (std::size_t role = 0; role < 4; ++role)
        lastArrival = std::max(lastArrival, trace.beginCycle(instanceOf(trace, CtaId(0), role, OpKind::Sync)));
    for (std::size_t role = 0; role < 4; ++role)
        EXPECT_EQ(trace.endCycle(instanceOf(trace, CtaId(0), role, OpKind::Sync)),
            lastArrival + static_cast<Cycle>(run.gpu.barrierLatency));
}

// K of the next block lands while softmax and O += P V of this one run: that is what the schedule is for.
TEST(Emulator, OverlapsCopiesWithCompute)
{
    const auto run = runOf(timing("fa2", 128, 256, 64, "none", { 128, 128 }));
    const Trace& trace = *run.trace;
    const RoleRange& role = run.program->streamOf(WorkId(0)).roles[0];
    InstanceId load;
    InstanceId product;
    for (std::uint32_t k = role.first; k < role.first + role.count; ++k) {
        const Op& op = run.program->ops[k];
        if (op.kind == OpKind::Load && op.tensor == TensorId::K && op.j == 0)
            load = trace.instance(WorkId(0), OpId(k));
        if (op.kind == OpKind::Mma && !op.transposed && op.n == 1)
            product = trace.instance(WorkId(0), OpId(k));
    }
    EXPECT_LT(trace.beginCycle(load), trace.beginCycle(product));
    EXPECT_GT(trace.endCycle(load), trace.beginCycle(load) + 100) << "it flies";
    EXPECT_LT(trace.endCycle(load), trace.endCycle(product)) << "and has landed before it is waited for";
}

TEST(Emulator, PlacesCtasRoundRobinAndThenWhereOneEnds)
{
    Scenario s = timing("fa2", 8 * 40, 64, 8, "none", { 8, 8 });
    s.costTile = TileSize { 128, 128 };
    s.knobs = { { "sms", "3" } };
    const auto run = runOf(s);
    const Trace& trace = *run.trace;
    const int perSm = occupancyOf(run.gpu, run.program->launches[0]).ctasPerSm;
    EXPECT_EQ(trace.ctasPerSm(), perSm);
    for (int c = 0; c < 3 * perSm; ++c) {
        EXPECT_EQ(trace.span(CtaId(static_cast<std::size_t>(c))).sm, c % 3);
        EXPECT_EQ(trace.span(CtaId(static_cast<std::size_t>(c))).begin, 0U);
    }
    for (std::size_t c = static_cast<std::size_t>(3 * perSm); c < run.program->ctaCount(); ++c) {
        const CtaSpan& span = trace.span(CtaId(c));
        bool freed = false;
        for (std::size_t other = 0; other < c; ++other)
            freed = freed
                || (trace.span(CtaId(other)).sm == span.sm && trace.span(CtaId(other)).slot == span.slot
                    && trace.span(CtaId(other)).end == span.begin);
        EXPECT_TRUE(freed) << "CTA " << c;
    }
}

TEST(Emulator, RunsLaunchesOneAfterTheOther)
{
    const auto run = runOf(timing("standard", 64, 64, 32, "none", { 16, 16 }));
    std::map<int, std::pair<Cycle, Cycle>> spans;
    for (std::size_t c = 0; c < run.program->ctaCount(); ++c) {
        const CtaSpan& span = run.trace->span(CtaId(c));
        auto& [begin, end]
            = spans.try_emplace(run.program->works[c].launch, std::pair<Cycle, Cycle>(1 << 30, 0)).first->second;
        begin = std::min<Cycle>(begin, span.begin);
        end = std::max<Cycle>(end, span.end);
    }
    ASSERT_EQ(spans.size(), 3U);
    EXPECT_LE(spans[0].second, spans[1].first);
    EXPECT_LE(spans[1].second, spans[2].first);
}

// K and V are read by every query tile: HBM serves each block once, L2 the rest.
TEST(Emulator, ReadsKeysFromHbmOnce)
{
    Scenario s = timing("fa2", 128, 512, 64, "none", { 128, 128 });
    const double one = runOf(s).trace->busy(Engine::Hbm);
    s.problem.seqlenQ = 128 * 8;
    const auto eight = runOf(s);
    const double keysBusy = eight.trace->busy(Engine::Hbm) - 8 * one;
    EXPECT_LT(keysBusy, 0) << "eight tiles take less than eight times one tile's";
    EXPECT_LT(eight.trace->busy(Engine::Hbm), 3.0 * one) << "Q and O eight times, K and V once";
    EXPECT_GT(eight.trace->busy(Engine::L2),
        7.5 * runOf(timing("fa2", 128, 512, 64, "none", { 128, 128 })).trace->busy(Engine::L2));
}

TEST(Emulator, EngineTimeIsWhatOpsCost)
{
    const auto run = runOf(timing("fa2", 128, 256, 64, "causal", { 64, 64 }));
    std::array<double, engineCount> expected {};
    for (const Work& work : run.program->works) {
        const Stream& stream = run.program->streams[work.stream.index()];
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const OpCost cost = costOf(run.gpu, *run.program, work, run.program->ops[k]);
            for (std::size_t b = 0; b < cost.bookingCount; ++b)
                expected[static_cast<std::size_t>(cost.bookings[b].engine)]
                    += static_cast<double>(cost.bookings[b].busy) / ticksPerCycle;
            expected[static_cast<std::size_t>(Engine::Smem)]
                += static_cast<double>(run.program->ops[k].async ? cost.landing : 0) / ticksPerCycle;
        }
    }
    for (const Engine e : { Engine::Tensor, Engine::Exp, Engine::Alu, Engine::Issue, Engine::Smem, Engine::L2 })
        EXPECT_NEAR(
            run.trace->busy(e), expected[static_cast<std::size_t>(e)], 1e-6 * expected[static_cast<std::size_t>(e)])
            << name(e);
}

TEST(Emulator, ReportsWhoWaitsForWhatInADeadlock)
{
    Scenario s = timing("fa2", 16, 24, 8, "none", { 8, 8 });
    s.breaks = { "count:syncthreads=160" };
    const auto run = runOf(s);
    ASSERT_EQ(run.trace->deadlock().size(), 8U) << "four warps of two CTAs";
    for (const Blocked& blocked : run.trace->deadlock()) {
        EXPECT_EQ(blocked.waitingFor, "syncthreads: 128 of 160 threads have arrived");
        EXPECT_EQ(run.program->op(blocked.op).kind, OpKind::Sync);
        EXPECT_EQ(run.program->op(blocked.op).role, blocked.role);
    }
}

TEST(Emulator, AStuckLaunchStopsThoseAfterIt)
{
    Scenario s = timing("standard", 8, 8, 8, "none", { 8, 8 });
    s.breaks = { "count:syncthreads_scores=160" };
    const auto run = runOf(s);
    EXPECT_EQ(run.trace->deadlock().size(), 4U);
    EXPECT_FALSE(run.trace->began(run.trace->instance(WorkId(1), OpId(run.program->streamOf(WorkId(1)).firstOp))));
    EXPECT_FALSE(run.trace->block(0, 0, 0, 1));
}

TEST(Emulator, StopsWhenAskedTo)
{
    Scenario s = timing("fa2", 16384, 16384, 64, "none", { 128, 128 });
    std::stop_source stop;
    stop.request_stop();
    const auto run = runScenario(s, std::nullopt, { stop.get_token(), {} });
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().what, "cancelled");
}

TEST(Emulator, ReportsProgressFromNoneToAll)
{
    std::vector<double> fractions;
    Scenario s = scenarioOf("fa2", 256, 256, 16, "none", { 8, 8 });
    ASSERT_TRUE(runScenario(s, std::nullopt, { {}, [&](double fraction) { fractions.push_back(fraction); } }));
    ASSERT_FALSE(fractions.empty());
    EXPECT_TRUE(std::ranges::is_sorted(fractions));
    EXPECT_GE(fractions.front(), 0);
    EXPECT_LE(fractions.back(), 1);
}

} // namespace
