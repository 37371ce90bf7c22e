// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/gui/fa4_run.h"
#include "tests/gui/persistent_run.h"
#include "tests/support/paint_sample.h"
#include "ui/paint/timeline_painter.h"
#include "ui/paint/timeline_parts.h"

#include <QtTest>

#include <cmath>

using namespace flashstep;
using namespace flashstep::paint;

namespace {

const QRectF area(10, 20, 1200, 300);

const TimelineIndex& sampleIndex()
{
    static const TimelineIndex index(test::sampleRun().run.trace, CtaId(6));
    return index;
}

QImage painted(const TimelineScene& scene, const TimelineView& view, const Theme& theme)
{
    QImage image(1220, 330, QImage::Format_RGB32);
    image.fill(theme.win);
    QPainter painter(&image);
    paintTimeline(painter, area, scene, view, theme);
    return image;
}

} // namespace

class PaintTimelineTest : public QObject {
    Q_OBJECT

private slots:
    void timeAndPixelsAreInverses()
    {
        TimelineView view;
        view.from = 1234;
        view.to = 8765;
        const TimelineLayout layout = layoutTimeline(area, sampleIndex(), view);
        QCOMPARE(layout.timeToX(view.from), layout.plot.left());
        QCOMPARE(layout.timeToX(view.to), layout.plot.right());
        for (double x = layout.plot.left(); x <= layout.plot.right(); x += 37)
            QVERIFY(std::fabs(layout.timeToX(layout.xToTime(x)) - x) < 1e-9);
    }

    void ticksAreRoundAndApart()
    {
        for (const double width : { 200.0, 800.0, 3000.0 })
            for (const double span : { 8.0, 130.0, 37790.0, 1.5e8 }) {
                const Ticks ticks = rulerTicks(17, 17 + span, width, 90);
                QVERIFY(ticks.step >= 1);
                QVERIFY(ticks.step * width / span >= 90 - 1e-6 || ticks.step == 1);
                double mantissa = ticks.step;
                while (mantissa >= 10)
                    mantissa /= 10;
                QVERIFY(
                    std::fabs(mantissa - 1) < 1e-9 || std::fabs(mantissa - 2) < 1e-9 || std::fabs(mantissa - 5) < 1e-9);
                QVERIFY(ticks.count == 0 || (ticks.first >= 17 && ticks.at(ticks.count - 1) <= 17 + span));
            }
    }

    void lanesAreTheRolesAndTheEnginesInUse()
    {
        const TimelineLayout layout = layoutTimeline(area, sampleIndex(), {});
        QStringList labels;
        for (const Lane& lane : layout.lanes)
            labels << lane.label;
        QVERIFY(labels.contains(QStringLiteral("warp 0")));
        QVERIFY(labels.contains(QStringLiteral("tensor core")));
        QVERIFY(!labels.contains(QStringLiteral("issue")));
        for (std::size_t k = 1; k < layout.lanes.size(); ++k)
            QCOMPARE(layout.lanes[k].top, layout.lanes[k - 1].bottom());
        QCOMPARE(layout.contentHeight + layout.rulerHeight, timelineHeight(sampleIndex(), {}));
    }

    void everySliceIsFoundWhereItIsDrawn()
    {
        const TimelineIndex& index = sampleIndex();
        const Trace& trace = index.trace();
        int found = 0;
        for (std::size_t r = 0; r < index.roles().size(); ++r) {
            const TimelineIndex::RoleLane& lane = index.roles()[r];
            for (std::size_t k = 0; k < lane.count; ++k) {
                const InstanceId at = index.instance(lane, k);
                if (index.op(at).async || trace.endCycle(at) - trace.beginCycle(at) < 8)
                    continue;
                TimelineView view;
                view.from = static_cast<double>(trace.beginCycle(at)) - 20;
                view.to = static_cast<double>(trace.endCycle(at)) + 20;
                const TimelineLayout layout = layoutTimeline(area, index, view);
                const QRectF rect = layout.sliceRect(layout.lanes[r], static_cast<double>(trace.beginCycle(at)),
                    static_cast<double>(trace.endCycle(at)));
                const TimelineHit hit = hitTest(layout, index, rect.center());
                QCOMPARE(static_cast<int>(hit.part), static_cast<int>(TimelineHit::Part::Slice));
                QVERIFY(hit.instance == at);
                // and its edges attract
                QCOMPARE(snapToEdge(layout, index, { rect.left() + 3, rect.center().y() }),
                    static_cast<double>(trace.beginCycle(at)));
                ++found;
            }
        }
        QVERIFY(found > 100);
    }

