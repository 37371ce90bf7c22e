// SPDX-License-Identifier: Apache-2.0
// Division, roots and the exponential unit's functions (PTX ISA 9.7.3.8 …). The exact forms round as the ISA says. The
// approximate ones keep its error bounds; inside them the bits are this model's own, and the same on every machine.
#include "core/ptx/decoder.h"
#include "core/ptx/half.h"
#include "core/ptx/lanes.h"
#include "core/ptx/rounding.h"
#include "core/tensor/real_math.h"

#include <cmath>
#include <numbers>

namespace flashstep::ptx {

namespace {

enum class Function : std::uint8_t { Exp2, Log2, Reciprocal, ReciprocalRoot, Root, Sine, Cosine, Tanh };

// sin and cos of x radians; range reduction in double holds for the arguments the approximate forms are specified for.
double cosReal(double x)
{
    if (!std::isfinite(x))
        return std::numeric_limits<double>::quiet_NaN();
    const double turns = x * (0.5 / std::numbers::pi);
    return cosPi(2 * (turns - std::nearbyint(turns)));
}
double sinReal(double x)
{
    if (!std::isfinite(x))
        return std::numeric_limits<double>::quiet_NaN();
    // Near a zero of the sine cosPi would lose what is small.
    const double turns = x * (0.5 / std::numbers::pi);
    const double part = turns - std::nearbyint(turns); // -1/2 … 1/2
    if (std::fabs(part) < 1e-3) {
        const double y = part * 2 * std::numbers::pi;
        return y * (1 - y * y / 6 * (1 - y * y / 20));
    }
    return cosPi(2 * part - 0.5);
}
double tanhReal(double x)
{
    if (std::fabs(x) < 1e-2) // e^2x - 1 would cancel
        return x * (1 - x * x / 3 * (1 - x * x * 2 / 5));
    if (std::fabs(x) > 20)
        return x > 0 ? 1 : -1;
    const double e = expReal(2 * x);
    return (e - 1) / (e + 1);
}

template <Function f> double real(double x)
{
    switch (f) {
    case Function::Exp2:
        return exp2Real(x);
    case Function::Log2:
        return log2Real(x);
    case Function::Reciprocal:
        return 1 / x;
    case Function::ReciprocalRoot:
        return 1 / std::sqrt(x);
    case Function::Root:
        return std::sqrt(x);
    case Function::Sine:
        return sinReal(x);
    case Function::Cosine:
        return cosReal(x);
    case Function::Tanh:
        return tanhReal(x);
    }
    return 0;
}
template <Function f, bool ftz> float approximate(float x)
{
    if constexpr (f == Function::Exp2) {
        if constexpr (ftz)
            return exp2Unit(x);
    }
    if constexpr (ftz)
        x = flush(x);
    if constexpr (f == Function::Sine || f == Function::Tanh) {
        if (x == 0)
            return x;
    }
    if constexpr (f == Function::Log2) {
        if (x < 0)
            return quietNan<float>();
        if (x == 0)
            return -std::numeric_limits<float>::infinity();
    }
    const auto result = static_cast<float>(real<f>(x));
    return canonical(ftz ? flush(result) : result);
}
template <Function f, bool ftz> void unary(Lanes& lanes, const Instruction& i)
{
    each<float, float>(lanes, i, approximate<f, ftz>);
}

// Two 16-bit values of a register: the same functions, rounded to the format.
template <Function f, typename Format, bool pair> void halves(Lanes& lanes, const Instruction& i)
{
    each<std::uint32_t, std::uint32_t>(lanes, i, [](std::uint32_t a) {
        std::uint32_t result = 0;
        for (int k = 0; k < (pair ? 2 : 1); ++k) {
            const float x = Format::decode(static_cast<std::uint16_t>(a >> (16 * k)));
            const bool zero = f == Function::Tanh && x == 0;
            float y = zero ? x : static_cast<float>(real<f>(x));
            if constexpr (f == Function::Exp2 && std::is_same_v<Format, Bf16>)
                y = flush(y); // exists with .ftz alone
            result |= static_cast<std::uint32_t>(Format::encode(y)) << (16 * k);
        }
        return result;
    });
}

bool finishUnary(Decoder& d, Type type, Execute execute)
{
    if (execute == nullptr || !d.atEnd() || d.count() != 2)
        return false;
    Instruction& i = d.instruction();
    i.unit = Unit::Exponential;
    i.type = type;
    i.execute = execute;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    return true;
}
// What the approximate fp64 forms read and write: the upper 32 bits, a subnormal being a zero of its sign.
double upperHalf(double x)
{
    const auto bits = std::bit_cast<std::uint64_t>(x) & 0xffffffff00000000U;
    const bool tiny = (bits & 0x7ff0000000000000U) == 0;
    return std::bit_cast<double>(tiny ? bits & 0x8000000000000000U : bits);
}
template <Function f> bool decodeApproximate(Decoder& d)
{
    if (!d.take("approx"))
        return false;
    const bool ftz = d.take("ftz");
    const Type type = d.takeType();
    if (type == Type::F32)
        return finishUnary(d, type, ftz ? unary<f, true> : unary<f, false>);
    if constexpr (f == Function::Exp2 || f == Function::Tanh) {
        if (type == Type::F16)
            return finishUnary(d, type, halves<f, Fp16, false>);
        if (type == Type::F16x2)
            return finishUnary(d, type, halves<f, Fp16, true>);
        if (type == Type::Bf16 && (ftz || f == Function::Tanh))
            return finishUnary(d, type, halves<f, Bf16, false>);
        if (type == Type::Bf16x2 && (ftz || f == Function::Tanh))
            return finishUnary(d, type, halves<f, Bf16, true>);
    }
    if constexpr (f == Function::Reciprocal || f == Function::ReciprocalRoot) {
        if (type == Type::F64 && ftz) {
            // The upper half alone is computed: 20 bits of the mantissa.
            return finishUnary(d, type, [](Lanes& lanes, const Instruction& i) {
                each<double, double>(lanes, i, [](double a) { return upperHalf(real<f>(upperHalf(a))); });
            });
        }
    }
    return false;
}

// The quotient of two floats as a double is off by less than half a unit; the remainder says on which side.
template <Rounding mode> float divideRounded(float a, float b)
{
    if constexpr (mode == Rounding::Nearest)
        return a / b;
    if (!std::isfinite(a) || !std::isfinite(b) || b == 0 || a == 0)
        return a / b;
    const double quotient = static_cast<double>(a) / static_cast<double>(b);
    const double rest = std::fma(-quotient, static_cast<double>(b), static_cast<double>(a));
    return rounded<mode>(quotient, rest / static_cast<double>(b));
}
template <Rounding mode> float rootRounded(float a)
{
    if constexpr (mode == Rounding::Nearest)
        return std::sqrt(a);
    if (!(a > 0) || !std::isfinite(a))
        return std::sqrt(a);
    const double root = std::sqrt(static_cast<double>(a));
    return rounded<mode>(root, std::fma(-root, root, static_cast<double>(a)) / (2 * root));
}

enum class Exact : std::uint8_t { Divide, Reciprocal, Root };
template <Exact what, Rounding mode, bool ftz> void exact(Lanes& lanes, const Instruction& i)
{
    const auto in = [](float x) { return ftz ? flush(x) : x; };
    const auto out = [](float x) { return canonical(ftz ? flush(x) : x); };
    if constexpr (what == Exact::Divide)
        each<float, float, float>(lanes, i, [&](float a, float b) { return out(divideRounded<mode>(in(a), in(b))); });
    else if constexpr (what == Exact::Reciprocal)
        each<float, float>(lanes, i, [&](float a) { return out(divideRounded<mode>(1.0F, in(a))); });
    else
        each<float, float>(lanes, i, [&](float a) { return out(rootRounded<mode>(in(a))); });
}
template <Exact what> Execute exactOf(int mode, bool ftz)
{
    switch (mode) {
    case 0:
        return ftz ? exact<what, Rounding::Nearest, true> : exact<what, Rounding::Nearest, false>;
    case 1:
        return ftz ? exact<what, Rounding::Zero, true> : exact<what, Rounding::Zero, false>;
    case 2:
        return ftz ? exact<what, Rounding::Down, true> : exact<what, Rounding::Down, false>;
    case 3:
        return ftz ? exact<what, Rounding::Up, true> : exact<what, Rounding::Up, false>;
    default:
        return nullptr;
    }
}
template <Exact what> void exactDouble(Lanes& lanes, const Instruction& i)
{
    if constexpr (what == Exact::Divide)
        each<double, double, double>(lanes, i, [](double a, double b) { return a / b; });
    else
        each<double, double>(lanes, i, [](double a) { return what == Exact::Root ? std::sqrt(a) : 1 / a; });
}
template <Exact what> bool decodeExact(Decoder& d)
{
    const int mode = d.takeOneOf({ "rn", "rz", "rm", "rp" });
    const bool ftz = d.take("ftz");
    const Type type = d.takeType();
    Instruction& i = d.instruction();
    if (mode < 0 || !d.atEnd() || d.count() != (what == Exact::Divide ? 3U : 2U))
        return false;
    if (type == Type::F32)
        i.execute = exactOf<what>(mode, ftz);
    else if (type == Type::F64 && mode == 0 && !ftz)
        i.execute = exactDouble<what>;
    else
        return false;
    i.unit = type == Type::F64 ? Unit::Double : Unit::Exponential;
    i.type = type;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    if (what == Exact::Divide)
        i.b = d.in(2, type);
    return true;
}

// div.approx: a times the reciprocal of b, which is 0 for a divisor beyond 2^126; div.full scales. 2 ulp.
template <bool full, bool ftz> void divideApproximately(Lanes& lanes, const Instruction& i)
{
    each<float, float, float>(lanes, i, [](float a, float b) {
        if constexpr (ftz) {
            a = flush(a);
            b = flush(b);
        }
        const bool vanishes = !full && std::fabs(b) > 0x1p126F;
        const float q = vanishes ? a * std::copysign(0.0F, b) : a / b;
        return canonical(ftz ? flush(q) : q);
    });
}
bool decodeDivideApproximately(Decoder& d)
{
    const int how = d.takeOneOf({ "approx", "full" });
    if (how < 0)
        return false;
    const bool ftz = d.take("ftz");
    if (!d.take("f32") || !d.atEnd() || d.count() != 3)
        return false;
    Instruction& i = d.instruction();
    i.unit = Unit::Exponential;
    i.type = Type::F32;
    i.execute = how == 0 ? (ftz ? divideApproximately<false, true> : divideApproximately<false, false>)
                         : (ftz ? divideApproximately<true, true> : divideApproximately<true, false>);
    i.d = d.out(0, Type::F32);
    i.a = d.in(1, Type::F32);
    i.b = d.in(2, Type::F32);
    return true;
}

constexpr Form forms[] = {
    { "div", "div.{rn,rz,rm,rp}{.ftz}.f32; div.rn.f64", "9.7.3.8", decodeExact<Exact::Divide> },
    { "div", "div.{approx,full}{.ftz}.f32", "9.7.3.8", decodeDivideApproximately },
    { "rcp", "rcp.approx{.ftz}.f32; rcp.approx.ftz.f64", "9.7.3.13", decodeApproximate<Function::Reciprocal> },
    { "rcp", "rcp.{rn,rz,rm,rp}{.ftz}.f32; rcp.rn.f64", "9.7.3.13", decodeExact<Exact::Reciprocal> },
    { "sqrt", "sqrt.approx{.ftz}.f32", "9.7.3.15", decodeApproximate<Function::Root> },
    { "sqrt", "sqrt.{rn,rz,rm,rp}{.ftz}.f32; sqrt.rn.f64", "9.7.3.15", decodeExact<Exact::Root> },
    { "rsqrt", "rsqrt.approx{.ftz}.f32; rsqrt.approx.ftz.f64", "9.7.3.16",
        decodeApproximate<Function::ReciprocalRoot> },
    { "sin", "sin.approx{.ftz}.f32", "9.7.3.18", decodeApproximate<Function::Sine> },
    { "cos", "cos.approx{.ftz}.f32", "9.7.3.19", decodeApproximate<Function::Cosine> },
    { "lg2", "lg2.approx{.ftz}.f32", "9.7.3.20", decodeApproximate<Function::Log2> },
    { "ex2", "ex2.approx{.ftz}.f32; ex2.approx.{f16,f16x2}; ex2.approx.ftz.{bf16,bf16x2}", "9.7.3.21",
        decodeApproximate<Function::Exp2> },
    { "tanh", "tanh.approx.{f32,f16,f16x2,bf16,bf16x2}", "9.7.3.22", decodeApproximate<Function::Tanh> },
};

} // namespace

std::span<const Form> approximateForms()
{
    return forms;
}

} // namespace flashstep::ptx
