// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/main_window.h"

#include "core/emulation/run.h"
#include "core/trace/query.h"
#include "ui/actions.h"
#include "ui/kernel/kernel_window.h"
#include "ui/paint/text.h"
#include "ui/text.h"
#include "ui/views/controls.h"
#include "ui/views/hints.h"
#include "ui/views/notice_bar.h"
#include "ui/views/scenario_panel.h"
#include "ui/views/stage_view.h"
#include "ui/views/term_card.h"
#include "ui/views/timeline_canvas.h"
#include "ui/views/transport.h"
#include "ui/views/welcome.h"

#include <QCloseEvent>
#include <QStatusBar>
#include <QUndoStack>
#include <QVBoxLayout>

#include <cmath>

namespace flashstep::ui {

MainWindow::MainWindow(const Options& options)
    : m_options(options)
{
    installAccessibility();
    setObjectName(QStringLiteral("FlashStep"));
    setAcceptDrops(true);
    setDockNestingEnabled(true);
    setContextMenuPolicy(Qt::NoContextMenu);
    m_actions = new Actions(this);

    auto* centre = new QWidget(this);
    auto* column = new QVBoxLayout(centre);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_notice = new NoticeBar(centre);
    m_exportNotice = new NoticeBar(centre);
    m_exportNotice->setAccessibleName(tr("Export"));
    m_stage = new StageView(m_session, centre);
    column->addWidget(m_notice);
    column->addWidget(m_exportNotice);
    column->addWidget(m_stage, 1);
    setCentralWidget(centre);

    makeDocks();
    makeToolBar();
    makeMenus();
    makeWelcome();
    m_statusLeft = makeLabel({}, "info", this);
    m_statusRight = makeLabel({}, "info", this);
    m_statusLeft->setContentsMargins(10, 0, 0, 0);
    m_statusRight->setContentsMargins(0, 0, 10, 0);
    connect(m_statusLeft, &QLabel::linkActivated, this, [this](const QString& name) { showView(name); });
    statusBar()->setSizeGripEnabled(false);
    statusBar()->addWidget(m_statusLeft);
    statusBar()->addPermanentWidget(m_statusRight);
    connectParts();
    resize(1440, 900);
    setMinimumSize(480, 360);
    restore();
    if (!m_arrangedByHand)
        arrange();
    showTitle();
    showStatus();
    m_stage->focusCanvas()->setFocus();
    if (options.hints) {
        m_hints = new Hints(this, m_session);
        m_hints->add(m_transport, tr("Step with <b>→</b> and <b>←</b>, play with <b>Space</b>."));
        m_hints->add(m_transport->scrubber(), tr("Drag here to go to any moment."));
        m_hints->add(view(QStringLiteral("explain")), tr("Why this step? It is told here."), true);
    }
}

// QWidget would delete the views only after the members they look at are gone, and a field that loses the focus on the
// way out still has its say; so they go first, and nobody listens to them any more.
MainWindow::~MainWindow()
{
    m_controller.disconnect(this);
    m_measurer.disconnect();
    m_exporter.disconnect();
    m_scenario->disconnect(this);
    m_undo->disconnect(); // says that it is being emptied
    qDeleteAll(findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly));
}

void MainWindow::connectParts()
{
    connect(&m_controller, &RunController::started, this, [this] { m_notice->showRunning(tr("Emulating …")); });
    connect(&m_controller, &RunController::progressed, m_notice, &NoticeBar::setProgress);
    connect(&m_controller, &RunController::finished, this, &MainWindow::accept);
    connect(&m_controller, &RunController::cancelled, this, [this] {
        m_notice->showText(tr("Cancelled. What was open is still here."));
        m_document.setWanted(std::nullopt);
        notTakenBack();
        fillChoices();
        showStatus();
    });
    connect(&m_controller, &RunController::failed, this, [this](const Error& error) {
        m_document.setWanted(std::nullopt);
        notTakenBack();
        m_notice->showError(error);
        fillChoices();
        showStatus();
        emit runFailed();
    });
    connect(&m_controller, &RunController::guessed, this, [this](const std::vector<GuessEffect>& effects) {
        m_guesses = effects;
        showStatus();
    });
    connect(m_notice, &NoticeBar::cancelRequested, &m_controller, &RunController::cancel);
    connect(m_scenario, &ScenarioPanel::requested, this, [this](const ScenarioFile& file) {
        start({ file, m_document.path(), true });
    });
    connectPlaces();
    connectMeasuring();
    connectExports();
    connect(&m_document, &Document::changed, this, &MainWindow::showTitle);
    connect(&m_document, &Document::renamed, this, &MainWindow::showTitle);
    connect(&m_document, &Document::changed, this, &MainWindow::showStatus);
    connect(&m_document, &Document::changed, this, &MainWindow::fillChoices);
    connect(&m_playback, &Playback::modeChanged, this, &MainWindow::showStatus);
    connect(&m_playback, &Playback::positionChanged, this, [this] {
        m_selection.followWork(m_playback.position());
        followLaunch();
    });
    connect(&m_selection, &Selection::changed, this, [this] {
        fillChoices();
        // Steps of "this CTA" are those of the chosen one.
        if (m_playback.followed().valid())
            m_playback.follow(m_selection.cta());
    });
}

