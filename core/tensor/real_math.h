// SPDX-License-Identifier: Apache-2.0
#pragma once

// Transcendentals from + - * / and bit operations alone: libm gives other bits on CPUs with FMA, and a run must be the
// same everywhere (docs/hardware-model.md). Built with -ffp-contract=off.
namespace flashstep {

constexpr double log2e = 1.4426950408889634074;
constexpr double ln2 = 0.69314718055994530942;

// float64 reference functions. Relative error at most 4e-16 (exp2Real, expReal) and 4e-16 absolute or relative
// (log2Real, lnReal). exp2Real(-inf) = 0, log2Real(0) = -inf, NaN in, NaN out.
[[nodiscard]] double exp2Real(double x);
[[nodiscard]] double expReal(double x);
[[nodiscard]] double log2Real(double x);
[[nodiscard]] double lnReal(double x);
[[nodiscard]] double cosPi(double x); // cos(pi x), for the normal generator

// The exponential unit (MUFU.EX2, PTX ex2.approx.ftz.f32): at most 2 ulp from the correctly rounded result, subnormal
// inputs and results flushed to zero; -inf -> 0, 0 -> 1, +inf -> +inf, NaN -> NaN. [PTX ISA 9.7.3.21]
// The low bits inside that bound are this model's own: silicon's table is not published.
[[nodiscard]] float exp2Unit(float x);
// out[i] = exp2Unit(scale * x[i] - shift), as one FFMA feeds the unit in the kernels; here product, then difference,
// each rounded. Same bits as the scalar form. out may alias x.
void exp2UnitRow(const float* x, float* out, int n, float scale, float shift);

} // namespace flashstep
