// SPDX-License-Identifier: Apache-2.0
// What the lanes of a warp do together: shuffles, votes, matches, reductions (PTX ISA 9.7.9.6, 9.7.13.8 …). The lanes
// that take part stand in the first of the instruction's rows; the loop of the warp sees that they are there.
#include "core/ptx/access.h"
#include "core/ptx/decoder.h"
#include "core/ptx/lanes.h"

#include <array>

namespace flashstep::ptx {

namespace {

using U32 = std::uint32_t;

enum class Shuffle : std::uint8_t { Up, Down, Butterfly, Index };

template <Shuffle mode> void shuffle(Lanes& lanes, const Instruction& i)
{
    std::array<U32, warpSize> from {};
    const Word* a = lanes.words(i.a);
    for (std::size_t l = 0; l < warpSize; ++l)
        from[l] = a[l];
    const Word* b = lanes.words(i.b);
    const Word* c = lanes.words(i.c);
    Word* d = lanes.wordsOut(i.d);
    U32 inRange = 0;
    forLanes(lanes.mask, [&](int l) {
        const U32 lane = static_cast<U32>(l);
        const U32 step = b[l] & 31U, clamp = c[l] & 31U, segment = c[l] >> 8U & 31U;
        const U32 last = (lane & segment) | (clamp & ~segment);
        U32 j = lane;
        bool valid = false;
        if constexpr (mode == Shuffle::Up) {
            j = lane - step;
            valid = static_cast<std::int32_t>(j) >= static_cast<std::int32_t>(last);
        } else {
            j = mode == Shuffle::Down        ? lane + step
                : mode == Shuffle::Butterfly ? lane ^ step
                                             : (lane & segment) | (step & ~segment);
            valid = j <= last;
        }
        inRange |= static_cast<U32>(valid) << l;
        d[l] = from[(valid ? j : lane) & 31U];
    });
    if (i.predicateOut != none)
        lanes.predicates[i.predicateOut] = (lanes.predicates[i.predicateOut] & ~lanes.mask) | inRange;
}
bool decodeShuffle(Decoder& d)
{
    if (!d.take("sync"))
        return false;
    const int mode = d.takeOneOf({ "up", "down", "bfly", "idx" });
    if (mode < 0 || !d.take("b32") || !d.atEnd() || d.count() != 5)
        return false;
    static constexpr Execute table[]
        = { shuffle<Shuffle::Up>, shuffle<Shuffle::Down>, shuffle<Shuffle::Butterfly>, shuffle<Shuffle::Index> };
    Instruction& i = d.instruction();
    i.execute = table[mode];
    i.flow = Flow::Masked;
    i.unit = Unit::Shuffle;
    i.d = d.out(0, Type::B32);
    if (const std::uint32_t pair = d.statement().operands[0].pair; pair != none) {
        i.predicateOut = d.predicateRegister(pair);
        d.writes(pair);
    }
    i.a = d.in(1, Type::B32);
    i.b = d.in(2, Type::B32);
    i.c = d.in(3, Type::B32);
    d.keepRow(d.in(4, Type::B32));
    return true;
}

U32 memberMask(const Lanes& lanes, const Instruction& i)
{
    const Word* row = lanes.words(lanes.code->rows[i.rowsFirst]);
    return lanes.mask == 0 ? 0 : row[std::countr_zero(lanes.mask)];
}

// detail: all, any, uni, ballot.
void vote(Lanes& lanes, const Instruction& i)
{
    const U32 members = memberMask(lanes, i) & lanes.mask;
    const U32 votes = (i.predicateIn == none ? (i.detail2 != 0 ? allLanes : 0U)
                                             : lanes.predicates[i.predicateIn] ^ (i.predicateInNegated ? allLanes : 0U))
        & members;
    if (i.detail == 3) {
        Word* d = lanes.wordsOut(i.d);
        forLanes(lanes.mask, [&](int l) { d[l] = votes; });
        return;
    }
    const bool result = i.detail == 0 ? votes == members : i.detail == 1 ? votes != 0 : votes == members || votes == 0;
    U32& d = lanes.predicates[i.predicateOut];
    d = (d & ~lanes.mask) | (result ? lanes.mask : 0U);
}
bool decodeVote(Decoder& d)
{
    if (!d.take("sync"))
        return false;
    const int mode = d.takeOneOf({ "all", "any", "uni", "ballot" });
    if (mode < 0 || !d.take(mode == 3 ? "b32" : "pred") || !d.atEnd() || d.count() != 3)
        return false;
    Instruction& i = d.instruction();
    i.execute = vote;
    i.flow = Flow::Masked;
    i.detail = static_cast<std::uint8_t>(mode);
    if (mode == 3)
        i.d = d.out(0, Type::B32);
    else {
        i.predicateOut = d.predicateOut(0);
        if (i.predicateOut == none)
            return d.fail("the destination is no predicate");
    }
    if (d.isImmediate(1))
        i.detail2 = d.immediate(1) != 0;
    else
        i.predicateIn = d.predicateIn(1, i.predicateInNegated);
    d.keepRow(d.in(2, Type::B32));
    return true;
}

// Lanes whose value is the same: of any a mask for each, of all one mask where every member agrees.
template <bool all, typename T> void match(Lanes& lanes, const Instruction& i)
{
    const U32 members = memberMask(lanes, i) & lanes.mask;
    const auto* a = Cell<T>::in(lanes, i.a);
    std::array<T, warpSize> value {};
    for (std::size_t l = 0; l < warpSize; ++l)
        value[l] = Cell<T>::get(a[l]);
    Word* d = lanes.wordsOut(i.d);
    U32 agreed = 0;
    forLanes(lanes.mask, [&](int l) {
        U32 same = 0;
        forLanes(members, [&](int k) {
            same |= static_cast<U32>(value[static_cast<std::size_t>(k)] == value[static_cast<std::size_t>(l)]) << k;
        });
        const bool every = same == members;
        agreed |= static_cast<U32>(every) << l;
        d[l] = all && !every ? 0 : same;
    });
    if (i.predicateOut != none)
        lanes.predicates[i.predicateOut] = (lanes.predicates[i.predicateOut] & ~lanes.mask) | agreed;
}
bool decodeMatch(Decoder& d)
{
    const int mode = d.takeOneOf({ "any", "all" });
    if (mode < 0 || !d.take("sync"))
        return false;
    const Type type = d.takeType();
    if ((type != Type::B32 && type != Type::B64) || !d.atEnd() || d.count() != 3)
        return false;
    Instruction& i = d.instruction();
    i.execute = type == Type::B32 ? (mode == 0 ? match<false, U32> : match<true, U32>)
                                  : (mode == 0 ? match<false, std::uint64_t> : match<true, std::uint64_t>);
    i.flow = Flow::Masked;
    i.unit = Unit::Shuffle;
    i.d = d.out(0, Type::B32);
    if (const std::uint32_t pair = d.statement().operands[0].pair; pair != none) {
        i.predicateOut = d.predicateRegister(pair);
        d.writes(pair);
    }
    i.a = d.in(1, type);
    d.keepRow(d.in(2, Type::B32));
    return true;
}

// detail: add, min, max, and, or, xor; detail2: signed.
void reduce(Lanes& lanes, const Instruction& i)
{
    const U32 members = memberMask(lanes, i) & lanes.mask;
    const Word* a = lanes.words(i.a);
    U32 result = 0;
    bool first = true;
    forLanes(members, [&](int l) {
        const U32 x = a[l];
        if (first) {
            result = x;
            first = false;
            return;
        }
        const bool less
            = i.detail2 != 0 ? static_cast<std::int32_t>(x) < static_cast<std::int32_t>(result) : x < result;
        switch (i.detail) {
        case 0:
            result += x;
            break;
        case 1:
            result = less ? x : result;
            break;
        case 2:
            result = less ? result : x;
            break;
        case 3:
            result &= x;
            break;
        case 4:
            result |= x;
            break;
        default:
            result ^= x;
        }
    });
    Word* d = lanes.wordsOut(i.d);
    forLanes(lanes.mask, [&](int l) { d[l] = result; });
}
bool decodeRedux(Decoder& d)
{
    if (!d.take("sync"))
        return false;
    const int op = d.takeOneOf({ "add", "min", "max", "and", "or", "xor" });
    const Type type = d.takeType();
    if (op < 0 || (op < 3 ? type != Type::U32 && type != Type::S32 : type != Type::B32) || !d.atEnd() || d.count() != 3)
        return false;
    Instruction& i = d.instruction();
    i.execute = reduce;
    i.flow = Flow::Masked;
    i.unit = Unit::Shuffle;
    i.detail = static_cast<std::uint8_t>(op);
    i.detail2 = type == Type::S32;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    d.keepRow(d.in(2, Type::B32));
    return true;
}

void activeMask(Lanes& lanes, const Instruction& i)
{
    Word* d = lanes.wordsOut(i.d);
    forLanes(lanes.mask, [&](int l) { d[l] = lanes.mask; });
}
bool decodeActivemask(Decoder& d)
{
    if (!d.take("b32") || !d.atEnd() || d.count() != 1)
        return false;
    d.instruction().execute = activeMask;
    d.instruction().d = d.out(0, Type::B32);
    return true;
}

// The manual leaves open which lane is elected, but says that it is the same each time: the lowest here.
void elect(Lanes& lanes, const Instruction& i)
{
    const U32 members = memberMask(lanes, i) & lanes.mask;
    const U32 lowest = members & (0U - members);
    if (i.d.valid()) {
        Word* d = lanes.wordsOut(i.d);
        const U32 lane = members == 0 ? 0 : static_cast<U32>(std::countr_zero(members));
        forLanes(lanes.mask, [&](int l) { d[l] = lane; });
    }
    if (i.predicateOut != none)
        lanes.predicates[i.predicateOut] = (lanes.predicates[i.predicateOut] & ~lanes.mask) | lowest;
}
bool decodeElect(Decoder& d)
{
    if (!d.take("sync") || !d.atEnd() || d.count() != 2)
        return false;
    Instruction& i = d.instruction();
    i.execute = elect;
    i.flow = Flow::Masked;
    const Operand& to = d.statement().operands[0];
    if (to.kind == Operand::Kind::Register)
        i.d = d.out(0, Type::B32);
    if (to.pair != none) {
        i.predicateOut = d.predicateRegister(to.pair);
        d.writes(to.pair);
    }
    d.keepRow(d.in(1, Type::B32));
    return true;
}

constexpr Form forms[] = {
    { "shfl", "shfl.sync.{up,down,bfly,idx}.b32 d{|p}, a, b, c, membermask", "9.7.9.6", decodeShuffle },
    { "vote", "vote.sync.{all,any,uni}.pred d, {!}a, membermask; vote.sync.ballot.b32", "9.7.13.9", decodeVote },
    { "match", "match.{any,all}.sync.{b32,b64} d{|p}, a, membermask", "9.7.13.10", decodeMatch },
    { "redux", "redux.sync.{add,min,max}.{u32,s32}; redux.sync.{and,or,xor}.b32 d, a, membermask", "9.7.13.12",
        decodeRedux },
    { "activemask", "activemask.b32 d", "9.7.13.11", decodeActivemask },
    { "elect", "elect.sync d|p, membermask", "9.7.13.14", decodeElect },
};

} // namespace

std::span<const Form> warpForms()
{
    return forms;
}

} // namespace flashstep::ptx
