// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/emulation/run.h"
#include "core/tensor/real_math.h"
#include "core/trace/state.h"
#include "tests/gui/open_window.h"
#include "ui/actions.h"
#include "ui/current.h"
#include "ui/headless.h"
#include "ui/main_window.h"
#include "ui/paint/text.h"
#include "ui/paint/tile_numbers.h"
#include "ui/views/accessible.h"
#include "ui/views/explain_view.h"
#include "ui/views/inspector.h"
#include "ui/views/ledger.h"
#include "ui/views/source_view.h"
#include "ui/views/stage_view.h"
#include "ui/views/timeline_canvas.h"

#include <QAccessible>
#include <QApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;
using flashstep::test::openAt;

namespace {

QString value(const QJsonObject& node, const QString& name)
{
    for (const QJsonValue& child : node.value(QStringLiteral("children")).toArray())
        if (child.toObject().value(QStringLiteral("name")).toString() == name)
            return child.toObject().value(QStringLiteral("value")).toString();
    return {};
}

QJsonObject treeOf(MainWindow& window, const char* name)
{
    return accessibleTree(QAccessible::queryAccessibleInterface(window.view(QString::fromLatin1(name))));
}

const QString moment = QStringLiteral("block(i=6, n=2)");

} // namespace

class WindowViews : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void viewsAreThoseThatAreListed();
    void everyViewHasANameAndNodes_data();
    void everyViewHasANameAndNodes();
    void ledgerShowsTheTracesNumbers();
    void inspectorShowsTheTracesNumbers();
    void numbersShowTheTracesNumbers();
    void sourceShowsTheLineOfTheTrace();
    void explanationFollowsThePosition();
    void transportTellsThePosition();
    void lineClickedGoesToItsNextExecution();
    void tileHoveredIsSharedByAllViews();
    void mouseSeeksPansZoomsAndChooses();
    void headChosenChangesTheCta();
    void everySizeDraws_data();
    void everySizeDraws();
    void themesDrawDifferently();
    void largerTypeDraws();
    void emptyWindowSaysSo();

private:
    QTemporaryDir m_folder;
};

void WindowViews::viewsAreThoseThatAreListed()
{
    QProcess cli;
    cli.start(QStringLiteral(FLASHSTEP_BINARY_DIR "/bin/flashstep-cli"),
        { QStringLiteral("list"), QStringLiteral("views"), QStringLiteral("--json") });
    QVERIFY(cli.waitForFinished());
    QStringList listed;
    for (const QJsonValue& view :
        QJsonDocument::fromJson(cli.readAllStandardOutput()).object().value(QStringLiteral("views")).toArray())
        if (view.toObject().value(QStringLiteral("window")).toBool()) // the others are pictures only
            listed.append(view.toObject().value(QStringLiteral("name")).toString());
    QStringList shown = MainWindow::viewNames();
    listed.sort();
    shown.sort();
    QCOMPARE(listed, shown);
}

void WindowViews::everyViewHasANameAndNodes_data()
{
    QTest::addColumn<QString>("name");
    for (const QString& view : MainWindow::viewNames())
        QTest::newRow(qPrintable(view)) << view;
}

void WindowViews::everyViewHasANameAndNodes()
{
    QFETCH(QString, name);
    const auto window = openAt(moment);
    window->showView(name);
    QApplication::processEvents();
    const QJsonObject tree = treeOf(*window, qPrintable(name));
    QVERIFY(!tree.value(QStringLiteral("name")).toString().isEmpty());
    QVERIFY(!tree.value(QStringLiteral("children")).toArray().isEmpty());
}

