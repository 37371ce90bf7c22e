// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/session.h"
#include "ui/views/accessible.h"

#include <QWidget>

class QPainter;

namespace flashstep::ui {

// A view that draws itself from the document, the position and the selection, and keeps nothing of what it drew. It can
// hold the focus, and while it does the plain keys work.
class Canvas : public QWidget, public AccessibleView {
    Q_OBJECT
public:
    Canvas(const Session& session, const QString& viewName, const QString& accessibleName, QWidget* parent);

    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    virtual void draw(QPainter& painter, const QRectF& rect) = 0;
    [[nodiscard]] virtual QString emptyText() const { return {}; }
    [[nodiscard]] virtual QColor ground() const;

    // Positions in the canvas' own pixels, which the scale of the window multiplies.
    [[nodiscard]] QPointF toCanvas(const QPointF& point) const;
    [[nodiscard]] QRectF canvasRect() const;
    [[nodiscard]] bool ready() const;

    void paintEvent(QPaintEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

    const Session m_session;

private:
    bool m_ring = false; // focus came by key: show where it is
};

} // namespace flashstep::ui
