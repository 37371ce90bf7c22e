// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/grid_index.h"

#include <QPointF>
#include <QRectF>

namespace flashstep::paint {

struct GridView {
    double from = 0, to = 0; // cycles; to <= from: the whole run
    double rowHeight = 0; // of an SM; 0: as high as fits, at most 34
    double scroll = 0; // rows moved up by so many pixels
};

// Geometry of the grid view in a rectangle: pure values, no painter.
struct GridLayout {
    QRectF bounds;
    QRectF sentence; // at the top, two lines where one is too short
    QRectF ruler; // cycles
    QRectF marks; // below it: where waves and launches begin, the tail
    QRectF gutter; // names of SMs
    QRectF plot;
    QRectF legend;
    double from = 0, to = 1; // cycles at plot.left() and plot.right()
    double rowHeight = 20, laneHeight = 20; // may be less than a pixel
    double contentHeight = 0, scroll = 0;
    int rows = 0, slotsPerSm = 1;

    [[nodiscard]] double timeToX(double cycle) const { return plot.left() + (cycle - from) * pixelsPerCycle(); }
    [[nodiscard]] double xToTime(double x) const { return from + (x - plot.left()) / pixelsPerCycle(); }
    [[nodiscard]] double pixelsPerCycle() const { return plot.width() / (to - from); }
    [[nodiscard]] double rowTop(int row) const { return plot.top() + row * rowHeight - scroll; }
    [[nodiscard]] QRectF laneRect(int row, int slot) const; // across the plot
    // Rows that touch the plot: [first, last).
    [[nodiscard]] int firstRow() const;
    [[nodiscard]] int lastRow() const;
    [[nodiscard]] int rowAt(double y) const; // -1: none
};
[[nodiscard]] GridLayout layoutGrid(const QRectF& rect, const GridIndex& index, const GridView& view);

struct GridHit {
    enum class Part : std::uint8_t { Nothing, Ruler, Row, Stay } part = Part::Nothing;
    int row = -1; // into GridIndex::rows
    const GridIndex::Stay* stay = nullptr;
    const GridIndex::Part* work = nullptr; // where it is known
    double cycle = 0;
};
// What is under a point; of bars narrower than a pixel the one at that moment, or the nearest within two pixels.
[[nodiscard]] GridHit hitTest(const GridLayout& layout, const GridIndex& index, QPointF point);

// Zoomed about a point, in time and, until they can be read, in rows; never out beyond the whole.
[[nodiscard]] GridView zoomed(
    const QRectF& rect, const GridIndex& index, const GridView& view, double factor, QPointF anchor);
[[nodiscard]] GridView panned(const QRectF& rect, const GridIndex& index, const GridView& view, QPointF by);

} // namespace flashstep::paint
