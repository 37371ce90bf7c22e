// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/compare_runs.h"

#include "core/emulation/stalls.h"
#include "core/trace/causes.h"

#include <fmt/format.h>

#include <algorithm>

namespace flashstep {

namespace {

using KindCounts = std::array<std::uint64_t, opKindCount>;

// How often each kind of op was executed, in the whole grid: also by CTAs whose events were not kept, each of which
// does its streams from end to end.
KindCounts executionsOf(const Trace& trace)
{
    KindCounts counts {};
    const Program& program = trace.program();
    for (std::size_t k = 0; k < program.works.size(); ++k) {
        const WorkId work(k);
        const CtaId cta = trace.ctaOf(work);
        if (!cta.valid())
            continue;
        const bool known = trace.hasEvents(work);
        const auto works = trace.worksOf(cta);
        const auto happens = [&](When when) {
            return when == When::Always || (when == When::First ? works.front() : works.back()) == work;
        };
        const Stream& stream = trace.streamOf(work);
        for (std::uint32_t op = stream.firstOp; op < stream.firstOp + stream.opCount; ++op)
            if (known ? trace.began(trace.instance(work, OpId(op))) : happens(program.ops[op].when))
                ++counts[static_cast<std::size_t>(program.ops[op].kind)];
    }
    return counts;
}

std::vector<std::pair<OpKind, std::uint64_t>> onlyIn(const KindCounts& own, const KindCounts& other)
{
    std::vector<std::pair<OpKind, std::uint64_t>> only;
    for (std::size_t kind = 0; kind < opKindCount; ++kind)
        if (own[kind] > 0 && other[kind] == 0)
            only.emplace_back(static_cast<OpKind>(kind), own[kind]);
    return only;
}

PhaseTimes phasesOf(const Run& run)
{
    PhaseTimes phases;
    std::array<Cycle, opKindCount> busy {};
    for (const RoleTime& role : stallsOf(run, CtaId::none()).roles) {
        for (const auto& [kind, cycles] : role.busy)
            busy[static_cast<std::size_t>(kind)] += cycles;
        for (const auto& wait : role.waits) {
            const auto found = std::ranges::find(phases.waits, wait.first, &std::pair<std::string, Cycle>::first);
            if (found == phases.waits.end())
                phases.waits.push_back(wait);
            else
                found->second += wait.second;
        }
        phases.idle += role.idle;
        phases.total += role.total;
    }
    for (std::size_t kind = 0; kind < opKindCount; ++kind)
        if (busy[kind] > 0)
            phases.busy.emplace_back(static_cast<OpKind>(kind), busy[kind]);
    return phases;
}

class BarrierUses {
public:
    explicit BarrierUses(const Trace& trace)
        : t(trace)
        , m_program(trace.program())
        , c(trace)
    {
        for (const BarrierDecl& barrier : m_program.barriers) {
            const auto found = std::ranges::find(m_uses, barrier.family, &BarrierUse::name);
            m_useOf.push_back(static_cast<std::size_t>(found - m_uses.begin()));
            if (found == m_uses.end())
                m_uses.push_back({ barrier.family });
        }
    }

    std::vector<BarrierUse> take()
    {
        for (std::size_t k = 0; k < m_program.ctaCount(); ++k)
            if (t.hasEvents(CtaId(k)))
                addTurns(CtaId(k));
        for (std::size_t k = 0; k < m_program.works.size(); ++k)
            if (const WorkId work(k); t.hasEvents(work))
                addWaits(work);
        return std::move(m_uses);
    }

private:
    void addTurns(CtaId cta)
    {
        for (std::size_t k = 0; k < m_program.barriers.size(); ++k)
            if (const auto arrivals = t.arrivals(cta, BarrierId(k)); !arrivals.empty())
                m_uses[m_useOf[k]].turns += arrivals.back().turns;
    }

    void addWaits(WorkId work)
    {
        const Stream& stream = t.streamOf(work);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const Op& op = m_program.ops[k];
            const InstanceId instance = t.instance(work, OpId(k));
            if (!isWaiting(op) || !op.barrier.valid() || !t.began(instance))
                continue;
            BarrierUse& use = m_uses[m_useOf[op.barrier.index()]];
            ++use.waits;
            use.waited += c.heldUntil(instance) - t.beginCycle(instance);
        }
    }

    const Trace& t;
    const Program& m_program;
    Causes c;
    std::vector<BarrierUse> m_uses;
    std::vector<std::size_t> m_useOf; // by barrier
};

void describe(ComparedRun& out, const Run& run)
{
    out.phases = phasesOf(run);
    out.barriers = BarrierUses(*run.trace).take();
    const CriticalPath path = criticalPath(run, CtaId::none());
    out.pathCycles = path.cycles;
    out.pathSegments = path.segments.size();
    out.path = partsOf(*run.trace, path);
}

} // namespace

Status checkComparable(const Problem& a, const Problem& b)
{
    struct Size {
        const char* name;
        int a, b;
    };
    for (const Size& size : { Size { "batch", a.batch, b.batch }, Size { "heads", a.heads, b.heads },
             Size { "kv_heads", a.kvHeads, b.kvHeads }, Size { "seqlen_q", a.seqlenQ, b.seqlenQ },
             Size { "seqlen_k", a.seqlenK, b.seqlenK }, Size { "head_dim", a.headDim, b.headDim },
             Size { "head_dim_v", a.headDimV, b.headDimV } })
        if (size.a != size.b)
            return Error { fmt::format("the two runs work on different problems: {} is {} in A and {} in B", size.name,
                               size.a, size.b),
                "", "batch, heads, lengths and head dimensions have to agree" };
    return Nothing {};
}

Result<Comparison> compareRuns(const Run& a, const Run& b, std::size_t mostMoves)
{
    if (Status status = checkComparable(a.program->problem, b.program->problem); !status)
        return status.error();
    Comparison out;
    const std::array<KindCounts, 2> counts { executionsOf(*a.trace), executionsOf(*b.trace) };
    out.runs[0].only = onlyIn(counts[0], counts[1]);
    out.runs[1].only = onlyIn(counts[1], counts[0]);
    describe(out.runs[0], a);
    describe(out.runs[1], b);
    out.common = commonTiles(a, b, mostMoves);
    return out;
}

} // namespace flashstep
