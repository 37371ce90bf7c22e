// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/choices.h"
#include "core/program/inputs.h"
#include "core/program/program.h"

namespace flashstep {

// What e4m3 operands are made of: Q and K rotated where `choices` ask for it, every tensor divided by its factors
// (none: 1) and rounded. Factors are amax / 448 of a head, or of a tile of a head. docs/inputs.md has the formulas.
[[nodiscard]] Inputs quantised(Inputs values, const Problem& problem, TileSize tile, const Choices& choices);

// The numbers that quantised operands stand for: each times its factor, rounded to fp32.
[[nodiscard]] Inputs dequantised(const Inputs& inputs);

// x = H D x / sqrt(n) for every stretch of n components, n the largest power of two that divides the row's length: H
// the Walsh-Hadamard matrix, D signs drawn for the components. Rows rotated with one seed keep their dot products.
void rotateHadamard(std::uint64_t seed, Tensor& tensor);

} // namespace flashstep
