// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/code.h"

#include <span>
#include <string>
#include <vector>

namespace flashstep::ptx {

[[nodiscard]] Space spaceOf(std::uint64_t genericAddress);

// One stretch of global memory: a buffer of the launch, or a module's variables.
struct Allocation {
    std::string name;
    std::uint64_t address = 0;
    std::vector<std::byte> bytes;
    bool poisoned = false; // nothing in it counts as written at the start
};

// The global memory of a launch: allocations far enough apart that running past one of them hits nothing.
class GlobalMemory {
public:
    // Aligned to 256 bytes. What a poisoned one holds at the start looks like nothing one would compute.
    std::uint64_t allocate(std::string name, std::vector<std::byte> bytes, bool poisoned);
    std::uint64_t allocatePoisoned(std::string name, std::uint64_t bytes);
    // At a given address, for a module's variables.
    void place(std::string name, std::uint64_t address, std::vector<std::byte> bytes);

    [[nodiscard]] std::size_t count() const { return m_allocations.size(); }
    [[nodiscard]] const Allocation& allocation(std::size_t index) const { return m_allocations[index]; }
    // The allocation that holds all of [address, address + bytes), or none.
    [[nodiscard]] std::uint32_t find(std::uint64_t address, std::uint64_t bytes) const;
    [[nodiscard]] std::byte* data(std::uint32_t index, std::uint64_t address)
    {
        Allocation& a = m_allocations[index];
        return a.bytes.data() + (address - a.address);
    }
    // "Q + 0x40", or the number where it is nobody's.
    [[nodiscard]] std::string describe(std::uint64_t address) const;

private:
    std::vector<Allocation> m_allocations; // by address
    std::uint64_t m_next = globalStart;
};

constexpr std::byte poison { 0xcb }; // fp32: -2.7e7, bf16: -2.7e7

} // namespace flashstep::ptx
