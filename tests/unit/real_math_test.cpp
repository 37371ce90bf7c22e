// SPDX-License-Identifier: Apache-2.0
// Errors against long double libm (64 bits of mantissa), which only the test may use.
#include "core/tensor/real_math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

namespace {

using namespace flashstep;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr float infinityF = std::numeric_limits<float>::infinity();
constexpr float nanF = std::numeric_limits<float>::quiet_NaN();
constexpr int samples = 200'000;

double relative(double value, long double truth)
{
    return static_cast<double>(std::fabs((value - truth) / truth));
}

// Absolute or relative, whichever is smaller.
double either(double value, long double truth)
{
    const double absolute = static_cast<double>(std::fabs(value - truth));
    return truth == 0 ? absolute : std::min(absolute, relative(value, truth));
}

TEST(RealMath, Exp2AndExpOverTheNormalRange)
{
    std::mt19937_64 random(1);
    double worst2 = 0;
    double worst = 0;
    for (int i = 0; i < samples; ++i) {
        // Half of them near 0, where the softmax lives.
        const double width = i % 2 ? 1 : 0.02;
        const double x2 = std::uniform_real_distribution(-1022 * width, 1024 * width)(random);
        const double x = std::uniform_real_distribution(-708 * width, 709 * width)(random);
        worst2 = std::max(worst2, relative(exp2Real(x2), std::exp2(static_cast<long double>(x2))));
        worst = std::max(worst, relative(expReal(x), std::exp(static_cast<long double>(x))));
    }
    EXPECT_LE(worst2, 4e-16);
    EXPECT_LE(worst, 4e-16);
    RecordProperty("exp2_relative_error_e18", static_cast<int>(worst2 * 1e18));
    RecordProperty("exp_relative_error_e18", static_cast<int>(worst * 1e18));
}

TEST(RealMath, ExpWhereResultsAreSubnormalOrVanish)
{
    const double step = std::numeric_limits<double>::denorm_min();
    for (double x = -1022; x > -1080; x -= 0.01)
        ASSERT_LE(std::fabs(exp2Real(x) - std::exp2(static_cast<long double>(x))), 0.6 * step + 4e-16 * std::exp2(x))
            << x;
    for (double x = -708; x > -750; x -= 0.01)
        ASSERT_LE(std::fabs(expReal(x) - std::exp(static_cast<long double>(x))), 0.6 * step + 4e-16 * std::exp(x)) << x;
}

TEST(RealMath, ExpAtTheEnds)
{
    EXPECT_EQ(exp2Real(0), 1);
    EXPECT_EQ(expReal(0), 1);
    EXPECT_EQ(expReal(-0.0), 1);
    EXPECT_EQ(exp2Real(1023), 0x1p1023);
    EXPECT_EQ(exp2Real(-1074), 0x1p-1074);
    EXPECT_EQ(exp2Real(1024), infinity);
    EXPECT_EQ(expReal(709.79), infinity);
    EXPECT_LT(expReal(709.78), infinity);
    for (double (*function)(double) : { exp2Real, expReal }) {
        EXPECT_EQ(function(infinity), infinity);
        EXPECT_EQ(function(1e300), infinity);
        EXPECT_EQ(function(-infinity), 0);
        EXPECT_EQ(function(-1e300), 0);
        EXPECT_TRUE(std::isnan(function(nan)));
    }
    for (int n = -1022; n < 1024; ++n)
        ASSERT_EQ(exp2Real(n), std::ldexp(1.0, n));
}

TEST(RealMath, LogarithmsOverTheWholeRange)
{
    std::mt19937_64 random(2);
    double worst2 = 0;
    double worst = 0;
    for (int i = 0; i < samples; ++i) {
        const double x = i % 2 ? std::bit_cast<double>(random() % 0x7ff0000000000000u)
                               : std::uniform_real_distribution(0.4, 2.5)(random);
        worst2 = std::max(worst2, either(log2Real(x), std::log2(static_cast<long double>(x))));
        worst = std::max(worst, either(lnReal(x), std::log(static_cast<long double>(x))));
    }
    EXPECT_LE(worst2, 4e-16);
    EXPECT_LE(worst, 4e-16);
    RecordProperty("log2_error_e18", static_cast<int>(worst2 * 1e18));
    RecordProperty("ln_error_e18", static_cast<int>(worst * 1e18));
}

TEST(RealMath, LogarithmsAtTheEnds)
{
    for (int n = -1074; n < 1024; ++n)
        ASSERT_EQ(log2Real(std::ldexp(1.0, n)), n);
    for (double (*function)(double) : { log2Real, lnReal }) {
        EXPECT_EQ(function(1), 0);
        EXPECT_EQ(function(0), -infinity);
        EXPECT_EQ(function(-0.0), -infinity);
        EXPECT_EQ(function(infinity), infinity);
        EXPECT_TRUE(std::isnan(function(-1)));
        EXPECT_TRUE(std::isnan(function(-infinity)));
        EXPECT_TRUE(std::isnan(function(nan)));
    }
}

TEST(RealMath, CosPi)
{
    const long double pi = std::acos(-1.0L);
    std::mt19937_64 random(3);
    double worst = 0;
    for (int i = 0; i < samples; ++i) {
        const double x = std::uniform_real_distribution(-1.0, 1.0)(random) * (i % 2 ? 2 : 1e6);
        const long double truth = std::cos(pi * std::fmod(static_cast<long double>(x), 2.0L));
        worst = std::max(worst, static_cast<double>(std::fabs(cosPi(x) - truth)));
    }
    EXPECT_LE(worst, 4e-16);
    RecordProperty("cospi_absolute_error_e18", static_cast<int>(worst * 1e18));
    for (const double even : { 0.0, 2.0, -4.0, 1e6, 0x1p52, 0x1p53, 1e300 })
        EXPECT_EQ(cosPi(even), 1) << even;
    for (const double odd : { 1.0, -3.0, 0x1p52 + 1 })
        EXPECT_EQ(cosPi(odd), -1) << odd;
    for (const double half : { 0.5, 1.5, -2.5, 0x1p51 + 0.5 })
        EXPECT_EQ(cosPi(half), 0) << half;
    EXPECT_TRUE(std::isnan(cosPi(infinity)));
    EXPECT_TRUE(std::isnan(cosPi(nan)));
}

// Distance in steps of fp32; both positive.
std::int64_t ulps(float a, float b)
{
    return std::abs(std::int64_t { std::bit_cast<std::int32_t>(a) } - std::bit_cast<std::int32_t>(b));
}

TEST(Exp2Unit, WithinTwoUlpsEverywhere)
{
    std::int64_t worst = 0;
    for (std::uint64_t code = 0; code < 0x100000000u; code += 1009) { // a prime: every bit of the mantissa turns
        const float x = std::bit_cast<float>(static_cast<std::uint32_t>(code));
        if (!(x >= -126 && x < 128))
            continue;
        const auto truth = static_cast<float>(std::exp2(static_cast<long double>(x)));
        worst = std::max(worst, ulps(exp2Unit(x), truth));
    }
    EXPECT_LE(worst, 2);
    RecordProperty("worst_ulps", static_cast<int>(worst));
}

TEST(Exp2Unit, SpecialValues)
{
    EXPECT_EQ(exp2Unit(0.0f), 1);
    EXPECT_EQ(exp2Unit(-0.0f), 1);
    EXPECT_EQ(exp2Unit(1e-40f), 1) << "subnormal input";
    EXPECT_EQ(exp2Unit(-infinityF), 0);
    EXPECT_EQ(exp2Unit(infinityF), infinityF);
    EXPECT_EQ(exp2Unit(128.0f), infinityF);
    EXPECT_EQ(exp2Unit(3e38f), infinityF);
    EXPECT_LT(exp2Unit(std::nextafter(128.0f, 0.0f)), infinityF);
    EXPECT_TRUE(std::isnan(exp2Unit(nanF)));
    EXPECT_TRUE(std::isnan(exp2Unit(-nanF)));
    for (int n = -126; n < 128; ++n)
        EXPECT_EQ(exp2Unit(static_cast<float>(n)), std::ldexp(1.0f, n));
    EXPECT_EQ(std::bit_cast<std::uint32_t>(exp2Unit(std::nextafter(-126.0f, -127.0f))), 0u)
        << "subnormal results are flushed";
    EXPECT_EQ(std::bit_cast<std::uint32_t>(exp2Unit(-149.0f)), 0u);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(exp2Unit(-3e38f)), 0u);
}

