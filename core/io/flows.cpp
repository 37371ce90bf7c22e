// SPDX-License-Identifier: Apache-2.0
#include "core/io/flows.h"

#include "core/io/async_groups.h"

#include <algorithm>
#include <numeric>

namespace flashstep {

namespace {

// Follows one role through all its works: what has landed in each buffer, who made sure of it, and what let it go on.
class RoleWalk {
public:
    RoleWalk(const Trace& trace, CtaId cta)
        : m_trace(trace)
        , m_cta(cta)
        , m_landed(trace.program().buffers.size())
        , m_before(trace.program().barriers.size(), 0)
    {
    }

    // emit(from, to), by `to` in the order in which the role does its ops.
    template <typename Emit> void go(std::size_t role, Emit emit)
    {
        for (const WorkId work : m_trace.worksOf(m_cta)) {
            const Stream& stream = m_trace.streamOf(work);
            if (m_trace.hasEvents(work)) {
                const RoleRange& range = stream.roles[role];
                for (std::uint32_t k = range.first; k < range.first + range.count; ++k)
                    if (const InstanceId instance = m_trace.instance(work, OpId(k)); m_trace.began(instance))
                        step(m_trace.program().ops[k], instance, emit);
            }
            for (std::size_t b = 0; b < m_before.size(); ++b)
                m_before[b] += stream.turns[b];
        }
    }

private:
    template <typename Emit> void step(const Op& op, InstanceId instance, Emit& emit)
    {
        if (m_released.valid())
            emit(m_released, instance);
        m_released = InstanceId::none();
        const std::vector<InstanceId> done = m_groups.step(op, instance);
        if (op.kind == OpKind::Wait) {
            wait(op, instance, done, emit);
        } else if (op.kind == OpKind::Sync) {
            const Arrival* last = op.dropped ? nullptr : completingArrival(m_trace, m_cta, op, m_before);
            if (last != nullptr)
                m_released = m_trace.eventAt(last->event).instance;
            if (m_released == instance) // it came last: nobody let it go on
                m_released = InstanceId::none();
            readAll(op, instance, emit);
        } else if (op.kind == OpKind::Load) {
            if (!op.async)
                m_landed[op.out.index()] = instance;
        } else {
            readAll(op, instance, emit);
        }
    }
    template <typename Emit>
    void wait(const Op& op, InstanceId instance, const std::vector<InstanceId>& done, Emit& emit)
    {
        if (op.dropped)
            return;
        for (const InstanceId each : done)
            land(each, instance, emit);
        if (!op.barrier.valid())
            return;
        if (const Arrival* arrival = completingArrival(m_trace, m_cta, op, m_before); arrival != nullptr)
            land(m_trace.eventAt(arrival->event).instance, instance, emit);
    }
    template <typename Emit> void land(InstanceId from, InstanceId wait, Emit& emit)
    {
        emit(from, wait);
        if (const BufferId out = m_trace.op(from).out; out.valid())
            m_landed[out.index()] = wait;
    }
    template <typename Emit> void readAll(const Op& op, InstanceId instance, Emit& emit)
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
    InstanceId m_released; // the last arrival at the barrier that the op before waited at
    std::vector<InstanceId> m_landed; // per buffer: the op after which it may be read
    std::vector<std::int64_t> m_before; // per barrier: turns completed by the CTA's works before
};

std::uint64_t opsOf(const Trace& trace, CtaId cta)
{
    std::uint64_t ops = 0;
    for (const WorkId work : trace.worksOf(cta))
        ops += trace.hasEvents(work) ? trace.streamOf(work).opCount : 0;
    return ops;
}

} // namespace

void Flows::enter(CtaId cta)
{
    m_cta = cta;
    m_stretch = {};
    const CtaId peer = m_trace.program().peerOf(cta);
    m_stretch.everything = opsOf(m_trace, cta) + (peer == cta ? 0 : opsOf(m_trace, peer)) <= m_opsHeld;
    if (m_stretch.everything)
        load();
}

void Flows::hold(const Span& span)
{
    if (m_stretch.everything
        || (span.op->role == m_stretch.role && span.instance >= m_stretch.first && span.instance <= m_stretch.last))
        return;
    m_stretch = stretchFrom(span);
    load();
}

// Instances of a role have rising numbers: works are numbered as they are handed out.
Flows::Stretch Flows::stretchFrom(const Span& span) const
{
    Stretch stretch { false, span.op->role, span.instance, span.instance };
    std::uint64_t left = m_opsHeld;
    for (const WorkId work : m_trace.worksOf(m_cta)) {
        if (work < span.work || !m_trace.hasEvents(work))
            continue;
        for (const RoleRange& range : m_trace.streamOf(work).roles) {
            if (range.role != span.op->role || range.count == 0)
                continue;
            const std::uint64_t begin = work == span.work ? span.opId.index() - range.first : 0;
            const std::uint64_t take = std::min<std::uint64_t>(left, range.count - begin);
            if (take > 0)
                stretch.last = m_trace.instance(work, OpId(range.first + begin + take - 1));
            left -= take;
        }
        if (left == 0)
            break;
    }
    return stretch;
}

bool Flows::holds(InstanceId instance) const
{
    return m_stretch.everything
        || (instance >= m_stretch.first && instance <= m_stretch.last && m_trace.op(instance).role == m_stretch.role
            && m_trace.ctaOf(instance) == m_cta);
}

void Flows::load()
{
    m_edges.clear();
    addEdgesInto(m_cta);
    if (const CtaId peer = m_trace.program().peerOf(m_cta); peer != m_cta)
        addEdgesInto(peer);
    m_byFrom.resize(m_edges.size());
    std::iota(m_byFrom.begin(), m_byFrom.end(), 0U);
    m_byTo = m_byFrom;
    const auto sort = [&](std::vector<std::uint32_t>& order, InstanceId Edge::*end) {
        std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
            return m_edges[a].*end != m_edges[b].*end ? m_edges[a].*end < m_edges[b].*end : a < b;
        });
    };
    sort(m_byFrom, &Edge::from);
    sort(m_byTo, &Edge::to);
}

