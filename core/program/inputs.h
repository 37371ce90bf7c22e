// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/problem.h"
#include "core/tensor/tensor.h"

namespace flashstep {

struct Inputs {
    Tensor q; // (batch, heads, seqlenQ, headDim)
    Tensor k; // (batch, kvHeads, seqlenK, headDim)
    Tensor v; // (batch, kvHeads, seqlenK, headDimV)
};

// The numbers that problem.init and problem.seed name, rounded to problem.dtype. docs/inputs.md has the formulas.
[[nodiscard]] Inputs generateInputs(const Problem& problem);

} // namespace flashstep
