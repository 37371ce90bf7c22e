// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/pane_ring.h"

#include "ui/appearance.h"
#include "ui/views/canvas.h"

#include <QApplication>
#include <QEvent>
#include <QPainter>

namespace flashstep::ui {

PaneRing::PaneRing(const Appearance& appearance, QWidget* window)
    : QWidget(window)
    , m_appearance(appearance)
    , m_window(window)
{
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setFocusPolicy(Qt::NoFocus);
    hide();
    connect(qApp, &QApplication::focusChanged, this, [this](QWidget* /*before*/, QWidget* now) {
        if (m_pane && now != m_pane && !m_pane->isAncestorOf(now))
            leave();
    });
}

void PaneRing::surround(QWidget* pane)
{
    leave();
    if (dynamic_cast<Canvas*>(pane) != nullptr)
        return;
    m_pane = pane;
    pane->installEventFilter(this);
    setParent(pane);
    setGeometry(pane->rect());
    show();
    raise();
}

void PaneRing::leave()
{
    if (m_pane)
        m_pane->removeEventFilter(this);
    m_pane = nullptr;
    hide();
    setParent(m_window); // it outlives every pane
}

bool PaneRing::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_pane && event->type() == QEvent::Resize)
        setGeometry(m_pane->rect());
    return QWidget::eventFilter(watched, event);
}

void PaneRing::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.setPen(QPen(m_appearance.theme().text, 2));
    painter.drawRect(rect().adjusted(1, 1, -1, -1));
}

} // namespace flashstep::ui
