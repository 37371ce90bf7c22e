// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace flashstep {

using Json = nlohmann::ordered_json; // keys stay in the order they were written

// A number as JSON holds it: non-finite ones are the strings "-inf", "inf", "nan".
[[nodiscard]] Json jsonNumber(double value);

// The same rules as text: the shortest that reads back equal. For CSV and for streams of JSON.
void appendNumber(std::string& out, double value);
[[nodiscard]] std::string numberText(double value);
// `text` in quotes, with JSON's escapes; bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string quoted(const std::string& text);

// Text of a document: doubles as numberText writes them, objects indented, lists of plain values on one line.
[[nodiscard]] std::string jsonText(const Json& value);

} // namespace flashstep
