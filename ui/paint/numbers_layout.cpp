// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/numbers_painter.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double inset = 14, wordWidth = 74, groupGap = 12;
constexpr double scaleHeight = 42; // colour scales under the tables
constexpr double outputTitle = 34;
constexpr int statisticColumns = 4;
constexpr int fewestKeys = 8;
constexpr double leastShare = 0.8; // of its natural width a cell still shows its number in

// A cell as wide as its format needs.
double naturalWidth(NumberFormat format, bool fp32)
{
    switch (format) {
    case NumberFormat::Decimal:
        return 46;
    case NumberFormat::Hex:
        return fp32 ? 72 : 50;
    case NumberFormat::Exact:
        break;
    }
    return 96;
}

} // namespace

QRectF NumbersLayout::scoreRect(int r, int c) const
{
    return { scores.left() + c * scoreWidth, scores.top() + r * cellHeight, scoreWidth, cellHeight };
}

QRectF NumbersLayout::probabilityRect(int r, int c) const
{
    return { probabilities.left() + c * probabilityWidth, probabilities.top() + r * cellHeight, probabilityWidth,
        cellHeight };
}

QRectF NumbersLayout::statisticRect(int r, int column) const
{
    return { statistics.left() + column * statisticWidth, statistics.top() + r * cellHeight, statisticWidth,
        cellHeight };
}

NumbersLayout layoutNumbers(const QRectF& rect, const StageScene& scene, const NumbersView& view)
{
    NumbersLayout l;
    l.bounds = rect;
    if (!scene.trace)
        return l;
    const Program& program = scene.trace->program();
    l.firstRow = view.i * program.tile.rows;
    l.rows = std::clamp(program.headRows() - l.firstRow, 0, program.tile.rows);
    l.tileKeys = std::max(0, program.keysInside(view.j));
    l.dims = program.problem.headDimV;

    const double numberWidth = program.packed > 1 ? 56 : 34;
    const double fixedWidth
        = 2 * inset + wordWidth + numberWidth + 3 * groupGap + (statisticColumns + 1) * l.statisticWidth;
    const double s = naturalWidth(view.format, true),
                 p = naturalWidth(view.format, program.problem.dtype == DType::Fp32);
    // As many keys as have room for their numbers; a few, if need be as colours alone, in any case.
    const double room = std::max(0.0, rect.width() - fixedWidth);
    l.keys = std::clamp(static_cast<int>(room / (leastShare * (s + p))), std::min(fewestKeys, l.tileKeys), l.tileKeys);
    l.fromKey = std::clamp(view.fromKey, 0, l.tileKeys - l.keys);
    l.firstKey = view.j * program.tile.keys + l.fromKey;
    const double shrink = std::min(1.0, std::max(0.1, room / std::max(1.0, l.keys * (s + p))));
    l.scoreWidth = std::floor(s * shrink * 2) / 2;
    l.probabilityWidth = std::floor(p * shrink * 2) / 2;

    const double others = l.headHeight + scaleHeight + outputTitle + scaleHeight;
    const double space = rect.height() - others - l.rows * l.outputHeight;
    l.cellHeight = std::clamp(std::floor(space / std::max(1, l.rows)), 16.0, 30.0);

    const double top = rect.top() + l.headHeight - view.scroll, height = l.rows * l.cellHeight;
    double x = rect.left() + inset;
    const auto take = [&](double width) {
        const QRectF column(x, top, width, height);
        x += width;
        return column;
    };
    l.words = take(wordWidth);
    l.rowNumbers = take(numberWidth);
    x += groupGap;
    l.scores = take(l.keys * l.scoreWidth);
    x += groupGap / 2;
    l.statistics = take(statisticColumns * l.statisticWidth);
    x += groupGap;
    l.probabilities = take(l.keys * l.probabilityWidth);
    l.sums = take(l.statisticWidth);

    const double outputTop = top + height + scaleHeight + outputTitle;
    const double half = (std::max(l.sums.right(), l.scores.left() + 300) - l.scores.left() - 2 * groupGap) / 2;
    l.outputBefore = { l.scores.left(), outputTop, half, l.rows * l.outputHeight };
    l.outputAfter = l.outputBefore.translated(half + 2 * groupGap, 0);
    l.contentHeight = others + height + l.rows * l.outputHeight;
    return l;
}

NumbersLayout::Hit NumbersLayout::hitTest(QPointF point) const
{
    Hit hit;
    const auto place = [&](const QRectF& area, int columns, Hit::Part part, int Hit::*member, int first) {
        if (hit.part != Hit::Part::Nothing || columns <= 0 || !area.contains(point))
            return;
        hit.part = part;
        hit.row = firstRow + std::clamp(static_cast<int>((point.y() - area.top()) / area.height() * rows), 0, rows - 1);
        hit.*member
            = first + std::clamp(static_cast<int>((point.x() - area.left()) / area.width() * columns), 0, columns - 1);
    };
    place(scores, keys, Hit::Part::Score, &Hit::key, firstKey);
    place(probabilities, keys, Hit::Part::Probability, &Hit::key, firstKey);
    place(outputBefore, dims, Hit::Part::OutputBefore, &Hit::dim, 0);
    place(outputAfter, dims, Hit::Part::OutputAfter, &Hit::dim, 0);
    if (hit.part == Hit::Part::Nothing && (statistics.contains(point) || sums.contains(point))) {
        hit.part = Hit::Part::Statistic;
        hit.row = firstRow + std::clamp(static_cast<int>((point.y() - scores.top()) / cellHeight), 0, rows - 1);
    }
    return hit;
}

} // namespace flashstep::paint
