// SPDX-License-Identifier: Apache-2.0
#include "core/trace/condition.h"

#include "core/trace/state.h"

#include <algorithm>

namespace flashstep {

namespace {

Error notUnderstood(std::string_view text, std::string hint)
{
    return Error { "not understood", "condition " + std::string(text), std::move(hint) };
}

constexpr const char* forms = "KIND(key=value, …), rescale(decision=done|skipped), wait(longer=N), maximum(row=R), "
                              "phase(barrier=NAME), line(N)";

bool knowsBarrier(const Program& program, const std::string& name)
{
    return std::any_of(program.barriers.begin(), program.barriers.end(),
        [&](const BarrierDecl& b) { return b.name == name || b.family == name; });
}

// Ops that make a new maximum of their rows.
bool makesMaximum(const Program& program, const Op& op)
{
    const bool takes = op.kind == OpKind::RowMax || (op.kind == OpKind::Reduce && op.maximum);
    return takes && op.out.valid() && program.buffers[op.out.index()].family == "m";
}

} // namespace

Result<Condition> Condition::parse(const Trace& trace, std::string_view asked)
{
    const std::string_view text = withoutBlanks(asked);
    Condition condition;
    condition.m_text = std::string(text);
    if (text.empty())
        return notUnderstood(text, forms);
    std::optional<Call> call = text.back() == ')' ? callFrom(text) : Call { text, {}, {} };
    if (!call)
        return notUnderstood(text, forms);
    if (call->function == "next" || call->function == "previous") {
        if (call->positional.size() != 1)
            return notUnderstood(text, "next(KIND, key=value, …)");
        call->function = call->positional.front();
        call->positional.clear();
    }
    if (call->function == "line") {
        const auto line
            = call->positional.size() == 1 ? numberFrom<std::uint32_t>(call->positional.front()) : std::nullopt;
        if (!line || *line == 0)
            return notUnderstood(text, "line(N), a line of the schedule's source, from 1");
        condition.m_what = What::Line;
        condition.m_line = *line;
        call->positional.clear();
    }
    if (!call->positional.empty())
        return notUnderstood(text, forms);
    const auto kind = opKindFromName(call->function);
    if (kind)
        condition.m_filter.kind = *kind;
    else if (call->function == "maximum")
        condition.m_what = What::Maximum;
    else if (call->function == "phase")
        condition.m_what = What::Phase;
    else if (condition.m_what != What::Line)
        return notUnderstood(text, "list ops shows the kinds; besides them maximum, phase and line");

    for (const auto& [key, value] : call->keys) {
        const Result<bool> taken = setFilter(condition.m_filter, key, value);
        if (!taken)
            return notUnderstood(text, taken.error().hint);
        if (*taken)
            continue;
        const auto number = numberFrom<int>(value);
        const bool waits = condition.m_filter.kind == OpKind::Wait || condition.m_filter.kind == OpKind::Sync;
        if (key == "decision" && kind == OpKind::Rescale && (value == "done" || value == "skipped"))
            condition.m_decision = value == "done" ? Decision::Done : Decision::Skipped;
        else if (key == "longer" && kind && waits && number && *number >= 0)
            condition.m_longer = number;
        else if ((key == "b" || key == "h") && condition.m_what == What::Maximum && number && *number >= 0)
            (key == "b" ? condition.m_b : condition.m_h) = *number;
        else if (key == "decision" || key == "longer")
            return notUnderstood(text,
                key == "decision" ? "decision=done or decision=skipped, of a rescale"
                                  : "longer=CYCLES, of a wait or sync");
        else
            return notUnderstood(text, "keys " + std::string(filterKeys) + " decision longer");
    }

    const Program& program = trace.program();
    const Problem& problem = program.problem;
    const OpFilter& filter = condition.m_filter;
    if (filter.cta && (*filter.cta < 0 || static_cast<std::size_t>(*filter.cta) >= program.ctaCount()))
        return Error { "there is no such CTA", "condition " + std::string(text),
            "cta below " + std::to_string(program.ctaCount()) };
    if (condition.m_what == What::Maximum
        && (!filter.row || *filter.row < 0 || *filter.row >= problem.seqlenQ * program.packed
            || condition.m_b >= problem.batch || condition.m_h >= problem.heads))
        return notUnderstood(text,
            "maximum(row=R) with R below " + std::to_string(problem.seqlenQ * program.packed) + ", b below "
                + std::to_string(problem.batch) + ", h below " + std::to_string(problem.heads));
    if (condition.m_what == What::Phase && !filter.barrier)
        return notUnderstood(text, "phase(barrier=NAME); list waits shows the barriers");
    if (filter.barrier && !knowsBarrier(program, *filter.barrier))
        return Error { "there is no barrier " + *filter.barrier, "condition " + std::string(text),
            "list waits shows the barriers" };
    return condition;
}

bool Condition::changesMaximum(const Trace& trace, InstanceId instance) const
{
    const Program& program = trace.program();
    const Work& work = program.work(trace.workOf(instance));
    const Op& op = trace.op(instance);
    if (!makesMaximum(program, op) || work.b != m_b || work.h != m_h / program.packed * program.packed)
        return false;
    if (!program.rows(op).contains(*m_filter.row - program.firstRow(work, op)))
        return false;
    if ((m_filter.i && *m_filter.i != program.queryTile(work, op))
        || (m_filter.j && *m_filter.j != program.keyBlock(work, op)))
        return false;
    // Where every warp makes all maxima, the row's own counts: what the ledger says changes with it alone.
    const auto stateAt = [&](Position p) -> std::optional<RowState> {
        for (const RowState& row : ledgerAt(trace, trace.ctaOf(instance), p))
            if (row.b == m_b && (program.packed > 1 || row.h == m_h)
                && row.row * program.packed + row.h % program.packed == *m_filter.row)
                return row;
        return std::nullopt;
    };
    const Position end = trace.endPosition(instance);
    const std::optional<RowState> now = stateAt(end);
    if (!now)
        return false;
    const std::optional<RowState> before = stateAt(Position { end.value - 1 });
    return now->m != (before ? before->m : now->mBefore);
}

bool Condition::decides(const Trace& trace, InstanceId instance) const
{
    const std::optional<Vote> vote = trace.voteOf(instance);
    const Op& op = trace.op(instance);
    bool done = !vote || vote->rowsDone > 0;
    if (vote && m_filter.row && trace.hasValues(trace.ctaOf(instance))) {
        // The row's own factor, as the op finds it.
        const Program& program = trace.program();
        const BufferId factors = op.in[2];
        const int r = *m_filter.row - program.firstRow(program.work(trace.workOf(instance)), op);
        const TileValues scale = trace.value(trace.ctaOf(instance), factors, trace.beginPosition(instance));
        const int at = r + program.rowOffset(program.buffers[factors.index()], op);
        done = at >= 0 && at < scale.rows && scale.at(at, 0) != 1;
    }
    return done == (m_decision == Decision::Done);
}

bool Condition::holds(const Trace& trace, InstanceId instance) const
{
    if (m_what == What::Maximum)
        return changesMaximum(trace, instance);
    if (m_what == What::Line) {
        OpFilter filter = m_filter;
        filter.kind = trace.op(instance).kind;
        return trace.op(instance).line == m_line && matches(trace, instance, filter);
    }
    if (!matches(trace, instance, m_filter))
        return false;
    if (m_longer && trace.endCycle(instance) - trace.beginCycle(instance) <= static_cast<Cycle>(*m_longer))
        return false;
    return m_decision == Decision::Any || decides(trace, instance);
}

// Visits moments in [first, last], nearest first, until `visit` says that one will do.
template <typename Visit>
void Condition::forEachMoment(
    const Trace& trace, CtaId scope, Position first, Position last, bool forwards, Visit visit) const
{
    const Program& program = trace.program();
    const auto inOrder = [&](std::vector<Moment>& moments) {
        std::sort(moments.begin(), moments.end(), [&](const Moment& a, const Moment& b) {
            return forwards ? a.position < b.position : b.position < a.position;
        });
        for (const Moment& moment : moments)
            if (visit(moment))
                return;
    };
    if (m_what == What::Phase) {
        std::vector<Moment> moments;
        for (std::size_t c = 0; c < program.ctaCount(); ++c) {
            const CtaId cta(c);
            if ((scope.valid() && scope != cta) || !trace.hasEvents(cta))
                continue;
            for (std::size_t b = 0; b < program.barriers.size(); ++b) {
                const BarrierDecl& decl = program.barriers[b];
                if (decl.name != *m_filter.barrier && decl.family != *m_filter.barrier)
                    continue;
                std::uint32_t turns = 0;
                for (const Arrival& arrival : trace.arrivals(cta, BarrierId(b))) {
                    const Position at { arrival.event + 1 };
                    const bool wanted = !m_filter.turn || static_cast<int>(arrival.turns) == *m_filter.turn;
                    if (arrival.turns > turns && wanted && first <= at && at <= last)
                        moments.push_back({ at, cta });
                    turns = arrival.turns;
                }
            }
        }
        return inOrder(moments);
    }
    const auto candidate = [&](const Op& op) {
        return m_what == What::Maximum ? makesMaximum(program, op)
            : m_what == What::Line     ? op.line == m_line
                                       : op.kind == m_filter.kind;
    };
    if (!scope.valid()) {
        const std::uint32_t count = last < first ? 0 : last.value - first.value + 1;
        for (std::uint32_t k = 0; k < count; ++k) {
            const Position at { forwards ? first.value + k : last.value - k };
            if (at.value == 0 || at > trace.end())
                continue;
            const Event event = trace.eventAt(at.value - 1);
            if (event.ends && candidate(trace.op(event.instance)) && holds(trace, event.instance)
                && visit(Moment { at, trace.ctaOf(event.instance) }))
                return;
        }
        return;
    }
    std::vector<std::pair<Position, InstanceId>> ends;
    for (const WorkId work : trace.worksOf(scope)) {
        if (!trace.hasEvents(work))
            continue;
        const Stream& stream = trace.streamOf(work);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const InstanceId instance = trace.instance(work, OpId(k));
            if (!candidate(program.ops[k]) || !trace.ended(instance))
                continue;
            const Position at = trace.endPosition(instance);
            if (first <= at && at <= last)
                ends.emplace_back(at, instance);
        }
    }
    std::sort(ends.begin(), ends.end(),
        [&](const auto& a, const auto& b) { return forwards ? a.first < b.first : b.first < a.first; });
    for (const auto& [at, instance] : ends)
        if (holds(trace, instance) && visit(Moment { at, scope }))
            return;
}

