// SPDX-License-Identifier: Apache-2.0
// Standard attention: three kernels, S = Q Kᵀ, P = softmax(S), O = P V, that hand S and P over through global memory,
// in 16 bits, whole: seqlenQ x seqlenK elements for every head, written once and read once each. Nothing is skipped: a
// tile that the causal mask hides costs as much as any other. The products are plain tensor-core kernels: tiles by
// cp.async into swizzled shared memory, ldmatrix, mma.sync m16n8k16, results out through shared memory in whole lines.
// This is what FlashAttention is measured against.
//
// Schedule: core/algorithms/standard.cpp. Paper: arXiv:2205.14135, Algorithm 0. A comment `//: op` ties what follows,
// down to the next one, to that op of the schedule.
#include "profiler.cuh"
#include "softmax.cuh"

namespace flashstep::cuda {

// S and P have rows of whole key blocks: what is behind seqlenK is computed from zeros, hidden, and 0 in P.
__device__ inline int pitchOf(int seqlenK)
{
    return (seqlenK + Bc - 1) / Bc * Bc;
}

// S = Q Kᵀ, a CTA for each tile of scores. Neither scaled nor masked.
template <class Element, int d, class Trace>
__device__ __forceinline__ void standardScores(
    const Element* Q, const Element* K, Element* S, int heads, int kvHeads, int seqlenQ, int seqlenK, Trace trace)
{
    extern __shared__ __align__(1024) unsigned char smem[];
    const Tile<d> sQ { sharedAddress(smem) }; // Q_i [Br x d], 16 bit
    const Tile<d> sK { sQ.base + Br * Tile<d>::rowBytes }; // K_j [Bc x d]
    const Tile<Bc> sS { sK.base + Bc * Tile<d>::rowBytes }; // S_ij [Br x Bc]

    const int warp = static_cast<int>(threadIdx.x) / warpSize;
    const int pitch = pitchOf(seqlenK);
    const int i = static_cast<int>(blockIdx.x) / (pitch / Bc);
    const int j = static_cast<int>(blockIdx.x) % (pitch / Bc);
    const int h = static_cast<int>(blockIdx.z);
    const std::size_t head = static_cast<std::size_t>(blockIdx.y) * heads + h;
    const std::size_t kvHead = static_cast<std::size_t>(blockIdx.y) * kvHeads + h / (heads / kvHeads);
    const std::size_t firstRow = head * seqlenQ + static_cast<std::size_t>(i) * Br;

    trace.op(Span::LoadQ, i, j); //: load tensor=Q
    copyTile<Br>(sQ, Q + firstRow * d, d, seqlenQ - i * Br);
    trace.op(Span::LoadK, i, j); //: load tensor=K
    copyTile<Bc>(sK, K + (kvHead * seqlenK + static_cast<std::size_t>(j) * Bc) * d, d, seqlenK - j * Bc);
    trace.op(Span::Commit, i, j); //: commit
    commit();
    trace.op(Span::WaitQK, i, j); //: wait name=QK_landed
    waitGroup<0>();
    trace.op(Span::SyncQK, i, j); //: sync name=QK_visible
    syncthreads();
    trace.op(Span::MmaS, i, j); //: mma out=S
    float s[Bc / 8][4]; // S_ij [16 x Bc] fp32
    multiplyTransposed<Element, d>(s, sQ, warp * 16, sK);
    trace.op(Span::ConvertS, i, j); //: convert out=S
    std::uint32_t pairs[Bc / 8][2]; // S_ij [16 x Bc], 16 bit
    convertRows<Element>(pairs, s);
    trace.op(Span::StageS, i, j); //: stage out=sS
    stageRows(sS, warp * 16, pairs);
    trace.op(Span::SyncSStaged, i, j); //: sync name=S_staged
    syncthreads();
    trace.op(Span::StoreS, i, j); //: store tensor=S
    storeTile<Br>(S + firstRow * pitch + static_cast<std::size_t>(j) * Bc, pitch, sS, seqlenQ - i * Br);
    trace.finish();
}

// P = softmax(S), a warp for each row, which it keeps whole in shared memory as fp32: S is read once. A lane has the
// columns 2 lane and 2 lane + 1 of every block from its load to its store, so nothing has to be waited for.
template <class Element, class Trace>
__device__ __forceinline__ void standardSoftmax(const Element* S, Element* P, float* LSE, int heads, int seqlenQ,
    int seqlenK, int causal, float scaleLog2, Trace trace)
{
    extern __shared__ __align__(1024) unsigned char smem[];
    const int warp = static_cast<int>(threadIdx.x) / warpSize;
    const int lane = static_cast<int>(threadIdx.x) % warpSize;
    const int pitch = pitchOf(seqlenK);
    const int row = static_cast<int>(blockIdx.x * (blockDim.x / warpSize)) + warp;
    if (row >= seqlenQ) {
        trace.finish();
        return;
    }
    const int i = row / Br;
    const std::size_t at = (static_cast<std::size_t>(blockIdx.y) * heads + blockIdx.z) * seqlenQ + row;
    const Element* Srow = S + at * pitch + 2 * lane; // [1 x pitch], 16 bit
    Element* Prow = P + at * pitch + 2 * lane;
    float2* rS = reinterpret_cast<float2*>(smem) + warp * (pitch / 2) + lane; // [1 x pitch] fp32: S, then P
    const int seen = keysSeen(row, seqlenQ, seqlenK, causal);

    float m = minusInfinity();
#pragma unroll 1
    for (int j = 0; j < pitch / Bc; ++j) {
        trace.op(Span::LoadS, i, j); //: load tensor=S
        float2 s = unpack<Element>(*reinterpret_cast<const std::uint32_t*>(Srow + j * Bc));
        trace.op(Span::Mask, i, j); //: mask
        s.x = j * Bc + 2 * lane < seen ? s.x : minusInfinity();
        s.y = j * Bc + 2 * lane + 1 < seen ? s.y : minusInfinity();
        rS[j * (Bc / 2)] = s;
        trace.op(Span::RowMax, i, j); //: rowmax
        m = fmaxf(m, fmaxf(s.x, s.y));
    }
    m = maxOver<warpSize>(m);

    const float reference = finite(m) * scaleLog2;
    float l = 0;
#pragma unroll 1
    for (int j = 0; j < pitch / Bc; ++j) {
        trace.op(Span::Exp2, i, j); //: exp2
        float2 p = rS[j * (Bc / 2)];
        p.x = exp2Approx(fmaf(p.x, scaleLog2, -reference));
        p.y = exp2Approx(fmaf(p.y, scaleLog2, -reference));
        trace.op(Span::RowSum, i, j); //: rowsum
        l += p.x + p.y;
        trace.op(Span::StageP, i, j); //: stage out=S
        rS[j * (Bc / 2)] = p; // until l is known
    }
    l = sumOver<warpSize>(l);

    const float factor = oneOver(l);
#pragma unroll 1
    for (int j = 0; j < pitch / Bc; ++j) {
        trace.op(Span::NormaliseS, i, j); //: normalise out=S
        float2 p = rS[j * (Bc / 2)];
        p.x *= factor;
        p.y *= factor;
        trace.op(Span::ConvertS, i, j); //: convert out=S
        const std::uint32_t pair = pack<Element>(p.x, p.y);
        trace.op(Span::StoreP, i, j); //: store tensor=P
        *reinterpret_cast<std::uint32_t*>(Prow + j * Bc) = pair;
    }
    trace.op(Span::NormaliseLse, i); //: normalise out=none
    const float lse = logSumExp(m, l, scaleLog2);
    trace.op(Span::StoreLse, i); //: store tensor=LSE
    if (lane == 0)
        LSE[at] = lse;
    trace.finish();
}

// O = P V, a CTA for each query tile.
template <class Element, int d, class Trace>
__device__ __forceinline__ void standardOutput(
    const Element* P, const Element* V, Element* O, int heads, int kvHeads, int seqlenQ, int seqlenK, Trace trace)
{
    extern __shared__ __align__(1024) unsigned char smem[];
    const Tile<Bc> sP { sharedAddress(smem) }; // P_ij [Br x Bc], 16 bit
    const Tile<d> sV { sP.base + Br * Tile<Bc>::rowBytes }; // V_j [Bc x d]
    const Tile<d> sO { sV.base + Bc * Tile<d>::rowBytes }; // O_i [Br x d]

    const int warp = static_cast<int>(threadIdx.x) / warpSize;
    const int pitch = pitchOf(seqlenK);
    const int i = static_cast<int>(blockIdx.x);
    const int h = static_cast<int>(blockIdx.z);
    const std::size_t head = static_cast<std::size_t>(blockIdx.y) * heads + h;
    const std::size_t kvHead = static_cast<std::size_t>(blockIdx.y) * kvHeads + h / (heads / kvHeads);
    const std::size_t firstRow = head * seqlenQ + static_cast<std::size_t>(i) * Br;

    float o[d / 8][4]; // O_i [16 x d] fp32
    clear(o);
#pragma unroll 1
    for (int j = 0; j < pitch / Bc; ++j) {
        trace.op(Span::LoadP, i, j); //: load tensor=P
        copyTile<Br>(sP, P + firstRow * pitch + static_cast<std::size_t>(j) * Bc, pitch, seqlenQ - i * Br);
        trace.op(Span::LoadV, i, j); //: load tensor=V
        copyTile<Bc>(sV, V + (kvHead * seqlenK + static_cast<std::size_t>(j) * Bc) * d, d, seqlenK - j * Bc);
        trace.op(Span::Commit, i, j); //: commit
        commit();
        trace.op(Span::WaitPV, i, j); //: wait name=PV_landed
        waitGroup<0>();
        trace.op(Span::SyncPV, i, j); //: sync name=PV_visible
        syncthreads();
        trace.op(Span::MmaO, i, j); //: mma out=O
#pragma unroll
        for (int kk = 0; kk < Bc / 16; ++kk) {
            std::uint32_t p[4]; // P_ij [16 x 16]
            ldmatrix(p, Tile<Bc>::other(rowsAddress(sP, warp * 16), 2 * kk));
            multiplyStep<Element, d>(o, p, sV, kk); // O = O + P V
        }
        if (j + 1 < pitch / Bc) {
            trace.op(Span::SyncPVFree, i, j); //: sync name=PV_free
            syncthreads();
        }
    }
    trace.op(Span::ConvertO, i); //: convert out=O
    std::uint32_t pairs[d / 8][2]; // O_i [16 x d], 16 bit
    convertRows<Element>(pairs, o);
    trace.op(Span::StageO, i); //: stage out=sO
    stageRows(sO, warp * 16, pairs);
    trace.op(Span::SyncOStaged, i); //: sync name=O_staged
    syncthreads();
    trace.op(Span::StoreO, i); //: store tensor=O
    storeTile<Br>(O + firstRow * d, d, sO, seqlenQ - i * Br);
    trace.finish();
}

} // namespace flashstep::cuda

