// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/csv_table.h"
#include "ui/chart_page.h"

namespace flashstep::ui {

// The table of a sweep as curves: over the values of the first varied key, a line for each value of the second, a panel
// for each combination of the others. An error where the table is none of a sweep's, or holds nothing that ran.
[[nodiscard]] Result<ChartPage> sweepCharts(const CsvTableText& table, const QString& theme);

} // namespace flashstep::ui
