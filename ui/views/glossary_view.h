// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/session.h"
#include "ui/views/accessible.h"

#include <QWidget>

class QLineEdit;
class QListWidget;
class QSplitter;
class QTextBrowser;

namespace flashstep::ui {

// Every card of the glossary: a list that is narrowed by typing, and the card chosen, with what its term is right now.
class GlossaryView : public QWidget, public AccessibleView {
    Q_OBJECT
public:
    GlossaryView(const Session& session, QWidget* parent);

    [[nodiscard]] QString term() const { return m_term; }
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;
    [[nodiscard]] QSize sizeHint() const override { return { 320, 320 }; }

public slots:
    void showTerm(const QString& key); // whatever has been searched for

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void fill();
    void refresh();
    void dress();

    const Session m_session;
    QLineEdit* m_search;
    QListWidget* m_list;
    QSplitter* m_parts;
    QTextBrowser* m_card;
    QString m_term, m_html;
};

} // namespace flashstep::ui
