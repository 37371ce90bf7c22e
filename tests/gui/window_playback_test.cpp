// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/emulation/run.h"
#include "core/trace/state.h"
#include "ui/actions.h"
#include "ui/headless.h"
#include "ui/main_window.h"
#include "ui/samples.h"
#include "ui/views/accessible.h"
#include "ui/views/notice_bar.h"
#include "ui/views/stage_view.h"
#include "ui/views/timeline_canvas.h"

#include <QAccessible>
#include <QApplication>
#include <QComboBox>
#include <QDragEnterEvent>
#include <QJsonArray>
#include <QLineEdit>
#include <QMimeData>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;

namespace {

// A window with the sample in it, as the first minute has it.
std::unique_ptr<MainWindow> openWindow(const QString& sample = QStringLiteral("samples/licence-causal.json"))
{
    auto window = std::make_unique<MainWindow>(MainWindow::Options { false, false });
    window->resize(1440, 900);
    window->show();
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    window->openSample(sample);
    if (shown.isEmpty())
        shown.wait(30000);
    return window;
}

RunRequest request(std::initializer_list<std::pair<const char*, const char*>> options)
{
    RunRequest request;
    for (const auto& [key, value] : options)
        if (const Status status = setOption(request.file, key, value); !status)
            qFatal("%s", status.error().line().c_str());
    return request;
}

} // namespace

class WindowPlayback : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void sampleIsShownPausedAtItsStart();
    void stepsForthAndBackVisitTheSamePositions_data();
    void stepsForthAndBackVisitTheSamePositions();
    void statesForthAndBackAreEqualAfterEveryEvent();
    void seekStaysInsideTheRun();
    void playStopsAtOnceAndAtTheEnd();
    void positionsOfTheSearchBoxAreFound();
    void turningAKnobKeepsTheShareOfTheRun();
    void cancelKeepsTheOldDocument();
    void newRunReplacesTheOneUnderWay();
    void closingWhileRunningJoinsTheWorker();
    void badFileDroppedKeepsTheOldDocument();
    void unknownPositionIsAMessage();

private:
    QTemporaryDir m_folder;
};

void WindowPlayback::sampleIsShownPausedAtItsStart()
{
    const auto window = openWindow();
    QVERIFY(!window->session().document.empty());
    QCOMPARE(window->session().playback.position().value, 0U);
    QVERIFY(!window->session().playback.playing());
    QVERIFY(window->session().document.trace().end().value > 100);
    QCOMPARE(window->session().document.tokens().queries.size(), window->session().document.program().problem.seqlenQ);
}

void WindowPlayback::stepsForthAndBackVisitTheSamePositions_data()
{
    QTest::addColumn<int>("level");
    for (int level = 0; level <= static_cast<int>(Level::Cta); ++level)
        QTest::newRow(std::string(name(static_cast<Level>(level))).c_str()) << level;
}

void WindowPlayback::stepsForthAndBackVisitTheSamePositions()
{
    QFETCH(int, level);
    const auto window = openWindow();
    Playback& playback = window->session().playback;
    playback.setLevel(static_cast<Level>(level));
    std::vector<Position> forth { playback.position() };
    while (!playback.atEnd()) {
        playback.stepForward();
        QVERIFY(playback.position() > forth.back());
        forth.push_back(playback.position());
    }
    std::vector<Position> back { playback.position() };
    while (playback.position().value > 0) {
        playback.stepBack();
        QVERIFY(playback.position() < back.back());
        back.push_back(playback.position());
    }
    std::reverse(back.begin(), back.end());
    QVERIFY(forth == back);
}

void WindowPlayback::statesForthAndBackAreEqualAfterEveryEvent()
{
    const auto window = openWindow();
    Playback& playback = window->session().playback;
    playback.setLevel(Level::Event);
    const auto ledger
        = [&] { return accessibleTree(QAccessible::queryAccessibleInterface(window->view(QStringLiteral("ledger")))); };
    const auto memory
        = [&] { return accessibleTree(QAccessible::queryAccessibleInterface(window->view(QStringLiteral("memory")))); };
    QList<QJsonObject> states;
    for (int k = 0; k < 300 && !playback.atEnd(); ++k) {
        states.append(ledger());
        states.append(memory());
        playback.stepForward();
    }
    while (!states.isEmpty()) {
        playback.stepBack();
        QCOMPARE(memory(), states.takeLast());
        QCOMPARE(ledger(), states.takeLast());
    }
}

void WindowPlayback::seekStaysInsideTheRun()
{
    const auto window = openWindow();
    Playback& playback = window->session().playback;
    playback.seek(Position { 0xffffffffU });
    QCOMPARE(playback.position().value, playback.end().value);
    playback.stepForward();
    QCOMPARE(playback.position().value, playback.end().value);
    playback.seekStart();
    playback.stepBack();
    QCOMPARE(playback.position().value, 0U);
}

