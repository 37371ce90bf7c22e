// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/device_record.h"
#include "core/io/recording.h"
#include "core/program/scenario.h"

#include <QObject>
#include <QString>

#include <functional>
#include <memory>
#include <thread>

namespace flashstep::ui {

// A recording that has just been made: nothing is on disk yet.
struct MadeRecording {
    std::shared_ptr<const Recording> recording;
    std::string bytes; // the file
    QString name; // that it would have
};

// Makes recordings on a worker thread, one at a time: of a kernel on the emulated GPU, or by flashstep-gpu wherever it
// is started. Only what is finished crosses the threads; what has been cancelled is dropped.
class MeasureController : public QObject {
    Q_OBJECT
public:
    explicit MeasureController(QObject* parent = nullptr);
    ~MeasureController() override;

    [[nodiscard]] bool running() const { return m_running; }
    void emulate(const cuda::KernelPlan& kernel, const Problem& problem, const std::string& gpu);
    void list(const DeviceProgram& program);
    void record(const DeviceProgram& program, const cuda::KernelPlan& kernel, const Problem& problem);

public slots:
    void cancel();

signals:
    void started(const QString& what);
    void progressed(double fraction);
    void listed(const QString& devices); // a line each
    void recorded(const flashstep::ui::MadeRecording& made);
    void failed(const flashstep::Error& error);
    void cancelled();
    void ended(); // after any of these

private:
    using Deliver = std::function<void()>; // on the window's thread
    void start(const QString& what, std::function<Deliver(const Progress&)> work);

    int m_generation = 0;
    bool m_running = false;
    std::jthread m_worker; // last: joined before anything it reports to is gone
};

} // namespace flashstep::ui
