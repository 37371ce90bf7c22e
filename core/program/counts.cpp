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
    switch (tensor) {
    case TensorId::Lse:
    case TensorId::OTmp:
    case TensorId::M:
    case TensorId::L:
        return 4;
    case TensorId::O:
    case TensorId::S: // scores do not fit the 8-bit format that their products were made of
        return program.problem.outputBytes();
    default:
        return program.problem.operandBytes();
    }
}

// Elements of a Load or Store inside the bounds.
std::int64_t movedElements(const Program& program, const Work& work, const Op& op)
{
    const RowSet& rows = program.rows(op);
    const int j = program.keyBlock(work, op);
    switch (op.tensor) {
    case TensorId::Q:
        return static_cast<std::int64_t>(rowsBelow(rows, program.rowsInside(work, op.i))) * program.problem.headDim;
    case TensorId::K:
    case TensorId::V: {
        const BufferDecl& to = program.buffers[op.out.index()];
        const int before = to.half == BufferDecl::Half::Rows ? program.halfOffset(op) : 0;
        return static_cast<std::int64_t>(rowsBelow(rows, std::max(0, program.keysInside(j) - before))) * to.cols;
    }
    case TensorId::O:
    case TensorId::OTmp:
        return static_cast<std::int64_t>(rowsBelow(rows, program.rowsInside(work, op.i))) * program.problem.headDimV;
    case TensorId::Lse:
    case TensorId::M:
    case TensorId::L:
        return rowsBelow(rows, program.rowsInside(work, op.i));
    case TensorId::S:
    case TensorId::P:
        return static_cast<std::int64_t>(rowsBelow(rows, program.rowsInside(work, op.i))) * program.keysInside(j);
    case TensorId::None:
        break;
    }
    return 0;
}

// A multicast is counted at each receiver: what the two CTAs of a cluster load for both is, for each, the whole tile.
// Here one CTA's half stands for the two halves that reach it; the tile's rows are twice the op's.
std::int64_t loadedElements(const Program& program, const Work& work, const Op& op)
{
    if (op.reach != Reach::Both)
        return movedElements(program, work, op);
    const int inside = program.keysInside(program.keyBlock(work, op));
    return static_cast<std::int64_t>(inside)
        * (op.tensor == TensorId::K ? program.problem.headDim : program.problem.headDimV);
}

int keysOf(const Program& program, const Op& op)
{
    return op.keys.valid() ? program.rowSets[op.keys.index()].count() : program.tile.keys;
}

} // namespace

OpCounts countsOf(const Program& program, const Work& work, const Op& op)
{
    OpCounts counts;
    const int rows = program.rows(op).count();
    switch (op.kind) {
    case OpKind::Load:
        if (!op.cached)
            counts.globalRead = loadedElements(program, work, op) * elementBytes(program, op.tensor);
        break;
    case OpKind::Store:
        counts.globalWrite = movedElements(program, work, op) * elementBytes(program, op.tensor);
        break;
    case OpKind::Mma: { // whole tiles: the tensor core computes what lies outside the bounds too; of a pair, both
        const int ctas = op.reach == Reach::Both ? 2 : 1;
        const int inner = op.transposed ? program.problem.headDim : keysOf(program, op);
        const int columns = op.transposed ? keysOf(program, op) : program.buffers[op.out.index()].cols;
        counts.flops = 2LL * rows * inner * columns * ctas;
        break;
    }
    case OpKind::Exp2:
        counts.exp2Emulated = static_cast<std::int64_t>(rows) * program.softmax.emulatedKeys(0, program.tile.keys);
        counts.exp2 = static_cast<std::int64_t>(rows) * keysOf(program, op) - counts.exp2Emulated;
        break;
    case OpKind::Rescale:
        if (const std::string& what = program.buffers[op.out.index()].family; // l comes along with it
            op.n > 0 && (what == "O" || (what == "O_part" && op.part == 0)))
            counts.rescales = op.dropped ? 0 : rowsBelow(program.rows(op), program.rowsInside(work, op.i));
        break;
    case OpKind::Reduce: // folds in O of the visits before, brought to the new reference
        if (op.in[2].valid())
            counts.rescales = rowsBelow(program.rows(op), program.rowsInside(work, op.i));
        break;
    default:
        break;
    }
    return counts;
}

} // namespace flashstep
