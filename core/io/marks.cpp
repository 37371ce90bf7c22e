// SPDX-License-Identifier: Apache-2.0
#include "core/io/marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

namespace flashstep {

namespace {

using Visit = std::function<void(const Mark&)>;

void visitTurns(const Trace& trace, CtaId cta, BarrierId barrier, const Range& range, const Visit& visit)
{
    const BarrierDecl& decl = trace.program().barriers[barrier.index()];
    std::uint32_t turns = 0;
    std::string text;
    for (const Arrival& arrival : trace.arrivals(cta, barrier)) {
        const Position p { arrival.event + 1 };
        if (arrival.turns > turns && p >= range.from && p <= range.to) {
            text.clear();
            fmt::format_to(std::back_inserter(text), "turn {} completed", arrival.turns - 1);
            if (!decl.named) // a named barrier of the hardware has no phase that anybody waits for
                fmt::format_to(
                    std::back_inserter(text), ", phase {} to {}", (arrival.turns - 1) & 1U, arrival.turns & 1U);
            visit({ decl.name, text, trace.timeAt(p) });
        }
        turns = arrival.turns;
    }
}

// The rescales that one role marks, in the order in which it does them.
class RescaleWalk {
public:
    RescaleWalk(const Trace& trace, CtaId cta, std::size_t role, const Range& range)
        : m_trace(trace)
        , m_works(trace.worksOf(cta))
        , m_role(role)
        , m_range(range)
    {
        advance();
    }

    [[nodiscard]] bool atEnd() const { return !m_instance.valid(); }
    [[nodiscard]] Cycle cycle() const { return m_trace.endCycle(m_instance); }
    void describe(std::string& text) const
    {
        const Program& program = m_trace.program();
        const Op& op = program.ops[m_op - 1];
        const auto vote = m_trace.voteOf(m_instance);
        text.clear();
        fmt::format_to(std::back_inserter(text), "{}: block {} ", program.roles[op.role.index()].name,
            program.keyBlock(program.work(m_works[m_work]), op));
        if (vote && vote->warpsDone > 0)
            fmt::format_to(std::back_inserter(text), "rescales in {} warps", vote->warpsDone);
        else
            text += vote ? "needs no rescale" : "rescales";
    }
    // On to the next; m_op stands behind it.
    void advance()
    {
        m_instance = InstanceId::none();
        for (; m_work < m_works.size(); ++m_work, m_op = 0) {
            const WorkId work = m_works[m_work];
            if (!m_trace.hasEvents(work))
                continue;
            const RoleRange& range = m_trace.streamOf(work).roles[m_role];
            for (m_op = std::max(m_op, range.first); m_op < range.first + range.count;)
                if (const OpId op(m_op++); marks(m_trace.program().op(op), m_trace.instance(work, op))) {
                    m_instance = m_trace.instance(work, op);
                    return;
                }
        }
    }

private:
    [[nodiscard]] bool marks(const Op& op, InstanceId instance) const
    {
        // l follows the decision that O is marked with.
        return op.kind == OpKind::Rescale && m_trace.program().buffers[op.out.index()].family != "l"
            && m_trace.ended(instance) && overlaps(m_trace, instance, m_range);
    }

    const Trace& m_trace;
    std::span<const WorkId> m_works;
    std::size_t m_role;
    Range m_range;
    std::size_t m_work = 0;
    std::uint32_t m_op = 0;
    InstanceId m_instance;
};

void visitRescales(const Trace& trace, CtaId cta, const Range& range, const Visit& visit)
{
    std::vector<RescaleWalk> walks;
    for (std::size_t role = 0; role < trace.streamOf(trace.worksOf(cta).front()).roles.size(); ++role)
        walks.emplace_back(trace, cta, role, range);
    std::string text;
    for (;;) {
        RescaleWalk* next = nullptr;
        for (RescaleWalk& walk : walks)
            if (!walk.atEnd() && (next == nullptr || walk.cycle() < next->cycle()))
                next = &walk;
        if (next == nullptr)
            return;
        next->describe(text);
        visit({ "rescales", text, next->cycle() });
        next->advance();
    }
}

} // namespace

void forEachMark(const Trace& trace, CtaId cta, const Range& range, const Visit& visit)
{
    if (trace.worksOf(cta).empty())
        return;
    for (std::size_t b = 0; b < trace.program().barriers.size(); ++b)
        visitTurns(trace, cta, BarrierId(b), range, visit);
    visitRescales(trace, cta, range, visit);
}

} // namespace flashstep
