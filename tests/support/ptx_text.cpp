// SPDX-License-Identifier: Apache-2.0
#include "tests/support/ptx_text.h"

#include <gtest/gtest.h>

#include <bit>

namespace flashstep::ptx {

namespace {

std::string signedText(std::int64_t number)
{
    return number == 0 ? "" : (number > 0 ? "+" : "") + std::to_string(number);
}

std::string elementsOf(const Module& module, const Function& function, const Operand& operand)
{
    std::string text;
    for (std::uint32_t k = 0; k < operand.count; ++k)
        text += (k == 0 ? "" : ", ") + textOf(module, function, function.elements.at(operand.index + k));
    return text;
}

std::string plainTextOf(const Module& module, const Function& function, const Operand& operand)
{
    using Kind = Operand::Kind;
    switch (operand.kind) {
    case Kind::None:
        return "nothing";
    case Kind::Register:
        return (operand.negated ? "!" : "") + function.registers.at(operand.index).name;
    case Kind::Special:
        return std::string(name(static_cast<Special>(operand.index)));
    case Kind::Integer:
        return std::to_string(operand.number);
    case Kind::Float:
        return std::to_string(std::bit_cast<double>(operand.number)) + "d";
    case Kind::Single:
        return std::to_string(std::bit_cast<float>(static_cast<std::uint32_t>(operand.number))) + "f";
    case Kind::Variable:
        return (operand.local ? function.variables : module.variables).at(operand.index).name
            + signedText(operand.number);
    case Kind::Parameter:
        return function.parameters.at(operand.index).name + signedText(operand.number);
    case Kind::ReturnValue:
        return function.results.at(operand.index).name + signedText(operand.number);
    case Kind::Address: {
        std::string base = textOf(module, function, function.elements.at(operand.index));
        base += signedText(operand.number);
        if (operand.count == 2)
            base += ", " + textOf(module, function, function.elements.at(operand.index + 1));
        return "[" + base + "]";
    }
    case Kind::Vector:
        return "{" + elementsOf(module, function, operand) + "}";
    case Kind::Label:
        return "->" + std::to_string(operand.index);
    case Kind::Function:
        return module.functions.at(operand.index).name;
    case Kind::Sink:
        return "_";
    }
    return "?";
}

} // namespace

std::string moduleText(std::string_view items)
{
    return ".version 9.0\n.target sm_90a\n.address_size 64\n" + std::string(items);
}

std::string kernelText(std::string_view body, std::string_view items)
{
    return moduleText(items) + "\n.visible .entry k(.param .u64 in)\n{\n.reg .pred %p<10>; .reg .b16 %rs<10>;"
        + " .reg .b32 %r<10>; .reg .b64 %rd<10>;\n.reg .f32 %f<10>; .reg .f64 %fd<10>;\n" + std::string(body) + "\n}\n";
}

Module parsed(std::string_view text)
{
    Result<Module> module = parse(text, "t.ptx");
    if (module)
        return std::move(*module);
    ADD_FAILURE() << module.error().line();
    return {};
}

std::string errorOf(std::string_view text)
{
    const Result<Module> module = parse(text, "t.ptx");
    return module ? "" : module.error().line();
}

std::string textOf(const Module& module, const Function& function, const Operand& operand)
{
    std::string text = plainTextOf(module, function, operand);
    if (operand.pair != none)
        text += "|" + function.registers.at(operand.pair).name;
    return text;
}

std::string textOf(const Module& module, const Function& function, const Statement& statement)
{
    std::string text;
    if (statement.guard != none)
        text = "@" + std::string(statement.guardNegated ? "!" : "") + function.registers.at(statement.guard).name + " ";
    text += statement.text();
    for (std::size_t k = 0; k < statement.operands.size(); ++k)
        text += (k == 0 ? " " : ", ") + textOf(module, function, statement.operands[k]);
    return text;
}

std::vector<std::string> statementsOf(const Module& module)
{
    std::vector<std::string> texts;
    if (const Function* function = module.find("k"))
        for (const Statement& statement : function->statements)
            texts.push_back(textOf(module, *function, statement));
    return texts;
}

} // namespace flashstep::ptx
