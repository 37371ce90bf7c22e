// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"
#include "tests/support/replay.h"
#include "tests/support/trace_invariants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace {

using namespace flashstep;
using namespace flashstep::test;

const std::vector<const char*> algorithms { "standard", "fa1", "fa2", "fa3" };

Limits small()
{
    Limits limits;
    limits.scores = 3000;
    limits.widestHead = 64;
    limits.heads = 2;
    return limits;
}

// The number of the work that the CTA does after this one.
int nextOf(const Trace& trace, WorkId work)
{
    const auto works = trace.worksOf(trace.ctaOf(work));
    const auto at = std::find(works.begin(), works.end(), work);
    const auto first = static_cast<int>(trace.program().launchOf(trace.ctaOf(work)).firstWork);
    return at + 1 == works.end() ? -1 : static_cast<int>((at + 1)->index()) - first;
}

// From position 0 to the end, event by event; after each, what every buffer of the CTA concerned (and of the other one
// of its cluster) holds. Broken programs too: what a missing wait does to the numbers is no accident of how they are
// kept.
void expectValuesOfAReplay(const Run& run)
{
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    Replay replay(program, *run.inputs);
    for (std::uint32_t p = 1; p <= trace.end().value; ++p) {
        const Event event = trace.eventAt(p - 1);
        const WorkId work = trace.workOf(event.instance);
        if (event.ends)
            replay.apply(trace.ctaOf(work), work, trace.opOf(event.instance), nextOf(trace, work));
        for (const CtaId cta : std::set { trace.ctaOf(work), program.peerOf(trace.ctaOf(work)) })
            for (std::size_t k = 0; k < program.buffers.size(); ++k) {
                if (program.buffers[k].launch != program.works[work.index()].launch)
                    continue;
                ASSERT_TRUE(
                    sameBits(trace.value(cta, BufferId(k), Position { p }).data, replay.buffer(cta, BufferId(k))))
                    << program.buffers[k].name << " of CTA " << cta.index() << " at " << p;
            }
    }
}