void WindowViews::ledgerShowsTheTracesNumbers()
{
    const auto window = openAt(moment);
    const Session session = window->session();
    const std::vector<RowState> rows
        = ledgerAt(session.document.trace(), session.selection.cta(), session.playback.position());
    QVERIFY(!rows.empty());
    const QJsonArray nodes = treeOf(*window, "ledger").value(QStringLiteral("children")).toArray();
    QCOMPARE(nodes.size(), static_cast<int>(rows.size()));
    const paint::TileNumbers numbers
        = paint::tileNumbers(session.document.trace(), 0, 0, 6, 5, session.playback.position());
    const auto* view = qobject_cast<LedgerView*>(window->view(QStringLiteral("ledger")));
    for (int r = 0; r < nodes.size(); ++r) {
        const RowState& row = rows[static_cast<std::size_t>(r)];
        QCOMPARE(value(nodes[r].toObject(), QStringLiteral("m")).toDouble(), row.m);
        QCOMPARE(value(nodes[r].toObject(), QStringLiteral("l")).toDouble(), row.l);
        QCOMPARE(view->model()->index(r, LedgerModel::Sum).data().toString(), paint::fixed(row.l, 2));
        const double newer = std::max(
            numbers.row[static_cast<std::size_t>(r)].before, numbers.row[static_cast<std::size_t>(r)].blockMax);
        QCOMPARE(paint::fixed(newer, 2), paint::fixed(row.m * log2e, 2));
        QCOMPARE(view->model()->index(r, LedgerModel::Scale).data().toString(), paint::factor(row.scale));
    }
}

void WindowViews::inspectorShowsTheTracesNumbers()
{
    const auto window = openAt(moment);
    const Session session = window->session();
    const BufferId buffer = session.document.program().buffer("O", 0);
    QVERIFY(buffer.valid());
    window->showView(QStringLiteral("inspector"));
    session.selection.chooseBuffer(buffer);
    const TileValues expected
        = session.document.trace().value(session.selection.cta(), buffer, session.playback.position());
    const auto* inspector = qobject_cast<Inspector*>(window->view(QStringLiteral("inspector")));
    const BufferModel& model = inspector->model();
    QCOMPARE(model.rowCount(), expected.rows);
    QCOMPARE(model.columnCount(), expected.cols);
    const DType dtype = session.document.program().buffers[buffer.index()].dtype;
    for (int r = 0; r < expected.rows; ++r)
        for (int c = 0; c < expected.cols; ++c) {
            const QModelIndex cell = model.index(r, c);
            QCOMPARE(cell.data(Qt::ToolTipRole).toString(), exactText(expected.at(r, c)));
            QCOMPARE(cell.data().toString(), paint::number(expected.at(r, c), paint::NumberFormat::Decimal, dtype, 3));
        }
}

void WindowViews::numbersShowTheTracesNumbers()
{
    const auto window = openAt(moment);
    const Session session = window->session();
    const TileRef tile = tileOnShow(session);
    QCOMPARE(tile.i, 6);
    QCOMPARE(tile.j, 5);
    const paint::TileNumbers numbers
        = paint::tileNumbers(session.document.trace(), 0, 0, tile.i, tile.j, session.playback.position());
    const QJsonArray nodes = treeOf(*window, "numbers").value(QStringLiteral("children")).toArray();
    QCOMPARE(nodes.size(), numbers.rows + 1);
    for (int r = 0; r < numbers.rows; ++r) {
        const QJsonObject scores = nodes[r + 1].toObject().value(QStringLiteral("children")).toArray()[0].toObject();
        for (int c = 0; c < numbers.keys; ++c)
            QCOMPARE(value(scores, QStringLiteral("key %1").arg(numbers.firstKey + c)), exactText(numbers.s.at(r, c)));
    }
}

void WindowViews::sourceShowsTheLineOfTheTrace()
{
    const auto window = openAt(moment);
    const Session session = window->session();
    const Program& program = session.document.program();
    const auto* source = qobject_cast<SourceView*>(window->view(QStringLiteral("source")));
    QCOMPARE(source->fileName().toStdString(), program.source);
    QVERIFY(source->page().count() > 20);
    for (const RoleState& role :
        rolesAt(session.document.trace(), session.selection.cta(), session.playback.position())) {
        const Op& op = program.op(session.document.trace().opOf(role.current));
        QVERIFY(source->current().count(static_cast<int>(op.line)) == 1);
    }
}

