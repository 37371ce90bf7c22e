// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/actions.h"

#include <QMenu>
#include <QWidget>

namespace flashstep::ui {

Actions::Actions(QWidget* window)
    : QObject(window)
    , m_window(window)
{
}

bool Actions::isPlain(const QKeySequence& key)
{
    if (key.isEmpty())
        return false;
    const int first = key[0];
    if (first & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier))
        return false;
    const int code = first & ~static_cast<int>(Qt::KeyboardModifierMask);
    return code < Qt::Key_F1 || code > Qt::Key_F35;
}

QAction* Actions::add(
    QMenu* menu, const QString& id, const QString& text, const QStringList& keys, const std::function<void()>& run)
{
    auto* action = new QAction(text, this);
    action->setObjectName(id);
    connect(action, &QAction::triggered, this, [run] { run(); });
    QList<QKeySequence> plain;
    QList<QKeySequence> everywhere;
    for (const QString& key : keys) {
        const QKeySequence sequence = QKeySequence::fromString(key, QKeySequence::PortableText);
        (isPlain(sequence) ? plain : everywhere).append(sequence);
    }
    QStringList shown;
    for (const QKeySequence& key : everywhere + plain)
        shown.append(key.toString(QKeySequence::NativeText));
    if (!shown.isEmpty())
        action->setText(text + QLatin1Char('\t') + shown.join(QStringLiteral(", ")));
    action->setShortcuts(everywhere);
    action->setShortcutContext(Qt::WindowShortcut);
    if (!plain.isEmpty()) {
        auto* companion = new QAction(this);
        companion->setObjectName(id + QStringLiteral(".plain"));
        companion->setShortcuts(plain);
        companion->setShortcutContext(Qt::WidgetShortcut);
        connect(companion, &QAction::triggered, action, &QAction::trigger);
        m_plain.append(companion);
        for (QWidget* canvas : m_canvases)
            canvas->addAction(companion);
    }
    if (menu)
        menu->addAction(action);
    m_window->addAction(action);
    m_byId.insert(id, action);
    m_keys.insert(action, shown);
    m_all.append(action);
    return action;
}

QStringList Actions::keysOf(const QAction* action) const
{
    return m_keys.value(action);
}

void Actions::addCanvas(QWidget* canvas)
{
    m_canvases.append(canvas);
    canvas->addActions(m_plain);
}

} // namespace flashstep::ui
