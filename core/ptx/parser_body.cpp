// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser_body.h"

#include "core/ptx/parser_operands.h"
#include "core/ptx/parser_variables.h"

namespace flashstep::ptx {

namespace {

constexpr std::size_t mostTargets = 65535;

void openScope(Context& context)
{
    context.names.open();
    context.labels.open();
}

void closeScope(Context& context)
{
    context.labels.close(context.body());
    context.names.close();
}

Operand labelOperand()
{
    Operand operand;
    operand.kind = Operand::Kind::Label;
    return operand;
}

// The bodies of switches: name: .branchtargets L1, L2; and of indirect calls: name: .calltargets f, g;
bool parseTargets(Context& context, std::string_view name, bool labels)
{
    Cursor& cursor = context.cursor;
    const Token directive = cursor.take();
    std::vector<Operand>& elements = context.body().elements;
    Symbol symbol { Symbol::Kind::Targets, true, static_cast<std::uint32_t>(elements.size()), 0 };
    do {
        const Token token = cursor.token();
        std::string_view target;
        if (!cursor.expectName(target, labels ? "a label" : "a function"))
            return false;
        if (++symbol.count > mostTargets)
            return cursor.fail(directive.line, "too many targets", "at most " + std::to_string(mostTargets));
        Operand operand = labelOperand();
        if (labels) {
            context.labels.refer({ target, token.line, none, static_cast<std::uint32_t>(elements.size()) });
        } else {
            const auto known = context.names.find(target);
            if (!known || known->symbol.kind != Symbol::Kind::Function)
                return cursor.fail(token.line, quoted(target) + " is no function", "a .func declared above");
            operand.kind = Operand::Kind::Function;
            operand.index = known->symbol.index;
        }
        elements.push_back(operand);
    } while (cursor.accept(','));
    return cursor.expect(';')
        && (context.names.declare(name, symbol)
            || cursor.fail(directive.line, quoted(name) + " is declared twice", "each name once in a block"));
}

// name: .callprototype (…) _ (…); the executed call says all that is needed.
bool parsePrototype(Context& context, std::string_view name)
{
    Cursor& cursor = context.cursor;
    const Token directive = cursor.take();
    while (!cursor.token().is(';')) {
        if (cursor.atEnd() || cursor.token().kind == Token::Kind::Bad || cursor.token().is('}'))
            return cursor.unexpected("the prototype's ';'");
        cursor.take();
    }
    cursor.take();
    return context.names.declare(name, Symbol { Symbol::Kind::Prototype, true, none, 0 })
        || cursor.fail(directive.line, quoted(name) + " is declared twice", "each name once in a block");
}

bool parseLabel(Context& context)
{
    Cursor& cursor = context.cursor;
    const Token label = cursor.take();
    cursor.take(); // the colon
    const Token& next = cursor.token();
    if (next.isDot("branchtargets") || next.isDot("calltargets"))
        return parseTargets(context, label.text, next.isDot("branchtargets"));
    if (next.isDot("callprototype"))
        return parsePrototype(context, label.text);
    return context.labels.declare(label.text, static_cast<std::uint32_t>(context.body().statements.size()))
        || cursor.fail(label.line, "the label " + quoted(label.text) + " stands twice in one block", "another name");
}

bool parseBranch(Context& context, Statement& statement)
{
    const Token label = context.cursor.token();
    std::string_view name;
    if (!context.cursor.expectName(name, "a label"))
        return false;
    context.labels.refer({ name, label.line, static_cast<std::uint32_t>(context.body().statements.size()), 0 });
    statement.operands.push_back(labelOperand());
    return true;
}

bool parseOperands(Context& context, Statement& statement)
{
    if (context.cursor.token().is(';'))
        return true;
    do {
        statement.operands.emplace_back();
        if (!parseOperand(context, statement.operands.back()))
            return false;
    } while (context.cursor.accept(','));
    return true;
}

bool parseInstruction(Context& context)
{
    Cursor& cursor = context.cursor;
    Statement statement;
    if (cursor.accept('@')) {
        statement.guardNegated = cursor.accept('!');
        if (!parsePredicate(context, statement.guard))
            return false;
    }
    statement.line = cursor.token().line;
    statement.location = context.debug.current();
    std::string_view opcode;
    if (!cursor.expectName(opcode, "an instruction"))
        return false;
    if (opcode[0] == '%' || opcode[0] == '$')
        return cursor.fail(statement.line, quoted(opcode) + " is no instruction", "an opcode, or a label and ':'");
    statement.opcode = std::string(opcode);
    while (cursor.token().kind == Token::Kind::Dot)
        statement.modifiers.emplace_back(cursor.take().text);
    const bool good = opcode == "bra" ? parseBranch(context, statement)
        : opcode == "call"            ? parseCall(context, statement)
                                      : parseOperands(context, statement);
    if (!good)
        return false;
    if (!cursor.accept(';'))
        return cursor.unexpected("',' or ';' after an operand");
    context.body().statements.push_back(std::move(statement));
    return true;
}

bool parseDirective(Context& context)
{
    Cursor& cursor = context.cursor;
    const std::string_view name = cursor.token().text;
    if (name == "reg") {
        cursor.take();
        return parseRegisters(context);
    }
    if (name == "loc") {
        cursor.take();
        return context.debug.location(cursor, context.module);
    }
    if (name == "pragma") {
        cursor.take();
        return skipPragma(cursor);
    }
    if (name == "file") {
        cursor.take();
        return context.debug.file(cursor, context.module);
    }
    if (const auto space = spaceFromName(name)) {
        cursor.take();
        return parseVariables(context, *space, {});
    }
    return cursor.unexpected("an instruction, a label, or .reg .local .shared .global .const .param .loc .pragma");
}

} // namespace

bool skipPragma(Cursor& cursor)
{
    do {
        std::string_view text;
        if (!cursor.expectString(text, "the pragma in quotes"))
            return false;
    } while (cursor.accept(','));
    return cursor.expect(';');
}

bool parseBody(Context& context)
{
    Cursor& cursor = context.cursor;
    const std::uint32_t line = cursor.token().line;
    std::uint32_t depth = 0;
    do {
        const Token token = cursor.token();
        bool good = true;
        if (cursor.accept('{')) {
            if (++depth > mostNestedScopes)
                return cursor.fail(token.line, "blocks are nested too deeply",
                    "at most " + std::to_string(mostNestedScopes) + " levels");
            openScope(context);
        } else if (cursor.accept('}')) {
            closeScope(context);
            --depth;
        } else if (cursor.atEnd()) {
            return cursor.fail(line, "the block of " + quoted(context.body().name) + " is never closed", "'}'");
        } else if (token.kind == Token::Kind::Dot) {
            good = parseDirective(context);
        } else if (token.kind == Token::Kind::Name && cursor.after().is(':')) {
            good = parseLabel(context);
        } else {
            good = parseInstruction(context);
        }
        if (!good)
            return false;
    } while (depth > 0);
    return context.labels.settled(cursor);
}

} // namespace flashstep::ptx
