// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/trace/trace.h"

#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// What positions and conditions are written with: NAME(positional, …, key=value, …).
struct Call {
    std::string_view function;
    std::vector<std::string_view> positional;
    std::map<std::string_view, std::string_view> keys;
};
// Nothing where the text is not of that form, or a key is given twice. The views are into the text.
[[nodiscard]] std::optional<Call> callFrom(std::string_view text);

[[nodiscard]] std::string_view withoutBlanks(std::string_view text); // at its ends
template <typename Number> [[nodiscard]] std::optional<Number> numberFrom(std::string_view text)
{
    Number value {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

// What an op must be, and where, to be meant.
struct OpFilter {
    OpKind kind {};
    std::optional<int> cta, i, j, row, turn;
    std::optional<std::string> role, buffer, barrier;
};
inline constexpr std::string_view filterKeys = "cta role i j row buffer barrier turn";
// Takes one key; false where there is no such key, an error where its value is not one.
[[nodiscard]] Result<bool> setFilter(OpFilter& filter, std::string_view key, std::string_view value);

// Of the op in some work. Whose CTA it is, and how many turns came before it, is for the trace to say.
[[nodiscard]] bool matches(const Program& program, const Work& work, const Op& op, const OpFilter& filter);
// The whole of it, of an execution.
[[nodiscard]] bool matches(const Trace& trace, InstanceId instance, const OpFilter& filter);

} // namespace flashstep
