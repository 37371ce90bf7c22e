// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/session.h"

#include <map>
#include <tuple>

namespace flashstep::ptx {

// What had been written at each position of a session: registers by lane, shared memory by two bytes. Looked up after
// the run, since the states that a session keeps do not know it.
class Written {
public:
    // Goes through the whole session once more.
    static Result<Written> make(KernelSession& session, const Progress& progress);

    // Lanes whose instructions have written the register before the position.
    [[nodiscard]] std::uint32_t lanes(std::uint32_t launch, std::uint32_t cta, std::uint32_t warp, std::uint32_t number,
        std::uint64_t position) const;
    // Whether an instruction has written there, or issued a copy that does; offset from 0, as the kernel sees it.
    [[nodiscard]] bool shared(
        std::uint32_t launch, std::uint32_t cta, std::uint64_t offset, std::uint64_t position) const;

private:
    struct Change { // from this position on
        std::uint32_t position = 0;
        std::uint32_t lanes = 0;
    };
    using WarpKey = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>; // launch, CTA, warp
    using CtaKey = std::pair<std::uint32_t, std::uint32_t>;
    void noteShared(std::vector<std::uint32_t>& first, const Touched& touched, std::uint32_t position);

    std::map<WarpKey, std::vector<std::vector<Change>>> m_registers; // by register number
    std::map<CtaKey, std::vector<std::uint32_t>> m_shared; // first position after a write, by two bytes; none: never
};

} // namespace flashstep::ptx
