// SPDX-License-Identifier: Apache-2.0
#include "core/trace/condition.h"
#include "core/trace/state.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace flashstep;
using namespace flashstep::test;

std::shared_ptr<const Trace> traceOf(const std::string& algorithm)
{
    Scenario s = scenarioOf(algorithm, 64, 64, 16, "causal", { 16, 16 });
    s.problem.heads = s.problem.kvHeads = 2;
    s.problem.init = Init::RisingLeft;
    s.record = { Record::Kind::All };
    return runOf(s).trace;
}

Condition parsed(const Trace& trace, const std::string& text)
{
    Result<Condition> condition = Condition::parse(trace, text);
    EXPECT_TRUE(condition) << text << ": " << (condition ? "" : condition.error().line());
    return *condition;
}

// Every moment after 0, by asking again and again.
std::vector<Moment> forwards(const Trace& trace, const Condition& condition, CtaId scope)
{
    std::vector<Moment> all;
    for (auto at = condition.next(trace, Position {}, scope); at; at = condition.next(trace, at->position, scope))
        all.push_back(*at);
    return all;
}

std::vector<Moment> backwards(const Trace& trace, const Condition& condition, CtaId scope)
{
    std::vector<Moment> all;
    const Position beyond { trace.end().value + 1 };
    for (auto at = condition.previous(trace, beyond, scope); at; at = condition.previous(trace, at->position, scope))
        all.insert(all.begin(), *at);
    return all;
}

void expectSame(const std::vector<Moment>& a, const std::vector<Moment>& b, const std::string& what)
{
    ASSERT_EQ(a.size(), b.size()) << what;
    for (std::size_t k = 0; k < a.size(); ++k) {
        EXPECT_EQ(a[k].position, b[k].position) << what;
        EXPECT_EQ(a[k].cta, b[k].cta) << what;
    }
}

std::uint32_t lineOf(const Trace& trace, OpKind kind)
{
    for (const Op& op : trace.program().ops)
        if (op.kind == kind)
            return op.line;
    return 0;
}

class EveryVersion : public testing::TestWithParam<const char*> { };

TEST_P(EveryVersion, ForwardsAndBackwardsMeetTheSameMoments)
{
    const auto trace = traceOf(GetParam());
    for (const std::string& text :
        std::vector<std::string> { "mma", "rowmax(i=1)", "wait(longer=100)", "maximum(row=40)",
            "rescale(decision=done)", "line(" + std::to_string(lineOf(*trace, OpKind::Exp2)) + ")" })
        for (const CtaId scope : { CtaId::none(), trace->ctaOfTile(0, 0, 1) }) {
            const Condition condition = parsed(*trace, text);
            const auto there = forwards(*trace, condition, scope);
            expectSame(there, backwards(*trace, condition, scope), std::string(GetParam()) + " " + text);
            for (const Moment& moment : there)
                EXPECT_TRUE(!scope.valid() || moment.cta == scope) << text;
        }
}

TEST_P(EveryVersion, AConditionOnAllIsThatOfEachCtaTakenTogether)
{
    const auto trace = traceOf(GetParam());
    for (const char* text : { "exp2(j=0)", "rowmax", "maximum(row=20)" }) {
        const Condition condition = parsed(*trace, text);
        std::size_t each = 0;
        for (std::size_t c = 0; c < trace->program().ctaCount(); ++c)
            each += forwards(*trace, condition, CtaId(c)).size();
        EXPECT_EQ(forwards(*trace, condition, CtaId::none()).size(), each) << GetParam() << " " << text;
        EXPECT_GT(each, 0U) << GetParam() << " " << text;
    }
}

TEST_P(EveryVersion, AMaximumChangesWhereTheLedgerSaysSo)
{
    const auto trace = traceOf(GetParam());
    const Condition condition = parsed(*trace, "maximum(row=40)");
    const auto moments = forwards(*trace, condition, CtaId::none());
    // Rising to the left: every visited block of the row, 40 / 16 + 1 of them, brings a greater one where keys are
    // walked from the last; where they are walked from the first only the first block does.
    EXPECT_EQ(moments.size(), std::string(GetParam()) == "fa1" ? 1U : 3U);
    for (const Moment& moment : moments) {
        bool seen = false;
        for (const RowState& row : ledgerAt(*trace, moment.cta, moment.position))
            if (row.row == 40 && row.h == 0) {
                EXPECT_GT(row.m, row.mBefore);
                seen = true;
            }
        EXPECT_TRUE(seen);
    }
}

INSTANTIATE_TEST_SUITE_P(Algorithms, EveryVersion, testing::Values("fa1", "fa2", "fa3", "fa4"));

TEST(Condition, ALongWaitIsLong)
{
    const auto trace = traceOf("fa3");
    const auto all = forwards(*trace, parsed(*trace, "wait"), CtaId::none());
    const auto longer = forwards(*trace, parsed(*trace, "wait(longer=500)"), CtaId::none());
    EXPECT_LT(longer.size(), all.size());
    ASSERT_FALSE(longer.empty());
    std::size_t count = 0;
    for (std::uint32_t k = 0; k < trace->end().value; ++k) {
        const Event event = trace->eventAt(k);
        if (event.ends && trace->op(event.instance).kind == OpKind::Wait)
            count += trace->endCycle(event.instance) - trace->beginCycle(event.instance) > 500 ? 1 : 0;
    }
    EXPECT_EQ(longer.size(), count);
}

