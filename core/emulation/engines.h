// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hardware/cost.h"
#include "core/program/engine.h"

#include <algorithm>
#include <vector>

namespace flashstep {

// When each engine of each SM is free again, in ticks. First come, first served.
class Engines {
public:
    static constexpr int quarters = 4; // sub-partitions of an SM

    explicit Engines(int sms)
        : m_free(static_cast<std::size_t>(sms) * engineCount * quarters)
    {
    }
    // Engines that every quarter has its own of; the others serve the whole SM (HBM: the GPU).
    static bool perQuarter(Engine e)
    {
        return e == Engine::Tensor || e == Engine::Exp || e == Engine::Alu || e == Engine::Issue;
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
    Ticks& freeOf(int sm, int quarter, Engine e)
    {
        if (e == Engine::Hbm)
            return m_hbmFree;
        const auto base = (static_cast<std::size_t>(sm) * engineCount + static_cast<std::size_t>(e)) * quarters;
        return m_free[base + (perQuarter(e) ? static_cast<std::size_t>(quarter) : 0)];
    }

    std::vector<Ticks> m_free;
    Ticks m_hbmFree = 0;
};

} // namespace flashstep