void WindowViews::explanationFollowsThePosition()
{
    const auto window = openAt(moment);
    const auto* explain = qobject_cast<ExplainView*>(window->view(QStringLiteral("explain")));
    const QString before = explain->toPlainText();
    QVERIFY(!explain->sentences().isEmpty());
    const QString told = explain->sentences();
    window->session().playback.stepForward();
    QVERIFY(explain->sentences() != told);
    QTRY_VERIFY(explain->toPlainText() != before);
    window->session().playback.stepBack();
    QCOMPARE(explain->sentences(), told);
    QTRY_COMPARE(explain->toPlainText(), before);
}

void WindowViews::transportTellsThePosition()
{
    const auto window = openAt(moment);
    const QByteArray tree = QJsonDocument(treeOf(*window, "transport")).toJson();
    QVERIFY(tree.contains(QByteArray::number(window->session().playback.position().value)));
}

void WindowViews::lineClickedGoesToItsNextExecution()
{
    const auto window = openAt(moment);
    const Session session = window->session();
    auto* source = qobject_cast<SourceView*>(window->view(QStringLiteral("source")));
    const Position before = session.playback.position();
    const int line = source->current().begin()->first;
    source->goToLine(line);
    QVERIFY(session.playback.position() > before);
    const Event event = session.document.trace().eventAt(session.playback.position().value - 1);
    QCOMPARE(static_cast<int>(session.document.program().op(session.document.trace().opOf(event.instance)).line), line);
}

void WindowViews::tileHoveredIsSharedByAllViews()
{
    const auto window = openAt(moment);
    QSignalSpy hover(&window->session().selection, &Selection::hoverChanged);
    window->session().selection.hoverTile({ 6, 5 });
    QCOMPARE(hover.size(), 1);
    QCOMPARE(window->timeline().scene().highlight.hoverJ, 5);
}

