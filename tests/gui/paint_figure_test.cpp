// SPDX-License-Identifier: GPL-3.0-or-later
// What the pipeline figures say, worked out anew from the trace.
#include "tests/gui/picture_reading.h"
#include "tests/support/paint_sample.h"

#include "core/io/scenario.h"
#include "ui/paint/figure_facts.h"
#include "ui/paint/picture.h"

#include <QtTest>

#include <map>

using namespace flashstep;
using namespace flashstep::paint;
using namespace flashstep::test;

namespace {

flashstep::Run galleryRun(const std::string& name)
{
    auto file = readScenario(std::string(FLASHSTEP_SOURCE_DIR) + "/docs/gallery/" + name + ".json");
    auto inputs = file ? loadInputs(*file) : Result<LoadedInputs>(file.error());
    auto run
        = inputs ? runScenario(file->scenario, inputs->inputs, Progress {}) : Result<flashstep::Run>(inputs.error());
    if (!run)
        qFatal("%s", run.error().line().c_str());
    return std::move(run).value();
}

QStringList textsOf(const flashstep::Run& run)
{
    PictureRequest r;
    r.run = &run;
    r.view = QStringLiteral("figure");
    r.at = run.trace->end();
    QStringList texts;
    for (const SvgWords& words : wordsOf(renderSvg(r)))
        texts << words.text;
    return texts;
}

std::int64_t numberIn(QString text)
{
    return text.remove(QChar(0x00a0)).toLongLong();
}

struct Period {
    std::int64_t cycles = 0, tensor = 0;
};

Period periodIn(const QStringList& texts)
{
    static const QRegularExpression form(
        QStringLiteral("^one period: ([\\d\\x{a0}]+) cycles, of them ([\\d\\x{a0}]+) on the tensor core$"));
    for (const QString& text : texts)
        if (const auto match = form.match(text); match.hasMatch())
            return { numberIn(match.captured(1)), numberIn(match.captured(2)) };
    return {};
}

// Ends of the products P V of one query tile of a CTA, by key block, in order of time.
std::vector<Cycle> productEnds(const Trace& trace, CtaId cta, int tile)
{
    std::map<int, Cycle> ends;
    const Program& program = trace.program();
    for (std::size_t k = 0; k < trace.instanceCount(); ++k) {
        const InstanceId instance(static_cast<std::uint32_t>(k));
        const Op& op = trace.op(instance);
        const Work& work = program.work(trace.workOf(instance));
        if (trace.ctaOf(instance) == cta && op.kind == OpKind::Mma && !op.transposed && trace.ended(instance)
            && program.queryTile(work, op) == tile)
            ends[program.keyBlock(work, op)] = std::max(ends[program.keyBlock(work, op)], trace.endCycle(instance));
    }
    std::vector<Cycle> sorted;
    for (const auto& [block, end] : ends)
        sorted.push_back(end);
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}

double tensorCycles(const Trace& trace, CtaId cta, Cycle from, Cycle to)
{
    double cycles = 0;
    for (const Hop& hop : trace.hops()) {
        const InstanceId instance(hop.instance);
        if (hop.engine() != Engine::Tensor || trace.ctaOf(instance) != cta)
            continue;
        const auto overlap = static_cast<double>(
            std::min<Cycle>(to, hop.end()) - std::max<Cycle>(from, static_cast<Cycle>(hop.begin)));
        cycles += std::max(0.0, overlap) * (trace.program().quarterOf(trace.op(instance)) < 0 ? 1 : 0.25);
    }
    return cycles;
}

} // namespace

