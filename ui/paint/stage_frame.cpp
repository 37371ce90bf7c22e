// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/fonts.h"
#include "ui/paint/stage_parts.h"
#include "ui/paint/tile_numbers.h"
#include "ui/paint/walk.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double wordPitch = 36; // pixels per key from which on each has its word

// Every how many-th label is drawn, so that they stay apart.
int labelStep(double cell, double spacing)
{
    int step = 1;
    while (step * cell < spacing)
        step *= 2;
    return step;
}

void paintKeys(const StageCanvas& canvas)
{
    const StageLayout& layout = canvas.layout;
    QPainter& painter = canvas.painter;
    const int step = labelStep(layout.cell, 30);
    const int keys = canvas.program().tile.keys;
    for (int j = layout.firstColumn(); j < layout.lastColumn(); ++j) {
        const QRectF rect = layout.keyRect(j) & layout.header;
        if (rect.isEmpty())
            continue;
        const TileColour& colour = canvas.theme.keyBlock(j);
        const double gap = layout.cell >= 8 ? 1 : 0;
        const QRectF bar(rect.left() + gap, rect.top() + 1, rect.width() - 2 * gap, 4);
        painter.setRenderHint(QPainter::Antialiasing, layout.cell >= 8);
        painter.setPen(Qt::NoPen);
        painter.setBrush(colour.edge == colour.fill ? colour.fill : colour.edge);
        painter.drawRoundedRect(bar, layout.cell >= 8 ? 1.5 : 0, 1.5);
        if (colour.edge != colour.fill && layout.cell >= 8) {
            painter.setBrush(colour.fill);
            painter.drawRoundedRect(bar.adjusted(1, 1, -1, -1), 1, 1);
        }
        if (j % step != 0)
            continue;
        painter.setPen(canvas.theme.text);
        const QRectF wide(
            rect.left(), rect.top() + 7, step > 1 ? std::max(layout.cell * step, 30.0) : rect.width(), 15);
        drawLine(painter, wide, step > 1 ? Qt::AlignLeft : Qt::AlignHCenter, canvasFont(11.5, QFont::DemiBold),
            QStringLiteral("K%1").arg(j));
        const double pitch = layout.cell / keys;
        painter.setPen(canvas.theme.t2);
        if (canvas.scene.tokens && pitch >= wordPitch) {
            for (int k = 0; k < keys; ++k) {
                const QRectF column(layout.keyRect(j).left() + k * pitch, rect.top() + 21, pitch - 2, 14);
                if (column.left() >= layout.window.left() - 1 && column.right() <= layout.window.right() + 1)
                    drawElided(
                        painter, column, Qt::AlignHCenter, canvasFont(10), canvas.scene.tokens->key(j * keys + k));
            }
        } else if (canvas.scene.tokens && layout.cell >= 30) {
            drawElided(painter, QRectF(rect.left(), rect.top() + 21, rect.width(), 14), Qt::AlignHCenter,
                canvasFont(10), canvas.scene.tokens->key(j * keys));
        }
    }
}

// A word for each row where the rows are high enough.
void paintRowWords(const StageCanvas& canvas)
{
    const StageLayout& layout = canvas.layout;
    const int rows = canvas.program().tile.rows;
    const double pitch = layout.cell / rows;
    for (int i = layout.firstRow(); i < layout.lastRow(); ++i)
        for (int r = 0; r < rows; ++r) {
            const QRectF line(
                layout.gutter.left(), layout.rowRect(i).top() + r * pitch, layout.gutter.width() - 7, pitch);
            if (line.center().y() < layout.window.top() || line.center().y() > layout.window.bottom())
                continue;
            canvas.painter.setPen(r == 0 ? canvas.theme.text : canvas.theme.t2);
            drawElided(canvas.painter, line, Qt::AlignRight, canvasFont(10),
                canvas.scene.tokens->query((i * rows + r) / canvas.program().packed));
        }
}

