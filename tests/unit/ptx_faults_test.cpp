// SPDX-License-Identifier: Apache-2.0
// Each class of fault, planted in a kernel of a few lines: it is found, where it is, and a sound twin is not accused.
#include "core/ptx/machine.h"
#include "core/ptx/parser.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace flashstep::ptx {
namespace {

struct Outcome {
    std::vector<Finding> findings;
    std::vector<BlockedWarp> deadlock;
    std::shared_ptr<const Code> code;
    std::vector<std::uint32_t> out; // the buffer `out` at the end

    [[nodiscard]] std::uint32_t lineOf(const Party& party) const { return code->statementAt(party.pc).line; }
    [[nodiscard]] std::string text() const
    {
        std::string all;
        for (const Finding& f : findings)
            all += std::string(name(f.fault)) + " line " + std::to_string(lineOf(f.party)) + " lane "
                + std::to_string(f.party.lane) + ": " + f.text + "\n";
        return all;
    }
    [[nodiscard]] bool has(Fault fault) const
    {
        return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.fault == fault; });
    }
};

struct Shape {
    std::uint32_t threads = 64;
    std::uint32_t ctas = 1;
    RunOptions options {};
};

// A kernel `k` with parameters out (poisoned, 1024 words) and in (1024 words, each its index). The body's first line is
// line 1.
Outcome runBody(const std::string& body, const Shape& shape = {})
{
    const std::string head
        = ".version 8.0 .target sm_80 .address_size 64 .visible .entry k(.param .u64 out, .param .u64 in) {"
          " .reg .b32 %r<64>; .reg .b64 %rd<32>; .reg .f32 %f<16>; .reg .pred %p<8>; .reg .b16 %h<4>;"
          " .shared .align 128 .b8 tile[4096]; mov.u32 %r0, %tid.x; mov.u32 %r1, tile; "
          " ld.param.u64 %rd0, [out]; ld.param.u64 %rd1, [in]; ";
    auto module = parse(head + body + "\nret; }", "k.ptx");
    EXPECT_TRUE(module.ok()) << (module ? "" : module.error().line());
    auto code = load(std::make_shared<const Module>(std::move(module).value()), "k", "k.ptx");
    EXPECT_TRUE(code.ok()) << (code ? "" : code.error().line());
    Outcome outcome;
    outcome.code = std::make_shared<const Code>(std::move(code).value());
    GlobalMemory memory;
    std::vector<std::byte> in(4096);
    for (std::uint32_t k = 0; k < 1024; ++k)
        std::memcpy(in.data() + 4 * k, &k, 4);
    const std::uint64_t addresses[2] = { memory.allocatePoisoned("out", 4096), memory.allocate("in", in, false) };
    Launch launch;
    launch.block[0] = shape.threads;
    launch.grid[0] = shape.ctas;
    launch.parameters.resize(16);
    std::memcpy(launch.parameters.data(), addresses, 16);
    RunOptions options = shape.options;
    options.gpu = findGpu("a100");
    auto machine = Machine::start(outcome.code, launch, std::move(memory), options, std::make_shared<Checker>());
    EXPECT_TRUE(machine.ok()) << (machine ? "" : machine.error().line());
    machine->run({});
    outcome.findings = machine->findings().all();
    outcome.deadlock = machine->deadlock();
    outcome.out.resize(1024);
    std::memcpy(
        outcome.out.data(), machine->memory().data(machine->memory().find(addresses[0], 4), addresses[0]), 4096);
    return outcome;
}

void expectOne(const Outcome& outcome, Fault fault, std::uint32_t line)
{
    ASSERT_EQ(outcome.findings.size(), 1U) << outcome.text();
    EXPECT_EQ(outcome.findings[0].fault, fault) << outcome.text();
    EXPECT_EQ(outcome.lineOf(outcome.findings[0].party), line) << outcome.text();
}
void expectClean(const Outcome& outcome)
{
    EXPECT_TRUE(outcome.findings.empty()) << outcome.text();
    EXPECT_TRUE(outcome.deadlock.empty());
}

// Each thread writes its word and reads its neighbour's in the other warp.
const std::string exchange = R"(
shl.b32 %r2, %r0, 2; add.s32 %r3, %r1, %r2; st.shared.u32 [%r3], %r0;
BARRIER
xor.b32 %r4, %r2, 128; add.s32 %r5, %r1, %r4;
ld.shared.u32 %r6, [%r5];
cvt.u64.u32 %rd2, %r2; add.s64 %rd3, %rd0, %rd2; st.global.u32 [%rd3], %r6;)";
std::string with(std::string text, const std::string& what, const std::string& by)
{
    return text.replace(text.find(what), what.size(), by);
}

