// SPDX-License-Identifier: GPL-3.0-or-later
// What the ledger, the row and the exp panel work out, against the trace, against runs decided the other way, and by
// hand.
#include "core/tensor/exp2_polynomial.h"
#include "core/tensor/real_math.h"
#include "core/trace/state.h"
#include "tests/gui/fa4_run.h"
#include "ui/paint/exp_panel.h"
#include "ui/paint/exponents.h"
#include "ui/paint/ledger_facts.h"
#include "ui/paint/p_histogram.h"
#include "ui/paint/row_chart.h"

#include <QImage>
#include <QtTest>

#include <cmath>

using namespace flashstep;

namespace {

flashstep::Run runOf(const std::string& algorithm, std::vector<std::pair<std::string, std::string>> knobs = {},
    DType dtype = DType::Bf16, MaskKind mask = MaskKind::None)
{
    Scenario scenario = test::fa4Scenario(64, 96, 64, mask);
    scenario.algorithm = algorithm;
    if (algorithm == "fa3") // three consumer warpgroups
        scenario.tile = TileSize { 24, 16 };
    scenario.problem.init = Init::Outliers;
    scenario.problem.dtype = dtype;
    scenario.knobs = std::move(knobs);
    return test::fa4Run(scenario);
}

void versions()
{
    QTest::addColumn<QString>("algorithm");
    QTest::addColumn<QString>("knob");
    QTest::addColumn<bool>("causal");
    for (const bool causal : { false, true }) {
        const QByteArray mask = causal ? " causal" : "";
        QTest::newRow(("fa1" + mask).constData()) << "fa1"
                                                  << "" << causal;
        QTest::newRow(("fa1 paper" + mask).constData()) << "fa1"
                                                        << "fa1-form=paper" << causal;
        QTest::newRow(("fa2" + mask).constData()) << "fa2"
                                                  << "" << causal;
        QTest::newRow(("fa2 split" + mask).constData()) << "fa2"
                                                        << "warp-split=k" << causal;
        QTest::newRow(("fa3" + mask).constData()) << "fa3"
                                                  << "" << causal;
        QTest::newRow(("fa4" + mask).constData()) << "fa4"
                                                  << "" << causal;
        QTest::newRow(("fa4 emulated" + mask).constData()) << "fa4"
                                                           << "exp2-emulation=0.5" << causal;
        QTest::newRow(("fa4 strict" + mask).constData()) << "fa4"
                                                         << "rescale-threshold=0" << causal;
    }
}

flashstep::Run runOfRow(const QString& algorithm, const QString& knob, bool causal)
{
    std::vector<std::pair<std::string, std::string>> knobs;
    if (!knob.isEmpty())
        knobs.emplace_back(
            knob.section(QLatin1Char('='), 0, 0).toStdString(), knob.section(QLatin1Char('='), 1).toStdString());
    return runOf(algorithm.toStdString(), knobs, DType::Bf16, causal ? MaskKind::Causal : MaskKind::None);
}

// Every tile of the run at the moment its block has landed.
template <typename Visit> void forEachTile(const Trace& trace, Visit visit)
{
    for (int i = 0; i < trace.program().queryTiles(); ++i)
        for (const paint::TileVisit& each : paint::visitsOf(trace, 0, 0, i))
            if (const auto at = trace.block(0, 0, i, each.n))
                visit(i, each, *at);
}

bool near(double a, double b, double relative)
{
    return std::fabs(a - b) <= relative * std::max(std::fabs(a), std::fabs(b));
}

} // namespace

class PaintExp : public QObject {
    Q_OBJECT
private slots:
    void probabilitiesAreTheRuns_data() { versions(); }
    void probabilitiesAreTheRuns();
    void factsAreTheLedgers_data() { versions(); }
    void factsAreTheLedgers();
    void theOtherDecisionIsTheOtherRuns();
    void factorsOfTheFirstVersion_data();
    void factorsOfTheFirstVersion();
    void votesAreTheTraces();
    void histogramCountsEveryElement_data() { versions(); }
    void histogramCountsEveryElement();
    void clippingPartsNumeratorAndDenominator();
    void exponentsOverflowWhereTheyDo();
    void historyIsTheLedgers_data() { versions(); }
    void historyIsTheLedgers();
    void longRowsAreThinned();
    void ratesAndRules();
    void axisOfAnyWidth();
    void histogramOfWhatIsNotFinite();
    void everythingIsDrawn();
};

