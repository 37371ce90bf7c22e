// SPDX-License-Identifier: Apache-2.0
// Named barriers at work: who has arrived, when it is over, and what order that makes.
#include "core/ptx/barrier_ops.h"
#include "core/ptx/machine.h"

#include <algorithm>

#include <fmt/format.h>

namespace flashstep::ptx {

namespace {

bool blocks(BarrierOp op)
{
    return op != BarrierOp::Arrive;
}
bool reduces(BarrierOp op)
{
    return op == BarrierOp::Popc || op == BarrierOp::And || op == BarrierOp::Or;
}
BarrierOp opOf(const Instruction& i)
{
    return static_cast<BarrierOp>(i.detail);
}

std::uint32_t valueOf(const Code& code, const Warp& warp, Row row, int lane)
{
    const std::uint32_t* cells = row.pooled() ? code.pool.data() : warp.cells.data();
    return cells[std::size_t { row.offset() } * warpSize + static_cast<std::size_t>(lane)];
}

// Without a count it is all threads of the CTA, of which warps that have left wait for nobody.
std::uint32_t allThreads(const Cta& cta)
{
    std::uint32_t warps = 0;
    for (const Warp& warp : cta.warps)
        warps += warp.finished() ? 0 : 1;
    return warps * 32;
}

} // namespace

void Machine::arriveAtBarrier(Sm& sm, Cta& cta, std::uint32_t warpIndex, std::uint32_t index, const Instruction& i,
    std::uint32_t mask, Cycle when)
{
    Warp& warp = cta.warps[warpIndex];
    const int lane = std::countr_zero(mask);
    const BarrierOp op = opOf(i);
    std::uint32_t id = valueOf(*m_code, warp, i.a, lane);
    std::uint32_t count = i.b.valid() ? valueOf(*m_code, warp, i.b, lane) : 0;
    const auto misuse = [&](std::string text, std::optional<Party> other = {}) {
        m_access.report(Fault::BarrierMisuse, lane, 0, std::move(text), other);
    };
    if (id >= 16) {
        misuse(fmt::format("barrier {}: a CTA has 16, from 0", id));
        id %= 16;
    }
    if (i.b.valid() && (count == 0 || count % 32 != 0 || count > 1024)) {
        misuse(fmt::format("barrier {}: a count of {} threads, which is no multiple of 32 up to 1024", id, count));
        count = std::clamp((count + 31) / 32 * 32, 32U, 1024U);
    }
    if (m_checker && i.detail2 != 0 && mask != warp.live)
        m_access.report(Fault::DivergentCollective, lane, 0,
            fmt::format("barrier {}: {} of the warp's {} lanes come to it together", id, std::popcount(mask),
                std::popcount(warp.live)));
    NamedBarrier& barrier = cta.barriers[id];
    const bool fresh = barrier.arrived == 0
        && std::all_of(barrier.lanes.begin(), barrier.lanes.end(), [](std::uint32_t l) { return l == 0; });
    if (fresh) {
        barrier.expected = count != 0 ? count : allThreads(cta);
        barrier.countGiven = count != 0;
        barrier.reduces = reduces(op);
        barrier.firstPc = i.statement;
        barrier.allTrue = true;
        barrier.anyTrue = false;
        barrier.popc = 0;
        barrier.threads.clear();
        barrier.last = 0;
    } else {
        const std::uint32_t expected = count != 0 ? count : allThreads(cta);
        if (expected != barrier.expected)
            misuse(fmt::format(
                       "barrier {}: for {} threads, while others wait there for {}", id, expected, barrier.expected),
                Party { cta.id, warpIndex, -1, barrier.firstPc });
        if (reduces(op) != barrier.reduces)
            misuse(fmt::format("barrier {}: a reduction mixed with sync or arrive", id),
                Party { cta.id, warpIndex, -1, barrier.firstPc });
    }
    if ((barrier.warps >> (warpIndex % 64) & 1U) != 0)
        misuse(fmt::format("barrier {}: the warp arrives twice in one round", id));
    if (reduces(op)) {
        const std::uint32_t votes = (warp.predicates[i.predicateIn] ^ (i.predicateInNegated ? allLanes : 0U)) & mask;
        barrier.popc += static_cast<std::uint32_t>(std::popcount(votes));
        barrier.allTrue = barrier.allTrue && votes == mask;
        barrier.anyTrue = barrier.anyTrue || votes != 0;
    }
    barrier.last = std::max(barrier.last, when);
    barrier.lanes[warpIndex] |= mask;
    for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1) {
        const std::uint32_t thread = m_access.threadOf(std::countr_zero(rest));
        if (blocks(op))
            barrier.threads.push_back(thread);
        else if (m_checker)
            m_checker->clocks(cta.id).publish(thread, barrier.told);
    }
    if (blocks(op)) {
        warp.splits[index].state = Split::State::AtBarrier;
        warp.splits[index].barrier = static_cast<std::uint8_t>(id);
    }
    if ((warp.live & ~barrier.lanes[warpIndex]) == 0) {
        barrier.arrived += 32;
        barrier.warps |= std::uint64_t { 1 } << (warpIndex % 64);
        barrier.lanes[warpIndex] = 0;
    }
    if (barrier.arrived >= barrier.expected)
        completeBarrier(sm, cta, id);
}

