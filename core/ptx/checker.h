// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/access.h"
#include "core/ptx/clocks.h"
#include "core/ptx/shadow.h"

#include <map>
#include <utility>

namespace flashstep::ptx {

// What is checked of memory: races, reads of what was never written, copies touched before their wait. Watches a whole
// launch; the machine tells it of every access and of everything that orders threads.
class Checker {
public:
    void beginLaunch();
    void beginCta(std::uint32_t cta, std::uint32_t threads, std::uint64_t sharedEnd);
    void endCta(std::uint32_t cta);

    // `offset`: in the CTA's shared memory, or in allocation `allocation`.
    void touchShared(Access& access, std::uint64_t offset, std::uint32_t bytes, int lane, Touch touch, bool strong);
    void touchGlobal(Access& access, std::uint32_t allocation, std::uint64_t offset, std::uint32_t bytes, int lane,
        Touch touch, bool strong);
    // A store about to be made: lanes of one instruction that write the same value do not race.
    void agree(bool same) { m_agrees = same; }

    void issueCopy(Access& access, const Copy& copy, std::uint32_t number, int lane);
    void landCopy(Access& access, const Copy& copy);

    // Order.
    Clocks& clocks(std::uint32_t cta) { return m_ctas.at(cta).clocks; }
    void fence(Access& access, std::uint32_t mask);
    // What an atomic stands on: an address, in shared memory of one CTA's.
    using Flag = std::pair<std::uint32_t, std::uint64_t>;
    void atomic(Access& access, const Flag& flag, int lane);

private:
    struct Cta {
        Clocks clocks;
        Shadow shared;
        std::vector<View> released; // by thread: what its last fence covered
        std::vector<View> acquired; // by thread: what atomics showed it, for its next fence
        std::vector<std::uint8_t> fences; // by thread: bit 0 released, bit 1 something to acquire
    };
    void touch(Access& access, Cta& cta, Shadow& shadow, std::uint64_t offset, std::uint32_t bytes, int lane,
        Touch touch, bool strong, bool global);
    void race(Access& access, const Toucher& other, int lane, bool writes, bool otherWrites);
    Shadow& shadowOf(Access& access, std::uint32_t allocation);

    std::map<std::uint32_t, Cta> m_ctas;
    std::vector<Shadow> m_global; // by allocation
    std::map<Flag, View> m_published;
    std::uint64_t m_address = 0; // of the access under way, generic
    bool m_agrees = false;
};

} // namespace flashstep::ptx
