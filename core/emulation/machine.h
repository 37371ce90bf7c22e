// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/emulator.h"
#include "core/emulation/engines.h"
#include "core/emulation/memory_system.h"
#include "core/trace/trace_builder.h"

#include <array>
#include <compare>
#include <vector>

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
    // At the end of the run: how busy the engines were, and what is left in L2 counts as written.
    void flush();

    [[nodiscard]] Cycle latency(WorkId work, OpId op) const; // stretched by the jitter
    [[nodiscard]] Cycle waitLatency(OpId op) const { return cycles(chargeOf(op).latency); }

private:
    // What the loop needs of an op's cost. Ops that cost the same share one, so that all of them stay in the
    // processor's cache, however many blocks there are.
    struct Charge {
        struct OnEngine {
            Engine engine = Engine::Issue;
            Ticks busy = 0;
            auto operator<=>(const OnEngine&) const = default;
        };
        std::array<OnEngine, 4> bookings {};
        std::uint8_t count = 0;
        bool pair = false; // books the engines of two SMs
        std::int8_t quarter = 0; // whose engines; -1: all four
        std::int8_t roleQuarter = 0; // where its role runs
        Ticks issue = 0, latency = 0, contention = 0, landing = 0;
        double memoryBytes = 0, shownBytes = 0;
        auto operator<=>(const Charge&) const = default;
    };
    static Cycle cycles(Ticks ticks) { return (ticks + ticksPerCycle - 1) / ticksPerCycle; }
    [[nodiscard]] const Charge& chargeOf(OpId op) const { return m_charges[m_chargeOf[op.index()]]; }
    [[nodiscard]] Charge charge(const Work& work, const Op& op) const;
    void addBusy(Engine engine, Ticks ticks) { m_busy[static_cast<std::size_t>(engine)] += ticks; }
    Ticks bookOne(const Place& place, OpId op, Engine engine, Ticks busy, Ticks from);
    Ticks bookMemory(const Place& place, OpId op, Cycle now);
    void computeCharges();

    const Program& m_program;
    const GpuSpec& m_gpu;
    const EmulationOptions& m_options;
    TraceBuilder& m_trace;
    Engines m_engines;
    MemorySystem m_memory;
    std::vector<Charge> m_charges; // each once
    std::vector<std::uint32_t> m_chargeOf; // by op
    std::array<Ticks, engineCount> m_busy {};
    double m_shownPerWritten = 1;
};

// What one execution of an op adds to the busy cycles of each engine, all quarters counted; HBM apart.
void addBusy(const Program& program, const Op& op, const OpCost& cost, std::array<double, engineCount>& busy);

} // namespace flashstep
