// SPDX-License-Identifier: Apache-2.0
// cvt between integers, and between integers and floats: PTX ISA 9.7.9.21.
#include "ieee.h"

namespace flashstep::conform {
namespace {

const char* const section = "9.7.9.21";
const Kind integers[] = { Kind::U8, Kind::U16, Kind::U32, Kind::U64, Kind::S8, Kind::S16, Kind::S32, Kind::S64 };
const struct {
    const char* fraction;
    const char* integer;
    Round mode;
} modes[] = { { ".rn", ".rni", Round::NearestEven }, { ".rz", ".rzi", Round::Zero }, { ".rm", ".rmi", Round::Down },
    { ".rp", ".rpi", Round::Up } };

std::uint64_t extended(std::uint64_t value, Kind kind) // to 64 bits, as its type has it
{
    return isSigned(kind) ? static_cast<std::uint64_t>(asSigned(value, bitsOf(kind))) : masked(value, bitsOf(kind));
}

Real realOf(std::uint64_t value, Kind kind)
{
    const std::uint64_t wide = extended(value, kind);
    const bool negative = isSigned(kind) && static_cast<std::int64_t>(wide) < 0;
    return fromInteger(negative, negative ? 0 - wide : wide);
}

// Whether some value of `from` is outside `to`: only then is .sat legal.
bool canSaturate(Kind to, Kind from)
{
    if (isSigned(from) != isSigned(to))
        return isSigned(from) || bitsOf(to) <= bitsOf(from);
    return bitsOf(to) < bitsOf(from);
}

void addIntegerPairs(Forms& forms)
{
    for (const Kind from : integers) {
        for (const Kind to : integers) {
            const std::string types = std::string(".") + nameOf(to) + "." + nameOf(from);
            unary(forms, { "cvt" + types, section }, to, from, [from](auto a) { return extended(a, from); });
            if (canSaturate(to, from))
                unary(forms, { "cvt.sat" + types, section }, to, from,
                    [=](auto a) { return clampedInteger(realOf(a, from), bitsOf(to), isSigned(to)); });
        }
    }
    // A register wider than the type: only the low bits are read; the result is extended to the whole of it.
    for (const Kind k : { Kind::U8, Kind::S8, Kind::U16, Kind::S16 }) {
        const std::string opcode = std::string("cvt.") + nameOf(k) + ".u32";
        add(forms, opcode + " into a wide register", section, [=](Probe& probe) {
            Answers answers;
            for (const std::uint64_t a : corners(Kind::U32))
                answers.emplace_back(extended(a, k));
            probe.input("a", Kind::U32, corners(Kind::U32)).output("d", Kind::U32, answers);
            probe.body(opcode + " %d, %a;");
        });
        add(forms, std::string("cvt.u32.") + nameOf(k) + " from a wide register", section, [k](Probe& probe) {
            Answers answers;
            for (const std::uint64_t a : corners(Kind::U32))
                answers.emplace_back(extended(a, k));
            probe.input("a", Kind::U32, corners(Kind::U32)).output("d", Kind::U32, answers);
            probe.body(std::string("cvt.u32.") + nameOf(k) + " %d, %a;");
        });
    }
}

void addToFloat(Forms& forms)
{
    for (const Kind from : integers) {
        for (const Kind to : { Kind::F16, Kind::F32, Kind::F64, Kind::Bf16 }) {
            if (to == Kind::Bf16 && bitsOf(from) == 8)
                continue; // the manual has them, the assembler wants wider registers than a byte's
            for (const auto& mode : modes) {
                const Round round = mode.mode;
                const std::string opcode = std::string("cvt") + mode.fraction + "." + nameOf(to) + "." + nameOf(from);
                Values values = corners(from);
                for (const std::uint64_t value : noise(from, 64, 21))
                    values.push_back(value);
                // A tie of 24 bits, and its neighbours.
                for (const std::uint64_t value : { 0x1000001ULL, 0x1000002ULL, 0x1000003ULL, 0x20000000000001ULL })
                    values.push_back(value);
                const Format format = formatOf(to);
                unary(
                    forms, { opcode, section, to == Kind::Bf16 ? "sm_90" : defaultTarget }, to, from,
                    [=](auto a) { return write(format, realOf(a, from), round); }, values);
            }
        }
        unary(forms, { std::string("cvt.rn.sat.f32.") + nameOf(from), section }, Kind::F32, from, [=](auto a) {
            return settled(singleFormat, realOf(a, from), { Round::NearestEven, false, true });
        });
    }
}

std::uint64_t toInteger(Format format, std::uint64_t bits, Kind to, Kind from, Round mode, bool ftz)
{
    if (isNan(format, bits)) {
        const bool zero = from != Kind::F64 && bitsOf(to) != 64;
        return zero ? 0 : std::uint64_t { 1 } << (bitsOf(to) - 1);
    }
    return clampedInteger(integral(read(format, ftz ? flushed(format, bits) : bits), mode), bitsOf(to), isSigned(to));
}

Values fractions(Kind from)
{
    Values values = corners(from);
    for (const double value : { 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49, 0.51, -0.49, -0.51, 127.5, 128.5, -128.5, -129.0,
             255.5, 256.0, 32767.5, 65535.0, -32769.0, 2147483520.0, 2147483648.0, -2147483648.0, 4294967040.0,
             4294967296.0, 9.2e18, 9.3e18, 1.8e19, 1.9e19, -9.3e18 })
        values.push_back(fromDouble(formatOf(from), value));
    return values;
}

void addFromFloat(Forms& forms)
{
    for (const Kind from : { Kind::F16, Kind::F32, Kind::F64 }) {
        const Format format = formatOf(from);
        for (const Kind to : integers) {
            for (const auto& mode : modes) {
                const Round round = mode.mode;
                for (const bool ftz : { false, true }) {
                    if (ftz && from != Kind::F32)
                        continue;
                    const std::string opcode = std::string("cvt") + mode.integer + (ftz ? ".ftz" : "") + "."
                        + nameOf(to) + "." + nameOf(from);
                    unary(
                        forms, { opcode, section }, to, from,
                        [=](auto a) { return toInteger(format, a, to, from, round, ftz); }, fractions(from));
                }
            }
        }
        for (const auto& mode : modes) { // an integer that stays a float
            const Round round = mode.mode;
            const std::string type = std::string(".") + nameOf(from);
            unary(
                forms, { std::string("cvt") + mode.integer + type + type, section }, from, from,
                [=](auto a) { return write(format, integral(read(format, a), round), round); }, fractions(from));
            if (from != Kind::F32)
                continue;
            unary(
                forms, { std::string("cvt") + mode.integer + ".ftz.f32.f32", section }, from, from,
                [=](auto a) { return write(format, integral(read(format, flushed(format, a)), round), round); },
                fractions(from));
            unary(
                forms, { std::string("cvt") + mode.integer + ".sat.f32.f32", section }, from, from,
                [=](auto a) {
                    return settled(format, integral(read(format, a), round), { round, false, true });
                },
                fractions(from));
        }
    }
}

} // namespace

void addConvertIntegers(Forms& forms)
{
    addIntegerPairs(forms);
    addToFloat(forms);
    addFromFloat(forms);
}

} // namespace flashstep::conform
