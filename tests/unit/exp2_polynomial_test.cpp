// SPDX-License-Identifier: Apache-2.0
// Against the figures of FlashAttention-4's Table 2 as recomputed, and against libm's fma, which only the test may use.
#include "core/tensor/dtype.h"
#include "core/tensor/exp2_polynomial.h"
#include "core/tensor/real_math.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace flashstep;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST(Exp2Polynomial, AtOneItIsTheSumOfTheCoefficients)
{
    // -2^-30 is so near to 0 that f = x + 1 rounds to 1, and the result is half of the sum.
    const float p1 = std::bit_cast<float>(0x3f31f519u);
    const float p2 = std::bit_cast<float>(0x3e6906a4u);
    const float p3 = std::bit_cast<float>(0x3d9df09du);
    EXPECT_EQ(exp2Polynomial(-0x1p-30f, 3), ((p3 + p2) + p1 + 1) / 2);
}

// The definition again, with libm's fma and the floor.
float stepByStep(float x, int degree)
{
    static const std::vector<std::vector<double>> coefficients {
        { 1, 0.922497093677520751953125 },
        { 1, 0.6657850742340087890625, 0.330107033252716064453125 },
        { 1, 0.695146143436431884765625, 0.227564394474029541015625, 0.077119089663028717041015625 },
        { 1, 0.693042695522308349609375, 0.2412912547588348388671875, 0.052225358784198760986328125,
            0.013434938155114650726318359375 },
        { 1, 0.693151414394378662109375, 0.24016360938549041748046875, 0.055802188813686370849609375,
            0.00901452265679836273193359375, 0.00186810153536498546600341796875 },
    };
    x = std::max(x, -127.0f);
    const float n = std::floor(x);
    const float f = x - n;
    const std::vector<double>& row = coefficients[static_cast<std::size_t>(degree - 1)];
    auto p = static_cast<float>(row.back());
    for (std::size_t i = row.size() - 1; i-- > 0;)
        p = std::fma(p, f, static_cast<float>(row[i]));
    const auto shift = static_cast<std::uint32_t>(static_cast<int>(n)) << 23;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) + shift);
}

TEST(Exp2Polynomial, SameBitsAsTheStepsWithAFusedMultiplyAdd)
{
    std::mt19937_64 random(1);
    std::uniform_real_distribution<float> wide(-140, 127);
    for (int degree = 1; degree <= 5; ++degree) {
        for (int i = 0; i < 200'000; ++i) {
            // Half of them anywhere, half of every size below 2: tiny ones make sums that float64 cannot hold.
            float x = wide(random);
            if (i % 2 == 0)
                x = std::bit_cast<float>(static_cast<std::uint32_t>(random() & 0x80000000u)
                    | static_cast<std::uint32_t>(random() % 0x40000000u));
            ASSERT_EQ(std::bit_cast<std::uint32_t>(exp2Polynomial(x, degree)),
                std::bit_cast<std::uint32_t>(stepByStep(x, degree)))
                << x << " degree " << degree;
        }
    }
}

struct Errors {
    double fp32 = 0, bf16 = 0; // largest relative errors
    double sameBf16 = 0; // percent of inputs whose bf16 is that of the exact value
};
Errors errorsOf(int degree)
{
    constexpr int points = 1 << 18;
    Errors errors;
    int same = 0;
    for (int i = 0; i < points; ++i) {
        const float x = static_cast<float>(i) / points;
        const double exact = exp2Real(x);
        const float value = exp2Polynomial(x, degree);
        const float rounded = roundTo(DType::Bf16, value);
        errors.fp32 = std::max(errors.fp32, std::fabs(value - exact) / exact);
        errors.bf16 = std::max(errors.bf16, std::fabs(rounded - exact) / exact);
        same += rounded == roundTo(DType::Bf16, static_cast<float>(exact));
    }
    errors.sameBf16 = 100.0 * same / points;
    return errors;
}

