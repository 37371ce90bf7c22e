// SPDX-License-Identifier: Apache-2.0
#include "core/io/json.h"
#include "core/io/narrate.h"
#include "resources/embedded/resources.h"

namespace flashstep {

namespace {

Result<Json> table(std::string_view lang)
{
    const std::string path = "text/" + std::string(lang) + ".json";
    const std::optional<std::string_view> bytes = resource(path);
    if (!bytes)
        return Error { "there are no texts for '" + std::string(lang) + "'", "language", "en" };
    Json json = Json::parse(*bytes, nullptr, false);
    if (!json.is_object())
        return Error { "its texts are damaged", path, "" };
    return json;
}

} // namespace

Result<Words> Words::load(std::string_view lang)
{
    Words words;
    for (const std::string_view language : { std::string_view("en"), lang }) {
        const Result<Json> json = table(language);
        if (!json)
            return json.error();
        for (const auto& [name, text] : (*json)["narration"].items())
            if (text.is_string())
                words.m_texts.insert_or_assign(name, text.get<std::string>());
    }
    return words;
}

std::string Words::say(std::string_view name, const Values& values) const
{
    const auto found = m_texts.find(name);
    if (found == m_texts.end())
        return "[" + std::string(name) + "]";
    const std::string& text = found->second;
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t open = text.find('{', at);
        const std::size_t close = text.find('}', open);
        if (open == std::string::npos || close == std::string::npos)
            return out + text.substr(at);
        out += text.substr(at, open - at);
        const auto value = values.find(std::string_view(text).substr(open + 1, close - open - 1));
        out += value == values.end() ? text.substr(open, close - open + 1) : value->second;
        at = close + 1;
    }
    return out;
}

} // namespace flashstep
