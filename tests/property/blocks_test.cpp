// SPDX-License-Identifier: Apache-2.0
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

Limits small()
{
    Limits limits;
    limits.scores = 3000;
    limits.widestHead = 64;
    limits.heads = 2;
    return limits;
}

// What has become of row r of O when the n-th block has landed in all of it.
enum class Row { AsAdded, Divided, RunsAhead };
Row rowAt(const Trace& trace, WorkId work, int i, int r, int n, Position at)
{
    const Program& program = trace.program();
    Row row = Row::AsAdded;
    bool added = false;
    for (const WorkId by : std::set { work, trace.productsOf(work) }) { // a pair's products are the first CTA's
        const Stream& stream = trace.streamOf(by);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const Op& op = program.ops[k];
            if (op.i != i || !op.out.valid() || program.buffers[op.out.index()].family != "O"
                || !program.rows(op).contains(r) || (by != work && op.kind != OpKind::Mma)
                || !trace.endedAt(trace.instance(by, OpId(k)), at))
                continue;
            if (op.n > n)
                return Row::RunsAhead; // rescaled for the next block, or with it already
            added = added || (op.n == n && op.step != Op::noStep);
            if (op.kind == OpKind::Normalise && added)
                row = Row::Divided;
        }
    }
    return row;
}

// A row beyond the sequence has a query of zeros.
double blockMaximum(const Run& run, int b, int h, int row, int j)
{
    const Problem& p = run.program->problem;
    const int keys = run.program->tile.keys;
    if (row < p.seqlenQ)
        return rowSoFar(p, *run.inputs, b, h, row, { j }, keys).m;
    for (int key = j * keys; key < std::min((j + 1) * keys, p.seqlenK); ++key)
        if (p.visible(row, key))
            return 0;
    return -std::numeric_limits<double>::infinity();
}

// The references of one row, block by block, from its scores alone.
struct References {
    double m = 0, before = 0; // with which the last block is added, and the one before
    bool moved = true; // else it stays
    bool close = false; // within rounding of the threshold: either may be right
};
References referencesOf(const Run& run, int b, int h, int row, const std::vector<int>& soFar)
{
    const Program& program = *run.program;
    const double minusInf = -std::numeric_limits<double>::infinity();
    References r { minusInf, minusInf };
    double most = minusInf;
    for (const int j : soFar) {
        most = std::max(most, blockMaximum(run, b, h, row, j));
        r.before = r.m;
        const double growth = (most - r.before) * 1.4426950408889634; // NaN where nothing was seen, which stays nowhere
        const auto threshold = static_cast<double>(program.softmax.threshold);
        r.moved = !program.softmax.conditional || !(growth <= threshold);
        r.close = r.close || (program.softmax.conditional && std::abs(growth - threshold) < 1e-4);
        r.m = r.moved ? most : r.before;
    }
    return r;
}

// What the ledger and the votes say of a reference that may stay.
void expectReference(const RowState& row, const References& expected, int n, double tolerance)
{
    const auto expectSame = [&](double actual, double wanted) {
        if (std::isinf(wanted)) {
            ASSERT_EQ(actual, wanted);
        } else {
            ASSERT_NEAR(actual, wanted, tolerance);
        }
    };
    ASSERT_NO_FATAL_FAILURE(expectSame(row.mUsed, expected.m));
    ASSERT_NO_FATAL_FAILURE(expectSame(row.referenceBefore, expected.before));
    ASSERT_EQ(row.decision, n == 1 ? "first" : expected.moved ? "rescale" : "skip");
    const double scale = n == 1 || !expected.moved ? 1 : std::exp(expected.before - std::max(expected.m, -1e300));
    ASSERT_NEAR(row.scale, scale, tolerance);
}

