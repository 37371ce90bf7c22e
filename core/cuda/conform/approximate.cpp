// SPDX-License-Identifier: Apache-2.0
// Approximations: the special values to the bit, everything else within the error that the manual grants. The exact
// values come from series in double, whose own error is far below every bound used here.
#include "ieee.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace flashstep::conform {
namespace {

constexpr double ln2 = 0.693147180559945309417232;
constexpr double twoPi = 6.283185307179586476925287;

double exponential(double x) // e^x for |x| <= 1
{
    double term = 1, total = 1;
    for (int n = 1; n < 24; ++n) {
        term *= x / n;
        total += term;
    }
    return total;
}

double power2(double x)
{
    const double whole = std::floor(x + 0.5);
    return std::ldexp(exponential((x - whole) * ln2), static_cast<int>(whole));
}

double log2Of(double x) // x > 0
{
    int exponent = 0;
    double m = std::frexp(x, &exponent); // [0.5, 1)
    if (m < 0.70710678) {
        m *= 2;
        --exponent;
    }
    const double t = (m - 1) / (m + 1); // ln m = 2 atanh t
    double power = t, total = 0;
    for (int n = 1; n < 60; n += 2) {
        total += power / n;
        power *= t * t;
    }
    return exponent + 2 * total / ln2;
}

double sine(double x)
{
    const double reduced = x - twoPi * std::floor(x / twoPi + 0.5); // [-pi, pi]
    double term = reduced, total = reduced;
    for (int n = 1; n < 20; ++n) {
        term *= -reduced * reduced / ((2 * n) * (2 * n + 1));
        total += term;
    }
    return total;
}

double hyperbolicTangent(double x)
{
    if (std::abs(x) > 20)
        return x > 0 ? 1 : -1;
    const double square = power2(2 * x / ln2);
    // Near 0 the quotient loses its digits: x - x^3/3 + 2x^5/15 - 17x^7/315.
    const double s = x * x;
    return std::abs(x) < 0.01 ? x * (1 - s / 3 + 2 * s * s / 15 - 17 * s * s * s / 315) : (square - 1) / (square + 1);
}

double ulpOf(Format format, double exact)
{
    int exponent = 0;
    std::frexp(exact, &exponent); // exact = m * 2^exponent, m in [0.5, 1)
    return std::ldexp(1.0, std::max(exponent - 1, 1 - format.maxExponent) - (format.precision - 1));
}

bool isZero(Format format, std::uint64_t bits)
{
    return (bits & (signBit(format) - 1)) == 0;
}

Expected orFlushed(Format format, const Expected& result, double exact, bool ftz)
{
    const double tiny = toDouble(format, smallestNormal(format));
    if (!ftz || std::abs(exact) >= tiny)
        return result;
    return Expected(exact < 0 ? signBit(format) : 0); // a subnormal result becomes a zero of its sign
}

Expected exp2Of(std::uint64_t bits, bool ftz)
{
    const Format format = singleFormat;
    if (isNan(format, bits))
        return nanOf(format);
    if (ftz)
        bits = flushed(format, bits);
    if (bits == infinityOf(format) || bits == (signBit(format) | infinityOf(format)))
        return bits == infinityOf(format) ? bits : 0;
    const double x = toDouble(format, bits);
    if (isZero(format, bits))
        return fromDouble(format, 1);
    if (x >= 128)
        return infinityOf(format);
    if (x < -160)
        return Expected(0);
    const double exact = power2(x);
    // 2 ulp from the correctly rounded result, which itself is half an ulp away.
    return orFlushed(format, Expected::near(exact, 2.5 * ulpOf(format, exact)), exact, ftz);
}

Expected log2Bits(std::uint64_t bits, bool ftz)
{
    const Format format = singleFormat;
    if (ftz)
        bits = flushed(format, bits);
    if (isZero(format, bits))
        return signBit(format) | infinityOf(format);
    if (isNan(format, bits) || (bits & signBit(format)) != 0)
        return nanOf(format);
    if (bits == infinityOf(format))
        return bits;
    const double x = toDouble(format, bits), exact = log2Of(x);
    const double bound = std::ldexp(1.0, -22);
    if (x == 1)
        return Expected::near(0, bound);
    return Expected::near(exact, x > 0.5 && x < 2 ? bound : bound * std::abs(exact));
}

Expected reciprocal(std::uint64_t bits, bool ftz)
{
    const Format format = singleFormat;
    if (isNan(format, bits))
        return nanOf(format);
    if (ftz)
        bits = flushed(format, bits);
    const std::uint64_t sign = bits & signBit(format);
    if (isZero(format, bits))
        return sign | infinityOf(format);
    if ((bits & infinityOf(format)) == infinityOf(format))
        return sign;
    const double exact = 1 / toDouble(format, bits);
    if (std::abs(exact) >= std::ldexp(1.0, 128))
        return sign | infinityOf(format);
    return orFlushed(format, Expected::near(exact, ulpOf(format, exact)), exact, ftz);
}

Expected squareRoot(std::uint64_t bits, bool ftz)
{
    const Format format = singleFormat;
    if (ftz)
        bits = flushed(format, bits);
    if (isZero(format, bits) || bits == infinityOf(format))
        return bits;
    if (isNan(format, bits) || (bits & signBit(format)) != 0)
        return nanOf(format);
    const double exact = std::sqrt(toDouble(format, bits));
    return Expected::near(exact, exact * std::ldexp(1.0, -23));
}

Expected inverseRoot(std::uint64_t bits, bool ftz)
{
    const Format format = singleFormat;
    if (ftz)
        bits = flushed(format, bits);
    if (isZero(format, bits))
        return bits | infinityOf(format);
    if (isNan(format, bits) || (bits & signBit(format)) != 0)
        return nanOf(format);
    if (bits == infinityOf(format))
        return Expected(0);
    const double exact = 1 / std::sqrt(toDouble(format, bits));
    return Expected::near(exact, exact * std::ldexp(1.0717734625, -23)); // 2^-22.9
}

Expected wave(std::uint64_t bits, bool ftz, bool cosine)
{
    const Format format = singleFormat;
    if (ftz)
        bits = flushed(format, bits);
    if (isNan(format, bits) || (bits & infinityOf(format)) == infinityOf(format))
        return nanOf(format);
    if (isZero(format, bits))
        return cosine ? fromDouble(format, 1) : bits;
    const double x = toDouble(format, bits);
    const double exact = sine(cosine ? x + twoPi / 4 : x);
    const double bound
        = std::abs(x) <= twoPi ? std::ldexp(1.4142135, -21) : std::ldexp(1.2311444, -15); // 2^-20.5, -14.7
    return Expected::near(exact, bound);
}

Expected tangent(Format format, std::uint64_t bits)
{
    if (isNan(format, bits))
        return nanOf(format);
    if ((bits & infinityOf(format)) == infinityOf(format))
        return (bits & signBit(format)) | fromDouble(format, 1);
    if (isZero(format, bits))
        return bits;
    const double exact = hyperbolicTangent(toDouble(format, bits));
    if (format.width == 32)
        return Expected::near(exact, std::max(std::abs(exact) * std::ldexp(1.0, -11), std::ldexp(1.0, -126)));
    return Expected::near(exact, format.precision == 11 ? std::ldexp(1.009, -11) : std::ldexp(1.0, -8)); // 2^-10.987
}

Expected halfExp2(Format format, std::uint64_t bits, bool ftz)
{
    if (isNan(format, bits))
        return nanOf(format);
    if (ftz)
        bits = flushed(format, bits);
    if ((bits & infinityOf(format)) == infinityOf(format))
        return (bits & signBit(format)) != 0 ? 0 : bits;
    if (isZero(format, bits))
        return fromDouble(format, 1);
    const double x = toDouble(format, bits);
    if (x >= format.maxExponent + 1)
        return infinityOf(format);
    if (x < -200)
        return Expected(0);
    const double exact = power2(x);
    const double relative = format.precision == 11 ? std::ldexp(1.0717735, -10) : std::ldexp(1.0, -7); // 2^-9.9
    const double smallest = toDouble(format, 1);
    return orFlushed(format, Expected::near(exact, std::max(exact * relative, smallest)), exact, ftz);
}

Values withNoise(Kind kind, std::initializer_list<double> more)
{
    Values values = corners(kind);
    static std::map<Kind, Values> made;
    Values& plain = made[kind];
    if (plain.empty())
        plain = noise(kind, 256, 90);
    values.insert(values.end(), plain.begin(), plain.end());
    for (const double value : more)
        values.push_back(fromDouble(formatOf(kind), value));
    return values;
}

// Without operands that the text leaves open: sines beyond 100 pi.
Values angles()
{
    Values kept;
    for (const std::uint64_t bits :
        withNoise(Kind::F32, { 3.14159265, -1.57079633, 6.28, -6.28, 40, -99, 200, 310, -313 })) {
        const double x = std::abs(toDouble(singleFormat, bits));
        if (!(x > 314) || std::isinf(x))
            kept.push_back(bits);
    }
    return kept;
}

void addDivisions(Forms& forms)
{
    for (const bool full : { false, true }) {
        for (const bool ftz : { false, true }) {
            const std::string opcode = std::string("div") + (full ? ".full" : ".approx") + (ftz ? ".ftz" : "") + ".f32";
            const auto f = [ftz, full](std::uint64_t a, std::uint64_t b) {
                const Format format = singleFormat;
                const Style style { Round::NearestEven, ftz };
                const Real x = operand(format, a, style), y = operand(format, b, style);
                const Expected exact = settled(format, quotient(x, y), style);
                if (y.kind == Real::Kind::Finite && std::abs(toDouble(format, b)) > std::ldexp(1.0, 126) && !full) {
                    if (x.kind == Real::Kind::Infinite)
                        return Expected(nanOf(format));
                    return Expected(exact.bits & signBit(format), 0); // zero
                }
                if (x.kind != Real::Kind::Finite || y.kind != Real::Kind::Finite)
                    return exact;
                const double value = toDouble(format, a) / toDouble(format, b);
                if (std::abs(value) >= std::ldexp(1.0, 128))
                    return Expected(exact.bits);
                return orFlushed(format, Expected::near(value, 2 * ulpOf(format, value)), value, ftz);
            };
            // Operands and quotients well inside the range: nothing else is promised to 2 ulp.
            std::vector<Values> rows { noise(Kind::F32, 320, 91), noise(Kind::F32, 320, 92) };
            const double specials[] = { 0.0, -0.0, 1.0, -3.0, HUGE_VAL, -HUGE_VAL };
            for (const double a : specials) {
                for (const double b : specials) {
                    rows[0].push_back(fromDouble(singleFormat, a));
                    rows[1].push_back(fromDouble(singleFormat, b));
                }
            }
            if (!full) {
                for (const double a : specials) {
                    rows[0].push_back(fromDouble(singleFormat, a));
                    rows[1].push_back(fromDouble(singleFormat, std::ldexp(1.5, 126)));
                }
            }
            binary(forms, { opcode, "9.7.3.8" }, Kind::F32, Kind::F32, Kind::F32, f, rows);
        }
    }
}

void addHalves(Forms& forms)
{
    for (const Kind k : { Kind::F16, Kind::Bf16 }) {
        const Format format = formatOf(k);
        const bool bfloat = k == Kind::Bf16;
        const Kind two = bfloat ? Kind::Bf16x2 : Kind::F16x2;
        const std::string target = bfloat ? "sm_90" : defaultTarget;
        const auto both
            = [&](const std::string& head, const std::string& section, const Unary& f, const Values& values) {
                  unary(forms, { head + nameOf(k), section, target }, k, k, f, values);
                  const std::string opcode = head + nameOf(two);
                  add(forms, opcode, section, [=](Probe& probe) {
                      Values a;
                      Answers answers;
                      for (std::size_t i = 0; i < values.size(); ++i) {
                          const std::uint64_t low = values[i], high = values[(i * 7 + 3) % values.size()];
                          a.push_back(low | high << 16);
                          answers.push_back(f(low));
                          answers.push_back(f(high));
                      }
                      probe.target(target).input("a", two, a).halves("d", two, answers).body(opcode + " %d, %a;");
                  });
              };
        both(
            "tanh.approx.", "9.7.4.9", [format](auto a) { return tangent(format, a); }, withNoise(k, { 4, -4, 0.01 }));
        both(
            bfloat ? "ex2.approx.ftz." : "ex2.approx.", "9.7.4.10",
            [format, bfloat](auto a) { return halfExp2(format, a, bfloat); },
            withNoise(k, { 1, -1, 15, -14, -20, -24, 20, 100 }));
    }
}

// Only the upper 32 bits of the operand are read and of the result written; the manual gives 20 bits of mantissa to
// both and no bound beyond. Subnormals are zeros of their sign.
Expected grossly(std::uint64_t bits, bool rootToo)
{
    const Format format = doubleFormat;
    bits = flushed(format, bits & 0xFFFFFFFF00000000ULL);
    const std::uint64_t sign = bits & signBit(format);
    if (isZero(format, bits))
        return sign | infinityOf(format);
    if (isNan(format, bits) || (rootToo && sign != 0))
        return nanOf(format);
    if ((bits & infinityOf(format)) == infinityOf(format))
        return sign;
    const double x = toDouble(format, bits), exact = rootToo ? 1 / std::sqrt(x) : 1 / x;
    if (std::abs(exact) < std::ldexp(1.0, -1022))
        return sign;
    return Expected::near(exact, std::abs(exact) * std::ldexp(1.0, -18));
}

void addDoubles(Forms& forms)
{
    for (const bool rootToo : { false, true }) {
        const std::string opcode = rootToo ? "rsqrt.approx.ftz.f64" : "rcp.approx.ftz.f64";
        Values kept;
        for (const std::uint64_t bits : withNoise(Kind::F64, { 7, 1e100, 1e-100 })) {
            const bool low = (bits & 0xFFFFFFFF) != 0 && (isSubnormal(doubleFormat, bits) || isNan(doubleFormat, bits));
            if (!low || (bits & 0xFFFFFFFF00000000ULL) != 0)
                kept.push_back(bits);
        }
        unary(
            forms, { opcode, rootToo ? "9.7.3.17" : "9.7.3.14" }, Kind::F64, Kind::F64,
            [rootToo](auto a) { return grossly(a, rootToo); }, kept);
    }
}

} // namespace