TEST(PtxFaults, WarpsThatExchangeWithoutABarrierRace)
{
    const Outcome sound = runBody(with(exchange, "BARRIER", "bar.sync 0;"));
    expectClean(sound);
    EXPECT_EQ(sound.out[3], 35U);
    const Outcome broken = runBody(with(exchange, "BARRIER", ""));
    ASSERT_FALSE(broken.findings.empty());
    const Finding& f = broken.findings[0];
    EXPECT_EQ(f.fault, broken.has(Fault::Race) ? Fault::Race : Fault::UninitialisedRead) << broken.text();
    EXPECT_TRUE(broken.has(Fault::Race)) << broken.text();
    const auto race = std::find_if(
        broken.findings.begin(), broken.findings.end(), [](const Finding& x) { return x.fault == Fault::Race; });
    ASSERT_TRUE(race->other.has_value());
    EXPECT_NE(race->other->warp, race->party.warp);
    EXPECT_EQ(std::max(broken.lineOf(race->party), broken.lineOf(*race->other)), 5U);
    EXPECT_EQ(std::min(broken.lineOf(race->party), broken.lineOf(*race->other)), 2U);
    EXPECT_EQ(classOf(race->fault), 'l');
}

TEST(PtxFaults, LanesOfOneWarpRaceWithoutBarWarpSync)
{
    const std::string body = with(exchange, "128", "4");
    const Shape one { 32, 1, {} };
    expectClean(runBody(with(body, "BARRIER", "bar.warp.sync 0xffffffff;"), one));
    expectOne(runBody(with(body, "BARRIER", ""), one), Fault::Race, 5);
}

TEST(PtxFaults, LanesThatWriteOnePlaceRaceUnlessTheyAgree)
{
    expectClean(runBody("\nst.shared.u32 [%r1], 7;", { 32, 1, {} }));
    expectOne(runBody("\nst.shared.u32 [%r1], %r0;", { 32, 1, {} }), Fault::Race, 2);
}

TEST(PtxFaults, CtasThatWriteOnePlaceRaceUnlessAtomically)
{
    expectClean(runBody("\nred.global.add.u32 [%rd1], 1;", { 32, 4, {} }));
    const Outcome broken = runBody("\nmov.u32 %r2, %ctaid.x; st.global.u32 [%rd0], %r2;", { 1, 3, {} });
    expectOne(broken, Fault::Race, 2);
    EXPECT_NE(broken.findings[0].other->cta, broken.findings[0].party.cta);
}

// Another CTA's value, told by a flag: fences on both sides order it.
TEST(PtxFaults, AFlagWithFencesOrdersWhatCameBefore)
{
    const auto body = [](const std::string& fence) {
        return "\nmov.u32 %r2, %ctaid.x; setp.ne.u32 %p0, %r2, 0; @%p0 bra READER;\nst.global.u32 [%rd0], 5; " + fence
            + " atom.global.exch.b32 %r3, [%rd0+64], 1; bra END;\n"
              "READER:\nld.volatile.global.u32 %r4, [%rd0+64]; setp.ne.u32 %p1, %r4, 1; @%p1 bra READER;\n"
            + fence + " ld.global.u32 %r5, [%rd0]; st.global.u32 [%rd0+128], %r5;\nEND:";
    };
    Shape shape { 1, 2, {} };
    shape.options.orderSeed = 3;
    const auto withoutPoison = [](Outcome o) { // the flag is poisoned at the start: reading it so is planted on purpose
        std::erase_if(o.findings, [](const Finding& f) { return f.fault == Fault::UninitialisedRead; });
        return o;
    };
    const Outcome sound = withoutPoison(runBody(body("membar.gl;"), shape));
    EXPECT_TRUE(sound.findings.empty()) << sound.text();
    EXPECT_EQ(sound.out[32], 5U);
    const Outcome broken = withoutPoison(runBody(body(""), shape));
    EXPECT_TRUE(broken.has(Fault::Race)) << broken.text();
}

