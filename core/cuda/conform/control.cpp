// SPDX-License-Identifier: Apache-2.0
// Branches, guards, loops, calls and exits: PTX ISA 9.3 and 9.7.12.
#include "probe.h"

namespace flashstep::conform {
namespace {

constexpr std::size_t lanes = 64;

void addGuards(Forms& forms)
{
    // Where the guard is false nothing happens: registers and memory keep what they had.
    add(forms, "guards @p and @!p", "9.7.12.2", [](Probe& probe) {
        const Values a = noise(Kind::U32, lanes, 51);
        Answers d, e, stored, loaded;
        for (std::size_t i = 0; i < lanes; ++i) {
            const bool odd = (a[i] & 1) != 0;
            d.emplace_back(odd ? a[i] + 1 : 0xEEEEEEEE);
            e.emplace_back(odd ? 0xEEEEEEEE : a[i] * 3);
            stored.emplace_back(odd ? 0xEEEEEEEE : a[i]);
            loaded.emplace_back(odd ? a[i] : 5);
        }
        Buffer to = outputBuffer("to", Kind::U32, stored);
        probe.input("a", Kind::U32, a).output("d", Kind::U32, d).output("e", Kind::U32, e);
        probe.output("l", Kind::U32, loaded).array(to).declare(".reg .pred %p;").declare(".reg .b32 %x;");
        probe.declare(".reg .b64 %y, %z;").body("and.b32 %x, %a, 1;").body("setp.eq.s32 %p, %x, 1;");
        probe.body("@%p add.s32 %d, %a, 1;").body("@!%p mul.lo.s32 %e, %a, 3;");
        probe.body("mul.wide.u32 %y, %i, 4;").body("add.s64 %y, %y, %to;").body("@!%p st.global.u32 [%y], %a;");
        // An address that is not valid is not touched by a lane whose guard is false.
        probe.body("mov.u32 %l, 5;").body("selp.b64 %z, %at_a, 0, %p;").body("@%p ld.global.u32 %l, [%z];");
    });
    add(forms, "mov.pred of constants guards", "9.7.12.2", [](Probe& probe) {
        probe.output("d", Kind::U32, Answers(32, Expected(1)))
            .output("e", Kind::U32, Answers(32, Expected(0xEEEEEEEE)));
        probe.declare(".reg .pred %p, %q;").body("mov.pred %p, 1;").body("mov.pred %q, 0;");
        probe.body("@%p mov.u32 %d, 1;").body("@%q mov.u32 %e, 1;");
    });
}

// One lane's way through the code, in plain C++, and the same code for all lanes at once.
void addBranches(Forms& forms)
{
    add(forms, "bra: two sides and one end", "9.7.12.3", [](Probe& probe) {
        Answers d, lanesBehind;
        for (std::uint64_t i = 0; i < lanes; ++i) {
            const std::uint64_t side = i % 3 == 0 ? i * 2 : i + 100;
            d.emplace_back(side + 7);
            lanesBehind.emplace_back(0xFFFFFFFF);
        }
        probe.output("d", Kind::U32, d)
            .output("m", Kind::U32, lanesBehind)
            .declare(".reg .pred %p;")
            .declare(".reg .b32 %x;");
        probe.body("rem.u32 %x, %t, 3;").body("setp.eq.s32 %p, %x, 0;").body("@%p bra THIRD;");
        probe.body("add.s32 %d, %t, 100;").body("bra JOIN;").body("THIRD:").body("shl.b32 %d, %t, 1;").body("JOIN:");
        probe.body("add.s32 %d, %d, 7;").body("bar.warp.sync -1;").body("vote.sync.ballot.b32 %m, 1, -1;");
    });
    add(forms, "bra: nested, four ways", "9.7.12.3", [](Probe& probe) {
        Answers d;
        for (std::uint64_t i = 0; i < lanes; ++i) {
            std::uint64_t x = i;
            if ((i & 1) != 0) {
                x += 10;
                x += (i & 2) != 0 ? 100 : 200;
            } else {
                x += 20;
                if ((i & 4) != 0)
                    x += 1000;
            }
            d.emplace_back(x * 2);
        }
        probe.output("d", Kind::U32, d).declare(".reg .pred %p, %q;").declare(".reg .b32 %x;").body("mov.u32 %d, %t;");
        probe.body("and.b32 %x, %t, 1;")
            .body("setp.ne.s32 %p, %x, 0;")
            .body("@!%p bra EVEN;")
            .body("add.s32 %d, %d, 10;");
        probe.body("and.b32 %x, %t, 2;")
            .body("setp.ne.s32 %q, %x, 0;")
            .body("@%q bra TWO;")
            .body("add.s32 %d, %d, 200;");
        probe.body("bra INNER;")
            .body("TWO:")
            .body("add.s32 %d, %d, 100;")
            .body("INNER:")
            .body("bra END;")
            .body("EVEN:");
        probe.body("add.s32 %d, %d, 20;")
            .body("and.b32 %x, %t, 4;")
            .body("setp.eq.s32 %q, %x, 0;")
            .body("@%q bra END;");
        probe.body("add.s32 %d, %d, 1000;").body("END:").body("shl.b32 %d, %d, 1;");
    });
    add(forms, "bra: loops of different lengths", "9.7.12.3", [](Probe& probe) {
        Answers d, steps;
        for (std::uint64_t i = 0; i < lanes; ++i) {
            std::uint64_t x = i + 1, count = 0; // to 1 by halves and threefolds
            while (x != 1) {
                x = (x & 1) != 0 ? 3 * x + 1 : x / 2;
                ++count;
            }
            steps.emplace_back(count);
            d.emplace_back(i * (i + 1) / 2);
        }
        probe.output("steps", Kind::U32, steps)
            .output("d", Kind::U32, d)
            .declare(".reg .pred %p, %q;")
            .declare(".reg .b32 %x, %y, %n;");
        probe.body(".pragma \"nounroll\";")
            .body("add.s32 %x, %t, 1;")
            .body("mov.u32 %steps, 0;")
            .body("bra TEST;")
            .body("LOOP:");
        probe.body("and.b32 %y, %x, 1;").body("setp.ne.s32 %q, %y, 0;").body("@%q bra ODD;").body("shr.u32 %x, %x, 1;");
        probe.body("bra NEXT;")
            .body("ODD:")
            .body("mad.lo.s32 %x, %x, 3, 1;")
            .body("NEXT:")
            .body("add.s32 %steps, %steps, 1;");
        probe.body("TEST:").body("setp.ne.s32 %p, %x, 1;").body("@%p bra LOOP;");
        // and one loop whose warp-wide instruction sits behind it: all lanes must be back
        probe.body("mov.u32 %d, 0;").body("mov.u32 %n, 0;").body("SUM:").body("add.s32 %d, %d, %n;");
        probe.body("add.s32 %n, %n, 1;").body("setp.le.u32 %p, %n, %t;").body("@%p bra SUM;").body("bar.sync 0;");
    });
    add(forms, "bra.uni", "9.7.12.3", [](Probe& probe) {
        probe.output("d", Kind::U32, Answers(lanes, Expected(3))).declare(".reg .pred %p;").declare(".reg .b32 %n;");
        probe.body("mov.u32 %d, 0;").body("mov.u32 %n, 0;").body("bra.uni GO;").body("mov.u32 %d, 77;").body("GO:");
        probe.body("add.s32 %d, %d, 1;")
            .body("add.s32 %n, %n, 1;")
            .body("setp.lt.s32 %p, %n, 3;")
            .body("@%p bra.uni GO;");
    });
    add(forms, "brx.idx", "9.7.12.4", [](Probe& probe) {
        Answers d;
        for (std::uint64_t i = 0; i < lanes; ++i) {
            const std::uint64_t values[] = { 11, 22, 33 };
            d.emplace_back(values[i % 3] + 1);
        }
        probe.output("d", Kind::U32, d).declare(".reg .b32 %x;").body("rem.u32 %x, %t, 3;");
        probe.body("WAYS: .branchtargets A, B, C;")
            .body("brx.idx %x, WAYS;")
            .body("A:")
            .body("mov.u32 %d, 11;")
            .body("bra END;");
        probe.body("B:").body("mov.u32 %d, 22;").body("bra END;").body("C:").body("mov.u32 %d, 33;").body("END:");
        probe.body("add.s32 %d, %d, 1;");
    });
    // A branch inside braces sees the label of its own block, as inline assembly in an unrolled loop has it.
    add(forms, "labels in braces", "9.7.12.1", [](Probe& probe) {
        Answers d;
        for (std::uint64_t i = 0; i < lanes; ++i)
            d.emplace_back((i % 2 == 0 ? 0 : 5) + (i % 4 < 2 ? 0 : 50));
        probe.output("d", Kind::U32, d).body("mov.u32 %d, 0;");
        probe.body("{ .reg .pred p; .reg .b32 x; and.b32 x, %t, 1; setp.eq.s32 p, x, 0; @p bra DONE; add.s32 %d, %d, "
                   "5; DONE: }");
        probe.body("{ .reg .pred p; .reg .b32 x; and.b32 x, %t, 2; setp.eq.s32 p, x, 0; @p bra DONE; add.s32 %d, %d, "
                   "50; DONE: }");
    });
}

// Names without a percent sign, ranges, one name again in an inner scope, and every type of register.
void addNames(Forms& forms)
{
    add(forms, "registers: types, ranges and scopes", "5.2", [](Probe& probe) {
        const Values a = noise(Kind::U32, lanes, 53);
        Answers d, e;
        for (const std::uint64_t x : a) {
            d.emplace_back(x + 7);
            e.emplace_back((x & 0xFF) * 2);
        }
        probe.input("a", Kind::U32, a).output("d", Kind::U32, d).output("e", Kind::U32, e);
        probe.declare(
            ".reg .u32 r<3>; .reg .s32 s1; .reg .u64 wide; .reg .s64 $w; .reg .u16 h; .reg .f64 _f; .reg .b8 one;");
        probe.body("mov.u32 r0, %a;").body("mov.s32 s1, 7;").body("{").body(".reg .u32 r0;").body("mov.u32 r0, 5;");
        probe.body("{")
            .body(".reg .pred r0;")
            .body("setp.eq.u32 r0, 1, 2;")
            .body("@r0 mov.s32 s1, 9;")
            .body("}")
            .body("}");
        probe.body("add.u32 %d, r0, s1;").body("cvt.u64.u32 wide, r0;").body("cvt.s64.s32 $w, s1;");
        probe.body("cvt.u16.u32 h, r0;")
            .body("and.b16 h, h, 255;")
            .body("cvt.rn.f64.u16 _f, h;")
            .body("add.f64 _f, _f, _f;");
        probe.body("cvt.rzi.u32.f64 %e, _f;");
    });
}

void addExits(Forms& forms)
{
    for (const std::string leave : { "ret", "exit" }) {
        // Lanes that have left are not waited for: the rest of the warp, and a whole warp less at the barrier.
        add(forms, leave + " of some lanes", leave == "ret" ? "9.7.12.6" : "9.7.12.7", [leave](Probe& probe) {
            Answers stored, active;
            for (std::uint64_t i = 0; i < 128; ++i) {
                const bool gone = i % 4 == 1 || i >= 96;
                stored.emplace_back(gone ? 0xEEEEEEEE : i + 1);
            }
            probe.array(outputBuffer("to", Kind::U32, stored)).block(128).threads(128);
            probe.declare(".reg .pred %p;").declare(".reg .b32 %x, %v;").declare(".reg .b64 %y;");
            probe.body("and.b32 %x, %t, 3;").body("setp.eq.s32 %p, %x, 1;").body("@%p " + leave + ";");
            probe.body("setp.ge.u32 %p, %t, 96;")
                .body("@%p " + leave + ";")
                .body("bar.sync 0;")
                .body("add.s32 %v, %t, 1;");
            probe.body("mul.wide.u32 %y, %t, 4;").body("add.s64 %y, %y, %to;").body("st.global.u32 [%y], %v;");
        });
    }
}

const char* const doubling
    = ".func (.param .b32 probe_r) probe_double(.param .b32 probe_p)\n{\n\t.reg .b32 %x;\n"
      "\tld.param.b32 %x, [probe_p];\n\tshl.b32 %x, %x, 1;\n\tst.param.b32 [probe_r], %x;\n\tret;\n}";

void addCalls(Forms& forms)
{
    for (const std::string opcode : { "call", "call.uni" }) {
        add(forms, opcode, "9.7.12.5", [opcode](Probe& probe) {
            const Values a = noise(Kind::U32, lanes, 52);
            Answers d;
            for (const std::uint64_t x : a)
                d.emplace_back(x * 4);
            probe.global(doubling).input("a", Kind::U32, a).output("d", Kind::U32, d).declare(".reg .b32 %x;");
            probe.body("mov.u32 %x, %a;");
            for (int i = 0; i < 2; ++i) { // twice: the names in the braces are the call's own
                probe.body("{\n\t.param .b32 param0;\n\tst.param.b32 [param0], %x;\n\t.param .b32 retval0;");
                probe.body(
                    opcode + " (retval0),\n\tprobe_double,\n\t(\n\tparam0\n\t);\n\tld.param.b32 %x, [retval0];\n\t}");
            }
            probe.body("mov.u32 %d, %x;");
        });
    }
    // Called by some lanes; the function returns early for some of those.
    add(forms, "call in divergent code", "9.7.12.5", [](Probe& probe) {
        Answers d;
        for (std::uint64_t i = 0; i < lanes; ++i)
            d.emplace_back(i % 2 == 0 ? i : i < 20 ? 7 : i * i);
        probe.global(
            ".func (.param .b32 probe_r) probe_square(.param .b32 probe_p)\n{\n\t.reg .b32 %x;\n\t.reg .pred %p;\n"
            "\tld.param.u32 %x, [probe_p];\n\tsetp.ge.u32 %p, %x, 20;\n\t@%p bra LARGE;\n"
            "\tst.param.b32 [probe_r], 7;\n\tret;\nLARGE:\n\tmul.lo.s32 %x, %x, %x;\n"
            "\tst.param.b32 [probe_r], %x;\n\tret;\n}");
        probe.output("d", Kind::U32, d).declare(".reg .b32 %x;").declare(".reg .pred %p;").body("mov.u32 %d, %t;");
        probe.body("and.b32 %x, %t, 1;").body("setp.eq.s32 %p, %x, 0;").body("@%p bra PAST;");
        probe.body("{\n\t.param .b32 param0;\n\tst.param.b32 [param0], %t;\n\t.param .b32 retval0;");
        probe.body("call (retval0), probe_square, (param0);\n\tld.param.b32 %d, [retval0];\n\t}").body("PAST:");
        probe.body("bar.sync 0;");
    });
    // An array of parameters by value, two results of different types, and a call inside the called function.
    add(forms, "call of a function that calls, with a struct", "9.7.12.5", [](Probe& probe) {
        Answers d;
        for (std::uint64_t i = 0; i < lanes; ++i)
            d.emplace_back(2 * (i + 3 * i));
        probe.global(doubling);
        probe.global(
            ".func (.param .b64 probe_r) probe_sum(.param .align 8 .b8 probe_p[16])\n{\n\t.reg .b32 %x, %y, %z;\n"
            "\t.reg .b64 %w;\n\tld.param.u32 %x, [probe_p+4];\n\tld.param.u32 %y, [probe_p+12];\n"
            "\tadd.s32 %x, %x, %y;\n\t{\n\t.param .b32 param0;\n\tst.param.b32 [param0], %x;\n"
            "\t.param .b32 retval0;\n\tcall.uni (retval0), probe_double, (param0);\n\tld.param.b32 %z, [retval0];\n"
            "\t}\n\tcvt.u64.u32 %w, %z;\n\tst.param.b64 [probe_r], %w;\n\tret;\n}");
        probe.output("d", Kind::U64, d).declare(".reg .b32 %x;").body("mul.lo.s32 %x, %t, 3;");
        probe.body("{\n\t.param .align 8 .b8 param0[16];\n\tst.param.v2.b32 [param0+0], {%x, %t};");
        probe.body("st.param.b32 [param0+8], 0;\n\tst.param.b32 [param0+12], %x;\n\t.param .b64 retval0;");
        probe.body("call.uni (retval0), probe_sum, (param0);\n\tld.param.b64 %d, [retval0];\n\t}");
    });
}

} // namespace

void addControl(Forms& forms)
{
    addGuards(forms);
    addBranches(forms);
    addNames(forms);
    addExits(forms);
    addCalls(forms);
}

} // namespace flashstep::conform
