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
        if (work.b == b && work.h == h && work.row < last && work.row + program.launches[work.launch].queryRows > first
            && trace.ctaOf(WorkId(k)).valid())
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

// The stretch of a role's ops that can hold those of the n-th visit.
RoleRange stretchOf(const Program& program, const RoleRange& role, int n)
{
    if (role.count <= shortRole || n <= 0)
        return role;
    std::uint32_t low = role.first, high = role.first + role.count;
    while (low < high) { // n never decreases along the loop's own ops
        const std::uint32_t middle = (low + high) / 2;
        const std::uint32_t at = nextOfLoop(program, middle, high);
        if (at == high || program.ops[at].n >= n)
            high = middle;
        else
            low = at + 1;
    }
    std::uint32_t end = low;
    while (end < role.first + role.count && program.ops[end].n <= n)
        ++end;
    return { role.role, low, end - low };
}

void place(const Program& program, TilePart& part, OpId id)
{
    const Op& op = program.op(id);
    switch (op.kind) {
    case OpKind::Mma:
        (op.transposed ? part.scores : part.product) = id;
        break;
    case OpKind::Mask:
        part.mask = id;
        break;
    case OpKind::RowMax:
        part.rowMax = id;
        break;
    case OpKind::Rescale:
        part.rescale = id;
        break;
    case OpKind::Exp2:
        part.exp2 = id;
        break;
    case OpKind::RowSum:
        part.rowSum = id;
        break;
    case OpKind::Convert:
        if (part.exp2.valid() && program.op(part.exp2).out == op.out)
            part.convert = id;
        else if (part.scores.valid() && program.op(part.scores).out == op.out)
            part.roundedScores = id;
        break;
    default:
        break;
    }
}

} // namespace

std::vector<TilePart> tileParts(const Trace& trace, int b, int h, int i, int j, int n)
{
    const Program& program = trace.program();
    std::vector<TilePart> parts;
    for (const WorkId id : worksOf(trace, b, h, i)) {
        const Work& work = program.work(id);
        for (const RoleRange& role : trace.streamOf(id).roles) {
            TilePart part {
                .work = id, .cta = trace.ctaOf(id), .role = role, .rowOffset = work.row - i * program.tile.rows
            };
            const RoleRange stretch = stretchOf(program, role, n);
            bool any = false;
            for (std::uint32_t k = stretch.first; k < stretch.first + stretch.count; ++k)
                if (program.keyBlock(work, program.ops[k]) == j) {
                    place(program, part, OpId(k));
                    any = true;
                }
            if (any)
                parts.push_back(part);
        }
    }
    return parts;
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

bool PartReader::ended(OpId id) const
{
    if (!id.valid())
        return false;
    const InstanceId instance = trace.instance(part.work, id);
    return trace.began(instance) && trace.endedAt(instance, now);
}

Position PartReader::endOf(OpId id) const
{
    return trace.endPosition(trace.instance(part.work, id));
}

} // namespace flashstep::paint
