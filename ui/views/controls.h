// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/icons.h"

#include <QComboBox>
#include <QFrame>
#include <QLabel>

class QButtonGroup;
class QHBoxLayout;
class QToolButton;

namespace flashstep::ui {

class Appearance;

// A combo box whose arrow is drawn in the palette's ink, sharp at every scale.
class ComboBox : public QComboBox {
    Q_OBJECT
public:
    explicit ComboBox(QWidget* parent = nullptr);

protected:
    void paintEvent(QPaintEvent* event) override;
    void wheelEvent(QWheelEvent* event) override; // only when it has the focus
};

// One of a few, side by side: flat buttons in a frame.
class Segments : public QFrame {
    Q_OBJECT
public:
    explicit Segments(QWidget* parent = nullptr);
    int add(const QString& text, const QString& toolTip = {});
    [[nodiscard]] int current() const;
    void setCurrent(int index); // without a signal
    [[nodiscard]] QToolButton* button(int index) const;

signals:
    void chosen(int index);

private:
    QButtonGroup* m_group;
    QHBoxLayout* m_row;
};

// The title of a dock: name, what it is about, float and close.
class DockTitle : public QWidget {
    Q_OBJECT
public:
    DockTitle(const QString& title, Appearance& appearance, QWidget* dock);
    void setInfo(const QString& text) { show(m_info, text); }
    void setTitle(const QString& text) { show(m_title, text); }
    void addWidget(QWidget* widget); // right of the title
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return { 60, sizeHint().height() }; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    static void show(QLabel* label, const QString& text) // an empty one takes no room
    {
        label->setText(text);
        label->setVisible(!text.isEmpty());
    }

    QHBoxLayout* m_row;
    QLabel* m_title;
    QLabel* m_info;
    const Appearance& m_appearance;
};

// A flat button with a symbol that follows the theme.
QToolButton* symbolButton(Symbol symbol, const QString& toolTip, Appearance& appearance, QWidget* parent);

// Whether any of it can be seen. A dock behind other tabs is "visible" to Qt all the same; one that is raised is shown
// again (MainWindow::addDock), so a view may put off what it is not looked at for.
[[nodiscard]] bool inSight(const QWidget* widget);

QLabel* makeLabel(const QString& text, const char* role, QWidget* parent = nullptr);
void setRole(QWidget* widget, const char* role);

} // namespace flashstep::ui
