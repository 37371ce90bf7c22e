// SPDX-License-Identifier: Apache-2.0
#include "core/trace/state.h"

#include <cmath>
#include <limits>

namespace flashstep {

namespace {

// The ops of one role that keep the statistics of its rows, for one visited block.
struct BlockOps {
    OpId rowMax, rowSum;
};
BlockOps opsOfBlock(const Program& program, const RoleRange& role, int n)
{
    BlockOps ops;
    const auto first = program.ops.begin() + role.first;
    for (auto op = first; op != first + role.count; ++op) {
        if (op->n != n)
            continue;
        const OpId id(static_cast<std::size_t>(op - program.ops.begin()));
        if (op->kind == OpKind::RowMax)
            ops.rowMax = id;
        if (op->kind == OpKind::RowSum)
            ops.rowSum = id;
    }
    return ops;
}

// Blocks whose sum this role has added, as of p.
int blocksAdded(const Trace& trace, CtaId cta, const RoleRange& role, Position p)
{
    const InstanceId current = trace.currentOp(cta, role, p);
    if (!current.valid())
        return 0;
    for (std::size_t k = trace.opOf(current).index() + 1; k-- > role.first;) {
        const Op& op = trace.program().ops[k];
        if (op.kind == OpKind::RowSum && trace.endedAt(trace.instance(cta, OpId(k)), p))
            return op.n;
    }
    return 0;
}

} // namespace

std::vector<RowState> ledgerAt(const Trace& trace, CtaId cta, Position p)
{
    const Program& program = trace.program();
    const Problem& problem = program.problem;
    const Cta& c = program.ctas[cta.index()];
    const BufferId m = program.buffer("m", c.launch);
    const BufferId l = program.buffer("l", c.launch);
    const BufferId scale = program.buffer("scale", c.launch);
    const BufferId O = program.buffer("O", c.launch);
    if (!trace.hasValues(cta) || !m.valid() || !l.valid() || !O.valid())
        return {};

    int exactBlock = 0; // p is just the moment block(i, n)
    for (int n = 1; n <= program.streamOf(cta).visitedBlocks && exactBlock == 0; ++n)
        if (const auto at = trace.block(cta, n); at && *at == p)
            exactBlock = n;

    std::vector<RowState> rows(static_cast<std::size_t>(program.rowsInside(c)));
    for (const RoleRange& role : program.streamOf(cta).roles) {
        const int blocks = exactBlock > 0 ? exactBlock : blocksAdded(trace, cta, role, p);
        Position at = p;
        Position before { 0 };
        if (blocks > 0) {
            const BlockOps ops = opsOfBlock(program, role, blocks);
            at = trace.endPosition(trace.instance(cta, ops.rowSum));
            before = Position { trace.endPosition(trace.instance(cta, ops.rowMax)).value - 1 };
        }
        if (exactBlock == 0)
            at = p;
        const TileValues ms = trace.value(cta, m, at);
        const TileValues ls = trace.value(cta, l, at);
        const TileValues scales = trace.value(cta, scale, at);
        const TileValues older = trace.value(cta, m, before);
        if (role.count == 0)
            continue;
        program.rows(program.ops[role.first + role.count - 1])
            .forEach([&](int r) { // the last op is the store of LSE: the role's own rows
                if (r >= static_cast<int>(rows.size()))
                    return;
                RowState& row = rows[static_cast<std::size_t>(r)];
                const double minusInf = -std::numeric_limits<double>::infinity();
                const auto natural = [&](float x) {
                    return std::isnan(x) ? minusInf : static_cast<double>(x) * problem.softmaxScale();
                };
                row.b = c.b;
                row.h = c.h;
                row.row = c.row + r;
                row.blocks = blocks;
                row.m = row.mUsed = natural(ms.at(r, 0));
                row.mBefore = blocks > 1 ? natural(older.at(r, 0)) : minusInf;
                row.l = std::isnan(ls.at(r, 0)) ? 0.0 : static_cast<double>(ls.at(r, 0));
                row.scale = blocks > 1 ? static_cast<double>(scales.at(r, 0)) : 1.0;
                row.decision = blocks == 0 ? "none" : blocks == 1 ? "first" : "rescale";
            });
    }
    return rows;
}

} // namespace flashstep
