// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/registry.h"
#include "core/hardware/what_if.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {

using namespace flashstep;
using namespace flashstep::test;

// A scenario whose time the engine of the knob bounds, and two values of which the second must be faster.
struct Row {
    const char* knob;
    const char* slow;
    const char* fast;
    const char* algorithm;
    bool inMicroseconds = false; // cycles stay the same
};
void PrintTo(const Row& row, std::ostream* out)
{
    *out << row.knob << " " << row.slow << " to " << row.fast << " of " << row.algorithm;
}

class WhatIf : public testing::TestWithParam<Row> { };

TEST_P(WhatIf, ChangesTheTimeInItsDirectionAndNothingElse)
{
    const Row& row = GetParam();
    Scenario s = scenarioOf(row.algorithm, 1024, 512, 64, "none", { 128, 128 }, DType::Bf16);
    s.tile = std::string(row.algorithm) == "standard" ? TileSize { 128, 64 }
        : std::string(row.algorithm) == "fa3"         ? TileSize { 192, 192 }
                                                      : TileSize { 128, 128 };
    s.problem.heads = s.problem.kvHeads = 16;
    s.record = { Record::Kind::None };
    s.knobs = { { row.knob, row.slow } };
    const Report slow = runOf(s).report;
    s.knobs = { { row.knob, row.fast } };
    const Report fast = runOf(s).report;
    if (row.inMicroseconds) {
        EXPECT_LT(fast.microseconds, 0.99 * slow.microseconds);
    } else {
        EXPECT_LT(static_cast<double>(fast.cycles), 0.99 * static_cast<double>(slow.cycles));
    }
    EXPECT_EQ(fast.globalReadBytes, slow.globalReadBytes);
    EXPECT_EQ(fast.flopsExecuted, slow.flopsExecuted);
    EXPECT_EQ(fast.exp2Hardware, slow.exp2Hardware);
    EXPECT_EQ(fast.events, slow.events);
}

INSTANTIATE_TEST_SUITE_P(Knobs, WhatIf,
    testing::Values(Row { "register-contention", "4", "0", "fa2" }, Row { "register-contention", "1", "off", "fa2" },
        Row { "sms", "8", "64", "fa2" }, Row { "clock-mhz", "1000", "2000", "fa2", true },
        Row { "tensor-rate", "512", "2048", "fa2" }, Row { "tensor-rate", "256", "1024", "standard" },
        Row { "mufu-rate", "2", "16", "fa2" }, Row { "smem-bytes-per-clk", "16", "128", "fa2" },
        Row { "smem-kib", "64", "164", "fa2" }, Row { "hbm-gbps", "100", "1600", "standard" },
        Row { "hbm-gbps", "20", "1600", "fa2" }, Row { "issue-cycles-per-op", "4", "1", "fa2" },
        Row { "l2-bytes-per-clk-per-sm", "2", "64", "fa2" }, Row { "copy-latency", "20000", "600", "fa2" },
        Row { "barrier-latency", "2000", "36", "fa2" }, Row { "row-reduce-cycles", "2000", "20", "fa2" },
        Row { "mma-step-latency", "400", "20", "fa2" }, Row { "cta-start-cycles", "20000", "800", "fa2" },
        Row { "launch-microseconds", "50", "5", "fa2", true }, Row { "l2-mib", "1", "40", "standard" },
        Row { "register-contention-wgmma", "4", "0", "fa3" }, Row { "wgmma-latency", "2000", "20", "fa3" },
        Row { "tma-latency", "20000", "600", "fa3" }, Row { "mbarrier-latency", "2000", "20", "fa3" },
        Row { "tile-epilogue-cycles", "20000", "0", "fa3" }, Row { "mufu-rate", "4", "16", "fa4" },
        Row { "tensor-rate", "2048", "8192", "fa4" }, Row { "tmem-bytes-per-clk", "32", "460", "fa4" },
        Row { "tmem-load-latency", "4000", "170", "fa4" }, Row { "smem-bytes-per-clk", "16", "128", "fa4" },
        Row { "tma-latency", "20000", "700", "fa4" }, Row { "issue-cycles-per-op", "6", "1.5", "fa4" },
        Row { "l2-bytes-per-clk-per-sm", "2", "41", "fa4" }, Row { "mbarrier-latency", "2000", "36", "fa4" },
        Row { "activity-at-cap", "0.05", "1", "fa3", true }));

