// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hardware/cost.h"
#include "core/program/engine.h"

#include <algorithm>
#include <array>
#include <vector>

namespace flashstep {

// When each engine of each SM is free again, in ticks. First come, first served, but for the engines that whoever is at
// work takes turns at, an instruction or a line of memory at a time.
class Engines {
public:
    static constexpr int quarters = 4; // sub-partitions of an SM

    explicit Engines(int sms)
        : m_free(static_cast<std::size_t>(sms) * engineCount * quarters)
        , m_warps(static_cast<std::size_t>(sms) * 2 * quarters)
        , m_ports(static_cast<std::size_t>(sms))
    {
    }
    // Engines that every quarter has its own of; the others serve the whole SM (HBM: the GPU).
    static bool perQuarter(Engine e)
    {
        return e == Engine::Tensor || e == Engine::Exp || e == Engine::Alu || e == Engine::Issue;
    }
    // The scheduler of a quarter goes round its warps, and the ALU behind it; the port of shared memory round those who
    // have asked.
    static bool takesTurns(Engine e) { return e == Engine::Issue || e == Engine::Alu || e == Engine::Smem; }

    // Takes turns from `from` on: done when all that was asked for by then is, or when it has had its own share and
    // each other one at work as much. Of a warpgroup (quarter -1), the last of its quarters. When that is.
    Ticks share(int sm, int quarter, Engine e, Ticks busy, Ticks from)
    {
        if (e == Engine::Smem) {
            Ticks& free = freeOf(sm, 0, e);
            free = std::max(free, from) + busy;
            return m_ports[static_cast<std::size_t>(sm)].take(busy, from, free);
        }
        Ticks done = from;
        for (int q = std::max(quarter, 0); q < (quarter < 0 ? quarters : quarter + 1); ++q) {
            Ticks& free = freeOf(sm, q, e);
            free = std::max(free, from) + busy;
            const std::size_t at = static_cast<std::size_t>(sm * 2 + (e == Engine::Alu ? 1 : 0)) * quarters;
            done = std::max(done, m_warps[at + static_cast<std::size_t>(q)].take(busy, from, free));
        }
        return done;
    }

    // Keeps the engine busy from `from` on, or from when it is free; of a warpgroup (quarter -1) all four at once. When
    // that begins.
    Ticks book(int sm, int quarter, Engine e, Ticks busy, Ticks from)
    {
        if (quarter >= 0 || !perQuarter(e)) {
            Ticks& free = freeOf(sm, std::max(quarter, 0), e);
            const Ticks begin = std::max(from, free);
            free = begin + busy;
            return begin;
        }
        Ticks begin = from;
        for (int q = 0; q < quarters; ++q)
            begin = std::max(begin, freeOf(sm, q, e));
        for (int q = 0; q < quarters; ++q)
            freeOf(sm, q, e) = begin + busy;
        return begin;
    }
    // The engines of two SMs at once, all four quarters of each: a product of a pair of CTAs.
    Ticks bookPair(int sm, int peer, Engine e, Ticks busy, Ticks from)
    {
        Ticks begin = from;
        for (const int s : { sm, peer })
            for (int q = 0; q < quarters; ++q)
                begin = std::max(begin, freeOf(s, q, e));
        for (const int s : { sm, peer })
            for (int q = 0; q < quarters; ++q)
                freeOf(s, q, e) = begin + busy;
        return begin;
    }
    // The same without waiting for each other: what takes bandwidth from an engine pushes back what comes next there.
    void delay(int sm, int quarter, Engine e, Ticks busy, Ticks from)
    {
        for (int q = std::max(quarter, 0); q < (quarter < 0 ? quarters : quarter + 1); ++q) {
            Ticks& free = freeOf(sm, q, e);
            free = std::max(free, from) + busy;
        }
    }

private:
    // Who is at work on an engine that takes turns: when each of them is done. What they cannot account for of the work
    // that is left (it was asked for beside somebody who was promised an earlier end) is done first. More than that at
    // once are served in the order in which they come. Nobody asks for a time before the last one's.
    template <std::size_t most> struct Turns {
        std::array<Ticks, most> done {};
        std::size_t count = 0;

        Ticks take(Ticks busy, Ticks from, Ticks all)
        {
            Ticks mine = from + busy;
            Ticks left = all - mine;
            for (std::size_t k = 0; k < count;) {
                if (done[k] <= from) {
                    done[k] = done[--count];
                    continue;
                }
                mine += busy;
                left -= done[k++] - from;
            }
            mine = count == most ? all : std::min(mine + std::max<Ticks>(left, 0), all);
            (count == most ? *std::min_element(done.begin(), done.end()) : done[count++]) = mine;
            return mine;
        }
    };

    static std::size_t indexOf(int sm, int quarter, Engine e)
    {
        const auto base = (static_cast<std::size_t>(sm) * engineCount + static_cast<std::size_t>(e)) * quarters;
        return base + (perQuarter(e) ? static_cast<std::size_t>(quarter) : 0);
    }
    Ticks& freeOf(int sm, int quarter, Engine e)
    {
        return e == Engine::Hbm ? m_hbmFree : m_free[indexOf(sm, quarter, e)];
    }

    std::vector<Ticks> m_free;
    std::vector<Turns<8>> m_warps; // by SM, issue or ALU, and quarter
    std::vector<Turns<16>> m_ports; // of shared memory, by SM
    Ticks m_hbmFree = 0;
};

} // namespace flashstep
