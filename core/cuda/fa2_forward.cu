// SPDX-License-Identifier: Apache-2.0
// FlashAttention-2, forward: one CTA for each tile of Br query rows. The loops of FlashAttention-1 are exchanged, so
// the CTA walks the key blocks itself, from right to left, and O, l and m never leave its registers: no trips through
// global memory, no split of a head that has to be put together, as many CTAs as there are query tiles. O stays
// unnormalised until one division at the end, and a block brings O and l to the new maximum in one go. K and V are
// copied by cp.async one block ahead of their use: V lands while S is computed, the next K while softmax and O += P V
// run. O leaves through shared memory, so that the stores are whole lines.
//
// Schedule: core/algorithms/fa2_forward.cpp. Paper: arXiv:2307.08691, Algorithm 1. A comment `//: op` ties what
// follows, down to the next one, to that op of the schedule.
#include "profiler.cuh"
#include "softmax.cuh"

namespace flashstep::cuda {

template <class Element, int d, class Trace>
__device__ __forceinline__ void fa2Forward(const Element* Q, const Element* K, const Element* V, Element* O, float* LSE,
    int heads, int kvHeads, int seqlenQ, int seqlenK, int causal, float scaleLog2, Trace trace)
{
    extern __shared__ __align__(1024) unsigned char smem[];
    const Tile<d> sQ { sharedAddress(smem) }; // Q_i [Br x d], 16 bit
    const Tile<d> sK { sQ.base
        + Br * Tile<d>::rowBytes }; // K_j [Bc x d]; one buffer: the next block waits for this one
    const Tile<d> sV { sK.base + Bc * Tile<d>::rowBytes }; // V_j [Bc x d]
    const Tile<d> sO = sQ; // O_i [Br x d], through Q's memory: a warp overwrites only rows that it alone has read

    const int warp = static_cast<int>(threadIdx.x) / warpSize;
    const int lane = static_cast<int>(threadIdx.x) % warpSize;
    const int i = static_cast<int>(blockIdx.x);
    const int h = static_cast<int>(blockIdx.z);
    const std::size_t head = static_cast<std::size_t>(blockIdx.y) * heads + h;
    const std::size_t kvHead = static_cast<std::size_t>(blockIdx.y) * kvHeads + h / (heads / kvHeads);
    const Element* Qi = Q + (head * seqlenQ + static_cast<std::size_t>(i) * Br) * d;
    const Element* K0 = K + kvHead * seqlenK * d;
    const Element* V0 = V + kvHead * seqlenK * d;
    const int rowsInside = min(Br, seqlenQ - i * Br);
    const int row[2] = { i * Br + warp * 16 + lane / 4, i * Br + warp * 16 + lane / 4 + 8 }; // of this lane

    // Blocks that some row of the tile sees, and how many of them, counted from the right, hide something from a row.
    const int keys = max(0, keysSeen(i * Br + Br - 1, seqlenQ, seqlenK, causal));
    const int blocks = (keys + Bc - 1) / Bc;
    const int ragged = seqlenQ % Br != 0 || seqlenK % Bc != 0;
    const int maskedBlocks = causal ? 1 + ragged : seqlenK % Bc != 0;

    float o[d / 8][4]; // O_i [16 x d] fp32, unnormalised
    float m[2] = { minusInfinity(), minusInfinity() }; // of the raw scores
    float l[2] = { 0, 0 }; // this lane's part; the quad's parts are added at the end
    clear(o);

    if (blocks > 0) {
        trace.op(Span::LoadQ, i); //: load tensor=Q
        copyTile<Br>(sQ, Qi, d, rowsInside);
        trace.op(Span::LoadK, i, blocks - 1); //: load tensor=K
        copyTile<Bc>(sK, K0 + static_cast<std::size_t>(blocks - 1) * Bc * d, d, seqlenK - (blocks - 1) * Bc);
        trace.op(Span::Commit, i, blocks - 1); //: commit
        commit();
    }

#pragma unroll 1
    for (int j = blocks - 1; j >= 0; --j) {
        trace.op(Span::WaitK, i, j); //: wait name=K_landed
        waitGroup<0>();
        trace.op(Span::SyncK, i, j); //: sync name=K_visible
        syncthreads();
        trace.op(Span::LoadV, i, j); //: load tensor=V
        copyTile<Bc>(sV, V0 + static_cast<std::size_t>(j) * Bc * d, d, seqlenK - j * Bc);
        trace.op(Span::Commit, i, j); //: commit
        commit();

        trace.op(Span::MmaS, i, j); //: mma out=S
        float S[Bc / 8][4]; // S_ij [16 x Bc] fp32
        multiplyTransposed<Element, d>(S, sQ, warp * 16, sK);
        if (blocks - j <= maskedBlocks) {
            trace.op(Span::Mask, i, j); //: mask
            const int seen[2] = { keysSeen(row[0], seqlenQ, seqlenK, causal) - j * Bc,
                keysSeen(row[1], seqlenQ, seqlenK, causal) - j * Bc };
            hide(S, seen);
        }

        trace.op(Span::WaitV, i, j); //: wait name=V_landed
        waitGroup<0>();
        trace.op(Span::SyncV, i, j); //: sync name=V_visible
        syncthreads();
        if (j > 0) {
            trace.op(Span::LoadK, i, j - 1); //: load tensor=K
            copyTile<Bc>(sK, K0 + static_cast<std::size_t>(j - 1) * Bc * d, d, Bc);
            trace.op(Span::Commit, i, j - 1); //: commit
            commit();
        }

        trace.op(Span::RowMax, i, j); //: rowmax
        float most[2];
        rowMax(most, S);
        float scale[2]; // e^(m - m'), by which what was there before is brought to the new maximum m'
#pragma unroll
        for (int r = 0; r < 2; ++r) {
            most[r] = fmaxf(m[r], most[r]);
            scale[r] = exp2Approx((m[r] - finite(most[r])) * scaleLog2);
            m[r] = most[r];
        }
        if (j < blocks - 1) {
            trace.op(Span::Rescale, i, j); //: rescale
            scaleRows(o, scale);
            l[0] *= scale[0];
            l[1] *= scale[1];
        }
        trace.op(Span::Exp2, i, j); //: exp2
        exponentials(S, m, scaleLog2); // P_ij [16 x Bc] fp32, where S was
        trace.op(Span::RowSum, i, j); //: rowsum
        float sum[2];
        laneSums(sum, S);
        l[0] += sum[0];
        l[1] += sum[1];
        trace.op(Span::ConvertP, i, j); //: convert out=P
        std::uint32_t P[Bc / 16][4]; // P_ij [16 x Bc], 16 bit, as the A of the next product
        convert<Element>(P, S);
        trace.op(Span::MmaO, i, j); //: mma out=O
        multiply<Element, d>(o, P, sV); // O = O + P V
    }

    trace.op(Span::Normalise, i); //: normalise
    float factor[2], lse[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        l[r] = sumOver<4>(l[r]);
        factor[r] = oneOver(l[r]);
        lse[r] = logSumExp(m[r], l[r], scaleLog2);
    }
    scaleRows(o, factor);
    trace.op(Span::ConvertO, i); //: convert out=O
    std::uint32_t pairs[d / 8][2]; // O_i [16 x d], 16 bit
    convertRows<Element>(pairs, o);
    trace.op(Span::StageO, i); //: stage out=sO
    stageRows(sO, warp * 16, pairs);
    trace.op(Span::SyncOStaged, i); //: sync name=O_staged
    syncthreads();
    trace.op(Span::StoreO, i); //: store tensor=O
    storeTile<Br>(O + (head * seqlenQ + static_cast<std::size_t>(i) * Br) * d, d, sO, rowsInside);
    trace.op(Span::StoreLse, i); //: store tensor=LSE
#pragma unroll
    for (int r = 0; r < 2; ++r)
        if (lane % 4 == 0 && row[r] < seqlenQ)
            LSE[head * seqlenQ + row[r]] = lse[r];
    trace.finish();
}

} // namespace flashstep::cuda

