// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/emulation/run.h"
#include "ui/actions.h"
#include "ui/headless.h"
#include "ui/main_window.h"
#include "ui/views/notice_bar.h"

#include <QDir>
#include <QFile>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;

// The states in which there is something to say rather than to show. With FLASHSTEP_PICTURES=FOLDER each is also
// written there as a picture.
class WindowFaults : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void empty();
    void loadingCanBeCancelled();
    void failedSaysWhatWhereAndWhatWouldHelp();
    void tooLargeForValuesOffersThoseOfOneCta();
    void fileOfANewerVersionIsNamed();
    void brokenRunShowsItsHazards();
    void deadlockSaysWhoWaits();

private:
    static std::unique_ptr<MainWindow> window();
    static RunRequest request(std::initializer_list<std::pair<const char*, const char*>> options);
    static void startAndWait(MainWindow& window, const RunRequest& wanted);
    static void keep(MainWindow& window, const char* name);

    QTemporaryDir m_folder;
};

std::unique_ptr<MainWindow> WindowFaults::window()
{
    auto made = std::make_unique<MainWindow>(MainWindow::Options { false, false });
    made->resize(1440, 900);
    made->show();
    return made;
}

RunRequest WindowFaults::request(std::initializer_list<std::pair<const char*, const char*>> options)
{
    RunRequest request;
    for (const auto& [key, value] : options)
        if (const Status status = setOption(request.file, key, value); !status)
            qFatal("%s", status.error().line().c_str());
    return request;
}

void WindowFaults::startAndWait(MainWindow& window, const RunRequest& wanted)
{
    QSignalSpy shown(&window, &MainWindow::runShown);
    QSignalSpy failed(&window, &MainWindow::runFailed);
    window.start(wanted);
    QTRY_VERIFY_WITH_TIMEOUT(!shown.isEmpty() || !failed.isEmpty(), 60000);
}

void WindowFaults::keep(MainWindow& window, const char* name)
{
    for (int k = 0; k < 3; ++k)
        QCoreApplication::processEvents();
    const QByteArray folder = qgetenv("FLASHSTEP_PICTURES");
    if (!folder.isEmpty())
        QVERIFY(window.grab().save(
            QDir(QString::fromLocal8Bit(folder)).filePath(QStringLiteral("fault_%1.png").arg(QLatin1String(name)))));
}

void WindowFaults::empty()
{
    const auto made = window();
    QVERIFY(made->session().document.empty());
    // Everything can be touched and nothing falls over.
    for (QAction* action : made->actions().all())
        if (action->objectName().startsWith(QStringLiteral("show.")) || action->objectName() == QStringLiteral("step")
            || action->objectName() == QStringLiteral("runToNext")
            || action->objectName() == QStringLiteral("addBookmark")
            || action->objectName() == QStringLiteral("toggleBreakpoint")
            || action->objectName() == QStringLiteral("recordCta")
            || action->objectName() == QStringLiteral("findNext"))
            action->trigger();
    for (const QString& name : MainWindow::viewNames())
        made->showView(name);
    made->actions().action(QStringLiteral("deselect"))->trigger();
    made->actions().action(QStringLiteral("resetLayout"))->trigger();
    keep(*made, "empty");
}

void WindowFaults::loadingCanBeCancelled()
{
    const auto made = window();
    QSignalSpy cancelled(&made->controller(), &RunController::cancelled);
    made->start(request({ { "algorithm", "fa3" }, { "gpu", "h100" }, { "seqlen_q", "16384" }, { "head_dim", "128" },
        { "heads", "32" }, { "record", "none" } }));
    QTRY_VERIFY_WITH_TIMEOUT(made->notice().isVisible(), 20000);
    QTest::qWait(150);
    keep(*made, "loading");
    emit made->notice().cancelRequested();
    QVERIFY(!cancelled.isEmpty() || cancelled.wait(20000));
    QVERIFY(!made->controller().running());
    QVERIFY(made->session().document.empty());
}