TEST(Exp2Unit, RowHasTheBitsOfTheScalar)
{
    std::mt19937 random(4);
    std::vector<float> x { 0, -0.0f, infinityF, -infinityF, nanF, -nanF, 127.99999f, 128, -126, -126.00001f, 1e-40f,
        3e38f, -3e38f };
    while (x.size() < 100'000)
        x.push_back(x.size() % 2 ? std::bit_cast<float>(static_cast<std::uint32_t>(random()))
                                 : std::uniform_real_distribution(-140.0f, 135.0f)(random));
    for (const auto& [scale, shift] :
        { std::pair(1.0f, 0.0f), std::pair(0.18033688f, 3.7f), std::pair(1.0f, -infinityF) }) {
        std::vector<float> row(x.size());
        exp2UnitRow(x.data(), row.data(), static_cast<int>(x.size()), scale, shift);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const float product = scale * x[i];
            ASSERT_EQ(std::bit_cast<std::uint32_t>(row[i]), std::bit_cast<std::uint32_t>(exp2Unit(product - shift)))
                << x[i];
        }
    }
}

TEST(Exp2Unit, RowOfAnyLengthInPlace)
{
    for (int n = 0; n <= 100; ++n) {
        std::vector<float> row(101);
        for (std::size_t i = 0; i < row.size(); ++i)
            row[i] = -0.37f * static_cast<float>(i);
        std::vector<float> expected = row;
        for (int i = 0; i < n; ++i)
            expected[static_cast<std::size_t>(i)] = exp2Unit(2 * row[static_cast<std::size_t>(i)] - 1);
        exp2UnitRow(row.data(), row.data(), n, 2, 1);
        ASSERT_EQ(row, expected) << n;
    }
}

} // namespace
