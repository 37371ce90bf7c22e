// SPDX-License-Identifier: Apache-2.0
#include "core/trace/state.h"

#include <algorithm>
#include <limits>

namespace flashstep {

namespace {

// How far a role has come with the statistics of its rows: the newest block of which each op has ended.
struct Reached {
    int rowMax = 0, rescale = 0, rowSum = 0;
};

Reached reachedAt(const Trace& trace, CtaId cta, const RoleRange& role, Position p)
{
    Reached reached;
    const InstanceId current = trace.currentOp(cta, role, p);
    if (!current.valid())
        return reached;
    for (std::size_t k = trace.opOf(current).index() + 1; k-- > role.first && reached.rowSum == 0;) {
        const Op& op = trace.program().ops[k];
        if (!trace.endedAt(trace.instance(cta, OpId(k)), p))
            continue;
        if (op.kind == OpKind::RowMax)
            reached.rowMax = std::max(reached.rowMax, op.n);
        else if (op.kind == OpKind::Rescale)
            reached.rescale = std::max(reached.rescale, op.n);
        else if (op.kind == OpKind::RowSum)
            reached.rowSum = op.n;
    }
    reached.rowMax = std::max(reached.rowMax, reached.rowSum);
    reached.rescale = std::max(reached.rescale, reached.rowSum);
    return reached;
}

// The op of a kind with which a role takes in its n-th block.
OpId opOf(const Program& program, const RoleRange& role, OpKind kind, int n)
{
    for (std::uint32_t k = role.first; k < role.first + role.count; ++k)
        if (program.ops[k].kind == kind && program.ops[k].n == n)
            return OpId(k);
    return OpId::none();
}

// n where p is just the moment block(i, n), else 0.
int blockEndingAt(const Trace& trace, CtaId cta, Position p)
{
    for (int n = 1; n <= trace.program().streamOf(cta).visitedBlocks; ++n)
        if (const auto at = trace.block(cta, n); at && *at == p)
            return n;
    return 0;
}

// The rows of one role.
class RoleLedger {
public:
    RoleLedger(const Trace& trace, CtaId cta, const RoleRange& role, Position p)
        : m_trace(trace)
        , m_cta(cta)
        , m_role(role)
        , m_launch(trace.program().ctas[cta.index()].launch)
    {
        Position at = p;
        m_reached = reachedAt(trace, cta, role, p);
        if (const int n = blockEndingAt(trace, cta, p); n > 0) { // as that block was added, whatever runs ahead
            m_reached = { n, n, n };
            at = endOf(OpKind::RowSum, n);
        }
        m_m = read("m", at);
        m_l = read("l", at);
        m_scale = read("scale", at);
        if (m_reached.rowMax > 1)
            m_older = read("m", Position { endOf(OpKind::RowMax, m_reached.rowMax).value - 1 });
    }

    void fill(int r, RowState& row) const
    {
        const double minusInf = -std::numeric_limits<double>::infinity();
        const int n = m_reached.rowMax;
        row.blocks = m_reached.rowSum;
        row.m = n > 0 ? natural(m_m.at(r, 0)) : minusInf;
        row.mBefore = n > 1 ? natural(m_older.at(r, 0)) : minusInf;
        // Until l has been rescaled it is still in the frame of the maximum before.
        row.mUsed = n <= 1 || m_reached.rescale == n ? row.m : row.mBefore;
        row.l = row.blocks > 0 ? static_cast<double>(m_l.at(r, 0)) : 0.0;
        row.scale = n > 1 ? static_cast<double>(m_scale.at(r, 0)) : 1.0;
        row.decision = n == 0 ? "none" : n == 1 ? "first" : "rescale";
    }

private:
    [[nodiscard]] double natural(float x) const
    {
        return static_cast<double>(x) * m_trace.program().problem.softmaxScale();
    }
    [[nodiscard]] Position endOf(OpKind kind, int n) const
    {
        return m_trace.endPosition(m_trace.instance(m_cta, opOf(m_trace.program(), m_role, kind, n)));
    }
    [[nodiscard]] TileValues read(std::string_view buffer, Position at) const
    {
        return m_trace.value(m_cta, m_trace.program().buffer(buffer, m_launch), at);
    }

    const Trace& m_trace;
    CtaId m_cta;
    const RoleRange& m_role;
    int m_launch;
    Reached m_reached;
    TileValues m_m, m_l, m_scale, m_older;
};

// The query rows a role keeps statistics of, relative to the tile; none where it visits no block.
const RowSet* rowsOf(const Program& program, const RoleRange& role)
{
    for (std::uint32_t k = role.first; k < role.first + role.count; ++k)
        if (program.ops[k].kind == OpKind::Normalise)
            return &program.rows(program.ops[k]);
    return nullptr;
}

} // namespace

std::vector<RowState> ledgerAt(const Trace& trace, CtaId cta, Position p)
{
    const Program& program = trace.program();
    const Cta& c = program.ctas[cta.index()];
    if (!trace.hasValues(cta))
        return {};
    for (const char* buffer : { "m", "l", "scale", "O" }) // else no running statistics are kept
        if (!program.buffer(buffer, c.launch).valid())
            return {};

    std::vector<RowState> rows(static_cast<std::size_t>(program.rowsInside(c)));
    for (const RoleRange& role : program.streamOf(cta).roles) {
        const RowSet* own = rowsOf(program, role);
        if (own == nullptr)
            continue;
        const RoleLedger ledger(trace, cta, role, p);
        own->forEach([&](int r) {
            if (r >= static_cast<int>(rows.size()))
                return;
            RowState& row = rows[static_cast<std::size_t>(r)];
            row.b = c.b;
            row.h = c.h;
            row.row = c.row + r;
            ledger.fill(r, row);
        });
    }
    return rows;
}

} // namespace flashstep
