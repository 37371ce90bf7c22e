// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/views/canvas.h"

#include <QFrame>

class QLabel;
class QToolButton;

namespace flashstep::ui {

class ComboBox;
class TimelineCanvas;

// Overview of the whole run with the window of the timeline and the playhead. A click or a drag seeks; the sides of the
// window's outline are dragged to widen or narrow it, its upper and lower edge, or all of it with Shift, to move it;
// the wheel zooms it.
class Scrubber : public Canvas {
    Q_OBJECT
public:
    Scrubber(const Session& session, TimelineCanvas& timeline, QWidget* parent);
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void draw(QPainter& painter, const QRectF& rect) override;
    [[nodiscard]] QColor ground() const override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

private:
    enum class Drag { None, Seek, From, To, Window };
    [[nodiscard]] Drag dragAt(const QPointF& point) const;
    [[nodiscard]] QRectF plot() const;
    [[nodiscard]] double cycleAt(double x) const;
    void dragWindow(double x);

    TimelineCanvas& m_timeline;
    Drag m_drag = Drag::None;
    double m_last = 0; // cycle under the pointer
};

// Buttons, step, speed, the position in words, the scrubber. Holds the focus itself, so that the plain keys work here.
class Transport : public QWidget {
    Q_OBJECT
public:
    Transport(const Session& session, TimelineCanvas& timeline, QWidget* parent);

    [[nodiscard]] Scrubber* scrubber() const { return m_scrubber; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    QToolButton* addButton(int symbol, const QString& name, const QString& key, double width);
    void dress();
    void showPosition();
    void showMode();

    const Session m_session;
    QToolButton *m_first, *m_back, *m_play, *m_forward, *m_last;
    ComboBox *m_level, *m_scope, *m_speed;
    QLabel *m_stepLabel, *m_speedLabel;
    QWidget* m_readout;
    Scrubber* m_scrubber;
};

} // namespace flashstep::ui
