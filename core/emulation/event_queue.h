// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/id.h"

#include <array>
#include <bit>
#include <cstdint>
#include <queue>
#include <vector>

namespace flashstep {

// What is due when: earliest cycle first; of those at one cycle, the one that was scheduled first. Never by pointer or
// thread. Nearly everything falls due within a few thousand cycles, so each of the next cycles has a list of its own
// and both ends cost nothing to reach; what lies further off waits in a heap until its cycle comes within the window.
// The lists' nodes are used again and again, so that all of them stay in the processor's cache.
template <typename Item> class EventQueue {
public:
    [[nodiscard]] bool empty() const { return m_near == 0 && m_far.empty(); }
    [[nodiscard]] Cycle now() const { return m_now; }

    // `cycle` is not before now().
    void push(Cycle cycle, const Item& item)
    {
        if (cycle - m_now < window)
            pushNear(cycle, item);
        else
            m_far.push({ cycle, m_sequence++, item });
    }

    // Moves now() to the earliest item's cycle and takes that item out. Not to be called when empty.
    Item pop()
    {
        List* list = &m_lists[slotOf(m_now)];
        if (list->first == none) {
            clearBit(m_now);
            advance();
            list = &m_lists[slotOf(m_now)];
        }
        --m_near;
        const std::uint32_t taken = list->first;
        Node& node = m_nodes[taken];
        list->first = node.next;
        node.next = m_unused;
        m_unused = taken;
        return node.item;
    }

    // What pop() takes next where that is due at now() too, else nullptr: to have it fetched from memory meanwhile.
    [[nodiscard]] const Item* following() const
    {
        const std::uint32_t first = m_lists[slotOf(m_now)].first;
        return first == none ? nullptr : &m_nodes[first].item;
    }

private:
    static constexpr Cycle window = 4096; // cycles; a power of two
    static constexpr std::size_t words = window / 64;
    static constexpr std::uint32_t none = 0xffffffffU;

    static std::size_t slotOf(Cycle cycle) { return static_cast<std::size_t>(cycle) % window; }
    void setBit(Cycle cycle) { m_used[slotOf(cycle) / 64] |= std::uint64_t { 1 } << (slotOf(cycle) % 64); }
    void clearBit(Cycle cycle) { m_used[slotOf(cycle) / 64] &= ~(std::uint64_t { 1 } << (slotOf(cycle) % 64)); }

    void pushNear(Cycle cycle, const Item& item)
    {
        List& list = m_lists[slotOf(cycle)];
        const std::uint32_t added = newNode(item);
        if (list.first == none)
            list.first = added;
        else
            m_nodes[list.last].next = added;
        list.last = added;
        setBit(cycle);
        ++m_near;
    }

    std::uint32_t newNode(const Item& item)
    {
        if (m_unused == none) {
            m_nodes.push_back({ item, none });
            return static_cast<std::uint32_t>(m_nodes.size() - 1);
        }
        const std::uint32_t node = m_unused;
        m_unused = m_nodes[node].next;
        m_nodes[node] = { item, none };
        return node;
    }

    void advance()
    {
        m_now = m_near > 0 ? nextUsed() : m_far.top().cycle;
        // Far items were scheduled before any that reach the same cycle directly, since its list was out of reach then.
        while (!m_far.empty() && m_far.top().cycle - m_now < window) {
            pushNear(m_far.top().cycle, m_far.top().item);
            m_far.pop();
        }
    }

    // The first cycle after now() with a list that holds something; there is one within the window.
    [[nodiscard]] Cycle nextUsed() const
    {
        const std::size_t from = slotOf(m_now + 1);
        std::size_t word = from / 64;
        std::uint64_t bits = m_used[word] & (~std::uint64_t { 0 } << (from % 64));
        while (bits == 0) {
            word = (word + 1) % words;
            bits = m_used[word];
        }
        const std::size_t slot = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
        return m_now + 1 + static_cast<Cycle>((slot + window - from) % window);
    }

    struct Far {
        Cycle cycle = 0;
        std::uint64_t sequence = 0;
        Item item;
        bool operator<(const Far& other) const
        {
            return cycle != other.cycle ? cycle > other.cycle : sequence > other.sequence;
        } // top: earliest
    };
    struct Node {
        Item item;
        std::uint32_t next = none;
    };
    struct List {
        std::uint32_t first = none, last = none;
    };

    std::array<List, window> m_lists;
    std::array<std::uint64_t, words> m_used {};
    std::vector<Node> m_nodes;
    std::uint32_t m_unused = none; // nodes to use again, the newest first
    std::priority_queue<Far> m_far;
    std::uint64_t m_sequence = 0;
    std::size_t m_near = 0; // items in the lists
    Cycle m_now = 0;
};

} // namespace flashstep
