// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/export_controller.h"

#include "ui/paint/export.h"

#include <algorithm>
#include <chrono>

namespace flashstep::ui {

struct ExportController::Worker {
    int id = 0;
    QString path;
    double fraction = 0;
    std::jthread thread;
};

Status writeJob(const ExportJob& job, const Progress& progress)
{
    const paint::ExportSource source { job.run.get(), &job.labels, job.scenarioName };
    return paint::writeExport(source, job.request, job.path, progress);
}

ExportController::ExportController(Writer writer, QObject* parent)
    : QObject(parent)
    , m_writer(std::move(writer))
{
}

ExportController::~ExportController()
{
    for (const auto& worker : m_workers)
        worker->thread.request_stop(); // all first, so that they end side by side
    m_workers.clear();
}

void ExportController::start(const ExportJob& job)
{
    auto worker = std::make_unique<Worker>();
    const int id = worker->id = ++m_next;
    worker->path = job.path;
    worker->thread = std::jthread([this, job, id, write = m_writer](const std::stop_token& stop) {
        Progress progress;
        progress.stop = stop;
        auto last = std::chrono::steady_clock::now();
        progress.report = [this, id, &last](double fraction) {
            const auto now = std::chrono::steady_clock::now();
            if (now - last < std::chrono::milliseconds(50))
                return;
            last = now;
            QMetaObject::invokeMethod(
                this, [this, id, fraction] { report(id, fraction); }, Qt::QueuedConnection);
        };
        QStringList remarks;
        progress.note = [&remarks](const std::string& text) { remarks.append(QString::fromStdString(text)); };
        const Status status = write(job, progress);
        QMetaObject::invokeMethod(
            this, [this, id, status, remarks] { deliver(id, status, remarks); }, Qt::QueuedConnection);
    });
    m_workers.push_back(std::move(worker));
    emit started(job.path);
}

void ExportController::cancel()
{
    for (const auto& worker : m_workers)
        worker->thread.request_stop();
}

void ExportController::report(int id, double fraction)
{
    double sum = 0;
    for (const auto& worker : m_workers) {
        if (worker->id == id)
            worker->fraction = fraction;
        sum += worker->fraction;
    }
    if (!m_workers.empty())
        emit progressed(sum / static_cast<double>(m_workers.size()));
}

void ExportController::deliver(int id, const Status& status, const QStringList& remarks)
{
    const auto found
        = std::find_if(m_workers.begin(), m_workers.end(), [id](const auto& worker) { return worker->id == id; });
    const QString path = (*found)->path;
    const bool stopped = (*found)->thread.get_stop_token().stop_requested();
    m_workers.erase(found);
    if (status) // also where the last byte was written before it heard of being cancelled
        emit written(path, remarks);
    else if (stopped)
        emit cancelled(path);
    else
        emit failed(status.error());
}

} // namespace flashstep::ui
