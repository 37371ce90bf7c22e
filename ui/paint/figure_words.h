// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/figure_panel.h"
#include "ui/paint/legend.h"

#include <QString>

// What a pipeline figure says.
namespace flashstep::paint {

[[nodiscard]] QString figureTitle(const FigureScene& scene);
[[nodiscard]] QString figureSubtitle(const FigureScene& scene);
[[nodiscard]] QString wholeTitle(const FigureScene& scene); // of panel a
[[nodiscard]] QString detailTitle(const FigureDetail& detail); // of panel b
// "one period: 2 472 cycles, of them 2 048 on the tensor core"
[[nodiscard]] QString periodText(const FigureScene& scene, const FigureDetail& detail);
// What slices, marks and engines look like in a figure, or in a picture of the timeline alone.
[[nodiscard]] Legend timelineLegend(const TimelineIndex& index, const Theme& theme);
[[nodiscard]] Legend figureLegend(const FigureScene& scene, const Theme& theme);

} // namespace flashstep::paint
