// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/tile_numbers.h"

#include "core/program/effects.h"
#include "core/tensor/real_math.h"
#include "core/trace/state.h"
#include "ui/paint/tile_reads.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <optional>

namespace flashstep::paint {

TileValues emptyTile(int rows, int cols)
{
    return { rows, cols,
        std::vector<float>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols), notThere) };
}

float& cell(TileValues& values, int r, int c)
{
    return values
        .data[static_cast<std::size_t>(r) * static_cast<std::size_t>(values.cols) + static_cast<std::size_t>(c)];
}

// The stretches an op touches, of the tile's columns of a buffer, times `factor`.
void copyRows(const PartReader& reader, OpId id, BufferId buffer, Position at, float factor, TileValues& to)
{
    const Program& program = reader.trace.program();
    const TileValues from = reader.trace.value(reader.part.cta, buffer, at);
    if (from.data.empty())
        return;
    const Performed performed { program, program.work(reader.part.work), reader.op(id) };
    const BufferDecl& decl = program.buffers[buffer.index()];
    const int copy = program.rowOffset(decl, reader.op(id));
    const int first = decl.tile == BufferDecl::Tile::Pair ? program.columns(buffer, performed.j()).first : 0;
    performed.forEachSpan(buffer, [&](int r, int column, int columns) {
        const int row = r - copy + reader.part.rowOffset;
        if (row < 0 || row >= to.rows || r >= from.rows)
            return;
        for (int c = column; c < std::min({ column + columns, first + to.cols, from.cols }); ++c)
            cell(to, row, c - first) = from.at(r, c) * factor;
    });
}

