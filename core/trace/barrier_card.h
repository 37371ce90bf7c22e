// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/state.h"

#include <string_view>
#include <vector>

namespace flashstep {

// Somebody who has to do with a barrier in the work tile that its CTA is at: what a role does there, at one line.
struct BarrierParty {
    enum class Kind : std::uint8_t {
        Arrives, // and goes on
        Meets, // arrives and waits (bar.sync)
        Announces, // arrives with the bytes of the turn (expect_tx)
        Lands, // an asynchronous copy of it counts its bytes, or arrives, when it lands
        Commits, // arrives once the products before are done (tcgen05.commit)
        Waits,
    } kind = Kind::Arrives;
    RoleId role;
    bool ofPeer = false; // a role of the other CTA of the cluster
    std::int64_t worth = 0; // in the barrier's unit, each time; 0 of who only waits
    std::uint32_t line = 0; // in Program::source
    int times = 0; // within the work tile
    bool operator==(const BarrierParty&) const = default;
};
[[nodiscard]] std::string_view name(BarrierParty::Kind kind); // "arrives", "meets", …

// In the order of the roles, then of their lines. Launch and work tile are those the CTA has come to at p.
[[nodiscard]] std::vector<BarrierParty> partiesOf(const Trace& trace, CtaId cta, BarrierId barrier, Position p);

} // namespace flashstep
