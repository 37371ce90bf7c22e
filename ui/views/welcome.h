// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/overview_loader.h"
#include "ui/paint/welcome_painter.h"
#include "ui/views/accessible.h"

#include <QWidget>

class QLabel;
class QMenu;
class QPushButton;

namespace flashstep::ui {

class Appearance;

// The four versions side by side: what is new, what each is predicted to reach beside what is published, and which
// engine binds. A click or Enter on one asks to open it; the arrows go from one to the next.
class WelcomeCanvas : public QWidget, public AccessibleView {
    Q_OBJECT
public:
    WelcomeCanvas(Appearance& appearance, QWidget* parent);

    void setOverview(std::shared_ptr<const Overview> overview, const QString& pending);
    [[nodiscard]] const paint::WelcomeScene& scene() const { return m_scene; }
    [[nodiscard]] int chosen() const { return m_scene.chosen; }
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;
    [[nodiscard]] QRect cardRect(int card) const; // in the widget's pixels

signals:
    void opened(const QString& algorithm, const QString& gpu);
    void revealed(const QRect& card); // chosen by key: it should be in sight

protected:
    bool event(QEvent* event) override; // tool tips
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    [[nodiscard]] double scale() const; // of the window, and more where there is room
    [[nodiscard]] QRectF area() const;
    [[nodiscard]] const paint::WelcomeCard* card(int index) const;
    [[nodiscard]] QString detail(const paint::WelcomeCard& card) const;
    void choose(int card);
    void open(int card);
    void fitHeight();

    Appearance& m_appearance;
    std::shared_ptr<const Overview> m_overview;
    paint::WelcomeScene m_scene;
};

// The welcome page over the window: the versions at a glance, a scenario or a recent file to open. What is below it
// goes on as it was.
class WelcomePage : public QWidget {
    Q_OBJECT
public:
    WelcomePage(Appearance& appearance, QMenu* recent, QWidget* window);

    void present();
    void dismiss();
    [[nodiscard]] bool settled() const; // its numbers are there, or will not be
    [[nodiscard]] WelcomeCanvas* canvas() const { return m_canvas; }

signals:
    void opened(const QString& algorithm, const QString& gpu);
    void openRequested(); // a scenario file
    void dismissed();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    bool focusNextPrevChild(bool next) override; // stays on the page

private:
    void place();
    void refresh();

    Appearance& m_appearance;
    QLabel *m_what, *m_legend;
    WelcomeCanvas* m_canvas;
    QList<QWidget*> m_stops; // of the Tab key
    OverviewLoader m_loader;
};

} // namespace flashstep::ui
