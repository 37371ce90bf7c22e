// SPDX-License-Identifier: Apache-2.0
// ldmatrix, movmatrix and mma.sync of one warp: PTX ISA 9.7.14.5. Lane l is g = l / 4 and t = l % 4 in the manual's
// tables.
#include "probe.h"

#include <cmath>

namespace flashstep::conform {
namespace {

// The matrices' rows lie in shared memory in an order of their own: row r of matrix m at 16-byte slot (5 r + 8 m) % 8 +
// 8 m.
std::size_t slotOf(std::size_t matrix, std::size_t row)
{
    return matrix * 8 + row * 5 % 8;
}

std::uint64_t halfAt(const Values& shared, std::size_t matrix, std::size_t row, std::size_t column)
{
    const std::size_t index = slotOf(matrix, row) * 8 + column;
    return shared[index / 2] >> (16 * (index % 2)) & 0xFFFF;
}

void addLoads(Forms& forms)
{
    for (const std::size_t count : { std::size_t { 1 }, std::size_t { 2 }, std::size_t { 4 } }) {
        for (const bool transposed : { false, true }) {
            for (const char* const space : { ".shared", "" }) {
                const std::string where = space;
                const std::string opcode = "ldmatrix.sync.aligned.m8n8.x" + std::to_string(count)
                    + (transposed ? ".trans" : "") + where + ".b16";
                add(forms, opcode, "9.7.14.5.15", [=](Probe& probe) {
                    const Values shared = noise(Kind::U32, 128, 25); // 4 matrices of 8 rows of 16 bytes
                    probe.array(inputBuffer("src", Kind::U32, shared)).threads(32);
                    std::string list;
                    for (std::size_t m = 0; m < count; ++m) {
                        Answers d;
                        for (std::size_t l = 0; l < 32; ++l) {
                            const std::size_t g = l / 4, t = l % 4;
                            const std::uint64_t low
                                = transposed ? halfAt(shared, m, 2 * t, g) : halfAt(shared, m, g, 2 * t);
                            const std::uint64_t high
                                = transposed ? halfAt(shared, m, 2 * t + 1, g) : halfAt(shared, m, g, 2 * t + 1);
                            d.emplace_back(low | high << 16);
                        }
                        const std::string name = "d" + std::to_string(m);
                        probe.output(name, Kind::U32, d);
                        list += (m == 0 ? "%" : ", %") + name;
                    }
                    probe.declare(".shared .align 16 .b8 probe_room[512];").declare(".reg .b32 %x, %y, %b, %r<4>;");
                    probe.declare(".reg .b64 %g;").body("mul.wide.u32 %g, %t, 16;").body("add.s64 %g, %g, %src;");
                    probe.body("mov.u32 %b, probe_room;").body("mad.lo.s32 %x, %t, 16, %b;");
                    probe.body("ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%g];");
                    probe.body("st.shared.v4.u32 [%x], {%r0, %r1, %r2, %r3};").body("bar.sync 0;");
                    // lane 8 m + r gives row r's address; lanes that the instruction ignores give the room's own
                    probe.body("and.b32 %y, %t, 7;").body("mul.lo.s32 %y, %y, 5;").body("and.b32 %y, %y, 7;");
                    probe.body("and.b32 %x, %t, 24;").body("add.s32 %y, %y, %x;").body("mad.lo.s32 %y, %y, 16, %b;");
                    if (where.empty()) {
                        probe.declare(".reg .b64 %generic;").body("cvt.u64.u32 %generic, %y;");
                        probe.body("cvta.shared.u64 %generic, %generic;").body(opcode + " {" + list + "}, [%generic];");
                    } else
                        probe.body(opcode + " {" + list + "}, [%y];");
                });
            }
        }
    }
    add(forms, "movmatrix.sync.aligned.m8n8.trans.b16", "9.7.14.5.17", [](Probe& probe) {
        const Values a = noise(Kind::U32, 32, 26);
        const auto at = [&a](std::size_t row, std::size_t column) {
            return a[row * 4 + column / 2] >> (16 * (column % 2)) & 0xFFFF;
        };
        Answers d;
        for (std::size_t l = 0; l < 32; ++l)
            d.emplace_back(at(l % 4 * 2, l / 4) | at(l % 4 * 2 + 1, l / 4) << 16);
        probe.input("a", Kind::U32, a).output("d", Kind::U32, d).body("movmatrix.sync.aligned.m8n8.trans.b16 %d, %a;");
    });
}

// The other way: fragments become rows in shared memory.
void addStores(Forms& forms)
{
    for (const std::size_t count : { std::size_t { 1 }, std::size_t { 2 }, std::size_t { 4 } }) {
        for (const bool transposed : { false, true }) {
            const std::string opcode
                = "stmatrix.sync.aligned.m8n8.x" + std::to_string(count) + (transposed ? ".trans" : "") + ".shared.b16";
            add(forms, opcode, "9.7.14.5.16", [=](Probe& probe) {
                Values left(256, 0x1111); // halves, row by row: what is not written stays
                probe.target("sm_90").threads(32);
                std::string list;
                for (std::size_t m = 0; m < count; ++m) {
                    const Values fragment = noise(Kind::U32, 32, 80 + m);
                    for (std::size_t l = 0; l < 32; ++l) {
                        for (std::size_t half = 0; half < 2; ++half) {
                            const std::size_t g = l / 4, t = l % 4 * 2 + half;
                            const std::size_t row = transposed ? t : g, column = transposed ? g : t;
                            left[(m * 8 + row) * 8 + column] = fragment[l] >> (16 * half) & 0xFFFF;
                        }
                    }
                    const std::string name = "a" + std::to_string(m);
                    probe.input(name, Kind::U32, fragment);
                    list += (m == 0 ? "%" : ", %") + name;
                }
                probe.array(outputBuffer("to", Kind::U16, Answers(left.begin(), left.end())));
                probe.declare(".shared .align 16 .b8 probe_room[512];").declare(".reg .b32 %x, %f, %r<4>;");
                probe.declare(".reg .b64 %g;").body("mov.u32 %x, probe_room;").body("mad.lo.s32 %x, %t, 16, %x;");
                probe.body("mov.u32 %f, 286331153;").body("st.shared.v4.u32 [%x], {%f, %f, %f, %f};");
                probe.body("bar.sync 0;").body(opcode + " [%x], {" + list + "};").body("bar.sync 0;");
                probe.body("ld.shared.v4.u32 {%r0, %r1, %r2, %r3}, [%x];").body("mul.wide.u32 %g, %t, 16;");
                probe.body("add.s64 %g, %g, %to;").body("st.global.v4.u32 [%g], {%r0, %r1, %r2, %r3};");
            });
        }
    }
}

struct Shape {
    std::size_t k;
    Kind input; // of A and B
    bool halfSum; // C and D in f16
    bool exact; // small integers: every order of adding gives the same
};

double valueOf(Kind kind, std::uint64_t bits)
{
    return toDouble(formatOf(kind), bits);
}

// One m16n8 product. Registers hold two halves each, the lower column first.
void multiply(Probe& probe, const Shape& shape, const std::string& opcode)
{
    const std::size_t rows = 16, columns = 8, k = shape.k;
    const auto number = [&shape](std::uint64_t random) {
        const double whole = static_cast<double>(random % 17) - 8;
        return shape.exact ? whole : whole / 8 + static_cast<double>(random / 32 % 256) / 1024;
    };
    const Values random = noise(Kind::U32, rows * k + k * columns + rows * columns, 27);
    std::vector<std::uint64_t> a(rows * k), b(k * columns), c(rows * columns);
    const Kind sum = shape.halfSum ? Kind::F16 : Kind::F32;
    std::size_t next = 0;
    for (std::uint64_t& x : a)
        x = fromDouble(formatOf(shape.input), number(random[next++]));
    for (std::uint64_t& x : b)
        x = fromDouble(formatOf(shape.input), number(random[next++]));
    for (std::uint64_t& x : c)
        x = fromDouble(formatOf(sum), number(random[next++]) * 3);
    std::vector<Expected> d;
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
            double total = valueOf(sum, c[row * columns + column]), size = std::abs(total);
            for (std::size_t i = 0; i < k; ++i) {
                const double term
                    = valueOf(shape.input, a[row * k + i]) * valueOf(shape.input, b[i * columns + column]);
                total += term;
                size += std::abs(term);
            }
            // f32: single precision at least, in any order, perhaps without rounding to nearest; then f16 rounds once.
            const double slack = size * std::ldexp(static_cast<double>(k + 1), -23)
                + (shape.halfSum ? std::ldexp(std::max(std::abs(total), 1.0), -10) : 0);
            d.push_back(shape.exact ? Expected(fromDouble(formatOf(sum), total)) : Expected::near(total, slack));
        }
    }
    std::string registers[4]; // of D, A, B, C
    const auto fragment = [&](const std::string& name, const auto& half) {
        Values list;
        for (std::size_t l = 0; l < 32; ++l)
            list.push_back(half(l, 0) | half(l, 1) << 16);
        probe.input(name, Kind::U32, list);
    };
    for (std::size_t r = 0; r < k / 4; ++r) { // A: rows g and g + 8 in turn, then the next eight columns
        fragment("a" + std::to_string(r), [&](std::size_t l, std::size_t half) {
            return a[(l / 4 + 8 * (r % 2)) * k + l % 4 * 2 + half + 8 * (r / 2)];
        });
        registers[1] += (r == 0 ? "%a" : ", %a") + std::to_string(r);
    }
    for (std::size_t r = 0; r < k / 8; ++r) {
        fragment("b" + std::to_string(r),
            [&](std::size_t l, std::size_t half) { return b[(l % 4 * 2 + half + 8 * r) * columns + l / 4]; });
        registers[2] += (r == 0 ? "%b" : ", %b") + std::to_string(r);
    }
    for (std::size_t r = 0; r < (shape.halfSum ? 2 : 4); ++r) {
        const auto place = [&](std::size_t l, std::size_t half) {
            const std::size_t row = l / 4 + 8 * (shape.halfSum ? r : r / 2);
            return row * columns + l % 4 * 2 + (shape.halfSum ? half : r % 2);
        };
        const std::string c_ = "c" + std::to_string(r), d_ = "d" + std::to_string(r);
        Answers answers;
        Values start;
        for (std::size_t l = 0; l < 32; ++l) {
            const Expected low = d[place(l, 0)], high = d[place(l, 1)];
            start.push_back(shape.halfSum ? c[place(l, 0)] | c[place(l, 1)] << 16 : c[place(l, 0)]);
            answers.push_back(shape.halfSum ? Expected(low.bits | high.bits << 16) : low);
        }
        probe.input(c_, shape.halfSum ? Kind::F16x2 : Kind::F32, start);
        probe.output(d_, shape.halfSum ? Kind::F16x2 : Kind::F32, answers);
        registers[3] += (r == 0 ? "%" : ", %") + c_;
        registers[0] += (r == 0 ? "%" : ", %") + d_;
    }
    probe.body(
        opcode + " {" + registers[0] + "}, {" + registers[1] + "}, {" + registers[2] + "}, {" + registers[3] + "};");
}

