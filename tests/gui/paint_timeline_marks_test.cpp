// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/trace/causes.h"
#include "tests/gui/fa4_run.h"
#include "tests/support/paint_sample.h"
#include "ui/paint/text.h"
#include "ui/paint/timeline_marks.h"
#include "ui/paint/timeline_painter.h"
#include "ui/views/timeline_pins.h"

#include <QtTest>

#include <cmath>
#include <set>

using namespace flashstep;
using namespace flashstep::paint;

namespace {

const QRectF area(10, 20, 1200, 300);
const CtaId cta(6);

const TimelineIndex& sampleIndex()
{
    static const TimelineIndex index(test::sampleRun().run.trace, cta);
    return index;
}

const flashstep::Run& fa4()
{
    static const flashstep::Run run = test::fa4Run(test::fa4Scenario(64, 64, 32));
    return run;
}

InstanceId at(const Trace& trace, const char* moment)
{
    return trace.eventAt(test::momentOf(trace, moment).position.value - 1).instance;
}

// A recording that tells of two slices, on a clock of a quarter of the run's.
class Recording : public SliceSource {
public:
    [[nodiscard]] QString title() const override { return QStringLiteral("recorded"); }
    [[nodiscard]] std::size_t laneCount() const override { return 2; }
    [[nodiscard]] QString laneName(std::size_t lane) const override { return QStringLiteral("lane %1").arg(lane); }
    [[nodiscard]] double toAxis(double ticks) const override { return ticks * 4; }
    [[nodiscard]] double begin() const override { return toAxis(100); }
    [[nodiscard]] double end() const override { return toAxis(30000); }
    void visit(std::size_t lane, double /*from*/, double /*to*/, double /*detail*/,
        const std::function<void(const Slice&)>& visitor) const override
    {
        visitor({ toAxis(100), toAxis(1000 + 1000.0 * static_cast<double>(lane)), QStringLiteral("first"), 2, false });
        visitor({ toAxis(3000), toAxis(9000), QStringLiteral("second"), 3, false });
    }
};

} // namespace

class PaintTimelineMarksTest : public QObject {
    Q_OBJECT

private slots:
    void waitsAreReleasedByWhatCoreSays()
    {
        for (const Trace* trace : { &sampleIndex().trace(), fa4().trace.get() }) {
            const CtaId whose = trace == fa4().trace.get() ? CtaId(0) : cta;
            const Causes causes(*trace);
            const Dependencies all(*trace, whose);
            int waits = 0;
            for (const WorkId work : trace->worksOf(whose))
                for (std::uint32_t k = 0; k < trace->streamOf(work).opCount; ++k) {
                    const InstanceId wait = trace->instance(work, OpId(trace->streamOf(work).firstOp + k));
                    if (!trace->began(wait) || !isWaiting(trace->op(wait)))
                        continue;
                    std::set<std::size_t> told;
                    for (const Dependency& edge : all.into(wait))
                        if (edge.kind == Dependency::Kind::Release)
                            told.insert(edge.from.index());
                    const auto event = causes.release(wait);
                    const InstanceId from = event ? trace->eventAt(*event).instance : InstanceId::none();
                    QCOMPARE(told.size(), static_cast<std::size_t>(from.valid() && from != wait ? 1 : 0));
                    if (!told.empty()) {
                        QCOMPARE(*told.begin(), from.index());
                        ++waits;
                    }
                }
            QVERIFY(waits > 20);
        }
    }

    void dataComesFromWhoWroteIt()
    {
        for (const Trace* trace : { &sampleIndex().trace(), fa4().trace.get() }) {
            const Dependencies all(*trace, trace == fa4().trace.get() ? CtaId(0) : cta);
            int data = 0;
            for (const Dependency& edge : all.all()) {
                if (edge.kind != Dependency::Kind::Data)
                    continue;
                ++data;
                const Op& writer = trace->op(edge.from);
                QVERIFY(writer.out == edge.buffer || writer.out2 == edge.buffer);
                QVERIFY(trace->endPosition(edge.from) < trace->beginPosition(edge.to)
                    || trace->endPosition(edge.from) == trace->beginPosition(edge.to));
                const std::vector<Dependency> back = all.outOf(edge.from);
                QVERIFY(std::find(back.begin(), back.end(), edge) != back.end());
            }
            QVERIFY(data > 100);
        }
        // O += P V needs P of its own block, and the V that was loaded for it.
        const Trace& trace = *fa4().trace;
        const Dependencies all(trace, CtaId(0));
        const InstanceId exp2 = at(trace, "nth(3, exp2, cta=0)");
        bool readsScores = false;
        for (const Dependency& edge : all.into(exp2))
            readsScores = readsScores || edge.kind == Dependency::Kind::Data;
        QVERIFY(readsScores);
    }