    void everyHopIsFoundWhereItIsDrawn()
    {
        const TimelineIndex& index = sampleIndex();
        TimelineView view;
        view.issue = true;
        for (std::size_t e = 0; e < index.engines().size(); ++e) {
            const TimelineIndex::EngineLane& engine = index.engines()[e];
            for (std::size_t k = 0; k < engine.hops.size(); ++k) {
                const Hop& hop = index.trace().hops()[engine.hops[k]];
                view.from = static_cast<double>(hop.begin) - 10;
                view.to = static_cast<double>(hop.end()) + 10;
                const TimelineLayout layout = layoutTimeline(area, index, view);
                const Lane* lane = nullptr;
                for (const Lane& candidate : layout.lanes)
                    if (candidate.kind == LaneKind::Engine && candidate.index == e)
                        lane = &candidate;
                QVERIFY(lane);
                const QRectF rect
                    = layout.hopRect(*lane, engine, engine.row[k], hop.begin, static_cast<double>(hop.end()));
                const TimelineHit hit = hitTest(layout, index, rect.center());
                QVERIFY(hit.hop.has_value());
                QCOMPARE(*hit.hop, engine.hops[k]);
            }
        }
    }

    void hopsOfOneRowDoNotOverlap()
    {
        for (const TimelineIndex::EngineLane& lane : sampleIndex().engines()) {
            std::array<Cycle, 4> end {};
            for (std::size_t k = 0; k < lane.hops.size(); ++k) {
                const Hop& hop = sampleIndex().trace().hops()[lane.hops[k]];
                QVERIFY(static_cast<Cycle>(hop.begin) + 1 >= end[lane.row[k]]);
                end[lane.row[k]] = hop.end();
            }
        }
    }

    void searchesAgreeWithLookingAtEverything()
    {
        const TimelineIndex& index = sampleIndex();
        const Trace& trace = index.trace();
        for (double cycle = -10; cycle < index.end() + 100; cycle += 97.5) {
            for (const TimelineIndex::EngineLane& lane : index.engines()) {
                double busy = 0;
                std::size_t after = 0;
                for (std::size_t k = 0; k < lane.hops.size(); ++k) {
                    const Hop& hop = trace.hops()[lane.hops[k]];
                    if (hop.begin <= cycle)
                        after = k + 1;
                    busy += std::max(0.0, std::min(static_cast<double>(hop.end()), cycle) - hop.begin);
                    if (static_cast<double>(hop.end()) > cycle)
                        QVERIFY(index.firstVisible(lane, cycle) <= k);
                }
                QCOMPARE(index.firstAfter(lane, cycle), after);
                QVERIFY(std::fabs(index.busyUntil(lane, cycle) - busy) < 1e-6);
            }
            for (const TimelineIndex::RoleLane& lane : index.roles()) {
                double busy = 0;
                for (std::size_t k = 0; k < lane.count; ++k) {
                    const InstanceId at = index.instance(lane, k);
                    const Op& op = index.op(at);
                    const auto begin = static_cast<double>(trace.beginCycle(at)),
                               end = static_cast<double>(trace.endCycle(at));
                    if (op.kind != OpKind::Wait && op.kind != OpKind::Sync && !op.async)
                        busy += std::max(0.0, std::min(end, cycle) - begin);
                    if (!op.async && begin <= cycle && end > cycle)
                        QVERIFY(index.firstVisible(lane, cycle) <= k && index.firstAfter(lane, cycle) > k);
                }
                QVERIFY(std::fabs(index.busyUntil(lane, cycle) - busy) < 1e-6);
            }
        }
    }

