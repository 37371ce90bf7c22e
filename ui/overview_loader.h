// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <QObject>
#include <QString>

#include <memory>
#include <thread>

namespace flashstep {
struct Overview;
}

namespace flashstep::ui {

// Predicts the versions at a glance on a worker thread, once per program; what it found stays for every window.
class OverviewLoader : public QObject {
    Q_OBJECT
public:
    explicit OverviewLoader(QObject* parent = nullptr);
    ~OverviewLoader() override;

    void start(); // unless it is known or under way
    [[nodiscard]] const std::shared_ptr<const Overview>& overview() const; // null: not yet
    [[nodiscard]] const QString& failure() const { return m_failure; }

signals:
    void loaded(); // or failed

private:
    QString m_failure;
    bool m_running = false;
    std::jthread m_worker; // last: joined before anything it reports to is gone
};

} // namespace flashstep::ui
