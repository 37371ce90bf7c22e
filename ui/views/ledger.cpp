// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/ledger.h"

#include "core/tensor/real_math.h"
#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/paint/stage_layout.h"
#include "ui/paint/text.h"
#include "ui/playback.h"
#include "ui/views/controls.h"
#include "ui/views/ledger_detail.h"
#include "ui/views/row_delegate.h"
#include "ui/views/term_card.h"

#include <QHeaderView>
#include <QPainter>
#include <QSignalBlocker>

#include <algorithm>
#include <cmath>

namespace flashstep::ui {

namespace {

// Says why where there are no rows.
class LedgerTable : public QTableView {
public:
    LedgerTable(const Session& session, const LedgerModel& model, QWidget* parent)
        : QTableView(parent)
        , m_session(session)
        , m_model(model)
    {
    }

protected:
    void paintEvent(QPaintEvent* event) override
    {
        QTableView::paintEvent(event);
        if (m_model.rowCount() > 0)
            return;
        QPainter painter(viewport());
        painter.setPen(m_session.appearance.theme().t2);
        painter.setFont(m_session.appearance.uiFont(12));
        painter.drawText(viewport()->rect().adjusted(12, 8, -12, -8), Qt::AlignTop | Qt::AlignLeft | Qt::TextWordWrap,
            m_model.why());
    }

private:
    const Session m_session;
    const LedgerModel& m_model;
};

int headRowOf(const Program& program, const RowState& row)
{
    return row.row * program.packed + row.h % program.packed;
}

} // namespace

LedgerModel::LedgerModel(const Session& session, QObject* parent)
    : QAbstractTableModel(parent)
    , m_session(session)
{
}

void LedgerModel::refresh()
{
    std::vector<RowState> rows;
    paint::TileNumbers tile;
    std::vector<paint::WarpVote> votes;
    m_why = tr("No scenario is open.");
    if (!m_session.document.empty() && m_session.selection.cta().valid()) {
        const Trace& trace = m_session.document.trace();
        const CtaId cta = m_session.selection.cta();
        const int b = m_session.selection.batch(), h = m_session.selection.head();
        rows = ledgerAt(trace, cta, m_session.playback.position());
        if (const TileRef on = tileOnShow(m_session); !rows.empty() && on.j >= 0) {
            tile = paint::ledgerTile(trace, b, h, on.i, on.j, m_session.playback.position());
            votes = paint::warpVotes(trace, b, h, tile);
        }
        m_why = trace.hasValues(cta) || !paint::keepsStatistics(trace, cta)
            ? paint::whyNoRows(trace, cta)
            : tr("The values of this CTA were not computed (Run > Compute the values of this CTA).");
    }
    const int before = rowCount();
    const int now = rows.empty() ? 0 : tile.rows;
    const auto take = [&] {
        m_rows = std::move(rows);
        m_tile = std::move(tile);
        m_votes = std::move(votes);
    };
    if (now != before) {
        beginResetModel();
        take();
        endResetModel();
    } else {
        take();
        if (now > 0)
            emit dataChanged(index(0, 0), index(now - 1, columnCount() - 1));
    }
}

void LedgerModel::setNatural(bool natural)
{
    m_natural = natural;
    emit headerDataChanged(Qt::Horizontal, 0, columnCount_ - 1);
    if (rowCount() > 0)
        emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
}

int LedgerModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() || m_rows.empty() ? 0 : m_tile.rows;
}

int LedgerModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : columnCount_;
}

int LedgerModel::rowOnShow() const
{
    return rowCount() == 0 ? -1 : paint::rowOnShow(m_tile, m_session.selection.row());
}

QString LedgerModel::score(double log2) const
{
    return std::isnan(log2) ? QString() : paint::fixed(m_natural ? log2 * ln2 : log2, 2);
}

