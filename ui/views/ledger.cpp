// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/ledger.h"

#include "core/tensor/real_math.h"
#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/paint/stage_layout.h"
#include "ui/paint/text.h"
#include "ui/playback.h"
#include "ui/views/row_delegate.h"
#include "ui/views/term_card.h"

#include <QHeaderView>
#include <QPainter>

#include <cmath>

namespace flashstep::ui {

LedgerModel::LedgerModel(const Session& session, QObject* parent)
    : QAbstractTableModel(parent)
    , m_session(session)
{
}

namespace {

int headRowOf(const Program& program, const RowState& row)
{
    return row.row * program.packed + row.h % program.packed;
}

} // namespace

int LedgerModel::headRow(int row) const
{
    return headRowOf(m_session.document.program(), m_rows[m_shown[static_cast<std::size_t>(row)]]);
}

void LedgerModel::refresh()
{
    std::vector<RowState> rows;
    m_why = tr("No scenario is open.");
    if (!m_session.document.empty() && m_session.selection.cta().valid()) {
        const Trace& trace = m_session.document.trace();
        const CtaId cta = m_session.selection.cta();
        rows = ledgerAt(trace, cta, m_session.playback.position());
        m_tile = {};
        if (const TileRef tile = tileOnShow(m_session); !rows.empty() && tile.j >= 0)
            m_tile = paint::tileNumbers(trace, m_session.selection.batch(), m_session.selection.head(), tile.i, tile.j,
                m_session.playback.position());
        m_why = trace.hasValues(cta)
            ? tr("This version keeps no running statistics: every row's maximum and sum come from S at once.")
            : tr("The values of this CTA were not recorded.");
    }
    std::vector<std::size_t> shown;
    for (std::size_t k = 0; k < rows.size(); ++k) {
        const Program& program = m_session.document.program();
        const int row = headRowOf(program, rows[k]);
        if (!program.launches.back().pairs && program.launches.back().tilesPerWork == 1)
            shown.push_back(k);
        else if (row >= m_tile.firstRow && row < m_tile.firstRow + m_tile.rows)
            shown.push_back(k);
    }
    if (rows.size() != m_rows.size() || shown.size() != m_shown.size()) {
        beginResetModel();
        m_rows = std::move(rows);
        m_shown = std::move(shown);
        endResetModel();
    } else if (!rows.empty()) {
        m_rows = std::move(rows);
        m_shown = std::move(shown);
        emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
    }
}

int LedgerModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_shown.size());
}

int LedgerModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : columnCount_;
}

QString LedgerModel::text(std::size_t row, int column) const
{
    const RowState& state = m_rows[m_shown[row]];
    const Program& program = m_session.document.program();
    if (column == Row)
        return paint::rowLabel(program, state.h, headRowOf(program, state));
    if (column == Token)
        return m_session.document.tokens().query(state.row);
    if (row >= m_tile.row.size())
        return {};
    const paint::TileNumbers::Row& tile = m_tile.row[row];
    const double most = m_tile.lazy ? tile.most : tile.blockMax;
    const double gap = most - tile.before;
    const auto known = [](double value, const QString& text) { return std::isnan(value) ? QString() : text; };
    switch (column) {
    case InUse:
        return known(tile.before, paint::fixed(tile.before, 2));
    case RowMax:
        return known(most, paint::fixed(most, 2));
    case Gap: {
        const QString mark = tile.used > tile.before || !m_tile.lazy ? QStringLiteral("▲ ") : QStringLiteral("△ ");
        return std::isfinite(gap) ? (gap > 0 ? mark : QString()) + paint::fixed(gap, 2) : QString();
    }
    case Decision:
        return std::isnan(tile.used)                               ? QString()
            : m_tile.n == 1                                        ? tr("first")
            : tile.used == tile.before && std::isfinite(tile.used) ? tr("skip")
                                                                   : tr("rescale");
    case Scale:
        return known(tile.scale, paint::factor(tile.scale));
    case Sum:
        return known(tile.l, paint::fixed(tile.l * exp2Real(-m_tile.offset), 2)); // without the offset of FP8
    default:
        return {};
    }
}

