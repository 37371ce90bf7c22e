// SPDX-License-Identifier: Apache-2.0
// FlashAttention-1, forward, in the order of its paper: S and P no longer go through global memory. A CTA walks the key
// blocks in the outer loop and the query tiles in the inner one; for each pair it makes S and P in registers, computes
// the softmax of this block alone (maximum m~, sum l~) and merges it into what is known of the rows by l and m, two
// numbers a row. So one kernel does what standard attention needs three for, and no memory grows with seqlenQ x
// seqlenK. The price of this order: O, l and m of a tile go out to global memory and come back at every key block
// (fp32, O divided by l each time), and only heads, and shares of their query tiles, keep CTAs busy side by side.
//
// Schedule: core/algorithms/fa1_paper.cpp (--what-if fa1-form=paper). Paper: arXiv:2205.14135, Algorithm 1. A comment
// `//: op` ties what follows, down to the next one, to that op of the schedule.
#include "profiler.cuh"
#include "softmax.cuh"

namespace flashstep::cuda {

template <class Element, int d, class Trace>
__device__ __forceinline__ void fa1Forward(const Element* Q, const Element* K, const Element* V, Element* O, float* LSE,
    float* Otmp, float* lTmp, float* mTmp, int heads, int kvHeads, int seqlenQ, int seqlenK, int causal,
    float scaleLog2, Trace trace)
{
    extern __shared__ __align__(1024) unsigned char smem[];
    const Tile<d> sQ { sharedAddress(smem) }; // Q_i [Br x d], 16 bit
    const Tile<d> sK { sQ.base + Br * Tile<d>::rowBytes }; // K_j [Bc x d]
    const Tile<d> sV { sK.base + Bc * Tile<d>::rowBytes }; // V_j [Bc x d]

    const int warp = static_cast<int>(threadIdx.x) / warpSize;
    const int lane = static_cast<int>(threadIdx.x) % warpSize;
    const int h = static_cast<int>(blockIdx.y);
    const int share = static_cast<int>(blockIdx.z); // of the query tiles: share, share + shares, …
    const int shares = static_cast<int>(gridDim.z);
    const std::size_t head = static_cast<std::size_t>(blockIdx.x) * heads + h;
    const std::size_t kvHead = static_cast<std::size_t>(blockIdx.x) * kvHeads + h / (heads / kvHeads);

    const int tiles = (seqlenQ + Br - 1) / Br;
    const int blocks = (seqlenK + Bc - 1) / Bc;
    const int ragged = seqlenQ % Br != 0 || seqlenK % Bc != 0;
    const int maskedBlocks = causal ? 1 + ragged : seqlenK % Bc != 0;
    // Blocks that some row of tile i sees: 0 to blocksOf(i) - 1.
    const auto blocksOf
        = [=](int i) { return (max(0, keysSeen(i * Br + Br - 1, seqlenQ, seqlenK, causal)) + Bc - 1) / Bc; };
    const auto rowOf = [=](int i, int r) { return i * Br + warp * 16 + lane / 4 + 8 * r; }; // of this lane

    // Rows of tiles that see no key at all: O = 0, LSE = -inf.
#pragma unroll 1
    for (int i = share; i < tiles; i += shares) {
        if (blocksOf(i) > 0)
            break; // and later tiles see more
        trace.op(Span::StoreO, i); //: store tensor=O
#pragma unroll
        for (int r = 0; r < 2; ++r) {
            if (rowOf(i, r) >= seqlenQ)
                continue;
            const std::size_t row = head * seqlenQ + rowOf(i, r);
#pragma unroll
            for (int n = 0; n < d / 8; ++n)
                *reinterpret_cast<std::uint32_t*>(O + row * d + 8 * n + 2 * (lane % 4)) = 0;
            if (lane % 4 == 0)
                LSE[row] = minusInfinity();
        }
    }

    bool used = false; // shared memory, by a visit before
#pragma unroll 1
    for (int j = 0; j < blocks; ++j) {
        bool loaded = false; // K_j and V_j
#pragma unroll 1
        for (int i = share; i < tiles; i += shares) {
            const int visits = blocksOf(i); // of this tile
            if (j >= visits)
                continue;
            const bool first = j == 0;
            const bool last = j == visits - 1;
            const int row[2] = { rowOf(i, 0), rowOf(i, 1) };
            const bool inside[2] = { row[0] < seqlenQ, row[1] < seqlenQ };
            const std::size_t at0 = head * seqlenQ + row[0];
            const std::size_t at[2] = { at0, at0 + 8 };
            const int column = 2 * (lane % 4); // of this lane, in each group of eight

            if (used) {
                trace.op(Span::SyncQKVFree, i, j); //: sync name=QKV_free
                syncthreads();
            }
            if (!loaded) {
                trace.op(Span::LoadK, i, j); //: load tensor=K
                copyTile<Bc>(sK, K + (kvHead * seqlenK + static_cast<std::size_t>(j) * Bc) * d, d, seqlenK - j * Bc);
                trace.op(Span::LoadV, i, j); //: load tensor=V
                copyTile<Bc>(sV, V + (kvHead * seqlenK + static_cast<std::size_t>(j) * Bc) * d, d, seqlenK - j * Bc);
                trace.op(Span::Commit, i, j); //: commit
                commit();
            }
            trace.op(Span::LoadQ, i, j); //: load tensor=Q
            copyTile<Br>(sQ, Q + (head * seqlenQ + static_cast<std::size_t>(i) * Br) * d, d, seqlenQ - i * Br);

            // What the visits before left: O_old [16 x d] fp32, normalised, with l_old and m_old of its rows.
            float Oold[d / 8][4];
            float lOld[2] = { 0, 0 };
            float mOld[2] = { minusInfinity(), minusInfinity() };
            clear(Oold);
            if (!first) {
                trace.op(Span::LoadOTmp, i, j); //: load tensor=O_tmp
#pragma unroll
                for (int r = 0; r < 2; ++r)
                    if (inside[r])
#pragma unroll
                        for (int n = 0; n < d / 8; ++n) {
                            const float2 pair = *reinterpret_cast<const float2*>(Otmp + at[r] * d + column + 8 * n);
                            Oold[n][2 * r] = pair.x;
                            Oold[n][2 * r + 1] = pair.y;
                        }
                trace.op(Span::LoadL, i, j); //: load tensor=l
#pragma unroll
                for (int r = 0; r < 2; ++r)
                    if (inside[r])
                        lOld[r] = lTmp[at[r]];
                trace.op(Span::LoadM, i, j); //: load tensor=m
#pragma unroll
                for (int r = 0; r < 2; ++r)
                    if (inside[r])
                        mOld[r] = mTmp[at[r]];
            }
            trace.op(Span::Commit, i, j); //: commit
            commit();
            trace.op(Span::WaitQKV, i, j); //: wait name=QKV_landed
            waitGroup<0>();
            trace.op(Span::SyncQKV, i, j); //: sync name=QKV_visible
            syncthreads();
            used = loaded = true;

            trace.op(Span::MmaS, i, j); //: mma out=S
            float S[Bc / 8][4]; // S_ij [16 x Bc] fp32
            multiplyTransposed<Element, d>(S, sQ, warp * 16, sK);
            if (visits - j <= maskedBlocks) {
                trace.op(Span::Mask, i, j); //: mask
                const int seen[2] = { keysSeen(row[0], seqlenQ, seqlenK, causal) - j * Bc,
                    keysSeen(row[1], seqlenQ, seqlenK, causal) - j * Bc };
                hide(S, seen);
            }
            trace.op(Span::RowMax, i, j); //: rowmax
            float mBlock[2]; // m~, of this block alone
            rowMax(mBlock, S);
            trace.op(Span::Exp2, i, j); //: exp2
            exponentials(S, mBlock, scaleLog2); // P~_ij [16 x Bc] fp32, where S was
            trace.op(Span::RowSum, i, j); //: rowsum
            float lBlock[2]; // l~
            laneSums(lBlock, S);
            lBlock[0] = sumOver<4>(lBlock[0]);
            lBlock[1] = sumOver<4>(lBlock[1]);
            trace.op(Span::ConvertP, i, j); //: convert out=P
            std::uint32_t P[Bc / 16][4]; // P~_ij [16 x Bc], 16 bit, as the A of the next product
            convert<Element>(P, S);
            trace.op(Span::MmaPV, i, j); //: mma out=PV
            float PV[d / 8][4]; // P~_ij V_j [16 x d] fp32
            clear(PV);
            multiply<Element, d>(PV, P, sV);

            trace.op(Span::ReduceM, i, j); //: reduce out=m
            float m[2], scale[2], beta[2], l[2];
#pragma unroll
            for (int r = 0; r < 2; ++r) {
                m[r] = fmaxf(mOld[r], mBlock[r]);
                scale[r] = exp2Approx((mOld[r] - finite(m[r])) * scaleLog2); // e^(m_old - m)
            }
            trace.op(Span::ReduceBlockM, i, j); //: reduce out=m~
#pragma unroll
            for (int r = 0; r < 2; ++r)
                beta[r] = exp2Approx((mBlock[r] - finite(m[r])) * scaleLog2); // e^(m~ - m)
            trace.op(Span::RescaleL, i, j); //: rescale out=l~
            lBlock[0] *= beta[0];
            lBlock[1] *= beta[1];
            trace.op(Span::RescaleLOld, i, j); //: rescale out=l_old
            lOld[0] *= scale[0];
            lOld[1] *= scale[1];
            trace.op(Span::ReduceL, i, j); //: reduce out=l
            l[0] = lOld[0] + lBlock[0];
            l[1] = lOld[1] + lBlock[1];
            trace.op(Span::RescalePV, i, j); //: rescale out=PV
            scaleRows(PV, beta);
            trace.op(Span::ReduceO, i, j); //: reduce out=O
            scaleRows(Oold, lOld); // it was divided by l_old when it was stored
            float o[d / 8][4]; // O_i [16 x d] fp32
#pragma unroll
            for (int n = 0; n < d / 8; ++n)
#pragma unroll
                for (int e = 0; e < 4; ++e)
                    o[n][e] = Oold[n][e] + PV[n][e];
            trace.op(Span::Normalise, i, j); //: normalise
            const float factor[2] = { oneOver(l[0]), oneOver(l[1]) };
            scaleRows(o, factor);

            if (last) {
                trace.op(Span::ConvertO, i, j); //: convert out=O
                std::uint32_t pairs[d / 8][2]; // O_i [16 x d], 16 bit
                convertRows<Element>(pairs, o);
                trace.op(Span::StoreO, i, j); //: store tensor=O
#pragma unroll
                for (int r = 0; r < 2; ++r)
                    if (inside[r])
#pragma unroll
                        for (int n = 0; n < d / 8; ++n)
                            *reinterpret_cast<std::uint32_t*>(O + at[r] * d + column + 8 * n) = pairs[n][r];
                trace.op(Span::StoreLse, i, j); //: store tensor=LSE
#pragma unroll
                for (int r = 0; r < 2; ++r)
                    if (inside[r] && lane % 4 == 0)
                        LSE[at[r]] = logSumExp(m[r], l[r], scaleLog2);
            } else {
                trace.op(Span::StoreOTmp, i, j); //: store tensor=O_tmp
#pragma unroll
                for (int r = 0; r < 2; ++r)
                    if (inside[r])
#pragma unroll
                        for (int n = 0; n < d / 8; ++n)
                            *reinterpret_cast<float2*>(Otmp + at[r] * d + column + 8 * n)
                                = make_float2(o[n][2 * r], o[n][2 * r + 1]);
                trace.op(Span::StoreL, i, j); //: store tensor=l
#pragma unroll
                for (int r = 0; r < 2; ++r)
                    if (inside[r] && lane % 4 == 0)
                        lTmp[at[r]] = l[r];
                trace.op(Span::StoreM, i, j); //: store tensor=m
#pragma unroll
                for (int r = 0; r < 2; ++r)
                    if (inside[r] && lane % 4 == 0)
                        mTmp[at[r]] = m[r];
            }
        }
    }
    trace.finish();
}

} // namespace flashstep::cuda

