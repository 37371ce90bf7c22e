// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/id.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace flashstep {

// L2 in front of HBM: keeps the pieces of tensors used last, whole, up to its capacity; writes stay until they have to
// make room. Pieces are what ops move (a warp's rows of a tile), named by a key the caller makes: those
// moved one after the other best by keys that follow on each other.
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
        std::uint32_t& known = entryOf(key, m_touched);
        if (known == none) {
            known = newPiece(key, bytes);
            m_used += bytes;
            traffic.read = writes ? 0 : bytes; // a whole piece is written at once: nothing to fetch first
        } else if (known != m_newest) {
            unlink(known);
            linkAsNewest(known);
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
        Piece& oldest = m_pieces[index];
        entryOf(oldest.key, m_givenUp) = none;
        unlink(index);
        oldest.older = m_unused;
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

    // ---- by key: neighbours stand side by side, since they mostly come one after the other --------------------------

    struct Page {
        Page() { entries.fill(none); }
        std::array<std::uint32_t, 1024> entries; // into m_pieces
    };
    struct PageAt { // the one looked at last
        std::uint64_t number = ~std::uint64_t { 0 };
        Page* page = nullptr;
    };
    std::uint32_t& entryOf(std::uint64_t key, PageAt& last)
    {
        constexpr std::uint64_t size = std::tuple_size_v<decltype(Page::entries)>;
        if (key / size != last.number) {
            std::unique_ptr<Page>& page = m_pages[key / size];
            if (!page)
                page = std::make_unique<Page>();
            last = { key / size, page.get() };
        }
        return last.page->entries[key % size];
    }

    Bytes m_capacity;
    Bytes m_used = 0, m_dirty = 0;
    std::vector<Piece> m_pieces;
    std::uint32_t m_newest = none, m_oldest = none;
    std::uint32_t m_unused = none; // entries to use again, linked by `older`
    std::size_t m_count = 0;
    std::unordered_map<std::uint64_t, std::unique_ptr<Page>> m_pages;
    PageAt m_touched, m_givenUp;
};

} // namespace flashstep
