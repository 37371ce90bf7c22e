// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/exponents.h"
#include "ui/paint/p_histogram.h"
#include "ui/paint/row_chart.h"
#include "ui/views/canvas.h"

#include <memory>

namespace flashstep {
struct Run;
}

namespace flashstep::ui {

class Segments;

// One row over the key blocks it visits, its exponents in the block on show, and the values of P of the tile.
class RowView : public Canvas {
    Q_OBJECT
public:
    RowView(const Session& session, QWidget* parent);

    [[nodiscard]] QWidget* referenceBox() const; // for the title
    [[nodiscard]] paint::ExponentReference reference() const { return m_reference; }
    void setReference(paint::ExponentReference reference);
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

    // What is drawn, read now.
    struct Content {
        paint::TileNumbers tile;
        int row = -1; // of the tile
        paint::RowHistory history;
        paint::ExponentLine line;
        paint::PHistogram histogram;
        QString title, why; // why: there is nothing to show
    };
    [[nodiscard]] Content content() const;
    [[nodiscard]] QRectF chartRect() const; // in the canvas' own pixels
    [[nodiscard]] QRectF exponentsRect() const;
    [[nodiscard]] QRectF histogramRect() const;

protected:
    void draw(QPainter& painter, const QRectF& rect) override;
    [[nodiscard]] QString emptyText() const override;
    bool event(QEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    [[nodiscard]] paint::RowHistory history(int b, int h, int i, int row) const; // row of the tile
    void fit();

    Segments* m_references;
    paint::ExponentReference m_reference = paint::ExponentReference::InUse;
    // The histories of the tiles asked for last.
    struct Kept {
        int b = -1, h = -1, i = -1;
        std::vector<paint::RowHistory> rows;
    };
    static constexpr std::size_t keptTiles = 12;
    mutable std::shared_ptr<const Run> m_keptOf;
    mutable std::vector<Kept> m_kept; // the newest last
};

} // namespace flashstep::ui
