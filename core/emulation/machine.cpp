// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/machine.h"

#include <algorithm>
#include <map>

namespace flashstep {

Machine::Machine(const Program& program, const GpuSpec& gpu, const EmulationOptions& options, TraceBuilder& trace)
    : m_program(program)
    , m_gpu(gpu)
    , m_options(options)
    , m_trace(trace)
    , m_engines(static_cast<int>(gpu.sms))
    , m_memory(program, gpu)
{
    computeCharges();
}

// Works of one stream cost the same, so an op is priced once.
void Machine::computeCharges()
{
    m_chargeOf.resize(m_program.ops.size());
    std::map<Charge, std::uint32_t> known;
    std::vector<bool> priced(m_program.streams.size());
    for (const Work& work : m_program.works) {
        if (priced[work.stream.index()])
            continue;
        for (int position = 0; position < m_program.launches[work.launch].ringPositions; ++position) {
            const std::size_t at = work.stream.index() + static_cast<std::size_t>(position);
            priced[at] = true;
            const Stream& stream = m_program.streams[at];
            for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
                const Charge charged = charge(work, m_program.ops[k]);
                const auto [entry, isNew] = known.emplace(charged, static_cast<std::uint32_t>(m_charges.size()));
                if (isNew)
                    m_charges.push_back(charged);
                m_chargeOf[k] = entry->second;
            }
        }
    }
}

Machine::Charge Machine::charge(const Work& work, const Op& op) const
{
    const OpCost cost = costOf(m_gpu, m_program, work, op, m_options.swizzled);
    Charge charged;
    for (std::uint8_t k = 0; k < cost.bookingCount; ++k) {
        const Booking& booking = cost.bookings[k];
        if (charged.count > 0 && charged.bookings[charged.count - 1U].engine == booking.engine)
            charged.bookings[charged.count - 1U].busy += booking.busy; // both operands through one port
        else
            charged.bookings[charged.count++] = { booking.engine, booking.busy };
    }
    charged.pair = op.kind == OpKind::Mma && op.reach == Reach::Both;
    charged.quarter = static_cast<std::int8_t>(m_program.quarterOf(op));
    charged.roleQuarter = static_cast<std::int8_t>(m_program.roles[op.role.index()].quarter);
    charged.issue = cost.issue;
    charged.latency = cost.latency;
    charged.contention = cost.contention;
    charged.landing = cost.landing;
    charged.memoryBytes = cost.memoryBytes;
    charged.shownBytes = cost.shownBytes;
    return charged;
}

void Machine::flush()
{
    for (std::size_t e = 0; e < engineCount; ++e)
        m_trace.busy(static_cast<Engine>(e), static_cast<double>(m_busy[e]) / ticksPerCycle);
    m_trace.hbm(0, static_cast<double>(m_memory.leftWritten()) * m_shownPerWritten);
}

Cycle Machine::latency(WorkId work, OpId op) const
{
    const Ticks ticks = chargeOf(op).latency;
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
    const Charge& charge = chargeOf(op);
    Ticks begin = from, end = from;
    if (Engines::takesTurns(engine)) {
        end = m_engines.share(place.sm, charge.quarter, engine, busy, from);
        if (charge.pair)
            end = std::max(end, m_engines.share(place.peerSm, charge.quarter, engine, busy, from));
    } else {
        begin = charge.pair ? m_engines.bookPair(place.sm, place.peerSm, engine, busy, from)
                            : m_engines.book(place.sm, charge.quarter, engine, busy, from);
        end = begin + busy;
    }
    const Cycle beginCycle = begin / ticksPerCycle;
    m_trace.hop(place.work, op, engine, beginCycle, cycles(end) - beginCycle);
    const int count
        = (charge.quarter < 0 && Engines::perQuarter(engine) ? Engines::quarters : 1) * (charge.pair ? 2 : 1);
    addBusy(engine, busy * count);
    return end;
}

Machine::Booked Machine::book(const Place& place, OpId op, Cycle nowCycle)
{
    const Charge& charge = chargeOf(op);
    const Ticks now = nowCycle * ticksPerCycle;
    Ticks done = now;
    Cycle issued = nowCycle + std::max<Cycle>(1, cycles(charge.issue));
    for (std::uint8_t k = 0; k < charge.count; ++k) {
        const auto [engine, busy] = charge.bookings[k];
        const Ticks ends = bookOne(place, op, engine, busy, now);
        if (engine == Engine::Issue)
            issued = std::max(issued, cycles(ends));
        done = std::max(done, ends);
    }
    if (charge.memoryBytes > 0)
        done = std::max(done, bookMemory(place, op, nowCycle));
    if (charge.contention > 0) {
        m_engines.delay(place.sm, charge.roleQuarter, Engine::Tensor, charge.contention, now);
        addBusy(Engine::Registers, charge.contention * (charge.roleQuarter < 0 ? Engines::quarters : 1));
    }
    return { issued, cycles(done) };
}

void Machine::bookLanding(const Place& place, OpId op, Cycle now)
{
    if (const Ticks landing = chargeOf(op).landing; landing > 0)
        bookOne(place, op, Engine::Smem, landing, now * ticksPerCycle);
}

void Machine::bookArriving(int sm, OpId op, Cycle now)
{
    const Ticks landing = chargeOf(op).landing;
    if (landing == 0)
        return;
    m_engines.share(sm, 0, Engine::Smem, landing, now * ticksPerCycle);
    addBusy(Engine::Smem, landing);
}

// What misses L2, or has to make room there, goes over the HBM bus.
Ticks Machine::bookMemory(const Place& place, OpId id, Cycle nowCycle)
{
    const Charge& cost = chargeOf(id);
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
