// SPDX-License-Identifier: Apache-2.0
#include "core/program/effects.h"

#include <algorithm>
#include <limits>

namespace flashstep {

const Tensor* inputOf(const Inputs& inputs, TensorId tensor)
{
    switch (tensor) {
    case TensorId::Q:
        return &inputs.q;
    case TensorId::K:
        return &inputs.k;
    case TensorId::V:
        return &inputs.v;
    default:
        return nullptr;
    }
}

void loadRow(const Program& program, const Inputs& inputs, const Cta& cta, const Op& op, int r, std::span<float> row)
{
    const Tensor& tensor = *inputOf(inputs, op.tensor);
    const bool query = op.tensor == TensorId::Q;
    const int at = r + (query ? cta.row : program.keyBlock(cta, op) * program.tile.keys);
    if (at >= tensor.seqlen) {
        std::fill(row.begin(), row.end(), 0.0F);
        return;
    }
    const auto from = tensor.row(cta.b, query ? cta.h : program.problem.kvHeadOf(cta.h), at);
    std::copy_n(from.begin(), row.size(), row.begin());
}

void maskRow(const Program& program, const Cta& cta, const Op& op, int r, std::span<float> row)
{
    const Problem::KeyRange keys = program.problem.visibleKeys(cta.row + r);
    const int firstKey = program.keyBlock(cta, op) * program.tile.keys;
    for (int k = 0; k < static_cast<int>(row.size()); ++k)
        if (firstKey + k < keys.first || firstKey + k >= keys.last)
            row[static_cast<std::size_t>(k)] = -std::numeric_limits<float>::infinity();
}

bool repeatable(const Op& op, BufferId buffer)
{
    switch (op.kind) {
    case OpKind::Load:
        return op.tensor == TensorId::Q || op.tensor == TensorId::K || op.tensor == TensorId::V;
    case OpKind::Mask:
    case OpKind::Convert:
        return true;
    case OpKind::Rescale: // l too, but it is one number a row: not worth it
        return buffer == op.out;
    default:
        return false;
    }
}

} // namespace flashstep