void addProducts(Forms& forms)
{
    for (const std::size_t k : { std::size_t { 16 }, std::size_t { 8 } }) {
        for (const Kind input : { Kind::F16, Kind::Bf16 }) {
            for (const bool halfSum : { false, true }) {
                if (halfSum && input == Kind::Bf16)
                    continue;
                const std::string sum = halfSum ? ".f16" : ".f32", type = std::string(".") + nameOf(input);
                const std::string opcode
                    = "mma.sync.aligned.m16n8k" + std::to_string(k) + ".row.col" + sum + type + type + sum;
                for (const bool exact : { true, false }) {
                    if (halfSum && !exact)
                        continue; // the precision of a sum in f16 is left open
                    const Shape shape { k, input, halfSum, exact };
                    add(forms, opcode + (exact ? "" : " of fractions"), "9.7.14.5.14",
                        [=](Probe& probe) { multiply(probe, shape, opcode); });
                }
            }
        }
    }
    // The sum may be the same registers as the result, as every kernel has it; twice in a row.
    add(forms, "mma.sync accumulates in place", "9.7.14.5.14", [](Probe& probe) {
        const std::uint64_t one = 0x3F803F80; // two bf16 ones
        for (const char* const name : { "d0", "d1", "d2", "d3" })
            probe.output(name, Kind::F32, Answers(32, Expected(fromDouble(singleFormat, 32))));
        probe.declare(".reg .b32 %o;").body("mov.b32 %o, " + std::to_string(one) + ";");
        probe.body("mov.f32 %d0, 0f00000000;")
            .body("mov.f32 %d1, %d0;")
            .body("mov.f32 %d2, %d0;")
            .body("mov.f32 %d3, %d0;");
        for (int i = 0; i < 2; ++i)
            probe.body(
                "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%d0, %d1, %d2, %d3}, {%o, %o, %o, %o}, {%o, %o}, "
                "{%d0, %d1, %d2, %d3};");
    });
}

} // namespace

void addMatrix(Forms& forms)
{
    addLoads(forms);
    addStores(forms);
    addProducts(forms);
}

} // namespace flashstep::conform
