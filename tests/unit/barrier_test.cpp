// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/resident.h"

#include <gtest/gtest.h>

namespace flashstep {
namespace {

BarrierDecl barrierOf(const char* unit, int count)
{
    return { "b", "b", unit, count, false, 0 };
}

TEST(BarrierRun, CompletesATurnWhenItsCountHasArrived)
{
    const BarrierDecl decl = barrierOf("threads", 96);
    BarrierRun run;
    run.arrive(decl, 32);
    run.arrive(decl, 32);
    EXPECT_EQ(run.turns, 0);
    EXPECT_EQ(run.inTurn(decl), 64);
    run.arrive(decl, 32);
    EXPECT_EQ(run.turns, 1);
    EXPECT_EQ(run.inTurn(decl), 0) << "the next turn begins";
}

TEST(BarrierRun, CarriesOverWhatIsMoreThanATurn)
{
    const BarrierDecl decl = barrierOf("threads", 64);
    BarrierRun run;
    run.arrive(decl, 160);
    EXPECT_EQ(run.turns, 2);
    EXPECT_EQ(run.inTurn(decl), 32);
}

TEST(BarrierRun, CompletesWhenTheBytesHaveLandedThatWereAnnounced)
{
    const BarrierDecl decl = barrierOf("bytes", 1000);
    BarrierRun run;
    run.arrive(decl, 1);
    EXPECT_EQ(run.inTurn(decl), 0);
    run.land(decl, 600, 0);
    EXPECT_EQ(run.turns, 0);
    EXPECT_EQ(run.inTurn(decl), 600);
    run.land(decl, 400, 0);
    EXPECT_EQ(run.turns, 1);
    EXPECT_EQ(run.inTurn(decl), 0);
}

// Of a cluster, the other CTA's half may land before this one has announced the turn.
TEST(BarrierRun, CountsBytesThatLandBeforeTheyAreAnnounced)
{
    const BarrierDecl decl = barrierOf("bytes", 1000);
    BarrierRun run;
    run.land(decl, 500, 0);
    EXPECT_EQ(run.turns, 0);
    EXPECT_EQ(run.inTurn(decl), 500);
    run.arrive(decl, 1);
    EXPECT_EQ(run.turns, 0);
    run.land(decl, 500, 0);
    EXPECT_EQ(run.turns, 1);
    run.land(decl, 1000, 0);
    EXPECT_EQ(run.turns, 1) << "all of them, and no arrival";
    run.arrive(decl, 1);
    EXPECT_EQ(run.turns, 2);
}

TEST(BarrierRun, NeverCompletesWithOtherBytesThanWereAnnounced)
{
    const BarrierDecl decl = barrierOf("bytes", 1000);
    BarrierRun less;
    less.arrive(decl, 1);
    less.land(decl, 999, 0);
    EXPECT_EQ(less.turns, 0);
    BarrierRun more;
    more.arrive(decl, 1);
    more.land(decl, 1001, 0);
    EXPECT_EQ(more.turns, 0);
}

TEST(BarrierRun, TakesALandingCopyForTheThreadsThatMadeIt)
{
    const BarrierDecl decl = barrierOf("threads", 128);
    BarrierRun run;
    run.land(decl, 4096, 128);
    EXPECT_EQ(run.turns, 1);
}

TEST(AsyncGroups, AreDoneInTheOrderInWhichTheyWereClosed)
{
    AsyncGroups groups;
    const std::uint32_t first = groups.issue();
    groups.commit();
    const std::uint32_t second = groups.issue();
    EXPECT_EQ(groups.issue(), second) << "both are in the open group";
    groups.commit();
    EXPECT_NE(first, second);
    EXPECT_FALSE(groups.done(1));
    EXPECT_TRUE(groups.done(2)) << "both may stay in flight";
    groups.finished(second);
    groups.finished(second);
    EXPECT_FALSE(groups.done(1)) << "the first is still in flight, and the second behind it";
    groups.finished(first);
    EXPECT_TRUE(groups.done(0));
}

TEST(AsyncGroups, AnEmptyGroupIsDoneAtOnce)
{
    AsyncGroups groups;
    groups.commit();
    EXPECT_TRUE(groups.done(0));
    const std::uint32_t group = groups.issue();
    groups.commit();
    groups.commit();
    EXPECT_FALSE(groups.done(1)) << "an empty group behind one in flight";
    EXPECT_TRUE(groups.done(2));
    groups.finished(group);
    EXPECT_TRUE(groups.done(0));
}

// Issued, and done before it was closed.
TEST(AsyncGroups, MayFinishBeforeTheyAreClosed)
{
    AsyncGroups groups;
    groups.finished(groups.issue());
    EXPECT_TRUE(groups.done(0));
    groups.commit();
    EXPECT_TRUE(groups.done(0));
    const std::uint32_t next = groups.issue();
    groups.commit();
    EXPECT_FALSE(groups.done(0));
    groups.finished(next);
    EXPECT_TRUE(groups.done(0));
}

} // namespace
} // namespace flashstep
