// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/trace.h"

#include <optional>
#include <span>
#include <vector>

namespace flashstep {

[[nodiscard]] inline bool isWaiting(const Op& op)
{
    return (op.kind == OpKind::Wait || op.kind == OpKind::Sync) && !op.dropped;
}

// Who led to what in a trace: the op before, the release of a wait, the engine's last owner. Nothing is guessed; all of
// it stands in the trace. Indexes the engine bookings once; then every answer takes a few steps. Keeps a reference.
class Causes {
public:
    static constexpr std::uint32_t none = 0xffffffffU;

    // Where the engines are left out, which saves a pass over all of the run's bookings, only what is asked of roles
    // and waits has an answer: before, tileFetch, release, productBehind.
    enum class Engines : std::uint8_t { Indexed, Left };
    explicit Causes(const Trace& trace, Engines engines = Engines::Indexed);
    [[nodiscard]] const Trace& trace() const { return m_trace; }

    // The op that its role performed before this one; none() for the role's first in the CTA.
    [[nodiscard]] InstanceId before(InstanceId instance) const;
    // The question to the tile scheduler whose answer the role had to wait for before this op, a cycle earlier; none()
    // where it did not have to.
    [[nodiscard]] InstanceId tileFetch(InstanceId instance) const;
    // Until when the op holds its role: its end, or, of an asynchronous one, until it is issued.
    [[nodiscard]] Cycle heldUntil(InstanceId instance) const;
    [[nodiscard]] Cycle endOf(CtaId cta) const; // of the run where it never ended

    // Index of the event that let a wait go on: the arrival that completed its turn, the end of the last copy or
    // product it waited for. It may lie before the wait. Empty: nothing was waited for, or it never came.
    [[nodiscard]] std::optional<std::uint32_t> release(InstanceId wait) const;

    // The product whose end let this commit arrive; none() where all of them were done already.
    [[nodiscard]] InstanceId productBehind(InstanceId commit) const;

    // The op's own bookings, by index into hops(); a copy's landing, booked when it ends, is not among them.
    struct Bookings {
        std::uint32_t first = 0, count = 0;
    };
    [[nodiscard]] Bookings bookingsOf(InstanceId instance) const;
    [[nodiscard]] bool isLanding(std::uint32_t hop) const;
    [[nodiscard]] std::uint32_t bindingHop(InstanceId instance) const; // the one that is done last
    // The one that holds the role: the binding one, or, of an asynchronous op, that of its issue.
    [[nodiscard]] std::uint32_t holdingHop(InstanceId instance) const;
    // When the engine's work on it could have begun, had the engine been free.
    [[nodiscard]] Cycle readyFor(std::uint32_t hop) const;
    [[nodiscard]] bool queued(std::uint32_t hop) const { return hop != none && begin(hop) > readyFor(hop); }
    [[nodiscard]] Cycle begin(std::uint32_t hop) const { return m_trace.hops()[hop].begin; }
    [[nodiscard]] InstanceId instanceOf(std::uint32_t hop) const { return InstanceId(m_trace.hops()[hop].instance); }
    // The booking that the engine was busy with until this one could begin. For the tensor core it may be the issue of
    // a vector op, which takes the register bandwidth.
    [[nodiscard]] std::uint32_t ownerBefore(std::uint32_t hop) const { return m_ownerBefore[hop]; }
    [[nodiscard]] bool tookBandwidth(std::uint32_t hop) const
    {
        const std::uint32_t owner = m_ownerBefore[hop];
        return owner != none && m_trace.hops()[hop].engine() == Engine::Tensor
            && m_trace.hops()[owner].engine() == Engine::Issue;
    }
    // Whether the owner before was a multicast's landing from the other CTA, of which only that CTA keeps the booking.
    [[nodiscard]] bool landedFromPeer(std::uint32_t hop) const;
    // Who had the tensor core before a vector op took bandwidth from it (by that op's hop on the issue slot).
    [[nodiscard]] std::uint32_t tensorOwnerBefore(std::uint32_t hop) const { return m_tensorOwnerBefore[hop]; }

private:
    struct Owners;
    void index();
    [[nodiscard]] std::optional<std::uint32_t> turnCompleted(InstanceId wait) const;
    [[nodiscard]] std::optional<std::uint32_t> groupsDone(InstanceId wait) const;

    const Trace& m_trace;
    std::vector<std::uint32_t> m_firstHop; // by instance
    std::vector<std::uint32_t> m_ownerBefore, m_tensorOwnerBefore; // by hop
};

} // namespace flashstep
