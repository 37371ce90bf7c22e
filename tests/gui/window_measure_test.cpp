// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/emulation/run.h"
#include "tests/gui/open_window.h"
#include "tests/support/stand_in.h"
#include "ui/actions.h"
#include "ui/views/differences_view.h"
#include "ui/views/measure_dialog.h"
#include "ui/views/notice_bar.h"
#include "ui/views/timeline_canvas.h"

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTreeWidget>
#include <QtTest>

using namespace flashstep;
using namespace flashstep::ui;

class WindowMeasure : public QObject {
    Q_OBJECT
private slots:
    void initTestCase()
    {
        qputenv("XDG_DATA_HOME", m_folder.path().toUtf8());
        const std::string bytes = flashstep::test::deviceLikeRecording("fa2_forward_d64", problem());
        const QString path = m_folder.filePath(QStringLiteral("there.json"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(bytes.data(), static_cast<qint64>(bytes.size()));
        qputenv("FLASHSTEP_STAND_IN_RECORDING", path.toUtf8());
    }

    // The kernel of what is open, in a run of its own tile where another is open, and op by op beside it.
    void emulatedRecordingLiesBesideItsRun()
    {
        const auto window = opened(QStringLiteral("32x32"));
        QSignalSpy shown(window.get(), &MainWindow::runShown),
            compared(&window->differences(), &DifferencesView::refreshed);
        window->actions().action(QStringLiteral("recordEmulated"))->trigger();
        QVERIFY(window->measurer().running());
        QTRY_VERIFY_WITH_TIMEOUT(!shown.isEmpty(), 60000);
        QCOMPARE(window->session().document.program().tile.rows, 64);
        QVERIFY(window->timeline().recording());
        QVERIFY(window->timeline().recording()->recording().modelled());
        QTRY_VERIFY_WITH_TIMEOUT(window->differences().differences() != nullptr, 60000);
        const OpDifferences& d = *window->differences().differences();
        QCOMPARE(d.pairs.size(), window->timeline().recording()->recording().slices().size());
        QVERIFY(d.onlyInA.empty() && d.onlyInB.empty());
    }

    void recordingOfTheRunOnShowLeavesItAsItIs()
    {
        const auto window = opened(QStringLiteral("64x64"));
        const Run* run = window->session().document.run().get();
        window->actions().action(QStringLiteral("recordEmulated"))->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(window->differences().differences() != nullptr, 60000);
        QCOMPARE(window->session().document.run().get(), run);
        QVERIFY(window->notice().text().contains(QStringLiteral("modelled, not measured")));
        QVERIFY(window->actions().action(QStringLiteral("saveRecording"))->isEnabled());
    }

    void tableHasARowForEachKindAndItsInstances()
    {
        const auto window = recorded();
        QTreeWidget& table = *window->differences().table();
        const OpDifferences& d = *window->differences().differences();
        QCOMPARE(table.topLevelItemCount(), static_cast<int>(d.summaries.size()));
        QVERIFY(table.headerItem()->text(1).contains(QStringLiteral("modelled")));
        QTreeWidgetItem* products = nullptr;
        for (int k = 0; k < table.topLevelItemCount(); ++k)
            if (table.topLevelItem(k)->text(0) == QStringLiteral("mma out=S"))
                products = table.topLevelItem(k);
        QVERIFY(products);
        QCOMPARE(products->childCount(), 0);
        products->setExpanded(true);
        QCOMPARE(products->childCount(), 2 * 4 * 2); // query tiles, warps, key blocks
        QVERIFY(products->toolTip(1).contains(QStringLiteral("modelled")));
    }

    void clickOnAnInstanceChoosesTheOp()
    {
        const auto window = recorded();
        QTreeWidget& table = *window->differences().table();
        QTreeWidgetItem* kind = table.topLevelItem(3);
        kind->setExpanded(true);
        table.setCurrentItem(kind->child(2));
        const InstanceId instance = window->session().selection.instance();
        QVERIFY(instance.valid());
        const OpDifferences& d = *window->differences().differences();
        const OpTimes::Row& row = d.a.rows[d.pairs[d.summaries[3].firstPair + 2].a];
        QCOMPARE(static_cast<std::uint32_t>(instance.index()), row.origin);
    }

    void closedRecordingLeavesTheTableEmpty()
    {
        const auto window = recorded();
        window->actions().action(QStringLiteral("closeRecording"))->trigger();
        QVERIFY(window->differences().differences() == nullptr);
        QCOMPARE(window->differences().table()->topLevelItemCount(), 0);
    }

    void kernelThatDoesNotExistIsSaidInALine()
    {
        const auto window = test::openAt(QStringLiteral("0")); // head dimension 32
        window->actions().action(QStringLiteral("recordEmulated"))->trigger();
        QVERIFY(window->notice().showsError());
        QVERIFY2(window->notice().text().contains(QStringLiteral("no kernel of this version")),
            qPrintable(window->notice().text()));
        QVERIFY(!window->measurer().running());
    }

    void cancelledRecordingChangesNothing()
    {
        const auto window = opened(QStringLiteral("64x64"));
        window->actions().action(QStringLiteral("recordEmulated"))->trigger();
        window->measurer().cancel();
        QVERIFY(!window->measurer().running());
        QTest::qWait(50);
        QVERIFY(!window->timeline().recording());
        QVERIFY(window->notice().text().contains(QStringLiteral("Cancelled")));
    }

    void dialogTellsWhatFailed_data()
    {
        QTest::addColumn<QString>("way");
        QTest::addColumn<QString>("says");
        QTest::newRow("ssh") << QStringLiteral("ssh") << QStringLiteral("Connection refused");
        QTest::newRow("no device") << QStringLiteral("no-device") << QStringLiteral("no CUDA device");
        QTest::newRow("version") << QStringLiteral("version") << QStringLiteral("it is version '9.9.9'");
        QTest::newRow("noise") << QStringLiteral("noise") << QStringLiteral("begins with");
    }
    void dialogTellsWhatFailed()
    {
        QFETCH(QString, way);
        QFETCH(QString, says);
        const auto window = opened(QStringLiteral("64x64"));
        MeasureDialog* dialog = asked(*window, way);
        dialog->findChild<QPushButton*>(QStringLiteral("test"))->click();
        QTRY_VERIFY_WITH_TIMEOUT(!window->measurer().running(), 20000);
        const QString verdict = dialog->findChild<QLabel*>(QStringLiteral("verdict"))->text();
        QVERIFY2(verdict.contains(says), qPrintable(verdict));
        QVERIFY(dialog->findChild<QPushButton*>(QStringLiteral("record"))->isEnabled());
    }

    void dialogTestsRecordsAndCloses()
    {
        const auto window = opened(QStringLiteral("64x64"));
        QPointer<MeasureDialog> dialog = asked(*window, QStringLiteral("well"));
        dialog->findChild<QPushButton*>(QStringLiteral("test"))->click();
        QTRY_VERIFY_WITH_TIMEOUT(!window->measurer().running(), 20000);
        QVERIFY(dialog->findChild<QLabel*>(QStringLiteral("verdict"))->text().contains(QStringLiteral("Stand-in GPU")));
        dialog->findChild<QPushButton*>(QStringLiteral("record"))->click();
        QTRY_VERIFY_WITH_TIMEOUT(window->timeline().recording() != nullptr, 20000);
        QTRY_VERIFY(!dialog);
        QVERIFY(window->timeline().recording()->recording().measured());
        QTRY_VERIFY_WITH_TIMEOUT(window->differences().differences() != nullptr, 60000);
        QVERIFY(window->differences().table()->headerItem()->text(2).contains(QStringLiteral("measured")));
    }

    void stopEndsTheProgram()
    {
        const auto window = opened(QStringLiteral("64x64"));
        MeasureDialog* dialog = asked(*window, QStringLiteral("hangs"));
        dialog->findChild<QPushButton*>(QStringLiteral("record"))->click();
        QVERIFY(window->measurer().running());
        dialog->findChild<QPushButton*>(QStringLiteral("stop"))->click();
        QVERIFY(!window->measurer().running());
        QCOMPARE(dialog->findChild<QLabel*>(QStringLiteral("verdict"))->text(), QStringLiteral("Cancelled."));
    }

private:
    static Problem problem()
    {
        Problem p;
        p.seqlenQ = p.seqlenK = 128;
        return p;
    }
    // FA2 on that problem, with a tile.
    static std::unique_ptr<MainWindow> opened(const QString& tile)
    {
        auto window = std::make_unique<MainWindow>(MainWindow::Options { false, false });
        window->resize(1440, 900);
        window->show();
        QSignalSpy shown(window.get(), &MainWindow::runShown);
        ScenarioFile file;
        for (const auto& [key, value] :
            { std::pair { "seqlen_q", std::string("128") }, std::pair { "tile", tile.toStdString() } })
            (void)setOption(file, key, value);
        window->start({ file, QString(), false });
        while (shown.isEmpty() && shown.wait(60000)) { }
        return window;
    }
    static std::unique_ptr<MainWindow> recorded()
    {
        auto window = opened(QStringLiteral("64x64"));
        QSignalSpy compared(&window->differences(), &DifferencesView::refreshed);
        window->actions().action(QStringLiteral("recordEmulated"))->trigger();
        while (!window->differences().differences() && compared.wait(60000)) { }
        return window;
    }
    static MeasureDialog* asked(MainWindow& window, const QString& way)
    {
        window.actions().action(QStringLiteral("measure"))->trigger();
        auto* dialog = window.findChild<MeasureDialog*>();
        dialog->findChild<QLineEdit*>(QStringLiteral("prefix"))
            ->setText(QString::fromStdString(flashstep::test::standIn(way.toStdString())));
        return dialog;
    }

    QTemporaryDir m_folder;
};

QTEST_MAIN(WindowMeasure)
#include "window_measure_test.moc"
