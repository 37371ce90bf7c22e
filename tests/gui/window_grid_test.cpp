// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/emulation/run.h"
#include "ui/headless.h"
#include "ui/main_window.h"
#include "ui/views/accessible.h"
#include "ui/views/grid_canvas.h"
#include "ui/views/memory_canvas.h"
#include "ui/views/stage_view.h"

#include <QAccessible>
#include <QApplication>
#include <QJsonArray>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;

namespace {

std::unique_ptr<MainWindow> open(
    const std::vector<std::pair<std::string, std::string>>& given, QSize size = { 1440, 900 })
{
    auto window = std::make_unique<MainWindow>(MainWindow::Options { false, false });
    window->resize(size);
    window->show();
    HeadlessRequest request;
    request.given = given;
    const auto file = scenarioOf(request);
    if (!file)
        qFatal("%s", file.error().line().c_str());
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    window->start({ *file, {}, false });
    if (shown.isEmpty())
        shown.wait(60000);
    window->showView(QStringLiteral("grid"));
    QApplication::processEvents();
    return window;
}

GridCanvas& gridOf(MainWindow& window)
{
    return *qobject_cast<GridCanvas*>(window.view(QStringLiteral("grid")));
}

// The middle of a work tile's bar, in the widget's pixels.
QPoint pointOf(GridCanvas& grid, CtaId cta, std::size_t part)
{
    const paint::GridLayout layout = grid.layoutNow();
    const paint::GridIndex& index = *grid.index();
    const auto* stay = index.find(cta);
    const CtaSpan& span = index.trace().span(cta);
    const auto& rows = index.rows();
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.sm == span.sm; });
    const auto parts = index.partsOf(*stay);
    const double middle = parts.empty() ? (stay->begin + stay->end) / 2.0 : (parts[part].begin + parts[part].end) / 2.0;
    const QRectF lane = layout.laneRect(static_cast<int>(row - rows.begin()), span.slot);
    return QPointF(layout.timeToX(middle), lane.center().y()).toPoint();
}

const std::vector<std::pair<std::string, std::string>> persistent { { "algorithm", "fa3" }, { "seqlen_q", "1024" },
    { "heads", "2" }, { "mask", "causal" }, { "what_if", "sms=3" }, { "record", "none" } };

} // namespace

class WindowGrid : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void clickChoosesTheCtaAndItsTile();
    void doubleClickGoesToItsBeginning();
    void rulerSeeks();
    void ctasWithoutEventsCanBeChosen();
    void nodesSayWhatTheTraceSays();
    void manySmsAreCapped();
    void tabReachesIt();
    void emptyGridSaysSo();
    void stepMovesATileAndEndsTheSame();
    void noMotionWhenNothingIsRemembered();

private:
    QTemporaryDir m_folder;
};

void WindowGrid::clickChoosesTheCtaAndItsTile()
{
    const auto window = open(persistent);
    GridCanvas& grid = gridOf(*window);
    const Session session = window->session();
    const Trace& trace = session.document.trace();
    for (const std::size_t c : { 2U, 0U, 1U })
        for (const std::size_t part : { 1U, 3U, 0U }) {
            const CtaId cta(c);
            const auto parts = grid.index()->partsOf(*grid.index()->find(cta));
            QVERIFY(parts.size() > part);
            QTest::mouseClick(&grid, Qt::LeftButton, Qt::NoModifier, pointOf(grid, cta, part));
            const Work& work = session.document.program().work(parts[part].work);
            QVERIFY(session.selection.cta() == cta);
            QCOMPARE(session.selection.head(), work.h);
            QCOMPARE(session.selection.tile().i, work.i);
            QVERIFY(trace.ctaOfTile(work.b, work.h, work.i) == cta);
        }
}

void WindowGrid::doubleClickGoesToItsBeginning()
{
    const auto window = open(persistent);
    GridCanvas& grid = gridOf(*window);
    QTest::mouseDClick(&grid, Qt::LeftButton, Qt::NoModifier, pointOf(grid, CtaId(2), 2));
    const auto parts = grid.index()->partsOf(*grid.index()->find(CtaId(2)));
    QCOMPARE(window->session().playback.position().value, parts.front().beginPosition);
}

void WindowGrid::rulerSeeks()
{
    const auto window = open(persistent);
    GridCanvas& grid = gridOf(*window);
    const paint::GridLayout layout = grid.layoutNow();
    const QPoint at(static_cast<int>(layout.plot.center().x()), static_cast<int>(layout.ruler.center().y()));
    const CtaId before = window->session().selection.cta();
    QTest::mouseClick(&grid, Qt::LeftButton, Qt::NoModifier, at);
    const Trace& trace = window->session().document.trace();
    QCOMPARE(window->session().playback.position().value,
        trace.positionAt(static_cast<Cycle>(std::round(layout.xToTime(at.x())))).value);
    QVERIFY(window->session().selection.cta() == before);
}

// Of a grid timed in two steps one SM has events; the others can be looked at all the same, in every view.
void WindowGrid::ctasWithoutEventsCanBeChosen()
{
    const auto window = open({ { "algorithm", "fa2" }, { "seqlen_q", "16384" }, { "heads", "32" }, { "head_dim", "64" },
        { "record", "none" } });
    GridCanvas& grid = gridOf(*window);
    const Trace& trace = window->session().document.trace();
    QVERIFY(!trace.wholeGrid());
    const std::size_t last = window->session().document.program().ctaCount() - 1;
    QVERIFY(!trace.hasEvents(CtaId(last)));
    QTest::mouseClick(&grid, Qt::LeftButton, Qt::NoModifier, pointOf(grid, CtaId(last), 0));
    QVERIFY(!trace.hasEvents(window->session().selection.cta()));
    for (const char* view : { "tiles", "memory", "numbers", "timeline", "ledger", "grid" }) {
        window->showView(QString::fromLatin1(view));
        QApplication::processEvents();
        QImage image(window->size(), QImage::Format_ARGB32_Premultiplied);
        window->render(&image);
    }
}

