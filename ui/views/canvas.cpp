// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/canvas.h"

#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/paint/fonts.h"
#include "ui/playback.h"
#include "ui/selection.h"

#include <QFocusEvent>
#include <QPainter>

namespace flashstep::ui {

Canvas::Canvas(const Session& session, const QString& viewName, const QString& accessibleName, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("view.") + viewName);
    setAccessibleName(accessibleName);
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAttribute(Qt::WA_OpaquePaintEvent);
    const auto repaint = [this] { update(); };
    connect(&session.document, &Document::changed, this, repaint);
    connect(&session.selection, &Selection::changed, this, repaint);
    connect(&session.selection, &Selection::hoverChanged, this, repaint);
    connect(&session.appearance, &Appearance::changed, this, repaint);
    connect(&session.playback, &Playback::positionChanged, this, [this] {
        update();
        announceChange(this);
    });
}

QSize Canvas::minimumSizeHint() const
{
    return { 120, 60 };
}

QColor Canvas::ground() const
{
    return m_session.appearance.theme().panel;
}

QPointF Canvas::toCanvas(const QPointF& point) const
{
    return point / m_session.appearance.scale();
}

QRectF Canvas::canvasRect() const
{
    const double scale = m_session.appearance.scale();
    return { 0, 0, width() / scale, height() / scale };
}

bool Canvas::ready() const
{
    return !m_session.document.empty() && m_session.selection.cta().valid();
}

void Canvas::paintEvent(QPaintEvent* /*event*/)
{
    const paint::Theme& theme = m_session.appearance.theme();
    QPainter painter(this);
    painter.fillRect(rect(), ground());
    painter.scale(m_session.appearance.scale(), m_session.appearance.scale());
    const QRectF area = canvasRect();
    if (ready()) {
        painter.save();
        draw(painter, area);
        painter.restore();
    } else {
        painter.setFont(paint::canvasFont(12.5));
        painter.setPen(theme.t2);
        painter.drawText(area.adjusted(16, 8, -16, -8), Qt::AlignCenter | Qt::TextWordWrap, emptyText());
    }
    if (m_ring && hasFocus()) {
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setPen(QPen(theme.text, 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(area.adjusted(1, 1, -1, -1));
    }
}

void Canvas::focusInEvent(QFocusEvent* event)
{
    m_ring = event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason
        || event->reason() == Qt::ShortcutFocusReason;
    QWidget::focusInEvent(event);
    update();
}

void Canvas::focusOutEvent(QFocusEvent* event)
{
    QWidget::focusOutEvent(event);
    update();
}

} // namespace flashstep::ui
