// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser_operands.h"

#include "core/ptx/parser_constants.h"

#include <utility>

namespace flashstep::ptx {

namespace {

constexpr std::size_t mostElements = 1024; // tensor instructions have up to 256
constexpr const char* operandWanted = "a register, constant, name, [address] or {vector}";

bool undeclared(Context& context, std::uint32_t line, std::string_view name)
{
    const bool isRegister = name.starts_with('%');
    return context.cursor.fail(line,
        quoted(name) + (isRegister ? " is no register that is declared here" : " is not declared here"),
        isRegister ? "one of a .reg in force, or a special register that is covered"
                   : "a register, variable, parameter or function declared above");
}

// .x .y .z .w, or .r .g .b .a; or none of these.
std::uint32_t componentOf(const Token& token)
{
    if (token.kind != Token::Kind::Dot || token.text.size() != 1)
        return none;
    for (const std::string_view letters : { "xyzw", "rgba" })
        if (const std::size_t at = letters.find(token.text[0]); at != std::string_view::npos)
            return static_cast<std::uint32_t>(at);
    return none;
}

// After the name: one register, a component of a vector, or the vector.
bool registerOperand(Context& context, const Token& token, const Names::RegisterName& found, Operand& operand)
{
    Function& function = context.body();
    if (found.width == 1) {
        operand.kind = Operand::Kind::Register;
        operand.index = context.names.registerOf(found, token.text, 0, function);
        return true;
    }
    if (context.cursor.token().kind == Token::Kind::Dot) {
        const std::uint32_t component = componentOf(context.cursor.token());
        if (component >= found.width)
            return context.cursor.unexpected("a component of " + quoted(token.text) + ", as .x");
        context.cursor.take();
        operand.kind = Operand::Kind::Register;
        operand.index = context.names.registerOf(found, token.text, component, function);
        return true;
    }
    operand.kind = Operand::Kind::Vector;
    operand.index = static_cast<std::uint32_t>(function.elements.size());
    operand.count = static_cast<std::uint16_t>(found.width);
    for (std::uint32_t k = 0; k < found.width; ++k) {
        Operand element;
        element.kind = Operand::Kind::Register;
        element.index = context.names.registerOf(found, token.text, k, function);
        function.elements.push_back(element);
    }
    return true;
}

bool specialOperand(Context& context, const Token& token, Operand& operand)
{
    std::string whole(token.text);
    if (context.cursor.token().kind == Token::Kind::Dot && token.text[0] == '%')
        whole += "." + std::string(context.cursor.take().text);
    const auto special = specialFromName(whole);
    if (!special)
        return undeclared(context, token.line, whole);
    operand.kind = Operand::Kind::Special;
    operand.index = static_cast<std::uint32_t>(*special);
    return true;
}

// name + 8, name - 8
bool parseOffset(Cursor& cursor, std::int64_t& number)
{
    if (!cursor.accept('+') && !cursor.token().is('-'))
        return true;
    return parseInteger(cursor, number, "a number of bytes");
}

bool namedOperand(Context& context, Operand& operand)
{
    const Token token = context.cursor.take();
    const auto found = context.names.find(token.text);
    if (!found)
        return specialOperand(context, token, operand);
    operand.index = found->symbol.index;
    operand.local = found->symbol.local;
    switch (found->symbol.kind) {
    case Symbol::Kind::Registers:
        operand.local = false;
        return registerOperand(context, token, found->registerName, operand);
    case Symbol::Kind::Variable:
        operand.kind = Operand::Kind::Variable;
        return parseOffset(context.cursor, operand.number);
    case Symbol::Kind::Parameter:
        operand.kind = Operand::Kind::Parameter;
        return parseOffset(context.cursor, operand.number);
    case Symbol::Kind::ReturnValue:
        operand.kind = Operand::Kind::ReturnValue;
        return parseOffset(context.cursor, operand.number);
    case Symbol::Kind::Function:
        operand.kind = Operand::Kind::Function;
        return true;
    case Symbol::Kind::Targets:
        operand.kind = Operand::Kind::Vector;
        operand.count = static_cast<std::uint16_t>(found->symbol.count);
        return true;
    case Symbol::Kind::Prototype:
        break;
    }
    return context.cursor.fail(token.line, quoted(token.text) + " is a prototype", "a value");
}

bool constantOperand(Context& context, Operand& operand)
{
    Constant constant;
    if (!parseConstant(context.cursor, constant))
        return false;
    operand.kind = constant.kind == Constant::Kind::Single ? Operand::Kind::Single
        : constant.kind == Constant::Kind::Double          ? Operand::Kind::Float
                                                           : Operand::Kind::Integer;
    operand.number = constant.number;
    return true;
}

// !%p. No instruction that is covered takes a register with a minus.
bool negatedPredicate(Context& context, Operand& operand)
{
    const Token sign = context.cursor.take(), name = context.cursor.token();
    if (!namedOperand(context, operand))
        return false;
    operand.negated = true;
    const bool predicate
        = operand.kind == Operand::Kind::Register && context.body().registers[operand.index].type == Type::Pred;
    return (predicate && sign.is('!'))
        || context.cursor.fail(name.line, quoted(name.text) + " after '" + std::string(sign.text) + "'",
            "! and a predicate, or an instruction of its own, as neg or not");
}

// What can be an element: no brackets or braces.
bool parseSimple(Context& context, Operand& operand)
{
    Cursor& cursor = context.cursor;
    const Token& token = cursor.token();
    if (token.isName("_")) {
        cursor.take();
        operand.kind = Operand::Kind::Sink;
        return true;
    }
    if (token.kind == Token::Kind::Name && !token.isName("WARP_SZ"))
        return namedOperand(context, operand);
    const bool sign = token.is('!') || token.is('-');
    if (sign && cursor.after().kind == Token::Kind::Name && !cursor.after().isName("WARP_SZ"))
        return negatedPredicate(context, operand);
    return beginsConstant(token) ? constantOperand(context, operand) : cursor.unexpected(operandWanted);
}

bool parseElements(Context& context, Operand& vector, char end)
{
    Cursor& cursor = context.cursor;
    std::vector<Operand>& elements = context.body().elements;
    vector.kind = Operand::Kind::Vector;
    vector.index = static_cast<std::uint32_t>(elements.size());
    const Token open = cursor.take();
    std::size_t count = 0;
    if (!cursor.token().is(end))
        do {
            const Token token = cursor.token();
            Operand element;
            if (!parseSimple(context, element))
                return false;
            if (element.kind == Operand::Kind::Vector)
                return cursor.fail(token.line, quoted(token.text) + " is a vector inside a vector", "its components");
            if (++count > mostElements)
                return cursor.fail(
                    open.line, "a vector of too many elements", "at most " + std::to_string(mostElements));
            elements.push_back(element);
        } while (cursor.accept(','));
    vector.count = static_cast<std::uint16_t>(count);
    return cursor.accept(end) || cursor.unexpected(std::string("',' or '") + end + "'");
}

// [base], [base + 8], [8], [map, {x, y}]
bool parseAddress(Context& context, Operand& operand)
{
    Cursor& cursor = context.cursor;
    cursor.take();
    const Token token = cursor.token();
    Operand base;
    if (!parseSimple(context, base))
        return false;
    switch (base.kind) {
    case Operand::Kind::Register:
        if (base.negated)
            return cursor.fail(token.line, "a negated register as an address", "[register + number]");
        if (!parseOffset(cursor, operand.number))
            return false;
        break;
    case Operand::Kind::Variable:
    case Operand::Kind::Parameter:
    case Operand::Kind::ReturnValue:
        std::swap(base.number, operand.number);
        break;
    case Operand::Kind::Integer:
        break;
    default:
        return cursor.fail(token.line, quoted(token.text) + " is no address",
            "a register, variable or parameter, and a number of bytes");
    }
    std::vector<Operand>& elements = context.body().elements;
    operand.kind = Operand::Kind::Address;
    operand.index = static_cast<std::uint32_t>(elements.size());
    operand.count = 1;
    elements.push_back(base);
    if (cursor.accept(',')) {
        if (!cursor.token().is('{'))
            return cursor.unexpected("the coordinates in braces");
        operand.count = 2;
        elements.emplace_back();
        Operand coordinates;
        if (!parseElements(context, coordinates, '}'))
            return false;
        elements[operand.index + 1] = coordinates;
    }
    return cursor.expect(']');
}

// %p|%q: after the bar.
bool parsePair(Context& context, Operand& operand)
{
    Cursor& cursor = context.cursor;
    cursor.take();
    const Token token = cursor.token();
    Operand second;
    if (!parseSimple(context, second))
        return false;
    if (second.kind == Operand::Kind::Register && !second.negated)
        operand.pair = second.index;
    else if (second.kind != Operand::Kind::Sink)
        return cursor.fail(token.line, quoted(token.text) + " after '|'", "a register or _");
    return true;
}

} // namespace

bool parseOperand(Context& context, Operand& operand)
{
    Cursor& cursor = context.cursor;
    if (cursor.token().is('['))
        return parseAddress(context, operand);
    if (cursor.token().is('{'))
        return parseElements(context, operand, '}');
    if (!parseSimple(context, operand))
        return false;
    const bool pairs = operand.kind == Operand::Kind::Register || operand.kind == Operand::Kind::Sink;
    return !pairs || !cursor.token().is('|') || parsePair(context, operand);
}

bool parsePredicate(Context& context, std::uint32_t& predicate)
{
    Cursor& cursor = context.cursor;
    const Token token = cursor.token();
    Operand operand;
    if (token.kind != Token::Kind::Name)
        return cursor.unexpected("a predicate register");
    if (!namedOperand(context, operand))
        return false;
    predicate = operand.index;
    return (operand.kind == Operand::Kind::Register && context.body().registers[predicate].type == Type::Pred)
        || cursor.fail(token.line, quoted(token.text) + " is no predicate", "a register of .pred");
}

bool parseCall(Context& context, Statement& statement)
{
    Cursor& cursor = context.cursor;
    Operand results, callee, arguments;
    results.kind = arguments.kind = Operand::Kind::Vector;
    results.index = arguments.index = 0;
    if (cursor.token().is('(') && (!parseElements(context, results, ')') || !cursor.expect(',')))
        return false;
    const Token token = cursor.token();
    if (token.kind != Token::Kind::Name)
        return cursor.unexpected("a function's name");
    if (!namedOperand(context, callee))
        return false;
    if (callee.kind != Operand::Kind::Function && callee.kind != Operand::Kind::Register)
        return cursor.fail(token.line, quoted(token.text) + " is no function", "a .func declared above");
    bool more = cursor.accept(',');
    if (more && cursor.token().is('(')) {
        if (!parseElements(context, arguments, ')'))
            return false;
        more = cursor.accept(',');
    }
    if (more) { // the prototype or the targets of an indirect call
        const Token shape = cursor.token();
        std::string_view name;
        if (!cursor.expectName(name, "a prototype"))
            return false;
        const auto known = context.names.find(name);
        if (!known || (known->symbol.kind != Symbol::Kind::Prototype && known->symbol.kind != Symbol::Kind::Targets))
            return cursor.fail(shape.line, quoted(name) + " is no prototype", "a label of .callprototype");
    }
    statement.operands = { results, callee, arguments };
    return true;
}

} // namespace flashstep::ptx
