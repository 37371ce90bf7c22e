// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/dtype.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flashstep {

enum class MaskKind : std::uint8_t { None, Causal, Window };

// Bottom-right alignment: query row r stands at key position r + seqlenK - seqlenQ. [FlashAttention mask.h]
struct Mask {
    MaskKind kind = MaskKind::None;
    int left = 0; // window: keys visible to the left and right of the row's own position
    int right = 0;
    bool topLeft = false; // query row r stands at key position r instead, as in FlashAttention-1

    [[nodiscard]] std::string text() const; // "none", "causal", "window:L,R"
    bool operator==(const Mask&) const = default;
};
[[nodiscard]] std::optional<Mask> maskFromText(std::string_view text);

enum class Init : std::uint8_t { Normal, Outliers, RisingLeft, RisingRight, Constant };
[[nodiscard]] std::string_view name(Init init);
[[nodiscard]] std::optional<Init> initFromName(std::string_view text);

// The whole question: which attention is to be computed, on what numbers.
struct Problem {
    int batch = 1;
    int heads = 1;
    int kvHeads = 1; // divides heads; query head h reads key head h / (heads / kvHeads)
    int seqlenQ = 256;
    int seqlenK = 256;
    int headDim = 64;
    int headDimV = 64;
    Mask mask;
    DType dtype = DType::Bf16;
    Init init = Init::Normal;
    std::uint64_t seed = 1;

    // fp32 is a numerics mode: values are carried in fp32 through the schedule of the 16-bit kernel.
    [[nodiscard]] DType costedDtype() const { return dtype == DType::Fp32 ? DType::Bf16 : dtype; }
    // What O is stored in: an FP8 kernel takes e4m3 and gives bf16.
    [[nodiscard]] DType outputDtype() const { return dtype == DType::E4m3 ? DType::Bf16 : dtype; }
    // Bytes of an element of Q, K, V and P, and of O, in memory and as they are costed.
    [[nodiscard]] int operandBytes() const { return bytesOf(costedDtype()); }
    [[nodiscard]] int outputBytes() const { return dtype == DType::Fp32 ? operandBytes() : bytesOf(outputDtype()); }
    [[nodiscard]] int kvHeadOf(int head) const { return head / (heads / kvHeads); }

    // Keys [first, last) that query `row` may see: contiguous under every mask; empty when last <= first.
    struct KeyRange {
        int first = 0, last = 0;
        [[nodiscard]] bool empty() const { return last <= first; }
    };
    [[nodiscard]] KeyRange visibleKeys(int row) const;
    // Key position of query row 0.
    [[nodiscard]] int shift() const { return mask.topLeft ? 0 : seqlenK - seqlenQ; }
    [[nodiscard]] bool visible(int row, int key) const
    {
        const KeyRange keys = visibleKeys(row);
        return key >= keys.first && key < keys.last;
    }
    // softmax_scale = 1 / sqrt(headDim), correctly rounded, and that times log2(e), rounded to fp32 as the kernels'
    // host code does.
    [[nodiscard]] double softmaxScale() const;
    [[nodiscard]] float softmaxScaleLog2() const;

    bool operator==(const Problem&) const = default;
};

} // namespace flashstep
