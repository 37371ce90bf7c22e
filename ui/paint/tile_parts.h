// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"

#include <vector>

namespace flashstep::paint {

// The ops by which one role of one CTA works on its rows of a tile; none() where it has no such op.
struct TilePart {
    CtaId cta;
    RoleRange role;
    int rowOffset = 0; // of the CTA's rows within the query tile
    OpId scores, mask, roundedScores; // they write S, one after the other
    OpId rowMax, rescale, exp2, rowSum, convert, product;
};
// Parts of tile (i, j), launch by launch. `n`: the visit, where the caller knows it, for long streams.
[[nodiscard]] std::vector<TilePart> tileParts(const Trace& trace, int b, int h, int i, int j, int n);

// Reads of one CTA's buffers at the end of an op.
struct PartReader {
    const Trace& trace;
    const TilePart& part;
    Position now;

    [[nodiscard]] bool ended(OpId op) const;
    [[nodiscard]] Position endOf(OpId op) const;
    [[nodiscard]] const Op& op(OpId id) const { return trace.program().op(id); }
    // Visits the rows the op touches: row of the query tile, row of the CTA's buffer.
    template <typename Visit> void forEachRow(OpId id, Visit visit) const
    {
        const Program& program = trace.program();
        program.rows(op(id)).forEach([&](int r) { visit(part.rowOffset + r, r); });
    }
};

} // namespace flashstep::paint