    void aPersistentCtaHasTheOpsOfAllItsWorks()
    {
        const Run& run = test::persistentRun();
        const Trace& trace = *run.trace;
        const TimelineIndex index(run.trace, CtaId(1));
        QVERIFY(trace.worksOf(CtaId(1)).size() > 1);
        std::size_t begun = 0;
        for (const WorkId work : trace.worksOf(CtaId(1)))
            for (std::uint32_t k = 0; k < trace.streamOf(work).opCount; ++k)
                begun += trace.began(trace.instance(work, OpId(trace.streamOf(work).firstOp + k))) ? 1 : 0;
        std::size_t listed = 0;
        for (const TimelineIndex::RoleLane& lane : index.roles()) {
            listed += lane.count;
            for (std::size_t k = 1; k < lane.count; ++k)
                QVERIFY(trace.beginCycle(index.instance(lane, k - 1)) <= trace.beginCycle(index.instance(lane, k)));
        }
        QCOMPARE(listed, begun);
        QVERIFY(index.lane(Engine::Tma) != nullptr);
        // A warpgroup has all four tensor cores at once.
        const TimelineIndex::EngineLane& tensor = *index.lane(Engine::Tensor);
        QCOMPARE(tensor.rows, 1);
        for (const std::uint8_t row : tensor.row)
            QCOMPARE(static_cast<int>(row), static_cast<int>(TimelineIndex::allRows));
        QVERIFY(index.busyUntil(tensor, index.end()) <= (index.end() - index.begin()) * tensor.servers);
        painted({ &index, trace.end(), {}, true, true }, {}, Theme::dark());
    }

    void viewsStayInsideTheRun()
    {
        const TimelineIndex& index = sampleIndex();
        TimelineView view = wholeCta(index, {});
        QVERIFY(view.from <= index.begin() && view.to >= index.end());
        const double anchor = 5000;
        const TimelineLayout before = layoutTimeline(area, index, view);
        const TimelineView closer = zoomed(index, view, 3, anchor);
        const TimelineLayout after = layoutTimeline(area, index, closer);
        QVERIFY(
            std::fabs(before.timeToX(anchor) - after.timeToX(anchor)) < 1e-6); // what is under the mouse stays there
        for (int k = 0; k < 200; ++k)
            view = zoomed(index, view, 1.3, anchor);
        QVERIFY(view.to - view.from >= 8 - 1e-9);
        view = panned(index, view, 1e12);
        QVERIFY(view.to <= index.end() * 1.05);
        view = revealing(index, view, index.begin() + 10);
        QVERIFY(view.from <= index.begin() + 10 && view.to >= index.begin() + 10);
    }

    void pictureIsAFunctionOfItsArguments()
    {
        const Position p = test::momentOf(sampleIndex().trace(), "block(i=6, n=2)").position;
        const TimelineScene scene { &sampleIndex(), p, {}, true, false };
        const QImage first = painted(scene, {}, Theme::light());
        painted({ &sampleIndex(), sampleIndex().trace().end(), {}, true, false }, {}, Theme::dark());
        QCOMPARE(painted(scene, {}, Theme::light()), first);
    }

    void playheadStandsAtThePosition()
    {
        const Position p = test::momentOf(sampleIndex().trace(), "block(i=6, n=2)").position;
        const QImage image = painted({ &sampleIndex(), p, {}, true, false }, {}, Theme::light());
        const TimelineLayout layout = layoutTimeline(area, sampleIndex(), {});
        const int x
            = static_cast<int>(std::lround(layout.timeToX(static_cast<double>(sampleIndex().trace().timeAt(p)))));
        for (int y = static_cast<int>(layout.plot.top()); y < static_cast<int>(area.bottom()); ++y)
            QCOMPARE(image.pixelColor(x, y), Theme::light().text);
    }

