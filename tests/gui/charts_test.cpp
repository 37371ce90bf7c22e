// SPDX-License-Identifier: GPL-3.0-or-later
// The small plots: that they show the report's numbers, and that every format and theme shows the same.
#include "core/io/sweep.h"
#include "tests/gui/picture_reading.h"
#include "tests/support/temporary.h"
#include "ui/run_charts.h"
#include "ui/sweep_charts.h"

#include <QBarSet>
#include <QCategoryAxis>
#include <QHorizontalBarSeries>
#include <QHorizontalStackedBarSeries>
#include <QImage>
#include <QLineSeries>
#include <QScatterSeries>
#include <QtTest>

namespace flashstep::test {

using namespace QtCharts;
using ui::ChartPage;

class Charts : public QObject {
    Q_OBJECT
private slots:
    void theRunStandsUnderItsCeilings();
    void barsAreTheReport();
    void errorsAreTheReport();
    void whatIsNotThereIsSaid();
    void aSmallerPictureShowsAllOfIt();
    void everyThemeAndFormatShowsTheSame();
    void aSweepIsItsRows();
    void refusedRowsHaveNoPoint();
    void otherTablesAreRefused();
};

namespace {

Run runOf(const std::function<void(Scenario&)>& change = {})
{
    Scenario scenario;
    scenario.problem.seqlenQ = scenario.problem.seqlenK = 256;
    scenario.problem.heads = scenario.problem.kvHeads = 2;
    scenario.record.kind = Record::Kind::All;
    if (change)
        change(scenario);
    Result<Run> run = runScenario(scenario, std::nullopt, {});
    if (!run)
        qFatal("%s", run.error().line().c_str());
    return std::move(*run);
}

ChartPage pageOf(const Run& run, const char* theme = "print")
{
    return ui::runCharts(run, QStringLiteral("s.json"), QString::fromLatin1(theme));
}

template <typename Series> QList<Series*> seriesOf(const ui::ChartPanel& panel)
{
    QList<Series*> found;
    for (QAbstractSeries* series : panel.chart->series())
        if (auto* one = qobject_cast<Series*>(series))
            found << one;
    return found;
}

bool near(double a, double b, double share = 1e-9)
{
    return std::abs(a - b) <= share * std::max(std::abs(a), std::abs(b));
}

QImage pngOf(ChartPage& page, QSize size)
{
    const TemporaryDirectory directory;
    const QString path = QString::fromStdString(directory.path("c.png"));
    if (!ui::writeChartPage(page, size, 1, QStringLiteral("png"), path))
        return {};
    return QImage(path).convertToFormat(QImage::Format_RGB32);
}

std::string svgOf(ChartPage& page, QSize size)
{
    const TemporaryDirectory directory;
    const std::string path = directory.path("c.svg");
    return ui::writeChartPage(page, size, 1, QStringLiteral("svg"), QString::fromStdString(path)) ? bytesOfFile(path)
                                                                                                  : std::string();
}

// A table of two keys, with one row that was refused.
std::string tableText()
{
    const auto sweep = parseSweep(std::vector<std::string> { "seqlen-q=64,128,1024", "algorithm=fa2,fa3" });
    std::string text = sweepHeader(*sweep);
    for (std::size_t k = 0; k < 6; ++k) {
        Json report;
        report["flashstep"] = "0.1.0";
        report["cycles"] = 1000 * (k + 1);
        report["tflops"] = 10.5 * static_cast<double>(k + 1);
        text += sweepLine(*sweep, { k, k == 3 ? nullptr : &report, k == 3 ? "refused" : "ok", "" });
    }
    return text;
}

CsvTableText tableOf(const std::string& text)
{
    const auto table = parseCsv(text, "t.csv");
    if (!table)
        qFatal("%s", table.error().line().c_str());
    return *table;
}

} // namespace

void Charts::theRunStandsUnderItsCeilings()
{
    const Run run = runOf();
    const ChartPage page = pageOf(run);
    const Report& r = run.report;
    const auto points = seriesOf<QScatterSeries>(page.panels[0]);
    QCOMPARE(points.size(), 2);
    QVERIFY(near(points[0]->at(0).x(), r.flops / (r.hbmReadBytes + r.hbmWriteBytes)));
    QVERIFY(near(points[1]->at(0).x(), r.flops / (r.globalReadBytes + r.globalWriteBytes)));
    QVERIFY(near(points[0]->at(0).y(), *r.tflops));
    const auto roofs = seriesOf<QLineSeries>(page.panels[0]);
    QVERIFY(roofs.size() >= 3);
    const double peak = run.gpu.tensorFlopsPerClk * run.gpu.sms * r.clockMhz * 1e-6;
    QVERIFY(near(roofs[0]->at(1).y(), peak));
    QVERIFY(near(roofs[0]->at(1).x(), peak / (run.gpu.hbmGBps * 1e-3)));
    // No modelled run is above a ceiling of its own machine.
    for (const QScatterSeries* point : points)
        QVERIFY(point->at(0).y() < peak);
    QVERIFY(points[0]->at(0).y() < points[0]->at(0).x() * run.gpu.hbmGBps * 1e-3);
    for (QAbstractSeries* series : page.panels[0].chart->series())
        for (const QPointF& at : qobject_cast<QXYSeries*>(series)->pointsVector())
            for (QAbstractAxis* axis : page.panels[0].chart->axes()) {
                auto* log = qobject_cast<QLogValueAxis*>(axis);
                const double value = log->orientation() == Qt::Horizontal ? at.x() : at.y();
                QVERIFY(value >= log->min() * 0.999 && value <= log->max() * 1.001);
            }
}

void Charts::barsAreTheReport()
{
    const Run run = runOf();
    const ChartPage page = pageOf(run);
    const Utilisation& u = run.report.utilisation;
    double sum = 0;
    for (const QBarSet* set : seriesOf<QHorizontalStackedBarSeries>(page.panels[1]).at(0)->barSets())
        sum += set->sum();
    QVERIFY(near(sum, 100 * (u.tensor + u.exp + u.issue + u.smem + u.l2 + u.hbm)));

    const auto sets = seriesOf<QHorizontalBarSeries>(page.panels[2]).at(0)->barSets();
    QCOMPARE(sets.size(), 2);
    const Report& r = run.report;
    QVERIFY(near(sets[1]->at(0) / sets[1]->at(1), r.globalReadBytes / r.hbmReadBytes, 0.02));
    QVERIFY(near(sets[0]->at(0) / sets[1]->at(0), r.globalWriteBytes / r.globalReadBytes, 0.02));
    // Q, K, V and O of two heads, 256 rows, d 64, two bytes each.
    QVERIFY(near(sets[1]->at(2) / sets[1]->at(0), 3 * 65536 / r.globalReadBytes, 0.02));
    QVERIFY(near(sets[0]->at(2) / sets[1]->at(2), 1.0 / 3, 0.02));
}

void Charts::errorsAreTheReport()
{
    const Run run = runOf();
    const ChartPage page = pageOf(run);
    QList<double> heads;
    for (const QScatterSeries* point : seriesOf<QScatterSeries>(page.panels[3]))
        heads << point->at(0).x();
    QCOMPARE(heads, (QList<double> { *run.report.maxAbsErrorLse, *run.report.rmsError, *run.report.maxAbsError }));
    QCOMPARE(seriesOf<QLineSeries>(page.panels[3]).last()->at(0).x(), *run.report.errorBound);
}

void Charts::whatIsNotThereIsSaid()
{
    ChartPage timed = pageOf(runOf([](Scenario& s) {
        s.record.kind = Record::Kind::None;
        s.tile = TileSize { 64, 64 };
        s.costTile = TileSize { 128, 64 };
    }));
    QVERIFY(!timed.panels[0].chart);
    QVERIFY(timed.panels[0].words.contains(QStringLiteral("would mix two problems")));
    QVERIFY(!timed.panels[3].chart);
    QVERIFY(timed.panels[3].words.contains(QStringLiteral("No values")));
    QVERIFY(svgOf(timed, { 1440, 900 }).find("No values were computed.") != std::string::npos);
    const ChartPage stuck = pageOf(runOf([](Scenario& s) {
        s.algorithm = "fa3";
        s.breaks = { "count:pipeline_k.full=999999" };
    }));
    QVERIFY(stuck.panels[0].words.contains(QStringLiteral("never ends")));
}

void Charts::aSmallerPictureShowsAllOfIt()
{
    const TemporaryDirectory directory;
    const QString path = QString::fromStdString(directory.path("c.png"));
    const QSize size(1440, 900);
    ChartPage page = pageOf(runOf(), "print");
    QVERIFY(ui::writeChartPage(page, size, 0.5, QStringLiteral("png"), path).ok());
    const QImage half = QImage(path);
    QCOMPARE(half.size(), size / 2);
    const Difference difference
        = differenceOf(half, pngOf(page, size).scaled(size / 2, Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
    QVERIFY2(difference.mean < 6, qPrintable(difference.text()));
}

void Charts::everyThemeAndFormatShowsTheSame()
{
    const Run run = runOf();
    for (const char* theme : { "light", "dark", "print" })
        for (const QSize size : { QSize(1440, 900), QSize(900, 640) }) {
            ChartPage page = pageOf(run, theme);
            const QImage png = pngOf(page, size);
            QCOMPARE(png.size(), size);
            QCOMPARE(png.pixelColor(2, 2), paint::Theme::byName(QString::fromLatin1(theme)).panel);
            const std::string svg = svgOf(page, size);
            QCOMPARE(svg.find("href"), std::string::npos);
            ChartPage again = pageOf(run, theme);
            QVERIFY(svgOf(again, size) == svg);
            const QImage drawn = svgPixels(QByteArray::fromStdString(svg), size);
            QCOMPARE(drawn.size(), size);
            int different = 0;
            for (int y = 0; y < size.height(); ++y)
                for (int x = 0; x < size.width(); ++x)
                    different += std::abs(qGray(png.pixel(x, y)) - qGray(drawn.pixel(x, y))) > 64 ? 1 : 0;
            QVERIFY2(different < size.width() * size.height() / 60, qPrintable(QString::number(different)));
        }
}

void Charts::aSweepIsItsRows()
{
    const Result<ChartPage> page = ui::sweepCharts(tableOf(tableText()), QStringLiteral("print"));
    QVERIFY(page.ok());
    QCOMPARE(page->panels.size(), std::size_t(1));
    const auto lines = seriesOf<QLineSeries>(page->panels[0]);
    QCOMPARE(lines.size(), 2);
    // Wide spans by their logarithm.
    QCOMPARE(lines[0]->pointsVector(), (QVector<QPointF> { { 6, 10.5 }, { 7, 31.5 }, { 10, 52.5 } }));
    QCOMPARE(page->panels[0].keys.size(), std::size_t(2));
    QCOMPARE(page->panels[0].keys[1].words, QStringLiteral("algorithm fa3"));
    QVERIFY(page->panels[0].keys[0].pen.style() != page->panels[0].keys[1].pen.style());
    QCOMPARE(page->title, QStringLiteral("TFLOP/s over seqlen-q by algorithm"));
}

void Charts::refusedRowsHaveNoPoint()
{
    const Result<ChartPage> page = ui::sweepCharts(tableOf(tableText()), QStringLiteral("print"));
    QVERIFY(page.ok());
    QCOMPARE(seriesOf<QLineSeries>(page->panels[0])[1]->pointsVector(), (QVector<QPointF> { { 6, 21 }, { 10, 63 } }));
    QVERIFY(page->subtitle.contains(QStringLiteral("1 of 6 combinations were refused")));
}

void Charts::otherTablesAreRefused()
{
    for (const char* text : { "a,b\n1,2\n", "flashstep,cycles,tflops,status\n0.1.0,1,2,ok\n",
             "seed,flashstep,cycles,tflops,status\n", "seed,flashstep,cycles,tflops,status\n1,,,,refused\n" }) {
        const Result<ChartPage> page = ui::sweepCharts(tableOf(text), QStringLiteral("print"));
        QVERIFY2(!page.ok(), text);
        QCOMPARE(page.error().where, std::string("t.csv"));
    }
}

} // namespace flashstep::test

QTEST_MAIN(flashstep::test::Charts)
#include "charts_test.moc"
