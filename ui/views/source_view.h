// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/session.h"
#include "ui/views/accessible.h"
#include "ui/views/source_page.h"

#include <QAbstractScrollArea>

#include <array>
#include <map>
#include <memory>

namespace flashstep::ui {

// The texts of the algorithm, one at a time and all in step: the schedule that was compiled, the paper's lines, the
// CUDA kernel, plain NumPy. Each shows the line every role of the chosen CTA is on; a click goes to the next time a
// line is run, with Shift to the time before.
class SourceView : public QAbstractScrollArea, public AccessibleView {
    Q_OBJECT
public:
    SourceView(const Session& session, QWidget* parent);
    ~SourceView() override;

    [[nodiscard]] SourceText tab() const { return m_tab; }
    [[nodiscard]] const SourcePage& page(SourceText tab) const { return m_pages[static_cast<std::size_t>(tab)]; }
    [[nodiscard]] const SourcePage& page() const { return page(m_tab); }
    // Line (from 1) to the roles that are on it, of one text.
    [[nodiscard]] const std::map<int, SourcePage::Current>& currentOf(SourceText tab) const
    {
        return m_current[static_cast<std::size_t>(tab)];
    }
    // Of the schedule.
    [[nodiscard]] QString fileName() const { return page(SourceText::Schedule).file(); }
    [[nodiscard]] std::map<int, QString> current() const;

    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;
    [[nodiscard]] QSize sizeHint() const override { return { 360, 160 }; }
    [[nodiscard]] QSize minimumSizeHint() const override { return { 120, 60 }; }
    [[nodiscard]] QRect lineRect(int line) const; // in the viewport
    [[nodiscard]] int gutterWidth() const;
    // The line of the schedule that keys act on: the cursor's, else the current one; 0 where another text is shown.
    [[nodiscard]] int lineOfKeys() const;
    // Lines of the schedule that playing stops at, and whether it does now.
    void setBreakpoints(const std::map<int, bool>& lines);
    [[nodiscard]] const std::map<int, bool>& breakpoints() const { return m_breakpoints; }

public slots:
    void setTab(flashstep::SourceText tab); // stays where it is if there is no such text
    void turnTab(int by); // to the next one that there is
    void goToLine(int line) { goToLine(SourceText::Schedule, line, true); }
    void goToLine(flashstep::SourceText tab, int line, bool after);

signals:
    void tabsChanged(); // which there are, or which is shown
    void breakpointAsked(int line); // of the schedule: one there, or none any more

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;
    bool viewportEvent(QEvent* event) override;

private:
    struct Row { // as it is set: a line, or a piece of one that is longer than the view is wide
        int line = 0, from = 0, length = 0;
    };
    void load();
    void refresh();
    void dress();
    void layOut();
    void follow(bool always);
    void paintRow(QPainter& painter, const Row& row, const QRectF& rect, int shift) const;
    void paintGutter(QPainter& painter, const Row& row, const QRectF& rect) const;
    void paintBreakpoint(QPainter& painter, const QRectF& rect, bool enabled) const;
    [[nodiscard]] bool takesBreakpoint(int line) const;
    [[nodiscard]] int rowHeight() const;
    [[nodiscard]] int lineAt(const QPoint& point) const;
    [[nodiscard]] int rowOf(int line) const;

    const Session m_session;
    std::unique_ptr<KSyntaxHighlighting::Repository> m_repository;
    std::array<SourcePage, sourceTextCount> m_pages;
    std::array<std::map<int, SourcePage::Current>, sourceTextCount> m_current;
    std::array<int, sourceTextCount> m_primary {}; // the line that scrolling follows
    SourceText m_tab = SourceText::Schedule;
    std::vector<Row> m_rows;
    std::vector<int> m_firstRow; // by line
    std::map<int, bool> m_breakpoints;
    int m_cursor = 0; // the line that keys act on; 0: the primary one
    QPoint m_pressed;
};

} // namespace flashstep::ui
