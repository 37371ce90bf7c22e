// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/io/export_request.h"
#include "core/io/labels.h"

#include <QObject>
#include <QString>
#include <QStringList>

#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace flashstep {
struct Run;
}

namespace flashstep::ui {

// All that one export reads: it keeps its run alive, whatever the window opens meanwhile.
struct ExportJob {
    std::shared_ptr<const Run> run;
    Labels labels;
    QString scenarioName; // in the provenance line, as the command line would have it
    ExportRequest request;
    QString path;
};
// By paint::writeExport, as the command line does.
[[nodiscard]] Status writeJob(const ExportJob& job, const Progress& progress);

// Writes on worker threads, several at once. A cancelled or failed export leaves its target as it was.
class ExportController : public QObject {
    Q_OBJECT
public:
    using Writer = std::function<Status(const ExportJob&, const Progress&)>;
    explicit ExportController(Writer writer = writeJob, QObject* parent = nullptr);
    ~ExportController() override; // cancels, and waits until nobody writes any more

    [[nodiscard]] int running() const { return static_cast<int>(m_workers.size()); }

public slots:
    void start(const flashstep::ui::ExportJob& job);
    void cancel(); // all of them

signals:
    void started(const QString& path);
    void progressed(double fraction); // of all that are being written, together
    void written(const QString& path, const QStringList& remarks); // what one should know of it, a line each
    void failed(const flashstep::Error& error);
    void cancelled(const QString& path);

private:
    struct Worker;
    void report(int id, double fraction);
    void deliver(int id, const Status& status, const QStringList& remarks);

    const Writer m_writer;
    int m_next = 0;
    std::vector<std::unique_ptr<Worker>> m_workers; // last: joined before anything they report to is gone
};

} // namespace flashstep::ui
