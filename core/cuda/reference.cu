// SPDX-License-Identifier: Apache-2.0
// What the kernels are held against, and what they are fed: attention written down plainly in fp64, a row at a time,
// and inputs that are functions of their place.
#include "device.h"
#include "mma.cuh"

#include <cmath>

namespace flashstep::cuda {

namespace {

// ---- inputs ---------------------------------------------------------------------------------------------------------

__device__ std::uint64_t mixed(std::uint64_t x) // splitmix64
{
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

__device__ double uniform(std::uint64_t bits) // above 0, below 1
{
    return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}

__device__ double normal(std::uint64_t key)
{
    const double radius = sqrt(-2 * log(uniform(mixed(key))));
    return radius * cospi(2 * uniform(mixed(~key)));
}

// Stream 0 is Q, 1 K, 2 V. `along`: how far the row is through the sequence, 0 to 1. Q and K make the scores.
__device__ double inputOf(InputKind kind, std::uint64_t key, int stream, double along, int d)
{
    const double x = normal(key);
    if (kind == InputKind::Normal || stream == 2)
        return x;
    const double step = 20 / sqrt(static_cast<double>(d)); // scores 20 apart, scaled
    switch (kind) {
    case InputKind::Outliers:
        return uniform(mixed(key ^ 0x5bd1e995)) < 0.001 ? x + 10 * normal(key ^ 0xabcdef) : x;
    case InputKind::RisingLeft:
        return stream == 0 ? 1 : step * (1 - 2 * along) + 0.01 * x;
    case InputKind::RisingRight:
        return stream == 0 ? 1 : step * (2 * along - 1) + 0.01 * x;
    case InputKind::Constant:
        return 0.5;
    case InputKind::Negative: // scores far below 0
        return (stream == 0 ? 3 : -3) + 0.1 * x;
    default:
        return x;
    }
}

__global__ void fill(
    std::uint16_t* to, std::int64_t count, int seqlen, int d, bool fp16, InputKind kind, std::uint64_t seed, int stream)
{
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    for (std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; at < count; at += step) {
        const auto row = static_cast<double>(at / d % seqlen);
        const std::uint64_t key = mixed(seed * 4 + static_cast<std::uint64_t>(stream)) ^ static_cast<std::uint64_t>(at);
        const double x = inputOf(kind, key, stream, seqlen > 1 ? row / (seqlen - 1) : 0, d);
        const auto value = static_cast<float>(x);
        to[at] = static_cast<std::uint16_t>(fp16 ? pack<Fp16>(value, 0) : pack<Bf16>(value, 0));
    }
}

// ---- attention ------------------------------------------------------------------------------------------------------

constexpr int atOnce = 128; // keys, and threads

__device__ double numberAt(const void* from, std::size_t at, bool fp16)
{
    const std::uint32_t bits = static_cast<const std::uint16_t*>(from)[at];
    return fp16 ? unpack<Fp16>(bits).x : unpack<Bf16>(bits).x;
}

// A CTA for each row: scores of `atOnce` keys, one a thread; then a column of O a thread.
__global__ void reference(ReferenceArguments a)
{
    __shared__ double score[atOnce];
    const int d = a.headDim;
    const int column = static_cast<int>(threadIdx.x);
    const std::size_t rows = static_cast<std::size_t>(a.batch) * a.heads * a.seqlenQ;
    for (std::size_t at = blockIdx.x; at < rows; at += gridDim.x) {
        const int row = static_cast<int>(at % a.seqlenQ);
        const std::size_t head = at / a.seqlenQ;
        const std::size_t kvHead
            = head / a.heads * a.kvHeads + head % a.heads / static_cast<std::size_t>(a.heads / a.kvHeads);
        const int seen = a.causal ? min(a.seqlenK, row + 1 + a.seqlenK - a.seqlenQ) : a.seqlenK;
        double m = -INFINITY, l = 0, o = 0, most = 0;
        for (int first = 0; first < seen; first += atOnce) {
            double s = -INFINITY;
            if (first + column < seen) {
                s = 0;
                const std::size_t key = kvHead * a.seqlenK + first + column;
                for (int e = 0; e < d; ++e)
                    s += numberAt(a.q, at * d + e, a.fp16) * numberAt(a.k, key * d + e, a.fp16);
                s *= a.scale;
            }
            score[column] = s;
            __syncthreads();
            const int count = min(atOnce, seen - first);
            double highest = m;
            for (int n = 0; n < count; ++n) {
                highest = fmax(highest, score[n]);
                most = fmax(most, fabs(score[n]));
            }
            const double before = exp(m - highest);
            o *= before;
            l *= before;
            for (int n = 0; n < count; ++n) {
                const double p = exp(score[n] - highest);
                l += p;
                if (column < d)
                    o += p * numberAt(a.v, (kvHead * a.seqlenK + first + n) * d + column, a.fp16);
            }
            m = highest;
            __syncthreads();
        }
        if (column < d)
            a.o[at * d + column] = static_cast<float>(l > 0 ? o / l : 0);
        if (column == 0) {
            a.lse[at] = static_cast<float>(l > 0 ? m + log(l) : -INFINITY);
            a.most[at] = static_cast<float>(most);
        }
    }
}

// The two clocks now, and again 20 ms later.
__global__ void tickRate(std::uint64_t* out)
{
    const auto now = [](std::uint64_t* to) {
        asm volatile("mov.u64 %0, %%clock64;" : "=l"(to[0])::"memory");
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(to[1])::"memory");
    };
    now(out);
    do
        now(out + 2);
    while (out[3] - out[1] < 20000000);
}

} // namespace

void launchFill(void* to, const LaunchBuffer& buffer, InputKind kind, std::uint64_t seed, int stream)
{
    fill<<<1024, 256>>>(static_cast<std::uint16_t*>(to), buffer.elements(), static_cast<int>(buffer.shape[2]),
        static_cast<int>(buffer.shape[3]), buffer.type == ElementType::Fp16, kind, seed, stream);
}

void launchReference(const ReferenceArguments& arguments)
{
    reference<<<65535, atOnce>>>(arguments);
}

void launchTickRate(std::uint64_t* clocksAndTimes)
{
    tickRate<<<1, 1>>>(clocksAndTimes);
}

} // namespace flashstep::cuda
