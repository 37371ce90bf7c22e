// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/resident.h"

#include <string>

namespace flashstep {

// What is due at some cycle.
struct Due {
    enum class Kind : std::uint8_t { OpEnds, AsyncEnds, RoleGoesOn, CtaBegins } kind = Kind::OpEnds;
    std::uint8_t role = 0;
    std::uint16_t group = 0; // AsyncEnds: low bits of the role's group it belongs to
    std::uint32_t resident = 0;
    WorkId work;
    OpId op;
};

// Of a role that is stuck for ever in a wait: what it waits for.
[[nodiscard]] inline std::string waitingFor(const Program& program, const Resident& r, const Op& op)
{
    if (!op.barrier.valid())
        return op.group == GroupKind::Mma   ? "its products"
            : op.group == GroupKind::Stores ? "its stores"
                                            : "its copies";
    const BarrierDecl& decl = program.barriers[op.barrier.index()];
    return decl.name + ": " + std::to_string(r.barriers[op.barrier.index()].inTurn(decl)) + " of "
        + std::to_string(decl.count) + " " + decl.unit + " have arrived";
}

} // namespace flashstep