QString LedgerModel::text(int row, int column) const
{
    const Program& program = m_session.document.program();
    const Program::QueryRow query
        = program.queryRow(m_session.selection.head() / program.packed * program.packed, headRow(row));
    if (column == Row)
        return paint::rowLabel(program, query.h, headRow(row));
    if (column == Token)
        return m_session.document.tokens().query(query.row);
    if (row >= static_cast<int>(m_tile.row.size()))
        return {};
    const paint::TileNumbers::Row& tile = m_tile.row[static_cast<std::size_t>(row)];
    const double gap = paint::gapOf(m_tile, row);
    switch (column) {
    case InUse:
        return score(m_tile.lazy ? tile.used : tile.before);
    case RowMax:
        return score(tile.most);
    case Gap: {
        const QString mark = tile.used > tile.before || !m_tile.lazy ? QStringLiteral("▲ ") : QStringLiteral("△ ");
        return std::isfinite(gap) ? (gap > 0 ? mark : QString()) + score(gap) : QString();
    }
    case Decision:
        return paint::decisionText(paint::decisionOf(m_tile, row));
    case Scale:
        return std::isnan(tile.scale) ? QString() : paint::factor(tile.scale);
    case Sum: // without the offset of FP8
        if (std::isnan(tile.l))
            for (const RowState& state : m_rows)
                if (state.b == m_session.selection.batch() && state.h / program.packed == query.h / program.packed
                    && state.row * program.packed + state.h % program.packed == headRow(row)
                    && paint::sumIsNan(m_tile, row, state))
                    return QStringLiteral("nan");
        return std::isnan(tile.l) ? QString() : paint::fixed(tile.l * exp2Real(-m_tile.offset), 2);
    default:
        return {};
    }
}

QString LedgerModel::tip(int row, int column) const
{
    if (row >= static_cast<int>(m_tile.row.size()))
        return {};
    const double gap = paint::gapOf(m_tile, row);
    if (column == Gap && m_tile.lazy)
        return tr("How far the true maximum is above the reference that was in use: %1 in log2 units, %2 natural. The "
                  "threshold is %3 in log2 units, %4 natural. ▲: above it, the reference moves and O and ℓ follow. △: "
                  "within it, the reference stays.")
            .arg(paint::fixed(gap, 3), paint::fixed(gap * ln2, 3))
            .arg(m_tile.threshold)
            .arg(paint::fixed(m_tile.threshold * ln2, 3));
    if (column == Gap)
        return tr("How far the maximum rose with this block: %1 in log2 units, %2 natural. ▲: O and ℓ are scaled down "
                  "to it.")
            .arg(paint::fixed(gap, 3), paint::fixed(gap * ln2, 3));
    if (column == Decision && paint::decisionOf(m_tile, row) == paint::RowDecision::NothingVisible)
        return tr("The mask hides every key of this block from the row: nothing is added.");
    if (column == Decision)
        for (std::size_t w = 0; w < m_votes.size(); ++w) {
            const paint::WarpVote& vote = m_votes[w];
            if (row < vote.firstRow || row >= vote.firstRow + vote.rows)
                continue;
            return tr("Warp %1 of the correction: %2 of its %3 rows ask, so it %4.")
                .arg(w)
                .arg(vote.asking)
                .arg(vote.rows)
                .arg(!vote.multiplies      ? tr("will decide by that")
                        : *vote.multiplies ? tr("multiplies all of them (rows that keep their reference by 1)")
                                           : tr("leaves O alone"));
        }
    if (column == InUse)
        return m_tile.lazy ? tr("The reference in P's exponent once the block is in: it may be older than the maximum.")
                           : tr("The reference that was in use when the block came.");
    if (column == RowMax)
        return tr("The largest score of the row so far, the block included.");
    if (column == Scale)
        return tr("What O and ℓ are multiplied by: 2 to the difference of the references.");
    if (column == Sum)
        return tr("The sum of the row's exponentials so far, relative to the reference in use.");
    return {};
}

QVariant LedgerModel::data(const QModelIndex& index, int role) const
{
    const int column = index.column();
    const bool words = column == Token || column == Decision;
    switch (role) {
    case Qt::DisplayRole:
        return text(index.row(), column);
    case Qt::TextAlignmentRole:
        return static_cast<int>(Qt::AlignVCenter | (words ? Qt::AlignLeft : Qt::AlignRight));
    case Qt::FontRole:
        return words ? m_session.appearance.uiFont(11) : m_session.appearance.mono(11);
    case Qt::ForegroundRole:
        return column == Row ? m_session.appearance.theme().t2 : m_session.appearance.theme().text;
    case Qt::ToolTipRole:
        return tip(index.row(), column);
    default:
        return role == rowMarkedRole ? QVariant(headRow(index.row()) == m_session.selection.row()) : QVariant();
    }
}

