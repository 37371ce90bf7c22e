// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/emulation/run.h"
#include "core/trace/condition.h"
#include "core/trace/state.h"
#include "ui/actions.h"
#include "ui/current.h"
#include "ui/headless.h"
#include "ui/main_window.h"
#include "ui/views/notice_bar.h"
#include "ui/views/places_view.h"
#include "ui/views/why_view.h"

#include <QComboBox>
#include <QCompleter>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLineEdit>
#include <QMenu>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QUrl>
#include <QtTest>

#include <memory>
#include <random>

using namespace flashstep;
using namespace flashstep::ui;

namespace {

RunRequest request(std::initializer_list<std::pair<const char*, const char*>> options)
{
    RunRequest request;
    for (const auto& [key, value] : options)
        if (const Status status = setOption(request.file, key, value); !status)
            qFatal("%s", status.error().line().c_str());
    return request;
}

void startAndWait(MainWindow& window, const RunRequest& wanted)
{
    QSignalSpy shown(&window, &MainWindow::runShown);
    window.start(wanted);
    if (shown.isEmpty())
        shown.wait(30000);
    QVERIFY(!shown.isEmpty());
}

std::unique_ptr<MainWindow> openWindow(const char* algorithm, const char* gpu = "b200")
{
    auto window = std::make_unique<MainWindow>(MainWindow::Options { false, false });
    window->resize(1440, 900);
    window->show();
    startAndWait(*window,
        request({ { "algorithm", algorithm }, { "gpu", gpu }, { "seqlen_q", "64" }, { "head_dim", "16" },
            { "tile", "8x8" }, { "cost_tile", "128x128" }, { "mask", "causal" }, { "init", "rising-left" } }));
    return window;
}

QLineEdit* searchBox(MainWindow& window)
{
    for (auto* edit : window.findChildren<QLineEdit*>())
        if (edit->accessibleName() == QStringLiteral("Find a moment or a command"))
            return edit;
    return nullptr;
}

QComboBox* runToBox(MainWindow& window)
{
    for (auto* box : window.findChildren<QComboBox*>())
        if (box->accessibleName() == QStringLiteral("Run to the next"))
            return box;
    return nullptr;
}

void search(MainWindow& window, const QString& text)
{
    QLineEdit* box = searchBox(window);
    box->setText(text);
    emit box->returnPressed();
}

void choose(QComboBox* box, const QString& data)
{
    const int index = box->findData(data);
    QVERIFY2(index >= 0, qPrintable(data));
    box->setCurrentIndex(index);
    emit box->activated(index);
}

} // namespace

class WindowMoving : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void runsToTheChosenBothWays();
    void conditionsAreFoundFromTheSearchBoxAndAgain();
    void aBreakpointStopsPlaying();
    void breakpointOfThisStepIsToggled();
    void bookmarksOutliveAKnob();
    void placesAreSavedWithTheScenario();
    void undoTakesBackAKnobAndABookmark();
    void anotherFileForgetsWhatCanBeUndone();
    void changesDuringARunAddUp();
    void undoThatIsCancelledLeavesTheHistory();
    void whyShowsWhatWaits();
    void faultsAreListed();
    void brokenFromTheMenuAndMended();
    void paletteOffersCommandsWithTheirKeys();

private:
    QTemporaryDir m_folder;
};

void WindowMoving::runsToTheChosenBothWays()
{
    const auto window = openWindow("fa4");
    Playback& playback = window->session().playback;
    const Trace& trace = window->session().document.trace();
    choose(runToBox(*window), QStringLiteral("rescale(decision=skipped)"));
    const Position first = playback.position();
    QVERIFY(first.value > 0);
    const auto vote = trace.voteOf(trace.eventAt(first.value - 1).instance);
    QVERIFY(vote.has_value());
    QCOMPARE(vote->rowsDone, 0);
    window->actions().action(QStringLiteral("runToNext"))->trigger();
    QVERIFY(playback.position() > first);
    window->actions().action(QStringLiteral("runToPrevious"))->trigger();
    QCOMPARE(playback.position().value, first.value);
    window->actions().action(QStringLiteral("runToPrevious"))->trigger(); // there is none: it says so and stays
    QCOMPARE(playback.position().value, first.value);
    QVERIFY(window->notice().isVisible());
}

