// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/numbers_painter.h"

#include "ui/paint/fonts.h"
#include "ui/paint/marks.h"
#include "ui/paint/scale_bar.h"
#include "ui/paint/tile_numbers.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double scoreLimit = 16; // log2 units

struct NumbersCanvas {
    QPainter& painter;
    const StageScene& scene;
    const NumbersView& view;
    const NumbersLayout& layout;
    const TileNumbers& numbers;
    const Theme& theme;

    [[nodiscard]] bool visible(const QRectF& rect) const
    {
        return rect.bottom() > layout.bounds.top() && rect.top() < layout.bounds.bottom();
    }
};

// Text in a cell, right-aligned; smaller and without its 0x where it would not fit, else dropped, never clipped.
void cellText(const NumbersCanvas& canvas, const QRectF& cell, const QColor& ink, bool bold, QString text)
{
    QFont font = monoFont(12, bold ? QFont::DemiBold : QFont::Normal);
    double width = textWidth(font, text);
    if (width > cell.width() - 6) {
        font = monoFont(10, bold ? QFont::DemiBold : QFont::Normal);
        width = textWidth(font, text);
        if (width > cell.width() - 3 && text.startsWith(QLatin1String("0x")))
            text.remove(0, 2);
        width = textWidth(font, text);
        if (width > cell.width() - 1)
            return;
    }
    canvas.painter.setPen(ink);
    drawLine(canvas.painter, cell.adjusted(0, 0, width > cell.width() - 8 ? -1.5 : -6, 0), Qt::AlignRight, font, text);
}

void frame(const NumbersCanvas& canvas, const QRectF& rect, const QColor& colour, double width)
{
    canvas.painter.setRenderHint(QPainter::Antialiasing, true);
    canvas.painter.setPen(QPen(colour, width));
    canvas.painter.setBrush(Qt::NoBrush);
    canvas.painter.drawRoundedRect(rect.adjusted(width / 2, width / 2, -width / 2, -width / 2), 2, 2);
}

void paintScoreCells(const NumbersCanvas& canvas)
{
    const TileNumbers& n = canvas.numbers;
    for (int r = 0; r < n.rows; ++r)
        for (int c = 0; c < canvas.layout.keys; ++c) {
            const QRectF cell = canvas.layout.scoreRect(r, c).adjusted(0, 0, -1, -1);
            if (!canvas.visible(cell))
                continue;
            const auto value = static_cast<double>(n.s.at(r, canvas.layout.fromKey + c));
            canvas.painter.setRenderHint(QPainter::Antialiasing, false);
            if (std::isnan(value)) {
                frame(canvas, cell, canvas.theme.line, 1);
                continue;
            }
            const bool hidden = std::isinf(value);
            const QColor ground = hidden ? canvas.theme.waitGround : divergingColour(canvas.theme, value, scoreLimit);
            const bool largest = !hidden && value == n.row[static_cast<std::size_t>(r)].blockMax;
            canvas.painter.fillRect(cell, ground);
            cellText(canvas, cell, hidden ? canvas.theme.t3 : inkOn(ground), largest,
                number(value, canvas.view.format, DType::Fp32));
            if (largest)
                frame(canvas, cell.adjusted(-0.5, -0.5, 0.5, 0.5), canvas.theme.text, 2);
        }
}

double largestProbability(const TileNumbers& n)
{
    double largest = 1;
    for (const float value : n.p.data)
        if (std::isfinite(value))
            largest = std::max(largest, static_cast<double>(value));
    return largest;
}

void paintProbabilityCells(const NumbersCanvas& canvas)
{
    const TileNumbers& n = canvas.numbers;
    const double largest = largestProbability(n);
    const DType dtype = n.rounded ? canvas.scene.trace->program().problem.dtype : DType::Fp32;
    for (int r = 0; r < n.rows; ++r)
        for (int c = 0; c < canvas.layout.keys; ++c) {
            const QRectF cell = canvas.layout.probabilityRect(r, c).adjusted(0, 0, -1, -1);
            if (!canvas.visible(cell))
                continue;
            const auto value = static_cast<double>(n.p.at(r, canvas.layout.fromKey + c));
            canvas.painter.setRenderHint(QPainter::Antialiasing, false);
            QColor ground = canvas.theme.panel;
            if (!std::isnan(value)) {
                ground = sequentialColour(canvas.theme, value, largest);
                canvas.painter.fillRect(cell, ground);
                cellText(canvas, cell, inkOn(ground), false,
                    canvas.view.format == NumberFormat::Decimal ? shortDecimal(value)
                                                                : number(value, canvas.view.format, dtype));
            }
            if (contrast(ground, canvas.theme.panel) < 1.2)
                frame(canvas, cell, canvas.theme.line, 1);
        }
}