QVariant LedgerModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    static const std::array<QString, columnCount_> titles { tr("row"), QString(), tr("ref."), tr("true max"), tr("gap"),
        tr("decision"), tr("× scale"), QStringLiteral("ℓ") };
    if (role == Qt::DisplayRole && section == RowMax && m_brief)
        return tr("max");
    if (role == Qt::DisplayRole)
        return titles[static_cast<std::size_t>(section)];
    static const std::array<QString, columnCount_> terms { QString(), QString(), QStringLiteral("reference in use"),
        QStringLiteral("m"), QStringLiteral("threshold"), QStringLiteral("rescale"), QStringLiteral("rescale"),
        QStringLiteral("row sum") };
    if (role == Qt::ToolTipRole)
        return termCardHtml(terms[static_cast<std::size_t>(section)], m_session)
            + (m_natural ? tr("<p>Here in natural units of the scaled scores, as the papers write them.</p>")
                         : tr("<p>Here in log2 units: scaled scores times log2 e, as the kernels compute them.</p>"));
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>(
            Qt::AlignVCenter | (section == Token || section == Decision ? Qt::AlignLeft : Qt::AlignRight));
    return {};
}

LedgerView::LedgerView(const Session& session, QWidget* parent)
    : QSplitter(Qt::Vertical, parent)
    , m_session(session)
    , m_model(new LedgerModel(session, this))
    , m_table(new LedgerTable(session, *m_model, this))
    , m_detail(new LedgerDetail(session, *m_model, this))
    , m_units(new Segments(this))
{
    setObjectName(QStringLiteral("view.ledger"));
    setAccessibleName(tr("Ledger: softmax state of each row"));
    setChildrenCollapsible(false);
    setHandleWidth(5);
    addWidget(m_table);
    addWidget(m_detail);
    setStretchFactor(0, 1);
    setStretchFactor(1, 1);
    setFocusProxy(m_table);
    m_units->add(tr("log2"), tr("Scores times log2 e: the threshold of FlashAttention-4 is 8 here"));
    m_units->add(tr("natural"), tr("Scaled scores as the papers write them: the threshold is 8 ln 2 ≈ 5.545 here"));
    m_units->setAccessibleName(tr("Units of the ledger"));
    connect(m_units, &Segments::chosen, this, [this](int index) { m_model->setNatural(index == 1); });
    m_table->setAccessibleName(accessibleName());
    m_table->setModel(m_model);
    m_table->setItemDelegate(new RowDelegate(session.appearance, this));
    m_table->setSelectionMode(QAbstractItemView::NoSelection);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->verticalHeader()->hide();
    m_table->horizontalHeader()->setSectionsClickable(false);
    m_table->horizontalHeader()->setHighlightSections(false);
    const auto again = [this] { refresh(); };
    connect(&session.document, &Document::changed, this, again);
    connect(&session.playback, &Playback::positionChanged, this, again);
    connect(&session.selection, &Selection::changed, this, again);
    connect(&session.appearance, &Appearance::changed, this, &LedgerView::dress);
    connect(this, &QSplitter::splitterMoved, this, [this] { m_sharedByHand = true; });
    connect(m_table, &QTableView::clicked, this,
        [this](const QModelIndex& index) { m_session.selection.chooseRow(m_model->headRow(index.row())); });
    dress();
    refresh();
}

QWidget* LedgerView::unitsBox() const
{
    return m_units;
}

void LedgerView::dress()
{
    const Appearance& look = m_session.appearance;
    m_table->horizontalHeader()->setMinimumSectionSize(look.px(16));
    m_table->verticalHeader()->setMinimumSectionSize(look.px(18));
    m_table->verticalHeader()->setDefaultSectionSize(look.px(18));
    const bool wide = width() >= look.px(340), widest = width() >= look.px(430);
    const bool packed = !m_session.document.empty() && m_session.document.program().packed > 1;
    m_model->setBrief(!wide);
    m_table->setColumnHidden(LedgerModel::Token, !wide);
    m_table->setColumnHidden(LedgerModel::Scale, !widest);
    // Where no reference may stay the decision is always the same, and the detail says it.
    m_table->setColumnHidden(LedgerModel::Decision, !wide && !m_model->lazy());
    const int rowWidth = packed ? 48 : 31;
    const std::array<int, LedgerModel::columnCount_> widths { rowWidth, 52, 46, wide ? 56 : 46, 55, 50, 62, 58 };
    const int stretched = wide ? LedgerModel::Token : LedgerModel::Sum;
    for (int column = 0; column < LedgerModel::columnCount_; ++column) {
        m_table->horizontalHeader()->setSectionResizeMode(
            column, column == stretched ? QHeaderView::Stretch : QHeaderView::Fixed);
        m_table->setColumnWidth(column, look.px(widths[static_cast<std::size_t>(column)]));
    }
    m_table->viewport()->update();
    m_detail->refresh();
}