void WindowMoving::conditionsAreFoundFromTheSearchBoxAndAgain()
{
    const auto window = openWindow("fa2");
    Playback& playback = window->session().playback;
    const Trace& trace = window->session().document.trace();
    const CtaId cta = trace.ctaOfTile(0, 0, 5);
    window->session().selection.chooseCta(cta);
    search(*window, QStringLiteral("next(maximum, row=44)"));
    std::vector<Position> seen;
    for (int k = 0; k < 6; ++k) { // rising to the left: each of the row's six blocks brings a greater one
        seen.push_back(playback.position());
        for (const RowState& row : ledgerAt(trace, cta, playback.position()))
            if (row.row == 44)
                QVERIFY(row.m > row.mBefore);
        window->actions().action(QStringLiteral("findNext"))->trigger();
    }
    for (std::size_t k = 1; k < seen.size(); ++k)
        QVERIFY(seen[k] > seen[k - 1]);
    QCOMPARE(playback.position().value, seen.back().value); // no seventh
    window->actions().action(QStringLiteral("findPrevious"))->trigger();
    QCOMPARE(playback.position().value, seen[4].value);
    // first(…) goes on as its kind.
    search(*window, QStringLiteral("first(exp2, i=5)"));
    const Position exp2 = playback.position();
    window->actions().action(QStringLiteral("findNext"))->trigger();
    QVERIFY(playback.position() > exp2);
    QCOMPARE(trace.op(trace.eventAt(playback.position().value - 1).instance).kind, OpKind::Exp2);
}

void WindowMoving::aBreakpointStopsPlaying()
{
    const auto window = openWindow("fa2");
    Playback& playback = window->session().playback;
    QVERIFY(window->places().addBreakpoint(QStringLiteral("rescale(j=2)")));
    QVERIFY(!window->places().addBreakpoint(QStringLiteral("no such thing")));
    const auto condition = Condition::parse(window->session().document.trace(), "rescale(j=2)");
    const auto expected = condition->next(window->session().document.trace(), playback.position(), playback.followed());
    QVERIFY(expected.has_value());
    playback.setLevel(Level::InnerTile);
    playback.setSpeed(0);
    QSignalSpy stopped(&playback, &Playback::stopped);
    playback.play();
    QVERIFY(stopped.count() > 0 || stopped.wait(20000));
    QVERIFY(!playback.playing());
    QCOMPARE(playback.position().value, expected->position.value);
    // Switched off it stops nothing.
    Places::All all = window->places().all();
    all.breakpoints[0].enabled = false;
    window->places().change(all, QStringLiteral("off"));
    playback.play();
    QTRY_VERIFY_WITH_TIMEOUT(!playback.playing(), 30000);
    QVERIFY(playback.atEnd());
}

void WindowMoving::breakpointOfThisStepIsToggled()
{
    const auto window = openWindow("fa3", "h100");
    search(*window, QStringLiteral("block(i=3, n=2)"));
    QAction* toggle = window->actions().action(QStringLiteral("toggleBreakpoint"));
    toggle->trigger();
    QCOMPARE(window->places().all().breakpoints.size(), std::size_t(1));
    const InstanceId here = currentInstance(window->session());
    const auto line = window->session().document.trace().op(here).line;
    QCOMPARE(window->places().all().breakpoints[0].condition, QStringLiteral("line(%1)").arg(line));
    toggle->trigger();
    QVERIFY(window->places().all().breakpoints.empty());
}