namespace {

constexpr double log2e = 1.4426950408889634;

// Adds what each warp has of every row: nothing is there before all of them have been added.
void addRows(const PartReader& reader, OpId id, BufferId buffer, Position at, TileValues& to)
{
    TileValues part = emptyTile(to.rows, to.cols);
    copyRows(reader, id, buffer, at, 1, part);
    for (std::size_t k = 0; k < to.data.size(); ++k)
        to.data[k] = std::isnan(to.data[k]) ? part.data[k] : to.data[k] + part.data[k];
}

// A column of statistics as op `id` wrote it: visit(row of the query tile, value).
template <typename Visit>
void forEachStatistic(const PartReader& reader, OpId id, BufferId buffer, Position at, int column, Visit visit)
{
    const Program& program = reader.trace.program();
    const TileValues from = reader.trace.value(reader.part.cta, buffer, at);
    if (from.data.empty())
        return;
    const int copy = program.rowOffset(program.buffers[buffer.index()], reader.op(id));
    reader.forEachRow(reader.rowsOf(id), [&](int row, int r) {
        if (r + copy < from.rows)
            visit(row, from.at(r + copy, column));
    });
}

void copyColumn(const PartReader& reader, OpId id, BufferId buffer, Position at, float factor,
    std::vector<TileNumbers::Row>& to, double TileNumbers::Row::*member, int column = 0)
{
    forEachStatistic(reader, id, buffer, at, column, [&](int row, float value) {
        if (row >= 0 && row < static_cast<int>(to.size()))
            to[static_cast<std::size_t>(row)].*member = static_cast<double>(value * factor);
    });
}

Position before(Position p)
{
    return { p.value - 1 };
}

void readScores(const PartReader& reader, float c, TileNumbers& numbers)
{
    for (const OpId id : { reader.part.roundedScores, reader.part.mask, reader.part.scores })
        if (reader.ended(id)) {
            copyRows(reader, id, reader.op(id).out, reader.endOf(id), c, numbers.s);
            return;
        }
}

// The op with which a part's l is there.
OpId sumOf(const TilePart& part)
{
    return part.sum.valid() ? part.sum : part.rowSum;
}

bool perWarp(const PartReader& reader, OpId id)
{
    return id.valid() && reader.trace.program().buffers[reader.op(id).out.index()].perWarp;
}

// l with the block in it. Where each warp has the sum of its own keys, theirs are added: NaN until all are there.
void readSum(const PartReader& reader, std::vector<TileNumbers::Row>& rows)
{
    const OpId id = sumOf(reader.part);
    if (!id.valid())
        return;
    const Op& op = reader.op(id);
    // Where another role adds it, a block may have landed before its l is there: as it will be then.
    const bool served = servedByRoles(reader.trace.program(), reader.trace.program().work(reader.part.work));
    const bool done
        = reader.ended(id) || (served && reader.ended(reader.part.product) && reader.trace.ended(reader.instance(id)));
    if (!perWarp(reader, id)) {
        if (done)
            copyColumn(reader, id, op.out, reader.endOf(id), 1, rows, &TileNumbers::Row::l);
        return;
    }
    TileValues part = emptyTile(static_cast<int>(rows.size()), 1);
    if (done)
        copyRows(reader, id, op.out, reader.endOf(id), 1, part);
    for (std::size_t r = 0; r < rows.size(); ++r)
        rows[r].l += static_cast<double>(part.data[r]);
}

// m in use before `id` made the new one.
void readBefore(const PartReader& reader, OpId id, float c, const Left* left, std::vector<TileNumbers::Row>& rows)
{
    const Op& op = reader.op(id);
    const bool done = reader.ended(id);
    if (!op.accumulate) {
        reader.forEachRow(reader.rowsOf(id), [&](int row, int) {
            if (row >= 0 && row < static_cast<int>(rows.size()))
                rows[static_cast<std::size_t>(row)].before = -std::numeric_limits<double>::infinity();
        });
        return;
    }
    if (!done && left != nullptr) {
        reader.forEachRow(reader.rowsOf(id), [&](int row, int) {
            if (row >= 0 && row < static_cast<int>(std::min(rows.size(), left->row.size())))
                rows[static_cast<std::size_t>(row)].before = left->row[static_cast<std::size_t>(row)].before;
        });
        return;
    }
    const BufferId from = op.in[1].valid() ? op.in[1] : op.out;
    copyColumn(reader, id, from, done ? before(reader.endOf(id)) : reader.now, op.lse ? static_cast<float>(log2e) : c,
        rows, &TileNumbers::Row::before);
}

void readStatistics(const PartReader& reader, float c, const Left* left, std::vector<TileNumbers::Row>& rows)
{
    const OpId id = reader.part.reference.valid() ? reader.part.reference : reader.part.rowMax;
    if (id.valid()) {
        const Op& op = reader.op(id);
        readBefore(reader, id, c, left, rows);
        if (reader.ended(id)) {
            copyColumn(reader, id, op.out, reader.endOf(id), c, rows, &TileNumbers::Row::used);
            const int column = op.conditional ? 1 : 0;
            copyColumn(reader, id, op.out, reader.endOf(id), c, rows, &TileNumbers::Row::most, column);
            if (op.out2.valid() && op.accumulate)
                copyColumn(reader, id, op.out2, reader.endOf(id), 1, rows, &TileNumbers::Row::scale);
        }
    }
    readSum(reader, rows);
}

void readProbabilities(const PartReader& reader, TileNumbers& numbers)
{
    const TilePart& part = reader.part;
    const bool rounded = reader.ended(part.convert);
    if (rounded || reader.ended(part.exp2))
        copyRows(reader, rounded ? part.convert : part.exp2, reader.op(rounded ? part.convert : part.exp2).out,
            reader.endOf(rounded ? part.convert : part.exp2), 1, numbers.p);
    numbers.rounded = numbers.rounded && rounded;
    const BufferId m = reader.op(part.exp2).in[1];
    numbers.ownMaximum = part.reference.valid() && m.valid() && m != reader.op(part.reference).out;
}

// Where O is put together from parts: O of the visits before as it went in, and O with the block in it.
void readTogether(const PartReader& reader, const Left* left, TileNumbers& numbers)
{
    const TilePart& part = reader.part;
    const Op& together = reader.op(part.together);
    const bool begun = reader.ended(part.together);
    if (together.accumulate && begun)
        copyRows(reader, part.together, together.in[1], before(reader.endOf(part.together)), 1, numbers.oBefore);
    else if (together.accumulate && left != nullptr && !left->o.data.empty())
        reader.forEachRow(part.together, [&](int row, int) {
            for (int c = 0; row >= 0 && row < numbers.rows && c < numbers.oBefore.cols; ++c)
                cell(numbers.oBefore, row, c) = left->o.at(row, c);
        });
    const bool landed = reader.ended(part.product);
    if (landed)
        copyRows(reader, part.product, reader.op(part.product).out, reader.endOf(part.product), 1, numbers.oAfter);
    numbers.landed = numbers.landed && landed;
    numbers.rescaled = numbers.rescaled && landed;
    numbers.divided = reader.op(part.product).kind == OpKind::Normalise;
}

void readOutput(const PartReader& reader, const Left* left, TileNumbers& numbers)
{
    const TilePart& part = reader.part;
    if (!part.product.valid())
        return;
    if (part.together.valid()) {
        readTogether(reader, left, numbers);
        return;
    }
    const BufferId o = reader.op(part.product).out;
    const bool parts = reader.trace.program().buffers[o.index()].perWarp; // each warp has some of every row
    const auto take = [&](OpId id, Position at, TileValues& to) {
        if (parts)
            addRows(reader, id, o, at, to);
        else
            copyRows(reader, id, o, at, 1, to);
    };
    const OpId first = part.rescale.valid() ? part.rescale : part.product;
    const bool begun = reader.ended(first);
    const bool goesOn = reader.op(part.firstProduct.valid() ? part.firstProduct : part.product).accumulate;
    const bool served = servedByRoles(reader.trace.program(), reader.trace.program().work(part.work));
    if (goesOn && !begun && served) { // until then the accumulator may be any block's, or another tile's
        for (std::size_t k = 0; left != nullptr && k < std::min(left->o.data.size(), numbers.oBefore.data.size()); ++k)
            numbers.oBefore.data[k] = left->o.data[k];
    } else if (goesOn && (begun || !parts))
        take(first, begun ? before(reader.endOf(first)) : reader.now, numbers.oBefore);
    const bool landed = reader.ended(part.product);
    const bool rescaled = reader.ended(part.rescale);
    if (landed || rescaled)
        take(part.product, reader.endOf(landed ? part.product : part.rescale), numbers.oAfter);
    numbers.landed = numbers.landed && landed;
    numbers.rescaled = numbers.rescaled && (rescaled || landed);
    if (parts && !numbers.rescaled) // only some warps' keys
        numbers.oAfter = emptyTile(numbers.oAfter.rows, numbers.oAfter.cols);
}

void findBlockMaxima(TileNumbers& numbers)
{
    for (int r = 0; r < numbers.rows; ++r) {
        double best = static_cast<double>(notThere);
        for (int c = 0; c < numbers.keys; ++c) {
            const auto s = static_cast<double>(numbers.s.at(r, c));
            if (std::isnan(s)) { // not all of it is there
                best = static_cast<double>(notThere);
                break;
            }
            if (c == 0 || s > best)
                best = s;
        }
        numbers.row[static_cast<std::size_t>(r)].blockMax = best;
    }
}

} // namespace

