// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/emulation/run.h"
#include "core/io/chrome_json.h"
#include "core/io/files.h"
#include "core/io/perfetto.h"
#include "core/io/recording_read.h"
#include "tests/gui/open_window.h"
#include "ui/actions.h"
#include "ui/headless.h"
#include "ui/views/notice_bar.h"
#include "ui/views/timeline_canvas.h"

#include <QHelpEvent>
#include <QMenu>
#include <QTemporaryDir>
#include <QtTest>

using namespace flashstep;
using namespace flashstep::ui;

namespace {

QString fixture(const char* name)
{
    return QStringLiteral(FLASHSTEP_SOURCE_DIR "/tests/fixtures/recordings/") + QLatin1String(name);
}

std::size_t sourceLanes(const TimelineCanvas& canvas)
{
    std::size_t count = 0;
    for (const paint::Lane& lane : canvas.layoutNow().lanes)
        count += lane.kind == paint::LaneKind::Source ? 1 : 0;
    return count;
}

std::size_t runLanes(const TimelineCanvas& canvas)
{
    std::size_t count = 0;
    for (const paint::Lane& lane : canvas.layoutNow().lanes)
        count += lane.kind == paint::LaneKind::Role ? 1 : 0;
    return count;
}

QString titleOf(const TimelineCanvas& canvas)
{
    for (const paint::Lane& lane : canvas.layoutNow().lanes)
        if (lane.kind == paint::LaneKind::Title && lane.label.startsWith(QStringLiteral("Recording")))
            return lane.label;
    return {};
}

const AccessibleNode* child(const std::vector<AccessibleNode>& nodes, const QString& name)
{
    for (const AccessibleNode& node : nodes)
        if (node.name == name)
            return &node;
    return nullptr;
}

} // namespace