RowMark markOf(const TileNumbers::Row& row)
{
    if (std::isinf(row.before) || !(row.most > row.before))
        return RowMark::None;
    return row.scale < 1 ? RowMark::Rescaled : RowMark::Kept;
}

void paintStatistics(const NumbersCanvas& canvas)
{
    const QFont mono = monoFont(12);
    QPainter& painter = canvas.painter;
    for (int r = 0; r < canvas.numbers.rows; ++r) {
        const TileNumbers::Row& row = canvas.numbers.row[static_cast<std::size_t>(r)];
        const QRectF first = canvas.layout.statisticRect(r, 0);
        if (!canvas.visible(first))
            continue;
        const auto column = [&](int k, const QString& text) {
            painter.setPen(canvas.theme.text);
            drawLine(painter, canvas.layout.statisticRect(r, k).adjusted(0, 0, -2, 0), Qt::AlignRight, mono, text);
        };
        column(0, fixed(row.before, 2));
        column(1, fixed(canvas.numbers.lazy ? row.most : row.blockMax, 2));
        column(2, fixed((canvas.numbers.lazy ? row.most : row.blockMax) - row.before, 2));
        column(3, factor(row.scale));
        paintMark(
            painter, { canvas.layout.statisticRect(r, 2).left() + 7, first.center().y() }, markOf(row), canvas.theme);
        painter.setPen(canvas.theme.text);
        QRectF sum = canvas.layout.sums;
        sum.setTop(first.top());
        sum.setHeight(first.height());
        drawLine(painter, sum.adjusted(0, 0, -2, 0), Qt::AlignRight, mono, fixed(row.l, 2));
    }
}

void paintRowLabels(const NumbersCanvas& canvas, double top, double height, double pixels)
{
    const NumbersLayout& l = canvas.layout;
    for (int r = 0; r < l.rows; ++r) {
        const double y = top + r * height;
        if (!canvas.visible(QRectF(0, y, 1, height)))
            continue;
        const int row = l.firstRow + r;
        canvas.painter.setPen(canvas.theme.text);
        if (canvas.scene.tokens)
            drawElided(canvas.painter, QRectF(l.words.left(), y, l.words.width(), height), Qt::AlignRight,
                canvasFont(pixels), canvas.scene.tokens->query(row / canvas.scene.trace->program().packed));
        canvas.painter.setPen(canvas.theme.t2);
        drawLine(canvas.painter, QRectF(l.rowNumbers.left(), y, l.rowNumbers.width(), height), Qt::AlignRight,
            monoFont(pixels), rowLabel(canvas.scene.trace->program(), shownHead(canvas.scene).h, row));
    }
}

// Words above the columns, slanted, each over its key's colour bar.
// `emulated`: keys whose exponentials the FMA units compute; their bars are dark.
void paintKeyWords(
    const NumbersCanvas& canvas, const QRectF& area, double width, const std::vector<bool>& emulated = {})
{
    const NumbersLayout& l = canvas.layout;
    QPainter& painter = canvas.painter;
    const QColor bar = canvas.theme.keyBlock(canvas.view.j).fill;
    for (int c = 0; c < l.keys; ++c) {
        const double x = area.left() + c * width;
        const bool byPolynomial = !emulated.empty() && emulated[static_cast<std::size_t>(l.fromKey + c)];
        painter.fillRect(QRectF(x, area.top() - 4, width - 1, 3), byPolynomial ? canvas.theme.text : bar);
        QString word = canvas.scene.tokens ? canvas.scene.tokens->key(l.firstKey + c) : QString();
        if (word.isEmpty())
            word = QString::number(l.firstKey + c);
        if (width < 14 && c % 4 != 0)
            continue;
        painter.save();
        painter.translate(x + width / 2 - 6, area.top() - 9);
        painter.rotate(-24);
        painter.setPen(canvas.theme.text);
        painter.setFont(canvasFont(11));
        painter.drawText(QPointF(0, 0), word);
        painter.restore();
    }
}