// Of the rescale for block n of query tile i: each row decides, a warp multiplies when one of its rows does, be it one
// beyond the sequence. Neither such rows nor warps of nothing else count.
void expectVote(const Run& run, WorkId work, int i, int n, const std::vector<int>& soFar)
{
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    const Work& tile = program.work(work);
    const int rows = program.launches[tile.launch].queryRows;
    Vote expected;
    for (int warp = 0; warp < 4 && warp * rows / 4 < program.rowsInside(tile, i); ++warp) {
        bool any = false;
        for (int r = warp * rows / 4; r < (warp + 1) * rows / 4; ++r) {
            const int inHead = tile.row + i * rows + r;
            const References references
                = referencesOf(run, tile.b, tile.h + inHead % program.packed, inHead / program.packed, soFar);
            if (references.close)
                return;
            any = any || references.moved;
            if (r < program.rowsInside(tile, i))
                ++(references.moved ? expected.rowsDone : expected.rowsSkipped);
        }
        ++(any ? expected.warpsDone : expected.warpsSkipped);
    }
    const Stream& stream = trace.streamOf(work);
    int votes = 0;
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const Op& op = program.ops[k];
        if (op.kind != OpKind::Rescale || !op.conditional || op.i != i || op.n != n)
            continue;
        const Vote vote = trace.voteOf(trace.instance(work, OpId(k))).value();
        ASSERT_EQ(vote.rowsDone, expected.rowsDone);
        ASSERT_EQ(vote.rowsSkipped, expected.rowsSkipped);
        ASSERT_EQ(vote.warpsDone, expected.warpsDone);
        ASSERT_EQ(vote.warpsSkipped, expected.warpsSkipped);
        ++votes;
    }
    ASSERT_EQ(votes, n > 1 ? 1 : 0);
}

// The ledger's rows of one query tile: elsewhere in the CTA others may be at work.
std::vector<RowState> ledgerOfTile(const Trace& trace, WorkId work, int i, Position at)
{
    const Program& program = trace.program();
    const Work& tile = program.work(work);
    std::vector<RowState> ledger = ledgerAt(trace, trace.ctaOf(work), at);
    const int rows = program.launches[tile.launch].queryRows;
    std::erase_if(ledger, [&](const RowState& row) {
        const int r = row.row * program.packed + row.h - tile.h - tile.row - i * rows;
        return row.b != tile.b || row.h < tile.h || row.h >= tile.h + program.packed || r < 0 || r >= rows;
    });
    return ledger;
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
    const auto value = [&](const char* name) { return trace.value(cta, program.bufferOf(name, tile.launch, i), at); };
    const TileValues O = value("O");
    const TileValues P = value("P");
    const std::vector<RowState> ledger = ledgerOfTile(trace, work, i, at);
    ASSERT_EQ(static_cast<int>(ledger.size()), program.rowsInside(tile, i));
    int asAdded = 0;
    for (int r = 0; r < static_cast<int>(ledger.size()); ++r) {
        const RowState& row = ledger[static_cast<std::size_t>(r)];
        const int inHead = tile.row + i * program.launches[tile.launch].queryRows + r;
        const int h = tile.h + inHead % program.packed;
        SCOPED_TRACE("b " + std::to_string(tile.b) + " h " + std::to_string(h) + " row " + std::to_string(row.row)
            + " n " + std::to_string(n));
        ASSERT_EQ(row.row, inHead / program.packed);
        ASSERT_EQ(row.b, tile.b);
        ASSERT_EQ(row.h, h);
        ASSERT_EQ(row.blocks, n);
        const RowSoFar exact = rowSoFar(p, *run.inputs, tile.b, h, row.row, soFar, program.tile.keys);
        double frame = 1; // what O has been multiplied with beside exp(-m)
        if (exact.l == 0) {
            ASSERT_EQ(row.m, exact.m);
            ASSERT_EQ(row.l, 0);
        } else {
            ASSERT_NEAR(row.m, exact.m, tolerance);
            ASSERT_NEAR(row.mUsed + std::log(row.l), exact.m + std::log(exact.l), tolerance);
            frame = std::exp(exact.m - row.mUsed);
            ASSERT_NEAR(row.l, exact.l * frame, tolerance * exact.l * std::max(1.0, frame));
        }
        if (program.softmax.conditional) {
            const References expected = referencesOf(run, tile.b, h, row.row, soFar);
            if (!expected.close) {
                ASSERT_NO_FATAL_FAILURE(expectReference(row, expected, n, tolerance));
            }
        }
        const Row state = rowAt(trace, work, i, r, n, at);
        if (state == Row::Divided && exact.l > 0)
            frame = 1 / exact.l;
        asAdded += state == Row::RunsAhead ? 0 : 1;
        for (int d = 0; d < p.headDimV && state != Row::RunsAhead; ++d)
            ASSERT_NEAR(O.at(r, d), frame * exact.o[static_cast<std::size_t>(d)],
                tolerance * std::max(1.0, exact.l * std::max(1.0, frame)))
                << "O column " << d;
        // P of the tile may be overwritten by what runs ahead; at its last block nothing does, but in a sweep.
        if (program.algorithm == "fa1" || trace.block(work, i, n + 1))
            continue;
        for (int k = 0; k < program.tile.keys; ++k) {
            const int key = soFar.back() * program.tile.keys + k;
            const bool seen = key < p.seqlenK && p.visible(row.row, key);
            double score = 0;
            for (std::size_t d = 0; seen && d < static_cast<std::size_t>(p.headDim); ++d)
                score += static_cast<double>(run.inputs->q.row(tile.b, h, row.row)[d])
                    * static_cast<double>(run.inputs->k.row(tile.b, p.kvHeadOf(h), key)[d]);
            const double reference = program.softmax.conditional ? row.mUsed : exact.m;
            const double expected = seen ? std::exp(score * scale - reference) : 0;
            ASSERT_NEAR(P.at(r, k), expected, tolerance * std::max(1.0, expected)) << "P column " << k;
        }
    }
    ASSERT_TRUE(asAdded > 0 || program.rowsInside(tile, i) < program.launches[tile.launch].queryRows)
        << "the last part has only just landed";
    if (program.softmax.conditional) {
        ASSERT_NO_FATAL_FAILURE(expectVote(run, work, i, n, soFar));
    }
}

