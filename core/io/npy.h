// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/tensor/tensor.h"

#include <cstddef>
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

// '<f4', C order, header version 1.0. `rank` 3 leaves out the last axis, which then is of length 1 (LSE).
[[nodiscard]] Status writeNpy(const std::string& path, const Tensor& tensor, int rank = 4);

} // namespace flashstep
