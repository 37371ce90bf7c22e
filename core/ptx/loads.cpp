// SPDX-License-Identifier: Apache-2.0
// Loads and stores, of one element or a vector (PTX ISA 9.7.9.8 to 9.7.9.12), and what concerns caches alone.
#include "core/ptx/access.h"
#include "core/ptx/decoder.h"
#include "core/ptx/lanes.h"

#include <cstring>

namespace flashstep::ptx {

namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

constexpr std::uint8_t strongBit = 1; // volatile, relaxed, acquire, release
constexpr std::uint8_t orderBit = 2; // acquire of a load, release of a store: as with a fence behind it, or before it

U64 addressOf(const Lanes& lanes, const Instruction& i, int l)
{
    const U64 base = i.wide ? lanes.wides(i.a)[l] : lanes.words(i.a)[l];
    const U64 address = base + static_cast<U64>(i.offset);
    return i.wide ? address : address & 0xffffffffU;
}

// The register takes the value as wide as it is itself: integers extended by their sign, floats as they are.
U64 extended(U64 raw, Type type)
{
    switch (type) {
    case Type::S8:
        return static_cast<U64>(static_cast<std::int64_t>(static_cast<std::int8_t>(raw)));
    case Type::S16:
        return static_cast<U64>(static_cast<std::int64_t>(static_cast<std::int16_t>(raw)));
    case Type::S32:
        return static_cast<U64>(static_cast<std::int64_t>(static_cast<std::int32_t>(raw)));
    default:
        return raw;
    }
}
// detail: a bit for each element whose register has 64 bits; of 128-bit elements both halves are filled.
void put(Lanes& lanes, const Instruction& i, int element, int l, const std::byte* from)
{
    const Row row = lanes.code->rows[i.rowsFirst + static_cast<U32>(element)];
    if (!row.valid())
        return;
    U64 raw = 0;
    std::memcpy(&raw, from, std::min<std::size_t>(i.bytes, 8));
    if ((i.detail >> element & 1) != 0) {
        lanes.widesOut(row)[l] = extended(raw, i.type);
        if (i.bytes == 16) {
            std::memcpy(&raw, from + 8, 8);
            lanes.widesOut({ row.index + 2 })[l] = raw;
        }
    } else
        lanes.wordsOut(row)[l] = static_cast<U32>(extended(raw, i.type));
}

void load(Lanes& lanes, const Instruction& i)
{
    Access& access = *lanes.access;
    const U32 bytes = static_cast<U32>(i.bytes) * i.vector;
    static constexpr std::byte nothing[32] = {};
    forLanes(lanes.mask, [&](int l) {
        const std::byte* from
            = access.at(i.space, addressOf(lanes, i, l), bytes, l, Touch::Read, (i.detail2 & strongBit) != 0);
        if ((i.detail2 & orderBit) != 0)
            access.fence(1U << l);
        for (int k = 0; k < i.vector; ++k)
            put(lanes, i, k, l, from == nullptr ? nothing : from + k * i.bytes);
    });
}

void store(Lanes& lanes, const Instruction& i)
{
    Access& access = *lanes.access;
    const U32 bytes = static_cast<U32>(i.bytes) * i.vector;
    forLanes(lanes.mask, [&](int l) {
        std::byte value[32];
        for (int k = 0; k < i.vector; ++k) {
            const Row row = lanes.code->rows[i.rowsFirst + static_cast<U32>(k)];
            U64 raw = (i.detail >> k & 1) != 0 ? lanes.wides(row)[l] : lanes.words(row)[l];
            std::memcpy(value + k * i.bytes, &raw, std::min<std::size_t>(i.bytes, 8));
            if (i.bytes == 16) {
                raw = lanes.wides({ row.index + 2 })[l];
                std::memcpy(value + k * i.bytes + 8, &raw, 8);
            }
        }
        if ((i.detail2 & orderBit) != 0)
            access.fence(1U << l);
        access.store(i.space, addressOf(lanes, i, l), value, bytes, l, (i.detail2 & strongBit) != 0);
    });
}

// .weak, .volatile, .relaxed.scope, .acquire.scope (.release of a store).
std::uint8_t takeOrder(Decoder& d, bool loads)
{
    d.take("weak");
    if (d.take("volatile"))
        return strongBit;
    std::uint8_t order = 0;
    if (d.take("relaxed"))
        order = strongBit;
    else if (d.take(loads ? "acquire" : "release"))
        order = strongBit | orderBit;
    if (order != 0)
        d.takeOneOf({ "cta", "cluster", "gpu", "sys" });
    return order;
}
Space takeSpace(Decoder& d)
{
    switch (d.takeOneOf({ "global", "shared", "shared::cta", "local", "param", "param::entry", "const" })) {
    case 0:
        return Space::Global;
    case 1:
    case 2:
        return Space::Shared;
    case 3:
        return Space::Local;
    case 4:
    case 5:
        return Space::Param;
    case 6:
        return Space::Const;
    default:
        return Space::Generic;
    }
}
// Hints for caches, which change nothing here.
void takeHints(Decoder& d)
{
    while (d.takeOneOf({ "ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc", "L1::evict_normal", "L1::evict_unchanged",
               "L1::evict_first", "L1::evict_last", "L1::no_allocate", "L2::cache_hint", "L2::64B", "L2::128B",
               "L2::256B" })
        >= 0) { }
}
int takeVector(Decoder& d)
{
    switch (d.takeOneOf({ "v2", "v4", "v8" })) {
    case 0:
        return 2;
    case 1:
        return 4;
    case 2:
        return 8;
    default:
        return 1;
    }
}
Type cellOf(int bytes)
{
    return bytes == 16 ? Type::B128
        : bytes == 8   ? Type::B64
        : bytes == 4   ? Type::B32
        : bytes == 2   ? Type::B16
                       : Type::B8;
}
bool hasCacheHint(const Decoder& d)
{
    const auto& modifiers = d.statement().modifiers;
    return std::find(modifiers.begin(), modifiers.end(), "L2::cache_hint") != modifiers.end();
}
// A type of an element, and how many: at most 16 bytes, in global memory 32.
bool takeElements(Decoder& d, Space space)
{
    Instruction& i = d.instruction();
    const int vector = takeVector(d);
    const Type type = d.takeType();
    const int bytes = bytesOf(type);
    const bool hinted = d.statement().operands.size() == 3; // by a policy, which changes no value
    if (bytes == 0 || !d.atEnd() || d.count() != (hinted ? 3U : 2U) || hinted != hasCacheHint(d))
        return false;
    if (vector * bytes > (space == Space::Global ? 32 : 16))
        return d.fail("a vector of more than 16 bytes");
    i.type = type;
    i.vector = static_cast<std::uint8_t>(vector);
    i.bytes = static_cast<std::uint8_t>(bytes);
    i.unit = space == Space::Shared                                                  ? Unit::Shared
        : space == Space::Global || space == Space::Generic || space == Space::Local ? Unit::Global
                                                                                     : Unit::Alu;
    return true;
}
void markWide(Decoder& d, std::size_t operand)
{
    Instruction& i = d.instruction();
    const Operand& o = d.statement().operands[operand];
    for (int k = 0; k < i.vector; ++k) {
        const int width = d.bytesOfElement(o, k);
        if (width >= 8 || (width == 0 && i.bytes >= 8))
            i.detail = static_cast<std::uint8_t>(i.detail | 1U << k);
    }
}

bool decodeLoad(Decoder& d)
{
    Instruction& i = d.instruction();
    const std::uint8_t order = takeOrder(d, true);
    const Space space = takeSpace(d);
    takeHints(d);
    if (!takeElements(d, space))
        return false;
    i.detail2 = order;
    d.vectorOut(0, cellOf(i.bytes), i.vector);
    markWide(d, 0);
    d.address(1, space);
    i.execute = load;
    return true;
}
bool decodeStore(Decoder& d)
{
    Instruction& i = d.instruction();
    const std::uint8_t order = takeOrder(d, false);
    const Space space = takeSpace(d);
    takeHints(d);
    if (space == Space::Const || !takeElements(d, space))
        return false;
    i.detail2 = order;
    d.address(0, space);
    d.vectorIn(1, cellOf(i.bytes), i.vector);
    markWide(d, 1);
    i.execute = store;
    return true;
}

void nothing(Lanes&, const Instruction&) { }
// A policy is opaque, and nothing here depends on it.
bool decodeCreatepolicy(Decoder& d)
{
    if (!d.take("fractional")
        || d.takeOneOf({ "L2::evict_last", "L2::evict_normal", "L2::evict_first", "L2::evict_unchanged" }) < 0)
        return false;
    d.takeOneOf({ "L2::evict_first", "L2::evict_unchanged" }); // of the rest
    if (!d.take("b64") || !d.atEnd() || d.count() < 1 || d.count() > 2)
        return false;
    Instruction& i = d.instruction();
    i.d = d.out(0, Type::B64);
    i.execute = [](Lanes& lanes, const Instruction& self) {
        forLanes(lanes.mask, [&](int l) { lanes.widesOut(self.d)[l] = 0; });
    };
    return true;
}
bool decodePrefetch(Decoder& d)
{
    takeSpace(d);
    if (d.takeOneOf({ "L1", "L2", "L2::evict_last", "L2::evict_normal" }) < 0 || !d.atEnd() || d.count() != 1)
        return false;
    d.instruction().execute = nothing;
    return true;
}

constexpr Form forms[] = {
    { "ld", "ld{.weak,.volatile,.relaxed.scope,.acquire.scope}{.space}{.cop}{.nc}{hints}{.v2,.v4,.v8}.type d, [a]",
        "9.7.9.8", decodeLoad },
    { "ldu", "ldu{.global}{.v2,.v4}.type d, [a]", "9.7.9.10", decodeLoad },
    { "st", "st{.weak,.volatile,.relaxed.scope,.release.scope}{.space}{.cop}{hints}{.v2,.v4,.v8}.type [a], b",
        "9.7.9.11", decodeStore },
    { "createpolicy", "createpolicy.fractional.L2::primary{.L2::secondary}.b64 d{, fraction}", "9.7.9.18",
        decodeCreatepolicy },
    { "prefetch", "prefetch{.space}.{L1,L2} [a]", "9.7.9.15", decodePrefetch },
    { "prefetchu", "prefetchu.L1 [a]", "9.7.9.15", decodePrefetch },
};

} // namespace

std::span<const Form> memoryForms()
{
    return forms;
}

} // namespace flashstep::ptx
