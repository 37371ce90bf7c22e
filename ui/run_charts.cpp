// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/run_charts.h"

#include "ui/paint/fonts.h"
#include "ui/paint/picture_parts.h"
#include "ui/paint/text.h"
#include "ui/text.h"

#include <QBarCategoryAxis>
#include <QBarSet>
#include <QCategoryAxis>
#include <QHorizontalBarSeries>
#include <QHorizontalStackedBarSeries>
#include <QLineSeries>
#include <QLogValueAxis>
#include <QScatterSeries>
#include <QValueAxis>

#include <algorithm>
#include <array>
#include <cmath>

namespace flashstep::ui {

namespace {

using namespace QtCharts;

// Three digits; thousands as whole numbers.
QString rounded(double value)
{
    return value < 999.5 ? QString::number(value, 'g', 3) : paint::grouped(std::llround(value));
}

QPen penOf(const QColor& colour, double width, Qt::PenStyle style = Qt::SolidLine)
{
    return { colour, width, style, Qt::FlatCap, Qt::RoundJoin };
}

// ---- roofline ----

struct Ceilings {
    double tensor = 0, exp = 0; // TFLOP/s
    double hbm = 0, l2 = 0; // TB/s
};

Ceilings ceilingsOf(const Run& run)
{
    const GpuSpec& gpu = run.gpu;
    const double clocks = gpu.sms * run.report.clockMhz * 1e6;
    const bool eight = run.program->problem.costedDtype() == DType::E4m3;
    Ceilings c;
    c.tensor = (eight ? gpu.tensorFp8FlopsPerClk : gpu.tensorFlopsPerClk) * clocks * 1e-12;
    c.hbm = gpu.hbmGBps * 1e-3;
    c.l2 = gpu.l2BytesPerClkPerSm * clocks * 1e-12;
    const double seconds = run.report.exp2Hardware / (gpu.mufuPerClk * clocks);
    c.exp = seconds > 0 ? run.report.flops / seconds * 1e-12 : 0;
    return c;
}

// A ceiling from one place to another.
void addRoof(ChartPanel& panel, QPointF from, QPointF to, const QPen& pen, const QString& words)
{
    auto* line = new QLineSeries;
    line->setPen(pen);
    line->append(from);
    line->append(to);
    addSeries(*panel.chart, line);
    panel.keys.push_back({ ChartKey::Mark::Line, pen, words });
}

// What a memory lets through: the more is done with each byte, the more can be done.
void addSlope(ChartPanel& panel, double terabytes, double roof, QPointF corner, const QPen& pen, const QString& words)
{
    const double from = std::max(corner.x(), corner.y() / terabytes);
    addRoof(panel, { from, terabytes * from }, { roof / terabytes, roof }, pen, words);
}

void addPoint(ChartPanel& panel, QPointF at, bool square, const QColor& colour, const QString& words)
{
    auto* point = new QScatterSeries;
    point->append(at);
    point->setMarkerShape(square ? QScatterSeries::MarkerShapeRectangle : QScatterSeries::MarkerShapeCircle);
    point->setMarkerSize(square ? 11 : 12);
    point->setColor(colour);
    point->setBorderColor(colour);
    addSeries(*panel.chart, point);
    panel.keys.push_back({ square ? ChartKey::Mark::Square : ChartKey::Mark::Circle, QPen(colour), words });
}

ChartPanel rooflinePanel(const Run& run, const paint::Theme& theme)
{
    ChartPanel panel;
    panel.title = QObject::tr("Roofline: modelled throughput under the machine's ceilings");
    const Report& r = run.report;
    if (!r.tflops || !(*r.tflops > 0) || !run.trace->deadlock().empty()) {
        panel.words = run.trace->deadlock().empty()
            ? QObject::tr("The shown tiles are not the timed ones: a throughput would mix two problems.")
            : QObject::tr("A run that never ends has no throughput.");
        return panel;
    }
    const Ceilings c = ceilingsOf(run);
    const double hbm = r.flops / std::max(1.0, r.hbmReadBytes + r.hbmWriteBytes),
                 l2 = r.flops / std::max(1.0, r.globalReadBytes + r.globalWriteBytes);
    const double from = std::min({ hbm, l2, c.tensor / c.l2 }) / 4, to = std::max({ hbm, l2, c.tensor / c.hbm }) * 4;
    panel.chart = plainChart();
    auto* x = new QLogValueAxis;
    spanLog(x, from, to);
    auto* y = new QLogValueAxis;
    spanLog(y, std::min({ *r.tflops, c.tensor / 20, c.exp > 0 ? c.exp : c.tensor }) / 2, c.tensor * 1.5);
    addAxis(*panel.chart, x, Qt::AlignBottom, QObject::tr("FLOP for each byte moved"), theme);
    addAxis(*panel.chart, y, Qt::AlignLeft, QObject::tr("TFLOP/s"), theme);
    const QPointF corner(x->min(), y->min());
    addSlope(panel, c.hbm, c.tensor, corner, penOf(theme.engine(Engine::Hbm), 2),
        QObject::tr("HBM, %1 TB/s").arg(rounded(c.hbm)));
    addSlope(panel, c.l2, c.tensor, corner, penOf(theme.engine(Engine::L2), 2, Qt::DashLine),
        QObject::tr("L2 to the SMs, %1 TB/s").arg(rounded(c.l2)));
    addRoof(panel, { c.tensor / c.l2, c.tensor }, { x->max(), c.tensor }, penOf(theme.engine(Engine::Tensor), 2.5),
        QObject::tr("tensor cores, %1 TFLOP/s").arg(rounded(c.tensor)));
    if (c.exp > y->min() && c.exp < y->max())
        addRoof(panel, { x->min(), c.exp }, { x->max(), c.exp }, penOf(theme.engine(Engine::Exp), 2, Qt::DotLine),
            QObject::tr("its exponentials by the unit, %1 TFLOP/s").arg(rounded(c.exp)));
    addPoint(panel, { hbm, *r.tflops }, false, theme.text,
        QObject::tr("this run by its HBM bytes, %1 TFLOP/s").arg(rounded(*r.tflops)));
    addPoint(panel, { l2, *r.tflops }, true, theme.text, QObject::tr("by the bytes into and out of its SMs"));
    return panel;
}

// ---- engines ----

ChartPanel enginePanel(const Run& run, const paint::Theme& theme)
{
    struct Row {
        const char* name;
        double share;
        Engine engine;
    };
    const Utilisation& u = run.report.utilisation;
    const std::array<Row, 6> rows { { { "tensor", u.tensor, Engine::Tensor }, { "exp", u.exp, Engine::Exp },
        { "issue", u.issue, Engine::Issue }, { "smem", u.smem, Engine::Smem }, { "l2", u.l2, Engine::L2 },
        { "hbm", u.hbm, Engine::Hbm } } };
    ChartPanel panel;
    panel.title = QObject::tr("Engines: busy share of the grid's time");
    panel.chart = plainChart();
    auto* series = new QHorizontalStackedBarSeries;
    series->setBarWidth(0.62);
    QStringList names;
    for (std::size_t k = rows.size(); k-- > 0;) { // an axis counts from below
        auto* set = new QBarSet(QString());
        for (std::size_t place = rows.size(); place-- > 0;)
            set->append(place == k ? 100 * rows[k].share : 0);
        set->setColor(theme.engine(rows[k].engine));
        set->setBorderColor(theme.engine(rows[k].engine));
        series->append(set);
        const QString name = QString::fromLatin1(rows[k].name);
        const bool busiest = run.report.binding == rows[k].name;
        names << QStringLiteral("%1%2  %3 %")
                     .arg(name, busiest ? QObject::tr(", busiest") : QString(), paint::fixed(100 * rows[k].share, 1));
    }
    auto* y = new QBarCategoryAxis;
    y->append(names);
    auto* x = new QValueAxis;
    x->setRange(0, 100);
    x->setTickCount(6);
    x->setLabelFormat(QStringLiteral("%g"));
    addAxis(*panel.chart, y, Qt::AlignLeft, QString(), theme);
    y->setGridLineVisible(false);
    addAxis(*panel.chart, x, Qt::AlignBottom, QObject::tr("percent"), theme);
    addSeries(*panel.chart, series);
    return panel;
}

// ---- traffic ----

// Q, K, V read and O written once each: what no kernel can do without.
std::pair<double, double> leastBytes(const Problem& p)
{
    const double inputs = p.costedDtype() == DType::E4m3 ? 1 : 2, outputs = 2;
    const double q = 1.0 * p.batch * p.heads * p.seqlenQ, k = 1.0 * p.batch * p.kvHeads * p.seqlenK;
    return { inputs * (q * p.headDim + k * (p.headDim + p.headDimV)), outputs * q * p.headDimV };
}

struct Unit {
    double bytes;
    QString name;
};

Unit unitFor(double bytes)
{
    const std::array<Unit, 4> units { { { 1, QStringLiteral("bytes") }, { 1024, QStringLiteral("KiB") },
        { 1024.0 * 1024, QStringLiteral("MiB") }, { 1024.0 * 1024 * 1024, QStringLiteral("GiB") } } };
    std::size_t k = 0;
    while (k + 1 < units.size() && bytes >= units[k + 1].bytes)
        ++k;
    return units[k];
}

ChartPanel trafficPanel(const Run& run, const paint::Theme& theme)
{
    const Report& r = run.report;
    const auto [leastRead, leastWritten] = leastBytes(run.program->problem);
    const std::array<double, 3> read { r.globalReadBytes, r.hbmReadBytes, leastRead },
        written { r.globalWriteBytes, r.hbmWriteBytes, leastWritten };
    const double most = std::max(*std::ranges::max_element(read), *std::ranges::max_element(written));
    const Unit unit = unitFor(most);
    ChartPanel panel;
    panel.title = QObject::tr("Traffic: bytes between the memories");
    panel.chart = plainChart();
    constexpr double barWidth = 0.7; // of a category; both sets together
    auto* series = new QHorizontalBarSeries;
    series->setBarWidth(barWidth);
    const auto add = [&](const std::array<double, 3>& values, const QColor& colour, const QString& words) {
        auto* set = new QBarSet(words);
        for (std::size_t k = 0; k < values.size(); ++k) {
            const QString number = rounded(values.at(k) / unit.bytes);
            set->append(number.toDouble());
            const double middle = static_cast<double>(k) + barWidth * ((series->count() + 0.5) / 2 - 0.5);
            panel.numbers.push_back({ series, QPointF(number.toDouble(), middle), number });
        }
        set->setColor(colour);
        set->setBorderColor(colour);
        series->append(set);
        panel.keys.insert(panel.keys.begin(), { ChartKey::Mark::Box, QPen(colour), words });
    };
    add(written, theme.tiles[1].fill, QObject::tr("written"));
    add(read, theme.tiles[0].fill, QObject::tr("read"));
    auto* y = new QBarCategoryAxis;
    y->append({ QObject::tr("SMs and L2"), QObject::tr("L2 and HBM"), QObject::tr("Q, K, V, O once") });
    auto* x = new QValueAxis;
    x->setLabelFormat(QStringLiteral("%g"));
    x->setRange(0, 1.12 * most / unit.bytes);
    x->applyNiceNumbers();
    addAxis(*panel.chart, y, Qt::AlignLeft, QString(), theme);
    y->setGridLineVisible(false);
    addAxis(*panel.chart, x, Qt::AlignBottom, unit.name, theme);
    addSeries(*panel.chart, series);
    return panel;
}

// ---- errors ----

ChartPanel errorPanel(const Run& run, const paint::Theme& theme)
{
    const Report& r = run.report;
    ChartPanel panel;
    panel.title = QObject::tr("Errors against float64");
    if (!r.maxAbsError) {
        panel.words = QObject::tr("No values were computed.");
        return panel;
    }
    const std::array<std::pair<QString, std::optional<double>>, 3> rows {
        { { QObject::tr("LSE, largest"), r.maxAbsErrorLse }, { QObject::tr("O, root mean square"), r.rmsError },
            { QObject::tr("O, largest"), r.maxAbsError } }
    };
    double low = r.errorBound.value_or(1e-3), high = low;
    for (const auto& [name, value] : rows)
        if (value && *value > 0 && std::isfinite(*value)) {
            low = std::min(low, *value);
            high = std::max(high, *value);
        }
    panel.chart = plainChart();
    auto* x = new QLogValueAxis;
    spanLog(x, low / 2, high * 1.5);
    x->setLabelFormat(QStringLiteral("%.0e"));
    auto* y = new QCategoryAxis;
    y->setLabelsPosition(QCategoryAxis::AxisLabelsPositionOnValue);
    y->setRange(-0.6, 2.6);
    for (std::size_t k = 0; k < rows.size(); ++k)
        y->append(QStringLiteral("%1  %2").arg(
                      rows[k].first, rows[k].second ? QString::number(*rows[k].second, 'g', 3) : QStringLiteral("–")),
            static_cast<double>(k));
    addAxis(*panel.chart, x, Qt::AlignBottom, QObject::tr("absolute error"), theme);
    addAxis(*panel.chart, y, Qt::AlignLeft, QString(), theme);
    y->setGridLineVisible(false);
    const QColor colour = theme.tiles[2].edge;
    for (std::size_t k = 0; k < rows.size(); ++k) {
        const auto& value = rows[k].second;
        if (!value || !(*value > 0) || !std::isfinite(*value))
            continue;
        auto* stem = new QLineSeries;
        stem->setPen(penOf(colour, 2));
        stem->append(x->min(), static_cast<double>(k));
        stem->append(*value, static_cast<double>(k));
        addSeries(*panel.chart, stem);
        auto* head = new QScatterSeries;
        head->append(*value, static_cast<double>(k));
        head->setMarkerSize(11);
        head->setColor(colour);
        head->setBorderColor(colour);
        addSeries(*panel.chart, head);
    }
    if (r.errorBound) {
        auto* bound = new QLineSeries;
        const QPen pen = penOf(theme.text, 1.5, Qt::DashLine);
        bound->setPen(pen);
        bound->append(*r.errorBound, 1.6);
        bound->append(*r.errorBound, 2.4);
        addSeries(*panel.chart, bound);
        panel.keys.push_back({ ChartKey::Mark::Line, pen,
            QObject::tr("what O's largest error may reach here on N(0, 1) inputs: %1")
                .arg(QString::number(*r.errorBound, 'g', 3)) });
    }
    return panel;
}

} // namespace

ChartPage runCharts(const Run& run, const QString& scenarioName, const QString& themeName)
{
    const paint::Theme& theme = paint::Theme::byName(themeName);
    paint::PictureRequest words;
    words.run = &run;
    words.scenarioName = scenarioName;
    ChartPage page;
    page.theme = themeName;
    page.title = paint::pictureTitle(words);
    page.subtitle = paint::pictureSubtitle(words);
    page.provenance = paint::provenance(words);
    page.fault = paint::faultLine(run);
    page.panels.push_back(rooflinePanel(run, theme));
    page.panels.push_back(enginePanel(run, theme));
    page.panels.push_back(trafficPanel(run, theme));
    page.panels.push_back(errorPanel(run, theme));
    return page;
}

} // namespace flashstep::ui
