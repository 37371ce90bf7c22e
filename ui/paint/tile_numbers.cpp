// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/tile_numbers.h"

#include "core/tensor/real_math.h"
#include "core/trace/state.h"
#include "ui/paint/tile_parts.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <optional>

namespace flashstep::paint {

namespace {

constexpr float notThere = std::numeric_limits<float>::quiet_NaN();

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

// The rows an op touches, of the tile's columns of a buffer, times `factor`.
void copyRows(const PartReader& reader, OpId id, BufferId buffer, int j, Position at, float factor, TileValues& to)
{
    const Program& program = reader.trace.program();
    const TileValues from = reader.trace.value(reader.part.cta, buffer, at);
    if (from.data.empty())
        return;
    const int first
        = program.buffers[buffer.index()].tile == BufferDecl::Tile::Pair ? program.columns(buffer, j).first : 0;
    reader.forEachRow(id, [&](int row, int r) {
        if (row < 0 || row >= to.rows || r >= from.rows)
            return;
        for (int c = 0; c < to.cols && first + c < from.cols; ++c)
            cell(to, row, c) = from.at(r, first + c) * factor;
    });
}

void copyColumn(const PartReader& reader, OpId id, BufferId buffer, Position at, float factor,
    std::vector<TileNumbers::Row>& to, double TileNumbers::Row::*member)
{
    const TileValues from = reader.trace.value(reader.part.cta, buffer, at);
    if (from.data.empty())
        return;
    reader.forEachRow(id, [&](int row, int r) {
        if (row >= 0 && row < static_cast<int>(to.size()) && r < from.rows)
            to[static_cast<std::size_t>(row)].*member = static_cast<double>(from.at(r, 0) * factor);
    });
}

Position before(Position p)
{
    return { p.value - 1 };
}

void readScores(const PartReader& reader, int j, float c, TileNumbers& numbers)
{
    for (const OpId id : { reader.part.roundedScores, reader.part.mask, reader.part.scores })
        if (reader.ended(id)) {
            copyRows(reader, id, reader.op(id).out, j, reader.endOf(id), c, numbers.s);
            return;
        }
}

void readStatistics(const PartReader& reader, float c, TileNumbers& numbers)
{
    const TilePart& part = reader.part;
    if (part.rowMax.valid()) {
        const Op& op = reader.op(part.rowMax);
        const bool done = reader.ended(part.rowMax);
        if (op.accumulate)
            copyColumn(reader, part.rowMax, op.out, done ? before(reader.endOf(part.rowMax)) : reader.now, c,
                numbers.row, &TileNumbers::Row::before);
        else
            reader.forEachRow(part.rowMax, [&](int row, int) {
                if (row >= 0 && row < numbers.rows)
                    numbers.row[static_cast<std::size_t>(row)].before = -std::numeric_limits<double>::infinity();
            });
        if (done) {
            copyColumn(reader, part.rowMax, op.out, reader.endOf(part.rowMax), c, numbers.row, &TileNumbers::Row::used);
            if (op.out2.valid() && op.accumulate)
                copyColumn(
                    reader, part.rowMax, op.out2, reader.endOf(part.rowMax), 1, numbers.row, &TileNumbers::Row::scale);
        }
    }
    if (reader.ended(part.rowSum))
        copyColumn(reader, part.rowSum, reader.op(part.rowSum).out, reader.endOf(part.rowSum), 1, numbers.row,
            &TileNumbers::Row::l);
}

void readProbabilities(const PartReader& reader, int j, TileNumbers& numbers)
{
    const TilePart& part = reader.part;
    const bool rounded = reader.ended(part.convert);
    if (rounded || reader.ended(part.exp2))
        copyRows(reader, rounded ? part.convert : part.exp2, reader.op(part.exp2).out, j,
            reader.endOf(rounded ? part.convert : part.exp2), 1, numbers.p);
    numbers.rounded = numbers.rounded && rounded;
}

void readOutput(const PartReader& reader, int j, TileNumbers& numbers)
{
    const TilePart& part = reader.part;
    if (!part.product.valid())
        return;
    const BufferId o = reader.op(part.product).out;
    const OpId first = part.rescale.valid() ? part.rescale : part.product;
    const bool begun = reader.ended(first);
    if (reader.op(part.product).accumulate)
        copyRows(reader, first, o, j, begun ? before(reader.endOf(first)) : reader.now, 1, numbers.oBefore);
    const bool landed = reader.ended(part.product);
    const bool rescaled = reader.ended(part.rescale);
    if (landed || rescaled)
        copyRows(reader, part.product, o, j, reader.endOf(landed ? part.product : part.rescale), 1, numbers.oAfter);
    numbers.landed = numbers.landed && landed;
    numbers.rescaled = numbers.rescaled && (rescaled || landed);
}

void findBlockMaxima(TileNumbers& numbers)
{
    for (int r = 0; r < numbers.rows; ++r) {
        double best = notThere;
        for (int c = 0; c < numbers.keys; ++c) {
            const auto s = static_cast<double>(numbers.s.at(r, c));
            if (!std::isnan(s) && (std::isnan(best) || s > best))
                best = s;
        }
        numbers.row[static_cast<std::size_t>(r)].blockMax = best;
    }
}

// The op after which l stood in the frame of m: both are right together then.
std::optional<OpId> lastFrame(const Trace& trace, const TilePart& part, Position p)
{
    const InstanceId current = trace.currentOp(part.work, part.role, p);
    if (!current.valid())
        return std::nullopt;
    for (std::size_t k = trace.opOf(current).index() + 1; k-- > part.role.first;) {
        const OpKind kind = trace.program().ops[k].kind;
        const InstanceId instance = trace.instance(part.work, OpId(k));
        if ((kind == OpKind::RowSum || kind == OpKind::Rescale) && trace.began(instance) && trace.endedAt(instance, p))
            return OpId(k);
    }
    return std::nullopt;
}

} // namespace

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
    numbers.rows = std::clamp(program.problem.seqlenQ - numbers.firstRow, 0, program.tile.rows);
    numbers.keys = program.keysInside(j);
    numbers.s = emptyTile(numbers.rows, numbers.keys);
    numbers.p = emptyTile(numbers.rows, numbers.keys);
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    numbers.row.assign(static_cast<std::size_t>(numbers.rows), { none, none, none, none, none });
    numbers.oBefore = emptyTile(numbers.rows, program.problem.headDimV);
    numbers.oAfter = emptyTile(numbers.rows, program.problem.headDimV);
    numbers.rounded = numbers.landed = numbers.rescaled = true;
    const float c = program.problem.softmaxScaleLog2();
    for (const TilePart& part : tileParts(trace, b, h, i, j, state.n)) {
        if (!trace.hasValues(part.cta))
            continue;
        numbers.recorded = true;
        const auto at = within(trace, part.work, part.role, p);
        if (!at) {
            numbers.rounded = numbers.landed = numbers.rescaled = false;
            continue;
        }
        const PartReader reader { trace, part, *at };
        readScores(reader, j, c, numbers);
        if (part.exp2.valid()) {
            readStatistics(reader, c, numbers);
            readProbabilities(reader, j, numbers);
        }
        readOutput(reader, j, numbers);
    }
    findBlockMaxima(numbers);
    return numbers;
}

