// SPDX-License-Identifier: Apache-2.0
#include "core/io/json_document.h"

#include <fmt/format.h>

#include <algorithm>

namespace flashstep {

namespace {

constexpr int formatVersion = 1;
constexpr int deepest = 64;

bool isTooDeep(const std::string& text)
{
    int depth = 0;
    bool inString = false;
    for (std::size_t k = 0; k < text.size(); ++k) {
        const char c = text[k];
        if (inString && c == '\\')
            ++k;
        else if (c == '"')
            inString = !inString;
        else if (!inString && (c == '[' || c == '{') && ++depth > deepest)
            return true;
        else if (!inString && (c == ']' || c == '}'))
            --depth;
    }
    return false;
}

// The position in lines; the parser's own message is for programmers.
std::string syntaxError(const std::string& text)
{
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    struct Place : nlohmann::json_sax<Json> {
        std::size_t at = 0;
        bool null() override { return true; }
        bool boolean(bool) override { return true; }
        bool number_integer(number_integer_t) override { return true; }
        bool number_unsigned(number_unsigned_t) override { return true; }
        bool number_float(number_float_t, const string_t&) override { return true; }
        bool string(string_t&) override { return true; }
        bool binary(binary_t&) override { return true; }
        bool start_object(std::size_t) override { return true; }
        bool key(string_t&) override { return true; }
        bool end_object() override { return true; }
        bool start_array(std::size_t) override { return true; }
        bool end_array() override { return true; }
        bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override
        {
            at = position;
            return false;
        }
    } place;
    Json::sax_parse(bytes, bytes + text.size(), &place);
    const auto before = text.begin() + static_cast<std::ptrdiff_t>(std::min(place.at, text.size()));
    return fmt::format("line {} is where it stops being one", 1 + std::count(text.begin(), before, '\n'));
}

} // namespace

Result<Json> parseJsonDocument(const std::string& text, const std::string& where)
{
    if (isTooDeep(text))
        return Error { "nested too deep", where, fmt::format("at most {} levels", deepest) };
    Json document = Json::parse(text, nullptr, false);
    if (document.is_discarded())
        return Error { "not a JSON document", where, syntaxError(text) };
    return document;
}

Status checkFormatVersion(const Json& document, const std::string& where)
{
    const auto wrong = [&](std::string what, std::string hint) {
        return Error { "key \"flashstep\": " + std::move(what), where, std::move(hint) };
    };
    const auto version = document.find("flashstep");
    if (version == document.end())
        return wrong("the key is missing", "\"flashstep\": 1");
    if (!version->is_number_integer() && !version->is_number_unsigned())
        return wrong("the version has to be a whole number", "1");
    if (*version > formatVersion || *version < 1)
        return wrong(
            fmt::format("version {} of the format is not known here", version->dump()), "1; a newer program wrote it?");
    return Nothing {};
}

} // namespace flashstep