QVariant LedgerModel::data(const QModelIndex& index, int role) const
{
    const auto at = static_cast<std::size_t>(index.row());
    if (role == Qt::DisplayRole)
        return text(at, index.column());
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>(Qt::AlignVCenter | (index.column() == Token ? Qt::AlignLeft : Qt::AlignRight));
    if (role == Qt::FontRole)
        return index.column() == Token || index.column() == Decision ? m_session.appearance.uiFont(11)
                                                                     : m_session.appearance.mono(11);
    if (role == Qt::ForegroundRole)
        return index.column() == Row ? m_session.appearance.theme().t2 : m_session.appearance.theme().text;
    if (role == rowMarkedRole)
        return headRow(index.row()) == m_session.selection.row();
    if (role == Qt::ToolTipRole && index.column() == Gap && m_tile.lazy)
        return tr(
            "How far the true maximum is above the reference in use, in log2 units. ▲: by more than the threshold of "
            "%1, so the reference moves and O and l follow. △: within it, so the reference stays.")
            .arg(m_tile.threshold);
    if (role == Qt::ToolTipRole && index.column() == Gap)
        return tr("How far the maximum rose with the newest block, in log2 units. A triangle: O and l were scaled down "
                  "to it.");
    return {};
}

QVariant LedgerModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    static const std::array<QString, columnCount_> titles { tr("row"), QString(), tr("m in use"), tr("row max"),
        tr("gap"), tr("decision"), tr("× scale"), QStringLiteral("ℓ") };
    static const std::array<QString, columnCount_> lazyTitles { tr("row"), QString(), tr("ref."), tr("true max"),
        tr("growth"), tr("decision"), tr("× factor"), QStringLiteral("ℓ") };
    if (role == Qt::DisplayRole)
        return (m_tile.lazy ? lazyTitles : titles)[static_cast<std::size_t>(section)];
    static const std::array<QString, columnCount_> terms { QString(), QString(), QStringLiteral("reference in use"),
        QStringLiteral("m"), QStringLiteral("threshold"), QStringLiteral("rescale"), QStringLiteral("rescale"),
        QStringLiteral("row sum") };
    if (role == Qt::ToolTipRole)
        return termCardHtml(terms[static_cast<std::size_t>(section)], m_session);
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>(Qt::AlignVCenter | (section == Token ? Qt::AlignLeft : Qt::AlignRight));
    return {};
}

LedgerView::LedgerView(const Session& session, QWidget* parent)
    : QTableView(parent)
    , m_session(session)
    , m_model(new LedgerModel(session, this))
{
    setObjectName(QStringLiteral("view.ledger"));
    setAccessibleName(tr("Ledger: softmax state of each row"));
    setModel(m_model);
    setItemDelegate(new RowDelegate(session.appearance, this));
    setSelectionMode(QAbstractItemView::NoSelection);
    setShowGrid(false);
    setWordWrap(false);
    setTabKeyNavigation(false);
    setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    verticalHeader()->hide();
    horizontalHeader()->setSectionsClickable(false);
    horizontalHeader()->setHighlightSections(false);
    const auto again = [this] { refresh(); };
    connect(&session.document, &Document::changed, this, again);
    connect(&session.playback, &Playback::positionChanged, this, again);
    connect(&session.selection, &Selection::changed, this, again);
    connect(&session.appearance, &Appearance::changed, this, &LedgerView::dress);
    connect(this, &QTableView::clicked, this,
        [this](const QModelIndex& index) { m_session.selection.chooseRow(m_model->headRow(index.row())); });
    dress();
    refresh();
}

