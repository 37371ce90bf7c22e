// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/emulator.h"
#include "core/emulation/engines.h"
#include "core/emulation/memory_system.h"
#include "core/trace/trace_builder.h"

namespace flashstep {

// The GPU while a program runs on it: what each op costs, which engines are free when, what L2 holds. Books ops and
// leaves the bookings in the trace; knows nothing of roles, barriers or order.
class Machine {
public:
    Machine(const Program& program, const GpuSpec& gpu, const EmulationOptions& options, TraceBuilder& trace);

    struct Place {
        WorkId work;
        int sm = 0;
        int rank = 0; // of the CTA in its cluster
        int peerSm = 0; // where the other CTA of the cluster is
    };
    struct Booked {
        Cycle issued = 0; // an asynchronous op holds its role until then
        Cycle done = 0; // the last of its engines, without the op's latency
    };
    // Books the op's engines from `now` on.
    Booked book(const Place& place, OpId op, Cycle now);
    // A rescale that no warp asked for: the vote alone.
    [[nodiscard]] Cycle vote(Cycle now) const
    {
        return now + std::max<Cycle>(1, static_cast<Cycle>(m_gpu.smemLatency));
    }
    // A copy lands in SMEM: here, and in the other CTA of a cluster.
    void bookLanding(const Place& place, OpId op, Cycle now);
    void bookArriving(int sm, OpId op, Cycle now);
    // What is left in L2 counts as written.
    void flush() { m_trace.hbm(0, static_cast<double>(m_memory.leftWritten()) * m_shownPerWritten); }

    [[nodiscard]] Cycle latency(WorkId work, OpId op) const; // stretched by the jitter
    [[nodiscard]] Cycle waitLatency(OpId op) const { return cycles(m_costs[op.index()].latency); }

private:
    static Cycle cycles(Ticks ticks) { return (ticks + ticksPerCycle - 1) / ticksPerCycle; }
    Ticks bookOne(const Place& place, OpId op, Engine engine, Ticks busy, Ticks from);
    Ticks bookMemory(const Place& place, OpId op, Cycle now);
    void computeCosts();

    const Program& m_program;
    const GpuSpec& m_gpu;
    const EmulationOptions& m_options;
    TraceBuilder& m_trace;
    Engines m_engines;
    MemorySystem m_memory;
    std::vector<OpCost> m_costs; // by op
    double m_shownPerWritten = 1;
};

// What one execution of an op adds to the busy cycles of each engine, all quarters counted; HBM apart.
void addBusy(const Program& program, const Op& op, const OpCost& cost, std::array<double, engineCount>& busy);

} // namespace flashstep
