// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chart_page.h"

#include "core/io/files.h"
#include "ui/paint/fonts.h"
#include "ui/paint/pdf.h"
#include "ui/paint/picture_page.h"
#include "ui/paint/raster.h"
#include "ui/paint/svg.h"
#include "ui/paint/text.h"

#include <QAbstractAxis>
#include <QAbstractSeries>
#include <QCoreApplication>
#include <QGraphicsLayout>
#include <QGraphicsScene>
#include <QImage>
#include <QPainter>
#include <QRegularExpression>

#include <algorithm>
#include <cmath>

namespace flashstep::ui {

using paint::canvasFont;

namespace {

constexpr double betweenColumns = 44, betweenRows = 26, keyHeight = 20;
constexpr double sampleWidth = 22;

double keyWidth(const ChartKey& key)
{
    return sampleWidth + 8 + paint::textWidth(canvasFont(11), key.words) + 22;
}

// How many lines the keys take.
int keyLines(const std::vector<ChartKey>& keys, double width)
{
    int lines = keys.empty() ? 0 : 1;
    double x = 0;
    for (const ChartKey& key : keys) {
        if (x > 0 && x + keyWidth(key) > width + 22) {
            ++lines;
            x = 0;
        }
        x += keyWidth(key);
    }
    return lines;
}

void paintSample(QPainter& painter, const QRectF& box, const ChartKey& key)
{
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(key.mark == ChartKey::Mark::Line ? key.pen : QPen(Qt::NoPen));
    painter.setBrush(key.mark == ChartKey::Mark::Line ? QBrush(Qt::NoBrush) : QBrush(key.pen.color()));
    const QPointF middle = box.center();
    switch (key.mark) {
    case ChartKey::Mark::Line:
        painter.drawLine(QPointF(box.left(), middle.y()), QPointF(box.right(), middle.y()));
        break;
    case ChartKey::Mark::Circle:
        painter.drawEllipse(middle, 5, 5);
        break;
    case ChartKey::Mark::Square:
        painter.drawRect(QRectF(middle.x() - 4.5, middle.y() - 4.5, 9, 9));
        break;
    case ChartKey::Mark::Box:
        painter.drawRect(QRectF(box.left() + 4, middle.y() - 5, 14, 10));
        break;
    }
}

void paintKeys(QPainter& painter, const QRectF& rect, const std::vector<ChartKey>& keys, const paint::Theme& theme)
{
    QPointF at = rect.topLeft();
    for (const ChartKey& key : keys) {
        if (at.x() > rect.left() && at.x() + keyWidth(key) > rect.right() + 22)
            at = { rect.left(), at.y() + keyHeight };
        paintSample(painter, { at.x(), at.y(), sampleWidth, keyHeight }, key);
        painter.setPen(theme.t2);
        paint::drawLine(painter, { at.x() + sampleWidth + 8, at.y(), keyWidth(key), keyHeight }, Qt::AlignLeft,
            canvasFont(11), key.words);
        at.rx() += keyWidth(key);
    }
}

void paintChart(QPainter& painter, const QRectF& rect, QtCharts::QChart& chart)
{
    QGraphicsScene scene;
    scene.addItem(&chart);
    chart.setGeometry(QRectF(QPointF(0, 0), rect.size()));
    QCoreApplication::sendPostedEvents(); // its layout
    scene.setSceneRect(chart.geometry());
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, true);
    // Its lines lie on whole pixels; half a pixel further they cover one each.
    scene.render(&painter, rect.translated(0.5, 0.5), chart.geometry());
    painter.restore();
    scene.removeItem(&chart);
}

void paintNumbers(QPainter& painter, QPointF topLeft, const ChartPanel& panel, const paint::Theme& theme)
{
    painter.setPen(theme.text);
    for (const ChartNumber& number : panel.numbers) {
        const QPointF at = topLeft + panel.chart->mapToPosition(number.at, number.series);
        paint::drawLine(painter, { at.x() + 6, at.y() - 8, 80, 16 }, Qt::AlignLeft, canvasFont(10.5), number.words);
    }
}

void paintPanel(
    QPainter& painter, const QRectF& rect, ChartPanel& panel, const QString& letter, const paint::Theme& theme)
{
    paint::paintPanelTitle(painter, { rect.left(), rect.top(), rect.width(), 20 }, letter, panel.title, theme);
    const double keys = keyHeight * keyLines(panel.keys, rect.width());
    const QRectF plot(rect.left(), rect.top() + paint::panelTitleHeight, std::floor(rect.width()),
        std::floor(rect.height() - paint::panelTitleHeight - keys - (keys > 0 ? 6 : 0)));
    if (panel.chart) {
        paintChart(painter, plot, *panel.chart);
        paintNumbers(painter, plot.topLeft(), panel, theme);
    } else {
        painter.setPen(theme.t2);
        paint::drawElided(painter, plot, Qt::AlignHCenter, canvasFont(12), panel.words);
    }
    paintKeys(painter, { rect.left(), rect.bottom() - keys, rect.width(), keys }, panel.keys, theme);
}

void paintSheet(QPainter& painter, QSize size, ChartPage& chartPage)
{
    const paint::Theme& theme = paint::Theme::byName(chartPage.theme);
    const paint::Page page
        = paint::layoutPage(size, { chartPage.title, chartPage.subtitle, chartPage.provenance, chartPage.fault },
            { QSizeF(880, 600), QSizeF(1760, 1200) });
    painter.save();
    paint::paintPage(painter, page, theme);
    const auto count = static_cast<int>(chartPage.panels.size());
    const int columns = std::clamp(chartPage.columns, 1, std::max(1, count));
    const int rows = (count + columns - 1) / columns;
    const QRectF& body = page.body;
    const double across = (body.width() - betweenColumns * (columns - 1)) / columns,
                 down = (body.height() - betweenRows * (rows - 1)) / std::max(1, rows);
    for (int k = 0; k < count; ++k)
        paintPanel(painter,
            { std::floor(body.left() + (k % columns) * (across + betweenColumns)),
                std::floor(body.top() + (k / columns) * (down + betweenRows)), across, down },
            chartPage.panels[static_cast<std::size_t>(k)],
            count > 1 ? QString(QLatin1Char(static_cast<char>('a' + k))) : QString(), theme);
    painter.restore();
}

// The scene sets its pen and its place for whatever it looks at, drawn or not: groups without anything in them.
QByteArray svgOf(ChartPage& page, QSize size)
{
    static const QRegularExpression nothing(QStringLiteral("<g [^>]*>\\s*</g>\\s*"));
    QString svg = QString::fromUtf8(
        paint::svgOf(size, page.title, page.provenance, [&](QPainter& painter) { paintSheet(painter, size, page); }));
    return svg.remove(nothing).toUtf8();
}

} // namespace