void LedgerView::dress()
{
    const Appearance& look = m_session.appearance;
    horizontalHeader()->setMinimumSectionSize(look.px(16));
    verticalHeader()->setMinimumSectionSize(look.px(18));
    verticalHeader()->setDefaultSectionSize(look.px(18));
    // Where it is narrow the one in use goes: row maximum and gap say it.
    const bool narrow = width() < look.px(350);
    const bool lazy = m_model->lazy();
    setColumnHidden(LedgerModel::InUse, narrow);
    setColumnHidden(LedgerModel::Decision, !lazy);
    setColumnHidden(LedgerModel::Token, lazy && width() < look.px(420)); // the decisions have its place
    const bool packed = !m_session.document.empty() && m_session.document.program().packed > 1;
    const int rowWidth = packed ? 48 : 32;
    using Widths = std::array<int, LedgerModel::columnCount_>;
    const Widths wide
        = lazy ? Widths { rowWidth, 60, 46, 54, 56, 54, 60, 46 } : Widths { rowWidth, 60, 52, 52, 62, 54, 62, 52 };
    const Widths slim
        = lazy ? Widths { rowWidth, 40, 42, 56, 58, 48, 62, 46 } : Widths { 30, 40, 48, 56, 60, 52, 58, 46 };
    const int stretched = isColumnHidden(LedgerModel::Token) ? LedgerModel::Sum : LedgerModel::Token;
    const auto& widths = narrow ? slim : wide;
    for (int column = 0; column < LedgerModel::columnCount_; ++column) {
        horizontalHeader()->setSectionResizeMode(
            column, column == stretched ? QHeaderView::Stretch : QHeaderView::Fixed);
        setColumnWidth(column, look.px(widths[static_cast<std::size_t>(column)]));
    }
    viewport()->update();
}

void LedgerView::showEvent(QShowEvent* event)
{
    QTableView::showEvent(event);
    refresh();
}

void LedgerView::resizeEvent(QResizeEvent* event)
{
    QTableView::resizeEvent(event);
    dress();
}

void LedgerView::refresh()
{
    if (!isVisible())
        return; // read when it is shown, or read out
    const bool lazy = m_model->lazy();
    m_model->refresh();
    if (m_model->lazy() != lazy)
        dress();
    viewport()->update();
    announceChange(this);
    emit refreshed();
}

QString LedgerView::about() const
{
    if (m_model->rows().empty())
        return {};
    const TileRef tile = tileOnShow(m_session);
    const QString which = tr("tile (%1, %2)").arg(tile.i).arg(tile.j);
    const auto& vote = m_model->vote();
    return vote ? which + tr(" · vote %1 of %2").arg(vote->warpsDone).arg(vote->warpsDone + vote->warpsSkipped) : which;
}

void LedgerView::paintEvent(QPaintEvent* event)
{
    QTableView::paintEvent(event);
    if (!m_model->rows().empty())
        return;
    QPainter painter(viewport());
    painter.setPen(m_session.appearance.theme().t2);
    painter.setFont(m_session.appearance.uiFont(12));
    painter.drawText(
        viewport()->rect().adjusted(12, 8, -12, -8), Qt::AlignTop | Qt::AlignLeft | Qt::TextWordWrap, m_model->why());
}

std::vector<AccessibleNode> LedgerView::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    m_model->refresh();
    for (const RowState& row : m_model->rows()) {
        const QString word = m_session.document.tokens().query(row.row);
        const QString of = m_session.document.program().packed > 1 ? tr(" of head %1").arg(row.h) : QString();
        AccessibleNode node { QAccessible::Row, QStringLiteral("row %1%2 %3").arg(row.row).arg(of, word).trimmed(),
            QStringLiteral("m %1, m_used %2, l %3, %4")
                .arg(exactText(row.m), exactText(row.mUsed), exactText(row.l), QString::fromStdString(row.decision)),
            {} };
        const auto cell = [&node](const char* name, const QString& value) {
            node.children.push_back({ QAccessible::Cell, QString::fromLatin1(name), value, {} });
        };
        cell("row", QString::number(row.row));
        cell("m", exactText(row.m));
        cell("m_used", exactText(row.mUsed));
        cell("l", exactText(row.l));
        cell("blocks", QString::number(row.blocks));
        cell("decision", QString::fromStdString(row.decision));
        cell("scale", exactText(row.scale));
        nodes.push_back(std::move(node));
    }
    if (nodes.empty())
        nodes.push_back({ QAccessible::StaticText, m_model->why(), {}, {} });
    return nodes;
}

} // namespace flashstep::ui
