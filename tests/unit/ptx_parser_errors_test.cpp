// SPDX-License-Identifier: Apache-2.0
#include "tests/support/ptx_text.h"

#include <gtest/gtest.h>

namespace {

using namespace flashstep::ptx;

// What a kernel's text gives: its first line is line 9.
std::string inKernel(std::string_view body)
{
    return errorOf(kernelText(body));
}
// What items of a module give: their first line is line 4.
std::string inModule(std::string_view items)
{
    return errorOf(moduleText(items));
}

constexpr const char* operandWanted = " (a register, constant, name, [address] or {vector})";
constexpr const char* nameWanted = " (a register, variable, parameter or function declared above)";
constexpr const char* registerWanted = " (one of a .reg in force, or a special register that is covered)";

TEST(PtxParserErrors, TheHeaderHasItsOrder)
{
    EXPECT_EQ(errorOf(""), "t.ptx:1: the text ends here (.version at the beginning)");
    EXPECT_EQ(errorOf("\n.target sm_80"), "t.ptx:2: '.target' has no place here (.version at the beginning)");
    EXPECT_EQ(errorOf(".version 9\n"), "t.ptx:1: '9' has no place here (a version, as 9.0)");
    EXPECT_EQ(errorOf(".version 9.\n"), "t.ptx:1: '9.' has no place here (a version, as 9.0)");
    EXPECT_EQ(errorOf(".version 9.0\n.address_size 64"),
        "t.ptx:2: '.address_size' has no place here (.target after .version)");
    EXPECT_EQ(errorOf(".version 9.0\n.target compute_80"), "t.ptx:2: 'compute_80' is no target (one sm_…, and debug)");
    EXPECT_EQ(errorOf(".version 9.0\n.target sm_x"), "t.ptx:2: 'sm_x' is no target (one sm_…, and debug)");
    EXPECT_EQ(errorOf(".version 9.0\n.target debug\n"), "t.ptx:3: the text ends here (a target, as sm_80)");
    EXPECT_EQ(
        errorOf(".version 9.0\n.target sm_80\n.address_size 32"), "t.ptx:3: addresses of 32 bits (.address_size 64)");
    EXPECT_EQ(errorOf("PK\x03\x04"), "t.ptx:1: 'PK' has no place here (.version at the beginning)");
}

TEST(PtxParserErrors, WhatIsNoPtxIsNamed)
{
    EXPECT_EQ(inKernel("\n#"), "t.ptx:10: the character '#' has no place here (an instruction)");
    EXPECT_EQ(inKernel("\x80"), "t.ptx:9: the byte 0x80 has no place here (an instruction)");
    EXPECT_EQ(inModule("/* \n\n"),
        "t.ptx:4: a comment that never ends (.entry, .func, .global, .const, .shared or "
        ".local)");
    EXPECT_EQ(inModule("\n.file 1 \"a.cu\n"), "t.ptx:5: a quote that is never closed (the file's path in quotes)");
    EXPECT_EQ(inModule(".texref t;"),
        "t.ptx:4: '.texref' has no place here (.entry, .func, .global, .const, .shared or .local)");
}

TEST(PtxParserErrors, StatementsEndWithASemicolon)
{
    const std::string wanted = " (',' or ';' after an operand)";
    EXPECT_EQ(inKernel("add.s32 %r1, %r2, %r3\nret;"), "t.ptx:10: 'ret' has no place here" + wanted);
    EXPECT_EQ(inKernel("add.s32 %r1, %r2 %r3;"), "t.ptx:9: '%r3' has no place here" + wanted);
    EXPECT_EQ(inKernel("add.s32 %r1, %r2,;"), std::string("t.ptx:9: ';' has no place here") + operandWanted);
    EXPECT_EQ(inKernel(";"), "t.ptx:9: ';' has no place here (an instruction)");
    EXPECT_EQ(inKernel("@%p1\n{ ret; }"), "t.ptx:10: '{' has no place here (an instruction)");
    EXPECT_EQ(inKernel("%r1 = 3;"), "t.ptx:9: '%r1' is no instruction (an opcode, or a label and ':')");
    EXPECT_EQ(inKernel("mov.u32 %r1, %r2.x;"), "t.ptx:9: '.x' has no place here" + wanted);
    EXPECT_EQ(inKernel(".foo 3;"),
        "t.ptx:9: '.foo' has no place here (an instruction, a label, or .reg .local .shared .global .const .param .loc "
        ".pragma)");
}

TEST(PtxParserErrors, BracesClose)
{
    EXPECT_EQ(errorOf(moduleText("\n.entry k()\n{ { ret; }\n")), "t.ptx:6: the block of 'k' is never closed ('}')");
    EXPECT_EQ(inKernel("}"), "t.ptx:10: '}' has no place here (.entry, .func, .global, .const, .shared or .local)");
    EXPECT_EQ(inKernel(std::string(64, '{')), "t.ptx:9: blocks are nested too deeply (at most 64 levels)");
    EXPECT_EQ(inModule(".section .debug_str {\n L:\n"), "t.ptx:4: a section that is never closed ('}' at its end)");
    EXPECT_EQ(inKernel("mov.b32 %r1, {%rs1, %rs2;"), "t.ptx:9: ';' has no place here (',' or '}')");
    EXPECT_EQ(inKernel("ld.global.u32 %r1, [%rd1;"), "t.ptx:9: ';' has no place here (']')");
}

TEST(PtxParserErrors, NamesAreDeclaredOnceAndBeforeTheirUse)
{
    EXPECT_EQ(inKernel("mov.u32 %r1,\n%r10;"),
        std::string("t.ptx:10: '%r10' is no register that is declared here") + registerWanted);
    EXPECT_EQ(
        inKernel("{ .reg .b32 x; } mov.u32 x, 1;"), std::string("t.ptx:9: 'x' is not declared here") + nameWanted);
    EXPECT_EQ(inKernel("mov.u32 %r1, %envreg3;"),
        std::string("t.ptx:9: '%envreg3' is no register that is declared here") + registerWanted);
    EXPECT_EQ(inKernel("mov.u32 %r1, %tid.w;"),
        std::string("t.ptx:9: '%tid.w' is no register that is declared here") + registerWanted);
    EXPECT_EQ(inKernel(".reg .b32 x;\n.reg .b64 x;"), "t.ptx:10: 'x' is declared twice (each name once in a block)");
    EXPECT_EQ(inKernel(".reg .b32 %r<5>;"), "t.ptx:9: '%r' is declared twice (each name once in a block)");
    EXPECT_EQ(
        inModule(".global .u32 a;\n.global .u32 a;"), "t.ptx:5: 'a' is declared twice (each name once in a block)");
    EXPECT_EQ(inModule(".entry k() {ret;}\n.entry k() {ret;}"), "t.ptx:5: 'k' is declared twice (each name once)");
    EXPECT_EQ(inModule(".entry k(.param .u32 a, .param .u32 a) {ret;}"),
        "t.ptx:4: the parameter 'a' is declared twice (each name once)");
    EXPECT_EQ(inKernel("call f;"), std::string("t.ptx:9: 'f' is not declared here") + nameWanted);
    EXPECT_EQ(inModule(".alias g, f;"), "t.ptx:4: 'f' is no function (a .func declared above)");
    EXPECT_EQ(inModule(".func f() {ret;}\n.func g() {ret;}\n.alias g, f;"),
        "t.ptx:6: 'g' is declared twice (each name once)");
    EXPECT_EQ(inModule(".extern .func f() {ret;}"), "t.ptx:4: 'f' is .extern and has a body (one of them)");
}

TEST(PtxParserErrors, LabelsAreSeenFromInsideOnly)
{
    const std::string wanted = " (a label of this block or of one around it)";
    EXPECT_EQ(inKernel("ret;\nbra NOWHERE;"), "t.ptx:10: there is no label 'NOWHERE' here" + wanted);
    EXPECT_EQ(inKernel("bra IN; { IN: }"), "t.ptx:9: there is no label 'IN' here" + wanted);
    EXPECT_EQ(inKernel("{ IN: } { bra IN; }"), "t.ptx:9: there is no label 'IN' here" + wanted);
    EXPECT_EQ(inKernel("A: ret;\nA: ret;"), "t.ptx:10: the label 'A' stands twice in one block (another name)");
    EXPECT_EQ(inKernel("ts: .branchtargets A,\nB; A:"), "t.ptx:10: there is no label 'B' here" + wanted);
    EXPECT_EQ(inKernel("brx.idx %r1, ts; ts: .branchtargets A; A:"),
        std::string("t.ptx:9: 'ts' is not declared here") + nameWanted);
    EXPECT_EQ(inKernel("bra %r1;"), "t.ptx:9: there is no label '%r1' here" + wanted);
    EXPECT_EQ(inKernel("bra 3;"), "t.ptx:9: '3' has no place here (a label)");
}

TEST(PtxParserErrors, OperandsFitWhereTheyStand)
{
    EXPECT_EQ(inKernel("@%r1 ret;"), "t.ptx:9: '%r1' is no predicate (a register of .pred)");
    EXPECT_EQ(inKernel("@3 ret;"), "t.ptx:9: '3' has no place here (a predicate register)");
    const std::string wanted = " (! and a predicate, or an instruction of its own, as neg or not)";
    EXPECT_EQ(inKernel("add.s32 %r1, -%r2, 3;"), "t.ptx:9: '%r2' after '-'" + wanted);
    EXPECT_EQ(inKernel("and.b32 %r1, !%r2, 3;"), "t.ptx:9: '%r2' after '!'" + wanted);
    EXPECT_EQ(inKernel("setp.eq.s32 %p1|3, %r1, 3;"), "t.ptx:9: '3' after '|' (a register or _)");
    EXPECT_EQ(inKernel("ld.global.u32 %r1, [%rd1+%rd2];"), "t.ptx:9: '%rd2' has no place here (a number of bytes)");
    EXPECT_EQ(inKernel("ld.global.u32 %r1, [%tid.x];"),
        "t.ptx:9: '%tid' is no address (a register, variable or parameter, and a number of bytes)");
    EXPECT_EQ(inKernel("ld.global.u32 %r1, [%rd1, 3];"), "t.ptx:9: '3' has no place here (the coordinates in braces)");
    EXPECT_EQ(inKernel(".reg .v2 .b32 v;\nmov.b32 %r1, v.z;"),
        "t.ptx:10: '.z' has no place here (a component of 'v', as .x)");
    EXPECT_EQ(inKernel(".reg .v2 .b32 v; st.global.v2.b32 [%rd1], {v};"),
        "t.ptx:9: 'v' is a vector inside a vector (its components)");
    EXPECT_EQ(
        inKernel("ld.global.u32 %r1, [%rd1+1.0];"), "t.ptx:9: a float where an integer belongs (a number of bytes)");
    EXPECT_EQ(
        inKernel("ld.global.u32 %r1, [!%p1];"), "t.ptx:9: a negated register as an address ([register + number])");
    EXPECT_EQ(inKernel("mov.u32 %r1, \"x\";"), std::string("t.ptx:9: a string has no place here") + operandWanted);
    EXPECT_EQ(inKernel("P: .callprototype _ ();\nmov.u64 %rd1, P;"), "t.ptx:10: 'P' is a prototype (a value)");
    EXPECT_EQ(inKernel("P: .callprototype _ () ret }"), "t.ptx:9: '}' has no place here (the prototype's ';')");
    EXPECT_EQ(inKernel("call %rd1, (%r1), %r2;"), "t.ptx:9: '%r2' is no prototype (a label of .callprototype)");
    EXPECT_EQ(inKernel("T: .calltargets k, in;"), "t.ptx:9: 'in' is no function (a .func declared above)");
    EXPECT_EQ(inKernel("call in;"), "t.ptx:9: 'in' is no function (a .func declared above)");
    EXPECT_EQ(inKernel("mov.u32 %r1, 1 / 0;"), "t.ptx:9: a division by zero (a divisor other than 0)");
}

TEST(PtxParserErrors, DeclarationsAreOfAType)
{
    EXPECT_EQ(inKernel(".reg %x;"), "t.ptx:9: '%x' has no place here (a type, as .b32 or .f32)");
    EXPECT_EQ(inKernel(".reg .bf16 %x;"),
        "t.ptx:9: '.bf16' has no place here (a fundamental type of the same size, as .b16)");
    EXPECT_EQ(inKernel(".reg .v8 .b32 %x;"), "t.ptx:9: a vector of eight registers (.v2 or .v4)");
    EXPECT_EQ(inModule(".entry k(.param .pred p) {ret;}"), "t.ptx:4: a predicate as a parameter (a type with a size)");
    EXPECT_EQ(inModule(".global .attribute(.managed;"), "t.ptx:4: ';' has no place here (attributes and ')')");
    EXPECT_EQ(inKernel(".shared .pred x;"), "t.ptx:9: a predicate in memory (predicates live in .reg)");
    EXPECT_EQ(
        inKernel(".shared .b8 x[];"), "t.ptx:9: an array without a size: 'x' (a size, an initialiser or .extern)");
    EXPECT_EQ(
        inKernel(".shared .b32 x = 3;"), "t.ptx:9: an initialiser of 'x' (one of .global or .const, and not .extern)");
    EXPECT_EQ(inModule(".global .align 3 .b32 x;"), "t.ptx:4: 3 is no alignment (a power of two)");
    EXPECT_EQ(inModule(".global .u8 x[2] = {1,\n2, 3};"), "t.ptx:4: too many values for 'x' (at most 2)");
    EXPECT_EQ(inModule(".global .u8 x[2] = {1,};"), "t.ptx:4: '}' has no place here (a value)");
    EXPECT_EQ(inModule(".global .u32 x[2][2] = {1, 2};"), "t.ptx:4: '1' has no place here ('{')");
    EXPECT_EQ(
        inModule(".global .f32 x = 1;"), "t.ptx:4: a value of another kind for 'x' (a float, as 0f3F800000 or 1.0)");
    EXPECT_EQ(inModule(".global .u8 x = 1.0;"), "t.ptx:4: a value of another kind for 'x' (an integer)");
    EXPECT_EQ(inModule(".global .u64 x = later;"),
        "t.ptx:4: 'later' has no address here (a variable or function declared above)");
    EXPECT_EQ(inModule(".global .u16 y; .global .u16 x = y;"),
        "t.ptx:4: an address in an element of 2 bytes (elements of .u64 or .u32)");
    EXPECT_EQ(inModule(".global .u8 y; .global .u8 x = 0xF0(y);"),
        "t.ptx:4: a part of an address (one byte of it in a .b8, as 0xFF00(name))");
    EXPECT_EQ(inModule(".entry k() .foo {ret;}"),
        "t.ptx:4: '.foo' has no place here (a directive of a function, as .maxntid, or its body)");
    EXPECT_EQ(inModule(".entry k() .maxntid 0 {ret;}"),
        "t.ptx:4: 0 is no possible value here (a number from 1 to 2147483647)");
    EXPECT_EQ(inModule(".entry k(.reg .u32 a) {ret;}"), "t.ptx:4: '.reg' has no place here (.param)");
    EXPECT_EQ(inModule(".entry k(.param .align 8 .b8 a[32768]) {ret;}"),
        "t.ptx:4: 'k' has 32768 bytes of parameters (at most 32764)");
}

TEST(PtxParserErrors, DebugDirectives)
{
    EXPECT_EQ(inKernel(".loc 1 2\nret;"), "t.ptx:10: 'ret' has no place here (a column)");
    EXPECT_EQ(inKernel(".loc 1 2 3, function_name L\nret;"), "t.ptx:10: 'ret' has no place here (',')");
    EXPECT_EQ(
        inKernel(".loc 1 2 3, inlined_at 1 2 3\nret;"), "t.ptx:9: 'inlined_at' has no place here (function_name)");
    EXPECT_EQ(inModule(".file 1 \"a\"\n.file 1 \"b\""), "t.ptx:5: .file 1 is given twice (each number once)");
}

// Sizes that a short text could ask for.
TEST(PtxParserErrors, NumbersOfThingsAreBounded)
{
    EXPECT_EQ(inKernel(".reg .b32 %x<4000000000>;"),
        "t.ptx:9: 4000000000 registers are not possible (a number up to 1048576)");
    EXPECT_EQ(inKernel(".reg .b32 %x<1+1>;"), "t.ptx:9: '1' has no place here (the number of registers, then '>')");
    EXPECT_EQ(inModule(".file 4000000000 \"a\""),
        "t.ptx:4: 4000000000 is no possible value here (the file's number from 0 to 10000)");
    EXPECT_EQ(inModule(".global .b8 x[9223372036854775807];"),
        "t.ptx:4: 9223372036854775807 is no possible value here (the number of elements from 1 to 1099511627776)");
    EXPECT_EQ(inModule(".global .b64 x[1000000][1000000];"), "t.ptx:4: 'x' is too large (at most 2^40 bytes)");
    EXPECT_EQ(
        inModule(".global .b8 x[1][1][1][1][1][1][1][1][1];"), "t.ptx:4: an array of too many dimensions (at most 8)");
    EXPECT_EQ(inModule(".global .b8 x[2][500000000] = {{1}, {2}};"),
        "t.ptx:4: initialisers with large gaps (values next to each other)");
    std::string vector = "{%r1";
    for (int k = 0; k < 1024; ++k)
        vector += ", %r1";
    EXPECT_EQ(inKernel("mov.b32 %r1, " + vector + "};"), "t.ptx:9: a vector of too many elements (at most 1024)");
}

TEST(PtxParserErrors, EveryBeginningOfATextIsReadOrRefused)
{
    const std::string text = kernelText("ld.global.nc.v2.f32 {%f1, %f2}, [%rd1+-8]; { A: @!%p1 bra A; }\n"
                                        ".loc 1 2 3, function_name L, inlined_at 1 5 6\nmov.u32 %r1, (1 << 4) | 3;",
                                 ".global .u32 x[2] = {1, 0x2};\n.func (.param .b32 r) f(.param .b32 a);")
        + ".file 1 \"a.cu\"\n.section .debug_str { L: .b8 65,0\n}\n";
    EXPECT_EQ(errorOf(text), "");
    for (std::size_t length = 0; length < text.size(); ++length) {
        const std::string error = errorOf(text.substr(0, length));
        EXPECT_TRUE(error.empty() || (error.starts_with("t.ptx:") && error.find('\n') == std::string::npos)) << error;
    }
}

} // namespace
