// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/code.h"

namespace flashstep::ptx {

// As what a register's bits are best read. Compilers declare most registers as so many bits; what they hold follows
// from the instructions that use them.
enum class RegisterKind : std::uint8_t { Predicate, Signed, Unsigned, Hex, F32, F64, Half, Bf16, HalfPair, Bf16Pair };
[[nodiscard]] std::string_view name(RegisterKind kind); // "f32"

// By register number. What has no use that tells is read as bits.
[[nodiscard]] std::vector<RegisterKind> registerKinds(const Code& code);

} // namespace flashstep::ptx
