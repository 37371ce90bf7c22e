// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/id.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace flashstep {

// L2 in front of HBM: keeps the pieces of tensors used last, whole, up to its capacity; writes stay until they have to
// make room. Pieces are what ops move (a warp's rows of a tile), named by a key the caller makes.
class L2Cache {
public:
    explicit L2Cache(Bytes capacity)
        : m_capacity(capacity)
    {
    }

    struct Traffic {
        Bytes read = 0, written = 0; // between L2 and HBM
    };
    Traffic read(std::uint64_t key, Bytes bytes) { return touch(key, bytes, false); }
    Traffic write(std::uint64_t key, Bytes bytes) { return touch(key, bytes, true); }
    // Written, and still here.
    [[nodiscard]] Bytes dirty() const { return m_dirty; }

private:
    static constexpr std::uint32_t none = 0xffffffffU;
    struct Piece {
        std::uint64_t key = 0;
        Bytes bytes = 0;
        std::uint32_t newer = none, older = none; // by use
        bool dirty = false;
    };

    Traffic touch(std::uint64_t key, Bytes bytes, bool writes)
    {
        Traffic traffic;
        if (2 * (m_count + 1) > m_slots.size())
            growSlots();
        std::uint32_t& slot = m_slots[slotOf(key)];
        if (slot == none) {
            slot = newPiece(key, bytes);
            m_used += bytes;
            traffic.read = writes ? 0 : bytes; // a whole piece is written at once: nothing to fetch first
        } else if (slot != m_newest) {
            unlink(slot);
            linkAsNewest(slot);
        }
        Piece& piece = m_pieces[m_newest];
        if (writes && !piece.dirty) {
            piece.dirty = true;
            m_dirty += piece.bytes;
        }
        while (m_used > m_capacity && m_count > 1)
            traffic.written += giveUpOldest();
        return traffic;
    }

    // Bytes that have to be written for it.
    Bytes giveUpOldest()
    {
        const std::uint32_t index = m_oldest;
        const Piece oldest = m_pieces[index];
        freeSlot(slotOf(oldest.key));
        unlink(index);
        m_pieces[index].older = m_unused;
        m_unused = index;
        --m_count;
        m_used -= oldest.bytes;
        if (!oldest.dirty)
            return 0;
        m_dirty -= oldest.bytes;
        return oldest.bytes;
    }

    // ---- pieces, in the order in which they were used ---------------------------------------------------------------

    std::uint32_t newPiece(std::uint64_t key, Bytes bytes)
    {
        std::uint32_t index = m_unused;
        if (index == none) {
            index = static_cast<std::uint32_t>(m_pieces.size());
            m_pieces.emplace_back();
        } else {
            m_unused = m_pieces[index].older;
        }
        m_pieces[index] = { key, bytes, none, none, false };
        linkAsNewest(index);
        ++m_count;
        return index;
    }
    void linkAsNewest(std::uint32_t index)
    {
        m_pieces[index].newer = none;
        m_pieces[index].older = m_newest;
        (m_newest == none ? m_oldest : m_pieces[m_newest].newer) = index;
        m_newest = index;
    }
    void unlink(std::uint32_t index)
    {
        const Piece& piece = m_pieces[index];
        (piece.newer == none ? m_newest : m_pieces[piece.newer].older) = piece.older;
        (piece.older == none ? m_oldest : m_pieces[piece.older].newer) = piece.newer;
    }

    // ---- by key: a piece stands in the first free slot from the one its key asks for on -----------------------------

    [[nodiscard]] std::size_t homeOf(std::uint64_t key) const
    {
        key *= 0x9e3779b97f4a7c15ULL;
        return static_cast<std::size_t>(key ^ (key >> 32U)) & (m_slots.size() - 1);
    }
    // Where the key's piece is, or would go.
    [[nodiscard]] std::size_t slotOf(std::uint64_t key) const
    {
        std::size_t at = homeOf(key);
        while (m_slots[at] != none && m_pieces[m_slots[at]].key != key)
            at = (at + 1) & (m_slots.size() - 1);
        return at;
    }
    // What stands behind a freed slot moves up, unless it is where its key asked for already.
    void freeSlot(std::size_t freed)
    {
        const std::size_t mask = m_slots.size() - 1;
        for (std::size_t at = (freed + 1) & mask; m_slots[at] != none; at = (at + 1) & mask) {
            const std::size_t home = homeOf(m_pieces[m_slots[at]].key);
            if (((at - home) & mask) < ((at - freed) & mask))
                continue;
            m_slots[freed] = m_slots[at];
            freed = at;
        }
        m_slots[freed] = none;
    }
    void growSlots()
    {
        m_slots.assign(std::max<std::size_t>(64, 2 * m_slots.size()), none);
        for (std::uint32_t index = m_oldest; index != none; index = m_pieces[index].newer)
            m_slots[slotOf(m_pieces[index].key)] = index;
    }

    Bytes m_capacity;
    Bytes m_used = 0, m_dirty = 0;
    std::vector<Piece> m_pieces;
    std::uint32_t m_newest = none, m_oldest = none;
    std::uint32_t m_unused = none; // entries to use again, linked by `older`
    std::size_t m_count = 0;
    std::vector<std::uint32_t> m_slots; // into m_pieces; a power of two of them, at most half taken
};

} // namespace flashstep
