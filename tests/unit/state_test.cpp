// SPDX-License-Identifier: Apache-2.0
#include "core/trace/query.h"
#include "core/trace/state.h"
#include "tests/support/random_problem.h"
#include "tests/support/replay.h"
#include "tests/support/trace_invariants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace {

using namespace flashstep;
using namespace flashstep::test;

constexpr double minusInf = -std::numeric_limits<double>::infinity();

const BufferState& stateOf(const std::vector<BufferState>& states, const Program& program, std::string_view buffer)
{
    return *std::ranges::find_if(
        states, [&](const BufferState& s) { return program.buffers[s.buffer.index()].name == buffer; });
}

TEST(Roles, HaveNotStartedRunWaitAndAreDone)
{
    const auto run = runOf(scenarioOf("fa2", 8, 24, 8, "none", { 8, 8 }));
    const Trace& trace = *run.trace;
    for (const RoleState& role : rolesAt(trace, CtaId(0), Position { 0 })) {
        EXPECT_EQ(role.kind, RoleState::Kind::NotStarted);
        EXPECT_FALSE(role.current.valid());
    }
    for (const RoleState& role : rolesAt(trace, CtaId(0), trace.end()))
        EXPECT_EQ(role.kind, RoleState::Kind::Done);
    std::set<RoleState::Kind> met;
    for (std::uint32_t p = 0; p <= trace.end().value; ++p)
        for (const RoleState& role : rolesAt(trace, CtaId(0), Position { p })) {
            met.insert(role.kind);
            if (role.kind == RoleState::Kind::NotStarted)
                continue;
            const Op& op = run.program->op(trace.opOf(role.current));
            ASSERT_EQ(op.role, role.role);
            ASSERT_TRUE(trace.begunAt(role.current, Position { p }));
            bool missing = op.kind == OpKind::Sync; // else: the role's own copies in the air
            const RoleRange& range = run.program->streams[0].roles[role.role.index()];
            for (std::uint32_t k = range.first; k < trace.opOf(role.current).index(); ++k)
                missing = missing
                    || (run.program->ops[k].async
                        && !trace.endedAt(trace.instance(WorkId(0), OpId(k)), Position { p }));
            const bool waits = op.kind == OpKind::Wait || op.kind == OpKind::Sync;
            const bool mustWait = waits && missing && !trace.endedAt(role.current, Position { p });
            ASSERT_EQ(role.kind == RoleState::Kind::Waiting, mustWait);
            ASSERT_EQ(role.waitingFor.empty(), !mustWait);
            ASSERT_EQ(role.since, trace.beginCycle(role.current));
        }
    EXPECT_EQ(met.size(), 4U) << "all but stuck";
}

TEST(Roles, SayWhatTheyWaitFor)
{
    const auto run = runOf(scenarioOf("fa2", 8, 24, 8, "none", { 8, 8 }));
    std::set<std::string> reasons;
    for (std::uint32_t p = 0; p <= run.trace->end().value; ++p)
        for (const RoleState& role : rolesAt(*run.trace, CtaId(0), Position { p }))
            reasons.insert(role.waitingFor);
    EXPECT_TRUE(reasons.contains("its copies of Q, K to land"));
    EXPECT_TRUE(reasons.contains("its copies of K to land"));
    EXPECT_TRUE(reasons.contains("syncthreads: 32 of 128 threads have arrived"));
    EXPECT_TRUE(reasons.contains("syncthreads: 96 of 128 threads have arrived"));
    EXPECT_TRUE(reasons.contains("syncthreads: all 128 threads have arrived"));
    EXPECT_FALSE(reasons.contains("syncthreads: 0 of 128 threads have arrived")) << "it is one of them itself";
}

TEST(Roles, AreStuckAtTheEndOfADeadlock)
{
    Scenario s = scenarioOf("fa2", 8, 24, 8, "none", { 8, 8 });
    s.breaks = { "count:syncthreads=160" };
    const auto run = runOf(s);
    for (const RoleState& role : rolesAt(*run.trace, CtaId(0), run.trace->end())) {
        EXPECT_EQ(role.kind, RoleState::Kind::Stuck);
        EXPECT_EQ(role.waitingFor, "syncthreads: 128 of 160 threads have arrived");
    }
}