void WindowViews::mouseSeeksPansZoomsAndChooses()
{
    const auto window = openAt(moment);
    const Session session = window->session();
    TimelineCanvas& timeline = window->timeline();
    const paint::TimelineLayout layout = timeline.layoutNow();
    const auto at
        = [&](double cycle, double y) { return QPoint(static_cast<int>(layout.timeToX(cycle)), static_cast<int>(y)); };

    // The ruler seeks, and keeps seeking while it is dragged.
    QTest::mousePress(&timeline, Qt::LeftButton, {}, at(5000, 10));
    const auto near = [&](Cycle cycle) {
        const Trace& trace = session.document.trace();
        return session.playback.position() >= trace.positionAt(cycle - 400)
            && session.playback.position() <= trace.positionAt(cycle + 400);
    };
    QVERIFY(near(5000));
    QMouseEvent drag(QEvent::MouseMove, at(20000, 10), Qt::LeftButton, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&timeline, &drag);
    QVERIFY(near(20000));
    QTest::mouseRelease(&timeline, Qt::LeftButton, {}, at(20000, 10));

    // A slice is chosen by a click, with its tile.
    const Trace& trace = session.document.trace();
    const auto cycles = [&](InstanceId of) { return trace.endCycle(of) - trace.beginCycle(of); };
    InstanceId slice;
    for (std::uint32_t p = 0; p < trace.end().value; ++p) { // the widest of the lane
        const InstanceId op = trace.currentOp(session.selection.cta(), 0, Position { p });
        const bool held = op.valid() && trace.ended(op) && !trace.op(op).async; // until its end
        if (held && (!slice.valid() || cycles(op) > cycles(slice)))
            slice = op;
    }
    const double middle = static_cast<double>(trace.beginCycle(slice) + trace.endCycle(slice)) / 2;
    const paint::TimelineLayout sought = timeline.layoutNow();
    const auto& lane = sought.lanes[0];
    QTest::mouseClick(&timeline, Qt::LeftButton, {},
        QPoint(static_cast<int>(sought.timeToX(middle)), static_cast<int>(lane.top + lane.height / 2)));
    QVERIFY(session.selection.instance() == slice);

    // Ctrl and the wheel zoom at the pointer; dragging a lane pans.
    const double anchor = 12000;
    const QPointF point = at(anchor, 40);
    QWheelEvent wheel(point, timeline.mapToGlobal(point.toPoint()), {}, QPoint(0, 240), Qt::NoButton,
        Qt::ControlModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(&timeline, &wheel);
    const paint::TimelineLayout zoomed = timeline.layoutNow();
    QVERIFY(zoomed.to - zoomed.from < layout.to - layout.from);
    QVERIFY(std::abs(zoomed.xToTime(point.x()) - anchor) < 100);
    QTest::mousePress(&timeline, Qt::LeftButton, {}, point.toPoint());
    QMouseEvent pan(QEvent::MouseMove, point + QPointF(60, 0), Qt::LeftButton, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&timeline, &pan);
    QTest::mouseRelease(&timeline, Qt::LeftButton, {}, point.toPoint() + QPoint(60, 0));
    QVERIFY(timeline.layoutNow().from < zoomed.from);

    // A tile chosen on the stage brings its CTA.
    QWidget* tiles = window->view(QStringLiteral("tiles"));
    session.selection.chooseTile({ 2, 1 });
    QVERIFY(session.selection.cta() == session.document.trace().ctaOfTile(0, 0, 2));
    QVERIFY(tiles->isVisible());
}

void WindowViews::headChosenChangesTheCta()
{
    auto window = std::make_unique<MainWindow>(MainWindow::Options { false, false });
    window->show();
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    window->openSample(QStringLiteral("samples/licence-256.json"));
    QVERIFY(!shown.isEmpty() || shown.wait(30000));
    const Session session = window->session();
    session.selection.chooseHead(0, 3);
    const Trace& trace = session.document.trace();
    QCOMPARE(trace.program().work(trace.worksOf(session.selection.cta()).front()).h, 3);
    QCOMPARE(session.selection.head(), 3);
}

void WindowViews::everySizeDraws_data()
{
    QTest::addColumn<QSize>("size");
    for (const QSize& size :
        { QSize(1440, 900), QSize(1024, 700), QSize(640, 480), QSize(480, 360), QSize(2880, 1800) })
        QTest::newRow(qPrintable(QStringLiteral("%1x%2").arg(size.width()).arg(size.height()))) << size;
}

void WindowViews::everySizeDraws()
{
    QFETCH(QSize, size);
    const auto window = openAt(moment);
    for (const Layout layout : { Layout::Learn, Layout::Pipeline, Layout::Numbers, Layout::Present }) {
        window->resize(size);
        window->setLayout(layout);
        QApplication::processEvents();
        QVERIFY(!window->grab().isNull());
    }
}

void WindowViews::themesDrawDifferently()
{
    const auto window = openAt(moment);
    window->session().appearance.setChoice(Appearance::Choice::Light);
    QApplication::processEvents();
    const QColor light = window->grab().toImage().pixelColor(4, 4);
    window->session().appearance.setChoice(Appearance::Choice::Dark);
    QApplication::processEvents();
    const QImage dark = window->grab().toImage();
    QVERIFY(light.lightness() > 200);
    QVERIFY(dark.pixelColor(4, 4).lightness() < 60);
    QVERIFY(dark.pixelColor(dark.width() / 2, dark.height() / 2).isValid());
    window->session().appearance.setChoice(Appearance::Choice::Light);
}

void WindowViews::largerTypeDraws()
{
    const auto window = openAt(moment);
    window->session().appearance.setScale(2);
    QApplication::processEvents();
    QVERIFY(!window->grab().isNull());
    QVERIFY(QFontInfo(QApplication::font()).pixelSize() >= 24);
    window->session().appearance.setScale(1);
}

void WindowViews::emptyWindowSaysSo()
{
    MainWindow window({ false, false });
    window.show();
    QApplication::processEvents();
    QVERIFY(!window.grab().isNull());
    for (QAction* action : window.actions().all()) // none of them may fall over without a document
        if (action->objectName().startsWith(QStringLiteral("step"))
            || action->objectName().startsWith(QStringLiteral("zoom"))
            || action->objectName().startsWith(QStringLiteral("run")))
            action->trigger();
    QVERIFY(!window.goTo(QStringLiteral("end")));
}

QTEST_MAIN(WindowViews)
#include "window_views_test.moc"