void WindowMoving::bookmarksOutliveAKnob()
{
    const auto window = openWindow("fa3", "h100");
    search(*window, QStringLiteral("nth(3, exp2, i=4)"));
    Playback& playback = window->session().playback;
    const Trace& trace = window->session().document.trace();
    const Event before = trace.eventAt(playback.position().value - 1);
    const Op op = trace.op(before.instance);
    const std::string role = window->session().document.program().roles[op.role.index()].name;
    window->actions().action(QStringLiteral("setBookmark.4"))->trigger();
    QCOMPARE(window->places().all().bookmarks.size(), std::size_t(1));
    RunRequest turned { window->session().document.file(), {}, true };
    (void)setOption(turned.file, "what_if", "mufu-rate=4");
    startAndWait(*window, turned);
    QCOMPARE(window->places().all().bookmarks.size(), std::size_t(1));
    playback.seekStart();
    window->actions().action(QStringLiteral("goBookmark.4"))->trigger();
    const Trace& again = window->session().document.trace();
    QVERIFY(playback.position().value > 0);
    const Op& there = again.op(again.eventAt(playback.position().value - 1).instance);
    QCOMPARE(there.kind, op.kind);
    QCOMPARE(there.line, op.line);
    QCOMPARE(there.j, op.j);
    QCOMPARE(window->session().document.program().roles[there.role.index()].name, role);
}

