// SPDX-License-Identifier: GPL-3.0-or-later
// The part of SourceView that stops playing at a line; the other part shows and moves.
#include "ui/appearance.h"
#include "ui/views/source_view.h"

#include <KSyntaxHighlighting/Repository>

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QMenu>
#include <QPainter>

namespace flashstep::ui {

void SourceView::setBreakpoints(const std::map<int, bool>& lines)
{
    if (lines == m_breakpoints)
        return;
    m_breakpoints = lines;
    viewport()->update();
    announceChange(this);
}

int SourceView::lineOfKeys() const
{
    if (m_tab != SourceText::Schedule || !page().available())
        return 0;
    return m_cursor > 0 ? m_cursor : m_primary[static_cast<std::size_t>(m_tab)];
}

// A line that no operation of the run stands on never stops it; one that has a breakpoint can always lose it.
bool SourceView::takesBreakpoint(int line) const
{
    return m_tab == SourceText::Schedule && line > 0 && line <= page().count()
        && (page().hasOps(line) || m_breakpoints.count(line) > 0);
}

// A ring, filled while it is on.
void SourceView::paintBreakpoint(QPainter& painter, const QRectF& rect, bool enabled) const
{
    const Appearance& look = m_session.appearance;
    const QColor& ink = look.theme().text;
    const double radius = look.px(4);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(ink, 1.5));
    painter.setBrush(Qt::NoBrush);
    const QPointF centre(look.px(24), rect.center().y());
    painter.drawEllipse(centre, radius, radius);
    if (enabled) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(ink);
        painter.drawEllipse(centre, radius - 2, radius - 2);
    }
    painter.restore();
}

void SourceView::contextMenuEvent(QContextMenuEvent* event)
{
    const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
    const int asked = byKey ? m_cursor : lineAt(event->pos());
    const int line = asked > 0 ? asked : m_primary[static_cast<std::size_t>(m_tab)];
    if (line <= 0 || line > page().count())
        return;
    QMenu menu(this);
    QAction* next = menu.addAction(tr("Next time this line is run"));
    QAction* previous = menu.addAction(tr("Time before"));
    next->setEnabled(page().hasOps(line));
    previous->setEnabled(page().hasOps(line));
    QAction* stop = nullptr;
    if (takesBreakpoint(line)) {
        stop = menu.addAction(
            m_breakpoints.count(line) > 0 ? tr("No breakpoint on this line") : tr("Breakpoint on this line"));
        stop->setObjectName(QStringLiteral("breakpoint"));
    }
    menu.addSeparator();
    QAction* copy = menu.addAction(tr("Copy the line"));
    const QAction* chosen
        = menu.exec(byKey ? viewport()->mapToGlobal(lineRect(line).topLeft() + QPoint(gutterWidth(), rowHeight()))
                          : event->globalPos());
    if (chosen == next || chosen == previous)
        goToLine(m_tab, line, chosen == next);
    else if (stop != nullptr && chosen == stop)
        emit breakpointAsked(line);
    else if (chosen == copy)
        QApplication::clipboard()->setText(page().line(line).text);
}

} // namespace flashstep::ui