void paintHeads(const NumbersCanvas& canvas)
{
    const NumbersLayout& l = canvas.layout;
    QPainter& painter = canvas.painter;
    const double title = l.scores.top() - l.headHeight + 8;
    const QFont bold = canvasFont(13, QFont::DemiBold);
    painter.setPen(canvas.theme.text);
    // The longest that fits before the next one; the shortest elided where none does.
    const auto at = [&](double x, double end, const QStringList& choices) {
        const auto fits = std::find_if(
            choices.begin(), choices.end(), [&](const QString& text) { return textWidth(bold, text) <= end - x - 8; });
        drawElided(painter, QRectF(x, title, end - x - 8, 18), Qt::AlignLeft, bold,
            fits == choices.end() ? choices.back() : *fits);
    };
    const QString product = QStringLiteral("S = Q%1 K%2ᵀ").arg(canvas.view.i).arg(canvas.view.j);
    at(l.scores.left(), l.statistics.left() + 6, { product + QStringLiteral(" · scale · log2 e"), product });
    at(l.statistics.left() + 6, l.probabilities.left(), { QStringLiteral("reference and scale") });
    QString exponent = canvas.numbers.ownMaximum ? QStringLiteral("S − row max")
        : canvas.numbers.lazy                    ? QStringLiteral("S − reference")
                                                 : QStringLiteral("S − m");
    if (canvas.numbers.offset != 0)
        exponent += QStringLiteral(" + ") + factor(canvas.numbers.offset);
    const std::vector<bool>& emulated = canvas.scene.trace->program().softmax.emulated;
    const QString exponential = QStringLiteral("P = 2^(%1)").arg(exponent);
    at(l.probabilities.left(), l.bounds.right(),
        emulated.empty() ? QStringList { exponential }
                         : QStringList { exponential + QStringLiteral(", dark bars: by polynomial"),
                             exponential + QStringLiteral(", dark: polynomial"), exponential });
    if (l.keys < l.tileKeys) { // what is left out, and where the rest lies
        painter.setPen(canvas.theme.t2);
        const int last = l.firstKey - l.fromKey + l.tileKeys - 1;
        drawElided(painter, QRectF(l.scores.left(), title + 18, l.statistics.right() - l.scores.left(), 15),
            Qt::AlignLeft, canvasFont(11),
            QStringLiteral("keys %1–%2 of %3–%4; Shift and the wheel for the others")
                .arg(l.firstKey)
                .arg(l.firstKey + l.keys - 1)
                .arg(l.firstKey - l.fromKey)
                .arg(last));
    }
    paintKeyWords(canvas, l.scores, l.scoreWidth);
    paintKeyWords(canvas, l.probabilities, l.probabilityWidth, emulated);
    const QFont small = canvasFont(11);
    painter.setPen(canvas.theme.t2);
    const bool lazy = canvas.numbers.lazy;
    const QString names[] = { lazy ? QStringLiteral("reference") : QStringLiteral("m in use"),
        lazy ? QStringLiteral("true max") : QStringLiteral("row max"),
        lazy ? QStringLiteral("growth") : QStringLiteral("gap"),
        lazy ? QStringLiteral("× factor") : QStringLiteral("× scale") };
    for (int k = 0; k < 4; ++k)
        drawLine(painter, l.statisticRect(0, k).adjusted(0, 0, -2, 0).translated(0, -l.cellHeight / 2 - 10),
            Qt::AlignRight, small, names[k]);
    QRectF sum = l.sums;
    sum.setHeight(l.cellHeight);
    drawLine(painter, sum.adjusted(0, 0, -2, 0).translated(0, -l.cellHeight / 2 - 10), Qt::AlignRight, small,
        QString(QChar(0x2113)) + QStringLiteral(" new"));
}

