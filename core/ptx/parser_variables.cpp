// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser_variables.h"

#include "core/ptx/parser_constants.h"

#include <bit>

namespace flashstep::ptx {

namespace {

constexpr std::size_t mostDimensions = 8;

// .attribute(.managed, …): hints to the linker and the driver.
bool skipAttribute(Cursor& cursor)
{
    if (!cursor.accept("attribute"))
        return true;
    if (!cursor.expect('('))
        return false;
    while (!cursor.token().is(')')) {
        if (cursor.atEnd() || cursor.token().kind == Token::Kind::Bad || cursor.token().is(';'))
            return cursor.unexpected("attributes and ')'");
        const bool opens = cursor.take().is('(');
        while (opens && !cursor.token().is(')') && !cursor.atEnd() && cursor.token().kind != Token::Kind::Bad)
            cursor.take();
        if (opens && !cursor.expect(')'))
            return false;
    }
    cursor.take();
    return true;
}

// [4][2], or an empty [] for the outermost.
bool parseDimensions(Cursor& cursor, Shape& shape)
{
    while (cursor.accept('[')) {
        if (shape.dimensions.size() == mostDimensions)
            return cursor.fail(
                cursor.token().line, "an array of too many dimensions", "at most " + std::to_string(mostDimensions));
        std::uint64_t count = 0;
        if (shape.dimensions.empty() && cursor.token().is(']'))
            shape.unsized = true;
        else if (!parseCount(cursor, count, "the number of elements", 1, mostBytes))
            return false;
        shape.dimensions.push_back(count);
        if (!cursor.expect(']'))
            return false;
    }
    return true;
}

bool parseSize(Cursor& cursor, const Shape& shape, std::uint32_t line, Variable& variable)
{
    std::uint64_t bytes = static_cast<std::uint64_t>(bytesOf(variable.element));
    for (const std::uint64_t count : shape.dimensions) {
        if (count != 0 && bytes > mostBytes / count)
            return cursor.fail(line, quoted(variable.name) + " is too large", "at most 2^40 bytes");
        bytes *= count;
    }
    variable.bytes = bytes;
    return true;
}

// Puts it into the module or the function, under its name; a definition replaces what .extern announced.
bool place(Context& context, std::string_view name, Variable&& variable, std::uint32_t& index)
{
    const bool local = context.function != none;
    auto& variables = local ? context.body().variables : context.module.variables;
    const auto known = context.names.find(name);
    if (!local && known && known->symbol.kind == Symbol::Kind::Variable) {
        Variable& before = variables[known->symbol.index];
        if (before.external || variable.external) {
            index = known->symbol.index;
            if (before.external)
                before = std::move(variable);
            return true;
        }
    }
    index = static_cast<std::uint32_t>(variables.size());
    if (!context.names.declare(name, Symbol { Symbol::Kind::Variable, local, index, 0 }))
        return context.cursor.fail(variable.line, quoted(name) + " is declared twice", "each name once in a block");
    variables.push_back(std::move(variable));
    return true;
}

bool holdsValuesAtFirst(Space space)
{
    return space == Space::Global || space == Space::Const;
}

bool parseVariable(Context& context, Variable variable, std::uint32_t width, bool hasAlign)
{
    Cursor& cursor = context.cursor;
    variable.line = cursor.token().line;
    std::string_view name;
    Shape shape;
    if (!cursor.expectName(name, "a variable's name") || !parseDimensions(cursor, shape))
        return false;
    variable.name = std::string(name);
    if (width > 1)
        shape.dimensions.push_back(width);
    if (!hasAlign)
        variable.align = static_cast<std::uint32_t>(bytesOf(variable.element)) * width;
    if (!parseSize(cursor, shape, variable.line, variable))
        return false;
    const std::uint32_t line = variable.line;
    const bool external = variable.external;
    std::uint32_t index = 0;
    if (!place(context, name, std::move(variable), index))
        return false;
    auto& variables = context.function != none ? context.body().variables : context.module.variables;
    if (cursor.accept('=')) {
        if (external || !holdsValuesAtFirst(variables[index].space))
            return cursor.fail(line, "an initialiser of " + quoted(name), "one of .global or .const, and not .extern");
        // Aside, since an initialiser may name the variable itself.
        Variable filled = std::move(variables[index]);
        const bool good = parseInitial(context, shape, filled) && parseSize(cursor, shape, line, filled);
        variables[index] = std::move(filled);
        return good;
    }
    if (shape.unsized && !external)
        return cursor.fail(line, "an array without a size: " + quoted(name), "a size, an initialiser or .extern");
    return true;
}

bool parseRegister(Context& context, Type type, std::uint32_t width)
{
    Cursor& cursor = context.cursor;
    const std::uint32_t line = cursor.token().line;
    std::string_view name;
    std::uint64_t count = 0;
    bool isNew = false;
    if (!cursor.expectName(name, "a register's name"))
        return false;
    if (cursor.accept('<')) {
        // A plain number: '>' ends it, and is no comparison.
        if (cursor.token().kind != Token::Kind::Integer || !cursor.after().is('>'))
            return cursor.unexpected("the number of registers, then '>'");
        const std::string digits(cursor.token().text);
        Cursor alone(digits, {});
        if (!parseCount(alone, count, "a number of registers", 0, mostRegistersInRange))
            return cursor.fail(
                line, digits + " registers are not possible", "a number up to " + std::to_string(mostRegistersInRange));
        cursor.take();
        cursor.take();
        isNew = context.names.declareRange(name, type, width, static_cast<std::uint32_t>(count));
    } else {
        isNew = context.names.declareRegister(name, type, width);
    }
    return isNew || cursor.fail(line, quoted(name) + " is declared twice", "each name once in a block");
}

} // namespace

std::optional<Space> spaceFromName(std::string_view text)
{
    for (const Space space : { Space::Global, Space::Shared, Space::Local, Space::Param, Space::Const })
        if (name(space) == text)
            return space;
    return std::nullopt;
}

std::uint64_t alignedUp(std::uint64_t value, std::uint64_t align)
{
    return (value + align - 1) / align * align;
}

bool parseAlign(Cursor& cursor, std::uint32_t& align)
{
    const std::uint32_t line = cursor.token().line;
    std::uint64_t bytes = 0;
    if (!parseCount(cursor, bytes, "an alignment", 1, mostAlign))
        return false;
    align = static_cast<std::uint32_t>(bytes);
    return std::has_single_bit(bytes)
        || cursor.fail(line, std::to_string(bytes) + " is no alignment", "a power of two");
}

bool parseType(Cursor& cursor, Type& type, std::uint32_t& width)
{
    width = cursor.accept("v2") ? 2 : cursor.accept("v4") ? 4 : cursor.accept("v8") ? 8 : 1;
    const auto known = cursor.token().kind == Token::Kind::Dot ? typeFromName(cursor.token().text) : std::nullopt;
    if (!known)
        return cursor.unexpected("a type, as .b32 or .f32");
    switch (*known) {
    case Type::Bf16:
    case Type::Bf16x2:
    case Type::Tf32:
    case Type::F32x2:
    case Type::E4m3:
    case Type::E5m2:
    case Type::E4m3x2:
    case Type::E5m2x2:
        return cursor.unexpected("a fundamental type of the same size, as .b16");
    default:
        break;
    }
    type = *known;
    cursor.take();
    return true;
}

bool parseVariables(Context& context, Space space, Linkage linkage)
{
    Cursor& cursor = context.cursor;
    Variable variable;
    variable.space = space;
    variable.external = linkage.external;
    std::uint32_t width = 1;
    if (!skipAttribute(cursor))
        return false;
    const bool hasAlign = cursor.accept("align");
    if (hasAlign && !parseAlign(cursor, variable.align))
        return false;
    if (!skipAttribute(cursor) || !parseType(cursor, variable.element, width))
        return false;
    if (variable.element == Type::Pred)
        return cursor.fail(cursor.token().line, "a predicate in memory", "predicates live in .reg");
    do {
        if (!parseVariable(context, variable, width, hasAlign))
            return false;
    } while (cursor.accept(','));
    return cursor.expect(';');
}

bool parseRegisters(Context& context)
{
    Cursor& cursor = context.cursor;
    Type type = Type::None;
    std::uint32_t width = 1;
    const std::uint32_t line = cursor.token().line;
    if (!parseType(cursor, type, width))
        return false;
    if (width > 4)
        return cursor.fail(line, "a vector of eight registers", ".v2 or .v4");
    do {
        if (!parseRegister(context, type, width))
            return false;
    } while (cursor.accept(','));
    return cursor.expect(';');
}

} // namespace flashstep::ptx
