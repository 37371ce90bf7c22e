// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/emulation/critical_path.h"
#include "core/trace/causes.h"
#include "tests/gui/open_window.h"
#include "ui/actions.h"
#include "ui/main_window.h"
#include "ui/views/accessible.h"
#include "ui/views/timeline_canvas.h"
#include "ui/views/transport.h"

#include <QAccessible>
#include <QApplication>
#include <QContextMenuEvent>
#include <QJsonArray>
#include <QMenu>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;
using flashstep::test::openAt;

namespace {

std::vector<paint::LaneGroup> groupsOf(TimelineCanvas& timeline)
{
    return timeline.scene().groups();
}

// The middle of what is to be seen of a slice in its role's lane.
QPoint pointOf(TimelineCanvas& timeline, InstanceId instance)
{
    const paint::TimelineLayout layout = timeline.layoutNow();
    const paint::SlicePlace place = paint::issuePlace(layout, groupsOf(timeline), instance);
    if (!place.lane)
        return { -1, -1 };
    return QPointF(
        (layout.timeToX(place.begin) + layout.timeToX(place.end)) / 2, (place.lane->top + place.lane->bottom()) / 2)
        .toPoint();
}

// A wide slice that computes.
InstanceId someSlice(TimelineCanvas& timeline, OpKind kind = OpKind::Exp2)
{
    const paint::TimelineIndex& index = *timeline.index();
    InstanceId widest;
    for (const auto& lane : index.roles())
        for (std::size_t k = 0; k < lane.count; ++k)
            if (const InstanceId at = index.instance(lane, k); index.op(at).kind == kind
                && (!widest.valid()
                    || index.trace().endCycle(at) - index.trace().beginCycle(at)
                        > index.trace().endCycle(widest) - index.trace().beginCycle(widest)))
                widest = at;
    return widest;
}

QJsonArray nodesOf(MainWindow& window)
{
    return accessibleTree(QAccessible::queryAccessibleInterface(window.view(QStringLiteral("timeline"))))
        .value(QStringLiteral("children"))
        .toArray();
}

QJsonObject nodeNamed(const QJsonArray& nodes, const QString& name)
{
    for (const QJsonValue& node : nodes)
        if (node.toObject().value(QStringLiteral("name")).toString() == name)
            return node.toObject();
    return {};
}

const QString moment = QStringLiteral("block(i=6, n=2)");

} // namespace

class WindowTimeline : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void clickShowsWhatTheSliceDependsOn();
    void chainGoesBackToTheStart();
    void pathIsCoresAndCanBeSwitchedOff();
    void measureShowsTheOpsCycles();
    void escapeTakesTheMeasureFirst();
    void pinnedCtaHasItsLanesAndIsRead();
    void menuAnswersToTheKey();
    void followingCanBeSwitchedOff();
    void scrubberMovesTheWindow();
    void keysOfTheTimeline();
    void pictureKeptIsThePictureDrawn();

private:
    QTemporaryDir m_folder;
};

void WindowTimeline::clickShowsWhatTheSliceDependsOn()
{
    const auto window = openAt(moment);
    TimelineCanvas& timeline = window->timeline();
    const Trace& trace = window->session().document.trace();
    const InstanceId wait = someSlice(timeline, OpKind::Wait);
    QVERIFY(wait.valid());
    QTest::mouseClick(&timeline, Qt::LeftButton, {}, pointOf(timeline, wait));
    QCOMPARE(window->session().selection.instance().index(), wait.index());
    const Causes causes(trace);
    const auto event = causes.release(wait);
    QVERIFY(event);
    const std::vector<Dependency> into = timeline.overlay().causesOfSelection();
    QCOMPARE(into.size(), std::size_t { 1 });
    QCOMPARE(into.front().from.index(), trace.eventAt(*event).instance.index());
    const auto& links = timeline.scene().marks->links;
    QVERIFY(std::any_of(links.begin(), links.end(),
        [&](const paint::TimelineLink& link) { return link.to == wait && link.from == into.front().from; }));
    const QJsonArray told
        = nodeNamed(nodesOf(*window), QStringLiteral("chosen slice")).value(QStringLiteral("children")).toArray();
    QCOMPARE(told.size(), static_cast<int>(links.size()));
}