namespace {

CtaId scopeOf(const OpFilter& filter, CtaId scope)
{
    return filter.cta ? CtaId(static_cast<std::size_t>(*filter.cta)) : scope;
}

} // namespace

std::optional<Moment> Condition::next(const Trace& trace, Position p, CtaId scope, Position until) const
{
    std::optional<Moment> found;
    const Position last { std::min(until.value, trace.end().value + 1) };
    if (last.value <= p.value + 1)
        return found;
    forEachMoment(trace, scopeOf(m_filter, scope), Position { p.value + 1 }, Position { last.value - 1 }, true,
        [&](const Moment& moment) {
            found = moment;
            return true;
        });
    return found;
}

std::optional<Moment> Condition::previous(const Trace& trace, Position p, CtaId scope, Position until) const
{
    std::optional<Moment> found;
    if (p.value <= until.value + 1)
        return found;
    forEachMoment(trace, scopeOf(m_filter, scope), Position { until.value + 1 }, Position { p.value - 1 }, false,
        [&](const Moment& moment) {
            found = moment;
            return true;
        });
    return found;
}

int Condition::countUntil(const Trace& trace, Position p, CtaId scope) const
{
    int count = 0;
    forEachMoment(trace, scopeOf(m_filter, scope), Position { 1 }, p, true, [&](const Moment&) {
        ++count;
        return false;
    });
    return count;
}

} // namespace flashstep
