// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/numbers_painter.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

struct Spacing {
    double inset = 14, word = 74, gap = 12, statistic = 60;
};
constexpr Spacing tight { 10, 50, 10, 54 }; // where eight keys with their numbers have no room
constexpr double scaleHeight = 42; // colour scales under the tables
constexpr double outputTitle = 34;
constexpr int statisticColumns = 4;
constexpr int fewestKeys = 2, roomyKeys = 8;

// Where a cell still shows its number, of its natural width. P has no sign and one digit before the point.
constexpr double leastScore = 0.83, leastProbability = 0.7, leastOther = 0.8;

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
    const double s = naturalWidth(view.format, true),
                 p = naturalWidth(view.format, program.problem.dtype == DType::Fp32);
    const double least
        = view.format == NumberFormat::Decimal ? leastScore * s + leastProbability * p : leastOther * (s + p);
    Spacing space;
    const auto roomIn = [&](const Spacing& in) {
        return std::max(0.0,
            rect.width() - (2 * in.inset + in.word + numberWidth + 3 * in.gap + (statisticColumns + 1) * in.statistic));
    };
    if (roomIn(space) < std::min(roomyKeys, l.tileKeys) * least)
        space = tight;
    l.statisticWidth = space.statistic;
    // As many keys as have room for their numbers; a few, if need be as colours alone, in any case.
    const double room = roomIn(space);
    l.keys = std::clamp(static_cast<int>(room / least), std::min(fewestKeys, l.tileKeys), l.tileKeys);
    l.fromKey = std::clamp(view.fromKey, 0, l.tileKeys - l.keys);
    l.firstKey = view.j * program.tile.keys + l.fromKey;
    double scoreShare = std::min(1.0, std::max(0.1, room / std::max(1.0, l.keys * (s + p)))), otherShare = scoreShare;
    if (view.format == NumberFormat::Decimal && scoreShare < leastScore && room >= l.keys * least) {
        scoreShare = leastScore; // what S needs, P can spare
        otherShare = (room / l.keys - leastScore * s) / p;
    }
    l.scoreWidth = std::floor(s * scoreShare * 2) / 2;
    l.probabilityWidth = std::floor(p * otherShare * 2) / 2;

    const double others = l.headHeight + scaleHeight + outputTitle + scaleHeight;
    const double spare = rect.height() - others - l.rows * l.outputHeight;
    l.cellHeight = std::clamp(std::floor(spare / std::max(1, l.rows)), 16.0, 30.0);

    const double top = rect.top() + l.headHeight - view.scroll, height = l.rows * l.cellHeight;
    double x = rect.left() + space.inset;
    const auto take = [&](double width) {
        const QRectF column(x, top, width, height);
        x += width;
        return column;
    };
    l.words = take(space.word);
    l.rowNumbers = take(numberWidth);
    x += space.gap;
    l.scores = take(l.keys * l.scoreWidth);
    x += space.gap / 2;
    l.statistics = take(statisticColumns * l.statisticWidth);
    x += space.gap;
    l.probabilities = take(l.keys * l.probabilityWidth);
    l.sums = take(l.statisticWidth);

    const double outputTop = top + height + scaleHeight + outputTitle;
    const double half = (std::max(l.sums.right(), l.scores.left() + 300) - l.scores.left() - 2 * space.gap) / 2;
    l.outputBefore = { l.scores.left(), outputTop, half, l.rows * l.outputHeight };
    l.outputAfter = l.outputBefore.translated(half + 2 * space.gap, 0);
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