Status writeChartPage(ChartPage& page, QSize size, double scale, const QString& format, const QString& path)
{
    QByteArray bytes;
    if (format == QStringLiteral("svg"))
        bytes = svgOf(page, size);
    else if (format == QStringLiteral("pdf"))
        bytes = paint::pdfOf(size, page.title, paint::Theme::byName(page.theme).panel,
            [&](QPainter& painter) { paintSheet(painter, size, page); });
    else if (format == QStringLiteral("png"))
        bytes = paint::pngOf(paint::rasterOf(paint::pixelsOf(size, scale), scale,
            paint::Theme::byName(page.theme).panel, [&](QPainter& painter) { paintSheet(painter, size, page); }));
    else
        return Error { "charts cannot be written as '" + format.toStdString() + "'", "--format", "svg, pdf or png" };
    if (bytes.isEmpty())
        return Error { "not enough memory for the picture", path.toStdString(), "a smaller size" };
    return writeFileAtomically(path.toStdString(), [&](std::ostream& out) -> Status {
        out.write(bytes.constData(), bytes.size());
        return Nothing {};
    });
}

std::unique_ptr<QtCharts::QChart> plainChart()
{
    auto chart = std::make_unique<QtCharts::QChart>();
    chart->setAnimationOptions(QtCharts::QChart::NoAnimation);
    chart->setBackgroundVisible(false);
    chart->setMargins({});
    chart->layout()->setContentsMargins(0, 0, 0, 0);
    chart->legend()->hide(); // the sheet's own keys show patterns too
    return chart;
}

void addAxis(QtCharts::QChart& chart, QtCharts::QAbstractAxis* axis, Qt::Alignment side, const QString& title,
    const paint::Theme& theme)
{
    axis->setTitleText(title);
    axis->setTitleFont(canvasFont(11));
    axis->setTitleBrush(theme.t2);
    axis->setLabelsFont(canvasFont(11));
    axis->setLabelsBrush(theme.t2);
    axis->setLinePen(QPen(theme.mid, 1));
    axis->setGridLinePen(QPen(theme.line, 1));
    axis->setMinorGridLineVisible(false);
    axis->setShadesVisible(false);
    chart.addAxis(axis, side);
}

void spanLog(QtCharts::QLogValueAxis* axis, double low, double high)
{
    double from = std::pow(10, std::floor(std::log10(low))), to = std::pow(10, std::ceil(std::log10(high)));
    for (const double step : { 5.0, 2.0 }) {
        if (from * step <= low)
            from *= step;
        if (to / step >= high)
            to /= step;
    }
    axis->setBase(10);
    axis->setLabelFormat(QStringLiteral("%g"));
    axis->setRange(from, to);
}

void addSeries(QtCharts::QChart& chart, QtCharts::QAbstractSeries* series)
{
    chart.addSeries(series);
    for (QtCharts::QAbstractAxis* axis : chart.axes())
        series->attachAxis(axis);
}

} // namespace flashstep::ui
