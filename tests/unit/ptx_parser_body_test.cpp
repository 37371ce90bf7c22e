// SPDX-License-Identifier: Apache-2.0
#include "tests/support/ptx_text.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace flashstep::ptx;
using Texts = std::vector<std::string>;

// The one statement of a kernel.
std::string one(std::string_view body, std::string_view items = "")
{
    const Texts texts = statementsOf(parsed(kernelText(body, items)));
    return texts.size() == 1 ? texts[0] : std::to_string(texts.size()) + " statements";
}

TEST(PtxParserBody, AnOpcodeAndItsModifiersStandApart)
{
    const Module module
        = parsed(kernelText("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
                            ".L2::cache_hint [%r1], [%rd1, {%r2, -3}], [%r4+8], %rd2;"));
    const Statement& copy = module.functions.at(0).statements.at(0);
    EXPECT_EQ(copy.opcode, "cp");
    EXPECT_EQ(copy.modifiers,
        (Texts { "async", "bulk", "tensor", "2d", "shared::cluster", "global", "mbarrier::complete_tx::bytes",
            "L2::cache_hint" }));
    EXPECT_EQ(
        copy.text(), "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint");
    EXPECT_EQ(copy.line, 9U);
    EXPECT_EQ(copy.location, none);
    EXPECT_EQ(copy.guard, none);
    EXPECT_EQ(textOf(module, module.functions[0], copy), copy.text() + " [%r1], [%rd1, {%r2, -3}], [%r4+8], %rd2");
}

TEST(PtxParserBody, StatementsShareLinesAndSpreadOverThem)
{
    const Module module = parsed(
        kernelText("bar.sync \t0; add .s32\n%r1,\n%r2 , // so\n%r3\n; @%p1 ret;\n@ ! %p2\nbra.uni END; END: ret;"));
    EXPECT_EQ(statementsOf(module),
        (Texts { "bar.sync 0", "add.s32 %r1, %r2, %r3", "@%p1 ret", "@!%p2 bra.uni ->4", "ret" }));
    Texts lines;
    for (const Statement& statement : module.functions.at(0).statements)
        lines.push_back(std::to_string(statement.line));
    EXPECT_EQ(lines, (Texts { "9", "9", "13", "15", "15" }));
}

TEST(PtxParserBody, OperandsOfEveryKind)
{
    EXPECT_EQ(one("setp.eq.and.s32 %p1|%p2, %r1, -5, !%p3;"), "setp.eq.and.s32 %p1|%p2, %r1, -5, !%p3");
    EXPECT_EQ(one("elect.sync _|%p1, -1;"), "elect.sync _|%p1, -1");
    EXPECT_EQ(one("shfl.sync.bfly.b32 %r1|_, %r2, 1, 31, -1;"), "shfl.sync.bfly.b32 %r1, %r2, 1, 31, -1");
    EXPECT_EQ(one("mbarrier.arrive.shared::cta.b64 _, [%r1];"), "mbarrier.arrive.shared::cta.b64 _, [%r1]");
    EXPECT_EQ(one("mov.u32 %r1, %ctaid.y;"), "mov.u32 %r1, %ctaid.y");
    EXPECT_EQ(one("mov.u32 %r1, %lanemask_lt;"), "mov.u32 %r1, %lanemask_lt");
    EXPECT_EQ(one("mov.u64 %rd1, %clock64;"), "mov.u64 %rd1, %clock64");
    EXPECT_EQ(one("mov.f32 %f1, 0fBF800000;"), "mov.f32 %f1, -1.000000f");
    EXPECT_EQ(one("mov.f64 %fd1, 0d3FE0000000000000;"), "mov.f64 %fd1, 0.500000d");
    EXPECT_EQ(one("mov.f64 %fd1, -1.5e2;"), "mov.f64 %fd1, -150.000000d");
    EXPECT_EQ(one("mov.b32 %r1, {%rs1, 0};"), "mov.b32 %r1, {%rs1, 0}");
    EXPECT_EQ(one("mov.b32 {_, %rs1}, %r1;"), "mov.b32 {_, %rs1}, %r1");
    EXPECT_EQ(one("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f0,%f1,%f2,%f3}, {%r0,%r1,%r2,%r3}, "
                  "{%r4,%r5}, {%f0,%f1,%f2,%f3};"),
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f0, %f1, %f2, %f3}, {%r0, %r1, %r2, %r3}, {%r4, %r5}, "
        "{%f0, %f1, %f2, %f3}");
    EXPECT_EQ(one("createpolicy.fractional.L2::evict_last.b64 %rd1, 1.0;"),
        "createpolicy.fractional.L2::evict_last.b64 %rd1, 1.000000d");
    EXPECT_EQ(one("mov.u64 %rd1, f;", ".func f() {ret;}"), "mov.u64 %rd1, f");
    EXPECT_EQ(one("fence.proxy.async;"), "fence.proxy.async");
}

