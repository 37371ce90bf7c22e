// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/run.h"
#include "core/hardware/cost.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace {

using namespace flashstep;
using namespace flashstep::test;

Scenario small()
{
    return scenarioOf("fa2", 16, 16, 16, "none", { 8, 8 });
}

TEST(Prepare, FillsInWhatIsNotGiven)
{
    Scenario s;
    const auto prepared = prepare(s);
    ASSERT_TRUE(prepared);
    EXPECT_EQ(prepared->scenario.gpu, "a100");
    EXPECT_EQ(prepared->scenario.tile, (TileSize { 128, 128 })) << "kernels.md 2.1, head_dim 64";
    EXPECT_EQ(prepared->scenario.costTile, (TileSize { 128, 128 }));
    EXPECT_EQ(prepared->scenario.stages, 1);
    EXPECT_EQ(prepared->scenario.record.text(), "all");
    s.tile = TileSize { 8, 16 };
    EXPECT_EQ(prepare(s)->scenario.costTile, (TileSize { 8, 16 })) << "a shown tile is costed as itself";
    s.costTile = TileSize { 64, 64 };
    EXPECT_EQ(prepare(s)->scenario.tile, (TileSize { 8, 16 }));
}

// kernels.md 2.1
TEST(Prepare, TakesTheKernelsTileForTheHeadDimension)
{
    struct Row {
        int headDim;
        const char* gpu;
        TileSize tile;
        std::size_t warps;
    };
    for (const Row& row :
        { Row { 32, "a100", { 128, 128 }, 4 }, Row { 64, "a100", { 128, 128 }, 4 }, Row { 72, "a100", { 128, 64 }, 4 },
            Row { 96, "h100", { 128, 64 }, 4 }, Row { 128, "a100", { 128, 64 }, 4 },
            Row { 160, "a100", { 128, 64 }, 8 }, Row { 192, "h100", { 128, 64 }, 8 },
            Row { 256, "a100", { 128, 64 }, 8 }, Row { 256, "h100", { 64, 64 }, 4 } }) {
        Scenario s;
        s.gpu = row.gpu;
        s.problem.headDim = s.problem.headDimV = row.headDim;
        const auto prepared = prepare(s);
        ASSERT_TRUE(prepared);
        EXPECT_EQ(*prepared->scenario.tile, row.tile) << row.headDim << " on " << row.gpu;
        EXPECT_EQ(prepared->program->roles.size(), row.warps) << row.headDim << " on " << row.gpu;
    }
}

TEST(Prepare, EightWarpsTakeTilesOfEights)
{
    for (const int dim : { 192, 256 }) {
        Scenario s = scenarioOf("fa2", 20, 20, dim, "causal", { 8, 8 });
        s.gpu = "a100";
        const auto run = runOf(s);
        EXPECT_EQ(run.program->roles.size(), 8U);
        EXPECT_EQ(run.report.hazards, 0U);
        EXPECT_LE(*run.report.maxAbsError, 1e-5);
        s.tile = TileSize { 4, 8 };
        EXPECT_NE(errorOf(s).find("multiples of 8"), std::string::npos) << errorOf(s);
    }
}

struct BadRow {
    const char* says;
    std::function<void(Scenario&)> spoil;
};

