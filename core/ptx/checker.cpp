// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/checker.h"

#include <algorithm>

#include <fmt/format.h>

namespace flashstep::ptx {

void Checker::beginLaunch()
{
    m_ctas.clear();
    m_published.clear();
    for (Shadow& shadow : m_global)
        shadow.forget();
}

void Checker::beginCta(std::uint32_t cta, std::uint32_t threads, std::uint64_t sharedEnd)
{
    Cta made;
    made.clocks = Clocks(cta, threads);
    made.shared = Shadow(sharedEnd - sharedStart, false);
    made.released.resize(threads);
    made.acquired.resize(threads);
    made.fences.resize(threads, 0);
    m_ctas.insert_or_assign(cta, std::move(made));
}

void Checker::endCta(std::uint32_t cta)
{
    m_ctas.erase(cta);
}

Shadow& Checker::shadowOf(Access& access, std::uint32_t allocation)
{
    if (m_global.size() <= allocation)
        m_global.resize(access.global->count());
    Shadow& shadow = m_global[allocation];
    const Allocation& a = access.global->allocation(allocation);
    if (shadow.size() == 0 && !a.bytes.empty())
        shadow = Shadow(a.bytes.size(), !a.poisoned);
    return shadow;
}

void Checker::race(Access& access, const Toucher& other, int lane, bool writes, bool otherWrites)
{
    const Party party { other.cta, other.thread / 32, static_cast<int>(other.thread % 32), other.pc };
    const bool sameWarp = other.cta == access.cta && other.thread / 32 == access.warp;
    access.report(Fault::Race, lane, m_address,
        fmt::format("{} {} another thread's {} with nothing between them that orders the two{}",
            writes ? "a write that" : "a read that",
            writes == otherWrites ? "meets"
                : writes          ? "overtakes"
                                  : "may miss",
            otherWrites ? "write" : "read", sameWarp ? " (lanes of a warp do not run in step)" : ""),
        party);
}

void Checker::touch(Access& access, Cta& cta, Shadow& shadow, std::uint64_t offset, std::uint32_t bytes, int lane,
    Touch touch, bool strong, bool global)
{
    const std::uint32_t thread = access.threadOf(lane);
    const bool writes = touch != Touch::Read;
    const bool atomic = touch == Touch::Atomic;
    const Toucher now { access.cta, thread, cta.clocks.now(thread), access.pc, 0, strong || atomic, access.step };
    const auto ordered = [&](const Toucher& t) {
        return t.time == 0 || (t.cta == access.cta && t.thread == thread)
            || cta.clocks.knows(thread, t.cta, t.thread, t.time);
    };
    const auto conflicts = [&](const Toucher& t, std::uint8_t mask) {
        return (t.bytes & mask) != 0 && !(t.strong && now.strong) && !ordered(t);
    };
    for (std::uint64_t at = offset & ~std::uint64_t { 1 }; at < offset + bytes; at += 2) {
        const std::uint8_t mask = static_cast<std::uint8_t>((at >= offset ? 1 : 0) | (at + 1 < offset + bytes ? 2 : 0));
        ShadowCell& cell = shadow.at(at);
        if (cell.copy != 0 && !global) {
            const Copy& copy = (*access.copies)[cell.copy - 1 - *access.copiesGone];
            const Party other { access.cta, copy.thread / 32, static_cast<int>(copy.thread % 32), copy.pc };
            access.report(Fault::CopyNotWaited, lane, m_address,
                fmt::format("a {} of bytes that a cp.async is still writing: its thread has not waited for it",
                    writes ? "write" : "read"),
                other);
        } else if ((touch != Touch::Write) && (cell.written & mask) != mask) {
            access.report(Fault::UninitialisedRead, lane, m_address, "a read of memory that nothing has written");
            cell.written = static_cast<std::uint8_t>(cell.written | mask); // once for these bytes
        }
        if (conflicts(cell.writer, mask)) {
            const bool sameInstruction = cell.writer.step == now.step && writes && cell.writer.pc == now.pc;
            if (!(sameInstruction && m_agrees))
                race(access, cell.writer, lane, writes, true);
        }
        if (writes) {
            if (conflicts(cell.reader, mask))
                race(access, cell.reader, lane, true, false);
            if (cell.more != 0) {
                for (const Toucher& t : shadow.moreOf(cell)) {
                    if (conflicts(t, mask)) {
                        race(access, t, lane, true, false);
                        break;
                    }
                }
                shadow.moreOf(cell).clear();
            }
            cell.written = static_cast<std::uint8_t>(cell.written | mask);
            cell.writer = now;
            cell.writer.bytes = mask;
            if (!atomic)
                cell.reader = {};
            continue;
        }
        // A read stands in for earlier ones that it follows.
        Toucher& reader = cell.reader;
        if (ordered(reader)) {
            const std::uint8_t both = reader.cta == now.cta && reader.thread == thread && reader.time == now.time
                ? static_cast<std::uint8_t>(reader.bytes | mask)
                : mask;
            reader = now;
            reader.bytes = both;
            continue;
        }
        std::vector<Toucher>& more = shadow.moreOf(cell);
        // Of other CTAs one reader is enough to find a write that overtakes it; what all of them read would have as
        // many.
        bool other = reader.cta != access.cta;
        std::erase_if(more, [&](const Toucher& t) {
            const bool surplus = t.cta != access.cta && other;
            other = other || t.cta != access.cta;
            return surplus || ordered(t);
        });
        more.push_back(now);
        more.back().bytes = mask;
    }
}

void Checker::touchShared(Access& access, std::uint64_t offset, std::uint32_t bytes, int lane, Touch touch, bool strong)
{
    Cta& cta = m_ctas.at(access.cta);
    m_address = sharedWindow + offset;
    if (touch == Touch::Atomic || strong)
        atomic(access, { access.cta, m_address }, lane);
    this->touch(access, cta, cta.shared, offset - sharedStart, bytes, lane, touch, strong, false);
}

void Checker::touchGlobal(Access& access, std::uint32_t allocation, std::uint64_t offset, std::uint32_t bytes, int lane,
    Touch touch, bool strong)
{
    m_address = access.global->allocation(allocation).address + offset;
    if (touch == Touch::Atomic || strong)
        atomic(access, { none, m_address }, lane);
    this->touch(access, m_ctas.at(access.cta), shadowOf(access, allocation), offset, bytes, lane, touch, strong, true);
}

void Checker::issueCopy(Access& access, const Copy& copy, std::uint32_t number, int lane)
{
    Cta& cta = m_ctas.at(access.cta);
    const std::uint64_t begin = copy.destination - sharedStart;
    // As a write it must not overtake anyone's access; until it has landed nobody may touch the bytes.
    touchShared(access, copy.destination, copy.bytes, lane, Touch::Write, false);
    for (std::uint64_t at = begin; at < begin + copy.bytes; at += 2)
        cta.shared.at(at).copy = number + 1;
}

void Checker::landCopy(Access& access, const Copy& copy)
{
    Cta& cta = m_ctas.at(access.cta);
    const std::uint64_t begin = copy.destination - sharedStart;
    const Toucher writer { access.cta, copy.thread, cta.clocks.now(copy.thread), copy.pc, 3, false, access.step };
    for (std::uint64_t at = begin; at < begin + copy.bytes; at += 2) {
        ShadowCell& cell = cta.shared.at(at);
        cell.copy = 0;
        cell.written = 3;
        cell.writer = writer;
    }
}

void Checker::fence(Access& access, std::uint32_t mask)
{
    Cta& cta = m_ctas.at(access.cta);
    for (int lane = 0; lane < 32; ++lane) {
        if ((mask >> lane & 1U) == 0)
            continue;
        const std::uint32_t thread = access.threadOf(lane);
        if ((cta.fences[thread] & 2) != 0) {
            cta.clocks.learn(thread, cta.acquired[thread]);
            cta.acquired[thread] = {};
        }
        cta.released[thread] = {};
        cta.clocks.publish(thread, cta.released[thread]);
        cta.fences[thread] = 1;
    }
}

// A strong access after a fence shows what came before the fence; one before a fence lets what comes after it see.
void Checker::atomic(Access& access, const Flag& flag, int lane)
{
    Cta& cta = m_ctas.at(access.cta);
    const std::uint32_t thread = access.threadOf(lane);
    if (const auto known = m_published.find(flag); known != m_published.end()) {
        join(cta.acquired[thread], imported(known->second, access.cta));
        cta.fences[thread] |= 2;
    }
    if ((cta.fences[thread] & 1) != 0)
        join(m_published[flag], exported(cta.released[thread], access.cta));
}

} // namespace flashstep::ptx
