// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/async_groups.h"
#include "core/trace/trace.h"

#include <span>
#include <vector>

namespace flashstep {

// Follows one role through all its works: what has landed in each buffer, who made sure of it, and what let it go on.
// Holds a few words for each buffer and barrier, however long the run is.
class RoleWalk {
public:
    RoleWalk(const Trace& trace, CtaId cta)
        : m_trace(trace)
        , m_cta(cta)
        , m_works(trace.worksOf(cta))
        , m_landed(trace.program().buffers.size())
        , m_before(trace.program().barriers.size(), 0)
    {
    }

    // The role goes on with this op: emit(from, instance) for each op whose slice an arrow leaves for it.
    template <typename Emit> void step(WorkId work, const Op& op, InstanceId instance, Emit emit)
    {
        reach(work);
        if (m_released.valid())
            emit(m_released, instance);
        m_released = InstanceId::none();
        const std::vector<InstanceId> done = m_groups.step(op, instance);
        if (op.kind == OpKind::Wait) {
            wait(op, instance, done, emit);
        } else if (op.kind == OpKind::Sync) {
            sync(op, instance);
            readAll(op, instance, emit);
        } else if (op.kind == OpKind::Load) {
            if (!op.async)
                m_landed[op.out.index()] = instance;
        } else {
            readAll(op, instance, emit);
        }
    }

private:
    void reach(WorkId work)
    {
        for (; m_works[m_at] != work; ++m_at) {
            const Stream& stream = m_trace.streamOf(m_works[m_at]);
            for (std::size_t b = 0; b < m_before.size(); ++b)
                m_before[b] += stream.turns[b];
        }
    }
    void sync(const Op& op, InstanceId instance)
    {
        const Arrival* last = op.dropped ? nullptr : completingArrival(m_trace, m_cta, op, m_before);
        if (last != nullptr)
            m_released = m_trace.eventAt(last->event).instance;
        if (m_released == instance) // it came last: nobody let it go on
            m_released = InstanceId::none();
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
    std::span<const WorkId> m_works;
    std::size_t m_at = 0; // in m_works
    AsyncGroups m_groups;
    InstanceId m_released; // the last arrival at the barrier that the op before waited at
    std::vector<InstanceId> m_landed; // per buffer: the op after which it may be read
    std::vector<std::int64_t> m_before; // per barrier: turns completed by the CTA's works before
};

} // namespace flashstep
