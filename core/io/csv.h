// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/emulation/run.h"
#include "core/io/spans.h"

#include <optional>
#include <ostream>
#include <string_view>

namespace flashstep {

// Tables for a spreadsheet: one row per event of the run; per execution of an op; per event that moved a counter; per
// row of O and visited key block (recorded CTAs only).
enum class CsvTable : std::uint8_t { Events, Spans, Counters, Ledger };
[[nodiscard]] std::optional<CsvTable> csvTableFromName(std::string_view name);

[[nodiscard]] Status writeCsv(
    const Run& run, CsvTable table, const Range& range, std::ostream& out, const Progress& progress);

} // namespace flashstep
