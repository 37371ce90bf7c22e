// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/l2_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <random>

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

// Against the definition: a list of pieces, the one used last in front.
TEST(L2Cache, DoesAsAListWould)
{
    struct Piece {
        std::uint64_t key;
        Bytes bytes;
        bool dirty;
    };
    std::list<Piece> pieces;
    constexpr Bytes capacity = 40000;
    L2Cache cache(capacity);
    std::minstd_rand random(7);
    Bytes used = 0;
    Bytes dirty = 0;
    for (int k = 0; k < 20000; ++k) {
        // Stretches of neighbours, far from each other.
        const std::uint64_t key = (std::uint64_t { random() % 5 } << 40U) + random() % 3 * 1000 + random() % 80;
        const Bytes bytes = 100 + static_cast<Bytes>(random() % 200);
        const bool writes = random() % 3 == 0;
        L2Cache::Traffic expected;
        auto at = std::find_if(pieces.begin(), pieces.end(), [&](const Piece& p) { return p.key == key; });
        if (at == pieces.end()) {
            at = pieces.insert(pieces.end(), { key, bytes, false });
            used += bytes;
            expected.read = writes ? 0 : bytes;
        }
        pieces.splice(pieces.begin(), pieces, at);
        if (writes && !at->dirty) {
            at->dirty = true;
            dirty += at->bytes;
        }
        for (; used > capacity && pieces.size() > 1; pieces.pop_back()) {
            used -= pieces.back().bytes;
            expected.written += pieces.back().dirty ? pieces.back().bytes : 0;
        }
        dirty -= expected.written;
        const L2Cache::Traffic traffic = writes ? cache.write(key, bytes) : cache.read(key, bytes);
        ASSERT_EQ(traffic.read, expected.read) << k;
        ASSERT_EQ(traffic.written, expected.written) << k;
        ASSERT_EQ(cache.dirty(), dirty) << k;
    }
}

} // namespace
} // namespace flashstep
