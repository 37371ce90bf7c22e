// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/id.h"
#include "core/hardware/spec.h"
#include "core/ptx/access.h"
#include "core/ptx/code.h"

#include <array>
#include <set>

namespace flashstep::ptx {

// The time instructions take on one SM, from the same figures as the schedules' (hardware/spec.h), instruction by
// instruction: a warp issues in order, an instruction waits for its operands (scoreboard), for a slot of its quarter's
// scheduler and for its unit. Modelled; what it leaves out: docs/kernel-time.md.
class SmClock {
public:
    explicit SmClock(const GpuSpec* gpu);

    struct Booked {
        Cycle issued = 0; // the warp's next instruction may go one later
        Cycle done = 0; // its results are there
    };
    // `earliest`: the warp has come to it and its operands are there.
    Booked book(const Instruction& i, std::uint32_t warp, const Touched& touched, Cycle earliest);
    [[nodiscard]] Cycle barrierLatency() const { return m_barrier; }
    // Shared memory accesses are split so that no bank is asked twice at a time: how often, of the last booking.
    [[nodiscard]] int wavefronts() const { return m_wavefronts; }

private:
    struct Cost {
        Cycle busy = 0; // of the unit, for one warp
        Cycle latency = 0; // of the result, from issue
        bool perQuarter = true;
    };
    [[nodiscard]] Cycle sharedTime(const Touched& touched);
    [[nodiscard]] Cycle globalTime(const Touched& touched, Cycle& latency);

    std::array<Cost, 12> m_cost {}; // by Unit
    std::array<Cycle, 4> m_slot {}; // next issue, by quarter
    std::array<std::array<Cycle, 4>, 12> m_free {}; // by unit and quarter
    double m_sharedBytes = 128, m_globalBytes = 64;
    Cycle m_l2 = 0, m_hbm = 0, m_barrier = 0, m_copy = 0;
    int m_wavefronts = 0;
    std::set<std::uint64_t> m_lines; // of 128 bytes that have come from memory
};

// Bank conflicts of one access of a warp: how many times the 32 banks of 4 bytes have to be read or written. Lanes that
// ask for the same word share; accesses of 8 and 16 bytes go by halves and quarters of the warp.
[[nodiscard]] int wavefrontsOf(const Touched& touched);

} // namespace flashstep::ptx
