// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/code_list.h"

#include "ui/appearance.h"
#include "ui/paint/text.h"

#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>

#include <algorithm>

namespace flashstep::ui {

CodeList::CodeList(Appearance& appearance, const QString& accessibleName, QWidget* parent)
    : QAbstractScrollArea(parent)
    , m_appearance(appearance)
{
    setAccessibleName(accessibleName);
    setFocusPolicy(Qt::StrongFocus);
    setFrameShape(QFrame::NoFrame);
    setCornerWidget(new QWidget(this));
    viewport()->setMouseTracking(true);
    verticalScrollBar()->setSingleStep(1);
    connect(&appearance, &Appearance::changed, this, [this] {
        measure();
        viewport()->update();
    });
}

int CodeList::rowHeight() const
{
    return m_appearance.px(17);
}

int CodeList::gutter() const
{
    return m_appearance.px(14 + m_whoWidth + 40);
}

void CodeList::setLines(std::vector<Line> lines)
{
    m_lines = std::move(lines);
    m_marks = {};
    m_cursor = 0;
    measure();
    viewport()->update();
}

void CodeList::measure()
{
    const QFont mono = m_appearance.mono(11);
    const double column = paint::textWidth(mono, QStringLiteral("0123456789")) / 10;
    int longest = 0;
    for (const Line& line : m_lines)
        longest = std::max(longest, static_cast<int>(line.text.size()));
    m_widest = gutter() + static_cast<int>(column * longest) + m_appearance.px(16);
    const int rows = std::max(1, viewport()->height() / rowHeight());
    verticalScrollBar()->setRange(0, std::max(0, static_cast<int>(m_lines.size()) - rows));
    verticalScrollBar()->setPageStep(rows);
    horizontalScrollBar()->setRange(0, std::max(0, m_widest - viewport()->width()));
    horizontalScrollBar()->setPageStep(viewport()->width());
}

void CodeList::resizeEvent(QResizeEvent* /*event*/)
{
    measure();
    if (m_marks.current > 0)
        show(indexOf(m_marks.current));
}

int CodeList::indexOf(int number) const
{
    const auto at = std::lower_bound(
        m_lines.begin(), m_lines.end(), number, [](const Line& line, int n) { return line.number < n; });
    return at != m_lines.end() && at->number == number ? static_cast<int>(at - m_lines.begin()) : -1;
}

void CodeList::show(int index)
{
    if (index < 0)
        return;
    const int rows = std::max(1, viewport()->height() / rowHeight());
    const int first = verticalScrollBar()->value();
    const int margin = std::min(3, rows / 4);
    if (index < first + margin || index >= first + rows - margin)
        verticalScrollBar()->setValue(index - rows / 3);
}

void CodeList::setMarks(Marks marks, bool follow)
{
    m_marks = std::move(marks);
    if (follow)
        show(indexOf(m_marks.current));
    viewport()->update();
}

QRect CodeList::lineRect(int number) const
{
    const int index = indexOf(number);
    return index < 0 ? QRect()
                     : QRect(0, (index - verticalScrollBar()->value()) * rowHeight(), viewport()->width(), rowHeight());
}

int CodeList::rowAt(int y) const
{
    const int index = y / rowHeight() + verticalScrollBar()->value();
    return y >= 0 && index < static_cast<int>(m_lines.size()) ? index : -1;
}

void CodeList::paintEvent(QPaintEvent* /*event*/)
{
    const paint::Theme& theme = m_appearance.theme();
    QPainter painter(viewport());
    painter.fillRect(viewport()->rect(), theme.panel);
    const QFont mono = m_appearance.mono(11), small = m_appearance.uiFont(10, QFont::Medium);
    const double column = paint::textWidth(mono, QStringLiteral("0123456789")) / 10;
    const int first = verticalScrollBar()->value(), height = rowHeight(), left = gutter();
    const int width = viewport()->width();
    const auto rowOf = [&](int k) { return QRectF(0, (k - first) * height, width, height); };
    const int last = std::min(static_cast<int>(m_lines.size()), first + viewport()->height() / height + 1);
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (int k = first; k < last; ++k) {
        const Line& line = m_lines[static_cast<std::size_t>(k)];
        const QRectF row = rowOf(k);
        const bool current = line.number == m_marks.current;
        if (current) {
            painter.fillRect(row, theme.highlight);
            painter.setPen(QPen(theme.mid, 1));
            painter.drawRect(row.adjusted(0, 0, -1, -1));
        } else if (m_marks.pointed.count(line.number) != 0)
            painter.fillRect(row, paint::mix(theme.mid, theme.panel, 0.18));
        if (hasFocus() && line.number == m_cursor && !current) {
            painter.setPen(QPen(theme.text, 1));
            painter.drawRect(row.adjusted(0, 0, -1, -1));
        }
        // The text moves under the gutter, never over it.
        painter.save();
        painter.setClipRect(QRectF(left, row.top(), width - left, height));
        const double x = left - horizontalScrollBar()->value();
        const int split = line.commentFrom < 0 ? static_cast<int>(line.text.size()) : line.commentFrom;
        const bool dropped = m_marks.dropped.count(line.number) != 0;
        painter.setPen(dropped ? theme.fault : line.hasCode || split == 0 ? theme.text : theme.t2);
        QFont font = mono;
        font.setStrikeOut(dropped);
        paint::drawLine(painter, QRectF(x, row.top(), 4000, height), Qt::AlignLeft, font, line.text.left(split));
        painter.setPen(theme.t3);
        paint::drawLine(
            painter, QRectF(x + column * split, row.top(), 4000, height), Qt::AlignLeft, mono, line.text.mid(split));
        painter.restore();
        if (m_marks.breakpoints.count(line.number) != 0) {
            painter.setRenderHint(QPainter::Antialiasing, true);
            painter.setPen(Qt::NoPen);
            painter.setBrush(theme.text);
            const double side = m_appearance.px(8);
            painter.drawEllipse(QRectF(m_appearance.px(3), row.center().y() - side / 2, side, side));
            painter.setRenderHint(QPainter::Antialiasing, false);
        }
        if (m_marks.faults.count(line.number) != 0)
            painter.fillRect(QRectF(m_appearance.px(13), row.top() + 1, m_appearance.px(3), height - 2), theme.fault);
        const auto who = m_marks.who.find(line.number);
        if (who != m_marks.who.end()) {
            painter.setPen(theme.text);
            paint::drawElided(painter, QRectF(m_appearance.px(18), row.top(), m_appearance.px(m_whoWidth - 2), height),
                Qt::AlignLeft, small, who->second);
        }
        painter.setPen(line.hasCode ? theme.t2 : theme.t3);
        paint::drawLine(painter, QRectF(m_appearance.px(14 + m_whoWidth), row.top(), m_appearance.px(32), height),
            Qt::AlignRight, m_appearance.mono(10.5), QString::number(line.number));
    }
}

bool CodeList::viewportEvent(QEvent* event)
{
    if (event->type() == QEvent::Leave)
        emit pointedAt(0);
    return QAbstractScrollArea::viewportEvent(event);
}

void CodeList::mouseMoveEvent(QMouseEvent* event)
{
    const int index = rowAt(event->pos().y());
    emit pointedAt(index < 0 ? 0 : m_lines[static_cast<std::size_t>(index)].number);
}

void CodeList::mousePressEvent(QMouseEvent* event)
{
    const int index = rowAt(event->pos().y());
    if (index < 0 || event->button() != Qt::LeftButton)
        return;
    m_cursor = m_lines[static_cast<std::size_t>(index)].number;
    viewport()->update();
    if (event->pos().x() < m_appearance.px(14))
        emit breakpointAsked(m_cursor);
    else
        emit asked(m_cursor, (event->modifiers() & Qt::ShiftModifier) != 0);
}

void CodeList::contextMenuEvent(QContextMenuEvent* event)
{
    const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
    const int index = byKey ? indexOf(m_cursor) : rowAt(event->pos().y());
    if (index >= 0)
        emit menuAsked(m_lines[static_cast<std::size_t>(index)].number, event->globalPos());
}

void CodeList::keyPressEvent(QKeyEvent* event)
{
    int index = indexOf(m_cursor > 0 ? m_cursor : m_marks.current);
    const int count = static_cast<int>(m_lines.size());
    const int page = verticalScrollBar()->pageStep();
    switch (event->key()) {
    case Qt::Key_Up:
        --index;
        break;
    case Qt::Key_Down:
        ++index;
        break;
    case Qt::Key_PageUp:
        index -= page;
        break;
    case Qt::Key_PageDown:
        index += page;
        break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (index >= 0)
            emit asked(m_cursor, (event->modifiers() & Qt::ShiftModifier) != 0);
        return;
    default:
        return QAbstractScrollArea::keyPressEvent(event);
    }
    if (count == 0)
        return;
    index = std::clamp(index, 0, count - 1);
    m_cursor = m_lines[static_cast<std::size_t>(index)].number;
    show(index);
    emit pointedAt(m_cursor);
    viewport()->update();
    announceChange(this);
}

void CodeList::focusInEvent(QFocusEvent* /*event*/)
{
    viewport()->update();
}

void CodeList::focusOutEvent(QFocusEvent* /*event*/)
{
    viewport()->update();
}

std::vector<AccessibleNode> CodeList::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    const auto say = [&](int number, const QString& why) {
        const int index = indexOf(number);
        if (index >= 0)
            nodes.push_back({ QAccessible::StaticText, tr("line %1, %2").arg(number).arg(why),
                m_lines[static_cast<std::size_t>(index)].text.trimmed(), {} });
    };
    if (m_marks.current > 0)
        say(m_marks.current, tr("current"));
    for (const auto& [number, who] : m_marks.who)
        say(number, who);
    if (m_cursor > 0)
        say(m_cursor, tr("cursor"));
    return nodes;
}

} // namespace flashstep::ui