TileValues tileShares(const Trace& trace, int b, int h, int i, int j, Position p)
{
    const Program& program = trace.program();
    const int firstRow = i * program.tile.rows;
    TileValues shares
        = emptyTile(std::clamp(program.problem.seqlenQ - firstRow, 0, program.tile.rows), program.keysInside(j));
    const float c = program.problem.softmaxScaleLog2();
    bool any = false;
    for (const TilePart& part : tileParts(trace, b, h, i, j, tileAt(trace, b, h, i, j, p).n)) {
        const auto at = within(trace, part.work, part.role, p);
        if (!at)
            continue;
        const PartReader reader { trace, part, *at };
        if (!trace.hasValues(part.cta) || !reader.ended(part.exp2) || !reader.ended(part.rowSum))
            continue;
        const auto frame = lastFrame(trace, part, *at);
        if (!frame)
            continue;
        const Op& exp2 = reader.op(part.exp2);
        const BufferId m = exp2.in[1], l = reader.op(part.rowSum).out;
        const TileValues then = trace.value(part.cta, m, reader.endOf(part.exp2));
        const TileValues inUse = trace.value(part.cta, m, reader.endOf(*frame));
        const TileValues sum = trace.value(part.cta, l, *at);
        copyRows(reader, part.exp2, exp2.out, j, reader.endOf(part.exp2), 1, shares);
        reader.forEachRow(part.exp2, [&](int row, int r) {
            if (row < 0 || row >= shares.rows)
                return;
            const double gap = then.at(r, 0) == inUse.at(r, 0)
                ? 0
                : static_cast<double>(then.at(r, 0) - inUse.at(r, 0)) * static_cast<double>(c);
            const double factor = sum.at(r, 0) > 0 ? exp2Real(gap) / static_cast<double>(sum.at(r, 0)) : 0;
            for (int k = 0; k < shares.cols; ++k)
                cell(shares, row, k) *= static_cast<float>(factor);
        });
        any = true;
    }
    return any ? shares : TileValues {};
}

TileValues outputSoFar(const Trace& trace, int b, int h, int i, Position p)
{
    const Program& program = trace.program();
    const WorkId id = trace.workOfTile(b, h, i);
    const CtaId cta = trace.ctaOf(id);
    if (!cta.valid() || !trace.hasValues(cta))
        return {};
    const Work& work = program.work(id);
    const BufferId o = program.buffer("O", work.launch), l = program.buffer("l", work.launch);
    if (!o.valid())
        return {};
    const BufferDecl& decl = program.buffers[o.index()];
    TileValues values = emptyTile(decl.rows, decl.cols);
    Position read { 0xffffffffU }; // most often all roles are read at the same position
    TileValues from, sum;
    for (const RoleRange& role : trace.streamOf(id).roles) {
        const auto at = within(trace, id, role, p);
        if (!at)
            continue;
        const auto owns = [&](const Op& op) { return op.out == o; };
        const auto first = program.ops.begin() + role.first, last = first + role.count;
        const auto owner = std::find_if(first, last, owns);
        if (owner == last)
            continue;
        if (*at != read) {
            from = trace.value(cta, o, *at);
            sum = l.valid() ? trace.value(cta, l, *at) : TileValues {};
            read = *at;
        }
        bool divided = sum.data.empty();
        for (auto op = last; !divided && op-- != first;)
            if (op->kind == OpKind::Normalise && op->out == o) {
                const InstanceId instance
                    = trace.instance(id, OpId(static_cast<std::size_t>(op - program.ops.begin())));
                divided = trace.began(instance) && trace.endedAt(instance, *at);
                break;
            }
        program.rows(*owner).forEach([&](int r) {
            const float by = divided || !(sum.at(r, 0) > 0) ? 1.0F : sum.at(r, 0);
            for (int c = 0; c < values.cols; ++c)
                cell(values, r, c) = from.at(r, c) / by;
        });
    }
    values.rows = program.rowsInside(work);
    values.data.resize(static_cast<std::size_t>(values.rows) * static_cast<std::size_t>(values.cols));
    return values;
}

} // namespace flashstep::paint
