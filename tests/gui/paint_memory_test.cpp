// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/gui/fa4_run.h"
#include "tests/gui/persistent_run.h"
#include "tests/support/paint_sample.h"

#include "ui/paint/memory_layout.h"
#include "ui/paint/memory_parts.h"
#include "ui/paint/memory_traffic.h"

#include <QtTest>

#include <set>

using namespace flashstep;
using namespace flashstep::paint;

namespace {

Run made(Scenario scenario)
{
    auto run = runScenario(scenario, {}, Progress {});
    if (!run)
        qFatal("%s", run.error().line().c_str());
    return std::move(run).value();
}

Scenario timed(const char* algorithm, int length, int heads)
{
    Scenario scenario;
    scenario.algorithm = algorithm;
    scenario.problem.heads = scenario.problem.kvHeads = heads;
    scenario.problem.seqlenQ = scenario.problem.seqlenK = length;
    scenario.problem.headDim = scenario.problem.headDimV = 128;
    scenario.record.kind = Record::Kind::None;
    return scenario;
}

const Run& runOf(const QString& which)
{
    static const Run dense = made(timed("fa4", 1024, 1));
    static const Run pair = [] {
        Scenario scenario = timed("fa4", 1024, 1);
        scenario.knobs = { { "two-cta", "on" } };
        return made(scenario);
    }();
    static const Run cluster = made(timed("fa3", 1024, 2));
    static const Run small = [] { // whose L2 is too small for K and V
        Scenario scenario = timed("fa2", 1024, 4);
        scenario.knobs = { { "l2-mib", "1" } };
        return made(scenario);
    }();
    static const Run scores = made(timed("standard", 512, 1));
    return which == QStringLiteral("dense")  ? dense
        : which == QStringLiteral("pair")    ? pair
        : which == QStringLiteral("cluster") ? cluster
        : which == QStringLiteral("small")   ? small
        : which == QStringLiteral("scores")  ? scores
                                             : test::sampleRun().run;
}

void addRuns()
{
    QTest::addColumn<QString>("which");
    for (const char* name : { "sample", "dense", "pair", "cluster", "small", "scores" })
        QTest::newRow(name) << QString::fromLatin1(name);
}

MemoryScene sceneOf(const Run& run, Position p, CtaId cta)
{
    return { run.trace.get(), &run.gpu, p, cta, {} };
}

} // namespace

class PaintMemory : public QObject {
    Q_OBJECT
private slots:
    void trafficIsTheEmulators_data() { addRuns(); }
    void trafficIsTheEmulators();
    void waitsAreNeverCutOff_data() { addRuns(); }
    void waitsAreNeverCutOff();
    void sectionsDoNotOverlap_data() { addRuns(); }
    void sectionsDoNotOverlap();
    void registersAreThoseOfTheSm_data() { addRuns(); }
    void registersAreThoseOfTheSm();
    void registersOfWarpsThatTakeNoPartFitTheSm();
    void registersChangeAtTheInstruction();
    void livesAreTheOpsOfTheTrace();
    void livesAreShownFromStartToEnd();
    void tilesFlyOnlyWithTheirLoad();
    void flightsAreDrawnOnTheirWayAlone();
    void peerIsTheOtherCta();
    void barrierSaysItsParity();
    void everythingUnderThePointerHasWords_data() { addRuns(); }
    void everythingUnderThePointerHasWords();
};

void PaintMemory::trafficIsTheEmulators()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const MemoryTraffic traffic(*run.trace, run.gpu);
    QVERIFY(traffic.known());
    const MemoryTraffic::Bytes end = traffic.at(run.trace->end());
    QCOMPARE(end.fromHbm, run.trace->hbmRead());
    QCOMPARE(end.served, run.trace->total(Counter::GlobalRead));
    QVERIFY(end.toHbm <= run.trace->hbmWrite()); // the rest is still in L2
    if (which == QStringLiteral("small"))
        QVERIFY(end.hits() < 0.9 * end.served);
    double before = 0;
    const std::uint32_t step = std::max(1U, run.trace->end().value / 200);
    for (std::uint32_t p = 0; p <= run.trace->end().value; p += step) {
        const MemoryTraffic::Bytes bytes = traffic.at(Position { p });
        QVERIFY(bytes.fromHbm >= before && bytes.fromHbm <= bytes.served + 1e-6);
        before = bytes.fromHbm;
    }
}

