// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/kernel/kernel_subject.h"

#include <QObject>

#include <thread>

namespace flashstep::ui {

// Runs kernels on a worker thread, one at a time, as RunController does with schedules: a new one cancels the old, and
// what has been cancelled is never heard of again.
class KernelRunner : public QObject {
    Q_OBJECT
public:
    explicit KernelRunner(QObject* parent = nullptr);
    ~KernelRunner() override;

    [[nodiscard]] bool running() const { return m_running; }
    void start(const KernelRequest& request);
    void cancel();

signals:
    void started();
    void progressed(double fraction); // of the second pass: how long the first takes nobody knows
    void finished(const std::shared_ptr<flashstep::ui::KernelSubject>& subject);
    void failed(const flashstep::Error& error);
    void cancelled();

private:
    int m_generation = 0;
    bool m_running = false;
    std::jthread m_worker; // last: joined first
};

} // namespace flashstep::ui