void MainWindow::start(const RunRequest& request)
{
    m_welcome->dismiss();
    if (const Status known = checkKnobs(request.file.scenario); !known) {
        m_notice->showError(known.error());
        fillChoices();
        emit runFailed();
        return;
    }
    m_document.setWanted(request.file);
    m_controller.start(request);
    showStatus();
}

void MainWindow::accept(const RunOutcome& outcome)
{
    m_notice->dismiss();
    const bool keeps = outcome.request.keepsPlace && !m_document.empty() && m_document.trace().end().value > 0;
    const double share = keeps ? static_cast<double>(m_playback.position().value) / m_document.trace().end().value : 0;
    const CtaId cta = keeps ? m_selection.cta() : CtaId::none();
    const int row = m_selection.row();
    const ScenarioFile before = m_document.file();
    const bool change = keeps && !outcome.request.takesBack;
    const bool everybody = keeps && !m_playback.followed().valid();
    m_undoFrom.reset();
    if (!keeps)
        m_undo->clear(); // another document
    m_guesses.clear();
    ScenarioFile file = outcome.request.file;
    if (keeps) { // what was marked while it ran
        file.bookmarks = m_document.file().bookmarks;
        file.breakpoints = m_document.file().breakpoints;
    }
    m_document.setWanted(std::nullopt);
    if (!keeps || !m_nameWithRun.isEmpty())
        m_name = std::exchange(m_nameWithRun, {});
    m_document.set(outcome.run, outcome.labels, std::move(file), outcome.request.path);
    if (keeps && cta.valid() && cta.index() < m_document.program().ctaCount()) {
        m_selection.chooseCta(cta);
        m_selection.chooseRow(row);
    }
    // Where one launch is all, one CTA tells the story; where several follow each other, everybody's steps do.
    if (m_document.program().launches.size() == 1 && !everybody)
        m_playback.follow(m_selection.cta());
    if (keeps)
        m_playback.seek(Position { static_cast<std::uint32_t>(std::lround(share * m_document.trace().end().value)) });
    if (change && scenarioText(before, "") != scenarioText(m_document.file(), ""))
        rememberChange(before, m_document.file());
    if (!m_noteWithRun.isEmpty())
        m_notice->showText(std::exchange(m_noteWithRun, {}));
    for (const std::string& note : m_document.run()->report.inputNotes)
        m_notice->showText(QString::fromStdString(note));
    offerValues();
    emit runShown();
}

void MainWindow::recordCta()
{
    if (m_selection.cta().valid())
        change("record", "cta:" + std::to_string(m_selection.cta().index()));
}

void MainWindow::offerValues()
{
    const CtaId cta = m_selection.cta();
    if (!cta.valid() || m_document.trace().hasValues(cta) || m_notice->showsError())
        return;
    const auto number = static_cast<qulonglong>(cta.index());
    m_notice->showOffer(tr("Schedule and times are shown; the values of CTA %1 were not computed.").arg(number),
        tr("Compute those of CTA %1").arg(number), [this] { recordCta(); });
}

// Where launches follow each other, the CTA on show is the one of the launch that is running for the same query tile.
void MainWindow::followLaunch()
{
    if (m_document.empty() || m_playback.followed().valid() || m_document.program().launches.size() < 2)
        return;
    const Program& program = m_document.program();
    const Trace& trace = m_document.trace();
    const Position p = m_playback.position();
    const WorkId running = p.value == 0 ? WorkId(0) : trace.workOf(trace.eventAt(p.value - 1).instance);
    const std::uint8_t launch = program.work(running).launch;
    const Work& shown = program.work(trace.workAt(m_selection.cta(), p));
    if (shown.launch == launch)
        return;
    const LaunchDecl& decl = program.launches[launch];
    for (std::uint32_t w = decl.firstWork; w < decl.firstWork + decl.workCount; ++w) {
        const Work& work = program.works[w];
        if (work.b == shown.b && work.h == shown.h && work.row <= shown.row && shown.row < work.row + decl.queryRows)
            return m_selection.chooseCta(trace.ctaOf(WorkId(w)));
    }
}

