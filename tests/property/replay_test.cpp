// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"
#include "tests/support/replay.h"
#include "tests/support/trace_invariants.h"

#include <gtest/gtest.h>

#include <cmath>

namespace {

using namespace flashstep;
using namespace flashstep::test;

const std::vector<const char*> algorithms { "standard", "fa2" };

Limits small()
{
    Limits limits;
    limits.scores = 3000;
    limits.widestHead = 64;
    limits.heads = 2;
    return limits;
}

// From position 0 to the end, event by event; after each, what every buffer of the CTA concerned holds. Broken programs
// too: what a missing wait does to the numbers is no accident of how they are kept.
void expectValuesOfAReplay(const Run& run)
{
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    Replay replay(program, *run.inputs);
    for (std::uint32_t p = 1; p <= trace.end().value; ++p) {
        const Event event = trace.eventAt(p - 1);
        const CtaId cta = trace.ctaOf(event.instance);
        if (event.ends)
            replay.apply(cta, trace.workOf(event.instance), trace.opOf(event.instance));
        for (std::size_t k = 0; k < program.buffers.size(); ++k) {
            if (program.buffers[k].launch != program.works[cta.index()].launch)
                continue;
            ASSERT_TRUE(sameBits(trace.value(cta, BufferId(k), Position { p }).data, replay.buffer(cta, BufferId(k))))
                << program.buffers[k].name << " of CTA " << cta.index() << " at " << p;
        }
    }
}

TEST(Replay, FromTheStartGivesTheValuesAtEveryPosition)
{
    for (const char* algorithm : algorithms) {
        for (const std::uint64_t seed : seeds(60)) {
            const Scenario s = randomScenario(seed, algorithm, small());
            SCOPED_TRACE(describe(seed, s));
            ASSERT_NO_FATAL_FAILURE(expectValuesOfAReplay(runOf(s)));
        }
    }
}

// More than 64 writes of one buffer, so that keyframes are read.
TEST(Replay, GivesTheValuesOfLongRunsToo)
{
    const auto run = runOf(scenarioOf("fa2", 8, 8 * 40, 16, "none", { 8, 8 }));
    EXPECT_GE(run.trace->versionCount(CtaId(0), run.program->buffer("P", 0)), 200U);
    ASSERT_NO_FATAL_FAILURE(expectValuesOfAReplay(run));
}

TEST(Replay, GivesTheValuesOfBrokenProgramsToo)
{
    for (const char* spec : { "wait:K_landed", "wait:V_visible", "count:syncthreads=64", "rescale:skip" }) {
        Scenario s = scenarioOf("fa2", 16, 40, 16, "causal", { 8, 8 });
        s.breaks = { spec };
        SCOPED_TRACE(describe(s));
        ASSERT_NO_FATAL_FAILURE(expectValuesOfAReplay(runOf(s)));
    }
}

// Values are kept by CTA: an event of another CTA changes nothing.
TEST(Replay, AnEventOfAnotherCtaChangesNothing)
{
    const auto run = runOf(scenarioOf("fa2", 16, 16, 8, "causal", { 8, 8 }));
    const Trace& trace = *run.trace;
    for (std::uint32_t p = 1; p <= trace.end().value; ++p) {
        const CtaId other(1 - trace.ctaOf(trace.eventAt(p - 1).instance).index());
        for (std::size_t k = 0; k < run.program->buffers.size(); ++k)
            ASSERT_TRUE(sameBits(trace.value(other, BufferId(k), Position { p }).data,
                trace.value(other, BufferId(k), Position { p - 1 }).data));
    }
}

// block(i, n) against float64 straight from the inputs: m, l, O so far; and S and P of the block itself.
void expectValuesAtEveryBlock(const Run& run, double tolerance)
{
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    const Problem& p = program.problem;
    const int launch = static_cast<int>(program.launches.size()) - 1;
    const auto buffer = [&](const char* bufferName) { return program.buffer(bufferName, launch); };
    const double scale = 1 / std::sqrt(static_cast<double>(p.headDim));
    for (int b = 0; b < p.batch; ++b)
        for (int h = 0; h < p.heads; ++h)
            for (int i = 0; i < program.queryTiles(); ++i) {
                const CtaId cta = trace.ctaOfTile(b, h, i);
                const std::vector<int> visited = visitedKeyBlocks(p, program.tile, i);
                ASSERT_EQ(
                    static_cast<std::size_t>(program.streamOf(WorkId(cta.index())).visitedBlocks), visited.size());
                ASSERT_FALSE(trace.block(WorkId(cta.index()), 0, 0)
                    || trace.block(WorkId(cta.index()), 0, static_cast<int>(visited.size()) + 1));
                Position before { 0 };
                for (std::size_t n = 1; n <= visited.size(); ++n) {
                    const Position at = trace.block(WorkId(cta.index()), 0, static_cast<int>(n)).value();
                    ASSERT_LT(before, at);
                    before = at;
                    const std::vector<int> soFar(visited.begin(), visited.begin() + static_cast<std::ptrdiff_t>(n));
                    const TileValues O = trace.value(cta, buffer("O"), at);
                    const TileValues S = trace.value(cta, buffer("S"), at);
                    const TileValues P = trace.value(cta, buffer("P"), at);
                    const std::vector<RowState> ledger = ledgerAt(trace, cta, at);
                    ASSERT_EQ(static_cast<int>(ledger.size()), program.rowsInside(program.works[cta.index()]));
                    for (int r = 0; r < static_cast<int>(ledger.size()); ++r) {
                        const RowState& row = ledger[static_cast<std::size_t>(r)];
                        SCOPED_TRACE("b " + std::to_string(b) + " h " + std::to_string(h) + " row "
                            + std::to_string(row.row) + " n " + std::to_string(n));
                        ASSERT_EQ(row.row, i * program.tile.rows + r);
                        ASSERT_EQ(row.b, b);
                        ASSERT_EQ(row.h, h);
                        ASSERT_EQ(row.blocks, static_cast<int>(n));
                        const RowSoFar exact = rowSoFar(p, *run.inputs, b, h, row.row, soFar, program.tile.keys);
                        if (exact.l == 0) {
                            ASSERT_EQ(row.m, exact.m);
                            ASSERT_EQ(row.l, 0);
                        } else {
                            ASSERT_NEAR(row.m, exact.m, tolerance);
                            ASSERT_NEAR(row.l, exact.l, tolerance * exact.l);
                            ASSERT_NEAR(row.mUsed + std::log(row.l), exact.m + std::log(exact.l), tolerance);
                        }
                        for (int d = 0; d < p.headDimV; ++d)
                            ASSERT_NEAR(
                                O.at(r, d), exact.o[static_cast<std::size_t>(d)], tolerance * std::max(1.0, exact.l))
                                << "O column " << d;
                        for (int k = 0; k < program.tile.keys;
                             ++k) { // S and P may run ahead; at the last block nothing does
                            const int key = visited.back() * program.tile.keys + k;
                            if (n != visited.size())
                                break;
                            const bool seen = key < p.seqlenK && p.visible(row.row, key);
                            double score = 0;
                            for (std::size_t d = 0; seen && d < static_cast<std::size_t>(p.headDim); ++d)
                                score += static_cast<double>(run.inputs->q.row(b, h, row.row)[d])
                                    * static_cast<double>(run.inputs->k.row(b, p.kvHeadOf(h), key)[d]);
                            if (seen) {
                                ASSERT_NEAR(S.at(r, k) * scale, score * scale, tolerance) << "S column " << k;
                            }
                            ASSERT_NEAR(P.at(r, k), seen ? std::exp(score * scale - exact.m) : 0, tolerance)
                                << "P column " << k;
                        }
                    }
                }
            }
}

TEST(Blocks, HoldTheValuesThatAnIndependentRecomputationGives)
{
    Limits limits = small();
    limits.dtypes = { DType::Fp32 };
    for (const std::uint64_t seed : seeds(120)) {
        const Scenario s = randomScenario(seed, "fa2", limits);
        SCOPED_TRACE(describe(seed, s));
        ASSERT_NO_FATAL_FAILURE(expectValuesAtEveryBlock(runOf(s), 1e-5));
    }
}

TEST(Blocks, HoldThemOnRisingScoresWhereEveryBlockRescales)
{
    for (const Init init : { Init::RisingLeft, Init::RisingRight }) {
        Scenario s = scenarioOf("fa2", 24, 56, 32, "causal", { 8, 8 });
        s.problem.init = init;
        ASSERT_NO_FATAL_FAILURE(expectValuesAtEveryBlock(runOf(s), 5e-5));
    }
}

TEST(Blocks, HoldThemInBf16UpToItsRounding)
{
    ASSERT_NO_FATAL_FAILURE(
        expectValuesAtEveryBlock(runOf(scenarioOf("fa2", 24, 56, 32, "causal", { 8, 8 }, DType::Bf16)), 0x1p-7));
}

// The last block's statistics are those the run ends with.
TEST(Blocks, EndWithTheOutput)
{
    const auto run = runOf(scenarioOf("fa2", 24, 24, 16, "none", { 8, 8 }));
    for (int i = 0; i < 3; ++i) {
        const CtaId cta = run.trace->ctaOfTile(0, 0, i);
        const Position last = run.trace->block(WorkId(cta.index()), 0, 3).value();
        const TileValues O = run.trace->value(cta, run.program->buffer("O", 0), last);
        for (const RowState& row : ledgerAt(*run.trace, cta, last)) {
            EXPECT_NEAR(row.mUsed + std::log(row.l), run.lse.row(0, 0, row.row)[0], 1e-6);
            for (int d = 0; d < 16; ++d)
                EXPECT_NEAR(
                    O.at(row.row - 8 * i, d) / row.l, run.o.row(0, 0, row.row)[static_cast<std::size_t>(d)], 1e-6);
        }
    }
}

} // namespace
