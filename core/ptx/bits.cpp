// SPDX-License-Identifier: Apache-2.0
// Logic, shifts and single bits (PTX ISA 9.7.8, and the bit-field part of 9.7.1).
#include "core/ptx/decoder.h"
#include "core/ptx/lanes.h"

#include <algorithm>

namespace flashstep::ptx {

namespace {

using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;
using I16 = std::int16_t;
using I32 = std::int32_t;
using I64 = std::int64_t;

enum class Op : std::uint8_t { And, Or, Xor, Not, Cnot };

template <Op op, typename T> T logic(T a, T b)
{
    switch (op) {
    case Op::And:
        return static_cast<T>(a & b);
    case Op::Or:
        return static_cast<T>(a | b);
    case Op::Xor:
        return static_cast<T>(a ^ b);
    case Op::Not:
        return static_cast<T>(~a);
    case Op::Cnot:
        return a == 0 ? T { 1 } : T { 0 };
    }
    return 0;
}
template <Op op, typename T> void binary(Lanes& lanes, const Instruction& i)
{
    each<T, T, T>(lanes, i, [](T a, T b) { return logic<op>(a, b); });
}
template <Op op, typename T> void unary(Lanes& lanes, const Instruction& i)
{
    each<T, T>(lanes, i, [](T a) { return logic<op, T>(a, T {}); });
}

// Predicates are words of one bit per lane. The second source stands where others have their first row of a vector.
template <Op op> void onPredicates(Lanes& lanes, const Instruction& i)
{
    const U32 a = lanes.predicates[i.predicateIn] ^ (i.predicateInNegated ? allLanes : 0U);
    const U32 b = op == Op::Not ? 0U : lanes.predicates[i.rowsFirst] ^ (i.detail2 != 0 ? allLanes : 0U);
    U32& d = lanes.predicates[i.predicateOut];
    d = (d & ~lanes.mask) | (logic<op, U32>(a, b) & lanes.mask);
}

template <Op op> bool decodeLogic(Decoder& d)
{
    const Type type = d.takeType();
    const bool single = op == Op::Not || op == Op::Cnot;
    Instruction& i = d.instruction();
    if (!d.atEnd() || d.count() != (single ? 2U : 3U))
        return false;
    if (type == Type::Pred) {
        if (op == Op::Cnot)
            return false;
        bool negated = false;
        i.predicateOut = d.predicateOut(0);
        i.predicateIn = d.predicateIn(1, i.predicateInNegated);
        if (!single) {
            i.rowsFirst = d.predicateIn(2, negated);
            i.detail2 = negated ? 1 : 0;
        }
        if constexpr (op != Op::Cnot)
            i.execute = onPredicates<op>;
        return i.predicateOut != none || d.fail("the destination is no predicate");
    }
    switch (type) {
    case Type::B16:
        i.execute = single ? unary<op, U16> : binary<op, U16>;
        break;
    case Type::B32:
        i.execute = single ? unary<op, U32> : binary<op, U32>;
        break;
    case Type::B64:
        i.execute = single ? unary<op, U64> : binary<op, U64>;
        break;
    default:
        return false;
    }
    i.type = type;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    if (!single)
        i.b = d.in(2, type);
    return true;
}

// A shift by the width or more leaves nothing, or the sign.
template <typename T> void shiftLeft(Lanes& lanes, const Instruction& i)
{
    each<T, T, U32>(
        lanes, i, [](T a, U32 n) { return n >= 8 * sizeof(T) ? T {} : static_cast<T>(static_cast<U64>(a) << n); });
}
template <typename T> void shiftRight(Lanes& lanes, const Instruction& i)
{
    each<T, T, U32>(lanes, i, [](T a, U32 n) {
        constexpr U32 bits = 8 * sizeof(T);
        if constexpr (std::is_signed_v<T>)
            return static_cast<T>(a >> std::min(n, bits - 1));
        else
            return n >= bits ? T {} : static_cast<T>(a >> n);
    });
}
bool finishShift(Decoder& d, Type type, Execute execute)
{
    if (execute == nullptr || !d.atEnd() || d.count() != 3)
        return false;
    Instruction& i = d.instruction();
    i.execute = execute;
    i.type = type;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, Type::B32);
    return true;
}
bool decodeShl(Decoder& d)
{
    const Type type = d.takeType();
    return finishShift(d, type,
        type == Type::B16       ? shiftLeft<U16>
            : type == Type::B32 ? shiftLeft<U32>
            : type == Type::B64 ? shiftLeft<U64>
                                : nullptr);
}
bool decodeShr(Decoder& d)
{
    const Type type = d.takeType();
    switch (type) {
    case Type::B16:
    case Type::U16:
        return finishShift(d, type, shiftRight<U16>);
    case Type::B32:
    case Type::U32:
        return finishShift(d, type, shiftRight<U32>);
    case Type::B64:
    case Type::U64:
        return finishShift(d, type, shiftRight<U64>);
    case Type::S16:
        return finishShift(d, type, shiftRight<I16>);
    case Type::S32:
        return finishShift(d, type, shiftRight<I32>);
    case Type::S64:
        return finishShift(d, type, shiftRight<I64>);
    default:
        return false;
    }
}

// The funnel shift: 64 bits, b above a, of which 32 are kept.
template <bool left, bool clamp> void funnel(Lanes& lanes, const Instruction& i)
{
    each<U32, U32, U32, U32>(lanes, i, [](U32 a, U32 b, U32 c) {
        const U32 n = clamp ? std::min(c, 32U) : c & 31U;
        const U64 both = static_cast<U64>(b) << 32U | a;
        return static_cast<U32>(left ? (both << n) >> 32U : both >> n);
    });
}
bool decodeShf(Decoder& d)
{
    const int direction = d.takeOneOf({ "l", "r" });
    const int mode = d.takeOneOf({ "wrap", "clamp" });
    if (direction < 0 || mode < 0 || !d.take("b32") || !d.atEnd() || d.count() != 4)
        return false;
    Instruction& i = d.instruction();
    i.execute = direction == 0 ? (mode == 0 ? funnel<true, false> : funnel<true, true>)
                               : (mode == 0 ? funnel<false, false> : funnel<false, true>);
    i.d = d.out(0, Type::B32);
    i.a = d.in(1, Type::B32);
    i.b = d.in(2, Type::B32);
    i.c = d.in(3, Type::B32);
    return true;
}

// Any function of three bits: bit k of the table is its value where a, b, c are the bits of k.
void lop3(Lanes& lanes, const Instruction& i)
{
    const U32 table = i.detail;
    each<U32, U32, U32, U32>(lanes, i, [table](U32 a, U32 b, U32 c) {
        U32 result = 0;
        for (U32 k = 0; k < 8; ++k) {
            if ((table >> k & 1U) != 0)
                result |= ((k & 4U) != 0 ? a : ~a) & ((k & 2U) != 0 ? b : ~b) & ((k & 1U) != 0 ? c : ~c);
        }
        return result;
    });
}
bool decodeLop3(Decoder& d)
{
    if (!d.take("b32") || !d.atEnd() || d.count() != 5)
        return false;
    Instruction& i = d.instruction();
    i.d = d.out(0, Type::B32);
    i.a = d.in(1, Type::B32);
    i.b = d.in(2, Type::B32);
    i.c = d.in(3, Type::B32);
    i.detail = static_cast<std::uint8_t>(d.immediate(4));
    i.execute = lop3;
    return true;
}

// Which byte of the eight each of prmt's special modes puts at place k.
enum class Permute : std::uint8_t { General, F4e, B4e, Rc8, Ecl, Ecr, Rc16 };
U32 source(Permute mode, U32 k, U32 n)
{
    switch (mode) {
    case Permute::F4e:
        return (n + k) & 7U;
    case Permute::B4e:
        return (n - k) & 7U;
    case Permute::Rc8:
        return n;
    case Permute::Ecl:
        return std::max(k, n);
    case Permute::Ecr:
        return std::min(k, n);
    default:
        return (n & 1U) * 2 + (k & 1U);
    }
}
template <Permute mode> void permute(Lanes& lanes, const Instruction& i)
{
    each<U32, U32, U32, U32>(lanes, i, [](U32 a, U32 b, U32 c) {
        const U64 both = static_cast<U64>(b) << 32U | a;
        U32 result = 0;
        for (U32 k = 0; k < 4; ++k) {
            const U32 nibble = c >> (4 * k) & 15U;
            const U32 from = mode == Permute::General ? nibble & 7U : source(mode, k, c & 3U);
            U32 byte = static_cast<U32>(both >> (8 * from)) & 0xffU;
            if (mode == Permute::General && (nibble & 8U) != 0)
                byte = (byte & 0x80U) != 0 ? 0xffU : 0;
            result |= byte << (8 * k);
        }
        return result;
    });
}
bool decodePrmt(Decoder& d)
{
    if (!d.take("b32"))
        return false;
    static constexpr Execute table[] = { permute<Permute::F4e>, permute<Permute::B4e>, permute<Permute::Rc8>,
        permute<Permute::Ecl>, permute<Permute::Ecr>, permute<Permute::Rc16> };
    const int mode = d.takeOneOf({ "f4e", "b4e", "rc8", "ecl", "ecr", "rc16" });
    if (!d.atEnd() || d.count() != 4)
        return false;
    Instruction& i = d.instruction();
    i.execute = mode < 0 ? permute<Permute::General> : table[mode];
    i.d = d.out(0, Type::B32);
    i.a = d.in(1, Type::B32);
    i.b = d.in(2, Type::B32);
    i.c = d.in(3, Type::B32);
    return true;
}

// Bits pos … pos + len - 1 of a; beyond the top the sign (signed) or zeros.
template <typename T> void extract(Lanes& lanes, const Instruction& i)
{
    each<T, T, U32, U32>(lanes, i, [](T a, U32 b, U32 c) {
        constexpr U32 msb = 8 * sizeof(T) - 1;
        const U32 pos = b & 0xffU, len = c & 0xffU;
        using U = std::make_unsigned_t<T>;
        bool sign = false;
        if constexpr (std::is_signed_v<T>)
            sign = len != 0 && (static_cast<U>(a) >> std::min(pos + len - 1, msb) & 1U) != 0;
        U result = 0;
        for (U32 k = 0; k <= msb; ++k) {
            const bool bit = k < len && pos + k <= msb ? (static_cast<U>(a) >> (pos + k) & 1U) != 0 : sign;
            result |= static_cast<U>(bit ? 1 : 0) << k;
        }
        return static_cast<T>(result);
    });
}
bool decodeBfe(Decoder& d)
{
    const Type type = d.takeType();
    Instruction& i = d.instruction();
    i.execute = type == Type::U32 ? extract<U32>
        : type == Type::S32       ? extract<I32>
        : type == Type::U64       ? extract<U64>
        : type == Type::S64       ? extract<I64>
                                  : nullptr;
    if (i.execute == nullptr || !d.atEnd() || d.count() != 4)
        return false;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, Type::B32);
    i.c = d.in(3, Type::B32);
    return true;
}
// bfi d, a, b, c, len: the low len bits of a replace those of b from bit c on.
template <typename T> void insert(Lanes& lanes, const Instruction& i)
{
    const auto* a = Cell<T>::in(lanes, i.a);
    const auto* b = Cell<T>::in(lanes, i.b);
    const Word* c = lanes.words(i.c);
    const Word* n = lanes.words(lanes.code->rows[i.rowsFirst]);
    auto* d = Cell<T>::out(lanes, i.d);
    forLanes(lanes.mask, [&](int l) {
        constexpr U32 bits = 8 * sizeof(T);
        const U32 pos = c[l] & 0xffU, len = n[l] & 0xffU;
        T field = len >= bits ? static_cast<T>(~T {}) : static_cast<T>((T { 1 } << len) - 1);
        field = pos >= bits ? T {} : static_cast<T>(field << pos);
        const T moved = pos >= bits ? T {} : static_cast<T>(Cell<T>::get(a[l]) << pos);
        d[l] = Cell<T>::put(static_cast<T>((Cell<T>::get(b[l]) & ~field) | (moved & field)));
    });
}
bool decodeBfi(Decoder& d)
{
    const Type type = d.takeType();
    if ((type != Type::B32 && type != Type::B64) || !d.atEnd() || d.count() != 5)
        return false;
    Instruction& i = d.instruction();
    i.execute = type == Type::B32 ? insert<U32> : insert<U64>;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    i.c = d.in(3, Type::B32);
    d.vectorIn(4, Type::B32, 1);
    return true;
}

