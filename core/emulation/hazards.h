// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/trace.h"

namespace flashstep {

// Two accesses of one buffer, at least one a write, that no program order, barrier or wait puts in order.
struct Hazard {
    std::string kind; // "read before write", "write after read", "write after write", "barrier overrun",
                      // "exit before store"
    CtaId cta;
    WorkId work;
    RoleId role;
    OpId op; // the later one as it ran
    OpId other;
    BufferId buffer; // none for a barrier overrun
    BarrierId barrier; // barrier overrun: a role arrives again in a turn that it cannot know to be complete,
                       // or more arrive than the turn takes
    Cycle cycle = 0;
};

struct HazardReport {
    std::uint64_t count = 0; // pairs of ops, over all CTAs
    std::vector<Hazard> list; // the first of them, at most `keep`
};

// Happens-before by vector clocks over what the CTAs did; whether accesses happened to overlap in time plays no part.
// Where a CTA is clean, so is every other that did work of the same shapes in the same order: its synchronisation fixes
// every order that matters. The CTAs of a cluster are looked at together.
[[nodiscard]] HazardReport findHazards(const Trace& trace, std::size_t keep = 1000);

} // namespace flashstep
