// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/npy_header.h"
#include "core/tensor/tensor.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace flashstep {

// A .npy file of rank 4, (batch, heads, seqlen, dim), C order, little-endian f2, f4 or f8, as fp32.
// NaN and infinities are data; they are counted so that a run can say so.
struct NpyTensor {
    Tensor tensor;
    std::size_t nans = 0, infinities = 0;
    // "k.npy holds 3 NaN and 1 infinity"; empty if there are none.
    [[nodiscard]] std::string note(const std::string& file) const;
};
[[nodiscard]] Result<NpyTensor> readNpy(const std::string& path);
// The same from `size` bytes that somebody hands out in order.
[[nodiscard]] Result<NpyTensor> readNpy(const ByteReader& read, std::uint64_t size, const std::string& where);

// What stands before the numbers: '<f4', C order, header version 1.0.
[[nodiscard]] std::string npyHeader(std::span<const int> shape);
// `rank` 3 leaves out the last axis, which then is of length 1 (LSE).
[[nodiscard]] Status writeNpy(const std::string& path, const Tensor& tensor, int rank = 4);

} // namespace flashstep
