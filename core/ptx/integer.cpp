// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic (PTX ISA 9.7.1), and the extended-precision forms that pass a carry on (9.7.2).
#include "core/ptx/decoder.h"
#include "core/ptx/lanes.h"

#include <algorithm>
#include <limits>

namespace flashstep::ptx {

namespace {

using I8 = std::int8_t;
using I16 = std::int16_t;
using I32 = std::int32_t;
using I64 = std::int64_t;
using U8 = std::uint8_t;
using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;
__extension__ using I128 = __int128;
__extension__ using U128 = unsigned __int128;

template <typename T> using Unsigned = std::make_unsigned_t<T>;
// Sums and products wrap, at the width of the type; narrow ones must not be promoted to signed int on the way.
template <typename T> U64 bits(T x)
{
    return static_cast<U64>(static_cast<Unsigned<T>>(x));
}
template <typename T> T wrap(U64 x)
{
    return static_cast<T>(static_cast<Unsigned<T>>(x));
}

enum class Op : std::uint8_t { Add, Sub, Mul, MulHigh, Div, Rem, Min, Max, Abs, Neg };

template <typename T> T mulHigh(T a, T b)
{
    if constexpr (sizeof(T) == 8) {
        if constexpr (std::is_signed_v<T>)
            return static_cast<T>((static_cast<I128>(a) * b) >> 64);
        else
            return static_cast<T>((static_cast<U128>(a) * b) >> 64);
    } else {
        using Twice = std::conditional_t<std::is_signed_v<T>, I64, U64>;
        return static_cast<T>((static_cast<Twice>(a) * static_cast<Twice>(b)) >> (8 * sizeof(T)));
    }
}
// Division by zero has no specified result; all ones is what devices give. The most negative number by -1 wraps.
template <typename T> T divide(T a, T b)
{
    if (b == 0)
        return wrap<T>(~U64 { 0 });
    if constexpr (std::is_signed_v<T>) {
        if (b == -1)
            return wrap<T>(0 - bits(a));
    }
    return static_cast<T>(a / b);
}
template <typename T> T remainder(T a, T b)
{
    if (b == 0)
        return a;
    if constexpr (std::is_signed_v<T>) {
        if (b == -1)
            return 0;
    }
    return static_cast<T>(a % b);
}

template <typename T, Op op> T compute(T a, T b)
{
    switch (op) {
    case Op::Add:
        return wrap<T>(bits(a) + bits(b));
    case Op::Sub:
        return wrap<T>(bits(a) - bits(b));
    case Op::Mul:
        return wrap<T>(bits(a) * bits(b));
    case Op::MulHigh:
        return mulHigh(a, b);
    case Op::Div:
        return divide(a, b);
    case Op::Rem:
        return remainder(a, b);
    case Op::Min:
        return std::min(a, b);
    case Op::Max:
        return std::max(a, b);
    case Op::Abs:
        if constexpr (std::is_signed_v<T>)
            return a < 0 ? wrap<T>(0 - bits(a)) : a;
        return a;
    case Op::Neg:
        return wrap<T>(0 - bits(a));
    }
    return T {};
}

template <typename T, Op op> void binary(Lanes& lanes, const Instruction& i)
{
    each<T, T, T>(lanes, i, [](T a, T b) { return compute<T, op>(a, b); });
}
template <typename T, Op op> void unary(Lanes& lanes, const Instruction& i)
{
    each<T, T>(lanes, i, [](T a) { return compute<T, op>(a, T {}); });
}
template <typename T> void addSaturated(Lanes& lanes, const Instruction& i)
{
    each<T, T, T>(lanes, i, [](T a, T b) {
        const I64 sum = static_cast<I64>(a) + static_cast<I64>(b);
        return static_cast<T>(std::clamp<I64>(sum, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
    });
}
template <typename T> void subSaturated(Lanes& lanes, const Instruction& i)
{
    each<T, T, T>(lanes, i, [](T a, T b) {
        const I64 sum = static_cast<I64>(a) - static_cast<I64>(b);
        return static_cast<T>(std::clamp<I64>(sum, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
    });
}

template <Op op> Execute executeOf(Type type)
{
    switch (type) {
    case Type::U16:
        return binary<U16, op>;
    case Type::S16:
        return binary<I16, op>;
    case Type::U32:
        return binary<U32, op>;
    case Type::S32:
        return binary<I32, op>;
    case Type::U64:
        return binary<U64, op>;
    case Type::S64:
        return binary<I64, op>;
    default:
        return nullptr;
    }
}
template <Op op> Execute unaryOf(Type type)
{
    switch (type) {
    case Type::S16:
        return unary<I16, op>;
    case Type::S32:
        return unary<I32, op>;
    case Type::S64:
        return unary<I64, op>;
    default:
        return nullptr;
    }
}

bool threeOperands(Decoder& d, Type type, Execute execute)
{
    if (execute == nullptr || !d.atEnd() || d.count() != 3)
        return false;
    Instruction& i = d.instruction();
    i.type = type;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    i.execute = execute;
    return true;
}
template <Op op> bool decodeBinary(Decoder& d)
{
    const Type type = d.takeType();
    return threeOperands(d, type, executeOf<op>(type));
}
template <Op op> bool decodeUnary(Decoder& d)
{
    const Type type = d.takeType();
    const Execute execute = unaryOf<op>(type);
    if (execute == nullptr || !d.atEnd() || d.count() != 2)
        return false;
    Instruction& i = d.instruction();
    i.type = type;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.execute = execute;
    return true;
}
bool decodeAdd(Decoder& d)
{
    if (d.take("sat"))
        return d.take("s32") && threeOperands(d, Type::S32, addSaturated<I32>);
    return decodeBinary<Op::Add>(d);
}
bool decodeSub(Decoder& d)
{
    if (d.take("sat"))
        return d.take("s32") && threeOperands(d, Type::S32, subSaturated<I32>);
    return decodeBinary<Op::Sub>(d);
}

// mul.wide: the whole product, twice as wide as its factors.
template <typename D, typename T> void mulWide(Lanes& lanes, const Instruction& i)
{
    each<D, T, T>(lanes, i, [](T a, T b) { return static_cast<D>(static_cast<D>(a) * static_cast<D>(b)); });
}
template <typename D, typename T> void madWide(Lanes& lanes, const Instruction& i)
{
    each<D, T, T, D>(lanes, i,
        [](T a, T b, D c) { return wrap<D>(bits(static_cast<D>(static_cast<D>(a) * static_cast<D>(b))) + bits(c)); });
}
Type twice(Type type)
{
    switch (type) {
    case Type::U16:
        return Type::U32;
    case Type::S16:
        return Type::S32;
    case Type::U32:
        return Type::U64;
    case Type::S32:
        return Type::S64;
    default:
        return Type::None;
    }
}
template <bool add> Execute wideOf(Type type)
{
    switch (type) {
    case Type::U16:
        return add ? madWide<U32, U16> : mulWide<U32, U16>;
    case Type::S16:
        return add ? madWide<I32, I16> : mulWide<I32, I16>;
    case Type::U32:
        return add ? madWide<U64, U32> : mulWide<U64, U32>;
    case Type::S32:
        return add ? madWide<I64, I32> : mulWide<I64, I32>;
    default:
        return nullptr;
    }
}
bool decodeMul(Decoder& d)
{
    switch (d.takeOneOf({ "lo", "hi", "wide" })) {
    case 0:
        return decodeBinary<Op::Mul>(d);
    case 1:
        return decodeBinary<Op::MulHigh>(d);
    case 2:
        break;
    default:
        return false;
    }
    const Type type = d.takeType();
    Instruction& i = d.instruction();
    i.execute = wideOf<false>(type);
    if (i.execute == nullptr || !d.atEnd() || d.count() != 3)
        return false;
    i.type = type;
    i.d = d.out(0, twice(type));
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    return true;
}

template <typename T, bool high> void mad(Lanes& lanes, const Instruction& i)
{
    each<T, T, T, T>(lanes, i,
        [](T a, T b, T c) { return wrap<T>(bits(high ? mulHigh(a, b) : wrap<T>(bits(a) * bits(b))) + bits(c)); });
}
template <bool high> Execute madOf(Type type)
{
    switch (type) {
    case Type::U16:
        return mad<U16, high>;
    case Type::S16:
        return mad<I16, high>;
    case Type::U32:
        return mad<U32, high>;
    case Type::S32:
        return mad<I32, high>;
    case Type::U64:
        return mad<U64, high>;
    case Type::S64:
        return mad<I64, high>;
    default:
        return nullptr;
    }
}
bool decodeMad(Decoder& d)
{
    const int part = d.takeOneOf({ "lo", "hi", "wide" });
    const Type type = d.takeType();
    Instruction& i = d.instruction();
    i.execute = part == 0 ? madOf<false>(type)
        : part == 1       ? madOf<true>(type)
        : part == 2       ? wideOf<true>(type)
                          : nullptr;
    if (i.execute == nullptr || !d.atEnd() || d.count() != 4)
        return false;
    const Type result = part == 2 ? twice(type) : type;
    i.type = type;
    i.unit = Unit::Fma; // integer multiplications go to the multiply-add pipe
    i.d = d.out(0, result);
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    i.c = d.in(3, result);
    return true;
}

// The low 24 bits of each, multiplied: bits 31..0 or 47..16 of the product.
template <typename T, bool high> void mul24(Lanes& lanes, const Instruction& i)
{
    each<T, T, T>(lanes, i, [](T a, T b) {
        const auto narrow = [](T x) {
            if constexpr (std::is_signed_v<T>)
                return static_cast<I64>(static_cast<I32>(static_cast<U32>(x) << 8U) >> 8);
            else
                return static_cast<U64>(x & 0xffffffU);
        };
        const U64 product = static_cast<U64>(narrow(a)) * static_cast<U64>(narrow(b));
        return wrap<T>(high ? product >> 16U : product);
    });
}
bool decodeMul24(Decoder& d)
{
    const int part = d.takeOneOf({ "lo", "hi" });
    const Type type = d.takeType();
    if (part < 0 || (type != Type::U32 && type != Type::S32))
        return false;
    const bool u = type == Type::U32;
    return threeOperands(
        d, type, part == 0 ? (u ? mul24<U32, false> : mul24<I32, false>) : (u ? mul24<U32, true> : mul24<I32, true>));
}

template <typename T> void sad(Lanes& lanes, const Instruction& i)
{
    each<T, T, T, T>(
        lanes, i, [](T a, T b, T c) { return wrap<T>(bits(c) + (a < b ? bits(b) - bits(a) : bits(a) - bits(b))); });
}
bool decodeSad(Decoder& d)
{
    const Type type = d.takeType();
    Instruction& i = d.instruction();
    i.execute = type == Type::U16 ? sad<U16>
        : type == Type::S16       ? sad<I16>
        : type == Type::U32       ? sad<U32>
        : type == Type::S32       ? sad<I32>
        : type == Type::U64       ? sad<U64>
        : type == Type::S64       ? sad<I64>
                                  : nullptr;
    if (i.execute == nullptr || !d.atEnd() || d.count() != 4)
        return false;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    i.c = d.in(3, type);
    return true;
}

// Four bytes of a times four of b (dp4a), or two halves of a times two bytes of b (dp2a), added to c.
template <bool signedA, bool signedB> void dp4a(Lanes& lanes, const Instruction& i)
{
    each<U32, U32, U32, U32>(lanes, i, [](U32 a, U32 b, U32 c) {
        for (unsigned k = 0; k < 4; ++k) {
            const auto x = static_cast<U8>(a >> (8 * k));
            const auto y = static_cast<U8>(b >> (8 * k));
            const I32 p = signedA ? static_cast<I8>(x) : static_cast<I32>(x);
            const I32 q = signedB ? static_cast<I8>(y) : static_cast<I32>(y);
            c += static_cast<U32>(p * q);
        }
        return c;
    });
}
template <bool signedA, bool signedB, bool high> void dp2a(Lanes& lanes, const Instruction& i)
{
    each<U32, U32, U32, U32>(lanes, i, [](U32 a, U32 b, U32 c) {
        for (unsigned k = 0; k < 2; ++k) {
            const auto x = static_cast<U16>(a >> (16 * k));
            const auto y = static_cast<U8>(b >> (8 * k + (high ? 16 : 0)));
            const I32 p = signedA ? static_cast<I16>(x) : static_cast<I32>(x);
            const I32 q = signedB ? static_cast<I8>(y) : static_cast<I32>(y);
            c += static_cast<U32>(p * q);
        }
        return c;
    });
}
bool finishDot(Decoder& d, Execute execute)
{
    if (!d.atEnd() || d.count() != 4)
        return false;
    Instruction& i = d.instruction();
    i.execute = execute;
    i.d = d.out(0, Type::B32);
    i.a = d.in(1, Type::B32);
    i.b = d.in(2, Type::B32);
    i.c = d.in(3, Type::B32);
    return true;
}
bool decodeDp4a(Decoder& d)
{
    const int a = d.takeOneOf({ "u32", "s32" });
    const int b = d.takeOneOf({ "u32", "s32" });
    if (a < 0 || b < 0)
        return false;
    return finishDot(d,
        a != 0 ? (b != 0 ? dp4a<true, true> : dp4a<true, false>) : (b != 0 ? dp4a<false, true> : dp4a<false, false>));
}
bool decodeDp2a(Decoder& d)
{
    const int half = d.takeOneOf({ "lo", "hi" });
    const int a = d.takeOneOf({ "u32", "s32" });
    const int b = d.takeOneOf({ "u32", "s32" });
    if (half < 0 || a < 0 || b < 0)
        return false;
    static constexpr Execute table[2][2][2] = {
        { { dp2a<false, false, false>, dp2a<false, true, false> },
            { dp2a<true, false, false>, dp2a<true, true, false> } },
        { { dp2a<false, false, true>, dp2a<false, true, true> }, { dp2a<true, false, true>, dp2a<true, true, true> } },
    };
    return finishDot(d, table[half][a][b]);
}

// The carry register CC.CF: a bit per lane, kept beside the predicates as their last word.
template <typename T, bool subtract, bool usesCarry, bool setsCarry> void withCarry(Lanes& lanes, const Instruction& i)
{
    using Twice = U128;
    const auto* a = Cell<T>::in(lanes, i.a);
    const auto* b = Cell<T>::in(lanes, i.b);
    auto* d = Cell<T>::out(lanes, i.d);
    std::uint32_t& carry = lanes.predicates[lanes.code->predicateCount];
    forLanes(lanes.mask, [&](int l) {
        const std::uint32_t bit = 1U << l;
        const T carryIn = usesCarry && (carry & bit) != 0 ? 1 : 0;
        const Twice x = Cell<T>::get(a[l]), y = Cell<T>::get(b[l]);
        const Twice sum = subtract ? x - y - carryIn : x + y + carryIn;
        d[l] = Cell<T>::put(static_cast<T>(sum));
        if (setsCarry)
            carry = (sum >> (8 * sizeof(T)) & 1) != 0 ? carry | bit : carry & ~bit;
    });
}
template <bool subtract, bool usesCarry> bool decodeCarry(Decoder& d)
{
    const bool sets = d.take("cc");
    if (!usesCarry && !sets)
        return false;
    const Type type = d.takeType();
    if (isFloat(type) || (bytesOf(type) != 4 && bytesOf(type) != 8))
        return false;
    if (bytesOf(type) == 8)
        return threeOperands(
            d, type, sets ? withCarry<U64, subtract, usesCarry, true> : withCarry<U64, subtract, usesCarry, false>);
    return threeOperands(
        d, type, sets ? withCarry<U32, subtract, usesCarry, true> : withCarry<U32, subtract, usesCarry, false>);
}

constexpr Form forms[] = {
    { "add", "add.{u16,u32,u64,s16,s32,s64} d, a, b; add.sat.s32", "9.7.1.1", decodeAdd },
    { "sub", "sub.{u16,u32,u64,s16,s32,s64} d, a, b; sub.sat.s32", "9.7.1.2", decodeSub },
    { "mul", "mul.{lo,hi,wide}.type d, a, b", "9.7.1.3", decodeMul },
    { "mad", "mad.{lo,hi,wide}.type d, a, b, c", "9.7.1.4", decodeMad },
    { "mul24", "mul24.{lo,hi}.{u32,s32} d, a, b", "9.7.1.5", decodeMul24 },
    { "sad", "sad.type d, a, b, c", "9.7.1.7", decodeSad },
    { "div", "div.{u16,u32,u64,s16,s32,s64} d, a, b", "9.7.1.8", decodeBinary<Op::Div> },
    { "rem", "rem.type d, a, b", "9.7.1.9", decodeBinary<Op::Rem> },
    { "abs", "abs.{s16,s32,s64} d, a", "9.7.1.10", decodeUnary<Op::Abs> },
    { "neg", "neg.{s16,s32,s64} d, a", "9.7.1.11", decodeUnary<Op::Neg> },
    { "min", "min.type d, a, b", "9.7.1.12", decodeBinary<Op::Min> },
    { "max", "max.type d, a, b", "9.7.1.13", decodeBinary<Op::Max> },
    { "dp4a", "dp4a.atype.btype d, a, b, c", "9.7.1.23", decodeDp4a },
    { "dp2a", "dp2a.{lo,hi}.atype.btype d, a, b, c", "9.7.1.24", decodeDp2a },
    { "add", "add.cc.{u32,s32,u64,s64} d, a, b", "9.7.2.1", decodeCarry<false, false> },
    { "addc", "addc{.cc}.type d, a, b", "9.7.2.2", decodeCarry<false, true> },
    { "sub", "sub.cc.type d, a, b", "9.7.2.3", decodeCarry<true, false> },
    { "subc", "subc{.cc}.type d, a, b", "9.7.2.4", decodeCarry<true, true> },
};

} // namespace

std::span<const Form> integerForms()
{
    return forms;
}

} // namespace flashstep::ptx
