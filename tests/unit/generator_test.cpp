// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/generator.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

namespace {

using namespace flashstep;

using Block = std::array<std::uint32_t, 4>;

// The known answers that the authors of Random123 give for philox4x32, 10 rounds.
TEST(Philox, KnownAnswers)
{
    EXPECT_EQ(philox4x32({ 0, 0, 0, 0 }, { 0, 0 }), (Block { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 }));
    constexpr std::uint32_t ones = 0xffffffff;
    EXPECT_EQ(philox4x32({ ones, ones, ones, ones }, { ones, ones }),
        (Block { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd }));
    EXPECT_EQ(philox4x32({ 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 }),
        (Block { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 }));
}

TEST(Generator, UniformIsTheBlockOfItsElement)
{
    // docs/inputs.md, in other words: 53 high bits of two words, the lowest set.
    const std::uint64_t seed = 0x123456789abcdef0u;
    const std::uint64_t n = 0x1'0000'0002u;
    const Block block = philox4x32({ 2, 1, 7, 0 }, { 0x9abcdef0, 0x12345678 });
    const auto bits = static_cast<double>((std::uint64_t { block[1] } << 21 | block[0] >> 11) | 1);
    EXPECT_EQ(uniformAt(seed, 7, n), std::ldexp(bits, -53));
}

TEST(Generator, UniformStaysInsideAndIsFlat)
{
    constexpr int count = 200'000;
    std::array<int, 16> bins {};
    for (int n = 0; n < count; ++n) {
        const double u = uniformAt(1, 0, static_cast<std::uint64_t>(n));
        ASSERT_GT(u, 0);
        ASSERT_LT(u, 1);
        ++bins[static_cast<std::size_t>(u * 16)];
    }
    double chiSquare = 0;
    for (const int bin : bins)
        chiSquare += std::pow(bin - count / 16.0, 2) / (count / 16.0);
    EXPECT_LT(chiSquare, 37.7) << "15 degrees of freedom, one chance in a thousand";
}

TEST(Generator, NormalHasTheMomentsOfOne)
{
    constexpr int count = 200'000;
    double sums[5] = {};
    for (int n = 0; n < count; ++n) {
        const double x = normalAt(1, 0, static_cast<std::uint64_t>(n));
        for (int power = 1; power <= 4; ++power)
            sums[power] += std::pow(x, power) / count;
    }
    // Four standard errors each.
    EXPECT_NEAR(sums[1], 0, 4 * std::sqrt(1.0 / count));
    EXPECT_NEAR(sums[2], 1, 4 * std::sqrt(2.0 / count));
    EXPECT_NEAR(sums[3], 0, 4 * std::sqrt(15.0 / count));
    EXPECT_NEAR(sums[4], 3, 4 * std::sqrt(96.0 / count));
}

TEST(Generator, StreamsSeedsAndElementsDiffer)
{
    std::set<double> values;
    for (const std::uint64_t seed : { std::uint64_t { 1 }, std::uint64_t { 2 }, std::uint64_t { 1 } << 32 })
        for (const RandomStream stream : { RandomStream::Q, RandomStream::K, RandomStream::V, RandomStream::DOut })
            for (std::uint64_t n = 0; n < 100; ++n)
                values.insert(normalAt(seed, static_cast<std::uint32_t>(stream), n));
    EXPECT_EQ(values.size(), 3u * 4u * 100u);
}

// The table of docs/inputs.md.
TEST(Generator, TestVectors)
{
    EXPECT_EQ(uniformAt(1, 0, 0), 0.8946847163350925);
    EXPECT_EQ(normalAt(1, 0, 0), -0.11368019704496897);
    EXPECT_EQ(uniformAt(1, 0, 1), 0.87411193518713082);
    EXPECT_EQ(normalAt(1, 0, 1), -0.28859563518898035);
    EXPECT_EQ(uniformAt(1, 0, 2), 0.55650023306892293);
    EXPECT_EQ(normalAt(1, 0, 2), 0.95390929826695436);
    EXPECT_EQ(uniformAt(1, 1, 0), 0.25980214542417135);
    EXPECT_EQ(normalAt(1, 1, 0), -1.4778786447594832);
    EXPECT_EQ(uniformAt(1, 2, 0), 0.55050312446037719);
    EXPECT_EQ(normalAt(1, 2, 0), 1.0596070947669052);
    EXPECT_EQ(uniformAt(42, 0, 0x1'0000'0000u), 0.49120127602043595);
    EXPECT_EQ(normalAt(42, 0, 0x1'0000'0000u), -1.0328916664342302);
    EXPECT_EQ(uniformAt(1, 0x100, 0), 0.32862609247502739);
    EXPECT_EQ(normalAt(1, 0x100, 0), -1.3249587084386785);
}

} // namespace