TEST(PtxParserBody, AddressesOfEveryKind)
{
    const std::string_view items = ".global .u32 g[4]; .extern .shared .b8 dyn[];";
    EXPECT_EQ(one("ld.global.u32 %r1, [%rd1];"), "ld.global.u32 %r1, [%rd1]");
    EXPECT_EQ(one("ld.global.u32 %r1, [%rd1+4*2];"), "ld.global.u32 %r1, [%rd1+8]");
    EXPECT_EQ(one("ld.global.u32 %r1, [%rd1+-16];"), "ld.global.u32 %r1, [%rd1-16]");
    EXPECT_EQ(one("ld.global.u32 %r1, [%rd1-16];"), "ld.global.u32 %r1, [%rd1-16]");
    EXPECT_EQ(one("ld.shared.u32 %r1, [dyn+0];", items), "ld.shared.u32 %r1, [dyn]");
    EXPECT_EQ(one("ld.global.u32 %r1, [g+12];", items), "ld.global.u32 %r1, [g+12]");
    EXPECT_EQ(one("ld.param.u64 %rd1, [in];"), "ld.param.u64 %rd1, [in]");
    EXPECT_EQ(one("ld.param.u32 %r1, [in+4];"), "ld.param.u32 %r1, [in+4]");
    EXPECT_EQ(one("ld.shared.u32 %r1, [16];"), "ld.shared.u32 %r1, [16]");
    EXPECT_EQ(one("mov.u64 %rd1, g+4;", items), "mov.u64 %rd1, g+4");
    EXPECT_EQ(one("mov.b64 %rd1, in;"), "mov.b64 %rd1, in");
}

TEST(PtxParserBody, RegistersComeToBeWithTheirFirstMention)
{
    const Module module = parsed(kernelText(".reg .b32 %big<1048576>, lone; .reg .pred q;\n"
                                            "mov.b32 %big1048575, %r7; mov.b32 lone, %big1048575; @q ret;"));
    const std::vector<Register>& registers = module.functions.at(0).registers;
    ASSERT_EQ(registers.size(), 4U);
    EXPECT_EQ(registers[0].name, "%big1048575");
    EXPECT_EQ(registers[1].name, "%r7");
    EXPECT_EQ(registers[1].type, Type::B32);
    EXPECT_EQ(registers[2].name, "lone");
    EXPECT_EQ(registers[3].type, Type::Pred);
}

TEST(PtxParserBody, ARangeIsFoundByItsStem)
{
    // %x12 is of %x<20> as well as of %x1<4>: the longer stem is the nearer one.
    const Module module = parsed(kernelText(".reg .b32 %x<20>; .reg .b16 %x1<4>; .reg .b64 %rd10;\n"
                                            "mov.b32 %x9, 1; mov.b16 %x12, 1; mov.b32 %x15, 1; mov.b64 %rd10, 2;"));
    const std::vector<Register>& registers = module.functions.at(0).registers;
    ASSERT_EQ(registers.size(), 4U);
    EXPECT_EQ(registers[0].type, Type::B32);
    EXPECT_EQ(registers[1].type, Type::B16);
    EXPECT_EQ(registers[2].type, Type::B32);
    EXPECT_EQ(registers[3].name, "%rd10");
}

