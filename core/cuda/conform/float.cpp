// SPDX-License-Identifier: Apache-2.0
// Floating point that IEEE 754 fixes to the bit: PTX ISA 9.7.3, without the approximations.
#include "ieee.h"

namespace flashstep::conform {
namespace {

struct Mode {
    const char* text;
    Round mode;
};
const Mode named[]
    = { { ".rn", Round::NearestEven }, { ".rz", Round::Zero }, { ".rm", Round::Down }, { ".rp", Round::Up } };
const Mode optional[] = { { "", Round::NearestEven }, { ".rn", Round::NearestEven }, { ".rz", Round::Zero },
    { ".rm", Round::Down }, { ".rp", Round::Up } };

using Arithmetic = Expected (*)(Format, std::uint64_t, std::uint64_t, const Style&);

void addSums(Forms& forms)
{
    const struct {
        const char* name;
        const char* section;
        Arithmetic function;
    } operations[]
        = { { "add", "9.7.3.3", added }, { "sub", "9.7.3.4", subtracted }, { "mul", "9.7.3.5", multiplied } };
    for (const auto& operation : operations) {
        const Arithmetic f = operation.function;
        for (const Mode& mode : optional) {
            for (const bool ftz : { false, true }) {
                for (const bool sat : { false, true }) {
                    const Style style { mode.mode, ftz, sat };
                    const std::string opcode
                        = std::string(operation.name) + mode.text + (ftz ? ".ftz" : "") + (sat ? ".sat" : "") + ".f32";
                    binary(
                        forms, { opcode, operation.section }, Kind::F32, Kind::F32, Kind::F32,
                        [=](auto a, auto b) { return f(singleFormat, a, b, style); }, pairs(Kind::F32));
                }
            }
            const Style style { mode.mode };
            binary(
                forms, { std::string(operation.name) + mode.text + ".f64", operation.section }, Kind::F64, Kind::F64,
                Kind::F64, [=](auto a, auto b) { return f(doubleFormat, a, b, style); }, pairs(Kind::F64));
        }
    }
}

void addFused(Forms& forms)
{
    for (const Mode& mode : named) {
        for (const bool ftz : { false, true }) {
            for (const bool sat : { false, true }) {
                const Style style { mode.mode, ftz, sat };
                const std::string rest = std::string(mode.text) + (ftz ? ".ftz" : "") + (sat ? ".sat" : "") + ".f32";
                const auto f = [style](auto a, auto b, auto c) { return fused(singleFormat, a, b, c, style); };
                ternary(forms, { "fma" + rest, "9.7.3.6" }, Kind::F32, Kind::F32, Kind::F32, Kind::F32, f,
                    triples(Kind::F32));
                if (!sat)
                    ternary(forms, { "mad" + rest, "9.7.3.7" }, Kind::F32, Kind::F32, Kind::F32, Kind::F32, f,
                        triples(Kind::F32));
            }
        }
        const Style style { mode.mode };
        const auto f = [style](auto a, auto b, auto c) { return fused(doubleFormat, a, b, c, style); };
        ternary(forms, { std::string("fma") + mode.text + ".f64", "9.7.3.6" }, Kind::F64, Kind::F64, Kind::F64,
            Kind::F64, f, triples(Kind::F64));
    }
}

void addSigns(Forms& forms)
{
    for (const Kind k : { Kind::F32, Kind::F64 }) {
        const Format format = formatOf(k);
        const std::uint64_t sign = signBit(format);
        const std::string type = std::string(".") + nameOf(k);
        for (const bool ftz : { false, true }) {
            if (ftz && k == Kind::F64)
                continue;
            const std::string rest = (ftz ? ".ftz" : "") + type;
            const auto in = [=](std::uint64_t a) { return ftz ? flushed(format, a) : a; };
            unary(forms, { "abs" + rest, "9.7.3.9" }, k, k, [=](auto a) { return in(a) & ~sign; });
            unary(forms, { "neg" + rest, "9.7.3.10" }, k, k, [=](auto a) { return in(a) ^ sign; });
            for (const bool maximum : { false, true }) {
                const std::string name = maximum ? "max" : "min";
                const std::string section = maximum ? "9.7.3.12" : "9.7.3.11";
                for (const bool nan : { false, true }) {
                    for (const bool signs : { false, true }) {
                        if ((nan || signs) && k == Kind::F64)
                            continue;
                        const Extreme style { maximum, ftz, nan, signs };
                        const std::string opcode
                            = name + (ftz ? ".ftz" : "") + (nan ? ".NaN" : "") + (signs ? ".xorsign.abs" : "") + type;
                        const Op op { opcode, section, signs ? "sm_86" : defaultTarget };
                        binary(forms, op, k, k, k, [=](auto a, auto b) { return extreme(format, a, b, style); });
                    }
                }
            }
        }
        binary(forms, { "copysign" + type, "9.7.3.2" }, k, k, k,
            [sign](auto a, auto b) { return (a & sign) | (b & ~sign); });
    }
}

// A predicate of one float, as 0 or 1.
void addTests(Forms& forms)
{
    const char* const tests[] = { "finite", "infinite", "number", "notanumber", "normal", "subnormal" };
    for (const Kind k : { Kind::F32, Kind::F64 }) {
        for (const std::string test : tests) {
            const std::string opcode = "testp." + test + "." + nameOf(k);
            add(forms, opcode, "9.7.3.1", [=](Probe& probe) {
                const Format format = formatOf(k);
                Answers answers;
                for (const std::uint64_t a : corners(k)) {
                    const std::uint64_t magnitude = a & (signBit(format) - 1);
                    const bool nan = isNan(format, a), infinite = magnitude == infinityOf(format);
                    const bool subnormal = isSubnormal(format, a);
                    bool holds = subnormal;
                    if (test == "finite")
                        holds = !nan && !infinite;
                    else if (test == "infinite")
                        holds = infinite;
                    else if (test == "number" || test == "notanumber")
                        holds = nan == (test == "notanumber");
                    else if (test == "normal") // neither subnormal nor infinite; the manual's table counts no zero
                        holds = !nan && !infinite && !subnormal && magnitude != 0;
                    // "normal" of a zero is open: the text says only "not subnormal, not infinity"
                    const bool open = test == "normal" && magnitude == 0;
                    answers.emplace_back(std::uint64_t { holds }, std::uint64_t { holds || open });
                }
                probe.input("a", k, corners(k)).output("d", Kind::U32, answers).declare(".reg .pred %p;");
                probe.body(opcode + " %p, %a;").body("selp.u32 %d, 1, 0, %p;");
            });
        }
    }
}

} // namespace

void addFloat(Forms& forms)
{
    addSums(forms);
    addFused(forms);
    addSigns(forms);
    addTests(forms);
    add(forms, "add.f32 mul.f32 fma.rn.f32 with constants", "9.7.3.3", [](Probe& probe) {
        const Values a = corners(Kind::F32);
        Answers sum, product, both;
        const std::uint64_t log2e = 0x3FB8AA3B, minusHalf = 0xBF000000;
        for (const std::uint64_t x : a) {
            sum.push_back(added(singleFormat, x, minusHalf, {}));
            product.push_back(multiplied(singleFormat, x, log2e, {}));
            both.push_back(fused(singleFormat, x, log2e, minusHalf, {}));
        }
        probe.input("a", Kind::F32, a).output("sum", Kind::F32, sum).output("product", Kind::F32, product);
        probe.output("both", Kind::F32, both).body("add.rn.f32 %sum, %a, 0fBF000000;");
        probe.body("mul.rn.f32 %product, %a, 0f3FB8AA3B;").body("fma.rn.f32 %both, %a, 0f3FB8AA3B, 0fBF000000;");
    });
}

void addFloatRoots(Forms& forms)
{
    for (const Mode& mode : named) {
        for (const bool ftz : { false, true }) {
            const Style style { mode.mode, ftz };
            const std::string rest = std::string(mode.text) + (ftz ? ".ftz" : "") + ".f32";
            binary(
                forms, { "div" + rest, "9.7.3.8" }, Kind::F32, Kind::F32, Kind::F32,
                [style](auto a, auto b) { return divided(singleFormat, a, b, style); }, pairs(Kind::F32));
            unary(forms, { "rcp" + rest, "9.7.3.13" }, Kind::F32, Kind::F32,
                [style](auto a) { return divided(singleFormat, fromDouble(singleFormat, 1), a, style); });
            unary(forms, { "sqrt" + rest, "9.7.3.15" }, Kind::F32, Kind::F32,
                [style](auto a) { return rooted(singleFormat, a, style); });
        }
        const Style style { mode.mode };
        const std::string rest = std::string(mode.text) + ".f64";
        binary(
            forms, { "div" + rest, "9.7.3.8" }, Kind::F64, Kind::F64, Kind::F64,
            [style](auto a, auto b) { return divided(doubleFormat, a, b, style); }, pairs(Kind::F64));
        unary(forms, { "rcp" + rest, "9.7.3.13" }, Kind::F64, Kind::F64,
            [style](auto a) { return divided(doubleFormat, fromDouble(doubleFormat, 1), a, style); });
        unary(forms, { "sqrt" + rest, "9.7.3.15" }, Kind::F64, Kind::F64,
            [style](auto a) { return rooted(doubleFormat, a, style); });
    }
    // Beyond the corners: roots and reciprocals of numbers with nothing special about them.
    for (const Kind k : { Kind::F32, Kind::F64 }) {
        const Format format = formatOf(k);
        add(forms, std::string("rcp.rn sqrt.rn of plain numbers ") + nameOf(k), "9.7.3.15", [k, format](Probe& probe) {
            const Values a = noise(k, 256, 70);
            Answers reciprocals, roots;
            for (const std::uint64_t x : a) {
                reciprocals.push_back(divided(format, fromDouble(format, 1), x, {}));
                roots.push_back(rooted(format, x, {}));
            }
            const std::string type = std::string(".") + nameOf(k);
            probe.input("a", k, a).output("rcp", k, reciprocals).output("sqrt", k, roots);
            probe.body("rcp.rn" + type + " %rcp, %a;").body("sqrt.rn" + type + " %sqrt, %a;");
        });
    }
}

} // namespace flashstep::conform
