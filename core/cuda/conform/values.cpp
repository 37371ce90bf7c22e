// SPDX-License-Identifier: Apache-2.0
#include "probe.h"

#include <cmath>

namespace flashstep::conform {
namespace {

struct KindRow {
    Kind kind;
    int bytes;
    Element element;
    const char* name;
    const char* storage; // register
    const char* access;
};
// 8-bit values sit in 16-bit registers. A signed load extends the sign.
constexpr KindRow kinds[] = {
    { Kind::U8, 1, Element::U8, "u8", ".b16", "u8" },
    { Kind::U16, 2, Element::U16, "u16", ".b16", "u16" },
    { Kind::U32, 4, Element::U32, "u32", ".b32", "u32" },
    { Kind::U64, 8, Element::U64, "u64", ".b64", "u64" },
    { Kind::S8, 1, Element::U8, "s8", ".b16", "s8" },
    { Kind::S16, 2, Element::U16, "s16", ".b16", "u16" },
    { Kind::S32, 4, Element::U32, "s32", ".b32", "u32" },
    { Kind::S64, 8, Element::U64, "s64", ".b64", "u64" },
    { Kind::F16, 2, Element::F16, "f16", ".b16", "u16" },
    { Kind::Bf16, 2, Element::Bf16, "bf16", ".b16", "u16" },
    { Kind::F16x2, 4, Element::F16, "f16x2", ".b32", "u32" },
    { Kind::Bf16x2, 4, Element::Bf16, "bf16x2", ".b32", "u32" },
    { Kind::F32, 4, Element::F32, "f32", ".f32", "f32" },
    { Kind::F64, 8, Element::F64, "f64", ".f64", "f64" },
};

const KindRow& row(Kind kind)
{
    return kinds[static_cast<std::size_t>(kind)];
}

std::uint64_t next(std::uint64_t& state) // splitmix64
{
    state += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

Values integerCorners(int width)
{
    const std::uint64_t top = std::uint64_t { 1 } << (width - 1);
    Values values { 0, 1, 2, 3, 7, 8, 10, 15, 16, 31, 32, 33, 63, 64, 100, top - 1, top, top + 1, ~0ULL, ~1ULL, ~6ULL,
        0x5555555555555555ULL, 0xAAAAAAAAAAAAAAAAULL, 0x123456789ABCDEF0ULL, 0x8F0E1D2C7B6A5948ULL, 1ULL << (width / 2),
        (1ULL << (width / 2)) - 1 };
    for (std::uint64_t& value : values)
        value = masked(value, width);
    return values;
}

Values floatCorners(Format format)
{
    const std::uint64_t one = fromDouble(format, 1.0);
    Values values;
    for (const std::uint64_t positive :
        { std::uint64_t { 0 }, std::uint64_t { 1 }, smallestNormal(format) - 1, smallestNormal(format),
            smallestNormal(format) + 1, one, one + 1, one - 1, largestOf(format), infinityOf(format),
            fromDouble(format, 1.5), fromDouble(format, 2.5), fromDouble(format, 0.1), fromDouble(format, 3.0) }) {
        values.push_back(positive);
        values.push_back(positive | signBit(format));
    }
    values.push_back(nanOf(format));
    values.push_back(fromDouble(format, 1.0 / 3));
    values.push_back(fromDouble(format, std::ldexp(1.0, format.precision) - 1));
    values.push_back(fromDouble(format, -std::ldexp(1.0, format.precision - 1) - 1));
    return values;
}

Values packedCorners(Format format)
{
    const Values halves = floatCorners(format);
    Values values;
    for (std::size_t i = 0; i < halves.size(); ++i)
        values.push_back(halves[i] | halves[(i * 7 + 3) % halves.size()] << 16);
    return values;
}

} // namespace

int bytesOf(Kind kind)
{
    return row(kind).bytes;
}

int bitsOf(Kind kind)
{
    return row(kind).bytes * 8;
}

bool isSigned(Kind kind)
{
    return kind >= Kind::S8 && kind <= Kind::S64;
}

bool isFloat(Kind kind)
{
    return kind >= Kind::F16;
}

Element elementOf(Kind kind)
{
    return row(kind).element;
}

Format formatOf(Kind kind)
{
    switch (elementOf(kind)) {
    case Element::F16:
        return halfFormat;
    case Element::Bf16:
        return bfloatFormat;
    case Element::F64:
        return doubleFormat;
    default:
        return singleFormat;
    }
}

const char* nameOf(Kind kind)
{
    return row(kind).name;
}

const char* registerOf(Kind kind)
{
    return row(kind).storage;
}

const char* accessOf(Kind kind)
{
    return row(kind).access;
}

Values corners(Kind kind)
{
    if (!isFloat(kind))
        return integerCorners(bitsOf(kind));
    if (kind == Kind::F16x2 || kind == Kind::Bf16x2)
        return packedCorners(formatOf(kind));
    return floatCorners(formatOf(kind));
}

std::vector<Values> crossed(const Values& a, const Values& b)
{
    std::vector<Values> columns(2);
    for (const std::uint64_t x : a) {
        for (const std::uint64_t y : b) {
            columns[0].push_back(x);
            columns[1].push_back(y);
        }
    }
    return columns;
}

std::vector<Values> mixed(const Values& a, const Values& b, const Values& c, std::size_t count)
{
    std::vector<Values> columns(3);
    std::uint64_t state = 17;
    for (std::size_t i = 0; i < count; ++i) {
        columns[0].push_back(a[next(state) % a.size()]);
        columns[1].push_back(b[next(state) % b.size()]);
        columns[2].push_back(c[next(state) % c.size()]);
    }
    return columns;
}

Values noise(Kind kind, std::size_t count, std::uint64_t seed)
{
    Values values;
    std::uint64_t state = seed;
    const auto one = [&state, kind] {
        const Format format = formatOf(kind);
        const double fraction = static_cast<double>(next(state) >> 11) / 4503599627370496.0 - 1; // [-1, 1)
        return fromDouble(format, std::ldexp(fraction, static_cast<int>(next(state) % 9) - 4));
    };
    for (std::size_t i = 0; i < count; ++i) {
        if (!isFloat(kind))
            values.push_back(masked(next(state), bitsOf(kind)));
        else if (kind == Kind::F16x2 || kind == Kind::Bf16x2) {
            const std::uint64_t low = one();
            values.push_back(low | one() << 16);
        } else
            values.push_back(one());
    }
    return values;
}

std::uint64_t masked(std::uint64_t bits, int width)
{
    return width >= 64 ? bits : bits & ((std::uint64_t { 1 } << width) - 1);
}

std::int64_t asSigned(std::uint64_t bits, int width)
{
    const std::uint64_t sign = std::uint64_t { 1 } << (width - 1);
    const std::uint64_t extended = (masked(bits, width) ^ sign) - sign;
    return static_cast<std::int64_t>(extended); // two's complement on every compiler that matters here
}

namespace {

Expected joined(const Expected& low, const Expected& high)
{
    return { low.bits | high.bits << 16, low.other | high.other << 16 };
}

} // namespace

Unary packed(const Unary& half)
{
    return [half](std::uint64_t a) { return joined(half(a & 0xFFFF), half(a >> 16)); };
}

Binary packed(const Binary& half)
{
    return [half](std::uint64_t a, std::uint64_t b) {
        return joined(half(a & 0xFFFF, b & 0xFFFF), half(a >> 16, b >> 16));
    };
}

Ternary packed(const Ternary& half)
{
    return [half](std::uint64_t a, std::uint64_t b, std::uint64_t c) {
        return joined(half(a & 0xFFFF, b & 0xFFFF, c & 0xFFFF), half(a >> 16, b >> 16, c >> 16));
    };
}

} // namespace flashstep::conform
