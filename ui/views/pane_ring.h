// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPointer>
#include <QWidget>

namespace flashstep::ui {

class Appearance;

// A frame round the pane that a key has brought the focus to, until the focus goes on. Canvases draw their own.
class PaneRing : public QWidget {
    Q_OBJECT
public:
    PaneRing(const Appearance& appearance, QWidget* window);
    void surround(QWidget* pane);

protected:
    void paintEvent(QPaintEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void leave();

    const Appearance& m_appearance;
    QWidget* m_window;
    QPointer<QWidget> m_pane;
};

} // namespace flashstep::ui
