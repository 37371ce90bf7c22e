// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/session.h"
#include "ui/views/accessible.h"

#include <QTreeWidget>

namespace flashstep::ui {

class Places;

// Bookmarks and breakpoints as a list: a click goes there, Delete removes, F2 renames, a tick switches a breakpoint.
class PlacesView : public QTreeWidget, public AccessibleView {
    Q_OBJECT
public:
    PlacesView(const Session& session, Places& places, QWidget* parent);

    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

signals:
    void goTo(const QString& position); // of a bookmark
    void runTo(const QString& condition); // of a breakpoint: its next moment

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void rebuild();
    void go(QTreeWidgetItem* item);
    void edited(QTreeWidgetItem* item, int column);
    void remove(QTreeWidgetItem* item);

    const Session m_session;
    Places& m_places;
    bool m_filling = false;
};

} // namespace flashstep::ui
