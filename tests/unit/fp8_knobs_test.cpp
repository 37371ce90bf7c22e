// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/reference.h"
#include "core/trace/state.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace {

using namespace flashstep;
using namespace flashstep::test;

using Knobs = std::vector<std::pair<std::string, std::string>>;

Scenario fp8Scenario(const std::string& algorithm, int seqlenQ, int seqlenK, int dim, const std::string& mask,
    TileSize tile, const Knobs& knobs = {})
{
    Scenario s = with(scenarioOf(algorithm, seqlenQ, seqlenK, dim, mask, tile, DType::E4m3), knobs);
    s.gpu = "h100";
    return s;
}

// The inputs before they become e4m3.
Inputs exactInputs(const Problem& problem)
{
    Problem exact = problem;
    exact.dtype = DType::Fp32;
    return generateInputs(exact);
}

// RMS distance of O, in rows [0, rows) of every head, from the float64 attention of `inputs`.
double rmsFrom(const flashstep::Run& run, const Inputs& inputs, int rows)
{
    const Problem& p = run.program->problem;
    double squares = 0;
    std::vector<double> o(static_cast<std::size_t>(rows) * static_cast<std::size_t>(p.headDimV));
    std::vector<double> lse(static_cast<std::size_t>(rows));
    for (int b = 0; b < p.batch; ++b)
        for (int h = 0; h < p.heads; ++h) {
            ReferenceHead head { inputs.q.row(b, h, 0).data(), inputs.k.row(b, p.kvHeadOf(h), 0).data(),
                inputs.v.row(b, p.kvHeadOf(h), 0).data(), p.headDim, p.headDimV, p.softmaxScale(), [&](int row) {
                    const Problem::KeyRange keys = p.visibleKeys(row);
                    return std::pair(keys.first, keys.last);
                } };
            referenceForward(head, 0, rows, o.data(), lse.data());
            for (int r = 0; r < rows; ++r)
                for (int d = 0; d < p.headDimV; ++d) {
                    const double e = static_cast<double>(run.o.row(b, h, r)[static_cast<std::size_t>(d)])
                        - o[static_cast<std::size_t>(r * p.headDimV + d)];
                    squares += e * e;
                }
        }
    return std::sqrt(squares / (static_cast<double>(o.size()) * p.batch * p.heads));
}

double rmsOf(const Scenario& s, const Inputs& inputs, int rows)
{
    return rmsFrom(runOf(s, inputs), inputs, rows);
}

// Raised by 8, P reaches up to 256; by 9 it would be 512, which e4m3 has not.
TEST(Fp8Knobs, AnOffsetOf9ClipsP)
{
    const auto at = [](const char* offset) {
        return runOf(fp8Scenario("fa3", 128, 512, 64, "none", { 64, 64 }, { { "fp8-offset", offset } })).report;
    };
    const Report eight = at("8");
    const Report nine = at("9");
    const Report twelve = at("12");
    const Report zero = at("0");
    EXPECT_EQ(eight.pClipped, 0U);
    EXPECT_EQ(zero.pClipped, 0U);
    EXPECT_GE(nine.pClipped, 128U) << "a row's largest is 512, once at least";
    EXPECT_GT(twelve.pClipped, 2 * nine.pClipped);
    EXPECT_GT(*nine.rmsError, 1.2 * *eight.rmsError);
    EXPECT_GT(*twelve.rmsError, 3 * *nine.rmsError);
    for (const Report& report : { eight, nine, twelve, zero }) {
        EXPECT_LE(*report.maxAbsErrorLse, 1e-5) << "the sum is taken before anything is clipped";
        EXPECT_LE(*report.maxAbsError, *report.errorBound);
    }
}

// One key outweighs each of the thousand others by e^7, and all of them together by nothing: unraised, they fall below
// half of the smallest step of e4m3 and are lost.
TEST(Fp8Knobs, WithoutAnOffsetManySmallWeightsAreLost)
{
    const Scenario with8 = fp8Scenario("fa3", 16, 1024, 64, "none", { 16, 64 });
    const Scenario with0 = with(with8, { { "fp8-offset", "0" } });
    Inputs inputs = exactInputs(with8.problem);
    std::ranges::fill(inputs.q.data, 0.0F);
    std::ranges::fill(inputs.k.data, 0.0F);
    std::ranges::fill(inputs.v.data, 1.0F);
    for (int n = 0; n < 16; ++n)
        inputs.q.row(0, 0, n)[0] = 8;
    inputs.k.row(0, 0, 1000)[0] = 7;
    const double eight = rmsOf(with8, inputs, 16);
    const double zero = rmsOf(with0, inputs, 16);
    EXPECT_GT(zero, 0.4) << "half of the weight is gone";
    EXPECT_LT(eight, 0.05);
    EXPECT_LE(zero, *runOf(with0, inputs).report.errorBound);
}

