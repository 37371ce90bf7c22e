// SPDX-License-Identifier: Apache-2.0
// Arithmetic on f16 and bf16, alone or two to a register (PTX ISA 9.7.4). Sums and products of two are exact in
// double; each result is rounded once.
#include "core/ptx/half.h"

#include "core/ptx/decoder.h"
#include "core/ptx/lanes.h"

#include <algorithm>

namespace flashstep::ptx {

namespace {

using U32 = std::uint32_t;
enum class Op : std::uint8_t { Add, Sub, Mul, Fma, FmaRelu, Neg, Abs, Min, Max, MinNan, MaxNan };

template <typename Format> std::uint16_t flushHalf(std::uint16_t bits)
{
    constexpr std::uint16_t exponent = std::is_same_v<Format, Fp16> ? 0x7c00 : 0x7f80;
    return (bits & exponent) == 0 ? static_cast<std::uint16_t>(bits & 0x8000U) : bits;
}
template <typename Format> bool isNan(std::uint16_t bits)
{
    const float x = Format::decode(bits);
    return x != x;
}

template <typename Format, Op op> std::uint16_t extremum(std::uint16_t a, std::uint16_t b)
{
    constexpr bool greater = op == Op::Max || op == Op::MaxNan;
    const bool nanA = isNan<Format>(a), nanB = isNan<Format>(b);
    if (nanA || nanB) {
        if (op == Op::MinNan || op == Op::MaxNan || (nanA && nanB))
            return 0x7fff;
        return nanA ? b : a;
    }
    const float x = Format::decode(a), y = Format::decode(b);
    if (x == y)
        return ((a & 0x8000U) != 0) == greater ? b : a;
    return (x > y) == greater ? a : b;
}

// Where a double could not hold the sum, the next one on that side: 16-bit formats see no more than the side.
double sticky(const TwoSum& s)
{
    return std::isfinite(s.sum) && s.rest != 0 ? std::nextafter(s.sum, s.rest > 0 ? 1e300 : -1e300) : s.sum;
}

template <typename Format, Op op> std::uint16_t compute(std::uint16_t a, std::uint16_t b, std::uint16_t c)
{
    if constexpr (op == Op::Neg)
        return static_cast<std::uint16_t>(a ^ 0x8000U);
    if constexpr (op == Op::Abs)
        return static_cast<std::uint16_t>(a & 0x7fffU);
    if constexpr (op == Op::Min || op == Op::Max || op == Op::MinNan || op == Op::MaxNan)
        return extremum<Format, op>(a, b);
    const double x = Format::decode(a), y = Format::decode(b), z = Format::decode(c);
    if constexpr (op == Op::Add || op == Op::Sub) {
        const TwoSum s = twoSum(x, op == Op::Sub ? -y : y);
        return Format::encode(toOdd(sticky(s)));
    }
    if constexpr (op == Op::Mul)
        return Format::encode(toOdd(x * y));
    const TwoSum s = twoSum(x * y, z);
    const std::uint16_t result = Format::encode(toOdd(sticky(s)));
    if (op == Op::FmaRelu)
        return isNan<Format>(result) ? 0x7fff : (result & 0x8000U) != 0 ? 0 : result;
    return result;
}

// In Instruction::detail. The first exists for f16 alone: into [0, 1], NaN to +0. The second compares magnitudes and
// gives the result the sign of the product.
constexpr std::uint8_t satBit = 1, xorSignBit = 2;

std::uint16_t saturatedHalf(std::uint16_t bits)
{
    constexpr std::uint16_t one = 0x3c00;
    return (bits & 0x8000U) != 0 || isNan<Fp16>(bits) ? 0 : std::min(bits, one);
}

template <typename Format, Op op, bool pair, bool ftz> void packed(Lanes& lanes, const Instruction& i)
{
    const bool xorSign = (i.detail & xorSignBit) != 0, sat = (i.detail & satBit) != 0;
    const auto part = [](U32 x, int k) {
        const auto bits = static_cast<std::uint16_t>(x >> (16 * k));
        return ftz ? flushHalf<Format>(bits) : bits;
    };
    const auto all = [&](U32 a, U32 b, U32 c) {
        U32 result = 0;
        for (int k = 0; k < (pair ? 2 : 1); ++k) {
            const std::uint16_t signs = xorSign ? (part(a, k) ^ part(b, k)) & 0x8000U : 0;
            const std::uint16_t kept = xorSign ? 0x7fff : 0xffff;
            std::uint16_t x = compute<Format, op>(part(a, k) & kept, part(b, k) & kept, part(c, k)) | signs;
            x = ftz ? flushHalf<Format>(x) : x;
            result |= static_cast<U32>(sat ? saturatedHalf(x) : x) << (16 * k);
        }
        return result;
    };
    if (i.c.valid())
        each<U32, U32, U32, U32>(lanes, i, all);
    else if (i.b.valid())
        each<U32, U32, U32>(lanes, i, [&](U32 a, U32 b) { return all(a, b, 0); });
    else
        each<U32, U32>(lanes, i, [&](U32 a) { return all(a, 0, 0); });
}

template <Op op> Execute executeOf(Type type, bool ftz)
{
    switch (type) {
    case Type::F16:
        return ftz ? packed<Fp16, op, false, true> : packed<Fp16, op, false, false>;
    case Type::F16x2:
        return ftz ? packed<Fp16, op, true, true> : packed<Fp16, op, true, false>;
    case Type::Bf16:
        return ftz ? nullptr : packed<Bf16, op, false, false>;
    case Type::Bf16x2:
        return ftz ? nullptr : packed<Bf16, op, true, false>;
    default:
        return nullptr;
    }
}
bool finish(Decoder& d, Type type, Execute execute, std::size_t operands)
{
    if (execute == nullptr || !d.atEnd() || d.count() != operands)
        return false;
    Instruction& i = d.instruction();
    i.unit = Unit::Half;
    i.type = type;
    i.execute = execute;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    if (operands > 2)
        i.b = d.in(2, type);
    if (operands > 3)
        i.c = d.in(3, type);
    return true;
}
bool isHalf(Type type)
{
    return type == Type::F16 || type == Type::F16x2;
}
template <Op op> bool decodeBinary(Decoder& d)
{
    d.take("rn");
    const bool ftz = d.take("ftz");
    const bool sat = d.take("sat");
    const Type type = d.takeType();
    d.instruction().detail = sat ? satBit : 0;
    return (!sat || isHalf(type)) && finish(d, type, executeOf<op>(type, ftz), 3);
}
bool decodeFma(Decoder& d)
{
    if (!d.take("rn"))
        return false;
    const bool ftz = d.take("ftz");
    const bool sat = d.take("sat");
    const bool relu = !sat && d.take("relu");
    const Type type = d.takeType();
    d.instruction().detail = sat ? satBit : 0;
    return (!sat || isHalf(type))
        && finish(d, type, relu ? executeOf<Op::FmaRelu>(type, ftz) : executeOf<Op::Fma>(type, ftz), 4);
}
template <Op op> bool decodeUnary(Decoder& d)
{
    const bool ftz = d.take("ftz");
    const Type type = d.takeType();
    return finish(d, type, executeOf<op>(type, ftz), 2);
}
template <Op op, Op withNan> bool decodeExtremum(Decoder& d)
{
    const bool ftz = d.take("ftz");
    const bool nan = d.take("NaN");
    d.instruction().detail = d.take("xorsign") && d.take("abs") ? xorSignBit : 0;
    const Type type = d.takeType();
    return finish(d, type, nan ? executeOf<withNan>(type, ftz) : executeOf<op>(type, ftz), 3);
}

constexpr Form forms[] = {
    { "add", "add{.rn}{.ftz}{.sat}.{f16,f16x2,bf16,bf16x2} d, a, b (.ftz, .sat: f16)", "9.7.4.1",
        decodeBinary<Op::Add> },
    { "sub", "sub{.rn}{.ftz}{.sat}.{f16,f16x2,bf16,bf16x2} d, a, b (.ftz, .sat: f16)", "9.7.4.2",
        decodeBinary<Op::Sub> },
    { "mul", "mul{.rn}{.ftz}{.sat}.{f16,f16x2,bf16,bf16x2} d, a, b (.ftz, .sat: f16)", "9.7.4.3",
        decodeBinary<Op::Mul> },
    { "fma", "fma.rn{.ftz}{.sat,.relu}.{f16,f16x2,bf16,bf16x2} d, a, b, c (.ftz, .sat: f16)", "9.7.4.4", decodeFma },
    { "neg", "neg{.ftz}.{f16,f16x2,bf16,bf16x2} d, a", "9.7.4.5", decodeUnary<Op::Neg> },
    { "abs", "abs{.ftz}.{f16,f16x2,bf16,bf16x2} d, a", "9.7.4.6", decodeUnary<Op::Abs> },
    { "min", "min{.ftz}{.NaN}{.xorsign.abs}.{f16,f16x2,bf16,bf16x2} d, a, b", "9.7.4.7",
        decodeExtremum<Op::Min, Op::MinNan> },
    { "max", "max{.ftz}{.NaN}{.xorsign.abs}.{f16,f16x2,bf16,bf16x2} d, a, b", "9.7.4.8",
        decodeExtremum<Op::Max, Op::MaxNan> },
};

} // namespace

std::span<const Form> halfForms()
{
    return forms;
}

} // namespace flashstep::ptx