TEST(Prepare, OneLineSaysWhatIsWrongAndWhatWouldDo)
{
    const std::vector<BadRow> rows {
        { "head_dim 77", [](Scenario& s) { s.problem.headDim = s.problem.headDimV = 77; } },
        { "a multiple of 8 up to 256", [](Scenario& s) { s.problem.headDim = s.problem.headDimV = 264; } },
        { "head_dim_v 32 differs from head_dim 16", [](Scenario& s) { s.problem.headDimV = 32; } },
        { "head_dim: cannot be 0", [](Scenario& s) { s.problem.headDim = s.problem.headDimV = 0; } },
        { "head_dim: cannot be -8", [](Scenario& s) { s.problem.headDim = s.problem.headDimV = -8; } },
        { "batch: cannot be 0", [](Scenario& s) { s.problem.batch = 0; } },
        { "seqlen_q: cannot be 0", [](Scenario& s) { s.problem.seqlenQ = 0; } },
        { "seqlen_k: cannot be -1", [](Scenario& s) { s.problem.seqlenK = -1; } },
        { "kv_heads: cannot be 0", [](Scenario& s) { s.problem.kvHeads = 0; } },
        { "kv_heads 2 does not divide heads 3",
            [](Scenario& s) {
                s.problem.heads = 3;
                s.problem.kvHeads = 2;
            } },
        { "standard, fa1, fa2, fa3, fa4", [](Scenario& s) { s.algorithm = "fa9"; } },
        { "FlashAttention-4 needs tcgen05",
            [](Scenario& s) {
                s.algorithm = "fa4";
                s.gpu = "h100";
            } },
        { "backward is not in this version", [](Scenario& s) { s.pass = "backward"; } },
        { "unknown pass sideways", [](Scenario& s) { s.pass = "sideways"; } },
        { "unknown GPU abacus", [](Scenario& s) { s.gpu = "abacus"; } },
        { "FlashAttention-2 has no FP8 kernel", [](Scenario& s) { s.problem.dtype = DType::E4m3; } },
        { "tile: 6x8",
            [](Scenario& s) {
                s.tile = TileSize { 6, 8 };
            } },
        { "tile: 8x6",
            [](Scenario& s) {
                s.tile = TileSize { 8, 6 };
            } },
        { "tile: 0x8",
            [](Scenario& s) {
                s.tile = TileSize { 0, 8 };
            } },
        { "tile: -8x8",
            [](Scenario& s) {
                s.tile = TileSize { -8, 8 };
            } },
        { "up to 1024",
            [](Scenario& s) {
                s.tile = TileSize { 2048, 8 };
            } },
        { "cost_tile: 128x130",
            [](Scenario& s) {
                s.costTile = TileSize { 128, 130 };
            } },
        { "stages: cannot be 3", [](Scenario& s) { s.stages = 3; } },
        { "there is no CTA 2",
            [](Scenario& s) {
                s.record = { Record::Kind::OneCta, 2 };
            } },
        { "no wait of that name", [](Scenario& s) { s.breaks = { "wait:nothing" }; } },
        { "window:L,R",
            [](Scenario& s) {
                s.problem.mask = { MaskKind::Window, -1, 0 };
            } },
    };
    ASSERT_EQ(errorOf(small()), "");
    for (const BadRow& row : rows) {
        Scenario s = small();
        row.spoil(s);
        const std::string line = errorOf(s);
        EXPECT_NE(line.find(row.says), std::string::npos) << row.says << ": " << line;
        EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    }
}

TEST(Prepare, ATileThatDoesNotFitSaysWhichMemoryAndByHowMany)
{
    Scenario s = scenarioOf("fa2", 512, 512, 128, "none", { 256, 256 }, DType::Bf16);
    s.gpu = "a100";
    const std::string line = errorOf(s);
    const long needed = 3L * 256 * 128 * 2;
    EXPECT_NE(line.find("needs " + std::to_string(needed) + " bytes of shared memory"), std::string::npos) << line;
    EXPECT_NE(line.find(std::to_string(needed - 163L * 1024) + " more than a CTA may have"), std::string::npos) << line;
    EXPECT_NE(line.find("256x256"), std::string::npos) << line;
    s.tile = TileSize { 8, 8 };
    s.costTile = TileSize { 256, 256 };
    EXPECT_NE(errorOf(s).find("shared memory"), std::string::npos) << "the costed tile has to fit";
    s.costTile = TileSize { 128, 64 };
    s.knobs = { { "smem-kib", "32" } };
    EXPECT_NE(errorOf(s).find("shared memory"), std::string::npos) << "on what is left of the memory too";
    s.knobs.clear();
    EXPECT_EQ(errorOf(s), "");
}

TEST(Prepare, ASizeThatNoMemoryHoldsSaysTheEstimateBeforeItStarts)
{
    for (const char* algorithm : { "standard", "fa2" }) {
        Scenario s = scenarioOf(algorithm, 1 << 22, 1 << 22, 64, "none", { 8, 8 });
        s.problem.heads = s.problem.kvHeads = 64;
        const std::string line = errorOf(s);
        EXPECT_NE(line.find("would take about "), std::string::npos) << line;
        EXPECT_NE(line.find(" GiB"), std::string::npos) << line;
    }
}

