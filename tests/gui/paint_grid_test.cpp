// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/gui/persistent_run.h"
#include "tests/support/paint_sample.h"

#include "ui/paint/grid_painter.h"

#include <QPaintEngine>
#include <QtTest>

#include <set>

using namespace flashstep;
using namespace flashstep::paint;

namespace {

Run made(const Scenario& scenario, const RunOptions& options = {})
{
    auto run = runScenario(scenario, {}, Progress {}, options);
    if (!run)
        qFatal("%s", run.error().line().c_str());
    return std::move(run).value();
}

// More CTAs than the SMs hold at once.
const Run& waves()
{
    static const Run run = [] {
        Scenario scenario;
        scenario.algorithm = "fa2";
        scenario.problem.heads = scenario.problem.kvHeads = 4;
        scenario.problem.seqlenQ = scenario.problem.seqlenK = 1024;
        scenario.problem.mask.kind = MaskKind::Causal;
        scenario.knobs = { { "sms", "4" } };
        scenario.record.kind = Record::Kind::None;
        return made(scenario);
    }();
    return run;
}

const Run& launches()
{
    static const Run run = [] {
        Scenario scenario;
        scenario.algorithm = "standard";
        scenario.problem.seqlenQ = scenario.problem.seqlenK = 512;
        scenario.record.kind = Record::Kind::None;
        return made(scenario);
    }();
    return run;
}

const Run& twoSteps()
{
    static const Run run = [] {
        Scenario scenario;
        scenario.algorithm = "fa3";
        scenario.problem.heads = scenario.problem.kvHeads = 8;
        scenario.problem.seqlenQ = scenario.problem.seqlenK = 4096;
        scenario.record.kind = Record::Kind::None;
        RunOptions options;
        options.grid = RunOptions::Grid::TwoSteps;
        return made(scenario, options);
    }();
    return run;
}

const Run& runOf(const QString& which)
{
    return which == QStringLiteral("waves")     ? waves()
        : which == QStringLiteral("launches")   ? launches()
        : which == QStringLiteral("two steps")  ? twoSteps()
        : which == QStringLiteral("persistent") ? test::persistentRun()
                                                : test::sampleRun().run;
}

void addRuns()
{
    QTest::addColumn<QString>("which");
    for (const char* name : { "sample", "waves", "launches", "persistent", "two steps" })
        QTest::newRow(name) << QString::fromLatin1(name);
}

const QRectF area(5, 7, 800, 460);

class CountingDevice : public QPaintDevice {
public:
    class Engine : public QPaintEngine {
    public:
        Engine()
            : QPaintEngine(AllFeatures)
        {
        }
        bool begin(QPaintDevice* /*device*/) override { return true; }
        bool end() override { return true; }
        void updateState(const QPaintEngineState& /*state*/) override { }
        void drawPixmap(const QRectF& /*r*/, const QPixmap& /*pm*/, const QRectF& /*sr*/) override { ++calls; }
        void drawRects(const QRectF* /*rects*/, int count) override { calls += count; }
        void drawRects(const QRect* /*rects*/, int count) override { calls += count; }
        void drawLines(const QLineF* /*lines*/, int count) override { calls += count; }
        void drawPolygon(const QPointF* /*points*/, int /*count*/, PolygonDrawMode /*mode*/) override { ++calls; }
        void drawTextItem(const QPointF& /*p*/, const QTextItem& /*item*/) override { ++calls; }
        void drawPath(const QPainterPath& /*path*/) override { ++calls; }
        void drawTiledPixmap(const QRectF& /*r*/, const QPixmap& /*pm*/, const QPointF& /*s*/) override { ++calls; }
        Type type() const override { return User; }
        int calls = 0;
    };
    QPaintEngine* paintEngine() const override { return &engine; }
    int metric(PaintDeviceMetric metric) const override
    {
        return metric == PdmWidth || metric == PdmHeight ? 2000 : metric == PdmDevicePixelRatio ? 1 : 96;
    }
    mutable Engine engine;
};
} // namespace

class PaintGrid : public QObject {
    Q_OBJECT
private slots:
    void everyCtaLiesWhereTheTraceSays_data() { addRuns(); }
    void everyCtaLiesWhereTheTraceSays();
    void partsAreTheTracesWorks_data() { addRuns(); }
    void partsAreTheTracesWorks();
    void summaryIsCounted_data() { addRuns(); }
    void summaryIsCounted();
    void sentenceSaysTheNumbers();
    void sentenceSaysWhoWorksInTheLastLaunch();
    void theEndIsTheEndOfEveryCta();
    void deadlockIsSaid();
    void scheduleIsReadOffTheProgram_data();
    void scheduleIsReadOffTheProgram();
    void statesFollowThePosition();
    void pointFindsTheCta_data() { addRuns(); }
    void pointFindsTheCta();
    void zoomKeepsWhatIsUnderThePointer();
    void rowsNeverLeaveThePlot();
    void pixelsDecideTheCost();
    void everyPositionDraws_data() { addRuns(); }
    void everyPositionDraws();
};

