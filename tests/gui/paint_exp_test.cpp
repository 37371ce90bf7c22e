// SPDX-License-Identifier: GPL-3.0-or-later
// What the row and the exp panel work out, against the trace and by hand.
#include "core/tensor/exp2_polynomial.h"
#include "core/tensor/real_math.h"
#include "core/trace/state.h"
#include "tests/gui/version_runs.h"
#include "ui/paint/exp_panel.h"
#include "ui/paint/exponents.h"
#include "ui/paint/ledger_facts.h"
#include "ui/paint/p_histogram.h"
#include "ui/paint/row_chart.h"

#include <QImage>
#include <QtTest>

#include <cmath>

using namespace flashstep;
using namespace flashstep::test;

class PaintExp : public QObject {
    Q_OBJECT
private slots:
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
    Scenario scenario = fa4Scenario(64, 96, 64);
    scenario.problem.init = Init::RisingLeft;
    const flashstep::Run run = fa4Run(scenario);
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
    Scenario scenario = fa4Scenario(16, 16 * 500, 32);
    scenario.algorithm = "fa2";
    const flashstep::Run run = fa4Run(scenario);
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
    Scenario newer = fa4Scenario(64, 96, 64);
    newer.gpu = "b300";
    const flashstep::Run onNewer = fa4Run(newer);
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