// Threshold and marks under the statistics of a reference that may stay.
void paintThreshold(const NumbersCanvas& canvas, double y)
{
    const double left = canvas.layout.statistics.left() + 14;
    const QString words[] = { QStringLiteral("beyond %1: O, ").arg(factor(canvas.numbers.threshold)) + QChar(0x2113)
            + QStringLiteral(" rescaled"),
        QStringLiteral("grew within it: frame kept") };
    const RowMark marks[] = { RowMark::Rescaled, RowMark::Kept };
    for (int k = 0; k < 2; ++k) {
        paintMark(canvas.painter, { left, y + 4.5 + 15 * k }, marks[k], canvas.theme);
        canvas.painter.setPen(canvas.theme.t2);
        drawLine(canvas.painter, QRectF(left + 12, y - 3 + 15 * k, 200, 15), Qt::AlignLeft, canvasFont(11), words[k]);
    }
}

double outputLimit(const TileNumbers& n)
{
    std::vector<float> sizes;
    for (const TileValues* o : { &n.oBefore, &n.oAfter })
        for (const float value : o->data)
            if (std::isfinite(value))
                sizes.push_back(std::fabs(value));
    if (sizes.empty())
        return 1;
    const auto at = sizes.begin() + static_cast<std::ptrdiff_t>((sizes.size() - 1) * 99 / 100);
    std::nth_element(sizes.begin(), at, sizes.end());
    return *at > 0 ? static_cast<double>(*at) : 1;
}

void paintOutputStrip(const NumbersCanvas& canvas, const QRectF& area, const TileValues& values, double limit,
    const QString& title, const QString& note)
{
    QPainter& painter = canvas.painter;
    const QFont bold = canvasFont(12, QFont::DemiBold);
    painter.setPen(canvas.theme.text);
    drawLine(painter, QRectF(area.left(), area.top() - 24, area.width(), 18), Qt::AlignLeft, bold, title);
    painter.setPen(canvas.theme.t2);
    drawElided(painter,
        QRectF(
            area.left() + textWidth(bold, title) + 8, area.top() - 24, area.width() - textWidth(bold, title) - 8, 18),
        Qt::AlignLeft, canvasFont(11), note);
    if (std::none_of(values.data.begin(), values.data.end(), [](float value) { return std::isfinite(value); }))
        return;
    const double width = area.width() / std::max(1, values.cols), height = canvas.layout.outputHeight;
    const double gap = width >= 4 ? 0.8 : 0;
    painter.setRenderHint(QPainter::Antialiasing, true);
    for (int r = 0; r < values.rows; ++r)
        for (int c = 0; c < values.cols; ++c) {
            const auto value = static_cast<double>(values.at(r, c));
            if (std::isfinite(value))
                painter.fillRect(QRectF(area.left() + c * width, area.top() + r * height, width - gap, height - 1),
                    divergingColour(canvas.theme, value, limit));
        }
    frame(canvas, area.adjusted(-1, -1, 1, 0), canvas.theme.line, 1);
}

void paintOutputs(const NumbersCanvas& canvas)
{
    const NumbersLayout& l = canvas.layout;
    const TileNumbers& n = canvas.numbers;
    const double limit = outputLimit(n);
    int moved = 0;
    for (const TileNumbers::Row& row : n.row)
        moved += row.scale < 1 ? 1 : 0;
    const QString before = n.n <= 1 ? QStringLiteral("nothing yet: first block")
        : n.divided ? QStringLiteral("%1 rows × %2 dims, divided by its ").arg(n.rows).arg(l.dims) + QChar(0x2113)
                    : QStringLiteral("%1 rows × %2 dims, old frame").arg(n.rows).arg(l.dims);
    QString after = n.n <= 1 ? QString() : QStringLiteral("%1 of %2 rows moved; ").arg(moved).arg(n.rows);
    if (n.vote)
        after = voteText(*n.vote) + QStringLiteral("; ");
    after += n.landed ? QStringLiteral("+ P V%1").arg(n.j) : QStringLiteral("P V%1 not yet landed").arg(n.j);
    paintOutputStrip(canvas, l.outputBefore, n.oBefore, limit, QStringLiteral("O before"), before);
    paintOutputStrip(canvas, l.outputAfter, n.oAfter, limit, QStringLiteral("O after"), after);
    paintRowLabels(canvas, l.outputBefore.top(), l.outputHeight, 10);
    paintDivergingScale(canvas.painter, { l.outputBefore.left(), l.outputBefore.bottom() + 8 }, 180, limit,
        (n.divided ? QStringLiteral("divided by ") : QStringLiteral("not divided by ")) + QChar(0x2113)
            + (n.divided ? QStringLiteral(" at every block; 99th percentile of |O|")
                         : QStringLiteral(" yet; 99th percentile of |O|")),
        canvas.theme);
}

