// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/session.h"
#include "ui/views/accessible.h"

#include <QPlainTextEdit>

#include <map>
#include <memory>

namespace KSyntaxHighlighting {
class Repository;
}

namespace flashstep::ui {

class QuietHighlighter;

// The very file that was compiled, with the line each role of the chosen CTA is on. A click goes to the next time a
// line is run.
class SourceView : public QPlainTextEdit, public AccessibleView {
    Q_OBJECT
public:
    SourceView(const Session& session, QWidget* parent);
    ~SourceView() override;

    [[nodiscard]] QString fileName() const { return m_file; }
    // Line (from 1) to the roles that are on it.
    [[nodiscard]] const std::map<int, QString>& current() const { return m_current; }
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

    [[nodiscard]] int gutterWidth() const;
    void paintGutter(QPaintEvent* event);

public slots:
    void goToLine(int line); // its next execution after the position, else its first

signals:
    void fileChanged(const QString& name);

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;

private:
    void load();
    void refresh();
    void dress();
    [[nodiscard]] QRectF lineRect(int line) const;

    const Session m_session;
    std::unique_ptr<KSyntaxHighlighting::Repository> m_repository;
    QuietHighlighter* m_highlighter;
    QWidget* m_gutter;
    QString m_file;
    std::map<int, QString> m_current;
    int m_primary = 0; // the line followed by scrolling
    QPoint m_pressed;
};

} // namespace flashstep::ui
