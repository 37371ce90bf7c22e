// SPDX-License-Identifier: Apache-2.0
// fp32 and fp64 arithmetic that the ISA rounds exactly (PTX ISA 9.7.3), and packed pairs of fp32.
#include "core/ptx/decoder.h"
#include "core/ptx/lanes.h"
#include "core/ptx/rounding.h"

#include <cmath>

namespace flashstep::ptx {

namespace {

enum class Op : std::uint8_t { Add, Sub, Mul, Fma };

template <Op op, Rounding mode> float compute(float a, float b, float c)
{
    if constexpr (op == Op::Add)
        return addRounded<mode>(a, b);
    else if constexpr (op == Op::Sub)
        return addRounded<mode>(a, -b);
    else if constexpr (op == Op::Mul)
        return mulRounded<mode>(a, b);
    else
        return fmaRounded<mode>(a, b, c);
}
template <bool ftz> float flushed(float x)
{
    return ftz ? flush(x) : x;
}

template <Op op, Rounding mode, bool ftz, bool sat> void arithmetic(Lanes& lanes, const Instruction& i)
{
    const auto finish = [](float x) {
        x = flushed<ftz>(x);
        return sat ? saturated(x) : canonical(x);
    };
    if constexpr (op == Op::Fma)
        each<float, float, float, float>(lanes, i, [&](float a, float b, float c) {
            return finish(compute<op, mode>(flushed<ftz>(a), flushed<ftz>(b), flushed<ftz>(c)));
        });
    else
        each<float, float, float>(
            lanes, i, [&](float a, float b) { return finish(compute<op, mode>(flushed<ftz>(a), flushed<ftz>(b), 0)); });
}

template <Op op, Rounding mode> Execute variant(bool ftz, bool sat)
{
    return ftz ? (sat ? arithmetic<op, mode, true, true> : arithmetic<op, mode, true, false>)
               : (sat ? arithmetic<op, mode, false, true> : arithmetic<op, mode, false, false>);
}
template <Op op> Execute executeOf(int mode, bool ftz, bool sat)
{
    switch (mode) {
    case 1:
        return variant<op, Rounding::Zero>(ftz, sat);
    case 2:
        return variant<op, Rounding::Down>(ftz, sat);
    case 3:
        return variant<op, Rounding::Up>(ftz, sat);
    default:
        return variant<op, Rounding::Nearest>(ftz, sat);
    }
}

// Two fp32 in a 64-bit register, the first in the low half; no cross talk.
template <Op op, Rounding mode, bool ftz> void packed(Lanes& lanes, const Instruction& i)
{
    const auto half = [](std::uint64_t x, int k) {
        return flushed<ftz>(std::bit_cast<float>(static_cast<std::uint32_t>(x >> (32 * k))));
    };
    const auto both = [&](std::uint64_t a, std::uint64_t b, std::uint64_t c) {
        std::uint64_t result = 0;
        for (int k = 0; k < 2; ++k) {
            const float x = canonical(flushed<ftz>(compute<op, mode>(half(a, k), half(b, k), half(c, k))));
            result |= static_cast<std::uint64_t>(std::bit_cast<std::uint32_t>(x)) << (32 * k);
        }
        return result;
    };
    using U64 = std::uint64_t;
    if constexpr (op == Op::Fma)
        each<U64, U64, U64, U64>(lanes, i, both);
    else
        each<U64, U64, U64>(lanes, i, [&](U64 a, U64 b) { return both(a, b, 0); });
}
template <Op op> Execute packedOf(int mode, bool ftz)
{
    switch (mode) {
    case 1:
        return ftz ? packed<op, Rounding::Zero, true> : packed<op, Rounding::Zero, false>;
    case 2:
        return ftz ? packed<op, Rounding::Down, true> : packed<op, Rounding::Down, false>;
    case 3:
        return ftz ? packed<op, Rounding::Up, true> : packed<op, Rounding::Up, false>;
    default:
        return ftz ? packed<op, Rounding::Nearest, true> : packed<op, Rounding::Nearest, false>;
    }
}

template <Op op> void doubles(Lanes& lanes, const Instruction& i)
{
    if constexpr (op == Op::Fma)
        each<double, double, double, double>(lanes, i, [](double a, double b, double c) { return std::fma(a, b, c); });
    else
        each<double, double, double>(lanes, i, [](double a, double b) {
            return op == Op::Add ? a + b : op == Op::Sub ? a - b : a * b;
        });
}

// add{.rnd}{.ftz}{.sat}.f32, .f64 (to nearest), .f32x2; fma asks for its rounding.
template <Op op> bool decodeArithmetic(Decoder& d)
{
    const int mode = d.takeOneOf({ "rn", "rz", "rm", "rp" });
    const bool ftz = d.take("ftz");
    const bool sat = d.take("sat");
    const Type type = d.takeType();
    const std::size_t operands = op == Op::Fma ? 4 : 3;
    Instruction& i = d.instruction();
    if (!d.atEnd() || d.count() != operands)
        return false;
    i.unit = Unit::Fma;
    if (type == Type::F32)
        i.execute = executeOf<op>(mode, ftz, sat);
    else if (type == Type::F32x2 && !sat)
        i.execute = packedOf<op>(mode, ftz);
    else if (type == Type::F64 && mode <= 0 && !ftz && !sat)
        i.execute = doubles<op>;
    else
        return false;
    if (type == Type::F64)
        i.unit = Unit::Double;
    i.type = type;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    if (op == Op::Fma)
        i.c = d.in(3, type);
    return true;
}

// The smaller or larger; a number beats NaN, unless .NaN; +0 is above -0.
template <typename T, bool greater, bool nan> T select(T a, T b)
{
    if (std::isnan(a) || std::isnan(b)) {
        if (nan || (std::isnan(a) && std::isnan(b)))
            return quietNan<T>();
        return std::isnan(a) ? b : a;
    }
    if (a == b)
        return std::signbit(a) == greater ? b : a;
    return (a > b) == greater ? a : b;
}
template <bool greater, bool nan, bool ftz, bool magnitude> void extremum(Lanes& lanes, const Instruction& i)
{
    const auto pick = [](float a, float b) {
        a = flushed<ftz>(a);
        b = flushed<ftz>(b);
        if constexpr (magnitude) {
            // xorsign: magnitudes are compared, the sign is that of the product
            const float m = select<float, greater, nan>(std::fabs(a), std::fabs(b));
            return std::isnan(m) ? m : std::copysign(m, std::signbit(a) != std::signbit(b) ? -1.0F : 1.0F);
        } else
            return select<float, greater, nan>(a, b);
    };
    if (i.c.valid())
        each<float, float, float, float>(lanes, i, [&](float a, float b, float c) { return pick(pick(a, b), c); });
    else
        each<float, float, float>(lanes, i, pick);
}
template <bool greater> void extremumDouble(Lanes& lanes, const Instruction& i)
{
    each<double, double, double>(lanes, i, select<double, greater, false>);
}
template <bool greater> Execute extremumOf(bool ftz, bool nan, bool magnitude)
{
    if (magnitude)
        return nan ? (ftz ? extremum<greater, true, true, true> : extremum<greater, true, false, true>)
                   : (ftz ? extremum<greater, false, true, true> : extremum<greater, false, false, true>);
    return nan ? (ftz ? extremum<greater, true, true, false> : extremum<greater, true, false, false>)
               : (ftz ? extremum<greater, false, true, false> : extremum<greater, false, false, false>);
}
template <bool greater> bool decodeExtremum(Decoder& d)
{
    const bool ftz = d.take("ftz");
    const bool nan = d.take("NaN");
    const bool magnitude = d.take("xorsign") && d.take("abs");
    const Type type = d.takeType();
    Instruction& i = d.instruction();
    if (!d.atEnd() || d.count() < 3 || d.count() > 4)
        return false;
    if (type == Type::F32)
        i.execute = extremumOf<greater>(ftz, nan, magnitude);
    else if (type == Type::F64 && !ftz && !nan && !magnitude && d.count() == 3)
        i.execute = extremumDouble<greater>;
    else
        return false;
    i.type = type;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    if (d.count() == 4)
        i.c = d.in(3, type); // sm_100: of three
    return true;
}

template <typename T, bool negate, bool ftz> void sign(Lanes& lanes, const Instruction& i)
{
    each<T, T>(lanes, i, [](T a) {
        if constexpr (ftz)
            a = flush(a);
        return negate ? -a : std::fabs(a);
    });
}
template <bool negate> bool decodeSign(Decoder& d)
{
    const bool ftz = d.take("ftz");
    const Type type = d.takeType();
    Instruction& i = d.instruction();
    if (!d.atEnd() || d.count() != 2)
        return false;
    if (type == Type::F32)
        i.execute = ftz ? sign<float, negate, true> : sign<float, negate, false>;
    else if (type == Type::F64 && !ftz)
        i.execute = sign<double, negate, false>;
    else
        return false;
    i.type = type;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    return true;
}

template <typename T> void copySign(Lanes& lanes, const Instruction& i) // the sign of a, the magnitude of b
{
    each<T, T, T>(lanes, i, [](T a, T b) { return std::copysign(b, a); });
}
bool decodeCopysign(Decoder& d)
{
    const Type type = d.takeType();
    if ((type != Type::F32 && type != Type::F64) || !d.atEnd() || d.count() != 3)
        return false;
    Instruction& i = d.instruction();
    i.execute = type == Type::F32 ? copySign<float> : copySign<double>;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    return true;
}

constexpr Form forms[] = {
    { "add", "add{.rn,.rz,.rm,.rp}{.ftz}{.sat}.f32; add{.rn}.f64; add{.rnd}{.ftz}.f32x2", "9.7.3.3",
        decodeArithmetic<Op::Add> },
    { "sub", "sub{.rnd}{.ftz}{.sat}.f32; sub{.rn}.f64; sub{.rnd}{.ftz}.f32x2", "9.7.3.4", decodeArithmetic<Op::Sub> },
    { "mul", "mul{.rnd}{.ftz}{.sat}.f32; mul{.rn}.f64; mul{.rnd}{.ftz}.f32x2", "9.7.3.5", decodeArithmetic<Op::Mul> },
    { "fma", "fma.rnd{.ftz}{.sat}.f32; fma.rn.f64; fma.rnd{.ftz}.f32x2", "9.7.3.6", decodeArithmetic<Op::Fma> },
    { "mad", "mad.rnd{.ftz}{.sat}.f32; mad.rn.f64", "9.7.3.7", decodeArithmetic<Op::Fma> },
    { "abs", "abs{.ftz}.f32; abs.f64", "9.7.3.9", decodeSign<false> },
    { "neg", "neg{.ftz}.f32; neg.f64", "9.7.3.10", decodeSign<true> },
    { "min", "min{.ftz}{.NaN}{.xorsign.abs}.f32 d, a, b{, c}; min.f64", "9.7.3.11", decodeExtremum<false> },
    { "max", "max{.ftz}{.NaN}{.xorsign.abs}.f32 d, a, b{, c}; max.f64", "9.7.3.12", decodeExtremum<true> },
    { "copysign", "copysign.{f32,f64} d, a, b", "9.7.3.2", decodeCopysign },
};

} // namespace

std::span<const Form> floatForms()
{
    return forms;
}

} // namespace flashstep::ptx
