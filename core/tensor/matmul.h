// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace flashstep {

// Products of row-major fp32 tiles; ld… is the distance of two rows. Every output is one sum with k ascending, each
// product rounded and then added, so the bits do not depend on the CPU or on how tiles are cut. c overlaps neither a
// nor b.

// c (m, n) = a (m, k) times b (n, k) transposed, as in S = Q K^T. The sum starts from +0.
void multiplyTransposed(const float* a, int lda, const float* b, int ldb, float* c, int ldc, int m, int n, int k);

// c (m, n) += a (m, k) b (k, n), as in O += P V. What c holds is the first term of each sum.
void multiplyAdd(const float* a, int lda, const float* b, int ldb, float* c, int ldc, int m, int n, int k);

} // namespace flashstep
