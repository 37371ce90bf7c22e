// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"

#include <optional>
#include <vector>

namespace flashstep::paint {

// The ops by which one role works on its rows of a tile; none() where it has no such op.
struct TilePart {
    WorkId work;
    CtaId cta; // that does it
    RoleRange role;
    int rowOffset = 0; // of the work's rows within the query tile
    OpId scores, mask, roundedScores; // they write S, one after the other
    OpId rowMax, rescale, exp2, rowSum, convert, product;
};
// Parts of tile (i, j), launch by launch. `n`: the visit, where the caller knows it, for long streams.
[[nodiscard]] std::vector<TilePart> tileParts(const Trace& trace, int b, int h, int i, int j, int n);

// When a role is through with a work at p, the position at which it came to the end of it: its rows of the CTA's
// buffers hold another work's numbers later. Nothing before it has begun it.
[[nodiscard]] std::optional<Position> within(const Trace& trace, WorkId work, const RoleRange& role, Position p);

// Reads of one CTA's buffers at the end of an op.
struct PartReader {
    const Trace& trace;
    const TilePart& part;
    Position now; // while its role is at the work

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