// Grid: query tiles, batch, heads. What the launches are: launch.cpp.
#define FA2_FORWARD(NAME, ELEMENT, D)                                                                                  \
    extern "C" __global__ void __launch_bounds__(128, (D) == 64 ? 3 : 2) NAME(const flashstep::cuda::ELEMENT* Q,       \
        const flashstep::cuda::ELEMENT* K, const flashstep::cuda::ELEMENT* V, flashstep::cuda::ELEMENT* O, float* LSE, \
        int heads, int kvHeads, int seqlenQ, int seqlenK, int causal, float scaleLog2)                                 \
    {                                                                                                                  \
        flashstep::cuda::fa2Forward<flashstep::cuda::ELEMENT, D>(                                                      \
            Q, K, V, O, LSE, heads, kvHeads, seqlenQ, seqlenK, causal, scaleLog2, flashstep::cuda::NoTrace());         \
    }
#define FA2_FORWARD_TRACED(NAME, ELEMENT, D)                                                                           \
    extern "C" __global__ void __launch_bounds__(128, (D) == 64 ? 3 : 2) NAME(const flashstep::cuda::ELEMENT* Q,       \
        const flashstep::cuda::ELEMENT* K, const flashstep::cuda::ELEMENT* V, flashstep::cuda::ELEMENT* O, float* LSE, \
        int heads, int kvHeads, int seqlenQ, int seqlenK, int causal, float scaleLog2, void* profile, int capacity)    \
    {                                                                                                                  \
        flashstep::cuda::fa2Forward<flashstep::cuda::ELEMENT, D>(Q, K, V, O, LSE, heads, kvHeads, seqlenQ, seqlenK,    \
            causal, scaleLog2, flashstep::cuda::WarpTrace(profile, capacity));                                         \
    }

FA2_FORWARD(fa2_forward_d64, Bf16, 64)
FA2_FORWARD(fa2_forward_d128, Bf16, 128)
FA2_FORWARD(fa2_forward_d64_fp16, Fp16, 64)
FA2_FORWARD(fa2_forward_d128_fp16, Fp16, 128)
FA2_FORWARD_TRACED(fa2_forward_d64_traced, Bf16, 64)
FA2_FORWARD_TRACED(fa2_forward_d128_traced, Bf16, 128)