TEST(Exp2Polynomial, ErrorsAreThePublishedOnes)
{
    const std::vector<std::vector<std::string>> published {
        { "0.03875", "0.04097", "4.57" },
        { "0.002076", "0.005567", "76.15" },
        { "8.769e-05", "0.0039", "99.00" },
        { "3.048e-06", "0.00389", "99.96" },
        { "1.439e-07", "0.00389", "100.00" },
    };
    for (int degree = 1; degree <= 5; ++degree) {
        const Errors errors = errorsOf(degree);
        const auto& row = published[static_cast<std::size_t>(degree - 1)];
        EXPECT_EQ(fmt::format("{:.4g}", errors.fp32), row[0]) << degree;
        EXPECT_EQ(fmt::format("{:.{}g}", errors.bf16, degree < 3 ? 4 : 3), row[1]) << degree;
        EXPECT_EQ(fmt::format("{:.2f}", errors.sameBf16), row[2]) << degree;
    }
}

TEST(Exp2Polynomial, IntegersAreExactAndTheStepAcrossThemSmall)
{
    // The largest relative jump at an integer: 2 against the sum of the coefficients.
    const double jump[] { 0.0388, 0.00206, 8.6e-5, 3.0e-6, 2.4e-7 };
    for (int degree = 1; degree <= 5; ++degree) {
        for (int n = -126; n < 128; ++n) {
            const float power = std::ldexp(1.0f, n);
            const auto x = static_cast<float>(n);
            ASSERT_EQ(exp2Polynomial(x, degree), power) << n;
            if (n == -126)
                continue; // subnormal below
            const float before = std::nextafter(x, -infinity);
            const float below = exp2Polynomial(before, degree);
            ASSERT_LE(below, power) << n << " degree " << degree;
            ASSERT_GE(below, exp2Real(before) * (1 - jump[degree - 1])) << n << " degree " << degree;
        }
    }
}

TEST(Exp2Polynomial, RisesFromMinus126To0)
{
    for (int degree = 1; degree <= 5; ++degree) {
        float last = 0;
        for (int i = -126 * 1024; i <= 0; ++i) {
            const float x = static_cast<float>(i) / 1024;
            const float y = exp2Polynomial(x, degree);
            ASSERT_GT(y, last) << x << " degree " << degree;
            ASSERT_NEAR(y / exp2Real(x), 1, 0.0388) << x << " degree " << degree;
            last = y;
        }
        EXPECT_EQ(last, 1.0f);
    }
}

TEST(Exp2Polynomial, EndsOfTheRange)
{
    for (int degree = 1; degree <= 5; ++degree) {
        for (const float x : { -infinity, -1e30f, -128.0f, std::nextafter(-127.0f, -200.0f), -127.0f })
            ASSERT_EQ(std::bit_cast<std::uint32_t>(exp2Polynomial(x, degree)), 0u) << x; // +0, not -0
        EXPECT_TRUE(std::isnan(exp2Polynomial(nan, degree)));
        EXPECT_TRUE(std::isnan(exp2Polynomial(-nan, degree)));
        EXPECT_EQ(exp2Polynomial(-0.0f, degree), 1.0f);
        // Between -127 and -126 the mantissa of p alone is left: subnormal, below 2^-126.
        const float between = exp2Polynomial(-126.5f, degree);
        EXPECT_GT(between, 0.0f);
        EXPECT_LT(between, 0x1p-126f);
    }
}

TEST(Exp2Polynomial, RowHasTheBitsOfTheScalarForm)
{
    std::mt19937_64 random(2);
    std::uniform_real_distribution<float> scores(-60, 20);
    for (int degree = 1; degree <= 5; ++degree) {
        for (const int n : { 0, 1, 31, 32, 33, 100 }) {
            std::vector<float> x(static_cast<std::size_t>(n));
            std::ranges::generate(x, [&] { return scores(random); });
            if (n > 31) {
                x[3] = -infinity;
                x[30] = nan;
            }
            constexpr float scale = 0.18033688f;
            constexpr float shift = 1.7f;
            std::vector<float> out(x.size());
            exp2PolynomialRow(x.data(), out.data(), n, scale, shift, degree);
            for (std::size_t i = 0; i < x.size(); ++i)
                ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]),
                    std::bit_cast<std::uint32_t>(exp2Polynomial(scale * x[i] - shift, degree)))
                    << i << " of " << n;
            exp2PolynomialRow(x.data(), x.data(), n, scale, shift, degree); // in place
            for (std::size_t i = 0; i < x.size(); ++i)
                ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(x[i])) << i;
        }
    }
}

} // namespace