// The highest bit that differs from the sign; all ones where there is none.
template <typename T, bool shiftAmount> void findHighest(Lanes& lanes, const Instruction& i)
{
    each<U32, T>(lanes, i, [](T a) {
        using U = std::make_unsigned_t<T>;
        U x = static_cast<U>(a);
        if constexpr (std::is_signed_v<T>)
            x = a < 0 ? static_cast<U>(~x) : x;
        constexpr U32 msb = 8 * sizeof(T) - 1;
        if (x == 0)
            return 0xffffffffU;
        const U32 at = msb - static_cast<U32>(std::countl_zero(x));
        return shiftAmount ? msb - at : at;
    });
}
bool decodeBfind(Decoder& d)
{
    const bool amount = d.take("shiftamt");
    const Type type = d.takeType();
    Instruction& i = d.instruction();
    i.execute = type == Type::U32 ? (amount ? findHighest<U32, true> : findHighest<U32, false>)
        : type == Type::S32       ? (amount ? findHighest<I32, true> : findHighest<I32, false>)
        : type == Type::U64       ? (amount ? findHighest<U64, true> : findHighest<U64, false>)
        : type == Type::S64       ? (amount ? findHighest<I64, true> : findHighest<I64, false>)
                                  : nullptr;
    if (i.execute == nullptr || !d.atEnd() || d.count() != 2)
        return false;
    i.d = d.out(0, Type::B32);
    i.a = d.in(1, type);
    return true;
}

