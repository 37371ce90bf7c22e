// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/numbers_painter.h"
#include "ui/views/canvas.h"

namespace flashstep::ui {

// One tile with every number: S, the rows' references, P, O before and after.
class NumbersCanvas : public Canvas {
    Q_OBJECT
public:
    NumbersCanvas(const Session& session, QWidget* parent);

    [[nodiscard]] paint::NumberFormat format() const { return m_format; }
    void setFormat(paint::NumberFormat format);
    [[nodiscard]] paint::StageScene scene() const;
    [[nodiscard]] paint::NumbersView view() const;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

protected:
    void draw(QPainter& painter, const QRectF& rect) override;
    void mousePressEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

private:
    void revealKey();

    paint::NumberFormat m_format = paint::NumberFormat::Decimal;
    double m_scroll = 0;
    int m_fromKey = 0; // of the tile
    int m_shownKey = -1; // that was chosen when the keys on show were last moved to it
};

} // namespace flashstep::ui
