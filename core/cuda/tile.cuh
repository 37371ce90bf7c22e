// SPDX-License-Identifier: Apache-2.0
// Tiles: where their elements lie in shared memory, and how they get there and back.
#pragma once

#include <cstddef>
#include <cstdint>

namespace flashstep::cuda {

constexpr int warpSize = 32;
constexpr int warps = 4; // of a CTA
constexpr int threads = warps * warpSize;
constexpr int Br = 64; // rows of a query tile: 16 for each warp, the height of one mma
constexpr int Bc = 64; // keys of a block

// A tile of 16-bit elements, row after row, in chunks of 16 bytes. Chunk c of row r lies where chunk c ^ (r % 8) would:
// the eight rows that ldmatrix reads at once then touch all 32 banks once, though they are a whole row apart.
template <int columns> struct Tile {
    static constexpr int chunks = columns / 8;
    static constexpr int rowBytes = 2 * columns;
    static_assert(chunks % 8 == 0, "the swizzle permutes eight chunks");

    std::uint32_t base; // an address of the shared window, a multiple of 1024

    __device__ std::uint32_t at(int row, int chunk) const
    {
        return base + static_cast<std::uint32_t>(row * rowBytes + ((chunk ^ (row & 7)) << 4));
    }
    // From the address of a chunk to that of chunk ^ change of the same row: one instruction, no new address to keep.
    __device__ static std::uint32_t other(std::uint32_t address, int change)
    {
        return address ^ static_cast<std::uint32_t>(change << 4);
    }
};

__device__ inline std::uint32_t sharedAddress(const void* pointer)
{
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

// Instructions stand here by name where CUDA's headers would have a function of their own for them: those functions
// bring the path of this source into the PTX, which then differs from machine to machine.
__device__ inline std::uint64_t globalAddress(const void* pointer)
{
    std::uint64_t address;
    asm("cvta.to.global.u64 %0, %1;" : "=l"(address) : "l"(pointer));
    return address;
}

__device__ inline void syncwarp()
{
    asm volatile("bar.warp.sync 0xffffffff;" ::: "memory");
}

// 16 bytes from global to shared memory that nobody waits for here. With `bytes` 0 nothing is read and zeros arrive.
__device__ inline void copyAsync(std::uint32_t to, const void* from, int bytes)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(globalAddress(from)), "r"(bytes)
                 : "memory");
}

__device__ inline void commit()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// Until at most `pending` of this thread's newest groups are under way. Other threads see the data behind a barrier.
template <int pending> __device__ inline void waitGroup()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

// How the CTA's threads share out a tile: each has one chunk of every `step`-th row. A step is a multiple of 8, so all
// of a thread's rows are swizzled alike.
template <int columns> struct Share {
    static constexpr int step = threads / Tile<columns>::chunks;
    static_assert(step % 8 == 0, "rows of a thread differ in their swizzle");

    const int row = static_cast<int>(threadIdx.x) / Tile<columns>::chunks; // its first
    const int chunk = static_cast<int>(threadIdx.x) % Tile<columns>::chunks;
};

// The CTA copies a tile. `from`: its first row, which is inside; rows from `inside` on arrive as zeros, and what stands
// at their addresses is not read.
template <int rows, int columns, class Element>
__device__ inline void copyTile(Tile<columns> to, const Element* from, std::size_t pitch, int inside)
{
    const Share<columns> own;
    const std::uint32_t first = to.at(own.row, own.chunk);
    from += own.row * pitch + own.chunk * 8;
#pragma unroll
    for (int row = 0; row < rows; row += Share<columns>::step)
        copyAsync(first + row * Tile<columns>::rowBytes, from + row * pitch, own.row + row < inside ? 16 : 0);
}

// The CTA stores the rows of a tile that are inside, 16 bytes a thread.
template <int rows, int columns, class Element>
__device__ inline void storeTile(Element* to, std::size_t pitch, Tile<columns> from, int inside)
{
    const Share<columns> own;
    const std::uint32_t first = from.at(own.row, own.chunk);
    to += own.row * pitch + own.chunk * 8;
#pragma unroll
    for (int row = 0; row < rows; row += Share<columns>::step) {
        uint4 value;
        asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                     : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                     : "r"(first + row * Tile<columns>::rowBytes)
                     : "memory");
        if (own.row + row < inside)
            *reinterpret_cast<uint4*>(to + row * pitch) = value;
    }
}

// Two neighbouring elements of a tile, columns 8 chunk + 2 pair and the next.
template <int columns>
__device__ inline void storePair(Tile<columns> to, int row, int chunk, int pair, std::uint32_t value)
{
    asm volatile("st.shared.u32 [%0], %1;" ::"r"(to.at(row, chunk) + 4 * pair), "r"(value) : "memory");
}

__device__ inline void syncthreads()
{
    __syncthreads();
}

} // namespace flashstep::cuda