// A lock in shared memory: exchange to take it, a store to give it back.
TEST(PtxFaults, AnAtomicInSharedMemoryOrdersWhatItsFencesSay)
{
    const auto body = [](const std::string& fence) {
        return "\nsetp.eq.u32 %p0, %r0, 0; @%p0 st.shared.u32 [%r1], 0; bar.sync 0;\n"
               "and.b32 %r2, %r0, 31; setp.ne.u32 %p1, %r2, 0; @%p1 bra END;\n"
               "TAKE: atom.shared.cas.b32 %r3, [%r1], 0, 1; setp.ne.u32 %p2, %r3, 0; @%p2 bra TAKE;\n"
            + fence + "\nst.shared.u32 [%r1+64], %r0;\n" + fence + "\natom.shared.exch.b32 %r4, [%r1], 0;\nEND:";
    };
    expectClean(runBody(body("membar.cta;"), { 64, 1, {} }));
    expectOne(runBody(body(""), { 64, 1, {} }), Fault::Race, 6);
    const std::string qualified
        = "\nsetp.eq.u32 %p0, %r0, 0; @%p0 st.shared.u32 [%r1], 0; bar.sync 0;\n"
          "and.b32 %r2, %r0, 31; setp.ne.u32 %p1, %r2, 0; @%p1 bra END;\n"
          "TAKE: atom.acquire.cta.shared.cas.b32 %r3, [%r1], 0, 1; setp.ne.u32 %p2, %r3, 0; @%p2 bra "
          "TAKE;\nst.shared.u32 [%r1+64], %r0;\natom.release.cta.shared.exch.b32 %r4, [%r1], 0;\nEND:";
    expectClean(runBody(qualified, { 64, 1, {} }));
}

TEST(PtxFaults, ReadsOfWhatNobodyWrote)
{
    const Outcome shared = runBody("\nld.shared.u32 %r2, [%r1+16];", { 1, 1, {} });
    expectOne(shared, Fault::UninitialisedRead, 2);
    EXPECT_EQ(shared.findings[0].place, "shared + 0x410");
    const Outcome global = runBody("\nld.global.u32 %r2, [%rd0+8];", { 1, 1, {} });
    expectOne(global, Fault::UninitialisedRead, 2);
    EXPECT_EQ(global.findings[0].place, "out + 0x8");
    // A register: where its value leaves the lane, not where it is passed on.
    const Outcome reg = runBody("\nadd.s32 %r9, %r8, 1;\nst.global.u32 [%rd0], %r9;", { 1, 1, {} });
    expectOne(reg, Fault::UninitialisedRead, 3);
    expectClean(runBody("\nadd.s32 %r9, %r8, 1; mov.u32 %r9, 2; st.global.u32 [%rd0], %r9;", { 1, 1, {} }));
    // Only in the lanes that skipped the write.
    const Outcome lanes
        = runBody("\nsetp.lt.u32 %p0, %r0, 5; @%p0 mov.u32 %r9, 1; shl.b32 %r2, %r0, 2;\ncvt.u64.u32 %rd2, %r2; "
                  "add.s64 %rd3, %rd0, %rd2; st.global.u32 [%rd3], %r9;",
            { 32, 1, {} });
    expectOne(lanes, Fault::UninitialisedRead, 3);
    EXPECT_EQ(lanes.findings[0].party.lane, 5);
}

TEST(PtxFaults, AccessesOutsideAndAskew)
{
    const Outcome behind = runBody("\nld.global.u32 %r2, [%rd1+4096];", { 1, 1, {} });
    expectOne(behind, Fault::OutOfRange, 2);
    expectOne(runBody("\nst.global.u32 [%rd0+-4], 1;", { 1, 1, {} }), Fault::OutOfRange, 2);
    expectOne(runBody("\nst.shared.u32 [%r1+4096], 1;", { 1, 1, {} }), Fault::OutOfRange, 2);
    expectOne(runBody("\nmov.u64 %rd5, 0; st.global.u32 [%rd5], 1;", { 1, 1, {} }), Fault::OutOfRange, 2);
    expectOne(runBody("\nld.global.u32 %r2, [%rd1+2];", { 1, 1, {} }), Fault::Misaligned, 2);
    expectOne(runBody("\nld.global.v4.u32 {%r2,%r3,%r4,%r5}, [%rd1+8];", { 1, 1, {} }), Fault::Misaligned, 2);
    expectOne(runBody("\nst.shared.u64 [%r1+4], %rd0;", { 1, 1, {} }), Fault::Misaligned, 2);
    EXPECT_EQ(classOf(Fault::Misaligned), 'n');
}

// 16 bytes from `in`, waited for (or not), read.
const std::string copied = R"(
shl.b32 %r2, %r0, 4; add.s32 %r3, %r1, %r2; cvt.u64.u32 %rd2, %r2; add.s64 %rd3, %rd1, %rd2;
cp.async.cg.shared.global [%r3], [%rd3], 16; cp.async.commit_group;
WAIT
ld.shared.u32 %r6, [%r3];
cvt.u64.u32 %rd4, %r0; shl.b64 %rd4, %rd4, 2; add.s64 %rd5, %rd0, %rd4; st.global.u32 [%rd5], %r6;
cp.async.wait_all;)";

