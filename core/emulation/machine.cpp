// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/machine.h"

#include <algorithm>

namespace flashstep {

Machine::Machine(const Program& program, const GpuSpec& gpu, const EmulationOptions& options, TraceBuilder& trace)
    : m_program(program)
    , m_gpu(gpu)
    , m_options(options)
    , m_trace(trace)
    , m_engines(static_cast<int>(gpu.sms))
    , m_memory(program, gpu)
{
    computeCosts();
}

// Works of one stream cost the same, so an op is priced once.
void Machine::computeCosts()
{
    m_costs.resize(m_program.ops.size());
    std::vector<bool> priced(m_program.streams.size());
    for (const Work& work : m_program.works) {
        if (priced[work.stream.index()])
            continue;
        for (int position = 0; position < m_program.launches[work.launch].ringPositions; ++position) {
            const std::size_t at = work.stream.index() + static_cast<std::size_t>(position);
            priced[at] = true;
            const Stream& stream = m_program.streams[at];
            for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k)
                m_costs[k] = costOf(m_gpu, m_program, work, m_program.ops[k], m_options.swizzled);
        }
    }
}

Cycle Machine::latency(WorkId work, OpId op) const
{
    const Ticks ticks = m_costs[op.index()].latency;
    if (m_options.jitterSeed == 0 || ticks == 0)
        return cycles(ticks);
    // A number from 0 to 1 that depends on the seed and on what is delayed, and on nothing else.
    std::uint64_t x = (std::uint64_t { m_options.jitterSeed } << 40U) ^ (work.index() << 20U) ^ op.index();
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
    x ^= x >> 31U;
    return cycles(ticks + static_cast<Ticks>(static_cast<std::uint64_t>(ticks) * (x >> 48U) >> 17U));
}

Ticks Machine::bookOne(const Place& place, OpId op, Engine engine, Ticks busy, Ticks from)
{
    const int quarter = m_program.quarterOf(m_program.op(op));
    const bool pair = m_program.op(op).kind == OpKind::Mma && m_program.op(op).reach == Reach::Both;
    Ticks begin = from, end = from;
    if (Engines::takesTurns(engine)) {
        end = m_engines.share(place.sm, quarter, engine, busy, from);
        if (pair)
            end = std::max(end, m_engines.share(place.peerSm, quarter, engine, busy, from));
    } else {
        begin = pair ? m_engines.bookPair(place.sm, place.peerSm, engine, busy, from)
                     : m_engines.book(place.sm, quarter, engine, busy, from);
        end = begin + busy;
    }
    const Cycle beginCycle = begin / ticksPerCycle;
    m_trace.hop(place.work, op, engine, beginCycle, cycles(end) - beginCycle);
    const int count = (quarter < 0 && Engines::perQuarter(engine) ? Engines::quarters : 1) * (pair ? 2 : 1);
    m_trace.busy(engine, static_cast<double>(busy * count) / ticksPerCycle);
    return end;
}

Machine::Booked Machine::book(const Place& place, OpId op, Cycle nowCycle)
{
    const OpCost& cost = m_costs[op.index()];
    const Ticks now = nowCycle * ticksPerCycle;
    Ticks done = now;
    Cycle issued = nowCycle + std::max<Cycle>(1, cycles(cost.issue));
    for (std::uint8_t k = 0; k < cost.bookingCount; ++k) {
        const Engine engine = cost.bookings[k].engine;
        Ticks busy = cost.bookings[k].busy;
        while (k + 1 < cost.bookingCount && cost.bookings[k + 1].engine == engine)
            busy += cost.bookings[++k].busy; // both operands through one port
        const Ticks ends = bookOne(place, op, engine, busy, now);
        if (engine == Engine::Issue)
            issued = std::max(issued, cycles(ends));
        done = std::max(done, ends);
    }
    if (cost.memoryBytes > 0)
        done = std::max(done, bookMemory(place, op, nowCycle));
    if (cost.contention > 0) {
        const int quarter = m_program.roles[m_program.op(op).role.index()].quarter;
        m_engines.delay(place.sm, quarter, Engine::Tensor, cost.contention, now);
        m_trace.busy(Engine::Registers,
            static_cast<double>(cost.contention * (quarter < 0 ? Engines::quarters : 1)) / ticksPerCycle);
    }
    return { issued, cycles(done) };
}

void Machine::bookLanding(const Place& place, OpId op, Cycle now)
{
    if (const Ticks landing = m_costs[op.index()].landing; landing > 0)
        bookOne(place, op, Engine::Smem, landing, now * ticksPerCycle);
}

void Machine::bookArriving(int sm, OpId op, Cycle now)
{
    const Ticks landing = m_costs[op.index()].landing;
    if (landing == 0)
        return;
    m_engines.share(sm, 0, Engine::Smem, landing, now * ticksPerCycle);
    m_trace.busy(Engine::Smem, static_cast<double>(landing) / ticksPerCycle);
}

// What misses L2, or has to make room there, goes over the HBM bus.
Ticks Machine::bookMemory(const Place& place, OpId id, Cycle nowCycle)
{
    const OpCost& cost = m_costs[id.index()];
    const Op& op = m_program.op(id);
    const Ticks now = nowCycle * ticksPerCycle;
    if (m_options.warmKeys && (op.tensor == TensorId::K || op.tensor == TensorId::V))
        return now;
    const L2Cache::Traffic traffic = m_memory.access(m_program.work(place.work), op, place.rank, cost.memoryBytes);
    const double shown = cost.shownBytes / cost.memoryBytes;
    if (op.kind == OpKind::Store)
        m_shownPerWritten = shown;
    m_trace.hbm(static_cast<double>(traffic.read) * shown, static_cast<double>(traffic.written) * shown);
    const double bytes = static_cast<double>(traffic.read + traffic.written);
    if (bytes == 0)
        return now;
    const double busy = bytes * m_gpu.clockMhz / (m_gpu.hbmGBps * 1e3) * ticksPerCycle; // bytes / (GB/s) in cycles
    return bookOne(place, id, Engine::Hbm, static_cast<Ticks>(busy) + 1, now);
}

void addBusy(const Program& program, const Op& op, const OpCost& cost, std::array<double, engineCount>& busy)
{
    const bool warpgroup = program.quarterOf(op) < 0;
    const int ctas = op.kind == OpKind::Mma && op.reach == Reach::Both ? 2 : 1;
    const auto add = [&](Engine engine, Ticks ticks, int times) {
        busy[static_cast<std::size_t>(engine)] += static_cast<double>(ticks * times) / ticksPerCycle;
    };
    for (std::uint8_t k = 0; k < cost.bookingCount; ++k) {
        const Booking& booking = cost.bookings[k];
        add(booking.engine, booking.busy,
            (warpgroup && Engines::perQuarter(booking.engine) ? Engines::quarters : 1) * ctas);
    }
    add(Engine::Smem, cost.landing, op.reach == Reach::Both ? 2 : 1);
    add(Engine::Registers, cost.contention, warpgroup ? Engines::quarters : 1);
}

} // namespace flashstep
