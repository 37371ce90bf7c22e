// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/session.h"
#include "core/emulation/compare_runs.h"

#include <array>
#include <string>
#include <vector>

namespace flashstep::cli {

// Two runs and what lies between them, ready to be printed.
struct Compared {
    std::array<Session, 2> sessions; // A, B
    Comparison comparison;
};

[[nodiscard]] std::string comparisonJson(const Compared& compared);
[[nodiscard]] std::string comparisonText(const Compared& compared);

// What a reader of the figures has to know: which of them are of a part of the grid, whose cycles are of which length.
[[nodiscard]] std::vector<std::string> comparisonNotes(const Compared& compared);
// "mma S", "mma O", "exp2".
[[nodiscard]] std::string tileOpText(const TileOp& op);

} // namespace flashstep::cli