void WindowTimeline::chainGoesBackToTheStart()
{
    const auto window = openAt(moment);
    TimelineCanvas& timeline = window->timeline();
    const Trace& trace = window->session().document.trace();
    window->session().selection.chooseInstance(someSlice(timeline));
    const std::size_t direct = timeline.scene().marks->links.size();
    window->actions().action(QStringLiteral("wholeChain"))->trigger();
    const auto& links = timeline.scene().marks->links;
    QVERIFY(links.size() > direct);
    Cycle earliest = trace.cycles();
    for (const paint::TimelineLink& link : links)
        earliest = std::min(earliest, trace.beginCycle(link.from));
    QVERIFY(earliest < trace.beginCycle(window->session().selection.instance()) / 2);
    QVERIFY(window->actions().action(QStringLiteral("wholeChain"))->isChecked());
}

void WindowTimeline::pathIsCoresAndCanBeSwitchedOff()
{
    const auto window = openAt(moment);
    TimelineCanvas& timeline = window->timeline();
    const CtaId cta = timeline.chosenCta();
    const CriticalPath path = criticalPath(*window->session().document.run(), cta);
    const auto shown = window->session().insights.path(cta);
    QVERIFY(shown);
    QCOMPARE(shown->segments.size(), path.segments.size());
    QVERIFY(timeline.scene().marks->path(cta) != nullptr);
    const QImage with = timeline.grab().toImage();
    timeline.setFocus();
    QTRY_VERIFY(timeline.hasFocus());
    QTest::keyClick(&timeline, Qt::Key_C);
    QVERIFY(timeline.scene().marks->path(cta) == nullptr);
    QVERIFY(timeline.grab().toImage() != with);
    QTest::keyClick(&timeline, Qt::Key_C);
    QCOMPARE(timeline.grab().toImage(), with);
}

void WindowTimeline::measureShowsTheOpsCycles()
{
    const auto window = openAt(moment);
    TimelineCanvas& timeline = window->timeline();
    const Trace& trace = window->session().document.trace();
    const InstanceId slice = someSlice(timeline);
    window->session().selection.chooseInstance(slice);
    timeline.setFocus();
    QTRY_VERIFY(timeline.hasFocus());
    QTest::keyClick(&timeline, Qt::Key_M);
    QVERIFY(timeline.overlay().measure());
    const auto cycles = static_cast<double>(trace.endCycle(slice) - trace.beginCycle(slice));
    QCOMPARE(timeline.overlay().measure()->cycles(), cycles);
    QVERIFY(nodeNamed(nodesOf(*window), QStringLiteral("measured"))
                .value(QStringLiteral("value"))
                .toString()
                .contains(QStringLiteral("modelled")));
    // The same by Shift and the mouse, from edge to edge.
    timeline.overlay().setMeasure(std::nullopt);
    timeline.focusSelection();
    const paint::TimelineLayout layout = timeline.layoutNow();
    const paint::SlicePlace place = paint::issuePlace(layout, groupsOf(timeline), slice);
    const int y = static_cast<int>((place.lane->top + place.lane->bottom()) / 2);
    const QPoint from(static_cast<int>(layout.timeToX(place.begin)) + 2, y),
        to(static_cast<int>(layout.timeToX(place.end)) - 2, y);
    QTest::mousePress(&timeline, Qt::LeftButton, Qt::ShiftModifier, from);
    QMouseEvent drag(QEvent::MouseMove, to, Qt::NoButton, Qt::LeftButton, Qt::ShiftModifier);
    QApplication::sendEvent(&timeline, &drag);
    QTest::mouseRelease(&timeline, Qt::LeftButton, Qt::ShiftModifier, to);
    QVERIFY(timeline.overlay().measure());
    QCOMPARE(timeline.overlay().measure()->cycles(), cycles);
}