// Values are large, timing is small: by default the one gives way, asked for all the same it is an error.
TEST(Prepare, ValuesBeyondAGibibyteAreKeptForOneCta)
{
    Scenario s = scenarioOf("fa2", 8192, 8192, 128, "none", { 128, 64 });
    s.problem.heads = s.problem.kvHeads = 2;
    const auto prepared = prepare(s);
    ASSERT_TRUE(prepared);
    EXPECT_GT(prepared->estimate.valueBytes, 1 << 30);
    EXPECT_EQ(prepared->scenario.record.text(), "cta:0");
}

// What the estimate says before the run is what the run takes, near enough to decide by.
TEST(Prepare, EstimatesEventsExactlyAndBytesNearly)
{
    for (const std::uint64_t seed : seeds(20))
        for (const char* algorithm : { "standard", "fa2" }) {
            Scenario s = randomScenario(seed, algorithm);
            s.record = { Record::Kind::All };
            SCOPED_TRACE(describe(seed, s));
            const auto prepared = prepare(s);
            const auto run = runOf(s);
            EXPECT_EQ(prepared->estimate.events, run.trace->end().value);
            const double values = static_cast<double>(run.trace->bytes() - run.trace->bytesWithoutValues());
            EXPECT_LE(values, 1.6 * prepared->estimate.valueBytes + 4096);
            EXPECT_GE(values, prepared->estimate.valueBytes / 4 - 4096);
        }
}

TEST(Run, FlagsWhatIsNotFiniteAndEndsAllTheSame)
{
    for (const char* algorithm : { "standard", "fa2" }) {
        Scenario s = scenarioOf(algorithm, 16, 24, 16, "causal", { 8, 8 });
        Inputs inputs = generateInputs(s.problem);
        inputs.q.row(0, 0, 3)[2] = std::numeric_limits<float>::quiet_NaN();
        inputs.k.row(0, 0, 5)[1] = std::numeric_limits<float>::infinity();
        inputs.k.row(0, 0, 5)[3] = -std::numeric_limits<float>::infinity();
        const auto run = runOf(s, inputs);
        ASSERT_EQ(run.report.inputNotes.size(), 2U);
        EXPECT_EQ(run.report.inputNotes[0], "q holds 1 NaN and 0 infinite values");
        EXPECT_EQ(run.report.inputNotes[1], "k holds 0 NaN and 2 infinite values");
        EXPECT_FALSE(run.report.errorBound) << "no bound holds";
        EXPECT_TRUE(run.report.maxAbsError);
        EXPECT_EQ(run.report.hazards, 0U);
        EXPECT_TRUE(run.trace->deadlock().empty());
        for (const float o : run.o.row(0, 0, 3))
            EXPECT_TRUE(std::isnan(o)) << "NaN in, NaN out";
    }
}

// Infinity where the mask hides it must not be seen.
TEST(Run, HiddenKeysMayHoldAnything)
{
    for (const char* algorithm : { "standard", "fa2" }) {
        Scenario s = scenarioOf(algorithm, 16, 16, 16, "causal", { 8, 8 });
        Inputs inputs = generateInputs(s.problem);
        const auto clean = runOf(s, inputs);
        for (float& x : inputs.k.row(0, 0, 15))
            x = std::numeric_limits<float>::quiet_NaN();
        const auto run = runOf(s, inputs);
        for (int row = 0; row < 15; ++row)
            for (std::size_t d = 0; d < 16; ++d)
                EXPECT_EQ(run.o.row(0, 0, row)[d], clean.o.row(0, 0, row)[d]) << algorithm << " row " << row;
    }
}

TEST(Run, RoundsItsInputsToTheDtypeFirst)
{
    Scenario s = small();
    Inputs inputs = generateInputs(s.problem);
    s.problem.dtype = DType::Bf16;
    const auto run = runOf(s, inputs);
    for (std::size_t k = 0; k < inputs.q.data.size(); ++k)
        EXPECT_EQ(run.inputs->q.data[k], roundTo(DType::Bf16, inputs.q.data[k]));
}

