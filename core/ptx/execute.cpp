// SPDX-License-Identifier: Apache-2.0
// One step of the machine: an instruction of a warp, with all that its lanes, its time and its checks come to.
#include "core/ptx/barrier_ops.h"
#include "core/ptx/machine.h"

#include <algorithm>

#include <fmt/format.h>

namespace flashstep::ptx {

namespace {

std::uint32_t guardMask(const Warp& warp, const Instruction& i)
{
    if (i.guard == none)
        return allLanes;
    return warp.predicates[i.guard] ^ (i.guardNegated ? allLanes : 0U);
}

std::uint32_t memberMask(const Code& code, const Warp& warp, const Instruction& i, std::uint32_t active)
{
    const Row row = code.rows[i.rowsFirst];
    const std::size_t lane = active == 0 ? 0 : static_cast<std::size_t>(std::countr_zero(active));
    const std::uint32_t* cells = row.pooled() ? code.pool.data() : warp.cells.data();
    return cells[std::size_t { row.offset() } * warpSize + lane];
}

} // namespace

void Machine::bind(const Cta& cta, std::uint32_t warp, std::uint32_t pc)
{
    m_access.global = &m_memory;
    m_access.findings = &m_findings;
    m_access.checker = m_checker.get();
    m_access.parameters = m_launch.parameters;
    m_access.localBytes = m_code->localBytes;
    m_access.launch = m_options.launch;
    m_access.cta = cta.id;
    m_access.warp = warp;
    m_access.pc = pc;
    m_access.step = m_steps;
    m_access.begin();
}

// Whether every lane that the instruction needs is here. Splits of the warp that wait at the same place count.
bool Machine::gather(Cta& cta, Warp& warp, std::uint32_t index, const Instruction& i)
{
    Split& split = warp.splits[index];
    if (split.forced)
        return true;
    std::uint32_t here = 0;
    for (const Split& s : warp.splits) {
        if (s.pc == split.pc && (&s == &split || s.state == Split::State::Parked))
            here |= s.mask;
    }
    const std::uint32_t needed
        = warp.live & (i.flow == Flow::Collective ? allLanes : memberMask(*m_code, warp, i, split.mask));
    if ((needed & ~here) == 0)
        return true;
    (void)cta;
    split.state = Split::State::Parked;
    return false;
}

Step Machine::execute(Sm& sm, Cta& cta, std::uint32_t warpIndex)
{
    Warp& warp = cta.warps[warpIndex];
    const std::uint32_t index = warp.readySplit();
    warp.turn = index == warp.current ? warp.turn + 1 : 0;
    warp.current = index;
    const std::uint32_t pc = warp.splits[index].pc;
    const Instruction& i = m_code->instructions[pc];
    Step done { cta.id, static_cast<std::uint16_t>(warpIndex), pc, 0, 0, 0 };

    const bool together = i.flow == Flow::Collective || i.flow == Flow::Masked;
    if (together && !gather(cta, warp, index, i))
        return done;
    std::uint32_t active = warp.splits[index].mask;
    Cycle earliest = warp.splits[index].ready;
    if (together) {
        for (Split& s : warp.splits) {
            if (s.pc == pc && s.state == Split::State::Parked) {
                active |= s.mask;
                earliest = std::max(earliest, s.ready);
            }
        }
    }

    bind(cta, warpIndex, pc);
    m_access.shared = cta.shared;
    m_access.local = cta.local;
    m_access.copies = &cta.copies;
    m_access.copiesGone = &cta.copiesGone;
    m_access.groups = cta.groups;
    m_access.landEarly = m_options.landing == Landing::Early
        || (m_options.landing == Landing::Either && i.unit == Unit::Copy && chance(2) == 0);
    m_access.cycle = static_cast<std::uint64_t>(earliest);
    m_access.nanoseconds = m_options.gpu != nullptr
        ? static_cast<std::uint64_t>(static_cast<double>(earliest) * 1000 / m_options.gpu->clockMhz)
        : static_cast<std::uint64_t>(earliest);

    const std::uint32_t mask = active & guardMask(warp, i);
    if (m_checker)
        checkDefined(cta, warp, warpIndex, i, active);
    if (together && m_checker) {
        if (i.flow == Flow::Collective && mask != 0 && mask != active)
            m_access.report(Fault::DivergentCollective, std::countr_zero(active & ~mask), 0,
                "a lane of the warp is guarded off an instruction that all of them have to execute");
        if (i.flow == Flow::Masked && (mask & ~memberMask(*m_code, warp, i, active)) != 0)
            m_access.report(Fault::DivergentCollective, std::countr_zero(mask & ~memberMask(*m_code, warp, i, active)),
                0, "a lane executes it that is not in its membermask");
    }

    Lanes lanes { warp.cells.data(), m_code->pool.data(), warp.predicates.data(), mask, warp.live, m_code.get(),
        &m_access };
    const std::size_t copiesBefore = cta.copies.size(); // only cp.async itself makes it longer
    if (mask != 0)
        i.execute(lanes, i);
    if (m_checker)
        noteDefined(warp, i, mask);

    // Time.
    for (std::uint32_t k = 0; k < i.readsCount; ++k)
        earliest = std::max(earliest, warp.available[m_code->uses[i.readsFirst + k]]);
    for (std::uint32_t k = 0; k < i.writesCount; ++k)
        earliest = std::max(earliest, warp.available[m_code->uses[i.writesFirst + k]]);
    const SmClock::Booked booked = sm.clock.book(i, warpIndex, m_access.touched, earliest);
    for (std::uint32_t k = 0; k < i.writesCount; ++k)
        warp.available[m_code->uses[i.writesFirst + k]] = booked.done;
    for (std::size_t k = copiesBefore; k < cta.copies.size(); ++k)
        cta.copies[k].lands = booked.done;
    Cycle next = booked.issued + 1;
    if (i.flow == Flow::Wait)
        next = std::max<Cycle>(next, m_access.waitedUntil);
    done.mask = mask;
    done.issued = booked.issued;
    done.done = i.flow == Flow::Wait ? next : booked.done;
    warp.lastDone = std::max(warp.lastDone, done.done);
    ++m_steps;
    m_instructions += static_cast<std::uint64_t>(std::popcount(mask));

    if (i.flow == Flow::Masked && i.detail == static_cast<std::uint8_t>(BarrierOp::Warp) && i.unit == Unit::Control
        && m_checker) {
        std::vector<std::uint32_t> threads;
        for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1)
            threads.push_back(m_access.threadOf(std::countr_zero(rest)));
        m_checker->clocks(cta.id).meet(threads);
    }

