// SPDX-License-Identifier: GPL-3.0-or-later
// Parts of canvases and what leads from them: words of the glossary, bookmarks on the overview, a tile's menu, the
// outline's entries.
#include "core/emulation/run.h"
#include "ui/main_window.h"
#include "ui/places.h"
#include "ui/views/grid_canvas.h"
#include "ui/views/memory_canvas.h"
#include "ui/views/part_terms.h"
#include "ui/views/stage_view.h"
#include "ui/views/term_card.h"
#include "ui/views/tile_canvas.h"
#include "ui/views/timeline_canvas.h"
#include "ui/views/transport.h"

#include <QApplication>
#include <QMenu>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTreeWidget>
#include <QtTest>

#include <functional>
#include <memory>

using namespace flashstep;
using namespace flashstep::ui;

namespace {

const char* const versions[] { "standard", "fa1", "fa2", "fa3", "fa4" };

std::unique_ptr<MainWindow> opened(const char* algorithm)
{
    auto window = std::make_unique<MainWindow>(MainWindow::Options { false, false });
    window->resize(1440, 900);
    window->show();
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    ScenarioFile file;
    file.scenario.algorithm = algorithm;
    file.scenario.problem.seqlenQ = 192;
    file.scenario.problem.seqlenK = 320;
    file.scenario.problem.headDim = file.scenario.problem.headDimV = 32;
    file.scenario.record.kind = Record::Kind::All;
    window->start({ file, QString(), false });
    if (shown.isEmpty())
        shown.wait(30000);
    QApplication::processEvents();
    return window;
}

void eachVersion()
{
    QTest::addColumn<QString>("algorithm");
    for (const char* name : versions)
        QTest::newRow(name) << QString::fromLatin1(name);
}

} // namespace

class WindowParts : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void everyLaneHasACard_data() { eachVersion(); }
    void everyLaneHasACard();
    void titlesOfMemoryHaveCards();
    void headersOfStageAndGridHaveCards();
    void bookmarksOnTheOverviewAreGoneTo();
    void aTilesMenuLeadsToItsFirstOperation_data() { eachVersion(); }
    void aTilesMenuLeadsToItsFirstOperation();
    void outlineSaysNothingTwice_data() { eachVersion(); }
    void outlineSaysNothingTwice();

private:
    QTemporaryDir m_folder;
};

void WindowParts::everyLaneHasACard()
{
    QFETCH(QString, algorithm);
    const auto window = opened(algorithm.toLatin1().constData());
    const paint::TimelineLayout layout = window->timeline().layoutNow();
    QVERIFY(layout.lanes.size() > 4);
    for (const paint::Lane& lane : layout.lanes) {
        const QString term = termOfLane(lane, window->timeline().index());
        QVERIFY2(glossary().find(term.toStdString()) != nullptr, qPrintable(lane.label + QStringLiteral(": ") + term));
    }
    for (std::size_t e = 0; e < engineCount; ++e)
        QVERIFY(glossary().find(termOfEngine(static_cast<Engine>(e), {}).toStdString()) != nullptr);
    for (const char* role : { "producer", "consumer1", "load", "mma", "softmax0", "correction", "epilogue",
             "store warp", "warp 3", "anything" })
        QVERIFY2(glossary().find(termOfRole(QString::fromLatin1(role)).toStdString()) != nullptr, role);
}

void WindowParts::titlesOfMemoryHaveCards()
{
    const auto window = opened("fa4");
    window->stage().setMode(StageView::Mode::Memory);
    QApplication::processEvents();
    const paint::MemoryScene scene = window->stage().memory()->scene();
    const paint::MemoryLayout layout = paint::layoutMemory({ 0, 0, 900, 900 }, scene);
    const std::pair<QRectF, const char*> titles[] { { layout.hbmTitle, "HBM" }, { layout.l2Title, "L2" },
        { layout.smemTitle, "SMEM" }, { layout.tensorTitle, "TMEM" }, { layout.registerTitle, "registers" } };
    for (const auto& [rect, term] : titles) {
        QVERIFY2(!rect.isEmpty(), term);
        QCOMPARE(termOfMemory(layout, rect.center()), QString::fromLatin1(term));
        QVERIFY2(!termCardHtml(QString::fromLatin1(term), window->session()).isEmpty(), term);
    }
}

