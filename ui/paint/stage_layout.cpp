// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/stage_layout.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double inset = 12;
constexpr double bracketWidth = 56, gutterWidth = 54;
constexpr double directionHeight = 18, headerHeight = 38, captionHeight = 24;
constexpr double outputGap = 14;
constexpr double largestFit = 44;
constexpr double smallestCell = 0.5, largestCell = 8192; // tiles of 176 keys show their numbers too

struct Shape {
    int queryTiles = 0, keyBlocks = 0;
};

Shape shapeOf(const StageScene& scene)
{
    if (!scene.trace)
        return {};
    return { scene.trace->program().queryTiles(), scene.trace->program().keyBlocks() };
}

// What is left for tiles once headers, labels and the O strip have their place.
QSizeF room(const QRectF& rect, const StageView& view, double cell)
{
    const double strip = view.outputs ? outputGap + std::min(cell, largestFit) : 0;
    return { std::max(8.0, rect.width() - 2 * inset - bracketWidth - gutterWidth - strip),
        std::max(8.0, rect.height() - inset - directionHeight - headerHeight - captionHeight) };
}

double fittingCell(const QRectF& rect, const Shape& shape, const StageView& view)
{
    const QSizeF space = room(rect, view, largestFit);
    const double cell
        = std::min(space.width() / std::max(1, shape.keyBlocks), space.height() / std::max(1, shape.queryTiles));
    return cell >= largestFit ? largestFit : cell >= 8 ? std::floor(cell) : std::max(smallestCell, cell);
}

double limitedPan(double pan, double content, double window)
{
    return content <= window ? 0 : std::clamp(pan, window - content, 0.0);
}

} // namespace

QRectF StageLayout::cellRect(int i, int j) const
{
    return { matrix.left() + j * cell, matrix.top() + i * cell, cell, cell };
}

QRectF StageLayout::outputRect(int i) const
{
    if (outputs.isEmpty())
        return {};
    return { outputs.left(), matrix.top() + i * cell, outputs.width(), cell };
}

QRectF StageLayout::keyRect(int j) const
{
    return { matrix.left() + j * cell, header.top(), cell, header.height() };
}

QRectF StageLayout::rowRect(int i) const
{
    return { gutter.left(), matrix.top() + i * cell, gutter.width(), cell };
}

int StageLayout::firstRow() const
{
    return std::clamp(static_cast<int>(std::floor((window.top() - matrix.top()) / cell)), 0, queryTiles);
}

int StageLayout::lastRow() const
{
    return std::clamp(static_cast<int>(std::ceil((window.bottom() - matrix.top()) / cell)), 0, queryTiles);
}

int StageLayout::firstColumn() const
{
    return std::clamp(static_cast<int>(std::floor((window.left() - matrix.left()) / cell)), 0, keyBlocks);
}

int StageLayout::lastColumn() const
{
    return std::clamp(static_cast<int>(std::ceil((window.right() - matrix.left()) / cell)), 0, keyBlocks);
}

StageLayout layoutStage(const QRectF& rect, const StageScene& scene, const StageView& view)
{
    const Shape shape = shapeOf(scene);
    StageLayout layout;
    layout.bounds = rect;
    layout.queryTiles = shape.queryTiles;
    layout.keyBlocks = shape.keyBlocks;
    layout.cell = view.cell > 0 ? std::clamp(view.cell, smallestCell, largestCell) : fittingCell(rect, shape, view);
    const QSizeF space = room(rect, view, layout.cell);
    const QSizeF content(layout.cell * shape.keyBlocks, layout.cell * shape.queryTiles);
    const double left = rect.left() + inset + bracketWidth + gutterWidth;
    const double top = rect.top() + directionHeight + headerHeight + inset / 2;
    layout.window = { left, top, std::min(space.width(), content.width()), std::min(space.height(), content.height()) };
    layout.matrix = { left + limitedPan(view.pan.x(), content.width(), layout.window.width()),
        top + limitedPan(view.pan.y(), content.height(), layout.window.height()), content.width(), content.height() };
    layout.header = { left, top - headerHeight, layout.window.width(), headerHeight };
    layout.direction
        = { left, layout.header.top() - directionHeight, std::max(layout.window.width(), 200.0), directionHeight };
    layout.gutter = { left - gutterWidth, top, gutterWidth, layout.window.height() };
    layout.brackets = { left - gutterWidth - bracketWidth, top, bracketWidth, layout.window.height() };
    if (view.outputs)
        layout.outputs
            = { layout.window.right() + outputGap, top, std::min(layout.cell, largestFit), layout.window.height() };
    layout.caption = { left, layout.window.bottom() + 2, rect.right() - inset - left, captionHeight };
    return layout;
}

