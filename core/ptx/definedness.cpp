// SPDX-License-Identifier: Apache-2.0
// Registers that nobody has written. A value made of them is as undefined as they are; it is reported where it decides
// something or leaves the lane: an address, a stored value, a branch, a guard, a matrix, a shuffle.
#include "core/ptx/machine.h"

#include <fmt/format.h>

namespace flashstep::ptx {

namespace {

bool matters(const Instruction& i)
{
    return i.flow != Flow::Next || i.unit == Unit::Shared || i.unit == Unit::Global || i.unit == Unit::Copy
        || i.unit == Unit::Tensor || i.space != Space::Generic;
}

} // namespace

void Machine::checkDefined(Warp& warp, const Instruction& i, std::uint32_t active)
{
    m_undefined = 0;
    const std::uint32_t guarded
        = i.guard == none ? active : active & (warp.predicates[i.guard] ^ (i.guardNegated ? allLanes : 0U));
    for (std::uint32_t k = 0; k < i.readsCount; ++k) {
        const std::uint32_t reg = m_code->uses[i.readsFirst + k];
        const Place& place = m_code->places[reg];
        const bool isGuard = i.guard != none && place.predicate && place.row == i.guard;
        const std::uint32_t missing = (isGuard ? active : guarded) & ~warp.defined[reg];
        if (missing == 0)
            continue;
        if (isGuard || matters(i)) {
            m_access.report(Fault::UninitialisedRead, std::countr_zero(missing), 0,
                fmt::format("{} is read, which nothing has written", m_code->function->registers[reg].name));
            warp.defined[reg] |= missing; // once
        } else
            m_undefined |= missing;
    }
}

void Machine::noteDefined(Warp& warp, const Instruction& i, std::uint32_t mask)
{
    for (std::uint32_t k = 0; k < i.writesCount; ++k) {
        std::uint32_t& defined = warp.defined[m_code->uses[i.writesFirst + k]];
        defined = (defined & ~mask) | (mask & ~m_undefined);
    }
}

} // namespace flashstep::ptx
