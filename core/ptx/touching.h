// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/access.h"
#include "core/ptx/warp.h"

#include <array>

namespace flashstep::ptx {

// What an instruction will do to memory when it is executed with the registers as they are now. Of a cp.async `touched`
// is the destination, `source` where its bytes come from. Addresses in shared memory are offsets (from 0; the first
// KiB is the system's), of other spaces as the instruction has them. A mask of 0: it touches nothing.
struct Touching {
    Touched touched;
    Touched source;
};
[[nodiscard]] Touching touchingOf(const Code& code, std::uint32_t pc, const Warp& warp, std::uint32_t mask);

// How often each of the 32 banks has to be asked, as wavefrontsOf() counts it: summed over the parts of the warp that
// go together.
[[nodiscard]] std::array<int, 32> bankAsks(const Touched& touched);
// The wavefronts that would be needed if no bank were asked twice in one: the busiest case of the bytes alone.
[[nodiscard]] int fewestWavefronts(const Touched& touched);

} // namespace flashstep::ptx
