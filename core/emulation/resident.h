// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/op.h"

#include <deque>
#include <utility>
#include <vector>

namespace flashstep {

// A role's own groups of asynchronous copies, oldest first; a group is done when nothing of it is in flight.
struct CopyGroups {
    std::deque<std::uint32_t> committed; // copies in flight, by group
    std::uint32_t oldest = 0; // number of the group at committed.front()
    std::uint32_t open = 0; // copies issued since the last commit that are in flight
    [[nodiscard]] std::uint32_t current() const { return oldest + static_cast<std::uint32_t>(committed.size()); }
    [[nodiscard]] bool landed(std::size_t pending) const { return committed.size() <= pending; }
};

struct RoleRun {
    std::uint32_t next = 0, last = 0; // ops still to begin
    enum class State : std::uint8_t { Idle, Running, InWait, InSync, Done } state = State::Idle;
    OpId waiting;
    CopyGroups groups;
};

struct BarrierRun {
    int arrived = 0;
    std::uint32_t turns = 0; // completed
};

// A CTA on an SM.
struct Resident {
    CtaId cta;
    int sm = 0, slot = 0;
    std::vector<RoleRun> roles;
    std::vector<BarrierRun> barriers;
    int rolesLeft = 0;
    std::vector<std::pair<OpId, std::uint32_t>> copies; // in flight: op, group
    [[nodiscard]] bool alive() const { return cta.valid(); }
};

} // namespace flashstep
