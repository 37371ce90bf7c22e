// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/state.h"
#include "ui/paint/ledger_facts.h"
#include "ui/session.h"
#include "ui/views/accessible.h"

#include <QAbstractTableModel>
#include <QSplitter>
#include <QTableView>

namespace flashstep::ui {

class LedgerDetail;
class Segments;

// What the tile on show does to the softmax state of its rows, a row of the table each.
class LedgerModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Row, Token, InUse, RowMax, Gap, Decision, Scale, Sum, columnCount_ };

    LedgerModel(const Session& session, QObject* parent);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] const std::vector<RowState>& rows() const { return m_rows; } // of the CTA, as `dump` has them
    [[nodiscard]] const paint::TileNumbers& tile() const { return m_tile; } // the one on show
    [[nodiscard]] const std::vector<paint::WarpVote>& votes() const { return m_votes; }
    [[nodiscard]] QString why() const { return m_why; } // there is nothing to show
    [[nodiscard]] bool lazy() const { return m_tile.lazy; } // the reference may stay behind the maximum
    [[nodiscard]] int headRow(int row) const { return m_tile.firstRow + row; } // over the rows tiles are cut from
    // The chosen row of the tile, else the first of which something has been decided; -1 without rows.
    [[nodiscard]] int rowOnShow() const;

    // Scores in log2 units, in which the kernels compare them, or in natural ones, as the papers write them.
    void setNatural(bool natural);
    [[nodiscard]] bool natural() const { return m_natural; }
    void setBrief(bool brief) { m_brief = brief; } // titles for narrow columns

public slots:
    void refresh(); // reads all rows again from the position

private:
    [[nodiscard]] QString text(int row, int column) const;
    [[nodiscard]] QString tip(int row, int column) const;
    [[nodiscard]] QString score(double log2) const;

    const Session m_session;
    std::vector<RowState> m_rows;
    paint::TileNumbers m_tile;
    std::vector<paint::WarpVote> m_votes;
    QString m_why;
    bool m_natural = false;
    bool m_brief = false;
};

// The rows of the tile on show as a table, and under it one of them in full.
class LedgerView : public QSplitter, public AccessibleView {
    Q_OBJECT
public:
    LedgerView(const Session& session, QWidget* parent);
    [[nodiscard]] const LedgerModel& ledger() const { return *m_model; }
    [[nodiscard]] QAbstractItemModel* model() const { return m_model; }
    [[nodiscard]] const LedgerDetail& detail() const { return *m_detail; }
    [[nodiscard]] QWidget* unitsBox() const; // for the title
    // A node per row of the chosen CTA: m, l and what else `dump --what state` says, in its units; of the rows of the
    // tile on show also what the table and the detail have.
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;
    [[nodiscard]] QString about() const; // "tile (6, 5)"

signals:
    void refreshed();

protected:
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void dress();
    void share(); // the height between table and detail
    void refresh();

    const Session m_session;
    bool m_sharedByHand = false;
    LedgerModel* m_model;
    QTableView* m_table;
    LedgerDetail* m_detail;
    Segments* m_units;
};

} // namespace flashstep::ui
