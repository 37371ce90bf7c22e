// SPDX-License-Identifier: Apache-2.0
// What keeps order: waits, barriers, and who tells whom.
#include "core/io/async_groups.h"
#include "core/io/narrate.h"
#include "core/io/narrate_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flashstep {

using namespace narration;

namespace {

// What a wait for groups is the first to make sure of: the role's own asynchronous work of all works up to there.
std::vector<InstanceId> waitedFor(const Trace& trace, CtaId cta, WorkId until, RoleId role, OpId wait)
{
    AsyncGroups groups;
    std::vector<InstanceId> done;
    for (const WorkId work : trace.worksOf(cta)) {
        const auto& roles = trace.streamOf(work).roles;
        const auto range = std::find_if(roles.begin(), roles.end(), [&](const RoleRange& r) { return r.role == role; });
        for (std::uint32_t k = range->first; k < range->first + range->count; ++k) {
            const InstanceId instance = trace.instance(work, OpId(k));
            if (trace.began(instance))
                done = groups.step(trace.program().ops[k], instance);
            if (work == until && k == wait.index())
                return done;
        }
    }
    return {};
}

// "K of block 3", "S of block 2", "O of query tile 1"
std::string nameOf(const Trace& trace, InstanceId instance)
{
    const Program& program = trace.program();
    const Op& op = trace.op(instance);
    const int j = program.keyBlock(program.work(trace.workOf(instance)), op);
    const std::string what
        = op.kind == OpKind::Mma ? program.buffers[op.out.index()].name : std::string(name(op.tensor));
    return j < 0 ? what : fmt::format("{} of block {}", what, j);
}

// Of the turn under way, as of just after the event at p; all of it where `turn` is complete by then.
int arrivedAt(const Trace& trace, CtaId cta, BarrierId barrier, std::int64_t turn, Position p)
{
    const auto arrivals = trace.arrivals(cta, barrier);
    const auto after = std::partition_point(
        arrivals.begin(), arrivals.end(), [&](const Arrival& arrival) { return arrival.event < p.value; });
    if (after == arrivals.begin())
        return 0;
    const Arrival& newest = *(after - 1);
    return newest.turns > turn ? trace.program().barriers[barrier.index()].count : static_cast<int>(newest.arrived);
}

} // namespace

std::string Narrator::explainWait(const Step& step, CtaId cta) const
{
    return step.op->barrier.valid() ? explainBarrierWait(step, cta) : explainGroupWait(step, cta);
}

std::string Narrator::explainGroupWait(const Step& step, CtaId cta) const
{
    const Trace& trace = *m_run.trace;
    const std::string which = step.op->group == GroupKind::Mma ? "wait.mma"
        : step.op->group == GroupKind::Stores                  ? "wait.stores"
                                                               : "wait";
    Words::Values values = common(step, cta);
    values["reason"] = m_run.program->waits[step.op->wait.index()].reason;
    if (step.op->dropped)
        return say(which + ".dropped", values);
    const Cycle begin = trace.beginCycle(step.instance);
    std::string missing;
    InstanceId newest;
    Cycle newestCycle = -1;
    for (const InstanceId each : waitedFor(trace, cta, step.work, step.op->role, step.id)) {
        const Cycle done = trace.endCycle(each);
        if (done > begin || !trace.ended(each))
            missing += (missing.empty() ? "" : ", ") + nameOf(trace, each);
        if (done > newestCycle) {
            newestCycle = done;
            newest = each;
        }
    }
    values["missing"] = missing;
    if (!step.ends)
        return say(which + (missing.empty() ? ".begin.landed" : ".begin"), values);
    if (!newest.valid())
        return say(which + ".end.nothing", values);
    const Op& op = trace.op(newest);
    values["tensor"] = op.kind == OpKind::Mma ? nameOf(trace, newest) : std::string(name(op.tensor));
    values["landed"] = thousands(newestCycle);
    return say(which + (missing.empty() ? ".end.landed" : ".end"), values);
}

// Which barrier, and what a turn of it takes.
Words::Values Narrator::barrierValues(const Step& step, CtaId cta) const
{
    const BarrierDecl& barrier = m_run.program->barriers[step.op->barrier.index()];
    Words::Values values = common(step, cta);
    values["barrier"] = barrier.name;
    values["unit"] = barrier.unit;
    values["count"] = thousands(barrier.count);
    if (step.op->barriers > 1) { // one for each warp of the role
        values["each"] = std::to_string(step.op->barriers);
        values["barrier"] += " to "
            + m_run.program->barriers[step.op->barrier.index() + static_cast<std::size_t>(step.op->barriers) - 1].name;
    }
    return values;
}

