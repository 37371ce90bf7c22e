// SPDX-License-Identifier: Apache-2.0
#include "core/program/samples.h"

#include "core/emulation/run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace {

using namespace flashstep;

std::set<int> upTo(int last)
{
    std::vector<int> counts(static_cast<std::size_t>(last));
    std::iota(counts.begin(), counts.end(), 1);
    return { counts.begin(), counts.end() };
}

TEST(Samples, ShortShapesAndTheLongest)
{
    EXPECT_EQ(sampledBlocks({ 8 }), (std::set<int> { 8 }));
    EXPECT_EQ(sampledBlocks(upTo(5)), (std::set<int> { 1, 2, 3, 4, 5 }));
    EXPECT_EQ(sampledBlocks(upTo(100)), (std::set<int> { 1, 2, 3, 4, 6, 9, 13, 20, 100 }));
    EXPECT_EQ(sampledBlocks({ 12, 24, 36, 48 }), (std::set<int> { 48 }));
    EXPECT_EQ(sampledBlocks({ 6, 12, 24, 36, 48 }), (std::set<int> { 6, 24, 48 })) << "and the first long one";
}

// 64 query tiles of 1 to 128 blocks: nine of them get ops, all have their number of blocks.
TEST(Samples, OthersHaveNoOpsWhereOnlyTheTimeIsAskedFor)
{
    Scenario s;
    s.problem.seqlenQ = s.problem.seqlenK = 8192;
    s.problem.headDim = s.problem.headDimV = 128;
    s.problem.mask.kind = MaskKind::Causal;
    s.record = { Record::Kind::None };
    const auto whole = prepare(s);
    const auto timed = prepare(s, true);
    ASSERT_TRUE(whole.ok() && timed.ok());
    ASSERT_EQ(whole->program->streams.size(), 64U);
    ASSERT_EQ(timed->program->streams.size(), 64U);
    for (std::size_t k = 0; k < 64; ++k) {
        EXPECT_EQ(timed->program->streams[k].visitedBlocks, whole->program->streams[k].visitedBlocks);
        const std::uint32_t ops = timed->program->streams[k].opCount;
        EXPECT_TRUE(ops == 0 || ops == whole->program->streams[k].opCount);
    }
    const auto withOps
        = std::ranges::count_if(timed->program->streams, [](const Stream& stream) { return stream.opCount > 0; });
    EXPECT_EQ(withOps, 5) << "of 2, 4, 6, 20 and 128 blocks"; // two blocks for each tile of 128 queries
}

} // namespace