TEST(PtxParserBody, VectorRegistersAreTheirComponents)
{
    const Module module
        = parsed(kernelText(".reg .v4 .f32 %v<3>; .reg .v2 .b32 w;\n"
                            "ld.global.v4.f32 %v1, [%rd1]; add.f32 %v2.w, %v1.x, %v1.g; mov.b32 w.y, 3;"));
    EXPECT_EQ(statementsOf(module),
        (Texts { "ld.global.v4.f32 {%v1.x, %v1.y, %v1.z, %v1.w}, [%rd1]", "add.f32 %v2.w, %v1.x, %v1.y",
            "mov.b32 w.y, 3" }));
    const std::vector<Register>& registers = module.functions.at(0).registers;
    EXPECT_EQ(registers.size(), 7U);
    EXPECT_EQ(registers.at(0).type, Type::F32);
}

TEST(PtxParserBody, AnInnerNameHidesTheOuterOneUntilItsBrace)
{
    const Module module = parsed(kernelText("mov.b32 %r1, 0;\n{ .reg .b64 %r<2>; mov.b64 %r1, 1; mov.b32 %r5, 2; "
                                            "{ .reg .b16 %r1; mov.b16 %r1, 3; } mov.b64 %r1, 4; }\nmov.b32 %r1, 5;"));
    const Function& k = module.functions.at(0);
    std::vector<Type> types;
    for (const Statement& statement : k.statements)
        types.push_back(k.registers.at(statement.operands.at(0).index).type);
    EXPECT_EQ(types, (std::vector<Type> { Type::B32, Type::B64, Type::B32, Type::B16, Type::B64, Type::B32 }));
    EXPECT_EQ(k.statements[0].operands[0].index, k.statements[5].operands[0].index);
    EXPECT_EQ(k.statements[1].operands[0].index, k.statements[4].operands[0].index);
    EXPECT_EQ(k.registers.size(), 4U);
}

TEST(PtxParserBody, TheSameLabelInManyBlocks)
{
    const std::string wait = "{ .reg .pred p; LAB_WAIT: mbarrier.try_wait.parity.shared::cta.b64 p, [%r1], %r2; "
                             "@p bra DONE; bra LAB_WAIT; DONE: }\n";
    EXPECT_EQ(statementsOf(parsed(kernelText(wait + wait))),
        (Texts { "mbarrier.try_wait.parity.shared::cta.b64 p, [%r1], %r2", "@p bra ->3", "bra ->0",
            "mbarrier.try_wait.parity.shared::cta.b64 p, [%r1], %r2", "@p bra ->6", "bra ->3" }));
}

TEST(PtxParserBody, ABranchMeansTheInnermostLabelOfItsBlockOrAround)
{
    // The inner A follows the branch, and still is the one meant; OUT lies in the block around.
    EXPECT_EQ(
        statementsOf(parsed(kernelText("A: mov.b32 %r1, 1; { bra A; bra OUT; A: mov.b32 %r1, 2; }\nbra A; OUT:"))),
        (Texts { "mov.b32 %r1, 1", "bra ->3", "bra ->5", "mov.b32 %r1, 2", "bra ->0" }));
    EXPECT_EQ(statementsOf(parsed(kernelText("$L__BB0_1: $L__BB0_2: @%p1 bra $L__BB0_1; bra $L__BB0_2;"))),
        (Texts { "@%p1 bra ->0", "bra ->0" }));
}

TEST(PtxParserBody, SwitchesNameTheirTargets)
{
    EXPECT_EQ(statementsOf(
                  parsed(kernelText("ts: .branchtargets A, B, A;\n@%p1 brx.idx %r1, ts; A: ret; B: mov.b32 %r1, 1;"))),
        (Texts { "@%p1 brx.idx %r1, {->1, ->2, ->1}", "ret", "mov.b32 %r1, 1" }));
}

TEST(PtxParserBody, CallsOfEveryShapeHaveThreeOperands)
{
    const std::string items = ".func f() {ret;}\n.func (.param .b32 r) g(.param .b32 a, .param .b32 b) {ret;}";
    EXPECT_EQ(one("call f;", items), "call {}, f, {}");
    EXPECT_EQ(one("call.uni f, ();", items), "call.uni {}, f, {}");
    EXPECT_EQ(one("call (%r1), g, (%r2, 3);", items), "call {%r1}, g, {%r2, 3}");
    EXPECT_EQ(one("@%p1 call (_), g, (%r2, %r3);", items), "@%p1 call {_}, g, {%r2, %r3}");
    EXPECT_EQ(one("P: .callprototype (.param .b32 _) _ (.param .b32 _, .param .b32 _);\n"
                  "call (%r1), %rd1, (%r2, %r3), P;",
                  items),
        "call {%r1}, %rd1, {%r2, %r3}");
    EXPECT_EQ(one("T: .calltargets g; call (%r1), %rd1, (%r2, %r3), T;", items), "call {%r1}, %rd1, {%r2, %r3}");
}

