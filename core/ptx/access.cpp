// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/access.h"

#include "core/ptx/checker.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>

namespace flashstep::ptx {

namespace {

std::string_view verb(Touch touch)
{
    return touch == Touch::Read ? "read" : touch == Touch::Write ? "write" : "atomic";
}

} // namespace

std::string Access::placeOf(std::uint64_t genericAddress) const
{
    switch (spaceOf(genericAddress)) {
    case Space::Shared:
        return fmt::format("shared + {:#x}", genericAddress - sharedWindow);
    case Space::Local:
        return fmt::format("local + {:#x}", genericAddress - localWindow);
    case Space::Param:
        return fmt::format("parameters + {:#x}", genericAddress - parameterWindow);
    default:
        return global->describe(genericAddress);
    }
}

void Access::report(Fault fault, int lane, std::uint64_t address, std::string text, std::optional<Party> other)
{
    Finding finding;
    finding.fault = fault;
    finding.party = party(lane);
    finding.address = address;
    if (address != 0)
        finding.place = placeOf(address);
    finding.other = other;
    finding.text = std::move(text);
    finding.launch = launch;
    finding.step = step;
    findings->add(std::move(finding));
}

std::byte* Access::at(Space space, std::uint64_t address, std::uint32_t bytes, int lane, Touch touch, bool strong,
    std::uint32_t mustAlign)
{
    std::uint64_t offset = address;
    std::uint64_t generic = address;
    if (space == Space::Generic) {
        space = spaceOf(address);
        offset = space == Space::Shared ? address - sharedWindow
            : space == Space::Local     ? address - localWindow
            : space == Space::Param     ? address - parameterWindow
                                        : address;
    } else
        generic = space == Space::Shared ? address + sharedWindow
            : space == Space::Local      ? address + localWindow
            : space == Space::Param      ? address + parameterWindow
                                         : address;
    touched.space = space == Space::Const ? Space::Global : space;
    touched.addresses[static_cast<std::size_t>(lane)] = offset;
    touched.mask |= 1U << lane;
    touched.bytes = bytes;
    touched.touch = touch;
    const std::uint32_t alignment = mustAlign != 0 ? mustAlign : bytes;
    if (offset % alignment != 0) {
        report(Fault::Misaligned, lane, generic,
            fmt::format("a {} of {} bytes at an address that is no multiple of {}", verb(touch), bytes, alignment));
        return nullptr;
    }
    const auto outside = [&](std::string_view what) {
        report(Fault::OutOfRange, lane, generic, fmt::format("a {} of {} bytes outside {}", verb(touch), bytes, what));
        return nullptr;
    };
    switch (space) {
    case Space::Shared:
        if (offset < sharedStart || offset - sharedStart > shared.size()
            || shared.size() - (offset - sharedStart) < bytes)
            return outside(fmt::format("the CTA's {} bytes of shared memory", shared.size()));
        if (checker != nullptr)
            checker->touchShared(*this, offset, bytes, lane, touch, strong);
        return shared.data() + (offset - sharedStart);
    case Space::Local:
        if (offset > localBytes || localBytes - offset < bytes)
            return outside("the thread's local memory");
        return local.data() + threadOf(lane) * localBytes + offset;
    case Space::Param:
        if (touch != Touch::Read || offset > parameters.size() || parameters.size() - offset < bytes)
            return outside("the kernel's parameters (which are read only)");
        return const_cast<std::byte*>(parameters.data()) + offset; // never written: see the line above
    default:
        break;
    }
    const bool sameAllocation = m_lastAllocation != none && [&] {
        const Allocation& a = global->allocation(m_lastAllocation);
        const std::uint64_t in = offset - a.address;
        return in <= a.bytes.size() && a.bytes.size() - in >= bytes;
    }();
    if (!sameAllocation) {
        const std::uint32_t found = global->find(offset, bytes);
        if (found == none)
            return outside("every buffer of the launch");
        m_lastAllocation = found;
    }
    if (checker != nullptr)
        checker->touchGlobal(
            *this, m_lastAllocation, offset - global->allocation(m_lastAllocation).address, bytes, lane, touch, strong);
    return global->data(m_lastAllocation, offset);
}

const std::byte* Access::peek(Space space, std::uint64_t address, std::uint32_t bytes, int lane) const
{
    if (space == Space::Generic) {
        space = spaceOf(address);
        address -= space == Space::Shared ? sharedWindow : space == Space::Local ? localWindow : 0;
    }
    if (space == Space::Shared) {
        const std::uint64_t offset = address - sharedStart;
        return offset <= shared.size() && shared.size() - offset >= bytes ? shared.data() + offset : nullptr;
    }
    if (space == Space::Local)
        return address <= localBytes && localBytes - address >= bytes
            ? local.data() + threadOf(lane) * localBytes + address
            : nullptr;
    const std::uint32_t found = space == Space::Param ? none : global->find(address, bytes);
    return found == none ? nullptr : global->data(found, address);
}

void Access::store(Space space, std::uint64_t address, const void* value, std::uint32_t bytes, int lane, bool strong)
{
    if (checker == nullptr) {
        if (std::byte* to = at(space, address, bytes, lane, Touch::Write, strong))
            std::memcpy(to, value, bytes);
        return;
    }
    // A lane of this very instruction may have put the same bytes there.
    const std::byte* there = peek(space, address, bytes, lane);
    checker->agree(there != nullptr && std::memcmp(there, value, bytes) == 0);
    std::byte* to = at(space, address, bytes, lane, Touch::Write, strong);
    checker->agree(false);
    if (to == nullptr)
        return;
    std::memcpy(to, value, bytes);
    if (touched.space != Space::Global)
        return;
    for (const Copy& copy : *copies) {
        if (!copy.landed && address < copy.source + copy.sourceBytes && copy.source < address + bytes)
            report(Fault::CopyNotWaited, lane, address, "a write of bytes that a cp.async may still have to read",
                Party { cta, copy.thread / 32, static_cast<int>(copy.thread % 32), copy.pc });
    }
}

void Access::moveBytes(const Copy& copy)
{
    std::byte* to = shared.data() + (copy.destination - sharedStart);
    std::memset(to, 0, copy.bytes);
    if (copy.sourceBytes > 0)
        std::memcpy(to, global->data(global->find(copy.source, copy.sourceBytes), copy.source), copy.sourceBytes);
}

void Access::issue(const Copy& given, int lane)
{
    Copy copy = given;
    copy.thread = threadOf(lane);
    copy.pc = pc;
    copy.group = groups[copy.thread];
    copy.early = landEarly;
    // Both sides are checked now; the bytes move when the copy lands.
    std::byte* to = nullptr;
    {
        Checker* const watching = checker;
        checker = nullptr;
        to = at(Space::Shared, copy.destination, copy.bytes, lane, Touch::Write);
        checker = watching;
    }
    if (copy.sourceBytes > 0
        && at(Space::Global, copy.source, copy.sourceBytes, lane, Touch::Read, false, copy.bytes) == nullptr)
        copy.sourceBytes = 0;
    touched.bytes = copy.bytes;
    if (to == nullptr)
        return;
    if (checker != nullptr)
        checker->issueCopy(*this, copy, *copiesGone + static_cast<std::uint32_t>(copies->size()), lane);
    copies->push_back(copy);
    if (copy.early) // the bytes are there at once; that nobody may look at them yet has not changed
        moveBytes(copy);
}

void Access::land(Copy& copy)
{
    if (!copy.early)
        moveBytes(copy);
    copy.landed = true;
    if (checker != nullptr)
        checker->landCopy(*this, copy);
}

void Access::commit(std::uint32_t mask)
{
    for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1)
        ++groups[threadOf(std::countr_zero(rest))];
}

