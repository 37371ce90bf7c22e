// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/headless.h"

#include "core/emulation/run.h"
#include "core/io/csv_table.h"
#include "core/io/files.h"
#include "core/io/recording_read.h"
#include "ui/insights.h"
#include "ui/main_window.h"
#include "ui/run_charts.h"
#include "ui/samples.h"
#include "ui/sweep_charts.h"
#include "ui/views/accessible.h"
#include "ui/views/differences_view.h"
#include "ui/views/notice_bar.h"
#include "ui/views/timeline_canvas.h"
#include "ui/views/welcome.h"

#include <QAccessible>
#include <QApplication>
#include <QEventLoop>
#include <QImage>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>
#include <QScreen>

#include <cstdio>

namespace flashstep::ui {

bool opensRecording(const HeadlessRequest& request)
{
    return !request.file.empty() && kindOfFile(request.file) == FileKind::Recording;
}

Result<ScenarioFile> scenarioOf(const HeadlessRequest& request, bool* isOfRecording)
{
    ScenarioFile file;
    std::optional<ScenarioFile> ofRecording;
    if (opensRecording(request)) {
        const Result<Recording> recording = readRecordingFile(request.file);
        if (!recording)
            return recording.error();
        ofRecording = scenarioOfRecording(*recording, request.file).file;
    }
    if (isOfRecording)
        *isOfRecording = ofRecording.has_value();
    if (ofRecording) {
        file = std::move(*ofRecording);
    } else if (!request.file.empty() || request.given.empty()) {
        std::string path = opensRecording(request) ? "" : request.file;
        if (path.empty()) {
            const Result<QString> sample = unpackSample(QStringLiteral("samples/licence-causal.json"));
            if (!sample)
                return sample.error();
            path = sample->toStdString();
        }
        Result<ScenarioFile> read = readScenario(path);
        if (!read)
            return read.error();
        file = std::move(*read);
    }
    for (const auto& [key, value] : request.given)
        if (const Status status = setOption(file, key, value); !status)
            return status.error();
    if (const Status known = checkKnobs(file.scenario); !known)
        return known.error();
    return file;
}

Status prepareWindow(MainWindow& window, const HeadlessRequest& request, bool run)
{
    if (!request.theme.isEmpty())
        window.session().appearance.setChoice(
            request.theme == QStringLiteral("dark") ? Appearance::Choice::Dark : Appearance::Choice::Light);
    if (!request.focus.isEmpty() && !window.view(request.focus))
        return Error { "there is no view '" + request.focus.toStdString() + "'", "--focus",
            MainWindow::viewNames().join(QStringLiteral(", ")).toStdString() };
    window.resize(request.size);
    if (run) {
        bool isOfRecording = false;
        const Result<ScenarioFile> file = scenarioOf(request, &isOfRecording);
        if (!file)
            return file.error();
        const bool recorded = opensRecording(request);
        QString path = recorded ? QString() : QString::fromStdString(request.file);
        if (path.isEmpty() && request.given.empty())
            path = unpackSample(QStringLiteral("samples/licence-causal.json")).value();
        QEventLoop loop;
        std::optional<Error> failure;
        QObject::connect(&window, &MainWindow::runShown, &loop, &QEventLoop::quit);
        QObject::connect(&window.controller(), &RunController::failed, &loop, [&](const Error& error) {
            failure = error;
            loop.quit();
        });
        const QString recordingPath = QString::fromStdString(request.file);
        if (isOfRecording)
            window.startRunOf(recordingPath, *file);
        else
            window.start({ *file, path, false });
        loop.exec();
        if (failure)
            return *failure;
        if (recorded) {
            if (const Status shown = window.showRecording(recordingPath); !shown)
                return shown.error();
            window.notice().showText(window.noteOf(window.timeline().recording()->recording(), recordingPath));
        }
    }
    if (const auto layout = layoutFromName(request.layout))
        window.setLayout(*layout);
    if (!request.focus.isEmpty())
        window.showView(request.focus, Qt::OtherFocusReason); // a picture has no keyboard
    if (run && !request.at.isEmpty())
        if (const Status found = window.goTo(request.at); !found)
            return found.error();
    return Nothing {};
}

namespace {

void settle(MainWindow& window)
{
    window.show();
    for (int k = 0; k < 5; ++k)
        QApplication::processEvents(QEventLoop::AllEvents, 50);
    while (window.welcome().isVisible() && !window.welcome().settled())
        QApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents);
    while (window.session().insights.busy() || !window.controller().settled() || !window.differences().settled())
        QApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents);
    QApplication::processEvents();
}

} // namespace

