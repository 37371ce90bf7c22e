// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flashstep {

// The parts of an SM that ops are booked on, and the memories behind it. Registers is the register file where vector
// work takes its bandwidth from a tensor core whose accumulators live there; Tmem, the port of tensor memory.
enum class Engine : std::uint8_t { Tensor, Exp, Alu, Issue, Smem, L2, Hbm, Tma, Registers, Tmem };
constexpr std::size_t engineCount = 10;
// "tensor", "exp", "alu", "issue", "smem", "l2", "hbm", "tma", "registers", "tmem"
[[nodiscard]] std::string_view name(Engine engine);

} // namespace flashstep
