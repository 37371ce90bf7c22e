// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/stage_layout.h"
#include "ui/paint/theme.h"

#include <QPainter>

namespace flashstep::paint {

struct NumbersView {
    int i = 0, j = 0; // the tile
    NumberFormat format = NumberFormat::Decimal;
    double scroll = 0; // pixels, when the rows do not fit
    int fromKey = 0; // of the tile: the first on show where not all have room
};

// Where S, the rows' statistics, P and O lie: pure values, for painters and hit tests.
struct NumbersLayout {
    QRectF bounds;
    QRectF words, rowNumbers; // beside the rows
    QRectF scores, statistics, probabilities, sums; // as high as the rows
    QRectF outputBefore, outputAfter;
    double scoreWidth = 46, probabilityWidth = 46, cellHeight = 30, statisticWidth = 60, outputHeight = 13;
    double headHeight = 84; // titles, key words and column names above the rows
    int firstRow = 0, firstKey = 0, rows = 0, keys = 0, dims = 0; // on show
    int fromKey = 0, tileKeys = 0; // the first of the tile's keys on show, and how many it has
    double contentHeight = 0; // all of it, for a scroll bar

    [[nodiscard]] QRectF scoreRect(int r, int c) const;
    [[nodiscard]] QRectF probabilityRect(int r, int c) const;
    [[nodiscard]] QRectF statisticRect(int r, int column) const;

    struct Hit {
        enum class Part { Nothing, Score, Statistic, Probability, OutputBefore, OutputAfter } part = Part::Nothing;
        int row = -1, key = -1, dim = -1; // over the head's sequence
    };
    [[nodiscard]] Hit hitTest(QPointF point) const;
};
[[nodiscard]] NumbersLayout layoutNumbers(const QRectF& rect, const StageScene& scene, const NumbersView& view);

// One tile with every number: S, the rows' reference and scale, P, l; O before and after. scene.cta gives the head.
void paintNumbers(
    QPainter& painter, const QRectF& rect, const StageScene& scene, const NumbersView& view, const Theme& theme);

} // namespace flashstep::paint
