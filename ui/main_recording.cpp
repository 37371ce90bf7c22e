// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/io/json.h"
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

std::optional<ScenarioFile> scenarioOfRecording(const Recording& recording)
{
    const std::string text = recording.metadataText("problem");
    const Json problem = Json::parse(text, nullptr, false);
    if (!problem.is_object())
        return std::nullopt;
    // The whole scenario, or its problem alone.
    Json scenario = problem.contains("algorithm") ? problem : Json { { "problem", problem } };
    scenario["flashstep"] = 1;
    const Result<ScenarioFile> file = parseScenario(scenario.dump(), "", "problem");
    return file ? std::optional(*file) : std::nullopt;
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
    m_timeline->setAlone(!scenarioOfRecording(*recording));
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
    m_noteWithRun = tr("%1: %2. Clock: %3.")
                        .arg(QFileInfo(path).fileName(), QString::fromStdString(recording.standing()),
                            QString::fromStdString(recording.clock().statement));
    const bool underWay = &m_document.wanted() != &m_document.file();
    if (const auto scenario = scenarioOfRecording(recording))
        start({ *scenario, QString(), false });
    else if (m_document.empty() && !underWay)
        openSample(QStringLiteral("samples/licence-causal.json"));
    else if (!underWay)
        m_notice->showText(std::exchange(m_noteWithRun, {}));
}

void MainWindow::recordingFileAction(QMenu* menu)
{
    QAction* close = m_actions->add(menu, QStringLiteral("closeRecording"), tr("&Close recording"), {},
        [this] { m_timeline->setRecording(nullptr); });
    const auto tick = [this, close] { close->setEnabled(m_timeline->recording() != nullptr); };
    connect(m_timeline, &TimelineCanvas::recordingChanged, close, tick);
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