TEST(Fp8Knobs, RowsOutsideTheSequenceAreNotCountedAsClipped)
{
    const Report report = runOf(fp8Scenario("fa3", 1, 16, 16, "none", { 16, 16 }, { { "fp8-offset", "9" } })).report;
    EXPECT_GE(report.pClipped, 1U);
    EXPECT_LE(report.pClipped, 16U);
}

// l and m of the ledger say the LSE so far, whatever P is raised by.
TEST(Fp8Knobs, TheLedgerHasLWithoutTheOffset)
{
    std::vector<std::vector<RowState>> ledgers;
    for (const char* offset : { "0", "8" }) {
        const auto run
            = runOf(fp8Scenario("fa3", 32, 96, 32, "causal", { 16, 16 }, { { "fp8-offset", offset }, { "sms", "1" } }));
        const Trace& trace = *run.trace;
        std::vector<RowState>& all = ledgers.emplace_back();
        for (std::uint32_t w = 0; w < 2; ++w) {
            const WorkId work(w);
            const int steps = static_cast<int>(trace.streamOf(work).steps.size());
            ASSERT_GE(steps, 3);
            for (int n = 1; n <= steps; ++n)
                for (const RowState& row : ledgerAt(trace, trace.ctaOf(work), trace.block(work, 0, n).value())) {
                    all.push_back(row);
                    const auto lse = static_cast<double>(run.lse.row(0, 0, row.row)[0]);
                    if (n == steps) {
                        EXPECT_NEAR(row.mUsed + std::log(row.l), lse, 1e-5);
                    }
                }
        }
    }
    ASSERT_EQ(ledgers[0].size(), ledgers[1].size());
    ASSERT_GE(ledgers[0].size(), 100U);
    for (std::size_t k = 0; k < ledgers[0].size(); ++k) {
        EXPECT_EQ(ledgers[0][k].blocks, ledgers[1][k].blocks);
        EXPECT_NEAR(ledgers[0][k].l, ledgers[1][k].l, 1e-5 * ledgers[0][k].l);
        EXPECT_GE(ledgers[1][k].l, 0.999) << "the largest of a row counts 1";
    }
}

// Values so small that they fall between the smallest steps of e4m3, or beyond its largest number, without a factor.
TEST(Fp8Knobs, AFactorForEachTensorTakesValuesIntoTheRangeOfTheFormat)
{
    const Scenario plain = fp8Scenario("fa3", 64, 256, 64, "none", { 64, 64 });
    const Scenario scaled = with(plain, { { "fp8-scale", "tensor" } });
    Inputs small = exactInputs(plain.problem);
    for (float& x : small.v.data)
        x *= 0.001F;
    EXPECT_LT(rmsOf(scaled, small, 64), 0.3 * rmsOf(plain, small, 64));
    Inputs large = exactInputs(plain.problem);
    for (float& x : large.v.data)
        x *= 400;
    EXPECT_LT(rmsOf(scaled, large, 64), 0.3 * rmsOf(plain, large, 64));
    Inputs scores = exactInputs(plain.problem); // the product is the same, the parts are far apart
    for (float& x : scores.q.data)
        x *= 0.004F;
    for (float& x : scores.k.data)
        x *= 250;
    EXPECT_LT(rmsOf(scaled, scores, 64), 0.3 * rmsOf(plain, scores, 64));
}

// A block of large outliers makes a tensor's only factor so large that the others fall below the format's steps. The
// first rows, which do not see that block, should not suffer from it.
TEST(Fp8Knobs, AFactorForEachBlockKeepsOutliersOfABlockFromTheOthers)
{
    const Scenario tensor = fp8Scenario("fa3", 128, 128, 64, "causal", { 32, 32 }, { { "fp8-scale", "tensor" } });
    const Scenario block = fp8Scenario("fa3", 128, 128, 64, "causal", { 32, 32 }, { { "fp8-scale", "block" } });
    for (const bool ofV : { false, true }) {
        Inputs inputs = exactInputs(tensor.problem);
        Tensor& outliers = ofV ? inputs.v : inputs.k;
        outliers.row(0, 0, 120)[5] = 3e6F;
        EXPECT_LT(rmsOf(block, inputs, 96), 0.3 * rmsOf(tensor, inputs, 96)) << (ofV ? "V" : "K");
    }
}