// P worked out again from S and the reference, once rounded, is P as the kernel stored it, bit for bit.
void PaintExp::probabilitiesAreTheRuns()
{
    QFETCH(QString, algorithm);
    QFETCH(QString, knob);
    QFETCH(bool, causal);
    const flashstep::Run run = runOfRow(algorithm, knob, causal);
    int compared = 0;
    forEachTile(*run.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const paint::TileNumbers tile = paint::tileNumbers(*run.trace, 0, 0, i, visit.j, at);
        QVERIFY(tile.rounded);
        for (int r = 0; r < tile.rows; ++r) {
            std::vector<float> p
                = paint::probabilitiesOf(*run.program, paint::scoresOf(tile, r), paint::referenceOfP(tile, r));
            for (int k = 0; k < tile.keys; ++k, ++compared)
                QCOMPARE(roundTo(run.program->problem.dtype, p[static_cast<std::size_t>(k)]), tile.p.at(r, k));
        }
    });
    QVERIFY(compared > 1000);
}

void PaintExp::factsAreTheLedgers()
{
    QFETCH(QString, algorithm);
    QFETCH(QString, knob);
    QFETCH(bool, causal);
    const flashstep::Run run = runOfRow(algorithm, knob, causal);
    const Trace& trace = *run.trace;
    int compared = 0;
    forEachTile(trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const paint::TileNumbers tile = paint::ledgerTile(trace, 0, 0, i, visit.j, at);
        const BufferId o = trace.program().bufferOf("O", static_cast<int>(trace.program().launches.size()) - 1,
            i - trace.program().work(trace.workOfTile(0, 0, i)).i);
        for (const RowState& state : ledgerAt(trace, tile.cta, at)) {
            const int r = state.row - tile.firstRow;
            if (r < 0 || r >= tile.rows)
                continue;
            ++compared;
            const paint::RowFacts facts = paint::rowFacts(trace, run.inputs.get(), 0, 0, tile, r, at);
            if (std::isfinite(state.m))
                QVERIFY(std::fabs(facts.most - state.m * log2e) < 1e-5 * (1 + std::fabs(facts.most)));
            if (std::isfinite(state.mUsed))
                QVERIFY(std::fabs(facts.used - state.mUsed * log2e) < 1e-5 * (1 + std::fabs(facts.used)));
            QVERIFY(near(facts.l, state.l, 1e-12));
            if (visit.n > 1)
                QCOMPARE(facts.scale, state.scale);
            // What is kept and what is added come to what is there.
            if (!facts.divided && !tile.ownMaximum && visit.n > 1)
                QVERIFY(near(facts.scale * facts.lBefore + facts.lAdded, facts.l, 1e-5));
            const bool kept = state.decision == "skip";
            if (facts.decision == paint::RowDecision::Kept)
                QVERIFY(kept);
            if (facts.decision == paint::RowDecision::Rescale)
                QVERIFY(state.decision == "rescale");
            // |O| of the row is that of the buffer as `block(i, n)` shows it.
            if (!o.valid() || trace.program().bufferOf("O_part", 0, 0).valid()
                || trace.program().launches.back().sweep > 0)
                continue;
            const TileValues shown = shownValue(trace, tile.cta, o, at);
            double sum = 0;
            for (int c = 0; c < shown.cols; ++c)
                sum += static_cast<double>(shown.at(r, c)) * static_cast<double>(shown.at(r, c));
            QVERIFY(near(facts.outputAfter, std::sqrt(sum), 1e-6));
        }
    });
    QVERIFY(compared > 100);
}