class PaintFigureTest : public QObject {
    Q_OBJECT

private slots:
    void periodIsThatOfTheProducts_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("cta");
        QTest::addColumn<int>("tile");
        QTest::newRow("fa1") << QStringLiteral("fa1") << 7 << 7;
        QTest::newRow("fa2") << QStringLiteral("fa2") << 7 << 7;
        QTest::newRow("fa3") << QStringLiteral("fa3") << 0 << 7;
        QTest::newRow("fa4") << QStringLiteral("fa4") << 0 << 6;
    }
    void periodIsThatOfTheProducts()
    {
        QFETCH(QString, name);
        QFETCH(int, cta);
        QFETCH(int, tile);
        const flashstep::Run run = galleryRun(name.toStdString());
        const Trace& trace = *run.trace;
        const Period said = periodIn(textsOf(run));
        QVERIFY(said.cycles > 0);
        const std::vector<Cycle> ends = productEnds(trace, CtaId(static_cast<std::uint32_t>(cta)), tile);
        QCOMPARE(ends.size(), std::size_t { 8 });
        // The stretch between two products that comes most often.
        std::map<Cycle, int> often;
        for (std::size_t k = 1; k < ends.size(); ++k)
            ++often[ends[k] - ends[k - 1]];
        const auto most = std::max_element(
            often.begin(), often.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        QVERIFY(most->second >= 3);
        QCOMPARE(said.cycles, static_cast<std::int64_t>(most->first));
        const Cycle begin = ends[4];
        const double tensor = tensorCycles(
            trace, CtaId(static_cast<std::uint32_t>(cta)), begin, begin + static_cast<Cycle>(said.cycles));
        QVERIFY2(std::abs(tensor - static_cast<double>(said.tensor)) <= 2, qPrintable(QString::number(tensor)));
    }

    void nothingIsSaidOfAPeriodWhereThereIsNone()
    {
        Scenario scenario;
        scenario.algorithm = "fa2";
        scenario.problem.seqlenQ = scenario.problem.seqlenK = 32;
        scenario.tile = TileSize { 16, 16 };
        auto run = runScenario(scenario, std::nullopt, Progress {});
        QVERIFY(run.ok());
        const QStringList texts = textsOf(*run);
        QVERIFY(texts.contains(QStringLiteral("Whole tile: two key blocks, right to left")));
        QVERIFY(texts.filter(QStringLiteral("one period")).isEmpty());
        QVERIFY(texts.filter(QStringLiteral("in detail")).isEmpty());
    }

    void steadyStateNeedsThreeBlocksAlike()
    {
        QVERIFY(!steadyState({ 0, 100, 200 }));
        QVERIFY(!steadyState({ 0, 100, 250, 350, 500 }));
        const auto found = steadyState({ 0, 300, 400, 500.4, 600, 900 });
        QVERIFY(found);
        QCOMPARE(found->first, std::size_t { 1 });
        QCOMPARE(found->last, std::size_t { 4 });
        QVERIFY(!steadyState({ 5, 5, 5, 5, 5 })); // no time passes
    }

    void figuresAreOneSeries()
    {
        // Titles, axes and legends at the same places, whatever the version.
        QVector<QRectF> places;
        for (const char* name : { "fa1", "fa2", "fa3", "fa4" }) {
            const flashstep::Run run = galleryRun(name);
            PictureRequest r;
            r.run = &run;
            r.view = QStringLiteral("figure");
            r.size = fittingSize(r);
            QCOMPARE(r.size, QSize(1440, 900));
            QVector<QRectF> here;
            for (const SvgWords& words : wordsOf(renderSvg(r)))
                if (words.text == QStringLiteral("a") || words.text == QStringLiteral("b")
                    || words.text == QStringLiteral("cycles") || words.text == QStringLiteral("tensor core")
                    || words.text == QStringLiteral("SMEM port") || words.text == QStringLiteral("Key block")
                    || words.text == QStringLiteral("waiting") || words.text == QStringLiteral("critical path")
                    || words.text == QStringLiteral("Engine"))
                    here << words.box;
            QVERIFY(here.size() >= 11);
            QVERIFY(places.isEmpty() || here == places);
            places = here;
        }
    }

    void aStretchAskedForTakesThePlaceOfTheBlocks()
    {
        const flashstep::Run run = galleryRun("fa2");
        PictureRequest r;
        r.run = &run;
        r.view = QStringLiteral("figure");
        r.from = 10000;
        r.to = 11000;
        QStringList texts;
        for (const SvgWords& words : wordsOf(renderSvg(r)))
            texts << words.text;
        QVERIFY(texts.contains(QStringLiteral("In detail, cycles 10\u00a0000 to 11\u00a0000")));
        QCOMPARE(periodIn(texts).cycles, std::int64_t { 0 });
    }

    void standardShowsItsThreeKernels()
    {
        Scenario scenario = sampleRun().run.scenario;
        scenario.algorithm = "standard";
        scenario.gpu = "a100";
        scenario.qFile.clear();
        scenario.kFile.clear();
        scenario.vFile.clear();
        auto run = runScenario(scenario, std::nullopt, Progress {});
        QVERIFY(run.ok());
        const QStringList texts = textsOf(*run);
        QVERIFY(!texts.filter(QStringLiteral("one CTA of each of three kernels")).isEmpty());
        QVERIFY(texts.contains(QStringLiteral("Whole tile, kernel after kernel: scores, softmax, output")));
        QVERIFY(periodIn(texts).cycles > 0);
    }

    void votesThatKeepTheFrameHaveTheirMark()
    {
        const flashstep::Run run = galleryRun("fa4");
        const auto work = figureWork(*run.trace, CtaId::none());
        QVERIFY(work);
        const FigureVotes votes = figureVotes(*run.trace, *work);
        QVERIFY(votes.rescaled > 0 && votes.rescaled < votes.votes);
        const QStringList texts = textsOf(run);
        QVERIFY(texts.contains(QStringLiteral("rescale skipped")));
        QVERIFY(!texts.filter(QStringLiteral("rescaled O in %1 of %2 votes").arg(votes.rescaled).arg(votes.votes))
                     .isEmpty());
    }
};

QTEST_MAIN(PaintFigureTest)
#include "paint_figure_test.moc"
