// SPDX-License-Identifier: Apache-2.0
#include "core/trace/state.h"

#include "core/tensor/real_math.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

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

bool makes(const Program& program, BufferId buffer, std::string_view family)
{
    return buffer.valid() && program.buffers[buffer.index()].family == family;
}

// Ops that make a new reference, and that take a block into l.
bool setsReference(const Program& program, const Op& op)
{
    return (op.kind == OpKind::RowMax || (op.kind == OpKind::Reduce && op.maximum)) && makes(program, op.out, "m");
}

// A rescale that brings l to the new reference.
bool takesSum(const Program& program, const Op& op)
{
    return op.out2.valid() || makes(program, op.out, "l");
}

bool setsSum(const Program& program, const Op& op, const char* family)
{
    const bool sums = op.kind == OpKind::RowSum || (op.kind == OpKind::Reduce && !op.maximum);
    return sums && op.n > 0 && makes(program, op.out, family);
}

// What the role takes a block into: l; or, where the warps split the keys and put their sums together only at the end,
// its own part of it.
const char* sumOf(const Program& program, const RoleRange& role)
{
    const char* sum = "l";
    for (std::uint32_t k = role.first; k < role.first + role.count; ++k) {
        if (setsSum(program, program.ops[k], "l"))
            return "l";
        if (setsSum(program, program.ops[k], "l_part"))
            sum = "l_part";
    }
    return sum;
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

Reached reachedAt(const Trace& trace, const Visit& visit, const char* sum, Position p)
{
    const Program& program = trace.program();
    Reached reached;
    const InstanceId current = trace.currentOp(visit.work, *visit.role, p);
    if (!current.valid())
        return reached;
    for (std::size_t k = trace.opOf(current).index() + 1; k-- > visit.role->first && reached.rowSum == 0;) {
        const Op& op = program.ops[k];
        if (op.i != visit.i || !trace.endedAt(trace.instance(visit.work, OpId(k)), p))
            continue;
        if (setsReference(program, op))
            reached.rowMax = std::max(reached.rowMax, op.n);
        else if (op.kind == OpKind::Rescale && takesSum(program, op))
            reached.rescale = std::max(reached.rescale, op.n);
        else if (setsSum(program, op, sum))
            reached.rowSum = op.n;
    }
    reached.rowMax = std::max(reached.rowMax, reached.rowSum);
    reached.rescale = std::max(reached.rescale, reached.rowSum);
    return reached;
}

// The block whose last part has landed in O just at p, where it is one of the CTA's.
struct Landing {
    WorkId work;
    int i = 0, n = 0;
};
std::optional<Landing> landingAt(const Trace& trace, CtaId cta, Position p)
{
    if (p.value == 0)
        return std::nullopt;
    const Event event = trace.eventAt(p.value - 1);
    if (!event.ends || trace.op(event.instance).step == Op::noStep)
        return std::nullopt;
    const WorkId products = trace.workOf(event.instance);
    const StepDecl& step = trace.streamOf(products).steps[trace.op(event.instance).step];
    if (trace.block(products, step.i, step.n) != p)
        return std::nullopt; // some of its parts are still to come
    const bool pair = trace.program().launchOf(trace.ctaOf(products)).pairs;
    const WorkId work = pair && trace.ctaOf(products) != cta ? WorkId(products.index() + 1) : products;
    if (trace.ctaOf(work) != cta)
        return std::nullopt;
    return Landing { work, step.i, step.n };
}

// The rows of one role.
class RoleLedger {
public:
    // `n`: as that block was added, whatever runs ahead; 0: as the registers stand.
    RoleLedger(const Trace& trace, CtaId cta, const Visit& visit, int n, Position p)
        : m_trace(trace)
        , m_cta(cta)
        , m_visit(visit)
        , m_launch(trace.program().work(visit.work).launch)
    {
        const Program& program = trace.program();
        const std::string_view sum = sumOf(program, *visit.role);
        m_reached = n > 0 ? Reached { n, n, n } : reachedAt(trace, visit, sum.data(), p);
        const auto reference = [&](const Op& op) { return setsReference(program, op); };
        m_m = read("m", endOf(reference, m_reached.rowMax));
        if (m_reached.rowMax > 1)
            m_older = read("m", endOf(reference, m_reached.rowMax - 1));
        // Where the CTA sweeps over query tiles, l of the visit before is no longer in the registers.
        const Position added = endOf([&](const Op& op) { return setsSum(program, op, sum.data()); }, m_reached.rowSum);
        const bool sweeps = program.launches[static_cast<std::size_t>(m_launch)].sweep > 0;
        m_l = read(sum, (n > 0 && sum == "l") || sweeps ? added : p); // parts: those of all warps
        m_scale = read("scale", endOf(reference, m_reached.rowMax)); // which makes it too
        readLogSumExp(program, reference);
    }

    void fill(int r, const Op& own, RowState& row) const
    {
        const double minusInf = -std::numeric_limits<double>::infinity();
        const int n = m_reached.rowMax;
        row.blocks = m_reached.rowSum;
        // A reference that may stay stands beside the true maximum.
        const bool lazy = m_m.decl != nullptr && m_m.decl->cols > 1;
        const double reference = n > 0 ? natural(m_m.at(r, own)) : minusInf;
        const double older = n > 1 ? natural(m_older.at(r, own)) : minusInf;
        row.m = n == 0 ? minusInf : lazy ? natural(m_m.values.at(r, 1)) : reference;
        row.mBefore = n <= 1 ? minusInf : lazy ? natural(m_older.values.at(r, 1)) : older;
        // Until l has been rescaled it is still in the frame of the reference before.
        row.mUsed = n <= 1 || m_reached.rescale == n ? reference : older;
        row.referenceBefore = older;
        // P of an FP8 kernel, and so l, is 2^offset times what its reference says.
        const auto offset = static_cast<double>(m_trace.program().softmax.offset);
        row.l = row.blocks > 0 ? m_l.sum(r, own) * exp2Real(-offset) : 0.0;
        row.scale = n > 1 ? static_cast<double>(m_scale.at(r, own)) : 1.0;
        row.decision = n == 0 ? "none" : n == 1 ? "first" : lazy && stays(reference, older) ? "skip" : "rescale";
        if (m_maxima.empty())
            return;
        // The reference is no maximum: a log-sum-exp plays the old one.
        if (n > m_reached.rowSum && row.blocks > 0) { // what was kept of the visits before, divided by its l
            row.mUsed = static_cast<double>(m_lse.at(r, own));
            row.l = row.mUsed == minusInf ? 0.0 : 1.0;
        }
        row.referenceBefore = n > 1 ? static_cast<double>(m_lseBefore.at(r, own)) : minusInf;
        row.mBefore = minusInf;
        row.m = minusInf;
        for (std::size_t k = 0; k < m_maxima.size(); ++k) {
            row.mBefore = row.m;
            row.m = std::max(row.m, natural(m_maxima[k].most(r)));
        }
    }

    // A row that has seen nothing has no reference that could stay.
    static bool stays(double reference, double older)
    {
        return reference == older && older != -std::numeric_limits<double>::infinity();
    }

private:
    // A statistic by row: some are there once for each warp.
    struct Column {
        TileValues values;
        const BufferDecl* decl = nullptr;
        int tileRows = 0;
        [[nodiscard]] float at(int r, const Op& own) const
        {
            return values.at(r + (decl->perWarp ? own.part * tileRows : 0), 0);
        }
        // l, or the sum of the parts where each warp has one of its own keys.
        [[nodiscard]] double sum(int r, const Op& own) const
        {
            if (decl->family != "l_part")
                return static_cast<double>(at(r, own));
            double sum = 0;
            for (int part = 0; part < values.rows; part += tileRows)
                sum += static_cast<double>(values.at(r + part, 0));
            return sum;
        }
        [[nodiscard]] float most(int r) const
        {
            float m = values.at(r, 0);
            for (int part = tileRows; part < values.rows; part += tileRows)
                m = std::max(m, values.at(r + part, 0));
            return m;
        }
    };

    [[nodiscard]] double natural(float x) const
    {
        return static_cast<double>(x) * m_trace.program().problem.softmaxScale();
    }
    // The end of the op with which the role's tile takes in its n-th block; the start of the run where there is none.
    template <typename Matches> [[nodiscard]] Position endOf(const Matches& matches, int n) const
    {
        for (std::uint32_t k = m_visit.role->first; n > 0 && k < m_visit.role->first + m_visit.role->count; ++k) {
            const Op& op = m_trace.program().ops[k];
            if (op.n == n && op.i == m_visit.i && matches(op))
                return m_trace.endPosition(m_trace.instance(m_visit.work, OpId(k)));
        }
        return Position { 0 };
    }
    [[nodiscard]] Column read(BufferId buffer, Position at) const
    {
        const Program& program = m_trace.program();
        return { m_trace.value(m_cta, buffer, at), &program.buffers[buffer.index()],
            program.launches[static_cast<std::size_t>(m_launch)].queryRows };
    }
    [[nodiscard]] Column read(std::string_view buffer, Position at) const
    {
        return read(m_trace.program().bufferOf(buffer, m_launch, m_visit.i), at);
    }
    // The row maxima of every visit so far, the log-sum-exp of those whose sum is there, and of all but the newest.
    template <typename Reference> void readLogSumExp(const Program& program, const Reference& reference)
    {
        if (!usesLogSumExp(program))
            return;
        for (std::uint32_t k = m_visit.role->first; k < m_visit.role->first + m_visit.role->count; ++k) {
            const Op& op = program.ops[k];
            if (op.i != m_visit.i)
                continue;
            const bool kept = op.kind == OpKind::Normalise && op.out2.valid();
            const auto end = [&] { return m_trace.endPosition(m_trace.instance(m_visit.work, OpId(k))); };
            if (op.n > 0 && op.n <= m_reached.rowMax && reference(op))
                m_maxima.push_back(read(op.in[0], end()));
            else if (kept && !m_maxima.empty()) {
                const auto visits = static_cast<int>(m_maxima.size());
                if (visits == m_reached.rowSum && m_lse.decl == nullptr)
                    m_lse = read(op.out2, end());
                if (visits == m_reached.rowMax - 1 && m_lseBefore.decl == nullptr)
                    m_lseBefore = read(op.out2, end());
            }
        }
    }
    // All references of a kernel are made alike.
    [[nodiscard]] bool usesLogSumExp(const Program& program) const
    {
        for (std::uint32_t k = m_visit.role->first; k < m_visit.role->first + m_visit.role->count; ++k)
            if (setsReference(program, program.ops[k]))
                return program.ops[k].lse;
        return false;
    }

    const Trace& m_trace;
    CtaId m_cta;
    Visit m_visit;
    int m_launch;
    Reached m_reached;
    Column m_m, m_l, m_scale, m_older, m_lse, m_lseBefore;
    std::vector<Column> m_maxima; // by visit, where a log-sum-exp is the reference
};

// The op that says which query rows a role keeps statistics of, relative to the tile; nullptr where it keeps none.
const Op* ownRowsOf(const Program& program, const RoleRange& role)
{
    for (std::uint32_t k = role.first; k < role.first + role.count; ++k)
        if (program.ops[k].kind == OpKind::Normalise)
            return &program.ops[k];
    return nullptr;
}

// The same of a role that keeps statistics and leaves it to another to normalise.
const Op* ownStatisticsOf(const Program& program, const RoleRange& role)
{
    for (std::uint32_t k = role.first; k < role.first + role.count; ++k)
        if (setsReference(program, program.ops[k]))
            return &program.ops[k];
    return nullptr;
}

bool keptApart(const Program& program, const Stream& stream)
{
    return std::any_of(stream.roles.begin(), stream.roles.end(), [&](const RoleRange& role) {
        return ownStatisticsOf(program, role) != nullptr && ownRowsOf(program, role) == nullptr;
    });
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
        if (!program.bufferOf(buffer, launch, 0).valid())
            return {};

    const auto landing = landingAt(trace, cta, p);
    std::vector<RowState> rows;
    const auto& roles = trace.streamOf(works.front()).roles;
    const bool apart = keptApart(program, trace.streamOf(works.front()));
    for (std::size_t k = 0; k < roles.size(); ++k) {
        const auto ownOf
            = [&](const RoleRange& role) { return apart ? ownStatisticsOf(program, role) : ownRowsOf(program, role); };
        if (ownOf(roles[k]) == nullptr && apart)
            continue;
        Visit visit { works.front(), apart ? ownOf(roles[k])->i : 0, &roles[k] };
        // Where each role keeps a query tile of its own, a block lands for one of them alone.
        const bool lands = landing && (!apart || landing->i == visit.i);
        if (lands)
            visit = { landing->work, landing->i, &trace.streamOf(landing->work).roles[k] };
        else if (const auto at = visitAt(trace, cta, k, p))
            visit = *at;
        const Op* own = ownOf(*visit.role);
        if (own == nullptr)
            continue;
        if (apart) // also before the work's first block
            visit.i = own->i;
        const Work& work = program.work(visit.work);
        const RoleLedger ledger(trace, cta, visit, lands ? landing->n : 0, p);
        program.rows(*own).forEach([&](int r) {
            if (r >= program.rowsInside(work, visit.i))
                return;
            RowState& row = rows.emplace_back();
            const auto at = program.queryRow(work.h, work.row + visit.i * program.launches[work.launch].queryRows + r);
            row.b = work.b;
            row.h = at.h;
            row.row = at.row;
            ledger.fill(r, *own, row);
        });
    }
    std::stable_sort(rows.begin(), rows.end(),
        [](const RowState& a, const RowState& b) { return std::tie(a.row, a.h) < std::tie(b.row, b.h); });
    return rows;
}

} // namespace flashstep
