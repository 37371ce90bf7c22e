// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/hazards.h"

#include "core/emulation/hazard_clocks.h"
#include "core/emulation/memory_groups.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace flashstep {

namespace {

using namespace clocks;

// The CTAs of one cluster, event by event. Actors are roles, each role's groups of asynchronous work, and barriers on
// which copies complete.
class ClusterAnalysis {
public:
    ClusterAnalysis(const Trace& trace, const MemoryGroups& groups, CtaId first, int size)
        : m_trace(trace)
        , m_program(trace.program())
        , m_groups(groups)
        , m_first(first.index())
        , m_size(static_cast<std::size_t>(size))
        , m_roleCount(trace.streamOf(trace.worksOf(first).front()).roles.size())
        , m_perCta(m_roleCount * (1 + groupKinds) + m_program.barriers.size())
    {
        const Clock nothing(m_perCta * m_size, 0);
        m_roles.resize(m_roleCount * m_size);
        for (Role& role : m_roles)
            role.clock = nothing;
        m_barriers.resize(m_program.barriers.size() * m_size);
        for (Barrier& barrier : m_barriers)
            barrier.gathering = nothing;
        m_landings.assign(m_barriers.size(), 0);
        m_history.resize(groups.count() * m_size);
        for (std::size_t c = 0; c < m_size; ++c)
            for (const WorkId work : trace.worksOf(CtaId(m_first + c)))
                m_turnsBefore[work.index()] = turnsBefore(work);
    }

    HazardReport run(std::size_t keep)
    {
        m_keep = keep;
        for (const Step& step : orderedEvents()) {
            m_step = &step;
            const Op& op = m_program.op(step.op);
            if (step.ends)
                ends(op);
            else
                begins(op);
        }
        checkExits();
        checkTurns();
        return std::move(m_report);
    }

private:
    struct Step {
        std::uint32_t position = 0;
        std::uint32_t instance = 0;
        OpId op;
        WorkId work;
        std::uint16_t role = 0; // its place in the stream's list
        std::uint8_t cta = 0; // in the cluster
        bool ends = false;
    };

    [[nodiscard]] std::vector<std::int64_t> turnsBefore(WorkId work) const
    {
        std::vector<std::int64_t> turns(m_program.barriers.size(), 0);
        for (const WorkId earlier : m_trace.worksOf(m_trace.ctaOf(work))) {
            if (earlier == work)
                break;
            for (std::size_t b = 0; b < turns.size(); ++b)
                turns[b] += m_trace.streamOf(earlier).turns[b];
        }
        return turns;
    }

    // What matters of an op's end: waits pass, copies land, arrivals reach the other CTA.
    static bool endMatters(const Op& op)
    {
        return op.kind == OpKind::Sync || op.kind == OpKind::Wait || (op.kind == OpKind::Commit && op.barrier.valid())
            || (op.barrier.valid() && (op.kind == OpKind::Load || op.reach != Reach::Own));
    }