void expectValuesAtEveryBlock(const Run& run, double tolerance)
{
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    const Problem& p = program.problem;
    for (int b = 0; b < p.batch; ++b)
        for (int h = 0; h < p.heads; h += program.packed)
            for (int tile = 0; tile < program.queryTiles(); ++tile) {
                const WorkId work = trace.workOfTile(b, h, tile);
                const int i = tile - program.work(work).i;
                const std::vector<int> visited = visitedKeyBlocks(program, tile);
                const int count = static_cast<int>(visited.size());
                ASSERT_FALSE(trace.block(work, i, 0) || trace.block(work, i, count + 1));
                Position before { 0 };
                for (int n = 1; n <= count; ++n) {
                    const Position at = trace.block(b, h, tile, n).value();
                    ASSERT_LT(before, at);
                    before = at;
                    const std::vector<int> soFar(visited.begin(), visited.begin() + n);
                    SCOPED_TRACE("tile " + std::to_string(tile));
                    ASSERT_NO_FATAL_FAILURE(expectValuesAtBlock(run, work, i, n, soFar, tolerance));
                }
            }
}

// A polynomial's exponentials are not as near as the unit's.
double toleranceOf(const Run& run, double otherwise)
{
    return run.program->softmax.emulated.empty() ? otherwise : std::max(2e-4, otherwise);
}

Scenario withoutPolynomial(Scenario s)
{
    if (s.algorithm != "fa4")
        return s;
    std::erase_if(s.knobs, [](const auto& knob) { return knob.first == "exp2-emulation"; });
    return with(std::move(s), { { "exp2-emulation", "off" } });
}