void PaintGrid::everyCtaLiesWhereTheTraceSays()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const GridIndex index(run.trace);
    std::size_t found = 0;
    for (const GridIndex::Row& row : index.rows())
        for (std::size_t slot = 0; slot < row.lanes.size(); ++slot) {
            std::uint32_t free = 0;
            for (const GridIndex::Stay& stay : row.lanes[slot].stays) {
                const CtaSpan& span = run.trace->span(stay.cta);
                QCOMPARE(static_cast<int>(span.sm), row.sm);
                QCOMPARE(static_cast<std::size_t>(span.slot), slot);
                QCOMPARE(stay.begin, span.begin);
                QCOMPARE(stay.end, span.end);
                QVERIFY(stay.begin >= free);
                free = stay.end;
                QVERIFY(index.find(stay.cta) == &stay);
                ++found;
            }
        }
    std::size_t ran = 0;
    for (std::size_t c = 0; c < run.program->ctaCount(); ++c)
        ran += run.trace->worksOf(CtaId(c)).empty() ? 0 : 1;
    QCOMPARE(found, ran);
    QCOMPARE(index.summary().ctas, ran);
}

// A tile's first and last cycle, by all of its ops.
void PaintGrid::partsAreTheTracesWorks()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const Trace& trace = *run.trace;
    const GridIndex index(run.trace);
    std::size_t parts = 0;
    for (const GridIndex::Row& row : index.rows())
        for (const GridIndex::Lane& lane : row.lanes)
            for (const GridIndex::Stay& stay : lane.stays)
                for (const GridIndex::Part& part : index.partsOf(stay)) {
                    Cycle first = std::numeric_limits<Cycle>::max(), last = 0;
                    const Stream& stream = trace.streamOf(part.work);
                    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k)
                        if (const InstanceId at = trace.instance(part.work, OpId(k)); trace.began(at)) {
                            first = std::min(first, trace.beginCycle(at));
                            last = std::max(last, trace.endCycle(at));
                        }
                    QCOMPARE(static_cast<Cycle>(part.begin), first);
                    QCOMPARE(static_cast<Cycle>(part.end), last);
                    QVERIFY(part.begin >= stay.begin && part.end <= stay.end);
                    QVERIFY(trace.ctaOf(part.work) == stay.cta);
                    ++parts;
                }
    if (run.trace->wholeGrid())
        QCOMPARE(parts, index.summary().works);
    else
        QVERIFY(parts > 0 && parts < index.summary().works);
}

void PaintGrid::summaryIsCounted()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const Trace& trace = *run.trace;
    const GridIndex index(run.trace);
    const GridSummary& s = index.summary();
    std::map<int, Cycle> idle; // by SM of the last launch: from when on
    std::set<int> sms;
    std::map<std::tuple<int, int, std::size_t>, int> places;
    int most = 0;
    for (std::size_t c = 0; c < run.program->ctaCount(); ++c) {
        const CtaSpan& span = trace.span(CtaId(c));
        sms.insert(span.sm);
        const auto launch = static_cast<std::size_t>(&run.program->launchOf(CtaId(c)) - run.program->launches.data());
        if (launch + 1 == run.program->launches.size())
            idle[span.sm] = std::max<Cycle>(idle[span.sm], span.end);
        most = std::max(most, ++places[{ span.sm, span.slot, launch }]);
    }
    QCOMPARE(s.waves, most);
    QCOMPARE(s.usedSms, static_cast<int>(sms.size()));
    QCOMPARE(s.sms, trace.smCount());
    Cycle first = std::numeric_limits<Cycle>::max(), last = 0;
    for (const auto& [sm, end] : idle) {
        first = std::min(first, end);
        last = std::max(last, end);
    }
    QCOMPARE(s.tailBegin, first);
    QCOMPARE(s.end, last);
    QCOMPARE(s.tailSms,
        static_cast<int>(std::count_if(idle.begin(), idle.end(), [&](const auto& i) { return i.second > first; })));
    double busy = 0;
    for (const auto& [sm, end] : idle)
        busy += static_cast<double>(end - first);
    QCOMPARE(s.lastSms, static_cast<int>(idle.size()));
    QCOMPARE(s.tailBusy, last > first ? busy / static_cast<double>(last - first) : 0);
    QVERIFY(s.tailBusy <= s.tailSms);
    QCOMPARE(s.tailShare, static_cast<double>(last - first) / static_cast<double>(trace.cycles()));
}