// Machine knobs here, the schedule's in schedule_knobs_test.cpp and fa4_knobs_test.cpp, those of e4m3 in
// fp8_knobs_test.cpp, each under what it does.
TEST(Knobs, EachHasATestOfItsEffect)
{
    std::set<std::string> tested { "ping-pong", "intra-overlap", "warp-specialisation", "stages", "consumer-warpgroups",
        "multicast", "copy", "scheduler", "swizzle", "divide", "loop-order", "warp-split", "fa1-form",
        "causal-alignment", "empty-row-lse", "jitter-seed", "l2-mib", "fp8-offset", "fp8-scale", "hadamard", "q-stage",
        "rescale-threshold", "exp2-emulation", "exp2-degree", "two-cta", "pack-gqa", "assumed-rescale-rate",
        "tmem-columns" };
    const testing::UnitTest& all = *testing::UnitTest::GetInstance();
    for (int suite = 0; suite < all.total_test_suite_count(); ++suite)
        for (int k = 0; std::string(all.GetTestSuite(suite)->name()) == "Knobs/WhatIf"
             && k < all.GetTestSuite(suite)->total_test_count();
             ++k) {
            const std::string text = all.GetTestSuite(suite)->GetTestInfo(k)->value_param();
            tested.insert(text.substr(0, text.find(' ')));
        }
    for (const Knob& knob : knobs())
        if (std::ranges::any_of(knob.algorithms, [](auto name) { return findAlgorithm(name, "forward") != nullptr; })) {
            EXPECT_TRUE(tested.contains(std::string(knob.key))) << knob.key;
        }
}

TEST(Knobs, SayWhatTheyAreAndWhereTheyComeFrom)
{
    std::set<std::string_view> keys;
    for (const Knob& knob : knobs()) {
        EXPECT_TRUE(keys.insert(knob.key).second) << knob.key;
        EXPECT_FALSE(knob.help.empty() || knob.source.empty() || knob.accepts.empty()) << knob.key;
        if (knob.words.empty()) {
            EXPECT_LT(knob.low, knob.high) << knob.key;
        } else {
            EXPECT_TRUE(knob.unit.empty()) << knob.key << ": words have none";
            for (const std::string_view word : knob.words)
                EXPECT_NE(knob.accepts.find(word), std::string_view::npos) << knob.key << ' ' << word;
        }
        EXPECT_FALSE(knob.algorithms.empty()) << knob.key;
    }
}

TEST(Knobs, TheLastOfAKeyWins)
{
    Scenario s;
    s.knobs = { { "sms", "4" }, { "mufu-rate", "8" }, { "sms", "7" } };
    const auto gpu = applyKnobs(*findGpu("a100"), s);
    ASSERT_TRUE(gpu);
    EXPECT_EQ(gpu->sms, 7);
    EXPECT_EQ(gpu->mufuPerClk, 8);
    EXPECT_EQ(gpu->sms.source, "what-if") << "the figure no longer rests on its source";
}

TEST(Knobs, WithoutAnyTheGpuIsAsItWas)
{
    const GpuSpec& a100 = *findGpu("a100");
    const auto gpu = applyKnobs(a100, {});
    ASSERT_TRUE(gpu);
    for (const auto& [field, figure] : gpuFigures())
        EXPECT_EQ((*gpu).*figure, a100.*figure) << field;
}

// The knobs obeyed by `key`'s first version.
Result<GpuSpec> turned(const GpuSpec& gpu, const std::string& key, double value)
{
    const auto knob = std::ranges::find(knobs(), key, &Knob::key);
    Scenario s;
    s.algorithm = knob == knobs().end() ? "fa2" : std::string(knob->algorithms.front());
    s.knobs = { { key, std::to_string(value) } };
    return applyKnobs(gpu, s);
}

std::set<std::string> changedFigures(const GpuSpec& before, const GpuSpec& after)
{
    std::set<std::string> changed;
    for (const auto& [field, figure] : gpuFigures())
        if ((before.*figure).value != (after.*figure).value || (before.*figure).source != (after.*figure).source)
            changed.insert(kebabName(field));
    return changed;
}

// Tensor memory and additions in L2 have no version that uses them yet.
TEST(Knobs, EachFittedFigureIsOneThatChangesItAlone)
{
    for (const GpuSpec& gpu : gpuSpecs())
        for (const auto& [field, member] : gpuFigures()) {
            const std::string key = kebabName(field);
            if ((gpu.*member).confidence != Confidence::Fitted || key.starts_with("tmem-")
                || key.starts_with("reduce-add"))
                continue;
            const auto knob = std::ranges::find(knobs(), key, &Knob::key);
            ASSERT_NE(knob, knobs().end()) << key;
            const double value = (knob->low + (gpu.*member).value) / 2;
            const auto after = turned(gpu, key, value);
            ASSERT_TRUE(after) << gpu.name << ' ' << key << ' ' << after.error().line();
            std::set<std::string> expected { key };
            if (key == "register-contention" && gpu.computeCapability == 90)
                expected.insert("register-contention-wgmma");
            EXPECT_EQ(changedFigures(gpu, *after), expected) << gpu.name;
            EXPECT_NEAR((*after).*member, value, 1e-6) << gpu.name << ' ' << key;
        }
}

