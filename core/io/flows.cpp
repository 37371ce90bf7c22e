// SPDX-License-Identifier: Apache-2.0
#include "core/io/flows.h"

#include "core/io/role_walk.h"

#include <algorithm>
#include <numeric>

namespace flashstep {

namespace {

// What the role does in its works, in order: visit(work, op, instance). Ops that a work leaves out are not done.
template <typename Visit> void forEachOf(const Trace& trace, CtaId cta, std::size_t role, Visit visit)
{
    for (const WorkId work : trace.worksOf(cta)) {
        if (!trace.hasEvents(work))
            continue;
        const RoleRange& range = trace.streamOf(work).roles[role];
        for (std::uint32_t k = range.first; k < range.first + range.count; ++k)
            if (const InstanceId instance = trace.instance(work, OpId(k)); trace.began(instance))
                visit(work, trace.program().ops[k], instance);
    }
}

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
        forEachOf(m_trace, cta, role, [&](WorkId work, const Op& op, InstanceId instance) {
            walk.step(work, op, instance, [&](InstanceId from, InstanceId to) {
                if (!shown(from, to))
                    return;
                if (holds(from) || holds(to))
                    m_edges.push_back({ id, from, to });
                ++id;
            });
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
