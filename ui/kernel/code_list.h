// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/views/accessible.h"

#include <QAbstractScrollArea>
#include <QStringList>

#include <map>
#include <set>
#include <vector>

namespace flashstep::ui {

class Appearance;

// A text with numbered lines: which are current, who stands where, what is pointed at. A click asks for a line, one in
// the gutter for a breakpoint; the arrow keys move a cursor of its own.
class CodeList : public QAbstractScrollArea, public AccessibleView {
    Q_OBJECT
public:
    CodeList(Appearance& appearance, const QString& accessibleName, QWidget* parent);

    struct Line {
        QString text;
        int number = 0; // as the file counts
        int commentFrom = -1; // column from which it is a comment or a directive
        bool hasCode = false; // something of the run stands for it
    };
    void setLines(std::vector<Line> lines);
    [[nodiscard]] const std::vector<Line>& lines() const { return m_lines; }

    struct Marks {
        int current = 0; // number of the line that the warp on show is on
        bool through = false; // it is on it by way of an inlined helper, or a call
        std::map<int, QString> who; // "w0, w2–3"
        std::set<int> pointed, faults, dropped, breakpoints;
    };
    void setMarks(Marks marks, bool follow);
    [[nodiscard]] const Marks& marks() const { return m_marks; }
    void setMarkColumn(int px) { m_whoWidth = px; }
    [[nodiscard]] QRect lineRect(int number) const; // in the viewport
    [[nodiscard]] int cursorLine() const { return m_cursor; }
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

signals:
    void pointedAt(int number); // 0: nothing
    void asked(int number, bool backwards); // go to its next (or previous) execution
    void breakpointAsked(int number);
    void menuAsked(int number, const QPoint& global);

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    [[nodiscard]] int rowHeight() const;
    [[nodiscard]] int gutter() const;
    [[nodiscard]] int rowAt(int y) const; // index, -1: none
    [[nodiscard]] int indexOf(int number) const;
    void measure();
    void show(int index);

    Appearance& m_appearance;
    std::vector<Line> m_lines;
    Marks m_marks;
    int m_whoWidth = 46;
    int m_widest = 0;
    int m_cursor = 0; // number of a line
};

} // namespace flashstep::ui
