// SPDX-License-Identifier: Apache-2.0
// Barriers of a CTA and fences: PTX ISA 9.7.13.1 and 9.7.13.4.
#include "probe.h"

namespace flashstep::conform {
namespace {

constexpr std::size_t threads = 128;

Answers reversedOf(const Values& a, std::size_t group)
{
    Answers result;
    for (std::size_t i = 0; i < a.size(); ++i)
        result.emplace_back(a[i / group * group + (group - 1 - i % group)]);
    return result;
}

// Each thread writes its value to shared memory and reads, behind the barrier, the one of its mirror in its group.
void exchange(Forms& forms, const std::string& name, std::size_t group, const std::string& barrier)
{
    add(forms, name, "9.7.13.1", [=](Probe& probe) {
        const Values a = noise(Kind::U32, threads, 22);
        probe.block(threads).input("a", Kind::U32, a).output("d", Kind::U32, reversedOf(a, group));
        probe.declare(".shared .align 4 .b8 probe_room[512];").declare(".reg .b32 %x, %y, %b, %g, %id, %n;");
        probe.body("mov.u32 %b, probe_room;").body("mad.lo.s32 %x, %t, 4, %b;").body("st.shared.u32 [%x], %a;");
        probe.body("shr.u32 %g, %t, 5;").body("add.s32 %id, %g, 1;").body("mov.u32 %n, 64;").body(barrier);
        probe.body("xor.b32 %y, %t, " + std::to_string(group - 1) + ";").body("mad.lo.s32 %y, %y, 4, %b;");
        probe.body("ld.shared.u32 %d, [%y];");
    });
}

void addPlain(Forms& forms)
{
    exchange(forms, "bar.sync 0", 128, "bar.sync 0;");
    exchange(forms, "bar.sync id, count", 128, "bar.sync 3, 128;");
    exchange(forms, "bar.cta.sync", 128, "bar.cta.sync 1;");
    exchange(forms, "barrier.sync", 128, "barrier.sync 2;");
    exchange(forms, "barrier.sync.aligned", 128, "barrier.sync.aligned 2, 128;");
    exchange(forms, "barrier.cta.sync.aligned", 128, "barrier.cta.sync.aligned 15;");
    exchange(forms, "bar.sync of each pair of warps", 64,
        "shr.u32 %id, %t, 6;\n\tadd.s32 %id, %id, 4;\n\tbar.sync %id, %n;");
    exchange(forms, "bar.sync of each warp alone", 32, "bar.sync %id, 32;");
    // Reached at two places of the text by halves of the CTA, then by all again.
    exchange(forms, "bar.sync at two places", 128,
        ".reg .pred %low;\n\tsetp.lt.u32 %low, %t, 64;\n\t@%low bra LOW;\n\tbar.sync 0;\n\tbra.uni "
        "JOINED;\nLOW:\n\tbar.sync "
        "0;\nJOINED:\n\tbar.sync 0;");
    exchange(forms, "barrier.sync in divergent code", 128,
        ".reg .pred %odd;\n\tand.b32 %g, %t, 1;\n\tsetp.eq.s32 %odd, %g, 1;\n\t@%odd bra ODD;\n\tbarrier.sync "
        "1;\n\tbra "
        "JOINED;\nODD:\n\tbarrier.sync 1;\nJOINED:\n\tbarrier.sync 0;");
    // The same barrier in every turn of a loop, as a tile loop has it.
    add(forms, "bar.sync in a loop", "9.7.13.1", [](Probe& probe) {
        Values a;
        Answers d;
        for (std::size_t i = 0; i < threads; ++i)
            a.push_back(i * i);
        Values now = a;
        for (int turn = 0; turn < 5; ++turn) { // everyone adds what the neighbour had
            Values next = now;
            for (std::size_t i = 0; i < threads; ++i)
                next[i] = masked(now[i] + now[(i + 1) % threads], 32);
            now = next;
        }
        d.assign(now.begin(), now.end());
        probe.block(threads).input("a", Kind::U32, a).output("d", Kind::U32, d);
        probe.declare(".shared .align 4 .b8 probe_room[512];")
            .declare(".reg .b32 %x, %y, %b, %n, %v;")
            .declare(".reg .pred %p;");
        probe.body("mov.u32 %b, probe_room;").body("mad.lo.s32 %x, %t, 4, %b;").body("add.s32 %y, %t, 1;");
        probe.body("and.b32 %y, %y, 127;")
            .body("mad.lo.s32 %y, %y, 4, %b;")
            .body("mov.u32 %d, %a;")
            .body("mov.u32 %n, 0;");
        probe.body("AGAIN:").body("st.shared.u32 [%x], %d;").body("bar.sync 0;").body("ld.shared.u32 %v, [%y];");
        probe.body("bar.sync 0;").body("add.s32 %d, %d, %v;").body("add.s32 %n, %n, 1;").body("setp.lt.s32 %p, %n, 5;");
        probe.body("@%p bra AGAIN;");
    });
}

// Two warps produce and only arrive; two consume and wait; then the roles' second barrier gives the room back.
void addArrive(Forms& forms)
{
    for (const std::string form : { "bar", "barrier" }) {
        const std::string tail = form == "bar" ? "" : ".aligned";
        add(forms, form + ".arrive" + tail + " " + form + ".sync" + tail, "9.7.13.1", [=](Probe& probe) {
            const Values a = noise(Kind::U32, threads, 23);
            Answers d;
            for (std::size_t i = 0; i < threads; ++i) {
                std::uint64_t total = 0;
                for (std::uint64_t turn = 0; turn < 3; ++turn)
                    total += i < 64 ? 0 : a[127 - i] + turn;
                d.emplace_back(i < 64 ? 0xEEEEEEEE : total);
            }
            probe.block(threads).input("a", Kind::U32, a).output("d", Kind::U32, d);
            probe.declare(".shared .align 4 .b8 probe_room[256];").declare(".reg .b32 %x, %y, %b, %n, %v;");
            probe.declare(".reg .pred %p, %q;").body("mov.u32 %b, probe_room;").body("mov.u32 %n, 0;");
            probe.body("setp.ge.u32 %p, %t, 64;").body("@%p bra CONSUME;");
            probe.body("mad.lo.s32 %x, %t, 4, %b;").body("PRODUCE:").body("add.s32 %v, %a, %n;");
            probe.body("st.shared.u32 [%x], %v;").body(form + ".arrive" + tail + " 1, 128;");
            probe.body(form + ".sync" + tail + " 2, 128;").body("add.s32 %n, %n, 1;").body("setp.lt.s32 %q, %n, 3;");
            probe.body("@%q bra PRODUCE;").body("bra.uni DONE;").body("CONSUME:").body("mov.u32 %d, 0;");
            probe.body("sub.s32 %y, 127, %t;").body("mad.lo.s32 %y, %y, 4, %b;").body("NEXT:");
            probe.body(form + ".sync" + tail + " 1, 128;").body("ld.shared.u32 %v, [%y];").body("add.s32 %d, %d, %v;");
            probe.body(form + ".arrive" + tail + " 2, 128;").body("add.s32 %n, %n, 1;").body("setp.lt.s32 %q, %n, 3;");
            probe.body("@%q bra NEXT;").body("DONE:");
        });
    }
}

void reduction(Forms& forms, const std::string& instruction, const std::string& name,
    std::uint64_t (*f)(std::uint64_t ones), bool inverted)
{
    for (const int pattern : { 0, 1, 2 }) {
        const char* const patterns[] = { "none", "some", "all" };
        add(forms, name + " " + patterns[pattern], "9.7.13.1", [=](Probe& probe) {
            Values a;
            std::uint64_t ones = 0;
            for (std::size_t i = 0; i < threads; ++i) {
                a.push_back(pattern == 2 || (pattern == 1 && i % 5 == 3));
                ones += (a.back() != 0) != inverted;
            }
            probe.block(threads).input("a", Kind::U32, a).output("d", Kind::U32, Answers(threads, Expected(f(ones))));
            probe.declare(".reg .pred %p, %q;").body("setp.ne.u32 %p, %a, 0;").body(instruction);
        });
    }
}

void addReductions(Forms& forms)
{
    const auto all = [](std::uint64_t n) { return std::uint64_t { n == threads }; };
    const auto any = [](std::uint64_t n) { return std::uint64_t { n != 0 }; };
    const auto count = [](std::uint64_t n) { return n; };
    reduction(forms, "bar.red.and.pred %q, 0, %p;\n\tselp.u32 %d, 1, 0, %q;", "bar.red.and.pred", all, false);
    reduction(forms, "bar.red.or.pred %q, 0, %p;\n\tselp.u32 %d, 1, 0, %q;", "bar.red.or.pred", any, false);
    reduction(forms, "bar.red.popc.u32 %d, 0, %p;", "bar.red.popc.u32", count, false);
    reduction(forms, "bar.red.popc.u32 %d, 1, 128, !%p;", "bar.red.popc.u32 !p", count, true);
    reduction(forms, "barrier.red.popc.aligned.u32 %d, 0, %p;", "barrier.red.popc.aligned.u32", count, false);
    reduction(forms, "barrier.red.or.aligned.pred %q, 2, %p;\n\tselp.u32 %d, 1, 0, %q;", "barrier.red.or.aligned.pred",
        any, false);
}

// Alone a fence changes nothing that its own thread sees.
void addFences(Forms& forms)
{
    for (const char* const fence : { "membar.cta", "membar.gl", "membar.sys", "fence.acq_rel.cta", "fence.acq_rel.gpu",
             "fence.acq_rel.sys", "fence.sc.cta", "fence.sc.gpu", "fence.sc.sys" }) {
        const std::string text = fence;
        add(forms, text, "9.7.13.4", [text](Probe& probe) {
            const Values a = noise(Kind::U32, threads, 24);
            probe.block(threads)
                .input("a", Kind::U32, a)
                .array(outputBuffer("to", Kind::U32, Answers(a.begin(), a.end())));
            probe.output("d", Kind::U32, Answers(a.begin(), a.end())).declare(".reg .b64 %x;");
            probe.body("mul.wide.u32 %x, %i, 4;").body("add.s64 %x, %x, %to;").body("st.global.u32 [%x], %a;");
            probe.body(text + ";").body("ld.global.u32 %d, [%x];");
        });
    }
    // A flag passes a value from one CTA to the other: the last to count itself reads what the other wrote.
    add(forms, "membar.gl between two CTAs", "9.7.13.4", [](Probe& probe) {
        Buffer room = outputBuffer("room", Kind::U32, { Expected(101), Expected(102) }, 0);
        Buffer count = outputBuffer("count", Kind::U32, { Expected(2) }, 0);
        Buffer total = outputBuffer("total", Kind::U32, { Expected(203) }, 0);
        probe.array(room).array(count).array(total).block(32).threads(64);
        probe.declare(".reg .b32 %c, %v, %n, %w;").declare(".reg .b64 %x;").declare(".reg .pred %p;");
        probe.body("setp.ne.u32 %p, %t, 0;").body("@%p bra DONE;").body("mov.u32 %c, %ctaid.x;");
        probe.body("add.s32 %v, %c, 101;").body("mul.wide.u32 %x, %c, 4;").body("add.s64 %x, %x, %room;");
        probe.body("st.global.u32 [%x], %v;").body("membar.gl;").body("atom.global.add.u32 %n, [%count], 1;");
        probe.body("setp.ne.u32 %p, %n, 1;").body("@%p bra DONE;").body("membar.gl;");
        probe.body("ld.volatile.global.u32 %v, [%room];").body("ld.volatile.global.u32 %w, [%room+4];");
        probe.body("add.s32 %v, %v, %w;").body("st.global.u32 [%total], %v;").body("DONE:");
    });
}

} // namespace

void addBarriers(Forms& forms)
{
    addPlain(forms);
    addArrive(forms);
    addReductions(forms);
    addFences(forms);
}

} // namespace flashstep::conform
