// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace flashstep {

// (batch, heads, seqlen, dim), C order, fp32.
struct Tensor {
    int batch = 0, heads = 0, seqlen = 0, dim = 0;
    std::vector<float> data;

    Tensor() = default;
    Tensor(int b, int h, int n, int d)
        : batch(b)
        , heads(h)
        , seqlen(n)
        , dim(d)
        , data(static_cast<std::size_t>(b) * static_cast<std::size_t>(h) * static_cast<std::size_t>(n)
              * static_cast<std::size_t>(d))
    {
    }

    [[nodiscard]] std::size_t offset(int b, int h, int row) const
    {
        return ((static_cast<std::size_t>(b) * static_cast<std::size_t>(heads) + static_cast<std::size_t>(h))
                       * static_cast<std::size_t>(seqlen)
                   + static_cast<std::size_t>(row))
            * static_cast<std::size_t>(dim);
    }
    [[nodiscard]] std::span<float> row(int b, int h, int n)
    {
        return { data.data() + offset(b, h, n), static_cast<std::size_t>(dim) };
    }
    [[nodiscard]] std::span<const float> row(int b, int h, int n) const
    {
        return { data.data() + offset(b, h, n), static_cast<std::size_t>(dim) };
    }
};

// (batch, heads, seqlen): LSE and other row statistics are Tensors of dim 1.

} // namespace flashstep
