// SPDX-License-Identifier: Apache-2.0
// Arrows of a CTA are found stretch by stretch where there are many: the same ones, whatever is held at once.
#include "core/io/flows.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <tuple>

namespace flashstep::test {
namespace {

using End = std::tuple<std::uint32_t, std::uint64_t, std::int64_t, bool, bool>;

std::vector<End> flowsOf(const Run& run, const Range& range, std::uint64_t opsHeld)
{
    Flows flows(*run.trace, range, opsHeld);
    std::vector<End> all;
    std::vector<FlowEnd> ends;
    SpanVisitor visitor;
    visitor.cta = [&](CtaId cta) {
        flows.enter(cta);
        return true;
    };
    visitor.span = [&](const Span& span) {
        const auto at = static_cast<std::uint32_t>(span.instance.index());
        flows.outOf(span, ends);
        for (const FlowEnd& end : ends)
            all.emplace_back(at, end.id, end.at, end.late, true);
        flows.into(span, ends);
        for (const FlowEnd& end : ends)
            all.emplace_back(at, end.id, end.at, end.late, false);
        return true;
    };
    forEachSpan(*run.trace, range, visitor);
    return all;
}

TEST(Flows, AreTheSameHoweverFewAreHeldAtOnce)
{
    Limits limits;
    limits.scores = 4000;
    limits.widestHead = 64;
    for (const char* algorithm : { "standard", "fa1", "fa2", "fa3", "fa4" })
        for (const std::uint64_t seed : seeds(6)) {
            Scenario s = randomScenario(seed, algorithm, limits);
            s.record = { Record::Kind::None, 0 };
            SCOPED_TRACE(describe(seed, s));
            const flashstep::Run run = runOf(s);
            const Range whole = Range::whole(*run.trace);
            const std::vector<End> all = flowsOf(run, whole, Flows::opsAtOnce);
            EXPECT_EQ(flowsOf(run, whole, 7), all);
            EXPECT_EQ(flowsOf(run, whole, 64), all);
            const Range part { Position { run.trace->end().value / 4 }, Position { run.trace->end().value / 2 } };
            EXPECT_EQ(flowsOf(run, part, 16), flowsOf(run, part, Flows::opsAtOnce));
        }
}

TEST(Flows, OfPersistentCtasToo)
{
    for (const char* algorithm : { "fa3", "fa4" }) {
        Scenario s = scenarioOf(algorithm, 512, 96, 64, "causal",
            std::string(algorithm) == "fa3" ? TileSize { 48, 32 } : TileSize { 32, 32 }, DType::Bf16);
        s.problem.heads = s.problem.kvHeads = 2;
        s.record = { Record::Kind::None, 0 };
        for (const char* scheduler : { "persistent", "lpt" }) {
            const flashstep::Run run = runOf(with(s, { { "sms", "2" }, { "scheduler", scheduler } }));
            const Range whole = Range::whole(*run.trace);
            EXPECT_EQ(flowsOf(run, whole, 10), flowsOf(run, whole, Flows::opsAtOnce)) << algorithm << ' ' << scheduler;
        }
    }
}

} // namespace
} // namespace flashstep::test
