// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"

#include <optional>
#include <vector>

namespace flashstep::paint {

// The ops by which one role works on its rows of a tile; none() where it has no such op.
struct TilePart {
    WorkId work;
    WorkId products; // whose products land in its S and O: its own, but for a pair's second CTA
    CtaId cta; // that does it
    RoleRange role;
    int rowOffset = 0; // of the work's rows within the query tile
    OpId scores, mask, roundedScores; // they write S, one after the other
    OpId rowMax, rescale, exp2, rowSum, convert;
    OpId reference; // puts m together from the block's or the warps' maxima, where no RowMax makes it
    OpId sum; // puts l together, where no RowSum makes it
    OpId together; // puts O together, where no product makes it
    OpId product; // with it the block has landed in O
    OpId firstProduct; // the first piece of it, where P comes in pieces
    OpId ownRows; // says which rows of what is put together are the role's, where its warp has keys instead
};
// Where products and softmax are the business of different roles, they are one part, which counts as the softmax's.
// Parts of tile (i, j), launch by launch. `n`: the visit, where the caller knows it, for long streams.
[[nodiscard]] std::vector<TilePart> tileParts(const Trace& trace, int b, int h, int i, int j, int n);

// Whether a work's blocks land by something else than a product into O: O is put together from parts.
[[nodiscard]] bool landsTogether(const Trace& trace, WorkId work);

// Whether S and O are the accumulators of a role of its own, in tensor memory, and the softmax another's.
[[nodiscard]] bool servedByRoles(const Program& program, const Work& work);

// The newest block of query tile i that has landed in its O at or before p.
struct LandedBlock {
    int n = 0, j = -1; // 0: none yet
};
[[nodiscard]] LandedBlock landedAt(const Trace& trace, int b, int h, int i, Position p);

// When a role is through with a work at p, the position at which it came to the end of it: its rows of the CTA's
// buffers hold another work's numbers later. Nothing before it has begun it.
[[nodiscard]] std::optional<Position> within(const Trace& trace, WorkId work, const RoleRange& role, Position p);
// The same of a part.
[[nodiscard]] std::optional<Position> within(const Trace& trace, const TilePart& part, Position p);

// Reads of one CTA's buffers at the end of an op.
struct PartReader {
    const Trace& trace;
    const TilePart& part;
    Position now; // while its role is at the work

    [[nodiscard]] bool ended(OpId op) const;
    [[nodiscard]] Position endOf(OpId op) const;
    [[nodiscard]] const Op& op(OpId id) const { return trace.program().op(id); }
    [[nodiscard]] InstanceId instance(OpId id) const;
    // The op whose rows are to be read of what `id` wrote: where each warp has a copy of every row, its own.
    [[nodiscard]] OpId rowsOf(OpId id) const { return op(id).keys.valid() && part.ownRows.valid() ? part.ownRows : id; }
    // Visits the rows the op touches: row of the query tile, row within the work's own.
    template <typename Visit> void forEachRow(OpId id, Visit visit) const
    {
        const Program& program = trace.program();
        program.rows(op(id)).forEach([&](int r) { visit(part.rowOffset + r, r); });
    }
};

} // namespace flashstep::paint