template <typename T> T reversed(T x)
{
    T result = 0;
    for (U32 k = 0; k < 8 * sizeof(T); ++k)
        result |= static_cast<T>((x >> k & 1U) << (8 * sizeof(T) - 1 - k));
    return result;
}
enum class Count : std::uint8_t { Reverse, LeadingZeros, Ones };
template <Count what, typename T> void counted(Lanes& lanes, const Instruction& i)
{
    if constexpr (what == Count::Reverse)
        each<T, T>(lanes, i, [](T a) { return reversed(a); });
    else if constexpr (what == Count::LeadingZeros)
        each<U32, T>(lanes, i, [](T a) { return static_cast<U32>(std::countl_zero(a)); });
    else
        each<U32, T>(lanes, i, [](T a) { return static_cast<U32>(std::popcount(a)); });
}
template <Count what> bool decodeCount(Decoder& d)
{
    const Type type = d.takeType();
    if ((type != Type::B32 && type != Type::B64) || !d.atEnd() || d.count() != 2)
        return false;
    Instruction& i = d.instruction();
    i.execute = type == Type::B32 ? counted<what, U32> : counted<what, U64>;
    i.d = d.out(0, what == Count::Reverse ? type : Type::B32);
    i.a = d.in(1, type);
    return true;
}

