// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/engines.h"

#include <gtest/gtest.h>

namespace {

using namespace flashstep;

TEST(EnginesInTurns, AShortOneDoesNotWaitForAllOfALongOne)
{
    Engines engines(1);
    EXPECT_EQ(engines.share(0, 0, Engine::Issue, 400, 0), 400);
    EXPECT_EQ(engines.share(0, 0, Engine::Issue, 50, 100), 200) << "its own share, and as much of the other's";
    EXPECT_EQ(engines.share(0, 1, Engine::Issue, 50, 100), 150) << "another quarter";
    EXPECT_EQ(engines.share(0, 0, Engine::Alu, 50, 100), 150) << "another engine";
}

TEST(EnginesInTurns, ALongOneWaitsForNoMoreThanThereIs)
{
    Engines engines(1);
    EXPECT_EQ(engines.share(0, 0, Engine::Smem, 30, 0), 30);
    EXPECT_EQ(engines.share(0, 3, Engine::Smem, 500, 10), 530) << "one port for the whole SM";
}

TEST(EnginesInTurns, WhatWasPromisedTooEarlyIsDoneBeforeWhatComesNext)
{
    Engines engines(1);
    EXPECT_EQ(engines.share(0, 0, Engine::Alu, 100, 0), 100);
    EXPECT_EQ(engines.share(0, 0, Engine::Alu, 50, 0), 100) << "both are promised 100, for work of 150";
    EXPECT_EQ(engines.share(0, 0, Engine::Alu, 10, 100), 160);
    EXPECT_EQ(engines.share(0, 0, Engine::Alu, 10, 1000), 1010) << "long over";
}

TEST(EnginesInTurns, AWarpgroupIsDoneWithTheLastOfItsQuarters)
{
    Engines engines(1);
    EXPECT_EQ(engines.share(0, 2, Engine::Issue, 100, 0), 100);
    EXPECT_EQ(engines.share(0, -1, Engine::Issue, 100, 0), 200);
}

TEST(EnginesInTurns, MoreThanCanBeKeptApartComeInOrder)
{
    Engines engines(1);
    Ticks last = 0;
    for (int k = 0; k < 40; ++k)
        last = engines.share(0, 0, Engine::Issue, 10, 0);
    EXPECT_EQ(last, 400) << "nothing is lost";
}

} // namespace
