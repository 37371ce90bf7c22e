// SPDX-License-Identifier: Apache-2.0
#include "core/trace/dependencies.h"

#include "core/trace/causes.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

namespace flashstep {

namespace {

struct Write {
    std::uint32_t landed = 0; // index of its end event
    InstanceId instance;
};

// What every role wrote to every buffer, in the order in which it landed.
struct WritesOf {
    RoleId role;
    std::vector<std::vector<Write>> buffers;
};

template <typename Visit> void forEachOf(const Trace& trace, CtaId cta, std::size_t role, Visit visit)
{
    for (const WorkId work : trace.worksOf(cta)) {
        const RoleRange& range = trace.streamOf(work).roles[role];
        for (std::uint32_t k = range.first; k < range.first + range.count; ++k)
            if (const InstanceId instance = trace.instance(work, OpId(k)); trace.began(instance))
                visit(work, trace.program().ops[k], instance);
    }
}

std::size_t roleCount(const Trace& trace, CtaId cta)
{
    const auto works = trace.worksOf(cta);
    return works.empty() ? 0 : trace.streamOf(works.front()).roles.size();
}

// The newest of them that had landed before `position`.
const Write* newestBefore(const std::vector<Write>& writes, Position position)
{
    const auto after = std::partition_point(
        writes.begin(), writes.end(), [&](const Write& write) { return write.landed < position.value; });
    return after == writes.begin() ? nullptr : &*(after - 1);
}

std::vector<WritesOf> writesOf(const Trace& trace, CtaId cta)
{
    std::vector<WritesOf> all(roleCount(trace, cta));
    for (std::size_t role = 0; role < all.size(); ++role) {
        all[role].buffers.resize(trace.program().buffers.size());
        forEachOf(trace, cta, role, [&](WorkId, const Op& op, InstanceId instance) {
            all[role].role = op.role;
            if (op.kind == OpKind::Store || !trace.ended(instance))
                return;
            for (const BufferId out : { op.out, op.out2 })
                if (out.valid())
                    all[role].buffers[out.index()].push_back({ trace.endPosition(instance).value - 1, instance });
        });
        for (std::vector<Write>& writes : all[role].buffers) // asynchronous ones may overtake each other
            std::stable_sort(
                writes.begin(), writes.end(), [](const Write& a, const Write& b) { return a.landed < b.landed; });
    }
    return all;
}

// The tile that a write left: what another role wrote of an older tile has been read by somebody else long since.
std::tuple<int, int, std::uint32_t> tileOf(const Trace& trace, InstanceId instance)
{
    const Op& op = trace.op(instance);
    const WorkId work = trace.workOf(instance);
    return { op.i, op.j, static_cast<std::uint32_t>(work.index()) };
}

} // namespace

Dependencies::Dependencies(const Trace& trace, CtaId cta)
    : m_cta(cta)
{
    addReleases(trace);
    addData(trace);
    std::sort(m_edges.begin(), m_edges.end(), [](const Dependency& a, const Dependency& b) {
        return std::tuple(a.to.index(), a.from.index(), a.kind) < std::tuple(b.to.index(), b.from.index(), b.kind);
    });
    m_edges.erase(std::unique(m_edges.begin(), m_edges.end(),
                      [](const Dependency& a, const Dependency& b) { return a.to == b.to && a.from == b.from; }),
        m_edges.end());
    m_byFrom.resize(m_edges.size());
    std::iota(m_byFrom.begin(), m_byFrom.end(), 0U);
    std::stable_sort(m_byFrom.begin(), m_byFrom.end(),
        [&](std::uint32_t a, std::uint32_t b) { return m_edges[a].from.index() < m_edges[b].from.index(); });
}

void Dependencies::addReleases(const Trace& trace)
{
    const Causes causes(trace, Causes::Engines::Left);
    for (std::size_t role = 0; role < roleCount(trace, m_cta); ++role)
        forEachOf(trace, m_cta, role, [&](WorkId, const Op& op, InstanceId instance) {
            if (!isWaiting(op))
                return;
            if (const auto event = causes.release(instance))
                if (const InstanceId from = trace.eventAt(*event).instance; from != instance)
                    m_edges.push_back({ Dependency::Kind::Release, from, instance, BufferId::none() });
        });
}

void Dependencies::addData(const Trace& trace)
{
    const std::vector<WritesOf> writes = writesOf(trace, m_cta);
    const Program& program = trace.program();
    for (std::size_t role = 0; role < writes.size(); ++role)
        forEachOf(trace, m_cta, role, [&](WorkId, const Op& op, InstanceId instance) {
            std::array<BufferId, 4> read { op.in[0], op.in[1], op.in[2], op.accumulate ? op.out : BufferId::none() };
            if (op.kind == OpKind::Rescale && op.out.valid())
                read[3] = op.out;
            for (const BufferId buffer : read) {
                if (!buffer.valid())
                    continue;
                // Registers are a role's own; elsewhere whoever left a part of the tile counts.
                const bool own = program.buffers[buffer.index()].space == Space::Registers
                    && !writes[role].buffers[buffer.index()].empty();
                const Write* newest = nullptr;
                std::vector<const Write*> found;
                for (std::size_t other = 0; other < writes.size(); ++other) {
                    if (own && other != role)
                        continue;
                    const Write* write
                        = newestBefore(writes[other].buffers[buffer.index()], trace.beginPosition(instance));
                    if (write == nullptr || write->instance == instance)
                        continue;
                    found.push_back(write);
                    if (newest == nullptr || write->landed > newest->landed)
                        newest = write;
                }
                for (const Write* write : found)
                    if (tileOf(trace, write->instance) == tileOf(trace, newest->instance))
                        m_edges.push_back({ Dependency::Kind::Data, write->instance, instance, buffer });
            }
        });
}

std::vector<Dependency> Dependencies::into(InstanceId instance) const
{
    const auto first = std::partition_point(
        m_edges.begin(), m_edges.end(), [&](const Dependency& edge) { return edge.to.index() < instance.index(); });
    auto last = first;
    while (last != m_edges.end() && last->to == instance)
        ++last;
    return { first, last };
}

std::vector<Dependency> Dependencies::outOf(InstanceId instance) const
{
    std::vector<Dependency> edges;
    auto at = std::partition_point(m_byFrom.begin(), m_byFrom.end(),
        [&](std::uint32_t edge) { return m_edges[edge].from.index() < instance.index(); });
    for (; at != m_byFrom.end() && m_edges[*at].from == instance; ++at)
        edges.push_back(m_edges[*at]);
    return edges;
}

} // namespace flashstep
