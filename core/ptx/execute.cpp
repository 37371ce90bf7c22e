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

void Machine::bind(Cta& cta, std::uint32_t warp, std::uint32_t pc, Cycle now)
{
    m_access.global = &m_memory;
    m_access.findings = &m_findings;
    m_access.checker = m_checker.get();
    m_access.parameters = m_launch.parameters;
    m_access.localBytes = m_code->localBytes;
    m_access.launch = m_options.launch;
    m_access.shared = cta.shared;
    m_access.local = cta.local;
    m_access.copies = &cta.copies;
    m_access.copiesGone = &cta.copiesGone;
    m_access.groups = cta.groups;
    m_access.cta = cta.id;
    m_access.warp = warp;
    m_access.pc = pc;
    m_access.step = m_steps;
    m_access.cycle = static_cast<std::uint64_t>(now);
    const double nanosecond = m_options.gpu != nullptr ? m_options.gpu->clockMhz / 1000 : 1; // in cycles
    m_access.nanoseconds = static_cast<std::uint64_t>(static_cast<double>(now) / nanosecond);
    m_access.begin();
}

// Whether every lane that the instruction needs is here. Splits of the warp that wait at the same place count.
bool Machine::gather(Warp& warp, std::uint32_t index, const Instruction& i)
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
    split.state = Split::State::Parked;
    return false;
}

void Machine::checkCollective(const Warp& warp, const Instruction& i, std::uint32_t active, std::uint32_t mask)
{
    if (i.flow == Flow::Collective && mask != 0 && mask != active)
        m_access.report(Fault::DivergentCollective, std::countr_zero(active & ~mask), 0,
            "a lane of the warp is guarded off an instruction that all of them have to execute");
    if (i.flow != Flow::Masked)
        return;
    if (const std::uint32_t strangers = mask & ~memberMask(*m_code, warp, i, active); strangers != 0)
        m_access.report(Fault::DivergentCollective, std::countr_zero(strangers), 0,
            "a lane executes it that is not in its membermask");
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
    if (together && !gather(warp, index, i))
        return done;
    std::uint32_t active = warp.splits[index].mask;
    Cycle earliest = warp.splits[index].ready;
    for (const Split& s : warp.splits) {
        if (together && s.pc == pc && s.state == Split::State::Parked) {
            active |= s.mask;
            earliest = std::max(earliest, s.ready);
        }
    }
    bind(cta, warpIndex, pc, earliest);
    m_access.landEarly = m_options.landing == Landing::Early
        || (m_options.landing == Landing::Either && i.unit == Unit::Copy && chance(2) == 0);
    const std::uint32_t mask = done.mask = active & guardMask(warp, i);
    if (m_checker) {
        checkDefined(warp, i, active);
        if (together)
            checkCollective(warp, i, active, mask);
    }

    Lanes lanes { warp.cells.data(), m_code->pool.data(), warp.predicates.data(), mask, warp.live, m_code.get(),
        &m_access };
    const std::size_t copiesBefore = cta.copies.size(); // only cp.async itself makes it longer
    if (mask != 0)
        i.execute(lanes, i);
    if (m_checker) {
        noteDefined(warp, i, mask);
        if (i.flow == Flow::Masked && static_cast<BarrierOp>(i.detail) == BarrierOp::Warp && i.unit == Unit::Control) {
            std::vector<std::uint32_t> threads;
            for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1)
                threads.push_back(m_access.threadOf(std::countr_zero(rest)));
            m_checker->clocks(cta.id).meet(threads);
        }
    }
    bookTime(sm, cta, warp, i, copiesBefore, earliest, done);
    ++m_steps;
    m_instructions += static_cast<std::uint64_t>(std::popcount(mask));
    goOn(sm, cta, index, i, active, done, i.flow == Flow::Wait ? done.done : done.issued + 1);
    return done;
}

void Machine::bookTime(
    Sm& sm, Cta& cta, Warp& warp, const Instruction& i, std::size_t copiesBefore, Cycle earliest, Step& done)
{
    for (std::uint32_t k = 0; k < i.readsCount; ++k)
        earliest = std::max(earliest, warp.available[m_code->uses[i.readsFirst + k]]);
    for (std::uint32_t k = 0; k < i.writesCount; ++k)
        earliest = std::max(earliest, warp.available[m_code->uses[i.writesFirst + k]]);
    const SmClock::Booked booked = sm.clock.book(i, done.warp, m_access.touched, earliest);
    for (std::uint32_t k = 0; k < i.writesCount; ++k)
        warp.available[m_code->uses[i.writesFirst + k]] = booked.done;
    for (std::size_t k = copiesBefore; k < cta.copies.size(); ++k)
        cta.copies[k].lands = booked.done;
    done.issued = booked.issued;
    done.done = i.flow == Flow::Wait ? std::max<Cycle>(booked.issued + 1, m_access.waitedUntil) : booked.done;
    warp.lastDone = std::max(warp.lastDone, done.done);
}

// Where the lanes that did the instruction go on, and when they may.
void Machine::goOn(
    Sm& sm, Cta& cta, std::uint32_t index, const Instruction& i, std::uint32_t active, const Step& done, Cycle next)
{
    Warp& warp = cta.warps[done.warp];
    Split& split = warp.splits[index];
    const std::uint32_t mask = done.mask;
    switch (i.flow) {
    case Flow::Branch:
        split.ready = next;
        if (mask != 0 && mask != active) {
            warp.diverge(index, mask, i);
            return;
        }
        split.pc = mask == 0 ? done.pc + 1 : i.target;
        break;
    case Flow::Exit:
        split.ready = next;
        split.pc = done.pc + 1;
        if (mask != 0)
            leaveKernel(sm, cta, index, done);
        break;
    case Flow::Trap:
        split.pc = done.pc + 1;
        if (mask != 0) {
            m_access.report(Fault::Trap, std::countr_zero(mask), 0, "trap: the kernel gives up");
            m_over = true;
        }
        break;
    case Flow::Barrier:
        split.ready = next;
        split.pc = done.pc + 1;
        if (mask != 0)
            arriveAtBarrier(sm, cta, done.warp, index, i, mask, done.issued);
        break;
    default:
        for (std::size_t s = 0; s < warp.splits.size(); ++s) {
            Split& other = warp.splits[s];
            const bool parkedHere = i.flow != Flow::Next && i.flow != Flow::Wait && other.pc == done.pc
                && other.state == Split::State::Parked;
            if (s != index && !parkedHere)
                continue;
            other.state = Split::State::Ready;
            other.forced = false;
            other.pc = done.pc + 1;
            other.ready = next;
        }
    }
    warp.settle();
}

void Machine::leaveKernel(Sm& sm, Cta& cta, std::uint32_t index, const Step& done)
{
    Warp& warp = cta.warps[done.warp];
    const auto leaves = [&](const Copy& copy) {
        return !copy.landed && copy.thread / 32 == done.warp && (done.mask >> (copy.thread % 32) & 1U) != 0;
    };
    const auto left = std::find_if(cta.copies.begin(), cta.copies.end(), leaves);
    if (left != cta.copies.end() && m_checker) {
        const int lane = static_cast<int>(left->thread % 32);
        m_access.report(Fault::CopyInFlightAtExit, lane, sharedWindow + left->destination,
            "the thread leaves while a cp.async of its own is on its way into shared memory",
            Party { cta.id, done.warp, lane, left->pc });
    }
    warp.leave(index, done.mask);
    if (!warp.finished())
        recheckBarriers(sm, cta);
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
                bind(cta, static_cast<std::uint32_t>(w), split.pc, split.ready);
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
