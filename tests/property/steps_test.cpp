// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"
#include "tests/support/trace_invariants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace {

using namespace flashstep;
using namespace flashstep::test;

constexpr std::array<Level, 5> levels { Level::Event, Level::Operation, Level::InnerTile, Level::OuterTile,
    Level::Cta };

// Every scenario here: each algorithm, some with several CTAs at once, some broken and stuck.
std::vector<Scenario> someScenarios()
{
    std::vector<Scenario> all { scenarioOf("fa2", 24, 24, 8, "causal", { 8, 8 }),
        scenarioOf("fa2", 20, 9, 8, "causal", { 8, 8 }), scenarioOf("standard", 12, 12, 8, "causal", { 8, 8 }) };
    Scenario stuck = scenarioOf("fa2", 16, 24, 8, "none", { 8, 8 });
    stuck.breaks = { "count:syncthreads=160" };
    all.push_back(stuck);
    // Sweeps, and CTAs that do several works: by a fixed share, in a cluster, with whatever comes next, and stuck.
    all.push_back(scenarioOf("fa1", 24, 24, 8, "causal", { 8, 8 }));
    all.push_back(with(scenarioOf("fa1", 24, 24, 8, "none", { 8, 8 }), { { "fa1-form", "paper" } }));
    all.push_back(with(scenarioOf("fa3", 24, 16, 8, "causal", { 8, 8 }), { { "sms", "1" } }));
    all.push_back(with(scenarioOf("fa3", 32, 16, 8, "none", { 8, 8 }), { { "sms", "2" }, { "multicast", "on" } }));
    all.push_back(with(scenarioOf("fa4", 96, 48, 16, "none", { 16, 16 }), { { "sms", "1" } }));
    all.push_back(with(scenarioOf("fa4", 128, 48, 128, "none", { 16, 16 }), { { "sms", "2" } }));
    Scenario stuckAtWork = with(scenarioOf("fa3", 24, 16, 8, "causal", { 8, 8 }), { { "sms", "1" } });
    stuckAtWork.breaks = { "count:QueryEmpty=320" };
    all.push_back(stuckAtWork);
    Limits limits;
    limits.scores = 1500;
    limits.widestHead = 16;
    for (const std::uint64_t seed : seeds(6))
        for (const char* algorithm : { "standard", "fa1", "fa2", "fa3", "fa4" })
            all.push_back(randomScenario(seed, algorithm, limits));
    return all;
}

// Whether the op is a part of what lands in O with its block: the product with V, or the sum over the warps' products,
// and where O is divided at every visit, that division.
bool landsInO(const Program& program, const Op& op)
{
    if (program.algorithm == "fa1") {
        const bool divided = std::any_of(
            program.ops.begin(), program.ops.end(), [](const Op& o) { return o.kind == OpKind::Normalise && o.n > 0; });
        return divided ? op.kind == OpKind::Normalise && op.n > 0
                       : op.kind == OpKind::Reduce && !op.maximum && program.buffers[op.out.index()].name == "O";
    }
    return op.kind == OpKind::Mma && !op.transposed;
}

// Ops that a CTA does with its first or its last work alone.
bool leftOut(const Trace& trace, InstanceId instance)
{
    const WorkId work = trace.workOf(instance);
    const CtaId cta = trace.ctaOf(work);
    if (!cta.valid())
        return false; // never reached
    const When when = trace.op(instance).when;
    return (when == When::First && work != trace.worksOf(cta).front())
        || (when == When::Last && work != trace.worksOf(cta).back());
}

// What is still to end.
struct Left {
    std::vector<std::size_t> ofWork, ofCta; // ops
    std::map<std::tuple<std::size_t, int, int>, std::size_t> ofBlock; // by work, query tile and n: parts that land in O
    std::map<std::pair<std::size_t, int>, std::size_t> ofSweep; // by work and key block: the same