QString rowLabel(const Program& program, int head, int row)
{
    if (program.packed == 1)
        return QString::number(row);
    const Program::QueryRow at = program.queryRow(head / program.packed * program.packed, row);
    return QStringLiteral("%1·h%2").arg(at.row).arg(at.h);
}

QString rowRange(const Program& program, int head, int first, int last)
{
    if (program.packed == 1)
        return QStringLiteral("rows %1–%2").arg(first).arg(last);
    const int of = head / program.packed * program.packed;
    return QStringLiteral("queries %1–%2 of heads %3–%4")
        .arg(first / program.packed)
        .arg(last / program.packed)
        .arg(of)
        .arg(of + program.packed - 1);
}

ShownHead shownHead(const StageScene& scene)
{
    if (scene.batch >= 0 && scene.head >= 0)
        return { scene.batch, scene.head };
    const Work& work = scene.trace->program().work(scene.trace->workAt(scene.cta, scene.position));
    return { work.b, work.h };
}

StageHit hitTest(const StageLayout& layout, const StageScene& scene, QPointF point)
{
    StageHit hit;
    if (!scene.trace || layout.cell <= 0)
        return hit;
    const int i = static_cast<int>(std::floor((point.y() - layout.matrix.top()) / layout.cell));
    const int j = static_cast<int>(std::floor((point.x() - layout.matrix.left()) / layout.cell));
    const bool rowThere = i >= 0 && i < layout.queryTiles, columnThere = j >= 0 && j < layout.keyBlocks;
    if (layout.header.contains(point) && columnThere) {
        hit.part = StageHit::Part::KeyHeader;
        hit.j = j;
    } else if (layout.gutter.united(layout.brackets).contains(point) && rowThere) {
        hit.part = StageHit::Part::RowLabel;
        hit.i = i;
    } else if (layout.outputs.contains(point) && rowThere) {
        hit.part = StageHit::Part::Output;
        hit.i = i;
    } else if (layout.window.contains(point) && rowThere && columnThere) {
        const Program& program = scene.trace->program();
        hit.part = StageHit::Part::Tile;
        hit.i = i;
        hit.j = j;
        const double down = (point.y() - layout.matrix.top()) / layout.cell - i,
                     across = (point.x() - layout.matrix.left()) / layout.cell - j;
        const int row = i * program.tile.rows + static_cast<int>(down * program.tile.rows);
        const int key = j * program.tile.keys + static_cast<int>(across * program.tile.keys);
        hit.row = row < program.headRows() ? row : -1;
        hit.key = key < program.problem.seqlenK ? key : -1;
    }
    return hit;
}

StageView zoomed(const QRectF& rect, const StageScene& scene, StageView view, double factor, QPointF anchor)
{
    const StageLayout before = layoutStage(rect, scene, view);
    const double cell
        = std::clamp(before.cell * factor, std::min(before.cell, fittingCell(rect, shapeOf(scene), view)), largestCell);
    const QPointF place = (anchor - before.matrix.topLeft()) / before.cell; // in tiles
    view.cell = cell;
    view.pan = anchor - place * cell - before.window.topLeft();
    return panned(rect, scene, view, {});
}

StageView panned(const QRectF& rect, const StageScene& scene, StageView view, QPointF by)
{
    view.pan += by;
    const StageLayout layout = layoutStage(rect, scene, view);
    view.pan = layout.matrix.topLeft() - layout.window.topLeft();
    return view;
}

} // namespace flashstep::paint
