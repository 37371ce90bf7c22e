// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

namespace flashstep {

// How far an fp32 way of computing 2^x is from float64, on [0, 1).
struct Exp2Errors {
    double fp32 = 0; // largest relative error of the result
    double bf16 = 0; // of the result rounded to bf16
    double sameBf16 = 0; // share of the inputs, 0…1, whose result has the bf16 that exact 2^x has
    double nearUnit = 0; // share whose bf16 is that of the exponential unit or a neighbour of it
    double ulpFp32 = 0; // largest error of the result in units of fp32's last place, 2^-23 on [1, 2)
    double ulpBf16 = 0; // of the rounded one in units of bf16's, 2^-7: rounding alone costs up to 0.5
};
// At `points` equally spaced inputs, a power of two up to 2^24 so that each is an fp32. Element 0: the exponential
// unit, d: the polynomial of degree d.
[[nodiscard]] std::array<Exp2Errors, 6> exp2Errors(int points);

// Least and largest error, with its sign, of one way (as above) in each of `bins` equal parts of [0, 1), at
// `pointsEach` inputs a part, a power of two each; before rounding in fp32's last place, after it in bf16's.
struct Exp2Curve {
    std::vector<float> lowFp32, highFp32, lowBf16, highBf16;
};
[[nodiscard]] Exp2Curve exp2Curve(int way, int bins, int pointsEach);

} // namespace flashstep