// Grids: score tiles, batch, heads; rows by warps, batch, heads; query tiles, batch, heads. The launches: launch.cpp.
#define STANDARD_PRODUCTS(SUFFIX, ELEMENT, D)                                                                          \
    extern "C" __global__ void __launch_bounds__(128, 2)                                                               \
        standard_scores_##SUFFIX(const flashstep::cuda::ELEMENT* Q, const flashstep::cuda::ELEMENT* K,                 \
            flashstep::cuda::ELEMENT* S, int heads, int kvHeads, int seqlenQ, int seqlenK)                             \
    {                                                                                                                  \
        flashstep::cuda::standardScores<flashstep::cuda::ELEMENT, D>(                                                  \
            Q, K, S, heads, kvHeads, seqlenQ, seqlenK, flashstep::cuda::NoTrace());                                    \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(128, 2)                                                               \
        standard_output_##SUFFIX(const flashstep::cuda::ELEMENT* P, const flashstep::cuda::ELEMENT* V,                 \
            flashstep::cuda::ELEMENT* O, int heads, int kvHeads, int seqlenQ, int seqlenK)                             \
    {                                                                                                                  \
        flashstep::cuda::standardOutput<flashstep::cuda::ELEMENT, D>(                                                  \
            P, V, O, heads, kvHeads, seqlenQ, seqlenK, flashstep::cuda::NoTrace());                                    \
    }
