// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/source_view.h"

#include "core/trace/state.h"
#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/paint/text.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/text.h"

#include <KSyntaxHighlighting/Repository>

#include <QApplication>
#include <QClipboard>
#include <QHelpEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>

namespace flashstep::ui {

SourceView::SourceView(const Session& session, QWidget* parent)
    : QAbstractScrollArea(parent)
    , m_session(session)
    , m_repository(std::make_unique<KSyntaxHighlighting::Repository>())
    , m_pages { SourcePage(SourceText::Schedule), SourcePage(SourceText::Paper), SourcePage(SourceText::Cuda),
        SourcePage(SourceText::Numpy) }
{
    setObjectName(QStringLiteral("view.source"));
    setAccessibleName(tr("Source"));
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    viewport()->setMouseTracking(true);
    connect(&session.document, &Document::changed, this, &SourceView::load);
    connect(&session.playback, &Playback::positionChanged, this, &SourceView::refresh);
    connect(&session.selection, &Selection::changed, this, &SourceView::refresh);
    connect(&session.appearance, &Appearance::changed, this, &SourceView::dress);
    load();
}

SourceView::~SourceView() = default;

void SourceView::load()
{
    for (SourcePage& page : m_pages)
        page.load(m_session, *m_repository);
    if (!page().available())
        m_tab = SourceText::Schedule;
    m_primary.fill(0);
    m_cursor = 0;
    layOut();
    emit tabsChanged();
    refresh();
}

void SourceView::dress()
{
    layOut();
    follow(true);
    viewport()->update();
}

std::map<int, QString> SourceView::current() const
{
    std::map<int, QString> out;
    for (const auto& [line, current] : currentOf(SourceText::Schedule))
        out[line] = current.roles;
    return out;
}

void SourceView::refresh()
{
    const bool some = !m_session.document.empty() && m_session.selection.cta().valid();
    const InstanceId now = some ? currentInstance(m_session) : InstanceId::none();
    const std::vector<RoleState> roles = some
        ? rolesAt(m_session.document.trace(), m_session.selection.cta(), m_session.playback.position())
        : std::vector<RoleState>();
    const int before = m_primary[static_cast<std::size_t>(m_tab)];
    for (std::size_t k = 0; k < sourceTextCount; ++k) {
        m_current[k] = m_pages[k].current(m_session, roles);
        m_primary[k]
            = now.valid() && m_pages[k].available() ? m_pages[k].placeOf(m_session.document.trace(), now).line : 0;
    }
    if (m_primary[static_cast<std::size_t>(m_tab)] != before) {
        m_cursor = 0;
        follow(false);
    }
    viewport()->update();
    announceChange(this);
}

void SourceView::setTab(SourceText tab)
{
    if (tab == m_tab || !page(tab).available()) {
        emit tabsChanged();
        return;
    }
    m_tab = tab;
    m_cursor = 0;
    layOut();
    follow(true);
    viewport()->update();
    emit tabsChanged();
    announceChange(this);
}

void SourceView::turnTab(int by)
{
    const int count = static_cast<int>(sourceTextCount);
    for (int k = 1; k <= count; ++k) {
        const auto next = static_cast<SourceText>(((static_cast<int>(m_tab) + by * k) % count + count) % count);
        if (page(next).available())
            return setTab(next);
    }
}

int SourceView::gutterWidth() const
{
    return m_session.appearance.px(width() < m_session.appearance.px(320) ? 80 : 92);
}

int SourceView::rowHeight() const
{
    return m_session.appearance.px(19);
}

// Sentences are broken between words, below where they begin; code keeps its lines.
void SourceView::layOut()
{
    m_rows.clear();
    m_firstRow.assign(static_cast<std::size_t>(page().count()) + 2, 0);
    const QFontMetricsF metrics(m_session.appearance.mono(11));
    const double advance = metrics.horizontalAdvance(QLatin1Char(' '));
    const int room = std::max(12, static_cast<int>((viewport()->width() - gutterWidth() - 12) / advance));
    for (int number = 1; number <= page().count(); ++number) {
        m_firstRow[static_cast<std::size_t>(number)] = static_cast<int>(m_rows.size());
        const SourcePage::Line& line = page().line(number);
        const int length = static_cast<int>(line.text.size());
        int from = 0;
        while (page().wraps() && length - from > room - (from > 0 ? line.indent + 2 : 0)) {
            const int most = room - (from > 0 ? line.indent + 2 : 0);
            int cut = static_cast<int>(line.text.lastIndexOf(QLatin1Char(' '), from + most));
            if (cut <= from + line.indent)
                cut = from + most;
            m_rows.push_back({ number, from, cut - from });
            from = cut < length && line.text[cut] == QLatin1Char(' ') ? cut + 1 : cut;
        }
        m_rows.push_back({ number, from, length - from });
    }
    m_firstRow.back() = static_cast<int>(m_rows.size());
    const int shown = std::max(1, viewport()->height() / rowHeight());
    verticalScrollBar()->setPageStep(shown);
    verticalScrollBar()->setSingleStep(1);
    verticalScrollBar()->setRange(0, std::max(0, static_cast<int>(m_rows.size()) - shown));
}

int SourceView::rowOf(int line) const
{
    return line > 0 && line < static_cast<int>(m_firstRow.size()) ? m_firstRow[static_cast<std::size_t>(line)] : 0;
}

// The current line comes to the middle when it leaves the middle half: the text does not jump at every step.
void SourceView::follow(bool always)
{
    const int line = m_primary[static_cast<std::size_t>(m_tab)];
    if (line == 0)
        return;
    const int shown = std::max(1, viewport()->height() / rowHeight());
    const int row = rowOf(line);
    const int place = row - verticalScrollBar()->value();
    if (always || place < shown / 4 || place >= shown - std::max(1, shown / 4))
        verticalScrollBar()->setValue(row - (shown - 1) / 2);
}

QRect SourceView::lineRect(int line) const
{
    const int first = rowOf(line);
    const int rows = rowOf(line + 1) - first;
    return { 0, (first - verticalScrollBar()->value()) * rowHeight(), viewport()->width(), rows * rowHeight() };
}

int SourceView::lineAt(const QPoint& point) const
{
    const int row = verticalScrollBar()->value() + point.y() / rowHeight();
    return point.y() >= 0 && row < static_cast<int>(m_rows.size()) ? m_rows[static_cast<std::size_t>(row)].line : 0;
}

void SourceView::paintEvent(QPaintEvent* /*event*/)
{
    const paint::Theme& theme = m_session.appearance.theme();
    QPainter painter(viewport());
    painter.fillRect(viewport()->rect(), theme.panel);
    if (!page().available()) {
        painter.setPen(theme.t3);
        painter.setFont(m_session.appearance.uiFont(12));
        painter.drawText(viewport()->rect().adjusted(12, 8, -12, -8), Qt::AlignTop | Qt::TextWordWrap, page().note());
        return;
    }
    const int first = verticalScrollBar()->value();
    const int last = std::min(static_cast<int>(m_rows.size()), first + viewport()->height() / rowHeight() + 2);
    // What all lines in sight are indented by says nothing.
    int shift = 1000;
    for (int k = first; k < last; ++k)
        if (const SourcePage::Line& line = page().line(m_rows[static_cast<std::size_t>(k)].line);
            line.indent < line.text.size())
            shift = std::min(shift, line.indent);
    const auto& current = currentOf(m_tab);
    for (int k = first; k < last; ++k) {
        const Row& row = m_rows[static_cast<std::size_t>(k)];
        const QRectF rect(0, (k - first) * rowHeight(), viewport()->width(), rowHeight());
        const auto here = current.find(row.line);
        if ((here != current.end() && here->second.exact) || row.line == m_primary[static_cast<std::size_t>(m_tab)])
            painter.fillRect(rect.adjusted(4, 0, 0, 0), theme.highlight);
        else if (row.line == m_cursor)
            painter.fillRect(rect, theme.alt);
        paintGutter(painter, row, rect);
        paintRow(painter, row, rect, shift);
    }
    painter.setBrush(Qt::NoBrush);
    const auto frame = [&](int line, bool exact) {
        QPen pen(theme.mid, 1);
        if (!exact)
            pen.setDashPattern({ 1, 3 });
        painter.setPen(pen);
        painter.drawRect(QRectF(lineRect(line)).adjusted(4.5, 0.5, -0.5, -0.5));
    };
    const int primary = m_primary[static_cast<std::size_t>(m_tab)];
    for (const auto& [line, here] : current)
        if (line != primary)
            frame(line, here.exact);
    if (primary > 0)
        frame(primary, true);
    if (hasFocus() && m_cursor > 0) {
        painter.setPen(QPen(theme.text, 1));
        painter.drawRect(QRectF(lineRect(m_cursor)).adjusted(0.5, 0.5, -0.5, -0.5));
    }
}

void SourceView::paintGutter(QPainter& painter, const Row& row, const QRectF& rect) const
{
    const paint::Theme& theme = m_session.appearance.theme();
    const Appearance& look = m_session.appearance;
    const auto here = currentOf(m_tab).find(row.line);
    if (row.from > 0)
        return;
    if (row.line
        == m_primary[static_cast<std::size_t>(m_tab)]) { // the step that was made, also where its role is past it
        painter.setPen(theme.text);
        painter.setFont(look.uiFont(10.5, QFont::Medium));
        painter.drawText(
            QRectF(8, rect.top(), 12, rect.height()), Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("▸"));
    }
    const auto stop = m_tab == SourceText::Schedule ? m_breakpoints.find(row.line) : m_breakpoints.end();
    const double left = stop != m_breakpoints.end() ? look.px(31) : 17;
    if (stop != m_breakpoints.end())
        paintBreakpoint(painter, rect, stop->second);
    const QRectF place(left, rect.top(), gutterWidth() - 8 - left, rect.height());
    if (here == currentOf(m_tab).end()) {
        painter.setPen(page().hasOps(row.line) ? theme.t2 : theme.t3);
        painter.setFont(look.mono(10));
        painter.drawText(place, Qt::AlignRight | Qt::AlignVCenter, page().line(row.line).number);
        return;
    }
    painter.setPen(theme.text);
    painter.setFont(look.uiFont(10.5, QFont::Medium));
    paint::drawElided(painter, place, Qt::AlignRight | Qt::AlignVCenter, painter.font(), here->second.roles);
}

void SourceView::paintRow(QPainter& painter, const Row& row, const QRectF& rect, int shift) const
{
    using Tone = SourcePage::Ink::Tone;
    const paint::Theme& theme = m_session.appearance.theme();
    const SourcePage::Line& line = page().line(row.line);
    const QFont plain = m_session.appearance.mono(11);
    const QFont strong = m_session.appearance.mono(11, QFont::DemiBold);
    const QFontMetricsF metrics(plain);
    const double advance = metrics.horizontalAdvance(QLatin1Char(' '));
    const int skipped = row.from > 0 ? 0 : std::min(shift, line.indent); // of the line's own indentation
    double x = gutterWidth() + (row.from > 0 ? (line.indent + 2 - shift) * advance : 0);
    const double baseline = rect.top() + (rect.height() + metrics.ascent() - metrics.descent()) / 2;
    const double right = rect.right() - 8;
    const double dots = metrics.horizontalAdvance(QChar(0x2026));
    painter.save();
    painter.setClipRect(QRectF(gutterWidth(), rect.top(), rect.width() - gutterWidth(), rect.height()));
    int at = 0;
    for (const SourcePage::Ink& ink : line.inks) {
        const int begin = std::max({ at, row.from, row.from + skipped });
        const int end = std::min(at + ink.length, row.from + row.length);
        at += ink.length;
        if (end <= begin)
            continue;
        QString text = line.text.mid(begin, end - begin);
        painter.setFont(ink.strong ? strong : plain);
        painter.setPen(ink.tone == Tone::Third ? theme.t3 : ink.tone == Tone::Second ? theme.t2 : theme.text);
        const bool more = end < row.from + row.length;
        double width = metrics.horizontalAdvance(text);
        if (x + width > right - (more ? dots : 0)) { // dropped at a letter, with a sign that there is more
            if (x + width > right) {
                while (!text.isEmpty() && x + metrics.horizontalAdvance(text) > right - dots)
                    text.chop(1);
                painter.drawText(QPointF(x, baseline), text + QChar(0x2026));
                break;
            }
        }
        painter.drawText(QPointF(x, baseline), text);
        x += width;
    }
    painter.restore();
}

void SourceView::resizeEvent(QResizeEvent* event)
{
    QAbstractScrollArea::resizeEvent(event);
    layOut();
    follow(true);
}

void SourceView::scrollContentsBy(int /*dx*/, int /*dy*/)
{
    viewport()->update();
}

void SourceView::mousePressEvent(QMouseEvent* event)
{
    m_pressed = event->pos();
}

void SourceView::mouseReleaseEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton || (event->pos() - m_pressed).manhattanLength() >= 4)
        return;
    if (const int line = lineAt(event->pos()); line > 0) {
        m_cursor = line;
        if (event->pos().x() < gutterWidth() && takesBreakpoint(line)) {
            emit breakpointAsked(line);
            viewport()->update();
            return;
        }
        goToLine(m_tab, line, !event->modifiers().testFlag(Qt::ShiftModifier));
        viewport()->update();
    }
}