void WindowTimeline::escapeTakesTheMeasureFirst()
{
    const auto window = openAt(moment);
    QApplication::setActiveWindow(window.get());
    TimelineCanvas& timeline = window->timeline();
    const InstanceId slice = someSlice(timeline);
    window->session().selection.chooseInstance(slice);
    timeline.overlay().measureSelection();
    timeline.setFocus();
    QTRY_VERIFY(timeline.hasFocus());
    QTest::keyClick(&timeline, Qt::Key_Escape);
    QVERIFY(!timeline.overlay().measure());
    QVERIFY(window->session().selection.instance() == slice);
    QTest::keyClick(&timeline, Qt::Key_Escape);
    QVERIFY(!window->session().selection.instance().valid());
}

void WindowTimeline::pinnedCtaHasItsLanesAndIsRead()
{
    const auto window = openAt(moment);
    TimelineCanvas& timeline = window->timeline();
    const CtaId chosen = timeline.chosenCta();
    const std::size_t before = timeline.layoutNow().lanes.size();
    window->actions().action(QStringLiteral("pinNext"))->trigger();
    const std::vector<paint::LaneGroup> groups = groupsOf(timeline);
    QCOMPARE(groups.size(), std::size_t { 2 });
    QVERIFY(timeline.chosenCta() == chosen && groups[0].index->cta() == chosen);
    QVERIFY(timeline.layoutNow().lanes.size() > before + 4);
    const QJsonObject group = nodeNamed(nodesOf(*window), groups[1].title());
    QCOMPARE(
        group.value(QStringLiteral("children")).toArray().size(), static_cast<int>(groups[1].index->roles().size()));
    // A slice of it is chosen, and with it its CTA; both stay where they are.
    const CtaId other = groups[1].index->cta();
    const InstanceId slice = groups[1].index->instance(groups[1].index->roles()[0], 3);
    window->session().selection.chooseInstance(slice);
    QVERIFY(timeline.chosenCta() == other);
    QCOMPARE(groupsOf(timeline).size(), std::size_t { 2 });
    QVERIFY(groupsOf(timeline)[0].index->cta() == chosen);
    window->actions().action(QStringLiteral("unpinAll"))->trigger();
    QCOMPARE(groupsOf(timeline).size(), std::size_t { 1 });
    QVERIFY(groupsOf(timeline)[0].index->cta() == other);
}

void WindowTimeline::menuAnswersToTheKey()
{
    const auto window = openAt(moment);
    TimelineCanvas& timeline = window->timeline();
    const InstanceId slice = someSlice(timeline);
    window->session().selection.chooseInstance(slice);
    QContextMenuEvent byKey(QContextMenuEvent::Keyboard, QPoint(5, 5), timeline.mapToGlobal(QPoint(5, 5)));
    QApplication::sendEvent(&timeline, &byKey);
    auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
    QVERIFY(menu);
    const QString name = paint::sliceLabel(window->session().document.trace(), slice, true);
    QAction* measure = nullptr;
    for (QAction* action : menu->actions())
        if (action->text() == QStringLiteral("Measure %1").arg(name))
            measure = action;
    QVERIFY(measure);
    measure->trigger();
    QVERIFY(timeline.overlay().measure());
    menu->close();
}

void WindowTimeline::followingCanBeSwitchedOff()
{
    const auto window = openAt(moment);
    TimelineCanvas& timeline = window->timeline();
    Playback& playback = window->session().playback;
    for (int k = 0; k < 8; ++k)
        timeline.zoomIn();
    const paint::TimelineView before = timeline.view();
    playback.seekEnd();
    QVERIFY(timeline.view().from > before.from);
    window->actions().action(QStringLiteral("followPlayhead"))->trigger();
    QVERIFY(!timeline.follows());
    const paint::TimelineView still = timeline.view();
    playback.seekStart();
    QCOMPARE(timeline.view().from, still.from);
    window->actions().action(QStringLiteral("followPlayhead"))->trigger();
    QVERIFY(timeline.view().from < still.from);
}