TEST(Knobs, OneRateScalesEveryTensorInstruction)
{
    for (const GpuSpec& gpu : gpuSpecs()) {
        const auto half = turned(gpu, "tensor-rate", gpu.tensorFlopsPerClk / 2);
        ASSERT_TRUE(half);
        EXPECT_DOUBLE_EQ(half->tensorFlopsPerClk, gpu.tensorFlopsPerClk / 2);
        EXPECT_DOUBLE_EQ(half->tensorFp8FlopsPerClk, gpu.tensorFp8FlopsPerClk / 2);
        EXPECT_DOUBLE_EQ(half->mmaSyncCycles, gpu.mmaSyncCycles * 2);
        EXPECT_DOUBLE_EQ(half->wgmmaCyclesPerColumn, gpu.wgmmaCyclesPerColumn * 2);
        EXPECT_DOUBLE_EQ(half->ummaCyclesPerColumn, gpu.ummaCyclesPerColumn * 2);
        EXPECT_EQ(half->wgmmaCyclesPerColumn.absent(), gpu.wgmmaCyclesPerColumn.absent());
        for (const std::string& key : changedFigures(gpu, *half))
            EXPECT_TRUE(key == "mma-sync-cycles" || key == "wgmma-cycles-per-column" || key == "umma-cycles-per-column"
                || key.starts_with("tensor-"))
                << key;
    }
}

TEST(Knobs, ContentionIsASwitchForBothInstructions)
{
    Scenario s;
    s.algorithm = "fa3";
    s.knobs = { { "register-contention", "off" } };
    const auto off = applyKnobs(*findGpu("h100"), s);
    ASSERT_TRUE(off);
    EXPECT_EQ(off->registerContention, 0);
    EXPECT_EQ(off->registerContentionWgmma, 0);
    s.knobs.emplace_back("register-contention-wgmma", "0.5");
    EXPECT_EQ(applyKnobs(*findGpu("h100"), s)->registerContentionWgmma, 0.5) << "the last wins";
}

TEST(Knobs, OfWhatTheGpuLacksAreRefused)
{
    const auto gpu = turned(*findGpu("a100"), "tma-latency", 100);
    ASSERT_FALSE(gpu);
    EXPECT_NE(gpu.error().line().find("no TMA"), std::string::npos) << gpu.error().line();
    EXPECT_EQ(turned(*findGpu("a100"), "register-contention", 2)->registerContentionWgmma, 0);
}

// At the value it has anyway a knob changes nothing.
TEST(Knobs, AtTheGpusOwnValueChangeNothing)
{
    Scenario s = scenarioOf("fa2", 256, 256, 64, "none", { 128, 128 }, DType::Bf16);
    s.record = { Record::Kind::None };
    const auto usual = runOf(s);
    const GpuSpec& gpu = usual.gpu;
    const auto text = [](double value) { return std::to_string(value); };
    for (const auto& [key, value] :
        std::vector<std::pair<std::string, std::string>> { { "sms", std::to_string(static_cast<int>(gpu.sms)) },
            { "clock-mhz", text(gpu.clockMhz) }, { "tensor-rate", text(gpu.tensorFlopsPerClk) },
            { "mufu-rate", text(gpu.mufuPerClk) }, { "smem-bytes-per-clk", text(gpu.smemBytesPerClk) },
            { "smem-kib", text(gpu.smemPerSmKib) }, { "hbm-gbps", text(gpu.hbmGBps) } }) {
        s.knobs = { { key, value } };
        EXPECT_EQ(runOf(s).report.cycles, usual.report.cycles) << key << "=" << value;
    }
}

TEST(Gpus, EachRunsFlashAttention2)
{
    std::set<double> times;
    for (const GpuSpec& gpu : gpuSpecs()) {
        Scenario s = scenarioOf("fa2", 512, 512, 64, "none", { 128, 128 }, DType::Bf16);
        s.gpu = gpu.name;
        s.record = { Record::Kind::None };
        const Report report = runOf(s).report;
        EXPECT_GT(report.cycles, 0u) << gpu.name;
        EXPECT_EQ(report.hazards, 0u) << gpu.name;
        times.insert(report.microseconds);
    }
    EXPECT_GE(times.size(), 4u) << "one tile wave: H200 is as fast as H100, GB200 as B200";
}

TEST(Knobs, WhatTheyDoNotTakeIsAnErrorThatSaysWhat)
{
    const auto errorOfKnob = [](const char* key, const char* value) {
        Scenario s = scenarioOf("fa2", 8, 8, 8, "none", { 8, 8 });
        s.knobs = { { key, value } };
        return errorOf(s);
    };
    EXPECT_EQ(
        errorOfKnob("colour", "red"), "what-if colour: no knob of that name in this version (list knobs shows them)");
    EXPECT_EQ(errorOfKnob("sms", "0"), "what-if sms: cannot be 0 (1 … 1024)");
    EXPECT_NE(errorOfKnob("sms", "3.5").find("whole number"), std::string::npos);
    for (const char* value : { "", "-1", "1025", "many", "4 ", "nan", "inf", "1e99", "0x10", "off" })
        EXPECT_FALSE(errorOfKnob("sms", value).empty()) << value;
    for (const Knob& knob : knobs())
        for (const double value : { knob.low - 1, knob.high + 1 }) {
            if (!knob.words.empty())
                continue;
            const auto gpu = turned(*findGpu("h100"), std::string(knob.key), value);
            ASSERT_FALSE(gpu) << knob.key;
            EXPECT_NE(gpu.error().line().find(std::string(knob.accepts)), std::string::npos) << knob.key;
        }
    EXPECT_NE(errorOfKnob("tma-latency", "100").find("fa2 does not obey it"), std::string::npos);
}

} // namespace
