// SPDX-License-Identifier: Apache-2.0
// Integer forms that compilers hardly write: multiply-add with saturation, with a carry, of 24 bits; szext (PTX ISA
// 9.7.1, 9.7.2).
#include "core/ptx/decoder.h"
#include "core/ptx/lanes.h"

#include <algorithm>

namespace flashstep::ptx {

namespace {

using I32 = std::int32_t;
using I64 = std::int64_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;
__extension__ using U128 = unsigned __int128;

bool fourOperands(Decoder& d, Type type, Execute execute)
{
    if (execute == nullptr || !d.atEnd() || d.count() != 4)
        return false;
    Instruction& i = d.instruction();
    i.type = type;
    i.unit = Unit::Fma; // integer multiplications go to the multiply-add pipe
    i.execute = execute;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    i.c = d.in(3, type);
    return true;
}

void madHighSaturated(Lanes& lanes, const Instruction& i)
{
    each<I32, I32, I32, I32>(lanes, i, [](I32 a, I32 b, I32 c) {
        const I64 sum = (static_cast<I64>(a) * b >> 32) + c;
        return static_cast<I32>(std::clamp<I64>(sum, INT32_MIN, INT32_MAX));
    });
}
bool decodeMadSaturated(Decoder& d)
{
    return d.take("hi") && d.take("sat") && d.take("s32") && fourOperands(d, Type::S32, madHighSaturated);
}

// The low 24 bits of each, multiplied: bits 31..0 or 47..16 of the product, and c.
template <bool isSignedType, bool high> void mad24(Lanes& lanes, const Instruction& i)
{
    each<U32, U32, U32, U32>(lanes, i, [](U32 a, U32 b, U32 c) {
        const auto narrow = [](U32 x) -> I64 {
            return isSignedType ? static_cast<I64>(static_cast<I32>(x << 8U) >> 8) : static_cast<I64>(x & 0xffffffU);
        };
        const auto product = static_cast<U64>(narrow(a) * narrow(b));
        return static_cast<U32>(high ? product >> 16U : product) + c;
    });
}
bool decodeMad24(Decoder& d)
{
    const int part = d.takeOneOf({ "lo", "hi" });
    const Type type = d.takeType();
    if (part < 0 || (type != Type::U32 && type != Type::S32))
        return false;
    const bool u = type == Type::U32;
    return fourOperands(d, type,
        part == 0 ? (u ? mad24<false, false> : mad24<true, false>) : (u ? mad24<false, true> : mad24<true, true>));
}

// CC.CF is a bit per lane beside the predicates, as for add.cc.
template <typename T, bool isSignedType, bool high, bool usesCarry, bool setsCarry>
void madWithCarry(Lanes& lanes, const Instruction& i)
{
    const auto* a = Cell<T>::in(lanes, i.a);
    const auto* b = Cell<T>::in(lanes, i.b);
    const auto* c = Cell<T>::in(lanes, i.c);
    auto* d = Cell<T>::out(lanes, i.d);
    constexpr unsigned bits = 8 * sizeof(T);
    U32& carry = lanes.predicates[lanes.code->predicateCount];
    forLanes(lanes.mask, [&](int l) {
        const T x = Cell<T>::get(a[l]), y = Cell<T>::get(b[l]);
        const U128 product = static_cast<U128>(x) * y;
        T part = static_cast<T>(high ? product >> bits : product);
        if (isSignedType && high) // two's complement: the sign bits count negatively
            part = static_cast<T>(part - ((x >> (bits - 1)) != 0 ? y : T {}) - ((y >> (bits - 1)) != 0 ? x : T {}));
        const U32 bit = 1U << l;
        const U128 sum = static_cast<U128>(part) + Cell<T>::get(c[l]) + (usesCarry && (carry & bit) != 0 ? 1U : 0U);
        d[l] = Cell<T>::put(static_cast<T>(sum));
        if (setsCarry)
            carry = (sum >> bits & 1U) != 0 ? carry | bit : carry & ~bit;
    });
}
template <typename T, bool isSignedType, bool usesCarry> Execute madCarryOf(bool high, bool sets)
{
    return high ? (sets ? madWithCarry<T, isSignedType, true, usesCarry, true>
                        : madWithCarry<T, isSignedType, true, usesCarry, false>)
                : (sets ? madWithCarry<T, isSignedType, false, usesCarry, true>
                        : madWithCarry<T, isSignedType, false, usesCarry, false>);
}
template <bool usesCarry> bool decodeMadCarry(Decoder& d)
{
    const int part = d.takeOneOf({ "lo", "hi" });
    const bool sets = d.take("cc");
    const Type type = d.takeType();
    if (part < 0 || (!usesCarry && !sets) || isFloat(type) || (bytesOf(type) != 4 && bytesOf(type) != 8))
        return false;
    const bool high = part == 1;
    if (bytesOf(type) == 8)
        return fourOperands(d, type,
            isSigned(type) ? madCarryOf<U64, true, usesCarry>(high, sets)
                           : madCarryOf<U64, false, usesCarry>(high, sets));
    return fourOperands(d, type,
        isSigned(type) ? madCarryOf<U32, true, usesCarry>(high, sets) : madCarryOf<U32, false, usesCarry>(high, sets));
}

// The low b bits of a, extended; of 32 bits or more a itself, of none 0. .wrap takes b modulo 32.
template <bool isSignedType, bool wrap> void szext(Lanes& lanes, const Instruction& i)
{
    each<U32, U32, U32>(lanes, i, [](U32 a, U32 b) {
        const U32 count = wrap ? b & 31U : b;
        if (count == 0)
            return 0U;
        if (count >= 32)
            return a;
        const U32 unused = 32 - count;
        return isSignedType ? static_cast<U32>(static_cast<I32>(a << unused) >> unused) : a << unused >> unused;
    });
}
bool decodeSzext(Decoder& d)
{
    const int mode = d.takeOneOf({ "clamp", "wrap" });
    const Type type = d.takeType();
    if (mode < 0 || (type != Type::U32 && type != Type::S32) || !d.atEnd() || d.count() != 3)
        return false;
    Instruction& i = d.instruction();
    i.execute = type == Type::S32 ? (mode == 0 ? szext<true, false> : szext<true, true>)
                                  : (mode == 0 ? szext<false, false> : szext<false, true>);
    i.type = type;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, Type::U32);
    return true;
}

constexpr Form forms[] = {
    { "mad", "mad.hi.sat.s32 d, a, b, c", "9.7.1.4", decodeMadSaturated },
    { "mad24", "mad24.{lo,hi}.{u32,s32} d, a, b, c", "9.7.1.6", decodeMad24 },
    { "szext", "szext.{clamp,wrap}.{u32,s32} d, a, b", "9.7.1.21", decodeSzext },
    { "mad", "mad.{lo,hi}.cc.{u32,s32,u64,s64} d, a, b, c", "9.7.2.5", decodeMadCarry<false> },
    { "madc", "madc.{lo,hi}{.cc}.type d, a, b, c", "9.7.2.6", decodeMadCarry<true> },
};

} // namespace

std::span<const Form> rareIntegerForms()
{
    return forms;
}

} // namespace flashstep::ptx
