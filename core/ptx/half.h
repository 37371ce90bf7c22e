// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/rounding.h"
#include "core/tensor/dtype.h"

namespace flashstep::ptx {

// The two 16-bit formats as registers hold them. `encode` rounds to nearest, ties to even; NaN becomes 0x7fff.
struct Fp16 {
    static float decode(std::uint16_t bits) { return fromBits(DType::Fp16, bits); }
    static std::uint16_t encode(float x)
    {
        return x != x ? 0x7fff : static_cast<std::uint16_t>(bitsOf(DType::Fp16, roundTo(DType::Fp16, x)));
    }
    static constexpr std::uint16_t largest = 0x7bff;
    static constexpr float smallestNormal = 0x1p-14F;
};
struct Bf16 {
    static float decode(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U); }
    static std::uint16_t encode(float x)
    {
        if (x != x)
            return 0x7fff;
        const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
        return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16U & 1U)) >> 16U);
    }
    static constexpr std::uint16_t largest = 0x7f7f;
    static constexpr float smallestNormal = 0x1p-126F;
};

// A double that carries a result in full, rounded to the format in one step: first to odd in fp32, so that the
// second rounding sees that something was left out.
[[nodiscard]] inline float toOdd(double x)
{
    const auto nearest = static_cast<float>(x);
    const auto back = static_cast<double>(nearest);
    if (back == x || x != x || std::isinf(nearest))
        return nearest;
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(nearest);
    if ((bits & 1U) != 0)
        return nearest;
    return std::nextafterf(
        nearest, back < x ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity());
}

} // namespace flashstep::ptx