void PaintGrid::sentenceSaysTheNumbers()
{
    const GridIndex index(waves().trace);
    const GridSummary& s = index.summary();
    QVERIFY(s.waves > 1);
    const QString text = QString(index.sentence()).replace(QChar(0xa0), QLatin1Char(' '));
    QVERIFY2(text.startsWith(QStringLiteral("4 SMs, %1 CTAs in %2 waves; tail ").arg(s.ctas).arg(s.waves)),
        qPrintable(text));
    QVERIFY(s.tailSms > 1 && s.tailBusy > 0);
    QVERIFY2(
        text.contains(QStringLiteral(": on average %1 of 4 SMs work in it").arg(QString::number(s.tailBusy, 'f', 1))),
        qPrintable(text));
    const GridIndex sample(test::sampleRun().run.trace);
    QVERIFY(QString(sample.sentence())
                .replace(QChar(0xa0), QLatin1Char(' '))
                .startsWith(QStringLiteral("8 of 132 SMs used, 8 CTAs in 1 wave; tail ")));
}

void PaintGrid::sentenceSaysWhoWorksInTheLastLaunch()
{
    Scenario scenario;
    scenario.algorithm = "standard";
    scenario.problem.heads = 3;
    scenario.problem.kvHeads = 1;
    scenario.problem.seqlenQ = 512;
    scenario.problem.seqlenK = 2048;
    scenario.problem.headDim = scenario.problem.headDimV = 128;
    scenario.record.kind = Record::Kind::None;
    const Run run = made(scenario);
    const GridIndex index(run.trace);
    const GridSummary& s = index.summary();
    QVERIFY(s.launches > 1 && s.lastSms < s.usedSms);
    double begin = 1e18;
    for (std::size_t c = 0; c < run.program->ctaCount(); ++c)
        if (&run.program->launchOf(CtaId(c)) == &run.program->launches.back())
            begin = std::min(begin, static_cast<double>(run.trace->span(CtaId(c)).begin));
    QCOMPARE(
        s.lastShare, (static_cast<double>(run.trace->cycles()) - begin) / static_cast<double>(run.trace->cycles()));
    const QString text = QString(index.sentence()).replace(QChar(0xa0), QLatin1Char(' '));
    QVERIFY2(text.contains(QStringLiteral("%1 of %2 SMs work in the last launch, ").arg(s.lastSms).arg(s.usedSms)),
        qPrintable(text));
    QVERIFY2(!text.contains(QStringLiteral("all SMs end together")), qPrintable(text));
}

// A grid timed in two steps keeps the events of one SM alone, which need not be the last to end.
void PaintGrid::theEndIsTheEndOfEveryCta()
{
    Scenario scenario;
    scenario.algorithm = "fa2";
    scenario.problem.batch = 8;
    scenario.problem.heads = scenario.problem.kvHeads = 64;
    scenario.problem.seqlenQ = 4096;
    scenario.problem.seqlenK = 4096;
    scenario.record.kind = Record::Kind::None;
    const Run run = made(scenario);
    QVERIFY(run.report.twoSteps);
    const Trace& trace = *run.trace;
    const GridIndex index(run.trace);
    QCOMPARE(index.timeAt(trace.end()), static_cast<Cycle>(trace.cycles()));
    QCOMPARE(index.timeAt(Position { 1 }), trace.timeAt(Position { 1 }));
    for (const GridIndex::Row& row : index.rows())
        for (const GridIndex::Lane& lane : row.lanes)
            for (const GridIndex::Stay& stay : lane.stays)
                QVERIFY(index.stateOf(stay, trace.end()) == GridState::Done);
}

