// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/session.h"

#include <QObject>

#include <vector>

class QFrame;
class QWidget;

namespace flashstep::ui {

// The first minute: three short hints beside what they speak of. Each goes when it is closed or once it has been
// followed.
class Hints : public QObject {
    Q_OBJECT
public:
    Hints(QWidget* window, const Session& session);

    // Above the widget, or at its foot.
    void add(QWidget* beside, const QString& text, bool inside = false);
    void dismissAll();
    [[nodiscard]] int count() const { return static_cast<int>(m_hints.size()); }

signals:
    void allGone();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    struct Hint {
        QFrame* bubble;
        QWidget* beside;
        bool inside;
    };
    void place();
    void remove(QFrame* bubble);

    QWidget* m_window;
    const Session m_session;
    std::vector<Hint> m_hints;
};

} // namespace flashstep::ui
