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
    std::int64_t at = 0; // nanoseconds, inside the slice, not before the other end's
    // The slice it arrives at began no later than the one it leaves, as a wait does that is there before what it waits
    // for: it arrives just before that slice ends.
    bool late = false;
};

// The arrows of one CTA after the other, asked for in the order of forEachSpan. Memory does not grow with the run: of
// a CTA with very many ops only the arrows of a stretch of one role are held, and found again for the next.
class Flows {
public:
    static constexpr std::uint64_t opsAtOnce = 1U << 19U;

    Flows(const Trace& trace, const Range& range, std::uint64_t opsHeld = opsAtOnce)
        : m_trace(trace)
        , m_range(range)
        , m_ns(trace.clockMhz())
        , m_opsHeld(opsHeld)
    {
    }

    void enter(CtaId cta);
    // Arrows that leave, and that reach, the slice of this op of the current CTA.
    void outOf(const Span& span, std::vector<FlowEnd>& ends);
    void into(const Span& span, std::vector<FlowEnd>& ends);

private:
    struct Edge {
        std::uint64_t id = 0;
        InstanceId from, to;
    };
    // What is held: everything, or the ops of one role from one instance to another.
    struct Stretch {
        bool everything = false;
        RoleId role;
        InstanceId first, last;
    };
    void hold(const Span& span);
    [[nodiscard]] Stretch stretchFrom(const Span& span) const;
    void load();
    // Arrows that end in a CTA; numbered alike whoever asks, since one may begin in the other CTA of a cluster.
    void addEdgesInto(CtaId cta);
    [[nodiscard]] bool holds(InstanceId instance) const;
    [[nodiscard]] bool shown(InstanceId from, InstanceId to) const;
    [[nodiscard]] FlowEnd endOf(const Edge& edge, bool arrival) const;

    const Trace& m_trace;
    Range m_range;
    Nanoseconds m_ns;
    std::uint64_t m_opsHeld;
    CtaId m_cta;
    Stretch m_stretch;
    std::vector<Edge> m_edges;
    std::vector<std::uint32_t> m_byFrom, m_byTo;
};

} // namespace flashstep
