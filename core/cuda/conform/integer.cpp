// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic, PTX ISA 9.7.1 and 9.7.2. Numbers wrap modulo 2^width where the manual does not say otherwise.
#include "probe.h"

#include <algorithm>

namespace flashstep::conform {
namespace {

const Kind all[] = { Kind::U16, Kind::S16, Kind::U32, Kind::S32, Kind::U64, Kind::S64 };
const Kind wide[] = { Kind::U32, Kind::S32, Kind::U64, Kind::S64 };

std::string with(const std::string& opcode, Kind kind)
{
    return opcode + "." + nameOf(kind);
}

// The full product of two numbers of up to 64 bits, as high and low half.
struct Product {
    std::uint64_t high, low;
};
Product multiplied(std::uint64_t a, std::uint64_t b, int width, bool isSignedType)
{
    const std::uint64_t x = isSignedType ? static_cast<std::uint64_t>(asSigned(a, width)) : a;
    const std::uint64_t y = isSignedType ? static_cast<std::uint64_t>(asSigned(b, width)) : b;
    const std::uint64_t mask = 0xFFFFFFFF;
    const std::uint64_t middle = (x >> 32) * (y & mask) + ((x & mask) * (y & mask) >> 32);
    const std::uint64_t cross = (x & mask) * (y >> 32) + (middle & mask);
    std::uint64_t high = (x >> 32) * (y >> 32) + (middle >> 32) + (cross >> 32);
    if (isSignedType) { // two's complement: the sign bits count negatively
        high -= (x >> 63 != 0 ? y : 0);
        high -= (y >> 63 != 0 ? x : 0);
    }
    const std::uint64_t low = x * y;
    if (width == 64)
        return { high, low };
    return { masked(low >> width, width), masked(low, width) };
}

std::uint64_t clamped(std::int64_t value, std::int64_t low, std::int64_t high)
{
    return static_cast<std::uint64_t>(std::min(std::max(value, low), high));
}

void addBasics(Forms& forms)
{
    for (const Kind k : all) {
        binary(forms, { with("add", k), "9.7.1.1" }, k, k, k, [](auto a, auto b) { return a + b; });
        binary(forms, { with("sub", k), "9.7.1.2" }, k, k, k, [](auto a, auto b) { return a - b; });
        const auto less = [k](std::uint64_t a, std::uint64_t b) {
            return isSigned(k) ? asSigned(a, bitsOf(k)) < asSigned(b, bitsOf(k)) : a < b;
        };
        binary(forms, { with("min", k), "9.7.1.12" }, k, k, k, [less](auto a, auto b) { return less(b, a) ? b : a; });
        binary(forms, { with("max", k), "9.7.1.13" }, k, k, k, [less](auto a, auto b) { return less(a, b) ? b : a; });
        ternary(forms, { with("sad", k), "9.7.1.7" }, k, k, k, k,
            [less](auto a, auto b, auto c) { return c + (less(a, b) ? b - a : a - b); });
    }
    const std::int64_t least = -2147483647LL - 1;
    binary(forms, { "add.sat.s32", "9.7.1.1" }, Kind::S32, Kind::S32, Kind::S32,
        [=](auto a, auto b) { return clamped(asSigned(a, 32) + asSigned(b, 32), least, 2147483647); });
    binary(forms, { "sub.sat.s32", "9.7.1.2" }, Kind::S32, Kind::S32, Kind::S32,
        [=](auto a, auto b) { return clamped(asSigned(a, 32) - asSigned(b, 32), least, 2147483647); });
    for (const Kind k : { Kind::S16, Kind::S32, Kind::S64 }) {
        unary(forms, { with("abs", k), "9.7.1.10" }, k, k,
            [k](std::uint64_t a) { return asSigned(a, bitsOf(k)) < 0 ? 0 - a : a; });
        unary(forms, { with("neg", k), "9.7.1.11" }, k, k, [](std::uint64_t a) { return 0 - a; });
    }
}

void addProducts(Forms& forms)
{
    for (const Kind k : all) {
        const int bits = bitsOf(k);
        const bool sign = isSigned(k);
        binary(forms, { with("mul.lo", k), "9.7.1.3" }, k, k, k, [](auto a, auto b) { return a * b; });
        binary(forms, { with("mul.hi", k), "9.7.1.3" }, k, k, k,
            [=](auto a, auto b) { return multiplied(a, b, bits, sign).high; });
        ternary(forms, { with("mad.lo", k), "9.7.1.4" }, k, k, k, k, [](auto a, auto b, auto c) { return a * b + c; });
        ternary(forms, { with("mad.hi", k), "9.7.1.4" }, k, k, k, k,
            [=](auto a, auto b, auto c) { return multiplied(a, b, bits, sign).high + c; });
        if (bits == 64)
            continue;
        const Kind twice = bits == 16 ? (sign ? Kind::S32 : Kind::U32) : (sign ? Kind::S64 : Kind::U64);
        const auto product = [=](std::uint64_t a, std::uint64_t b) {
            return sign ? static_cast<std::uint64_t>(asSigned(a, bits) * asSigned(b, bits)) : a * b;
        };
        binary(forms, { with("mul.wide", k), "9.7.1.3" }, twice, k, k, product);
        ternary(forms, { with("mad.wide", k), "9.7.1.4" }, twice, k, k, twice,
            [=](auto a, auto b, auto c) { return product(a, b) + c; });
    }
    ternary(
        forms, { "mad.hi.sat.s32", "9.7.1.4" }, Kind::S32, Kind::S32, Kind::S32, Kind::S32, [](auto a, auto b, auto c) {
            const std::int64_t high = asSigned(multiplied(a, b, 32, true).high, 32);
            return clamped(high + asSigned(c, 32), -2147483647LL - 1, 2147483647);
        });
    for (const Kind k : { Kind::U32, Kind::S32 }) {
        const bool sign = isSigned(k);
        // The low 24 bits of each, a 48-bit product: its low 32 bits, or bits 16 to 47.
        const auto product = [sign](std::uint64_t a, std::uint64_t b) {
            return sign ? static_cast<std::uint64_t>(asSigned(a, 24) * asSigned(b, 24)) : masked(a, 24) * masked(b, 24);
        };
        binary(forms, { with("mul24.lo", k), "9.7.1.5" }, k, k, k, product);
        binary(forms, { with("mul24.hi", k), "9.7.1.5" }, k, k, k, [=](auto a, auto b) { return product(a, b) >> 16; });
        ternary(forms, { with("mad24.lo", k), "9.7.1.6" }, k, k, k, k,
            [=](auto a, auto b, auto c) { return product(a, b) + c; });
        ternary(forms, { with("mad24.hi", k), "9.7.1.6" }, k, k, k, k,
            [=](auto a, auto b, auto c) { return (product(a, b) >> 16) + c; });
    }
}

// Division by zero, and the smallest number by -1, are left out: the manual leaves the first open and does not name the
// second.
std::vector<Values> divisible(Kind kind)
{
    std::vector<Values> kept(2);
    const std::vector<Values> pairs = crossed(corners(kind), corners(kind));
    const std::uint64_t least = std::uint64_t { 1 } << (bitsOf(kind) - 1);
    for (std::size_t i = 0; i < pairs[0].size(); ++i) {
        const bool overflows = isSigned(kind) && pairs[0][i] == least && pairs[1][i] == masked(~0ULL, bitsOf(kind));
        if (pairs[1][i] == 0 || overflows)
            continue;
        kept[0].push_back(pairs[0][i]);
        kept[1].push_back(pairs[1][i]);
    }
    return kept;
}

void addDivision(Forms& forms)
{
    for (const Kind k : all) {
        const int bits = bitsOf(k);
        const bool sign = isSigned(k);
        binary(
            forms, { with("div", k), "9.7.1.8" }, k, k, k,
            [=](auto a, auto b) {
                return sign ? static_cast<std::uint64_t>(asSigned(a, bits) / asSigned(b, bits)) : a / b;
            },
            divisible(k));
        binary(
            forms, { with("rem", k), "9.7.1.9" }, k, k, k,
            [=](auto a, auto b) {
                return sign ? static_cast<std::uint64_t>(asSigned(a, bits) % asSigned(b, bits)) : a % b;
            },
            divisible(k));
    }
}

// Four (or two) small products added to c; bytes of a and b are signed as their types say.
std::uint64_t dot(std::uint64_t a, std::uint64_t b, std::uint64_t c, bool aSigned, bool bSigned, int aBits, int bFirst)
{
    const int count = 32 / aBits;
    std::int64_t total = static_cast<std::int64_t>(c);
    for (int i = 0; i < count; ++i) {
        const std::uint64_t x = masked(a >> (aBits * i), aBits);
        const std::uint64_t y = masked(b >> (8 * (i + bFirst)), 8);
        total += (aSigned ? asSigned(x, aBits) : static_cast<std::int64_t>(x))
            * (bSigned ? asSigned(y, 8) : static_cast<std::int64_t>(y));
    }
    return static_cast<std::uint64_t>(total);
}

void addDots(Forms& forms)
{
    const std::vector<Values> rows { noise(Kind::U32, 64, 1), noise(Kind::U32, 64, 2), noise(Kind::U32, 64, 3) };
    for (const bool a : { false, true }) {
        for (const bool b : { false, true }) {
            const std::string types = std::string(a ? ".s32" : ".u32") + (b ? ".s32" : ".u32");
            const Kind d = a || b ? Kind::S32 : Kind::U32;
            ternary(
                forms, { "dp4a" + types, "9.7.1.23" }, d, Kind::U32, Kind::U32, d,
                [=](auto x, auto y, auto z) { return dot(x, y, z, a, b, 8, 0); }, rows);
            ternary(
                forms, { "dp2a.lo" + types, "9.7.1.24" }, d, Kind::U32, Kind::U32, d,
                [=](auto x, auto y, auto z) { return dot(x, y, z, a, b, 16, 0); }, rows);
            ternary(
                forms, { "dp2a.hi" + types, "9.7.1.24" }, d, Kind::U32, Kind::U32, d,
                [=](auto x, auto y, auto z) { return dot(x, y, z, a, b, 16, 2); }, rows);
        }
    }
}

} // namespace

void addInteger(Forms& forms)
{
    addBasics(forms);
    addProducts(forms);
    addDivision(forms);
    addDots(forms);
    add(forms, "add.s32 with immediates", "9.7.1.1", [](Probe& probe) {
        const Values a = corners(Kind::S32);
        Answers sum, hex, octal, binaryDigits;
        for (const std::uint64_t x : a) {
            sum.emplace_back(x - 7);
            hex.emplace_back(x + 0xFFFFFFF0);
            octal.emplace_back(x + 017);
            binaryDigits.emplace_back(x + 5);
        }
        probe.input("a", Kind::S32, a).output("minus", Kind::S32, sum).output("hex", Kind::S32, hex);
        probe.output("octal", Kind::S32, octal).output("two", Kind::S32, binaryDigits);
        probe.body("add.s32 %minus, %a, -7;").body("add.s32 %hex, %a, 0xFFFFFFF0;");
        probe.body("add.s32 %octal, %a, 017;").body("add.s32 %two, %a, 0b101;");
    });
}

namespace {

// A chain of two words, joined by the carry.
void chain(Forms& forms, const std::string& name, const std::string& section, Kind word, const std::string& first,
    const std::string& second, bool subtract)
{
    add(forms, name, section, [=](Probe& probe) {
        const int bits = bitsOf(word);
        const std::vector<Values> rows = crossed(corners(word), corners(word));
        Answers low, high, carry;
        Values aHigh, bHigh;
        for (std::size_t i = 0; i < rows[0].size(); ++i) {
            const std::uint64_t a = rows[0][i], b = rows[1][i];
            const std::uint64_t a1 = rows[1][rows[1].size() - 1 - i], b1 = rows[0][(i * 31) % rows[0].size()];
            aHigh.push_back(a1);
            bHigh.push_back(b1);
            const std::uint64_t sum = masked(subtract ? a - b : a + b, bits);
            const bool out = subtract ? a < b : sum < a; // borrow or carry
            low.emplace_back(sum);
            const std::uint64_t once = masked(subtract ? a1 - b1 : a1 + b1, bits);
            const std::uint64_t twice = masked(subtract ? once - out : once + out, bits);
            high.emplace_back(twice);
            const bool last = subtract ? (a1 < b1 || (once == 0 && out)) : (once < a1 || twice < once);
            carry.emplace_back(subtract ? masked(last ? ~0ULL : 0, bits) : std::uint64_t { last });
        }
        probe.input("a", word, rows[0]).input("b", word, rows[1]).input("ah", word, aHigh).input("bh", word, bHigh);
        probe.output("low", word, low).output("high", word, high).output("last", word, carry);
        const std::string type = std::string(".") + nameOf(word);
        probe.body(first + ".cc" + type + " %low, %a, %b;").body(second + ".cc" + type + " %high, %ah, %bh;");
        probe.body(second + type + " %last, 0, 0;");
    });
}

} // namespace

void addCarry(Forms& forms)
{
    for (const Kind word : { Kind::U32, Kind::S32, Kind::U64, Kind::S64 }) {
        chain(forms, with("add.cc addc.cc addc", word), "9.7.2.1", word, "add", "addc", false);
        chain(forms, with("sub.cc subc.cc subc", word), "9.7.2.3", word, "sub", "subc", true);
    }
    for (const Kind word : wide) {
        if (isSigned(word))
            continue;
        // A product of two words twice as wide: mad.lo.cc and madc.hi carry between its halves.
        add(forms, with("mad.lo.cc madc.hi", word), "9.7.2.5", [word](Probe& probe) {
            const int bits = bitsOf(word);
            const std::vector<Values> rows = mixed(corners(word), corners(word), corners(word), 640);
            Answers low, high;
            for (std::size_t i = 0; i < rows[0].size(); ++i) {
                const Product p = multiplied(rows[0][i], rows[1][i], bits, false);
                const std::uint64_t sum = masked(p.low + rows[2][i], bits);
                low.emplace_back(sum);
                high.emplace_back(p.high + rows[2][i] + (sum < p.low ? 1 : 0));
            }
            probe.input("a", word, rows[0]).input("b", word, rows[1]).input("c", word, rows[2]);
            probe.output("low", word, low).output("high", word, high);
            const std::string type = std::string(".") + nameOf(word);
            probe.body("mad.lo.cc" + type + " %low, %a, %b, %c;").body("madc.hi" + type + " %high, %a, %b, %c;");
        });
    }
}

} // namespace flashstep::conform