void PaintGrid::deadlockIsSaid()
{
    Scenario scenario;
    scenario.algorithm = "fa3";
    scenario.problem.seqlenQ = scenario.problem.seqlenK = 512;
    scenario.breaks = { "count:pipeline_v.full=9" };
    scenario.record.kind = Record::Kind::None;
    const Run run = made(scenario);
    QVERIFY(!run.trace->deadlock().empty());
    const GridIndex index(run.trace);
    const GridSummary& s = index.summary();
    QCOMPARE(s.stuck, s.ctas);
    QVERIFY(index.sentence().contains(QStringLiteral("deadlock: %1").arg(s.stuck)));
    QVERIFY(!index.sentence().contains(QStringLiteral("tail")));
    const auto& stay = index.rows().front().lanes.front().stays.front();
    QVERIFY(!stay.ends);
    QVERIFY(index.stateOf(stay, run.trace->end()) == GridState::Running);
    QVERIFY(describeStay(index, stay, nullptr, run.trace->end()).contains(QStringLiteral("never ends")));
}

void PaintGrid::scheduleIsReadOffTheProgram_data()
{
    QTest::addColumn<QString>("algorithm");
    QTest::addColumn<QString>("knob");
    QTest::addColumn<QString>("words");
    const auto row = [](const char* algorithm, const char* knob, const char* words) {
        QTest::newRow(qPrintable(QString::fromLatin1("%1 %2").arg(QLatin1String(algorithm), QLatin1String(knob))))
            << QString::fromLatin1(algorithm) << QString::fromLatin1(knob) << QString::fromLatin1(words);
    };
    row("fa2", "single-tile", "scheduler single-tile: tiles in order, a CTA for each tile");
    row("fa2", "lpt", "scheduler lpt: longest tiles first, a CTA for each tile");
    row("fa3", "lpt", "scheduler lpt: longest tiles first, each CTA takes the next tile");
    row("fa3", "linear", "scheduler linear: tiles in order, each CTA takes the next tile");
    row("fa3", "persistent", "scheduler persistent: tiles in order, each CTA has its share of the tiles");
    row("fa4", "lpt", "scheduler lpt: longest tiles first, a CTA for each tile");
    row("fa4", "persistent", "scheduler persistent: tiles in order, each CTA has its share of the tiles");
}

void PaintGrid::scheduleIsReadOffTheProgram()
{
    QFETCH(QString, algorithm);
    QFETCH(QString, knob);
    QFETCH(QString, words);
    Scenario scenario;
    scenario.algorithm = algorithm.toStdString();
    scenario.problem.heads = scenario.problem.kvHeads = 2;
    scenario.problem.seqlenQ = scenario.problem.seqlenK = 1024;
    scenario.problem.mask.kind = MaskKind::Causal;
    scenario.knobs = { { "scheduler", knob.toStdString() } };
    scenario.record.kind = Record::Kind::None;
    const auto prepared = prepare(scenario);
    QVERIFY2(prepared, prepared ? "" : prepared.error().line().c_str());
    QCOMPARE(scheduleText(*prepared->program, prepared->program->launches.back()), words);
}

void PaintGrid::statesFollowThePosition()
{
    const Run& run = test::persistentRun();
    const GridIndex index(run.trace);
    for (const GridIndex::Row& row : index.rows())
        for (const GridIndex::Stay& stay : row.lanes.front().stays) {
            const auto parts = index.partsOf(stay);
            QVERIFY(parts.size() > 1);
            QVERIFY(index.stateOf(stay, Position { 0 }) == GridState::ToCome);
            QVERIFY(index.stateOf(stay, run.trace->end()) == GridState::Done);
            for (const GridIndex::Part& part : parts) {
                QVERIFY(GridIndex::stateOf(part, Position { part.beginPosition - 1 }) == GridState::ToCome);
                QVERIFY(GridIndex::stateOf(part, Position { part.beginPosition }) == GridState::Running);
                QVERIFY(GridIndex::stateOf(part, Position { part.endPosition - 1 }) == GridState::Running);
                QVERIFY(GridIndex::stateOf(part, Position { part.endPosition }) == GridState::Done);
                QVERIFY(index.stateOf(stay, Position { part.beginPosition }) == GridState::Running);
            }
        }
}

void PaintGrid::pointFindsTheCta()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const GridIndex index(run.trace);
    const GridLayout layout = layoutGrid(area, index, {});
    for (int r = layout.firstRow(); r < layout.lastRow(); ++r) {
        const GridIndex::Row& row = index.rows()[static_cast<std::size_t>(r)];
        for (int slot = 0; slot < static_cast<int>(row.lanes.size()); ++slot)
            for (const GridIndex::Stay& stay : row.lanes[static_cast<std::size_t>(slot)].stays) {
                const QRectF lane = layout.laneRect(r, slot);
                const QPointF middle(layout.timeToX((stay.begin + stay.end) / 2.0), lane.center().y());
                const GridHit hit = hitTest(layout, index, middle);
                QVERIFY(hit.stay == &stay);
                QCOMPARE(hit.row, r);
                QVERIFY(!describeStay(index, stay, hit.work, Position { 5 }).isEmpty());
            }
    }
    const GridHit ruler = hitTest(layout, index, { layout.timeToX(1234), layout.ruler.center().y() });
    QVERIFY(ruler.part == GridHit::Part::Ruler);
    QVERIFY(std::fabs(ruler.cycle - 1234) < 1);
    QVERIFY(hitTest(layout, index, area.bottomRight()).part == GridHit::Part::Nothing);
}

