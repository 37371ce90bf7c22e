// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/code.h"
#include "core/ptx/finding.h"
#include "core/ptx/memory.h"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace flashstep::ptx {

class Checker;

enum class Touch : std::uint8_t { Read, Write, Atomic };

// An asynchronous copy that a thread has issued and not yet waited for.
struct Copy {
    std::uint32_t thread = 0; // of the CTA
    std::uint32_t destination = 0; // offset in shared memory
    std::uint64_t source = 0; // global
    std::uint32_t pc = 0;
    std::uint32_t group = 0; // which of the thread's groups
    std::uint8_t bytes = 0, sourceBytes = 0; // the rest is zero-filled
    bool early = false; // its bytes were there at once
    bool landed = false;
    std::int64_t lands = 0; // cycle, as modelled
};

// What one instruction did to memory, for the clock: which bytes each lane touched.
struct Touched {
    Space space = Space::Generic;
    std::array<std::uint64_t, 32> addresses {};
    std::uint32_t mask = 0;
    std::uint32_t bytes = 0; // of each lane
    Touch touch = Touch::Read;
};

// Memory as the warp sees it whose instruction runs: resolves addresses, checks them, and tells the checker.
class Access {
public:
    // The machine fills these before an instruction.
    GlobalMemory* global = nullptr;
    std::span<std::byte> shared {}; // of the CTA, from offset sharedStart on
    std::span<std::byte> local {}; // of the CTA: localBytes for each thread
    std::span<const std::byte> parameters {};
    Checker* checker = nullptr; // null: nothing is checked but addresses
    Findings* findings = nullptr;
    std::vector<Copy>* copies = nullptr; // of the CTA, in order of issue
    std::uint32_t* copiesGone = nullptr; // how many stood before the first
    std::span<std::uint32_t> groups {}; // by thread of the CTA: committed groups
    std::uint32_t cta = 0, warp = 0, pc = 0, launch = 0;
    std::uint64_t localBytes = 0;
    std::uint64_t step = 0, cycle = 0, nanoseconds = 0;
    bool landEarly = false; // of the copy being issued
    Touched touched;
    std::int64_t waitedUntil = 0; // when the copies of the last wait had landed

    // Where `bytes` at the lane's address are; null where they are nowhere, or not aligned, which is then reported.
    // `mustAlign`: what the address has to be a multiple of.
    std::byte* at(Space space, std::uint64_t address, std::uint32_t bytes, int lane, Touch touch, bool strong = false,
        std::uint32_t mustAlign = 0);
    // The bytes there now, null where there are none; nothing is checked.
    [[nodiscard]] const std::byte* peek(Space space, std::uint64_t address, std::uint32_t bytes, int lane) const;
    // As at() for a store, which needs its value to tell writes that agree from those that do not.
    void store(Space space, std::uint64_t address, const void* value, std::uint32_t bytes, int lane, bool strong);

    void issue(const Copy& copy, int lane);
    void commit(std::uint32_t mask);
    // Copies of the lanes' groups but the newest `pending` ones have landed.
    void wait(std::uint32_t mask, std::uint32_t pending);
    void land(Copy& copy);
    void fence(std::uint32_t mask);

    [[nodiscard]] std::uint32_t threadOf(int lane) const { return warp * 32 + static_cast<std::uint32_t>(lane); }
    [[nodiscard]] Party party(int lane) const { return { cta, warp, lane, pc }; }
    void report(Fault fault, int lane, std::uint64_t address, std::string text, std::optional<Party> other = {});
    [[nodiscard]] std::string placeOf(std::uint64_t genericAddress) const;
    [[nodiscard]] std::uint64_t clock(Special special) const;
    void begin() { touched.mask = 0; }

private:
    void moveBytes(const Copy& copy);

    std::uint32_t m_lastAllocation = none;
};

} // namespace flashstep::ptx
