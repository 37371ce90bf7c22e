// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/memory.h"

#include <algorithm>

#include <fmt/format.h>

namespace flashstep::ptx {

Space spaceOf(std::uint64_t genericAddress)
{
    const auto in = [&](std::uint64_t window) { return genericAddress - window < windowBytes; };
    if (in(sharedWindow))
        return Space::Shared;
    if (in(localWindow))
        return Space::Local;
    if (in(parameterWindow))
        return Space::Param;
    if (in(constantStart))
        return Space::Const;
    return Space::Global;
}

std::uint64_t GlobalMemory::allocate(std::string name, std::vector<std::byte> bytes, bool poisoned)
{
    const std::uint64_t address = m_next;
    // A gap of at least 64 KiB: an index that is off by a row of any tile falls into it.
    m_next = (m_next + bytes.size() + 0x1ffff) & ~std::uint64_t { 0xffff };
    m_allocations.push_back({ std::move(name), address, std::move(bytes), poisoned });
    return address;
}

std::uint64_t GlobalMemory::allocatePoisoned(std::string name, std::uint64_t bytes)
{
    return allocate(std::move(name), std::vector<std::byte>(bytes, poison), true);
}

void GlobalMemory::place(std::string name, std::uint64_t address, std::vector<std::byte> bytes)
{
    const auto at = std::upper_bound(m_allocations.begin(), m_allocations.end(), address,
        [](std::uint64_t value, const Allocation& a) { return value < a.address; });
    m_allocations.insert(at, { std::move(name), address, std::move(bytes), false });
}

std::uint32_t GlobalMemory::find(std::uint64_t address, std::uint64_t bytes) const
{
    const auto after = std::upper_bound(m_allocations.begin(), m_allocations.end(), address,
        [](std::uint64_t value, const Allocation& a) { return value < a.address; });
    if (after == m_allocations.begin())
        return none;
    const Allocation& a = *(after - 1);
    const std::uint64_t offset = address - a.address;
    if (offset > a.bytes.size() || a.bytes.size() - offset < bytes)
        return none;
    return static_cast<std::uint32_t>(after - 1 - m_allocations.begin());
}

std::string GlobalMemory::describe(std::uint64_t address) const
{
    const auto after = std::upper_bound(m_allocations.begin(), m_allocations.end(), address,
        [](std::uint64_t value, const Allocation& a) { return value < a.address; });
    if (after == m_allocations.begin())
        return fmt::format("{:#x}", address);
    const Allocation& a = *(after - 1);
    return fmt::format("{} + {:#x}", a.name, address - a.address);
}

} // namespace flashstep::ptx
