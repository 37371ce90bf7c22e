// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/register_view.h"

#include "ui/appearance.h"
#include "ui/paint/kernel_values.h"
#include "ui/paint/pattern.h"
#include "ui/paint/text.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QHBoxLayout>
#include <QLineEdit>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QVBoxLayout>

#include <algorithm>

namespace flashstep::ui {

RegisterTable::RegisterTable(KernelState& state, Appearance& appearance, QWidget* parent)
    : QAbstractScrollArea(parent)
    , m_state(state)
    , m_appearance(appearance)
{
    setObjectName(QStringLiteral("kernel.registers"));
    setAccessibleName(tr("Registers of the warp, by lane"));
    setFocusPolicy(Qt::StrongFocus);
    setFrameShape(QFrame::NoFrame);
    viewport()->setMouseTracking(true);
    connect(&state, &KernelState::loaded, this, [this] { m_pins.clear(); });
    connect(&state, &KernelState::moved, this, [this] {
        collect();
        announceChange(this);
    });
    connect(&state, &KernelState::looked, this, [this] { viewport()->update(); });
    connect(&appearance, &Appearance::changed, this, [this] { measure(); });
}

int RegisterTable::nameWidth() const
{
    return m_appearance.px(222);
}
int RegisterTable::cellWidth() const
{
    return m_appearance.px(98);
}
int RegisterTable::rowHeight() const
{
    return m_appearance.px(19);
}

void RegisterTable::setFilter(const QString& text)
{
    m_filter = text.trimmed();
    collect();
}

void RegisterTable::setKind(std::optional<ptx::RegisterKind> kind)
{
    m_kind = kind;
    viewport()->update();
}

void RegisterTable::togglePin(std::uint32_t number)
{
    if (m_pins.erase(number) == 0)
        m_pins.insert(number);
    collect();
}

// What was pinned, what the current instruction has to do with, then its neighbours'.
void RegisterTable::collect()
{
    m_rows.clear();
    if (m_state.empty()) {
        measure();
        return;
    }
    const KernelState::Now& now = m_state.now();
    const ptx::Code& code = *now.code;
    const auto rowOf = [&](std::uint32_t number) -> RegisterRow& {
        for (RegisterRow& row : m_rows) {
            if (row.number == number)
                return row;
        }
        m_rows.push_back({ number });
        return m_rows.back();
    };
    const auto each = [&](std::uint32_t first, std::uint32_t count, auto&& f) {
        for (std::uint32_t k = 0; k < count; ++k)
            f(rowOf(code.uses[first + k]), code.uses[first + k]);
    };
    for (const std::uint32_t pin : m_pins) {
        if (pin < code.places.size())
            rowOf(pin).pinned = true;
    }
    if (!m_filter.isEmpty()) {
        for (std::uint32_t k = 0; k < code.places.size(); ++k) {
            if (QString::fromStdString(code.function->registers[k].name).contains(m_filter, Qt::CaseInsensitive))
                rowOf(k);
        }
    }
    const bool whole = m_filter.isEmpty();
    const auto neighbours = [&](std::uint32_t pc) {
        const ptx::Instruction& i = code.instructions[pc];
        each(i.writesFirst, i.writesCount, [](RegisterRow&, std::uint32_t) {});
        each(i.readsFirst, i.readsCount, [](RegisterRow&, std::uint32_t) {});
    };
    if (now.pc != ptx::none && now.pc < code.instructions.size()) {
        const ptx::Instruction& i = code.instructions[now.pc];
        if (whole)
            neighbours(now.pc);
        for (RegisterRow& row : m_rows) {
            const ptx::Place& place = code.places[row.number];
            row.guard = i.guard != ptx::none && place.predicate && place.row == i.guard;
            for (std::uint32_t k = 0; k < i.writesCount; ++k)
                row.writes = row.writes || code.uses[i.writesFirst + k] == row.number;
            for (std::uint32_t k = 0; k < i.readsCount; ++k)
                row.reads = row.reads || code.uses[i.readsFirst + k] == row.number;
            row.reads = row.reads && !row.guard;
        }
    }
    if (now.past) {
        const std::uint32_t pc = m_state.session().step(*now.past).pc;
        if (whole)
            neighbours(pc);
        const ptx::Instruction& i = code.instructions[pc];
        for (RegisterRow& row : m_rows) {
            for (std::uint32_t k = 0; k < i.writesCount; ++k)
                row.justWritten = row.justWritten || code.uses[i.writesFirst + k] == row.number;
        }
    }
    if (whole && now.pc != ptx::none) {
        for (std::uint32_t pc = now.pc + 1; pc < std::min<std::size_t>(now.pc + 3, code.instructions.size()); ++pc)
            neighbours(pc);
    }
    measure();
}

void RegisterTable::measure()
{
    const int header = m_appearance.px(20);
    const int rows = std::max(1, (viewport()->height() - header) / rowHeight());
    verticalScrollBar()->setRange(0, std::max(0, static_cast<int>(m_rows.size()) - rows));
    verticalScrollBar()->setPageStep(rows);
    const int room = viewport()->width() - nameWidth();
    horizontalScrollBar()->setRange(0, std::max(0, 32 * cellWidth() - room));
    horizontalScrollBar()->setPageStep(std::max(1, room));
    horizontalScrollBar()->setSingleStep(cellWidth());
    viewport()->update();
}

void RegisterTable::resizeEvent(QResizeEvent* /*event*/)
{
    measure();
}

QString RegisterTable::why(const RegisterRow& row) const
{
    QStringList words;
    if (row.guard)
        words.append(tr("guard"));
    if (row.reads)
        words.append(tr("read"));
    if (row.writes)
        words.append(tr("written next"));
    if (row.justWritten)
        words.append(tr("just written"));
    if (words.isEmpty() && row.pinned)
        words.append(tr("pinned"));
    return words.join(QStringLiteral(", "));
}

QString RegisterTable::cellText(std::uint32_t number, int lane) const
{
    const KernelState::Now& now = m_state.now();
    if (now.registers == nullptr || (m_state.writtenLanes(number) >> lane & 1U) == 0)
        return QString(QChar(0x2013));
    const ptx::Place& place = now.code->places[number];
    const ptx::RegisterKind own = m_state.kindOf(number);
    const ptx::RegisterKind kind = place.predicate ? own : m_kind.value_or(own);
    return paint::registerText(paint::registerBits(*now.code, *now.registers, number, lane), kind, place.rows >= 2);
}

void RegisterTable::paintRow(QPainter& painter, const RegisterRow& row, int y)
{
    const paint::Theme& theme = m_appearance.theme();
    const KernelState::Now& now = m_state.now();
    const int height = rowHeight(), left = nameWidth(), width = cellWidth();
    const QFont mono = m_appearance.mono(10.5), strong = m_appearance.mono(10.5, QFont::DemiBold);
    const bool concerned = row.reads || row.writes || row.guard;
    const std::uint32_t written = m_state.writtenLanes(row.number);
    painter.save();
    painter.setClipRect(QRect(left, y, viewport()->width() - left, height));
    for (int lane = 0; lane < 32; ++lane) {
        const QRect cell(left + lane * width - horizontalScrollBar()->value(), y, width, height);
        if (cell.right() < left || cell.left() > viewport()->width())
            continue;
        const bool has = (written >> lane & 1U) != 0 && now.registers != nullptr;
        const bool takesPart = (now.mask >> lane & 1U) != 0;
        if (lane == m_state.lane())
            painter.fillRect(cell, paint::mix(theme.mid, theme.panel, 0.18));
        if (!has)
            paint::fillWait(painter, QRectF(cell).adjusted(2, 3, -2, -3), theme);
        painter.setPen(!has || !takesPart ? theme.t3 : theme.text);
        paint::drawElided(painter, QRectF(cell).adjusted(3, 0, -6, 0), Qt::AlignRight, row.justWritten ? strong : mono,
            has ? cellText(row.number, lane) : QString());
        if (row.justWritten && has)
            painter.fillRect(QRect(cell.left() + 6, cell.bottom() - 1, cell.width() - 10, 2), theme.text);
    }
    painter.restore();
    painter.fillRect(QRect(0, y, left, height), concerned ? theme.highlight : theme.panel);
    painter.setPen(theme.text);
    const double name = m_appearance.px(64);
    paint::drawElided(painter, QRectF(m_appearance.px(10), y, name, height), Qt::AlignLeft,
        concerned ? m_appearance.mono(11, QFont::DemiBold) : m_appearance.mono(11),
        QString::fromStdString(now.code->function->registers[row.number].name));
    painter.setPen(theme.t3);
    paint::drawLine(painter, QRectF(m_appearance.px(76), y, m_appearance.px(44), height), Qt::AlignLeft,
        m_appearance.uiFont(10), fromView(ptx::name(m_state.kindOf(row.number))));
    painter.setPen(theme.t2);
    paint::drawElided(painter, QRectF(m_appearance.px(120), y, left - m_appearance.px(124), height), Qt::AlignLeft,
        m_appearance.uiFont(10.5), why(row));
    painter.fillRect(QRect(0, y + height - 1, viewport()->width(), 1), paint::mix(theme.line, theme.panel, 0.6));
}

void RegisterTable::paintEvent(QPaintEvent* /*event*/)
{
    const paint::Theme& theme = m_appearance.theme();
    QPainter painter(viewport());
    painter.fillRect(viewport()->rect(), theme.panel);
    if (m_state.empty())
        return;
    const KernelState::Now& now = m_state.now();
    const int header = m_appearance.px(20), left = nameWidth(), width = cellWidth();
    if (now.registers == nullptr) {
        painter.setPen(theme.t2);
        painter.setFont(m_appearance.uiFont(12));
        painter.drawText(viewport()->rect().adjusted(12, 8, -12, -8), Qt::AlignCenter | Qt::TextWordWrap,
            now.next ? tr("CTA %1 has not begun yet: step forward").arg(now.cta)
                     : tr("CTA %1 has ended: its registers are gone").arg(now.cta));
        return;
    }
    int y = header;
    for (auto k = static_cast<std::size_t>(verticalScrollBar()->value()); k < m_rows.size() && y < viewport()->height();
         ++k, y += rowHeight())
        paintRow(painter, m_rows[k], y);
    painter.fillRect(QRect(0, 0, viewport()->width(), header), theme.panel);
    painter.save();
    painter.setClipRect(QRect(left, 0, viewport()->width() - left, header));
    for (int lane = 0; lane < 32; ++lane) {
        const QRect cell(left + lane * width - horizontalScrollBar()->value(), 0, width, header);
        const bool takesPart = (now.mask >> lane & 1U) != 0;
        painter.setPen(takesPart ? theme.text : theme.t3);
        const bool first = lane == 0 || cell.left() <= left;
        paint::drawLine(painter, QRectF(cell).adjusted(3, 0, -6, 0), Qt::AlignRight, m_appearance.uiFont(10.5),
            first && cell.left() >= left ? tr("lane %1").arg(lane) : QString::number(lane));
    }
    painter.restore();
    painter.setPen(theme.t2);
    paint::drawLine(painter, QRectF(m_appearance.px(10), 0, left, header), Qt::AlignLeft, m_appearance.uiFont(10.5),
        tr("register, read as"));
    painter.fillRect(QRect(0, header - 1, viewport()->width(), 1), theme.line);
    painter.fillRect(QRect(left - 1, 0, 1, viewport()->height()), theme.line);
}

void RegisterTable::mousePressEvent(QMouseEvent* event)
{
    const int row = (event->pos().y() - m_appearance.px(20)) / rowHeight() + verticalScrollBar()->value();
    if (event->pos().y() > m_appearance.px(20) && event->pos().x() < nameWidth()
        && row < static_cast<int>(m_rows.size()))
        togglePin(m_rows[static_cast<std::size_t>(row)].number);
}

void RegisterTable::mouseMoveEvent(QMouseEvent* event)
{
    const int x = event->pos().x() - nameWidth() + horizontalScrollBar()->value();
    m_state.pointLane(event->pos().x() < nameWidth() ? -1 : std::min(31, x / cellWidth()));
}

bool RegisterTable::viewportEvent(QEvent* event)
{
    if (event->type() == QEvent::Leave)
        m_state.pointLane(-1);
    return QAbstractScrollArea::viewportEvent(event);
}

void RegisterTable::keyPressEvent(QKeyEvent* event)
{
    QAbstractScrollArea::keyPressEvent(event);
}

std::vector<AccessibleNode> RegisterTable::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    if (m_state.empty() || m_state.now().registers == nullptr)
        return nodes;
    for (const RegisterRow& row : m_rows) {
        QStringList lanes;
        for (int lane = 0; lane < 32; ++lane)
            lanes.append(cellText(row.number, lane));
        QString name = QString::fromStdString(m_state.now().code->function->registers[row.number].name);
        if (const QString reason = why(row); !reason.isEmpty())
            name += QStringLiteral(", ") + reason;
        nodes.push_back({ QAccessible::StaticText, name, lanes.join(QStringLiteral("; ")), {} });
    }
    return nodes;
}

