// SPDX-License-Identifier: Apache-2.0
// The other state spaces: shared, local, constant, parameters, and generic addresses. PTX ISA 9.7.9.8, .11, .19, .20.
#include "probe.h"

#include <algorithm>

namespace flashstep::conform {
namespace {

constexpr std::size_t lanes = 64;

Answers constant(std::uint64_t value, std::size_t count = 32)
{
    return Answers(count, Expected(value));
}

// Every type through `space`: stored by one instruction, loaded back by another, beside a neighbour that must not
// change.
void addRoundTrips(Forms& forms)
{
    const struct {
        const char* type;
        Kind kind;
    } types[] = { { "u8", Kind::U8 }, { "s16", Kind::S16 }, { "b32", Kind::U32 }, { "u64", Kind::U64 },
        { "f32", Kind::F32 }, { "f64", Kind::F64 } };
    for (const std::string space : { "shared", "local" }) {
        for (const auto& type : types) {
            const Kind k = type.kind;
            const std::string suffix = "." + space + "." + type.type;
            add(forms, "st" + suffix + " ld" + suffix, "9.7.9.11", [=](Probe& probe) {
                const Values a = noise(k, lanes, 3);
                const bool shared = space == "shared";
                const std::string at = shared ? ".b32" : ".b64";
                probe.input("a", k, a).output("d", k, Answers(a.begin(), a.end()));
                probe.output("beside", Kind::U32, constant(0x01020304, lanes));
                probe.declare("." + space + " .align 16 .b8 probe_room[" + (shared ? "1024" : "16") + "];");
                probe.declare(".reg " + at + " %x;");
                probe.body(std::string(shared ? "mov.u32" : "mov.u64") + " %x, probe_room;");
                if (shared)
                    probe.body("mad.lo.s32 %x, %t, 16, %x;");
                probe.body("st." + space + ".u32 [%x+8], 16909060;"); // 0x01020304
                probe.body("st" + suffix + " [%x], %a;").body("ld" + suffix + " %d, [%x];");
                probe.body("ld." + space + ".u32 %beside, [%x+8];");
            });
        }
        add(forms, "st." + space + ".v4.f32 ld." + space + ".v2.u64", "9.7.9.11", [=](Probe& probe) {
            const Values a = noise(Kind::F32, lanes, 4), b = noise(Kind::F32, lanes, 5);
            Answers first, second;
            for (std::size_t i = 0; i < lanes; ++i) {
                first.emplace_back(a[i] | b[i] << 32);
                second.emplace_back(b[i] | a[i] << 32);
            }
            const bool shared = space == "shared";
            probe.input("a", Kind::F32, a).input("b", Kind::F32, b);
            probe.output("d", Kind::U64, first).output("e", Kind::U64, second);
            probe.declare("." + space + " .align 16 .b8 probe_room[" + (shared ? "1024" : "32") + "];");
            probe.declare(std::string(".reg ") + (shared ? ".b32" : ".b64") + " %x;");
            probe.body(shared ? "mov.u32 %x, probe_room;" : "mov.u64 %x, probe_room;");
            if (shared)
                probe.body("mad.lo.s32 %x, %t, 16, %x;");
            probe.body("st." + space + ".v4.f32 [%x], {%a, %b, %b, %a};");
            probe.body("ld." + space + ".v2.u64 {%d, %e}, [%x];");
        });
    }
}

// Static arrays, two of them, and the launch's dynamic part behind both; values cross threads through a barrier.
void addShared(Forms& forms)
{
    for (const char* const qualifier : { "volatile", "relaxed.cta", "weak" }) {
        const std::string load = std::string("ld.") + qualifier + ".shared.u32", store = "st" + load.substr(2);
        add(forms, store + " " + load, "9.7.9.11", [=](Probe& probe) {
            const Values a = noise(Kind::U32, lanes, 6);
            probe.input("a", Kind::U32, a).output("d", Kind::U32, Answers(a.begin(), a.end()));
            probe.declare(".shared .align 4 .b8 probe_room[256];").declare(".reg .b32 %x;");
            probe.body("mov.u32 %x, probe_room;").body("mad.lo.s32 %x, %t, 4, %x;");
            probe.body(store + " [%x], %a;").body(load + " %d, [%x];");
        });
    }
    add(forms, "shared variables: static and dynamic", "9.7.9.8", [](Probe& probe) {
        const Values a = noise(Kind::U32, lanes, 7);
        Answers reversed, sum;
        for (std::size_t i = 0; i < lanes; ++i) {
            reversed.emplace_back(a[lanes - 1 - i]);
            sum.emplace_back(a[i ^ 1] + a[i ^ 3]);
        }
        probe.global(".extern .shared .align 16 .b8 probe_dynamic[];");
        probe.declare(".shared .align 4 .b8 probe_one[256];").declare(".shared .align 4 .u32 probe_two[64];");
        probe.declare(".reg .b32 %x, %y, %off, %back, %u, %w;").shared(256);
        probe.input("a", Kind::U32, a).output("d", Kind::U32, reversed).output("e", Kind::U32, sum);
        probe.body("shl.b32 %off, %t, 2;").body("sub.s32 %back, 252, %off;");
        probe.body("mov.u32 %x, probe_one;").body("add.s32 %y, %x, %off;").body("st.shared.u32 [%y], %a;");
        probe.body("mov.u32 %x, probe_two;").body("add.s32 %y, %x, %off;").body("st.shared.u32 [%y], %a;");
        probe.body("mov.u32 %x, probe_dynamic;").body("add.s32 %y, %x, %off;").body("st.shared.u32 [%y], %a;");
        probe.body("bar.sync 0;").body("add.s32 %y, %x, %back;").body("ld.shared.u32 %d, [%y];");
        probe.body("xor.b32 %back, %off, 4;").body("mov.u32 %x, probe_one;").body("add.s32 %y, %x, %back;");
        probe.body("ld.shared.u32 %u, [%y];").body("xor.b32 %back, %off, 12;").body("mov.u32 %x, probe_two;");
        probe.body("add.s32 %y, %x, %back;").body("ld.shared.u32 %w, [%y];").body("add.s32 %e, %u, %w;");
    });
    add(forms, "shared variables: by name and offset", "9.7.9.8", [](Probe& probe) {
        probe.global(".shared .align 8 .b8 probe_named[32];").output("d", Kind::U64, constant(0x0000000700000005ULL));
        probe.declare(".reg .pred %p;").body("setp.eq.s32 %p, %t, 0;");
        probe.body("@%p st.shared.u32 [probe_named+16], 5;").body("@%p st.shared.u32 [probe_named+20], 7;");
        probe.body("bar.sync 0;").body("ld.shared.u64 %d, [probe_named+16];");
    });
}

void addConstants(Forms& forms)
{
    add(forms, "ld.const", "9.7.9.8", [](Probe& probe) {
        Answers picked;
        for (std::uint64_t i = 0; i < 32; ++i)
            picked.emplace_back(100 + i % 4);
        probe.global(".const .align 4 .u32 probe_table[4] = {100, 101, 102, 103};");
        probe.global(".const .align 8 .f64 probe_real = 0d3FF8000000000000;");
        probe.global(".const .align 4 .b8 probe_bytes[6] = {1, 2, 254, 4, 5, 6};");
        probe.output("d", Kind::U32, picked).output("r", Kind::F64, constant(0x3FF8000000000000ULL));
        probe.output("b", Kind::U32, constant(0xFFFFFFFE)).output("h", Kind::U32, constant(0x06050000));
        probe.declare(".reg .b64 %x, %y;").declare(".reg .b32 %u;").declare(".reg .b16 %s;");
        probe.body("mov.u64 %x, probe_table;").body("and.b32 %u, %t, 3;").body("mul.wide.u32 %y, %u, 4;");
        probe.body("add.s64 %x, %x, %y;").body("ld.const.u32 %d, [%x];").body("ld.const.f64 %r, [probe_real];");
        probe.body("ld.const.s8 %b, [probe_bytes+2];")
            .body("ld.const.u16 %h, [probe_bytes+4];")
            .body("shl.b32 %h, %h, 16;");
    });
    add(forms, "module variables with initialisers", "5.4.4", [](Probe& probe) {
        probe.global(".global .align 8 .b8 probe_bytes[8] = {1, 2, 3};"); // the rest is zero
        probe.global(".global .align 4 .f32 probe_reals[3] = {0f3F800000, 2.5, -1.0};");
        probe.global(".global .align 4 .s32 probe_grid[2][3] = {{1, 2, 3}, {-4, -5, -6}};");
        probe.global(".global .align 8 .u64 probe_pointer = probe_grid+12;");
        probe.global(".global .align 8 .u64 probe_generic = generic(probe_bytes);")
            .global(".global .align 4 .u32 probe_zero;");
        probe.output("a", Kind::U64, constant(0x030201)).output("b", Kind::F32, constant(0xBF800000));
        probe.output("c", Kind::U32, constant(0xFFFFFFFC)).output("d", Kind::U32, constant(2));
        probe.output("e", Kind::U32, constant(0)).output("f", Kind::U32, constant(0xFFFFFFFA));
        probe.declare(".reg .b64 %x;");
        probe.body("ld.global.u64 %a, [probe_bytes];").body("ld.global.f32 %b, [probe_reals+8];");
        probe.body("ld.global.u64 %x, [probe_pointer];").body("ld.global.s32 %c, [%x];");
        probe.body("ld.global.s32 %f, [%x+8];").body("ld.global.u64 %x, [probe_generic];").body("ld.u8 %d, [%x+1];");
        probe.body("ld.global.u32 %e, [probe_zero];");
    });
}

std::vector<std::uint8_t> littleEndian(std::uint64_t value, int bytes)
{
    std::vector<std::uint8_t> result;
    for (int i = 0; i < bytes; ++i)
        result.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return result;
}

void addParameters(Forms& forms)
{
    add(forms, "ld.param of every size", "9.7.9.8", [](Probe& probe) {
        probe.value(".u8", littleEndian(0xFE, 1))
            .value(".u16", littleEndian(0x8001, 2))
            .value(".u32", littleEndian(77, 4));
        probe.value(".f32", littleEndian(0x40490FDB, 4)).value(".f64", littleEndian(0x400921FB54442D18ULL, 8));
        probe.output("a", Kind::U32, constant(0xFE)).output("b", Kind::U32, constant(0xFFFFFFFE));
        probe.output("c", Kind::U32, constant(0x8001)).output("d", Kind::U32, constant(0xFFFF8001));
        probe.output("e", Kind::U32, constant(77)).output("f", Kind::F32, constant(0x40490FDB));
        probe.output("g", Kind::F64, constant(0x400921FB54442D18ULL));
        probe.body("ld.param.u8 %a, [v0];").body("ld.param.s8 %b, [v0];").body("ld.param.u16 %c, [v1];");
        probe.body("ld.param.s16 %d, [v1];").body("ld.param.b32 %e, [v2];").body("ld.param.f32 %f, [v3];");
        probe.body("ld.param.f64 %g, [v4];");
    });
    add(forms, "ld.param of a struct", "9.7.9.8", [](Probe& probe) {
        std::vector<std::uint8_t> bytes;
        for (int i = 0; i < 48; ++i)
            bytes.push_back(static_cast<std::uint8_t>(i * 5 + 1));
        const auto at = [bytes](std::size_t offset, int size) {
            std::uint64_t value = 0;
            for (int i = 0; i < size; ++i)
                value |= std::uint64_t { bytes[offset + static_cast<std::size_t>(i)] } << (8 * i);
            return value;
        };
        probe.value(".align 16 .b8 [48]", bytes).output("a", Kind::U64, constant(at(40, 8)));
        probe.output("b", Kind::U32, constant(at(8, 4))).output("c", Kind::U32, constant(at(12, 4)));
        probe.output("d", Kind::U32, constant(at(28, 4))).output("e", Kind::U32, constant(at(4, 4)));
        probe.declare(".reg .b32 %x<4>;").declare(".reg .b64 %at;");
        probe.body("ld.param.u64 %a, [v0+40];").body("ld.param.v2.u32 {%b, %c}, [v0+8];");
        probe.body("ld.param.v4.b32 {%x0, %x1, %x2, %x3}, [v0+16];").body("mov.b32 %d, %x3;");
        // A parameter has a generic address, too.
        probe.body("mov.b64 %at, v0;").body("cvta.param.u64 %at, %at;").body("ld.u32 %e, [%at+4];");
    });
}

void addGeneric(Forms& forms)
{
    add(forms, "cvta generic ld st isspacep", "9.7.9.20", [](Probe& probe) {
        const Values a = noise(Kind::U32, lanes, 8);
        Answers same(a.begin(), a.end());
        probe.global(".const .align 4 .u32 probe_constant = 305419896;"); // 0x12345678
        probe.declare(".shared .align 4 .b8 probe_shared[256];").declare(".local .align 4 .b8 probe_local[8];");
        probe.declare(".reg .b64 %x, %y, %z, %w, %u, %off, %g, %back;")
            .declare(".reg .b32 %n;")
            .declare(".reg .pred %p;");
        probe.input("a", Kind::U32, a).output("s", Kind::U32, same).output("l", Kind::U32, same);
        probe.output("k", Kind::U32, constant(0x12345678, lanes)).array(outputBuffer("to", Kind::U32, same));
        probe.output("viaS", Kind::U32, same);
        probe.body("mul.wide.u32 %off, %t, 4;").body("mov.u64 %x, probe_shared;").body("cvta.shared.u64 %y, %x;");
        probe.body("add.s64 %y, %y, %off;").body("st.u32 [%y], %a;").body("ld.u32 %s, [%y];");
        probe.body("cvta.to.shared.u64 %back, %y;").body("cvt.u32.u64 %n, %back;").body("ld.shared.u32 %viaS, [%n];");
        probe.body("mov.u64 %x, probe_local;").body("cvta.local.u64 %z, %x;").body("st.u32 [%z+4], %a;");
        probe.body("cvta.to.local.u64 %x, %z;").body("ld.local.u32 %l, [%x+4];");
        probe.body("mov.u64 %x, probe_constant;").body("cvta.const.u64 %w, %x;").body("ld.u32 %k, [%w];");
        probe.body("cvta.global.u64 %g, %to;").body("add.s64 %g, %g, %off;").body("st.u32 [%g], %a;");
        const char* const pointers[] = { "%y", "%z", "%w", "%g" };
        const char* const spaces[] = { "shared", "local", "const", "global" };
        for (int s = 0; s < 4; ++s) {
            const std::string out = std::string("is_") + spaces[s];
            probe.output(out, Kind::U32, constant(std::uint64_t { 1 } << s, lanes)).body("mov.u32 %" + out + ", 0;");
            for (int p = 0; p < 4; ++p) {
                probe.body(std::string("isspacep.") + spaces[s] + " %p, " + pointers[p] + ";");
                probe.body("@%p or.b32 %" + out + ", %" + out + ", " + std::to_string(1 << p) + ";");
            }
        }
    });
}

} // namespace

void addMemorySpaces(Forms& forms)
{
    addRoundTrips(forms);
    addShared(forms);
    addConstants(forms);
    addParameters(forms);
    addGeneric(forms);
}

} // namespace flashstep::conform
