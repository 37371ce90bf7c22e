// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/stalls.h"
#include "core/trace/state.h"
#include "tests/support/clean_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

// FlashAttention-4: what each of its knobs changes, and in which direction; and its counts made anew from Q and K.
namespace {

using namespace flashstep;
using namespace flashstep::test;

Scenario fa4(const std::string& mask, int seqlen = 2048, int headDim = 128)
{
    Scenario s;
    s.algorithm = "fa4";
    s.gpu = "b200";
    s.problem.heads = s.problem.kvHeads = 8;
    s.problem.seqlenQ = s.problem.seqlenK = seqlen;
    s.problem.headDim = s.problem.headDimV = headDim;
    s.problem.mask = *maskFromText(mask);
    s.record = { Record::Kind::None };
    s.knobs = { { "sms", "8" } };
    return s;
}

Scenario withValues(Scenario s, Init init = Init::Normal, DType dtype = DType::Bf16)
{
    s.problem.heads = s.problem.kvHeads = 1;
    s.problem.seqlenQ = s.problem.seqlenK = 256;
    s.problem.headDim = s.problem.headDimV = 32;
    s.problem.init = init;
    s.problem.dtype = dtype;
    s.tile = TileSize { 32, 32 };
    s.record = { Record::Kind::All };
    return s;
}

std::size_t waitsOf(const Run& run, const std::string& name)
{
    return static_cast<std::size_t>(std::ranges::count_if(run.program->ops,
        [&](const Op& op) { return op.wait.valid() && run.program->waits[op.wait.index()].name == name; }));
}

// How many rows' references move, from Q and K alone: tiles of the kernel's order, right to left.
struct Count {
    double done = 0, skipped = 0;
};
Count countOf(const Run& run, double threshold)
{
    const Program& program = *run.program;
    const Problem& p = program.problem;
    const int group = program.tile.rows * program.launches.back().tilesPerWork;
    const double c = p.softmaxScaleLog2();
    Count count;
    for (int h = 0; h < p.heads; ++h)
        for (int row = 0; row < p.seqlenQ; ++row) {
            int end = p.seqlenK;
            if (p.mask.kind == MaskKind::Causal)
                end = std::min(end, (row / group + 1) * group + p.shift());
            double m = -INFINITY;
            for (int j = (end + program.tile.keys - 1) / program.tile.keys - 1, n = 1; j >= 0; --j, ++n) {
                double most = -INFINITY;
                for (int key = j * program.tile.keys; key < std::min((j + 1) * program.tile.keys, p.seqlenK); ++key) {
                    if (!p.visible(row, key))
                        continue;
                    double score = 0;
                    for (std::size_t d = 0; d < static_cast<std::size_t>(p.headDim); ++d)
                        score += static_cast<double>(run.inputs->q.row(0, h, row)[d])
                            * static_cast<double>(run.inputs->k.row(0, p.kvHeadOf(h), key)[d]);
                    most = std::max(most, score);
                }
                if (n == 1) {
                    m = most;
                } else if (std::isinf(m) || (most - m) * c > threshold) {
                    m = std::max(m, most);
                    ++count.done;
                } else {
                    ++count.skipped;
                }
            }
        }
    return count;
}

TEST(Fa4, CountsTheRescalesThatQAndKAskFor)
{
    for (const char* mask : { "none", "causal" })
        for (const Init init : { Init::Normal, Init::RisingLeft, Init::RisingRight, Init::Outliers })
            for (const char* threshold : { "0", "4", "8" }) {
                const Scenario s = with(withValues(fa4(mask), init), { { "rescale-threshold", threshold } });
                const auto run = clean(s);
                const Count count = countOf(run, std::stod(threshold));
                EXPECT_EQ(run.report.rescalesDone, count.done) << describe(s) << ' ' << name(init);
                EXPECT_EQ(run.report.rescalesSkipped, count.skipped) << describe(s) << ' ' << name(init);
                EXPECT_EQ(run.report.rescaleSource, "values");
            }
}

TEST(Fa4, AtThresholdZeroHasTheBitsOfAlwaysRescaling)
{
    // A row whose reference stays is multiplied by 1, so whether it is multiplied changes nothing.
    const auto lazy
        = clean(with(withValues(fa4("none")), { { "rescale-threshold", "0" }, { "exp2-emulation", "off" } }));
    Scenario always = lazy.scenario;
    always.knobs.emplace_back("rescale-threshold", "0");
    const auto again = clean(always);
    EXPECT_EQ(lazy.o.data, again.o.data);
    // FlashAttention-2 rescales always. With the same blocks and sums its maxima are the same; so are m and l.
    for (const RowState& row : ledgerAt(*lazy.trace, CtaId(0), lazy.trace->end()))
        EXPECT_EQ(row.m, row.mUsed) << "the reference is the true maximum";
    const auto kept = clean(with(withValues(fa4("none"), Init::RisingLeft), { { "rescale-threshold", "16" } }));
    bool stale = false;
    for (const RowState& row : ledgerAt(*kept.trace, CtaId(0), kept.trace->end()))
        stale = stale || row.m > row.mUsed;
    EXPECT_TRUE(stale) << "a reference that stays behind";
}

TEST(Fa4, RescalesLessAtAHigherThreshold)
{
    double before = 1e300;
    for (const char* threshold : { "0", "2", "8", "16" }) {
        const auto run = clean(with(withValues(fa4("none"), Init::RisingLeft), { { "rescale-threshold", threshold } }));
        EXPECT_LE(run.report.rescalesDone, before);
        EXPECT_LE(run.report.rescaleWarpsDone * 8, run.report.rescalesDone * 8 + run.report.rescalesSkipped);
        before = run.report.rescalesDone;
    }
    EXPECT_LT(before,
        clean(withValues(with(fa4("none"), { { "rescale-threshold", "0" } }), Init::RisingLeft)).report.rescalesDone);
}

TEST(Fa4, AssumesAShareOfRescalesWhereNothingIsComputed)
{
    const auto none = clean(with(fa4("none"), { { "assumed-rescale-rate", "0" } }));
    const auto all = clean(with(fa4("none"), { { "assumed-rescale-rate", "1" } }));
    const auto some = clean(with(fa4("none"), { { "assumed-rescale-rate", "0.25" } }));
    EXPECT_EQ(none.report.rescaleSource, "assumed");
    EXPECT_EQ(none.report.rescalesDone, 0);
    EXPECT_EQ(all.report.rescalesSkipped, 0);
    const double share = some.report.rescalesDone / (some.report.rescalesDone + some.report.rescalesSkipped);
    EXPECT_NEAR(share, 0.25, 0.03);
    const auto cycles = [](const flashstep::Run& run) { return static_cast<double>(run.report.cycles); };
    EXPECT_NEAR(cycles(all) / cycles(none), 1, 0.02) << "the correction is not what the softmax waits for";
    const auto busy = [](const flashstep::Run& run) { return run.trace->busy(Engine::Tmem); };
    EXPECT_LT(busy(none), busy(some));
    EXPECT_LT(busy(some), busy(all)) << "and the port of tensor memory";
}

TEST(Fa4, EmulatesAShareOfTheExponentials)
{
    const auto off = clean(with(fa4("none"), { { "exp2-emulation", "off" } }));
    const auto quarter = clean(with(fa4("none"), { { "exp2-emulation", "0.25" } }));
    EXPECT_EQ(off.report.exp2Emulated, 0);
    EXPECT_EQ(quarter.report.exp2Emulated, off.report.exp2Hardware / 4);
    EXPECT_EQ(quarter.report.exp2Emulated + quarter.report.exp2Hardware, off.report.exp2Hardware);
    EXPECT_LT(quarter.trace->busy(Engine::Exp), off.trace->busy(Engine::Exp));
    EXPECT_GT(quarter.trace->busy(Engine::Issue), off.trace->busy(Engine::Issue)) << "the polynomial is instructions";
    // The kernels' own shares. [flash_fwd_sm100.py, tuning table]
    const auto share = [](const Scenario& s) {
        const Report report = runOf(s).report;
        return report.exp2Emulated / (report.exp2Emulated + report.exp2Hardware);
    };
    EXPECT_EQ(share(fa4("none")), 24.0 / 128);
    EXPECT_EQ(share(fa4("causal")), 16.0 / 128);
    EXPECT_EQ(share(fa4("none", 2048, 64)), 16.0 / 128);
    Scenario wide = fa4("none");
    wide.problem.headDim = 192;
    EXPECT_EQ(share(wide), 24.0 / 128);
    EXPECT_EQ(share(with(wide, { { "two-cta", "off" } })), 0);
    wide.problem.mask = *maskFromText("causal");
    EXPECT_EQ(share(wide), 8.0 / 128);
    Scenario b300 = fa4("none");
    b300.gpu = "b300";
    EXPECT_EQ(share(b300), 0) << "its exponential unit is twice as fast";
}

TEST(Fa4, IsNearerToTheExactResultByAHigherDegree)
{
    double before = 1;
    for (const char* degree : { "1", "2", "3", "4" }) {
        const auto run = clean(with(withValues(fa4("none"), Init::Normal, DType::Fp32),
            { { "exp2-emulation", "0.5" }, { "exp2-degree", degree } }));
        EXPECT_LT(*run.report.maxAbsError, before) << degree;
        before = *run.report.maxAbsError;
    }
    const auto exact = clean(with(withValues(fa4("none"), Init::Normal, DType::Fp32), { { "exp2-emulation", "off" } }));
    EXPECT_LT(*exact.report.maxAbsError, 1e-5);
    const auto issue = [](const char* degree) {
        return clean(with(fa4("none"), { { "exp2-emulation", "0.5" }, { "exp2-degree", degree } }))
            .trace->busy(Engine::Issue);
    };
    EXPECT_LT(issue("3"), issue("5")) << "each degree is a multiplication more";
}

TEST(Fa4, WithOneQueryTileHasOneSoftmaxWarpgroup)
{
    const auto two = clean(with(fa4("causal"), { { "q-stage", "2" } }));
    const auto one = clean(with(fa4("causal"), { { "q-stage", "1" } }));
    EXPECT_TRUE(hasRole(two, "softmax1"));
    EXPECT_FALSE(hasRole(one, "softmax1"));
    EXPECT_EQ(one.program->works.size(), 2 * two.program->works.size());
    EXPECT_LT(two.report.cycles, one.report.cycles) << "one tile's softmax hides behind the other's products";
    EXPECT_GT(one.report.globalReadBytes, 1.5 * two.report.globalReadBytes) << "two tiles share K and V";
    EXPECT_FALSE(hasRole(clean(fa4("none", 128)), "softmax1")) << "short queries take one";
}

TEST(Fa4, APairOfCtasFetchesKAndVOnce)
{
    const auto pair = clean(fa4("none"));
    const auto alone = clean(with(fa4("none"), { { "two-cta", "off" } }));
    EXPECT_TRUE(pair.program->launches.back().pairs);
    EXPECT_FALSE(alone.program->launches.back().pairs);
    EXPECT_LT(pair.report.globalReadBytes, 0.6 * alone.report.globalReadBytes);
    EXPECT_EQ(pair.report.flopsExecuted, alone.report.flopsExecuted);
    const auto smem = [](const flashstep::Run& run) { return run.trace->busy(Engine::Smem); };
    EXPECT_LT(smem(pair), 0.85 * smem(alone)) << "each half of B is read once for both";
    EXPECT_FALSE(clean(fa4("causal")).program->launches.back().pairs);
    // Who issues what does not show in the numbers: the sums are those of whole tiles.
    const Scenario values = with(withValues(fa4("none")), { { "exp2-emulation", "off" } });
    Scenario wide = values;
    wide.problem.headDim = wide.problem.headDimV = 128;
    EXPECT_EQ(clean(wide).o.data, clean(with(wide, { { "two-cta", "off" } })).o.data);
}

TEST(Fa4, HasAKernelOfItsOwnForHeadDimension256)
{
    const auto run = clean(fa4("causal", 1024, 256));
    EXPECT_EQ(run.program->launches.back().name, "fa4_forward_d256");
    EXPECT_TRUE(run.program->launches.back().pairs);
    EXPECT_EQ(run.report.rescalesSkipped, 0) << "every block rescales";
    EXPECT_EQ(run.report.exp2Emulated / (run.report.exp2Emulated + run.report.exp2Hardware), 36.0 / 128);
    EXPECT_EQ(run.program->launches.back().tmemColumns, 512);
    const auto errorOf = [](const Scenario& s) {
        const auto result = runScenario(s, std::nullopt, {});
        return result ? std::string() : result.error().line();
    };
    EXPECT_NE(errorOf(fa4("window:64,0", 1024, 256)).find("no window"), std::string::npos);
    EXPECT_NE(errorOf(with(fa4("none", 1024, 256), { { "two-cta", "off" } })).find("pairs"), std::string::npos);
    EXPECT_NE(errorOf(with(fa4("none", 1024, 256), { { "rescale-threshold", "8" } })).find("no threshold"),
        std::string::npos);
    Scenario values = withValues(fa4("causal"), Init::Normal, DType::Fp32);
    values.problem.headDim = values.problem.headDimV = 256;
    const auto exact = clean(with(values, { { "exp2-emulation", "off" } }));
    EXPECT_LT(*exact.report.maxAbsError, 1e-5);
    for (const RowState& row : ledgerAt(*exact.trace, CtaId(0), exact.trace->end()))
        EXPECT_EQ(row.decision, row.blocks > 1 ? "rescale" : "first");
}

TEST(Fa4, PacksTheHeadsThatShareAKeyHead)
{
    Scenario s = fa4("causal", 512, 64);
    s.problem.heads = 8;
    s.problem.kvHeads = 2;
    const auto packed = clean(s);
    const auto apart = clean(with(s, { { "pack-gqa", "off" } }));
    EXPECT_EQ(packed.program->packed, 4);
    EXPECT_EQ(apart.program->packed, 1);
    EXPECT_LT(packed.report.globalReadBytes, apart.report.globalReadBytes) << "K and V serve four heads at once";
    Scenario small = withValues(s);
    small.problem.heads = 6;
    small.problem.kvHeads = 2;
    small = with(small, { { "exp2-emulation", "off" } });
    const auto together = clean(small);
    EXPECT_EQ(together.program->packed, 3);
    EXPECT_LE(*together.report.maxAbsError, *together.report.errorBound);
}

TEST(Fa4, OrdersItsTilesAsTheSchedulerSays)
{
    const auto schedule = [](const flashstep::Run& run) { return run.program->launches.back().schedule; };
    EXPECT_EQ(schedule(clean(fa4("none"))), Schedule::Static);
    EXPECT_EQ(schedule(clean(fa4("causal"))), Schedule::SingleTile);
    EXPECT_EQ(schedule(clean(with(fa4("causal"), { { "scheduler", "persistent" } }))), Schedule::Static);
    const auto longest = clean(fa4("causal"));
    const auto linear = clean(with(fa4("causal"), { { "scheduler", "linear" } }));
    EXPECT_EQ(longest.program->works.front().i, 14) << "the last pair of tiles first";
    EXPECT_EQ(linear.program->works.front().i, 0);
    EXPECT_LT(longest.report.cycles, linear.report.cycles) << "the long tiles do not come last";
    EXPECT_EQ(waitsOf(longest, "Q_free"), 0U) << "a CTA that does one work waits for no Q before";
    EXPECT_GT(waitsOf(clean(fa4("none")), "Q_free"), 0U);
}

TEST(Fa4, NeedsTensorMemoryForItsTiles)
{
    const auto errorOf = [](const Scenario& s) {
        const auto run = runScenario(s, std::nullopt, {});
        return run ? std::string() : run.error().line();
    };
    EXPECT_EQ(errorOf(fa4("none")), "") << "all 512 columns";
    EXPECT_NE(errorOf(with(fa4("none"), { { "tmem-columns", "511" } })).find("512 columns"), std::string::npos);
    EXPECT_EQ(errorOf(with(fa4("none", 2048, 64), { { "tmem-columns", "384" } })), "");
    for (const char* gpu : { "a100", "h100", "h200" }) {
        Scenario s = fa4("none");
        s.gpu = gpu;
        EXPECT_NE(errorOf(s).find("needs tcgen05 and tensor memory"), std::string::npos) << gpu;
    }
    EXPECT_NE(errorOf(with(fa4("none"), { { "stages", "1" } })).find("stages"), std::string::npos);
    EXPECT_NE(errorOf(with(fa4("causal"), { { "two-cta", "on" } })).find("pairs"), std::string::npos);
}

// A fully masked block before scores near -110, and after them; rows that see nothing; the first visited tile sets the
// reference.
TEST(Fa4, HoldsWhereMaximaAreFarBelowZero)
{
    for (const char* mask : { "none", "causal", "window:9,0" })
        for (const DType dtype : { DType::Fp32, DType::Bf16 })
            for (const int seqlenQ : { 128, 200 }) {
                Scenario s = withValues(fa4(mask), Init::Constant, dtype);
                s.problem.seqlenQ = seqlenQ; // more rows than keys: the first see nothing
                s.problem.seqlenK = 128;
                s.problem.headDim = s.problem.headDimV = 16;
                Inputs inputs = generateInputs(s.problem);
                for (std::size_t k = 0; k < inputs.q.data.size(); ++k)
                    inputs.q.data[k] = 5.25F;
                for (std::size_t k = 0; k < inputs.k.data.size(); ++k)
                    inputs.k.data[k] = -5.25F - 0.25F * static_cast<float>(k / 16 % 3); // scores from -110 down
                for (std::size_t k = 0; k < inputs.v.data.size(); ++k)
                    inputs.v.data[k] = static_cast<float>(k % 7) - 3;
                const auto run = runOf(s, inputs);
                ASSERT_TRUE(run.report.maxAbsError && run.report.errorBound);
                EXPECT_LE(*run.report.maxAbsError, *run.report.errorBound) << describe(s);
                EXPECT_LE(*run.report.maxAbsErrorLse, 1e-3) << describe(s);
            }
}

TEST(Fa4, ClipsPWhereTheThresholdIsMoreThanTheFormatHolds)
{
    Scenario s = withValues(fa4("none"), Init::RisingLeft, DType::E4m3);
    const auto kernel = clean(s); // offset 8, threshold 0: P up to 256
    EXPECT_EQ(kernel.report.pClipped, 0U);
    const auto clipped = clean(with(s, { { "rescale-threshold", "8" } })); // up to 2^16, of which 448 is held
    EXPECT_GT(clipped.report.pClipped, 0U);
    EXPECT_GT(*clipped.report.rmsError, 2 * *kernel.report.rmsError) << "l has what P O has lost";
    const auto lower = clean(with(s, { { "rescale-threshold", "8" }, { "fp8-offset", "0" } })); // up to 256 again
    EXPECT_EQ(lower.report.pClipped, 0U);
    EXPECT_LT(*lower.report.rmsError, *clipped.report.rmsError);
}

TEST(Fa4, FramesThatDoNotAgreeShowInTheError)
{
    for (const DType dtype : { DType::Fp32, DType::Fp16, DType::Bf16 })
        for (const char* spec : { "rescale:skip", "rescale:mix-frames" }) {
            Scenario s = withValues(fa4("none"), Init::RisingLeft, dtype);
            EXPECT_LE(*runOf(s).report.maxAbsError, *runOf(s).report.errorBound);
            s.breaks = { spec };
            const Report report = runOf(s).report;
            EXPECT_GT(*report.maxAbsError, *report.errorBound) << spec << ' ' << name(dtype);
            EXPECT_EQ(report.hazards, 0U) << spec;
        }
}

TEST(Fa4, BothQueryTilesTogetherCostWhatThePaperSays)
{
    Scenario s = fa4("none", 256);
    s.problem.heads = s.problem.kvHeads = 1;
    s.problem.seqlenK = 128;
    s.knobs = { { "exp2-emulation", "off" } };
    const auto run = clean(s);
    ASSERT_EQ(run.program->launches.back().tilesPerWork, 2);
    const Stalls stalls = stallsOf(run, CtaId(0));
    double smem = 0;
    for (const EngineTime& time : stalls.engines) {
        if (time.engine == Engine::Tensor || time.engine == Engine::Exp) {
            EXPECT_EQ(time.total, 2048);
        }
        for (const auto& [component, cycles] : time.busy)
            if (time.engine == Engine::Smem)
                smem += component == "read:Q" || component == "read:K" || component == "read:V" ? cycles : 0;
    }
    EXPECT_EQ(smem, 1536) << "[fa4_roofline.csv, B200, FA4 256x128]";
}

} // namespace