// In the sizes that the window gives the view at 1440 x 900: beside the tiles, and alone; and alone at 1024 x 700.
void PaintMemory::waitsAreNeverCutOff()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    for (const QSizeF size : { QSizeF(300, 419), QSizeF(780, 445), QSizeF(690, 350) })
        for (std::uint32_t k = 0; k <= 8; ++k) {
            const Position p { run.trace->end().value / 8 * k };
            const QRectF area(QPointF(), size);
            const MemoryLayout layout = layoutMemory(area, sceneOf(run, p, CtaId(0)));
            QVERIFY2(layout.height <= size.height(), qPrintable(QString::number(layout.height)));
            QVERIFY(area.contains(layout.waits));
            QVERIFY(layout.waits.height() >= layout.measures.wait
                    * static_cast<double>(run.trace->streamOf(run.trace->worksOf(CtaId(0)).front()).roles.size()));
        }
}

void PaintMemory::sectionsDoNotOverlap()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    for (const QSizeF size : { QSizeF(300, 300), QSizeF(300, 419), QSizeF(300, 900), QSizeF(560, 400), QSizeF(780, 445),
             QSizeF(1200, 900) }) {
        const MemoryLayout layout = layoutMemory({ QPointF(), size }, sceneOf(run, run.trace->end(), CtaId(0)));
        std::vector<QRectF> parts { layout.hbmTitle, layout.l2Title, layout.l2, layout.smemTitle, layout.peerTitle,
            layout.tensorTitle, layout.registerTitle, layout.registerFile, layout.waitTitle, layout.waits };
        for (const MemoryLayout::Strip& strip : layout.strips)
            parts.push_back(strip.rect);
        for (const auto* boxes : { &layout.shared, &layout.peer, &layout.registers, &layout.lives })
            for (const MemoryLayout::Box& box : *boxes)
                parts.push_back(box.rect);
        for (const MemoryLayout::Gate& gate : layout.gates)
            parts.push_back(gate.rect);
        for (const MemoryLayout::RoleBox& role : layout.roles)
            parts.push_back(role.rect);
        if (!layout.tensor.empty())
            parts.push_back(layout.tensor.front().rect);
        for (std::size_t a = 0; a < parts.size(); ++a)
            for (std::size_t b = a + 1; b < parts.size(); ++b)
                if (!parts[a].isEmpty() && !parts[b].isEmpty()) {
                    const QRectF common = parts[a] & parts[b];
                    QVERIFY2(common.width() < 0.01 || common.height() < 0.01,
                        qPrintable(QStringLiteral("%1 and %2 at %3").arg(a).arg(b).arg(size.height())));
                }
    }
}

void PaintMemory::registersAreThoseOfTheSm()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    for (const Position p : { Position { 0 }, run.trace->end() }) {
        int all = 0, warps = 0;
        for (const RegisterShare& share : registerShares(*run.trace, CtaId(0), p)) {
            all += share.all();
            warps += share.warps;
        }
        QCOMPARE(warps, run.program->launchOf(CtaId(0)).threads / 32);
        QVERIFY2(all > 0 && all <= registersOfSm, qPrintable(QString::number(all)));
    }
}

// Three heads packed together leave O to the correction: the epilogue's warp has no op, and the loaders are two.
void PaintMemory::registersOfWarpsThatTakeNoPartFitTheSm()
{
    Scenario scenario = timed("fa4", 512, 3);
    scenario.problem.kvHeads = 1;
    const Run run = made(scenario);
    const Trace& trace = *run.trace;
    const auto& roles = trace.streamOf(trace.worksOf(CtaId(0)).front()).roles;
    QVERIFY(std::any_of(roles.begin(), roles.end(), [](const RoleRange& role) { return role.count == 0; }));
    for (const Position p : { Position { 0 }, trace.end() }) {
        int all = 0, warps = 0;
        for (const RegisterShare& share : registerShares(trace, CtaId(0), p)) {
            all += share.all();
            warps += share.warps;
        }
        QCOMPARE(warps, run.program->launchOf(CtaId(0)).threads / 32);
        QCOMPARE(all, registersOfSm);
    }
}

