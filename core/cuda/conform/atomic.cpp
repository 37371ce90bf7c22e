// SPDX-License-Identifier: Apache-2.0
// atom and red: PTX ISA 9.7.13.5 and 9.7.13.6. Each form on a cell per thread, where both the old value and the new one
// are certain; and on one cell for all threads, with operations whose order does not show.
#include "ieee.h"

#include <algorithm>

namespace flashstep::conform {
namespace {

constexpr std::size_t lanes = 64;

struct Operation {
    std::string name; // ".add.u32"
    Kind kind;
    std::function<Expected(std::uint64_t, std::uint64_t)> next; // of the old value and the operand
    std::string target = defaultTarget;
};

std::vector<Operation> operations(bool reduction, bool shared)
{
    std::vector<Operation> list;
    for (const Kind k : { Kind::U32, Kind::U64 }) {
        const std::string type = ".b" + std::to_string(bitsOf(k));
        list.push_back({ ".and" + type, k, [](auto o, auto b) { return o & b; } });
        list.push_back({ ".or" + type, k, [](auto o, auto b) { return o | b; } });
        list.push_back({ ".xor" + type, k, [](auto o, auto b) { return o ^ b; } });
        if (!reduction)
            list.push_back({ ".exch" + type, k, [](auto, auto b) { return b; } });
    }
    for (const Kind k : { Kind::U32, Kind::S32, Kind::U64, Kind::S64 }) {
        const std::string type = std::string(".") + nameOf(k);
        const int bits = bitsOf(k);
        const auto less = [=](std::uint64_t a, std::uint64_t b) {
            return isSigned(k) ? asSigned(a, bits) < asSigned(b, bits) : a < b;
        };
        if (k != Kind::S64)
            list.push_back({ ".add" + type, k, [bits](auto o, auto b) { return masked(o + b, bits); } });
        list.push_back({ ".min" + type, k, [less](auto o, auto b) { return less(b, o) ? b : o; } });
        list.push_back({ ".max" + type, k, [less](auto o, auto b) { return less(o, b) ? b : o; } });
    }
    list.push_back({ ".inc.u32", Kind::U32, [](auto o, auto b) { return o >= b ? 0 : o + 1; } });
    list.push_back({ ".dec.u32", Kind::U32, [](auto o, auto b) { return o == 0 || o > b ? b : o - 1; } });
    list.push_back({ ".add.f32", Kind::F32, [shared](auto o, auto b) {
                        // On global memory subnormals are flushed in "current implementations": both are right there.
                        const Expected kept = added(singleFormat, o, b, {});
                        Style style;
                        style.ftz = !shared;
                        return Expected(kept.bits, added(singleFormat, o, b, style).bits);
                    } });
    list.push_back({ ".add.f64", Kind::F64, [](auto o, auto b) { return added(doubleFormat, o, b, {}); } });
    for (const Kind k : { Kind::F16, Kind::F16x2, Kind::Bf16, Kind::Bf16x2 }) {
        const Format format = formatOf(k);
        const Binary one = [format](auto o, auto b) { return added(format, o, b, {}); };
        const bool two = bitsOf(k) == 32;
        list.push_back({ std::string(".add.noftz.") + nameOf(k), k, two ? packed(one) : one,
            k == Kind::Bf16 || k == Kind::Bf16x2 ? "sm_90" : defaultTarget });
    }
    return list;
}

// The cells of all threads lie in `cells`; shared memory is filled from it and written back.
void cells(Probe& probe, Kind kind, const Values& before, const Answers& after, const std::string& space)
{
    Buffer buffer = outputBuffer("cells", kind, after);
    buffer.in = bytesOf(kind, before);
    const std::string size = std::to_string(bytesOf(kind));
    const std::string access = accessOf(kind);
    probe.array(buffer).declare(".reg .b64 %x;");
    probe.body("mul.wide.u32 %x, %t, " + size + ";").body("add.s64 %x, %x, %cells;");
    if (space == "generic")
        probe.body("cvta.global.u64 %x, %x;");
    if (space != "shared")
        return;
    probe.declare(".reg .b64 %g;").declare(".shared .align 16 .b8 probe_cells[1024];");
    probe.declare(std::string(".reg ") + registerOf(kind) + " %v;").declare(".reg .b32 %y;");
    probe.body("mov.b64 %g, %x;").body("mov.u32 %y, probe_cells;").body("mad.lo.s32 %y, %t, " + size + ", %y;");
    probe.body("ld.global." + access + " %v, [%g];").body("st.shared." + access + " [%y], %v;");
    probe.body("cvt.u64.u32 %x, %y;");
}

void writeBack(Probe& probe, Kind kind, const std::string& space)
{
    const std::string access = accessOf(kind);
    if (space == "shared")
        probe.body("ld.shared." + access + " %v, [%y];").body("st.global." + access + " [%g], %v;");
}

void addOwnCells(Forms& forms)
{
    for (const std::string space : { "global", "shared", "generic" }) {
        const std::string middle = space == "generic" ? "" : "." + space;
        for (const bool reduction : { false, true }) {
            for (const Operation& operation : operations(reduction, space == "shared")) {
                const std::string opcode = (reduction ? "red" : "atom") + middle + operation.name;
                add(forms, opcode, reduction ? "9.7.13.6" : "9.7.13.5", [=](Probe& probe) {
                    const Kind k = operation.kind;
                    const std::vector<Values> rows = mixed(corners(k), corners(k), { 0 }, lanes);
                    Answers after;
                    for (std::size_t i = 0; i < lanes; ++i)
                        after.push_back(operation.next(rows[0][i], rows[1][i]));
                    probe.target(operation.target).input("b", k, rows[1]);
                    if (!reduction)
                        probe.output("old", k, Answers(rows[0].begin(), rows[0].end()));
                    cells(probe, k, rows[0], after, space);
                    probe.body(opcode + (reduction ? "" : " %old,") + " [%x], %b;");
                    writeBack(probe, k, space);
                });
            }
        }
        for (const Kind k : { Kind::U16, Kind::U32, Kind::U64 }) {
            const std::string opcode = "atom" + middle + ".cas.b" + std::to_string(bitsOf(k));
            add(forms, opcode, "9.7.13.5", [=](Probe& probe) {
                const Values before = noise(k, lanes, 1), c = noise(k, lanes, 2);
                Values b = before;
                Answers after;
                for (std::size_t i = 0; i < lanes; ++i) {
                    if (i % 3 == 0)
                        b[i] ^= 0x100;
                    after.emplace_back(b[i] == before[i] ? c[i] : before[i]);
                }
                probe.input("b", k, b).input("c", k, c).output("old", k, Answers(before.begin(), before.end()));
                cells(probe, k, before, after, space);
                probe.body(opcode + " %old, [%x], %b, %c;");
                writeBack(probe, k, space);
            });
        }
    }
}

void addOrders(Forms& forms)
{
    for (const std::string head : { "atom", "red" }) {
        for (const std::string order : { "relaxed", "acquire", "release", "acq_rel" }) {
            if (head == "red" && (order == "acquire" || order == "acq_rel"))
                continue;
            for (const char* const scope : { "cta", "gpu", "sys" }) {
                const std::string opcode = head + "." + order + "." + scope + ".global.add.u32";
                add(forms, opcode, head == "red" ? "9.7.13.6" : "9.7.13.5", [=](Probe& probe) {
                    const Values before = noise(Kind::U32, lanes, 3), b = noise(Kind::U32, lanes, 4);
                    Answers after;
                    for (std::size_t i = 0; i < lanes; ++i)
                        after.emplace_back(before[i] + b[i]);
                    probe.input("b", Kind::U32, b);
                    if (head == "atom")
                        probe.output("old", Kind::U32, Answers(before.begin(), before.end()));
                    cells(probe, Kind::U32, before, after, "global");
                    probe.body(opcode + (head == "atom" ? " %old," : "") + " [%x], %b;");
                });
            }
        }
    }
    // Without an order and scope, one written out; and the sink for the old value.
    add(forms, "atom with sink _", "9.7.13.5", [](Probe& probe) {
        const Values before = noise(Kind::U32, lanes, 5), b = noise(Kind::U32, lanes, 6);
        Answers after;
        for (std::size_t i = 0; i < lanes; ++i)
            after.emplace_back(before[i] ^ b[i]);
        probe.input("b", Kind::U32, b);
        cells(probe, Kind::U32, before, after, "global");
        probe.body("atom.global.xor.b32 _, [%x], %b;");
    });
}

// Of sm_90 on: neighbours in memory by one instruction.
void addVectors(Forms& forms)
{
    for (const int count : { 2, 4 }) {
        const std::string opcode = "red.global.add.v" + std::to_string(count) + ".f32";
        add(forms, opcode, "9.7.13.6", [=](Probe& probe) {
            const auto n = static_cast<std::size_t>(count);
            const Values before = noise(Kind::F32, lanes * n, 7), b = noise(Kind::F32, lanes, 8);
            Answers after;
            for (std::size_t i = 0; i < before.size(); ++i)
                after.push_back(added(singleFormat, before[i], b[i / n] ^ (i % n == 1 ? 0x80000000 : 0), {}));
            Buffer cells = outputBuffer("cells", Kind::F32, after);
            cells.in = bytesOf(Kind::F32, before);
            probe.target("sm_90")
                .input("b", Kind::F32, b)
                .array(cells)
                .declare(".reg .b64 %x;")
                .declare(".reg .f32 %n;");
            probe.body("mul.wide.u32 %x, %t, " + std::to_string(4 * count) + ";").body("add.s64 %x, %x, %cells;");
            probe.body("neg.f32 %n, %b;").body(opcode + " [%x], {%b, %n" + (count == 4 ? ", %b, %b};" : "};"));
        });
    }
}

// 256 threads of 4 CTAs meet in one cell.
void addShared(Forms& forms)
{
    const struct {
        const char* name;
        Kind kind;
        std::uint64_t before;
        std::uint64_t after; // thread i brings i + 1, as a number of the type
    } sums[] = { { ".add.u32", Kind::U32, 7, 7 + 256 * 257 / 2 }, { ".add.u64", Kind::U64, 7, 7 + 256 * 257 / 2 },
        { ".max.s32", Kind::S32, 9, 256 }, { ".min.u32", Kind::U32, 9, 1 }, { ".or.b32", Kind::U32, 0, 511 },
        { ".xor.b32", Kind::U32, 0, 256 }, { ".inc.u32", Kind::U32, 0, 256 },
        { ".add.f32", Kind::F32, 0, fromDouble(singleFormat, 256 * 257 / 2) },
        { ".add.f64", Kind::F64, 0, fromDouble(doubleFormat, 256 * 257 / 2) } };
    for (const auto& sum : sums) {
        for (const bool reduction : { false, true }) {
            const std::string opcode = (reduction ? "red.global" : "atom.global") + std::string(sum.name);
            const Kind k = sum.kind;
            const std::uint64_t before = sum.before, after = sum.after;
            const bool counts = std::string(sum.name) == ".inc.u32";
            add(forms, opcode + " of 256 threads on one cell", reduction ? "9.7.13.6" : "9.7.13.5", [=](Probe& probe) {
                Values b;
                for (std::uint64_t i = 1; i <= 256; ++i)
                    b.push_back(counts ? 1000 : isFloat(k) ? fromDouble(formatOf(k), static_cast<double>(i)) : i);
                Buffer cell = outputBuffer("cell", k, { Expected(after) });
                cell.in = bytesOf(k, { before });
                probe.input("b", k, b).array(cell).declare(std::string(".reg ") + registerOf(k) + " %old;");
                probe.body(opcode + (reduction ? "" : " %old,") + " [%cell], %b;");
            });
        }
    }
    // Every CTA counts its own threads in shared memory; a ticket is handed out once.
    add(forms, "atom.shared.add.u32 hands out tickets", "9.7.13.5", [](Probe& probe) {
        probe.declare(".shared .align 4 .u32 probe_next;").declare(".reg .pred %p;").declare(".reg .b32 %n;");
        probe.declare(".reg .b64 %x;").output("count", Kind::U32, Answers(128, Expected(128)));
        Buffer taken = outputBuffer("taken", Kind::U32, Answers(128, Expected(1)), 0);
        probe.array(taken).block(128);
        probe.body("setp.eq.s32 %p, %t, 0;").body("@%p st.shared.u32 [probe_next], 0;").body("bar.sync 0;");
        probe.body("atom.shared.add.u32 %n, [probe_next], 1;").body("mul.wide.u32 %x, %n, 4;");
        probe.body("add.s64 %x, %x, %taken;").body("red.global.add.u32 [%x], 1;").body("bar.sync 0;");
        probe.body("ld.shared.u32 %count, [probe_next];");
    });
}

} // namespace

void addAtomics(Forms& forms)
{
    addOwnCells(forms);
    addOrders(forms);
    addVectors(forms);
    addShared(forms);
}

} // namespace flashstep::conform
