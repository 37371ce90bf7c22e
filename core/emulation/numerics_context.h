// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/numerics.h"
#include "core/program/effects.h"

#include <limits>

namespace flashstep {

constexpr float minusInf = -std::numeric_limits<float>::infinity();

// A row that has seen nothing has m = -inf; its exponents use 0 instead, so that P is 0 and not NaN.
inline float safeMax(float m)
{
    return m == minusInf ? 0.0F : m;
}

inline float rowMaximum(const float* row, int count, float start)
{
    float m = start;
    for (int c = 0; c < count; ++c)
        m = row[c] > m ? row[c] : m; // NaN never wins, as in max.f32
    return m;
}

// One op of one CTA, with its operands at hand.
struct Numerics::Context {
    Performed performed;
    std::vector<Buffer>& buffers;
    std::vector<Buffer>* peer; // of the other CTA of the cluster, where the op reaches it

    [[nodiscard]] const Program& program() const { return performed.program; }
    [[nodiscard]] const Op& op() const { return performed.op; }
    [[nodiscard]] const BufferDecl& decl(BufferId id) const { return program().buffers[id.index()]; }
    [[nodiscard]] int width(BufferId id) const { return decl(id).cols; }
    [[nodiscard]] int columns(BufferId id) const { return program().columns(id, performed.j()).count; }
    // Row r of the tile, in this op's part of the buffer.
    [[nodiscard]] float* row(BufferId id, int r) const
    {
        return buffers[id.index()].data() + static_cast<std::ptrdiff_t>(r + performed.rowOffset(id)) * width(id)
            + program().columns(id, performed.j()).first;
    }
    [[nodiscard]] float& at(BufferId id, int r) const { return *row(id, r); }
    template <typename Visit> void forEachRow(Visit visit) const { program().rows(op()).forEach(visit); }
    // Runs of consecutive rows, so that products take several rows at once.
    template <typename Visit> void forEachRun(Visit visit) const
    {
        const RowSet& rows = program().rows(op());
        for (int k = 0; k < rows.repeat; ++k)
            visit(rows.start + k * rows.stride, static_cast<int>(rows.run));
    }
    // The columns of a score tile that are this role's, stretch by stretch: visit(first, count).
    template <typename Visit> void forEachKeys(BufferId id, Visit visit) const
    {
        if (!op().keys.valid()) {
            visit(0, columns(id));
            return;
        }
        const RowSet& keys = program().rowSets[op().keys.index()];
        for (int k = 0; k < keys.repeat; ++k)
            visit(keys.start + k * keys.stride, static_cast<int>(keys.run));
    }
};

} // namespace flashstep
