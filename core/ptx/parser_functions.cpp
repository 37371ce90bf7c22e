// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser_functions.h"

#include "core/ptx/parser_body.h"
#include "core/ptx/parser_constants.h"
#include "core/ptx/parser_variables.h"

namespace flashstep::ptx {

namespace {

constexpr std::uint64_t mostParameterBytes = 32764; // of a kernel (PTX ISA 5.1.6.1)
constexpr std::uint64_t mostLaunch = 0x7fffffff;

// .ptr [.space] [.align n]: what a pointer points to.
bool parsePointer(Cursor& cursor, Parameter& parameter)
{
    if (!cursor.accept("ptr"))
        return true;
    parameter.pointer = true;
    if (cursor.token().kind == Token::Kind::Dot && spaceFromName(cursor.token().text))
        cursor.take();
    std::uint32_t ofWhatItPointsTo = 1;
    return !cursor.accept("align") || parseAlign(cursor, ofWhatItPointsTo);
}

// .param [.align n] .type [.ptr …] name [[bytes]]
bool parseParameter(Cursor& cursor, Parameter& parameter, std::string_view& name)
{
    if (!cursor.accept("param"))
        return cursor.unexpected(".param");
    const bool hasAlign = cursor.accept("align");
    std::uint32_t width = 1;
    if (hasAlign && !parseAlign(cursor, parameter.align))
        return false;
    const std::uint32_t line = cursor.token().line;
    if (!parseType(cursor, parameter.type, width) || !parsePointer(cursor, parameter)
        || !cursor.expectName(name, "a parameter's name"))
        return false;
    if (parameter.type == Type::Pred)
        return cursor.fail(line, "a predicate as a parameter", "a type with a size");
    parameter.name = std::string(name);
    std::uint64_t count = 1;
    if (cursor.accept('[')) {
        count = 0;
        if (!cursor.token().is(']') && !parseCount(cursor, count, "the number of elements", 0, mostBytes >> 8U))
            return false;
        if (!cursor.expect(']'))
            return false;
    }
    const std::uint64_t element = static_cast<std::uint64_t>(bytesOf(parameter.type)) * width;
    parameter.bytes = element * count;
    if (!hasAlign)
        parameter.align = static_cast<std::uint32_t>(element);
    return true;
}

// Names in the text, which outlive the function that is moved about.
using ParameterNames = std::vector<std::string_view>;

// ( … ), in which each has its place after the one before.
bool parseParameters(Cursor& cursor, std::vector<Parameter>& parameters, ParameterNames& names, std::uint64_t& bytes)
{
    if (!cursor.expect('('))
        return false;
    bytes = 0;
    if (cursor.accept(')'))
        return true;
    do {
        const std::uint32_t line = cursor.token().line;
        Parameter parameter;
        std::string_view name;
        if (!parseParameter(cursor, parameter, name))
            return false;
        parameter.offset = alignedUp(bytes, parameter.align);
        bytes = parameter.offset + parameter.bytes;
        if (bytes > mostBytes)
            return cursor.fail(line, "the parameters are too large", "at most 2^40 bytes");
        names.push_back(name);
        parameters.push_back(std::move(parameter));
    } while (cursor.accept(','));
    return cursor.accept(')') || cursor.unexpected("',' or ')'");
}

// One number, or up to three; those left out are 1.
bool parseDimensions(Cursor& cursor, std::uint32_t (&dimensions)[3])
{
    dimensions[0] = dimensions[1] = dimensions[2] = 1;
    for (std::size_t k = 0; k < 3; ++k) {
        std::uint64_t count = 0;
        if ((k > 0 && !cursor.accept(',')))
            return true;
        if (!parseCount(cursor, count, "a number", 1, mostLaunch))
            return false;
        dimensions[k] = static_cast<std::uint32_t>(count);
    }
    return true;
}

bool parseNumber(Cursor& cursor, std::uint32_t& number)
{
    std::uint64_t count = 0;
    if (!parseCount(cursor, count, "a number", 0, mostLaunch))
        return false;
    number = static_cast<std::uint32_t>(count);
    return true;
}

// Between the parameters and the body (PTX ISA 11.4).
bool parseTuning(Cursor& cursor, Function& function)
{
    std::uint32_t ignored = 0;
    while (cursor.token().kind == Token::Kind::Dot) {
        bool good = true;
        if (cursor.accept("maxntid"))
            good = parseDimensions(cursor, function.maxThreads);
        else if (cursor.accept("reqntid"))
            good = parseDimensions(cursor, function.requiredThreads);
        else if (cursor.accept("reqnctapercluster"))
            good = parseDimensions(cursor, function.cluster);
        else if (cursor.accept("minnctapersm"))
            good = parseNumber(cursor, function.minCtasPerSm);
        else if (cursor.accept("maxnreg"))
            good = parseNumber(cursor, function.maxRegisters);
        else if (cursor.accept("explicitcluster"))
            function.explicitCluster = true;
        else if (cursor.accept("maxnctapersm") || cursor.accept("maxclusterrank") || cursor.accept("abi_preserve")
            || cursor.accept("abi_preserve_control"))
            good = parseNumber(cursor, ignored);
        else if (cursor.accept("pragma"))
            good = skipPragma(cursor);
        else if (!cursor.accept("noreturn") && !cursor.accept("blocksareclusters"))
            good = cursor.unexpected("a directive of a function, as .maxntid, or its body");
        if (!good)
            return false;
    }
    return true;
}

// A definition takes the place of its prototypes.
bool place(Context& context, std::string_view name, Function&& function, std::uint32_t& index)
{
    std::vector<Function>& functions = context.module.functions;
    index = static_cast<std::uint32_t>(functions.size());
    if (const auto known = context.names.find(name)) {
        const bool isFunction = known->symbol.kind == Symbol::Kind::Function;
        if (!isFunction || (functions[known->symbol.index].defined && function.defined))
            return context.cursor.fail(function.line, quoted(name) + " is declared twice", "each name once");
        index = known->symbol.index;
        if (!functions[index].defined)
            functions[index] = std::move(function);
        return true;
    }
    functions.push_back(std::move(function));
    return context.names.declare(name, Symbol { Symbol::Kind::Function, false, index, 0 });
}

struct Head {
    std::string_view name;
    ParameterNames parameters, results;
};

// (results) name (parameters) directives
bool parseHead(Cursor& cursor, Function& function, Head& head)
{
    std::uint64_t resultBytes = 0;
    if (!function.entry && cursor.token().is('(')
        && !parseParameters(cursor, function.results, head.results, resultBytes))
        return false;
    if (!cursor.expectName(head.name, "a function's name"))
        return false;
    function.name = std::string(head.name);
    if (cursor.token().is('(')
        && !parseParameters(cursor, function.parameters, head.parameters, function.parameterBytes))
        return false;
    if (function.entry && function.parameterBytes > mostParameterBytes)
        return cursor.fail(function.line,
            quoted(head.name) + " has " + std::to_string(function.parameterBytes) + " bytes of parameters",
            "at most " + std::to_string(mostParameterBytes));
    return parseTuning(cursor, function);
}

bool declareParameters(Context& context, const ParameterNames& names, Symbol::Kind kind)
{
    for (std::size_t k = 0; k < names.size(); ++k)
        if (names[k] != "_"
            && !context.names.declare(names[k], Symbol { kind, true, static_cast<std::uint32_t>(k), 0 }))
            return context.cursor.fail(
                context.body().line, "the parameter " + quoted(names[k]) + " is declared twice", "each name once");
    return true;
}

} // namespace

bool parseFunction(Context& context, bool entry, bool external)
{
    Cursor& cursor = context.cursor;
    Function function;
    Head head;
    function.entry = entry;
    function.line = cursor.token().line;
    if (!parseHead(cursor, function, head))
        return false;
    const bool defined = cursor.token().is('{');
    function.defined = defined;
    if (!defined && !cursor.token().is(';'))
        return cursor.unexpected("the body in braces, or ';'");
    if (defined && external)
        return cursor.fail(function.line, quoted(head.name) + " is .extern and has a body", "one of them");
    std::uint32_t index = none;
    if (!place(context, head.name, std::move(function), index))
        return false;
    if (!defined)
        return cursor.expect(';');
    context.function = index;
    context.names.open();
    context.names.startFunction();
    context.debug.startFunction();
    if (!declareParameters(context, head.results, Symbol::Kind::ReturnValue)
        || !declareParameters(context, head.parameters, Symbol::Kind::Parameter) || !parseBody(context))
        return false;
    context.names.close();
    context.function = none;
    return true;
}

} // namespace flashstep::ptx
