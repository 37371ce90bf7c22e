// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/legend.h"
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

[[nodiscard]] double stageLegendWidth(bool scoresInHbm, bool hazards);
// The same entries for a picture.
[[nodiscard]] Legend stageLegend(const Theme& theme, bool scoresInHbm, bool hazards);

// What the stage says about its position, in words: "Q6 × K5, rows 48–55: warp 0 exp2".
[[nodiscard]] QString stageCaption(const StageScene& scene);
// |O| ÷ l at the ends of the O strip's colour scale.
[[nodiscard]] double stageOutputLimit(const StageScene& scene, const StageLayout& layout);
// The tiles of a head that a CTA visits, in the order in which their blocks land in O; empty where there are too many
// to be told apart.
struct Visit {
    int i = 0, j = 0;
    Position landed; // 0: it never does, or its events are not kept
};
[[nodiscard]] std::vector<Visit> visitsOf(const Trace& trace, CtaId cta, int b, int h);
// Stretches of rows of query tile i, counted from its first, and the role that computes each.
struct RowOwner {
    RoleId role;
    int first = 0, last = 0;
};
[[nodiscard]] std::vector<RowOwner> ownersOf(const Trace& trace, int b, int h, int i);
[[nodiscard]] QString describeOwner(const Trace& trace, int b, int h, int i, int row); // "warp 0"; empty: nobody known

// How many tiles of a head the mask leaves whole, cuts, and hides; and how many of the hidden ones are visited all the
// same.
struct MaskCounts {
    std::int64_t full = 0, partial = 0, hidden = 0, hiddenVisited = 0;
};
[[nodiscard]] MaskCounts maskCounts(const Trace& trace);
[[nodiscard]] QString maskText(const MaskCounts& counts); // "28 full, 8 partial, 28 skipped"

// A tile in words for tool tips and screen readers.
// `ownRow`: of the tile; with it whose it is.
[[nodiscard]] QString describeTile(const StageScene& scene, int i, int j, int ownRow = -1);

} // namespace flashstep::paint
