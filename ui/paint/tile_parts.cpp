// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/tile_parts.h"

#include <algorithm>

namespace flashstep::paint {

namespace {

constexpr std::uint32_t shortRole = 512; // ops that are simply looked through

// The works on query tile i of the head, also those on one key block of it each.
std::vector<WorkId> worksOf(const Trace& trace, int b, int h, int i)
{
    const Program& program = trace.program();
    if (program.launches.size() == 1) {
        const WorkId work = trace.workOfTile(b, h, i);
        return trace.ctaOf(work).valid() ? std::vector<WorkId> { work } : std::vector<WorkId> {};
    }
    std::vector<WorkId> works;
    const int first = i * program.tile.rows, last = first + program.tile.rows;
    for (std::size_t k = 0; k < program.works.size(); ++k) {
        const Work& work = program.works[k];
        if (work.b == b && work.h == h / program.packed * program.packed && work.row < last
            && work.row + program.launches[work.launch].queryRows > first && trace.ctaOf(WorkId(k)).valid())
            works.emplace_back(k);
    }
    return works;
}

// First op from `at` on that belongs to a visit.
std::uint32_t nextOfLoop(const Program& program, std::uint32_t at, std::uint32_t end)
{
    while (at < end && program.ops[at].n == 0)
        ++at;
    return at;
}

// The stretch of a role's ops that can hold those of the n-th visit of a query tile, which is to key block j (relative
// to the work's). Along the loop's own ops n never decreases; in a sweep over query tiles j does not.
RoleRange stretchOf(const Program& program, const RoleRange& role, int n, int j, bool sweep)
{
    if (role.count <= shortRole || (n <= 0 && !sweep))
        return role;
    const int wanted = sweep ? j : n;
    const auto key = [&](std::uint32_t at) { return sweep ? program.ops[at].j : program.ops[at].n; };
    const std::uint32_t last = role.first + role.count;
    std::uint32_t low = role.first, high = last;
    while (low < high) {
        const std::uint32_t middle = (low + high) / 2;
        const std::uint32_t at = nextOfLoop(program, middle, high);
        if (at == high || key(at) >= wanted)
            high = middle;
        else
            low = at + 1;
    }
    std::uint32_t end = low;
    while (end < last && (program.ops[end].n == 0 || key(end) <= wanted))
        ++end;
    return { role.role, low, end - low };
}

bool makes(const Program& program, const Op& op, std::string_view family)
{
    return op.out.valid() && program.buffers[op.out.index()].family == family;
}

void placeReduce(const Program& program, TilePart& part, OpId id)
{
    const Op& op = program.op(id);
    if (op.maximum && makes(program, op, "m"))
        part.reference = id;
    else if (!op.maximum && makes(program, op, "l"))
        part.sum = id;
    else if (!op.maximum && makes(program, op, "O"))
        part.together = id;
}

void place(const Program& program, TilePart& part, OpId id)
{
    const Op& op = program.op(id);
    if (op.step != Op::noStep) {
        part.firstProduct = part.firstProduct.valid() ? part.firstProduct : id;
        part.product = id;
    }
    switch (op.kind) {
    case OpKind::Mma:
        if (op.transposed)
            part.scores = id;
        else if (!part.product.valid() || program.op(part.product).step == Op::noStep)
            part.product = id;
        break;
    case OpKind::Mask:
        part.mask = id;
        break;
    case OpKind::RowMax:
        part.rowMax = id;
        break;
    case OpKind::Rescale:
        if (!makes(program, op, "l")) // O
            part.rescale = id;
        break;
    case OpKind::Exp2:
        part.exp2 = id;
        break;
    case OpKind::RowSum:
        part.rowSum = id;
        break;
    case OpKind::Reduce:
        placeReduce(program, part, id);
        break;
    case OpKind::Convert:
        if (part.exp2.valid() && (program.op(part.exp2).out == op.out || program.op(part.exp2).out == op.in[0]))
            part.convert = id;
        else if (part.scores.valid() && program.op(part.scores).out == op.out)
            part.roundedScores = id;
        break;
    default:
        break;
    }
}

// A query tile's part where each role does a step of all rows: the ops of every role that name the tile.
TilePart partOfRoles(const Trace& trace, WorkId id, int i, int j)
{
    const Program& program = trace.program();
    const Work& work = program.work(id);
    TilePart part { .work = id, .products = trace.productsOf(id), .cta = trace.ctaOf(id) };
    const auto placeOf = [&](const RoleRange& role, bool productsOnly) {
        for (std::uint32_t k = role.first; k < role.first + role.count; ++k) {
            const Op& op = program.ops[k];
            if (op.n == 0 || program.queryTile(work, op) != i || program.keyBlock(work, op) != j
                || (productsOnly && op.kind != OpKind::Mma))
                continue;
            place(program, part, OpId(k));
            if (op.kind == OpKind::Exp2)
                part.role = role;
        }
    };
    if (part.products != id)
        for (const RoleRange& role : trace.streamOf(part.products).roles)
            placeOf(role, true);
    for (const RoleRange& role : trace.streamOf(id).roles)
        placeOf(role, false);
    return part;
}

OpId ownRowsOf(const Program& program, const RoleRange& role)
{
    for (std::uint32_t k = role.first + role.count; k-- > role.first;)
        if (program.ops[k].kind == OpKind::Normalise)
            return OpId(k);
    return OpId::none();
}

} // namespace

std::vector<TilePart> tileParts(const Trace& trace, int b, int h, int i, int j, int n)
{
    const Program& program = trace.program();
    std::vector<TilePart> parts;
    for (const WorkId id : worksOf(trace, b, h, i)) {
        const Work& work = program.work(id);
        const LaunchDecl& launch = program.launches[work.launch];
        if (servedByRoles(program, work)) {
            if (const TilePart part = partOfRoles(trace, id, i, j); part.exp2.valid())
                parts.push_back(part);
            continue;
        }
        const bool sweep = launch.sweep > 0;
        const int firstRow = work.row + (sweep ? (i - work.i) * launch.queryRows : 0);
        for (const RoleRange& role : trace.streamOf(id).roles) {
            TilePart part { .work = id,
                .products = id,
                .cta = trace.ctaOf(id),
                .role = role,
                .rowOffset = firstRow - i * program.tile.rows };
            const RoleRange stretch = stretchOf(program, role, n, j - work.jBase, sweep);
            bool any = false;
            for (std::uint32_t k = stretch.first; k < stretch.first + stretch.count; ++k) {
                const Op& op = program.ops[k];
                if (program.keyBlock(work, op) != j || (sweep && program.queryTile(work, op) != i))
                    continue;
                place(program, part, OpId(k));
                any = true;
            }
            if (part.scores.valid() && program.op(part.scores).keys.valid())
                part.ownRows = ownRowsOf(program, role);
            if (any)
                parts.push_back(part);
        }
    }
    return parts;
}

bool servedByRoles(const Program& program, const Work& work)
{
    return program.launches[work.launch].tmemColumns > 0;
}

bool landsTogether(const Trace& trace, WorkId work)
{
    const Program& program = trace.program();
    if (program.launches[program.work(work).launch].sweep > 0 || servedByRoles(program, program.work(work)))
        return true;
    for (const RoleRange& role : trace.streamOf(work).roles)
        for (std::uint32_t k = role.first; k < role.first + role.count; ++k)
            if (const Op& op = program.ops[k]; op.step != Op::noStep)
                return op.kind != OpKind::Mma || program.buffers[op.out.index()].perWarp;
    return false;
}

LandedBlock landedAt(const Trace& trace, int b, int h, int i, Position p)
{
    const WorkId id = trace.workOfTile(b, h, i);
    const Work& work = trace.program().work(id);
    std::vector<LandedBlock> blocks;
    for (const StepDecl& step : trace.streamOf(trace.productsOf(id)).steps)
        if (step.i == i - work.i)
            blocks.push_back({ step.n, work.jBase + step.j });
    std::sort(blocks.begin(), blocks.end(), [](const LandedBlock& x, const LandedBlock& y) { return x.n < y.n; });
    const auto next = std::partition_point(blocks.begin(), blocks.end(), [&](const LandedBlock& block) {
        const auto at = trace.block(id, i - work.i, block.n);
        return at && *at <= p;
    });
    return next == blocks.begin() ? LandedBlock {} : *(next - 1);
}

std::optional<Position> within(const Trace& trace, WorkId work, const RoleRange& role, Position p)
{
    const CtaId cta = trace.ctaOf(work);
    if (!cta.valid() || role.count == 0)
        return std::nullopt;
    if (trace.worksOf(cta).size() == 1)
        return p;
    const InstanceId current = trace.currentOp(work, role, p);
    if (!current.valid())
        return std::nullopt;
    return trace.endedAt(current, p) ? trace.endPosition(current) : p;
}

std::optional<Position> within(const Trace& trace, const TilePart& part, Position p)
{
    if (!servedByRoles(trace.program(), trace.program().work(part.work)))
        return within(trace, part.work, part.role, p);
    for (const WorkId work : { part.work, part.products })
        for (const RoleRange& role : trace.streamOf(work).roles)
            if (trace.currentOp(work, role, p).valid())
                return p;
    return std::nullopt;
}

InstanceId PartReader::instance(OpId id) const
{
    const Stream& own = trace.streamOf(part.work);
    const bool isOwn = id.index() >= own.firstOp && id.index() < own.firstOp + own.opCount;
    return trace.instance(isOwn ? part.work : part.products, id);
}

bool PartReader::ended(OpId id) const
{
    return id.valid() && trace.began(instance(id)) && trace.endedAt(instance(id), now);
}

Position PartReader::endOf(OpId id) const
{
    return trace.endPosition(instance(id));
}

} // namespace flashstep::paint