void paintScales(const NumbersCanvas& canvas)
{
    const NumbersLayout& l = canvas.layout;
    const double y = l.scores.bottom() + 12;
    const double room = std::max(60.0, std::min(180.0, l.scores.width() - 40));
    const QFont words = canvasFont(11);
    const auto fitting = [&](double from, double to, const QStringList& choices) {
        for (const QString& text : choices)
            if (from + 12 + textWidth(words, text) <= to)
                return text;
        return QString();
    };
    QStringList scoreWords { QStringLiteral("log2 units; row maximum outlined"), QStringLiteral("log2 units") };
    if (canvas.numbers.lazy)
        scoreWords.removeFirst();
    paintDivergingScale(canvas.painter, { l.scores.left(), y }, room, scoreLimit,
        fitting(l.scores.left() + room, l.statistics.left() + 8, scoreWords), canvas.theme);
    canvas.painter.setPen(canvas.theme.t2);
    if (canvas.numbers.lazy) {
        paintThreshold(canvas, y);
    } else if (l.scores.left() + room + 200 < l.statistics.left() + 20) {
        const QRectF line(l.statistics.left() + 26, y - 3, 200, 15);
        paintMark(canvas.painter, { l.statistics.left() + 14, y + 4.5 }, RowMark::Rescaled, canvas.theme);
        canvas.painter.setPen(canvas.theme.t2);
        drawLine(canvas.painter, line, Qt::AlignLeft, canvasFont(11), QStringLiteral("grew: O and ℓ rescaled"));
    }
    const double scale = std::min(180.0, l.probabilities.width());
    paintSequentialScale(canvas.painter, { l.probabilities.left(), y }, scale, largestProbability(canvas.numbers),
        fitting(l.probabilities.left() + scale, l.bounds.right(),
            { QStringLiteral("square-root colour scale"), QStringLiteral("square root") }),
        canvas.theme);
}

} // namespace

void paintNumbers(
    QPainter& painter, const QRectF& rect, const StageScene& scene, const NumbersView& view, const Theme& theme)
{
    painter.save();
    painter.setClipRect(rect, Qt::IntersectClip);
    painter.fillRect(rect, theme.panel);
    if (scene.trace && scene.cta.valid()) {
        const ShownHead head = shownHead(scene);
        const NumbersLayout layout = layoutNumbers(rect, scene, view);
        const TileNumbers numbers = tileNumbers(*scene.trace, head.b, head.h, view.i, view.j, scene.position);
        const NumbersCanvas canvas { painter, scene, view, layout, numbers, theme };
        const QFont font = canvasFont(11.5);
        if (!numbers.recorded) {
            painter.setPen(theme.t2);
            drawLine(painter, rect, Qt::AlignHCenter, font,
                scene.trace->hasValues(numbers.cta) && numbers.n == 0
                    ? QStringLiteral("This tile is skipped: none of its rows sees any of its keys.")
                    : QStringLiteral("The values of this tile were not computed."));
        } else {
            paintHeads(canvas);
            paintRowLabels(canvas, layout.scores.top(), layout.cellHeight, 11.5);
            paintScoreCells(canvas);
            paintStatistics(canvas);
            paintProbabilityCells(canvas);
            paintScales(canvas);
            paintOutputs(canvas);
            const int r = scene.highlight.row - layout.firstRow;
            if (r >= 0 && r < layout.rows)
                frame(canvas,
                    QRectF(layout.words.left() - 6, layout.scoreRect(r, 0).top() - 1,
                        layout.sums.right() - layout.words.left() + 12, layout.cellHeight + 1),
                    theme.text, 2);
        }
    }
    painter.restore();
}

} // namespace flashstep::paint
