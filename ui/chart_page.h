// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "ui/paint/theme.h"

#include <QChart>
#include <QLogValueAxis>
#include <QPen>
#include <QSize>
#include <QString>

#include <memory>
#include <vector>

namespace flashstep::ui {

// A sample of what a chart draws, with its words: a line, a point, or a box.
struct ChartKey {
    enum class Mark { Line, Circle, Square, Box } mark = Mark::Line;
    QPen pen;
    QString words;
};

// A number beside what it is of, right of a point in the chart's own coordinates. Charts has labels too, but draws
// those of bars in the order of their addresses.
struct ChartNumber {
    QtCharts::QAbstractSeries* series = nullptr; // on whose axes
    QPointF at;
    QString words;
};

struct ChartPanel {
    QString title;
    std::unique_ptr<QtCharts::QChart> chart; // null: `words` stand in its place
    QString words;
    std::vector<ChartNumber> numbers;
    std::vector<ChartKey> keys; // below it
};

// Small plots on one sheet, with title and provenance like every picture.
struct ChartPage {
    QString theme = QStringLiteral("print");
    QString title, subtitle, provenance, fault; // fault: of a run that is not sound
    std::vector<ChartPanel> panels; // row by row
    int columns = 2;
};

// "svg", "pdf" or "png"; `scale`: pixels for each logical one. The target is written beside itself and renamed.
[[nodiscard]] Status writeChartPage(
    ChartPage& page, QSize size, double scale, const QString& format, const QString& path);

// A chart without frame, margins and legend of its own, in the colours of the theme and the fonts of pictures.
[[nodiscard]] std::unique_ptr<QtCharts::QChart> plainChart();
// Adds an axis in the theme's colours, with its title.
void addAxis(QtCharts::QChart& chart, QtCharts::QAbstractAxis* axis, Qt::Alignment side, const QString& title,
    const paint::Theme& theme);
// A logarithmic axis around what is shown, from 1, 2 or 5 times a power of ten to another.
void spanLog(QtCharts::QLogValueAxis* axis, double low, double high);
// Adds a series that hangs on the axes which the chart has already.
void addSeries(QtCharts::QChart& chart, QtCharts::QAbstractSeries* series);

} // namespace flashstep::ui
