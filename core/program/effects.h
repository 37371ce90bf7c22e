// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/inputs.h"
#include "core/program/program.h"

#include <span>

namespace flashstep {

// Effects that need nothing but the program, the inputs and the row itself. The emulation applies them as it runs; the
// trace keeps no copy of what they wrote and applies them again when it is read.

// The op as one CTA of the cluster performs it: `rank` shifts the rows of a multicast load to that CTA's half.
struct Performed {
    const Program& program;
    const Work& work;
    const Op& op;
    int rank = 0;

    [[nodiscard]] int j() const { return program.keyBlock(work, op); }
    // What is added to the op's rows to find them in the buffer.
    [[nodiscard]] int rowOffset(BufferId buffer) const
    {
        const int half = op.reach == Reach::Both && op.kind == OpKind::Load ? rank * program.rows(op).count() : 0;
        return half + program.rowOffset(program.buffers[buffer.index()], op);
    }
    // Each stretch of the buffer that the op touches: visit(row of the buffer, first column, columns).
    template <typename Visit> void forEachSpan(BufferId buffer, Visit visit) const
    {
        const BufferDecl& decl = program.buffers[buffer.index()];
        const Program::Columns columns = program.columns(buffer, j());
        const int offset = rowOffset(buffer);
        const bool split = op.keys.valid() && decl.tile == BufferDecl::Tile::Pair;
        program.rows(op).forEach([&](int r) {
            if (!split) {
                visit(r + offset, columns.first, columns.count);
                return;
            }
            const RowSet& keys = program.rowSets[op.keys.index()];
            for (int k = 0; k < keys.repeat; ++k)
                visit(r + offset, columns.first + keys.start + k * keys.stride, static_cast<int>(keys.run));
        });
    }
};

// The tensor a Load copies from, nullptr for scores.
[[nodiscard]] const Tensor* inputOf(const Inputs& inputs, TensorId tensor);
// Tile row r of a Load of Q, K or V; zeros beyond the sequence.
void loadRow(const Performed& p, const Inputs& inputs, int r, std::span<float> row);
// Hides what tile row r may not see of the op's key block; `column` is the first of the stretch.
void maskRow(const Performed& p, int r, int column, std::span<float> row);

// Rounds what a Convert has before it, times the op's factor; elements beyond the format's largest number are clipped
// to it, and counted.
int convertRow(const Op& op, std::span<float> row);
// Blocks of quantised V have factors of their own; O is kept as if that of the block added last were everybody's. What
// a Rescale multiplies O by besides, to bring it from the block before to its own.
[[nodiscard]] float frameChange(const Performed& p, const Inputs& inputs);
// And what the division by l makes good at the end: the factor of the tile's last block.
[[nodiscard]] float lastFrame(const Performed& p, const Inputs& inputs);

// Whether what `op` wrote to `buffer` can be made again from what the buffer held before.
[[nodiscard]] bool repeatable(const Op& op, BufferId buffer);

} // namespace flashstep
