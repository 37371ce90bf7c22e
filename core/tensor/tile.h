// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

namespace flashstep {

// The project's Eigen vocabulary: element-wise work on rows of stored tiles. Products are in matmul.h, in an order that
// is written down; Eigen's own would choose it by the cache it finds.
using RowMap = Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic, Eigen::RowMajor>>;

inline RowMap rowMap(float* first, int count)
{
    return { first, count };
}

} // namespace flashstep
