// SPDX-License-Identifier: Apache-2.0
// cvt between floats: PTX ISA 9.7.9.21.
#include "ieee.h"

#include <algorithm>
#include <map>
#include <utility>

namespace flashstep::conform {
namespace {

const char* const section = "9.7.9.21";
const struct {
    const char* text;
    Round mode;
} modes[] = { { ".rn", Round::NearestEven }, { ".rz", Round::Zero }, { ".rm", Round::Down }, { ".rp", Round::Up } };

// Around every tie and both ends of a narrower format.
Values makeEdges(Format narrow, Kind wide)
{
    Values values = corners(wide);
    const Format format = formatOf(wide);
    for (const std::uint64_t step :
        { std::uint64_t { 1 }, std::uint64_t { 2 }, smallestNormal(narrow) - 1, smallestNormal(narrow),
            fromDouble(narrow, 1), fromDouble(narrow, 1) + 1, largestOf(narrow) - 1, largestOf(narrow) }) {
        const double here = toDouble(narrow, step), before = toDouble(narrow, step - 1);
        const double half = (here - before) / 2;
        for (const double value : { here, here - half, here + half }) {
            for (const std::uint64_t bits : { fromDouble(format, value), fromDouble(format, -value) }) {
                values.push_back(bits);
                values.push_back(bits + 1);
                values.push_back(bits - 1);
            }
        }
    }
    for (const std::uint64_t value : noise(wide, 64, 33))
        values.push_back(value);
    return values;
}

Values edgesOf(Format narrow, Kind wide) // made once for each
{
    static std::map<std::pair<int, Kind>, Values> made;
    Values& edges = made[{ narrow.precision * 1000 + narrow.maxExponent, wide }];
    if (edges.empty())
        edges = makeEdges(narrow, wide);
    return edges;
}

struct Narrowing {
    Style style;
    bool satfinite = false;
};

Expected narrowed(Format to, Format from, std::uint64_t bits, const Narrowing& how)
{
    Style style = how.style;
    const Real value = read(from, style.ftz && from.width == 32 ? flushed(from, bits) : bits);
    style.ftz = style.ftz && to.width == 32; // .ftz is about single precision alone
    Expected result = settled(to, value, style);
    const auto finite = [&](std::uint64_t x) {
        return (x & (signBit(to) - 1)) == infinityOf(to) ? (x & signBit(to)) | largestOf(to) : x;
    };
    return how.satfinite ? Expected(finite(result.bits), finite(result.other)) : result;
}

void addPair(Forms& forms, Kind to, Kind from)
{
    const Format t = formatOf(to), f = formatOf(from);
    const std::string types = std::string(".") + nameOf(to) + "." + nameOf(from);
    const bool single = to == Kind::F32 || from == Kind::F32;
    const bool narrows = bitsOf(to) < bitsOf(from);
    for (const auto& mode : modes) {
        if (!narrows && mode.mode != Round::NearestEven)
            continue;
        const std::string round = narrows ? mode.text : "";
        for (const bool ftz : { false, true }) {
            for (const bool sat : { false, true }) {
                if (ftz && !single)
                    continue;
                const Narrowing how { { mode.mode, ftz, sat } };
                unary(
                    forms, { "cvt" + round + (ftz ? ".ftz" : "") + (sat ? ".sat" : "") + types, section }, to, from,
                    [=](auto a) { return narrowed(t, f, a, how); }, narrows ? edgesOf(t, from) : corners(from));
            }
        }
    }
}

// cvt.{rn,rz}{.relu}{.satfinite} to f16 and bf16, alone and two at once: the first operand goes to the high half.
void addHalves(Forms& forms)
{
    for (const bool bfloat : { false, true }) {
        const Kind one = bfloat ? Kind::Bf16 : Kind::F16, two = bfloat ? Kind::Bf16x2 : Kind::F16x2;
        const Format to = formatOf(one);
        for (const int mode : { 0, 1 }) {
            for (const bool relu : { false, true }) {
                for (const bool satfinite : { false, true }) {
                    const Narrowing how { { modes[mode].mode, false, false, relu }, satfinite };
                    const std::string head = std::string("cvt") + modes[mode].text + (relu ? ".relu" : "")
                        + (satfinite ? ".satfinite" : "");
                    const auto f = [=](std::uint64_t a) { return narrowed(to, singleFormat, a, how); };
                    if (bfloat || relu || satfinite)
                        unary(forms, { head + "." + nameOf(one) + ".f32", section }, one, Kind::F32, f,
                            edgesOf(to, Kind::F32));
                    const Values a = edgesOf(to, Kind::F32);
                    Values b = a;
                    for (std::size_t i = 0; i < b.size(); ++i)
                        b[i] = a[(i * 3 + 1) % a.size()];
                    binary(forms, { head + "." + nameOf(two) + ".f32", section }, two, Kind::F32, Kind::F32,
                        [=](auto x, auto y) {
                            const Expected high = f(x), low = f(y);
                            return Expected(low.bits | high.bits << 16, low.other | high.other << 16);
                        },
                        { a, b });
                }
            }
        }
    }
    unary(
        forms, { "cvt.f32.bf16", section, "sm_90" }, Kind::F32, Kind::Bf16, [](auto a) { return a << 16; },
        corners(Kind::Bf16));
}

// Ten bits of fraction in the high 19 bits; the low 13 are not part of the number.
void addTf32(Forms& forms)
{
    constexpr Format tf32 { 11, 127, 19 };
    add(forms, "cvt.rna.tf32.f32", section, [tf32](Probe& probe) {
        Values a;
        Answers answers;
        for (const std::uint64_t x : edgesOf(tf32, Kind::F32)) {
            if (isNan(singleFormat, x))
                continue; // its low bits would be masked away
            a.push_back(x);
            answers.emplace_back(write(tf32, read(singleFormat, x), Round::NearestAway) << 13);
        }
        probe.input("a", Kind::F32, a).output("d", Kind::U32, answers);
        probe.body("cvt.rna.tf32.f32 %d, %a;").body("and.b32 %d, %d, 0xFFFFE000;");
    });
}

std::uint64_t toE4m3(std::uint64_t bits, bool relu)
{
    constexpr Format format { 4, 7, 8 }; // up to 240; above, the same steps go on to 448
    if (isNan(singleFormat, bits))
        return 0x7F;
    const std::uint64_t sign = (bits & signBit(singleFormat)) != 0 ? 0x80 : 0;
    if (sign != 0 && relu)
        return 0;
    const double magnitude = toDouble(singleFormat, bits & ~signBit(singleFormat));
    if (magnitude > 448)
        return sign | 0x7E;
    if (magnitude >= 240) { // 240 itself is 15 * 16; from 256 on steps of 32
        const double step = magnitude < 256 ? 16 : 32;
        const Real scaled
            = integral(read(doubleFormat, fromDouble(doubleFormat, magnitude / step)), Round::NearestEven);
        const std::uint64_t count = clampedInteger(scaled, 32, false);
        return sign | (step == 16 ? 0x70 + (count - 8) : 0x78 + (count - 8));
    }
    return sign | write(format, read(singleFormat, bits & ~signBit(singleFormat)), Round::NearestEven);
}

std::uint64_t toE5m2(std::uint64_t bits, bool relu)
{
    constexpr Format format { 3, 15, 8 };
    if (isNan(singleFormat, bits))
        return 0x7F;
    if (relu && (bits & signBit(singleFormat)) != 0)
        return 0;
    const std::uint64_t result = write(format, read(singleFormat, bits), Round::NearestEven);
    return (result & 0x7F) == infinityOf(format) ? (result & 0x80) | largestOf(format) : result;
}

void addEight(Forms& forms)
{
    for (const bool e5 : { false, true }) {
        for (const bool relu : { false, true }) {
            const std::string opcode
                = std::string("cvt.rn.satfinite") + (relu ? ".relu" : "") + (e5 ? ".e5m2x2" : ".e4m3x2") + ".f32";
            const auto f = e5 ? toE5m2 : toE4m3;
            Values a = edgesOf(e5 ? Format { 3, 15, 8 } : Format { 4, 7, 8 }, Kind::F32);
            for (const double x :
                { 244.0, 248.0, 252.0, 272.0, 416.0, 432.0, 448.0, 449.0, 464.0, 480.0, -300.0, 61440.0 })
                a.push_back(fromDouble(singleFormat, x));
            a.erase(
                std::remove_if(a.begin(), a.end(), // the sign of a NaN and of a clamped zero is left open
                    [relu](std::uint64_t x) { return isNan(singleFormat, x) || (relu && x == signBit(singleFormat)); }),
                a.end());
            Values b = a;
            for (std::size_t i = 0; i < b.size(); ++i)
                b[i] = a[(i * 3 + 1) % a.size()];
            binary(forms, { opcode, section, "sm_89" }, Kind::U16, Kind::F32, Kind::F32,
                [=](auto x, auto y) { return f(x, relu) << 8 | f(y, relu); }, { a, b });
        }
    }
}

// Back to halves: exact.
void addFromEight(Forms& forms)
{
    for (const bool e5 : { false, true }) {
        const std::string opcode = std::string("cvt.rn.f16x2") + (e5 ? ".e5m2x2" : ".e4m3x2");
        add(forms, opcode, section, [=](Probe& probe) {
            Values a;
            Answers answers;
            const auto half = [e5](std::uint64_t code) {
                if (e5)
                    return code << 8; // the upper byte of an f16
                if ((code & 0x7F) == 0x7F)
                    return nanOf(halfFormat);
                const auto exponent = static_cast<int>(code >> 3 & 15), fraction = static_cast<int>(code & 7);
                const double magnitude = exponent == 0
                    ? fraction / 512.0
                    : (8 + fraction) * toDouble(halfFormat, 0x400) * (1 << exponent) * 16;
                return fromDouble(halfFormat, (code & 0x80) != 0 ? -magnitude : magnitude);
            };
            for (std::uint64_t code = 0; code < 256; ++code) {
                const std::uint64_t other = (code * 7 + 3) & 0xFF;
                a.push_back(code | other << 8);
                answers.emplace_back(half(code) | half(other) << 16);
            }
            probe.target("sm_89").input("a", Kind::U16, a).output("d", Kind::F16x2, answers).body(opcode + " %d, %a;");
        });
    }
}

} // namespace

void addConvertFloats(Forms& forms)
{
    addPair(forms, Kind::F16, Kind::F32);
    addPair(forms, Kind::F16, Kind::F64);
    addPair(forms, Kind::F32, Kind::F64);
    addPair(forms, Kind::F32, Kind::F16);
    addPair(forms, Kind::F64, Kind::F16);
    addPair(forms, Kind::F64, Kind::F32);
    for (const bool ftz : { false, true }) {
        unary(forms, { std::string("cvt") + (ftz ? ".ftz" : "") + ".f32.f32", section }, Kind::F32, Kind::F32,
            [ftz](auto a) { return ftz ? flushed(singleFormat, a) : a; });
        unary(forms, { std::string("cvt") + (ftz ? ".ftz" : "") + ".sat.f32.f32", section }, Kind::F32, Kind::F32,
            [ftz](auto a) {
                return settled(singleFormat, read(singleFormat, ftz ? flushed(singleFormat, a) : a),
                    { Round::NearestEven, ftz, true });
            });
    }
}

void addConvertPacked(Forms& forms)
{
    addHalves(forms);
    addTf32(forms);
    addEight(forms);
    addFromEight(forms);
}

} // namespace flashstep::conform