    void outlinesAreThePathsOps()
    {
        const CriticalPath path = criticalPath(test::sampleRun().run, cta);
        const Causes causes(sampleIndex().trace());
        const CriticalPath again = criticalPath(test::sampleRun().run, causes, cta);
        QCOMPARE(again.segments.size(), path.segments.size());
        QCOMPARE(again.cycles, path.cycles);
        const Trace& trace = sampleIndex().trace();
        const PathOutline outline(trace, path);
        std::set<std::size_t> onPath;
        int roles = 0, engines = 0;
        for (const PathSegment& segment : path.segments) {
            if (segment.kind != PathSegment::Kind::Op)
                continue;
            onPath.insert(segment.instance.index());
            const Op& op = trace.op(segment.instance);
            if (isWaiting(op))
                QVERIFY(!outline.onRole(segment.instance));
            else if (!op.async)
                roles += outline.onRole(segment.instance) ? 1 : 0;
            else if (segment.engine)
                engines += outline.onEngine(segment.instance, *segment.engine) ? 1 : 0;
        }
        QVERIFY(roles > 0);
        QVERIFY(engines > 0);
        for (const auto& lane : sampleIndex().roles())
            for (std::size_t k = 0; k < lane.count; ++k)
                if (!onPath.count(lane.instances[k]))
                    QVERIFY(!outline.onRole(sampleIndex().instance(lane, k)));
    }

    void arrowsJoinTheSlicesTheyAreOf()
    {
        const TimelineIndex& index = sampleIndex();
        const Trace& trace = index.trace();
        const LaneGroup group { &index, nullptr };
        const Dependencies all(trace, cta);
        const InstanceId chosen = at(trace, "first(exp2, i=6, j=5)");
        const std::vector<TimelineLink> links = linksOf(trace, all, chosen);
        QCOMPARE(links.size(), all.into(chosen).size() + all.outOf(chosen).size());
        QVERIFY(!links.empty());
        const TimelineLayout layout = layoutTimeline(area, std::span(&group, 1), {});
        const std::vector<TimelineArrow> arrows = layoutArrows(layout, std::span(&group, 1), links);
        QCOMPARE(arrows.size(), links.size());
        for (const TimelineArrow& arrow : arrows) {
            QVERIFY(!arrow.fromCut && !arrow.toCut);
            const SlicePlace to = issuePlace(layout, std::span(&group, 1), arrow.link.to);
            QVERIFY(to.lane && arrow.to.y() > to.lane->top && arrow.to.y() < to.lane->bottom());
            QVERIFY(std::fabs(layout.xToTime(arrow.to.x()) - static_cast<double>(trace.beginCycle(arrow.link.to))) < 1
                || arrow.link.kind == TimelineLink::Kind::Release);
            QVERIFY(arrow.from.x() <= arrow.to.x() + 1e-6); // time runs to the right
        }
        // What lies beyond an edge ends at it.
        TimelineView close;
        close.from = static_cast<double>(trace.beginCycle(chosen)) - 1;
        close.to = static_cast<double>(trace.beginCycle(chosen)) + 9;
        const TimelineLayout narrow = layoutTimeline(area, std::span(&group, 1), close);
        bool anyCut = false;
        for (const TimelineArrow& arrow : layoutArrows(narrow, std::span(&group, 1), links)) {
            QVERIFY(narrow.plot.adjusted(-1, -1, 1, 1).contains(arrow.from));
            QVERIFY(narrow.plot.adjusted(-1, -1, 1, 1).contains(arrow.to));
            anyCut = anyCut || arrow.fromCut || arrow.toCut;
        }
        QVERIFY(anyCut);
    }

