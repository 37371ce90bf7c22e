// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tensor/real_math.h"
#include "core/trace/state.h"
#include "ui/paint/tile_reads.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace flashstep::paint {

namespace {

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

// Shares in the row's l as of the newest block that has landed; nothing of the blocks after it.
TileValues sharesOfLanded(const Trace& trace, int b, int h, int i, int j, Position p, TileValues shares)
{
    const LandedBlock landed = landedAt(trace, b, h, i, p);
    const bool sweep = trace.program().launches.back().sweep > 0; // then the parts are found by the key block
    const int n = sweep ? 0 : tileAt(trace, b, h, i, j, p).n;
    if (landed.n == 0)
        return {};
    const Left left = leftBy(trace, b, h, i, landed);
    const float c = trace.program().problem.softmaxScaleLog2();
    bool any = false;
    for (const TilePart& part : tileParts(trace, b, h, i, j, n)) {
        const PartReader reader { trace, part, p };
        if (!trace.hasValues(part.cta) || !reader.ended(part.exp2) || !reader.ended(part.product)
            || reader.op(part.product).n > landed.n)
            continue;
        const Op& exp2 = reader.op(part.exp2);
        TileValues probabilities = emptyTile(shares.rows, shares.cols);
        copyRows(reader, part.exp2, exp2.out, reader.endOf(part.exp2), 1, probabilities);
        const Program& program = trace.program();
        const TileValues m = trace.value(part.cta, exp2.in[1], reader.endOf(part.exp2));
        const int copy = program.rowOffset(program.buffers[exp2.in[1].index()], exp2);
        reader.forEachRow(part.exp2, [&](int row, int r) {
            if (row < 0 || row >= shares.rows)
                return;
            const TileNumbers::Row& now = left.row[static_cast<std::size_t>(row)];
            const auto then = static_cast<double>(m.at(r + copy, 0) * c);
            const double gap = then == now.used ? 0 : then - now.used;
            const double factor = now.l > 0 ? exp2Real(gap) / now.l : 0;
            for (int k = 0; k < shares.cols; ++k)
                if (const float value = probabilities.at(row, k); !std::isnan(value))
                    cell(shares, row, k) = static_cast<float>(static_cast<double>(value) * factor);
        });
        any = true;
    }
    return any ? shares : TileValues {};
}

// What becomes of query tile i's O in a role after the block that part brought: rounded, or divided at the very end.
std::optional<OpId> lastTouch(const PartReader& reader, BufferId o, std::uint32_t after)
{
    const Program& program = reader.trace.program();
    const std::uint32_t end = reader.part.role.first + reader.part.role.count;
    std::optional<OpId> last;
    for (std::uint32_t k = after; k < end && program.ops[k].n == 0; ++k)
        if (program.ops[k].out == o && reader.ended(OpId(k)))
            last = OpId(k);
    return last;
}

// O of query tile i as of the block that landed last, divided; `o` is the buffer that is stored.
TileValues outputOfLanded(const Trace& trace, int b, int h, int i, BufferId o, Position p)
{
    const Program& program = trace.program();
    const WorkId id = trace.workOfTile(b, h, i);
    const Work& work = program.work(id);
    TileValues values = emptyTile(program.rowsInside(work, i - work.i), program.problem.headDimV);
    const bool served = servedByRoles(program, work);
    const LandedBlock landed = landedAt(trace, b, h, i, p);
    if (landed.n == 0) { // sees nothing: set to 0
        for (const RoleRange& role : trace.streamOf(id).roles)
            for (std::uint32_t k = role.first; k < role.first + role.count && program.ops[k].n == 0; ++k) {
                const TilePart part { .work = id, .products = id, .cta = trace.ctaOf(id), .role = role };
                const PartReader reader { trace, part, p };
                const Op& op = program.ops[k];
                if (op.kind == OpKind::Normalise && op.out == o && op.i == i - work.i && reader.ended(OpId(k)))
                    copyRows(reader, OpId(k), o, reader.endOf(OpId(k)), 1, values);
            }
        return values;
    }
    Left left = leftBy(trace, b, h, i, landed);
    const std::vector<TilePart> parts = tileParts(trace, b, h, i, landed.j, landed.n);
    const bool divided = std::any_of(parts.begin(), parts.end(), [&](const TilePart& part) {
        return part.product.valid() && program.op(part.product).kind == OpKind::Normalise;
    });
    for (int r = 0; r < values.rows; ++r) {
        const double l = left.row[static_cast<std::size_t>(r)].l;
        const float by = divided || !(l > 0) ? 1.0F : static_cast<float>(l);
        for (int c = 0; c < values.cols; ++c)
            cell(values, r, c) = left.o.at(r, c) / by;
    }
    for (const RoleRange& role : trace.streamOf(id).roles) { // whoever divides it, where that is a role of its own
        const TilePart part { .work = id, .products = id, .cta = trace.ctaOf(id), .role = role };
        const PartReader reader { trace, part, p };
        for (std::uint32_t k = role.first; served && k < role.first + role.count; ++k) {
            const Op& op = program.ops[k];
            const bool puts = op.kind == OpKind::Normalise || op.kind == OpKind::Convert;
            if (puts && op.n == 0 && op.i == i - work.i && reader.ended(OpId(k)))
                copyRows(reader, OpId(k), op.out, reader.endOf(OpId(k)), 1, values);
        }
    }
    for (const TilePart& part : parts) {
        if (!part.product.valid() || served)
            continue;
        const PartReader reader { trace, part, p };
        const auto last = lastTouch(reader, o, static_cast<std::uint32_t>(part.product.index()) + 1);
        const bool put = last && program.op(*last).kind != OpKind::Reduce; // not yet divided there
        if (put)
            copyRows(reader, *last, o, reader.endOf(*last), 1, values);
    }
    return values;
}

} // namespace

TileValues tileShares(const Trace& trace, int b, int h, int i, int j, Position p)
{
    const Program& program = trace.program();
    const int firstRow = i * program.tile.rows;
    TileValues shares
        = emptyTile(std::clamp(program.headRows() - firstRow, 0, program.tile.rows), program.keysInside(j));
    const float c = program.problem.softmaxScaleLog2();
    if (landsTogether(trace, trace.workOfTile(b, h, i)))
        return sharesOfLanded(trace, b, h, i, j, p, std::move(shares));
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
        copyRows(reader, part.exp2, exp2.out, reader.endOf(part.exp2), 1, shares);
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
    const BufferId o = program.bufferOf("O", work.launch, i - work.i),
                   l = program.bufferOf("l", work.launch, i - work.i);
    if (!o.valid())
        return {};
    if (landsTogether(trace, id))
        return outputOfLanded(trace, b, h, i, o, p);
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
