// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/csv.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace flashstep::test {

using Rows = std::vector<std::vector<std::string>>;

// RFC 4180: cells in quotes may hold commas, lines' ends and quotes, which stand there twice.
inline Rows parseRfc4180(const std::string& text)
{
    Rows rows;
    bool quoted = false, fresh = true;
    for (std::size_t k = 0; k < text.size(); ++k) {
        const char c = text[k];
        if (fresh)
            rows.push_back({ "" });
        fresh = false;
        if (quoted && c == '"' && k + 1 < text.size() && text[k + 1] == '"')
            rows.back().back() += text[++k];
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == ',')
            rows.back().emplace_back();
        else if (!quoted && c == '\n')
            fresh = true;
        else if (quoted || c != '\r')
            rows.back().back() += c;
    }
    EXPECT_FALSE(quoted) << "a quote that is never closed";
    EXPECT_TRUE(fresh) << "the last line has no end";
    for (const auto& row : rows)
        EXPECT_EQ(row.size(), rows.front().size());
    return rows;
}

inline Rows csvRows(const Run& run, CsvTable table, const Range& range)
{
    std::ostringstream out;
    EXPECT_TRUE(writeCsv(run, table, range, out, {}).ok());
    return parseRfc4180(out.str());
}

} // namespace flashstep::test
