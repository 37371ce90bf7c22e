// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace flashstep {

// 2^x as FlashAttention-4 computes it on the FMA units where the exponential unit is the bottleneck (Cody-Waite range
// reduction, then a minimax polynomial on [0, 1)), bit for bit in fp32 [flash_attn/cute/utils.py ex2_emulation_2]:
//   x = max(x, -127); r = x + 12582912 rounded down; n = r - 12582912; f = x - n;
//   p = (..(p_d f + p_(d-1)) f + ..) f + 1 by fused multiply-adds; result bits = bits(p) + (bits(r) << 23).
// degree 1 to 5 (the kernels take 3), x < 128. Integers give exact powers of two down to -126; x <= -127, -inf too,
// gives exactly +0; between -127 and -126 the exponent field is 0, so the result is a subnormal that ramps from 0 up to
// 2^-126. NaN stays NaN, so that a broken score shows (max.f32 of the GPU would drop it, and give 0).
[[nodiscard]] float exp2Polynomial(float x, int degree);
// out[i] = exp2Polynomial(scale * x[i] - shift, degree), product, then difference, each rounded, as exp2UnitRow does.
// Same bits as the scalar form. out may alias x.
void exp2PolynomialRow(const float* x, float* out, int n, float scale, float shift, int degree);

} // namespace flashstep