// Two thresholds on the same numbers: what the ledger says of the other decision is what the other run came to.
void PaintExp::theOtherDecisionIsTheOtherRuns()
{
    const flashstep::Run lazy = runOf("fa4", { { "rescale-threshold", "8" } });
    const flashstep::Run strict = runOf("fa4", { { "rescale-threshold", "0" } });
    int keptRows = 0, movedRows = 0;
    forEachTile(*lazy.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const auto other = strict.trace->block(0, 0, i, visit.n);
        QVERIFY(other.has_value());
        const paint::TileNumbers here = paint::tileNumbers(*lazy.trace, 0, 0, i, visit.j, at);
        const paint::TileNumbers there = paint::tileNumbers(*strict.trace, 0, 0, i, visit.j, *other);
        for (int r = 0; r < here.rows; ++r) {
            const paint::RowFacts facts = paint::rowFacts(*lazy.trace, lazy.inputs.get(), 0, 0, here, r, at);
            const paint::RowFacts strictly
                = paint::rowFacts(*strict.trace, strict.inputs.get(), 0, 0, there, r, *other);
            if (facts.decision == paint::RowDecision::Kept && facts.gap > 0) {
                ++keptRows;
                QVERIFY(facts.otherwise.decision == paint::RowDecision::Rescale);
                QCOMPARE(facts.otherwise.reference, strictly.used); // the true maximum
                QVERIFY(near(facts.otherwise.l, strictly.l, 1e-4));
                QVERIFY(near(facts.otherwise.quotientNorm, strictly.quotientNorm, 1e-2)); // P is rounded to bf16
                QVERIFY(near(facts.otherwise.quotientNorm, facts.quotientNorm, 1e-2));
                QCOMPARE(facts.otherwise.mostP <= 1, true);
                QVERIFY(facts.otherwise.apart < 0.02 * facts.quotientNorm);
            }
            if (strictly.decision == paint::RowDecision::Rescale && strictly.gap > 0) {
                ++movedRows;
                QVERIFY(strictly.otherwise.decision == paint::RowDecision::Kept);
                QCOMPARE(strictly.otherwise.scale, 1.0);
                QVERIFY(near(strictly.otherwise.mostP, exp2Real(strictly.gap), 1e-2));
                QVERIFY(near(strictly.otherwise.quotientNorm, strictly.quotientNorm, 1e-2));
            }
        }
    });
    QVERIFY(keptRows > 20);
    QVERIFY(movedRows > 20);
}

void PaintExp::factorsOfTheFirstVersion_data()
{
    QTest::addColumn<QString>("form");
    QTest::newRow("shipped") << "shipped";
    QTest::newRow("paper") << "paper";
}

// The factors put O together as the kernel does: O = (old factor O_old + block factor P V) / l_new.
void PaintExp::factorsOfTheFirstVersion()
{
    QFETCH(QString, form);
    const flashstep::Run run = runOf("fa1", { { "fa1-form", form.toStdString() } });
    const bool paper = form == QStringLiteral("paper");
    int compared = 0;
    forEachTile(*run.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        if (visit.n == 1)
            return;
        const paint::TileNumbers tile = paint::ledgerTile(*run.trace, 0, 0, i, visit.j, at);
        QCOMPARE(tile.ownMaximum, paper);
        for (int r = 0; r < tile.rows; ++r) {
            const paint::RowFacts facts = paint::rowFacts(*run.trace, run.inputs.get(), 0, 0, tile, r, at);
            QVERIFY(facts.divided.has_value());
            const paint::RowFacts::Divided& d = *facts.divided;
            const double old = paper ? facts.lBefore * d.oldFactor : d.oldFactor;
            QVERIFY(near(old + d.blockFactor * facts.lAdded, facts.l, 1e-5));
            for (int c = 0; c < tile.oAfter.cols; ++c) {
                double pv = 0;
                for (int k = 0; k < tile.keys; ++k)
                    pv += static_cast<double>(tile.p.at(r, k))
                        * static_cast<double>(run.inputs->v.row(0, 0, tile.firstKey + k)[static_cast<std::size_t>(c)]);
                const double o = (old * static_cast<double>(tile.oBefore.at(r, c)) + d.blockFactor * pv) * d.inverse;
                QVERIFY(std::fabs(o - static_cast<double>(tile.oAfter.at(r, c))) < 1e-4 * (1 + facts.outputAfter));
                ++compared;
            }
        }
    });
    QVERIFY(compared > 1000);
}

