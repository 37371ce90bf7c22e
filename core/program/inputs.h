// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/problem.h"
#include "core/tensor/tensor.h"

namespace flashstep {

// What the stored numbers of a tensor are to be multiplied by: one factor for `rows` consecutive rows of a head.
struct Factors {
    int rows = 0;
    Tensor each; // (batch, heads, stretches of rows, 1); empty: no factors

    [[nodiscard]] bool none() const { return each.data.empty(); }
    [[nodiscard]] float at(int b, int h, int row) const; // 1 where there are none
};

struct Inputs {
    Tensor q; // (batch, heads, seqlenQ, headDim)
    Tensor k; // (batch, kvHeads, seqlenK, headDim)
    Tensor v; // (batch, kvHeads, seqlenK, headDimV)
    Factors qFactors {}, kFactors {}, vFactors {}; // of quantised operands
};

// The numbers that problem.init and problem.seed name, rounded to problem.dtype. docs/inputs.md has the formulas.
[[nodiscard]] Inputs generateInputs(const Problem& problem);

} // namespace flashstep
