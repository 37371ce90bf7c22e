// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/trace.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

// Who knows of what: the vector clocks that hazards are found with.
namespace flashstep::clocks {

// What an actor knows of each actor: how many of its accesses.
using Clock = std::vector<std::uint32_t>;

inline void join(Clock& into, const Clock& other)
{
    for (std::size_t k = 0; k < into.size(); ++k)
        into[k] = std::max(into[k], other[k]);
}

struct Access {
    std::uint32_t clock = 0; // of its actor
    std::uint32_t instance = 0;
};

// Accesses of one piece of memory, by actor, each in its own order: all that somebody may not know of yet. Which pairs
// are found must not depend on what happened to come in between.
struct History {
    struct List {
        std::size_t actor = 0;
        std::vector<Access> accesses;
    };
    std::vector<List> writes, reads;

    static std::vector<Access>& of(std::vector<List>& lists, std::size_t actor)
    {
        for (List& list : lists)
            if (list.actor == actor)
                return list.accesses;
        return lists.emplace_back(List { actor, {} }).accesses;
    }
};

struct Role {
    Clock clock;
    std::array<std::uint32_t, groupKinds> issued {}; // asynchronous accesses, by kind
    std::array<std::vector<std::uint32_t>, groupKinds> groups; // issued up to and including each closed group
    std::uint32_t lastStore = 0; // instance of the newest bulk store
};

// As the machine counts it, with what is known when each turn completes.
struct Barrier {
    std::int64_t arrived = 0, missing = 0;
    Clock gathering;
    std::vector<Clock> turns;
    std::map<std::size_t, std::size_t> lastTurn; // by role: the turn its last arrival counted for
};

// Turns of a barrier that a work's waits go through, and one of them.
[[nodiscard]] inline std::size_t turnsTaken(const Trace& trace, WorkId work, std::size_t barrier, InstanceId& waiter)
{
    const Stream& stream = trace.streamOf(work);
    std::int32_t taken = 0;
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const Op& op = trace.program().ops[k];
        const bool waits = op.kind == OpKind::Wait || op.kind == OpKind::Sync;
        if (!waits || !op.barrier.valid() || barrier < op.barrier.index() || barrier >= op.barrier.index() + op.barriers
            || !trace.began(trace.instance(work, OpId(k))))
            continue;
        waiter = trace.instance(work, OpId(k));
        taken = std::max(taken, op.turn + 1);
    }
    return static_cast<std::size_t>(taken);
}

} // namespace flashstep::clocks
