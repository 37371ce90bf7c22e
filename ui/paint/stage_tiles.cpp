// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/trace/state.h"
#include "ui/paint/fonts.h"
#include "ui/paint/stage_parts.h"
#include "ui/paint/tile_numbers.h"
#include "ui/paint/tile_painter.h"
#include "ui/paint/walk.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace flashstep::paint {

namespace {

constexpr double squaresFrom = 30; // pixels per tile
constexpr double smallestPitch = 2.5; // pixels per element, for squares
constexpr double smallestSquare = 1.1, smallestShare = 0.003;
constexpr double numberWidth = 40, numberHeight = 17; // pixels per element, for numbers
constexpr double scoreLimit = 16; // log2 units
constexpr double smallestBlock = 6; // pixels: below, one drawn cell stands for several tiles

struct Pitch {
    double x, y;
};

Pitch pitchOf(const StageCanvas& canvas)
{
    return { canvas.layout.cell / canvas.program().tile.keys, canvas.layout.cell / canvas.program().tile.rows };
}

bool roomForNumbers(const StageCanvas& canvas)
{
    const Pitch pitch = pitchOf(canvas);
    return pitch.x >= numberWidth && pitch.y >= numberHeight;
}

bool roomForSquares(const StageCanvas& canvas)
{
    const Pitch pitch = pitchOf(canvas);
    return canvas.view.squares && canvas.layout.cell >= squaresFrom && std::min(pitch.x, pitch.y) >= smallestPitch;
}

// In the upper right corner, on a patch of the tile's own ground.
void paintLabel(const StageCanvas& canvas, const QRectF& cell, int i, int j, const QColor& ground, const QColor& ink)
{
    if (!canvas.view.labels)
        return;
    const QFont font = canvasFont(9.5, QFont::Medium);
    const QString text = QStringLiteral("(%1, %2)").arg(i).arg(j);
    const double width = textWidth(font, text);
    if (width + 12 > cell.width())
        return;
    const QRectF patch(cell.right() - width - 9, cell.top() + 5, width + 4, 12);
    canvas.painter.fillRect(patch, ground);
    canvas.painter.setPen(ink);
    drawLine(canvas.painter, patch, Qt::AlignHCenter, font, text);
}

// Whether something that has begun by now raced over this tile of the head on show.
bool hazardous(const StageCanvas& canvas, int i, int j)
{
    if (canvas.scene.hazards == nullptr)
        return false;
    const Program& program = canvas.program();
    return std::any_of(canvas.scene.hazards->begin(), canvas.scene.hazards->end(), [&](const Hazard& hazard) {
        const Work& work = program.work(hazard.work);
        const Op& op = program.op(hazard.op);
        return program.queryTile(work, op) == i && work.b == canvas.b
            && work.h == canvas.h / program.packed * program.packed && program.keyBlock(work, op) == j
            && canvas.trace().begunAt(canvas.trace().instance(hazard.work, hazard.op), canvas.scene.position);
    });
}

void paintOne(const StageCanvas& canvas, int i, int j, const TileState& state)
{
    if (hazardous(canvas, i, j)) {
        paintTile(
            canvas.painter, canvas.layout.cellRect(i, j), TileLook::Hazard, canvas.theme.keyBlock(j), 1, canvas.theme);
        return;
    }
    const TileLook look = lookOf(state, hiddenTile(canvas.program(), i, j));
    const QRectF cell = canvas.layout.cellRect(i, j);
    const TileColour& colour = canvas.theme.keyBlock(j);
    const bool computed = look == TileLook::Computing || look == TileLook::Done;
    if (computed && roomForNumbers(canvas)) {
        paintTile(canvas.painter, cell, look == TileLook::Computing ? look : TileLook::InSmem, colour, 1, canvas.theme);
        paintScores(canvas, cell.adjusted(4, 4, -4, -4), i, j);
        return;
    }
    paintTile(canvas.painter, cell, look, colour, state.fraction, canvas.theme);
    if (!computed) {
        if (look != TileLook::Skipped)
            paintLabel(canvas, cell, i, j, look == TileLook::Masked ? canvas.theme.waitGround : canvas.theme.panel,
                canvas.theme.t2);
        return;
    }
    const QRectF inside = look == TileLook::Computing ? cell.adjusted(4, 4, -4, -4) : cell.adjusted(1, 1, -1, -1);
    if (state.masked && canvas.layout.cell >= 10)
        washMasked(canvas, inside, i, j);
    if (look == TileLook::Done && roomForSquares(canvas))
        paintShares(canvas, inside, i, j, colour.ink);
    paintLabel(canvas, cell, i, j, colour.fill, colour.ink);
}

// Below a few pixels a cell, one cell drawn for a square of tiles: the state of the one in its middle.
void paintThinned(const StageCanvas& canvas)
{
    const StageLayout& layout = canvas.layout;
    const int step = std::max(1, static_cast<int>(std::ceil(smallestBlock / layout.cell)));
    for (int i = layout.firstRow() / step * step; i < layout.lastRow(); i += step) {
        const int mi = std::min(i + step / 2, layout.queryTiles - 1);
        const std::vector<TileState> row = tilesAt(canvas.trace(), canvas.b, canvas.h, mi, canvas.scene.position);
        for (int j = layout.firstColumn() / step * step; j < layout.lastColumn(); j += step) {
            const int mj = std::min(j + step / 2, layout.keyBlocks - 1);
            const TileState& state = row[static_cast<std::size_t>(mj)];
            const QRectF cell(layout.cellRect(i, j).topLeft(), QSizeF(layout.cell * step, layout.cell * step));
            paintTile(canvas.painter, cell & layout.matrix, lookOf(state, hiddenTile(canvas.program(), mi, mj)),
                canvas.theme.keyBlock(mj), state.fraction, canvas.theme);
        }
    }
}

} // namespace

