// SPDX-License-Identifier: GPL-3.0-or-later
// What the memory view asks of the trace beyond core/trace/state.h.
#include "ui/paint/memory_layout.h"

#include <algorithm>

namespace flashstep::paint {

int registersOf(const Trace& trace, CtaId cta, std::size_t role, Position p)
{
    const Program& program = trace.program();
    const auto works = trace.worksOf(cta);
    if (works.empty())
        return 0;
    const RoleRange& range = trace.streamOf(works.front()).roles[role];
    const int own = program.roles[range.role.index()].registers;
    for (std::uint32_t k = range.first; own > 0 && k < range.first + range.count; ++k)
        if (program.ops[k].kind == OpKind::SetRegisters) {
            const InstanceId instance
                = trace.hasEvents(works.front()) ? trace.instance(works.front(), OpId(k)) : InstanceId::none();
            return instance.valid() && trace.endedAt(instance, p) ? own : program.launchOf(cta).registersPerThread;
        }
    if (own > 0 && range.count == 0) // takes no part: as the other single warps of its warpgroup
        for (std::size_t k = 0; k < trace.streamOf(works.front()).roles.size(); ++k) {
            const RoleRange& other = trace.streamOf(works.front()).roles[k];
            if (other.count > 0 && program.roles[other.role.index()].registers == own)
                return registersOf(trace, cta, k, p);
        }
    return own > 0 ? own : program.launchOf(cta).registersPerThread;
}

// setmaxnreg holds for a whole warpgroup. So a warp with the registers of a warpgroup's role is one of that one's, and
// warps without a role, which make up the last warpgroup, have what the single warps there have.
std::vector<RegisterShare> registerShares(const Trace& trace, CtaId cta, Position p)
{
    const Program& program = trace.program();
    const auto works = trace.worksOf(cta);
    std::vector<RegisterShare> shares;
    if (works.empty())
        return shares;
    const LaunchDecl& launch = program.launchOf(cta);
    const auto& roles = trace.streamOf(works.front()).roles;
    constexpr int warpgroup = 4; // warps
    int idle = launch.threads / 32, single = launch.registersPerThread;
    for (std::size_t k = 0; k < roles.size(); ++k) {
        const RoleDecl& role = program.roles[roles[k].role.index()];
        const bool within = role.warps < warpgroup && role.registers > 0
            && std::any_of(roles.begin(), roles.end(), [&](const RoleRange& other) {
                   const RoleDecl& group = program.roles[other.role.index()];
                   return group.warps >= warpgroup && group.registers == role.registers;
               });
        if (within)
            continue;
        shares.push_back({ k, role.warps, registersOf(trace, cta, k, p) });
        idle -= role.warps;
        if (role.warps < warpgroup && role.registers > 0)
            single = shares.back().registers;
    }
    if (idle > 0)
        shares.push_back({ RegisterShare::nobody, idle, single });
    return shares;
}

Position lastWrite(const Trace& trace, CtaId cta, BufferId buffer, Position p)
{
    const auto works = trace.worksOf(cta);
    Position newest {};
    const auto lookAt = [&](WorkId work, std::size_t r, bool productsOnly) {
        const RoleRange& role = trace.streamOf(work).roles[r];
        const InstanceId current = trace.currentOp(work, role, p);
        if (!current.valid())
            return false;
        for (std::size_t k = trace.opOf(current).index() + 1; k-- > role.first;) {
            const InstanceId instance = trace.instance(work, OpId(k));
            const Op& op = trace.program().ops[k];
            if (op.out != buffer || !trace.began(instance) || (productsOnly && op.kind != OpKind::Mma))
                continue;
            newest = std::max(newest, trace.beginPosition(instance));
            return true;
        }
        return false;
    };
    for (std::size_t r = 0; !works.empty() && r < trace.streamOf(works.front()).roles.size(); ++r) {
        bool found = false;
        for (std::size_t w = works.size(); w-- > 0 && !found;) {
            found = lookAt(works[w], r, false);
            if (const WorkId products = trace.productsOf(works[w]); !found && products != works[w])
                found = lookAt(products, r, true); // of a pair's second CTA
        }
    }
    return newest;
}

bool coveredInTensor(const MemoryScene& scene, BufferId buffer)
{
    const Program& program = scene.trace->program();
    const BufferDecl& own = program.buffers[buffer.index()];
    const Position mine = lastWrite(*scene.trace, scene.cta, buffer, scene.position);
    for (std::size_t k = 0; k < program.buffers.size(); ++k) {
        const BufferDecl& other = program.buffers[k];
        const bool under = other.space == Space::Tmem && other.launch == own.launch && BufferId(k) != buffer
            && other.column <= own.column && other.column + other.columns >= own.column + own.columns;
        if (under && (mine.value == 0 || lastWrite(*scene.trace, scene.cta, BufferId(k), scene.position) > mine))
            return true;
    }
    return false;
}

} // namespace flashstep::paint