Status shootWindow(const HeadlessRequest& request, const QString& target)
{
    MainWindow window({ false, false });
    window.resize(request.size);
    window.show();
    if (const Status status = prepareWindow(window, request, true); !status)
        return status;
    settle(window);
    QImage image(window.size() * window.devicePixelRatioF(), QImage::Format_ARGB32_Premultiplied);
    image.setDevicePixelRatio(window.devicePixelRatioF());
    window.render(&image);
    QSaveFile file(target);
    if (!file.open(QIODevice::WriteOnly) || !image.convertToFormat(QImage::Format_RGB32).save(&file, "PNG")
        || !file.commit())
        return Error { file.errorString().toStdString(), target.toStdString(), "a file that can be written" };
    return Nothing {};
}

namespace {

constexpr std::uint64_t largestTable = 1U << 30U;

Result<ChartPage> chartsOf(const HeadlessRequest& request, const ChartsRequest& charts)
{
    const QString theme = request.theme.isEmpty() ? QStringLiteral("print") : request.theme;
    if (!charts.sweep.isEmpty()) {
        const std::string path = charts.sweep.toStdString();
        const Result<std::string> text = readFile(path, largestTable);
        if (!text)
            return text.error();
        const Result<CsvTableText> table = parseCsv(*text, path);
        return table ? sweepCharts(*table, theme) : table.error();
    }
    Result<ScenarioFile> file = scenarioOf(request);
    if (!file)
        return file.error();
    Result<LoadedInputs> loaded = loadInputs(*file);
    if (!loaded)
        return loaded.error();
    const Result<Run> run = runScenario(file->scenario, std::move(loaded->inputs), {});
    if (!run)
        return run.error();
    return runCharts(*run, QString::fromStdString(fileNameOf(request.file)), theme);
}

} // namespace

Status drawCharts(const HeadlessRequest& request, const ChartsRequest& charts)
{
    Result<ChartPage> page = chartsOf(request, charts);
    if (!page)
        return page.error();
    return writeChartPage(*page, request.size, charts.scale, charts.format, charts.target);
}

Status readView(const HeadlessRequest& request, const QString& name)
{
    MainWindow window({ false, false });
    if (!MainWindow::viewNames().contains(name) || !window.view(name))
        return Error { "there is no view '" + name.toStdString() + "'", "--read",
            MainWindow::viewNames().join(QStringLiteral(", ")).toStdString() };
    window.resize(request.size);
    window.show();
    if (const Status status = prepareWindow(window, request, true); !status)
        return status;
    window.showView(name);
    settle(window);
    QAccessibleInterface* root = QAccessible::queryAccessibleInterface(window.view(name));
    if (!root)
        return Error { "the view has no accessible tree", "--read " + name.toStdString(), "" };
    const QJsonObject tree = accessibleTree(root);
    QByteArray text;
    if (request.json)
        text = QJsonDocument(QJsonObject { { QStringLiteral("view"), name },
                                 { QStringLiteral("name"), tree.value(QStringLiteral("name")) },
                                 { QStringLiteral("nodes"), tree.value(QStringLiteral("children")) } })
                   .toJson(QJsonDocument::Indented);
    else
        text = accessibleText(tree).toUtf8();
    std::fwrite(text.constData(), 1, static_cast<std::size_t>(text.size()), stdout);
    return Nothing {};
}

} // namespace flashstep::ui
