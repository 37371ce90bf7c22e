// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/engines.h"

#include <gtest/gtest.h>

namespace flashstep {
namespace {

TEST(Engines, ServeWhoComesFirst)
{
    Engines engines(2);
    EXPECT_EQ(engines.book(0, 0, Engine::Tensor, 100, 50), 50);
    EXPECT_EQ(engines.book(0, 0, Engine::Tensor, 10, 60), 150) << "when the one before is done";
    EXPECT_EQ(engines.book(0, 0, Engine::Tensor, 10, 500), 500) << "no sooner than it is asked for";
}

TEST(Engines, OfQuartersAndSmsAreIndependent)
{
    Engines engines(2);
    engines.book(0, 0, Engine::Tensor, 100, 0);
    EXPECT_EQ(engines.book(0, 1, Engine::Tensor, 100, 0), 0) << "another quarter";
    EXPECT_EQ(engines.book(1, 0, Engine::Tensor, 100, 0), 0) << "another SM";
    EXPECT_EQ(engines.book(0, 0, Engine::Exp, 100, 0), 0) << "another engine";
}

TEST(Engines, OfTheSmServeAllQuarters)
{
    Engines engines(2);
    engines.book(0, 0, Engine::Smem, 100, 0);
    EXPECT_EQ(engines.book(0, 3, Engine::Smem, 100, 0), 100);
    EXPECT_EQ(engines.book(1, 0, Engine::Smem, 100, 0), 0);
}

TEST(Engines, OfHbmServesTheWholeGpu)
{
    Engines engines(2);
    engines.book(0, 0, Engine::Hbm, 100, 0);
    EXPECT_EQ(engines.book(1, 2, Engine::Hbm, 100, 0), 100);
}

TEST(Engines, AWarpgroupTakesAllFourQuartersAtOnce)
{
    Engines engines(1);
    engines.book(0, 2, Engine::Tensor, 100, 0);
    EXPECT_EQ(engines.book(0, -1, Engine::Tensor, 30, 10), 100) << "when the last quarter is free";
    for (int quarter = 0; quarter < Engines::quarters; ++quarter)
        EXPECT_EQ(engines.book(0, quarter, Engine::Tensor, 1, 0), 130) << quarter;
    EXPECT_EQ(engines.book(0, -1, Engine::Smem, 10, 0), 0) << "the SM has one of these";
    EXPECT_EQ(engines.book(0, -1, Engine::Smem, 10, 0), 10);
}

TEST(Engines, ADelayPushesBackWhatComesNext)
{
    Engines engines(1);
    engines.delay(0, 1, Engine::Tensor, 40, 10);
    EXPECT_EQ(engines.book(0, 1, Engine::Tensor, 5, 0), 50);
    EXPECT_EQ(engines.book(0, 0, Engine::Tensor, 5, 0), 0) << "of its quarter alone";
    engines.delay(0, -1, Engine::Tensor, 100, 0);
    EXPECT_EQ(engines.book(0, 0, Engine::Tensor, 1, 0), 105);
    EXPECT_EQ(engines.book(0, 1, Engine::Tensor, 1, 0), 155);
    EXPECT_EQ(engines.book(0, 2, Engine::Tensor, 1, 0), 100);
}

} // namespace
} // namespace flashstep
