// SPDX-License-Identifier: Apache-2.0
// The shape of FlashAttention-4's Table 2, against the figures in resources/numerics/numerics.csv.
#include "core/io/published_errors.h"
#include "core/tensor/exp2_errors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace {

using namespace flashstep;

constexpr const char* rounded = "bf16 (after rounding)";
constexpr const char* same = "inputs with the same BF16 result as exact exp2";

TEST(Exp2Errors, PolynomialsHaveThePublishedOnes)
{
    const auto errors = exp2Errors(1 << 18);
    for (int degree = 1; degree <= 5; ++degree) {
        const std::string way = "polynomial degree " + std::to_string(degree);
        const Exp2Errors& e = errors[static_cast<std::size_t>(degree)];
        const PublishedError* fp32 = publishedError(way, "fp32", "max relative error");
        const PublishedError* bf16 = publishedError(way, rounded, "max relative error");
        const PublishedError* share = publishedError(way, rounded, same);
        ASSERT_TRUE(fp32 && bf16 && share) << way;
        EXPECT_NEAR(e.fp32 / fp32->value, 1, 2e-3) << way; // three digits are printed
        EXPECT_NEAR(e.bf16 / bf16->value, 1, 2e-3) << way;
        EXPECT_NEAR(100 * e.sameBf16, share->value, 0.006) << way;
    }
}

TEST(Exp2Errors, UnitIsWithinThePublishedBoundOfTheHardware)
{
    const Exp2Errors unit = exp2Errors(1 << 18)[0];
    const PublishedError* published = publishedError("MUFU.EX2", "fp32", "max relative error");
    ASSERT_NE(published, nullptr);
    EXPECT_LE(unit.fp32, published->value);
    EXPECT_GE(unit.fp32, 0.4 * published->value); // not the exact exponential, either
    EXPECT_EQ(unit.nearUnit, 1); // of itself
}

TEST(Exp2Errors, SharesTellTheDegreesApart)
{
    const auto errors = exp2Errors(1 << 14);
    EXPECT_LT(errors[1].nearUnit, 0.2);
    for (std::size_t degree = 2; degree <= 5; ++degree) {
        EXPECT_EQ(errors[degree].nearUnit, 1) << degree;
        EXPECT_GT(errors[degree].sameBf16, errors[degree - 1].sameBf16) << degree;
        EXPECT_LT(errors[degree].fp32, 0.1 * errors[degree - 1].fp32) << degree;
    }
}

TEST(Exp2Errors, UnitsInTheLastPlaceFitTheRelativeOnes)
{
    const auto errors = exp2Errors(1 << 16);
    for (std::size_t way = 0; way < errors.size(); ++way) {
        // Results lie in [1, 2): an error of so many ulp is at least half as large relative to them.
        const Exp2Errors& e = errors[way];
        EXPECT_GE(e.ulpFp32 * 0x1p-23, e.fp32) << way;
        EXPECT_LE(e.ulpFp32 * 0x1p-23, 2 * e.fp32) << way;
        EXPECT_GE(e.ulpBf16 * 0x1p-7, e.bf16) << way;
        EXPECT_LE(e.ulpBf16 * 0x1p-7, 2 * e.bf16) << way;
        EXPECT_GE(e.ulpBf16, 0.499) << way; // rounding alone
    }
    EXPECT_LE(errors[0].ulpFp32, 2); // the bound that is published for the unit
}

TEST(Exp2Errors, CurveIsTheSpanOfTheErrors)
{
    const Exp2Curve curve = exp2Curve(3, 64, 32);
    const Exp2Errors whole = exp2Errors(64 * 32)[3];
    double most = 0, mostRounded = 0;
    ASSERT_EQ(curve.lowFp32.size(), 64U);
    for (std::size_t k = 0; k < 64; ++k) {
        EXPECT_LE(curve.lowFp32[k], curve.highFp32[k]);
        EXPECT_LE(curve.lowBf16[k], curve.highBf16[k]);
        most = std::max({ most, -static_cast<double>(curve.lowFp32[k]), static_cast<double>(curve.highFp32[k]) });
        mostRounded
            = std::max({ mostRounded, -static_cast<double>(curve.lowBf16[k]), static_cast<double>(curve.highBf16[k]) });
    }
    EXPECT_NEAR(most, whole.ulpFp32, 1e-4 * whole.ulpFp32);
    EXPECT_NEAR(mostRounded, whole.ulpBf16, 1e-4);
}

TEST(Exp2Errors, BlocksOfInputsAddUp)
{
    // More inputs than are taken at once, and fewer; 0 alone is exact in every way.
    for (const Exp2Errors& e : exp2Errors(1)) {
        EXPECT_EQ(e.fp32, 0);
        EXPECT_EQ(e.sameBf16, 1);
    }
    EXPECT_NEAR(exp2Errors(1 << 11)[3].sameBf16, exp2Errors(1 << 15)[3].sameBf16, 0.01);
}

} // namespace
