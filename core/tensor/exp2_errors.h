// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace flashstep {

// How far an fp32 way of computing 2^x is from float64, on [0, 1).
struct Exp2Errors {
    double fp32 = 0; // largest relative error of the result
    double bf16 = 0; // of the result rounded to bf16
    double sameBf16 = 0; // share of the inputs, 0…1, whose result has the bf16 that exact 2^x has
    double nearUnit = 0; // share whose bf16 is that of the exponential unit or a neighbour of it
};
// At `points` equally spaced inputs, a power of two up to 2^24 so that each is an fp32. Element 0: the exponential
// unit, d: the polynomial of degree d.
[[nodiscard]] std::array<Exp2Errors, 6> exp2Errors(int points);

} // namespace flashstep