void PaintMemory::registersChangeAtTheInstruction()
{
    const Run& run = runOf(QStringLiteral("dense"));
    const Trace& trace = *run.trace;
    const WorkId work = trace.worksOf(CtaId(0)).front();
    const auto& roles = trace.streamOf(work).roles;
    int changed = 0;
    for (std::size_t r = 0; r < roles.size(); ++r) {
        const int own = run.program->roles[roles[r].role.index()].registers;
        const int before = run.program->launchOf(CtaId(0)).registersPerThread;
        QCOMPARE(registersOf(trace, CtaId(0), r, Position { 0 }), before);
        QCOMPARE(registersOf(trace, CtaId(0), r, trace.end()), own);
        for (std::uint32_t k = roles[r].first; k < roles[r].first + roles[r].count; ++k)
            if (run.program->ops[k].kind == OpKind::SetRegisters) {
                const Position at = trace.endPosition(trace.instance(work, OpId(k)));
                QCOMPARE(registersOf(trace, CtaId(0), r, Position { at.value - 1 }), before);
                QCOMPARE(registersOf(trace, CtaId(0), r, at), own);
                ++changed;
            }
    }
    QCOMPARE(changed, static_cast<int>(roles.size()));
}

void PaintMemory::livesAreShownFromStartToEnd()
{
    const auto run = test::fa4Run(test::fa4Scenario(64, 192, 64));
    const CtaSpan& span = run.trace->span(CtaId(0));
    for (const Position at : { Position { 0 }, *run.trace->block(0, 0, 0, 6), run.trace->end() }) {
        MemoryScene scene;
        scene.trace = run.trace.get();
        scene.cta = CtaId(0);
        scene.position = at;
        const LifeWindow window = lifeWindow(scene);
        QVERIFY(window.from >= span.begin && window.to > window.from);
        QVERIFY(window.to <= span.end + 1e-9);
        const auto now = static_cast<double>(run.trace->timeAt(at));
        QVERIFY(at.value == 0 || (now >= window.from && now <= window.to));
        if (at == *run.trace->block(0, 0, 0, 6))
            QVERIFY(!tensorLives(*run.trace, CtaId(0), static_cast<Cycle>(window.from), static_cast<Cycle>(window.to))
                         .empty());
    }
}

// Over the whole run every write and read of tensor memory is in the life of what it touches.
void PaintMemory::livesAreTheOpsOfTheTrace()
{
    for (const char* which : { "dense", "pair" }) {
        const Run& run = runOf(QString::fromLatin1(which));
        const Trace& trace = *run.trace;
        for (const CtaId cta : { CtaId(0), CtaId(1) }) {
            const CtaSpan& span = trace.span(cta);
            const std::vector<TensorLife> all = tensorLives(trace, cta, span.begin, span.end);
            QVERIFY(!all.empty());
            int s = 0, p = 0;
            for (const TensorLife& life : all) {
                QVERIFY(life.writeEnd >= life.writeBegin);
                const std::string& family = run.program->buffers[life.buffer.index()].family;
                if (family == "S" || family == "P") {
                    QVERIFY2(life.readEnd >= life.readBegin && life.readBegin >= life.writeBegin,
                        qPrintable(QStringLiteral("%1 %2,%3: %4–%5, read %6–%7")
                                       .arg(QString::fromStdString(run.program->buffers[life.buffer.index()].name))
                                       .arg(life.i)
                                       .arg(life.j)
                                       .arg(life.writeBegin)
                                       .arg(life.writeEnd)
                                       .arg(life.readBegin)
                                       .arg(life.readEnd)));
                    ++(family == "S" ? s : p);
                }
                // A stretch of time around it finds the same again.
                const std::vector<TensorLife> near
                    = tensorLives(trace, cta, life.writeBegin, std::max(life.writeEnd, life.readEnd));
                QVERIFY(std::any_of(near.begin(), near.end(), [&](const TensorLife& other) {
                    return other.buffer == life.buffer && other.work == life.work && other.i == life.i
                        && other.j == life.j;
                }));
            }
            const int expected = run.program->keyBlocks() * run.program->launches.front().tilesPerWork
                * static_cast<int>(trace.worksOf(cta).size());
            QCOMPARE(s, expected);
            QCOMPARE(p, expected);
        }
    }
}

void PaintMemory::tilesFlyOnlyWithTheirLoad()
{
    const Run& run = runOf(QStringLiteral("cluster"));
    const Trace& trace = *run.trace;
    int flown = 0;
    for (std::uint32_t p = 0; p < std::min(4000U, trace.end().value); ++p) {
        const Event event = trace.eventAt(p);
        const auto flights = flightsBetween(trace, CtaId(0), Position { p }, Position { p + 1 });
        const Op& op = trace.op(event.instance);
        const bool load = op.kind == OpKind::Load && trace.ctaOf(event.instance) == CtaId(0);
        QCOMPARE(flights.size(), std::size_t { load ? 1U : 0U });
        if (!load)
            continue;
        ++flown;
        QVERIFY(flights.front().buffer == op.out);
        QCOMPARE(flights.front().lands, event.ends);
        QVERIFY(flights.front().tile >= 0);
    }
    QVERIFY(flown > 4);
    QVERIFY(flightsBetween(trace, CtaId(0), Position { 9 }, Position { 3 }).empty());
}