bool isWorkedOn(const StageCanvas& canvas, int i)
{
    return canvas.trace().workOfTile(canvas.b, canvas.h, i)
        == canvas.trace().workAt(canvas.scene.cta, canvas.scene.position);
}

bool hiddenTile(const Program& program, int i, int j)
{
    if (program.problem.mask.kind == MaskKind::None)
        return false;
    const int firstRow = i * program.tile.rows,
              lastRow = std::min(firstRow + program.tile.rows, program.headRows()) - 1;
    const int firstKey = j * program.tile.keys, lastKey = firstKey + program.keysInside(j) - 1;
    // Both ends of the visible range grow with the row: the first row sees least to the right, the last most.
    const auto seen = [&](int row) { return program.problem.visibleKeys(program.queryRow(0, row).row); };
    return seen(lastRow).last <= firstKey || seen(firstRow).first > lastKey;
}

void washMasked(const StageCanvas& canvas, const QRectF& rect, int i, int j)
{
    const Program& program = canvas.program();
    const int firstKey = j * program.tile.keys, rows = program.tile.rows;
    QColor wash = canvas.theme.waitGround;
    wash.setAlphaF(0.72);
    canvas.painter.setRenderHint(QPainter::Antialiasing, true);
    canvas.painter.setPen(Qt::NoPen);
    canvas.painter.setBrush(wash);
    const int step = std::max(1, static_cast<int>(std::ceil(rows / rect.height()))); // rows per pixel
    // Two staircases down the tile's sides, each one shape, so that no seams show between the rows.
    QPolygonF before, after;
    before << rect.topLeft();
    after << rect.topRight();
    double bottom = rect.top();
    for (int r = 0; r < rows; r += step) {
        const int row = i * rows + r;
        if (row >= program.headRows())
            break;
        const Problem::KeyRange keys = program.problem.visibleKeys(program.queryRow(0, row).row);
        const double top = bottom;
        bottom = rect.top() + rect.height() * std::min(r + step, rows) / rows;
        const auto x = [&](int key) {
            return rect.left() + rect.width() * std::clamp(key - firstKey, 0, program.tile.keys) / program.tile.keys;
        };
        const double first = keys.empty() ? rect.right() : x(keys.first),
                     last = keys.empty() ? rect.right() : x(keys.last);
        before << QPointF(first, top) << QPointF(first, bottom);
        after << QPointF(last, top) << QPointF(last, bottom);
    }
    before << QPointF(rect.left(), bottom);
    after << QPointF(rect.right(), bottom);
    for (const QPolygonF& side : { before, after })
        if (side.boundingRect().width() > 0)
            canvas.painter.drawPolygon(side);
}

