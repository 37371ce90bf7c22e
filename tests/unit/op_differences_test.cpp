// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/run.h"
#include "core/io/op_differences.h"
#include "core/io/recorded_scenario.h"
#include "core/io/recording_read.h"
#include "tests/support/stand_in.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace flashstep::test {
namespace {

Problem small(MaskKind mask = MaskKind::None)
{
    Problem p;
    p.heads = 2;
    p.kvHeads = 1;
    p.seqlenQ = 130;
    p.seqlenK = 150;
    p.mask.kind = mask;
    return p;
}

Recording emulated(const std::string& kernel, const Problem& problem)
{
    ptx::RunOptions options;
    options.gpu = findGpu("a100");
    auto made = recordKernel(*cuda::findKernelPlan(kernel), problem, generateInputs(problem), options, {});
    EXPECT_TRUE(made.ok()) << (made ? "" : made.error().line());
    return *readRecording(made->json, "r");
}

OpTimes scheduleOf(const Recording& recording)
{
    auto file = recordedScenario(recording);
    EXPECT_TRUE(file.ok()) << (file ? "" : file.error().line());
    file->scenario.record.kind = Record::Kind::None;
    const auto run = runScenario(file->scenario, std::nullopt, {});
    EXPECT_TRUE(run.ok()) << (run ? "" : run.error().line());
    auto times = opTimes(*run->trace);
    EXPECT_TRUE(times.ok()) << (times ? "" : times.error().line());
    return std::move(*times);
}

// Every row of either side is in exactly one place.
void expectNothingLost(const OpDifferences& d)
{
    std::vector<int> seenA(d.a.rows.size(), 0), seenB(d.b.rows.size(), 0);
    for (const OpPair& pair : d.pairs) {
        ++seenA[pair.a];
        ++seenB[pair.b];
        EXPECT_EQ(d.a.ops[d.a.rows[pair.a].op], d.b.ops[d.b.rows[pair.b].op]);
        EXPECT_EQ(d.a.roles[d.a.rows[pair.a].role], d.b.roles[d.b.rows[pair.b].role]);
        EXPECT_EQ(d.a.rows[pair.a].i, d.b.rows[pair.b].i);
    }
    for (const std::uint32_t row : d.onlyInA)
        ++seenA[row];
    for (const std::uint32_t row : d.onlyInB)
        ++seenB[row];
    EXPECT_TRUE(std::all_of(seenA.begin(), seenA.end(), [](int n) { return n == 1; }));
    EXPECT_TRUE(std::all_of(seenB.begin(), seenB.end(), [](int n) { return n == 1; }));
    std::size_t pairs = 0, onlyA = 0, onlyB = 0;
    for (const OpSummary& summary : d.summaries) {
        EXPECT_EQ(summary.firstPair, pairs);
        pairs += summary.pairs;
        onlyA += summary.onlyInA;
        onlyB += summary.onlyInB;
    }
    EXPECT_EQ(pairs, d.pairs.size());
    EXPECT_EQ(onlyA, d.onlyInA.size());
    EXPECT_EQ(onlyB, d.onlyInB.size());
}

// Flash attention's kernel does what its schedule says, op by op.
TEST(OpDifferences, EveryOpOfFa2HasItsPartnerInTheSchedule)
{
    for (const MaskKind mask : { MaskKind::None, MaskKind::Causal }) {
        const Recording recording = emulated("fa2_forward_d64", small(mask));
        const OpDifferences d = differencesOf(scheduleOf(recording), opTimes(recording, "r.json"));
        expectNothingLost(d);
        EXPECT_EQ(d.pairs.size(), recording.slices().size());
        EXPECT_TRUE(d.onlyInA.empty());
        EXPECT_TRUE(d.onlyInB.empty());
        EXPECT_TRUE(d.converted);
        EXPECT_EQ(d.a.standing, "modelled");
        EXPECT_EQ(d.b.standing, "modelled");
    }
}

// FA1's kernel rescales l at the first block too, which the schedule knows to be nothing.
TEST(OpDifferences, NamesWhatHasNoPartner)
{
    const Recording recording = emulated("fa1_forward_d64", small());
    const OpDifferences d = differencesOf(scheduleOf(recording), opTimes(recording, "r.json"));
    expectNothingLost(d);
    EXPECT_TRUE(d.onlyInA.empty());
    std::set<std::string> names;
    for (const std::uint32_t row : d.onlyInB) {
        names.insert(d.b.ops[d.b.rows[row].op]);
        EXPECT_EQ(d.b.rows[row].j, 0);
    }
    EXPECT_EQ(names, std::set<std::string> { "rescale out=l_old" });
}

TEST(OpDifferences, KnowTheLaunchesWhateverTheHeadDimension)
{
    Problem wide = small();
    wide.headDim = wide.headDimV = 128;
    const Recording recording = emulated("standard_d128", wide);
    EXPECT_EQ(opTimes(recording, "r").launchCtas.size(), 3U);
    EXPECT_EQ(recordedScenario(recording)->scenario.problem, wide);
}

// Standard attention's softmax is cut into CTAs of its own by the kernel; the products are not.
TEST(OpDifferences, SaysWhichLaunchCannotBeCompared)
{
    const Recording recording = emulated("standard_d64", small());
    const OpDifferences d = differencesOf(scheduleOf(recording), opTimes(recording, "r.json"));
    expectNothingLost(d);
    EXPECT_GT(d.pairs.size(), 1000U);
    for (const OpPair& pair : d.pairs)
        EXPECT_NE(d.a.rows[pair.a].launch, 1U);
    EXPECT_TRUE(std::any_of(d.notes.begin(), d.notes.end(),
        [](const std::string& note) { return note.starts_with("launch 2 has 6 CTAs in schedule, 66 in r.json"); }));
}

TEST(OpDifferences, OfARecordingWithItselfAreNothing)
{
    const Recording recording = emulated("fa1_forward_d64", small());
    const OpDifferences d = differencesOf(opTimes(recording, "a"), opTimes(recording, "b"));
    expectNothingLost(d);
    EXPECT_EQ(d.pairs.size(), recording.slices().size());
    for (const OpPair& pair : d.pairs)
        EXPECT_EQ(d.timeA(pair), d.timeB(pair));
    for (const OpSummary& summary : d.summaries) {
        EXPECT_EQ(summary.medianA, summary.medianB);
        EXPECT_EQ(summary.sumA, summary.sumB);
    }
}

// Ticks of 1 GHz beside cycles of 1.41 GHz.
TEST(OpDifferences, TurnOneClockIntoTheOtherAndSaySo)
{
    const std::string bytes = deviceLikeRecording("fa2_forward_d64", small());
    const auto recording = readRecording(bytes, "r");
    ASSERT_TRUE(recording.ok());
    const OpTimes schedule = scheduleOf(*recording);
    const OpDifferences d = differencesOf(schedule, opTimes(*recording, "r.json"));
    EXPECT_DOUBLE_EQ(d.factor, schedule.perSecond / 1e9);
    EXPECT_EQ(d.b.standing, "measured on Stand-in GPU");
    ASSERT_FALSE(d.notes.empty());
    EXPECT_NE(d.notes.back().find("ticks of r.json (measured on Stand-in GPU) at 1000 MHz are turned into"),
        std::string::npos)
        << d.notes.back();
    const OpPair& pair = d.pairs.front();
    EXPECT_DOUBLE_EQ(d.timeB(pair), static_cast<double>(d.b.rows[pair.b].length) * d.factor);
}

// A warp's ops fill its time: nothing between two of them is left out.
TEST(OpDifferences, TimesOfAScheduleAreThoseBetweenBeginnings)
{
    const OpTimes schedule = scheduleOf(emulated("fa2_forward_d64", small()));
    for (std::size_t k = 0; k + 1 < schedule.rows.size(); ++k) {
        const OpTimes::Row &row = schedule.rows[k], &next = schedule.rows[k + 1];
        EXPECT_GE(row.length, 0);
        if (row.role == next.role && row.cta == next.cta) {
            EXPECT_EQ(row.begin + row.length, next.begin);
        }
    }
}

TEST(OpDifferences, LoseNothingOfAnyTwoSides)
{
    for (unsigned seed = 1; seed <= 50; ++seed) {
        std::mt19937 random(seed);
        const auto some = [&](unsigned below) { return static_cast<std::uint32_t>(random() % below); };
        const auto side = [&] {
            OpTimes times;
            times.unit = "ticks";
            for (std::uint32_t k = 0; k < 3; ++k) {
                times.ops.push_back("op " + std::to_string(some(2) + k));
                times.roles.push_back("warp " + std::to_string(k));
            }
            std::sort(times.ops.begin(), times.ops.end());
            times.ops.erase(std::unique(times.ops.begin(), times.ops.end()), times.ops.end());
            const auto kinds = static_cast<unsigned>(times.ops.size());
            for (std::uint32_t k = some(60); k > 0; --k)
                times.rows.push_back(
                    { some(kinds), some(3), 0, some(3), some(2), some(4) == 0 ? -1 : some(3), k, some(9), k });
            return times;
        };
        const OpDifferences d = differencesOf(side(), side());
        expectNothingLost(d);
        EXPECT_FALSE(d.converted);
    }
}

TEST(OpDifferences, NeedAKernelOfTheVersion)
{
    Scenario scenario;
    scenario.algorithm = "fa3";
    scenario.problem.seqlenQ = scenario.problem.seqlenK = 128;
    scenario.record.kind = Record::Kind::None;
    const auto run = runScenario(scenario, std::nullopt, {});
    ASSERT_TRUE(run.ok());
    const auto times = opTimes(*run->trace);
    ASSERT_FALSE(times.ok());
    EXPECT_NE(times.error().line().find("no CUDA kernel of fa3"), std::string::npos);
}

} // namespace
} // namespace flashstep::test
