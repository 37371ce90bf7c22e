// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/run_controller.h"

#include "core/emulation/guess_effects.h"
#include "core/emulation/run.h"

#include <chrono>

namespace flashstep::ui {

namespace {

Result<RunOutcome> emulateOn(RunRequest request, const Progress& progress)
{
    Result<LoadedInputs> loaded = loadInputs(request.file);
    if (!loaded)
        return loaded.error();
    Result<Run> run = runScenario(request.file.scenario, std::move(loaded->inputs), progress);
    if (!run)
        return run.error();
    for (std::string& note : loaded->notes)
        run->report.inputNotes.push_back(std::move(note));
    return RunOutcome { std::make_shared<const Run>(std::move(*run)), std::move(loaded->labels), std::move(request) };
}

} // namespace

RunController::RunController(QObject* parent)
    : QObject(parent)
{
}

RunController::~RunController()
{
    m_worker = {};
}

void RunController::start(const RunRequest& request)
{
    m_worker.request_stop();
    const int generation = ++m_generation;
    m_running = true;
    m_guessing = false;
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
        const Result<RunOutcome> result = emulateOn(request, progress);
        if (!stop.stop_requested())
            QMetaObject::invokeMethod(
                this, [this, generation, result] { deliver(generation, result); }, Qt::QueuedConnection);
        if (!result || stop.stop_requested())
            return;
        const Result<std::vector<GuessEffect>> effects = guessEffects(request.file.scenario, progress);
        QMetaObject::invokeMethod(
            this,
            [this, generation, effects] {
                if (generation != m_generation)
                    return;
                m_guessing = false;
                if (effects)
                    emit guessed(*effects);
            },
            Qt::QueuedConnection);
    });
}

void RunController::cancel()
{
    if (!m_running)
        return;
    ++m_generation;
    m_running = false;
    m_worker.request_stop();
    emit cancelled();
}

void RunController::deliver(int generation, const Result<RunOutcome>& result)
{
    if (generation != m_generation)
        return;
    m_running = false;
    m_guessing = result.ok();
    if (result)
        emit finished(*result);
    else
        emit failed(result.error());
}

} // namespace flashstep::ui