void WindowTimeline::scrubberMovesTheWindow()
{
    const auto window = openAt(moment);
    TimelineCanvas& timeline = window->timeline();
    for (int k = 0; k < 3; ++k)
        timeline.zoomIn();
    auto* scrubber = window->findChild<Scrubber*>();
    QVERIFY(scrubber);
    const Position position = window->session().playback.position();
    const QRectF plot = QRectF(scrubber->rect()).adjusted(4, 2, -4, -2);
    const auto outline = [&] { return paint::scrubberWindow(plot, *timeline.index(), timeline.view()); };
    const auto drag = [&](QPoint from, int by) {
        QTest::mousePress(scrubber, Qt::LeftButton, {}, from);
        QMouseEvent move(QEvent::MouseMove, from + QPoint(by, 0), Qt::NoButton, Qt::LeftButton, {});
        QApplication::sendEvent(scrubber, &move);
        QTest::mouseRelease(scrubber, Qt::LeftButton, {}, from + QPoint(by, 0));
    };
    const double width = timeline.view().to - timeline.view().from, from = timeline.view().from;
    drag(QPointF(outline().center().x(), outline().top() + 1).toPoint(), 20); // its upper edge: all of it
    QVERIFY(timeline.view().from > from);
    QVERIFY(std::abs(timeline.view().to - timeline.view().from - width) < 1e-6);
    drag(QPointF(outline().right(), outline().center().y()).toPoint(), -20); // its right side
    QVERIFY(timeline.view().to - timeline.view().from < width - 1);
    QCOMPARE(window->session().playback.position().value, position.value);
    drag(plot.center().toPoint(), 5); // anywhere else: seeks
    QVERIFY(window->session().playback.position().value != position.value);
}

void WindowTimeline::keysOfTheTimeline()
{
    const auto window = openAt(moment);
    QApplication::setActiveWindow(window.get());
    TimelineCanvas& timeline = window->timeline();
    Selection& selection = window->session().selection;
    timeline.setFocus();
    QTRY_VERIFY(timeline.hasFocus());
    const auto width = [&] { return timeline.layoutNow().to - timeline.layoutNow().from; };
    const double whole = width();
    QTest::keyClick(&timeline, Qt::Key_W);
    QVERIFY(width() < whole);
    const double from = timeline.view().from;
    QTest::keyClick(&timeline, Qt::Key_D);
    QVERIFY(timeline.view().from > from);
    QTest::keyClick(&timeline, Qt::Key_A);
    QVERIFY(std::abs(timeline.view().from - from) < 1e-6);
    QTest::keyClick(&timeline, Qt::Key_S);
    QVERIFY(std::abs(width() - whole) < whole * 0.05);
    selection.chooseInstance(someSlice(timeline));
    const auto place = *timeline.index()->placeOf(selection.instance());
    QTest::keyClick(&timeline, Qt::Key_Period);
    QCOMPARE(timeline.index()->placeOf(selection.instance())->k, place.k + 1);
    QTest::keyClick(&timeline, Qt::Key_Comma);
    QCOMPARE(timeline.index()->placeOf(selection.instance())->k, place.k);
    QTest::keyClick(&timeline, Qt::Key_F);
    QVERIFY(width() < whole / 4);
    QTest::keyClick(&timeline, Qt::Key_F);
    QVERIFY(std::abs(width() - whole) < whole * 0.05);
}

// While only the position changes, most of the picture is kept: it must be what would be drawn.
void WindowTimeline::pictureKeptIsThePictureDrawn()
{
    const auto window = openAt(moment);
    TimelineCanvas& timeline = window->timeline();
    Playback& playback = window->session().playback;
    for (int k = 0; k < 4; ++k) {
        timeline.grab(); // the picture is kept from the second on
        playback.stepForward();
    }
    const QImage kept = timeline.grab().toImage();
    const paint::TimelineView view = timeline.view();
    timeline.panRight();
    timeline.grab();
    timeline.setView(view);
    QCOMPARE(timeline.grab().toImage(), kept);
}

QTEST_MAIN(WindowTimeline)
#include "window_timeline_test.moc"
