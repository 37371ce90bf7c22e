// SPDX-License-Identifier: Apache-2.0
// Who does which works, and where: as the trace of a run has it.
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <set>

namespace {

using namespace flashstep;
using namespace flashstep::test;

flashstep::Run runWith(const char* mask, int headDim, const std::vector<std::pair<std::string, std::string>>& knobs)
{
    Scenario s = with(scenarioOf("fa3", 112, 64, headDim, mask, { 16, 16 }), knobs);
    s.problem.heads = s.problem.kvHeads = 2;
    s.record = { Record::Kind::None };
    return runOf(s);
}

TEST(CtaScheduler, StaticSharesAreEveryGthWork)
{
    const auto run = runWith("none", 32, { { "sms", "3" }, { "scheduler", "persistent" } });
    ASSERT_EQ(run.program->ctaCount(), 3U);
    for (std::size_t c = 0; c < 3; ++c) {
        std::size_t expected = c;
        for (const WorkId work : run.trace->worksOf(CtaId(c))) {
            EXPECT_EQ(work.index(), expected);
            expected += 3;
        }
        EXPECT_GE(expected, 14U) << "to the end";
        EXPECT_EQ(run.trace->span(CtaId(c)).sm, c);
    }
}

TEST(CtaScheduler, DynamicWorksGoToWhoeverAsksNext)
{
    const auto run = runWith("causal", 32, { { "sms", "3" }, { "scheduler", "linear" } });
    std::set<std::size_t> done;
    for (std::size_t c = 0; c < 3; ++c) {
        const auto works = run.trace->worksOf(CtaId(c));
        EXPECT_EQ(works.front().index(), c) << "the first is its own";
        for (std::size_t k = 0; k < works.size(); ++k) {
            EXPECT_TRUE(done.insert(works[k].index()).second);
            if (k > 0) {
                EXPECT_LT(works[k - 1].index(), works[k].index());
            }
        }
    }
    EXPECT_EQ(done.size(), 14U);
}

TEST(CtaScheduler, LongestTilesGoFirst)
{
    const auto run = runWith("causal", 32, { { "sms", "3" }, { "scheduler", "lpt" } });
    int before = run.program->queryTiles();
    for (const Work& work : run.program->works) {
        EXPECT_LE(work.i, before);
        before = work.i;
    }
}

TEST(CtaScheduler, SingleTilesStartWhereACtaHasEnded)
{
    const auto run = runWith("none", 32, { { "sms", "2" }, { "scheduler", "single-tile" } });
    ASSERT_EQ(run.program->ctaCount(), 14U);
    const int slots = run.trace->ctasPerSm();
    for (std::size_t c = 0; c < 14; ++c) {
        const CtaSpan& span = run.trace->span(CtaId(c));
        ASSERT_EQ(run.trace->worksOf(CtaId(c)).size(), 1U);
        EXPECT_EQ(run.trace->worksOf(CtaId(c)).front().index(), c);
        if (c < 2U * static_cast<std::size_t>(slots)) {
            EXPECT_EQ(span.begin, 0U) << "there is room";
            EXPECT_EQ(span.sm, c % 2) << "one on each SM before a second one";
            continue;
        }
        bool follows = false;
        for (std::size_t other = 0; other < c; ++other) {
            const CtaSpan& earlier = run.trace->span(CtaId(other));
            follows = follows || (earlier.sm == span.sm && earlier.slot == span.slot && earlier.end == span.begin);
        }
        EXPECT_TRUE(follows) << c;
    }
}

TEST(CtaScheduler, ClustersStandOnNeighboursAndStartTogether)
{
    Scenario s
        = with(scenarioOf("fa3", 128, 64, 128, "none", { 16, 16 }), { { "sms", "5" }, { "scheduler", "single-tile" } });
    s.record = { Record::Kind::None };
    const auto run = runOf(s);
    ASSERT_EQ(run.program->launches.back().clusterSize, 2);
    for (std::size_t c = 0; c < run.program->ctaCount(); c += 2) {
        const CtaSpan& first = run.trace->span(CtaId(c));
        const CtaSpan& second = run.trace->span(CtaId(c + 1));
        EXPECT_EQ(first.sm % 2, 0);
        EXPECT_EQ(first.sm + 1, second.sm);
        EXPECT_EQ(first.slot, second.slot);
        EXPECT_EQ(first.begin, second.begin);
        EXPECT_LT(second.sm, 4) << "the fifth SM has no neighbour";
    }
}

} // namespace
