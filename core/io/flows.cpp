// SPDX-License-Identifier: Apache-2.0
#include "core/io/flows.h"

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>

namespace flashstep {

namespace {

constexpr std::uint32_t nothing = 0xffffffffU;

// Follows what has landed in each buffer and who made sure of it, along one role.
class RoleWalk {
public:
    RoleWalk(const Program& program, std::uint32_t firstOp)
        : m_program(program)
        , m_firstOp(firstOp)
        , m_landed(program.buffers.size(), nothing)
    {
    }

    template <typename Emit> void step(std::uint32_t relative, Emit emit)
    {
        const Op& op = m_program.ops[m_firstOp + relative];
        if (op.kind == OpKind::Load && op.async) {
            m_open.push_back(relative);
        } else if (op.kind == OpKind::Load) {
            m_landed[op.out.index()] = relative;
        } else if (op.kind == OpKind::Commit) {
            m_groups.push_back(std::move(m_open));
            m_open.clear();
        } else if (op.kind == OpKind::Wait) {
            for (; m_groups.size() > op.pending; m_groups.pop_front())
                land(m_groups.front(), relative, op.dropped, emit);
        } else {
            readAll(op, relative, emit);
        }
    }

private:
    template <typename Emit>
    void land(const std::vector<std::uint32_t>& group, std::uint32_t wait, bool dropped, Emit emit)
    {
        if (dropped)
            return;
        for (const std::uint32_t load : group) {
            emit(load, wait);
            m_landed[m_program.ops[m_firstOp + load].out.index()] = wait;
        }
    }
    template <typename Emit> void readAll(const Op& op, std::uint32_t relative, Emit emit)
    {
        for (const BufferId in : op.in)
            if (in.valid() && m_landed[in.index()] != nothing) {
                emit(m_landed[in.index()], relative);
                m_landed[in.index()] = nothing;
            }
    }