TEST(Barriers, CountArrivalsAndTurns)
{
    const auto run = runOf(scenarioOf("fa2", 8, 24, 8, "none", { 8, 8 }));
    const Trace& trace = *run.trace;
    int arrivals = 0;
    for (std::uint32_t p = 0; p <= trace.end().value; ++p) {
        if (p > 0) {
            const Event event = trace.eventAt(p - 1);
            if (!event.ends && run.program->op(trace.opOf(event.instance)).kind == OpKind::Sync)
                arrivals += 32;
        }
        const std::vector<BarrierState> barriers = barriersAt(trace, CtaId(0), Position { p });
        ASSERT_EQ(barriers.size(), 1U);
        ASSERT_EQ(barriers[0].phase * 128 + barriers[0].arrived, arrivals);
        ASSERT_LT(barriers[0].arrived, 128);
        ASSERT_EQ(barriers[0].expected, 128);
    }
    EXPECT_EQ(arrivals, 7 * 128);
}

TEST(Barriers, OfOtherLaunchesAreNotThoseOfTheCta)
{
    const auto run = runOf(scenarioOf("standard", 8, 8, 8, "none", { 8, 8 }));
    EXPECT_EQ(barriersAt(*run.trace, CtaId(0), run.trace->end()).size(), 1U);
    EXPECT_EQ(barriersAt(*run.trace, CtaId(1), run.trace->end()).size(), 0U) << "softmax shares nothing";
}

TEST(Buffers, FillAndSayWhatTheyHold)
{
    const auto run = runOf(scenarioOf("fa2", 16, 24, 8, "none", { 8, 8 }));
    const Trace& trace = *run.trace;
    const CtaId cta = trace.ctaOfTile(0, 0, 1);
    for (const BufferState& buffer : buffersAt(trace, cta, Position { 0 }))
        EXPECT_EQ(buffer.kind, BufferState::Kind::Empty);

    const Position landed = findMoment(trace, "last(load, i=1, j=2, buffer=K)")->position;
    auto states = buffersAt(trace, cta, landed);
    EXPECT_EQ(stateOf(states, *run.program, "K").kind, BufferState::Kind::Valid);
    EXPECT_EQ(stateOf(states, *run.program, "K").j, 2);
    EXPECT_EQ(stateOf(states, *run.program, "K").i, -1);
    states = buffersAt(trace, cta, Position { landed.value - 1 });
    EXPECT_EQ(stateOf(states, *run.program, "K").kind, BufferState::Kind::Loading);
    EXPECT_LT(stateOf(states, *run.program, "K").fraction, 1);

    states = buffersAt(trace, cta, findMoment(trace, "first(load, i=1, j=1, buffer=K)")->position);
    EXPECT_EQ(stateOf(states, *run.program, "K").j, 1) << "the next block is landing";
    EXPECT_EQ(stateOf(states, *run.program, "K").kind, BufferState::Kind::Loading);

    states = buffersAt(trace, cta, findMoment(trace, "first(mma, i=1, buffer=O)")->position);
    EXPECT_EQ(stateOf(states, *run.program, "O").i, 1);
    EXPECT_EQ(stateOf(states, *run.program, "O").kind, BufferState::Kind::Writing) << "one warp of four";
    EXPECT_FALSE(stateOf(states, *run.program, "O").normalised);
    states = buffersAt(trace, cta, findMoment(trace, "block(i=1, n=2)")->position);
    EXPECT_EQ(stateOf(states, *run.program, "O").kind, BufferState::Kind::Valid)
        << "none may go on before all have arrived";
    EXPECT_FALSE(stateOf(states, *run.program, "O").normalised);
    states = buffersAt(trace, cta, trace.end());
    EXPECT_TRUE(stateOf(states, *run.program, "O").normalised);
    EXPECT_TRUE(stateOf(states, *run.program, "sO").normalised);
    EXPECT_EQ(stateOf(states, *run.program, "LSE").kind, BufferState::Kind::Valid);
}

