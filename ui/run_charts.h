// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/emulation/run.h"
#include "ui/chart_page.h"

namespace flashstep::ui {

// What a run's report says, as four small plots: how far from the ceilings of the machine it is, what its engines were
// busy with, what moved between the memories, and how exact it was.
[[nodiscard]] ChartPage runCharts(const Run& run, const QString& scenarioName, const QString& theme);

} // namespace flashstep::ui
