// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/bench.h"

#include "core/emulation/run.h"
#include "ui/headless.h"
#include "ui/main_window.h"
#include "ui/views/timeline_canvas.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

namespace flashstep::ui {

namespace {

double milliseconds(const std::function<void()>& work)
{
    QElapsedTimer timer;
    timer.start();
    work();
    return static_cast<double>(timer.nsecsElapsed()) / 1e6;
}

double percentile(std::vector<double> values, double share)
{
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

Status runAndWait(MainWindow& window, const RunRequest& request)
{
    QEventLoop loop;
    std::optional<Error> failure;
    QObject::connect(&window, &MainWindow::runShown, &loop, &QEventLoop::quit);
    QObject::connect(&window.controller(), &RunController::failed, &loop, [&](const Error& error) {
        failure = error;
        loop.quit();
    });
    window.start(request);
    loop.exec();
    if (failure)
        return *failure;
    return Nothing {};
}

ScenarioFile stated(std::initializer_list<std::pair<const char*, std::string>> options)
{
    ScenarioFile file;
    for (const auto& [key, value] : options)
        (void)setOption(file, key, value);
    return file;
}

QString cpuName()
{
    QFile info(QStringLiteral("/proc/cpuinfo"));
    if (info.open(QIODevice::ReadOnly))
        for (const QByteArray& line : info.readAll().split('\n'))
            if (line.startsWith("model name"))
                return QString::fromUtf8(line.mid(line.indexOf(':') + 1)).trimmed();
    return {};
}

void drawNow(MainWindow& window)
{
    window.timeline().update();
    QApplication::sendPostedEvents();
    QApplication::processEvents(QEventLoop::ExcludeUserInputEvents);
    window.timeline().repaint();
}

std::vector<double> frames(MainWindow& window)
{
    std::vector<double> times;
    TimelineCanvas& timeline = window.timeline();
    for (int k = 0; k < 120; ++k)
        times.push_back(milliseconds([&] {
            k % 40 < 20 ? timeline.zoomIn() : timeline.zoomOut();
            k % 3 == 0 ? timeline.panLeft() : timeline.panRight();
            timeline.repaint();
        }));
    const std::uint32_t end = window.session().playback.end().value;
    for (std::uint32_t k = 0; k < 60; ++k)
        times.push_back(milliseconds([&] {
            window.session().playback.seek(Position { end / 61 * k });
            drawNow(window);
        }));
    return times;
}

} // namespace

Status bench(const QElapsedTimer& sinceStart, bool json)
{
    QJsonObject out;
    HeadlessRequest sample;
    MainWindow window({ false, false });
    window.resize(1440, 900);
    window.show();
    if (const Status status = prepareWindow(window, sample, true); !status)
        return status;
    window.repaint();
    out.insert(QStringLiteral("start_ms"), static_cast<double>(sinceStart.nsecsElapsed()) / 1e6);

    // A learner's size: 64 x 64 tiles of 8 x 8, one knob turned until the picture has changed.
    const ScenarioFile learner = stated({ { "seqlen_q", "512" }, { "tile", "8x8" }, { "cost_tile", "128x128" },
        { "record", "cta:0" }, { "gpu", "h100" } });
    if (const Status status = runAndWait(window, { learner, {}, false }); !status)
        return status;
    ScenarioFile turned = learner;
    (void)setOption(turned, "what_if", "mufu-rate=8");
    Status turn = Nothing {};
    out.insert(QStringLiteral("whatif_ms"), milliseconds([&] {
        turn = runAndWait(window, { turned, {}, true });
        window.repaint();
    }));
    if (!turn)
        return turn;

    for (int heads = 8; heads <= 512; heads *= 2) {
        const ScenarioFile large = stated({ { "seqlen_q", "8192" }, { "head_dim", "128" },
            { "heads", std::to_string(heads) }, { "mask", "causal" }, { "record", "none" }, { "gpu", "h100" } });
        if (const Status status = runAndWait(window, { large, {}, false }); !status)
            return status;
        if (window.session().playback.end().value >= 10'000'000)
            break;
    }
    Playback& playback = window.session().playback;
    const Trace& trace = window.session().document.trace();
    out.insert(QStringLiteral("events"), static_cast<double>(trace.end().value));
    out.insert(QStringLiteral("frame_p95_ms"), percentile(frames(window), 0.95));
    std::vector<double> steps;
    std::vector<double> jumps;
    std::uint32_t seed = 1;
    for (int k = 0; k < 1000; ++k) {
        seed = seed * 1664525U + 1013904223U;
        const Position to { static_cast<std::uint32_t>(static_cast<std::uint64_t>(seed) * trace.end().value >> 32U) };
        jumps.push_back(milliseconds([&] { playback.seek(to); }));
        steps.push_back(milliseconds([&] { k % 2 == 0 ? playback.stepForward() : playback.stepBack(); }));
    }
    out.insert(QStringLiteral("step_p99_ms"), percentile(steps, 0.99));
    out.insert(QStringLiteral("jump_p99_ms"), percentile(jumps, 0.99));
    out.insert(QStringLiteral("cpu"), cpuName());
    out.insert(QStringLiteral("qt"), QString::fromLatin1(qVersion()));
    if (json) {
        const QByteArray text = QJsonDocument(out).toJson(QJsonDocument::Indented);
        std::fwrite(text.constData(), 1, static_cast<std::size_t>(text.size()), stdout);
    } else {
        for (auto it = out.begin(); it != out.end(); ++it)
            std::printf("%-14s %s\n", qPrintable(it.key()), qPrintable(it.value().toVariant().toString()));
    }
    return Nothing {};
}

} // namespace flashstep::ui
