// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>

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

class Fp8Of : public testing::TestWithParam<const char*> { };
INSTANTIATE_TEST_SUITE_P(Algorithms, Fp8Of, testing::Values("standard", "fa3"));

TEST_P(Fp8Of, IsWithinTheErrorBoundOfTheFloat64Reference)
{
    Limits limits;
    limits.dtypes = { DType::E4m3 };
    int ran = 0;
    for (const std::uint64_t seed : seeds(300)) {
        Scenario s = randomScenario(seed, GetParam(), limits);
        s.gpu = "h100";
        if (GetParam() == std::string("fa3"))
            s.knobs.emplace_back("fp8-scale", seed % 2 == 0 ? "tensor" : "block");
        if (seed % 3 == 0)
            std::erase_if(s.knobs, [](const auto& knob) { return knob.first == "fp8-scale"; });
        if (!prepare(s)) // no such kernel: a head dimension that is no multiple of 16, copies by the consumers
            continue;
        ++ran;
        SCOPED_TRACE(describe(seed, s));
        const auto run = runOf(s);
        ASSERT_TRUE(run.report.maxAbsError && run.report.maxAbsErrorLse && run.report.errorBound);
        ASSERT_LE(*run.report.maxAbsError, *run.report.errorBound);
        ASSERT_EQ(run.report.hazards, 0U);
        ASSERT_TRUE(run.trace->deadlock().empty());
        ASSERT_EQ(run.report.pClipped, 0U) << "P reaches up to 256";
        if (GetParam() == std::string("fa3")) {
            ASSERT_LE(*run.report.maxAbsErrorLse, 2e-5) << "l sums P before it is rounded, and the offset is taken off";
        }
    }
    EXPECT_GE(ran, 60);
}

// With the reference that may stay behind, P is clipped where offset and threshold exceed what the format holds.
TEST(Fp8, OfFlashAttention4IsWithinTheErrorBoundOfTheFloat64Reference)
{
    Limits limits;
    limits.dtypes = { DType::E4m3 };
    int ran = 0;
    for (const std::uint64_t seed : seeds(200)) {
        Scenario s = randomScenario(seed, "fa4", limits);
        if (seed % 3 == 0)
            s.knobs.emplace_back("fp8-scale", "tensor");
        if (!prepare(s)) // head dimension 256 has no FP8
            continue;
        ++ran;
        SCOPED_TRACE(describe(seed, s));
        const auto run = runOf(s);
        ASSERT_TRUE(run.report.maxAbsError && run.report.maxAbsErrorLse && run.report.errorBound);
        ASSERT_LE(*run.report.maxAbsError, *run.report.errorBound);
        ASSERT_LE(*run.report.maxAbsErrorLse, 2e-4);
        ASSERT_EQ(run.report.hazards, 0U);
        ASSERT_TRUE(run.trace->deadlock().empty());
        if (run.program->softmax.threshold == 0) {
            ASSERT_EQ(run.report.pClipped, 0U) << "P reaches up to 256";
        }
    }
    EXPECT_GE(ran, 100);
}

TEST_P(Fp8Of, HoldsForEveryMaskAndHeadDimension)
{
    for (const char* mask : { "none", "causal", "window:40,8" })
        for (const int dim : { 32, 64, 80, 96, 128, 192, 256 })
            for (const char* sms : { "2", "132" }) {
                const Scenario s = fp8Scenario(GetParam(), 96, 112, dim, mask, { 24, 16 }, { { "sms", sms } });
                SCOPED_TRACE(describe(s));
                const Report report = runOf(s).report;
                EXPECT_LE(*report.maxAbsError, *report.errorBound);
                EXPECT_EQ(report.hazards, 0U);
            }
}

// A bound that anything meets says nothing.
TEST_P(Fp8Of, ComesNearEnoughToTheBoundOnNormalInputs)
{
    for (const auto& [mask, most] : { std::pair("none", 70.0), std::pair("causal", 20.0) }) {
        const Report report = runOf(fp8Scenario(GetParam(), 256, 256, 64, mask, { 64, 64 })).report;
        const double ratio = *report.errorBound / *report.maxAbsError;
        RecordProperty(mask, std::to_string(ratio));
        EXPECT_GE(ratio, 1) << mask;
        EXPECT_LE(ratio, most) << mask << ": bound " << *report.errorBound << ", error " << *report.maxAbsError;
    }
}

} // namespace