// Channels with large values in Q and K, as trained models have them: rotated, every product has a small share in the
// score, and the roundings average out.
TEST(Fp8Knobs, ARotationSpreadsOutlyingChannels)
{
    for (const char* scale : { "tensor", "block" }) {
        const Scenario plain = fp8Scenario("fa3", 128, 256, 64, "none", { 64, 64 }, { { "fp8-scale", scale } });
        const Scenario rotated = with(plain, { { "hadamard", "on" } });
        Inputs inputs = exactInputs(plain.problem);
        for (Tensor* tensor : { &inputs.q, &inputs.k })
            for (int n = 0; n < tensor->seqlen; ++n)
                tensor->row(0, 0, n)[11] *= 12;
        EXPECT_LT(rmsOf(rotated, inputs, 128), 0.7 * rmsOf(plain, inputs, 128)) << scale;
    }
}

// One byte for what goes in, two for O, four for the LSE; S of the baseline two, its P one.
TEST(Fp8Knobs, BytesAreThoseOfTheFormats)
{
    const Report fa3 = runOf(fp8Scenario("fa3", 64, 64, 32, "none", { 16, 16 })).report;
    EXPECT_EQ(fa3.globalReadBytes, 64 * 32 + 4 * 64 * (32 + 32));
    EXPECT_EQ(fa3.globalWriteBytes, 2 * 64 * 32 + 4 * 64);
    const Report standard = runOf(fp8Scenario("standard", 16, 16, 16, "causal", { 8, 8 })).report;
    EXPECT_EQ(standard.globalReadBytes, 4 * (8 * 16 + 8 * 16) + 2 * 16 * 16 + 16 * 16 + 2 * 16 * 16);
    EXPECT_EQ(standard.globalWriteBytes, 2 * 16 * 16 + 16 * 16 + 2 * 16 * 16 + 4 * 16);
    const Scenario pair = fp8Scenario("fa3", 64, 64, 192, "none", { 16, 16 });
    const auto together = runOf(pair);
    const auto apart = runOf(with(pair, { { "multicast", "off" } }));
    EXPECT_EQ(together.program->launches.back().clusterSize, 2);
    EXPECT_EQ(apart.program->launches.back().clusterSize, 1);
    EXPECT_EQ(together.report.globalReadBytes, apart.report.globalReadBytes);
    EXPECT_EQ(runOf(fp8Scenario("fa3", 64, 64, 128, "none", { 16, 16 })).program->launches.back().clusterSize, 1)
        << "only head dimension 192 multicasts";
}

// What the trace makes of a rescale when it is read, and what the run itself had: the last block's V is 0 and has a
// factor of its own, so its product changes nothing of the rescaled O.
TEST(Fp8Knobs, OIsBroughtToTheFrameOfTheNextBlockInTheTraceToo)
{
    const Scenario s = fp8Scenario("fa3", 16, 32, 32, "none", { 16, 16 }, { { "fp8-scale", "block" } });
    Inputs inputs = exactInputs(s.problem);
    for (int n = 0; n < 16; ++n)
        std::ranges::fill(inputs.v.row(0, 0, n), 0.0F);
    const auto run = runOf(s, inputs);
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    const BufferId o = program.buffer("O", 0);
    const Stream& stream = trace.streamOf(WorkId(0));
    int compared = 0;
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const Op& op = program.ops[k];
        if (op.kind != OpKind::Rescale || op.out != o)
            continue;
        const Position rescaled = trace.endPosition(trace.instance(WorkId(0), OpId(k)));
        const TileValues before = trace.value(CtaId(0), o, Position { rescaled.value - 1 });
        const TileValues after = trace.value(CtaId(0), o, rescaled);
        const TileValues landed = trace.value(CtaId(0), o, trace.block(WorkId(0), 0, 2).value());
        program.rows(op).forEach([&](int r) {
            for (int d = 0; d < 32; ++d, ++compared) {
                ASSERT_EQ(after.at(r, d), landed.at(r, d));
                ASSERT_LT(std::fabs(after.at(r, d)), 0.1F * std::fabs(before.at(r, d)))
                    << "by far smaller than its scale";
            }
        });
    }
    EXPECT_EQ(compared, 16 * 32);
    EXPECT_LE(*run.report.maxAbsError, *run.report.errorBound);
}

} // namespace