TEST(PtxFaults, CopiesTouchedBeforeTheirWait)
{
    for (const Landing landing : { Landing::Late, Landing::Early, Landing::Either }) {
        Shape shape { 32, 1, {} };
        shape.options.landing = landing;
        const Outcome sound = runBody(with(copied, "WAIT", "cp.async.wait_group 0;"), shape);
        expectClean(sound);
        EXPECT_EQ(sound.out[3], 12U);
        expectOne(runBody(with(copied, "WAIT", ""), shape), Fault::CopyNotWaited, 5);
        expectOne(runBody(with(copied, "WAIT", "cp.async.wait_group 1;"), shape), Fault::CopyNotWaited, 5);
    }
    // By another thread: its own wait says nothing of this one's copies.
    const std::string crossed = with(with(copied, "WAIT", "cp.async.wait_group 0;"), "ld.shared.u32 %r6, [%r3];",
        "xor.b32 %r7, %r3, 16; ld.shared.u32 %r6, [%r7];");
    expectOne(runBody(crossed, { 32, 1, {} }), Fault::Race, 5);
    expectClean(runBody(with(crossed, "xor.b32", "bar.sync 0; xor.b32"), { 32, 1, {} }));
    // A write where the copy is still going.
    expectOne(runBody(with(with(copied, "WAIT", ""), "ld.shared.u32 %r6, [%r3];",
                          "st.shared.u32 [%r3], %r0; mov.u32 %r6, 0;"),
                  { 32, 1, {} }),
        Fault::CopyNotWaited, 5);
    // And of what it still has to read.
    expectOne(runBody(with(with(copied, "WAIT", ""), "ld.shared.u32 %r6, [%r3];",
                          "st.global.u32 [%rd3], %r0; mov.u32 %r6, 0;"),
                  { 32, 1, {} }),
        Fault::CopyNotWaited, 5);
}

TEST(PtxFaults, LeavingWithACopyOnItsWay)
{
    const Outcome broken
        = runBody("\ncp.async.ca.shared.global [%r1], [%rd1], 4;\ncp.async.commit_group;", { 1, 1, {} });
    ASSERT_EQ(broken.findings.size(), 1U) << broken.text();
    EXPECT_EQ(broken.findings[0].fault, Fault::CopyInFlightAtExit);
    EXPECT_EQ(broken.lineOf(*broken.findings[0].other), 2U);
}

TEST(PtxFaults, CollectivesThatPartOfAWarpReaches)
{
    const auto half = [](const std::string& what) {
        return "\nsetp.lt.u32 %p0, %r0, 16;\n@!%p0 bra OVER;\n" + what + "\nOVER: mov.u32 %r20, 1;";
    };
    expectOne(runBody(half("bar.sync 0;"), { 32, 1, {} }), Fault::DivergentCollective, 4);
    expectOne(
        runBody(half("shfl.sync.bfly.b32 %r5, %r0, 1, 31, 0xffffffff;"), { 32, 1, {} }), Fault::DivergentCollective, 4);
    expectOne(
        runBody(half("vote.sync.ballot.b32 %r5, %p0, 0xffffffff;"), { 32, 1, {} }), Fault::DivergentCollective, 4);
    expectOne(runBody(half("bar.warp.sync 0xffffffff;"), { 32, 1, {} }), Fault::DivergentCollective, 4);
    expectOne(
        runBody(
            half("{ .reg .f32 c<4>; mov.f32 c0, 0f00000000; mov.f32 c1, c0; mov.f32 c2, c0; mov.f32 c3, c0; mov.u32 "
                 "%r10, 0; mov.u32 %r11, 0;"
                 " mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {c0,c1,c2,c3},{%r10,%r11},{%r10},{c0,c1,c2,c3}; }"),
            { 32, 1, {} }),
        Fault::DivergentCollective, 4);
    // With the mask of those that come it is sound; and lanes that have left are not waited for.
    expectClean(runBody(half("shfl.sync.bfly.b32 %r5, %r0, 1, 31, 0xffff;"), { 32, 1, {} }));
    expectClean(
        runBody("\nsetp.lt.u32 %p0, %r0, 16; @%p0 ret; bar.sync 0; shfl.sync.bfly.b32 %r5, %r0, 1, 31, 0xffffffff;",
            { 32, 1, {} }));
    // A lane that its own mask leaves out.
    expectOne(runBody("\nshfl.sync.bfly.b32 %r5, %r0, 1, 31, 0xffff;", { 32, 1, {} }), Fault::DivergentCollective, 2);
}