    // Where the lanes go on.
    switch (i.flow) {
    case Flow::Branch: {
        Split& split = warp.splits[index];
        split.ready = next;
        if (mask == 0 || mask == active) {
            split.pc = mask == 0 ? pc + 1 : i.target;
            warp.settle();
        } else
            warp.diverge(index, mask, i);
        break;
    }
    case Flow::Exit: {
        for (const Copy& copy : cta.copies) {
            if (!copy.landed && copy.thread / 32 == warpIndex && (mask >> (copy.thread % 32) & 1U) != 0 && m_checker) {
                m_access.report(Fault::CopyInFlightAtExit, static_cast<int>(copy.thread % 32),
                    sharedWindow + copy.destination,
                    "the thread leaves while a cp.async of its own is on its way into shared memory",
                    Party { cta.id, warpIndex, static_cast<int>(copy.thread % 32), copy.pc });
                break;
            }
        }
        warp.splits[index].ready = next;
        warp.splits[index].pc = pc + 1;
        if (mask != 0)
            warp.leave(index, mask);
        else
            warp.settle();
        if (!warp.finished())
            recheckBarriers(sm, cta);
        break;
    }
    case Flow::Trap:
        if (mask != 0) {
            m_access.report(Fault::Trap, std::countr_zero(mask), 0, "trap: the kernel gives up");
            m_over = true;
        }
        warp.splits[index].pc = pc + 1;
        break;
    case Flow::Barrier:
        warp.splits[index].ready = next;
        warp.splits[index].pc = pc + 1;
        if (mask != 0)
            arriveAtBarrier(sm, cta, warpIndex, index, i, mask, booked.issued);
        warp.settle();
        break;
    default:
        for (std::size_t s = 0; s < warp.splits.size(); ++s) {
            Split& other = warp.splits[s];
            if (s != index && !(together && other.pc == pc && other.state == Split::State::Parked))
                continue;
            other.state = Split::State::Ready;
            other.forced = false;
            other.pc = pc + 1;
            other.ready = next;
        }
        warp.settle();
    }
    return done;
}

// Nobody can go on. Lanes that wait for others of their warp at a collective instruction do without them, which is
// reported; false where there is no such thing.
bool Machine::unstick(Sm& sm)
{
    for (Cta& cta : sm.residents) {
        for (std::size_t w = 0; w < cta.warps.size(); ++w) {
            Warp& warp = cta.warps[w];
            for (std::uint32_t s = 0; s < warp.splits.size(); ++s) {
                Split& split = warp.splits[s];
                if (split.state != Split::State::Parked)
                    continue;
                const Instruction& i = m_code->instructions[split.pc];
                std::uint32_t here = 0;
                for (const Split& other : warp.splits)
                    here |= other.pc == split.pc ? other.mask : 0;
                const std::uint32_t needed
                    = warp.live & (i.flow == Flow::Collective ? allLanes : memberMask(*m_code, warp, i, split.mask));
                bind(cta, static_cast<std::uint32_t>(w), split.pc);
                const int missing = std::countr_zero(needed & ~here);
                std::optional<Party> other;
                for (const Split& elsewhere : warp.splits) {
                    if ((elsewhere.mask >> missing & 1U) != 0)
                        other = Party { cta.id, static_cast<std::uint32_t>(w), missing, elsewhere.pc };
                }
                if (m_checker)
                    m_access.report(Fault::DivergentCollective, std::countr_zero(split.mask), 0,
                        fmt::format("{} of the {} lanes it needs do not come", std::popcount(needed & ~here),
                            std::popcount(needed)),
                        other);
                split.state = Split::State::Ready;
                split.forced = true;
                return true;
            }
        }
    }
    return false;
}

// The SM has nothing more to do: its CTAs are done, or stand still for ever.
void Machine::retire(Sm& sm)
{
    for (Cta& cta : sm.residents) {
        for (std::size_t w = 0; w < cta.warps.size(); ++w) {
            for (const Split& split : cta.warps[w].splits) {
                if (split.state != Split::State::AtBarrier)
                    continue;
                const NamedBarrier& barrier = cta.barriers[split.barrier];
                m_deadlock.push_back({ cta.id, static_cast<std::uint32_t>(w), split.pc - 1,
                    fmt::format("barrier {}: {} of {} threads have arrived", split.barrier, barrier.arrived,
                        barrier.expected) });
            }
        }
        for (const Warp& warp : cta.warps)
            m_cycles = std::max(m_cycles, warp.lastDone);
    }
    m_sms.erase(m_sms.begin() + (&sm - m_sms.data()));
    m_active = 0;
}

} // namespace flashstep::ptx
