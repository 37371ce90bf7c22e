// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/compare_runs.h"

#include "core/emulation/stalls.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace flashstep {
namespace {

using Edges = std::vector<int>;

Scenario scenario(const std::string& algorithm, TileSize tile, int length = 96)
{
    return test::scenarioOf(algorithm, length, length, 64, "none", tile, DType::Bf16);
}

Comparison compared(const flashstep::Run& a, const flashstep::Run& b)
{
    Result<Comparison> comparison = compareRuns(a, b);
    EXPECT_TRUE(comparison.ok());
    return comparison ? std::move(*comparison) : Comparison {};
}

std::vector<std::string> kindsOf(const ComparedRun& run)
{
    std::vector<std::string> kinds;
    for (const auto& [kind, count] : run.only) {
        EXPECT_GT(count, 0U);
        kinds.emplace_back(name(kind));
    }
    return kinds;
}

const CommonTile* tileAt(const Comparison& comparison, int row, int key)
{
    const auto found = std::ranges::find_if(comparison.common.tiles,
        [&](const CommonTile& tile) { return tile.rows.begin == row && tile.keys.begin == key; });
    return found == comparison.common.tiles.end() ? nullptr : &*found;
}

TEST(CommonEdges, TilesOf128And192RowsMeetAt384)
{
    const auto program = [](TileSize tile) {
        Scenario s = scenario("fa2", tile, 1000);
        return test::programOf(s);
    };
    EXPECT_EQ(commonEdges(rowEdges(*program({ 128, 32 }), 0), rowEdges(*program({ 192, 32 }), 0)),
        (Edges { 0, 384, 768, 1000 }));
    EXPECT_EQ(
        commonEdges(keyEdges(*program({ 32, 128 })), keyEdges(*program({ 32, 192 }))), (Edges { 0, 384, 768, 1000 }));
}

// A tile of packed heads holds each head's queries in turn.
TEST(CommonEdges, PackedHeadsShareATilesRows)
{
    Scenario s = scenario("fa4", { 16, 16 }, 40);
    s.problem.heads = 4;
    s.problem.kvHeads = 1;
    const auto packed = test::programOf(test::with(s, { { "pack-gqa", "on" } }));
    ASSERT_EQ(packed->packed, 4);
    EXPECT_EQ(rowEdges(*packed, 0), (Edges { 0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40 }));
    const auto single = test::programOf(test::with(s, { { "pack-gqa", "off" } }));
    EXPECT_EQ(commonEdges(rowEdges(*packed, 3), rowEdges(*single, 3)), (Edges { 0, 16, 32, 40 }));
}

TEST(CompareRuns, ARunWithItselfDiffersInNothing)
{
    for (const char* algorithm : { "standard", "fa1", "fa2", "fa3", "fa4" }) {
        SCOPED_TRACE(algorithm);
        const auto run = test::runOf(scenario(algorithm, { 16, 32 }));
        const Comparison comparison = compared(run, run);
        EXPECT_TRUE(comparison.common.moves.empty());
        EXPECT_EQ(comparison.common.moveCount, 0U);
        EXPECT_EQ(comparison.common.tiles.size(), 6U * 3U);
        for (const CommonTile& tile : comparison.common.tiles) {
            ASSERT_TRUE(tile.cycles[0].has_value());
            EXPECT_EQ(tile.cycles[0], tile.cycles[1]);
        }
        EXPECT_FALSE(comparison.common.places.empty());
        for (const PlaceInTile& place : comparison.common.places)
            EXPECT_EQ(place.cycles[0], place.cycles[1]);
        EXPECT_TRUE(comparison.runs[0].only.empty());
        EXPECT_TRUE(comparison.runs[1].only.empty());
    }
}

// Q outer, keys from right to left, beside keys outer: the same cells in another order.
TEST(CompareRuns, Fa1VisitsAllRowsForAKeyBlockBeforeTheNext)
{
    Scenario one = scenario("fa1", { 16, 32 });
    one.knobs.emplace_back("sms", "1");
    const auto fa1 = test::runOf(one);
    const auto fa2 = test::runOf(scenario("fa2", { 16, 32 }));
    const Comparison comparison = compared(fa1, fa2);
    ASSERT_EQ(comparison.common.tiles.size(), 6U * 3U);
    const CommonTile* first = tileAt(comparison, 0, 0);
    const CommonTile* second = tileAt(comparison, 0, 32);
    ASSERT_TRUE(first != nullptr && second != nullptr && first->cycles[0] && second->cycles[0] && first->cycles[1]);
    EXPECT_LT(first->cycles[0]->end, second->cycles[0]->begin) << "FA1 walks from left to right";
    EXPECT_GT(first->cycles[1]->end, second->cycles[1]->end) << "FA2 walks from right to left";
    EXPECT_EQ(kindsOf(comparison.runs[0]), (std::vector<std::string> { "mask", "reduce" }))
        << "its mask runs over every tile, and its warps put partial results together";
}

TEST(CompareRuns, Fa3HasWhatAProducerNeedsAndFa2HasNot)
{
    Scenario b = scenario("fa3", { 32, 48 });
    const auto fa2 = test::runOf(scenario("fa2", { 16, 32 }));
    const auto fa3 = test::runOf(b);
    const Comparison comparison = compared(fa2, fa3);
    EXPECT_EQ(comparison.common.tiles.size(), 3U) << "rows meet at every 32, keys at 96 alone";
    for (const CommonTile& tile : comparison.common.tiles)
        EXPECT_EQ(tile.keys, (Interval<int> { 0, 96 }));
    const std::vector<std::string> only = kindsOf(comparison.runs[1]);
    EXPECT_NE(std::ranges::find(only, "setmaxnreg"), only.end());
    EXPECT_NE(std::ranges::find(only, "arrive"), only.end());
    std::uint64_t arrivals = 0;
    for (std::size_t k = 0; k < fa3.trace->instanceCount(); ++k)
        if (const InstanceId instance(k); fa3.trace->op(instance).kind == OpKind::Arrive)
            arrivals += fa3.trace->began(instance) ? 1 : 0;
    const auto arrive = std::ranges::find(comparison.runs[1].only, OpKind::Arrive,
        [](const std::pair<OpKind, std::uint64_t>& entry) { return entry.first; });
    ASSERT_NE(arrive, comparison.runs[1].only.end());
    EXPECT_EQ(arrive->second, arrivals);
}

// A cell that holds one tile of either run has the cycles that the trace says: of S = Q Kᵀ's first begin to the last
// part of the product's landing in O, or later where the role goes on with the block.
TEST(CompareRuns, ATilesCyclesReachFromItsScoresToItsProduct)
{
    for (const char* algorithm : { "fa2", "fa3", "fa4" }) {
        SCOPED_TRACE(algorithm);
        const auto run = test::runOf(scenario(algorithm, { 16, 32 }));
        const Trace& trace = *run.trace;
        const Comparison comparison = compared(run, run);
        for (const CommonTile& tile : comparison.common.tiles) {
            const int n = 3 - tile.keys.begin / 32; // visited from right to left
            const auto landed = trace.block(tile.b, tile.h, tile.rows.begin / 16, n);
            ASSERT_TRUE(landed && tile.cycles[0]);
            EXPECT_GE(tile.cycles[0]->end, trace.timeAt(*landed));
            EXPECT_LT(tile.cycles[0]->begin, trace.timeAt(*landed));
            const Event last = trace.eventAt(landed->value - 1);
            EXPECT_LE(tile.cycles[0]->begin, trace.beginCycle(last.instance));
        }
    }
}

// The first CTA of a pair issues the products of both; the second one's tiles have them too.
TEST(CompareRuns, TheSecondCtaOfAPairHasItsProducts)
{
    Scenario s = test::scenarioOf("fa4", 64, 32, 256, "none", { 16, 32 }, DType::Bf16);
    const auto run = test::runOf(s);
    ASSERT_TRUE(run.program->launches.front().pairs);
    const Comparison comparison = compared(run, run);
    ASSERT_EQ(comparison.common.tiles.size(), 4U);
    const auto products = std::ranges::find_if(comparison.common.places, [](const PlaceInTile& place) {
        return place.op == TileOp { OpKind::Mma, true };
    });
    ASSERT_NE(products, comparison.common.places.end());
    EXPECT_EQ(products->tiles, 4U);
    EXPECT_EQ(products->cycles[0], 0) << "S = Q Kᵀ is what each tile begins with";
}

TEST(CompareRuns, WhatAMaskLeavesOutHasNoCycles)
{
    Scenario causal = scenario("fa2", { 32, 32 });
    causal.problem.mask = { MaskKind::Causal };
    const auto a = test::runOf(scenario("fa2", { 32, 32 }));
    const auto b = test::runOf(causal);
    const Comparison comparison = compared(a, b);
    ASSERT_EQ(comparison.common.tiles.size(), 9U);
    for (const CommonTile& tile : comparison.common.tiles) {
        EXPECT_TRUE(tile.cycles[0].has_value());
        EXPECT_EQ(tile.cycles[1].has_value(), tile.keys.begin < tile.rows.end);
    }
    EXPECT_EQ(compared(b, b).common.tiles.size(), 6U) << "what neither visits is no tile";
}

TEST(CompareRuns, PhasesAreThoseOfStalls)
{
    const auto run = test::runOf(scenario("fa3", { 32, 48 }));
    const PhaseTimes phases = compared(run, run).runs[0].phases;
    Cycle exp2 = 0, ready = 0, total = 0, idle = 0;
    for (const RoleTime& role : stallsOf(run, CtaId::none()).roles) {
        for (const auto& [kind, cycles] : role.busy)
            exp2 += kind == OpKind::Exp2 ? cycles : 0;
        for (const auto& [reason, cycles] : role.waits)
            ready += reason == "S_ready" ? cycles : 0;
        total += role.total;
        idle += role.idle;
    }
    EXPECT_GT(exp2, 0);
    EXPECT_GT(ready, 0);
    EXPECT_EQ(phases.total, total);
    EXPECT_EQ(phases.idle, idle);
    Cycle sum = phases.idle;
    for (const auto& [kind, cycles] : phases.busy) {
        sum += cycles;
        EXPECT_TRUE(kind != OpKind::Exp2 || cycles == exp2);
    }
    for (const auto& [reason, cycles] : phases.waits) {
        sum += cycles;
        EXPECT_TRUE(reason != "S_ready" || cycles == ready);
    }
    EXPECT_EQ(sum, total);
}

// Four warps meet at __syncthreads: a turn takes four syncs.
TEST(CompareRuns, ATurnOfSyncthreadsIsAWaitOfEachWarp)
{
    const auto run = test::runOf(scenario("fa2", { 16, 32 }));
    const std::vector<BarrierUse> barriers = compared(run, run).runs[0].barriers;
    ASSERT_EQ(barriers.size(), 1U);
    EXPECT_EQ(barriers[0].name, "syncthreads");
    EXPECT_GT(barriers[0].turns, 0U);
    EXPECT_EQ(barriers[0].waits, 4 * barriers[0].turns);
    EXPECT_GT(barriers[0].waited, 0);
}

TEST(CompareRuns, ThePathsPartsAddUpToTheRun)
{
    const auto a = test::runOf(scenario("fa2", { 16, 32 }));
    const auto b = test::runOf(scenario("fa3", { 32, 48 }));
    const Comparison comparison = compared(a, b);
    const std::array<Cycle, 2> cycles { a.report.cycles, b.report.cycles };
    for (std::size_t k = 0; k < 2; ++k) {
        Cycle sum = 0;
        for (const PathPart& part : comparison.runs[k].path)
            sum += part.cycles;
        EXPECT_EQ(sum, cycles[k]);
        EXPECT_EQ(comparison.runs[k].pathCycles, cycles[k]);
    }
}

TEST(CompareRuns, AMoveSaysWhereTheOpBegins)
{
    const auto a = test::runOf(scenario("fa3", { 32, 48 }));
    const auto b = test::runOf(test::with(scenario("fa3", { 32, 48 }), { { "intra-overlap", "off" } }));
    const Comparison comparison = compared(a, b);
    ASSERT_FALSE(comparison.common.moves.empty());
    EXPECT_GE(comparison.common.moveCount, comparison.common.moves.size());
    Cycle before = std::abs(comparison.common.moves.front().shiftInTile());
    EXPECT_GT(before, 0) << "without the overlap the softmax comes after the product before";
    for (const Move& move : comparison.common.moves) {
        const CommonTile& tile = comparison.common.tiles[move.tile];
        for (std::size_t k = 0; k < 2; ++k) {
            EXPECT_EQ(move.inRun[k] - move.inTile[k], tile.cycles[k]->begin);
            EXPECT_LE(move.inRun[k], tile.cycles[k]->end);
        }
        EXPECT_LE(std::abs(move.shiftInTile()), before);
        before = std::abs(move.shiftInTile());
    }
    const Result<Comparison> few = compareRuns(a, b, 3);
    ASSERT_TRUE(few.ok());
    EXPECT_EQ(few->common.moves.size(), 3U);
    EXPECT_EQ(few->common.moveCount, comparison.common.moveCount);
}

// Of a grid in two steps most CTAs are known by their begin and end alone; their ops are counted all the same.
TEST(CompareRuns, AGridInTwoStepsBesideTheWhole)
{
    const Result<flashstep::Run> some = test::runOfManyTiles(RunOptions::Grid::TwoSteps);
    ASSERT_TRUE(some.ok());
    const Result<flashstep::Run> all = test::runOfManyTiles(RunOptions::Grid::Whole);
    ASSERT_TRUE(all.ok());
    const Comparison comparison = compared(*some, *all);
    EXPECT_EQ(comparison.common.tiles.size(), 4U * 8U * 8U);
    const auto known = std::ranges::count_if(
        comparison.common.tiles, [](const CommonTile& tile) { return tile.cycles[0].has_value(); });
    EXPECT_GT(known, 0);
    EXPECT_LT(known, 4 * 8 * 8);
    for (const CommonTile& tile : comparison.common.tiles)
        EXPECT_TRUE(tile.cycles[1].has_value());

    Scenario other = test::scenarioOf("fa2", 256, 128, 128, "none", { 32, 16 }, DType::Bf16);
    other.problem.heads = other.problem.kvHeads = 4;
    const auto fa2 = test::runOf(other);
    ASSERT_FALSE(compared(*all, fa2).runs[0].only.empty());
    EXPECT_EQ(compared(*some, fa2).runs[0].only, compared(*all, fa2).runs[0].only);
}

TEST(CompareRuns, DifferentSizesAreNamed)
{
    const auto problem = [](int heads, int keys) {
        Problem p;
        p.heads = heads;
        p.seqlenK = keys;
        return p;
    };
    EXPECT_TRUE(checkComparable(problem(2, 64), problem(2, 64)).ok());
    const Status heads = checkComparable(problem(2, 64), problem(4, 64));
    ASSERT_FALSE(heads.ok());
    EXPECT_NE(heads.error().what.find("heads is 2 in A and 4 in B"), std::string::npos) << heads.error().what;
    const auto a = test::runOf(scenario("fa2", { 16, 32 }, 64));
    const auto b = test::runOf(scenario("fa2", { 16, 32 }, 96));
    const Result<Comparison> comparison = compareRuns(a, b);
    ASSERT_FALSE(comparison.ok());
    EXPECT_NE(comparison.error().what.find("seqlen_q"), std::string::npos);
}

} // namespace
} // namespace flashstep
