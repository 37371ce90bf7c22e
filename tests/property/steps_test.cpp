// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"
#include "tests/support/trace_invariants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

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
    Limits limits;
    limits.scores = 1500;
    limits.widestHead = 16;
    for (const std::uint64_t seed : seeds(10))
        for (const char* algorithm : { "standard", "fa2" })
            all.push_back(randomScenario(seed, algorithm, limits));
    return all;
}

// The positions of a level, by their definition: one look at every event.
std::vector<Position> stepsByDefinition(const Trace& trace, Level level, CtaId only)
{
    const Program& program = trace.program();
    std::vector<Position> steps;
    std::map<std::pair<std::size_t, int>, std::size_t> products; // by CTA and n
    std::vector<std::uint32_t> ended(program.ctaCount());
    for (std::uint32_t p = 1; p <= trace.end().value; ++p) {
        const Event event = trace.eventAt(p - 1);
        const CtaId cta = trace.ctaOf(event.instance);
        const Stream& stream = program.streamOf(WorkId(cta.index()));
        const Op& op = program.op(trace.opOf(event.instance));
        bool step = level == Level::Event;
        if (event.ends) {
            const bool pv = op.kind == OpKind::Mma && !op.transposed;
            const bool blockDone = pv && ++products[{ cta.index(), op.n }] == stream.roles.size();
            const bool ctaDone = ++ended[cta.index()] == stream.opCount;
            step = step
                || (level == Level::Operation && op.kind != OpKind::Commit && op.kind != OpKind::Wait
                    && op.kind != OpKind::Sync);
            step = step || (level == Level::InnerTile && blockDone) || (level == Level::Cta && ctaDone);
            step = step
                || (level == Level::OuterTile && ctaDone
                    && program.works[cta.index()].launch + 1U == program.launches.size());
        }
        if (step && (!only.valid() || only == cta))
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
    const auto run = runOf(scenarioOf("fa2", 16, 16, 8, "none", { 8, 8 }));
    const Trace& trace = *run.trace;
    const auto withoutFirstLine = [](const std::string& text) { return text.substr(text.find('\n')); };
    for (std::uint32_t p = 1; p <= trace.end().value; ++p) {
        const Event event = trace.eventAt(p - 1);
        const bool own = trace.ctaOf(event.instance) == CtaId(0);
        const bool changed = withoutFirstLine(stateWithValues(trace, CtaId(0), Position { p - 1 }))
            != withoutFirstLine(stateWithValues(trace, CtaId(0), Position { p }));
        if (!own) {
            ASSERT_FALSE(changed) << "event " << p;
        } else if (!event.ends) {
            ASSERT_TRUE(changed) << "event " << p;
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