RegisterView::RegisterView(KernelState& state, Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_table(new RegisterTable(state, appearance, this))
    , m_filter(new QLineEdit(this))
    , m_kind(new ComboBox(this))
{
    auto* bar = new QWidget(this);
    setRole(bar, "form");
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(12, 4, 12, 4);
    row->setSpacing(8);
    m_filter->setPlaceholderText(tr("register, e.g. %r12 or %p"));
    m_filter->setAccessibleName(tr("Show the registers whose name has this"));
    m_filter->setClearButtonEnabled(false);
    m_filter->setFixedWidth(appearance.px(170));
    m_kind->setAccessibleName(tr("Read registers as"));
    m_kind->setToolTip(tr("How the bits are read: as the instructions use them, or all alike"));
    m_kind->addItem(tr("as used"), -1);
    for (const auto kind : { ptx::RegisterKind::F32, ptx::RegisterKind::Signed, ptx::RegisterKind::Hex,
             ptx::RegisterKind::Bf16Pair, ptx::RegisterKind::HalfPair })
        m_kind->addItem(fromView(ptx::name(kind)), static_cast<int>(kind));
    row->addWidget(m_filter);
    row->addWidget(makeLabel(tr("read"), "info", bar));
    row->addWidget(m_kind);
    row->addWidget(makeLabel(tr("click a name to pin it; hatched: not written yet"), "info", bar), 1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(bar);
    column->addWidget(m_table, 1);
    connect(m_filter, &QLineEdit::textChanged, m_table, &RegisterTable::setFilter);
    connect(m_kind, QOverload<int>::of(&QComboBox::currentIndexChanged), this, [this] {
        const int kind = m_kind->currentData().toInt();
        m_table->setKind(kind < 0 ? std::nullopt : std::optional(static_cast<ptx::RegisterKind>(kind)));
    });
}

} // namespace flashstep::ui