TEST(PtxFaults, BarriersThatDoNotFit)
{
    expectOne(runBody("\nmov.u32 %r2, 16; bar.sync %r2;", { 32, 1, {} }), Fault::BarrierMisuse, 2);
    expectOne(runBody("\nmov.u32 %r2, 40; bar.sync 1, %r2;", { 64, 1, {} }), Fault::BarrierMisuse, 2);
    const std::string counts
        = "\nsetp.lt.u32 %p0, %r0, 32; @%p0 bra A;\nbar.sync 1, 96; bra B;\nA: bar.sync 1, 64;\nB:";
    EXPECT_TRUE(runBody(counts, { 96, 1, {} }).has(Fault::BarrierMisuse));
}

TEST(PtxFaults, AWaitForNobodyIsADeadlockThatSaysWhoWaits)
{
    const std::string body = "\nsetp.lt.u32 %p0, %r0, 32; @!%p0 bra OVER;\nbar.sync 3, 64;\nOVER:\nbar.sync 0;";
    const Outcome stuck = runBody(body, { 64, 1, {} });
    ASSERT_EQ(stuck.deadlock.size(), 2U);
    EXPECT_EQ(stuck.deadlock[0].warp, 0U);
    EXPECT_EQ(stuck.code->statementAt(stuck.deadlock[0].pc).line, 3U);
    EXPECT_EQ(stuck.deadlock[0].waitingFor, "barrier 3: 32 of 64 threads have arrived");
    EXPECT_EQ(stuck.code->statementAt(stuck.deadlock[1].pc).line, 5U);
    expectClean(runBody(with(body, "bar.sync 3, 64", "bar.arrive 3, 64"), { 64, 1, {} }));
}

TEST(PtxFaults, ProducerAndConsumerByArriveAndSync)
{
    // Warp 0 writes and arrives, warp 1 syncs and reads.
    const auto body = [](const std::string& producer) {
        return "\nshl.b32 %r2, %r0, 2; and.b32 %r2, %r2, 127; add.s32 %r3, %r1, %r2; setp.lt.u32 %p0, %r0, 32; @!%p0 "
               "bra C;\n"
            + producer + " bra OVER;\nC: bar.sync 2, 64; ld.shared.u32 %r6, [%r3];\nOVER:";
    };
    expectClean(runBody(body("st.shared.u32 [%r3], %r0; bar.arrive 2, 64;"), { 64, 1, {} }));
    const Outcome late = runBody(body("bar.arrive 2, 64; st.shared.u32 [%r3], %r0;"), { 64, 1, {} });
    EXPECT_TRUE(late.has(Fault::Race) || late.has(Fault::UninitialisedRead)) << late.text();
    EXPECT_TRUE(late.has(Fault::Race)) << late.text();
}

TEST(PtxFaults, TrapsAndEndlessLoopsEnd)
{
    EXPECT_TRUE(runBody("\ntrap;", { 32, 1, {} }).has(Fault::Trap));
    Shape shape { 32, 1, {} };
    shape.options.maxInstructions = 10000;
    expectOne(runBody("\nL: bra L;", shape), Fault::Limit, 2);
}

TEST(PtxFaults, EachIsToldOnceHoweverOftenItHappens)
{
    const Outcome many = runBody(
        "\nmov.u32 %r2, 0;\nL: ld.global.u32 %r3, [%rd1+4096]; add.s32 %r2, %r2, 1; setp.lt.s32 %p0, %r2, 50; "
        "@%p0 bra L;",
        { 64, 3, {} });
    expectOne(many, Fault::OutOfRange, 3);
}

// An unrolled loop: two instructions of one line of the source are one place; of two lines they are two.
TEST(PtxFaults, InstructionsOfOneLineAreOnePlace)
{
    const auto body = [](const std::string& second) {
        return "\n.loc 1 7 3\nld.global.u32 %r2, [%rd1+4096];\n.loc 1 " + second
            + " 3\nld.global.u32 %r3, [%rd1+4100];";
    };
    expectOne(runBody(body("7"), { 1, 1, {} }), Fault::OutOfRange, 3);
    EXPECT_EQ(runBody(body("8"), { 1, 1, {} }).findings.size(), 2U);
}

} // namespace
} // namespace flashstep::ptx
