// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/stage_layout.h"
#include "ui/paint/theme.h"

#include <QPainter>

namespace flashstep::paint {

// The score matrix of one head as tiles, with headers, row labels, CTA brackets, the O strip and a caption.
void paintStage(
    QPainter& painter, const QRectF& rect, const StageScene& scene, const StageView& view, const Theme& theme);

// untouched, loading, in SMEM, computing, done, masked, skipped: one line of 24 px.
// `scoresInHbm`: the algorithm leaves tiles in HBM between launches, so that state has an entry too.
// `hazards`: the run has some.
void paintStageLegend(QPainter& painter, const QRectF& rect, const Theme& theme, bool scoresInHbm, bool hazards);

// What the stage says about its position, in words: "Q6 × K5, rows 48–55: warp 0 exp2".
[[nodiscard]] QString stageCaption(const StageScene& scene);
// |O| ÷ l at the ends of the O strip's colour scale.
[[nodiscard]] double stageOutputLimit(const StageScene& scene, const StageLayout& layout);
// A tile in words for tool tips and screen readers.
[[nodiscard]] QString describeTile(const StageScene& scene, int i, int j);

} // namespace flashstep::paint
