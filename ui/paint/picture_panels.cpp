// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/picture_parts.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double apart = 22; // between panels
constexpr double narrowest = 430; // of a panel that shares its row

bool isWide(const QString& view)
{
    return view == QStringLiteral("timeline") || view == QStringLiteral("grid");
}

struct Row {
    QStringList views;
    double height = 0;
    [[nodiscard]] double widthOf(double width) const
    {
        return (width - apart * (views.size() - 1)) / std::max(1, static_cast<int>(views.size()));
    }
};

// In the order asked for; those that are not as wide as the page stand side by side.
std::vector<Row> rowsOf(const Sheet& sheet, double width)
{
    const int most = std::max(1, static_cast<int>((width + apart) / (narrowest + apart)));
    std::vector<Row> rows;
    for (const QString& view : sheet.request.panels) {
        const bool joins
            = !rows.empty() && !isWide(view) && !isWide(rows.back().views.last()) && rows.back().views.size() < most;
        if (!joins)
            rows.emplace_back();
        rows.back().views << view;
    }
    for (Row& row : rows)
        for (const QString& view : row.views)
            row.height = std::max(row.height, viewHeight(sheet, view, row.widthOf(width)));
    return rows;
}

double sumOf(const std::vector<Row>& rows)
{
    double sum = 0;
    for (const Row& row : rows)
        sum += row.height;
    return sum;
}

} // namespace

double panelsHeight(const Sheet& sheet, double width)
{
    const std::vector<Row> rows = rowsOf(sheet, width);
    return sumOf(rows) + apart * static_cast<double>(rows.size() - 1);
}

void paintPanels(const Sheet& sheet, const QRectF& body)
{
    const std::vector<Row> rows = rowsOf(sheet, body.width());
    const double factor = (body.height() - apart * static_cast<double>(rows.size() - 1)) / sumOf(rows);
    double y = body.top();
    int panel = 0;
    for (const Row& row : rows) {
        const double width = row.widthOf(body.width());
        double x = body.left();
        for (const QString& view : row.views) {
            paintView(sheet, view, QRectF(x, y, width, std::floor(row.height * factor)),
                QString(QChar(QLatin1Char(static_cast<char>('a' + panel % 26)))));
            ++panel;
            x += width + apart;
        }
        y += row.height * factor + apart;
    }
}

} // namespace flashstep::paint
