// SPDX-License-Identifier: Apache-2.0
#include "core/io/csv_table.h"

#include <algorithm>

namespace flashstep {

namespace {

class Reader {
public:
    Reader(std::string_view text, const std::string& where)
        : m_text(text)
        , m_where(where)
    {
        if (m_text.starts_with("\xef\xbb\xbf")) // byte order mark
            m_at = 3;
    }

    [[nodiscard]] bool atEnd() const { return m_at >= m_text.size(); }

    Result<CsvTableText::Row> row()
    {
        CsvTableText::Row row { m_line, {} };
        for (;;) {
            Result<std::string> cell = m_at < m_text.size() && m_text[m_at] == '"' ? quotedCell() : plainCell();
            if (!cell)
                return cell.error();
            row.cells.push_back(std::move(*cell));
            if (atEnd())
                return row;
            if (m_text[m_at] == ',') {
                ++m_at;
                continue;
            }
            if (m_text[m_at] == '\r' && m_at + 1 < m_text.size() && m_text[m_at + 1] == '\n')
                ++m_at;
            if (m_text[m_at] != '\n')
                return error("something follows a cell's closing quote", "a comma or the line's end");
            ++m_at;
            ++m_line;
            return row;
        }
    }

private:
    [[nodiscard]] Error error(std::string what, std::string hint) const
    {
        return { std::move(what), m_where + ":" + std::to_string(m_line), std::move(hint) };
    }

    Result<std::string> plainCell()
    {
        const std::size_t begin = m_at;
        m_at = std::min(m_text.find_first_of(",\n", m_at), m_text.size());
        std::string_view cell = m_text.substr(begin, m_at - begin);
        if (cell.ends_with('\r') && (atEnd() || m_text[m_at] == '\n'))
            cell.remove_suffix(1);
        if (cell.find('"') != std::string_view::npos)
            return error("a quote inside a cell without quotes", "a cell in quotes, its own quotes twice");
        return std::string(cell);
    }

    Result<std::string> quotedCell()
    {
        std::string cell;
        const int line = m_line;
        for (++m_at; m_at < m_text.size(); ++m_at) {
            const char c = m_text[m_at];
            if (c == '"' && m_at + 1 < m_text.size() && m_text[m_at + 1] == '"')
                ++m_at;
            else if (c == '"') {
                ++m_at;
                return cell;
            }
            m_line += c == '\n' ? 1 : 0;
            cell += c;
        }
        m_line = line;
        return error("a quote that is never closed", "a cell in quotes, its own quotes twice");
    }

    std::string_view m_text;
    const std::string& m_where;
    std::size_t m_at = 0;
    int m_line = 1;
};

} // namespace

std::optional<std::size_t> CsvTableText::column(std::string_view name) const
{
    const auto found = std::ranges::find(columns, name);
    return found == columns.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - columns.begin()));
}

Result<CsvTableText> parseCsv(std::string_view text, const std::string& where)
{
    Reader reader(text, where);
    CsvTableText table;
    table.where = where;
    if (reader.atEnd())
        return Error { "is empty", where, "a line of column names, then rows" };
    Result<CsvTableText::Row> head = reader.row();
    if (!head)
        return head.error();
    table.columns = std::move(head->cells);
    for (std::size_t k = 0; k < table.columns.size(); ++k)
        if (std::ranges::count(table.columns, table.columns[k]) > 1)
            return Error { "the column '" + table.columns[k] + "' stands there twice", where + ":1", "" };
    while (!reader.atEnd()) {
        Result<CsvTableText::Row> row = reader.row();
        if (!row)
            return row.error();
        if (row->cells.size() == 1 && row->cells[0].empty()) // an empty line
            continue;
        if (row->cells.size() != table.columns.size())
            return Error { std::to_string(row->cells.size()) + " cells", table.place(*row),
                std::to_string(table.columns.size()) + ", as in the first line" };
        table.rows.push_back(std::move(*row));
    }
    return table;
}

} // namespace flashstep