void MainWindow::showTitle()
{
    QString title = m_document.empty() ? QString() : documentTitle();
    if (const auto recording = m_timeline->recording(); recording && recording->name() != title)
        title = title.isEmpty() ? tr("recording %1").arg(recording->name())
                                : tr("recording %1, run %2").arg(recording->name(), title);
    setWindowTitle(title.isEmpty() ? tr("FlashStep") : tr("%1 — FlashStep").arg(title));
}

void MainWindow::showStatus()
{
    if (m_document.empty()) {
        m_statusLeft->setText(m_controller.running() ? tr("Emulating …") : tr("Nothing open"));
        m_statusRight->clear();
        return;
    }
    const Run& run = *m_document.run();
    const Report& report = run.report;
    QStringList parts { m_controller.running() ? tr("Emulating …")
            : m_playback.playing()             ? tr("Playing")
                                               : tr("Ready") };
    const QString hazards = report.hazards == 1 ? tr("1 hazard") : tr("%1 hazards").arg(report.hazards);
    parts.append(report.hazards == 0 ? hazards : QStringLiteral("<a href='why'>%1</a>").arg(hazards));
    if (!run.trace->deadlock().empty())
        parts.append(tr("<a href='why'>deadlock</a>: %1")
                         .arg(QString::fromStdString(run.trace->deadlock().front().waitingFor).toHtmlEscaped()));
    const bool wrong = report.maxAbsError && report.errorBound && !(*report.maxAbsError <= *report.errorBound);
    if (report.maxAbsError)
        parts.append(tr("error against fp64: %1").arg(*report.maxAbsError, 0, 'e', 1)
            + (wrong ? tr(", <a href='why'>beyond %1</a>").arg(*report.errorBound, 0, 'e', 1) : QString()));
    m_statusLeft->setText(parts.join(QStringLiteral(" · ")));
    const bool fault = wrong || report.hazards > 0 || !run.trace->deadlock().empty();
    m_statusLeft->setStyleSheet(fault ? QStringLiteral("color: %1; font-size: %2px")
                                            .arg(m_appearance.theme().fault.name())
                                            .arg(m_appearance.px(11))
                                      : QString());
    // What rests on a guess says so, at a glance and by name.
    QStringList guesses;
    for (const GuessEffect& effect : m_guesses)
        guesses.append(tr("%1 = %2 %3: %4 % / %5 % of the time if it were 10 % smaller / larger")
                           .arg(fromView(effect.field))
                           .arg(effect.figure.value)
                           .arg(fromView(effect.figure.unit))
                           .arg(effect.smallerPercent, 0, 'f', 2)
                           .arg(effect.largerPercent, 0, 'f', 2));
    QString modelled
        = tr("Times are modelled: %1 at %2 GHz").arg(fromView(run.gpu.title)).arg(run.gpu.clockMhz.value / 1000);
    if (!guesses.empty())
        modelled += guesses.size() == 1 ? tr(" · 1 guess") : tr(" · %1 guesses").arg(guesses.size());
    m_statusRight->setText(modelled);
    const QString figures = guesses.empty()
        ? fromView(run.gpu.clockMhz.source)
        : tr("Clock: %1\nThese figures are guesses:\n%2")
              .arg(fromView(run.gpu.clockMhz.source), guesses.join(QLatin1Char('\n')));
    m_statusRight->setToolTip(tipWithTerm(figures, QStringLiteral("modelled time"), m_session));
}

Status MainWindow::goTo(const QString& position)
{
    if (m_document.empty())
        return Error { "no scenario is open", position.toStdString(), "open one first" };
    const Result<Moment> moment = findMoment(m_document.trace(), position.trimmed().toStdString());
    if (!moment)
        return moment.error();
    m_playback.pause();
    if (moment->cta.valid())
        m_selection.chooseCta(moment->cta);
    m_playback.seek(moment->position);
    return Nothing {};
}

bool MainWindow::command(const QString& text)
{
    for (QAction* action : m_actions->all()) {
        const QString name = action->text().section(QLatin1Char('\t'), 0, 0).remove(QLatin1Char('&'));
        if (name.compare(text.trimmed(), Qt::CaseInsensitive) == 0 && action->isEnabled()) {
            action->trigger();
            return true;
        }
    }
    return false;
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    m_playback.pause();
    m_controller.cancel();
    m_exporter.cancel();
    remember();
    event->accept();
}

} // namespace flashstep::ui
