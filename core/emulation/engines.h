// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hardware/cost.h"
#include "core/program/engine.h"

#include <vector>

namespace flashstep {

// When each engine of each SM is free again, in ticks.
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

    Ticks& free(int sm, int quarter, Engine e)
    {
        if (e == Engine::Hbm)
            return m_hbmFree;
        const auto base = (static_cast<std::size_t>(sm) * engineCount + static_cast<std::size_t>(e)) * quarters;
        return m_free[base + (perQuarter(e) ? static_cast<std::size_t>(quarter) : 0)];
    }

private:
    std::vector<Ticks> m_free;
    Ticks m_hbmFree = 0;
};

} // namespace flashstep