// All rows where the detail keeps its head and its votes in sight; the rest of it can be scrolled to.
void LedgerView::share()
{
    if (m_sharedByHand)
        return;
    const Appearance& look = m_session.appearance;
    const int all = look.px(22 + 18 * std::max(1, m_model->rowCount()));
    const int table
        = std::clamp(std::max(height() * 45 / 100, height() - look.px(58)), look.px(58), std::max(look.px(58), all));
    setSizes({ table, std::max(1, height() - table - handleWidth()) });
}

void LedgerView::showEvent(QShowEvent* event)
{
    QSplitter::showEvent(event);
    refresh();
}

void LedgerView::resizeEvent(QResizeEvent* event)
{
    QSplitter::resizeEvent(event);
    dress();
    share();
}

void LedgerView::refresh()
{
    if (!inSight(this))
        return; // read when it is shown, or read out
    const bool lazy = m_model->lazy();
    const int rows = m_model->rowCount();
    m_model->refresh();
    if (m_model->lazy() != lazy)
        dress();
    m_detail->refresh();
    m_detail->setVisible(m_model->rowCount() > 0);
    if (m_model->rowCount() != rows)
        share();
    m_table->viewport()->update();
    announceChange(this);
    emit refreshed();
}

QString LedgerView::about() const
{
    if (m_model->rows().empty())
        return {};
    const TileRef tile = tileOnShow(m_session);
    return tr("tile (%1, %2)").arg(tile.i).arg(tile.j);
}

std::vector<AccessibleNode> LedgerView::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    m_model->refresh();
    const paint::TileNumbers& tile = m_model->tile();
    const int detailed = m_model->rowOnShow();
    for (const RowState& row : m_model->rows()) {
        const Program& program = m_session.document.program();
        const QString word = m_session.document.tokens().query(row.row);
        const QString of = program.packed > 1 ? tr(" of head %1").arg(row.h) : QString();
        AccessibleNode node { QAccessible::Row, QStringLiteral("row %1%2 %3").arg(row.row).arg(of, word).trimmed(),
            QStringLiteral("m %1, m_used %2, l %3, %4")
                .arg(exactText(row.m), exactText(row.mUsed), exactText(row.l), QString::fromStdString(row.decision)),
            {} };
        const auto cell = [&node](const QString& name, const QString& value) {
            node.children.push_back({ QAccessible::Cell, name, value, {} });
        };
        cell(QStringLiteral("row"), QString::number(row.row));
        cell(QStringLiteral("m"), exactText(row.m));
        cell(QStringLiteral("m_used"), exactText(row.mUsed));
        cell(QStringLiteral("l"), exactText(row.l));
        cell(QStringLiteral("blocks"), QString::number(row.blocks));
        cell(QStringLiteral("decision"), QString::fromStdString(row.decision));
        cell(QStringLiteral("scale"), exactText(row.scale));
        // What the table and the detail say of the tile on show.
        const int r = headRowOf(program, row) - tile.firstRow;
        const bool shown = row.b == m_session.selection.batch() && r >= 0 && r < m_model->rowCount()
            && row.h / program.packed == m_session.selection.head() / program.packed;
        if (shown) {
            const paint::TileNumbers::Row& now = tile.row[static_cast<std::size_t>(r)];
            const QString in = tr("tile (%1, %2): ").arg(tile.i).arg(tile.j);
            cell(in + tr("true max, log2 units"), paint::fixed(now.most, 3));
            cell(in + tr("reference, log2 units"), paint::fixed(now.used, 3));
            cell(in + tr("gap, log2 units"), paint::fixed(paint::gapOf(tile, r), 3));
            cell(in + tr("gap, natural units"), paint::fixed(paint::gapOf(tile, r) * ln2, 3));
            cell(in + tr("decides"), paint::decisionText(paint::decisionOf(tile, r)));
            for (std::size_t w = 0; w < m_model->votes().size(); ++w)
                if (const paint::WarpVote& vote = m_model->votes()[w];
                    r >= vote.firstRow && r < vote.firstRow + vote.rows)
                    cell(in + tr("warp"),
                        tr("%1: %2 of %3 rows ask, %4")
                            .arg(w)
                            .arg(vote.asking)
                            .arg(vote.rows)
                            .arg(!vote.multiplies      ? tr("vote to come")
                                    : *vote.multiplies ? tr("multiplies")
                                                       : tr("leaves O alone")));
        }
        if (shown && r == detailed)
            for (const DetailLine& line : m_detail->read())
                if (!line.value.isEmpty() || line.heading)
                    cell(line.label, line.value);
        nodes.push_back(std::move(node));
    }
    if (nodes.empty())
        nodes.push_back({ QAccessible::StaticText, m_model->why(), {}, {} });
    return nodes;
}

} // namespace flashstep::ui