void PaintExp::votesAreTheTraces()
{
    const flashstep::Run run = runOf("fa4", { { "rescale-threshold", "2" } });
    int taken = 0;
    forEachTile(*run.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const paint::TileNumbers tile = paint::tileNumbers(*run.trace, 0, 0, i, visit.j, at);
        const std::vector<paint::WarpVote> votes = paint::warpVotes(*run.trace, 0, 0, tile);
        QCOMPARE(votes.empty(), visit.n == 1);
        if (votes.empty() || !tile.vote)
            return;
        ++taken;
        int asking = 0, multiplying = 0, rows = 0;
        for (const paint::WarpVote& vote : votes) {
            asking += vote.asking;
            rows += vote.rows;
            multiplying += vote.multiplies.value_or(false) ? 1 : 0;
            QCOMPARE(vote.multiplies.value_or(false), vote.asking > 0);
        }
        QCOMPARE(rows, tile.rows);
        QCOMPARE(asking, tile.vote->rowsDone);
        QCOMPARE(multiplying, tile.vote->warpsDone);
    });
    QVERIFY(taken > 4);
}

void PaintExp::histogramCountsEveryElement()
{
    QFETCH(QString, algorithm);
    QFETCH(QString, knob);
    QFETCH(bool, causal);
    const flashstep::Run run = runOfRow(algorithm, knob, causal);
    forEachTile(*run.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const paint::TileNumbers tile = paint::tileNumbers(*run.trace, 0, 0, i, visit.j, at);
        const paint::PHistogram histogram = paint::pHistogram(*run.program, tile);
        QCOMPARE(histogram.elements, tile.rows * tile.keys);
        int counted = histogram.zeros + histogram.infinite, byHand = 0;
        for (std::size_t k = 0; k < histogram.counts.size(); ++k)
            counted += histogram.counts[k];
        QCOMPARE(counted, histogram.elements);
        double stored = 0;
        for (const float p : tile.p.data) {
            stored += static_cast<double>(p);
            byHand += p >= 0.25F && p < 0.5F ? 1 : 0;
        }
        const int quarter = -2 - histogram.lowest;
        const bool has = quarter >= 0 && quarter < static_cast<int>(histogram.counts.size());
        QCOMPARE(has ? histogram.counts[static_cast<std::size_t>(quarter)] : 0, byHand);
        QVERIFY(near(histogram.stored, stored, 1e-12));
        if (histogram.summed > 0)
            QVERIFY(near(histogram.quotient(), 1, 0.005)); // bf16 rounds both ways
        // At the start nothing is there, and nothing is counted as 0.
        const paint::PHistogram none
            = paint::pHistogram(*run.program, paint::tileNumbers(*run.trace, 0, 0, i, visit.j, Position { 0 }));
        QCOMPARE(none.elements, 0);
        QCOMPARE(none.zeros, 0);
    });
}

void PaintExp::clippingPartsNumeratorAndDenominator()
{
    const flashstep::Run run = runOf("fa4", { { "fp8-offset", "8" }, { "rescale-threshold", "4" } }, DType::E4m3);
    QVERIFY(run.report.pClipped > 0);
    QVERIFY(paint::ceilingOf(*run.program).clips());
    QCOMPARE(paint::ceilingOf(*run.program).log2Most, 12.0);
    std::uint64_t clipped = 0;
    bool parted = false;
    forEachTile(*run.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const paint::PHistogram histogram
            = paint::pHistogram(*run.program, paint::tileNumbers(*run.trace, 0, 0, i, visit.j, at));
        clipped += static_cast<std::uint64_t>(histogram.clipped);
        parted = parted || (histogram.clipped > 0 && histogram.quotient() < 0.99);
    });
    QCOMPARE(clipped, run.report.pClipped);
    QVERIFY(parted);
    const flashstep::Run safe = runOf("fa4", {}, DType::E4m3);
    QVERIFY(!paint::ceilingOf(*safe.program).clips());
    QCOMPARE(safe.report.pClipped, std::uint64_t { 0 });
}