TEST(Condition, APhaseIsATurnOfTheBarrier)
{
    const auto trace = traceOf("fa3");
    const CtaId cta = trace->ctaOfTile(0, 0, 3);
    const BarrierId barrier = [&] {
        for (std::size_t b = 0; b < trace->program().barriers.size(); ++b)
            if (trace->arrivals(cta, BarrierId(b)).size() > 3)
                return BarrierId(b);
        return BarrierId::none();
    }();
    ASSERT_TRUE(barrier.valid());
    const std::string name = trace->program().barriers[barrier.index()].name;
    const auto moments = forwards(*trace, parsed(*trace, "phase(barrier=" + name + ")"), cta);
    ASSERT_FALSE(moments.empty());
    int phase = 0;
    for (const Moment& moment : moments)
        for (const BarrierState& state : barriersAt(*trace, cta, moment.position))
            if (state.barrier == barrier) {
                EXPECT_EQ(state.phase, ++phase);
            }
    const auto second = forwards(*trace, parsed(*trace, "phase(barrier=" + name + ", turn=2)"), cta);
    if (moments.size() >= 2) {
        ASSERT_EQ(second.size(), 1U);
        EXPECT_EQ(second[0].position, moments[1].position);
    }
}

TEST(Condition, DecisionsOfFa4AreItsVotes)
{
    const auto trace = traceOf("fa4");
    const auto all = forwards(*trace, parsed(*trace, "rescale"), CtaId::none());
    const auto done = forwards(*trace, parsed(*trace, "rescale(decision=done)"), CtaId::none());
    const auto skipped = forwards(*trace, parsed(*trace, "next(rescale, decision=skipped)"), CtaId::none());
    EXPECT_EQ(done.size() + skipped.size(), all.size());
    EXPECT_FALSE(done.empty());
    for (const Moment& moment : skipped)
        EXPECT_EQ(trace->voteOf(trace->eventAt(moment.position.value - 1).instance)->rowsDone, 0);
}

TEST(Condition, ALineIsWhatItsOpsAre)
{
    const auto trace = traceOf("fa2");
    const std::uint32_t line = lineOf(*trace, OpKind::Exp2);
    const auto moments = forwards(*trace, parsed(*trace, "line(" + std::to_string(line) + ")"), CtaId::none());
    expectSame(moments, forwards(*trace, parsed(*trace, "exp2"), CtaId::none()), "line of exp2");
    EXPECT_FALSE(moments.empty());
    EXPECT_TRUE(forwards(*trace, parsed(*trace, "line(999999)"), CtaId::none()).empty());
}

TEST(Condition, UntilIsNotReached)
{
    const auto trace = traceOf("fa2");
    const Condition condition = parsed(*trace, "mma");
    const auto all = forwards(*trace, condition, CtaId::none());
    ASSERT_GT(all.size(), 3U);
    EXPECT_FALSE(condition.next(*trace, all[0].position, CtaId::none(), all[1].position));
    EXPECT_EQ(condition.next(*trace, all[0].position, CtaId::none(), { all[1].position.value + 1 })->position,
        all[1].position);
    EXPECT_FALSE(condition.previous(*trace, all[1].position, CtaId::none(), all[0].position));
    EXPECT_FALSE(condition.next(*trace, trace->end(), CtaId::none()));
    EXPECT_FALSE(condition.previous(*trace, Position {}, CtaId::none()));
}

TEST(Condition, WhatIsNotUnderstoodSaysWhatWouldBe)
{
    const auto trace = traceOf("fa2");
    for (const char* text :
        { "", "nothing", "rescale(decision=maybe)", "mma(decision=done)", "mma(longer=3)", "wait(longer=x)", "maximum",
            "maximum(row=64)", "maximum(row=-1)", "phase", "phase(barrier=none)", "mma(cta=99)", "mma(i=)", "mma(i=1",
            "mma(what=1)", "next(mma, mma)", "maximum(row=1, h=2)", "line", "line(0)", "line(x)" }) {
        const Result<Condition> condition = Condition::parse(*trace, text);
        ASSERT_FALSE(condition) << text;
        EXPECT_FALSE(condition.error().hint.empty()) << text;
        EXPECT_EQ(condition.error().line().find('\n'), std::string::npos) << text;
    }
}

TEST(Condition, OfAKindAreTheNearestEnds)
{
    const auto trace = traceOf("fa2");
    const Condition condition = parsed(*trace, "rescale");
    for (const CtaId cta : { CtaId::none(), CtaId(1) }) {
        std::vector<std::uint32_t> ends;
        for (std::uint32_t p = 1; p <= trace->end().value; ++p) {
            const Event event = trace->eventAt(p - 1);
            if (event.ends && trace->program().op(trace->opOf(event.instance)).kind == OpKind::Rescale
                && (!cta.valid() || trace->ctaOf(event.instance) == cta))
                ends.push_back(p);
        }
        ASSERT_FALSE(ends.empty());
        for (std::uint32_t p = 0; p <= trace->end().value; ++p) {
            const auto after = std::upper_bound(ends.begin(), ends.end(), p);
            const auto from = std::lower_bound(ends.begin(), ends.end(), p);
            const auto next = condition.next(*trace, Position { p }, cta);
            ASSERT_EQ(next ? next->position.value : p, after == ends.end() ? p : *after);
            const auto previous = condition.previous(*trace, Position { p }, cta);
            ASSERT_EQ(previous ? previous->position.value : p, from == ends.begin() ? p : *(from - 1));
        }
    }
}

} // namespace