void Access::wait(std::uint32_t mask, std::uint32_t pending)
{
    waitedUntil = 0;
    for (Copy& copy : *copies) {
        if (copy.landed)
            continue;
        const std::uint32_t committed = groups[copy.thread];
        const bool mine = copy.thread / 32 == warp && (mask >> (copy.thread % 32) & 1U) != 0;
        if (mine && copy.group < committed && committed - copy.group > pending) {
            land(copy);
            waitedUntil = std::max(waitedUntil, copy.lands);
        }
    }
    // Those that have landed at the front are done with; else a pipeline's list would grow for ever.
    const auto waiting = std::find_if(copies->begin(), copies->end(), [](const Copy& copy) { return !copy.landed; });
    *copiesGone += static_cast<std::uint32_t>(waiting - copies->begin());
    copies->erase(copies->begin(), waiting);
}

void Access::fence(std::uint32_t mask)
{
    if (checker != nullptr)
        checker->fence(*this, mask);
}

std::uint64_t Access::clock(Special special) const
{
    switch (special) {
    case Special::ClockHi:
        return cycle >> 32U;
    case Special::Clock:
        return cycle & 0xffffffffU;
    case Special::Clock64:
        return cycle;
    case Special::GlobaltimerHi:
        return nanoseconds >> 32U;
    case Special::GlobaltimerLo:
        return nanoseconds & 0xffffffffU;
    default:
        return nanoseconds;
    }
}

} // namespace flashstep::ptx
