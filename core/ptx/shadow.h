// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace flashstep::ptx {

// Who touched a stretch of memory and when, as far as races need it: for every two bytes the last write, and the reads
// since that nobody's later access is known to have followed.
struct Toucher {
    std::uint32_t cta = 0;
    std::uint32_t thread = 0;
    std::uint32_t time = 0; // of the thread's clock; 0: nobody
    std::uint32_t pc = 0;
    std::uint8_t bytes = 0; // which of the two
    bool strong = false; // an atomic, or volatile or relaxed: two such do not race
    std::uint64_t step = 0; // of the machine, to tell lanes of one instruction
};

struct ShadowCell {
    Toucher writer;
    Toucher reader; // one of them; more stand in Shadow::more
    std::uint32_t more = 0; // 0: none
    std::uint32_t copy = 0; // a copy in flight writes here: its number + 1
    std::uint8_t written = 0; // which bytes have ever been
};

class Shadow {
public:
    Shadow() = default;
    // `written`: all counts as written, as a buffer that was given.
    Shadow(std::uint64_t bytes, bool written)
        : m_cells((bytes + 1) / 2)
    {
        if (written) {
            for (ShadowCell& cell : m_cells)
                cell.written = 3;
        }
    }
    [[nodiscard]] std::size_t size() const { return m_cells.size(); }
    ShadowCell& at(std::uint64_t offset) { return m_cells[offset / 2]; }
    std::vector<Toucher>& moreOf(ShadowCell& cell)
    {
        if (cell.more == 0) {
            m_more.emplace_back();
            cell.more = static_cast<std::uint32_t>(m_more.size());
        }
        return m_more[cell.more - 1];
    }
    // A later launch: what was is over, but stays written.
    void forget()
    {
        for (ShadowCell& cell : m_cells)
            cell = ShadowCell { {}, {}, 0, 0, cell.written };
        m_more.clear();
    }

private:
    std::vector<ShadowCell> m_cells;
    std::vector<std::vector<Toucher>> m_more;
};

} // namespace flashstep::ptx