TEST(Replay, FromTheStartGivesTheValuesAtEveryPosition)
{
    for (const char* algorithm : algorithms) {
        for (const std::uint64_t seed : seeds(40)) {
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

// Several works one after the other, in a cluster and alone, through rings that do not begin where they began.
TEST(Replay, GivesTheValuesOfPersistentCtasToo)
{
    for (const Scenario& s : { scenarioOf("fa3", 64, 40, 128, "none", { 8, 8 }),
             scenarioOf("fa3", 40, 40, 16, "causal", { 8, 8 }), scenarioOf("fa3", 42, 40, 16, "window:9,3", { 6, 8 }) })
        for (const char* sms : { "1", "2", "3" }) {
            const Scenario few = with(s, { { "sms", sms }, { "stages", "3" } });
            SCOPED_TRACE(describe(few));
            ASSERT_NO_FATAL_FAILURE(expectValuesOfAReplay(runOf(few)));
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

// What has become of row r of O when the n-th block has landed in all of it.
enum class Row { AsAdded, Divided, RunsAhead };
Row rowAt(const Trace& trace, WorkId work, int i, int r, int n, Position at)
{
    const Program& program = trace.program();
    const Stream& stream = trace.streamOf(work);
    Row row = Row::AsAdded;
    bool added = false;
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const Op& op = program.ops[k];
        if (op.i != i || !op.out.valid() || program.buffers[op.out.index()].name != "O" || !program.rows(op).contains(r)
            || !trace.endedAt(trace.instance(work, OpId(k)), at))
            continue;
        if (op.n > n)
            return Row::RunsAhead; // rescaled for the next block, or with it already
        added = added || (op.n == n && op.step != Op::noStep);
        if (op.kind == OpKind::Normalise && added)
            row = Row::Divided;
    }
    return row;
}

// block(i, n) of one query tile against float64 straight from the inputs: m, l, O so far; and P of the last block.
void expectValuesAtBlock(const Run& run, WorkId work, int i, int n, const std::vector<int>& soFar, double tolerance)
{
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    const Problem& p = program.problem;
    const CtaId cta = trace.ctaOf(work);
    const Work& tile = program.work(work);
    const Position at = trace.block(work, i, n).value();
    const double scale = 1 / std::sqrt(static_cast<double>(p.headDim));
    const auto value = [&](const char* name) { return trace.value(cta, program.buffer(name, tile.launch), at); };
    const TileValues O = value("O");
    const TileValues P = value("P");
    const std::vector<RowState> ledger = ledgerAt(trace, cta, at);
    ASSERT_EQ(static_cast<int>(ledger.size()), program.rowsInside(tile, i));
    int asAdded = 0;
    for (int r = 0; r < static_cast<int>(ledger.size()); ++r) {
        const RowState& row = ledger[static_cast<std::size_t>(r)];
        SCOPED_TRACE("b " + std::to_string(tile.b) + " h " + std::to_string(tile.h) + " row " + std::to_string(row.row)
            + " n " + std::to_string(n));
        ASSERT_EQ(row.row, tile.row + i * program.launches[tile.launch].queryRows + r);
        ASSERT_EQ(row.b, tile.b);
        ASSERT_EQ(row.h, tile.h);
        ASSERT_EQ(row.blocks, n);
        const RowSoFar exact = rowSoFar(p, *run.inputs, tile.b, tile.h, row.row, soFar, program.tile.keys);
        double frame = 1; // what O has been multiplied with beside exp(-m)
        if (exact.l == 0) {
            ASSERT_EQ(row.m, exact.m);
            ASSERT_EQ(row.l, 0);
        } else {
            ASSERT_NEAR(row.m, exact.m, tolerance);
            ASSERT_NEAR(row.mUsed + std::log(row.l), exact.m + std::log(exact.l), tolerance);
            frame = std::exp(exact.m - row.mUsed);
            ASSERT_NEAR(row.l, exact.l * frame, tolerance * exact.l);
        }
        const Row state = rowAt(trace, work, i, r, n, at);
        if (state == Row::Divided && exact.l > 0)
            frame = 1 / exact.l;
        asAdded += state == Row::RunsAhead ? 0 : 1;
        for (int d = 0; d < p.headDimV && state != Row::RunsAhead; ++d)
            ASSERT_NEAR(O.at(r, d), frame * exact.o[static_cast<std::size_t>(d)], tolerance * std::max(1.0, exact.l))
                << "O column " << d;
        // P of the tile may be overwritten by what runs ahead; at its last block nothing does, but in a sweep.
        if (program.algorithm == "fa1" || trace.block(work, i, n + 1))
            continue;
        for (int k = 0; k < program.tile.keys; ++k) {
            const int key = soFar.back() * program.tile.keys + k;
            const bool seen = key < p.seqlenK && p.visible(row.row, key);
            double score = 0;
            for (std::size_t d = 0; seen && d < static_cast<std::size_t>(p.headDim); ++d)
                score += static_cast<double>(run.inputs->q.row(tile.b, tile.h, row.row)[d])
                    * static_cast<double>(run.inputs->k.row(tile.b, p.kvHeadOf(tile.h), key)[d]);
            ASSERT_NEAR(P.at(r, k), seen ? std::exp(score * scale - exact.m) : 0, tolerance) << "P column " << k;
        }
    }
    ASSERT_TRUE(asAdded > 0 || program.rowsInside(tile, i) < program.launches[tile.launch].queryRows)
        << "the last part has only just landed";
}

void expectValuesAtEveryBlock(const Run& run, double tolerance)
{
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    const Problem& p = program.problem;
    for (int b = 0; b < p.batch; ++b)
        for (int h = 0; h < p.heads; ++h)
            for (int tile = 0; tile < program.queryTiles(); ++tile) {
                const WorkId work = trace.workOfTile(b, h, tile);
                const int i = tile - program.work(work).i;
                std::vector<int> visited = visitedKeyBlocks(p, program.tile, tile);
                if (program.algorithm == "fa1") // from left to right
                    std::ranges::reverse(visited);
                const int count = static_cast<int>(visited.size());
                ASSERT_FALSE(trace.block(work, i, 0) || trace.block(work, i, count + 1));
                Position before { 0 };
                for (int n = 1; n <= count; ++n) {
                    const Position at = trace.block(b, h, tile, n).value();
                    ASSERT_LT(before, at);
                    before = at;
                    const std::vector<int> soFar(visited.begin(), visited.begin() + n);
                    ASSERT_NO_FATAL_FAILURE(expectValuesAtBlock(run, work, i, n, soFar, tolerance));
                }
            }
}

class BlocksOf : public testing::TestWithParam<const char*> { };
INSTANTIATE_TEST_SUITE_P(Algorithms, BlocksOf, testing::Values("fa1", "fa2", "fa3"));

TEST_P(BlocksOf, HoldTheValuesThatAnIndependentRecomputationGives)
{
    Limits limits = small();
    limits.dtypes = { DType::Fp32 };
    for (const std::uint64_t seed : seeds(60)) {
        Scenario s = randomScenario(seed, GetParam(), limits);
        if (s.algorithm == "fa2")
            s.knobs.clear(); // O of warps that split the keys is together only at the end
        SCOPED_TRACE(describe(seed, s));
        ASSERT_NO_FATAL_FAILURE(expectValuesAtEveryBlock(runOf(s), 1e-5));
    }
}

TEST_P(BlocksOf, HoldThemOnRisingScoresWhereEveryBlockRescales)
{
    for (const Init init : { Init::RisingLeft, Init::RisingRight }) {
        Scenario s = scenarioOf(GetParam(), 24, 56, 32, "causal", { 8, 8 });
        s.problem.init = init;
        ASSERT_NO_FATAL_FAILURE(expectValuesAtEveryBlock(runOf(s), 5e-5));
    }
}

TEST_P(BlocksOf, HoldThemInBf16UpToItsRounding)
{
    ASSERT_NO_FATAL_FAILURE(
        expectValuesAtEveryBlock(runOf(scenarioOf(GetParam(), 24, 56, 32, "causal", { 8, 8 }, DType::Bf16)), 0x1p-7));
}

// At any position, whatever has just happened: the reference and the sum are the log-sum-exp of the blocks so far.
TEST_P(BlocksOf, HoldTheLogSumExpSoFarAtEveryPosition)
{
    for (const std::uint64_t seed : seeds(20)) {
        Limits limits = small();
        limits.dtypes = { DType::Fp32 };
        limits.scores = 1500;
        Scenario s = randomScenario(seed, GetParam(), limits);
        std::erase_if(s.knobs, [](const auto& knob) { return knob.first == "warp-split"; }); // see below
        SCOPED_TRACE(describe(seed, s));
        const auto run = runOf(s);
        const Program& program = *run.program;
        for (std::uint32_t p = 1; p <= run.trace->end().value; ++p) {
            const CtaId cta = run.trace->ctaOf(run.trace->eventAt(p - 1).instance);
            for (const RowState& row : ledgerAt(*run.trace, cta, Position { p })) {
                std::vector<int> visited = visitedKeyBlocks(program.problem, program.tile, row.row / program.tile.rows);
                if (program.algorithm == "fa1")
                    std::ranges::reverse(visited);
                visited.resize(static_cast<std::size_t>(row.blocks));
                const RowSoFar exact
                    = rowSoFar(program.problem, *run.inputs, row.b, row.h, row.row, visited, program.tile.keys);
                SCOPED_TRACE("row " + std::to_string(row.row) + " position " + std::to_string(p));
                if (exact.l == 0) {
                    ASSERT_EQ(row.l, 0);
                } else {
                    ASSERT_NEAR(row.mUsed + std::log(row.l), exact.m + std::log(exact.l), 2e-5);
                    ASSERT_GE(row.m, exact.m - 1e-5);
                }
            }
        }
    }
}

// Where the warps split the keys each has its own part of l, and they belong together when a block has landed in all.
TEST(Blocks, HoldTheLogSumExpWhereTheWarpsSplitTheKeys)
{
    const auto run = runOf(with(scenarioOf("fa2", 24, 40, 16, "causal", { 8, 8 }), { { "warp-split", "k" } }));
    const Program& program = *run.program;
    for (int i = 0; i < 3; ++i) {
        const std::vector<int> visited = visitedKeyBlocks(program.problem, program.tile, i);
        for (std::size_t n = 1; n <= visited.size(); ++n) {
            const std::vector<int> soFar(visited.begin(), visited.begin() + static_cast<std::ptrdiff_t>(n));
            const Position at = run.trace->block(0, 0, i, static_cast<int>(n)).value();
            const auto ledger = ledgerAt(*run.trace, run.trace->ctaOfTile(0, 0, i), at);
            ASSERT_EQ(ledger.size(), 8U);
            for (const RowState& row : ledger) {
                const RowSoFar exact = rowSoFar(program.problem, *run.inputs, 0, 0, row.row, soFar, program.tile.keys);
                EXPECT_EQ(row.blocks, static_cast<int>(n));
                EXPECT_NEAR(row.m, exact.m, 1e-5);
                EXPECT_NEAR(row.mUsed + std::log(row.l), exact.m + std::log(exact.l), 1e-5);
            }
        }
    }
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