QString voteText(const Vote& vote)
{
    const int warps = vote.warpsDone + vote.warpsSkipped, rows = vote.rowsDone + vote.rowsSkipped;
    if (vote.warpsDone == 0)
        return QStringLiteral("none of %1 warps rescales").arg(warps);
    return QStringLiteral("%1 of %2 warps rescale (%3 of %4 rows asked)")
        .arg(vote.warpsDone)
        .arg(warps)
        .arg(vote.rowsDone)
        .arg(rows);
}

// Every row's statistics as a block left them, and O.
Left leftBy(const Trace& trace, int b, int h, int i, const LandedBlock& block)
{
    const Program& program = trace.program();
    const int rows = std::clamp(program.headRows() - i * program.tile.rows, 0, program.tile.rows);
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    Left left { std::vector<TileNumbers::Row>(static_cast<std::size_t>(rows), { none, none, none, none, none, 0 }),
        emptyTile(rows, program.problem.headDimV) };
    std::vector<TileNumbers::Row> next = left.row;
    const float c = program.problem.softmaxScaleLog2();
    for (const TilePart& part : tileParts(trace, b, h, i, block.j, block.n)) {
        if (!part.exp2.valid() || !trace.hasValues(part.cta))
            continue;
        const PartReader reader { trace, part, trace.end() };
        readStatistics(reader, c, nullptr, left.row);
        const OpId m = part.reference.valid() ? part.reference : part.rowMax;
        if (!reader.ended(part.product) || !reader.ended(m))
            continue;
        const BufferId o = reader.op(part.product).out;
        if (program.buffers[o.index()].perWarp)
            addRows(reader, part.product, o, reader.endOf(part.product), left.o);
        else
            copyRows(reader, part.product, o, reader.endOf(part.product), 1, left.o);
        if (part.reference.valid() && reader.op(part.reference).lse) // the log-sum-exp plays the old maximum
            copyColumn(reader, part.product, reader.op(part.product).out2, reader.endOf(part.product),
                static_cast<float>(log2e), next, &TileNumbers::Row::before);
        else
            copyColumn(reader, m, reader.op(m).out, reader.endOf(m), c, next, &TileNumbers::Row::before);
    }
    for (std::size_t r = 0; r < next.size(); ++r)
        left.row[r].before = next[r].before;
    return left;
}

