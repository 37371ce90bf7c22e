// SPDX-License-Identifier: Apache-2.0
// How sentences write their numbers.
#pragma once

#include "core/trace/trace.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace flashstep::narration {

inline std::string number(double value)
{
    if (std::isnan(value))
        return "NaN";
    if (std::isinf(value))
        return value < 0 ? "-inf" : "inf";
    return fmt::format("{:.2f}", value);
}

// A factor of which small values matter.
inline std::string factor(double value)
{
    return fmt::format("{:.3g}", value);
}

inline std::string bold(const std::string& text)
{
    return "**" + text + "**";
}

inline std::string thousands(std::int64_t value)
{
    std::string digits = std::to_string(value);
    for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), " ");
    return digits;
}

// A statistic of one row; `otherwise` where nothing has been written yet.
inline double rowValue(const TileValues& values, int row, double otherwise)
{
    if (row >= values.rows || values.cols < 1 || std::isnan(values.at(row, 0)))
        return otherwise;
    return static_cast<double>(values.at(row, 0));
}

} // namespace flashstep::narration
