// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/algorithms/registry.h" // before Qt, whose word "slots" it uses for a name of its own

#include "ui/main_window.h"

#include "core/io/files.h"
#include "core/io/recording_read.h"
#include "ui/samples.h"
#include "ui/text.h"
#include "ui/views/notice_bar.h"

#include <QApplication>
#include <QDir>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QMimeData>
#include <QSettings>
#include <QStandardPaths>
#include <QUrl>

namespace flashstep::ui {

void MainWindow::openSample(const QString& resourceName)
{
    const Result<QString> path = unpackSample(resourceName);
    if (!path) {
        m_notice->showError(path.error());
        emit runFailed();
        return;
    }
    open(*path);
}

void MainWindow::open(const QString& path)
{
    if (kindOfFile(path.toStdString()) == FileKind::Recording) {
        openRecording(path);
        return;
    }
    const Result<ScenarioFile> file = readScenario(path.toStdString());
    if (!file) {
        m_notice->showError(file.error());
        fillChoices();
        emit runFailed();
        return;
    }
    rememberFile(path);
    start({ *file, path, false });
}

void MainWindow::openVersion(const QString& algorithm, const QString& gpu)
{
    const Result<QString> path = unpackSample(QStringLiteral("samples/licence-causal.json"));
    Result<ScenarioFile> file = path ? readScenario(path->toStdString()) : Result<ScenarioFile>(path.error());
    for (const auto& [key, value] : { std::pair("algorithm", algorithm), std::pair("gpu", gpu) })
        if (file)
            if (const Status status = setOption(*file, key, value.toStdString()); !status)
                file = status.error();
    if (!file) {
        m_notice->showError(file.error());
        emit runFailed();
        return;
    }
    start({ *file, *path, false });
}

void MainWindow::chooseFile()
{
    const QString folder = m_document.path().isEmpty() ? QDir::homePath() : QFileInfo(m_document.path()).path();
    const QString path = QFileDialog::getOpenFileName(this, tr("Open a scenario or a recording"), folder,
        tr("Scenarios and recordings (*.json *.pftrace *.perfetto-trace *.pb *.trace);;All files (*)"));
    if (!path.isEmpty())
        open(path);
}

void MainWindow::change(const std::string& key, const std::string& value)
{
    if (m_document.empty())
        return;
    ScenarioFile file = m_document.wanted();
    m_noteWithRun.clear();
    m_nameWithRun.clear();
    if (const Status status = setOption(file, key, value); !status) {
        m_notice->showError(status.error());
        fillChoices();
        return;
    }
    if (key == "algorithm")
        moveToItsGpu(file);
    start({ std::move(file), m_document.path(), true });
}

// A version that the GPU on show has not the instructions for comes with the one it was written for.
void MainWindow::moveToItsGpu(ScenarioFile& file)
{
    const Scenario& scenario = file.scenario;
    const Algorithm* algorithm = findAlgorithm(scenario.algorithm, scenario.pass);
    const GpuSpec* gpu = findGpu(scenario.gpu);
    if (!algorithm || !gpu)
        return;
    const Choices choices;
    const auto table = algorithm->table({ m_document.program().problem, gpu->computeCapability,
        static_cast<Bytes>(gpu->smemPerSmKib * 1024), choices, static_cast<int>(gpu->sms) });
    if (table || table.error().where != "gpu")
        return;
    const GpuSpec* own = findGpu(algorithm->defaultGpu);
    if (!own || !setOption(file, "gpu", std::string(own->name)))
        return;
    m_noteWithRun = tr("%1 does not run on %2: here it is on %3.")
                        .arg(fromView(algorithm->title), fromView(gpu->title), fromView(own->title));
}

void MainWindow::save()
{
    const bool sample = m_document.path().contains(QStringLiteral("/flashstep/samples/"));
    if (m_document.path().isEmpty() || sample)
        saveAs();
    else
        saveTo(m_document.path());
}

void MainWindow::saveAs()
{
    const QString path = targetFor(tr("Save scenario"),
        QFileInfo(documentTitle()).completeBaseName() + QStringLiteral(".json"), tr("Scenarios (*.json)"));
    if (!path.isEmpty())
        saveTo(path);
}

void MainWindow::saveTo(const QString& path)
{
    const std::string text = scenarioText(m_document.file(), QFileInfo(path).absolutePath().toStdString());
    const Status status = writeFileAtomically(path.toStdString(), [&text](std::ostream& out) -> Status {
        out << text;
        return Nothing {};
    });
    report(status, path);
    if (status) {
        m_document.setPath(path);
        rememberFile(path);
        fillScenarios();
    }
}

QString MainWindow::targetFor(const QString& title, const QString& name, const QString& filter)
{
    if (m_document.empty()) {
        m_notice->showText(tr("There is nothing to write: no scenario is open."));
        return {};
    }
    const QString folder = m_options.remembers
        ? QSettings().value(QStringLiteral("exportFolder"), QDir::homePath()).toString()
        : QDir::homePath();
    QString path = QFileDialog::getSaveFileName(this, title, folder + QLatin1Char('/') + name, filter);
    if (!path.isEmpty() && QFileInfo(path).suffix().isEmpty())
        path += QLatin1Char('.') + QFileInfo(name).suffix();
    if (!path.isEmpty() && m_options.remembers)
        QSettings().setValue(QStringLiteral("exportFolder"), QFileInfo(path).absolutePath());
    return path;
}

void MainWindow::report(const Status& status, const QString& path)
{
    if (status)
        m_notice->showText(tr("Written: %1").arg(path));
    else
        QMessageBox::critical(this, tr("Not written"), QString::fromStdString(status.error().line()));
}

void MainWindow::rememberFile(const QString& path)
{
    if (!m_options.remembers || path.contains(QStringLiteral("/flashstep/samples/")))
        return;
    QSettings settings;
    QStringList recent = settings.value(QStringLiteral("recent")).toStringList();
    recent.removeAll(path);
    recent.prepend(path);
    settings.setValue(QStringLiteral("recent"), QStringList(recent.mid(0, 8)));
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasUrls())
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event)
{
    const QList<QUrl> urls = event->mimeData()->urls();
    if (urls.isEmpty())
        return;
    event->acceptProposedAction();
    open(urls.front().toLocalFile());
}

} // namespace flashstep::ui
