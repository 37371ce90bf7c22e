// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/gui/open_window.h"

#include "core/emulation/run.h"
#include "core/io/files.h"
#include "ui/actions.h"
#include "ui/views/export_dialog.h"
#include "ui/views/notice_bar.h"

#include <QCloseEvent>
#include <QDir>
#include <QFile>
#include <QProgressBar>
#include <QPushButton>
#include <QTemporaryDir>
#include <QtTest>

#include <atomic>
#include <memory>

using namespace flashstep;
using namespace flashstep::ui;
using flashstep::test::openAt;

namespace {

// Writes by the way of every exporter, without an end until it is let go or cancelled.
class Slow {
public:
    Status operator()(const ExportJob& job, const Progress& progress) const
    {
        return writeFileAtomically(job.path.toStdString(), [&](std::ostream& out) -> Status {
            for (int k = 1; !m_shared->release; ++k) {
                out << "half of it\n" << std::flush;
                progress.at(1 - 1.0 / k);
                if (progress.cancelled())
                    return Error { "cancelled", "", "" };
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            }
            return Nothing {};
        });
    }
    void release() const { m_shared->release = true; }

private:
    struct Shared {
        std::atomic<bool> release = false;
    };
    std::shared_ptr<Shared> m_shared = std::make_shared<Shared>();
};

} // namespace

// Writing goes on beside everything else, and leaves a whole file or none.
class WindowExportWriting : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_data.path().toUtf8()); }
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }
    void cancelledLeavesNothing();
    void cancelledLeavesWhatWasThere();
    void goneWhileWritingLeavesNothing();
    void severalAreWrittenAtOnceAndTheirProgressIsOne();
    void longOneShowsItsProgressAndCanBeCancelled();
    void windowClosedWhileWritingLeavesNothing();
    void windowGoesOnMeanwhile();
    void runThatIsReplacedIsStillWritten();
    void whatCannotBeWrittenIsSaidInOneLine_data();
    void whatCannotBeWrittenIsSaidInOneLine();
    void remarksStandBesideWhatWasWritten();
    void nothingOpenIsSaid();

private:
    [[nodiscard]] QStringList files() const;
    [[nodiscard]] QString path(const char* name) const { return m_folder->filePath(QLatin1String(name)); }
    static ExportJob jobOf(MainWindow& window, const char* format, const QString& path);
    static std::unique_ptr<MainWindow> largeRun();

    QTemporaryDir m_data;
    std::unique_ptr<QTemporaryDir> m_folder;
};

QStringList WindowExportWriting::files() const
{
    return QDir(m_folder->path()).entryList(QDir::Files | QDir::Hidden, QDir::Name);
}

ExportJob WindowExportWriting::jobOf(MainWindow& window, const char* format, const QString& path)
{
    const Document& document = window.session().document;
    ExportOptions options;
    options.format = format;
    const Result<ExportRequest> request = understandExport(options, document.trace());
    if (!request)
        qFatal("%s", request.error().line().c_str());
    return { document.run(), document.labels(), QString(), *request, path };
}