class WindowRecording : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }

    // What says which problem it ran lies beside that problem's run, on its axis by the run's clock.
    void ownRecordingLiesBesideTheRunOfItsProblem()
    {
        MainWindow window({ false, false });
        window.resize(1440, 900);
        window.show();
        QSignalSpy shown(&window, &MainWindow::runShown);
        window.open(fixture("own.json"));
        QTRY_VERIFY_WITH_TIMEOUT(!shown.isEmpty(), 60000);
        const TimelineCanvas& canvas = window.timeline();
        QCOMPARE(window.session().document.program().problem.seqlenK, 256);
        QVERIFY(!canvas.alone());
        QCOMPARE(sourceLanes(canvas), std::size_t { 4 });
        QVERIFY(runLanes(canvas) > 0);
        const QString title = titleOf(canvas);
        QVERIFY2(title.contains(QStringLiteral("measured on Fixture GPU")), qPrintable(title));
        QVERIFY2(title.contains(QStringLiteral("1 980 000 000")), qPrintable(title));
        // 100 ticks of 1.98 GHz in cycles of the run's clock.
        const double mhz = window.session().document.trace().clockMhz();
        const auto groups = canvas.layoutNow();
        const Recording& recording = canvas.recording()->recording();
        const paint::RecordingAxis axis = paint::besideAxis(recording, mhz, 0, 1000);
        QVERIFY(std::abs(axis.factor - mhz * 1e6 / 1.98e9) < 1e-12);
    }

    void foreignFileIsShownAloneAndThenBeside()
    {
        const auto window = test::openAt(QStringLiteral("0"));
        window->open(fixture("flashinfer.pftrace"));
        TimelineCanvas& canvas = window->timeline();
        QVERIFY(canvas.alone());
        QCOMPARE(runLanes(canvas), std::size_t { 0 });
        QCOMPARE(sourceLanes(canvas), std::size_t { 4 });
        QVERIFY(window->notice().text().contains(QStringLiteral("not shown as measured")));
        QVERIFY(!window->notice().showsError());
        window->actions().action(QStringLiteral("recordingAlone"))->trigger();
        QVERIFY(!canvas.alone());
        QVERIFY(runLanes(canvas) > 0);
        QCOMPARE(sourceLanes(canvas), std::size_t { 4 });
        window->actions().action(QStringLiteral("closeRecording"))->trigger();
        QCOMPARE(sourceLanes(canvas), std::size_t { 0 });
        QVERIFY(!window->actions().action(QStringLiteral("closeRecording"))->isEnabled());
    }

    void clockThatIsNotStatedIsDrawnToFitAndSaysSo()
    {
        const auto window = test::openAt(QStringLiteral("0"));
        window->open(fixture("proton.json"));
        TimelineCanvas& canvas = window->timeline();
        canvas.setAlone(false);
        const QString title = titleOf(canvas);
        QVERIFY2(title.contains(QStringLiteral("clock is unknown: drawn to fit")), qPrintable(title));
        const auto cycles = static_cast<double>(window->session().document.trace().cycles());
        const Recording& recording = canvas.recording()->recording();
        const paint::RecordingAxis axis = paint::besideAxis(recording, 1000, 0, cycles);
        const double end = axis.factor * static_cast<double>(recording.end() - recording.begin());
        QVERIFY(std::abs(end - cycles) < 1);
    }

    // Our own export, read back and put beside the run it is of, lies where the run's slices lie.
    void exportReadBackLiesOnTheRun()
    {
        const auto window = test::openAt(QStringLiteral("0"));
        const Run& run = *window->session().document.run();
        for (const bool perfetto : { true, false }) {
            const QString path = m_folder.filePath(perfetto ? QStringLiteral("r.pftrace") : QStringLiteral("r.json"));
            const Status written = writeFileAtomically(path.toStdString(), [&](std::ostream& out) {
                return (perfetto ? writePerfetto : writeChromeJson)(run, Range::whole(*run.trace), out, {});
            });
            QVERIFY(written.ok());
            window->open(path);
            const Recording& recording = window->timeline().recording()->recording();
            QVERIFY(recording.modelled());
            const paint::RecordingAxis axis
                = paint::besideAxis(recording, run.trace->clockMhz(), 0, static_cast<double>(run.trace->cycles()));
            for (const Recording::Slice& slice : recording.slices()) {
                const double at = axis.factor * static_cast<double>(slice.begin - recording.begin());
                const double cycle = static_cast<double>(recording.integer(slice, "begin_cycle", -1));
                QVERIFY2(std::abs(at - cycle) <= 2, qPrintable(QString::number(at - cycle)));
            }
        }
    }

    // An export of generated inputs brings its run along, as a document that is not saved and bears its name.
    void exportOpensWithItsRun()
    {
        const QString path = exported();
        MainWindow window({ false, false });
        QSignalSpy shown(&window, &MainWindow::runShown);
        window.open(path);
        QTRY_VERIFY_WITH_TIMEOUT(!shown.isEmpty(), 60000);
        const Document& document = window.session().document;
        QCOMPARE(document.program().problem.seqlenQ, 96);
        QVERIFY(document.path().isEmpty());
        QVERIFY(window.windowTitle().startsWith(QFileInfo(path).fileName()));
        QVERIFY(!window.timeline().alone());
        // To the cycle: what the file holds is this run.
        const Recording& recording = window.timeline().recording()->recording();
        const double ns = static_cast<double>(document.trace().cycles()) * 1000 / document.trace().clockMhz();
        QVERIFY(std::abs(static_cast<double>(recording.end() - recording.begin()) - ns) < 2);
    }

    // Without the tensors there is nothing to run: the run that is open stays, and that is said.
    void exportWithoutItsTensorsLeavesTheRunAndSaysSo()
    {
        const auto window = test::openAt(QStringLiteral("10"));
        const Run* run = window->session().document.run().get();
        QVERIFY(!run->scenario.qFile.empty());
        const QString path = m_folder.filePath(QStringLiteral("alone.pftrace"));
        QVERIFY(writeFileAtomically(path.toStdString(), [&](std::ostream& out) {
            return writePerfetto(*run, Range::whole(*run->trace), out, {});
        }).ok());
        window->open(path);
        QVERIFY(window->timeline().alone());
        QCOMPARE(window->session().document.run().get(), run);
        QVERIFY2(window->notice().text().contains(QStringLiteral("inputs of its run are not at hand")),
            qPrintable(window->notice().text()));
        QVERIFY2(window->windowTitle().contains(QStringLiteral("alone.pftrace")), qPrintable(window->windowTitle()));
        // Beside the file they are found.
        const std::string paths[] = { run->scenario.qFile, run->scenario.kFile, run->scenario.vFile };
        for (const std::string& tensor : paths)
            QVERIFY(QFile::copy(QString::fromStdString(tensor),
                m_folder.filePath(QFileInfo(QString::fromStdString(tensor)).fileName())));
        QSignalSpy shown(window.get(), &MainWindow::runShown);
        window->open(path);
        QTRY_VERIFY_WITH_TIMEOUT(!shown.isEmpty(), 60000);
        QVERIFY2(window->windowTitle().startsWith(QStringLiteral("alone.pftrace")), qPrintable(window->windowTitle()));
        QVERIFY(!window->timeline().alone());
    }

    void pointerOnASliceIsToldItsTimesAndArguments()
    {
        const auto window = test::openAt(QStringLiteral("0"));
        window->open(fixture("own.json"));
        QSignalSpy shown(window.get(), &MainWindow::runShown);
        QTRY_VERIFY_WITH_TIMEOUT(!shown.isEmpty(), 60000);
        TimelineCanvas& canvas = window->timeline();
        canvas.setAlone(true);
        const paint::TimelineLayout layout = canvas.layoutNow();
        for (const paint::Lane& lane : layout.lanes) {
            if (lane.kind != paint::LaneKind::Source)
                continue;
            const paint::TimelineScene scene = canvas.scene();
            const paint::TimelineHit hit
                = paint::hitTest(layout, scene.groups(), { layout.timeToX(300), lane.top + lane.height / 2 });
            QVERIFY(hit.recorded.has_value());
            const QString words = scene.groups()[lane.group].source->describe(*hit.recorded);
            QVERIFY2(words.contains(QStringLiteral("takes 610 ticks = 0.308 µs")), qPrintable(words));
            QVERIFY(words.contains(QStringLiteral("role: producer")));
            break;
        }
    }

    void readerIsToldLanesSlicesAndClock()
    {
        const auto window = test::openAt(QStringLiteral("0"));
        window->open(fixture("flashinfer.pftrace"));
        const std::vector<AccessibleNode> nodes = window->timeline().accessibleNodes();
        const AccessibleNode* node = child(nodes, QStringLiteral("recording flashinfer.pftrace"));
        QVERIFY(node);
        QCOMPARE(child(node->children, QStringLiteral("slices"))->value, QStringLiteral("64"));
        QCOMPARE(child(node->children, QStringLiteral("lanes"))->value, QStringLiteral("4"));
        QVERIFY(child(node->children, QStringLiteral("clock"))->value.startsWith(QStringLiteral("nanoseconds")));
        QVERIFY(child(node->children, QStringLiteral("SM_000 / blk0_g0")));
    }

    void brokenFileLosesNothing()
    {
        const auto window = test::openAt(QStringLiteral("10"));
        window->open(fixture("flashinfer.pftrace"));
        const auto before = window->timeline().recording();
        const QString path = m_folder.filePath(QStringLiteral("broken.json"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(R"({"traceEvents":[{"ph":"X"}]})");
        file.close();
        window->open(path);
        QVERIFY(window->notice().showsError());
        QVERIFY2(window->notice().text().contains(QStringLiteral("event 1")), qPrintable(window->notice().text()));
        QCOMPARE(window->timeline().recording(), before);
        QCOMPARE(window->session().playback.position().value, 10U);
    }

    void millionSlicesAreDrawnByWhatIsOnShow()
    {
        QByteArray text("[");
        for (int k = 0; k < 200000; ++k)
            text += QStringLiteral("{\"ph\":\"X\",\"name\":\"s%1\",\"pid\":1,\"tid\":1,\"ts\":%2,\"dur\":1},")
                        .arg(k % 5)
                        .arg(2 * k)
                        .toLatin1();
        text.back() = ']';
        const auto recording = std::make_shared<const Recording>(
            readRecording({ text.constData(), static_cast<std::size_t>(text.size()) }, "test").value());
        const auto lanes = std::make_shared<const paint::RecordingLanes>(recording, QStringLiteral("many"));
        const auto groups = paint::recordingGroups(lanes, paint::aloneAxis(*recording), true);
        const paint::RecordingSource& source = *groups.back();
        const auto visited = [&](double from, double to, double detail) {
            int count = 0;
            double last = from;
            source.visit(0, from, to, detail, [&](const paint::SliceSource::Slice& slice) {
                QVERIFY(slice.begin >= last - detail);
                last = slice.begin;
                ++count;
            });
            return count;
        };
        const double whole = source.end() - source.begin();
        QVERIFY(visited(source.begin(), source.end(), whole / 1000) <= 1001);
        // Close up each is there, and only those on show.
        QCOMPARE(visited(1000.0 * 1000, 1000.0 * 1010, 1), 5);
        QCOMPARE(source.sliceAt(0, 1000.0 * 1000 + 500, 1).value(), 500U);
        QVERIFY(!source.sliceAt(0, 1000.0 * 1001 + 500, 1).has_value());
    }

    // A short slice just before a long one leaves that its name.
    void longSliceBehindAShortOneIsDrawnByItself()
    {
        const auto recording = std::make_shared<const Recording>(readRecording(
            R"([{"ph":"X","name":"short","ts":1,"dur":0},{"ph":"X","name":"long","ts":1.002,"dur":90}])", "test")
                                                                     .value());
        const auto lanes = std::make_shared<const paint::RecordingLanes>(recording, QStringLiteral("two"));
        const auto groups = paint::recordingGroups(lanes, paint::aloneAxis(*recording), true);
        QStringList names;
        groups.back()->visit(0, 0, 100000, 100, [&](const paint::SliceSource::Slice& s) { names << s.label; });
        QCOMPARE(names, (QStringList { QString(), QStringLiteral("long") }));
    }

private:
    // A small run of generated inputs.
    QString exported()
    {
        Scenario scenario;
        scenario.problem.seqlenQ = scenario.problem.seqlenK = 96;
        scenario.problem.headDim = scenario.problem.headDimV = 32;
        scenario.algorithm = "fa2";
        const auto run = runScenario(scenario, std::nullopt, {});
        const QString path = m_folder.filePath(QStringLiteral("generated.pftrace"));
        const Status written = run
            ? writeFileAtomically(path.toStdString(),
                [&](std::ostream& out) { return writePerfetto(*run, Range::whole(*run->trace), out, {}); })
            : Status(run.error());
        return written ? path : QString();
    }

    QTemporaryDir m_folder;
};

QTEST_MAIN(WindowRecording)
#include "window_recording_test.moc"
