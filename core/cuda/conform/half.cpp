// SPDX-License-Identifier: Apache-2.0
// Half precision, alone and in pairs: PTX ISA 9.7.4.
#include "ieee.h"

#include <cmath>

namespace flashstep::conform {
namespace {

// The same operation on one half and on two.
void alone(Forms& forms, const Op& op, bool bfloat, const Unary& f)
{
    const Kind one = bfloat ? Kind::Bf16 : Kind::F16, two = bfloat ? Kind::Bf16x2 : Kind::F16x2;
    unary(forms, { op.opcode + "." + nameOf(one), op.section, op.target }, one, one, f);
    unary(forms, { op.opcode + "." + nameOf(two), op.section, op.target }, two, two, packed(f));
}

void alone(Forms& forms, const Op& op, bool bfloat, const Binary& f)
{
    const Kind one = bfloat ? Kind::Bf16 : Kind::F16, two = bfloat ? Kind::Bf16x2 : Kind::F16x2;
    binary(forms, { op.opcode + "." + nameOf(one), op.section, op.target }, one, one, one, f, pairs(one));
    binary(forms, { op.opcode + "." + nameOf(two), op.section, op.target }, two, two, two, packed(f), pairs(two));
}

void alone(Forms& forms, const Op& op, bool bfloat, const Ternary& f)
{
    const Kind one = bfloat ? Kind::Bf16 : Kind::F16, two = bfloat ? Kind::Bf16x2 : Kind::F16x2;
    ternary(forms, { op.opcode + "." + nameOf(one), op.section, op.target }, one, one, one, one, f, triples(one));
    ternary(
        forms, { op.opcode + "." + nameOf(two), op.section, op.target }, two, two, two, two, packed(f), triples(two));
}

using Arithmetic = Expected (*)(Format, std::uint64_t, std::uint64_t, const Style&);

void addArithmetic(Forms& forms)
{
    const struct {
        const char* name;
        const char* section;
        Arithmetic function;
    } operations[]
        = { { "add", "9.7.4.1", added }, { "sub", "9.7.4.2", subtracted }, { "mul", "9.7.4.3", multiplied } };
    for (const auto& operation : operations) {
        const Arithmetic f = operation.function;
        for (const char* const round : { "", ".rn" }) {
            for (const bool ftz : { false, true }) {
                for (const bool sat : { false, true }) {
                    const Style style { Round::NearestEven, ftz, sat };
                    const std::string opcode
                        = std::string(operation.name) + round + (ftz ? ".ftz" : "") + (sat ? ".sat" : "");
                    alone(forms, { opcode, operation.section }, false,
                        Binary([=](auto a, auto b) { return f(halfFormat, a, b, style); }));
                }
            }
            alone(forms, { std::string(operation.name) + round, operation.section, "sm_90" }, true,
                Binary([=](auto a, auto b) { return f(bfloatFormat, a, b, {}); }));
        }
    }
    for (const bool ftz : { false, true }) {
        for (const int rest : { 0, 1, 2 }) {
            const Style style { Round::NearestEven, ftz, rest == 1, rest == 2 };
            const std::string opcode = std::string("fma.rn") + (ftz ? ".ftz" : "")
                + (rest == 1        ? ".sat"
                        : rest == 2 ? ".relu"
                                    : "");
            alone(forms, { opcode, "9.7.4.4" }, false,
                Ternary([=](auto a, auto b, auto c) { return fused(halfFormat, a, b, c, style); }));
        }
    }
    for (const bool relu : { false, true }) {
        const Style style { Round::NearestEven, false, false, relu };
        alone(forms, { std::string("fma.rn") + (relu ? ".relu" : ""), "9.7.4.4" }, true,
            Ternary([=](auto a, auto b, auto c) { return fused(bfloatFormat, a, b, c, style); }));
    }
}

void addSigns(Forms& forms)
{
    for (const bool bfloat : { false, true }) {
        const Format format = bfloat ? bfloatFormat : halfFormat;
        for (const bool ftz : { false, true }) {
            if (ftz && bfloat)
                continue;
            const std::string rest = ftz ? ".ftz" : "";
            const auto in = [=](std::uint64_t a) { return ftz ? flushed(format, a) : a; };
            alone(forms, { "neg" + rest, "9.7.4.5" }, bfloat, Unary([=](auto a) { return in(a) ^ 0x8000; }));
            alone(forms, { "abs" + rest, "9.7.4.6" }, bfloat, Unary([=](auto a) { return in(a)&0x7FFF; }));
            for (const bool maximum : { false, true }) {
                for (const bool nan : { false, true }) {
                    for (const bool signs : { false, true }) {
                        const Extreme style { maximum, ftz, nan, signs };
                        const std::string opcode = std::string(maximum ? "max" : "min") + rest + (nan ? ".NaN" : "")
                            + (signs ? ".xorsign.abs" : "");
                        alone(forms, { opcode, maximum ? "9.7.4.8" : "9.7.4.7", signs ? "sm_86" : defaultTarget },
                            bfloat, Binary([=](auto a, auto b) { return extreme(format, a, b, style); }));
                    }
                }
            }
        }
    }
}

} // namespace

void addHalf(Forms& forms)
{
    addArithmetic(forms);
    addSigns(forms);
}

} // namespace flashstep::conform