    [[nodiscard]] std::vector<Step> orderedEvents() const
    {
        std::vector<Step> steps;
        for (std::size_t c = 0; c < m_size; ++c)
            for (const WorkId work : m_trace.worksOf(CtaId(m_first + c))) {
                const Stream& stream = m_trace.streamOf(work);
                for (std::size_t r = 0; r < stream.roles.size(); ++r)
                    for (std::uint32_t k = 0; k < stream.roles[r].count; ++k) {
                        const OpId op(stream.roles[r].first + k);
                        const InstanceId instance = m_trace.instance(work, op);
                        if (!m_trace.began(instance))
                            continue;
                        Step step { m_trace.beginPosition(instance).value, static_cast<std::uint32_t>(instance.index()),
                            op, work, static_cast<std::uint16_t>(r), static_cast<std::uint8_t>(c), false };
                        steps.push_back(step);
                        if (!m_trace.ended(instance) || !endMatters(m_program.op(op)))
                            continue;
                        step.position = m_trace.endPosition(instance).value;
                        step.ends = true;
                        steps.push_back(step);
                    }
            }
        std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.position < b.position; });
        return steps;
    }

    // ---- actors -----------------------------------------------------------------------------------------------------

    [[nodiscard]] std::size_t roleActor() const { return m_step->cta * m_perCta + m_step->role; }
    [[nodiscard]] std::size_t groupActor(GroupKind kind) const
    {
        return m_step->cta * m_perCta + m_roleCount * (1 + static_cast<std::size_t>(kind)) + m_step->role;
    }
    [[nodiscard]] std::size_t barrierActor(std::size_t cta, BarrierId barrier) const
    {
        return cta * m_perCta + m_roleCount * (1 + groupKinds) + barrier.index();
    }
    [[nodiscard]] Role& role() { return m_roles[m_step->cta * m_roleCount + m_step->role]; }
    [[nodiscard]] Barrier& barrier(std::size_t cta, BarrierId id)
    {
        return m_barriers[cta * m_program.barriers.size() + id.index()];
    }
    [[nodiscard]] std::size_t other(std::size_t cta) const { return m_size == 1 ? cta : 1 - cta; }

    // ---- events -----------------------------------------------------------------------------------------------------

    void begins(const Op& op)
    {
        ++role().clock[roleActor()];
        switch (op.kind) {
        case OpKind::Commit: {
            if (op.barrier.valid()) { // it knows what its role does, and that the products before it are done
                Clock& known = m_issuedAt[m_step->instance] = role().clock;
                known[groupActor(GroupKind::Mma)] = role().issued[static_cast<std::size_t>(GroupKind::Mma)];
                return;
            }
            const auto kind = static_cast<std::size_t>(op.group);
            role().groups[kind].push_back(role().issued[kind]);
            return;
        }
        case OpKind::Wait:
            return;
        case OpKind::Sync:
            arrive(m_step->cta, op, role().clock);
            return;
        case OpKind::Arrive:
            if (op.reach != Reach::Peer)
                arrive(m_step->cta, op, role().clock);
            if (op.reach != Reach::Own)
                m_issuedAt[m_step->instance] = role().clock;
            return;
        default:
            access(op);
        }
    }

    void ends(const Op& op)
    {
        if (op.kind == OpKind::Load) {
            if (op.reach != Reach::Peer)
                land(m_step->cta, op);
            if (op.reach != Reach::Own)
                land(other(m_step->cta), op);
            m_issuedAt.erase(m_step->instance);
        } else if (op.kind == OpKind::Commit) {
            arrive(m_step->cta, op, m_issuedAt[m_step->instance]);
            if (op.reach == Reach::Both)
                arrive(other(m_step->cta), op, m_issuedAt[m_step->instance]);
            m_issuedAt.erase(m_step->instance);
        } else if (op.kind == OpKind::Arrive) {
            arrive(other(m_step->cta), op, m_issuedAt[m_step->instance]);
            m_issuedAt.erase(m_step->instance);
        } else if (!op.dropped) {
            pass(op);
        }
    }

    void pass(const Op& op)
    {
        Role& self = role();
        if (!op.barrier.valid()) {
            const auto& groups = self.groups[static_cast<std::size_t>(op.group)];
            if (groups.size() > op.pending) {
                std::uint32_t& known = self.clock[groupActor(op.group)];
                known = std::max(known, groups[groups.size() - 1 - op.pending]);
            }
            return;
        }
        for (std::size_t k = op.barrier.index(); k < op.barrier.index() + op.barriers; ++k) {
            const std::int64_t turn = m_turnsBefore.at(m_step->work.index())[k] + op.turn;
            const Barrier& b = barrier(m_step->cta, BarrierId(k));
            if (turn >= 0 && !b.turns.empty())
                join(self.clock, b.turns[std::min(static_cast<std::size_t>(turn), b.turns.size() - 1)]);
        }
    }

    // ---- barriers ---------------------------------------------------------------------------------------------------

    void arrive(std::size_t cta, const Op& op, const Clock& clock)
    {
        for (std::size_t k = op.barrier.index(); k < op.barrier.index() + op.barriers; ++k)
            arriveAt(cta, BarrierId(k), op, clock);
    }

    void arriveAt(std::size_t cta, BarrierId id, const Op& op, const Clock& clock)
    {
        Barrier& b = barrier(cta, id);
        const BarrierDecl& decl = m_program.barriers[id.index()];
        if (op.when != When::First)
            checkOverrun(b, id, clock);
        join(b.gathering, clock);
        if (decl.countsBytes()) {
            b.missing += decl.count + op.extraBytes;
            ++b.arrived;
            completeBytes(b);
            return;
        }
        b.arrived += op.arrivals;
        if (b.arrived > decl.count) // more than a turn takes: hardware loses count
            report("barrier overrun", BufferId::none(), id, m_step->instance, m_step->instance);
        completeCount(b, decl);
    }

    static void completeCount(Barrier& b, const BarrierDecl& decl)
    {
        for (; b.arrived >= decl.count; b.arrived -= decl.count)
            b.turns.push_back(b.gathering);
    }

    static void completeBytes(Barrier& b)
    {
        if (b.arrived == 0 || b.missing != 0)
            return;
        --b.arrived;
        b.turns.push_back(b.gathering);
    }

    void land(std::size_t cta, const Op& op)
    {
        Barrier& b = barrier(cta, op.barrier);
        const BarrierDecl& decl = m_program.barriers[op.barrier.index()];
        const std::uint32_t landing = m_issuedLandings.at({ m_step->instance, cta });
        join(b.gathering, m_issuedAt.at(m_step->instance));
        std::uint32_t& known = b.gathering[barrierActor(cta, op.barrier)];
        known = std::max(known, landing);
        m_issuedLandings.erase({ m_step->instance, cta });
        if (decl.countsBytes()) {
            b.missing -= landingBytes(m_program, op);
            completeBytes(b);
            return;
        }
        b.arrived += op.arrivals;
        if (b.arrived > decl.count)
            report("barrier overrun", BufferId::none(), op.barrier, m_step->instance, m_step->instance);
        completeCount(b, decl);
    }

    // Nobody may arrive twice in one turn: hardware would take it for somebody else.
    void checkOverrun(Barrier& b, BarrierId id, const Clock& clock)
    {
        const std::size_t actor = roleActor();
        const auto last = b.lastTurn.find(actor);
        if (last != b.lastTurn.end()) {
            const bool complete = last->second < b.turns.size();
            bool known = complete;
            for (std::size_t k = 0; known && k < clock.size(); ++k)
                known = b.turns[last->second][k] <= clock[k];
            if (!known)
                report("barrier overrun", BufferId::none(), id, m_step->instance, m_step->instance);
        }
        b.lastTurn[actor] = b.turns.size();
    }

    // A CTA's memory is somebody else's once it has ended: its bulk stores must have read it out.
    void checkExits()
    {
        const auto kind = static_cast<std::size_t>(GroupKind::Stores);
        for (std::size_t r = 0; r < m_roles.size(); ++r) {
            const Role& role = m_roles[r];
            const std::size_t actor = r / m_roleCount * m_perCta + m_roleCount * (1 + kind) + r % m_roleCount;
            if (role.issued[kind] > role.clock[actor])
                report("exit before store", m_program.op(m_trace.opOf(InstanceId(role.lastStore))).in[0],
                    BarrierId::none(), role.lastStore, role.lastStore);
        }
    }

    // A barrier that completes more turns than its waits take, but for one a work tile, lets go before all that should
    // have arrived have: hardware would have lost step.
    void checkTurns()
    {
        for (std::size_t c = 0; c < m_size; ++c)
            for (std::size_t b = 0; b < m_program.barriers.size(); ++b) {
                std::size_t taken = 0;
                InstanceId waiter;
                const auto works = m_trace.worksOf(CtaId(m_first + c));
                for (const WorkId work : works)
                    taken += turnsTaken(m_trace, work, b, waiter);
                if (waiter.valid() && m_barriers[c * m_program.barriers.size() + b].turns.size() > taken + works.size())
                    report("barrier overrun", BufferId::none(), BarrierId(b),
                        static_cast<std::uint32_t>(waiter.index()), static_cast<std::uint32_t>(waiter.index()));
            }
    }

    // ---- memory -----------------------------------------------------------------------------------------------------

    void access(const Op& op)
    {
        Role& self = role();
        const auto rank = static_cast<int>(m_step->cta);
        // Asynchronous work knows what its role knew when it was issued, and is known to nobody until it is waited for.
        std::size_t actor = roleActor();
        std::uint32_t clock = self.clock[actor];
        if (op.kind == OpKind::Load && op.async && op.barrier.valid()) {
            m_issuedAt[m_step->instance] = self.clock;
            const bool both = op.reach == Reach::Both;
            for (std::size_t k = 0; k < (both ? m_size : 1); ++k) {
                const std::size_t cta = k == 0 ? m_step->cta : other(m_step->cta); // where it lands
                const std::size_t at = op.reach == Reach::Peer ? other(cta) : cta; // where that is counted
                const std::size_t b = at * m_program.barriers.size() + op.barrier.index();
                m_issuedLandings[{ m_step->instance, at }] = ++m_landings[b];
                touch(op.out, MemoryGroups::Operand::Out, cta, rank, true, barrierActor(at, op.barrier), m_landings[b]);
            }
            return;
        }
        if (op.async) {
            const GroupKind kind = op.kind == OpKind::Mma ? GroupKind::Mma
                : op.kind == OpKind::Store                ? GroupKind::Stores
                                                          : GroupKind::Copies;
            actor = groupActor(kind);
            clock = ++self.issued[static_cast<std::size_t>(kind)];
            if (kind == GroupKind::Stores)
                self.lastStore = m_step->instance;
            if (kind == GroupKind::Mma)
                self.groups[static_cast<std::size_t>(kind)].push_back(clock);
        }
        const bool pair = op.kind == OpKind::Mma && op.reach == Reach::Both;
        for (std::size_t k = 0; k < (pair ? m_size : 1); ++k) {
            const std::size_t cta = k == 0 ? m_step->cta : other(m_step->cta);
            for (const auto operand :
                { MemoryGroups::Operand::In0, MemoryGroups::Operand::In1, MemoryGroups::Operand::In2 })
                touch(MemoryGroups::bufferOf(op, static_cast<std::size_t>(operand)), operand, cta, rank, false, actor,
                    clock);
            for (const auto operand : { MemoryGroups::Operand::Out, MemoryGroups::Operand::Out2 })
                touch(MemoryGroups::bufferOf(op, static_cast<std::size_t>(operand)), operand, cta, rank, true, actor,
                    clock);
        }
    }

    void touch(BufferId buffer, MemoryGroups::Operand operand, std::size_t cta, int rank, bool writes,
        std::size_t actor, std::uint32_t clock)
    {
        if (!buffer.valid())
            return;
        const Access self { clock, m_step->instance };
        for (const std::uint32_t piece : m_groups.of(m_step->op, static_cast<std::size_t>(operand), rank)) {
            History& history = m_history[cta * m_groups.count() + piece];
            conflicts(writes ? "write after write" : "read before write", buffer, history.writes, self, actor);
            if (writes)
                conflicts("write after read", buffer, history.reads, self, actor);
            remember(History::of(writes ? history.writes : history.reads, actor), actor, self);
        }
    }

    // Products of one role are done in order, so one of them is never in conflict with an earlier one.
    [[nodiscard]] bool inOrder(std::size_t actor) const
    {
        const std::size_t local = actor % m_perCta;
        const std::size_t first = m_roleCount * (1 + static_cast<std::size_t>(GroupKind::Mma));
        return local < m_roleCount || (local >= first && local < first + m_roleCount);
    }

    // Of each actor's accesses those that the role does not know of: the newest ones, up to the first that it does.
    void conflicts(const char* kind, BufferId buffer, const std::vector<History::List>& earlier, const Access& self,
        std::size_t actor)
    {
        const Clock& clock = role().clock;
        for (const History::List& list : earlier) {
            if (list.actor == actor && inOrder(actor))
                continue;
            for (std::size_t k = list.accesses.size(); k > 0 && list.accesses[k - 1].clock > clock[list.actor]; --k)
                if (list.accesses[k - 1].instance != self.instance)
                    report(kind, buffer, BarrierId::none(), self.instance, list.accesses[k - 1].instance);
        }
    }

    // Before the list grows, what every role knows of goes: whatever comes is ordered after it.
    void remember(std::vector<Access>& list, std::size_t actor, const Access& self)
    {
        if (list.size() == list.capacity()) {
            std::uint32_t known = m_roles.front().clock[actor];
            for (const Role& role : m_roles)
                known = std::min(known, role.clock[actor]);
            const auto unknown
                = std::find_if(list.begin(), list.end(), [&](const Access& access) { return access.clock > known; });
            list.erase(list.begin(), unknown);
        }
        list.push_back(self);
    }

    void report(const char* kind, BufferId buffer, BarrierId barrier, std::uint32_t instance, std::uint32_t other)
    {
        if (!m_seen.insert({ instance, other, buffer.valid() ? buffer.index() : 1000 }).second)
            return;
        ++m_report.count;
        if (m_report.list.size() >= m_keep)
            return;
        const InstanceId id(instance);
        const WorkId work = m_trace.workOf(id);
        const OpId op = m_trace.opOf(id);
        m_report.list.push_back({ kind, m_trace.ctaOf(work), work, m_program.op(op).role, op,
            m_trace.opOf(InstanceId(other)), buffer, barrier, m_trace.beginCycle(id) });
    }

    const Trace& m_trace;
    const Program& m_program;
    const MemoryGroups& m_groups;
    std::size_t m_first, m_size, m_roleCount, m_perCta;
    std::vector<Role> m_roles;
    std::vector<Barrier> m_barriers;
    std::vector<std::uint32_t> m_landings; // by barrier: copies issued to it
    std::vector<History> m_history; // by CTA and piece
    std::map<std::size_t, std::vector<std::int64_t>> m_turnsBefore;
    std::map<std::uint32_t, Clock> m_issuedAt; // by instance in flight: what its role knew
    std::map<std::pair<std::uint32_t, std::size_t>, std::uint32_t> m_issuedLandings; // clocks
    std::set<std::array<std::size_t, 3>> m_seen;
    const Step* m_step = nullptr;
    std::size_t m_keep = 0;
    HazardReport m_report;
};

