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

namespace {

bool isOne(std::string_view value)
{
    return value == "1" || value == "**1**";
}

} // namespace

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
        const std::string_view gap = std::string_view(text).substr(open + 1, close - open - 1);
        const std::size_t asks = gap.find('?'); // {rows?row|rows}: the first form where rows is 1
        const auto value = values.find(gap.substr(0, asks));
        if (value == values.end())
            out += text.substr(open, close - open + 1);
        else if (asks == std::string_view::npos)
            out += value->second;
        else
            out += isOne(value->second) ? gap.substr(asks + 1, gap.find('|') - asks - 1)
                                        : gap.substr(gap.find('|') + 1);
        at = close + 1;
    }
    return out;
}

} // namespace flashstep
