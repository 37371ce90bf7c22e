// SPDX-License-Identifier: Apache-2.0
// Products of tiles by one warp: mma.sync m16n8k16 on fragments that ldmatrix brings from shared memory.
//
// A fragment is a matrix of 16 or 8 rows shared out over the 32 lanes. With g = lane / 4 and t = lane % 4:
//   A [16 x 16], 16 bit: registers (g, 2t..) (g + 8, 2t..) (g, 2t + 8..) (g + 8, 2t + 8..), two columns each
//   B [16 x 8],  16 bit: registers (2t.., g) (2t + 8.., g), two rows each
//   C [16 x 8],  fp32:   (g, 2t) (g, 2t + 1) (g + 8, 2t) (g + 8, 2t + 1)
#pragma once

#include "tile.cuh"

namespace flashstep::cuda {

struct Bf16 {
    std::uint16_t bits;
};
struct Fp16 {
    std::uint16_t bits;
};

// Two numbers rounded to nearest, the first in the low half. (The instruction's own first operand is the high half.)
template <class Element> __device__ inline std::uint32_t pack(float low, float high);
template <> __device__ inline std::uint32_t pack<Bf16>(float low, float high)
{
    std::uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}
template <> __device__ inline std::uint32_t pack<Fp16>(float low, float high)
{
    std::uint32_t pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

template <class Element> __device__ inline float2 unpack(std::uint32_t pair);
template <> __device__ inline float2 unpack<Bf16>(std::uint32_t pair)
{
    return make_float2(__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000U));
}
template <> __device__ inline float2 unpack<Fp16>(std::uint32_t pair)
{
    float2 both;
    asm("{ .reg .b16 low, high; mov.b32 {low, high}, %2; cvt.f32.f16 %0, low; cvt.f32.f16 %1, high; }"
        : "=f"(both.x), "=f"(both.y)
        : "r"(pair));
    return both;
}

// Four matrices of 8 x 8; lane 8 m + r gives the address of row r of matrix m.
__device__ inline void ldmatrix(std::uint32_t (&r)[4], std::uint32_t address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(address)
                 : "memory");
}

__device__ inline void ldmatrixTransposed(std::uint32_t (&r)[4], std::uint32_t address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(address)
                 : "memory");
}

