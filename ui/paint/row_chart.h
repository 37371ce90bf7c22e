// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/state.h"
#include "ui/paint/theme.h"

#include <QPainter>

#include <vector>

namespace flashstep::paint {

// One row over the key blocks it visits: read from the ledger at every block's landing, log2 units. It does not depend
// on where one is in the run, so it is made once for a tile.
struct RowPoint {
    int n = 0, j = 0;
    Position at; // block(i, n)
    double most = 0, used = 0; // the true maximum, and the reference in use
    double gap = 0; // of the maximum over the reference before; NaN where there was none
    double l = 0;
    bool moved = false; // the reference, and O and l with it
    bool grew = false; // the true maximum, with this block
};
struct RowHistory {
    int i = -1, row = -1; // over the rows of the head that query tiles are cut from
    int visits = 0; // of its query tile
    int every = 1; // only one in so many is read, and the last
    bool lazy = false; // the reference may stay
    bool apart = false; // reference and true maximum are not the same throughout
    double threshold = 0;
    std::vector<RowPoint> points; // empty: nothing was recorded, or no running statistics are kept
};
constexpr int mostRowPoints = 192;
// Of every row of query tile i; one reading of the ledger serves them all.
[[nodiscard]] std::vector<RowHistory> tileHistory(const Trace& trace, int b, int h, int i);
[[nodiscard]] RowHistory rowHistory(const Trace& trace, int b, int h, int i, int row);

struct RowChartLayout {
    QRectF references, sums; // the two plots
    double low = 0, high = 1; // log2 units, of `references`
    double lowSum = 0, highSum = 1; // log2 of l
    int visits = 0;
    [[nodiscard]] double x(double n) const; // n 0.5 … visits + 0.5
    [[nodiscard]] double y(double value) const;
    [[nodiscard]] double ySum(double log2) const;
    [[nodiscard]] int blockAt(QPointF point) const; // n, 0: none
};
[[nodiscard]] RowChartLayout layoutRowChart(const QRectF& rect, const RowHistory& history);
// `n`: the block on show, what comes after it is drawn paler.
void paintRowChart(QPainter& painter, const QRectF& rect, const RowHistory& history, int n, const Theme& theme);
// The point of block n, or the nearest before it; nullptr without any.
[[nodiscard]] const RowPoint* pointOf(const RowHistory& history, int n);
// "n 3, key block 2: true max 2.31, reference 1.02, gap 1.29 within 8: kept; l 4.20"
[[nodiscard]] QString describe(const RowHistory& history, const RowPoint& point);

} // namespace flashstep::paint
