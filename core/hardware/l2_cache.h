// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/id.h"

#include <cstdint>
#include <list>
#include <unordered_map>

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
    struct Piece {
        std::uint64_t key = 0;
        Bytes bytes = 0;
        bool dirty = false;
    };

    Traffic touch(std::uint64_t key, Bytes bytes, bool writes)
    {
        Traffic traffic;
        const auto known = m_byKey.find(key);
        if (known != m_byKey.end()) {
            m_pieces.splice(m_pieces.begin(), m_pieces, known->second);
        } else {
            m_pieces.push_front({ key, bytes, false });
            m_byKey.emplace(key, m_pieces.begin());
            m_used += bytes;
            traffic.read = writes ? 0 : bytes; // a whole piece is written at once: nothing to fetch first
        }
        Piece& piece = m_pieces.front();
        if (writes && !piece.dirty) {
            piece.dirty = true;
            m_dirty += piece.bytes;
        }
        while (m_used > m_capacity && m_pieces.size() > 1) {
            const Piece& oldest = m_pieces.back();
            m_used -= oldest.bytes;
            if (oldest.dirty) {
                traffic.written += oldest.bytes;
                m_dirty -= oldest.bytes;
            }
            m_byKey.erase(oldest.key);
            m_pieces.pop_back();
        }
        return traffic;
    }

    Bytes m_capacity;
    Bytes m_used = 0, m_dirty = 0;
    std::list<Piece> m_pieces; // used last first
    std::unordered_map<std::uint64_t, std::list<Piece>::iterator> m_byKey;
};

} // namespace flashstep
