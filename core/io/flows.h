// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/spans.h"

#include <cstdint>
#include <vector>

namespace flashstep {

// Arrows between slices, direct dependencies only: a copy to the wait that needs it, that wait to the first op that
// reads what landed, and the last arrival at a barrier to what each of the others does next.
struct FlowEnd {
    std::uint64_t id = 0; // of the whole file; two ends each
    Cycle at = 0; // inside the slice, not before the other end's
};

// The arrows of one CTA; made anew for each, so that memory does not grow with the grid.
class Flows {
public:
    Flows(const Trace& trace, const Range& range)
        : m_trace(trace)
        , m_range(range)
    {
    }

    void enter(CtaId cta);
    // Arrows that leave, and that reach, the slice of this op of the current CTA.
    void outOf(const Span& span, std::vector<FlowEnd>& ends) const;
    void into(const Span& span, std::vector<FlowEnd>& ends) const;

private:
    struct Edge {
        std::uint32_t from = 0, to = 0; // ops, relative to the stream
    };
    // What can be said of a stream without knowing when anything happened.
    struct Shape {
        std::vector<Edge> edges; // by `from`
        std::vector<std::uint32_t> byTo; // indices into edges
        std::vector<std::vector<Edge>> turns; // per completion of a barrier: each role's Sync and what it does next
    };

    void addRole(const Stream& stream, const RoleRange& role, Shape& shape) const;
    void addTurns(const Stream& stream, Shape& shape) const;
    const Shape& shapeOf(StreamId stream);
    void addTurnEdges(const Stream& stream, const std::vector<Edge>& turn);
    [[nodiscard]] bool shown(std::uint32_t relative) const;
    [[nodiscard]] InstanceId instance(std::uint32_t relative) const;
    [[nodiscard]] FlowEnd endOf(std::uint32_t edge, bool arrival) const;

    const Trace& m_trace;
    Range m_range;
    std::vector<Shape> m_shapes; // by stream, made when first met
    std::vector<bool> m_known;
    CtaId m_cta;
    std::uint32_t m_firstOp = 0;
    std::vector<Edge> m_edges;
    std::vector<std::uint32_t> m_byFrom, m_byTo;
};

} // namespace flashstep
