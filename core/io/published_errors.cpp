// SPDX-License-Identifier: Apache-2.0
#include "core/io/published_errors.h"

#include "resources/embedded/resources.h"

#include <algorithm>
#include <cassert>
#include <charconv>

namespace flashstep {

namespace {

// The cells of a line; those that hold a comma are in quotes. No cell of this file holds a quote or a line's end.
std::vector<std::string> cellsOf(std::string_view line)
{
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (const char c : line) {
        if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            cells.emplace_back();
        else
            cells.back() += c;
    }
    return cells;
}

double numberOf(const std::string& text)
{
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::vector<PublishedError> parsed(std::string_view csv)
{
    enum Column { Paper, Place, Gpu, Algorithm, Dtype, Metric, Value, Unit, Input, Source, Note, Count };
    std::vector<PublishedError> rows;
    std::size_t begin = csv.find('\n') + 1; // the head
    for (std::size_t end = 0; begin < csv.size(); begin = end + 1) {
        end = std::min(csv.find('\n', begin), csv.size());
        const std::vector<std::string> cells = cellsOf(csv.substr(begin, end - begin));
        assert(cells.size() == Count);
        rows.push_back({ cells[Paper], cells[Place], cells[Algorithm], cells[Dtype], cells[Metric],
            numberOf(cells[Value]), cells[Unit], cells[Source] });
    }
    return rows;
}

} // namespace

const std::vector<PublishedError>& publishedErrors()
{
    static const std::vector<PublishedError> rows = parsed(resource("numerics/numerics.csv").value_or("\n"));
    return rows;
}

const PublishedError* publishedError(std::string_view algorithm, std::string_view dtype, std::string_view metric)
{
    const std::vector<PublishedError>& rows = publishedErrors();
    const auto found = std::ranges::find_if(rows, [&](const PublishedError& row) {
        return row.algorithm == algorithm && row.dtype == dtype && row.metric == metric;
    });
    return found == rows.end() ? nullptr : &*found;
}

} // namespace flashstep