void Machine::completeBarrier(Sm& sm, Cta& cta, std::uint32_t id)
{
    NamedBarrier& barrier = cta.barriers[id];
    const Cycle when = barrier.last + sm.clock.barrierLatency();
    if (m_checker && !barrier.threads.empty()) {
        Clocks& clocks = m_checker->clocks(cta.id);
        clocks.learn(barrier.threads.front(), barrier.told);
        clocks.meet(barrier.threads);
    }
    for (Warp& warp : cta.warps) {
        for (Split& split : warp.splits) {
            if (split.state != Split::State::AtBarrier || split.barrier != id)
                continue;
            split.state = Split::State::Ready;
            split.ready = std::max(split.ready, when);
            const Instruction& i = m_code->instructions[split.pc - 1];
            if (opOf(i) == BarrierOp::Popc) {
                for (std::uint32_t rest = split.mask; rest != 0; rest &= rest - 1)
                    warp.cells[std::size_t { i.d.index } * warpSize + static_cast<std::size_t>(std::countr_zero(rest))]
                        = barrier.popc;
            } else if (reduces(opOf(i)) && i.predicateOut != none) {
                const bool result = opOf(i) == BarrierOp::And ? barrier.allTrue : barrier.anyTrue;
                std::uint32_t& p = warp.predicates[i.predicateOut];
                p = (p & ~split.mask) | (result ? split.mask : 0U);
            }
        }
        warp.settle();
    }
    barrier.arrived = 0;
    barrier.warps = 0;
    barrier.told = {};
    barrier.threads.clear();
}

// Lanes have left the kernel: warps whose other lanes wait count now, and a barrier for all has fewer to wait for.
void Machine::recheckBarriers(Sm& sm, Cta& cta)
{
    for (std::uint32_t id = 0; id < cta.barriers.size(); ++id) {
        NamedBarrier& barrier = cta.barriers[id];
        for (std::uint32_t w = 0; w < cta.warps.size(); ++w) {
            const std::uint32_t live = cta.warps[w].live;
            if (barrier.lanes[w] != 0 && live != 0 && (live & ~barrier.lanes[w]) == 0) {
                barrier.arrived += 32;
                barrier.warps |= std::uint64_t { 1 } << (w % 64);
                barrier.lanes[w] = 0;
            }
        }
        if (barrier.arrived == 0)
            continue;
        if (!barrier.countGiven)
            barrier.expected = allThreads(cta);
        if (barrier.arrived >= barrier.expected)
            completeBarrier(sm, cta, id);
    }
}

} // namespace flashstep::ptx
