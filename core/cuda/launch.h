// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The kernels in this folder, and how each is launched on a problem: once, as data, for a device and for the emulated
// one. Plain C++17 without CUDA's headers.
namespace flashstep::cuda {

enum class ElementType : std::uint8_t { Bf16, Fp16, F32, Byte };
[[nodiscard]] std::size_t bytesOf(ElementType type);
[[nodiscard]] const char* name(ElementType type); // "bf16"

// One way to compute attention. `standard` does it with several launches, the others with one.
struct KernelPlan {
    const char* name; // "fa2_forward_d64_fp16"; begins with the name of its file
    const char* file; // "core/cuda/fa2_forward.cu"; its PTX is resources/ptx/fa2_forward.ptx
    const char* algorithm; // "fa2"
    const char* pass; // "forward"
    const char* target; // "sm_80": it runs there and on everything later
    ElementType dtype; // of Q, K, V and O
    int headDim;
    int rows, keys; // the tile: Br, Bc
    int threads; // of a CTA
    bool traced; // writes stamps, as profile.h describes
};
[[nodiscard]] const std::vector<KernelPlan>& kernelPlans();
[[nodiscard]] const KernelPlan* findKernelPlan(std::string_view name); // null: there is none

enum class LaunchMask : std::uint8_t { None, Causal, Window };
struct LaunchProblem {
    ElementType dtype = ElementType::Bf16;
    int batch = 1, heads = 1, kvHeads = 1;
    int seqlenQ = 256, seqlenK = 256;
    int headDim = 64, headDimV = 64;
    LaunchMask mask = LaunchMask::None; // causal: the last query sees the last key
    double softmaxScale = 0; // 0: 1 / sqrt(headDim)
    int shares = 1; // fa1: CTAs that share out the query tiles of a head
    int stamps = 0; // traced: room for so many a warp; 0: as many as come, at most 65536
};

// What an argument's memory is for. Tensors are (batch, heads, seqlen, dim) in C order, rows of a head follow each
// other.
enum class BufferRole : std::uint8_t { Q, K, V, O, Lse, S, P, OTmp, L, M, Profile };
enum class BufferUse : std::uint8_t { Input, Output, Scratch };
struct LaunchBuffer {
    BufferRole role;
    const char* name; // "q", "o_tmp"
    ElementType type;
    std::array<std::int64_t, 4> shape; // of elements; (batch, heads, seqlen, 1) for numbers of rows
    // Inputs are given; everything else starts with any bits whatever: poison it, no kernel wants zeros. Scratch is
    // shared by the launches of a plan, in their order.
    BufferUse use;

    [[nodiscard]] std::int64_t elements() const { return shape[0] * shape[1] * shape[2] * shape[3]; }
    [[nodiscard]] std::int64_t bytes() const { return elements() * static_cast<std::int64_t>(bytesOf(type)); }
};

struct LaunchArgument {
    enum class Kind : std::uint8_t { Buffer, I32, F32 } kind;
    const char* name; // of the parameter
    int buffer; // Kind::Buffer: of LaunchPlan::buffers
    std::int32_t i32;
    float f32;
};

struct Launch {
    std::string entry; // in the PTX
    std::array<std::uint32_t, 3> grid, block;
    std::uint32_t sharedBytes; // dynamic
    std::vector<LaunchArgument> arguments; // in the order of the parameters
    int profile = -1; // of LaunchPlan::buffers, where the kernel is traced
    int stamps = 0; // that it has room for, a warp
};

struct LaunchPlan {
    std::string refusal; // why the kernel cannot do this problem, in a line; empty: it can
    std::vector<LaunchBuffer> buffers;
    std::vector<Launch> launches; // one after the other, each begins when the one before has ended

    [[nodiscard]] bool ok() const { return refusal.empty(); }
    [[nodiscard]] int indexOf(BufferRole role) const; // of buffers, the first; -1: none
};
[[nodiscard]] LaunchPlan planLaunches(const KernelPlan& kernel, const LaunchProblem& problem);

} // namespace flashstep::cuda
