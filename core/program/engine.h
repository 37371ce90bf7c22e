// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flashstep {

// The parts of an SM that ops are booked on, and the memories behind it.
enum class Engine : std::uint8_t { Tensor, Exp, Alu, Issue, Smem, L2, Hbm };
constexpr std::size_t engineCount = 7;
[[nodiscard]] std::string_view name(Engine engine); // "tensor", "exp", "alu", "issue", "smem", "l2", "hbm"

} // namespace flashstep
