// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/io/files.h"
#include "core/io/recorded_scenario.h"
#include "core/io/recording_read.h"
#include "ui/actions.h"
#include "ui/main_window.h"
#include "ui/samples.h"
#include "ui/views/notice_bar.h"
#include "ui/views/timeline_canvas.h"

#include <QApplication>
#include <QFileInfo>
#include <QMenu>

namespace flashstep::ui {

RecordedScenario scenarioOfRecording(const Recording& recording, const std::string& path)
{
    Result<ScenarioFile> file = recordedScenario(recording);
    if (!file)
        return {};
    RecordedScenario recorded;
    for (std::string* tensor : { &file->scenario.qFile, &file->scenario.kFile, &file->scenario.vFile }) {
        if (tensor->empty())
            continue;
        const std::string name = fileNameOf(*tensor);
        *tensor = pathBeside(directoryOf(path), name);
        if (!QFileInfo(QString::fromStdString(*tensor)).isFile())
            recorded.missing.push_back(name);
    }
    if (recorded.missing.empty())
        recorded.file = std::move(*file);
    return recorded;
}

QString MainWindow::noteOf(const Recording& recording, const QString& path) const
{
    QString note = tr("%1: %2. Clock: %3.")
                       .arg(QFileInfo(path).fileName(), QString::fromStdString(recording.standing()),
                           QString::fromStdString(recording.clock().statement));
    QStringList missing;
    for (const std::string& name : scenarioOfRecording(recording, path.toStdString()).missing)
        missing << QString::fromStdString(name);
    if (!missing.isEmpty())
        note += tr(" The inputs of its run are not at hand (%1 beside it): the other views show another run.")
                    .arg(missing.join(QStringLiteral(", ")));
    return note;
}

Status MainWindow::showRecording(const QString& path)
{
    QApplication::setOverrideCursor(Qt::WaitCursor);
    Result<Recording> read = readRecordingFile(path.toStdString());
    QApplication::restoreOverrideCursor();
    if (!read)
        return read.error();
    const auto recording = std::make_shared<const Recording>(std::move(*read));
    m_timeline->setRecording(std::make_shared<const paint::RecordingLanes>(recording, QFileInfo(path).fileName()));
    // What belongs to no scenario is looked at by itself first.
    m_timeline->setAlone(!scenarioOfRecording(*recording, path.toStdString()).file);
    rememberFile(path);
    showView(QStringLiteral("timeline"), Qt::OtherFocusReason);
    return Nothing {};
}

void MainWindow::openRecording(const QString& path)
{
    if (const Status shown = showRecording(path); !shown) {
        m_notice->showError(shown.error());
        emit runFailed();
        return;
    }
    const Recording& recording = m_timeline->recording()->recording();
    m_noteWithRun = noteOf(recording, path);
    const bool underWay = &m_document.wanted() != &m_document.file();
    if (RecordedScenario recorded = scenarioOfRecording(recording, path.toStdString()); recorded.file)
        startRunOf(path, std::move(*recorded.file));
    else if (m_document.empty() && !underWay)
        openSample(QStringLiteral("samples/licence-causal.json"));
    else if (!underWay)
        m_notice->showText(std::exchange(m_noteWithRun, {}));
}

void MainWindow::startRunOf(const QString& recordingPath, ScenarioFile file)
{
    m_nameWithRun = QFileInfo(recordingPath).fileName();
    start({ std::move(file), QString(), false });
}

QString MainWindow::documentTitle() const
{
    return m_document.path().isEmpty() && !m_name.isEmpty() ? m_name : m_document.title();
}

void MainWindow::recordingFileAction(QMenu* menu)
{
    QAction* close = m_actions->add(menu, QStringLiteral("closeRecording"), tr("&Close recording"), {},
        [this] { m_timeline->setRecording(nullptr); });
    m_actions->add(menu, QStringLiteral("saveRecording"), tr("Save recording as …"), {}, [this] { saveRecording(); })
        ->setEnabled(false);
    const auto tick = [this, close] { close->setEnabled(m_timeline->recording() != nullptr); };
    connect(m_timeline, &TimelineCanvas::recordingChanged, close, tick);
    connect(m_timeline, &TimelineCanvas::recordingChanged, this, &MainWindow::showTitle);
    tick();
}

void MainWindow::recordingViewAction(QMenu* menu)
{
    QAction* alone = m_actions->add(menu, QStringLiteral("recordingAlone"), tr("Recording alone"), {},
        [this] { m_timeline->setAlone(!m_timeline->alone()); });
    alone->setCheckable(true);
    const auto tick = [this, alone] {
        alone->setEnabled(m_timeline->recording() != nullptr);
        alone->setChecked(m_timeline->alone());
    };
    connect(m_timeline, &TimelineCanvas::recordingChanged, alone, tick);
    tick();
}

} // namespace flashstep::ui