// Grid: batch, heads, shares of the query tiles. What the launches are: launch.cpp.
#define FA1_FORWARD(NAME, ELEMENT, D)                                                                                  \
    extern "C" __global__ void __launch_bounds__(128, (D) == 64 ? 0 : 2)                                               \
        NAME(const flashstep::cuda::ELEMENT* Q, const flashstep::cuda::ELEMENT* K, const flashstep::cuda::ELEMENT* V,  \
            flashstep::cuda::ELEMENT* O, float* LSE, float* Otmp, float* lTmp, float* mTmp, int heads, int kvHeads,    \
            int seqlenQ, int seqlenK, int causal, float scaleLog2)                                                     \
    {                                                                                                                  \
        flashstep::cuda::fa1Forward<flashstep::cuda::ELEMENT, D>(Q, K, V, O, LSE, Otmp, lTmp, mTmp, heads, kvHeads,    \
            seqlenQ, seqlenK, causal, scaleLog2, flashstep::cuda::NoTrace());                                          \
    }
#define FA1_FORWARD_TRACED(NAME, ELEMENT, D)                                                                           \
    extern "C" __global__ void __launch_bounds__(128, (D) == 64 ? 0 : 2)                                               \
        NAME(const flashstep::cuda::ELEMENT* Q, const flashstep::cuda::ELEMENT* K, const flashstep::cuda::ELEMENT* V,  \
            flashstep::cuda::ELEMENT* O, float* LSE, float* Otmp, float* lTmp, float* mTmp, int heads, int kvHeads,    \
            int seqlenQ, int seqlenK, int causal, float scaleLog2, void* profile, int capacity)                        \
    {                                                                                                                  \
        flashstep::cuda::fa1Forward<flashstep::cuda::ELEMENT, D>(Q, K, V, O, LSE, Otmp, lTmp, mTmp, heads, kvHeads,    \
            seqlenQ, seqlenK, causal, scaleLog2, flashstep::cuda::WarpTrace(profile, capacity));                       \
    }

FA1_FORWARD(fa1_forward_d64, Bf16, 64)
FA1_FORWARD(fa1_forward_d128, Bf16, 128)
FA1_FORWARD(fa1_forward_d64_fp16, Fp16, 64)
FA1_FORWARD(fa1_forward_d128_fp16, Fp16, 128)
FA1_FORWARD_TRACED(fa1_forward_d64_traced, Bf16, 64)
FA1_FORWARD_TRACED(fa1_forward_d128_traced, Bf16, 128)
