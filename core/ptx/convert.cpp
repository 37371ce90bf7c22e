// SPDX-License-Identifier: Apache-2.0
// cvt (PTX ISA 9.7.9.21): between integers, between floats, and across.
#include "core/ptx/decoder.h"
#include "core/ptx/half.h"
#include "core/ptx/lanes.h"

#include <algorithm>
#include <cmath>

namespace flashstep::ptx {

namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;
using I64 = std::int64_t;

enum class Whole : std::uint8_t { None, Nearest, Zero, Down, Up }; // rni rzi rmi rpi
constexpr std::uint8_t ftzBit = 0x10, satBit = 0x20, reluBit = 0x40, satfiniteBit = 0x80; // in detail2, mode below

double roundWhole(double x, Whole mode)
{
    switch (mode) {
    case Whole::Nearest:
        return std::nearbyint(x);
    case Whole::Zero:
        return std::trunc(x);
    case Whole::Down:
        return std::floor(x);
    case Whole::Up:
        return std::ceil(x);
    case Whole::None:
        break;
    }
    return x;
}

int bitsOf(Type type)
{
    return 8 * bytesOf(type);
}
// What an integer type's bits say, as 64 bits of its signedness.
U64 extended(U64 raw, Type type)
{
    const int unused = 64 - bitsOf(type);
    if (isSigned(type))
        return static_cast<U64>(static_cast<I64>(raw << unused) >> unused);
    return raw << unused >> unused;
}
U64 read(const Lanes& lanes, Row row, bool wide, int l)
{
    return wide ? lanes.wides(row)[l] : lanes.words(row)[l];
}
void write(const Lanes& lanes, Row row, bool wide, int l, U64 value)
{
    if (wide)
        lanes.widesOut(row)[l] = value;
    else
        lanes.wordsOut(row)[l] = static_cast<U32>(value);
}

// The destination's type; the source's stands in Instruction::type, which register is wide in `wide` and `vector`.
Type destination(const Instruction& i)
{
    return static_cast<Type>(i.detail);
}
bool wideSource(const Instruction& i)
{
    return i.bytes == 8;
}

void integerToInteger(Lanes& lanes, const Instruction& i)
{
    const Type to = destination(i), from = i.type;
    const bool sat = (i.detail2 & satBit) != 0;
    forLanes(lanes.mask, [&](int l) {
        U64 x = extended(read(lanes, i.a, wideSource(i), l), from);
        if (sat) {
            const int bits = bitsOf(to);
            if (isSigned(to)) {
                const I64 top = static_cast<I64>((U64 { 1 } << (bits - 1)) - 1);
                if (isSigned(from))
                    x = static_cast<U64>(std::clamp<I64>(static_cast<I64>(x), -top - 1, top));
                else
                    x = std::min<U64>(x, static_cast<U64>(top));
            } else {
                const U64 top = bits == 64 ? ~U64 { 0 } : (U64 { 1 } << bits) - 1;
                x = isSigned(from) && static_cast<I64>(x) < 0 ? 0 : std::min<U64>(x, top);
            }
        }
        write(lanes, i.d, i.wide, l, extended(x, to));
    });
}

double readFloat(const Lanes& lanes, const Instruction& i, int l)
{
    switch (i.type) {
    case Type::F64:
        return std::bit_cast<double>(static_cast<U64>(lanes.wides(i.a)[l]));
    case Type::F32: {
        const float x = std::bit_cast<float>(static_cast<U32>(lanes.words(i.a)[l]));
        return (i.detail2 & ftzBit) != 0 ? flush(x) : x;
    }
    case Type::F16:
        return Fp16::decode(static_cast<std::uint16_t>(lanes.words(i.a)[l]));
    default:
        return Bf16::decode(static_cast<std::uint16_t>(lanes.words(i.a)[l]));
    }
}

// Out of range: the nearest the type holds. NaN: 0, or the middle of the range where 64 bits are involved.
void floatToInteger(Lanes& lanes, const Instruction& i)
{
    const Type to = destination(i);
    const int bits = bitsOf(to);
    const auto mode = static_cast<Whole>(i.detail2 & 7U);
    const double top = std::ldexp(1.0, isSigned(to) ? bits - 1 : bits);
    forLanes(lanes.mask, [&](int l) {
        const double x = readFloat(lanes, i, l);
        U64 result = 0;
        if (x != x)
            result = i.type == Type::F64 || bits == 64 ? U64 { 1 } << (bits - 1) : 0;
        else {
            const double whole = roundWhole(x, mode);
            if (whole >= top)
                result = isSigned(to) ? (U64 { 1 } << (bits - 1)) - 1
                                      : (bits == 64 ? ~U64 { 0 } : (U64 { 1 } << bits) - 1);
            else if (isSigned(to))
                result = static_cast<U64>(whole < -top ? static_cast<I64>(-top) : static_cast<I64>(whole));
            else
                result = whole <= 0 ? 0 : static_cast<U64>(whole);
        }
        write(lanes, i.d, i.wide, l, extended(result, to));
    });
}

template <typename Format> std::uint16_t halfOf(double x, Rounding mode)
{
    const std::uint16_t nearest = Format::encode(toOdd(x));
    if (mode == Rounding::Nearest || x != x || std::isinf(x))
        return nearest;
    // One step back where rounding went to the other side.
    const double back = Format::decode(nearest);
    const bool down = mode == Rounding::Down || (mode == Rounding::Zero && x > 0);
    if (back == x || (back < x) == down)
        return nearest;
    if ((nearest & 0x7fffU) == 0)
        return down ? 0x8001 : 0x0001;
    const bool towardsZero = (back > 0) == down;
    return static_cast<std::uint16_t>(towardsZero ? nearest - 1 : nearest + 1);
}
template <typename Format> std::uint16_t finished(std::uint16_t x, std::uint8_t flags)
{
    const auto isNan = [](std::uint16_t bits) {
        const float f = Format::decode(bits);
        return f != f;
    };
    if ((flags & reluBit) != 0 && (x & 0x8000U) != 0 && !isNan(x))
        x = 0;
    if ((flags & satfiniteBit) != 0 && !isNan(x) && (x & 0x7fffU) > Format::largest)
        x = static_cast<std::uint16_t>((x & 0x8000U) | Format::largest);
    return x;
}

float toFloat(double sum, double rest, Rounding mode)
{
    switch (mode) {
    case Rounding::Zero:
        return rounded<Rounding::Zero>(sum, rest);
    case Rounding::Down:
        return rounded<Rounding::Down>(sum, rest);
    case Rounding::Up:
        return rounded<Rounding::Up>(sum, rest);
    default:
        return rounded<Rounding::Nearest>(sum, rest);
    }
}
double toDouble(double sum, double rest, Rounding mode)
{
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (rest == 0 || mode == Rounding::Nearest)
        return sum;
    if (mode == Rounding::Down || (mode == Rounding::Zero && sum > 0))
        return rest < 0 ? std::nextafter(sum, -infinity) : sum;
    return rest > 0 ? std::nextafter(sum, infinity) : sum;
}

// The sum's double, but odd where something is left out: a rounding to a narrower format then goes the right way.
double withRest(double sum, double rest)
{
    if (rest == 0 || (std::bit_cast<U64>(sum) & 1U) != 0)
        return sum;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return std::nextafter(sum, rest > 0 ? infinity : -infinity);
}
// .sat: into [0, 1], NaN to +0.
double saturatedDouble(double x)
{
    return x > 0 ? std::min(x, 1.0) : 0.0;
}

// `sum + rest` as the destination holds it.
void writeFloat(Lanes& lanes, const Instruction& i, int l, double sum, double rest)
{
    const auto mode = static_cast<Rounding>(i.detail2 & 7U);
    switch (destination(i)) {
    case Type::F64: {
        const double x = toDouble(sum, rest, mode);
        lanes.widesOut(i.d)[l] = std::bit_cast<U64>((i.detail2 & satBit) != 0 ? saturatedDouble(x) : x);
        break;
    }
    case Type::F32: {
        float x = toFloat(sum, rest, mode);
        if ((i.detail2 & ftzBit) != 0)
            x = flush(x);
        x = (i.detail2 & satBit) != 0 ? saturated(x) : canonical(x);
        lanes.wordsOut(i.d)[l] = std::bit_cast<U32>(x);
        break;
    }
    case Type::F16: {
        const double exact = withRest(sum, rest);
        const double x = (i.detail2 & satBit) != 0 ? saturatedDouble(exact) : exact;
        lanes.wordsOut(i.d)[l] = finished<Fp16>(halfOf<Fp16>(x, mode), i.detail2);
        break;
    }
    default:
        lanes.wordsOut(i.d)[l] = finished<Bf16>(halfOf<Bf16>(withRest(sum, rest), mode), i.detail2);
    }
}

void integerToFloat(Lanes& lanes, const Instruction& i)
{
    forLanes(lanes.mask, [&](int l) {
        const U64 x = extended(read(lanes, i.a, wideSource(i), l), i.type);
        // Both halves are exact; their sum may not be.
        const double high
            = isSigned(i.type) ? static_cast<double>(static_cast<I64>(x) >> 32) : static_cast<double>(x >> 32U);
        const TwoSum s = twoSum(high * 4294967296.0, static_cast<double>(x & 0xffffffffU));
        writeFloat(lanes, i, l, s.sum, s.rest);
    });
}

void floatToFloat(Lanes& lanes, const Instruction& i)
{
    forLanes(lanes.mask, [&](int l) { writeFloat(lanes, i, l, readFloat(lanes, i, l), 0); });
}
// cvt.rni.f32.f32 and its like: to a whole number of the same type.
void floatToWhole(Lanes& lanes, const Instruction& i)
{
    const auto mode = static_cast<Whole>(i.detail2 & 7U);
    forLanes(lanes.mask, [&](int l) {
        const double x = roundWhole(readFloat(lanes, i, l), mode);
        switch (destination(i)) {
        case Type::F64:
            lanes.widesOut(i.d)[l] = std::bit_cast<U64>(x);
            break;
        case Type::F32: {
            const auto narrow = static_cast<float>(x);
            lanes.wordsOut(i.d)[l]
                = std::bit_cast<U32>((i.detail2 & satBit) != 0 ? saturated(narrow) : canonical(narrow));
            break;
        }
        default:
            lanes.wordsOut(i.d)[l] = Fp16::encode(static_cast<float>(x));
        }
    });
}

// Two floats to a register: the first operand goes to the upper half.
template <typename Format> void packHalves(Lanes& lanes, const Instruction& i)
{
    const auto mode = static_cast<Rounding>(i.detail2 & 7U);
    each<U32, float, float>(lanes, i, [&](float a, float b) {
        if (i.detail2 == 0)
            return static_cast<U32>(Format::encode(a)) << 16U | Format::encode(b);
        return static_cast<U32>(finished<Format>(halfOf<Format>(a, mode), i.detail2)) << 16U
            | finished<Format>(halfOf<Format>(b, mode), i.detail2);
    });
}
U32 e4m3Of(float x, std::uint8_t flags)
{
    if (x != x)
        return 0x7f;
    if ((flags & reluBit) != 0 && std::signbit(x))
        return 0;
    return flashstep::bitsOf(DType::E4m3, roundTo(DType::E4m3, x));
}
void packE4m3(Lanes& lanes, const Instruction& i)
{
    each<U32, float, float>(
        lanes, i, [&](float a, float b) { return e4m3Of(a, i.detail2) << 8U | e4m3Of(b, i.detail2); });
}
// Above the largest, 57344: that, with its sign.
U32 e5m2Of(float x, std::uint8_t flags)
{
    if (x != x)
        return 0x7f;
    if ((flags & reluBit) != 0 && std::signbit(x))
        return 0;
    // The upper byte of an f16 whose last bit says whether anything is left.
    U32 half = halfOf<Fp16>(x, Rounding::Zero);
    half |= Fp16::decode(static_cast<std::uint16_t>(half)) != x ? 1U : 0U;
    const U32 code = (half + 0x7fU + (half >> 8U & 1U)) >> 8U;
    return (code & 0x7fU) > 0x7bU ? (code & 0x80U) | 0x7bU : code;
}
void packE5m2(Lanes& lanes, const Instruction& i)
{
    each<U32, float, float>(
        lanes, i, [&](float a, float b) { return e5m2Of(a, i.detail2) << 8U | e5m2Of(b, i.detail2); });
}
void unpackE4m3(Lanes& lanes, const Instruction& i)
{
    each<U32, U32>(lanes, i, [](U32 a) {
        const auto one = [](U32 code) { return static_cast<U32>(Fp16::encode(fromBits(DType::E4m3, code & 0xffU))); };
        return one(a >> 8U) << 16U | one(a);
    });
}
// An e5m2 is the upper byte of an f16.
void unpackE5m2(Lanes& lanes, const Instruction& i)
{
    each<U32, U32>(lanes, i, [](U32 a) { return (a & 0xff00U) << 16U | (a & 0xffU) << 8U; });
}
// tf32 keeps 10 bits of the mantissa; rna rounds halves away from zero.
template <bool away> void toTf32(Lanes& lanes, const Instruction& i)
{
    each<U32, U32>(lanes, i, [](U32 a) {
        if ((a & 0x7f800000U) == 0x7f800000U)
            return a & (a << 9U) ? 0x7fffffffU : a;
        const U32 half = away ? 0x1000U : 0xfffU + (a >> 13U & 1U);
        return (a + half) & ~0x1fffU;
    });
}

bool operands(Decoder& d, Execute execute, Type to, Type from)
{
    Instruction& i = d.instruction();
    if (!d.atEnd() || d.count() != 2)
        return false;
    i.execute = execute;
    i.type = from;
    i.detail = static_cast<std::uint8_t>(to);
    i.d = d.out(0, to);
    i.a = d.in(1, from);
    i.wide = d.bytesOfRegister(d.statement().operands[0]) == 8;
    const int source = d.bytesOfRegister(d.statement().operands[1]);
    i.bytes = static_cast<std::uint8_t>(source != 0 ? source : bytesOf(from) == 8 ? 8 : 4);
    return true;
}

bool decodePacked(Decoder& d, Type to, std::uint8_t flags)
{
    Instruction& i = d.instruction();
    i.detail2 = flags;
    if (to == Type::Tf32)
        return false;
    const Type from = d.takeType();
    if (to == Type::F16x2 && (from == Type::E4m3x2 || from == Type::E5m2x2)) {
        if (!d.atEnd() || d.count() != 2)
            return false;
        i.d = d.out(0, Type::B32);
        i.a = d.in(1, Type::B16);
        i.execute = from == Type::E4m3x2 ? unpackE4m3 : unpackE5m2;
        return true;
    }
    if (from != Type::F32 || !d.atEnd() || d.count() != 3)
        return false;
    i.execute = to == Type::F16x2 ? packHalves<Fp16>
        : to == Type::Bf16x2      ? packHalves<Bf16>
        : to == Type::E5m2x2      ? packE5m2
                                  : packE4m3;
    i.type = from;
    i.d = d.out(0, to == Type::E4m3x2 || to == Type::E5m2x2 ? Type::B16 : Type::B32);
    i.a = d.in(1, Type::F32);
    i.b = d.in(2, Type::F32);
    return true;
}

bool isSmallFloat(Type type)
{
    return type == Type::F16 || type == Type::Bf16 || type == Type::F32 || type == Type::F64;
}
bool isInteger(Type type)
{
    return (type >= Type::U8 && type <= Type::S64);
}

bool decodeCvt(Decoder& d)
{
    const int whole = d.takeOneOf({ "rni", "rzi", "rmi", "rpi" });
    const int rounding = whole >= 0 ? -1 : d.takeOneOf({ "rn", "rz", "rm", "rp", "rna" });
    std::uint8_t flags = 0;
    for (bool more = true; more;) {
        more = true;
        if (d.take("ftz"))
            flags |= ftzBit;
        else if (d.take("satfinite"))
            flags |= satfiniteBit;
        else if (d.take("sat"))
            flags |= satBit;
        else if (d.take("relu"))
            flags |= reluBit;
        else
            more = false;
    }
    const Type to = d.takeType();
    Instruction& i = d.instruction();
    if (to == Type::Tf32) {
        i.execute = rounding == 4 ? toTf32<true> : toTf32<false>;
        if ((rounding != 4 && rounding != 0) || !d.take("f32") || !d.atEnd() || d.count() != 2)
            return false;
        i.d = d.out(0, Type::B32);
        i.a = d.in(1, Type::F32);
        return true;
    }
    if (rounding == 4)
        return false;
    const auto mode = static_cast<std::uint8_t>(whole >= 0 ? whole + 1 : rounding > 0 ? rounding : 0);
    if (to == Type::F16x2 || to == Type::Bf16x2 || to == Type::E4m3x2 || to == Type::E5m2x2)
        return decodePacked(d, to, static_cast<std::uint8_t>(flags | mode));
    const Type from = d.takeType();
    i.detail2 = static_cast<std::uint8_t>(flags | mode);
    if (isInteger(to) && isInteger(from))
        return whole < 0 && rounding < 0 && operands(d, integerToInteger, to, from);
    if (isInteger(to) && isSmallFloat(from))
        return whole >= 0 && operands(d, floatToInteger, to, from);
    if (isSmallFloat(to) && isInteger(from))
        return whole < 0 && operands(d, integerToFloat, to, from);
    if (!isSmallFloat(to) || !isSmallFloat(from))
        return false;
    return operands(d, whole >= 0 ? floatToWhole : floatToFloat, to, from);
}

constexpr Form forms[] = {
    { "cvt",
        "cvt{.rn,.rz,.rm,.rp,.rni,.rzi,.rmi,.rpi}{.ftz}{.sat}.dtype.atype d, a of integers, f16, bf16, f32, f64; "
        "cvt.{rn,rz}{.relu}{.satfinite}.{f16x2,bf16x2}.f32 d, a, b; cvt.rn.satfinite{.relu}.{e4m3x2,e5m2x2}.f32; "
        "cvt.rn.f16x2.{e4m3x2,e5m2x2}; cvt.{rn,rna}.tf32.f32",
        "9.7.9.21", decodeCvt },
};

} // namespace

std::span<const Form> convertForms()
{
    return forms;
}

} // namespace flashstep::ptx
