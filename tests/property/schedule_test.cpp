// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"
#include "tests/support/trace_invariants.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace flashstep;
using namespace flashstep::test;

class ScheduleOf : public testing::TestWithParam<const char*> { };
INSTANTIATE_TEST_SUITE_P(Algorithms, ScheduleOf, testing::Values("standard", "fa1", "fa2", "fa3", "fa4"));

Scenario timingOnly(Scenario s)
{
    s.record = { Record::Kind::None };
    return s;
}

TEST_P(ScheduleOf, KeepsTimeInOrderAndResourcesWithinCapacity)
{
    for (const std::uint64_t seed : seeds(100)) {
        const Scenario s = timingOnly(randomScenario(seed, GetParam()));
        SCOPED_TRACE(describe(seed, s));
        const auto run = runOf(s);
        ASSERT_TRUE(run.trace->deadlock().empty());
        ASSERT_NO_FATAL_FAILURE(expectTimesInOrder(*run.trace));
        ASSERT_NO_FATAL_FAILURE(expectWithinCapacity(*run.trace, run.gpu));
    }
}

// More CTAs than fit at once, on few SMs.
TEST_P(ScheduleOf, FillsFewSmsWithinTheirCapacity)
{
    const TileSize tile { GetParam() == std::string("fa1") ? 32 : 64, 64 };
    Scenario s = timingOnly(scenarioOf(GetParam(), 1024, 512, 64, "causal", tile));
    s.problem.heads = s.problem.kvHeads = 3;
    s.knobs.emplace_back("sms", "2");
    const auto run = runOf(s);
    ASSERT_NO_FATAL_FAILURE(expectTimesInOrder(*run.trace));
    ASSERT_NO_FATAL_FAILURE(expectWithinCapacity(*run.trace, run.gpu));
    const bool several = run.program->launches.back().schedule == Schedule::SingleTile
        && GetParam() != std::string("fa4"); // which takes all registers of an SM
    EXPECT_GE(run.trace->ctasPerSm(), several ? 2 : 1);
    int most = 0;
    for (std::size_t c = 0; c < run.program->ctaCount(); ++c)
        most = std::max(most, static_cast<int>(run.trace->span(CtaId(c)).slot));
    EXPECT_EQ(most + 1, run.trace->ctasPerSm()) << "every slot is used";
}

TEST_P(ScheduleOf, CoversEveryVisiblePairExactlyOnce)
{
    for (const std::uint64_t seed : seeds(100)) {
        const Scenario s = timingOnly(randomScenario(seed, GetParam()));
        SCOPED_TRACE(describe(seed, s));
        ASSERT_NO_FATAL_FAILURE(expectEveryPairCoveredOnce(*runOf(s).trace));
    }
}

TEST_P(ScheduleOf, HasCountersThatAddUpAtEveryPosition)
{
    for (const std::uint64_t seed : seeds(20)) {
        const Scenario s = timingOnly(randomScenario(seed, GetParam(), { 8000, 64, { DType::Bf16 }, 2 }));
        SCOPED_TRACE(describe(seed, s));
        ASSERT_NO_FATAL_FAILURE(expectCountersToAddUp(*runOf(s).trace));
    }
}