template <bool clamp> void mask(Lanes& lanes, const Instruction& i)
{
    each<U32, U32, U32>(lanes, i, [](U32 a, U32 b) {
        const U32 from = clamp ? std::min(a, 32U) : a & 31U;
        const U32 width = clamp ? std::min(b, 32U) : b & 31U;
        return static_cast<U32>(((U64 { 1 } << width) - 1) << from);
    });
}
bool decodeBmsk(Decoder& d)
{
    const int mode = d.takeOneOf({ "clamp", "wrap" });
    if (mode < 0 || !d.take("b32") || !d.atEnd() || d.count() != 3)
        return false;
    Instruction& i = d.instruction();
    i.execute = mode == 0 ? mask<true> : mask<false>;
    i.d = d.out(0, Type::B32);
    i.a = d.in(1, Type::B32);
    i.b = d.in(2, Type::B32);
    return true;
}

constexpr Form forms[] = {
    { "and", "and.{pred,b16,b32,b64} d, a, b", "9.7.8.1", decodeLogic<Op::And> },
    { "or", "or.{pred,b16,b32,b64} d, a, b", "9.7.8.2", decodeLogic<Op::Or> },
    { "xor", "xor.{pred,b16,b32,b64} d, a, b", "9.7.8.3", decodeLogic<Op::Xor> },
    { "not", "not.{pred,b16,b32,b64} d, a", "9.7.8.4", decodeLogic<Op::Not> },
    { "cnot", "cnot.{b16,b32,b64} d, a", "9.7.8.5", decodeLogic<Op::Cnot> },
    { "lop3", "lop3.b32 d, a, b, c, table", "9.7.8.6", decodeLop3 },
    { "shf", "shf.{l,r}.{wrap,clamp}.b32 d, a, b, c", "9.7.8.7", decodeShf },
    { "shl", "shl.{b16,b32,b64} d, a, b", "9.7.8.8", decodeShl },
    { "shr", "shr.{b,u,s}{16,32,64} d, a, b", "9.7.8.9", decodeShr },
    { "popc", "popc.{b32,b64} d, a", "9.7.1.14", decodeCount<Count::Ones> },
    { "clz", "clz.{b32,b64} d, a", "9.7.1.15", decodeCount<Count::LeadingZeros> },
    { "bfind", "bfind{.shiftamt}.{u32,u64,s32,s64} d, a", "9.7.1.16", decodeBfind },
    { "brev", "brev.{b32,b64} d, a", "9.7.1.18", decodeCount<Count::Reverse> },
    { "bfe", "bfe.{u32,u64,s32,s64} d, a, b, c", "9.7.1.19", decodeBfe },
    { "bfi", "bfi.{b32,b64} f, a, b, c, d", "9.7.1.20", decodeBfi },
    { "bmsk", "bmsk.{clamp,wrap}.b32 d, a, b", "9.7.1.22", decodeBmsk },
    { "prmt", "prmt.b32{.f4e,.b4e,.rc8,.ecl,.ecr,.rc16} d, a, b, c", "9.7.9.7", decodePrmt },
};

} // namespace

std::span<const Form> bitForms()
{
    return forms;
}

} // namespace flashstep::ptx