    void asynchronousWorkIsAtItsEngine()
    {
        const TimelineIndex index(fa4().trace, CtaId(0));
        const LaneGroup group { &index, nullptr };
        const TimelineLayout layout = layoutTimeline({ 0, 0, 1200, 900 }, std::span(&group, 1), {});
        int apart = 0;
        for (const auto& lane : index.roles())
            for (std::size_t k = 0; k < lane.count; ++k) {
                const InstanceId instance = index.instance(lane, k);
                const auto place = index.placeOf(instance);
                QVERIFY(place && place->k == k && index.roles()[place->lane].role == lane.role);
                if (!index.op(instance).async || index.op(instance).kind != OpKind::Mma)
                    continue;
                const SlicePlace issue = issuePlace(layout, std::span(&group, 1), instance);
                const SlicePlace work = workPlace(layout, std::span(&group, 1), instance);
                QVERIFY(issue.lane && issue.lane->kind == LaneKind::Role);
                QVERIFY(work.lane && work.lane->kind == LaneKind::Engine && work.lane->label == "tensor core");
                QVERIFY(work.begin >= issue.begin && work.end > work.begin);
                ++apart;
            }
        QVERIFY(apart > 4);
    }

    void measuresAreTheOpsOwnCycles()
    {
        const TimelineIndex& index = sampleIndex();
        const Trace& trace = index.trace();
        const InstanceId a = at(trace, "first(exp2, i=6, j=5)"), b = at(trace, "first(exp2, i=6, j=4)");
        const TimelineMeasure one = measureOf(trace, a);
        QCOMPARE(one.cycles(), static_cast<double>(trace.endCycle(a) - trace.beginCycle(a)));
        const TimelineMeasure gap = measureBetween(trace, b, a);
        QCOMPARE(gap.cycles(), static_cast<double>(trace.beginCycle(b) - trace.endCycle(a)));
        QVERIFY(gap.from.ends && gap.from.instance == a && !gap.to.ends && gap.to.instance == b);
        QVERIFY(edgeText(trace, gap.from).startsWith(QStringLiteral("end of exp2 6,5")));
        QVERIFY(measureText(trace, gap).contains(QStringLiteral("modelled")));
        // The edges snapped to are those of the slice under the pointer.
        TimelineView view;
        view.from = static_cast<double>(trace.beginCycle(a)) - 40;
        view.to = static_cast<double>(trace.endCycle(a)) + 40;
        const TimelineLayout layout = layoutTimeline(area, index, view);
        const LaneGroup group { &index, nullptr };
        const SlicePlace place = issuePlace(layout, std::span(&group, 1), a);
        const SnappedEdge edge = snapEdge(layout, std::span(&group, 1),
            { layout.timeToX(place.begin) + 2, (place.lane->top + place.lane->bottom()) / 2 });
        QVERIFY(edge.instance == a && !edge.ends);
        QCOMPARE(edge.cycle, static_cast<double>(trace.beginCycle(a)));
    }

