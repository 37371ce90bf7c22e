// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAction>
#include <QHash>
#include <QList>
#include <QObject>
#include <QStringList>

#include <functional>

class QMenu;
class QWidget;

namespace flashstep::ui {

// All actions of the window, made once. A key without Ctrl or Alt that is not a function key is plain: it acts only
// while one of the canvases itself has the focus, never in an editor, a list, a spin box or a button.
class Actions : public QObject {
    Q_OBJECT
public:
    explicit Actions(QWidget* window);

    QAction* add(
        QMenu* menu, const QString& id, const QString& text, const QStringList& keys, const std::function<void()>& run);
    [[nodiscard]] QAction* action(const QString& id) const { return m_byId.value(id); }
    [[nodiscard]] const QList<QAction*>& all() const { return m_all; } // in the order of the menus
    [[nodiscard]] QStringList keysOf(const QAction* action) const;
    [[nodiscard]] static bool isPlain(const QKeySequence& key);

    // The plain keys work while this widget has the focus.
    void addCanvas(QWidget* canvas);

private:
    QWidget* m_window;
    QHash<QString, QAction*> m_byId;
    QHash<const QAction*, QStringList> m_keys;
    QList<QAction*> m_all;
    QList<QAction*> m_plain; // carry the plain keys
    QList<QWidget*> m_canvases;
};

} // namespace flashstep::ui
