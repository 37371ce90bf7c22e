// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/inspector.h"

#include "core/trace/state.h"
#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/playback.h"
#include "ui/text.h"
#include "ui/views/controls.h"
#include "ui/views/row_delegate.h"

#include <QHBoxLayout>
#include <QHeaderView>

#include <cmath>

namespace flashstep::ui {

BufferModel::BufferModel(const Session& session, QObject* parent)
    : QAbstractTableModel(parent)
    , m_session(session)
{
}

void BufferModel::refresh()
{
    const BufferId buffer = bufferOnShow(m_session);
    const CtaId cta = m_session.selection.cta();
    TileValues values;
    m_firstRow = m_firstColumn = 0;
    if (buffer.valid() && m_session.document.trace().hasValues(cta)) {
        const Trace& trace = m_session.document.trace();
        const Program& program = m_session.document.program();
        const Position p = m_session.playback.position();
        const BufferDecl& decl = program.buffers[buffer.index()];
        values = shownValue(trace, cta, buffer, p);
        const int key = std::max(0, trace.keyBlockIn(cta, buffer, p)) * program.tile.keys;
        const Work& work = program.work(trace.workAt(cta, p));
        m_firstRow
            = decl.tile == BufferDecl::Tile::Key ? key : work.row + decl.i * program.launches[work.launch].queryRows;
        m_firstColumn = decl.tile == BufferDecl::Tile::Pair ? key : 0;
    }
    if (values.rows != m_values.rows || values.cols != m_values.cols || buffer != m_buffer) {
        beginResetModel();
        m_values = std::move(values);
        m_buffer = buffer;
        endResetModel();
    } else if (values.rows > 0 && values.cols > 0) {
        m_values = std::move(values);
        emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
        emit headerDataChanged(Qt::Vertical, 0, rowCount() - 1);
        emit headerDataChanged(Qt::Horizontal, 0, columnCount() - 1);
    }
}

void BufferModel::setFormat(paint::NumberFormat format)
{
    beginResetModel();
    m_format = format;
    endResetModel();
}

int BufferModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : m_values.rows;
}

int BufferModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : m_values.cols;
}

QVariant BufferModel::data(const QModelIndex& index, int role) const
{
    const float value = m_values.at(index.row(), index.column());
    const paint::Theme& theme = m_session.appearance.theme();
    if (role == Qt::DisplayRole)
        return std::isnan(value)
            ? QStringLiteral("–")
            : paint::number(value, m_format, m_session.document.program().buffers[m_buffer.index()].dtype, 3);
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
    if (role == Qt::FontRole)
        return m_session.appearance.mono(11);
    if (role == Qt::ForegroundRole)
        return std::isnan(value) ? theme.t3 : theme.text;
    if (role == Qt::ToolTipRole)
        return exactText(value);
    if (role == rowMarkedRole)
        return m_firstRow + index.row() == m_session.selection.row();
    return {};
}

QVariant BufferModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (role == Qt::FontRole)
        return m_session.appearance.mono(10);
    if (role != Qt::DisplayRole)
        return {};
    return QString::number((orientation == Qt::Vertical ? m_firstRow : m_firstColumn) + section);
}

BufferTable::BufferTable(BufferModel* model, QWidget* parent)
    : QTableView(parent)
    , m_model(model)
{
    setModel(model);
}

std::vector<AccessibleNode> BufferTable::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    m_model->refresh();
    const TileValues& values = m_model->values();
    for (int r = 0; r < values.rows; ++r) {
        AccessibleNode row { QAccessible::Row, m_model->headerData(r, Qt::Vertical, Qt::DisplayRole).toString(), {},
            {} };
        for (int c = 0; c < values.cols; ++c)
            row.children.push_back({ QAccessible::Cell,
                m_model->headerData(c, Qt::Horizontal, Qt::DisplayRole).toString(), exactText(values.at(r, c)), {} });
        nodes.push_back(std::move(row));
    }
    return nodes;
}