void SourceView::mouseMoveEvent(QMouseEvent* event)
{
    viewport()->setCursor(page().hasOps(lineAt(event->pos())) ? Qt::PointingHandCursor : Qt::ArrowCursor);
}

void SourceView::keyPressEvent(QKeyEvent* event)
{
    const int line = m_cursor > 0 ? m_cursor : m_primary[static_cast<std::size_t>(m_tab)];
    const bool shift = event->modifiers().testFlag(Qt::ShiftModifier);
    const bool control = event->modifiers().testFlag(Qt::ControlModifier);
    const auto moveTo = [&](int to) {
        m_cursor = std::clamp(to, 1, std::max(1, page().count()));
        const int shown = std::max(1, viewport()->height() / rowHeight());
        const int row = rowOf(m_cursor);
        verticalScrollBar()->setValue(std::clamp(verticalScrollBar()->value(), row - shown + 1, row));
        viewport()->update();
    };
    switch (event->key()) {
    case Qt::Key_Up:
        return moveTo(line - 1);
    case Qt::Key_Down:
        return moveTo(line + 1);
    case Qt::Key_Return:
    case Qt::Key_Enter:
        return goToLine(m_tab, line, !shift);
    case Qt::Key_Tab:
    case Qt::Key_Backtab:
        if (control)
            return turnTab(event->key() == Qt::Key_Backtab || shift ? -1 : 1);
        break;
    case Qt::Key_PageUp:
    case Qt::Key_PageDown:
        if (control)
            return turnTab(event->key() == Qt::Key_PageUp ? -1 : 1);
        break;
    case Qt::Key_C:
        if (control && line > 0 && line <= page().count())
            return QApplication::clipboard()->setText(page().line(line).text);
        break;
    default:
        break;
    }
    QAbstractScrollArea::keyPressEvent(event);
}