void WindowParts::headersOfStageAndGridHaveCards()
{
    const auto window = opened("fa2");
    const paint::StageScene scene = window->stage().tiles()->scene();
    const paint::StageLayout layout = paint::layoutStage({ 0, 0, 700, 500 }, scene, {});
    const auto at = [&](const QPointF& point) { return termOfStage(layout, hitTest(layout, scene, point), point); };
    QCOMPARE(at(layout.keyRect(0).center()), QStringLiteral("key block"));
    QCOMPARE(at(layout.rowRect(0).center()), QStringLiteral("query tile"));
    QCOMPARE(at(layout.outputRect(0).center()), QStringLiteral("O"));
    QCOMPARE(at(layout.cellRect(0, 0).center()), QString()); // which has words of its own
    window->stage().setMode(StageView::Mode::Grid);
    const paint::GridLayout grid = paint::layoutGrid({ 0, 0, 700, 500 }, *window->stage().grid()->index(), {});
    for (const QRectF& part : { grid.sentence, grid.ruler, grid.gutter })
        QVERIFY(glossary().find(termOfGrid(grid, part.center()).toStdString()) != nullptr);
    QCOMPARE(termOfGrid(grid, grid.plot.center()), QString());
}

void WindowParts::bookmarksOnTheOverviewAreGoneTo()
{
    const auto window = opened("fa2");
    const Session session = window->session();
    const Position wanted { session.document.trace().end().value / 3 };
    session.playback.seek(wanted);
    QVERIFY(window->command(QStringLiteral("Keep this moment as bookmark 3")));
    Scrubber& scrubber = *static_cast<Scrubber*>(window->view(QStringLiteral("scrubber")));
    const std::vector<paint::ScrubberMark> marks = scrubber.marks();
    QCOMPARE(marks.size(), std::size_t { 1 });
    QCOMPARE(marks[0].number, QStringLiteral("3"));
    const auto share = static_cast<double>(session.document.trace().timeAt(wanted))
        / static_cast<double>(session.document.trace().cycles());
    QVERIFY(std::abs(marks[0].share - share) < 1e-9);

    session.playback.seekStart();
    const QRectF rect = scrubber.marksRect();
    const double x = rect.left() + rect.width() * share;
    QTest::mouseClick(&scrubber, Qt::LeftButton, Qt::NoModifier, QPointF(x - 2, rect.bottom() - 4).toPoint());
    QCOMPARE(session.playback.position().value, wanted.value); // exactly, not by pixels
    QTest::mouseClick(&scrubber, Qt::LeftButton, Qt::NoModifier, QPointF(x - 40, rect.center().y()).toPoint());
    QVERIFY(session.playback.position() < wanted);
    // The flag of a mark at the very end lies inside.
    const paint::ScrubberMark last { 1, QStringLiteral("9"), {} };
    QCOMPARE(
        paint::scrubberMarkAt(rect, { last }, { rect.right() - 8, rect.top() + 4 }), std::optional<std::size_t>(0));
    QVERIFY(!paint::scrubberMarkAt(rect, { last }, { rect.right() - 40, rect.top() + 4 }));
}

void WindowParts::aTilesMenuLeadsToItsFirstOperation()
{
    QFETCH(QString, algorithm);
    const auto window = opened(algorithm.toLatin1().constData());
    const Session session = window->session();
    TileCanvas& tiles = *window->stage().tiles();
    const Trace& trace = session.document.trace();
    const Program& program = session.document.program();
    const int i = program.queryTiles() - 1, j = program.keyBlocks() - 1;
    const auto first = tiles.firstOperation(i, j);
    QVERIFY(first.has_value());
    const InstanceId at = trace.eventAt(first->position.value - 1).instance;
    const Work& work = program.work(trace.workOf(at));
    QCOMPARE(program.queryTile(work, trace.op(at)), i);
    QCOMPARE(program.keyBlock(work, trace.op(at)), j);
    const auto menu = tiles.menuOf(i, j);
    QVERIFY(menu->actions().size() >= 3);
    menu->actions().front()->trigger();
    QCOMPARE(session.playback.position().value, first->position.value);
    QVERIFY(session.selection.cta() == first->cta);
}

void WindowParts::outlineSaysNothingTwice()
{
    QFETCH(QString, algorithm);
    const auto window = opened(algorithm.toLatin1().constData());
    auto* outline = qobject_cast<QTreeWidget*>(window->view(QStringLiteral("outline")));
    std::function<void(const QTreeWidgetItem*)> look = [&](const QTreeWidgetItem* item) {
        QStringList groups;
        for (int k = 0; k < item->childCount(); ++k)
            if (item->child(k)->childCount() > 0) {
                QVERIFY2(!groups.contains(item->child(k)->text(0)), qPrintable(item->child(k)->text(0)));
                groups.append(item->child(k)->text(0));
                look(item->child(k));
            }
    };
    QVERIFY(outline->topLevelItemCount() == 1);
    look(outline->topLevelItem(0));
}

QTEST_MAIN(WindowParts)
#include "window_parts_test.moc"