    void groupsLieBelowEachOther()
    {
        const TimelineIndex& index = sampleIndex();
        const TimelineIndex other(test::sampleRun().run.trace, CtaId(3));
        const Recording recording;
        const std::array<LaneGroup, 3> groups { LaneGroup { &index, nullptr }, LaneGroup { &other, nullptr },
            LaneGroup { nullptr, &recording } };
        const Extent extent { std::span<const LaneGroup>(groups) };
        QCOMPARE(extent.end, std::max(index.end(), 120000.0));
        const TimelineLayout layout = layoutTimeline({ 0, 0, 1200, 900 }, groups, {});
        QStringList titles;
        int sources = 0, counters = 0;
        for (std::size_t k = 1; k < layout.lanes.size(); ++k) {
            QCOMPARE(layout.lanes[k].top, layout.lanes[k - 1].bottom());
            QVERIFY(layout.lanes[k].group >= layout.lanes[k - 1].group);
            if (layout.lanes[k].kind == LaneKind::Title)
                titles << layout.lanes[k].label;
            sources += layout.lanes[k].kind == LaneKind::Source ? 1 : 0;
            counters += layout.lanes[k].kind == LaneKind::Counter && layout.lanes[k].group > 0 ? 1 : 0;
        }
        QCOMPARE(titles, (QStringList { groups[1].title(), QStringLiteral("recorded") }));
        QVERIFY(titles[0].startsWith(QStringLiteral("CTA 3 on SM ")));
        QCOMPARE(sources, 2);
        QCOMPARE(counters, 0);
        // A slice of the second group is found there.
        const InstanceId slice = other.instance(other.roles()[0], 5);
        const SlicePlace place = issuePlace(layout, groups, slice);
        QVERIFY(place.lane && place.lane->group == 1);
        TimelineView view;
        view.from = place.begin - 20;
        view.to = place.end + 20;
        const TimelineLayout close = layoutTimeline({ 0, 0, 1200, 900 }, groups, view);
        const SlicePlace there = issuePlace(close, groups, slice);
        const TimelineHit hit = hitTest(close, groups,
            { close.timeToX((there.begin + there.end) / 2), (there.lane->top + there.lane->bottom()) / 2 });
        QVERIFY(hit.instance == slice);
        // And all of it draws, the recording's slices in the colours of their key blocks.
        TimelineScene scene;
        scene.index = &index;
        scene.beside = { groups[1], groups[2] };
        QImage image(1200, 900, QImage::Format_RGB32);
        QPainter painter(&image);
        paintTimeline(painter, QRectF(0, 0, 1200, 900), scene, {}, Theme::light());
        painter.end();
        const Lane& last = layout.lanes.back();
        QCOMPARE(image.pixelColor(static_cast<int>(layout.timeToX(30000)), static_cast<int>(last.bottom()) - 4),
            Theme::light().keyBlock(3).fill);
    }

    void pinnedCtasStayWhereTheyAre()
    {
        using flashstep::ui::PinnedCtas;
        PinnedCtas pins;
        pins.restart(CtaId::none());
        pins.choose(CtaId(2));
        QCOMPARE(pins.shown(), std::vector<CtaId> { CtaId(2) });
        pins.toggle(CtaId(5));
        QCOMPARE(pins.shown(), (std::vector<CtaId> { CtaId(2), CtaId(5) }));
        pins.choose(CtaId(5)); // a click on its slices: nothing moves
        QCOMPARE(pins.shown(), (std::vector<CtaId> { CtaId(2), CtaId(5) }));
        pins.choose(CtaId(3));
        QCOMPARE(pins.shown(), (std::vector<CtaId> { CtaId(3), CtaId(5) }));
        pins.toggle(CtaId(3));
        QCOMPARE(pins.shown(), (std::vector<CtaId> { CtaId(5), CtaId(3) }));
        pins.clear();
        pins.choose(CtaId(3));
        QCOMPARE(pins.shown(), std::vector<CtaId> { CtaId(3) });
    }

    void waitsAreTold()
    {
        const Trace& trace = *fa4().trace;
        const Causes causes(trace);
        int told = 0;
        for (const WorkId work : trace.worksOf(CtaId(0)))
            for (std::uint32_t k = 0; k < trace.streamOf(work).opCount; ++k) {
                const InstanceId wait = trace.instance(work, OpId(trace.streamOf(work).firstOp + k));
                if (!trace.began(wait) || trace.op(wait).kind != OpKind::Wait || !trace.op(wait).barrier.valid())
                    continue;
                const QStringList lines = describeWait(trace, wait, trace.beginPosition(wait));
                const auto& barrier = trace.program().barriers[trace.op(wait).barrier.index()];
                QVERIFY(lines.join(QLatin1Char('\n')).contains(QString::fromStdString(barrier.name)));
                const auto event = causes.release(wait);
                if (!event) // there is nothing to wait for yet
                    continue;
                const QString when = grouped(trace.timeAt(Position { *event + 1 }));
                QVERIFY(lines.last().startsWith(QStringLiteral("released at %1 by ").arg(when)));
                ++told;
            }
        QVERIFY(told > 10);
    }
};

QTEST_MAIN(PaintTimelineMarksTest)
#include "paint_timeline_marks_test.moc"