    explicit Left(const Trace& trace)
        : ofWork(trace.program().works.size())
        , ofCta(trace.program().ctaCount())
    {
        for (std::size_t k = 0; k < trace.instanceCount(); ++k) {
            const InstanceId instance(k);
            const std::size_t work = trace.workOf(instance).index();
            if (leftOut(trace, instance))
                continue;
            ++ofWork[work];
            if (const CtaId cta = trace.ctaOf(instance); cta.valid())
                ++ofCta[cta.index()];
            const Op& op = trace.op(instance);
            if (!landsInO(trace.program(), op))
                continue;
            ++ofBlock[{ work, op.i, op.n }];
            ++ofSweep[{ work, op.j }];
        }
    }
};

bool keepsOrder(OpKind kind)
{
    return kind == OpKind::Commit || kind == OpKind::Wait || kind == OpKind::Sync || kind == OpKind::Arrive
        || kind == OpKind::Fence || kind == OpKind::SetRegisters;
}

// The positions of a level, by their definition: one look at every event.
std::vector<Position> stepsByDefinition(const Trace& trace, Level level, CtaId only)
{
    const Program& program = trace.program();
    std::vector<Position> steps;
    Left left(trace);
    for (std::uint32_t p = 1; p <= trace.end().value; ++p) {
        const Event event = trace.eventAt(p - 1);
        const CtaId cta = trace.ctaOf(event.instance);
        const WorkId work = trace.workOf(event.instance);
        const Op& op = trace.op(event.instance);
        bool step = level == Level::Event;
        if (event.ends) {
            const bool part = landsInO(program, op);
            const bool blockDone = part && --left.ofBlock[{ work.index(), op.i, op.n }] == 0;
            const bool sweepDone = part && --left.ofSweep[{ work.index(), op.j }] == 0;
            const bool workDone = --left.ofWork[work.index()] == 0;
            const bool ctaDone = --left.ofCta[cta.index()] == 0;
            const bool last = program.work(work).launch + 1U == program.launches.size();
            const bool outer = last && (program.launches.back().sweep > 0 ? sweepDone : workDone);
            step = step || (level == Level::Operation && !keepsOrder(op.kind))
                || (level == Level::InnerTile && blockDone) || (level == Level::OuterTile && outer)
                || (level == Level::Cta && ctaDone);
        }
        // A block of a pair lands in both CTAs.
        const bool lands = level == Level::InnerTile && program.launchOf(cta).pairs && only == program.peerOf(cta);
        if (step && (!only.valid() || only == cta || lands))
            steps.push_back(Position { p });
    }
    return steps;
}

TEST(Steps, AreTheNearestOfTheirLevelFromEveryPosition)
{
    for (const Scenario& s : someScenarios()) {
        SCOPED_TRACE(describe(s));
        const auto run = runOf(s);
        const Trace& trace = *run.trace;
        for (const Level level : levels) {
            for (const CtaId cta : { CtaId::none(), CtaId(0), CtaId(run.program->ctaCount() - 1) }) {
                SCOPED_TRACE(
                    std::string(name(level)) + " of CTA " + (cta.valid() ? std::to_string(cta.index()) : "any"));
                const std::vector<Position> steps = stepsByDefinition(trace, level, cta);
                for (std::uint32_t p = 0; p <= trace.end().value; ++p) {
                    const auto after = std::upper_bound(steps.begin(), steps.end(), Position { p });
                    const auto from = std::lower_bound(steps.begin(), steps.end(), Position { p });
                    ASSERT_EQ(trace.next(Position { p }, level, cta), after == steps.end() ? trace.end() : *after) << p;
                    ASSERT_EQ(trace.previous(Position { p }, level, cta),
                        from == steps.begin() ? Position { 0 } : *(from - 1))
                        << p;
                }
            }
        }
    }
}

