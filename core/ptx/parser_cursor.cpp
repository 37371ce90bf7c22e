// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser_cursor.h"

namespace flashstep::ptx {

Cursor::Cursor(std::string_view text, const std::string& file)
    : m_file(file)
    , m_lexer(text)
    , m_token(m_lexer.next())
    , m_after(m_lexer.next())
{
}

Token Cursor::take()
{
    const Token taken = m_token;
    m_token = m_after;
    m_after = m_lexer.next();
    return taken;
}

bool Cursor::accept(char sign)
{
    if (!m_token.is(sign))
        return false;
    take();
    return true;
}

bool Cursor::accept(std::string_view dot)
{
    if (!m_token.isDot(dot))
        return false;
    take();
    return true;
}

bool Cursor::expect(char sign)
{
    return accept(sign) || unexpected(std::string("'") + sign + "'");
}

bool Cursor::expectName(std::string_view& name, const char* what)
{
    if (m_token.kind != Token::Kind::Name)
        return unexpected(what);
    name = take().text;
    return true;
}

bool Cursor::expectString(std::string_view& text, const char* what)
{
    if (m_token.kind != Token::Kind::String)
        return unexpected(what);
    text = take().text;
    return true;
}

bool Cursor::unexpected(const std::string& accepted)
{
    switch (m_token.kind) {
    case Token::Kind::End:
        return fail(m_token.line, "the text ends here", accepted);
    case Token::Kind::Bad:
        return fail(m_token.line, m_lexer.problem(), accepted);
    case Token::Kind::Dot:
        return fail(
            m_token.line, quoted("." + std::string(m_token.text.substr(0, 80))) + " has no place here", accepted);
    case Token::Kind::String:
        return fail(m_token.line, "a string has no place here", accepted);
    default:
        return fail(m_token.line, quoted(m_token.text) + " has no place here", accepted);
    }
}

bool Cursor::fail(std::uint32_t line, std::string what, std::string hint)
{
    if (!m_error)
        m_error = Error { std::move(what), m_file + ":" + std::to_string(line), std::move(hint) };
    return false;
}

std::string quoted(std::string_view text)
{
    constexpr std::size_t most = 80;
    return "'" + std::string(text.substr(0, most)) + (text.size() > most ? "…'" : "'");
}

} // namespace flashstep::ptx
