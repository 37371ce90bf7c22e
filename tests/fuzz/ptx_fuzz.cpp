// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser.h"
#include "tests/fuzz/fuzz.h"

#include <fstream>
#include <iterator>

namespace flashstep::fuzz {

namespace {

std::string fixture(const std::string& name)
{
    std::ifstream in(FLASHSTEP_SOURCE_DIR "/tests/fixtures/ptx/" + name, std::ios::binary);
    return { std::istreambuf_iterator<char>(in), {} };
}

} // namespace

Target target()
{
    return { "ptx",
        { fixture("front_sm_80.ptx"), fixture("front_sm_100a.ptx"),
            R"(.version 9.0
.target sm_100a
.address_size 64
.global .align 8 .u64 t[2][2] = { { generic(t) + 8, 1 }, { t, -1 } };
.global .b8 packed[9] = { 1, 0xFF(generic(t)), 0xFF00(generic(t)) };
.const .v2 .f32 pair = { 1.0, 0f3F800000 };
.visible .func (.param .b32 out) f(.param .b32 in) .noreturn;
.entry k(.param .u64 .ptr .global .align 16 p, .param .align 8 .b8 s[24]) .maxntid 32, 2 .minnctapersm 2
{
 .reg .pred p<3>; .reg .v4 .f32 v<2>; .reg .b32 r<9>, q; .reg .b64 d;
 .loc 1 2 3, function_name L+1, inlined_at 1 5 6
 @!p1 setp.eq.and.s32 p1|p2, r1, (1 << 4) | 3, !p0;
 ld.global.nc.v4.f32 v1, [d + -16]; st.shared.v2.f32 [s+8], {v0.x, _};
 cp.async.bulk.tensor.2d.shared::cluster.global.tile [r1], [d, {r2, -3}], [r4];
 { A: .reg .b16 r<2>; bra.uni B; /* a */ bra A; B: }
 ts: .branchtargets X, Y; brx.idx r1, ts; X: Y:
 { .param .b32 a; .param .b32 b; call.uni (b), f, (a); call f, (r1); }
 P: .callprototype (.param .b32 _) _ (.param .b32 _); call (r1), d, (r2), P;
 mov.f64 d, 0d3FF0000000000000; mov.u32 q, %tid.x; mov.u32 q, WARP_SZ; ret;
}
.file 1 "a.cu", 12, 34
.section .debug_str { L: .b8 65, 66, 0
 }
)" },
        { "%r<1048576>", "[1099511627776]", "{", "}", "(", ")", "((((((((", "{{{{{{{{", "/*", "*/", "//", ".reg ",
            ".b32 ", ".param ", ".align 65536 ", "@!%p1 ", "0x", "0f", "18446744073709551615", "-9223372036854775808",
            "1 / 0", "1e999", ".loc 1 1 1\n", ", inlined_at 1 1 1", "function_name L", ".v4 ", "<<", "%tid.x",
            "generic(", "|_", "A: ", "bra A;", ".extern ", ".file 10000 \"\"", ".section x { ", "1 ? 2 : 3", "WARP_SZ",
            "call " },
        1U << 20U, 256, 20000 };
}

namespace {

using ptx::Function;
using ptx::Module;
using ptx::Operand;

void requireRegister(std::uint32_t index, const Function& function)
{
    require(index < function.registers.size(), "a register is there");
}

void requireOperand(const Operand& operand, const Module& module, const Function& function)
{
    using Kind = Operand::Kind;
    const std::size_t index = operand.index;
    switch (operand.kind) {
    case Kind::None:
        require(false, "every operand is something");
        break;
    case Kind::Register:
        requireRegister(operand.index, function);
        break;
    case Kind::Special:
        require(!ptx::name(static_cast<ptx::Special>(operand.index)).empty(), "a special register has a name");
        break;
    case Kind::Variable:
        require(index < (operand.local ? function.variables : module.variables).size(), "a variable is there");
        break;
    case Kind::Parameter:
        require(index < function.parameters.size(), "a parameter is there");
        break;
    case Kind::ReturnValue:
        require(index < function.results.size(), "a result is there");
        break;
    case Kind::Address:
        require(operand.count == 1 || operand.count == 2, "an address has a base, or coordinates too");
        [[fallthrough]];
    case Kind::Vector:
        require(operand.count == 0 || index + operand.count <= function.elements.size(), "the elements are there");
        break;
    case Kind::Label:
        require(index <= function.statements.size(), "a label stands in its function");
        break;
    case Kind::Function:
        require(index < module.functions.size(), "a function is there");
        break;
    case Kind::Integer:
    case Kind::Float:
    case Kind::Single:
    case Kind::Sink:
        break;
    }
    if (operand.negated)
        require(function.registers[operand.index].type == ptx::Type::Pred, "only a predicate is negated");
    if (operand.pair != ptx::none)
        requireRegister(operand.pair, function);
}

void requireFunction(const Function& function, const Module& module)
{
    for (const ptx::Statement& statement : function.statements) {
        require(!statement.opcode.empty(), "an instruction has a name");
        require(statement.line >= 1 && statement.line <= module.text.size(), "an instruction stands in the text");
        require(statement.location == ptx::none || statement.location < module.locations.size(), "a place is known");
        if (statement.guard != ptx::none)
            requireRegister(statement.guard, function);
        for (const Operand& operand : statement.operands)
            requireOperand(operand, module, function);
    }
    for (const Operand& element : function.elements)
        requireOperand(element, module, function);
}

void requireVariable(const ptx::Variable& variable, const Module& module)
{
    require(variable.initial.size() <= variable.bytes, "no more is given than fits");
    for (const ptx::Variable::Relocation& relocation : variable.relocations) {
        require(relocation.offset < variable.bytes, "an address lies in its variable");
        require((relocation.variable < module.variables.size()) != (relocation.function < module.functions.size()),
            "an address is of something");
    }
}

} // namespace

} // namespace flashstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace flashstep;
    const Result<ptx::Module> read = ptx::parse(fuzz::textOf(data, size), "input.ptx");
    if (!read) {
        fuzz::requireClear(read.error());
        return 0;
    }
    for (const ptx::Function& function : read->functions)
        fuzz::requireFunction(function, *read);
    for (const ptx::Variable& variable : read->variables)
        fuzz::requireVariable(variable, *read);
    for (std::size_t k = 0; k < read->locations.size(); ++k) {
        const ptx::Location& location = read->locations[k];
        fuzz::require(location.inlinedAt == ptx::none || location.inlinedAt < k, "a place leads to one before it");
        fuzz::require(location.file == ptx::none || location.file < read->files.size(), "a file is there");
        fuzz::require(read->inlined(location).size() <= size, "a function's name is of the text");
    }
    return 0;
}
