// SPDX-License-Identifier: Apache-2.0
// Two runs side by side, whatever their tiles, masks and kernels are.
#include "core/emulation/compare_runs.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace flashstep {
namespace {

Comparison compared(const flashstep::Run& a, const flashstep::Run& b)
{
    Result<Comparison> comparison = compareRuns(a, b, 1'000'000);
    EXPECT_TRUE(comparison.ok());
    return comparison ? std::move(*comparison) : Comparison {};
}

// Which edges lists have in common, asked position by position.
TEST(CompareProperty, CommonEdgesAreThoseThatBothHave)
{
    for (const std::uint64_t seed : test::seeds(200)) {
        SCOPED_TRACE(seed);
        test::Draws draw(seed);
        const int length = draw.between(1, 700);
        const int first = draw.between(1, 96);
        const int second = draw.between(1, 96);
        const auto program = [&](int tile) {
            Program p;
            p.problem.seqlenQ = p.problem.seqlenK = length;
            p.tile = { tile, tile };
            return p;
        };
        for (const bool rows : { true, false }) {
            const auto edges = [&](int tile) { return rows ? rowEdges(program(tile), 0) : keyEdges(program(tile)); };
            std::vector<int> expected;
            for (int at = 0; at <= length; ++at)
                if (at == length || (at % first == 0 && at % second == 0))
                    expected.push_back(at);
            EXPECT_EQ(commonEdges(edges(first), edges(second)), expected) << first << ", " << second << ", " << length;
        }
    }
}

// Packed heads: each query of each head lies between two neighbouring edges of the tile that holds its row.
TEST(CompareProperty, EachQueryIsInTheTileOfItsRow)
{
    for (const std::uint64_t seed : test::seeds(200)) {
        SCOPED_TRACE(seed);
        test::Draws draw(seed);
        Program p;
        p.packed = draw.between(1, 9);
        p.problem.heads = p.packed * draw.between(1, 2);
        p.problem.seqlenQ = draw.between(1, 80);
        p.tile = { draw.between(1, 40), 16 };
        std::vector<std::set<int>> tilesBetween;
        for (int head = 0; head < p.problem.heads; ++head) {
            const std::vector<int> edges = rowEdges(p, head);
            ASSERT_EQ(edges.front(), 0);
            ASSERT_EQ(edges.back(), p.problem.seqlenQ);
            tilesBetween.assign(edges.size() - 1, {});
            for (int row = 0; row < p.headRows(); ++row)
                if (const Program::QueryRow query = p.queryRow(head / p.packed * p.packed, row); query.h == head) {
                    const auto after = std::upper_bound(edges.begin(), edges.end(), query.row);
                    tilesBetween[static_cast<std::size_t>(after - edges.begin()) - 1].insert(row / p.tile.rows);
                }
            std::set<int> all;
            for (const std::set<int>& tiles : tilesBetween) {
                EXPECT_EQ(tiles.size(), 1U);
                all.insert(tiles.begin(), tiles.end());
            }
            EXPECT_EQ(all.size(), edges.size() - 1);
        }
    }
}

// Another kernel, or the same otherwise, on the same problem.
Scenario otherThan(const Scenario& s, test::Draws& draw, const std::string& algorithm)
{
    Scenario other = test::scenarioOf(algorithm, s.problem.seqlenQ, s.problem.seqlenK, s.problem.headDim,
        draw.oneIn(3) ? "none" : s.problem.mask.text(), { draw.pick<int>({ 8, 16, 32, 48 }), 16 }, s.problem.dtype);
    other.problem.batch = s.problem.batch;
    other.problem.heads = s.problem.heads;
    other.problem.kvHeads = s.problem.kvHeads;
    other.problem.headDimV = s.problem.headDimV;
    other.record = { Record::Kind::None };
    return other;
}

void expectSound(const Comparison& comparison, const flashstep::Run& a, const flashstep::Run& b)
{
    const Problem& p = a.program->problem;
    const std::array<const flashstep::Run*, 2> runs { &a, &b };
    std::vector<int> seen(static_cast<std::size_t>(p.batch * p.heads * p.seqlenQ) * p.seqlenK, 0);
    for (const CommonTile& tile : comparison.common.tiles) {
        EXPECT_TRUE(tile.cycles[0] || tile.cycles[1]);
        for (std::size_t k = 0; k < 2; ++k)
            if (tile.cycles[k]) {
                EXPECT_GE(tile.cycles[k]->begin, 0);
                EXPECT_LT(tile.cycles[k]->begin, tile.cycles[k]->end);
                EXPECT_LE(tile.cycles[k]->end, runs[k]->report.cycles);
            }
        for (int row = tile.rows.begin; row < tile.rows.end; ++row)
            for (int key = tile.keys.begin; key < tile.keys.end; ++key)
                ++seen[(static_cast<std::size_t>(tile.b * p.heads + tile.h) * p.seqlenQ + row) * p.seqlenK + key];
    }
    EXPECT_LE(*std::ranges::max_element(seen), 1) << "cells do not overlap";
    for (int bh = 0; bh < p.batch * p.heads; ++bh) // and what a row may see lies in one
        for (int row = 0; row < p.seqlenQ; ++row) {
            const Problem::KeyRange keys = a.program->problem.visibleKeys(row);
            for (int key = keys.first; key < keys.last; ++key)
                ASSERT_EQ(seen[(static_cast<std::size_t>(bh) * p.seqlenQ + row) * p.seqlenK + key], 1)
                    << row << ", " << key;
        }
}

void expectMirrored(const Comparison& ab, const Comparison& ba)
{
    ASSERT_EQ(ab.common.tiles.size(), ba.common.tiles.size());
    for (std::size_t k = 0; k < ab.common.tiles.size(); ++k) {
        EXPECT_EQ(ab.common.tiles[k].cycles[0], ba.common.tiles[k].cycles[1]);
        EXPECT_EQ(ab.common.tiles[k].cycles[1], ba.common.tiles[k].cycles[0]);
    }
    ASSERT_EQ(ab.common.moves.size(), ba.common.moves.size());
    for (std::size_t k = 0; k < ab.common.moves.size(); ++k) {
        EXPECT_EQ(ab.common.moves[k].tile, ba.common.moves[k].tile);
        EXPECT_EQ(ab.common.moves[k].op, ba.common.moves[k].op);
        EXPECT_EQ(ab.common.moves[k].shiftInTile(), -ba.common.moves[k].shiftInTile());
        EXPECT_EQ(ab.common.moves[k].shiftInRun(), -ba.common.moves[k].shiftInRun());
    }
    EXPECT_EQ(ab.runs[0].only, ba.runs[1].only);
    EXPECT_EQ(ab.runs[1].only, ba.runs[0].only);
    EXPECT_EQ(ab.runs[0].phases.busy, ba.runs[1].phases.busy);
}

class CompareAlgorithms : public testing::TestWithParam<std::pair<const char*, const char*>> { };

TEST_P(CompareAlgorithms, CellsCoverWhatIsVisitedAndTheOrderOfTheRunsIsASign)
{
    const auto [one, other] = GetParam();
    int ran = 0;
    for (const std::uint64_t seed : test::seeds(60)) {
        test::Draws draw(seed);
        Scenario first = test::randomScenario(seed, one, { 4'000, 64, { DType::Bf16 }, 2 });
        first.record = { Record::Kind::None };
        const Scenario second = otherThan(first, draw, other);
        SCOPED_TRACE(test::describe(seed, first) + " beside " + test::describe(second));
        const Result<flashstep::Run> a = runScenario(first, std::nullopt, {});
        const Result<flashstep::Run> b = runScenario(second, std::nullopt, {});
        if (!a || !b) // what one kernel takes another may not
            continue;
        ++ran;
        const Comparison ab = compared(*a, *b);
        expectSound(ab, *a, *b);
        expectMirrored(ab, compared(*b, *a));
    }
    EXPECT_GE(ran, 12);
}

INSTANTIATE_TEST_SUITE_P(Pairs, CompareAlgorithms,
    testing::Values(std::pair("fa1", "fa2"), std::pair("fa2", "fa3"), std::pair("fa3", "fa4"), std::pair("fa4", "fa4"),
        std::pair("standard", "fa2")),
    [](const auto& each) { return std::string(each.param.first) + "_" + each.param.second; });

} // namespace
} // namespace flashstep