void Flows::addEdgesInto(CtaId cta)
{
    if (m_trace.worksOf(cta).empty())
        return;
    std::uint64_t id = static_cast<std::uint64_t>(cta.index() + 1) << 32U;
    for (std::size_t role = 0; role < m_trace.streamOf(m_trace.worksOf(cta).front()).roles.size(); ++role) {
        RoleWalk walk(m_trace, cta);
        walk.go(role, [&](InstanceId from, InstanceId to) {
            if (!shown(from, to))
                return;
            if (holds(from) || holds(to))
                m_edges.push_back({ id, from, to });
            ++id;
        });
    }
}

bool Flows::shown(InstanceId from, InstanceId to) const
{
    return overlaps(m_trace, from, m_range) && overlaps(m_trace, to, m_range)
        && m_trace.beginCycle(from) <= m_trace.endCycle(to);
}

FlowEnd Flows::endOf(const Edge& edge, bool arrival) const
{
    const std::int64_t leaves = m_ns.of(m_trace.beginCycle(edge.from));
    if (!arrival)
        return { edge.id, leaves, false };
    const std::int64_t begin = m_ns.of(m_trace.beginCycle(edge.to));
    if (begin > leaves)
        return { edge.id, begin, false };
    const std::int64_t end = m_ns.of(m_trace.endCycle(edge.to));
    return { edge.id, end - 1 > leaves ? end - 1 : end, true };
}

void Flows::outOf(const Span& span, std::vector<FlowEnd>& ends)
{
    hold(span);
    ends.clear();
    auto at = std::lower_bound(m_byFrom.begin(), m_byFrom.end(), span.instance,
        [&](std::uint32_t edge, InstanceId instance) { return m_edges[edge].from < instance; });
    for (; at != m_byFrom.end() && m_edges[*at].from == span.instance; ++at)
        ends.push_back(endOf(m_edges[*at], false));
}

void Flows::into(const Span& span, std::vector<FlowEnd>& ends)
{
    hold(span);
    ends.clear();
    auto at = std::lower_bound(m_byTo.begin(), m_byTo.end(), span.instance,
        [&](std::uint32_t edge, InstanceId instance) { return m_edges[edge].to < instance; });
    for (; at != m_byTo.end() && m_edges[*at].to == span.instance; ++at)
        ends.push_back(endOf(m_edges[*at], true));
}

} // namespace flashstep
