// SPDX-License-Identifier: Apache-2.0
// Why things wait, where time goes, what the end waited for: facts of the trace that add up, on random problems.
#include "core/emulation/critical_path.h"
#include "core/emulation/stalls.h"
#include "core/trace/why.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <set>

namespace flashstep::test {
namespace {

// A problem of some version with anything that changes who waits for whom; it need not be possible.
Scenario waitingScenario(std::uint64_t seed, const std::string& algorithm)
{
    Draws draw(seed);
    Scenario s;
    s.algorithm = algorithm;
    Problem& p = s.problem;
    p.headDim = p.headDimV = draw.pick<int>({ 16, 64, 64, 128, 128, 256 });
    p.seqlenQ = draw.between(1, 100);
    p.seqlenK = draw.between(1, 150);
    p.batch = draw.between(1, 2);
    p.heads = p.kvHeads = draw.between(1, 3);
    p.mask = *maskFromText(draw.pick<std::string>({ "none", "none", "causal", "window:20,7" }));
    s.tile = draw.pick<TileSize>({ { 12, 8 }, { 24, 16 }, { 16, 16 }, { 48, 12 }, { 8, 8 } });
    if (draw.oneIn(2))
        s.costTile = draw.pick<TileSize>({ { 128, 128 }, { 192, 64 }, { 128, 64 } });
    s.record = { Record::Kind::None };
    if (draw.oneIn(2)) // few SMs: CTAs wait for each other's place
        s.knobs.emplace_back("sms", std::to_string(draw.between(2, 5)));
    if (draw.oneIn(3))
        s.knobs.emplace_back("register-contention", draw.pick<std::string>({ "0", "0.5", "1" }));
    if (algorithm == "fa4") {
        p.headDim = p.headDimV = draw.pick<int>({ 16, 64, 64, 128, 128 });
        s.gpu = draw.pick<std::string>({ "b200", "b300" });
        s.tile = draw.pick<TileSize>({ { 16, 16 }, { 32, 16 }, { 16, 32 } });
        if (s.costTile)
            s.costTile = TileSize { 128, 128 };
        std::erase_if(s.knobs, [](const auto& knob) { return knob.first == "register-contention"; });
        if (draw.oneIn(3))
            s.knobs.emplace_back("scheduler", draw.pick<std::string>({ "linear", "lpt", "persistent", "single-tile" }));
        if (draw.oneIn(4))
            s.knobs.emplace_back("q-stage", "1");
    }
    if (algorithm == "fa3") {
        if (draw.oneIn(3))
            s.knobs.emplace_back("scheduler", draw.pick<std::string>({ "linear", "lpt", "persistent", "single-tile" }));
        if (draw.oneIn(4))
            s.knobs.emplace_back("copy", "cp-async");
        if (draw.oneIn(4))
            s.knobs.emplace_back("intra-overlap", "off");
        if (draw.oneIn(4))
            s.knobs.emplace_back("ping-pong", "off");
        if (draw.oneIn(5))
            s.knobs.emplace_back("warp-specialisation", "off");
    }
    if (draw.oneIn(4))
        s.knobs.emplace_back("jitter-seed", std::to_string(seed));
    return s;
}

void expectTimesToAddUp(const Run& run)
{
    const Stalls stalls = stallsOf(run, CtaId::none());
    for (const RoleTime& role : stalls.roles) {
        Cycle sum = role.idle;
        for (const auto& [kind, cycles] : role.busy) {
            EXPECT_GT(cycles, 0);
            sum += cycles;
        }
        for (const auto& [reason, cycles] : role.waits) {
            EXPECT_GT(cycles, 0);
            EXPECT_FALSE(reason.empty());
            sum += cycles;
        }
        EXPECT_EQ(sum, role.total);
        EXPECT_GE(role.idle, 0) << run.program->roles[role.role.index()].name;
        EXPECT_EQ(role.total, run.trace->span(role.cta).end - run.trace->span(role.cta).begin);
    }
    // What was booked, by the emulation's own count; its HBM is not rounded to cycles.
    for (const EngineTime& engine : stalls.engines) {
        double sum = 0;
        for (const auto& [component, cycles] : engine.busy)
            sum += cycles;
        EXPECT_NEAR(sum, engine.total, 1e-9 * (1 + sum));
        const bool perQuarter = engine.engine == Engine::Tensor || engine.engine == Engine::Exp
            || engine.engine == Engine::Alu || engine.engine == Engine::Issue || engine.engine == Engine::Registers;
        const double counted = run.trace->busy(engine.engine) / (perQuarter ? 4 : 1);
        EXPECT_GE(engine.total * (1 + 1e-9), counted);
        if (engine.engine != Engine::Hbm) {
            EXPECT_NEAR(engine.total, counted, 1e-6 * (1 + sum)) << name(engine.engine);
        }
    }
    // One CTA after the other gives the same.
    if (run.program->ctaCount() > 12)
        return;
    double tensor = 0;
    for (std::size_t cta = 0; cta < run.program->ctaCount(); ++cta)
        tensor += stallsOf(run, CtaId(cta)).engines.front().total;
    EXPECT_NEAR(tensor, stalls.engines.front().total, 1e-6 * (1 + tensor));
}

void expectPath(const Run& run, CtaId cta)
{
    const Trace& trace = *run.trace;
    const CriticalPath path = criticalPath(run, cta);
    const CtaSpan whole { 0, static_cast<std::uint32_t>(trace.cycles()) };
    const CtaSpan& span = cta.valid() ? trace.span(cta) : whole;
    EXPECT_EQ(path.begin, span.begin);
    EXPECT_EQ(path.cycles, span.end - span.begin);
    Cycle at = path.begin;
    for (const PathSegment& segment : path.segments) {
        EXPECT_EQ(segment.begin, at);
        EXPECT_GT(segment.end, segment.begin);
        at = segment.end;
        EXPECT_NE(segment.kind, PathSegment::Kind::Whole);
        EXPECT_NE(segment.kind, PathSegment::Kind::Memory);
        if (segment.kind == PathSegment::Kind::Start) {
            const Cycle start = trace.span(segment.cta).begin;
            EXPECT_EQ(segment.begin, std::max<Cycle>(start, path.begin));
            EXPECT_EQ(segment.end, start + static_cast<Cycle>(run.gpu.ctaStartCycles));
            continue;
        }
        EXPECT_EQ(trace.ctaOf(segment.instance), segment.cta);
        EXPECT_GE(segment.begin, trace.beginCycle(segment.instance));
        EXPECT_FALSE(segment.stuck);
        const bool lands = segment.engine == Engine::Smem && trace.op(segment.instance).kind == OpKind::Load;
        if (segment.engine != Engine::Registers && !lands) { // those reach beyond the op; else by a cycle begun
            EXPECT_LE(segment.end, trace.endCycle(segment.instance) + 1);
        }
        if (!isWaiting(trace.op(segment.instance)))
            continue;
        EXPECT_FALSE(segment.engine.has_value());
        EXPECT_EQ(segment.end, trace.endCycle(segment.instance)) << "the latency after the release";
        EXPECT_LE(segment.end - segment.begin, 100);
    }
    EXPECT_EQ(at, span.end);
}

void expectChain(const Trace& trace, const WaitExplained& why)
{
    const WaitLink* before = &why.wait;
    for (const WaitLink& link : why.chain) {
        ASSERT_TRUE(before->releasedBy.has_value()) << "a chain goes on from what released";
        EXPECT_LE(link.end, before->releasedBy->cycle);
        EXPECT_LE(link.begin, link.end);
        EXPECT_EQ(link.kind == WaitLink::Kind::Start, &link == &why.chain.back());
        EXPECT_EQ(link.kind == WaitLink::Kind::Start, !link.releasedBy.has_value());
        if (link.releasedBy) {
            EXPECT_LE(link.releasedBy->cycle, link.end);
            EXPECT_TRUE(trace.began(link.releasedBy->instance));
        }
        before = &link;
    }
    ASSERT_FALSE(why.chain.empty());
    EXPECT_EQ(why.chain.back().kind, WaitLink::Kind::Start);
}

void expectWaitsExplained(const Run& run)
{
    const Trace& trace = *run.trace;
    const Causes causes(trace);
    std::size_t count = 0;
    for (std::uint32_t k = 0; k < trace.end().value; ++k) {
        const Event event = trace.eventAt(k);
        const Op& op = trace.op(event.instance);
        if (event.ends || !isWaiting(op))
            continue;
        if (count < 40) {
            EXPECT_EQ(nthWait(trace, count, CtaId::none()), event.instance);
        }
        ++count;
        const WaitExplained why = explainWait(causes, event.instance);
        EXPECT_FALSE(why.wait.stuck);
        const bool waited = why.wait.end > why.wait.begin;
        EXPECT_TRUE(why.wait.releasedBy.has_value() || !waited);
        if (!why.wait.releasedBy)
            continue;
        const ReleasedBy& by = *why.wait.releasedBy;
        EXPECT_LE(by.cycle, why.wait.end);
        EXPECT_EQ(by.cycle, by.ended ? trace.endCycle(by.instance) : trace.beginCycle(by.instance));
        if (waited) {
            EXPECT_GE(by.cycle, why.wait.begin) << "released before it waited: by another";
            EXPECT_LE(why.wait.end - by.cycle, 100) << "only the barrier's latency lies between";
        }
        if (count % 7 == 0)
            expectChain(trace, why);
    }
    EXPECT_FALSE(nthWait(trace, count, CtaId::none()).valid());
}

class CausesOf : public testing::TestWithParam<const char*> { };

TEST_P(CausesOf, AddUpOnRandomProblems)
{
    int ran = 0;
    for (const std::uint64_t seed : seeds(40)) {
        const Scenario scenario = waitingScenario(seed, GetParam());
        if (!prepare(scenario))
            continue;
        SCOPED_TRACE(describe(seed, scenario));
        const flashstep::Run run = runOf(scenario);
        if (!run.trace->deadlock().empty())
            continue;
        ++ran;
        expectTimesToAddUp(run);
        expectPath(run, CtaId::none());
        for (std::size_t cta = 0; cta < std::min<std::size_t>(5, run.program->ctaCount()); ++cta)
            expectPath(run, CtaId(cta));
        expectWaitsExplained(run);
        if (HasFailure())
            break;
    }
    EXPECT_GE(ran, 10);
}

INSTANTIATE_TEST_SUITE_P(Versions, CausesOf, testing::Values("standard", "fa1", "fa2", "fa3", "fa4"));

} // namespace
} // namespace flashstep::test
