// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/timeline_painter.h"
#include "ui/views/canvas.h"

#include <memory>

namespace flashstep {
struct Run;
}

namespace flashstep::ui {

// The chosen CTA over time: roles, engines, counters. The ruler and the playhead are dragged to seek, the rest to pan.
class TimelineCanvas : public Canvas {
    Q_OBJECT
public:
    TimelineCanvas(const Session& session, QWidget* parent);

    [[nodiscard]] paint::TimelineScene scene() const;
    [[nodiscard]] const paint::TimelineView& view() const { return m_view; }
    void setView(const paint::TimelineView& view);
    [[nodiscard]] paint::TimelineLayout layoutNow() const;
    // Of the chosen CTA, made again when run or CTA have changed.
    [[nodiscard]] const paint::TimelineIndex* index() const;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

public slots:
    void zoomIn() { zoom(1.5); }
    void zoomOut() { zoom(1 / 1.5); }
    void panLeft() { pan(-0.15); }
    void panRight() { pan(0.15); }
    void focusSelection(); // again: the whole CTA
    void nextSlice() { stepSlice(1); }
    void previousSlice() { stepSlice(-1); }

signals:
    void viewChanged();

protected:
    void draw(QPainter& painter, const QRectF& rect) override;
    bool event(QEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    enum class Drag { None, Pressed, Pan, Playhead };
    void zoom(double factor);
    void pan(double share);
    void stepSlice(int by);
    void follow(); // keeps the playhead on show
    void reset();
    void seekTo(const QPointF& point);
    [[nodiscard]] paint::TimelineHit hitAt(const QPointF& point) const;
    [[nodiscard]] bool onPlayhead(const QPointF& point) const;

    paint::TimelineView m_view;
    // An index is a function of run and CTA: these say of which, so that it can never be of others.
    mutable std::unique_ptr<paint::TimelineIndex> m_index;
    Drag m_drag = Drag::None;
    QPointF m_pressed, m_last;
};

} // namespace flashstep::ui
