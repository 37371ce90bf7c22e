// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace flashstep {

// Number formats of the tensor cores. Values travel as fp32 that have been rounded to the format,
// round-to-nearest-even.
enum class DType : std::uint8_t { Fp32, Fp16, Bf16, E4m3 };

[[nodiscard]] std::string_view name(DType dtype); // "fp32", "fp16", "bf16", "e4m3"
[[nodiscard]] std::optional<DType> dtypeFromName(std::string_view text);
[[nodiscard]] int bytesOf(DType dtype); // as stored: 4, 2, 2, 1

// The nearest value of the format, ties to even. fp16 and bf16 overflow to infinity, as cvt.rn does; e4m3 (OCP, no
// infinities) saturates to +-448, as cvt.rn.satfinite does, and keeps NaN.
[[nodiscard]] float roundTo(DType dtype, float value);
void roundTo(DType dtype, std::span<float> values);

// The bits as stored, right-aligned in 32 (e4m3 in 8, 16-bit formats in 16). `value` is rounded first.
[[nodiscard]] std::uint32_t bitsOf(DType dtype, float value);
[[nodiscard]] float fromBits(DType dtype, std::uint32_t bits);

// Largest finite value of the format.
[[nodiscard]] float maxFinite(DType dtype);

} // namespace flashstep