// On the way there is a tile more to see; at its end, and without motion, the same picture.
void PaintMemory::flightsAreDrawnOnTheirWayAlone()
{
    const Run& run = runOf(QStringLiteral("cluster"));
    const Trace& trace = *run.trace;
    Position landed {};
    std::vector<Flight> flights;
    for (std::uint32_t p = 1; p < trace.end().value && landed.value == 0; ++p) {
        flights = flightsBetween(trace, CtaId(0), Position { p }, Position { p + 1 });
        if (!flights.empty() && flights.front().lands && flights.front().tensor == TensorId::K)
            landed = Position { p + 1 };
    }
    QVERIFY(landed.value > 0);
    const auto draw = [&](const std::vector<Flight>* moving, double flown) {
        MemoryScene scene = sceneOf(run, landed, CtaId(0));
        scene.flights = moving;
        scene.flown = flown;
        QImage image(780, 445, QImage::Format_ARGB32_Premultiplied);
        QPainter painter(&image);
        paintMemory(painter, image.rect(), scene, Theme::light());
        painter.end();
        return image;
    };
    const QImage still = draw(nullptr, 1);
    QVERIFY(draw(&flights, 0.5) != still);
    QVERIFY(draw(&flights, 0.5) != draw(&flights, 0.1));
    QCOMPARE(draw(&flights, 1), still);
}

void PaintMemory::peerIsTheOtherCta()
{
    for (const char* which : { "pair", "cluster" }) {
        const Run& run = runOf(QString::fromLatin1(which));
        const MemoryScene scene = sceneOf(run, Position { run.trace->end().value / 2 }, CtaId(0));
        const QRectF area(0, 0, 780, 600);
        const MemoryLayout layout = layoutMemory(area, scene);
        QCOMPARE(layout.peer.size(), layout.shared.size());
        const MemoryHit hit = hitTestMemory(area, scene, layout.peer.front().rect.center());
        QVERIFY(hit.peer && hit.buffer == layout.peer.front().buffer);
        QVERIFY(describeMemory(scene, hit).contains(QStringLiteral("CTA 1")));
        QVERIFY(!clusterNote(*run.program, run.program->launches.front(), 0).isEmpty());
    }
    QVERIFY(
        layoutMemory({ 0, 0, 780, 900 }, sceneOf(runOf(QStringLiteral("dense")), Position { 9 }, CtaId(0))).peer.empty()
        || runOf(QStringLiteral("dense")).program->launches.front().clusterSize > 1);
}

void PaintMemory::barrierSaysItsParity()
{
    const Run& run = runOf(QStringLiteral("cluster"));
    std::set<int> phases;
    for (const BarrierState& state : barriersAt(*run.trace, CtaId(0), Position { run.trace->end().value / 2 })) {
        const QString words = describeBarrier(*run.program, state);
        QVERIFY2(words.contains(
                     QStringLiteral("phase %1, parity %2, ").arg(state.phase).arg(state.phase - state.phase / 2 * 2)),
            qPrintable(words));
        phases.insert(state.phase);
    }
    QVERIFY(phases.size() > 1);
}

void PaintMemory::everythingUnderThePointerHasWords()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const MemoryTraffic traffic(*run.trace, run.gpu);
    MemoryScene scene = sceneOf(run, Position { run.trace->end().value / 2 }, CtaId(0));
    scene.traffic = &traffic;
    const QRectF area(0, 0, 780, 700);
    const MemoryLayout layout = layoutMemory(area, scene);
    std::vector<QPointF> points { layout.l2.center(), layout.registerFile.center() };
    for (const auto* boxes : { &layout.shared, &layout.peer, &layout.registers })
        for (const MemoryLayout::Box& box : *boxes)
            if (!box.rect.isEmpty())
                points.push_back(box.rect.center());
    for (const MemoryLayout::Strip& strip : layout.strips)
        points.push_back(strip.rect.center());
    for (const QPointF& point : points)
        QVERIFY(!describeMemory(scene, hitTestMemory(area, scene, point)).isEmpty());
    QVERIFY(describeMemory(scene, hitTestMemory(area, scene, layout.l2.center()))
                .startsWith(QStringLiteral("Read so far")));
}

QTEST_MAIN(PaintMemory)
#include "paint_memory_test.moc"
