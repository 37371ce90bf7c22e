// SPDX-License-Identifier: Apache-2.0
// Stamps of a kernel's ops, written as profile.h describes. A kernel takes the tracer as a template parameter: with
// NoTrace every call is empty and the machine code is that of the kernel without any (a test compares the two).
#pragma once

#include "profile.h"
#include "tile.cuh"

namespace flashstep::cuda {

struct NoTrace {
    __device__ void op(Span, int, int = noBlock) { }
    __device__ void finish() { }
};

// One lane of each warp stamps. The compiler moves arithmetic across a stamp where it likes (never memory accesses,
// products, copies or barriers), so an op's edges are as sharp as its instructions are kept together.
class WarpTrace {
public:
    __device__ WarpTrace(void* buffer, int capacity)
        : m_capacity(static_cast<std::uint32_t>(capacity))
    {
        const std::size_t warp = static_cast<std::size_t>(cta()) * (blockDim.x / warpSize) + threadIdx.x / warpSize;
        m_header = reinterpret_cast<WarpHeader*>(
            static_cast<unsigned char*>(buffer) + warp * (sizeof(WarpHeader) + m_capacity * sizeof(WarpStamp)));
        if (stamping()) {
            m_header->clockBegin = clock();
            m_header->timerBegin = timer();
        }
        syncwarp();
    }

    // From here on the warp does `span` on query tile i and key block j.
    __device__ void op(Span span, int i, int j = noBlock)
    {
        if (stamping()) {
            const std::uint64_t now = clock();
            if (m_ops < m_capacity)
                reinterpret_cast<uint4*>(m_header + 1)[m_ops] = make_uint4(static_cast<std::uint32_t>(now),
                    static_cast<std::uint32_t>(now >> 32), static_cast<std::uint32_t>(i),
                    static_cast<std::uint32_t>(span) | static_cast<std::uint32_t>(j + 1) << 8);
            else if (m_ops == m_capacity)
                m_header->clockKept = now;
        }
        ++m_ops;
        syncwarp();
    }

    // The last op ends; the warp is done.
    __device__ void finish()
    {
        if (stamping()) {
            const std::uint64_t now = clock();
            if (m_ops <= m_capacity)
                m_header->clockKept = now;
            m_header->clockEnd = now;
            m_header->timerEnd = timer();
            m_header->sm = sm();
            m_header->cta = cta();
            m_header->warp = threadIdx.x / warpSize;
            m_header->stamps = m_ops < m_capacity ? m_ops : m_capacity;
            m_header->dropped = m_ops < m_capacity ? 0 : m_ops - m_capacity;
            m_header->magic = warpHeaderMagic;
        }
        syncwarp();
    }

private:
    __device__ static bool stamping() { return threadIdx.x % warpSize == 0; }
    __device__ static std::uint64_t clock()
    {
        std::uint64_t value;
        asm volatile("mov.u64 %0, %%clock64;" : "=l"(value)::"memory");
        return value;
    }
    __device__ static std::uint64_t timer()
    {
        std::uint64_t value;
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(value)::"memory");
        return value;
    }
    __device__ static std::uint32_t sm()
    {
        std::uint32_t value;
        asm volatile("mov.u32 %0, %%smid;" : "=r"(value));
        return value;
    }
    __device__ static std::uint32_t cta() { return blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z); }

    WarpHeader* m_header = nullptr; // its stamps stand behind it
    std::uint32_t m_capacity, m_ops = 0;
};

} // namespace flashstep::cuda
