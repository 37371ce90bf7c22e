// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/tensor.h"

#include <functional>

namespace flashstep {

// float64 attention of rows [rowBegin, rowEnd) of one (batch, head), straight from the definition: two passes over the
// visible keys, products and sums in index order. A row that sees nothing gives o = 0 and lse = -inf.
struct ReferenceHead {
    const float* q = nullptr; // (seqlenQ, headDim) of this head
    const float* k = nullptr; // (seqlenK, headDim)
    const float* v = nullptr; // (seqlenK, headDimV)
    int headDim = 0, headDimV = 0;
    double scale = 1;
    std::function<std::pair<int, int>(int row)> visibleKeys; // [first, last)
};
// o: (rowEnd - rowBegin, headDimV) float64; lse: natural log, one per row.
void referenceForward(const ReferenceHead& head, int rowBegin, int rowEnd, double* o, double* lse);

} // namespace flashstep
