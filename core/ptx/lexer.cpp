// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/lexer.h"

#include <algorithm>
#include <array>

namespace flashstep::ptx {

namespace {

// The characters' classes, whatever the locale.
enum : std::uint8_t { follows = 1, digit = 2, hexDigit = 4, blank = 8, begins = 16 };

constexpr std::array<std::uint8_t, 256> makeClasses()
{
    std::array<std::uint8_t, 256> classes {};
    for (int c = '0'; c <= '9'; ++c)
        classes[static_cast<std::size_t>(c)] = follows | digit | hexDigit;
    for (int c = 'a'; c <= 'z'; ++c) {
        const std::uint8_t hex = c <= 'f' ? hexDigit : 0;
        classes[static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(follows | begins | hex);
        classes[static_cast<std::size_t>(c - 'a' + 'A')] = static_cast<std::uint8_t>(follows | begins | hex);
    }
    classes['_'] = classes['$'] = follows | begins;
    for (const char c : { ' ', '\t', '\r', '\f', '\v' })
        classes[static_cast<std::size_t>(c)] = blank;
    return classes;
}

constexpr std::array<std::uint8_t, 256> classes = makeClasses();
constexpr std::string_view signs = "{}()[]<>,;:|&^!~+-*/%?=@";

bool is(char c, std::uint8_t which)
{
    return (classes[static_cast<unsigned char>(c)] & which) != 0;
}

// Where the run of such characters ends.
std::size_t runEnd(std::string_view text, std::size_t at, std::uint8_t which)
{
    while (at < text.size() && is(text[at], which))
        ++at;
    return at;
}

} // namespace

Lexer::Lexer(std::string_view text)
    : m_text(text)
{
    if (m_text.starts_with("\xef\xbb\xbf")) // byte order mark
        m_at = 3;
}

Token Lexer::token(Token::Kind kind, std::size_t begin, std::size_t end)
{
    return { kind, m_line, m_text.substr(begin, end - begin) };
}

Token Lexer::bad(std::string problem)
{
    m_problem = std::move(problem);
    return { Token::Kind::Bad, m_line, {} };
}

bool Lexer::skipBlanks()
{
    while (m_at < m_text.size()) {
        const char c = m_text[m_at];
        if (c == '\n') {
            ++m_line;
            ++m_at;
        } else if (is(c, blank)) {
            ++m_at;
        } else if (m_text.compare(m_at, 2, "//") == 0) {
            m_at = std::min(m_text.find('\n', m_at), m_text.size());
        } else if (m_text.compare(m_at, 2, "/*") == 0) {
            const std::size_t end = m_text.find("*/", m_at + 2);
            if (end == std::string_view::npos)
                return false;
            const std::string_view comment = m_text.substr(m_at, end - m_at);
            m_line += static_cast<std::uint32_t>(std::ranges::count(comment, '\n'));
            m_at = end + 2;
        } else {
            return true;
        }
    }
    return true;
}

Token Lexer::next()
{
    if (!m_problem.empty())
        return { Token::Kind::Bad, m_line, {} };
    if (!skipBlanks())
        return bad("a comment that never ends");
    if (m_at >= m_text.size())
        return { Token::Kind::End, m_line, {} };
    const char c = m_text[m_at];
    const bool another = m_at + 1 < m_text.size();
    if (is(c, begins) || (c == '%' && another && is(m_text[m_at + 1], follows)))
        return name();
    if (is(c, digit))
        return number();
    if (c == '.' && another && is(m_text[m_at + 1], follows))
        return dot();
    if (c == '"')
        return string();
    if (signs.find(c) != std::string_view::npos) {
        ++m_at;
        return token(Token::Kind::Sign, m_at - 1, m_at);
    }
    if (c > ' ' && c < '\x7f')
        return bad(std::string("the character '") + c + "' has no place here");
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    return bad(std::string("the byte 0x") + digits[byte >> 4U] + digits[byte & 15U] + " has no place here");
}

Token Lexer::name()
{
    const std::size_t begin = m_at;
    m_at = runEnd(m_text, m_at + 1, follows);
    return token(Token::Kind::Name, begin, m_at);
}

Token Lexer::dot()
{
    const std::size_t begin = m_at + 1;
    m_at = runEnd(m_text, begin, follows);
    while (m_text.compare(m_at, 2, "::") == 0 && m_at + 2 < m_text.size() && is(m_text[m_at + 2], follows))
        m_at = runEnd(m_text, m_at + 2, follows);
    return token(Token::Kind::Dot, begin, m_at);
}

Token Lexer::number()
{
    const std::size_t begin = m_at;
    const char second = m_at + 1 < m_text.size() ? m_text[m_at + 1] : '\0';
    Token::Kind kind = Token::Kind::Integer;
    if (m_text[m_at] == '0' && (second == 'f' || second == 'F' || second == 'd' || second == 'D')) {
        const bool single = second == 'f' || second == 'F';
        kind = single ? Token::Kind::Single : Token::Kind::Double;
        m_at = runEnd(m_text, m_at + 2, hexDigit);
        if (m_at - begin != (single ? 10U : 18U))
            return bad(single ? "a 0f constant without eight hexadecimal digits"
                              : "a 0d constant without sixteen hexadecimal digits");
    } else if (m_text[m_at] == '0' && (second == 'x' || second == 'X')) {
        m_at = runEnd(m_text, m_at + 2, hexDigit);
    } else {
        m_at = runEnd(m_text, m_at, digit);
        if (m_at - begin == 1 && m_text[begin] == '0' && (second == 'b' || second == 'B'))
            m_at = runEnd(m_text, m_at + 1, digit);
        if (m_at < m_text.size() && m_text[m_at] == '.'
            && (m_at + 1 == m_text.size() || !is(m_text[m_at + 1], begins))) {
            kind = Token::Kind::Double;
            m_at = runEnd(m_text, m_at + 1, digit);
        }
        if (m_at + 1 < m_text.size() && (m_text[m_at] == 'e' || m_text[m_at] == 'E')) {
            const bool sign = m_text[m_at + 1] == '+' || m_text[m_at + 1] == '-';
            const std::size_t end = runEnd(m_text, m_at + (sign ? 2 : 1), digit);
            if (end > m_at + (sign ? 2U : 1U)) {
                kind = Token::Kind::Double;
                m_at = end;
            }
        }
    }
    if (kind == Token::Kind::Integer && m_at < m_text.size() && m_text[m_at] == 'U')
        ++m_at;
    if (m_at < m_text.size() && is(m_text[m_at], follows)) {
        const std::size_t end = std::min(runEnd(m_text, m_at, follows), begin + 40);
        return bad("'" + std::string(m_text.substr(begin, end - begin)) + "' is neither a number nor a name");
    }
    return token(kind, begin, m_at);
}

Token Lexer::string()
{
    const std::size_t begin = ++m_at;
    while (m_at < m_text.size() && m_text[m_at] != '"' && m_text[m_at] != '\n')
        m_at += m_text[m_at] == '\\' && m_at + 1 < m_text.size() && m_text[m_at + 1] != '\n' ? 2 : 1;
    if (m_at >= m_text.size() || m_text[m_at] != '"')
        return bad("a quote that is never closed");
    ++m_at;
    return token(Token::Kind::String, begin, m_at - 1);
}

} // namespace flashstep::ptx