// Forwards to the end and back to the start: the same positions in reverse, and after each step back the same state and
// bits as were there on the way out.
TEST(Steps, BackGiveTheStateThatWasThereBefore)
{
    for (const Scenario& s : someScenarios()) {
        SCOPED_TRACE(describe(s));
        const auto run = runOf(s);
        const Trace& trace = *run.trace;
        const CtaId cta(run.program->ctaCount() / 2);
        for (const Level level : levels) {
            SCOPED_TRACE(std::string(name(level)));
            std::vector<std::pair<Position, std::string>> seen;
            Position p { 0 };
            while (true) {
                seen.emplace_back(p, stateWithValues(trace, cta, p));
                if (p == trace.end())
                    break;
                const Position next = trace.next(p, level, cta);
                ASSERT_GT(next, p);
                p = next;
            }
            const Position last = p;
            while (!seen.empty()) {
                ASSERT_EQ(p, seen.back().first);
                ASSERT_EQ(stateWithValues(trace, cta, p), seen.back().second) << "at " << p.value;
                seen.pop_back();
                if (p == Position { 0 })
                    break;
                const Position previous = trace.previous(p, level, cta);
                ASSERT_LT(previous, p);
                const Position again = trace.next(previous, level, cta);
                ASSERT_TRUE(again == p || p == last) << "at " << p.value;
                p = previous;
            }
            ASSERT_TRUE(seen.empty()) << "stepping back missed " << seen.size();
        }
    }
}

// In any order: what a state says does not depend on which was asked for before.
TEST(Steps, JumpsGiveTheStateThatSteppingGives)
{
    const auto run = runOf(scenarioOf("fa2", 16, 24, 8, "causal", { 8, 8 }));
    const Trace& trace = *run.trace;
    std::vector<std::string> states;
    for (std::uint32_t p = 0; p <= trace.end().value; ++p)
        states.push_back(stateWithValues(trace, CtaId(1), Position { p }));
    Draws draw(5);
    for (int k = 0; k < 500; ++k) {
        const auto p = static_cast<std::uint32_t>(draw.between(0, static_cast<int>(trace.end().value)));
        ASSERT_EQ(stateWithValues(trace, CtaId(1), Position { p }), states[p]);
    }
}

// Every event of the CTA changes something that can be seen, and nothing else does.
TEST(Steps, EveryEventOfACtaShowsInItsState)
{
    for (const Scenario& s :
        { scenarioOf("fa2", 16, 16, 8, "none", { 8, 8 }), scenarioOf("fa1", 16, 16, 8, "none", { 8, 8 }),
            with(scenarioOf("fa3", 32, 16, 8, "none", { 8, 8 }), { { "sms", "2" } }),
            with(scenarioOf("fa3", 16, 24, 8, "causal", { 8, 8 }), { { "sms", "1" } }) }) {
        SCOPED_TRACE(describe(s));
        const auto run = runOf(s);
        const Trace& trace = *run.trace;
        const auto withoutFirstLine = [](const std::string& text) { return text.substr(text.find('\n')); };
        for (std::uint32_t p = 1; p <= trace.end().value; ++p) {
            const Event event = trace.eventAt(p - 1);
            const bool own = trace.ctaOf(event.instance) == CtaId(0);
            const bool changed = withoutFirstLine(stateWithValues(trace, CtaId(0), Position { p - 1 }))
                != withoutFirstLine(stateWithValues(trace, CtaId(0), Position { p }));
            // Where a block has just landed in O its own statistics are shown, whatever runs ahead.
            const bool landed = p > 1 && trace.op(trace.eventAt(p - 2).instance).step != Op::noStep;
            if (!own && !landed) {
                ASSERT_FALSE(changed) << "event " << p;
            } else if (own && !event.ends) {
                ASSERT_TRUE(changed) << "event " << p;
            }
        }
    }
}

TEST(Steps, TimesAndPositionsAreInversesOfEachOther)
{
    const auto run = runOf(scenarioOf("fa2", 24, 24, 8, "causal", { 8, 8 }));
    const Trace& trace = *run.trace;
    for (std::uint32_t p = 1; p <= trace.end().value; ++p) {
        const Cycle cycle = trace.timeAt(Position { p });
        const Position at = trace.positionAt(cycle);
        ASSERT_GE(at, Position { p });
        ASSERT_EQ(trace.timeAt(at), cycle) << "everything of that cycle, nothing later";
        ASSERT_LT(trace.positionAt(cycle - 1), Position { p });
    }
    EXPECT_EQ(trace.positionAt(-1), Position { 0 });
    EXPECT_EQ(trace.positionAt(trace.cycles() + 1000), trace.end());
}

} // namespace
