// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/dtype.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace {

using namespace flashstep;

constexpr float infinity = std::numeric_limits<float>::infinity();

// The formats once more, from their definitions and with none of the code under test.
struct Format {
    DType dtype;
    int exponentBits, mantissaBits, bias;
    bool hasInfinity;

    [[nodiscard]] std::uint32_t codes() const { return 1u << (1 + exponentBits + mantissaBits); }
    // Of a code without its sign; also of the first code that is too large, as if the format went on.
    [[nodiscard]] double magnitude(std::uint32_t code) const
    {
        const int exponent = static_cast<int>(code >> mantissaBits);
        const auto fraction = static_cast<double>(code & ((1u << mantissaBits) - 1));
        return exponent == 0 ? std::ldexp(fraction, 1 - bias - mantissaBits)
                             : std::ldexp(fraction + (1 << mantissaBits), exponent - bias - mantissaBits);
    }
    [[nodiscard]] std::uint32_t firstTooLarge() const
    {
        const std::uint32_t allOnes = codes() / 2 - 1;
        return hasInfinity ? allOnes >> mantissaBits << mantissaBits : allOnes;
    }
    // The nearest code by search, ties to the even code.
    [[nodiscard]] float nearest(float value) const
    {
        const double size = std::fabs(static_cast<double>(value));
        std::uint32_t low = 0;
        std::uint32_t high = firstTooLarge();
        if (size >= magnitude(high))
            low = high;
        while (high - low > 1) {
            const std::uint32_t middle = (low + high) / 2;
            (magnitude(middle) <= size ? low : high) = middle;
        }
        if (low != high) {
            const double down = size - magnitude(low);
            const double up = magnitude(high) - size;
            low = down < up || (down == up && low % 2 == 0) ? low : high;
        }
        const double result = low < firstTooLarge() ? magnitude(low)
            : hasInfinity                           ? infinity
                                                    : magnitude(firstTooLarge() - 1);
        return std::copysign(static_cast<float>(result), value);
    }
};

const Format formats[] = {
    { DType::Fp16, 5, 10, 15, true },
    { DType::Bf16, 8, 7, 127, true },
    { DType::E4m3, 4, 3, 7, false },
};

std::uint32_t bits(float value)
{
    return std::bit_cast<std::uint32_t>(value);
}

class DTypeFormat : public testing::TestWithParam<Format> { };
INSTANTIATE_TEST_SUITE_P(All, DTypeFormat, testing::ValuesIn(formats),
    [](const testing::TestParamInfo<Format>& test) { return std::string(name(test.param.dtype)); });

TEST_P(DTypeFormat, EveryCodeReadsBack)
{
    const Format& format = GetParam();
    const std::uint32_t half = format.codes() / 2;
    for (std::uint32_t code = 0; code < format.codes(); ++code) {
        const float value = fromBits(format.dtype, code);
        const std::uint32_t unsignedCode = code % half;
        if (std::isnan(value)) {
            EXPECT_GE(unsignedCode, format.firstTooLarge()) << code;
            EXPECT_EQ(bitsOf(format.dtype, value), half - 1) << "NaN is the canonical one";
            EXPECT_TRUE(std::isnan(roundTo(format.dtype, value)));
            continue;
        }
        if (unsignedCode == format.firstTooLarge())
            EXPECT_EQ(std::fabs(value), infinity);
        else
            ASSERT_EQ(std::fabs(value), format.magnitude(unsignedCode)) << code;
        ASSERT_EQ(std::signbit(value), code >= half) << code;
        ASSERT_EQ(bits(roundTo(format.dtype, value)), bits(value)) << code;
        ASSERT_EQ(bitsOf(format.dtype, value), code);
    }
}

TEST_P(DTypeFormat, HalfwayGoesToEvenAndTheNeighboursToTheirSide)
{
    const Format& format = GetParam();
    for (std::uint32_t code = 0; code < format.firstTooLarge(); ++code) {
        const auto middle = static_cast<float>((format.magnitude(code) + format.magnitude(code + 1)) / 2);
        for (const float value : { middle, std::nextafter(middle, 0.0f), std::nextafter(middle, infinity) }) {
            ASSERT_EQ(bits(roundTo(format.dtype, value)), bits(format.nearest(value))) << value;
            ASSERT_EQ(bits(roundTo(format.dtype, -value)), bits(format.nearest(-value))) << -value;
        }
    }
}

TEST_P(DTypeFormat, RandomBitsGoToTheNearestScalarAndSpanAlike)
{
    const Format& format = GetParam();
    std::mt19937 random(7);
    std::vector<float> values(300'001); // no multiple of the block
    for (float& value : values)
        value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    // Half of them near the format's own range.
    for (std::size_t i = 0; i < values.size(); i += 2)
        values[i] = std::ldexp(1 + static_cast<float>(i) / 300'001, static_cast<int>(random() % 48) - 30);
    std::vector<float> rounded = values;
    roundTo(format.dtype, rounded);
    for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(bits(rounded[i]), bits(roundTo(format.dtype, values[i])));
        if (std::isnan(values[i]))
            ASSERT_TRUE(std::isnan(rounded[i]));
        else
            ASSERT_EQ(bits(rounded[i]), bits(format.nearest(values[i]))) << values[i];
    }
}

TEST(DType, Overflow)
{
    EXPECT_EQ(roundTo(DType::Fp16, 65519.0f), 65504.0f);
    EXPECT_EQ(roundTo(DType::Fp16, 65520.0f), infinity);
    EXPECT_EQ(roundTo(DType::Fp16, -1e30f), -infinity);
    EXPECT_EQ(roundTo(DType::Bf16, std::numeric_limits<float>::max()), infinity);
    EXPECT_EQ(roundTo(DType::E4m3, 1e30f), 448.0f);
    EXPECT_EQ(roundTo(DType::E4m3, -infinity), -448.0f);
    EXPECT_EQ(roundTo(DType::E4m3, 464.0f), 448.0f);
    EXPECT_EQ(maxFinite(DType::Fp16), 65504.0f);
    EXPECT_EQ(maxFinite(DType::E4m3), 448.0f);
    EXPECT_EQ(maxFinite(DType::Bf16), fromBits(DType::Bf16, 0x7f7f));
    EXPECT_EQ(maxFinite(DType::Fp32), std::numeric_limits<float>::max());
}

TEST(DType, Fp32IsLeftAlone)
{
    EXPECT_EQ(roundTo(DType::Fp32, 0.1f), 0.1f);
    EXPECT_EQ(bitsOf(DType::Fp32, -2.0f), 0xc0000000u);
    EXPECT_EQ(fromBits(DType::Fp32, 0x3f800000u), 1.0f);
}

TEST(DType, NamesReadBack)
{
    for (const DType dtype : { DType::Fp32, DType::Fp16, DType::Bf16, DType::E4m3 })
        EXPECT_EQ(dtypeFromName(name(dtype)), dtype);
    EXPECT_EQ(dtypeFromName("fp8"), std::nullopt);
    EXPECT_EQ(bytesOf(DType::Fp32), 4);
    EXPECT_EQ(bytesOf(DType::Bf16), 2);
    EXPECT_EQ(bytesOf(DType::E4m3), 1);
}

} // namespace