void PaintExp::exponentsOverflowWhereTheyDo()
{
    Scenario scenario = test::fa4Scenario(64, 96, 64);
    scenario.problem.init = Init::RisingLeft;
    const flashstep::Run run = test::fa4Run(scenario);
    int overflowing = 0;
    forEachTile(*run.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const paint::TileNumbers tile = paint::tileNumbers(*run.trace, 0, 0, i, visit.j, at);
        for (int r = 0; r < tile.rows; ++r) {
            using Kind = paint::ExponentReference;
            const paint::ExponentLine most = paint::exponentLine(*run.program, tile, r, Kind::TrueMax, 0);
            const paint::ExponentLine zero = paint::exponentLine(*run.program, tile, r, Kind::Zero, 0);
            QCOMPARE(static_cast<int>(most.ticks.size()), tile.keys);
            for (const paint::ExponentLine::Tick& tick : most.ticks)
                QVERIFY(tick.exponent <= 0);
            for (const paint::FormatEdges& edge : most.edges)
                QCOMPARE(edge.overflowing, 0);
            for (const paint::FormatEdges& edge : zero.edges) {
                int byHand = 0;
                for (int k = 0; k < tile.keys; ++k)
                    byHand
                        += exp2Real(static_cast<double>(tile.s.at(r, k))) > static_cast<double>(maxFinite(edge.dtype))
                        ? 1
                        : 0;
                QCOMPARE(edge.overflowing, byHand);
                overflowing += byHand;
            }
        }
    });
    QVERIFY(overflowing > 0); // so the maximum is worth subtracting
}

void PaintExp::axisOfAnyWidth()
{
    const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    for (const double reach : { 3.0, 1e4, 1e18, 1e30 })
        for (const auto& [low, high] :
            { std::pair { -reach, 2.0 }, std::pair { -2.0, reach }, std::pair { reach, 1.5 * reach } }) {
            const std::vector<double> marks = paint::exponentMarks(low, high);
            QVERIFY(!marks.empty() && marks.size() <= 11);
            QVERIFY(marks.front() >= low && marks.back() <= high);
            for (std::size_t k = 1; k < marks.size(); ++k)
                QVERIFY(marks[k] > marks[k - 1]);
        }
    QVERIFY(paint::exponentMarks(-infinity, 2).empty());
    QVERIFY(paint::exponentMarks(-2, infinity).empty());
    QVERIFY(paint::exponentMarks(nan, 2).empty());
    QVERIFY(paint::exponentMarks(-1e308, 1.7e308).empty()); // wider than a number holds

    const flashstep::Run run = runOf("fa2");
    const auto at = run.trace->block(0, 0, 0, 1);
    const paint::TileNumbers tile
        = paint::tileNumbers(*run.trace, 0, 0, 0, paint::visitsOf(*run.trace, 0, 0, 0)[0].j, *at);
    const paint::ExponentLine usual = paint::exponentLine(*run.program, tile, 0, paint::ExponentReference::InUse, 0);
    QVERIFY(!usual.ticks.empty());
    const auto drawn = [&](double exponent, bool all) {
        paint::ExponentLine line = usual;
        for (std::size_t k = 0; k < (all ? line.ticks.size() : 1); ++k)
            line.ticks[k].exponent = exponent;
        QImage image(340, 110, QImage::Format_RGB32);
        image.fill(paint::Theme::byName(QStringLiteral("light")).panel);
        QPainter painter(&image);
        paint::paintExponents(painter, QRectF(image.rect()), line, paint::Theme::byName(QStringLiteral("light")));
        return image;
    };
    for (const double exponent : { 1e4, -1e18, 1e18, 1e308, infinity, -infinity, nan })
        QVERIFY(!drawn(exponent, false).isNull());
    QCOMPARE(drawn(infinity, true), drawn(nan, true)); // both say that there is nothing to draw
    QVERIFY(drawn(infinity, true) != drawn(1e18, true));
}

