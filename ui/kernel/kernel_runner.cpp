// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/kernel_runner.h"

#include <chrono>

namespace flashstep::ui {

KernelRunner::KernelRunner(QObject* parent)
    : QObject(parent)
{
}

KernelRunner::~KernelRunner()
{
    m_worker = {};
}

void KernelRunner::start(const KernelRequest& request)
{
    m_worker.request_stop();
    const int generation = ++m_generation;
    m_running = true;
    emit started();
    m_worker = std::jthread([this, request, generation](const std::stop_token& stop) {
        Progress progress;
        progress.stop = stop;
        auto last = std::chrono::steady_clock::now();
        progress.report = [this, generation, &last](double fraction) {
            const auto now = std::chrono::steady_clock::now();
            if (now - last < std::chrono::milliseconds(50))
                return;
            last = now;
            QMetaObject::invokeMethod(
                this,
                [this, generation, fraction] {
                    if (generation == m_generation && m_running)
                        emit progressed(fraction);
                },
                Qt::QueuedConnection);
        };
        const auto made = std::make_shared<Result<std::shared_ptr<KernelSubject>>>(makeSubject(request, progress));
        QMetaObject::invokeMethod(
            this,
            [this, generation, made] {
                if (generation != m_generation)
                    return;
                m_running = false;
                if (*made)
                    emit finished(**made);
                else
                    emit failed(made->error());
            },
            Qt::QueuedConnection);
    });
}

void KernelRunner::cancel()
{
    if (!m_running)
        return;
    ++m_generation;
    m_running = false;
    m_worker.request_stop();
    emit cancelled();
}

} // namespace flashstep::ui