    void densityIsDrawnWhenSlicesAreTooMany()
    {
        // 1 px per 400 cycles: more ops than pixels. Still something of the work is to be seen in each role's lane.
        TimelineView view;
        view.from = 0;
        view.to = 1e6;
        const QImage image = painted({ &sampleIndex(), Position {}, {}, false, false }, view, Theme::light());
        const TimelineLayout layout = layoutTimeline(area, sampleIndex(), view);
        bool seen = false;
        for (int x = static_cast<int>(layout.plot.left()); x < static_cast<int>(layout.timeToX(40000)); ++x)
            seen = seen || image.pixelColor(x, static_cast<int>(layout.lanes[0].bottom()) - 3) != Theme::light().panel;
        QVERIFY(seen);
    }

    void labelsNameStepAndTile()
    {
        const Trace& trace = sampleIndex().trace();
        const auto label = [&](const char* moment, bool tile) {
            const Position p = test::momentOf(trace, moment).position;
            return sliceLabel(trace, trace.eventAt(p.value - 1).instance, tile);
        };
        QCOMPARE(label("first(exp2, i=6, j=5)", true), QStringLiteral("exp2 6,5"));
        QCOMPARE(label("first(exp2, i=6, j=5)", false), QStringLiteral("exp2"));
        QCOMPARE(label("first(load, i=6, j=5)", true), QStringLiteral("K5"));
        const Position p = test::momentOf(trace, "first(exp2, i=6, j=5)").position;
        QCOMPARE(fullSliceLabel(trace, trace.eventAt(p.value - 1).instance), QStringLiteral("exp2 (6, 5)"));
    }

    // Slices on the path stay to be seen where they are narrow.
    void outlinesLeaveNarrowSlicesVisible()
    {
        const Theme& theme = Theme::byName(QStringLiteral("light"));
        QImage image(100, 30, QImage::Format_RGB32);
        image.fill(theme.neutral.fill);
        OutlineBatch outlines;
        for (const double x : { 10.0, 13.5, 17.0, 40.0 })
            outlines.add({ x, 8, 3, 14 });
        outlines.add({ 60, 8, 20, 14 });
        QPainter painter(&image);
        outlines.draw(painter, theme);
        painter.end();
        for (int x = 0; x < 50; ++x) {
            for (int y = 8; y < 22; ++y)
                QCOMPARE(image.pixelColor(x, y), theme.neutral.fill);
            const bool under = (x >= 10 && x < 20) || (x >= 40 && x < 43);
            QCOMPARE(image.pixelColor(x, 7), under ? theme.text : theme.neutral.fill);
        }
        QCOMPARE(image.pixelColor(60, 15), theme.text);
        QCOMPARE(image.pixelColor(70, 15), theme.neutral.fill);
    }

    // A CTA that never ends is shown until the run's last cycle.
    void deadlockedCtaIsShown()
    {
        Scenario scenario = test::fa4Scenario(128, 128, 64);
        scenario.algorithm = "fa3";
        scenario.gpu = "h100";
        scenario.tile = TileSize { 24, 16 };
        scenario.breaks = { "count:pipeline_k.full=999999" };
        const auto run = test::fa4Run(scenario);
        QVERIFY(!run.trace->deadlock().empty());
        const CtaId cta(0);
        QCOMPARE(static_cast<int>(run.trace->span(cta).end), 0);
        const auto index = std::make_shared<const TimelineIndex>(run.trace, cta);
        QCOMPARE(index->end(), static_cast<double>(run.trace->cycles()));
        const TimelineLayout layout = layoutTimeline(area, *index, {});
        QVERIFY(layout.to >= static_cast<double>(run.trace->cycles()));
        int seen = 0;
        for (std::size_t r = 0; r < index->roles().size(); ++r)
            for (const TimelineIndex::Slice& slice : index->roles()[r].slices) {
                const QRectF rect = layout.sliceRect(layout.lanes[r], slice.begin, slice.end);
                seen += rect.width() >= 3 && layout.plot.intersects(rect) ? 1 : 0;
            }
        QVERIFY(seen > 0);
    }
};

QTEST_MAIN(PaintTimelineTest)
#include "paint_timeline_test.moc"
