// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/session.h"
#include "ui/views/accessible.h"

#include <QTextBrowser>
#include <QTimer>

namespace flashstep::ui {

// The step in hand in one or two sentences, with its numbers: generated from the trace.
class ExplainView : public QTextBrowser, public AccessibleView {
    Q_OBJECT
public:
    ExplainView(const Session& session, QWidget* parent);
    [[nodiscard]] QString sentences() const; // plain text
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return { 200, 60 }; }

signals:
    void termClicked(const QString& key); // a word of the glossary

protected:
    bool viewportEvent(QEvent* event) override; // hovering such a word shows its card

private:
    void refresh();
    void refreshSoon(); // once for all that changes in one go

    const Session m_session;
    QTimer m_soon;
    QString m_html; // on show
};

} // namespace flashstep::ui