#define STANDARD_SOFTMAX(NAME, ELEMENT)                                                                                \
    extern "C" __global__ void __launch_bounds__(128) NAME(const flashstep::cuda::ELEMENT* S,                          \
        flashstep::cuda::ELEMENT* P, float* LSE, int heads, int seqlenQ, int seqlenK, int causal, float scaleLog2)     \
    {                                                                                                                  \
        flashstep::cuda::standardSoftmax(                                                                              \
            S, P, LSE, heads, seqlenQ, seqlenK, causal, scaleLog2, flashstep::cuda::NoTrace());                        \
    }
#define STANDARD_PRODUCTS_TRACED(SUFFIX, ELEMENT, D)                                                                   \
    extern "C" __global__ void __launch_bounds__(128, 2) standard_scores_##SUFFIX(const flashstep::cuda::ELEMENT* Q,   \
        const flashstep::cuda::ELEMENT* K, flashstep::cuda::ELEMENT* S, int heads, int kvHeads, int seqlenQ,           \
        int seqlenK, void* profile, int capacity)                                                                      \
    {                                                                                                                  \
        flashstep::cuda::standardScores<flashstep::cuda::ELEMENT, D>(                                                  \
            Q, K, S, heads, kvHeads, seqlenQ, seqlenK, flashstep::cuda::WarpTrace(profile, capacity));                 \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(128, 2) standard_output_##SUFFIX(const flashstep::cuda::ELEMENT* P,   \
        const flashstep::cuda::ELEMENT* V, flashstep::cuda::ELEMENT* O, int heads, int kvHeads, int seqlenQ,           \
        int seqlenK, void* profile, int capacity)                                                                      \
    {                                                                                                                  \
        flashstep::cuda::standardOutput<flashstep::cuda::ELEMENT, D>(                                                  \
            P, V, O, heads, kvHeads, seqlenQ, seqlenK, flashstep::cuda::WarpTrace(profile, capacity));                 \
    }
