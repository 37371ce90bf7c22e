// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

// Rounding as instructions ask for it, without touching the processor's rounding mode.
namespace flashstep::ptx {

enum class Rounding : std::uint8_t { Nearest, Zero, Down, Up };

template <typename T> [[nodiscard]] inline T quietNan();
// What fp32 instructions give for NaN, whatever came in [PTX ISA 9.7.3].
template <> inline float quietNan<float>()
{
    return std::bit_cast<float>(0x7fffffffU);
}
template <> inline double quietNan<double>()
{
    return std::bit_cast<double>(0x7ff8000000000000U);
}
[[nodiscard]] inline float canonical(float x)
{
    return x != x ? quietNan<float>() : x;
}

// .ftz: subnormals become zero of the same sign.
[[nodiscard]] inline float flush(float x)
{
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
    return (bits & 0x7f800000U) == 0 ? std::bit_cast<float>(bits & 0x80000000U) : x;
}
// .sat: into [0, 1], NaN to +0.
[[nodiscard]] inline float saturated(float x)
{
    return x > 0 ? (x < 1 ? x : 1.0F) : 0.0F;
}

// The float that `exact + rest` rounds to, where |rest| is at most half a unit in the last place of `exact` and both
// are finite.
template <Rounding mode> [[nodiscard]] inline float rounded(double exact, double rest)
{
    const auto nearest = static_cast<float>(exact);
    if (!std::isfinite(exact))
        return nearest;
    // How the result compares with what it stands for.
    const double difference = static_cast<double>(nearest) - exact;
    const bool above = difference > rest || (std::isinf(nearest) && nearest > 0);
    const bool below = difference < rest || (std::isinf(nearest) && nearest < 0);
    if constexpr (mode == Rounding::Down)
        return above ? std::nextafterf(nearest, -std::numeric_limits<float>::infinity()) : nearest;
    if constexpr (mode == Rounding::Up)
        return below ? std::nextafterf(nearest, std::numeric_limits<float>::infinity()) : nearest;
    if constexpr (mode == Rounding::Zero) {
        if (nearest > 0 ? above : below)
            return std::nextafterf(nearest, 0.0F);
        return nearest;
    }
    // Nearest: the rounding to double before this one may have made a tie, or broken one.
    if (rest == 0 || difference == 0)
        return nearest;
    const float other = std::nextafterf(
        nearest, difference > 0 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity());
    const double toOther = static_cast<double>(other) - exact;
    if (std::fabs(difference) != std::fabs(toOther))
        return nearest; // no tie in double: rest is too small to change the side
    return (rest > 0) == (toOther > 0) ? other : nearest;
}

// a + b as a double and what that leaves out (Knuth).
struct TwoSum {
    double sum, rest;
};
[[nodiscard]] inline TwoSum twoSum(double a, double b)
{
    const double sum = a + b;
    const double bPart = sum - a;
    return { sum, (a - (sum - bPart)) + (b - bPart) };
}

// A sum that is exactly zero is -0 when rounding down, unless both are +0.
template <Rounding mode> [[nodiscard]] inline float addRounded(float a, float b)
{
    if constexpr (mode == Rounding::Nearest)
        return a + b;
    if (!std::isfinite(a) || !std::isfinite(b))
        return a + b;
    const TwoSum s = twoSum(a, b);
    if (s.sum == 0 && mode == Rounding::Down && (std::signbit(a) || std::signbit(b)))
        return -0.0F;
    return rounded<mode>(s.sum, s.rest);
}
template <Rounding mode> [[nodiscard]] inline float mulRounded(float a, float b)
{
    if constexpr (mode == Rounding::Nearest)
        return a * b;
    return rounded<mode>(static_cast<double>(a) * static_cast<double>(b), 0); // 48 bits: exact
}
template <Rounding mode> [[nodiscard]] inline float fmaRounded(float a, float b, float c)
{
    const double product = static_cast<double>(a) * static_cast<double>(b);
    const double sum = product + static_cast<double>(c);
    if (!std::isfinite(sum))
        return static_cast<float>(sum);
    const TwoSum s = twoSum(product, c);
    if (s.sum == 0) {
        if (mode == Rounding::Down && (std::signbit(product) || std::signbit(c)))
            return -0.0F;
        return static_cast<float>(sum);
    }
    return rounded<mode>(s.sum, s.rest);
}

} // namespace flashstep::ptx
