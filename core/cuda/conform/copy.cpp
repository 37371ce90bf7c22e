// SPDX-License-Identifier: Apache-2.0
// cp.async and its groups: PTX ISA 9.7.9.25.3.
#include "probe.h"

#include <algorithm>

namespace flashstep::conform {
namespace {

constexpr std::size_t lanes = 64;

// Every thread copies `bytes` to its 16 bytes of shared memory, which held 0x11 in every byte, waits, and stores them.
void copy(Forms& forms, const std::string& name, int bytes, const std::string& instruction, const std::string& wait,
    const std::function<int(std::size_t)>& kept)
{
    add(forms, name, "9.7.9.25.3", [=](Probe& probe) {
        const Values source = noise(Kind::U8, lanes * 16, 41);
        Values result(lanes * 16, 0x11);
        for (std::size_t i = 0; i < lanes; ++i) {
            for (int k = 0; k < bytes; ++k)
                result[i * 16 + static_cast<std::size_t>(k)]
                    = k < kept(i) ? source[i * 16 + static_cast<std::size_t>(k)] : 0;
        }
        probe.array(inputBuffer("src", Kind::U8, source)).threads(lanes);
        probe.array(outputBuffer("to", Kind::U8, Answers(result.begin(), result.end())));
        probe.declare(".shared .align 16 .b8 probe_room[1024];").declare(".reg .b32 %x, %r<4>, %n, %fill;");
        probe.declare(".reg .b64 %g, %h, %off;").declare(".reg .pred %p;");
        probe.body("mul.wide.u32 %off, %t, 16;").body("add.s64 %g, %src, %off;").body("add.s64 %h, %to, %off;");
        probe.body("mov.u32 %x, probe_room;").body("mad.lo.s32 %x, %t, 16, %x;").body("mov.u32 %fill, 286331153;");
        probe.body("st.shared.v4.u32 [%x], {%fill, %fill, %fill, %fill};").body(instruction).body(wait);
        probe.body("ld.shared.v4.u32 {%r0, %r1, %r2, %r3}, [%x];");
        probe.body("st.global.v4.u32 [%h], {%r0, %r1, %r2, %r3};");
    });
}

void addSizes(Forms& forms)
{
    const std::string groups = "cp.async.commit_group;\n\tcp.async.wait_group 0;";
    for (const int bytes : { 4, 8, 16 }) {
        const std::string size = std::to_string(bytes);
        const auto whole = [bytes](std::size_t) { return bytes; };
        copy(forms, "cp.async.ca.shared.global " + size, bytes, "cp.async.ca.shared.global [%x], [%g], " + size + ";",
            groups, whole);
        copy(forms, "cp.async.ca.shared.global.L2::128B " + size, bytes,
            "cp.async.ca.shared.global.L2::128B [%x], [%g], " + size + ";", groups, whole);
        // Fewer bytes than the copy has room for: the rest is zero; with none the source is not read.
        copy(forms, "cp.async.ca.shared.global src-size " + size, bytes,
            "rem.u32 %n, %t, " + std::to_string(bytes + 1) + ";\n\tcp.async.ca.shared.global [%x], [%g], " + size
                + ", %n;",
            groups, [bytes](std::size_t i) { return static_cast<int>(i) % (bytes + 1); });
        copy(forms, "cp.async.ca.shared.global ignore-src " + size, bytes,
            "and.b32 %n, %t, 1;\n\tsetp.eq.s32 %p, %n, 1;\n\tcp.async.ca.shared.global [%x], [%g], " + size + ", %p;",
            groups, [bytes](std::size_t i) { return i % 2 == 1 ? 0 : bytes; });
    }
    const auto sixteen = [](std::size_t) { return 16; };
    copy(forms, "cp.async.cg.shared.global 16", 16, "cp.async.cg.shared.global [%x], [%g], 16;", groups, sixteen);
    copy(forms, "cp.async.cg.shared.global.L2::128B 16", 16, "cp.async.cg.shared.global.L2::128B [%x], [%g], 16;",
        groups, sixteen);
    copy(forms, "cp.async.cg.shared.global.L2::256B 16", 16, "cp.async.cg.shared.global.L2::256B [%x], [%g], 16;",
        groups, sixteen);
    copy(forms, "cp.async.cg.shared.global src-size 0 or 16", 16,
        "and.b32 %n, %t, 1;\n\tshl.b32 %n, %n, 4;\n\tcp.async.cg.shared.global [%x], [%g], 16, %n;", groups,
        [](std::size_t i) { return i % 2 == 1 ? 16 : 0; });
    copy(forms, "cp.async.wait_all", 16, "cp.async.cg.shared.global [%x], [%g], 16;", "cp.async.wait_all;", sixteen);
    copy(forms, "cp.async of a parameter's range behind an offset", 8,
        "add.s64 %g, %g, -8;\n\tcp.async.ca.shared.global [%x+0], [%g+8], 8;", groups, [](std::size_t) { return 8; });
}

// Three copies, each in a group of its own (one group is empty): wait_group N leaves the newest N alone.
void addGroups(Forms& forms)
{
    add(forms, "cp.async.wait_group in the order of commits", "9.7.9.25.3", [](Probe& probe) {
        const Values source = noise(Kind::U32, lanes * 4, 42);
        Answers first, second, third;
        for (std::size_t i = 0; i < lanes; ++i) {
            first.emplace_back(source[i * 4]);
            second.emplace_back(source[i * 4 + 1]);
            third.emplace_back(source[i * 4 + 2]);
        }
        probe.array(inputBuffer("src", Kind::U32, source)).output("a", Kind::U32, first);
        probe.output("b", Kind::U32, second).output("c", Kind::U32, third);
        probe.declare(".shared .align 16 .b8 probe_room[1024];").declare(".reg .b32 %x;").declare(".reg .b64 %g;");
        probe.body("mul.wide.u32 %g, %t, 16;").body("add.s64 %g, %g, %src;").body("mov.u32 %x, probe_room;");
        probe.body("mad.lo.s32 %x, %t, 16, %x;");
        probe.body("cp.async.ca.shared.global [%x], [%g], 4;").body("cp.async.commit_group;");
        probe.body("cp.async.ca.shared.global [%x+4], [%g+4], 4;").body("cp.async.commit_group;");
        probe.body("cp.async.commit_group;"); // counts, though it is empty
        probe.body("cp.async.ca.shared.global [%x+8], [%g+8], 4;").body("cp.async.commit_group;");
        probe.body("cp.async.wait_group 3;").body("ld.shared.u32 %a, [%x];");
        probe.body("cp.async.wait_group 2;").body("ld.shared.u32 %b, [%x+4];");
        probe.body("cp.async.wait_group 0;").body("ld.shared.u32 %c, [%x+8];");
    });
    // Behind the wait only the copying thread sees the bytes; behind a barrier all do.
    add(forms, "cp.async read by other threads behind bar.sync", "9.7.9.25.3", [](Probe& probe) {
        const Values source = noise(Kind::U32, lanes * 4, 43);
        Answers d;
        for (std::size_t i = 0; i < lanes; ++i)
            d.emplace_back(source[(lanes - 1 - i) * 4 + 3]);
        probe.array(inputBuffer("src", Kind::U32, source)).output("d", Kind::U32, d);
        probe.declare(".shared .align 16 .b8 probe_room[1024];")
            .declare(".reg .b32 %x, %y, %b;")
            .declare(".reg .b64 %g;");
        probe.body("mul.wide.u32 %g, %t, 16;").body("add.s64 %g, %g, %src;").body("mov.u32 %b, probe_room;");
        probe.body("mad.lo.s32 %x, %t, 16, %b;").body("cp.async.cg.shared.global [%x], [%g], 16;");
        probe.body("cp.async.commit_group;").body("cp.async.wait_group 0;").body("bar.sync 0;");
        probe.body("sub.s32 %y, 63, %t;").body("mad.lo.s32 %y, %y, 16, %b;").body("ld.shared.u32 %d, [%y+12];");
    });
}

} // namespace

void addCopies(Forms& forms)
{
    addSizes(forms);
    addGroups(forms);
}

} // namespace flashstep::conform
