// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser.h"

#include "core/ptx/parser_body.h"
#include "core/ptx/parser_constants.h"
#include "core/ptx/parser_functions.h"
#include "core/ptx/parser_variables.h"

namespace flashstep::ptx {

namespace {

std::vector<std::string> linesOf(std::string_view text)
{
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        lines.emplace_back(line);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

// What the comments above the first directive say about the compiler.
void readHeader(Module& module)
{
    constexpr std::string_view basis = "Based on ", tools = "Cuda compilation tools";
    for (const std::string& line : module.text) {
        if (!line.starts_with("//")) {
            if (line.find_first_not_of(" \t") == std::string::npos)
                continue;
            return;
        }
        const std::string_view comment(line);
        if (const std::size_t at = comment.find(basis); at != std::string_view::npos)
            module.compiler = std::string(comment.substr(at + basis.size()));
        if (const std::size_t at = comment.find(tools); at != std::string_view::npos)
            module.toolkit = std::string(comment.substr(at));
    }
}

// .version 9.0
bool parseVersion(Context& context)
{
    Cursor& cursor = context.cursor;
    if (!cursor.accept("version"))
        return cursor.unexpected(".version at the beginning");
    const Token token = cursor.token();
    if (token.kind != Token::Kind::Double || token.text.find_first_not_of("0123456789.") != std::string_view::npos
        || token.text.ends_with('.'))
        return cursor.unexpected("a version, as 9.0");
    context.module.version = std::string(token.text);
    cursor.take();
    return true;
}

// sm_80, sm_90a, sm_100f
bool isArchitecture(std::string_view name)
{
    if (!name.starts_with("sm_"))
        return false;
    name.remove_prefix(3);
    if (name.ends_with('a') || name.ends_with('f'))
        name.remove_suffix(1);
    return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

// .target sm_90a, debug
bool parseTarget(Context& context)
{
    Cursor& cursor = context.cursor;
    if (!cursor.accept("target"))
        return cursor.unexpected(".target after .version");
    do {
        const Token token = cursor.token();
        std::string_view name;
        if (!cursor.expectName(name, "a target, as sm_80"))
            return false;
        if (isArchitecture(name) && context.module.target.empty())
            context.module.target = std::string(name);
        else if (name != "debug" && name != "texmode_unified" && name != "texmode_independent")
            return cursor.fail(token.line, quoted(name) + " is no target", "one sm_…, and debug");
    } while (cursor.accept(','));
    return !context.module.target.empty() || cursor.unexpected("a target, as sm_80");
}

// .address_size 64
bool parseAddressSize(Context& context)
{
    Cursor& cursor = context.cursor;
    const std::uint32_t line = cursor.token().line;
    if (!cursor.accept("address_size"))
        return true;
    std::uint64_t size = 0;
    if (!parseCount(cursor, size, "an address size", 0, 64))
        return false;
    return size == 64 || cursor.fail(line, "addresses of " + std::to_string(size) + " bits", ".address_size 64");
}

// .alias another, function; calls of the other may stand above it, through a prototype.
bool parseAlias(Context& context)
{
    Cursor& cursor = context.cursor;
    const Token token = cursor.token();
    std::string_view alias, aliased;
    if (!cursor.expectName(alias, "a function's name") || !cursor.expect(',')
        || !cursor.expectName(aliased, "a function's name"))
        return false;
    const auto known = context.names.find(aliased);
    if (!known || known->symbol.kind != Symbol::Kind::Function)
        return cursor.fail(token.line, quoted(aliased) + " is no function", "a .func declared above");
    if (const auto before = context.names.find(alias)) {
        if (before->symbol.kind != Symbol::Kind::Function || context.module.functions[before->symbol.index].defined)
            return cursor.fail(token.line, quoted(alias) + " is declared twice", "each name once");
        context.aliases.emplace_back(before->symbol.index, known->symbol.index);
    } else if (!context.names.declare(alias, known->symbol)) {
        return cursor.fail(token.line, quoted(alias) + " is declared twice", "each name once");
    }
    return cursor.expect(';');
}

void followAliases(Context& context)
{
    if (context.aliases.empty())
        return;
    std::vector<Function>& functions = context.module.functions;
    std::vector<std::uint32_t> meant(functions.size());
    for (std::uint32_t k = 0; k < meant.size(); ++k)
        meant[k] = k;
    for (const auto& [alias, aliased] : context.aliases)
        meant[alias] = aliased;
    const auto follow = [&](std::vector<Operand>& operands) {
        for (Operand& operand : operands)
            if (operand.kind == Operand::Kind::Function)
                operand.index = meant[operand.index];
    };
    for (Function& function : functions) {
        follow(function.elements);
        for (Statement& statement : function.statements)
            follow(statement.operands);
    }
}

bool isLinkage(const Token& token)
{
    return token.isDot("visible") || token.isDot("weak") || token.isDot("common") || token.isDot("extern");
}

// A function or a variable, after its linkage.
bool parseObject(Context& context)
{
    Cursor& cursor = context.cursor;
    bool external = false;
    while (isLinkage(cursor.token()))
        external = cursor.take().text == "extern" || external;
    if (cursor.accept("entry"))
        return parseFunction(context, true, external);
    if (cursor.accept("func"))
        return parseFunction(context, false, external);
    const auto space = cursor.token().kind == Token::Kind::Dot ? spaceFromName(cursor.token().text) : std::nullopt;
    if (!space || *space == Space::Param)
        return cursor.unexpected(".entry, .func, .global, .const, .shared or .local");
    cursor.take();
    return parseVariables(context, *space, { external });
}

bool parseItem(Context& context)
{
    Cursor& cursor = context.cursor;
    if (cursor.accept("file"))
        return context.debug.file(cursor, context.module);
    if (cursor.accept("section"))
        return context.debug.section(cursor, context.module);
    if (cursor.accept("pragma"))
        return skipPragma(cursor);
    if (cursor.accept("alias"))
        return parseAlias(context);
    return parseObject(context);
}

bool parseModule(Context& context)
{
    if (!parseVersion(context) || !parseTarget(context) || !parseAddressSize(context))
        return false;
    context.names.open();
    while (!context.cursor.atEnd())
        if (!parseItem(context))
            return false;
    return true;
}

} // namespace

Result<Module> parse(std::string_view text, const std::string& file)
{
    Context context(text, file);
    if (!parseModule(context))
        return *context.cursor.error();
    context.debug.finish(context.module);
    followAliases(context);
    context.module.text = linesOf(text);
    readHeader(context.module);
    return std::move(context.module);
}

} // namespace flashstep::ptx