void paintRows(const StageCanvas& canvas)
{
    if (canvas.scene.tokens && !canvas.scene.tokens->queries.isEmpty()
        && canvas.layout.cell / canvas.program().tile.rows >= 20) {
        paintRowWords(canvas);
        return;
    }
    const StageLayout& layout = canvas.layout;
    QPainter& painter = canvas.painter;
    const int step = labelStep(layout.cell, 16);
    const int rows = canvas.program().tile.rows;
    for (int i = layout.firstRow() / step * step; i < layout.lastRow(); i += step) {
        const QRectF rect = layout.rowRect(i);
        const double middle = rect.top() + std::min(layout.cell, layout.cell * step) / 2;
        if (middle < layout.window.top() || middle > layout.window.bottom())
            continue;
        const QString word
            = canvas.scene.tokens ? canvas.scene.tokens->query(i * rows / canvas.program().packed) : QString();
        const bool two = !word.isEmpty() && layout.cell >= 28;
        painter.setPen(canvas.theme.text);
        drawLine(painter, QRectF(rect.left(), middle - (two ? 14 : 7), rect.width() - 7, 14), Qt::AlignRight,
            canvasFont(11.5, QFont::DemiBold), QStringLiteral("Q%1").arg(i));
        if (two) {
            painter.setPen(canvas.theme.t2);
            drawElided(
                painter, QRectF(rect.left(), middle, rect.width() - 7, 14), Qt::AlignRight, canvasFont(10), word);
        }
    }
}

// Rows of one CTA under one bracket; a CTA of one tile has its label alone.
void paintCtas(const StageCanvas& canvas)
{
    const StageLayout& layout = canvas.layout;
    QPainter& painter = canvas.painter;
    const int step = labelStep(layout.cell, 26);
    for (int i = layout.firstRow() / step * step; i < layout.lastRow(); i += step) {
        const CtaId cta = canvas.trace().ctaOfTile(canvas.b, canvas.h, i);
        if (!cta.valid())
            continue;
        const bool current = cta == canvas.scene.cta;
        const double middle = layout.rowRect(i).top() + layout.cell / 2;
        if (middle < layout.window.top() || middle > layout.window.bottom())
            continue;
        const bool two = layout.cell * step >= 28;
        painter.setPen(current ? canvas.theme.text : canvas.theme.t2);
        drawLine(painter, QRectF(layout.brackets.left(), middle - (two ? 14 : 7), layout.brackets.width(), 14),
            Qt::AlignLeft, canvasFont(11, current ? QFont::DemiBold : QFont::Normal),
            QStringLiteral("CTA %1").arg(cta.index()));
        if (two) {
            painter.setPen(current ? canvas.theme.t2 : canvas.theme.t3);
            drawLine(painter, QRectF(layout.brackets.left(), middle, layout.brackets.width(), 14), Qt::AlignLeft,
                canvasFont(10), QStringLiteral("SM %1").arg(canvas.trace().span(cta).sm));
        }
    }
}

// Which way the blocks are walked, read off the visits themselves.
void paintDirection(const StageCanvas& canvas)
{
    const int direction = walkDirection(canvas.trace(), canvas.b, canvas.h);
    if (direction == 0)
        return;
    const bool leftwards = direction < 0;
    QPainter& painter = canvas.painter;
    QRectF line = canvas.layout.direction;
    line.setWidth(canvas.layout.window.width());
    painter.setPen(canvas.theme.t2);
    const QString words = leftwards ? QStringLiteral("keys and values, right to left")
                                    : QStringLiteral("keys and values, left to right");
    const QFont font = canvasFont(11);
    drawLine(painter, line, Qt::AlignLeft, font, words);
    const double start = line.left() + textWidth(font, words) + 8, end = std::max(start + 14, line.right() - 1);
    const double y = std::round(line.center().y()) + 0.5;
    const double tip = leftwards ? end - 14 : end;
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(canvas.theme.t2, 1.2, Qt::SolidLine, Qt::RoundCap));
    const double back = leftwards ? 4 : -4;
    painter.drawLine(QPointF(end - 14, y), QPointF(end, y));
    painter.drawLine(QPointF(tip, y), QPointF(tip + back, y - 3.5));
    painter.drawLine(QPointF(tip, y), QPointF(tip + back, y + 3.5));
}

