// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/theme.h"

#include <QPainter>
#include <QRectF>
#include <QString>

#include <optional>
#include <vector>

namespace flashstep::paint {

// A moment marked on the overview of the run: a notch with a flag that bears its number.
struct ScrubberMark {
    double share = 0; // of the run's cycles, 0 … 1
    QString number; // empty: none
    QString name;
};
void paintScrubberMarks(
    QPainter& painter, const QRectF& rect, const std::vector<ScrubberMark>& marks, const Theme& theme);
// The mark whose notch is within `pixels` of the point, or whose flag it lies on; the nearest of several.
[[nodiscard]] std::optional<std::size_t> scrubberMarkAt(
    const QRectF& rect, const std::vector<ScrubberMark>& marks, const QPointF& point, double pixels = 4);

} // namespace flashstep::paint
