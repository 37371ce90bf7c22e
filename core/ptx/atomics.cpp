// SPDX-License-Identifier: Apache-2.0
// atom and red (PTX ISA 9.7.13.5, .6): one lane after the other, in the order of lanes.
#include "core/ptx/access.h"
#include "core/ptx/decoder.h"
#include "core/ptx/half.h"
#include "core/ptx/lanes.h"

#include <cstring>

namespace flashstep::ptx {

namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;
// In detail2: as with a fence before it, or behind it.
constexpr std::uint8_t releaseBit = 1, acquireBit = 2;
enum class Op : std::uint8_t { And, Or, Xor, Exch, Add, Inc, Dec, Min, Max, Cas };

template <typename T> T combine(Op op, T old, T b)
{
    if constexpr (std::is_floating_point_v<T>)
        return op == Op::Exch ? b : old + b;
    else {
        using U = std::make_unsigned_t<T>;
        switch (op) {
        case Op::And:
            return static_cast<T>(old & b);
        case Op::Or:
            return static_cast<T>(old | b);
        case Op::Xor:
            return static_cast<T>(old ^ b);
        case Op::Add:
            return static_cast<T>(static_cast<U>(old) + static_cast<U>(b));
        case Op::Inc:
            return old >= b ? T {} : static_cast<T>(old + 1);
        case Op::Dec:
            return old == 0 || old > b ? b : static_cast<T>(old - 1);
        case Op::Min:
            return std::min(old, b);
        case Op::Max:
            return std::max(old, b);
        default:
            return b;
        }
    }
}
template <typename Format> U32 addHalves(U32 old, U32 b, int count)
{
    U32 result = 0;
    for (int k = 0; k < count; ++k) {
        const double sum = static_cast<double>(Format::decode(static_cast<std::uint16_t>(old >> (16 * k))))
            + static_cast<double>(Format::decode(static_cast<std::uint16_t>(b >> (16 * k))));
        result |= static_cast<U32>(Format::encode(toOdd(sum))) << (16 * k);
    }
    return result;
}
U64 apply(Op op, Type type, U64 old, U64 b)
{
    switch (type) {
    case Type::F32:
        return std::bit_cast<U32>(canonical(
            combine(op, std::bit_cast<float>(static_cast<U32>(old)), std::bit_cast<float>(static_cast<U32>(b)))));
    case Type::F64:
        return std::bit_cast<U64>(combine(op, std::bit_cast<double>(old), std::bit_cast<double>(b)));
    case Type::F16:
    case Type::F16x2:
        return addHalves<Fp16>(static_cast<U32>(old), static_cast<U32>(b), type == Type::F16 ? 1 : 2);
    case Type::Bf16:
    case Type::Bf16x2:
        return addHalves<Bf16>(static_cast<U32>(old), static_cast<U32>(b), type == Type::Bf16 ? 1 : 2);
    case Type::S32:
        return static_cast<U32>(combine(op, static_cast<std::int32_t>(old), static_cast<std::int32_t>(b)));
    case Type::S64:
        return static_cast<U64>(combine(op, static_cast<std::int64_t>(old), static_cast<std::int64_t>(b)));
    case Type::U64:
    case Type::B64:
        return combine(op, old, b);
    default:
        return combine(op, static_cast<U32>(old), static_cast<U32>(b));
    }
}

// detail: the operation. rows: the operands, b first; of a vector red one for each element. d is not valid for red.
void atomic(Lanes& lanes, const Instruction& i)
{
    Access& access = *lanes.access;
    const auto op = static_cast<Op>(i.detail);
    const U32 size = i.bytes;
    const auto cell = [&](U32 k, int l) {
        const Row row = lanes.code->rows[i.rowsFirst + k];
        return size == 8 ? static_cast<U64>(lanes.wides(row)[l]) : static_cast<U64>(lanes.words(row)[l]);
    };
    forLanes(lanes.mask, [&](int l) {
        const U64 base = i.wide ? lanes.wides(i.a)[l] : lanes.words(i.a)[l];
        U64 address = base + static_cast<U64>(i.offset);
        address = i.wide ? address : address & 0xffffffffU;
        if ((i.detail2 & releaseBit) != 0)
            access.fence(1U << l);
        std::byte* at = access.at(i.space, address, size * i.vector, l, Touch::Atomic, true);
        if ((i.detail2 & acquireBit) != 0)
            access.fence(1U << l);
        for (U32 k = 0; k < i.vector; ++k) {
            U64 old = 0;
            if (at != nullptr)
                std::memcpy(&old, at + k * size, size);
            U64 next = 0;
            if (op == Op::Cas) {
                const U64 mask = size == 8 ? ~U64 { 0 } : (U64 { 1 } << (8 * size)) - 1;
                next = old == (cell(0, l) & mask) ? cell(1, l) : old;
            } else
                next = apply(op, i.type, old, cell(k, l));
            if (at != nullptr)
                std::memcpy(at + k * size, &next, size);
            if (i.d.valid()) {
                if (size == 8)
                    lanes.widesOut(i.d)[l] = old;
                else
                    lanes.wordsOut(i.d)[l] = static_cast<U32>(old);
            }
        }
    });
}

bool typeFits(Op op, Type type)
{
    const bool sum = op == Op::Add;
    switch (type) {
    case Type::B32:
    case Type::B64:
        return op == Op::And || op == Op::Or || op == Op::Xor || op == Op::Exch || op == Op::Cas;
    case Type::B16:
        return op == Op::Cas;
    case Type::U32:
        return sum || op == Op::Inc || op == Op::Dec || op == Op::Min || op == Op::Max;
    case Type::S32:
    case Type::U64:
    case Type::S64:
        return op == Op::Min || op == Op::Max || sum;
    case Type::F32:
    case Type::F64:
    case Type::F16:
    case Type::F16x2:
    case Type::Bf16:
    case Type::Bf16x2:
        return sum;
    default:
        return false;
    }
}

std::uint8_t orderOf(int semantics)
{
    constexpr std::uint8_t orders[] = { 0, acquireBit, releaseBit, acquireBit | releaseBit };
    return semantics < 0 ? 0 : orders[semantics];
}

template <bool returns> bool decode(Decoder& d)
{
    Instruction& i = d.instruction();
    i.detail2 = orderOf(d.takeOneOf({ "relaxed", "acquire", "release", "acq_rel" }));
    d.takeOneOf({ "cta", "cluster", "gpu", "sys" });
    const int place = d.takeOneOf({ "global", "shared", "shared::cta" });
    const Space space = place == 0 ? Space::Global : place > 0 ? Space::Shared : Space::Generic;
    d.takeOneOf({ "cta", "cluster", "gpu", "sys" }); // older spellings put the scope behind the space
    const int op = d.takeOneOf({ "and", "or", "xor", "exch", "add", "inc", "dec", "min", "max", "cas" });
    d.take("noftz");
    const int vector = d.takeOneOf({ "v2", "v4", "v8" });
    const Type type = d.takeType();
    const int operands = op == 9 ? 2 : 1;
    if (op < 0 || !typeFits(static_cast<Op>(op), type) || !d.atEnd()
        || d.count() != static_cast<std::size_t>(operands + (returns ? 2 : 1))
        || (vector >= 0 && (returns || space != Space::Global)))
        return false;
    i.type = type;
    i.detail = static_cast<std::uint8_t>(op);
    i.vector = static_cast<std::uint8_t>(vector < 0 ? 1 : 2 << vector);
    i.bytes = static_cast<std::uint8_t>(bytesOf(type));
    i.unit = space == Space::Shared ? Unit::Shared : Unit::Global;
    i.execute = atomic;
    const std::size_t at = returns ? 1 : 0;
    const Type cell = i.bytes == 8 ? Type::B64 : i.bytes == 4 ? Type::B32 : Type::B16;
    if (returns && d.statement().operands[0].kind != Operand::Kind::Sink)
        i.d = d.out(0, cell);
    d.address(at, space);
    d.vectorIn(at + 1, cell, i.vector);
    if (operands == 2)
        d.vectorIn(at + 2, cell, 1);
    return true;
}

constexpr Form forms[] = {
    { "atom",
        "atom{.sem}{.scope}{.global,.shared}.{and,or,xor,exch,cas,add,inc,dec,min,max}{.noftz}.type d, [a], b{, c}",
        "9.7.13.5", decode<true> },
    { "red", "red{.sem}{.scope}{.global,.shared}.op{.noftz}{.v2,.v4,.v8}.type [a], b", "9.7.13.6", decode<false> },
};

} // namespace

std::span<const Form> atomicForms()
{
    return forms;
}

} // namespace flashstep::ptx