void WindowGrid::nodesSayWhatTheTraceSays()
{
    const auto window = open(persistent);
    const Trace& trace = window->session().document.trace();
    const QJsonArray nodes = accessibleTree(QAccessible::queryAccessibleInterface(&gridOf(*window)))
                                 .value(QStringLiteral("children"))
                                 .toArray();
    QCOMPARE(nodes.size(), 4); // the sentence and three SMs
    QCOMPARE(nodes[0].toObject().value(QStringLiteral("value")).toString(), gridOf(*window).index()->sentence());
    for (int k = 0; k < 3; ++k) {
        const QJsonObject cta = nodes[k + 1].toObject().value(QStringLiteral("children")).toArray().first().toObject();
        const CtaId id(cta.value(QStringLiteral("name")).toString().section(QLatin1Char(' '), 1).toUInt());
        QCOMPARE(nodes[k + 1].toObject().value(QStringLiteral("name")).toString(),
            QStringLiteral("SM %1").arg(trace.span(id).sm));
        const QString value
            = cta.value(QStringLiteral("value")).toString().remove(QChar(0xa0)).remove(QLatin1Char(' '));
        QVERIFY2(value.contains(QStringLiteral("cycles%1–%2").arg(trace.span(id).begin).arg(trace.span(id).end)),
            qPrintable(value));
    }
}

void WindowGrid::manySmsAreCapped()
{
    const auto window = open({ { "algorithm", "fa2" }, { "seqlen_q", "512" }, { "heads", "300" },
        { "what_if", "sms=700" }, { "record", "none" } });
    const QJsonArray nodes = accessibleTree(QAccessible::queryAccessibleInterface(&gridOf(*window)))
                                 .value(QStringLiteral("children"))
                                 .toArray();
    const int used = static_cast<int>(gridOf(*window).index()->rows().size());
    QVERIFY(used > 256);
    QCOMPARE(nodes.size(), 1 + 256 + 1);
    QCOMPARE(nodes.last().toObject().value(QStringLiteral("value")).toString(),
        QStringLiteral("%1 more SMs").arg(used - 256));
}

void WindowGrid::tabReachesIt()
{
    const auto window = open(persistent);
    QVERIFY(gridOf(*window).isVisible());
    QVERIFY(gridOf(*window).focusPolicy() & Qt::TabFocus);
    auto* stage = window->findChild<StageView*>();
    QVERIFY(stage->mode() == StageView::Mode::Grid);
    QVERIFY(stage->focusCanvas() == &gridOf(*window));
    // The plain keys step here as in every canvas.
    gridOf(*window).setFocus();
    const Position before = window->session().playback.position();
    QTest::keyClick(&gridOf(*window), Qt::Key_Right);
    QVERIFY(window->session().playback.position() > before);
}

void WindowGrid::emptyGridSaysSo()
{
    MainWindow window({ false, false });
    window.resize(1024, 700);
    window.show();
    window.showView(QStringLiteral("grid"));
    QApplication::processEvents();
    QVERIFY(gridOf(window).isVisible());
    QVERIFY(gridOf(window).accessibleNodes().empty());
    QImage image(gridOf(window).size(), QImage::Format_ARGB32_Premultiplied);
    gridOf(window).render(&image);
}

void WindowGrid::stepMovesATileAndEndsTheSame()
{
    const auto window = open({ { "algorithm", "fa3" }, { "seqlen_q", "512" }, { "record", "none" } });
    window->showView(QStringLiteral("memory"));
    QApplication::processEvents();
    auto* memory = qobject_cast<MemoryCanvas*>(window->view(QStringLiteral("memory")));
    const Session session = window->session();
    const auto pictureAt = [&](Position p) {
        session.playback.seek(p);
        QImage image(memory->size(), QImage::Format_ARGB32_Premultiplied);
        memory->render(&image);
        return image;
    };
    // The step with which the first load lands.
    const Trace& trace = session.document.trace();
    session.playback.setLevel(Level::Event);
    Position landed {};
    for (std::uint32_t e = 0; e < trace.end().value && landed.value == 0; ++e)
        if (const Event event = trace.eventAt(e); event.ends && trace.op(event.instance).kind == OpKind::Load
            && trace.ctaOf(event.instance) == session.selection.cta())
            landed = Position { e + 1 };
    QVERIFY(landed.value > 0);
    const QImage still = pictureAt(landed);
    session.appearance.setMotion(true);
    session.playback.follow(CtaId::none());
    (void)pictureAt(Position { landed.value - 1 });
    QTRY_VERIFY(!memory->moving());
    session.playback.stepForward();
    QCOMPARE(session.playback.position().value, landed.value);
    QVERIFY(memory->moving());
    session.playback.stepBack(); // nothing waits for it
    QVERIFY(!memory->moving());
    session.playback.stepForward();
    QVERIFY(memory->moving());
    QTRY_VERIFY_WITH_TIMEOUT(!memory->moving(), 5000);
    QCOMPARE(pictureAt(landed), still);
    session.playback.seekEnd(); // a jump
    QVERIFY(!memory->moving());
    session.appearance.setMotion(false);
    (void)pictureAt(Position { landed.value - 1 });
    session.playback.stepForward();
    QVERIFY(!memory->moving());
}

void WindowGrid::noMotionWhenNothingIsRemembered()
{
    MainWindow window({ false, false });
    QVERIFY(!window.session().appearance.motion());
}

QTEST_MAIN(WindowGrid)
#include "window_grid_test.moc"
