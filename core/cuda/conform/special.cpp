// SPDX-License-Identifier: Apache-2.0
// Special registers (PTX ISA 10) and instructions without a result to speak of (9.7.19).
#include "probe.h"

#include <algorithm>

namespace flashstep::conform {
namespace {

// A CTA of 5 x 3 x 4 threads in a grid of 3 x 2 x 2: every thread writes what it is told of itself.
Case shapes()
{
    const char* const names[] = { "tid.x", "tid.y", "tid.z", "ctaid.x", "ctaid.y", "ctaid.z", "ntid.x", "ntid.y",
        "ntid.z", "nctaid.x", "nctaid.y", "nctaid.z", "laneid" };
    const unsigned block[] = { 5, 3, 4 }, grid[] = { 3, 2, 2 };
    Case test;
    test.name = "%tid %ntid %ctaid %nctaid in three dimensions, %laneid";
    test.section = "10.1";
    test.entry = "probe";
    test.target = defaultTarget;
    std::copy(block, block + 3, test.block);
    std::copy(grid, grid + 3, test.grid);
    const std::uint64_t threads = 60, ctas = 12;
    Answers answers;
    for (std::uint64_t cta = 0; cta < ctas; ++cta) {
        for (std::uint64_t thread = 0; thread < threads; ++thread) {
            for (const std::uint64_t value : { thread % 5, thread / 5 % 3, thread / 15, cta % 3, cta / 3 % 2, cta / 6,
                     std::uint64_t { 5 }, std::uint64_t { 3 }, std::uint64_t { 4 }, std::uint64_t { 3 },
                     std::uint64_t { 2 }, std::uint64_t { 2 }, thread % 32 })
                answers.emplace_back(value);
        }
    }
    std::string text = ".visible .entry probe(.param .u64 p0)\n{\n\t.reg .b32 %r<20>, %n, %c;\n\t.reg .b64 %x, %o;\n";
    for (std::size_t i = 0; i < 13; ++i)
        text += "\tmov.u32 %r" + std::to_string(i) + ", %" + names[i] + ";\n";
    text += "\tmad.lo.s32 %n, %r2, 3, %r1;\n\tmad.lo.s32 %n, %n, 5, %r0;\n\tmad.lo.s32 %c, %r5, 2, %r4;\n"
            "\tmad.lo.s32 %c, %c, 3, %r3;\n\tmad.lo.s32 %n, %c, 60, %n;\n\tld.param.u64 %x, [p0];\n"
            "\tcvta.to.global.u64 %x, %x;\n\tmul.wide.u32 %o, %n, 52;\n\tadd.s64 %x, %x, %o;\n";
    for (std::size_t i = 0; i < 13; ++i)
        text += "\tst.global.u32 [%x+" + std::to_string(4 * i) + "], %r" + std::to_string(i) + ";\n";
    test.ptx = moduleText(test.target, text + "\tret;\n}\n");
    test.buffers.push_back(outputBuffer("d", Kind::U32, answers));
    return test;
}

void addMasks(Forms& forms)
{
    add(forms, "%lanemask_eq _le _lt _ge _gt", "10.11", [](Probe& probe) {
        Answers eq, le, lt, ge, gt;
        for (std::uint64_t i = 0; i < 64; ++i) {
            const std::uint64_t bit = std::uint64_t { 1 } << (i % 32), all = 0xFFFFFFFF;
            eq.emplace_back(bit);
            lt.emplace_back(bit - 1);
            le.emplace_back((bit - 1) | bit);
            ge.emplace_back(all & ~(bit - 1));
            gt.emplace_back(all & ~(bit - 1) & ~bit);
        }
        probe.output("eq", Kind::U32, eq).output("le", Kind::U32, le).output("lt", Kind::U32, lt);
        probe.output("ge", Kind::U32, ge).output("gt", Kind::U32, gt);
        for (const std::string name : { "eq", "le", "lt", "ge", "gt" })
            probe.body("mov.u32 %" + name + ", %lanemask_" + name + ";");
    });
    // What a program may count on: identifiers lie below their number. Their values are the machine's own.
    add(forms, "%warpid %nwarpid %smid %nsmid %gridid", "10.4", [](Probe& probe) {
        probe.output("warp", Kind::U32, Answers(128, Expected(1))).output("sm", Kind::U32, Answers(128, Expected(1)));
        probe.block(128).declare(".reg .b32 %x, %y;").declare(".reg .b64 %g;").declare(".reg .pred %p;");
        probe.body("mov.u32 %x, %warpid;").body("mov.u32 %y, %nwarpid;").body("setp.lt.u32 %p, %x, %y;");
        probe.body("selp.u32 %warp, 1, 0, %p;").body("mov.u32 %x, %smid;").body("mov.u32 %y, %nsmid;");
        probe.body("setp.lt.u32 %p, %x, %y;").body("selp.u32 %sm, 1, 0, %p;").body("mov.u64 %g, %gridid;");
    });
    add(forms, "%clock %clock64 %globaltimer", "10.22", [](Probe& probe) {
        probe.output("d", Kind::U32, Answers(32, Expected(1))).output("e", Kind::U32, Answers(32, Expected(1)));
        probe.declare(".reg .b32 %x, %y;").declare(".reg .b64 %u, %v, %w, %z;").declare(".reg .pred %p;");
        probe.body("mov.u64 %u, %clock64;").body("mov.u64 %w, %globaltimer;").body("mov.u32 %x, %clock;");
        probe.body("mov.u32 %y, %clock;").body("mov.u64 %v, %clock64;").body("mov.u64 %z, %globaltimer;");
        probe.body("setp.ge.u64 %p, %v, %u;").body("selp.u32 %d, 1, 0, %p;").body("setp.ge.u64 %p, %z, %w;");
        probe.body("selp.u32 %e, 1, 0, %p;").body("sub.s32 %x, %y, %x;");
    });
    add(forms, "%dynamic_smem_size %total_smem_size", "10.30", [](Probe& probe) {
        probe.output("d", Kind::U32, Answers(32, Expected(512))).output("e", Kind::U32, Answers(32, Expected(1)));
        probe.global(".extern .shared .align 16 .b8 probe_dynamic[];")
            .declare(".shared .align 4 .b8 probe_static[128];")
            .shared(512);
        probe.declare(".reg .b32 %x;").declare(".reg .pred %p;").body("mov.u32 %d, %dynamic_smem_size;");
        probe.body("mov.u32 %x, probe_static;").body("st.shared.u32 [%x], %x;").body("mov.u32 %x, %total_smem_size;");
        probe.body("setp.ge.u32 %p, %x, 640;").body("selp.u32 %e, 1, 0, %p;");
    });
}

void addQuiet(Forms& forms)
{
    for (const std::string text : { "nanosleep.u32 100;", "nanosleep.u32 %t;", "pmevent 1;", "pmevent.mask 3;" }) {
        add(forms, text.substr(0, text.size() - 1), text[0] == 'n' ? "9.7.19.2" : "9.7.19.3", [text](Probe& probe) {
            const Values a = noise(Kind::U32, 32, 61);
            probe.input("a", Kind::U32, a)
                .output("d", Kind::U32, Answers(a.begin(), a.end()))
                .body(text)
                .body("mov.u32 %d, %a;");
        });
    }
    // Without a kernel before or behind it these have nothing to do.
    add(forms, "griddepcontrol.wait griddepcontrol.launch_dependents", "9.7.13.13", [](Probe& probe) {
        probe.target("sm_90").output("d", Kind::U32, Answers(32, Expected(1))).body("griddepcontrol.wait;");
        probe.body("griddepcontrol.launch_dependents;").body("mov.u32 %d, 1;");
    });
    // Reached by no lane, so nothing stops.
    add(forms, "trap and brkpt behind a guard that is false", "9.7.19.4", [](Probe& probe) {
        probe.output("d", Kind::U32, Answers(32, Expected(1)))
            .declare(".reg .pred %p;")
            .body("setp.gt.u32 %p, %t, 1000;");
        probe.body("@%p trap;").body("@%p brkpt;").body("mov.u32 %d, 1;");
    });
}

} // namespace

void addSpecial(Forms& forms)
{
    forms.push_back({ "%tid %ntid %ctaid %nctaid in three dimensions, %laneid", "10.1", shapes });
    addMasks(forms);
    addQuiet(forms);
}

} // namespace flashstep::conform