void PaintGrid::zoomKeepsWhatIsUnderThePointer()
{
    const GridIndex index(twoSteps().trace);
    GridView view;
    const QPointF anchor(420, 250);
    const GridHit before = hitTest(layoutGrid(area, index, view), index, anchor);
    QVERIFY(before.stay != nullptr);
    for (int k = 0; k < 8; ++k) {
        view = zoomed(area, index, view, 1.3, anchor);
        const GridHit now = hitTest(layoutGrid(area, index, view), index, anchor);
        QVERIFY(std::fabs(now.cycle - before.cycle) < 2);
        QVERIFY(std::abs(now.row - before.row) <= 1);
    }
    QVERIFY(layoutGrid(area, index, view).rowHeight > layoutGrid(area, index, {}).rowHeight);
    for (int k = 0; k < 30; ++k)
        view = zoomed(area, index, view, 0.7, anchor);
    QVERIFY(view.to <= view.from); // the whole again
    QCOMPARE(view.scroll, 0.0);
}

void PaintGrid::rowsNeverLeaveThePlot()
{
    const GridIndex index(twoSteps().trace);
    for (const QSizeF size : { QSizeF(800, 460), QSizeF(400, 200), QSizeF(300, 120), QSizeF(60, 30) })
        for (const double height : { 0.0, 18.0 }) {
            const GridView view { 0, 0, height, 1e6 };
            const GridLayout layout = layoutGrid({ QPointF(), size }, index, view);
            QVERIFY(layout.firstRow() >= 0 && layout.lastRow() <= layout.rows);
            QVERIFY(layout.rowTop(layout.rows - 1) + layout.rowHeight <= layout.plot.bottom() + 1e-6
                || layout.contentHeight > layout.plot.height());
            QVERIFY(layout.plot.bottom() <= std::max(layout.legend.top(), layout.plot.top() + 12));
            QVERIFY(layout.scroll <= std::max(0.0, layout.contentHeight - layout.plot.height()));
        }
}

// What cannot be told apart is not drawn one by one: a picture of few pixels has few pieces, however many CTAs.
void PaintGrid::pixelsDecideTheCost()
{
    Scenario scenario;
    scenario.algorithm = "fa2";
    scenario.problem.heads = scenario.problem.kvHeads = 256;
    scenario.problem.seqlenQ = scenario.problem.seqlenK = 512;
    scenario.knobs = { { "sms", "2" } };
    scenario.record.kind = Record::Kind::None;
    RunOptions options;
    options.grid = RunOptions::Grid::TwoSteps;
    const Run run = made(scenario, options);
    const GridIndex index(run.trace);
    QVERIFY(index.summary().ctas >= 1024);
    CountingDevice narrow;
    QPainter painter(&narrow);
    paintGridView(painter, { 0, 0, 140, 200 }, { &index, Position { 0 }, CtaId(0), {} }, {}, Theme::light());
    painter.end();
    QVERIFY2(narrow.engine.calls < 1000, qPrintable(QString::number(narrow.engine.calls)));
}

void PaintGrid::everyPositionDraws()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const GridIndex index(run.trace);
    QImage image(700, 400, QImage::Format_ARGB32_Premultiplied);
    for (const Theme* theme : { &Theme::light(), &Theme::dark() }) {
        std::set<QByteArray> pictures;
        for (int k = 0; k <= 4; ++k) {
            const Position p { static_cast<std::uint32_t>(run.trace->end().value * static_cast<std::uint64_t>(k) / 4) };
            image.fill(Qt::white);
            QPainter painter(&image);
            paintGridView(painter, image.rect(), { &index, p, CtaId(0), {} }, {}, *theme);
            painter.end();
            pictures.insert(QByteArray(
                reinterpret_cast<const char*>(image.constBits()), static_cast<int>(image.sizeInBytes()))); // NOLINT
        }
        QCOMPARE(pictures.size(), std::size_t { 5 });
    }
}

QTEST_MAIN(PaintGrid)
#include "paint_grid_test.moc"
