// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/measure_controller.h"

#include "core/hardware/spec.h"
#include "core/io/kernel_recording.h"
#include "core/io/recording_read.h"

#include <chrono>

namespace flashstep::ui {

namespace {

QString textOf(const Json& object, const char* key)
{
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (!object.is_object() || found == object.end())
        return QStringLiteral("?");
    return QString::fromStdString(found->is_string() ? found->get<std::string>() : found->dump());
}

QString devicesOf(const Json& answer)
{
    QStringList lines;
    if (answer["devices"].is_array())
        for (const Json& device : answer["devices"])
            lines << QObject::tr("%1, compute capability %2, driver %3, CUDA %4")
                         .arg(textOf(device, "name"), textOf(device, "compute_capability"), textOf(device, "driver"),
                             textOf(device, "cuda"));
    return lines.join(QLatin1Char('\n'));
}

QString fileName(const cuda::KernelPlan& kernel, const QString& where)
{
    return QStringLiteral("%1 %2.json").arg(QString::fromLatin1(kernel.name), where);
}

} // namespace

MeasureController::MeasureController(QObject* parent)
    : QObject(parent)
{
}

MeasureController::~MeasureController()
{
    m_worker = {};
}

void MeasureController::emulate(const cuda::KernelPlan& kernel, const Problem& problem, const std::string& gpu)
{
    start(tr("Running %1 on the emulated GPU …").arg(QString::fromLatin1(kernel.name)),
        [this, &kernel, problem, gpu](const Progress& progress) -> Deliver {
            ptx::RunOptions options;
            options.gpu = findGpu(gpu);
            Result<KernelRecording> made = recordKernel(kernel, problem, generateInputs(problem), options, progress);
            Result<Recording> read = made ? readRecording(made->json, kernel.name) : Result<Recording>(made.error());
            if (!read)
                return [this, error = read.error()] { emit failed(error); };
            const MadeRecording recording { std::make_shared<const Recording>(std::move(*read)), std::move(made->json),
                fileName(kernel, tr("emulated")) };
            return [this, recording] { emit recorded(recording); };
        });
}

void MeasureController::list(const DeviceProgram& program)
{
    start(tr("Asking for devices …"), [this, program](const Progress& progress) -> Deliver {
        const DeviceOutcome outcome = askDevice(program, { "list" }, "devices", progress);
        if (!outcome.ok())
            return [this, error = outcome.error] { emit failed(error); };
        return [this, devices = devicesOf(outcome.answer)] { emit listed(devices); };
    });
}

void MeasureController::record(const DeviceProgram& program, const cuda::KernelPlan& kernel, const Problem& problem)
{
    start(tr("Running %1 on the device …").arg(QString::fromLatin1(kernel.name)),
        [this, program, &kernel, problem](const Progress& progress) -> Deliver {
            DeviceRecording made = recordOnDevice(program, kernel, problem, progress);
            if (!made.recording)
                return [this, error = made.outcome.error] { emit failed(error); };
            const QString device = QString::fromStdString(made.recording->metadataText("device"));
            const MadeRecording recording { std::make_shared<const Recording>(std::move(*made.recording)),
                std::move(made.outcome.out), fileName(kernel, device) };
            return [this, recording] { emit recorded(recording); };
        });
}

void MeasureController::start(const QString& what, std::function<Deliver(const Progress&)> work)
{
    m_worker.request_stop();
    const int generation = ++m_generation;
    m_running = true;
    emit started(what);
    m_worker = std::jthread([this, generation, work = std::move(work)](const std::stop_token& stop) {
        const auto tell = [this, generation](const std::function<void()>& say) {
            QMetaObject::invokeMethod(
                this,
                [this, generation, say] {
                    if (generation == m_generation && m_running)
                        say();
                },
                Qt::QueuedConnection);
        };
        Progress progress;
        progress.stop = stop;
        std::chrono::steady_clock::time_point last;
        progress.report = [this, tell, &last](double fraction) {
            const auto now = std::chrono::steady_clock::now();
            if (now - last < std::chrono::milliseconds(50))
                return;
            last = now;
            tell([this, fraction] { emit progressed(fraction); });
        };
        const Deliver deliver = work(progress);
        tell([this, deliver] {
            m_running = false;
            deliver();
            emit ended();
        });
    });
}

void MeasureController::cancel()
{
    if (!m_running)
        return;
    ++m_generation;
    m_running = false;
    m_worker.request_stop();
    emit cancelled();
    emit ended();
}

} // namespace flashstep::ui
