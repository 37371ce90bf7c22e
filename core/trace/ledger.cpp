// SPDX-License-Identifier: Apache-2.0
#include "core/trace/state.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace flashstep {

namespace {

// The query tile a role is at: of which work, and which of its query tiles.
struct Visit {
    WorkId work;
    int i = 0; // relative to the work's
    const RoleRange* role = nullptr;
};

// How far a role has come with the statistics of its rows: the newest block of which each op has ended.
struct Reached {
    int rowMax = 0, rescale = 0, rowSum = 0;
};

// Ops that make a new reference, and that take a block into l.
bool setsReference(const Op& op)
{
    return op.kind == OpKind::RowMax || (op.kind == OpKind::Reduce && op.maximum);
}

// A rescale that brings l to the new reference.
bool takesSum(const Program& program, const Op& op)
{
    return op.out2.valid() || program.buffers[op.out.index()].family == "l";
}

// Where the warps split the keys, and put their sums together only at the end, each one's part counts.
bool setsSum(const Program& program, const Op& op)
{
    const bool sums = op.kind == OpKind::RowSum || (op.kind == OpKind::Reduce && !op.maximum);
    const std::string& family = program.buffers[op.out.index()].family;
    return sums && op.n > 0 && (family == "l" || (family == "l_part" && !program.buffers[op.in[0].index()].perWarp));
}

std::optional<Visit> visitAt(const Trace& trace, CtaId cta, std::size_t role, Position p)
{
    const auto works = trace.worksOf(cta);
    for (std::size_t w = works.size(); w-- > 0;) {
        const RoleRange& range = trace.streamOf(works[w]).roles[role];
        const InstanceId current = trace.currentOp(works[w], range, p);
        if (!current.valid())
            continue;
        for (std::size_t k = trace.opOf(current).index() + 1; k-- > range.first;)
            if (trace.program().ops[k].n > 0)
                return Visit { works[w], trace.program().ops[k].i, &range };
        return Visit { works[w], 0, &range };
    }
    return std::nullopt;
}

Reached reachedAt(const Trace& trace, const Visit& visit, Position p)
{
    Reached reached;
    const InstanceId current = trace.currentOp(visit.work, *visit.role, p);
    if (!current.valid())
        return reached;
    for (std::size_t k = trace.opOf(current).index() + 1; k-- > visit.role->first && reached.rowSum == 0;) {
        const Op& op = trace.program().ops[k];
        if (op.i != visit.i || !trace.endedAt(trace.instance(visit.work, OpId(k)), p))
            continue;
        if (setsReference(op) && op.out2.valid())
            reached.rowMax = std::max(reached.rowMax, op.n);
        else if (op.kind == OpKind::Rescale && takesSum(trace.program(), op))
            reached.rescale = std::max(reached.rescale, op.n);
        else if (setsSum(trace.program(), op))
            reached.rowSum = op.n;
    }
    reached.rowMax = std::max(reached.rowMax, reached.rowSum);
    reached.rescale = std::max(reached.rescale, reached.rowSum);
    return reached;
}

// n where p is just the moment block(i, n), else 0.
int blockEndingAt(const Trace& trace, const Visit& visit, Position p)
{
    for (const StepDecl& step : trace.streamOf(visit.work).steps)
        if (step.i == visit.i)
            if (const auto at = trace.block(visit.work, step.i, step.n); at && *at == p)
                return step.n;
    return 0;
}

// The rows of one role.
class RoleLedger {
public:
    RoleLedger(const Trace& trace, CtaId cta, const Visit& visit, Position p)
        : m_trace(trace)
        , m_cta(cta)
        , m_visit(visit)
        , m_launch(trace.program().work(visit.work).launch)
    {
        Position at = p;
        m_reached = reachedAt(trace, visit, p);
        if (const int n = blockEndingAt(trace, visit, p); n > 0) { // as that block was added, whatever runs ahead
            m_reached = { n, n, n };
            at = endOf([&](const Op& op) { return setsSum(trace.program(), op); }, n);
        }
        m_m = read("m", at);
        m_l = read("l", at);
        m_scale = read("scale", at);
        if (m_reached.rowMax > 1)
            m_older = read("m", Position { endOf(setsReference, m_reached.rowMax).value - 1 });
    }