    const Program& m_program;
    std::uint32_t m_firstOp;
    std::vector<std::uint32_t> m_open;
    std::deque<std::vector<std::uint32_t>> m_groups;
    std::vector<std::uint32_t> m_landed; // per buffer: the op after which it may be read
};

} // namespace

void Flows::addRole(const Stream& stream, const RoleRange& role, Shape& shape) const
{
    RoleWalk walk(m_trace.program(), stream.firstOp);
    for (std::uint32_t k = 0; k < role.count; ++k)
        walk.step(role.first - stream.firstOp + k, [&](std::uint32_t from, std::uint32_t to) {
            shape.edges.push_back({ from, to });
        });
}

void Flows::addTurns(const Stream& stream, Shape& shape) const
{
    std::map<std::pair<std::size_t, std::uint32_t>, std::vector<Edge>> turns;
    for (const RoleRange& role : stream.roles)
        for (std::uint32_t k = 0; k < role.count; ++k) {
            const Op& op = m_trace.program().ops[role.first + k];
            if (op.kind != OpKind::Sync)
                continue;
            const std::uint32_t sync = role.first - stream.firstOp + k;
            const std::uint32_t next = k + 1 < role.count && !op.dropped ? sync + 1 : nothing;
            turns[{ op.barrier.index(), op.turn }].push_back({ sync, next });
        }
    for (auto& [key, turn] : turns)
        shape.turns.push_back(std::move(turn));
}

const Flows::Shape& Flows::shapeOf(StreamId id)
{
    const std::size_t streams = m_trace.program().streams.size();
    m_shapes.resize(streams);
    m_known.resize(streams);
    Shape& shape = m_shapes[id.index()];
    if (!m_known[id.index()]) {
        const Stream& stream = m_trace.program().streams[id.index()];
        for (const RoleRange& role : stream.roles)
            addRole(stream, role, shape);
        addTurns(stream, shape);
        m_known[id.index()] = true;
    }
    return shape;
}

InstanceId Flows::instance(std::uint32_t relative) const
{
    return m_trace.instance(m_cta, OpId(m_firstOp + relative));
}

bool Flows::shown(std::uint32_t relative) const
{
    return overlaps(m_trace, instance(relative), m_range);
}

void Flows::addTurnEdges(const Stream&, const std::vector<Edge>& turn)
{
    // A turn that never completed released nobody.
    const auto arrived = [&](const Edge& role) { return m_trace.began(instance(role.from)); };
    const auto released = [&](const Edge& role) { return m_trace.ended(instance(role.from)); };
    if (turn.size() < 2 || !std::all_of(turn.begin(), turn.end(), arrived)
        || std::none_of(turn.begin(), turn.end(), released))
        return;
    const auto last = std::max_element(turn.begin(), turn.end(), [&](const Edge& a, const Edge& b) {
        return m_trace.beginPosition(instance(a.from)) < m_trace.beginPosition(instance(b.from));
    });
    for (auto role = turn.begin(); role != turn.end(); ++role)
        if (role != last && role->to != nothing)
            m_edges.push_back({ last->from, role->to });
}

void Flows::enter(CtaId cta)
{
    const Program& program = m_trace.program();
    const Stream& stream = program.streamOf(cta);
    const Shape& shape = shapeOf(program.ctas[cta.index()].stream);
    m_cta = cta;
    m_firstOp = stream.firstOp;
    m_edges = shape.edges;
    for (const std::vector<Edge>& turn : shape.turns)
        addTurnEdges(stream, turn);
    std::erase_if(m_edges, [&](const Edge& edge) {
        return !shown(edge.from) || !shown(edge.to)
            || m_trace.beginCycle(instance(edge.from)) > m_trace.endCycle(instance(edge.to));
    });
    m_byFrom.resize(m_edges.size());
    std::iota(m_byFrom.begin(), m_byFrom.end(), 0U);
    m_byTo = m_byFrom;
    std::stable_sort(m_byFrom.begin(), m_byFrom.end(),
        [&](std::uint32_t a, std::uint32_t b) { return m_edges[a].from < m_edges[b].from; });
    std::stable_sort(
        m_byTo.begin(), m_byTo.end(), [&](std::uint32_t a, std::uint32_t b) { return m_edges[a].to < m_edges[b].to; });
}

FlowEnd Flows::endOf(std::uint32_t edge, bool arrival) const
{
    const InstanceId from = instance(m_edges[edge].from);
    const InstanceId to = instance(m_edges[edge].to);
    const std::uint64_t id = (static_cast<std::uint64_t>(m_cta.index() + 1) << 32U) | edge;
    const Cycle leaves = m_trace.beginCycle(from);
    // Copies: the moment of landing, if the wait was already there; never before the arrow left.
    const Cycle arrives = std::max(leaves, m_trace.beginCycle(to));
    return { id, arrival ? arrives : leaves };
}

void Flows::outOf(const Span& span, std::vector<FlowEnd>& ends) const
{
    ends.clear();
    const auto relative = static_cast<std::uint32_t>(span.opId.index()) - m_firstOp;
    auto at = std::lower_bound(m_byFrom.begin(), m_byFrom.end(), relative,
        [&](std::uint32_t edge, std::uint32_t op) { return m_edges[edge].from < op; });
    for (; at != m_byFrom.end() && m_edges[*at].from == relative; ++at)
        ends.push_back(endOf(*at, false));
}

void Flows::into(const Span& span, std::vector<FlowEnd>& ends) const
{
    ends.clear();
    const auto relative = static_cast<std::uint32_t>(span.opId.index()) - m_firstOp;
    auto at = std::lower_bound(m_byTo.begin(), m_byTo.end(), relative,
        [&](std::uint32_t edge, std::uint32_t op) { return m_edges[edge].to < op; });
    for (; at != m_byTo.end() && m_edges[*at].to == relative; ++at)
        ends.push_back(endOf(*at, true));
}

} // namespace flashstep
