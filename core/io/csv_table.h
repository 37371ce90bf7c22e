// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// A CSV file as read: a line of column names, then rows with as many cells. A cell with a comma, a quote or a line's
// end stands in quotes, a quote in it twice (RFC 4180); lines end with LF or CRLF.
struct CsvTableText {
    struct Row {
        int line = 0; // where it begins, from 1
        std::vector<std::string> cells;
    };
    std::string where; // the file, for errors
    std::vector<std::string> columns;
    std::vector<Row> rows;

    [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const;
    [[nodiscard]] std::string place(const Row& row) const { return where + ":" + std::to_string(row.line); }
};
[[nodiscard]] Result<CsvTableText> parseCsv(std::string_view text, const std::string& where);

} // namespace flashstep
