// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/memory_painter.h"
#include "ui/paint/memory_traffic.h"
#include "ui/views/canvas.h"

#include <QElapsedTimer>
#include <QTimer>

#include <memory>

namespace flashstep {
struct Run;
}

namespace flashstep::ui {

// Where the chosen CTA's tiles lie: HBM, shared memory, registers; and what its roles wait for.
class MemoryCanvas : public Canvas {
    Q_OBJECT
public:
    MemoryCanvas(const Session& session, QWidget* parent);

    [[nodiscard]] paint::MemoryScene scene() const;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;
    [[nodiscard]] bool moving() const { return m_clock.isActive(); }

protected:
    bool event(QEvent* event) override; // tool tips
    void draw(QPainter& painter, const QRectF& rect) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

private:
    [[nodiscard]] QRectF contentRect() const;
    void move();

    double m_scroll = 0;
    mutable std::shared_ptr<const paint::MemoryTraffic> m_traffic; // that the scene refers to; null: not yet
    Position m_before; // the position shown last
    CtaId m_ctaBefore;
    std::vector<paint::Flight> m_flights;
    QElapsedTimer m_begun;
    QTimer m_clock;
    double m_lasts = 0; // ms
};

} // namespace flashstep::ui
