// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/kernel/kernel_state.h"

#include <QString>

namespace flashstep::ui {

// "12 of 32 lanes: 0–11"; "all 32 lanes".
[[nodiscard]] QString lanesText(std::uint32_t mask);
// Why a warp of the CTA on show is not further: a sentence.
struct WarpStanding {
    QString where; // "fa2_forward.cu 63 · bar.sync"
    QString state; // "issues at cycle 1 234"
    bool waits = false, ended = false, stuck = false;
};
[[nodiscard]] WarpStanding standingOf(const KernelState& state, std::uint32_t warp);
// One line for each barrier that somebody has come to, and for the copies under way.
[[nodiscard]] QStringList barrierLines(const KernelState& state);
[[nodiscard]] QStringList copyLines(const KernelState& state);
// "fa2_forward.cu 63", from the last part of the file's path.
[[nodiscard]] QString placeText(const SourcePlace& place);

} // namespace flashstep::ui