bool SourceView::viewportEvent(QEvent* event)
{
    if (event->type() != QEvent::ToolTip)
        return QAbstractScrollArea::viewportEvent(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const int line = lineAt(help->pos());
    if (line == 0 || !page().available()) {
        QToolTip::hideText();
        return true;
    }
    QString text = page().line(line).text.trimmed();
    if (const auto here = currentOf(m_tab).find(line); here != currentOf(m_tab).end())
        text += QLatin1Char('\n')
            + (here->second.exact ? tr("here: %1") : tr("last here, at a step that no line tells of: %1"))
                  .arg(here->second.roles);
    if (help->pos().x() < gutterWidth() && takesBreakpoint(line))
        text += QLatin1Char('\n')
            + (m_breakpoints.count(line) > 0 ? tr("Playing stops here. Click or F9: no more.")
                                             : tr("Click or F9: playing stops when this line is done."));
    else if (page().hasOps(line))
        text += QLatin1Char('\n') + tr("Click: the next time it is run. Shift+click: the time before.");
    QToolTip::showText(help->globalPos(), text, viewport());
    return true;
}

void SourceView::goToLine(SourceText tab, int line, bool after)
{
    if (const std::optional<Position> at = page(tab).execution(m_session, line, after))
        m_session.playback.seek(*at);
}

std::vector<AccessibleNode> SourceView::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    for (std::size_t k = 0; k < sourceTextCount; ++k) {
        const SourcePage& page = m_pages[k];
        AccessibleNode node { QAccessible::PageTab, fromView(flashstep::name(page.kind())), page.file(), {} };
        if (!page.available())
            node.value = page.note();
        else if (page.kind() == SourceText::Paper)
            node.value = page.title() + QStringLiteral(". ") + page.note();
        if (page.kind() == SourceText::Schedule)
            for (const auto& [line, enabled] : m_breakpoints)
                node.children.push_back({ QAccessible::StaticText, tr("breakpoint"),
                    QStringLiteral("%1:%2%3").arg(page.file()).arg(line).arg(enabled ? QString() : tr(", off")), {} });
        for (const auto& [line, here] : m_current[k]) {
            const SourcePage::Line& shown = page.line(line);
            const QString number = page.kind() == SourceText::Paper ? shown.number : QString::number(line);
            const QString where = page.kind() == SourceText::Paper ? tr("line %1").arg(number)
                                                                   : QStringLiteral("%1:%2").arg(page.file(), number);
            node.children.push_back({ QAccessible::StaticText, where,
                (here.exact ? QStringLiteral("%1: %2") : tr("%1, last at: %2")).arg(here.roles, shown.text.trimmed()),
                {} });
        }
        nodes.push_back(std::move(node));
    }
    return nodes;
}

} // namespace flashstep::ui
