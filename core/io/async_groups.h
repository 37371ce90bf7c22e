// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/trace.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace flashstep {

// Follows one role through its ops, all its works one after the other: which of its asynchronous loads, products and
// stores a wait is the first to make sure of.
class AsyncGroups {
public:
    // The role goes on with this op. A wait for groups gives what they hold; everything else nothing.
    std::vector<InstanceId> step(const Op& op, InstanceId instance)
    {
        if (op.kind == OpKind::Commit) {
            closeGroup(op.group);
        } else if (op.kind == OpKind::Wait && !op.barrier.valid()) {
            return retire(op);
        } else if (op.async && !op.barrier.valid()) {
            const std::optional<GroupKind> kind = groupOf(op.kind);
            if (kind)
                m_open[index(*kind)].push_back(instance);
            if (kind == GroupKind::Mma) // each product is a group of its own
                closeGroup(GroupKind::Mma);
        }
        return {};
    }

private:
    static std::size_t index(GroupKind kind) { return static_cast<std::size_t>(kind); }
    static std::optional<GroupKind> groupOf(OpKind kind)
    {
        switch (kind) {
        case OpKind::Load:
            return GroupKind::Copies;
        case OpKind::Mma:
            return GroupKind::Mma;
        case OpKind::Store:
            return GroupKind::Stores;
        default:
            return std::nullopt;
        }
    }
    void closeGroup(GroupKind kind) { m_groups[index(kind)].push_back(std::exchange(m_open[index(kind)], {})); }
    std::vector<InstanceId> retire(const Op& wait)
    {
        std::vector<InstanceId> done;
        auto& groups = m_groups[index(wait.group)];
        for (; groups.size() > wait.pending; groups.pop_front())
            done.insert(done.end(), groups.front().begin(), groups.front().end());
        return done;
    }

    std::array<std::vector<InstanceId>, groupKinds> m_open;
    std::array<std::deque<std::vector<InstanceId>>, groupKinds> m_groups;
};

// The arrival that completed the turn which a Wait or Sync is for, the last one where each warp has a barrier of its
// own; nullptr where it never was completed, or lies before the CTA's first work. `turnsBefore(barrier)`: how many
// turns the CTA's works before this one completed.
template <typename TurnsBefore>
[[nodiscard]] const Arrival* findCompletingArrival(const Trace& trace, CtaId cta, const Op& op, TurnsBefore turnsBefore)
{
    const Arrival* last = nullptr;
    for (std::size_t b = op.barrier.index(); b < op.barrier.index() + op.barriers; ++b) {
        const std::int64_t turn = turnsBefore(BarrierId(b)) + op.turn;
        if (turn < 0)
            return nullptr;
        const auto arrivals = trace.arrivals(cta, BarrierId(b));
        const auto found = std::partition_point(
            arrivals.begin(), arrivals.end(), [&](const Arrival& arrival) { return arrival.turns <= turn; });
        if (found == arrivals.end())
            return nullptr;
        if (last == nullptr || found->event > last->event)
            last = &*found;
    }
    return last;
}
[[nodiscard]] inline const Arrival* completingArrival(const Trace& trace, CtaId cta, WorkId work, const Op& op)
{
    return findCompletingArrival(trace, cta, op, [&](BarrierId b) { return trace.turnsBefore(work, b); });
}
// The same for somebody who has counted the turns before, by barrier.
[[nodiscard]] inline const Arrival* completingArrival(
    const Trace& trace, CtaId cta, const Op& op, const std::vector<std::int64_t>& turnsBefore)
{
    return findCompletingArrival(trace, cta, op, [&](BarrierId b) { return turnsBefore[b.index()]; });
}

} // namespace flashstep