void addApproximate(Forms& forms)
{
    for (const bool ftz : { false, true }) {
        const std::string rest = std::string(".approx") + (ftz ? ".ftz" : "") + ".f32";
        const auto single
            = [&](const char* name, const char* section, Expected (*f)(std::uint64_t, bool), Values values) {
                  unary(
                      forms, { name + rest, section }, Kind::F32, Kind::F32, [=](auto a) { return f(a, ftz); }, values);
              };
        single("rcp", "9.7.3.13", reciprocal, withNoise(Kind::F32, { 7, 1e30, 1e-30 }));
        single("sqrt", "9.7.3.15", squareRoot, withNoise(Kind::F32, { 4, 1e30, 1e-30 }));
        single("rsqrt", "9.7.3.16", inverseRoot, withNoise(Kind::F32, { 4, 1e30, 1e-30 }));
        single("lg2", "9.7.3.20", log2Bits, withNoise(Kind::F32, { 8, 0.25, 1e30, 1e-30, 0.99, 1.01 }));
        single("ex2", "9.7.3.21", exp2Of,
            withNoise(
                Kind::F32, { 1, 2, -1, 10, -10, 127.5, 128, -126, -126.5, -130.25, -149, -151, -200, 1e30, -1e30 }));
        unary(
            forms, { "sin" + rest, "9.7.3.18" }, Kind::F32, Kind::F32, [=](auto a) { return wave(a, ftz, false); },
            angles());
        unary(
            forms, { "cos" + rest, "9.7.3.19" }, Kind::F32, Kind::F32, [=](auto a) { return wave(a, ftz, true); },
            angles());
    }
    unary(
        forms, { "tanh.approx.f32", "9.7.3.22" }, Kind::F32, Kind::F32, [](auto a) { return tangent(singleFormat, a); },
        withNoise(Kind::F32, { 10, -10, 0.001, 4 }));
    addDivisions(forms);
    addHalves(forms);
    addDoubles(forms);
}

} // namespace flashstep::conform