TileNumbers tileNumbers(const Trace& trace, int b, int h, int i, int j, Position p)
{
    const Program& program = trace.program();
    const TileState state = tileAt(trace, b, h, i, j, p);
    TileNumbers numbers;
    numbers.cta = trace.ctaOfTile(b, h, i);
    numbers.i = i;
    numbers.j = j;
    numbers.n = state.n;
    numbers.firstRow = i * program.tile.rows;
    numbers.firstKey = j * program.tile.keys;
    numbers.rows = std::clamp(program.headRows() - numbers.firstRow, 0, program.tile.rows);
    numbers.lazy = program.softmax.conditional;
    numbers.threshold = static_cast<double>(program.softmax.threshold);
    numbers.offset = static_cast<double>(program.softmax.offset);
    numbers.keys = program.keysInside(j);
    numbers.s = emptyTile(numbers.rows, numbers.keys);
    numbers.p = emptyTile(numbers.rows, numbers.keys);
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    numbers.row.assign(static_cast<std::size_t>(numbers.rows), { none, none, none, none, none, none });
    numbers.oBefore = emptyTile(numbers.rows, program.problem.headDimV);
    numbers.oAfter = emptyTile(numbers.rows, program.problem.headDimV);
    numbers.rounded = numbers.landed = numbers.rescaled = true;
    const float c = program.problem.softmaxScaleLog2();
    const std::vector<TilePart> parts = tileParts(trace, b, h, i, j, state.n);
    std::optional<Left> left; // only where the registers may hold another tile's, or a warp's own
    if (trace.hasValues(numbers.cta) && landsTogether(trace, trace.workOfTile(b, h, i))) {
        const LandedBlock landed = landedAt(trace, b, h, i, p);
        left = landed.n > 0 && landed.n < state.n ? leftBy(trace, b, h, i, landed) : Left {};
    }
    const auto addsSums = [&](const TilePart& part) { return perWarp({ trace, part, p }, sumOf(part)); };
    if (std::any_of(parts.begin(), parts.end(), addsSums))
        for (TileNumbers::Row& row : numbers.row)
            row.l = 0;
    for (const TilePart& part : parts) {
        if (!trace.hasValues(part.cta))
            continue;
        numbers.recorded = true;
        const auto at = within(trace, part, p);
        if (!at) {
            numbers.rounded = numbers.landed = numbers.rescaled = false;
            continue;
        }
        const PartReader reader { trace, part, *at };
        readScores(reader, c, numbers);
        if (part.exp2.valid()) {
            readStatistics(reader, c, left ? &*left : nullptr, numbers.row);
            readProbabilities(reader, numbers);
        }
        readOutput(reader, left ? &*left : nullptr, numbers);
        if (reader.ended(part.rescale))
            numbers.vote = trace.voteOf(reader.instance(part.rescale));
    }
    findBlockMaxima(numbers);
    return numbers;
}

} // namespace flashstep::paint