void WindowFaults::failedSaysWhatWhereAndWhatWouldHelp()
{
    const auto made = window();
    startAndWait(*made, request({ { "seqlen_q", "64" }, { "tile", "8x8" }, { "cost_tile", "128x128" } }));
    const auto run = made->session().document.run();
    startAndWait(*made, request({ { "algorithm", "fa4" }, { "gpu", "h100" } }));
    QVERIFY(made->notice().showsError());
    QVERIFY(made->notice().text().contains(QStringLiteral("gpu")));
    QVERIFY(made->notice().text().contains(QStringLiteral("b200")));
    QVERIFY(made->session().document.run() == run); // nothing is lost
    keep(*made, "failed");
}

void WindowFaults::tooLargeForValuesOffersThoseOfOneCta()
{
    const auto made = window();
    startAndWait(
        *made, request({ { "seqlen_q", "1024" }, { "head_dim", "64" }, { "heads", "2" }, { "record", "none" } }));
    const CtaId cta = made->session().selection.cta();
    QVERIFY(!made->session().document.trace().hasValues(cta));
    QVERIFY(made->notice().isVisible());
    QVERIFY(!made->notice().showsError());
    QPushButton* offer = nullptr;
    for (auto* button : made->notice().findChildren<QPushButton*>())
        if (button->isVisible() && button->text().contains(QStringLiteral("CTA")))
            offer = button;
    QVERIFY(offer);
    made->session().playback.seek(Position { made->session().playback.end().value / 2 });
    keep(*made, "too_large");
    QSignalSpy shown(made.get(), &MainWindow::runShown);
    offer->click();
    QVERIFY(!shown.isEmpty() || shown.wait(60000));
    QVERIFY(made->session().document.trace().hasValues(made->session().selection.cta()));
    QCOMPARE(made->session().selection.cta(), cta);
}

void WindowFaults::fileOfANewerVersionIsNamed()
{
    const auto made = window();
    startAndWait(*made, request({ { "seqlen_q", "64" }, { "tile", "8x8" }, { "cost_tile", "128x128" } }));
    QFile file(m_folder.filePath(QStringLiteral("tomorrow.json")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"({"flashstep": 2, "algorithm": "fa2"})");
    file.close();
    made->open(file.fileName());
    QVERIFY(made->notice().showsError());
    QVERIFY(made->notice().text().contains(QStringLiteral("tomorrow.json")));
    if (qEnvironmentVariableIsEmpty("FLASHSTEP_PICTURES")) // whose picture would name a folder of this machine
        return;
    QDir::setCurrent(m_folder.path());
    made->open(QStringLiteral("tomorrow.json"));
    keep(*made, "newer_file");
}

void WindowFaults::brokenRunShowsItsHazards()
{
    const auto made = window();
    RunRequest broken = request(
        { { "seqlen_q", "64" }, { "tile", "8x8" }, { "cost_tile", "128x128" }, { "break", "wait:K_landed" } });
    startAndWait(*made, broken);
    QVERIFY(made->session().document.run()->report.hazards > 0);
    made->showView(QStringLiteral("why"));
    made->session().playback.seekEnd();
    keep(*made, "hazards");
}

void WindowFaults::deadlockSaysWhoWaits()
{
    const auto made = window();
    startAndWait(*made,
        request({ { "algorithm", "fa3" }, { "gpu", "h100" }, { "seqlen_q", "64" }, { "tile", "8x8" },
            { "cost_tile", "128x128" }, { "break", "count:pipeline_k.full=999999" } }));
    QVERIFY(!made->session().document.empty());
    QVERIFY(!made->session().document.trace().deadlock().empty());
    made->showView(QStringLiteral("why"));
    made->session().playback.seekEnd();
    keep(*made, "deadlock");
}

QTEST_MAIN(WindowFaults)
#include "window_faults_test.moc"
