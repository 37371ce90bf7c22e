// SPDX-License-Identifier: Apache-2.0
// What a window looks up about an instruction before and after it is executed: the memory it will touch, what has been
// written, how a register is best read, what it does in words.
#include "core/ptx/parser.h"
#include "core/ptx/register_kind.h"
#include "core/ptx/touching.h"
#include "core/ptx/words.h"
#include "core/ptx/written.h"
#include "resources/embedded/resources.h"
#include "tests/support/ptx_text.h"

#include <gtest/gtest.h>

namespace flashstep::ptx {
namespace {

Code codeOf(std::string_view body)
{
    auto module = std::make_shared<const Module>(parsed(kernelText(body)));
    Result<Code> code = load(module, "k", "k.ptx");
    EXPECT_TRUE(code.ok()) << (code ? "" : code.error().line());
    return std::move(code).value();
}

// A warp whose registers are given by lane.
struct Fixture {
    explicit Fixture(std::string_view body)
        : code(codeOf(body))
    {
        warp.cells.assign(std::size_t { code.rowCount } * 32, 0);
        warp.predicates.assign(code.predicateCount + 1, 0);
        warp.live = allLanes;
    }
    void set(std::string_view name, std::uint32_t (*value)(std::uint32_t lane))
    {
        for (std::uint32_t r = 0; r < code.places.size(); ++r) {
            if (code.function->registers[r].name == name) {
                for (std::uint32_t lane = 0; lane < 32; ++lane)
                    warp.cells[std::size_t { code.places[r].row } * 32 + lane] = value(lane);
            }
        }
    }
    Code code;
    Warp warp;
};

TEST(PtxTouching, AStoreTouchesWhatItsAddressesSay)
{
    Fixture f("st.shared.v2.u32 [%r1+16], {%r2, %r3};");
    f.set("%r1", [](std::uint32_t lane) { return 1024 + 8 * lane; });
    const Touching t = touchingOf(f.code, 0, f.warp, 0xffU);
    EXPECT_EQ(t.touched.space, Space::Shared);
    EXPECT_EQ(t.touched.touch, Touch::Write);
    EXPECT_EQ(t.touched.bytes, 8U);
    EXPECT_EQ(t.touched.mask, 0xffU);
    EXPECT_EQ(t.touched.addresses[5], 1024U + 40 + 16);
    EXPECT_EQ(t.source.mask, 0U);
}

TEST(PtxTouching, BanksAreAskedAsTheClockCountsThem)
{
    Fixture f("ld.shared.u32 %r2, [%r1];");
    struct {
        std::uint32_t (*address)(std::uint32_t lane);
        int wavefronts, fewest, asksOfBank0;
    } const cases[] = {
        { [](std::uint32_t lane) { return 1024 + 4 * lane; }, 1, 1, 1 },
        { [](std::uint32_t lane) { return 1024 + 8 * lane; }, 2, 1, 2 },
        { [](std::uint32_t lane) { return 1024 + 128 * lane; }, 32, 1, 32 },
        { [](std::uint32_t) { return 1024U; }, 1, 1, 1 }, // all the same word
    };
    for (const auto& c : cases) {
        f.set("%r1", c.address);
        const Touched touched = touchingOf(f.code, 0, f.warp, allLanes).touched;
        EXPECT_EQ(wavefrontsOf(touched), c.wavefronts);
        EXPECT_EQ(fewestWavefronts(touched), c.fewest);
        EXPECT_EQ(bankAsks(touched)[0], c.asksOfBank0);
    }
}

TEST(PtxTouching, RowsOfAMatrixAreTheFirstLanesAndACopyHasTwoEnds)
{
    Fixture matrix("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r2, %r3}, [%r1];");
    EXPECT_EQ(touchingOf(matrix.code, 0, matrix.warp, allLanes).touched.mask, 0xffffU);
    EXPECT_EQ(touchingOf(matrix.code, 0, matrix.warp, allLanes).touched.bytes, 16U);
    Fixture copy("cp.async.ca.shared.global [%r1+4], [%rd1+8], 4;");
    copy.set("%r1", [](std::uint32_t lane) { return 2048 + 4 * lane; });
    const Touching t = touchingOf(copy.code, 0, copy.warp, 3);
    EXPECT_EQ(t.touched.space, Space::Shared);
    EXPECT_EQ(t.touched.touch, Touch::Write);
    EXPECT_EQ(t.touched.addresses[1], 2048U + 4 + 4);
    EXPECT_EQ(t.source.space, Space::Global);
    EXPECT_EQ(t.source.addresses[1], 8U);
    Fixture none("add.s32 %r1, %r2, %r3;");
    EXPECT_EQ(touchingOf(none.code, 0, none.warp, allLanes).touched.mask, 0U);
}

TEST(PtxRegisterKinds, FollowFromTheInstructionsThatUseARegister)
{
    const Code code = codeOf("add.s32 %r1, %r2, %r3;\n"
                             "fma.rn.f32 %r4, %r4, %r4, %r4;\n"
                             "mov.b32 %r5, 7;\n"
                             "cvt.rn.bf16x2.f32 %r6, %f1, %f2;\n"
                             "setp.lt.s32 %p1, %r1, 4;\n"
                             "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f3,%f4,%f5,%f6}, {%r7,%r7,%r7,%r7}, "
                             "{%r8,%r8}, {%f3,%f4,%f5,%f6};");
    const std::vector<RegisterKind> kinds = registerKinds(code);
    const auto kindOf = [&](std::string_view name) {
        for (std::size_t k = 0; k < kinds.size(); ++k) {
            if (code.function->registers[k].name == name)
                return ptx::name(kinds[k]);
        }
        return std::string_view("absent");
    };
    EXPECT_EQ(kindOf("%r1"), "s32");
    EXPECT_EQ(kindOf("%r4"), "f32");
    EXPECT_EQ(kindOf("%r5"), "hex");
    EXPECT_EQ(kindOf("%r6"), "bf16x2");
    EXPECT_EQ(kindOf("%p1"), "pred");
    EXPECT_EQ(kindOf("%r7"), "f16x2");
    EXPECT_EQ(kindOf("%r8"), "f16x2");
    EXPECT_EQ(kindOf("%f3"), "f32");
}

TEST(PtxWords, EveryInstructionOfTheShippedKernelsHasAFormAndAMeaning)
{
    for (const char* file : { "ptx/standard.ptx", "ptx/fa1_forward.ptx", "ptx/fa2_forward.ptx" }) {
        const auto module = parse(*resource(file), file);
        ASSERT_TRUE(module.ok());
        for (const Function& f : module->functions) {
            for (const Statement& s : f.statements) {
                EXPECT_TRUE(formOf(s).has_value()) << s.text();
                EXPECT_FALSE(meaningOf(s).empty()) << s.text();
            }
        }
    }
}

TEST(PtxWords, TheFormIsThatOfTheStatement)
{
    const Code code
        = codeOf("bar.sync 0;\nbar.warp.sync 0xffffffff;\ncp.async.wait_group 1;\nldmatrix.sync.aligned.m8n8"
                 ".x1.shared.b16 {%r2}, [%r1];\nld.global.u32 %r3, [%rd1];");
    const char* const sections[] = { "9.7.13.1", "9.7.13.2", "9.7.9.25.3", "9.7.14.5.15", "9.7.9.8" };
    for (std::uint32_t pc = 0; pc < 5; ++pc)
        EXPECT_EQ(formOf(code.statementAt(pc))->section, sections[pc]) << pc;
}

// What was written follows from a walk of its own; here from the machine's own account while it checks.
TEST(PtxWritten, RegistersAndSharedMemoryAreThoseOfTheRun)
{
    const cuda::KernelPlan* kernel = cuda::findKernelPlan("fa2_forward_d64");
    auto module = std::make_shared<const Module>(*parse(*resource("ptx/fa2_forward.ptx"), "fa2_forward.ptx"));
    Problem problem;
    problem.seqlenQ = 64;
    problem.seqlenK = 70;
    const Inputs inputs = generateInputs(problem);
    const auto prepared = [&] { return *prepareKernel(*kernel, module, "fa2_forward.ptx", problem, inputs); };
    RunOptions options;
    auto session = std::move(KernelSession::make(prepared(), options, {})).value();
    const Result<Written> written = Written::make(*session, {});
    ASSERT_TRUE(written.ok());

    KernelRun run = prepared();
    Result<Machine> machine
        = Machine::start(run.codes[0], run.launches[0], std::move(run.memory), options, std::make_shared<Checker>());
    ASSERT_TRUE(machine.ok());
    std::uint64_t position = 0;
    std::size_t looked = 0;
    while (machine->step()) {
        ++position;
        if (position % 911 != 0 || machine->resident(0) == nullptr)
            continue;
        const Warp& warp = machine->resident(0)->warps[2];
        for (std::uint32_t r = 0; r < warp.defined.size(); ++r, ++looked)
            ASSERT_EQ(written->lanes(0, 0, 2, r, position), warp.defined[r]) << "register " << r << " at " << position;
    }
    EXPECT_GT(looked, 1000U);
    EXPECT_FALSE(written->shared(0, 0, sharedStart, 0));
    EXPECT_TRUE(written->shared(0, 0, sharedStart, position));
    EXPECT_FALSE(written->shared(0, 0, sharedStart - 2, position));
    EXPECT_FALSE(written->shared(0, 0, std::uint64_t { 1 } << 40U, position));
    EXPECT_EQ(written->lanes(9, 9, 9, 9, position), 0U);
}

} // namespace
} // namespace flashstep::ptx
