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
};

// One tile with every number: S, the rows' reference and scale, P, l; O before and after. (scene.cta gives the head.)
void paintNumbers(QPainter& painter, const QRectF& rect, const StageScene& scene, const NumbersView& view, const Theme& theme);

// Geometry for hit tests: where S, P and their cells lie.
struct NumbersLayout {
    QRectF scores, statistics, probabilities, sums, outputBefore, outputAfter;
    double cellWidth = 46, cellHeight = 30;
    int firstRow = 0, firstKey = 0, rows = 0, keys = 0;
    double contentHeight = 0;
    struct Hit {
        enum class Part { Nothing, Score, Statistic, Probability, OutputBefore, OutputAfter } part = Part::Nothing;
        int row = -1, key = -1, dim = -1; // over the head's sequence
    };
    [[nodiscard]] Hit hitTest(QPointF point) const;
    int dims = 0;
};
[[nodiscard]] NumbersLayout layoutNumbers(const QRectF& rect, const StageScene& scene, const NumbersView& view);

} // namespace flashstep::paint
