// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/ptx/lexer.h"

#include <optional>
#include <string>
#include <string_view>

namespace flashstep::ptx {

// The word that is read now, one beyond it, and the first thing that was wrong. Functions of the parser return false
// once there is an error.
class Cursor {
public:
    Cursor(std::string_view text, const std::string& file);

    [[nodiscard]] const Token& token() const { return m_token; }
    [[nodiscard]] const Token& after() const { return m_after; }
    [[nodiscard]] bool atEnd() const { return m_token.kind == Token::Kind::End; }
    Token take(); // what was read, and on to the next
    bool accept(char sign); // takes it where it stands
    bool accept(std::string_view dot); // a .word, likewise

    [[nodiscard]] bool expect(char sign);
    [[nodiscard]] bool expectName(std::string_view& name, const char* what);
    [[nodiscard]] bool expectString(std::string_view& text, const char* what);

    // The word that is read now is not what would be accepted.
    bool unexpected(const std::string& accepted);
    bool fail(std::uint32_t line, std::string what, std::string hint);
    [[nodiscard]] const std::optional<Error>& error() const { return m_error; }

private:
    std::string m_file;
    Lexer m_lexer;
    Token m_token, m_after;
    std::optional<Error> m_error;
};

// Between quotes, and not longer than a line of a message bears.
[[nodiscard]] std::string quoted(std::string_view text);

} // namespace flashstep::ptx
