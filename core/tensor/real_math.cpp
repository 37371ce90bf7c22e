// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/real_math.h"

#include "core/base/wide.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace flashstep {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// ln 2 = ln2High + ln2Low; ln2High has 27 trailing zero bits, so n * ln2High is exact for every exponent n.
constexpr double ln2High = 0x1.62e42f8000000p-1;
constexpr double ln2Low = 0x1.be8e7bcd5e4f2p-27;

double nearestInteger(double x) // |x| < 2^51, ties to even
{
    constexpr double magic = 0x1.8p52; // its last place is 1
    return (x + magic) - magic;
}

double powerOfTwo(int n) // -1022 <= n <= 1023
{
    return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

// m * 2^n in two steps: the first is exact, so that a subnormal result is rounded once.
double scaled(double m, int n)
{
    const int half = n / 2;
    return m * powerOfTwo(half) * powerOfTwo(n - half);
}

// Coefficients 1/0!, -1/2!, 1/4!… and the like: terms first … of a factorial series, every `step`-th, with sign.
template <std::size_t Count> constexpr std::array<double, Count> factorialSeries(int first, int step, double sign)
{
    std::array<double, Count> series {};
    double factorial = 1; // exact: no series here passes 18!
    double signNow = 1;
    int n = 0;
    for (std::size_t i = 0; i < Count; ++i) {
        for (const int target = first + static_cast<int>(i) * step; n < target;)
            factorial *= ++n;
        series[i] = signNow / factorial;
        signNow *= sign;
    }
    return series;
}

template <std::size_t Count> double horner(const std::array<double, Count>& series, double x)
{
    double sum = series[Count - 1];
    for (std::size_t i = Count - 1; i-- > 0;)
        sum = sum * x + series[i];
    return sum;
}

// e^t for |t| <= ln(2)/2: fourteen terms of Taylor leave 5e-18.
double expSmall(double t)
{
    static constexpr auto series = factorialSeries<14>(0, 1, 1);
    return horner(series, t);
}

// x = m 2^exponent with m in [sqrt(1/2), sqrt(2)), as ln m and the exponent; x positive and finite.
struct Logarithm {
    double lnMantissa;
    double exponent;
};
Logarithm logarithm(double x)
{
    constexpr std::uint64_t sqrtHalfBits = 0x3fe6a09e667f3bcdu;
    int exponent = 0;
    if (x < std::numeric_limits<double>::min()) {
        x *= 0x1p54;
        exponent = -54;
    }
    // Counting the bits from sqrt(1/2) on makes the exponent field change there instead of at 1.
    const std::uint64_t distance = std::bit_cast<std::uint64_t>(x) - sqrtHalfBits;
    exponent += static_cast<int>(static_cast<std::int64_t>(distance) >> 52);
    const double m = std::bit_cast<double>((distance & 0x000fffffffffffffu) + sqrtHalfBits);
    // ln m = 2 atanh(s), |s| <= 0.172: eleven terms leave 1e-18.
    const double s = (m - 1) / (m + 1);
    static constexpr std::array<double, 10> series { 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15,
        1.0 / 17, 1.0 / 19, 1.0 / 21 };
    const double square = s * s;
    return { 2 * s + 2 * s * (square * horner(series, square)), static_cast<double>(exponent) };
}

// What a logarithm is outside the positive finite numbers.
bool logarithmIsSpecial(double x)
{
    return !(x > 0) || x == infinity;
}
double specialLogarithm(double x)
{
    return x == 0 ? -infinity : x == infinity ? infinity : nan;
}

} // namespace

double exp2Real(double x)
{
    if (!(x < 1024 && x > -1076)) // past the largest and below half of the smallest double
        return x >= 1024 ? infinity : x <= -1076 ? 0 : nan;
    const double n = nearestInteger(x);
    return scaled(expSmall((x - n) * ln2), static_cast<int>(n));
}

double expReal(double x)
{
    if (!(x < 710 && x > -746))
        return x >= 710 ? infinity : x <= -746 ? 0 : nan;
    const double n = nearestInteger(x * log2e);
    return scaled(expSmall((x - n * ln2High) - n * ln2Low), static_cast<int>(n));
}

double log2Real(double x)
{
    if (logarithmIsSpecial(x))
        return specialLogarithm(x);
    const Logarithm log = logarithm(x);
    return log.exponent + log.lnMantissa * log2e;
}

double lnReal(double x)
{
    if (logarithmIsSpecial(x))
        return specialLogarithm(x);
    const Logarithm log = logarithm(x);
    return log.exponent * ln2High + (log.lnMantissa + log.exponent * ln2Low);
}

double cosPi(double x)
{
    constexpr double pi = 3.14159265358979323846;
    double a = x < 0 ? -x : x;
    if (!(a < 0x1p53)) // from 2^53 on every double is an even integer
        return a < infinity ? 1 : nan;
    a -= 2 * static_cast<double>(static_cast<std::int64_t>(a * 0.5)); // the period, exactly: a in [0, 2)
    const int quarter = static_cast<int>(2 * a + 0.5);
    const double t = (a - 0.5 * quarter) * pi; // |t| <= pi/4
    static constexpr auto cosine = factorialSeries<9>(0, 2, -1); // leaves 2e-18
    static constexpr auto sine = factorialSeries<9>(1, 2, -1);
    const double value = quarter % 2 == 0 ? horner(cosine, t * t) : t * horner(sine, t * t);
    return quarter == 1 || quarter == 2 ? -value : value;
}

namespace {

FLASHSTEP_INLINE std::uint32_t maskOf(bool condition)
{
    return 0u - static_cast<std::uint32_t>(condition);
}

// Masks instead of branches, so that rows become vector code; scalar and row share it, hence the same bits.
FLASHSTEP_INLINE float exp2UnitImpl(float x)
{
    constexpr float magic = 0x1.8p23f; // its last place is 1: adding it rounds to an integer
    const float shifted = x + magic;
    const float f = x - (shifted - magic); // in [-1/2, 1/2], exact; anything where the masks below do not look
    // 2^f: degree 6 through 1 at f = 0, the rest interpolated at Chebyshev nodes (2e-9).
    float p = 0.00015453163f;
    p = p * f + 0.0013390863f;
    p = p * f + 0.009618083f;
    p = p * f + 0.05550357f;
    p = p * f + 0.2402265f;
    p = p * f + 0.6931472f;
    p = p * f + 1.0f;
    // The integer stands in the low bits of `shifted`; those of the magic number itself leave by the shift.
    const std::uint32_t scaledBits = std::bit_cast<std::uint32_t>(p) + (std::bit_cast<std::uint32_t>(shifted) << 23);
    const std::uint32_t normal = scaledBits & maskOf(x >= -126.0f) & maskOf(x < 128.0f); // smaller ones are flushed
    return std::bit_cast<float>(normal | (0x7f800000u & maskOf(x >= 128.0f)) | (0x7fffffffu & maskOf(x != x)));
}

} // namespace

float exp2Unit(float x)
{
    return exp2UnitImpl(x);
}

FLASHSTEP_WIDE void exp2UnitRow(const float* x, float* out, int n, float scale, float shift)
{
    constexpr int block = 32; // a fixed count vectorises at -O2 too; and local, since out may be x
    int i = 0;
    for (; i + block <= n; i += block) {
        float y[block];
        for (int j = 0; j < block; ++j)
            y[j] = exp2UnitImpl(scale * x[i + j] - shift);
        std::copy(y, y + block, out + i);
    }
    for (; i < n; ++i)
        out[i] = exp2UnitImpl(scale * x[i] - shift);
}

} // namespace flashstep
