// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flashstep::ptx {

// A word of PTX; `text` lies in the text that is read.
struct Token {
    enum class Kind : std::uint8_t {
        End,
        Name, // %r1, $L__BB0_2, add, _
        Dot, // .f32, .shared::cta, without the dot
        Integer,
        Double, // 0d3FF0000000000000 or 1.0
        Single, // 0f3F800000
        String, // without the quotes
        Sign, // one character
        Bad // see Lexer::problem
    };
    Kind kind = Kind::End;
    std::uint32_t line = 1;
    std::string_view text;

    [[nodiscard]] bool is(char sign) const { return kind == Kind::Sign && text[0] == sign; }
    [[nodiscard]] bool isDot(std::string_view name) const { return kind == Kind::Dot && text == name; }
    [[nodiscard]] bool isName(std::string_view name) const { return kind == Kind::Name && text == name; }
};

// Cuts PTX into words, over blanks and comments (PTX ISA 4.1 to 4.5).
class Lexer {
public:
    explicit Lexer(std::string_view text);

    [[nodiscard]] Token next(); // at the text's end, and after a Bad one, the same for ever
    [[nodiscard]] const std::string& problem() const { return m_problem; } // of the Bad word

private:
    Token name();
    Token dot();
    Token number();
    Token string();
    Token token(Token::Kind kind, std::size_t begin, std::size_t end);
    Token bad(std::string problem);
    bool skipBlanks(); // false: a comment that does not end

    std::string_view m_text;
    std::size_t m_at = 0;
    std::uint32_t m_line = 1;
    std::string m_problem;
};

} // namespace flashstep::ptx