void PaintExp::histogramOfWhatIsNotFinite()
{
    const flashstep::Run run = runOf("fa2");
    const auto at = run.trace->block(0, 0, 0, 1);
    paint::TileNumbers tile = paint::tileNumbers(*run.trace, 0, 0, 0, paint::visitsOf(*run.trace, 0, 0, 0)[0].j, *at);
    const paint::PHistogram usual = paint::pHistogram(*run.program, tile);
    QVERIFY(usual.quotient() > 0.9);
    for (float& p : tile.p.data)
        p = 0;
    tile.p.data[0] = std::numeric_limits<float>::infinity();
    const paint::PHistogram infinite = paint::pHistogram(*run.program, tile);
    QCOMPARE(infinite.infinite, 1);
    QCOMPARE(infinite.zeros, usual.elements - 1);
    QVERIFY(infinite.counts.empty());
    QVERIFY(std::isnan(infinite.quotient()));
    paint::PHistogram nothing = usual; // of rows whose reference is not known
    nothing.stored = nothing.summed = 0;
    QVERIFY(std::isnan(nothing.quotient()));
    const auto drawn = [](const paint::PHistogram& histogram) {
        QImage image(340, 180, QImage::Format_RGB32);
        image.fill(paint::Theme::byName(QStringLiteral("light")).panel);
        QPainter painter(&image);
        paint::paintHistogram(painter, QRectF(image.rect()), histogram, paint::Theme::byName(QStringLiteral("light")));
        return image;
    };
    QVERIFY(drawn(infinite) != drawn(nothing));
    QVERIFY(drawn(nothing) != drawn(usual));
}

void PaintExp::historyIsTheLedgers()
{
    QFETCH(QString, algorithm);
    QFETCH(QString, knob);
    QFETCH(bool, causal);
    const flashstep::Run run = runOfRow(algorithm, knob, causal);
    const Trace& trace = *run.trace;
    for (const int row : { 0, 17, 40, 63 }) {
        const int i = row / trace.program().tile.rows;
        const paint::RowHistory history = paint::rowHistory(trace, 0, 0, i, row);
        QCOMPARE(static_cast<int>(history.points.size()), history.visits);
        for (const paint::RowPoint& point : history.points) {
            QCOMPARE(point.at, *trace.block(0, 0, i, point.n));
            bool found = false;
            for (const RowState& state : ledgerAt(trace, trace.ctaOfTile(0, 0, i), point.at))
                if (state.row == row) {
                    found = true;
                    QCOMPARE(point.l, state.l);
                    QVERIFY(point.used == state.mUsed * log2e);
                    QVERIFY(point.most == state.m * log2e);
                    QCOMPARE(point.moved, state.decision == "rescale");
                }
            QVERIFY(found);
            if (history.lazy && std::isfinite(point.used)) // inside the band
                QVERIFY(point.most - point.used <= history.threshold + 1e-4);
        }
        const paint::RowChartLayout at = paint::layoutRowChart(QRectF(0, 0, 340, 170), history);
        for (const paint::RowPoint& point : history.points) {
            QCOMPARE(at.blockAt({ at.x(point.n), at.references.center().y() }), point.n);
            if (std::isfinite(point.most))
                QVERIFY(at.references.contains(QPointF(at.x(point.n), at.y(point.most))));
        }
    }
}

void PaintExp::longRowsAreThinned()
{
    Scenario scenario = test::fa4Scenario(16, 16 * 500, 32);
    scenario.algorithm = "fa2";
    const flashstep::Run run = test::fa4Run(scenario);
    const paint::RowHistory history = paint::rowHistory(*run.trace, 0, 0, 0, 3);
    QCOMPARE(history.visits, 500);
    QVERIFY(history.every > 1);
    QVERIFY(static_cast<int>(history.points.size()) <= paint::mostRowPoints + 1);
    QCOMPARE(history.points.back().n, 500);
}