TEST_P(ScheduleOf, IsTheSameWhetherValuesAreKeptOrNot)
{
    for (const std::uint64_t seed : seeds(30)) {
        Scenario s = randomScenario(seed, GetParam(), { 8000, 64, { DType::Fp32, DType::Bf16 }, 2 });
        if (s.algorithm == "fa4") { // its rescales depend on the values: here nobody needs one, and none is assumed
            s.problem.mask = {};
            s = with(s, { { "rescale-threshold", "16" }, { "assumed-rescale-rate", "0" } });
        }
        SCOPED_TRACE(describe(seed, s));
        s.record = { Record::Kind::All };
        const auto all = runOf(s);
        s.record = { Record::Kind::None };
        const auto none = runOf(s);
        ASSERT_NO_FATAL_FAILURE(expectSameEvents(*all.trace, *none.trace));
        EXPECT_FALSE(none.report.maxAbsError || none.report.errorBound);
        const CtaId chosen(static_cast<std::size_t>(seed) % all.program->ctaCount());
        s.record = { Record::Kind::OneCta, static_cast<std::uint32_t>(chosen.index()) };
        const auto one = runOf(s);
        ASSERT_NO_FATAL_FAILURE(expectSameEvents(*all.trace, *one.trace));
        ASSERT_NO_FATAL_FAILURE(expectSameValues(*all.trace, *one.trace, chosen));
        for (std::size_t c = 0; c < all.program->ctaCount(); ++c) {
            EXPECT_TRUE(all.trace->hasValues(CtaId(c)));
            EXPECT_FALSE(none.trace->hasValues(CtaId(c)));
        }
        ASSERT_TRUE(one.report.maxAbsError && one.report.errorBound);
        EXPECT_LE(*one.report.maxAbsError, *all.report.maxAbsError);
        EXPECT_LE(one.trace->bytes(), all.trace->bytes());
    }
}

// What one tile of the grid needs from the launches before it is recorded with it: its own O is right, bit for bit.
TEST_P(ScheduleOf, GivesTheOutputOfARecordedTileWhole)
{
    Scenario s = scenarioOf(GetParam(), 40, 40, 16, "causal", { 8, 8 });
    s.problem.heads = s.problem.kvHeads = 2;
    const auto all = runOf(s);
    for (const int i : { 0, 2, 4 }) {
        const CtaId cta = all.trace->ctaOfTile(0, 1, i);
        s.record = { Record::Kind::OneCta, static_cast<std::uint32_t>(cta.index()) };
        const auto one = runOf(s);
        for (int row = 8 * i; row < 8 * (i + 1); ++row) {
            EXPECT_TRUE(std::ranges::equal(one.o.row(0, 1, row), all.o.row(0, 1, row))) << row;
            EXPECT_EQ(one.lse.row(0, 1, row)[0], all.lse.row(0, 1, row)[0]) << row;
        }
    }
}

TEST_P(ScheduleOf, IsTheSameTwice)
{
    for (const std::uint64_t seed : seeds(10)) {
        const Scenario s = randomScenario(seed, GetParam(), { 8000, 64, { DType::Fp16 }, 2 });
        SCOPED_TRACE(describe(seed, s));
        const auto first = runOf(s);
        const auto second = runOf(s);
        ASSERT_NO_FATAL_FAILURE(expectSameEvents(*first.trace, *second.trace));
        for (std::size_t c = 0; c < first.program->ctaCount(); ++c)
            ASSERT_NO_FATAL_FAILURE(expectSameValues(*first.trace, *second.trace, CtaId(c)));
        EXPECT_TRUE(sameBits(first.o.data, second.o.data));
        EXPECT_EQ(first.trace->bytes(), second.trace->bytes());
    }
}

// Who waits longer changes the order of the events, never what is computed.
TEST_P(ScheduleOf, GivesTheSameNumbersOnAnyMachine)
{
    Scenario s = scenarioOf(GetParam(), 40, 72, 32, "causal", { 16, 16 }, DType::Bf16);
    const auto usual = runOf(s);
    for (const auto& knobs : std::vector<std::vector<std::pair<std::string, std::string>>> { { { "hbm-gbps", "10" } },
             { { "sms", "1" } }, { { "mufu-rate", "1" }, { "tensor-rate", "65536" } }, { { "tensor-rate", "64" } },
             { { "smem-bytes-per-clk", "8" } } }) {
        const auto other = runOf(with(s, knobs));
        EXPECT_EQ(other.report.hazards, 0U);
        EXPECT_TRUE(sameBits(usual.o.data, other.o.data)) << knobs.front().first;
        EXPECT_TRUE(sameBits(usual.lse.data, other.lse.data)) << knobs.front().first;
    }
}

} // namespace
