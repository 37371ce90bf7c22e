// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/state.h"
#include "ui/paint/tile_numbers.h"
#include "ui/session.h"
#include "ui/views/accessible.h"

#include <QAbstractTableModel>
#include <QTableView>

namespace flashstep::ui {

// What the tile on show does to the softmax state of its rows, a row of the table each; scores in log2 units.
class LedgerModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Row, Token, InUse, RowMax, Gap, Decision, Scale, Sum, columnCount_ };

    LedgerModel(const Session& session, QObject* parent);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] const std::vector<RowState>& rows() const { return m_rows; }
    [[nodiscard]] QString why() const { return m_why; } // there is nothing to show
    [[nodiscard]] bool lazy() const { return m_tile.lazy; } // the reference may stay behind the maximum
    [[nodiscard]] const std::optional<Vote>& vote() const { return m_tile.vote; } // on O, for the tile on show
    [[nodiscard]] int headRow(int row) const; // of a row of the table: over the rows that query tiles are cut from

public slots:
    void refresh(); // reads all rows again from the position

private:
    [[nodiscard]] QString text(std::size_t row, int column) const;

    const Session m_session;
    std::vector<RowState> m_rows; // of the CTA, as `dump` has them
    std::vector<std::size_t> m_shown; // of them: where a CTA keeps several query tiles, those of the one on show
    paint::TileNumbers m_tile; // the tile on show
    QString m_why;
};

class LedgerView : public QTableView, public AccessibleView {
    Q_OBJECT
public:
    LedgerView(const Session& session, QWidget* parent);
    [[nodiscard]] const LedgerModel& ledger() const { return *m_model; }
    // A node per row of the chosen CTA: m, l and what else `dump --what state` says, in its units.
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;
    [[nodiscard]] QString about() const; // "tile (6, 5)"

signals:
    void refreshed();

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void dress();
    void refresh();

    const Session m_session;
    LedgerModel* m_model;
};

} // namespace flashstep::ui
