// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/bold_runs.h"
#include "ui/paint/theme.h"

#include <QPainter>

namespace flashstep::paint {

// A sentence with bold numbers in at most `lines` lines of `lineHeight` from the rectangle's top, broken between words;
// what does not fit is left out behind "…".
void paintRuns(QPainter& painter, const QRectF& rect, const std::vector<TextRun>& runs, double px, double lineHeight,
    int lines, const Theme& theme);

// How many lines it would take.
[[nodiscard]] int linesOfRuns(const std::vector<TextRun>& runs, double px, double width);

} // namespace flashstep::paint
