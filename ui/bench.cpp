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
#include <ctime>
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

// Counts what is painted of a widget, so that no frame is measured in which nothing was.
class PaintCount : public QObject {
public:
    explicit PaintCount(QWidget& widget) { widget.installEventFilter(this); }
    bool eventFilter(QObject* /*watched*/, QEvent* event) override
    {
        count += event->type() == QEvent::Paint ? 1 : 0;
        return false;
    }
    int count = 0;
};

double threadMilliseconds()
{
    timespec now {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

struct Frames {
    std::vector<double> wall, worked; // worked: what this thread had of it, whatever else the machine did
    int missed = 0; // nothing was painted

    void measure(const PaintCount& paints, const std::function<void()>& frame)
    {
        const int before = paints.count;
        const double start = threadMilliseconds();
        wall.push_back(milliseconds(frame));
        worked.push_back(threadMilliseconds() - start);
        missed += paints.count == before ? 1 : 0;
    }
};

// All that a change of the position leads to: what the views put off to the next turn of the event loop, and the
// painting of everything that is out of date then.
void drawNow()
{
    for (int turn = 0; turn < 2; ++turn) {
        QApplication::sendPostedEvents();
        QApplication::processEvents(QEventLoop::ExcludeUserInputEvents);
    }
}

// What the window prepares on the side, the critical path of a large run, is there before anything is measured.
void settle(MainWindow& window)
{
    window.repaint();
    while (window.session().insights.busy())
        QApplication::processEvents(QEventLoop::WaitForMoreEvents);
    drawNow();
}

Frames frames(MainWindow& window)
{
    Frames times;
    TimelineCanvas& timeline = window.timeline();
    const PaintCount paints(timeline);
    for (int k = 0; k < 120; ++k)
        times.measure(paints, [&] {
            k % 40 < 20 ? timeline.zoomIn() : timeline.zoomOut();
            k % 3 == 0 ? timeline.panLeft() : timeline.panRight();
            drawNow();
        });
    const std::uint32_t end = window.session().playback.end().value;
    for (std::uint32_t k = 1; k <= 60; ++k)
        times.measure(paints, [&] {
            window.session().playback.seek(Position { end / 61 * k });
            drawNow();
        });
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
    settle(window);
    const Frames drawn = frames(window);
    if (drawn.missed > 0)
        return Error { "a frame was not painted", std::to_string(drawn.missed) + " of the timeline's", "" };
    out.insert(QStringLiteral("frame_p95_ms"), percentile(drawn.wall, 0.95));
    out.insert(QStringLiteral("frame_worked_p95_ms"), percentile(drawn.worked, 0.95));
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