#define STANDARD_SOFTMAX_TRACED(NAME, ELEMENT)                                                                         \
    extern "C" __global__ void __launch_bounds__(128)                                                                  \
        NAME(const flashstep::cuda::ELEMENT* S, flashstep::cuda::ELEMENT* P, float* LSE, int heads, int seqlenQ,       \
            int seqlenK, int causal, float scaleLog2, void* profile, int capacity)                                     \
    {                                                                                                                  \
        flashstep::cuda::standardSoftmax(                                                                              \
            S, P, LSE, heads, seqlenQ, seqlenK, causal, scaleLog2, flashstep::cuda::WarpTrace(profile, capacity));     \
    }

STANDARD_PRODUCTS(d64, Bf16, 64)
STANDARD_PRODUCTS(d128, Bf16, 128)
STANDARD_PRODUCTS(d64_fp16, Fp16, 64)
STANDARD_PRODUCTS(d128_fp16, Fp16, 128)
STANDARD_SOFTMAX(standard_softmax, Bf16)
STANDARD_SOFTMAX(standard_softmax_fp16, Fp16)
STANDARD_PRODUCTS_TRACED(d64_traced, Bf16, 64)
STANDARD_PRODUCTS_TRACED(d128_traced, Bf16, 128)
STANDARD_SOFTMAX_TRACED(standard_softmax_traced, Bf16)
