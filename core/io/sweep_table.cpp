// SPDX-License-Identifier: Apache-2.0
#include "core/io/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace flashstep {

namespace {

// Those of `run --json` in its order. Left out: what differs from one computer to the next (wall_seconds,
// peak_rss_mib), and guess_effects, for which every combination would be timed several times more.
constexpr std::array<std::string_view, 54> runColumns { "flashstep", "algorithm", "pass", "gpu", "dtype",
    "costed_dtype", "mask", "batch", "heads", "kv_heads", "seqlen_q", "seqlen_k", "head_dim", "head_dim_v", "tile",
    "cost_tile", "stages", "seed", "knobs", "cycles", "clock_mhz", "microseconds", "tflops", "utilisation_tensor",
    "utilisation_exp", "utilisation_issue", "utilisation_smem", "utilisation_l2", "utilisation_hbm", "binding",
    "guesses", "flops", "flops_executed", "global_read_bytes", "global_write_bytes", "hbm_read_bytes",
    "hbm_write_bytes", "exp2_hardware", "exp2_emulated", "rescales_done", "rescales_skipped", "p_clipped",
    "rescale_warps_done", "rescale_warps_skipped", "rescale_source", "events", "trace_bytes", "hazards", "hazard_list",
    "deadlock", "max_abs_error", "rms_error", "max_abs_error_lse", "error_bound" };

constexpr std::array<std::string_view, 5> ownColumns { "status", "error", "sweep", "combination", "combinations" };
// Lists of faults may be long, and a cell is no place for that: the count stands beside.
constexpr std::size_t longestList = 8;

void addCell(std::string& line, std::string_view text)
{
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        line += text;
        return;
    }
    line += '"';
    for (const char c : text) {
        if (c == '"')
            line += '"';
        line += c;
    }
    line += '"';
}

std::string lineOf(std::span<const std::string> cells)
{
    std::string line;
    for (std::size_t k = 0; k < cells.size(); ++k) {
        if (k > 0)
            line += ',';
        addCell(line, cells[k]);
    }
    return line + '\n';
}

std::string compact(const Json& value)
{
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string cellOf(const Json& value)
{
    if (value.is_null())
        return {};
    if (value.is_string())
        return value.get<std::string>();
    if (value.is_number_float())
        return numberText(value.get<double>());
    if (value.is_array() && value.size() > longestList) {
        Json first = Json::array();
        for (std::size_t k = 0; k < longestList; ++k)
            first.push_back(value[k]);
        return compact(first);
    }
    return compact(value);
}

// "utilisation_hbm" is the member hbm of utilisation.
Json valueOf(const Json& report, std::string_view column)
{
    if (const auto value = report.find(std::string(column)); value != report.end())
        return *value;
    const std::size_t at = column.find('_');
    if (at == std::string_view::npos)
        return {};
    const auto outer = report.find(std::string(column.substr(0, at)));
    return outer != report.end() && outer->is_object() ? outer->value(std::string(column.substr(at + 1)), Json())
                                                       : Json();
}

// A varied key has its column already where the run's is called the same.
bool isVaried(std::span<const Varied> varied, std::string_view column)
{
    return std::ranges::find(varied, column, &Varied::name) != varied.end();
}

std::optional<std::size_t> numberFrom(const std::string& text)
{
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && number > 0 ? std::optional(number)
                                                                                  : std::nullopt;
}

// A row of some part.
struct Found {
    const CsvTableText* part;
    const CsvTableText::Row* row;
};

class Merger {
public:
    Status add(const CsvTableText& part)
    {
        if (m_first == nullptr)
            m_first = &part;
        const std::size_t own = ownColumns.size();
        const bool isSweep
            = part.columns.size() > own && std::ranges::equal(std::span(part.columns).last(own), ownColumns);
        if (!isSweep)
            return Error { "not a part of a sweep", part.where, "a file that 'sweep' wrote" };
        if (part.columns != m_first->columns)
            return Error { "its columns are not those of " + m_first->where, part.where, "parts of one sweep" };
        for (const CsvTableText::Row& row : part.rows)
            if (Status status = addRow(part, row); !status)
                return status;
        return Nothing {};
    }

    [[nodiscard]] MergedSweep merged() const
    {
        MergedSweep out;
        out.combinations = m_combinations;
        out.text = lineOf(m_first->columns);
        for (const auto& [number, found] : m_rows)
            out.text += lineOf(found.row->cells);
        out.rows = m_rows.size();
        for (std::size_t k = 1; k <= m_combinations; ++k)
            if (!m_rows.contains(k))
                out.missing.push_back(k);
        return out;
    }

private:
    Status addRow(const CsvTableText& part, const CsvTableText::Row& row)
    {
        const auto number = numberFrom(row.cells[row.cells.size() - 2]), of = numberFrom(row.cells.back());
        if (!number || !of || *number > *of || *of > mostRows)
            return Error { "no combination of a sweep", part.place(row), "combination from 1 to combinations" };
        if (m_combinations != 0 && *of != m_combinations)
            return Error { fmt::format("it is one of {} combinations, the others of {}", *of, m_combinations),
                part.place(row), "parts of one sweep" };
        m_combinations = *of;
        const std::string& sweep = row.cells[row.cells.size() - 3];
        if (!m_rows.empty() && sweep != m_sweep)
            return Error { "it is of another sweep: its base, its values or the program's version differ",
                part.place(row), "parts of one sweep" };
        m_sweep = sweep;
        const auto [other, isNew] = m_rows.try_emplace(*number, Found { &part, &row });
        if (!isNew && other->second.row->cells != row.cells)
            return Error { fmt::format("combination {} says other things in {}", *number,
                               other->second.part->place(*other->second.row)),
                part.place(row), "parts of one sweep, by one version" };
        return Nothing {};
    }

    static constexpr std::size_t mostRows = 1'000'000;
    const CsvTableText* m_first = nullptr;
    std::size_t m_combinations = 0;
    std::string m_sweep;
    std::map<std::size_t, Found> m_rows;
};

} // namespace

std::span<const std::string_view> sweepRunColumns()
{
    return runColumns;
}

std::string sweepHeader(std::span<const Varied> varied)
{
    std::vector<std::string> cells;
    for (const Varied& one : varied)
        cells.push_back(one.name);
    for (const std::string_view column : runColumns)
        if (!isVaried(varied, column))
            cells.emplace_back(column);
    cells.insert(cells.end(), ownColumns.begin(), ownColumns.end());
    return lineOf(cells);
}

std::string sweepLine(std::span<const Varied> varied, const SweepRow& row)
{
    std::vector<std::string> cells = combination(varied, row.number);
    for (const std::string_view column : runColumns)
        if (!isVaried(varied, column))
            cells.push_back(row.report != nullptr ? cellOf(valueOf(*row.report, column)) : std::string());
    cells.push_back(row.status);
    cells.push_back(row.error);
    cells.push_back(row.sweep);
    cells.push_back(std::to_string(row.number + 1));
    cells.push_back(std::to_string(combinationCount(varied)));
    return lineOf(cells);
}

Result<MergedSweep> mergeSweeps(std::span<const CsvTableText> parts)
{
    Merger merger;
    for (const CsvTableText& part : parts)
        if (Status status = merger.add(part); !status)
            return status.error();
    return merger.merged();
}

} // namespace flashstep