class BlocksOf : public testing::TestWithParam<const char*> { };
INSTANTIATE_TEST_SUITE_P(Algorithms, BlocksOf, testing::Values("fa1", "fa2", "fa3", "fa4"));

TEST_P(BlocksOf, HoldTheValuesThatAnIndependentRecomputationGives)
{
    Limits limits = small();
    limits.dtypes = { DType::Fp32 };
    for (const std::uint64_t seed : seeds(60)) {
        Scenario s = randomScenario(seed, GetParam(), limits);
        if (s.algorithm == "fa2")
            s.knobs.clear(); // O of warps that split the keys is together only at the end
        if (seed % 2 == 0)
            s = withoutPolynomial(std::move(s));
        SCOPED_TRACE(describe(seed, s));
        const auto run = runOf(s);
        ASSERT_NO_FATAL_FAILURE(expectValuesAtEveryBlock(run, toleranceOf(run, 1e-5)));
    }
}

TEST_P(BlocksOf, HoldThemOnRisingScoresWhereEveryBlockRescales)
{
    for (const Init init : { Init::RisingLeft, Init::RisingRight }) {
        Scenario s = scenarioOf(GetParam(), 24, 56, 32, "causal", { 8, 8 });
        s.problem.init = init;
        const auto run = runOf(s);
        ASSERT_NO_FATAL_FAILURE(expectValuesAtEveryBlock(run, toleranceOf(run, 5e-5)));
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
        if (seed % 2 == 0)
            s = withoutPolynomial(std::move(s));
        SCOPED_TRACE(describe(seed, s));
        const auto run = runOf(s);
        const Program& program = *run.program;
        for (std::uint32_t p = 1; p <= run.trace->end().value; ++p) {
            const CtaId cta = run.trace->ctaOf(run.trace->eventAt(p - 1).instance);
            for (const RowState& row : ledgerAt(*run.trace, cta, Position { p })) {
                const int inHead = row.row * program.packed + row.h % program.packed;
                std::vector<int> visited = visitedKeyBlocks(program, inHead / program.tile.rows);
                visited.resize(static_cast<std::size_t>(row.blocks));
                const RowSoFar exact
                    = rowSoFar(program.problem, *run.inputs, row.b, row.h, row.row, visited, program.tile.keys);
                SCOPED_TRACE("row " + std::to_string(row.row) + " position " + std::to_string(p));
                if (exact.l == 0) {
                    ASSERT_EQ(row.l, 0);
                } else {
                    ASSERT_NEAR(row.mUsed + std::log(row.l), exact.m + std::log(exact.l), toleranceOf(run, 2e-5));
                    ASSERT_GE(row.m, exact.m - 1e-5);
                }
            }
        }
    }
}

// Pairs of CTAs, several works one after the other, and heads packed together: each tile's own statistics, whatever the
// other tile of its CTA is at.
TEST(Blocks, HoldTheValuesOfPairsAndOfPersistentCtas)
{
    Scenario packed = scenarioOf("fa4", 20, 40, 16, "causal", { 8, 8 });
    packed.problem.heads = 4;
    packed.problem.kvHeads = 2;
    Scenario heads = scenarioOf("fa4", 40, 40, 16, "none", { 8, 8 });
    heads.problem.heads = heads.problem.kvHeads = 3;
    for (const Scenario& s : { packed, heads, with(heads, { { "two-cta", "on" } }),
             scenarioOf("fa4", 70, 40, 128, "none", { 8, 8 }), scenarioOf("fa4", 70, 30, 16, "window:9,3", { 8, 8 }) })
        for (const char* sms : { "2", "3", "4" })
            for (const char* threshold : { "0", "1", "8" }) {
                const Scenario few = with(withoutPolynomial(s), { { "sms", sms }, { "rescale-threshold", threshold } });
                SCOPED_TRACE(describe(few));
                ASSERT_NO_FATAL_FAILURE(expectValuesAtEveryBlock(runOf(few), 1e-5));
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
