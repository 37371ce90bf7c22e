// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/program.h"

#include <algorithm>
#include <array>
#include <vector>

namespace flashstep {

// A role's own groups of asynchronous work of one kind, oldest first; a group is done when nothing of it is in flight.
struct AsyncGroups {
    std::vector<std::uint32_t> committed; // in flight, by group: a few
    std::uint32_t oldest = 0; // number of the group at committed.front()
    std::uint32_t open = 0; // issued since the last commit, in flight
    [[nodiscard]] std::uint32_t current() const { return oldest + static_cast<std::uint32_t>(committed.size()); }
    [[nodiscard]] bool done(std::size_t pending) const { return committed.size() <= pending; }

    // Counts one more into the open group, and says which that is.
    std::uint32_t issue()
    {
        ++open;
        return current();
    }
    void commit()
    {
        committed.push_back(open);
        open = 0;
        retire();
    }
    void finished(std::uint32_t group)
    {
        if (group == current())
            --open;
        else
            --committed[group - oldest];
        retire();
    }

private:
    void retire()
    {
        const auto busy = std::find_if(committed.begin(), committed.end(), [](std::uint32_t left) { return left > 0; });
        oldest += static_cast<std::uint32_t>(busy - committed.begin());
        committed.erase(committed.begin(), busy);
    }
};

// The kind of group that an asynchronous op of a role joins.
[[nodiscard]] inline std::size_t groupOf(const Op& op)
{
    return static_cast<std::size_t>(op.kind == OpKind::Mma ? GroupKind::Mma
            : op.kind == OpKind::Store                     ? GroupKind::Stores
                                                           : GroupKind::Copies);
}

// A cache line, so that an event that makes a role go on touches no more of it.
struct alignas(64) RoleRun {
    std::uint32_t next = 0, last = 0; // ops still to begin, of its work
    std::uint32_t work = 0; // which of the CTA's works it is at
    WorkId tile; // that work
    const std::int32_t* turnsBefore = nullptr; // its WorkRun::turns
    enum class State : std::uint8_t { Idle, Running, InWait, AwaitsTile, Done } state = State::Idle;
    OpId waiting;
    BarrierId barrier; // where it waits, and at how many side by side; none: for its own groups
    std::uint8_t barriers = 0;
    Cycle productsDone = 0; // when the last of the products it has issued is done
};

// What a barrier's count means, of its declaration the little that every arrival needs.
struct BarrierRule {
    std::int32_t count = 0;
    bool bytes = false;
    BarrierRule(const BarrierDecl& decl) // NOLINT(google-explicit-constructor): a declaration says it all
        : count(decl.count)
        , bytes(decl.countsBytes())
    {
    }
};

// A barrier of one CTA. One that counts bytes completes a turn when its one arrival has announced them and all of them
// have landed, as an mbarrier's transaction count does.
struct BarrierRun {
    std::int64_t missing = 0; // bytes announced and not landed; negative: landed before they were announced
    std::int32_t arrived = 0; // of the turn under way; bytes: announced turns not yet complete
    std::int32_t turns = 0; // completed
    std::int32_t announced = 0; // bytes, by the newest announcement

    void arrive(const BarrierRule& rule, int amount, int extraBytes = 0)
    {
        if (rule.bytes) { // its one arrival announces the bytes
            announced = rule.count + extraBytes;
            missing += announced;
            ++arrived;
            completeBytes();
            return;
        }
        for (arrived += amount; arrived >= rule.count; arrived -= rule.count)
            ++turns;
    }
    // A copy has landed: its bytes, or the arrivals of the threads that made it.
    void land(const BarrierRule& rule, int bytes, int arrivals)
    {
        if (!rule.bytes) {
            arrive(rule, arrivals);
            return;
        }
        missing -= bytes;
        completeBytes();
    }
    // In its unit, of the turn under way.
    [[nodiscard]] std::int64_t inTurn(const BarrierRule& rule) const
    {
        return rule.bytes ? (arrived > 0 ? announced : 0) - missing : arrived;
    }

private:
    void completeBytes()
    {
        if (arrived > 0 && missing == 0) {
            --arrived;
            ++turns;
        }
    }
};

// One work tile of a CTA: which, and from where its rings and turns count.
struct WorkRun {
    WorkId work;
    std::uint32_t position = 0;
    std::vector<std::int32_t> turns; // of each barrier, completed by the works before
};

// A CTA on an SM.
struct Resident {
    CtaId cta;
    int sm = 0, slot = 0;
    int rank = 0; // in its cluster
    std::vector<WorkRun> works;
    bool exhausted = false; // no more works will come
    std::vector<RoleRun> roles;
    std::vector<std::array<AsyncGroups, groupKinds>> groups; // of each role
    std::vector<BarrierRun> barriers;
    int rolesLeft = 0;
    int inFlight = 0; // asynchronous work that it issued or that will arrive here
    [[nodiscard]] bool alive() const { return cta.valid(); }
};

} // namespace flashstep
