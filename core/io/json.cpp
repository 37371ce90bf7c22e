// SPDX-License-Identifier: Apache-2.0
#include "core/io/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace flashstep {

Json jsonNumber(double value)
{
    if (std::isfinite(value))
        return value;
    return numberText(value);
}

void appendNumber(std::string& out, double value)
{
    if (std::isnan(value)) {
        out += "nan";
    } else if (std::isinf(value)) {
        out += value < 0 ? "-inf" : "inf";
    } else {
        std::array<char, 32> digits {};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        out.append(digits.data(), end);
    }
}

std::string numberText(double value)
{
    std::string text;
    appendNumber(text, value);
    return text;
}

std::string quoted(const std::string& text)
{
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

namespace {

bool isPlain(const Json& value)
{
    return !value.is_structured() || value.empty();
}

void append(std::string& out, const Json& value, int depth);

void newLine(std::string& out, int depth)
{
    out += '\n';
    out.append(static_cast<std::size_t>(2 * depth), ' ');
}

void appendObject(std::string& out, const Json& value, int depth)
{
    const char* separator = "";
    out += '{';
    for (const auto& [key, member] : value.items()) {
        out += separator;
        newLine(out, depth + 1);
        out += quoted(key) + ": ";
        append(out, member, depth + 1);
        separator = ",";
    }
    if (!value.empty())
        newLine(out, depth);
    out += '}';
}

void appendList(std::string& out, const Json& value, int depth)
{
    const bool oneLine = std::all_of(value.begin(), value.end(), isPlain);
    bool first = true;
    out += '[';
    for (const Json& member : value) {
        if (!first)
            out += oneLine ? ", " : ",";
        if (!oneLine)
            newLine(out, depth + 1);
        append(out, member, depth + 1);
        first = false;
    }
    if (!oneLine)
        newLine(out, depth);
    out += ']';
}

void append(std::string& out, const Json& value, int depth)
{
    if (value.is_object())
        appendObject(out, value, depth);
    else if (value.is_array())
        appendList(out, value, depth);
    else if (value.is_number_float())
        appendNumber(out, value.get<double>());
    else if (value.is_string())
        out += quoted(value.get_ref<const std::string&>());
    else
        out += value.dump();
}

} // namespace

std::string jsonText(const Json& value)
{
    std::string out;
    append(out, value, 0);
    out += '\n';
    return out;
}

} // namespace flashstep