// The largest |O| of the tiles on show at the end of the run, so that colours stay put while stepping.
double outputLimit(const Trace& trace, int b, int h, const StageLayout& layout)
{
    float largest = 0;
    for (int i = layout.firstRow(); i < layout.lastRow(); ++i)
        for (const float value : outputSoFar(trace, b, h, i, trace.end()).data)
            if (std::isfinite(value))
                largest = std::max(largest, std::fabs(value));
    return largest > 0 ? static_cast<double>(largest) : 1;
}

// As many cells as have 4 px; where one stands for several dimensions it shows the value farthest from 0.
void paintOutput(const StageCanvas& canvas, const QRectF& rect, const TileValues& values, double limit)
{
    const int columns = std::min(values.cols, std::max(1, static_cast<int>(rect.width() / 4)));
    const int rows = std::min(values.rows, std::max(1, static_cast<int>(rect.height() / 4)));
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c) {
            float far = std::numeric_limits<float>::quiet_NaN();
            for (int y = r * values.rows / rows; y < (r + 1) * values.rows / rows; ++y)
                for (int x = c * values.cols / columns; x < (c + 1) * values.cols / columns; ++x)
                    if (std::isnan(far) || std::fabs(values.at(y, x)) > std::fabs(far))
                        far = values.at(y, x);
            if (std::isfinite(far))
                canvas.painter.fillRect(
                    QRectF(rect.left() + rect.width() * c / columns, rect.top() + rect.height() * r / rows,
                        rect.width() / columns - 0.5, rect.height() / rows - 0.5),
                    divergingColour(canvas.theme, static_cast<double>(far), limit));
        }
}

} // namespace

double stageOutputLimit(const StageScene& scene, const StageLayout& layout)
{
    if (!scene.trace || !scene.cta.valid())
        return 1;
    const ShownHead head = shownHead(scene);
    return outputLimit(*scene.trace, head.b, head.h, layout);
}

void paintStageHeaders(const StageCanvas& canvas)
{
    paintDirection(canvas);
    paintKeys(canvas);
    paintRows(canvas);
    paintCtas(canvas);
}

void paintStageOutputs(const StageCanvas& canvas)
{
    const StageLayout& layout = canvas.layout;
    if (layout.outputs.isEmpty())
        return;
    QPainter& painter = canvas.painter;
    painter.setPen(canvas.theme.text);
    const QRectF head(layout.outputs.center().x() - 40, layout.header.top(), 80, layout.header.height());
    drawLine(
        painter, head.adjusted(0, 7, 0, -16), Qt::AlignHCenter, canvasFont(11.5, QFont::DemiBold), QStringLiteral("O"));
    painter.setPen(canvas.theme.t2);
    const int launch = static_cast<int>(canvas.program().launches.size()) - 1;
    const bool running = canvas.program().bufferOf("l", launch, 0).valid(); // else P came already divided
    drawLine(painter, head.adjusted(0, 21, 0, -3), Qt::AlignHCenter, canvasFont(10),
        running ? QStringLiteral("÷ ") + QChar(0x2113) + QStringLiteral(" so far") : QStringLiteral("so far"));
    if (layout.cell < 12)
        return;
    const double limit = outputLimit(canvas.trace(), canvas.b, canvas.h, layout);
    for (int i = layout.firstRow(); i < layout.lastRow(); ++i) {
        const QRectF rect = layout.outputRect(i).adjusted(3, 3, -3, -3) & layout.window.adjusted(0, 0, 200, 0);
        const TileValues values = outputSoFar(canvas.trace(), canvas.b, canvas.h, i, canvas.scene.position);
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.setBrush(canvas.theme.panel);
        const bool current = isWorkedOn(canvas, i);
        painter.setPen(current ? QPen(canvas.theme.text, 1) : QPen(canvas.theme.mid, 1));
        painter.drawRoundedRect(rect.adjusted(-1.5, -1.5, 1.5, 1.5), 2, 2);
        painter.setRenderHint(QPainter::Antialiasing, false);
        paintOutput(canvas, rect, values, limit);
    }
}

} // namespace flashstep::paint