TEST(PtxParserBody, ACallSequenceHasItsOwnParameters)
{
    const std::string call
        = "{ // callseq 0, 0\n.reg .b32 temp_param_reg;\n.param .b64 param0;\n"
          "st.param.b64 [param0+0], %rd1;\n.param .align 8 .b8 retval0[16];\n"
          "call.uni (retval0), \nf, \n(\nparam0\n);\nld.param.b32 %r1, [retval0+8];\n} // callseq 0\n";
    const Module module = parsed(kernelText(call + call,
        ".func (.param .align 8 .b8 func_retval0[16]) f(.param .b64 p) { .reg .b32 %r<2>;"
        " ld.param.b32 %r1, [p+4]; st.param.b32 [func_retval0+8], %r1; ret; }"));
    const Texts once
        = { "st.param.b64 [param0], %rd1", "call.uni {retval0}, f, {param0}", "ld.param.b32 %r1, [retval0+8]" };
    Texts twice = once;
    twice.insert(twice.end(), once.begin(), once.end());
    EXPECT_EQ(statementsOf(module), twice);
    const Function* k = module.find("k");
    ASSERT_NE(k, nullptr);
    ASSERT_EQ(k->variables.size(), 4U);
    EXPECT_EQ(k->variables[1].name, "retval0");
    EXPECT_EQ(k->variables[1].space, Space::Param);
    EXPECT_EQ(k->variables[1].bytes, 16U);
    EXPECT_NE(k->statements[0].operands[0].index, k->statements[3].operands[0].index); // another param0
    EXPECT_EQ(textOf(module, module.functions.at(0), module.functions[0].statements.at(1)),
        "st.param.b32 [func_retval0+8], %r1");
}

TEST(PtxParserBody, VariablesOfAFunctionAreItsOwn)
{
    const Module module = parsed(kernelText(".local .align 16 .b8 __local_depot0[160]; .reg .b64 %SP, %SPL;\n"
                                            "// demoted variable\n.shared .align 4 .b8 s[512];\n"
                                            "mov.u64 %SPL, __local_depot0; mov.u32 %r1, s; st.local.u32 [%SPL+8], %r1;",
        ".shared .b32 s;"));
    EXPECT_EQ(statementsOf(module),
        (Texts { "mov.u64 %SPL, __local_depot0", "mov.u32 %r1, s", "st.local.u32 [%SPL+8], %r1" }));
    const Function& k = module.functions.at(0);
    ASSERT_EQ(k.variables.size(), 2U);
    EXPECT_EQ(k.variables[0].space, Space::Local);
    EXPECT_EQ(k.variables[0].align, 16U);
    EXPECT_EQ(k.variables[1].bytes, 512U);
    EXPECT_TRUE(k.statements[1].operands[1].local);
    EXPECT_EQ(module.variables.at(0).bytes, 4U);
}

TEST(PtxParserBody, PragmasAreReadOver)
{
    EXPECT_EQ(one(".pragma \"nounroll\"; .pragma \"a\", \"b\"; ret;"), "ret");
}

TEST(PtxParserBody, FunctionsDoNotShareRegistersOrLabels)
{
    const Module module = parsed(moduleText(".entry a() { .reg .b32 %r<3>; L: mov.b32 %r2, 1; bra L; }\n"
                                            ".entry k() { .reg .b64 %r<3>; ret; L: mov.b64 %r1, 1; bra L; }"));
    EXPECT_EQ(statementsOf(module), (Texts { "ret", "mov.b64 %r1, 1", "bra ->1" }));
    EXPECT_EQ(module.functions.at(0).registers.at(0).type, Type::B32);
    EXPECT_EQ(module.functions.at(1).registers.at(0).type, Type::B64);
}

} // namespace