void paintShares(const StageCanvas& canvas, const QRectF& rect, int i, int j, const QColor& ink)
{
    const TileValues shares = tileShares(canvas.trace(), canvas.b, canvas.h, i, j, canvas.scene.position);
    const Program& program = canvas.program();
    const double pitchX = rect.width() / program.tile.keys, pitchY = rect.height() / program.tile.rows;
    const double full = std::min(pitchX, pitchY) - 0.6;
    std::vector<QRectF> squares;
    for (int r = 0; r < shares.rows; ++r)
        for (int c = 0; c < shares.cols; ++c) {
            const auto share = static_cast<double>(shares.at(r, c));
            if (!(share >= smallestShare))
                continue;
            const double side = std::max(smallestSquare, full * std::sqrt(std::min(share, 1.0)));
            squares.emplace_back(
                rect.left() + (c + 0.5) * pitchX - side / 2, rect.top() + (r + 0.5) * pitchY - side / 2, side, side);
        }
    canvas.painter.setRenderHint(QPainter::Antialiasing, true);
    canvas.painter.setPen(Qt::NoPen);
    canvas.painter.setBrush(ink);
    canvas.painter.drawRects(squares.data(), static_cast<int>(squares.size()));
}

void paintScores(const StageCanvas& canvas, const QRectF& rect, int i, int j)
{
    const TileNumbers numbers = tileNumbers(canvas.trace(), canvas.b, canvas.h, i, j, canvas.scene.position);
    const Program& program = canvas.program();
    const double pitchX = rect.width() / program.tile.keys, pitchY = rect.height() / program.tile.rows;
    const QFont regular = monoFont(12), bold = monoFont(12, QFont::DemiBold);
    QPainter& painter = canvas.painter;
    for (int r = 0; r < numbers.rows; ++r)
        for (int c = 0; c < numbers.keys; ++c) {
            const auto value = static_cast<double>(numbers.s.at(r, c));
            const QRectF cell(rect.left() + c * pitchX, rect.top() + r * pitchY, pitchX - 1, pitchY - 1);
            if (std::isnan(value) || !cell.intersects(canvas.layout.window))
                continue;
            const bool hidden = std::isinf(value);
            const QColor ground = hidden ? canvas.theme.waitGround : divergingColour(canvas.theme, value, scoreLimit);
            const bool largest = value == numbers.row[static_cast<std::size_t>(r)].blockMax && !hidden;
            painter.setRenderHint(QPainter::Antialiasing, false);
            painter.fillRect(cell, ground);
            painter.setPen(hidden ? canvas.theme.t3 : inkOn(ground));
            drawLine(painter, cell.adjusted(3, 0, -5, 0), Qt::AlignRight, largest ? bold : regular,
                number(value, canvas.view.format, DType::Fp32));
            if (largest) {
                painter.setRenderHint(QPainter::Antialiasing, true);
                painter.setPen(QPen(canvas.theme.text, 2));
                painter.setBrush(Qt::NoBrush);
                painter.drawRoundedRect(cell.adjusted(1, 1, -1, -1), 2, 2);
            }
        }
}

void paintStageTiles(const StageCanvas& canvas)
{
    const StageLayout& layout = canvas.layout;
    if (layout.cell < smallestBlock) {
        paintThinned(canvas);
        return;
    }
    for (int i = layout.firstRow(); i < layout.lastRow(); ++i) {
        const std::vector<TileState> row = tilesAt(canvas.trace(), canvas.b, canvas.h, i, canvas.scene.position);
        for (int j = layout.firstColumn(); j < layout.lastColumn(); ++j)
            paintOne(canvas, i, j, row[static_cast<std::size_t>(j)]);
    }
}

} // namespace flashstep::paint