// Which shapes of work a cluster did, one after the other: pairs of neighbours.
using Shapes = std::set<std::pair<std::size_t, std::size_t>>;
Shapes shapesOf(const Trace& trace, CtaId first, int size)
{
    Shapes shapes;
    for (int c = 0; c < size; ++c) {
        std::size_t before = trace.program().streams.size();
        for (const WorkId work : trace.worksOf(CtaId(first.index() + static_cast<std::size_t>(c)))) {
            const auto stream = static_cast<std::size_t>(&trace.streamOf(work) - trace.program().streams.data());
            shapes.emplace(before, stream);
            before = stream;
        }
    }
    return shapes;
}

} // namespace

HazardReport findHazards(const Trace& trace, std::size_t keep)
{
    const Program& program = trace.program();
    HazardReport all;
    for (std::size_t l = 0; l < program.launches.size(); ++l) {
        const LaunchDecl& launch = program.launches[l];
        const MemoryGroups groups(program, static_cast<int>(l));
        Shapes clean;
        bool dirty = false;
        for (std::uint32_t c = launch.firstCta; c < launch.firstCta + launch.ctaCount;
             c += static_cast<std::uint32_t>(launch.clusterSize)) {
            const CtaId cta(c);
            if (!trace.hasEvents(cta))
                continue; // never started, or not looked at
            const Shapes shapes = shapesOf(trace, cta, launch.clusterSize);
            if (!dirty && std::includes(clean.begin(), clean.end(), shapes.begin(), shapes.end()))
                continue;
            HazardReport one
                = ClusterAnalysis(trace, groups, cta, launch.clusterSize).run(keep - std::min(keep, all.list.size()));
            if (one.count == 0)
                clean.insert(shapes.begin(), shapes.end());
            else
                dirty = true;
            all.count += one.count;
            all.list.insert(all.list.end(), one.list.begin(), one.list.end());
        }
    }
    return all;
}

} // namespace flashstep
