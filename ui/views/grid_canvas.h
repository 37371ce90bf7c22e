// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/grid_painter.h"
#include "ui/views/canvas.h"

#include <memory>

namespace flashstep::ui {

// The whole run over the SMs: hover, choose a CTA, double-click to its beginning, seek in the ruler, zoom with Ctrl and
// the wheel, drag.
class GridCanvas : public Canvas {
    Q_OBJECT
public:
    GridCanvas(const Session& session, QWidget* parent);
    ~GridCanvas() override;

    [[nodiscard]] const paint::GridView& view() const { return m_view; }
    [[nodiscard]] const paint::GridIndex* index() const; // made when it is first looked at
    [[nodiscard]] paint::GridLayout layoutNow() const;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

public slots:
    void fit();

protected:
    void draw(QPainter& painter, const QRectF& rect) override;
    [[nodiscard]] QString emptyText() const override;
    bool event(QEvent* event) override; // tool tips
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    enum class Drag { None, Pressed, Pan, Playhead };
    [[nodiscard]] paint::GridHit hitAt(const QPointF& point) const;
    void choose(const paint::GridHit& hit);
    void seekTo(const QPointF& point);
    void hover(const paint::GridHit& hit);

    mutable std::unique_ptr<paint::GridIndex> m_index;
    paint::GridView m_view;
    CtaId m_hovered;
    QPointF m_pressed, m_last;
    Drag m_drag = Drag::None;
};

} // namespace flashstep::ui
