// SPDX-License-Identifier: Apache-2.0
#include "core/io/command_words.h"

namespace flashstep {

namespace {

bool isBlank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

} // namespace

Result<std::vector<std::string>> commandWords(std::string_view text)
{
    std::vector<std::string> words;
    bool inWord = false;
    char quote = 0;
    for (std::size_t k = 0; k < text.size(); ++k) {
        const char c = text[k];
        if (c == '\0')
            return Error { "a zero byte in it", "'" + std::string(text.substr(0, k)) + "'", "words" };
        if (quote == 0 && isBlank(c)) {
            inWord = false;
            continue;
        }
        if (!inWord) // an empty pair of quotes is a word too
            words.emplace_back();
        inWord = true;
        if (quote != 0 && c == quote)
            quote = 0;
        else if (quote == 0 && (c == '\'' || c == '"'))
            quote = c;
        else if (c == '\\' && quote != '\'') {
            if (k + 1 == text.size())
                return Error { "ends with a backslash", "'" + std::string(text) + "'",
                    "\\\\ for the character itself" };
            const char next = text[k + 1];
            if (quote == 0 || next == '"' || next == '\\') {
                words.back() += next;
                ++k;
            } else {
                words.back() += c;
            }
        } else {
            words.back() += c;
        }
    }
    if (quote != 0)
        return Error { std::string("the quote ") + quote + " is not closed", "'" + std::string(text) + "'",
            "as many opened as closed" };
    return words;
}

} // namespace flashstep
