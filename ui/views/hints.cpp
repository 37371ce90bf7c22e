// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/hints.h"

#include "ui/playback.h"
#include "ui/views/controls.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QTimer>
#include <QToolButton>

#include <algorithm>

namespace flashstep::ui {

Hints::Hints(QWidget* window, const Session& session)
    : QObject(window)
    , m_window(window)
    , m_session(session)
{
    window->installEventFilter(this);
}

void Hints::add(QWidget* beside, const QString& text, bool inside)
{
    auto* bubble = new QFrame(m_window);
    setRole(bubble, "hint");
    auto* row = new QHBoxLayout(bubble);
    row->setContentsMargins(12, 6, 6, 6);
    row->setSpacing(8);
    auto* label = new QLabel(text, bubble);
    row->addWidget(label);
    auto* close = new QToolButton(bubble);
    close->setText(QStringLiteral("×"));
    close->setAccessibleName(tr("Dismiss this hint"));
    close->setToolTip(tr("Dismiss this hint"));
    row->addWidget(close);
    connect(close, &QToolButton::clicked, this, [this, bubble] { remove(bubble); });
    m_hints.push_back({ bubble, beside, inside });
    beside->installEventFilter(this);
    bubble->show();
    QTimer::singleShot(0, this, &Hints::place);
    place();
}

void Hints::place()
{
    for (const Hint& hint : m_hints) {
        hint.bubble->adjustSize();
        const QRect target(hint.beside->mapTo(m_window, QPoint()), hint.beside->size());
        const QSize size = hint.bubble->size();
        QPoint at = hint.inside ? QPoint(target.left() + 12, target.bottom() - size.height() - 8)
                                : QPoint(target.left() + 12, target.top() - size.height() - 8);
        at.setX(std::clamp(at.x(), 8, std::max(8, m_window->width() - size.width() - 8)));
        hint.bubble->move(at);
        hint.bubble->raise();
        hint.bubble->setVisible(hint.beside->isVisible());
    }
}

void Hints::remove(QFrame* bubble)
{
    const auto found
        = std::find_if(m_hints.begin(), m_hints.end(), [bubble](const Hint& hint) { return hint.bubble == bubble; });
    if (found == m_hints.end())
        return;
    m_hints.erase(found);
    bubble->deleteLater();
    bubble->hide();
    if (m_hints.empty())
        emit allGone();
}

void Hints::dismissAll()
{
    while (!m_hints.empty())
        remove(m_hints.back().bubble);
}

bool Hints::eventFilter(QObject* watched, QEvent* event)
{
    const auto type = event->type();
    if (type == QEvent::Resize || type == QEvent::Move || type == QEvent::LayoutRequest || type == QEvent::Show)
        QTimer::singleShot(0, this, &Hints::place);
    return QObject::eventFilter(watched, event);
}

} // namespace flashstep::ui