void PaintExp::ratesAndRules()
{
    const flashstep::Run run = runOf("fa4");
    const GpuSpec& b200 = *findGpu("b200");
    const paint::ExpRates rates = paint::expRates(b200, 3);
    QCOMPARE(rates.unit, b200.mufuPerClk.value);
    QCOMPARE(rates.instructions, 12);
    QVERIFY(near(rates.polynomial, 2 * 128.0 / 12, 1e-12));
    // At the balance both take the same time.
    QVERIFY(near(rates.balance / rates.polynomial, (1 - rates.balance) / rates.unit, 1e-12));
    QVERIFY(paint::expRates(b200, 5).polynomial < rates.polynomial);
    QCOMPARE(paint::expRates(*findGpu("h100"), 3).polynomial, 0.0);
    QVERIFY(
        paint::emulationRule(*run.program, b200, false).join(QLatin1Char(' ')).contains(QStringLiteral("every 16")));
    Scenario newer = test::fa4Scenario(64, 96, 64);
    newer.gpu = "b300";
    const flashstep::Run onNewer = test::fa4Run(newer);
    QCOMPARE(onNewer.report.exp2Emulated, 0.0);
    QVERIFY(paint::emulationRule(*onNewer.program, onNewer.gpu, false)
                .join(QLatin1Char(' '))
                .contains(QStringLiteral("frequency 0")));
    // The curves lie within the table's errors, and reach them.
    for (int way = 0; way < 6; ++way) {
        const Exp2Curve& curve = paint::expCurve(way);
        double most = 0;
        for (std::size_t k = 0; k < curve.lowFp32.size(); ++k)
            most = std::max({ most, std::fabs(static_cast<double>(curve.lowFp32[k])),
                std::fabs(static_cast<double>(curve.highFp32[k])) });
        const double table = paint::expErrors()[static_cast<std::size_t>(way)].ulpFp32;
        QVERIFY(most <= table * 1.001 && most > 0.8 * table);
    }
}

void PaintExp::everythingIsDrawn()
{
    const flashstep::Run run = runOf("fa4", { { "rescale-threshold", "2" } });
    const auto at = run.trace->block(0, 0, 1, 2);
    const paint::TileNumbers tile
        = paint::tileNumbers(*run.trace, 0, 0, 1, paint::visitsOf(*run.trace, 0, 0, 1)[1].j, *at);
    for (const char* theme : { "light", "dark" }) {
        const paint::Theme& look = paint::Theme::byName(QString::fromLatin1(theme));
        const auto drawn = [&](const auto& paintIt) {
            QImage image(360, 600, QImage::Format_RGB32), blank = image;
            image.fill(look.panel);
            blank = image;
            QPainter painter(&image);
            paintIt(painter, QRectF(image.rect()));
            painter.end();
            return image != blank;
        };
        QVERIFY(drawn([&](QPainter& p, const QRectF& rect) {
            paint::paintRowChart(p, rect, paint::rowHistory(*run.trace, 0, 0, 1, 20), 2, look);
        }));
        QVERIFY(drawn([&](QPainter& p, const QRectF& rect) {
            paint::paintExponents(
                p, rect, paint::exponentLine(*run.program, tile, 4, paint::ExponentReference::InUse, 0), look);
        }));
        QVERIFY(drawn([&](QPainter& p, const QRectF& rect) {
            paint::paintHistogram(p, rect, paint::pHistogram(*run.program, tile), look);
        }));
        paint::ExpScene scene { run.trace.get(), &run.gpu, *at, run.report.exp2Hardware, run.report.exp2Emulated, false,
            tile };
        QVERIFY(drawn([&](QPainter& p, const QRectF& rect) { paint::paintExp(p, rect, scene, look); }));
    }
}

QTEST_MAIN(PaintExp)
#include "paint_exp_test.moc"
