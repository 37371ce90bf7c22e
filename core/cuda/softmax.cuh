// SPDX-License-Identifier: Apache-2.0
// Softmax on fragments: a lane has parts of rows g and g + 8 (mma.cuh), and the four lanes of a quad share these rows.
// Exponentials are powers of two: exp(scale x) = exp2(c x) with c = scale log2(e), one multiply-add and one ex2.
#pragma once

#include "mma.cuh"

namespace flashstep::cuda {

constexpr float ln2 = 0.693147180559945309F;

__device__ inline float minusInfinity()
{
    return __int_as_float(0xff800000);
}

__device__ inline float exp2Approx(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

__device__ inline float log2Approx(float x)
{
    float y;
    asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

__device__ inline float reciprocal(float x)
{
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

__device__ inline float fromLane(float x, int apart) // of the lane whose number differs in the bits of `apart`
{
    float y;
    asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, 0xffffffff;" : "=f"(y) : "f"(x), "r"(apart));
    return y;
}

// Over the lanes that have parts of one row: four of a fragment, 32 where a warp has one row.
template <int lanes> __device__ inline float maxOver(float x)
{
#pragma unroll
    for (int apart = lanes / 2; apart > 0; apart /= 2)
        x = fmaxf(x, fromLane(x, apart));
    return x;
}

template <int lanes> __device__ inline float sumOver(float x)
{
#pragma unroll
    for (int apart = lanes / 2; apart > 0; apart /= 2)
        x += fromLane(x, apart);
    return x;
}

// How many keys a row sees, from the first on. Causal: the last row of Q sees the last key (bottom-right alignment).
__device__ inline int keysSeen(int row, int seqlenQ, int seqlenK, int causal)
{
    return causal ? min(seqlenK, row + 1 + seqlenK - seqlenQ) : seqlenK;
}

// Scores of keys that a row does not see: -inf. `seen`: of rows g and g + 8, counted from the block's first key.
__device__ inline void hide(float (&S)[Bc / 8][4], const int (&seen)[2])
{
    const int first = 2 * (static_cast<int>(threadIdx.x) % 4);
#pragma unroll
    for (int n = 0; n < Bc / 8; ++n)
#pragma unroll
        for (int e = 0; e < 4; ++e)
            if (8 * n + first + e % 2 >= seen[e / 2])
                S[n][e] = minusInfinity();
}

// rowmax S, of rows g and g + 8.
__device__ inline void rowMax(float (&most)[2], const float (&S)[Bc / 8][4])
{
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        most[r] = fmaxf(S[0][2 * r], S[0][2 * r + 1]);
#pragma unroll
        for (int n = 1; n < Bc / 8; ++n)
            most[r] = fmaxf(most[r], fmaxf(S[n][2 * r], S[n][2 * r + 1]));
        most[r] = maxOver<4>(most[r]);
    }
}

// The reference of the exponents. A row that has seen nothing has the maximum -inf, and -inf - (-inf) is no number.
__device__ inline float finite(float m)
{
    return m == minusInfinity() ? 0.0F : m;
}

// P = exp2(S c - m c), in S's registers.
__device__ inline void exponentials(float (&S)[Bc / 8][4], const float (&m)[2], float c)
{
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        const float reference = finite(m[r]) * c;
#pragma unroll
        for (int n = 0; n < Bc / 8; ++n) {
            S[n][2 * r] = exp2Approx(fmaf(S[n][2 * r], c, -reference));
            S[n][2 * r + 1] = exp2Approx(fmaf(S[n][2 * r + 1], c, -reference));
        }
    }
}

// This lane's part of rowsum P.
__device__ inline void laneSums(float (&sum)[2], const float (&P)[Bc / 8][4])
{
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        sum[r] = 0;
#pragma unroll
        for (int n = 0; n < Bc / 8; ++n)
            sum[r] += P[n][2 * r] + P[n][2 * r + 1];
    }
}

// Rows g and g + 8 of C fragments times a number each.
template <int n> __device__ inline void scaleRows(float (&c)[n][4], const float (&factor)[2])
{
#pragma unroll
    for (int k = 0; k < n; ++k)
#pragma unroll
        for (int e = 0; e < 4; ++e)
            c[k][e] *= factor[e / 2];
}

// What O is multiplied by in the end; 1 for a row that sees nothing, whose O is 0.
__device__ inline float oneOver(float l)
{
    return l > 0 ? reciprocal(l) : 1.0F;
}

// LSE = scale m + ln l, -inf for a row that sees nothing.
__device__ inline float logSumExp(float m, float l, float c)
{
    return l > 0 ? (m * c + log2Approx(l)) * ln2 : minusInfinity();
}

} // namespace flashstep::cuda
