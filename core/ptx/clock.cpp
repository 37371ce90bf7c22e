// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/clock.h"

#include <algorithm>
#include <cmath>

namespace flashstep::ptx {

namespace {

// Issue to use of a dependent result on the fp32 and integer pipes: 4 cycles on Ampere and Hopper, measured by
// microbenchmarks (arXiv 2208.11174, arXiv 2402.13499). The exponential unit's and the shuffle's are this model's
// guesses, near what the same papers give for their neighbours.
constexpr Cycle aluLatency = 4;
constexpr Cycle exponentialLatency = 18;
constexpr Cycle doubleLatency = 8;

Cycle up(double x)
{
    return std::max<Cycle>(1, static_cast<Cycle>(std::ceil(x)));
}
std::size_t at(Unit unit)
{
    return static_cast<std::size_t>(unit);
}

} // namespace

SmClock::SmClock(const GpuSpec* gpu)
{
    if (gpu == nullptr)
        return;
    const auto perQuarter = [](double lanesPerClk) { return up(32 / (lanesPerClk / 4)); };
    m_cost[at(Unit::Control)] = { 1, 1 };
    m_cost[at(Unit::Alu)] = { perQuarter(gpu->aluPerClk), aluLatency };
    m_cost[at(Unit::Fma)] = { perQuarter(gpu->fmaPerClk), aluLatency };
    m_cost[at(Unit::Half)] = { perQuarter(gpu->fmaPerClk), aluLatency };
    m_cost[at(Unit::Double)] = { perQuarter(gpu->fmaPerClk / 2), doubleLatency };
    m_cost[at(Unit::Exponential)] = { perQuarter(gpu->mufuPerClk), exponentialLatency };
    m_cost[at(Unit::Tensor)] = { up(gpu->mmaSyncCycles), up(gpu->mmaSyncLatency) };
    m_cost[at(Unit::Shared)] = { 1, up(gpu->smemLatency), false };
    m_cost[at(Unit::Shuffle)] = { 1, up(gpu->smemLatency), false };
    m_cost[at(Unit::Global)] = { 1, up(gpu->l2Latency), false };
    m_cost[at(Unit::Copy)] = { 1, up(gpu->copyLatency), false };
    m_cost[at(Unit::Barrier)] = { 1, 1 };
    m_sharedBytes = gpu->smemBytesPerClk;
    m_globalBytes = gpu->l2BytesPerClkPerSm;
    m_l2 = up(gpu->l2Latency);
    m_hbm = up(gpu->globalLatency);
    m_barrier = up(gpu->barrierLatency);
}

int wavefrontsOf(const Touched& touched)
{
    if (touched.mask == 0)
        return 0;
    // How many lanes go together: all 32 up to 4 bytes, 16 of 8 bytes, 8 of 16.
    const int together = touched.bytes <= 4 ? 32 : touched.bytes <= 8 ? 16 : 8;
    int total = 0;
    for (int first = 0; first < 32; first += together) {
        std::array<std::array<std::uint64_t, 32>, 32> words {}; // by bank: the words asked of it
        std::array<int, 32> counts {};
        for (int lane = first; lane < first + together; ++lane) {
            if ((touched.mask >> lane & 1U) == 0)
                continue;
            const std::uint64_t begin = touched.addresses[static_cast<std::size_t>(lane)] / 4;
            const std::uint64_t end
                = (touched.addresses[static_cast<std::size_t>(lane)] + std::max(1U, touched.bytes) + 3) / 4;
            for (std::uint64_t word = begin; word < end; ++word) {
                auto& asked = words[word % 32];
                int& count = counts[word % 32];
                if (std::find(asked.begin(), asked.begin() + count, word) == asked.begin() + count && count < 32)
                    asked[static_cast<std::size_t>(count++)] = word;
            }
        }
        total += *std::max_element(counts.begin(), counts.end());
    }
    return total;
}

Cycle SmClock::sharedTime(const Touched& touched)
{
    m_wavefronts = wavefrontsOf(touched);
    return up(m_wavefronts * 128 / m_sharedBytes);
}

// Whole sectors of 32 bytes travel; a line of 128 bytes that nobody has asked for yet comes from memory.
Cycle SmClock::globalTime(const Touched& touched, Cycle& latency)
{
    std::array<std::uint64_t, 64> sectors {};
    std::size_t count = 0;
    latency = m_l2;
    for (int lane = 0; lane < 32; ++lane) {
        if ((touched.mask >> lane & 1U) == 0)
            continue;
        const std::uint64_t address = touched.addresses[static_cast<std::size_t>(lane)];
        if (m_lines.insert(address / 128).second)
            latency = m_hbm;
        for (std::uint64_t s = address / 32; s <= (address + std::max(1U, touched.bytes) - 1) / 32; ++s) {
            if (std::find(sectors.begin(), sectors.begin() + static_cast<std::ptrdiff_t>(count), s)
                    == sectors.begin() + static_cast<std::ptrdiff_t>(count)
                && count < sectors.size())
                sectors[count++] = s;
        }
    }
    return up(static_cast<double>(count) * 32 / m_globalBytes);
}

SmClock::Booked SmClock::book(const Instruction& i, std::uint32_t warp, const Touched& touched, Cycle earliest)
{
    const std::size_t quarter = warp % 4;
    Cost cost = m_cost[at(i.unit)];
    m_wavefronts = 0;
    std::size_t unit = at(i.unit);
    if (touched.mask != 0 && touched.space == Space::Shared && i.unit != Unit::Copy) {
        cost = m_cost[at(Unit::Shared)];
        unit = at(Unit::Shared);
        cost.busy = sharedTime(touched);
        cost.latency += cost.busy - 1;
    } else if (touched.mask != 0 && (touched.space == Space::Global || touched.space == Space::Local)) {
        unit = at(Unit::Global);
        cost.perQuarter = false;
        Cycle latency = 0;
        cost.busy = globalTime(touched, latency);
        cost.latency = i.unit == Unit::Copy ? std::max(m_cost[at(Unit::Copy)].latency, latency) : latency;
        cost.latency += cost.busy - 1;
    } else if (i.unit == Unit::Shuffle)
        unit = at(Unit::Shared); // through the same port
    if (i.unit == Unit::Tensor && i.detail == 8)
        cost.busy = std::max<Cycle>(1, cost.busy / 2);
    Cycle& slot = m_slot[quarter];
    Cycle& free = m_free[unit][cost.perQuarter ? quarter : 0];
    const Cycle issued = std::max({ earliest, slot, free });
    slot = issued + 1;
    free = issued + cost.busy;
    return { issued, issued + std::max(cost.latency, cost.busy) };
}

} // namespace flashstep::ptx
