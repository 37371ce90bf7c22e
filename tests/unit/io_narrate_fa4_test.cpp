// SPDX-License-Identifier: Apache-2.0
// What is told of FlashAttention-4 against the trace it is told from.
#include "core/io/narrate.h"
#include "core/io/narrate_numbers.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <set>

namespace flashstep::test {
namespace {

using namespace narration;

Scenario growing(int queries = 32, int headDim = 32)
{
    Scenario scenario = scenarioOf("fa4", queries, 96, headDim, "none", { 16, 16 });
    scenario.problem.init = Init::RisingLeft; // keys are visited from the right: every block raises the maximum
    return scenario;
}

// Calls visit(op, instance, what is said of it) for the steps of a CTA that end, or begin.
template <typename Visit> void forEachStep(const flashstep::Run& run, CtaId cta, bool ends, Visit visit)
{
    const Narrator narrator(run, Labels {}, *Words::load("en"));
    for (std::uint32_t p = 1; p <= run.trace->end().value; ++p) {
        const Event event = run.trace->eventAt(p - 1);
        if (event.ends == ends && run.trace->ctaOf(event.instance) == cta)
            visit(run.trace->op(event.instance), event.instance, narrator.explain(Position { p }, cta));
    }
}

void expectSaid(const std::string& text, const std::string& what)
{
    EXPECT_NE(text.find(what), std::string::npos) << text << "\n  lacks: " << what;
}

TEST(NarratorFa4, VotesAreTheTraces)
{
    const flashstep::Run run = runOf(growing());
    int votes = 0, left = 0;
    forEachStep(run, CtaId(0), true, [&](const Op& op, InstanceId at, const std::string& text) {
        if (op.kind != OpKind::Rescale || !op.conditional)
            return;
        const auto vote = run.trace->voteOf(at);
        ASSERT_TRUE(vote);
        ++votes;
        if (vote->warpsDone == 0) {
            ++left;
            expectSaid(text, "None of " + std::to_string(vote->rowsSkipped) + " rows asked for it");
            return;
        }
        expectSaid(text,
            bold(std::to_string(vote->rowsDone)) + " of " + std::to_string(vote->rowsDone + vote->rowsSkipped)
                + " rows asked");
        expectSaid(text, bold(std::to_string(vote->warpsDone)) + " of 4 warps");
    });
    EXPECT_EQ(votes, 2 * 5);
    EXPECT_LT(left, votes);
}

// The upper of two query tiles side by side sees nothing of the lower one's last key block.
TEST(NarratorFa4, RowsThatHadNothingDoNotShrink)
{
    const flashstep::Run run = runOf(scenarioOf("fa4", 64, 64, 32, "causal", { 16, 16 }));
    int sums = 0, votes = 0;
    forEachStep(run, CtaId(0), true, [&](const Op& op, InstanceId at, const std::string& text) {
        if (op.kind != OpKind::Rescale)
            return;
        const TileValues factors = run.trace->value(CtaId(0), op.in[2], run.trace->endPosition(at));
        for (int r = 0; r < 16; ++r)
            if (factors.at(r, 0) != 0)
                return;
        (op.conditional ? votes : sums) += 1;
        expectSaid(text, "had nothing yet");
        EXPECT_EQ(text.find("rows shrank"), std::string::npos) << text;
        EXPECT_EQ(text.find("too small to count"), std::string::npos) << text;
    });
    EXPECT_GT(sums, 0);
    EXPECT_GT(votes, 0);
}

TEST(NarratorFa4, ReferencesMoveAsTheTraceHasThem)
{
    const flashstep::Run run = runOf(growing());
    const Trace& trace = *run.trace;
    const auto c = static_cast<double>(run.program->problem.softmaxScaleLog2());
    int moved = 0, stayed = 0;
    forEachStep(run, CtaId(0), true, [&](const Op& op, InstanceId at, const std::string& text) {
        if (op.kind != OpKind::RowMax || op.n < 2)
            return;
        const TileValues now = trace.value(CtaId(0), op.out, trace.endPosition(at));
        const TileValues before = trace.value(CtaId(0), op.out, trace.beginPosition(at));
        int moves = 0;
        for (int r = 0; r < now.rows; ++r)
            moves += now.at(r, 0) != before.at(r, 0) ? 1 : 0;
        double most = -1e30; // of the rows that it is told of
        for (int r = 0; r < now.rows; ++r)
            if (moves == 0 || now.at(r, 0) != before.at(r, 0))
                most = std::max(most, static_cast<double>(now.at(r, 1)) - static_cast<double>(before.at(r, 0)));
        expectSaid(text, bold(std::to_string(moves)) + " of 16 rows");
        if (most > 0)
            expectSaid(text, bold(number(most * c)));
        expectSaid(text, moves > 0 ? "more than the threshold of 8" : most > 0 ? "within the threshold of 8" : "stays");
        ++(moves > 0 ? moved : stayed);
    });
    EXPECT_GT(moved, 0);
    EXPECT_EQ(moved + stayed, 2 * 5);
}

TEST(NarratorFa4, ExponentialsAreCountedByUnit)
{
    const flashstep::Run run = runOf(growing());
    int told = 0;
    forEachStep(run, CtaId(0), true, [&](const Op& op, InstanceId, const std::string& text) {
        if (op.kind != OpKind::Exp2)
            return;
        const OpCounts counts = countsOf(*run.program, run.program->works.front(), op);
        ASSERT_GT(counts.exp2Emulated, 0);
        expectSaid(text, bold(thousands(counts.exp2)) + " exponentials by the MUFU");
        expectSaid(text, bold(thousands(counts.exp2Emulated)) + " by a polynomial of degree 3");
        ++told;
    });
    EXPECT_EQ(told, 2 * 6);
}

TEST(NarratorFa4, NamesTheColumnsOfTensorMemory)
{
    const flashstep::Run run = runOf(growing());
    int products = 0;
    forEachStep(run, CtaId(0), false, [&](const Op& op, InstanceId, const std::string& text) {
        if (op.kind != OpKind::Mma)
            return;
        const BufferDecl& to = run.program->buffers[op.out.index()];
        if (op.transposed || run.program->rowSets[op.keys.index()].start == 0)
            expectSaid(
                text, "columns " + std::to_string(to.column) + " to " + std::to_string(to.column + to.columns - 1));
        else
            expectSaid(text, "the last quarter of P is in tensor memory");
        ++products;
    });
    EXPECT_EQ(products, 2 * 6 * 3);
}

TEST(NarratorFa4, CrossedReleasesAreTheCorrections)
{
    const flashstep::Run run = runOf(growing());
    int crossed = 0;
    forEachStep(run, CtaId(0), false, [&](const Op& op, InstanceId, const std::string& text) {
        if (text.find("crossed") == std::string::npos)
            return;
        EXPECT_EQ(run.program->roles[op.role.index()].name, "correction");
        EXPECT_EQ(run.program->barriers[op.barrier.index()].family, "pipeline_sm_stats.empty");
        ++crossed;
    });
    EXPECT_EQ(crossed, 2 * 5);
}

TEST(NarratorFa4, APairsSecondCtaIsToldOfItsProducts)
{
    const flashstep::Run run = runOf(growing(96, 128));
    ASSERT_TRUE(run.program->launches.front().pairs);
    const auto landed = run.trace->block(0, 0, 1, 2);
    ASSERT_TRUE(landed);
    const Narrator narrator(run, Labels {}, *Words::load("en"));
    EXPECT_EQ(run.trace->ctaOfTile(0, 0, 1), CtaId(1));
    expectSaid(narrator.explain(*landed, CtaId(1)), "which CTA 0 issues for both");
    expectSaid(narrator.explain(*landed, CtaId(0)), "The half of CTA 1 is done with it, and counted here");
}

TEST(NarratorFa4, RowsOfPackedHeadsNameQueryAndHead)
{
    Scenario scenario = growing(16);
    scenario.problem.heads = 4;
    scenario.problem.kvHeads = 2;
    const flashstep::Run run = runOf(scenario);
    ASSERT_EQ(run.program->packed, 2);
    std::set<std::string> told;
    forEachStep(run, CtaId(0), true, [&](const Op& op, InstanceId, const std::string& text) {
        if (op.kind == OpKind::RowSum)
            told.insert(text.substr(0, text.find(" of softmax")));
    });
    ASSERT_FALSE(told.empty());
    for (const std::string& row : told) {
        int number = 0, query = 0, head = 0;
        ASSERT_EQ(std::sscanf(row.c_str(), "**Row %d (query %d of head %d)**", &number, &query, &head), 3) << row;
        EXPECT_EQ(query, number / 2);
        EXPECT_EQ(head, number % 2);
    }
}

} // namespace
} // namespace flashstep::test
