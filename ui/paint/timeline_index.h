// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace flashstep::paint {

// The slices of one CTA in the order the timeline reads them, with running sums, so that a frame costs what its pixels
// cost however long the run is. A function of an immutable trace and a CTA: build it when either changes.
class TimelineIndex {
public:
    TimelineIndex(std::shared_ptr<const Trace> trace, CtaId cta);

    [[nodiscard]] const Trace& trace() const { return *m_trace; }
    [[nodiscard]] std::shared_ptr<const Trace> tracePtr() const { return m_trace; }
    [[nodiscard]] CtaId cta() const { return m_cta; }

    // What a frame asks of an op, beside the others of its lane: the trace would have to be searched for each.
    struct Slice {
        std::uint32_t begin = 0, end = 0; // cycles
        std::uint32_t busyBefore = 0; // cycles not spent waiting in earlier ops of the lane
        std::int32_t j = -1; // key block
        const Op* op = nullptr;
        bool busy = false; // its role: the op neither waits nor runs by itself
    };
    // The ops of a role in all works of the CTA, in program order (begin never decreases).
    struct RoleLane {
        RoleId role;
        std::size_t place = 0; // in the streams' lists of roles
        std::vector<std::uint32_t> instances; // those that began
        std::uint32_t count = 0; // of them
        std::vector<Slice> slices; // of the same
    };
    struct Booking {
        std::uint32_t begin = 0, end = 0;
        std::uint32_t latestEnd = 0; // of the hops up to this one
        std::uint64_t busyBefore = 0; // cycles in earlier hops
        std::int32_t j = -1;
        bool goesOn = false; // does what the hop before it in its row did: they read as one where they touch
    };
    // The hops of an engine, by begin. Hops that overlap lie in different rows (the quarters of the SM, copies in
    // flight).
    struct EngineLane {
        Engine engine = Engine::Tensor;
        int rows = 1;
        int servers = 1; // how many of it the SM has: busy cycles per cycle at full use
        std::vector<std::uint32_t> hops; // into Trace::hops()
        std::vector<std::uint8_t> row; // allRows: of a warpgroup, on all four quarters at once
        std::vector<Booking> bookings; // of the same hops
    };
    static constexpr std::uint8_t allRows = 255;

    [[nodiscard]] const std::vector<RoleLane>& roles() const { return m_roles; }
    [[nodiscard]] const std::vector<EngineLane>& engines() const { return m_engines; } // only those the CTA uses

    [[nodiscard]] InstanceId instance(const RoleLane& lane, std::size_t k) const
    {
        return InstanceId(lane.instances[k]);
    }
    [[nodiscard]] const Op& op(InstanceId instance) const;
    [[nodiscard]] int keyBlock(InstanceId instance) const; // -1 when the op names none
    [[nodiscard]] int queryTile(InstanceId instance) const;
    // First op / hop of the lane that is not over at `cycle`, and the first that begins after it.
    [[nodiscard]] std::size_t firstVisible(const RoleLane& lane, double cycle) const;
    [[nodiscard]] std::size_t firstAfter(const RoleLane& lane, double cycle) const;
    [[nodiscard]] std::size_t firstVisible(const EngineLane& lane, double cycle) const;
    [[nodiscard]] std::size_t firstAfter(const EngineLane& lane, double cycle) const;

    // Where in the lanes of roles an instance is; nullopt where it is not of this CTA, or never began.
    struct Place {
        std::size_t lane = 0, k = 0;
    };
    [[nodiscard]] std::optional<Place> placeOf(InstanceId instance) const;
    // Of a product that on the tensor core, else the hop that is done last, of those other than its issue; nullopt
    // where it has none.
    [[nodiscard]] std::optional<std::uint32_t> lastHopOf(InstanceId instance) const;

    // Cycles spent in [0, cycle): by the role on other than waiting, by the engine on all its servers.
    [[nodiscard]] double busyUntil(const RoleLane& lane, double cycle) const;
    [[nodiscard]] double busyUntil(const EngineLane& lane, double cycle) const;
    [[nodiscard]] const EngineLane* lane(Engine engine) const; // nullptr if the CTA does not use it

    [[nodiscard]] double begin() const { return static_cast<double>(m_trace->span(m_cta).begin); }
    [[nodiscard]] double end() const;

private:
    void addRole(std::size_t place);
    void addEngines();
    void sum(EngineLane& lane) const;
    [[nodiscard]] bool sameWork(InstanceId a, InstanceId b) const;

    std::shared_ptr<const Trace> m_trace;
    CtaId m_cta;
    std::vector<RoleLane> m_roles;
    std::vector<EngineLane> m_engines;
};

} // namespace flashstep::paint
