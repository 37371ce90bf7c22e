// SPDX-License-Identifier: Apache-2.0
#include "core/io/op_classes.h"

namespace flashstep {

namespace {

std::uint64_t packed(const std::array<std::size_t, 8>& bytes)
{
    std::uint64_t all = 0;
    for (const std::size_t byte : bytes)
        all = all << 8U | (byte & 0xffU);
    return all;
}

} // namespace

// Everything that labelOf and the source line look at.
OpClasses::Key OpClasses::keyOf(const Op& op)
{
    const std::size_t flags = (op.transposed ? 1U : 0U) | (op.accumulate ? 2U : 0U);
    return { packed({ static_cast<std::size_t>(op.kind), op.role.index(), flags, static_cast<std::size_t>(op.tensor),
                 op.out.index(), op.in[0].index(), op.in[1].index(), op.in[2].index() }),
        packed({ 0, 0, op.barrier.index(), op.wait.index() }) | op.line };
}

OpClasses::Slot& OpClasses::slotOf(const Key& key)
{
    const std::size_t mask = m_slots.size() - 1;
    std::size_t at = ((key[0] ^ (key[1] * 0x9e3779b97f4a7c15ULL)) * 0xff51afd7ed558ccdULL) >> 32U & mask;
    while (m_slots[at].index != unused && m_slots[at].key != key)
        at = (at + 1) & mask;
    return m_slots[at];
}

void OpClasses::grow()
{
    std::vector<Slot> before(2 * m_slots.size());
    before.swap(m_slots);
    for (const Slot& slot : before)
        if (slot.index != unused)
            slotOf(slot.key) = slot;
}

std::size_t OpClasses::indexOf(const Op& op)
{
    const Key key = keyOf(op);
    Slot* slot = &slotOf(key);
    if (slot->index != unused)
        return slot->index;
    if (2 * (m_classes.size() + 1) > m_slots.size()) {
        grow();
        slot = &slotOf(key);
    }
    *slot = { key, m_classes.size() };
    m_classes.push_back(
        { op.kind, labelOf(m_program, op), m_program.sourceOf(op.line), m_program.roles[op.role.index()].name });
    return slot->index;
}

} // namespace flashstep