// A buffer that says it is whole and valid holds no NaN; one that says it is empty, nothing else.
TEST(Buffers, StatesAgreeWithTheValues)
{
    for (const char* algorithm : { "standard", "fa2" }) {
        const auto run = runOf(scenarioOf(algorithm, 8, 24, 8, "causal", { 8, 8 }));
        for (std::size_t c = 0; c < run.program->ctaCount(); ++c)
            for (std::uint32_t p = 0; p <= run.trace->end().value; ++p)
                for (const BufferState& state : buffersAt(*run.trace, CtaId(c), Position { p })) {
                    const BufferDecl& decl = run.program->buffers[state.buffer.index()];
                    if (decl.wholeRow)
                        continue; // blocks side by side, of which it names one
                    const TileValues tile = run.trace->value(CtaId(c), state.buffer, Position { p });
                    const auto nans = std::ranges::count_if(tile.data, [](float x) { return std::isnan(x); });
                    if (state.kind == BufferState::Kind::Valid) {
                        ASSERT_EQ(nans, 0) << decl.name << " of CTA " << c << " at " << p;
                    } else if (state.kind == BufferState::Kind::Empty) {
                        ASSERT_EQ(nans, static_cast<long>(tile.data.size()))
                            << decl.name << " of CTA " << c << " at " << p;
                    }
                }
    }
}

// Between blocks too: m and l as the registers stand, from -inf and nothing to the LSE of the row.
TEST(Ledger, GrowsBlockByBlockToTheLse)
{
    Scenario s = scenarioOf("fa2", 16, 40, 8, "causal", { 8, 8 });
    const auto run = runOf(s);
    const Trace& trace = *run.trace;
    for (int i = 0; i < 2; ++i) {
        const CtaId cta = trace.ctaOfTile(0, 0, i);
        const std::vector<int> visited = visitedKeyBlocks(s.problem, { 8, 8 }, i);
        for (const RowState& row : ledgerAt(trace, cta, Position { 0 })) {
            EXPECT_EQ(row.blocks, 0);
            EXPECT_EQ(row.decision, "none");
            EXPECT_EQ(row.m, minusInf);
            EXPECT_EQ(row.l, 0);
        }
        std::vector<int> blocks(8, 0);
        for (std::uint32_t p = 0; p <= trace.end().value; ++p) {
            const std::vector<RowState> ledger = ledgerAt(trace, cta, Position { p });
            ASSERT_EQ(ledger.size(), 8U);
            bool exact = false;
            for (int n = 1; n <= static_cast<int>(visited.size()); ++n)
                exact = exact || trace.block(WorkId(cta.index()), 0, n) == Position { p };
            for (std::size_t r = 0; r < 8; ++r) {
                ASSERT_TRUE(exact || ledger[r].blocks >= blocks[r]) << "row " << r << " at " << p;
                if (!exact)
                    blocks[r] = ledger[r].blocks;
            }
        }
        for (const RowState& row : ledgerAt(trace, cta, trace.end())) {
            EXPECT_EQ(row.blocks, static_cast<int>(visited.size()));
            EXPECT_NEAR(row.mUsed + std::log(row.l), run.lse.row(0, 0, row.row)[0], 1e-6);
        }
    }
}

TEST(Ledger, TellsWhatRescalingDid)
{
    Scenario s = scenarioOf("fa2", 8, 32, 16, "none", { 8, 8 });
    s.problem.init = Init::RisingLeft;
    const auto run = runOf(s);
    double before = minusInf;
    for (int n = 1; n <= 4; ++n) {
        const RowState row = ledgerAt(*run.trace, CtaId(0), run.trace->block(WorkId(0), 0, n).value()).at(3);
        EXPECT_EQ(row.decision, n == 1 ? "first" : "rescale");
        EXPECT_EQ(row.mBefore, before);
        EXPECT_GT(row.m, before) << "rising to the left";
        EXPECT_NEAR(row.scale, n == 1 ? 1 : std::exp(before - row.m), 1e-6);
        EXPECT_EQ(row.m, row.mUsed);
        before = row.m;
    }
}

