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

void loadRow(const Performed& p, const Inputs& inputs, int r, std::span<float> row)
{
    const Tensor& tensor = *inputOf(inputs, p.op.tensor);
    const bool query = p.op.tensor == TensorId::Q;
    const bool columns = p.program.buffers[p.op.out.index()].half == BufferDecl::Half::Columns;
    const int half = p.program.halfOffset(p.op);
    Program::QueryRow at { p.program.problem.kvHeadOf(p.work.h), p.j() * p.program.tile.keys + r };
    if (query)
        at = p.program.queryRow(p.work.h, p.program.firstRow(p.work, p.op) + r);
    else if (!columns)
        at.row += half;
    if (at.row >= tensor.seqlen) {
        std::fill(row.begin(), row.end(), 0.0F);
        return;
    }
    const auto from = tensor.row(p.work.b, at.h, at.row).subspan(static_cast<std::size_t>(columns ? half : 0));
    std::copy_n(from.begin(), row.size(), row.begin());
}

void maskRow(const Performed& p, int r, int column, std::span<float> row)
{
    const Problem::KeyRange keys
        = p.program.problem.visibleKeys(p.program.queryRow(0, p.program.firstRow(p.work, p.op) + r).row);
    const int firstKey = p.j() * p.program.tile.keys + column;
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
        return true;
    case OpKind::Convert:
        return op.in[0] == op.out;
    case OpKind::Rescale: // l too, but it is one number a row: not worth it
        return buffer == op.out;
    default:
        return false;
    }
}

} // namespace flashstep
