// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/event_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace {

using namespace flashstep;

TEST(EventQueue, GivesTheEarliestFirstAndOfOneCycleTheOneThatCameFirst)
{
    EventQueue<int> queue;
    queue.push(5, 1);
    queue.push(3, 2);
    queue.push(5, 3);
    EXPECT_EQ(queue.pop(), 2);
    EXPECT_EQ(queue.now(), 3);
    EXPECT_EQ(queue.following(), nullptr) << "nothing more at this cycle";
    queue.push(3, 4); // due at once
    ASSERT_NE(queue.following(), nullptr);
    EXPECT_EQ(*queue.following(), 4);
    EXPECT_EQ(queue.pop(), 4);
    EXPECT_EQ(queue.pop(), 1);
    EXPECT_EQ(queue.pop(), 3);
    EXPECT_EQ(queue.now(), 5);
    EXPECT_TRUE(queue.empty());
}

// Near and far, against the definition: ordered by cycle and by number.
TEST(EventQueue, KeepsTheOrderWhateverIsPushedWhen)
{
    EventQueue<int> queue;
    std::multimap<Cycle, int> expected; // equal keys stay in the order in which they came
    std::minstd_rand random(11);
    int pushed = 0;
    const auto push = [&] {
        const Cycle ahead
            = random() % 4 == 0 ? static_cast<Cycle>(random() % 20000) : static_cast<Cycle>(random() % 40);
        queue.push(queue.now() + ahead, pushed);
        expected.emplace(queue.now() + ahead, pushed++);
    };
    for (int k = 0; k < 200; ++k)
        push();
    while (!queue.empty()) {
        ASSERT_FALSE(expected.empty());
        ASSERT_EQ(queue.pop(), expected.begin()->second);
        ASSERT_EQ(queue.now(), expected.begin()->first);
        expected.erase(expected.begin());
        for (std::uint64_t k = random() % 3; k > 0 && pushed < 20000; --k)
            push();
    }
    EXPECT_TRUE(expected.empty());
}

} // namespace