// A second or more of writing.
std::unique_ptr<MainWindow> WindowExportWriting::largeRun()
{
    auto window = std::make_unique<MainWindow>(MainWindow::Options { false, false });
    window->resize(1440, 900);
    window->show();
    ScenarioFile file;
    file.scenario.problem.seqlenQ = file.scenario.problem.seqlenK = 4096;
    file.scenario.problem.heads = file.scenario.problem.kvHeads = 16;
    file.scenario.record.kind = Record::Kind::None;
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    window->start({ file, QString(), false });
    if (shown.isEmpty() && !shown.wait(120000))
        qFatal("no run");
    if (window->session().document.trace().end().value < 300'000)
        qFatal("too small a run");
    return window;
}

void WindowExportWriting::cancelledLeavesNothing()
{
    ExportController exporter { Slow() };
    QSignalSpy cancelled(&exporter, &ExportController::cancelled), written(&exporter, &ExportController::written);
    ExportJob job;
    job.path = path("a.csv");
    exporter.start(job);
    QTRY_VERIFY(!files().isEmpty()); // beside the target
    QVERIFY(!files().contains(QStringLiteral("a.csv")));
    exporter.cancel();
    QVERIFY(!cancelled.isEmpty() || cancelled.wait(10000));
    QCOMPARE(cancelled.front().front().toString(), job.path);
    QVERIFY(written.isEmpty());
    QCOMPARE(exporter.running(), 0);
    QCOMPARE(files(), QStringList());
}

void WindowExportWriting::cancelledLeavesWhatWasThere()
{
    QFile old(path("a.csv"));
    QVERIFY(old.open(QIODevice::WriteOnly) && old.write("old") == 3);
    old.close();
    ExportController exporter { Slow() };
    QSignalSpy cancelled(&exporter, &ExportController::cancelled);
    ExportJob job;
    job.path = path("a.csv");
    exporter.start(job);
    QTRY_COMPARE(files().size(), 2);
    exporter.cancel();
    QVERIFY(!cancelled.isEmpty() || cancelled.wait(10000));
    QCOMPARE(files(), QStringList { QStringLiteral("a.csv") });
    QVERIFY(old.open(QIODevice::ReadOnly));
    QCOMPARE(old.readAll(), QByteArray("old"));
}

void WindowExportWriting::goneWhileWritingLeavesNothing()
{
    auto exporter = std::make_unique<ExportController>(Slow());
    for (const char* name : { "a.csv", "b.csv", "c.csv" }) {
        ExportJob job;
        job.path = path(name);
        exporter->start(job);
    }
    QTRY_COMPARE(files().size(), 3);
    exporter.reset();
    QCOMPARE(files(), QStringList());
}

void WindowExportWriting::severalAreWrittenAtOnceAndTheirProgressIsOne()
{
    const Slow slow;
    ExportController exporter { slow };
    QSignalSpy progressed(&exporter, &ExportController::progressed), written(&exporter, &ExportController::written);
    for (const char* name : { "a.csv", "b.csv" }) {
        ExportJob job;
        job.path = path(name);
        exporter.start(job);
    }
    QCOMPARE(exporter.running(), 2);
    QTRY_VERIFY(progressed.size() >= 4);
    for (const auto& signal : progressed)
        QVERIFY(signal.front().toDouble() >= 0 && signal.front().toDouble() <= 1);
    slow.release();
    QTRY_COMPARE(written.count(), 2);
    QCOMPARE(files(), QStringList({ QStringLiteral("a.csv"), QStringLiteral("b.csv") }));
}

void WindowExportWriting::longOneShowsItsProgressAndCanBeCancelled()
{
    const auto window = largeRun();
    QSignalSpy cancelled(&window->exporter(), &ExportController::cancelled);
    window->exporter().start(jobOf(*window, "chrome", path("large.json")));
    NoticeBar& bar = window->exportNotice();
    QVERIFY(!bar.isVisible()); // not before 200 ms
    QTRY_VERIFY(bar.isVisible());
    QVERIFY(bar.findChild<QProgressBar*>()->isVisible());
    QTRY_VERIFY(bar.findChild<QProgressBar*>()->value() > 0);
    for (auto* button : bar.findChildren<QPushButton*>())
        if (button->isVisible())
            button->click(); // the one there is
    QTRY_COMPARE(cancelled.count(), 1);
    QVERIFY(!bar.findChild<QProgressBar*>()->isVisible());
    QVERIFY(bar.text().contains(QStringLiteral("large.json")));
    QCOMPARE(files(), QStringList());
}

void WindowExportWriting::windowClosedWhileWritingLeavesNothing()
{
    auto window = largeRun();
    window->exporter().start(jobOf(*window, "perfetto", path("a.pftrace")));
    window->exporter().start(jobOf(*window, "chrome", path("a.json")));
    window->exporter().start(jobOf(*window, "png", path("a.png")));
    QVERIFY(window->close());
    window.reset();
    QCOMPARE(files(), QStringList());
}

void WindowExportWriting::windowGoesOnMeanwhile()
{
    const auto window = largeRun();
    QSignalSpy written(&window->exporter(), &ExportController::written);
    window->session().playback.seekStart();
    window->exporter().start(jobOf(*window, "chrome", path("large.json")));
    int steps = 0;
    while (window->exporter().running() > 0 && steps < 10000) {
        const Position before = window->session().playback.position();
        window->actions().action(QStringLiteral("step"))->trigger();
        QVERIFY(window->session().playback.position() > before);
        QApplication::processEvents();
        ++steps;
    }
    QVERIFY2(steps >= 3, qPrintable(QString::number(steps)));
    QTRY_COMPARE(written.count(), 1);
    QVERIFY(window->exportNotice().isVisible());
    QVERIFY(window->exportNotice().text().contains(path("large.json")));
    QVERIFY(!window->exportNotice().showsError());
    QCOMPARE(files(), QStringList { QStringLiteral("large.json") });
}

void WindowExportWriting::runThatIsReplacedIsStillWritten()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    const ExportJob before = jobOf(*window, "svg", path("before.svg"));
    QVERIFY(writeJob(before, {}));
    ExportJob during = before;
    during.path = path("during.svg");
    QSignalSpy written(&window->exporter(), &ExportController::written);
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    window->exporter().start(during);
    window->openVersion(QStringLiteral("fa4"), QStringLiteral("b200"));
    QVERIFY(!shown.isEmpty() || shown.wait(60000));
    QTRY_COMPARE(written.count(), 1);
    QVERIFY(before.run != window->session().document.run());
    QFile a(before.path), b(during.path);
    QVERIFY(a.open(QIODevice::ReadOnly) && b.open(QIODevice::ReadOnly));
    QCOMPARE(b.readAll(), a.readAll());
}