std::string Narrator::explainBarrierWait(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    Words::Values values = barrierValues(step, cta);
    values["reason"] = program.waits[step.op->wait.index()].reason;
    if (step.op->dropped)
        return say("wait.barrier.dropped", values);
    const std::int64_t turn = trace.turnsBefore(step.work, step.op->barrier) + step.op->turn;
    if (turn < 0)
        return say("wait.barrier.fresh", values);
    const Position begin = trace.beginPosition(step.instance);
    const Arrival* last = completingArrival(trace, cta, step.work, *step.op);
    const bool ready = last != nullptr && last->event < begin.value;
    if (!step.ends) {
        values["arrived"] = thousands(arrivedAt(trace, cta, step.op->barrier, turn, begin));
        const std::string who = whoArrives(step);
        values["who"] = who.empty() ? "" : " (who arrives: " + who + ")";
        return say(ready ? "wait.barrier.begin.ready" : "wait.barrier.begin", values);
    }
    if (last == nullptr)
        return say("wait.barrier.begin", values);
    const InstanceId arrival = trace.eventAt(last->event).instance;
    const bool copy = trace.op(arrival).kind == OpKind::Load;
    const bool commit = trace.op(arrival).kind == OpKind::Commit;
    values["what"] = copy ? nameOf(trace, arrival)
                          : program.roles[trace.op(arrival).role.index()].name + (commit ? "'s commit" : "");
    if (trace.ctaOf(arrival) != cta)
        values["what"] += fmt::format(" {} CTA {}", copy ? "from" : "of", trace.ctaOf(arrival).index());
    values["when"] = thousands(trace.timeAt(Position { last->event + 1 }));
    return say(ready ? "wait.barrier.end.ready" : copy ? "wait.barrier.end.copy" : "wait.barrier.end.arrive", values);
}

std::string Narrator::explainSync(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    const BarrierDecl& barrier = program.barriers[step.op->barrier.index()];
    Words::Values values = barrierValues(step, cta);
    values["reason"] = program.waits[step.op->wait.index()].reason;
    if (step.op->dropped)
        return say("sync.dropped", values);
    const std::int64_t turn = trace.turnsBefore(step.work, step.op->barrier) + step.op->turn;
    const Arrival* completing = completingArrival(trace, cta, step.work, *step.op);
    const InstanceId last = completing == nullptr ? step.instance : trace.eventAt(completing->event).instance;
    const int arrived = arrivedAt(trace, cta, step.op->barrier, turn, trace.beginPosition(step.instance));
    values["arrived"] = std::to_string(arrived);
    values["last"] = program.roles[trace.op(last).role.index()].name;
    if (step.op->barriers > 1) {
        values["cycles"] = thousands(trace.endCycle(step.instance) - trace.beginCycle(step.instance));
        return say(step.ends ? "sync.each.end" : "sync.each.begin", values);
    }
    if (!step.ends)
        return say(arrived >= barrier.count ? "sync.begin.last" : "sync.begin", values);
    return say(last == step.instance ? "sync.end.last" : "sync.end", values);
}

std::string Narrator::explainArrive(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    const BarrierDecl& barrier = program.barriers[step.op->barrier.index()];
    Words::Values values = barrierValues(step, cta);
    values["arrivals"] = std::to_string(step.op->arrivals);
    if (step.op->barriers > 1)
        return say(step.ends ? "arrive.each.end" : "arrive.each.begin", values) + tells(step, cta);
    if (barrier.countsBytes())
        values["count"] = thousands(barrier.count + step.op->extraBytes);
    if (barrier.countsBytes())
        return say(step.ends ? "arrive.expect.end" : "arrive.expect.begin", values);
    if (step.op->reach != Reach::Own) {
        values["whose"] = step.op->reach == Reach::Both ? "both CTAs of the cluster" : "the other CTA of the cluster";
        return say(step.ends ? "arrive.peer.end" : "arrive.peer.begin", values) + tells(step, cta);
    }
    const auto arrivals = trace.arrivals(cta, step.op->barrier);
    const std::uint32_t event = trace.beginPosition(step.instance).value - 1;
    const auto own = std::partition_point(
        arrivals.begin(), arrivals.end(), [&](const Arrival& arrival) { return arrival.event < event; });
    if (own == arrivals.end())
        return say("arrive.begin", values);
    const std::string told = tells(step, cta);
    values["arrived"] = thousands(own->arrived);
    const bool completed = own->turns > (own == arrivals.begin() ? 0 : (own - 1)->turns);
    if (!step.ends)
        return say("arrive.begin", values) + told;
    return say(completed ? "arrive.end.last" : "arrive.end", values) + told;
}

std::string Narrator::explainNextTile(const Step& step, CtaId cta) const
{
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    const std::string which = step.op->in[0].valid() ? "next-tile.read" : "next-tile";
    if (!step.ends)
        return say(which + ".begin", values);
    const auto works = trace.worksOf(cta);
    const auto next = std::find(works.begin(), works.end(), step.work) + 1;
    if (next == works.end())
        return say(which + ".end.none", values);
    const Work& work = m_run.program->work(*next);
    values["next_i"] = bold(std::to_string(work.i));
    values["next_h"] = std::to_string(work.h);
    values["next_b"] = std::to_string(work.b);
    return say(which + ".end", values);
}

} // namespace flashstep