void WindowMoving::placesAreSavedWithTheScenario()
{
    const auto window = openWindow("fa2");
    search(*window, QStringLiteral("block(i=2, n=1)"));
    window->actions().action(QStringLiteral("addBookmark"))->trigger();
    QVERIFY(window->places().addBreakpoint(QStringLiteral("wait(longer=100)")));
    const std::string text = scenarioText(window->session().document.file(), "");
    const QJsonObject json = QJsonDocument::fromJson(QByteArray::fromStdString(text)).object();
    QCOMPARE(json.value(QStringLiteral("bookmarks")).toArray().size(), 1);
    QCOMPARE(json.value(QStringLiteral("breakpoints")).toArray().size(), 1);
    QFile file(m_folder.filePath(QStringLiteral("kept.json")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(text.c_str());
    file.close();
    MainWindow other({ false, false });
    QSignalSpy shown(&other, &MainWindow::runShown);
    other.open(file.fileName());
    QVERIFY(!shown.isEmpty() || shown.wait(30000));
    QVERIFY(other.places().all() == window->places().all());
    const auto bookmark = other.places().find(other.places().all().bookmarks[0]);
    QVERIFY(bookmark.ok());
    QCOMPARE(bookmark->position.value, window->session().playback.position().value);
}

void WindowMoving::undoTakesBackAKnobAndABookmark()
{
    const auto window = openWindow("fa2");
    QAction* undo = window->actions().action(QStringLiteral("undo"));
    QAction* redo = window->actions().action(QStringLiteral("redo"));
    QVERIFY(!undo->isEnabled());
    const Cycle cycles = window->session().document.trace().cycles();
    RunRequest turned { window->session().document.file(), {}, true };
    (void)setOption(turned.file, "what_if", "mufu-rate=4");
    startAndWait(*window, turned);
    const Cycle slower = window->session().document.trace().cycles();
    QVERIFY(slower > cycles);
    QVERIFY(undo->isEnabled());
    window->actions().action(QStringLiteral("addBookmark"))->trigger();
    QCOMPARE(window->places().all().bookmarks.size(), std::size_t(1));
    undo->trigger();
    QVERIFY(window->places().all().bookmarks.empty());
    redo->trigger();
    QCOMPARE(window->places().all().bookmarks.size(), std::size_t(1));
    undo->trigger();
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    undo->trigger();
    QVERIFY(!shown.isEmpty() || shown.wait(30000));
    QCOMPARE(window->session().document.trace().cycles(), cycles);
    QVERIFY(!undo->isEnabled());
    shown.clear();
    redo->trigger();
    QVERIFY(!shown.isEmpty() || shown.wait(30000));
    QCOMPARE(window->session().document.trace().cycles(), slower);
}

void WindowMoving::anotherFileForgetsWhatCanBeUndone()
{
    const auto window = openWindow("fa2");
    window->actions().action(QStringLiteral("addBookmark"))->trigger();
    QVERIFY(window->actions().action(QStringLiteral("undo"))->isEnabled());
    startAndWait(*window, request({ { "seqlen_q", "32" }, { "tile", "8x8" } }));
    QVERIFY(!window->actions().action(QStringLiteral("undo"))->isEnabled());
    QVERIFY(window->places().all().bookmarks.empty());
}

void WindowMoving::changesDuringARunAddUp()
{
    const auto window = openWindow("fa2");
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    QComboBox* gpu = nullptr;
    for (auto* box : window->findChildren<QComboBox*>())
        gpu = box->accessibleName() == QStringLiteral("GPU") ? box : gpu;
    QVERIFY(gpu);
    choose(gpu, QStringLiteral("a100"));
    QVERIFY(window->controller().running());
    window->actions().action(QStringLiteral("addBookmark"))->trigger(); // while it runs
    RunRequest turned { window->session().document.wanted(), {}, true };
    (void)setOption(turned.file, "what_if", "mufu-rate=4");
    window->start(turned);
    QTRY_VERIFY_WITH_TIMEOUT(!shown.isEmpty() && !window->controller().running(), 30000);
    const ScenarioFile& file = window->session().document.file();
    QCOMPARE(file.scenario.gpu, std::string("a100"));
    QCOMPARE(file.scenario.knobs.size(), std::size_t(1));
    QCOMPARE(window->places().all().bookmarks.size(), std::size_t(1));
}

void WindowMoving::undoThatIsCancelledLeavesTheHistory()
{
    const auto window = openWindow("fa2");
    RunRequest turned { window->session().document.file(), {}, true };
    (void)setOption(turned.file, "what_if", "mufu-rate=4");
    startAndWait(*window, turned);
    const Cycle slower = window->session().document.trace().cycles();
    QAction* undo = window->actions().action(QStringLiteral("undo"));
    undo->trigger();
    window->controller().cancel();
    QVERIFY(!window->controller().running());
    QCOMPARE(window->session().document.trace().cycles(), slower);
    QVERIFY(undo->isEnabled());
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    undo->trigger();
    QVERIFY(!shown.isEmpty() || shown.wait(30000));
    QVERIFY(window->session().document.trace().cycles() < slower);
}

void WindowMoving::whyShowsWhatWaits()
{
    std::minstd_rand draw(7);
    for (const char* algorithm : { "fa1", "fa2", "fa3", "fa4" }) {
        const bool hopper = std::string(algorithm) == "fa3";
        const auto window = openWindow(algorithm, hopper ? "h100" : "b200");
        window->showView(QStringLiteral("why"));
        auto* why = qobject_cast<WhyView*>(window->view(QStringLiteral("why")));
        QVERIFY(why);
        const Trace& trace = window->session().document.trace();
        const CtaId cta = window->session().selection.cta();
        std::size_t waited = 0;
        for (int k = 0; k < 60; ++k) {
            window->session().playback.seek(Position { static_cast<std::uint32_t>(draw() % trace.end().value) });
            QCoreApplication::processEvents();
            const Position p = window->session().playback.position();
            const QString text = why->toPlainText();
            for (const RoleState& role : rolesAt(trace, cta, p)) {
                // Of no length is a wait that is over within the cycle.
                if (role.kind != RoleState::Kind::Waiting || trace.endCycle(role.current) == trace.timeAt(p))
                    continue;
                ++waited;
                const QString name = QString::fromStdString(trace.program().roles[role.role.index()].name);
                QVERIFY2(text.contains(name + QStringLiteral(" has waited")), qPrintable(name + text));
            }
            for (const BarrierState& state : barriersAt(trace, cta, p))
                QVERIFY2(
                    text.contains(QStringLiteral("%1 · %2 of %3")
                                      .arg(QString::fromStdString(trace.program().barriers[state.barrier.index()].name))
                                      .arg(QLocale::c().toString(state.arrived).replace(',', QChar(0xa0)))
                                      .arg(QLocale::c().toString(state.expected).replace(',', QChar(0xa0)))),
                    qPrintable(text));
        }
        QVERIFY2(waited > 5, algorithm);
        // A link goes to its moment.
        QRegularExpression link(QStringLiteral("at:(\\d+)"));
        const auto match = link.match(why->toHtml());
        if (match.hasMatch()) {
            emit why->anchorClicked(QUrl(match.captured(0)));
            QCOMPARE(window->session().playback.position().value, match.captured(1).toUInt());
        }
    }
}

void WindowMoving::faultsAreListed()
{
    const auto window = openWindow("fa2");
    RunRequest broken { window->session().document.file(), {}, true };
    (void)setOption(broken.file, "break", "wait:K_visible");
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    QSignalSpy failed(window.get(), &MainWindow::runFailed);
    window->start(broken);
    QTRY_VERIFY_WITH_TIMEOUT(!shown.isEmpty() || !failed.isEmpty(), 30000);
    QVERIFY2(failed.isEmpty(), "the name of the wait");
    window->showView(QStringLiteral("why"));
    QCoreApplication::processEvents();
    const auto* why = qobject_cast<WhyView*>(window->view(QStringLiteral("why")));
    const Report& report = window->session().document.run()->report;
    QVERIFY(report.hazards > 0);
    QVERIFY(why->toPlainText().contains(QStringLiteral("hazard")));
    QVERIFY(why->toPlainText().contains(QString::fromStdString(report.hazardList.front().kind)));
}

void WindowMoving::brokenFromTheMenuAndMended()
{
    const auto window = openWindow("fa4");
    auto* menu = window->findChild<QMenu*>(QStringLiteral("breakMenu"));
    QVERIFY(menu);
    const auto choose = [&](const QString& text) {
        emit menu->aboutToShow();
        for (QAction* action : menu->actions())
            if (action->text().startsWith(text)) {
                QSignalSpy shown(window.get(), &MainWindow::runShown);
                action->trigger();
                return !shown.isEmpty() || shown.wait(30000);
            }
        return false;
    };
    QVERIFY(choose(QStringLiteral("Mix the frames")));
    const Report& broken = window->session().document.run()->report;
    QVERIFY(*broken.maxAbsError > *broken.errorBound);
    window->showView(QStringLiteral("why"));
    QCoreApplication::processEvents();
    const auto* why = qobject_cast<WhyView*>(window->view(QStringLiteral("why")));
    QVERIFY(why->toPlainText().contains(QStringLiteral("Wrong numbers")));
    QVERIFY(choose(QStringLiteral("Mend everything")));
    const Report& mended = window->session().document.run()->report;
    QVERIFY(*mended.maxAbsError <= *mended.errorBound);
    QVERIFY(window->session().document.file().scenario.breaks.empty());
}

void WindowMoving::paletteOffersCommandsWithTheirKeys()
{
    const auto window = openWindow("fa4");
    const QAbstractItemModel* model = searchBox(*window)->completer()->model();
    bool step = false;
    bool condition = false;
    for (int row = 0; row < model->rowCount(); ++row) {
        const QString text = model->index(row, 0).data().toString();
        const QString about = model->index(row, 1).data().toString();
        step = step || (text == QStringLiteral("Step forward") && about.contains(QStringLiteral("F10")));
        condition = condition || text == QStringLiteral("next(rescale, decision=skipped)");
    }
    QVERIFY(step);
    QVERIFY(condition);
    const Position before = window->session().playback.position();
    search(*window, QStringLiteral("step forward"));
    QVERIFY(window->session().playback.position() > before);
    search(*window, QStringLiteral("next(rescale, decision=skipped)"));
    QVERIFY(window->session().playback.position().value > 1);
}

QTEST_MAIN(WindowMoving)
#include "window_moving_test.moc"