TEST(Ledger, OfARowThatSeesNothingStaysEmpty)
{
    const auto run = runOf(scenarioOf("fa2", 16, 12, 8, "causal", { 8, 8 }));
    const std::vector<RowState> ledger = ledgerAt(*run.trace, CtaId(0), run.trace->block(WorkId(0), 0, 1).value());
    ASSERT_EQ(ledger.size(), 8U);
    for (int r = 0; r < 4; ++r) { // rows 0 … 3 stand left of the first key
        EXPECT_EQ(ledger[static_cast<std::size_t>(r)].m, minusInf);
        EXPECT_EQ(ledger[static_cast<std::size_t>(r)].l, 0);
        EXPECT_EQ(ledger[static_cast<std::size_t>(r)].blocks, 1)
            << "visited blocks count, also those in which it sees nothing";
    }
    EXPECT_GT(ledger[4].l, 0);
}

TEST(Ledger, IsThereOnlyWhereThereAreRunningStatistics)
{
    Scenario s = scenarioOf("fa2", 8, 8, 8, "none", { 8, 8 });
    s.record = { Record::Kind::None };
    EXPECT_TRUE(ledgerAt(*runOf(s).trace, CtaId(0), Position { 0 }).empty());
    const auto standard = runOf(scenarioOf("standard", 8, 8, 8, "none", { 8, 8 }));
    for (std::size_t c = 0; c < standard.program->ctaCount(); ++c)
        EXPECT_TRUE(ledgerAt(*standard.trace, CtaId(c), standard.trace->end()).empty());
}

TEST(Tiles, GoFromUntouchedToDoneOrAreSkipped)
{
    const auto run = runOf(scenarioOf("fa2", 24, 24, 8, "causal", { 8, 8 }));
    const Trace& trace = *run.trace;
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) {
            TileState::Kind last = TileState::Kind::Untouched;
            std::set<TileState::Kind> met;
            for (std::uint32_t p = 0; p <= trace.end().value; ++p) {
                const TileState tile = tileAt(trace, 0, 0, i, j, Position { p });
                if (j > i) {
                    ASSERT_EQ(tile.kind, TileState::Kind::Skipped);
                    ASSERT_EQ(tile.n, 0);
                    continue;
                }
                ASSERT_EQ(tile.n, i - j + 1);
                ASSERT_EQ(tile.cta, trace.ctaOfTile(0, 0, i));
                ASSERT_EQ(tile.masked, i == j);
                ASSERT_GE(tile.kind, last) << "i " << i << " j " << j << " at " << p;
                last = tile.kind;
                met.insert(tile.kind);
            }
            if (j <= i) {
                EXPECT_EQ(met.size(), 5U)
                    << "i " << i << " j " << j << ": untouched, loading, in SMEM, computing, done";
            }
        }
}

// Also between a new maximum and the rescale of l, where m is already newer than the frame l stands in.
TEST(Ledger, ReferencePlusLogOfSumIsTheLseSoFarAtEveryEvent)
{
    const auto run = runOf(scenarioOf("fa2", 16, 32, 8, "causal", { 8, 8 }));
    const Trace& trace = *run.trace;
    const Problem& problem = run.program->problem;
    bool behind = false; // some row was seen with m ahead of mUsed
    for (std::size_t c = 0; c < run.program->ctaCount(); ++c) {
        const Work& work = run.program->works[c];
        const int newest = run.program->streamOf(WorkId(c)).visitedBlocks - 1;
        for (std::uint32_t p = 0; p <= trace.end().value; ++p)
            for (const RowState& row : ledgerAt(trace, CtaId(c), Position { p })) {
                if (row.blocks == 0)
                    continue;
                behind = behind || row.m > row.mUsed;
                const Problem::KeyRange keys = problem.visibleKeys(row.row);
                double sum = 0;
                for (int key = std::max(keys.first, 8 * (newest - row.blocks + 1)); key < keys.last; ++key) {
                    double score = 0;
                    for (int d = 0; d < problem.headDim; ++d)
                        score += static_cast<double>(run.inputs->q.row(work.b, work.h, row.row)[std::size_t(d)])
                            * static_cast<double>(run.inputs->k.row(work.b, 0, key)[std::size_t(d)]);
                    sum += std::exp(score * problem.softmaxScale());
                }
                ASSERT_NEAR(row.mUsed + std::log(row.l), std::log(sum), 1e-4)
                    << "CTA " << c << ", row " << row.row << ", position " << p << ", blocks " << row.blocks;
            }
    }
    EXPECT_TRUE(behind);
}

} // namespace
