// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/reference.h"

#include "core/tensor/generator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace {

using namespace flashstep;

struct Result {
    std::vector<double> o, lse;
    bool operator==(const Result&) const = default;
};

// One head with its own numbers.
struct Head {
    int seqlenQ, seqlenK, headDim, headDimV;
    std::vector<float> q, k, v;
    double scale = 1;
    std::function<std::pair<int, int>(int)> visible = [this](int) { return std::pair(0, seqlenK); };

    [[nodiscard]] Result run(int rowBegin, int rowEnd) const
    {
        const auto rows = static_cast<std::size_t>(rowEnd - rowBegin);
        Result result { std::vector<double>(rows * static_cast<std::size_t>(headDimV), 7),
            std::vector<double>(rows, 7) };
        referenceForward({ q.data(), k.data(), v.data(), headDim, headDimV, scale, visible }, rowBegin, rowEnd,
            result.o.data(), result.lse.data());
        return result;
    }
    [[nodiscard]] Result run() const { return run(0, seqlenQ); }
};

std::vector<float> normals(std::uint32_t stream, int count)
{
    std::vector<float> values;
    for (int n = 0; n < count; ++n)
        values.push_back(static_cast<float>(normalAt(3, stream, static_cast<std::uint64_t>(n))));
    return values;
}

TEST(Reference, OneKeyGivesItsValue)
{
    const Head head { 1, 1, 2, 3, { 1, 2 }, { 3, 4 }, { 5, -6, 7 }, 0.5 };
    EXPECT_EQ(head.run(), (Result { { 5, -6, 7 }, { 5.5 } }));
}

TEST(Reference, TwoKeysByHand)
{
    // Scores ln 3 and 0: weights 3/4 and 1/4.
    const Head head { 1, 2, 1, 1, { 1 }, { 1, 0 }, { 8, 4 }, std::log(3.0) };
    const Result result = head.run();
    EXPECT_NEAR(result.o[0], 7, 1e-14);
    EXPECT_NEAR(result.lse[0], std::log(4.0), 1e-15);
}

TEST(Reference, ConstantKeysAverageTheValues)
{
    const Head head { 1, 4, 1, 1, { 2 }, { 3, 3, 3, 3 }, { 1, 2, 3, 6 } };
    EXPECT_EQ(head.run().o[0], 3);
    EXPECT_DOUBLE_EQ(head.run().lse[0], 6 + std::log(4.0));
}

TEST(Reference, RowThatSeesNothing)
{
    Head head { 3, 2, 1, 2, { 1, 1, 1 }, { 1, 2 }, { 1, 2, 3, 4 } };
    head.visible = [](int row) { return row == 1 ? std::pair(0, 1) : std::pair(2, 0); };
    constexpr double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(head.run(), (Result { { 0, 0, 1, 2, 0, 0 }, { -infinity, 1, -infinity } }));
    EXPECT_EQ(head.run(0, 1), (Result { { 0, 0 }, { -infinity } })) << "no key at all";
}

Head randomHead(int seqlenQ, int seqlenK)
{
    return { seqlenQ, seqlenK, 8, 5, normals(0, seqlenQ * 8), normals(1, seqlenK * 8), normals(2, seqlenK * 5), 0.4 };
}

TEST(Reference, MatchesThePlainDefinition)
{
    Head head = randomHead(9, 37);
    head.visible = [](int row) { return std::pair(std::max(0, row * 4 - 9), row * 4 + 5); };
    const Result result = head.run();
    for (int row = 0; row < head.seqlenQ; ++row) {
        const auto [first, last] = head.visible(row);
        long double sum = 0;
        std::vector<long double> o(5);
        for (int key = first; key < last; ++key) {
            long double score = 0;
            for (int i = 0; i < 8; ++i)
                score += static_cast<long double>(head.q[static_cast<std::size_t>(row * 8 + i)])
                    * head.k[static_cast<std::size_t>(key * 8 + i)];
            const long double weight = std::exp(score * head.scale);
            sum += weight;
            for (int i = 0; i < 5; ++i)
                o[static_cast<std::size_t>(i)] += weight * head.v[static_cast<std::size_t>(key * 5 + i)];
        }
        EXPECT_NEAR(result.lse[static_cast<std::size_t>(row)], static_cast<double>(std::log(sum)), 1e-14);
        for (int i = 0; i < 5; ++i)
            EXPECT_NEAR(result.o[static_cast<std::size_t>(row * 5 + i)],
                static_cast<double>(o[static_cast<std::size_t>(i)] / sum), 1e-14);
    }
}

TEST(Reference, RowsDoNotDependOnTheirCompany)
{
    Head head = randomHead(12, 50);
    head.visible = [](int row) { return std::pair(row, row + 30); };
    const Result whole = head.run();
    for (int row = 0; row < head.seqlenQ; ++row) {
        const Result alone = head.run(row, row + 1);
        EXPECT_EQ(alone.lse[0], whole.lse[static_cast<std::size_t>(row)]);
        for (int i = 0; i < 5; ++i)
            EXPECT_EQ(alone.o[static_cast<std::size_t>(i)], whole.o[static_cast<std::size_t>(row * 5 + i)]);
    }
}

TEST(Reference, ScoresMayBeShifted)
{
    // The same vector on every key moves all scores of a row alike: O stays, LSE moves along. Even by 1000, whose
    // exponential no double holds.
    Head head = randomHead(4, 20);
    for (int row = 0; row < 4; ++row)
        head.q[static_cast<std::size_t>(row * 8)] = 1;
    const Result before = head.run();
    for (const float shift : { 2.5f, -2500.0f, 2500.0f }) {
        Head moved = head;
        for (int key = 0; key < 20; ++key)
            moved.k[static_cast<std::size_t>(key * 8)] += shift;
        const Result after = moved.run();
        for (std::size_t row = 0; row < 4; ++row)
            EXPECT_NEAR(after.lse[row] - before.lse[row], shift * head.scale, 1e-4); // fp32 keys were rounded
        for (std::size_t i = 0; i < before.o.size(); ++i)
            EXPECT_NEAR(after.o[i], before.o[i], 2e-4);
    }
}

} // namespace
