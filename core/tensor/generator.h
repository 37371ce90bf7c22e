// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace flashstep {

// Philox4x32-10 [Salmon et al., SC'11]: a counter-based generator, so element n of a tensor is a function of
// (seed, stream, n) alone and can be made again anywhere. docs/inputs.md writes it down with test vectors.
[[nodiscard]] std::array<std::uint32_t, 4> philox4x32(
    std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

enum class RandomStream : std::uint32_t { Q = 0, K = 1, V = 2, DOut = 3 };

// Uniform in (0, 1) and standard normal (Box-Muller in float64, rounded to fp32 by the caller) of element n.
[[nodiscard]] double uniformAt(std::uint64_t seed, std::uint32_t stream, std::uint64_t n);
[[nodiscard]] double normalAt(std::uint64_t seed, std::uint32_t stream, std::uint64_t n);

} // namespace flashstep
