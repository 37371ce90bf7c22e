// SPDX-License-Identifier: Apache-2.0
// Moves, packing and unpacking, special registers, addresses between state spaces (PTX ISA 9.7.9.2 …, 9.7.9.18 …).
#include "core/ptx/access.h"
#include "core/ptx/decoder.h"
#include "core/ptx/lanes.h"

namespace flashstep::ptx {

namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

void move32(Lanes& lanes, const Instruction& i)
{
    const Word* a = lanes.words(i.a);
    Word* d = lanes.wordsOut(i.d);
    forLanes(lanes.mask, [&](int l) { d[l] = a[l]; });
}
void move64(Lanes& lanes, const Instruction& i)
{
    const Wide* a = lanes.wides(i.a);
    Wide* d = lanes.widesOut(i.d);
    forLanes(lanes.mask, [&](int l) { d[l] = a[l]; });
}
void move128(Lanes& lanes, const Instruction& i)
{
    move64(lanes, i);
    const Wide* a = lanes.wides({ i.a.index + 2 });
    Wide* d = lanes.widesOut({ i.d.index + 2 });
    forLanes(lanes.mask, [&](int l) { d[l] = a[l]; });
}
void movePredicate(Lanes& lanes, const Instruction& i)
{
    const U32 a = i.predicateIn == none ? (i.detail != 0 ? allLanes : 0U)
                                        : lanes.predicates[i.predicateIn] ^ (i.predicateInNegated ? allLanes : 0U);
    U32& d = lanes.predicates[i.predicateOut];
    d = (d & ~lanes.mask) | (a & lanes.mask);
}

// A special register that only holds still while one reads it: the clock of the SM, or nanoseconds.
void moveClock(Lanes& lanes, const Instruction& i)
{
    const U64 value = lanes.access->clock(static_cast<Special>(i.detail));
    if (i.wide) {
        Wide* d = lanes.widesOut(i.d);
        forLanes(lanes.mask, [&](int l) { d[l] = value; });
        return;
    }
    Word* d = lanes.wordsOut(i.d);
    forLanes(lanes.mask, [&](int l) { d[l] = static_cast<U32>(value); });
}
// A special register of 32 bits into a register of 64.
void moveSpecialWide(Lanes& lanes, const Instruction& i)
{
    const Word* a = lanes.words(i.a);
    Wide* d = lanes.widesOut(i.d);
    forLanes(lanes.mask, [&](int l) { d[l] = a[l]; });
}

// mov.b32 d, {lo, hi} and the reverse; detail: elements, bytes: of one.
void pack(Lanes& lanes, const Instruction& i)
{
    const int elementBits = 8 * i.bytes;
    forLanes(lanes.mask, [&](int l) {
        U64 value = 0;
        for (int k = 0; k < i.vector; ++k) {
            const Row row = lanes.code->rows[i.rowsFirst + static_cast<U32>(k)];
            const U64 mask = (U64 { 1 } << elementBits) - 1;
            value |= (lanes.words(row)[l] & mask) << (k * elementBits);
        }
        if (i.wide)
            lanes.widesOut(i.d)[l] = value;
        else
            lanes.wordsOut(i.d)[l] = static_cast<U32>(value);
    });
}
void unpack(Lanes& lanes, const Instruction& i)
{
    const int elementBits = 8 * i.bytes;
    forLanes(lanes.mask, [&](int l) {
        const U64 value = i.wide ? lanes.wides(i.a)[l] : lanes.words(i.a)[l];
        for (int k = 0; k < i.vector; ++k) {
            const Row row = lanes.code->rows[i.rowsFirst + static_cast<U32>(k)];
            if (row.valid())
                lanes.wordsOut(row)[l]
                    = static_cast<U32>(value >> (k * elementBits) & ((U64 { 1 } << elementBits) - 1));
        }
    });
}

Type partOf(int bytes)
{
    return bytes == 1 ? Type::B8 : bytes == 2 ? Type::B16 : Type::B32;
}
bool decodePack(Decoder& d, int bytes)
{
    const Operand& to = d.statement().operands[0];
    const Operand& from = d.statement().operands[1];
    Instruction& i = d.instruction();
    const bool unpacks = to.kind == Operand::Kind::Vector;
    const int count = unpacks ? to.count : from.count;
    if ((count != 2 && count != 4) || bytes / count < 1 || bytes > 8 || bytes / count > 4)
        return d.fail("a vector that does not fill the register");
    i.vector = static_cast<std::uint8_t>(count);
    i.bytes = static_cast<std::uint8_t>(bytes / count);
    i.wide = bytes == 8;
    const Type whole = bytes == 8 ? Type::B64 : bytes == 4 ? Type::B32 : Type::B16;
    if (unpacks) {
        d.vectorOut(0, partOf(i.bytes), count);
        i.a = d.in(1, whole);
        i.execute = unpack;
    } else {
        i.d = d.out(0, whole);
        d.vectorIn(1, partOf(i.bytes), count);
        i.execute = pack;
    }
    return true;
}

bool isClock(Special special)
{
    return special >= Special::Clock && special <= Special::GlobaltimerHi;
}
bool decodeSpecial(Decoder& d, int bytes)
{
    const Operand& from = d.statement().operands[1];
    const auto special = static_cast<Special>(from.index);
    Instruction& i = d.instruction();
    i.wide = bytes == 8;
    i.d = d.out(0, bytes == 8 ? Type::B64 : Type::B32);
    if (isClock(special)) {
        i.detail = static_cast<std::uint8_t>(special);
        i.execute = moveClock;
        return true;
    }
    i.a = d.in(1, Type::B32);
    i.execute = bytes == 8 ? moveSpecialWide : move32;
    return true;
}

bool decodeMov(Decoder& d)
{
    const Type type = d.takeType();
    if (!d.atEnd() || d.count() != 2)
        return false;
    const Operand& to = d.statement().operands[0];
    const Operand& from = d.statement().operands[1];
    Instruction& i = d.instruction();
    i.type = type;
    if (type == Type::Pred) {
        i.predicateOut = d.predicateOut(0);
        if (from.kind == Operand::Kind::Integer)
            i.detail = from.number != 0;
        else
            i.predicateIn = d.predicateIn(1, i.predicateInNegated);
        i.execute = movePredicate;
        return i.predicateOut != none;
    }
    const int bytes = bytesOf(type);
    if (bytes < 2)
        return false;
    if (to.kind == Operand::Kind::Vector || from.kind == Operand::Kind::Vector)
        return decodePack(d, bytes);
    if (from.kind == Operand::Kind::Special)
        return decodeSpecial(d, bytes);
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.execute = bytes == 16 ? move128 : bytes == 8 ? move64 : move32;
    return true;
}

// Generic addresses of shared, local and parameter memory lie in windows; global ones are what they are.
U64 windowOf(Space space)
{
    switch (space) {
    case Space::Shared:
        return sharedWindow;
    case Space::Local:
        return localWindow;
    case Space::Param:
        return parameterWindow;
    default:
        return 0;
    }
}
template <bool toSpace> void convertAddress(Lanes& lanes, const Instruction& i)
{
    const U64 window = windowOf(i.space);
    forLanes(lanes.mask, [&](int l) {
        const U64 a = i.bytes == 8 ? lanes.wides(i.a)[l] : lanes.words(i.a)[l];
        const U64 value = toSpace ? a - window : a + window;
        if (i.wide)
            lanes.widesOut(i.d)[l] = value;
        else
            lanes.wordsOut(i.d)[l] = static_cast<U32>(value);
    });
}
Space takeSpace(Decoder& d)
{
    if (d.take("shared") || d.take("shared::cta"))
        return Space::Shared;
    if (d.take("global"))
        return Space::Global;
    if (d.take("local"))
        return Space::Local;
    if (d.take("const"))
        return Space::Const;
    if (d.take("param") || d.take("param::entry"))
        return Space::Param;
    return Space::Generic;
}
bool decodeCvta(Decoder& d)
{
    const bool to = d.take("to");
    const Space space = takeSpace(d);
    const Type type = d.takeType();
    if (space == Space::Generic || (type != Type::U64 && type != Type::U32) || !d.atEnd() || d.count() != 2)
        return false;
    Instruction& i = d.instruction();
    i.space = space;
    i.execute = to ? convertAddress<true> : convertAddress<false>;
    i.d = d.out(0, type);
    i.a = d.in(1, type);
    i.wide = bytesOf(type) == 8;
    i.bytes = static_cast<std::uint8_t>(bytesOf(type));
    return true;
}

void inSpace(Lanes& lanes, const Instruction& i)
{
    U32 result = 0;
    forLanes(lanes.mask, [&](int l) { result |= static_cast<U32>(spaceOf(lanes.wides(i.a)[l]) == i.space) << l; });
    U32& d = lanes.predicates[i.predicateOut];
    d = (d & ~lanes.mask) | (result & lanes.mask);
}
bool decodeIsspacep(Decoder& d)
{
    const Space space = takeSpace(d);
    if (space == Space::Generic || !d.atEnd() || d.count() != 2)
        return false;
    Instruction& i = d.instruction();
    i.space = space;
    i.execute = inSpace;
    i.predicateOut = d.predicateOut(0);
    i.a = d.in(1, Type::U64);
    return i.predicateOut != none;
}

constexpr Form forms[] = {
    { "mov",
        "mov.{pred,b16,b32,b64,b128,u16 … f64} d, a; a: register, constant, special register, name of a variable, or "
        "{vector}; d: register or {vector}",
        "9.7.9.3", decodeMov },
    { "cvta", "cvta{.to}.{global,shared,local,const,param}.{u64,u32} d, a", "9.7.9.20", decodeCvta },
    { "isspacep", "isspacep.{global,shared,local,const,param} p, a", "9.7.9.19", decodeIsspacep },
};

} // namespace

std::span<const Form> moveForms()
{
    return forms;
}

} // namespace flashstep::ptx
