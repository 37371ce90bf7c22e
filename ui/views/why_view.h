// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/barrier_card.h"
#include "core/trace/why.h"
#include "ui/session.h"
#include "ui/views/accessible.h"

#include <QTextBrowser>
#include <QTimer>

#include <set>

namespace flashstep::ui {

// Why the chosen CTA's roles wait, whom for and what lets them go on; every barrier as a card; and the run's faults.
// Whatever happened at some moment is a link to it.
class WhyView : public QTextBrowser, public AccessibleView {
    Q_OBJECT
public:
    WhyView(const Session& session, QWidget* parent);

    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;
    // What is shown, as of now.
    [[nodiscard]] std::vector<WaitExplained> waits() const;
    [[nodiscard]] std::vector<BarrierState> barriers() const;

public slots:
    void openBarrier(flashstep::BarrierId barrier); // its card unfolded, in sight

protected:
    void showEvent(QShowEvent* event) override;

private:
    void refreshSoon();
    void refresh();
    void follow(const QUrl& link);
    [[nodiscard]] QString faultsHtml() const;
    [[nodiscard]] QString waitsHtml() const;
    [[nodiscard]] QString barriersHtml() const;
    [[nodiscard]] QString cardHtml(const BarrierState& state) const;
    [[nodiscard]] QString linkHtml(const WaitLink& link) const;

    const Session m_session;
    QTimer m_soon;
    QString m_html; // on show
    std::set<std::size_t> m_open; // barriers whose cards are unfolded
    std::set<std::size_t> m_chains; // instances of waits whose whole chain is shown
};

} // namespace flashstep::ui
