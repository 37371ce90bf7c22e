// SPDX-License-Identifier: Apache-2.0
// Comparison and selection (PTX ISA 9.7.5 to 9.7.7), and testp.
#include "core/ptx/decoder.h"
#include "core/ptx/half.h"
#include "core/ptx/lanes.h"

#include <array>
#include <cmath>

namespace flashstep::ptx {

namespace {

using U32 = std::uint32_t;
enum class Compare : std::uint8_t { Eq, Ne, Lt, Le, Gt, Ge, Equ, Neu, Ltu, Leu, Gtu, Geu, Num, Nan };
constexpr std::array<std::string_view, 18> compareNames = { "eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu",
    "leu", "gtu", "geu", "num", "nan", "lo", "ls", "hi", "hs" };

// Ordered comparisons are false on NaN, ne too; those with u are true. [PTX ISA 9.7.3, table of comparisons]
template <typename T> bool compare(Compare op, T a, T b)
{
    bool unordered = false;
    if constexpr (std::is_floating_point_v<T>)
        unordered = std::isnan(a) || std::isnan(b);
    switch (op) {
    case Compare::Eq:
        return a == b;
    case Compare::Ne:
        return !unordered && a != b;
    case Compare::Lt:
        return a < b;
    case Compare::Le:
        return a <= b;
    case Compare::Gt:
        return a > b;
    case Compare::Ge:
        return a >= b;
    case Compare::Equ:
        return unordered || a == b;
    case Compare::Neu:
        return unordered || a != b;
    case Compare::Ltu:
        return unordered || a < b;
    case Compare::Leu:
        return unordered || a <= b;
    case Compare::Gtu:
        return unordered || a > b;
    case Compare::Geu:
        return unordered || a >= b;
    case Compare::Num:
        return !unordered;
    case Compare::Nan:
        return unordered;
    }
    return false;
}

template <typename T> struct Reader {
    static T get(const Lanes& lanes, Row row, int l) { return Cell<T>::get(Cell<T>::in(lanes, row)[l]); }
};
template <> struct Reader<Fp16> {
    static float get(const Lanes& lanes, Row row, int l)
    {
        return Fp16::decode(static_cast<std::uint16_t>(lanes.words(row)[l]));
    }
};
template <> struct Reader<Bf16> {
    static float get(const Lanes& lanes, Row row, int l)
    {
        return Bf16::decode(static_cast<std::uint16_t>(lanes.words(row)[l]));
    }
};

// detail: the comparison; detail2: 0 none, 1 and, 2 or, 3 xor with the predicate.
void writePredicates(Lanes& lanes, const Instruction& i, U32 p, U32 q)
{
    if (i.detail2 != 0) {
        const U32 c = lanes.predicates[i.predicateIn] ^ (i.predicateInNegated ? allLanes : 0U);
        const auto combine = [&](U32 x) { return i.detail2 == 1 ? x & c : i.detail2 == 2 ? x | c : x ^ c; };
        p = combine(p);
        q = combine(q);
    }
    const auto write = [&](std::uint32_t to, U32 bits) {
        if (to != none)
            lanes.predicates[to] = (lanes.predicates[to] & ~lanes.mask) | (bits & lanes.mask);
    };
    write(i.predicateOut, p);
    write(i.predicateOut2, q);
}
template <typename T, bool ftz> void setp(Lanes& lanes, const Instruction& i)
{
    const auto op = static_cast<Compare>(i.detail);
    U32 result = 0;
    forLanes(lanes.mask, [&](int l) {
        auto a = Reader<T>::get(lanes, i.a, l);
        auto b = Reader<T>::get(lanes, i.b, l);
        if constexpr (ftz && std::is_same_v<T, Fp16>) {
            a = std::fabs(a) < Fp16::smallestNormal ? 0 : a;
            b = std::fabs(b) < Fp16::smallestNormal ? 0 : b;
        } else if constexpr (ftz) {
            a = flush(a);
            b = flush(b);
        }
        result |= static_cast<U32>(compare(op, a, b)) << l;
    });
    writePredicates(lanes, i, result, ~result);
}
// Two halves at once: the low ones decide the first predicate, the high ones the second.
template <typename Format, bool ftz> void setpPair(Lanes& lanes, const Instruction& i)
{
    const auto op = static_cast<Compare>(i.detail);
    const Word *a = lanes.words(i.a), *b = lanes.words(i.b);
    U32 results[2] = { 0, 0 };
    const auto half = [](U32 word, unsigned k) {
        const float x = Format::decode(static_cast<std::uint16_t>(word >> (16 * k)));
        return ftz && std::fabs(x) < Format::smallestNormal ? 0.0F : x;
    };
    forLanes(lanes.mask, [&](int l) {
        for (unsigned k = 0; k < 2; ++k)
            results[k] |= static_cast<U32>(compare(op, half(a[l], k), half(b[l], k))) << l;
    });
    writePredicates(lanes, i, results[0], results[1]);
}

Execute setpOf(Type type, bool ftz)
{
    switch (type) {
    case Type::B16:
    case Type::U16:
        return setp<std::uint16_t, false>;
    case Type::B32:
    case Type::U32:
        return setp<std::uint32_t, false>;
    case Type::B64:
    case Type::U64:
        return setp<std::uint64_t, false>;
    case Type::S16:
        return setp<std::int16_t, false>;
    case Type::S32:
        return setp<std::int32_t, false>;
    case Type::S64:
        return setp<std::int64_t, false>;
    case Type::F32:
        return ftz ? setp<float, true> : setp<float, false>;
    case Type::F64:
        return setp<double, false>;
    case Type::F16:
        return ftz ? setp<Fp16, true> : setp<Fp16, false>;
    case Type::F16x2:
        return ftz ? setpPair<Fp16, true> : setpPair<Fp16, false>;
    case Type::Bf16x2:
        return ftz ? nullptr : setpPair<Bf16, false>;
    case Type::Bf16:
        return setp<Bf16, false>;
    default:
        return nullptr;
    }
}

// The comparison's name; lo ls hi hs are the unsigned ones. Bits have eq and ne only.
bool takeCompare(Decoder& d, Compare& op)
{
    for (std::size_t k = 0; k < compareNames.size(); ++k) {
        if (d.take(compareNames[k])) {
            constexpr std::array<Compare, 4> unsignedOnes = { Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge };
            op = k < 14 ? static_cast<Compare>(k) : unsignedOnes[k - 14];
            return true;
        }
    }
    return false;
}

bool decodeSetp(Decoder& d)
{
    Compare op {};
    if (!takeCompare(d, op))
        return false;
    const int combine = d.takeOneOf({ "and", "or", "xor" });
    const bool ftz = d.take("ftz");
    const Type type = d.takeType();
    Instruction& i = d.instruction();
    if (!d.atEnd() || d.count() != (combine < 0 ? 3U : 4U))
        return false;
    i.execute = setpOf(type, ftz);
    if (i.execute == nullptr || (!isFloat(type) && (op > Compare::Ge || ftz)))
        return false;
    i.type = type;
    i.detail = static_cast<std::uint8_t>(op);
    i.detail2 = static_cast<std::uint8_t>(combine + 1);
    i.predicateOut = d.predicateOut(0);
    if (const std::uint32_t pair = d.statement().operands[0].pair; pair != none) {
        i.predicateOut2 = d.predicateRegister(pair);
        d.writes(pair);
    }
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    if (combine >= 0)
        i.predicateIn = d.predicateIn(3, i.predicateInNegated);
    return true;
}

// set: all ones or zeros (of f32: 1.0 or 0.0) instead of a predicate.
template <typename T, bool asFloat> void set(Lanes& lanes, const Instruction& i)
{
    const auto op = static_cast<Compare>(i.detail);
    Word* out = lanes.wordsOut(i.d);
    forLanes(lanes.mask, [&](int l) {
        bool hit = compare(op, Reader<T>::get(lanes, i.a, l), Reader<T>::get(lanes, i.b, l));
        if (i.detail2 != 0) {
            const bool c = ((lanes.predicates[i.predicateIn] ^ (i.predicateInNegated ? allLanes : 0U)) >> l & 1U) != 0;
            hit = i.detail2 == 1 ? hit && c : i.detail2 == 2 ? hit || c : hit != c;
        }
        out[l] = !hit ? 0U : asFloat ? 0x3f800000U : allLanes;
    });
}
template <bool asFloat> Execute setOf(Type type)
{
    switch (type) {
    case Type::B16:
    case Type::U16:
        return set<std::uint16_t, asFloat>;
    case Type::B32:
    case Type::U32:
        return set<std::uint32_t, asFloat>;
    case Type::B64:
    case Type::U64:
        return set<std::uint64_t, asFloat>;
    case Type::S16:
        return set<std::int16_t, asFloat>;
    case Type::S32:
        return set<std::int32_t, asFloat>;
    case Type::S64:
        return set<std::int64_t, asFloat>;
    case Type::F32:
        return set<float, asFloat>;
    case Type::F64:
        return set<double, asFloat>;
    default:
        return nullptr;
    }
}
bool decodeSet(Decoder& d)
{
    Compare op {};
    if (!takeCompare(d, op))
        return false;
    const int combine = d.takeOneOf({ "and", "or", "xor" });
    const int result = d.takeOneOf({ "u32", "s32", "f32" });
    const Type type = d.takeType();
    Instruction& i = d.instruction();
    if (result < 0 || !d.atEnd() || d.count() != (combine < 0 ? 3U : 4U) || (!isFloat(type) && op > Compare::Ge))
        return false;
    i.execute = result == 2 ? setOf<true>(type) : setOf<false>(type);
    if (i.execute == nullptr)
        return false;
    i.detail = static_cast<std::uint8_t>(op);
    i.detail2 = static_cast<std::uint8_t>(combine + 1);
    i.d = d.out(0, Type::B32);
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    if (combine >= 0)
        i.predicateIn = d.predicateIn(3, i.predicateInNegated);
    return true;
}

template <typename T> void selp(Lanes& lanes, const Instruction& i)
{
    const U32 p = lanes.predicates[i.predicateIn] ^ (i.predicateInNegated ? allLanes : 0U);
    const auto* a = Cell<T>::in(lanes, i.a);
    const auto* b = Cell<T>::in(lanes, i.b);
    auto* d = Cell<T>::out(lanes, i.d);
    forLanes(lanes.mask, [&](int l) { d[l] = (p >> l & 1U) != 0 ? a[l] : b[l]; });
}
bool decodeSelp(Decoder& d)
{
    const Type type = d.takeType();
    const int bytes = bytesOf(type);
    if (bytes < 2 || bytes > 8 || !d.atEnd() || d.count() != 4)
        return false;
    Instruction& i = d.instruction();
    i.execute = bytes == 8 ? selp<std::uint64_t> : selp<std::uint32_t>;
    i.type = type;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    i.predicateIn = d.predicateIn(3, i.predicateInNegated);
    return true;
}

// slct: a where c is not negative (of f32: NaN takes b).
template <typename T, typename C> void slct(Lanes& lanes, const Instruction& i)
{
    const auto* c = Cell<C>::in(lanes, i.c);
    const auto* a = Cell<T>::in(lanes, i.a);
    const auto* b = Cell<T>::in(lanes, i.b);
    auto* d = Cell<T>::out(lanes, i.d);
    forLanes(lanes.mask, [&](int l) { d[l] = Cell<C>::get(c[l]) >= C {} ? a[l] : b[l]; });
}
bool decodeSlct(Decoder& d)
{
    d.take("ftz");
    const Type type = d.takeType();
    const int by = d.takeOneOf({ "s32", "f32" });
    const int bytes = bytesOf(type);
    if (by < 0 || bytes < 2 || bytes > 8 || !d.atEnd() || d.count() != 4)
        return false;
    Instruction& i = d.instruction();
    i.execute = bytes == 8 ? (by == 0 ? slct<std::uint64_t, std::int32_t> : slct<std::uint64_t, float>)
                           : (by == 0 ? slct<std::uint32_t, std::int32_t> : slct<std::uint32_t, float>);
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.b = d.in(2, type);
    i.c = d.in(3, by == 0 ? Type::S32 : Type::F32);
    return true;
}

template <typename T> void testp(Lanes& lanes, const Instruction& i)
{
    const auto* a = Cell<T>::in(lanes, i.a);
    U32 result = 0;
    forLanes(lanes.mask, [&](int l) {
        const T x = Cell<T>::get(a[l]);
        const int kind = std::fpclassify(x);
        const bool table[] = { std::isfinite(x), kind == FP_INFINITE, kind != FP_NAN, kind == FP_NAN, kind == FP_NORMAL,
            kind == FP_SUBNORMAL };
        result |= static_cast<U32>(table[i.detail]) << l;
    });
    writePredicates(lanes, i, result, ~result);
}
bool decodeTestp(Decoder& d)
{
    const int what = d.takeOneOf({ "finite", "infinite", "number", "notanumber", "normal", "subnormal" });
    const Type type = d.takeType();
    if (what < 0 || (type != Type::F32 && type != Type::F64) || !d.atEnd() || d.count() != 2)
        return false;
    Instruction& i = d.instruction();
    i.execute = type == Type::F32 ? testp<float> : testp<double>;
    i.detail = static_cast<std::uint8_t>(what);
    i.predicateOut = d.predicateOut(0);
    i.a = d.in(1, type);
    return true;
}

constexpr Form forms[] = {
    { "setp", "setp.CmpOp{.and,.or,.xor}{.ftz}.type p{|q}, a, b{, {!}c}", "9.7.6.2", decodeSetp },
    { "set", "set.CmpOp{.and,.or,.xor}.{u32,s32,f32}.type d, a, b{, {!}c}", "9.7.6.1", decodeSet },
    { "selp", "selp.type d, a, b, p", "9.7.6.3", decodeSelp },
    { "slct", "slct{.ftz}.type.{s32,f32} d, a, b, c", "9.7.6.4", decodeSlct },
    { "testp", "testp.{finite,infinite,number,notanumber,normal,subnormal}.{f32,f64} p, a", "9.7.3.1", decodeTestp },
};

} // namespace

std::span<const Form> compareForms()
{
    return forms;
}

} // namespace flashstep::ptx
