// SPDX-License-Identifier: Apache-2.0
#include "core/io/flows.h"

#include "core/io/async_groups.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace flashstep {

namespace {

// Follows what has landed in each buffer and who made sure of it, along one role.
class RoleWalk {
public:
    RoleWalk(const Trace& trace, CtaId cta)
        : m_trace(trace)
        , m_cta(cta)
        , m_landed(trace.program().buffers.size())
    {
    }

    template <typename Emit> void step(WorkId work, const Op& op, InstanceId instance, Emit emit)
    {
        const std::vector<InstanceId> done = m_groups.step(op, instance);
        if (op.kind == OpKind::Wait) {
            if (op.dropped)
                return;
            for (const InstanceId each : done)
                land(each, instance, emit);
            const Arrival* arrival = op.barrier.valid() ? completingArrival(m_trace, m_cta, work, op) : nullptr;
            if (arrival != nullptr)
                land(m_trace.eventAt(arrival->event).instance, instance, emit);
        } else if (op.kind == OpKind::Load) {
            if (!op.async)
                m_landed[op.out.index()] = instance;
        } else {
            readAll(op, instance, emit);
        }
    }

private:
    template <typename Emit> void land(InstanceId from, InstanceId wait, Emit emit)
    {
        emit(from, wait);
        if (const BufferId out = m_trace.op(from).out; out.valid())
            m_landed[out.index()] = wait;
    }
    template <typename Emit> void readAll(const Op& op, InstanceId instance, Emit emit)
    {
        for (const BufferId in : op.in)
            if (in.valid() && m_landed[in.index()].valid()) {
                emit(m_landed[in.index()], instance);
                m_landed[in.index()] = InstanceId::none();
            }
    }

    const Trace& m_trace;
    CtaId m_cta;
    AsyncGroups m_groups;
    std::vector<InstanceId> m_landed; // per buffer: the op after which it may be read
};

// What the role does in its works, in order: visit(work, op, instance). Ops that a work leaves out are not done.
template <typename Visit> void forEachOf(const Trace& trace, CtaId cta, std::size_t role, Visit visit)
{
    for (const WorkId work : trace.worksOf(cta)) {
        const RoleRange& range = trace.streamOf(work).roles[role];
        for (std::uint32_t k = range.first; k < range.first + range.count; ++k)
            if (const InstanceId instance = trace.instance(work, OpId(k)); trace.began(instance))
                visit(work, trace.program().ops[k], instance);
    }
}

} // namespace

void Flows::addRole(CtaId cta, std::size_t role)
{
    RoleWalk walk(m_trace, cta);
    forEachOf(m_trace, cta, role, [&](WorkId work, const Op& op, InstanceId instance) {
        walk.step(work, op, instance, [&](InstanceId from, InstanceId to) { add(from, to); });
    });
}

void Flows::addSyncs(CtaId cta)
{
    struct Turn {
        WorkId work;
        const Op* op = nullptr;
        std::vector<std::pair<InstanceId, InstanceId>> waiters; // each role's Sync, and what it does next
    };
    std::map<std::pair<std::size_t, std::int64_t>, Turn> turns;
    for (std::size_t role = 0; role < m_trace.streamOf(m_trace.worksOf(cta).front()).roles.size(); ++role) {
        InstanceId* next = nullptr;
        WorkId current;
        std::vector<std::int64_t> before;
        forEachOf(m_trace, cta, role, [&](WorkId work, const Op& op, InstanceId instance) {
            if (next != nullptr)
                *next = instance;
            next = nullptr;
            if (op.kind != OpKind::Sync)
                return;
            if (work != current)
                before.assign(m_trace.program().barriers.size(), -1);
            current = work;
            std::int64_t& first = before[op.barrier.index()];
            first = first < 0 ? m_trace.turnsBefore(work, op.barrier) : first;
            Turn& turn = turns[{ op.barrier.index(), first + op.turn }];
            turn.work = work;
            turn.op = &op;
            turn.waiters.emplace_back(instance, InstanceId::none());
            if (!op.dropped)
                next = &turn.waiters.back().second;
        });
    }
    for (const auto& [key, turn] : turns) {
        const Arrival* last = completingArrival(m_trace, cta, turn.work, *turn.op);
        if (last == nullptr)
            continue; // never completed: nobody was released
        const InstanceId from = m_trace.eventAt(last->event).instance;
        for (const auto& [sync, next] : turn.waiters)
            if (sync != from && next.valid())
                add(from, next);
    }
}

void Flows::addEdgesInto(CtaId cta)
{
    if (m_trace.worksOf(cta).empty())
        return;
    const std::size_t first = m_edges.size();
    for (std::size_t role = 0; role < m_trace.streamOf(m_trace.worksOf(cta).front()).roles.size(); ++role)
        addRole(cta, role);
    addSyncs(cta);
    const auto hidden = [&](const Edge& edge) { return !shown(edge); };
    m_edges.erase(
        std::remove_if(m_edges.begin() + static_cast<std::ptrdiff_t>(first), m_edges.end(), hidden), m_edges.end());
    for (std::size_t k = first; k < m_edges.size(); ++k)
        m_edges[k].id = (static_cast<std::uint64_t>(cta.index() + 1) << 32U) | (k - first);
}

bool Flows::shown(const Edge& edge) const
{
    return overlaps(m_trace, edge.from, m_range) && overlaps(m_trace, edge.to, m_range)
        && m_trace.beginCycle(edge.from) <= m_trace.endCycle(edge.to);
}

void Flows::enter(CtaId cta)
{
    m_edges.clear();
    addEdgesInto(cta);
    if (const CtaId peer = m_trace.program().peerOf(cta); peer != cta)
        addEdgesInto(peer);
    m_byFrom.resize(m_edges.size());
    std::iota(m_byFrom.begin(), m_byFrom.end(), 0U);
    m_byTo = m_byFrom;
    std::stable_sort(m_byFrom.begin(), m_byFrom.end(),
        [&](std::uint32_t a, std::uint32_t b) { return m_edges[a].from < m_edges[b].from; });
    std::stable_sort(
        m_byTo.begin(), m_byTo.end(), [&](std::uint32_t a, std::uint32_t b) { return m_edges[a].to < m_edges[b].to; });
}

FlowEnd Flows::endOf(const Edge& edge, bool arrival) const
{
    const Cycle leaves = m_trace.beginCycle(edge.from);
    // Copies: the moment of landing, if the wait was already there; never before the arrow left.
    return { edge.id, arrival ? std::max(leaves, m_trace.beginCycle(edge.to)) : leaves };
}

void Flows::outOf(const Span& span, std::vector<FlowEnd>& ends) const
{
    ends.clear();
    auto at = std::lower_bound(m_byFrom.begin(), m_byFrom.end(), span.instance,
        [&](std::uint32_t edge, InstanceId instance) { return m_edges[edge].from < instance; });
    for (; at != m_byFrom.end() && m_edges[*at].from == span.instance; ++at)
        ends.push_back(endOf(m_edges[*at], false));
}

void Flows::into(const Span& span, std::vector<FlowEnd>& ends) const
{
    ends.clear();
    auto at = std::lower_bound(m_byTo.begin(), m_byTo.end(), span.instance,
        [&](std::uint32_t edge, InstanceId instance) { return m_edges[edge].to < instance; });
    for (; at != m_byTo.end() && m_edges[*at].to == span.instance; ++at)
        ends.push_back(endOf(m_edges[*at], true));
}

} // namespace flashstep