TEST(Run, InputsOfAnotherShapeAreAnError)
{
    Scenario s = small();
    Inputs inputs = generateInputs(s.problem);
    inputs.k = Tensor(1, 1, 15, 16);
    EXPECT_NE(errorOf(s, inputs).find("k does not have the problem's shape"), std::string::npos);
    inputs = generateInputs(s.problem);
    inputs.v = Tensor(1, 2, 16, 16);
    EXPECT_NE(errorOf(s, inputs).find("v does not have the problem's shape"), std::string::npos);
}

TEST(Run, ReportsTimeAndRates)
{
    Scenario s = scenarioOf("fa2", 1024, 1024, 64, "causal", { 128, 128 }, DType::Bf16);
    s.record = { Record::Kind::None };
    const auto run = runOf(s);
    const Report& r = run.report;
    EXPECT_EQ(r.cycles, run.trace->cycles());
    EXPECT_DOUBLE_EQ(r.microseconds, static_cast<double>(r.cycles) / r.clockMhz + run.gpu.launchMicroseconds);
    EXPECT_EQ(r.flops, 2.0 * 1024 * 1024 * 128 / 2) << "halved when causal";
    EXPECT_DOUBLE_EQ(*r.tflops, r.flops / r.microseconds * 1e-6);
    for (const double share : { r.utilisation.tensor, r.utilisation.exp, r.utilisation.issue, r.utilisation.smem,
             r.utilisation.l2, r.utilisation.hbm }) {
        EXPECT_GT(share, 0);
        EXPECT_LE(share, 1);
    }
    EXPECT_EQ(r.events, run.trace->end().value);
    EXPECT_EQ(r.rescaleSource, "values");
    s.problem.mask = maskFromText("window:3,0").value();
    double visible = 0;
    for (int row = 0; row < 1024; ++row)
        visible += std::min(row + 1, 4);
    EXPECT_EQ(runOf(s).report.flops, 2 * visible * 128) << "a window: the visible pairs";
}

TEST(Run, UtilisationNeverExceedsOne)
{
    for (const char* knob :
        { "tensor-rate=64", "mufu-rate=1", "smem-bytes-per-clk=8", "hbm-gbps=10", "register-contention=8" }) {
        Scenario s = scenarioOf("fa2", 512, 512, 64, "none", { 128, 128 }, DType::Bf16);
        s.record = { Record::Kind::None };
        const std::string text = knob;
        s.knobs = { { text.substr(0, text.find('=')), text.substr(text.find('=') + 1) }, { "sms", "2" } };
        const auto run = runOf(s);
        const Utilisation u = run.report.utilisation;
        for (const double share : { u.tensor, u.exp, u.issue, u.smem, u.l2, u.hbm })
            EXPECT_LE(share, 1) << knob;
        // Before it is cut off at 1: only what lands in the last cycles may be booked past the end.
        const double cycles = static_cast<double>(run.trace->cycles()) * run.gpu.sms;
        EXPECT_LE(run.trace->busy(Engine::Smem), 1.002 * cycles) << knob;
        EXPECT_LE(run.trace->busy(Engine::Issue), 1.002 * 4 * cycles) << knob;
        EXPECT_LE(run.trace->busy(Engine::Alu), 1.002 * 4 * cycles) << knob;
    }
}

TEST(Run, KeepsNoValuesWhenTheyAreDiscarded)
{
    RunOptions options;
    options.discardValues = true;
    const auto run = runScenario(small(), std::nullopt, {}, options);
    ASSERT_TRUE(run);
    EXPECT_EQ(run->o.data, runOf(small()).o.data) << "they are computed";
    EXPECT_EQ(run->trace->versionCount(CtaId(0), BufferId(0)), 0U);
}

TEST(Run, ASingleRowAndASingleKeyWork)
{
    for (const char* algorithm : { "standard", "fa2" })
        for (const char* mask : { "none", "causal", "window:0,0" })
            for (const auto& [q, k] : { std::pair(1, 1), std::pair(1, 9), std::pair(9, 1) }) {
                const Scenario s = scenarioOf(algorithm, q, k, 8, mask, { 4, 4 });
                SCOPED_TRACE(describe(s));
                const auto run = runOf(s);
                EXPECT_LE(*run.report.maxAbsError, 1e-6);
                EXPECT_EQ(*run.report.maxAbsErrorLse < 1e-6, true);
                EXPECT_EQ(run.report.hazards, 0U);
            }
}

} // namespace
