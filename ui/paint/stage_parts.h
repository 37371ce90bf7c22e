// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/stage_painter.h"

namespace flashstep::paint {

struct StageCanvas {
    QPainter& painter;
    const StageScene& scene;
    const StageView& view;
    const StageLayout& layout;
    const Theme& theme;
    int b = 0, h = 0; // the head on show

    [[nodiscard]] const Trace& trace() const { return *scene.trace; }
    [[nodiscard]] const Program& program() const { return scene.trace->program(); }
};

void paintStageHeaders(const StageCanvas& canvas); // keys, rows, CTAs, direction
void paintStageTiles(const StageCanvas& canvas);
void paintStageOutputs(const StageCanvas& canvas);
void paintPath(const StageCanvas& canvas); // the order of visits, where it is asked for
void paintOwners(const StageCanvas& canvas); // whose rows are whose, of the tile that is worked on

// Inside one tile: the elements the mask hides washed out, the shares as squares, or the numbers where there is room.
void washMasked(const StageCanvas& canvas, const QRectF& rect, int i, int j);
void paintShares(const StageCanvas& canvas, const QRectF& rect, int i, int j, const QColor& ink);
void paintScores(const StageCanvas& canvas, const QRectF& rect, int i, int j);
// True for the query tile that the chosen CTA has come to.
[[nodiscard]] bool isWorkedOn(const StageCanvas& canvas, int i);
// True when the mask hides every element of the tile.
[[nodiscard]] bool hiddenTile(const Program& program, int i, int j);

} // namespace flashstep::paint