    void fill(int r, int part, RowState& row) const
    {
        const double minusInf = -std::numeric_limits<double>::infinity();
        const int n = m_reached.rowMax;
        const int at = r + part;
        row.blocks = m_reached.rowSum;
        row.m = n > 0 ? natural(m_m.at(at, 0)) : minusInf;
        row.mBefore = n > 1 ? natural(m_older.at(at, 0)) : minusInf;
        // Until l has been rescaled it is still in the frame of the maximum before.
        row.mUsed = n <= 1 || m_reached.rescale == n ? row.m : row.mBefore;
        row.l = row.blocks > 0 ? static_cast<double>(m_l.at(at, 0)) : 0.0;
        row.scale = n > 1 ? static_cast<double>(m_scale.at(at, 0)) : 1.0;
        row.decision = n == 0 ? "none" : n == 1 ? "first" : "rescale";
    }

private:
    [[nodiscard]] double natural(float x) const
    {
        return static_cast<double>(x) * m_trace.program().problem.softmaxScale();
    }
    // The end of the op with which the role's tile takes in its n-th block.
    template <typename Matches> [[nodiscard]] Position endOf(Matches matches, int n) const
    {
        for (std::uint32_t k = m_visit.role->first; k < m_visit.role->first + m_visit.role->count; ++k) {
            const Op& op = m_trace.program().ops[k];
            if (op.n == n && op.i == m_visit.i && matches(op))
                return m_trace.endPosition(m_trace.instance(m_visit.work, OpId(k)));
        }
        return m_trace.end();
    }
    [[nodiscard]] TileValues read(std::string_view buffer, Position at) const
    {
        return m_trace.value(m_cta, m_trace.program().buffer(buffer, m_launch), at);
    }

    const Trace& m_trace;
    CtaId m_cta;
    Visit m_visit;
    int m_launch;
    Reached m_reached;
    TileValues m_m, m_l, m_scale, m_older;
};

// The op that says which query rows a role keeps statistics of, relative to the tile; nullptr where it keeps none.
const Op* ownRowsOf(const Program& program, const RoleRange& role)
{
    for (std::uint32_t k = role.first; k < role.first + role.count; ++k)
        if (program.ops[k].kind == OpKind::Normalise)
            return &program.ops[k];
    return nullptr;
}

} // namespace

std::vector<RowState> ledgerAt(const Trace& trace, CtaId cta, Position p)
{
    const Program& program = trace.program();
    const auto works = trace.worksOf(cta);
    if (!trace.hasValues(cta) || works.empty())
        return {};
    const int launch = program.work(works.front()).launch;
    for (const char* buffer : { "m", "l", "scale", "O" }) // else no running statistics are kept
        if (!program.buffer(buffer, launch).valid())
            return {};

    std::vector<RowState> rows;
    const auto& roles = trace.streamOf(works.front()).roles;
    for (std::size_t k = 0; k < roles.size(); ++k) {
        Visit visit { works.front(), 0, &roles[k] };
        if (const auto at = visitAt(trace, cta, k, p))
            visit = *at;
        const Op* own = ownRowsOf(program, *visit.role);
        if (own == nullptr)
            continue;
        const Work& work = program.work(visit.work);
        const RoleLedger ledger(trace, cta, visit, p);
        const int part = program.rowOffset(program.buffers[program.buffer("m", launch).index()], *own);
        program.rows(*own).forEach([&](int r) {
            if (r >= program.rowsInside(work, visit.i))
                return;
            RowState& row = rows.emplace_back();
            row.b = work.b;
            row.h = work.h;
            row.row = work.row + visit.i * program.launches[work.launch].queryRows + r;
            ledger.fill(r, part, row);
        });
    }
    std::stable_sort(rows.begin(), rows.end(), [](const RowState& a, const RowState& b) { return a.row < b.row; });
    return rows;
}

} // namespace flashstep
