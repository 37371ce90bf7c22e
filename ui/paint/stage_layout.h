// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/emulation/hazards.h"
#include "ui/paint/highlight.h"
#include "ui/paint/text.h"

#include <QPointF>
#include <QRectF>

#include <vector>

namespace flashstep::paint {

struct StageScene {
    const Trace* trace = nullptr;
    Position position;
    CtaId cta; // the chosen one
    const Tokens* tokens = nullptr; // may be nullptr
    Highlight highlight;
    const std::vector<Hazard>* hazards = nullptr; // of the run; may be nullptr
    int batch = -1, head = -1; // on show; -1: those of the work tile the chosen CTA has come to
};

// Of the scene's CTA, which must be a valid one.
struct ShownHead {
    int b = 0, h = 0;
};
[[nodiscard]] ShownHead shownHead(const StageScene& scene);

// "12", or, of heads packed together, "6·h1": query 6 of head 1.
[[nodiscard]] QString rowLabel(const Program& program, int head, int row);
// "rows 0–15", or "queries 0–7 of heads 2–3".
[[nodiscard]] QString rowRange(const Program& program, int head, int first, int last);

struct StageView {
    double cell = 0; // side of a tile; 0: as large as fits, at most 44
    QPointF pan; // the matrix moved by so many pixels
    bool squares = true; // each element's share of its row's l so far
    bool outputs = true; // the O strip
    bool path = false; // the order in which the chosen CTA visits its tiles
    bool labels = false; // "(i, j)" in the tiles, for pictures
    NumberFormat format = NumberFormat::Decimal; // where there is room for numbers
};

// Geometry of the stage in a rectangle: pure values, no painter.
struct StageLayout {
    QRectF bounds;
    int queryTiles = 0, keyBlocks = 0;
    double cell = 44;
    QRectF matrix; // all tiles, with the pan applied; may reach outside the window
    QRectF window; // where tiles may be drawn: right of the gutter, below the header
    QRectF header; // key headers
    QRectF gutter; // row labels
    QRectF brackets; // CTAs, left of the gutter
    QRectF outputs; // the O strip, empty when it is off
    QRectF caption; // one line under the matrix
    QRectF direction; // one line above the headers: which way the keys are walked

    [[nodiscard]] QRectF cellRect(int i, int j) const;
    [[nodiscard]] QRectF outputRect(int i) const;
    [[nodiscard]] QRectF keyRect(int j) const; // its header
    [[nodiscard]] QRectF rowRect(int i) const; // its label
    // Tiles that touch the window: [first, last).
    [[nodiscard]] int firstRow() const;
    [[nodiscard]] int lastRow() const;
    [[nodiscard]] int firstColumn() const;
    [[nodiscard]] int lastColumn() const;
};
[[nodiscard]] StageLayout layoutStage(const QRectF& rect, const StageScene& scene, const StageView& view);

struct StageHit {
    enum class Part { Nothing, Tile, KeyHeader, RowLabel, Output } part = Part::Nothing;
    int i = -1, j = -1;
    int row = -1, key = -1; // element of the head's score matrix under the point
};
[[nodiscard]] StageHit hitTest(const StageLayout& layout, const StageScene& scene, QPointF point);

// Zoomed about a point; panned back so that the matrix cannot leave the window.
[[nodiscard]] StageView zoomed(
    const QRectF& rect, const StageScene& scene, StageView view, double factor, QPointF anchor);
[[nodiscard]] StageView panned(const QRectF& rect, const StageScene& scene, StageView view, QPointF by);

} // namespace flashstep::paint
