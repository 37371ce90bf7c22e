// SPDX-License-Identifier: Apache-2.0
// Comparison and selection: PTX ISA 9.7.6 and 9.7.7.
#include "ieee.h"

namespace flashstep::conform {
namespace {

// What a comparison says of two numbers in order (-1, 0, 1), or of operands that have none because one is a NaN.
bool holds(const std::string& op, int order, bool unordered)
{
    if (op == "num" || op == "nan")
        return unordered == (op == "nan");
    const bool orUnordered = op.size() == 3; // equ, neu, ltu, leu, gtu, geu
    if (unordered)
        return orUnordered;
    const std::string base = op.substr(0, 2);
    if (base == "eq" || base == "ne")
        return (order == 0) == (base == "eq");
    if (base == "lt" || base == "lo")
        return order < 0;
    if (base == "le" || base == "ls")
        return order <= 0;
    if (base == "gt" || base == "hi")
        return order > 0;
    return order >= 0; // ge, hs
}

struct Ordering {
    int order = 0;
    bool unordered = false;
};

Ordering ordering(Kind kind, std::uint64_t a, std::uint64_t b, bool ftz)
{
    if (isFloat(kind)) {
        const Format format = formatOf(kind);
        if (isNan(format, a) || isNan(format, b))
            return { 0, true };
        const Style style { Round::NearestEven, ftz };
        return { compare(operand(format, a, style), operand(format, b, style)), false };
    }
    if (isSigned(kind)) {
        const std::int64_t x = asSigned(a, bitsOf(kind)), y = asSigned(b, bitsOf(kind));
        return { x < y ? -1 : x > y, false };
    }
    return { a < b ? -1 : a > b, false };
}

std::vector<std::string> operatorsOf(Kind kind, bool untyped)
{
    if (untyped)
        return { "eq", "ne" };
    if (isFloat(kind))
        return { "eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan" };
    if (isSigned(kind))
        return { "eq", "ne", "lt", "le", "gt", "ge" };
    return { "eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs" };
}

struct Compared {
    Kind kind;
    std::string type;
    std::string section;
    std::string target = defaultTarget;
    bool ftz = false;
    bool untyped = false;
};

std::vector<Compared> everyType()
{
    std::vector<Compared> types;
    for (const Kind k : { Kind::U16, Kind::S16, Kind::U32, Kind::S32, Kind::U64, Kind::S64, Kind::F64 })
        types.push_back({ k, nameOf(k), "9.7.6.2" });
    for (const Kind k : { Kind::U16, Kind::U32, Kind::U64 })
        types.push_back({ k, "b" + std::to_string(bitsOf(k)), "9.7.6.2", defaultTarget, false, true });
    for (const bool ftz : { false, true }) {
        types.push_back({ Kind::F32, "f32", "9.7.6.2", defaultTarget, ftz });
        types.push_back({ Kind::F16, "f16", "9.7.7.2", defaultTarget, ftz });
    }
    types.push_back({ Kind::Bf16, "bf16", "9.7.7.2", "sm_90" });
    return types;
}

// Pairs in which every operand meets itself.
std::vector<Values> comparands(Kind kind)
{
    return crossed(corners(kind), corners(kind));
}

void addPlain(Forms& forms)
{
    for (const Compared& type : everyType()) {
        for (const std::string& op : operatorsOf(type.kind, type.untyped)) {
            const std::string opcode = "setp." + op + (type.ftz ? ".ftz" : "") + "." + type.type;
            // The second result is the first's opposite.
            add(forms, opcode, type.section, [=](Probe& probe) {
                const std::vector<Values> rows = comparands(type.kind);
                Answers yes, no;
                for (std::size_t i = 0; i < rows[0].size(); ++i) {
                    const Ordering found = ordering(type.kind, rows[0][i], rows[1][i], type.ftz);
                    const bool held = holds(op, found.order, found.unordered);
                    yes.emplace_back(std::uint64_t { held });
                    no.emplace_back(std::uint64_t { !held });
                }
                probe.target(type.target).input("a", type.kind, rows[0]).input("b", type.kind, rows[1]);
                probe.output("d", Kind::U32, yes).declare(".reg .pred %x, %y, %z;");
                probe.body(opcode + " %x, %a, %b;").body("selp.u32 %d, 1, 0, %x;");
                if (type.section == "9.7.7.2")
                    return; // one half writes one predicate
                probe.output("p", Kind::U32, yes).output("q", Kind::U32, no);
                probe.body(opcode + " %y|%z, %a, %b;");
                probe.body("selp.u32 %p, 1, 0, %y;").body("selp.u32 %q, 1, 0, %z;");
            });
        }
    }
}

bool combined(const std::string& name, bool a, bool c)
{
    return name == "and" ? a && c : name == "or" ? a || c : a != c;
}

// p = (a op b) BoolOp c, q = !(a op b) BoolOp c.
void addCombined(Forms& forms)
{
    for (const std::string boolean : { "and", "or", "xor" }) {
        for (const Kind k : { Kind::S32, Kind::U64, Kind::F32, Kind::F64 }) {
            for (const bool inverted : { false, true }) {
                const std::string opcode = "setp.lt." + boolean + "." + nameOf(k);
                add(forms, opcode + (inverted ? " with !c" : ""), "9.7.6.2", [=](Probe& probe) {
                    std::vector<Values> rows = comparands(k);
                    Values c;
                    Answers p, q;
                    for (std::size_t i = 0; i < rows[0].size(); ++i) {
                        c.push_back(i * 5 / 3 % 2);
                        const Ordering found = ordering(k, rows[0][i], rows[1][i], false);
                        const bool held = holds("lt", found.order, found.unordered);
                        const bool third = (c.back() != 0) != inverted;
                        p.emplace_back(std::uint64_t { combined(boolean, held, third) });
                        q.emplace_back(std::uint64_t { combined(boolean, !held, third) });
                    }
                    probe.input("a", k, rows[0]).input("b", k, rows[1]).input("c", Kind::U32, c);
                    probe.output("p", Kind::U32, p).output("q", Kind::U32, q).declare(".reg .pred %x, %y, %z;");
                    probe.body("setp.ne.u32 %z, %c, 0;");
                    probe.body(opcode + " %x|%y, %a, %b, " + (inverted ? "!%z;" : "%z;"));
                    probe.body("selp.u32 %p, 1, 0, %x;").body("selp.u32 %q, 1, 0, %y;");
                });
            }
        }
    }
}

// Two halves at once write two predicates: the low half's first.
void addPairs(Forms& forms)
{
    for (const Kind k : { Kind::F16x2, Kind::Bf16x2 }) {
        const Kind half = k == Kind::F16x2 ? Kind::F16 : Kind::Bf16;
        for (const std::string op : { "eq", "lt", "geu", "nan" }) {
            const std::string opcode = "setp." + op + "." + nameOf(k);
            add(forms, opcode, "9.7.7.2", [=](Probe& probe) {
                const std::vector<Values> rows = comparands(k);
                Answers p, q;
                for (std::size_t i = 0; i < rows[0].size(); ++i) {
                    const Ordering low = ordering(half, rows[0][i] & 0xFFFF, rows[1][i] & 0xFFFF, false);
                    const Ordering high = ordering(half, rows[0][i] >> 16, rows[1][i] >> 16, false);
                    p.emplace_back(std::uint64_t { holds(op, low.order, low.unordered) });
                    q.emplace_back(std::uint64_t { holds(op, high.order, high.unordered) });
                }
                probe.target(k == Kind::Bf16x2 ? "sm_90" : defaultTarget);
                probe.input("a", k, rows[0]).input("b", k, rows[1]).output("p", Kind::U32, p).output("q", Kind::U32, q);
                probe.declare(".reg .pred %x, %y;").body(opcode + " %x|%y, %a, %b;");
                probe.body("selp.u32 %p, 1, 0, %x;").body("selp.u32 %q, 1, 0, %y;");
            });
        }
    }
}

// set writes all ones, or 1.0f, where it holds.
void addSet(Forms& forms)
{
    for (const Kind d : { Kind::U32, Kind::S32, Kind::F32 }) {
        for (const Kind k : { Kind::S16, Kind::U32, Kind::S64, Kind::F32, Kind::F64 }) {
            const std::string opcode = std::string("set.ge.") + nameOf(d) + "." + nameOf(k);
            const std::uint64_t truth = d == Kind::F32 ? fromDouble(singleFormat, 1) : 0xFFFFFFFF;
            binary(forms, { opcode, "9.7.6.1" }, d, k, k, [=](auto a, auto b) {
                const Ordering found = ordering(k, a, b, false);
                return holds("ge", found.order, found.unordered) ? truth : 0;
            });
        }
    }
}

void addSelection(Forms& forms)
{
    const struct {
        const char* type;
        Kind kind;
    } types[] = { { "b16", Kind::U16 }, { "u16", Kind::U16 }, { "s16", Kind::S16 }, { "b32", Kind::U32 },
        { "u32", Kind::U32 }, { "s32", Kind::S32 }, { "b64", Kind::U64 }, { "u64", Kind::U64 }, { "s64", Kind::S64 },
        { "f32", Kind::F32 }, { "f64", Kind::F64 } };
    for (const auto& type : types) {
        const Kind k = type.kind;
        const std::string name = type.type;
        add(forms, "selp." + name, "9.7.6.3", [=](Probe& probe) {
            const std::vector<Values> rows = comparands(k);
            Values c;
            Answers d;
            for (std::size_t i = 0; i < rows[0].size(); ++i) {
                c.push_back(i % 3 == 0);
                d.emplace_back(c.back() != 0 ? rows[0][i] : rows[1][i]);
            }
            probe.input("a", k, rows[0]).input("b", k, rows[1]).input("c", Kind::U32, c).output("d", k, d);
            probe.declare(".reg .pred %p;").body("setp.ne.u32 %p, %c, 0;").body("selp." + name + " %d, %a, %b, %p;");
        });
        // a where c >= 0, and -0.0 counts as 0.
        ternary(forms, { "slct." + name + ".s32", "9.7.6.4" }, k, k, k, Kind::S32,
            [](auto a, auto b, auto c) { return asSigned(c, 32) >= 0 ? a : b; });
        ternary(forms, { "slct." + name + ".f32", "9.7.6.4" }, k, k, k, Kind::F32, [](auto a, auto b, auto c) {
            return (c & 0x80000000) == 0 && !isNan(singleFormat, c) ? a : c == 0x80000000 ? a : b;
        });
    }
}

} // namespace

void addCompare(Forms& forms)
{
    addPlain(forms);
    addCombined(forms);
    addPairs(forms);
    addSet(forms);
    addSelection(forms);
}

} // namespace flashstep::conform