void WindowPlayback::playStopsAtOnceAndAtTheEnd()
{
    const auto window = openWindow();
    Playback& playback = window->session().playback;
    playback.setSpeed(0);
    playback.play();
    QTRY_VERIFY(playback.position().value > 0);
    playback.pause();
    const Position stopped = playback.position();
    QTest::qWait(60);
    QCOMPARE(playback.position().value, stopped.value);
    playback.setLevel(Level::OuterTile);
    playback.play();
    QTRY_VERIFY(!playback.playing());
    QVERIFY(playback.atEnd());
}

void WindowPlayback::positionsOfTheSearchBoxAreFound()
{
    const auto window = openWindow();
    Playback& playback = window->session().playback;
    QVERIFY(window->goTo(QStringLiteral("block(i=2, n=1)")));
    const Trace& trace = window->session().document.trace();
    const CtaId cta = trace.ctaOfTile(0, 0, 2);
    QCOMPARE(playback.position().value, trace.block(0, 0, 2, 1)->value);
    QVERIFY(window->session().selection.cta() == cta);
    QVERIFY(window->goTo(QStringLiteral("end")));
    QVERIFY(playback.atEnd());
    QVERIFY(window->command(QStringLiteral("To the start")));
    QCOMPARE(playback.position().value, 0U);
}

void WindowPlayback::turningAKnobKeepsTheShareOfTheRun()
{
    const auto window = openWindow();
    Playback& playback = window->session().playback;
    playback.seek(Position { playback.end().value / 2 });
    const CtaId cta = window->session().selection.cta();
    RunRequest turned { window->session().document.file(), {}, true };
    QVERIFY(setOption(turned.file, "dtype", "fp32"));
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    window->start(turned);
    QVERIFY(shown.wait(30000));
    QVERIFY(window->session().document.program().problem.dtype == DType::Fp32);
    QVERIFY(std::abs(static_cast<int>(playback.position().value) - static_cast<int>(playback.end().value / 2)) < 3);
    QVERIFY(window->session().selection.cta() == cta);
}

void WindowPlayback::cancelKeepsTheOldDocument()
{
    const auto window = openWindow();
    const auto before = window->session().document.run();
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    QSignalSpy cancelled(&window->controller(), &RunController::cancelled);
    window->start(request({ { "seqlen_q", "2048" }, { "heads", "16" }, { "record", "none" } }));
    QVERIFY(window->controller().running());
    window->controller().cancel();
    QCOMPARE(cancelled.size(), 1);
    QVERIFY(!window->controller().running());
    QTest::qWait(200);
    QVERIFY(shown.isEmpty());
    QVERIFY(window->session().document.run() == before);
    QVERIFY(window->notice().text().contains(QStringLiteral("Cancelled")));
}

void WindowPlayback::newRunReplacesTheOneUnderWay()
{
    const auto window = openWindow();
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    window->start(request({ { "seqlen_q", "2048" }, { "heads", "16" }, { "record", "none" } }));
    window->start(request({ { "seqlen_q", "128" }, { "tile", "64x64" } }));
    QVERIFY(shown.wait(30000));
    QTest::qWait(100);
    QCOMPARE(shown.size(), 1);
    QCOMPARE(window->session().document.program().problem.seqlenQ, 128);
}

void WindowPlayback::closingWhileRunningJoinsTheWorker()
{
    auto window = openWindow();
    window->start(request({ { "seqlen_q", "4096" }, { "heads", "16" }, { "record", "none" } }));
    QVERIFY(window->close());
    window.reset(); // would hang or crash were the worker not joined
    QApplication::processEvents();
}

void WindowPlayback::badFileDroppedKeepsTheOldDocument()
{
    const auto window = openWindow();
    const auto before = window->session().document.run();
    const QString path = m_folder.filePath(QStringLiteral("bad.json"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("{\"flashstep\": 1, \"surprise\": true}");
    file.close();
    QMimeData data;
    data.setUrls({ QUrl::fromLocalFile(path) });
    QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window.get(), &enter);
    QDropEvent drop(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window.get(), &drop);
    QTRY_VERIFY(window->notice().showsError());
    QVERIFY(window->notice().text().contains(QStringLiteral("surprise")));
    QVERIFY(window->session().document.run() == before);
}

void WindowPlayback::unknownPositionIsAMessage()
{
    const auto window = openWindow();
    const Status status = window->goTo(QStringLiteral("first(surprise)"));
    QVERIFY(!status);
    QVERIFY(!status.error().what.empty());
    QCOMPARE(window->session().playback.position().value, 0U);
}

QTEST_MAIN(WindowPlayback)
#include "window_playback_test.moc"
