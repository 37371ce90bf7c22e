// SPDX-License-Identifier: GPL-3.0-or-later
// The part of MainWindow that makes recordings: on the emulated GPU, or by flashstep-gpu wherever that runs.
#include "core/emulation/run.h"
#include "core/io/files.h"
#include "core/io/recorded_scenario.h"
#include "ui/actions.h"
#include "ui/main_window.h"
#include "ui/views/differences_view.h"
#include "ui/views/measure_dialog.h"
#include "ui/views/notice_bar.h"
#include "ui/views/timeline_canvas.h"

#include <QMenu>

namespace flashstep::ui {

namespace {

// The kernel of what is open. Its inputs are generated: to the time of these kernels numbers do not matter.
Result<const cuda::KernelPlan*> kernelOfDocument(const Document& document)
{
    if (document.empty())
        return Error { "nothing is open", {}, {} };
    Scenario scenario = document.run()->scenario;
    scenario.qFile = scenario.kFile = scenario.vFile = {};
    return kernelOf(scenario);
}

} // namespace

void MainWindow::measureActions(QMenu* menu)
{
    m_actions->add(menu, QStringLiteral("recordEmulated"), tr("Record the kernel on the emulated GPU"), {},
        [this] { recordEmulated(); });
    m_actions->add(menu, QStringLiteral("measure"), tr("&Measure on a GPU …"), {}, [this] { showMeasure(); });
    m_actions->add(menu, QStringLiteral("show.differences"), tr("Recording against schedule"), {},
        [this] { showView(QStringLiteral("differences")); });
}

void MainWindow::connectMeasuring()
{
    connect(&m_measurer, &MeasureController::recorded, this, &MainWindow::openMade);
    // The dialog tells of itself; without it the line above the stage does.
    connect(&m_measurer, &MeasureController::started, this, [this](const QString& what) {
        if (!m_measureDialog)
            m_notice->showRunning(what);
    });
    connect(&m_measurer, &MeasureController::progressed, this, [this](double fraction) {
        if (!m_measureDialog)
            m_notice->setProgress(fraction);
    });
    connect(&m_measurer, &MeasureController::failed, this, [this](const Error& error) {
        if (!m_measureDialog)
            m_notice->showError(error);
    });
    connect(&m_measurer, &MeasureController::cancelled, this, [this] {
        if (!m_measureDialog)
            m_notice->showText(tr("Cancelled. What was open is still here."));
    });
    connect(m_notice, &NoticeBar::cancelRequested, &m_measurer, &MeasureController::cancel);
    connect(m_timeline, &TimelineCanvas::recordingChanged, m_differences,
        [this] { m_differences->setRecording(m_timeline->recording()); });
    connect(m_differences, &DifferencesView::chosen, this, [this](InstanceId instance) {
        m_selection.chooseInstance(instance);
        m_timeline->showSlice(instance);
    });
}

void MainWindow::recordEmulated()
{
    const Result<const cuda::KernelPlan*> kernel = kernelOfDocument(m_document);
    if (!kernel) {
        m_notice->showError(kernel.error());
        return;
    }
    const Scenario& scenario = m_document.run()->scenario;
    m_measurer.emulate(**kernel, scenario.problem, scenario.gpu);
}

void MainWindow::showMeasure()
{
    if (m_measureDialog) {
        m_measureDialog->raise();
        return;
    }
    MeasureDialog::Subject subject;
    const Result<const cuda::KernelPlan*> kernel = kernelOfDocument(m_document);
    if (kernel) {
        subject.kernel = *kernel;
        subject.problem = m_document.run()->scenario.problem;
        subject.words = tr("%1 on %2 queries and %3 keys")
                            .arg(QString::fromLatin1((*kernel)->name))
                            .arg(subject.problem.seqlenQ)
                            .arg(subject.problem.seqlenK);
    } else {
        subject.refusal = tr("What is open cannot be recorded: %1").arg(QString::fromStdString(kernel.error().line()));
    }
    m_measureDialog = new MeasureDialog(m_measurer, subject, m_options.remembers, this);
    m_measureDialog->show();
}

// A recording that is on no disk yet: beside the run that it is of, which is started where another is open.
void MainWindow::openMade(const MadeRecording& made)
{
    m_timeline->setRecording(std::make_shared<const paint::RecordingLanes>(made.recording, made.name));
    m_timeline->setAlone(false);
    showView(QStringLiteral("differences"), Qt::OtherFocusReason);
    m_made = made;
    m_actions->action(QStringLiteral("saveRecording"))->setEnabled(true);
    const QString note = noteOf(*made.recording, made.name);
    Result<ScenarioFile> file = recordedScenario(*made.recording);
    if (file && !m_document.empty() && !sameRun(file->scenario, *m_document.run())) {
        m_noteWithRun = note;
        startRunOf(made.name, std::move(*file));
    } else {
        m_notice->showOffer(note, tr("Save …"), [this] { saveRecording(); });
    }
}

void MainWindow::saveRecording()
{
    if (!m_made.recording)
        return;
    const QString path = targetFor(tr("Save recording"), m_made.name, tr("Recordings (*.json)"));
    if (path.isEmpty())
        return;
    report(writeFileAtomically(path.toStdString(),
               [this](std::ostream& out) -> Status {
                   out << m_made.bytes;
                   return Nothing {};
               }),
        path);
}

} // namespace flashstep::ui