Inspector::Inspector(const Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_model(new BufferModel(session, this))
    , m_buffers(new ComboBox(this))
    , m_format(new Segments(this))
    , m_facts(makeLabel({}, "info", this))
    , m_element(makeLabel({}, "value", this))
    , m_table(new BufferTable(m_model, this))
{
    setObjectName(QStringLiteral("view.inspector"));
    setAccessibleName(tr("Inspector: numbers of a buffer"));
    setRole(this, "panel");
    setAttribute(Qt::WA_StyledBackground);
    m_buffers->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_buffers->setMinimumContentsLength(6);
    m_buffers->setAccessibleName(tr("Buffer"));
    m_buffers->setToolTip(tr("Which buffer of the chosen CTA; the first entry follows the newest result"));
    m_format->add(tr("decimal"));
    m_format->add(tr("hex"), tr("The bits as stored"));
    m_format->add(tr("exact"), tr("The stored value as a fraction"));
    m_facts->setWordWrap(true);
    m_element->setWordWrap(true);
    m_element->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_table->setItemDelegate(new RowDelegate(session.appearance, this));
    m_table->setShowGrid(false);
    m_table->setTabKeyNavigation(false);
    m_table->setSelectionMode(QAbstractItemView::NoSelection);
    m_table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->verticalHeader()->setDefaultAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_table->setAccessibleName(tr("Values"));

    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 8, 12, 4);
    column->setSpacing(6);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(m_buffers, 1);
    row->addWidget(m_format);
    column->addLayout(row);
    column->addWidget(m_facts);
    column->addWidget(m_element);
    column->addWidget(m_table, 1);

    const auto again = [this] { refresh(); };
    connect(&session.playback, &Playback::positionChanged, this, again);
    connect(&session.selection, &Selection::changed, this, again);
    connect(&session.document, &Document::changed, this, [this] {
        fillBuffers();
        refresh();
    });
    connect(&session.appearance, &Appearance::changed, this, &Inspector::dress);
    connect(m_format, &Segments::chosen, this, [this](int index) {
        m_model->setFormat(static_cast<paint::NumberFormat>(index));
        dress();
    });
    connect(m_buffers, QOverload<int>::of(&QComboBox::activated), this, [this](int index) {
        const int buffer = m_buffers->itemData(index).toInt();
        m_session.selection.chooseBuffer(buffer < 0 ? BufferId::none() : BufferId(static_cast<std::size_t>(buffer)));
    });
    connect(m_table, &QTableView::clicked, this,
        [this](const QModelIndex& index) { m_session.selection.chooseRow(m_model->firstRow() + index.row()); });
    fillBuffers();
    dress();
    refresh();
}

void Inspector::fillBuffers()
{
    m_launch = -1;
    m_buffers->clear();
    m_buffers->addItem(tr("newest result"), -1);
    if (m_session.document.empty() || !m_session.selection.cta().valid())
        return;
    const Program& program = m_session.document.program();
    const std::size_t launch = launchOf(program, m_session.selection.cta());
    m_launch = static_cast<int>(launch);
    for (std::size_t b = 0; b < program.buffers.size(); ++b) {
        const BufferDecl& decl = program.buffers[b];
        if (decl.launch == launch)
            m_buffers->addItem(
                QStringLiteral("%1 in %2").arg(QString::fromStdString(decl.name), fromView(name(decl.space))),
                static_cast<int>(b));
    }
}

void Inspector::dress()
{
    const int row = m_session.appearance.px(18);
    m_table->verticalHeader()->setMinimumSectionSize(row);
    m_table->verticalHeader()->setDefaultSectionSize(row);
    m_table->horizontalHeader()->setDefaultSectionSize(m_session.appearance.px(m_format->current() == 2 ? 92 : 66));
    m_element->setFont(m_session.appearance.mono(11));
    m_table->viewport()->update();
}

