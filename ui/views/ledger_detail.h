// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/ledger_facts.h"
#include "ui/session.h"

#include <QScrollArea>

namespace flashstep::ui {

class DetailPane;
class LedgerModel;

// A short line of the detail: what, its number, and more about it.
struct DetailLine {
    QString label, value, tip;
    bool heading = false; // the label alone, and strong
};

// One row of the tile on show in full: the terms of its update, the vote of its warps, what P may reach, and what would
// have come of the other decision.
class LedgerDetail : public QScrollArea {
    Q_OBJECT
public:
    LedgerDetail(const Session& session, const LedgerModel& model, QWidget* parent);

    void refresh();
    [[nodiscard]] const paint::RowFacts& facts() const { return m_facts; } // of the row on show
    [[nodiscard]] const std::vector<DetailLine>& lines() const { return m_lines; }
    // As it is now, without being shown.
    [[nodiscard]] std::vector<DetailLine> read() const;

private:
    [[nodiscard]] paint::RowFacts factsNow() const;

    const Session m_session;
    const LedgerModel& m_model;
    paint::RowFacts m_facts;
    std::vector<DetailLine> m_lines;
    DetailPane* m_pane;
};

// The same lines for any row, from its facts.
[[nodiscard]] std::vector<DetailLine> detailLines(const Session& session, const paint::TileNumbers& tile,
    const std::vector<paint::WarpVote>& votes, const paint::RowFacts& facts);

} // namespace flashstep::ui
