// SPDX-License-Identifier: Apache-2.0
#include "core/program/program.h"

#include <algorithm>

namespace flashstep {

namespace {

// Rows of `set` below `limit`: what of a tile's rows lies inside the sequence.
int rowsBelow(const RowSet& set, int limit)
{
    int count = 0;
    for (int r = 0; r < set.repeat; ++r)
        count += std::clamp(limit - (set.start + r * set.stride), 0, static_cast<int>(set.run));
    return count;
}

int elementBytes(const Program& program, TensorId tensor)
{
    return tensor == TensorId::Lse ? 4 : bytesOf(program.problem.costedDtype());
}

// Elements of a Load or Store inside the bounds.
std::int64_t movedElements(const Program& program, const Cta& cta, const Op& op)
{
    const RowSet& rows = program.rows(op);
    const int j = program.keyBlock(cta, op);
    switch (op.tensor) {
    case TensorId::Q:
        return static_cast<std::int64_t>(rowsBelow(rows, program.rowsInside(cta))) * program.problem.headDim;
    case TensorId::K:
        return static_cast<std::int64_t>(rowsBelow(rows, program.keysInside(j))) * program.problem.headDim;
    case TensorId::V:
        return static_cast<std::int64_t>(rowsBelow(rows, program.keysInside(j))) * program.problem.headDimV;
    case TensorId::O:
        return static_cast<std::int64_t>(rowsBelow(rows, program.rowsInside(cta))) * program.problem.headDimV;
    case TensorId::Lse:
        return rowsBelow(rows, program.rowsInside(cta));
    case TensorId::S:
    case TensorId::P:
        return static_cast<std::int64_t>(rowsBelow(rows, program.rowsInside(cta))) * program.keysInside(j);
    case TensorId::None:
        break;
    }
    return 0;
}

} // namespace

OpCounts countsOf(const Program& program, const Cta& cta, const Op& op)
{
    OpCounts counts;
    const int rows = program.rows(op).count();
    switch (op.kind) {
    case OpKind::Load:
        counts.globalRead = movedElements(program, cta, op) * elementBytes(program, op.tensor);
        break;
    case OpKind::Store:
        counts.globalWrite = movedElements(program, cta, op) * elementBytes(program, op.tensor);
        break;
    case OpKind::Mma: { // whole tiles: the tensor core computes what lies outside the bounds too
        const int inner = op.transposed ? program.problem.headDim : program.tile.keys;
        counts.flops = 2LL * rows * inner * program.buffers[op.out.index()].cols;
        break;
    }
    case OpKind::Exp2:
        counts.exp2 = static_cast<std::int64_t>(rows) * program.tile.keys;
        break;
    case OpKind::Rescale:
        counts.rescales = op.dropped ? 0 : rowsBelow(program.rows(op), program.rowsInside(cta));
        break;
    default:
        break;
    }
    return counts;
}

} // namespace flashstep
