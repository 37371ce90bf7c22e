// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/spans.h"

#include <cstdint>
#include <vector>

namespace flashstep {

// Arrows between slices, direct dependencies only: asynchronous work (a copy, a product, a store) to the wait that
// needs it, the arrival that completed a barrier's turn to the wait for it, that wait to the first op that reads what
// landed, and the last arrival at a barrier that all wait at to what each of the others does next.
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
        std::uint64_t id = 0;
        InstanceId from, to;
    };
    // Arrows that end in a CTA; numbered alike whoever asks, since one may begin in the other CTA of a cluster.
    void addEdgesInto(CtaId cta);
    void addRole(CtaId cta, std::size_t role);
    void addSyncs(CtaId cta);
    void add(InstanceId from, InstanceId to) { m_edges.push_back({ 0, from, to }); }
    [[nodiscard]] bool shown(const Edge& edge) const;
    [[nodiscard]] FlowEnd endOf(const Edge& edge, bool arrival) const;

    const Trace& m_trace;
    Range m_range;
    std::vector<Edge> m_edges;
    std::vector<std::uint32_t> m_byFrom, m_byTo;
};

} // namespace flashstep