QString Inspector::factText() const
{
    const BufferId buffer = m_model->buffer();
    if (!buffer.valid())
        return m_session.document.empty() ? tr("No scenario is open.") : tr("This CTA has no buffers.");
    const BufferDecl& decl = m_session.document.program().buffers[buffer.index()];
    const CtaId cta = m_session.selection.cta();
    const Trace& trace = m_session.document.trace();
    const Program& program = m_session.document.program();
    QString text = QStringLiteral("%1 · %2 × %3 · %4")
                       .arg(fromView(name(decl.space)))
                       .arg(decl.rows)
                       .arg(decl.cols)
                       .arg(fromView(name(decl.dtype)));
    if (decl.space == Space::Tmem)
        text += tr(" · columns %1–%2").arg(decl.column).arg(decl.column + decl.columns - 1);
    if (decl.family == "m" && decl.cols > 1)
        text += tr(" · the reference in use, then the true maximum");
    if (program.packed > 1 && decl.tile != BufferDecl::Tile::Key)
        text += tr(" · row r: query r / %1 of head r mod %1 of its group").arg(program.packed);
    for (const BufferState& state : buffersAt(trace, cta, m_session.playback.position())) {
        if (state.buffer != buffer)
            continue;
        text += QStringLiteral(" · ") + fromView(name(state.kind));
        if (state.i >= 0 && state.j >= 0)
            text += QStringLiteral(" (%1, %2)").arg(state.i).arg(state.j);
        else if (state.i >= 0 || state.j >= 0)
            text += state.i >= 0 ? QStringLiteral(" i = %1").arg(state.i) : QStringLiteral(" j = %1").arg(state.j);
        if (state.normalised)
            text += tr(" · divided by ℓ");
    }
    if (trace.worksOf(cta).size() > 1) {
        const Work& work = m_session.document.program().work(trace.workAt(cta, m_session.playback.position()));
        text += tr(" · CTA %1 at work tile (b %2, h %3, i %4)")
                    .arg(static_cast<qulonglong>(cta.index()))
                    .arg(work.b)
                    .arg(work.h)
                    .arg(work.i);
    }
    if (!trace.hasValues(cta))
        text += tr(" · values of this CTA were not recorded");
    return text;
}

QString Inspector::elementText() const
{
    const int row = m_session.selection.row() - m_model->firstRow();
    const TileValues& values = m_model->values();
    if (m_session.selection.row() < 0 || row < 0 || row >= values.rows || values.cols == 0)
        return {};
    const BufferDecl& decl = m_session.document.program().buffers[m_model->buffer().index()];
    int column = 0;
    if (decl.tile == BufferDecl::Tile::Pair && m_session.selection.key() >= 0)
        column = m_session.selection.key() % m_session.document.program().tile.keys;
    column = std::min(column, values.cols - 1);
    const float value = values.at(row, column);
    if (std::isnan(value))
        return tr("%1[%2, %3]: nothing written yet").arg(QString::fromStdString(decl.name)).arg(row).arg(column);
    return QStringLiteral("%1[%2, %3] = %4   %5   %6")
        .arg(QString::fromStdString(decl.name))
        .arg(row)
        .arg(column)
        .arg(exactText(value), paint::number(value, paint::NumberFormat::Hex, decl.dtype),
            paint::number(value, paint::NumberFormat::Exact, decl.dtype));
}

void Inspector::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    refresh();
}

void Inspector::refresh()
{
    if (!inSight(this))
        return; // read when it is shown
    const bool known = !m_session.document.empty() && m_session.selection.cta().valid();
    const int launch = known ? static_cast<int>(launchOf(m_session.document.program(), m_session.selection.cta())) : -1;
    if (launch != m_launch)
        fillBuffers();
    m_model->refresh();
    const BufferId chosen = m_session.selection.buffer();
    m_buffers->setCurrentIndex(
        std::max(0, m_buffers->findData(chosen.valid() ? static_cast<int>(chosen.index()) : -1)));
    m_facts->setText(factText());
    m_element->setText(elementText());
    m_element->setVisible(!m_element->text().isEmpty());
    const BufferId buffer = m_model->buffer();
    emit aboutChanged(
        buffer.valid() ? QString::fromStdString(m_session.document.program().buffers[buffer.index()].name) : QString());
    announceChange(this);
}

} // namespace flashstep::ui
