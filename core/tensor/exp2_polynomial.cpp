// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/exp2_polynomial.h"

#include "core/base/wide.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace flashstep {

namespace {

constexpr int maxDegree = 5;

// POLY_EX2 of flash_attn/cute/utils.py, printed there in full: every one is an fp32. Row d - 1, column i: p_i.
constexpr std::array<std::array<float, maxDegree + 1>, maxDegree> coefficients { {
    { 1.0f, 0.922497093677520751953125f },
    { 1.0f, 0.6657850742340087890625f, 0.330107033252716064453125f },
    { 1.0f, 0.695146143436431884765625f, 0.227564394474029541015625f, 0.077119089663028717041015625f },
    { 1.0f, 0.693042695522308349609375f, 0.2412912547588348388671875f, 0.052225358784198760986328125f,
        0.013434938155114650726318359375f },
    { 1.0f, 0.693151414394378662109375f, 0.24016360938549041748046875f, 0.055802188813686370849609375f,
        0.00901452265679836273193359375f, 0.00186810153536498546600341796875f },
} };
static_assert(std::bit_cast<std::uint32_t>(coefficients[2][1]) == 0x3f31f519u); // as the PTX version has them
static_assert(std::bit_cast<std::uint32_t>(coefficients[2][2]) == 0x3e6906a4u);
static_assert(std::bit_cast<std::uint32_t>(coefficients[2][3]) == 0x3d9df09du);

FLASHSTEP_INLINE std::uint32_t maskOf(bool condition)
{
    return 0u - static_cast<std::uint32_t>(condition);
}

// fma.rn of a, b >= 0 and c > 0: one rounding. The product of two fp32 is exact in float64; the sum is rounded there to
// odd (where it is inexact, to the neighbour whose last bit is 1), which no later rounding to 24 bits can mistake for a
// tie [Boldo, Melquiond: Emulation of FMA and correctly rounded sums, 2008]. No branch, unlike std::fma in software.
FLASHSTEP_INLINE float fusedMultiplyAdd(float a, float b, float c)
{
    const double product = static_cast<double>(a) * b;
    const double sum = product + c;
    const double fromC = sum - product; // TwoSum: sum + error is the exact sum
    const double error = (product - (sum - fromC)) + (c - fromC);
    const auto bits = std::bit_cast<std::uint64_t>(sum);
    const std::uint64_t even = (bits & 1) - 1; // all ones or none, as the two below
    const std::uint64_t above = 0 - static_cast<std::uint64_t>(error > 0);
    const std::uint64_t below = 0 - static_cast<std::uint64_t>(error < 0);
    return static_cast<float>(std::bit_cast<double>(bits + ((below - above) & even)));
}

// Masks instead of branches and one step at a time for all, so that rows become vector code; the scalar form is a row
// of one, hence the same bits. `x` becomes the result.
template <int Degree, std::size_t Count> FLASHSTEP_INLINE void exp2PolynomialBlock(std::array<float, Count>& x)
{
    constexpr float magic = 12582912.0f; // 2^23 + 2^22: its last place is 1
    constexpr auto oneBits = std::bit_cast<std::uint32_t>(1.0f);
    constexpr auto lowestBits = std::bit_cast<std::uint32_t>(-127.0f);
    std::array<float, Count> f;
    std::array<float, Count> p;
    std::array<std::uint32_t, Count> exponent;
    for (std::size_t j = 0; j < Count; ++j) {
        const std::uint32_t inside = maskOf(x[j] > -127.0f); // NaN is not, until the last line
        const auto clamped
            = std::bit_cast<float>((std::bit_cast<std::uint32_t>(x[j]) & inside) | (lowestBits & ~inside));
        // add.rm without its rounding mode. x + magic lies in [2^23, 2^24), where fp32 holds the integers and nothing
        // else, so rounding the sum down is magic + floor(x); and the floor is the nearest integer, less 1 where that
        // is above x.
        const float nearest = (clamped + magic) - magic;
        const float n = nearest - std::bit_cast<float>(oneBits & maskOf(nearest > clamped));
        const float r = n + magic; // exact
        exponent[j] = std::bit_cast<std::uint32_t>(r) << 23;
        f[j] = clamped - n; // in [0, 1]: 1 where x is negative and nearer to 0 than half of the last place below 1
        p[j] = coefficients[Degree - 1][Degree];
    }
    for (int i = Degree - 1; i >= 0; --i) {
        for (std::size_t j = 0; j < Count; ++j)
            p[j] = fusedMultiplyAdd(p[j], f[j], coefficients[Degree - 1][i]);
    }
    // The integer stood in the low bits of r and is added to the exponent of p; the rest of r has left by the shift. At
    // -127 the exponent field of p = 1 and -127 give 0.
    for (std::size_t j = 0; j < Count; ++j) {
        const std::uint32_t bits = std::bit_cast<std::uint32_t>(p[j]) + exponent[j];
        const std::uint32_t isNan = maskOf(x[j] != x[j]);
        x[j] = std::bit_cast<float>((bits & ~isNan) | (0x7fffffffu & isNan));
    }
}

template <int Degree> FLASHSTEP_INLINE void rowImpl(const float* x, float* out, int n, float scale, float shift)
{
    constexpr int block = 32; // a fixed count vectorises at -O2 too; and local, since out may be x
    int i = 0;
    for (; i + block <= n; i += block) {
        std::array<float, block> y;
        for (int j = 0; j < block; ++j)
            y[j] = scale * x[i + j] - shift;
        exp2PolynomialBlock<Degree>(y);
        std::copy(y.begin(), y.end(), out + i);
    }
    for (; i < n; ++i) {
        std::array<float, 1> y { scale * x[i] - shift };
        exp2PolynomialBlock<Degree>(y);
        out[i] = y[0];
    }
}

template <int Degree> float single(float x)
{
    std::array<float, 1> y { x };
    exp2PolynomialBlock<Degree>(y);
    return y[0];
}

} // namespace

float exp2Polynomial(float x, int degree)
{
    assert(degree >= 1 && degree <= maxDegree);
    switch (degree) {
    case 1:
        return single<1>(x);
    case 2:
        return single<2>(x);
    case 4:
        return single<4>(x);
    case 5:
        return single<5>(x);
    default:
        return single<3>(x);
    }
}

FLASHSTEP_WIDE void exp2PolynomialRow(const float* x, float* out, int n, float scale, float shift, int degree)
{
    assert(degree >= 1 && degree <= maxDegree);
    switch (degree) {
    case 1:
        return rowImpl<1>(x, out, n, scale, shift);
    case 2:
        return rowImpl<2>(x, out, n, scale, shift);
    case 4:
        return rowImpl<4>(x, out, n, scale, shift);
    case 5:
        return rowImpl<5>(x, out, n, scale, shift);
    default:
        return rowImpl<3>(x, out, n, scale, shift);
    }
}

} // namespace flashstep