void WindowExportWriting::whatCannotBeWrittenIsSaidInOneLine_data()
{
    QTest::addColumn<QString>("format");
    QTest::addColumn<QString>("target");
    for (const char* format : { "csv", "perfetto", "svg", "png" }) {
        QTest::addRow("%s, no such folder", format) << format << "missing/file";
        QTest::addRow("%s, a folder", format) << format << "";
        QTest::addRow("%s, a file for a folder", format) << format << "file/file";
    }
}

void WindowExportWriting::whatCannotBeWrittenIsSaidInOneLine()
{
    QFETCH(QString, format);
    QFETCH(QString, target);
    QFile file(path("file"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.close();
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    QStringList failures;
    connect(&window->exporter(), &ExportController::failed, this,
        [&failures](const Error& error) { failures.append(QString::fromStdString(error.line())); });
    window->showExport(format, {});
    const QString where = target.isEmpty() ? m_folder->path() : m_folder->filePath(target);
    window->writeFrom(*window->findChild<ExportDialog*>(), where);
    QTRY_COMPARE(failures.size(), 1);
    QVERIFY(window->exportNotice().isVisible());
    QVERIFY(window->exportNotice().showsError());
    QVERIFY(window->exportNotice().text().contains(where));
    QVERIFY(!failures.front().contains(QLatin1Char('\n')));
    disconnect(&window->exporter(), nullptr, this, nullptr);
    QCOMPARE(files(), QStringList { QStringLiteral("file") });
}

void WindowExportWriting::remarksStandBesideWhatWasWritten()
{
    ExportController exporter { [](const ExportJob&, const Progress& progress) -> Status {
        progress.remark("one step in three is shown");
        return Nothing {};
    } };
    QSignalSpy written(&exporter, &ExportController::written);
    exporter.start({});
    QVERIFY(!written.isEmpty() || written.wait(10000));
    QCOMPARE(written.front().at(1).toStringList(), QStringList { QStringLiteral("one step in three is shown") });
}

void WindowExportWriting::nothingOpenIsSaid()
{
    MainWindow window({ false, false });
    window.show();
    window.actions().action(QStringLiteral("export"))->trigger();
    QVERIFY(!window.findChild<ExportDialog*>());
    QVERIFY(window.notice().isVisible());
}

QTEST_MAIN(WindowExportWriting)
#include "window_export_writing_test.moc"
