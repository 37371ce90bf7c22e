// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/l2_cache.h"

#include <gtest/gtest.h>

namespace flashstep {
namespace {

TEST(L2Cache, ReadsFromHbmWhatItDoesNotHold)
{
    L2Cache cache(1000);
    EXPECT_EQ(cache.read(1, 300).read, 300);
    EXPECT_EQ(cache.read(1, 300).read, 0);
    EXPECT_EQ(cache.read(2, 300).read, 300);
    EXPECT_EQ(cache.read(1, 300).written, 0) << "nothing has been written";
    EXPECT_EQ(cache.dirty(), 0);
}

TEST(L2Cache, GivesUpWhatWasUsedLongestAgo)
{
    L2Cache cache(900);
    cache.read(1, 300);
    cache.read(2, 300);
    cache.read(3, 300);
    cache.read(1, 300); // now 2 is the oldest
    EXPECT_EQ(cache.read(4, 300).read, 300);
    EXPECT_EQ(cache.read(1, 300).read, 0);
    EXPECT_EQ(cache.read(3, 300).read, 0);
    EXPECT_EQ(cache.read(2, 300).read, 300) << "it has made room";
}

TEST(L2Cache, KeepsWritesUntilTheyHaveToMakeRoom)
{
    L2Cache cache(900);
    EXPECT_EQ(cache.write(1, 300).read, 0) << "a whole piece is written: nothing to fetch first";
    EXPECT_EQ(cache.write(1, 300).written, 0);
    EXPECT_EQ(cache.dirty(), 300) << "twice written, once to go out";
    EXPECT_EQ(cache.read(1, 300).read, 0) << "what has been written can be read";
    cache.read(2, 300);
    cache.read(3, 300);
    const L2Cache::Traffic traffic = cache.read(4, 300);
    EXPECT_EQ(traffic.read, 300);
    EXPECT_EQ(traffic.written, 300) << "1 goes out to HBM";
    EXPECT_EQ(cache.dirty(), 0);
    EXPECT_EQ(cache.read(1, 300).read, 300) << "and is read back";
}

TEST(L2Cache, WritesBackNothingThatWasOnlyRead)
{
    L2Cache cache(600);
    for (std::uint64_t key = 1; key <= 10; ++key)
        EXPECT_EQ(cache.read(key, 300).written, 0);
}

TEST(L2Cache, LetsOnePieceMakeRoomForSeveral)
{
    L2Cache cache(1000);
    for (std::uint64_t key = 1; key <= 10; ++key)
        cache.write(key, 100);
    EXPECT_EQ(cache.dirty(), 1000);
    EXPECT_EQ(cache.read(11, 350).written, 400) << "the four oldest";
    EXPECT_EQ(cache.dirty(), 600);
    EXPECT_EQ(cache.read(5, 100).read, 0);
}

TEST(L2Cache, HoldsTheLastPieceEvenWhereItIsTooLarge)
{
    L2Cache cache(100);
    EXPECT_EQ(cache.read(1, 500).read, 500);
    EXPECT_EQ(cache.read(1, 500).read, 0);
    EXPECT_EQ(cache.read(2, 50).read, 50) << "which the next one drives out";
    EXPECT_EQ(cache.read(1, 500).read, 500);
}

} // namespace
} // namespace flashstep
