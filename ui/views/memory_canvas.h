// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/memory_painter.h"
#include "ui/views/canvas.h"

namespace flashstep::ui {

// Where the chosen CTA's tiles lie: HBM, shared memory, registers; and what its roles wait for.
class MemoryCanvas : public Canvas {
    Q_OBJECT
public:
    MemoryCanvas(const Session& session, QWidget* parent);

    [[nodiscard]] paint::MemoryScene scene() const;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

protected:
    void draw(QPainter& painter, const QRectF& rect) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

private:
    [[nodiscard]] QRectF contentRect() const;

    double m_scroll = 0;
};

} // namespace flashstep::ui