// c = c + a b
template <class Element>
__device__ inline void mma(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1);
template <>
__device__ inline void mma<Bf16>(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
template <>
__device__ inline void mma<Fp16>(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

template <int n> __device__ inline void clear(float (&c)[n][4])
{
#pragma unroll
    for (int k = 0; k < n; ++k)
        c[k][0] = c[k][1] = c[k][2] = c[k][3] = 0;
}

// Addresses that a lane gives to ldmatrix, of the first 16 x 16 of a tile from `row` on. Others are `rowBytes` and
// chunks further.
template <int columns> __device__ inline std::uint32_t rowsAddress(Tile<columns> tile, int row) // as A, or transposed B
{
    const int lane = static_cast<int>(threadIdx.x) % warpSize;
    return tile.at(row + lane % 16, lane / 16);
}
template <int columns> __device__ inline std::uint32_t columnsAddress(Tile<columns> tile, int row) // as two B
{
    const int lane = static_cast<int>(threadIdx.x) % warpSize;
    return tile.at(row + lane % 8 + 8 * (lane / 16), lane / 8 % 2);
}

// S [16 x Bc] = Q Kᵀ for the warp's 16 rows of Q [Br x d] and all of K [Bc x d]. A row of K is a column of Kᵀ, which is
// how B wants it: no transposition.
template <class Element, int d>
__device__ inline void multiplyTransposed(float (&S)[Bc / 8][4], Tile<d> sQ, int firstRow, Tile<d> sK)
{
    const std::uint32_t q0 = rowsAddress(sQ, firstRow);
    const std::uint32_t k0 = columnsAddress(sK, 0);
    clear(S);
#pragma unroll
    for (int kk = 0; kk < d / 16; ++kk) {
        std::uint32_t q[4]; // [16 x 16], columns 16 kk..
        ldmatrix(q, Tile<d>::other(q0, 2 * kk));
#pragma unroll
        for (int nn = 0; nn < Bc / 16; ++nn) {
            std::uint32_t k[4]; // two B fragments, [16 x 8] each: keys 16 nn.. and 16 nn + 8..
            ldmatrix(k, Tile<d>::other(k0, 2 * kk) + 16 * nn * Tile<d>::rowBytes);
            mma<Element>(S[2 * nn], q, k[0], k[1]);
            mma<Element>(S[2 * nn + 1], q, k[2], k[3]);
        }
    }
}

// O [16 x d] = O + p V for 16 of the block's keys, numbers 16 kk..: p [16 x 16] as A. V [Bc x d] has its keys in rows
// and B wants them in columns: ldmatrix transposes on the way.
template <class Element, int d>
__device__ inline void multiplyStep(float (&O)[d / 8][4], const std::uint32_t (&p)[4], Tile<d> sV, int kk)
{
    const std::uint32_t v0 = rowsAddress(sV, 0);
#pragma unroll
    for (int nn = 0; nn < d / 16; ++nn) {
        std::uint32_t v[4]; // two B fragments, [16 x 8] each: columns 16 nn.. and 16 nn + 8..
        ldmatrixTransposed(v, Tile<d>::other(v0, 2 * nn) + 16 * kk * Tile<d>::rowBytes);
        mma<Element>(O[2 * nn], p, v[0], v[1]);
        mma<Element>(O[2 * nn + 1], p, v[2], v[3]);
    }
}

// O [16 x d] = O + P V with P in registers.
template <class Element, int d>
__device__ inline void multiply(float (&O)[d / 8][4], const std::uint32_t (&P)[Bc / 16][4], Tile<d> sV)
{
#pragma unroll
    for (int kk = 0; kk < Bc / 16; ++kk)
        multiplyStep<Element, d>(O, P[kk], sV, kk);
}

// P [16 x Bc] rounded for the second product. The C fragments of two neighbouring key groups, packed, are the A
// fragment of the next product: no lane needs what another one has.
template <class Element> __device__ inline void convert(std::uint32_t (&P)[Bc / 16][4], const float (&S)[Bc / 8][4])
{
#pragma unroll
    for (int kk = 0; kk < Bc / 16; ++kk) {
        P[kk][0] = pack<Element>(S[2 * kk][0], S[2 * kk][1]);
        P[kk][1] = pack<Element>(S[2 * kk][2], S[2 * kk][3]);
        P[kk][2] = pack<Element>(S[2 * kk + 1][0], S[2 * kk + 1][1]);
        P[kk][3] = pack<Element>(S[2 * kk + 1][2], S[2 * kk + 1][3]);
    }
}

// Two rows of C fragments, g and g + 8, rounded: pairs[n][0] is of row g.
template <class Element, int n> __device__ inline void convertRows(std::uint32_t (&pairs)[n][2], const float (&c)[n][4])
{
#pragma unroll
    for (int k = 0; k < n; ++k) {
        pairs[k][0] = pack<Element>(c[k][0], c[k][1]);
        pairs[k][1] = pack<Element>(c[k][2], c[k][3]);
    }
}

// The warp's 16 rows into a tile of shared memory, from where the CTA stores whole lines.
template <int columns>
__device__ inline void stageRows(Tile<columns> to, int firstRow, const std::uint32_t (&pairs)[columns / 8][2])
{
    const int lane = static_cast<int>(threadIdx.x) % warpSize;
#pragma unroll
    for (int n = 0; n < columns / 8; ++n) {
        storePair(to, firstRow + lane / 4, n, lane % 4, pairs[n][0]);
        storePair(to, firstRow + lane / 4 + 8, n, lane % 4, pairs[n][1]);
    }
}

} // namespace flashstep::cuda
