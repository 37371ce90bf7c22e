// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/hazards.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace flashstep {

namespace {

constexpr std::size_t maxActors = 32; // up to 16 roles, and each one's asynchronous copies
using Clock = std::array<std::uint32_t, maxActors>;

void join(Clock& into, const Clock& other)
{
    for (std::size_t k = 0; k < maxActors; ++k)
        into[k] = std::max(into[k], other[k]);
}

struct Access {
    std::uint32_t clock = 0; // of its actor
    std::uint32_t op = 0;
};

// Accesses of some rows of one buffer that every op touches together or not at all; by actor, each in its own order.
// All of them that somebody may not know of yet: which pairs are found must not depend on what happened to come in
// between.
struct RowHistory {
    std::array<std::vector<Access>, maxActors> writes, reads;
};

struct Role {
    Clock clock {};
    std::uint32_t copies = 0; // asynchronous copies issued
    std::vector<std::uint32_t> groups; // copies issued up to and including each committed group
};

struct Barrier {
    int arrived = 0;
    Clock gathering {};
    std::vector<Clock> turns; // what was known when each completed
};

// Rows of each buffer, grouped: two rows are in one group if every row set of the stream has both or neither. So an
// access looks at a handful of groups, however many rows the tile has.
class RowGroups {
public:
    RowGroups(const Program& program, const Stream& stream)
        : m_touched(program.buffers.size())
        , m_counts(program.buffers.size())
    {
        std::vector<std::set<std::size_t>> sets(program.buffers.size());
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const Op& op = program.ops[k];
            for (const BufferId id : { op.out, op.out2, op.in[0], op.in[1], op.in[2] })
                if (id.valid())
                    sets[rootOf(program, id).index()].insert(op.rows.index());
        }
        for (std::size_t b = 0; b < sets.size(); ++b) {
            std::map<std::vector<bool>, std::uint32_t> groups;
            for (int row = 0; row < program.buffers[b].rows; ++row) {
                std::vector<bool> signature;
                for (const std::size_t set : sets[b])
                    signature.push_back(program.rowSets[set].contains(row));
                const auto group = groups.emplace(signature, static_cast<std::uint32_t>(groups.size())).first->second;
                for (const std::size_t set : sets[b])
                    if (program.rowSets[set].contains(row))
                        m_touched[b][set].insert(group);
            }
            m_counts[b] = groups.size();
        }
    }

    static BufferId rootOf(const Program& program, BufferId buffer)
    {
        const BufferId root = program.buffers[buffer.index()].aliases;
        return root.valid() ? root : buffer;
    }
    [[nodiscard]] std::size_t count(BufferId root) const { return m_counts[root.index()]; }
    [[nodiscard]] const std::set<std::uint32_t>& of(BufferId root, RowSetId rows) const
    {
        return m_touched[root.index()].at(rows.index());
    }

private:
    std::vector<std::map<std::size_t, std::set<std::uint32_t>>> m_touched; // by buffer and row set
    std::vector<std::size_t> m_counts;
};

// One CTA, op by op in the order in which they began.
class CtaAnalysis {
public:
    CtaAnalysis(const Trace& trace, CtaId cta)
        : m_trace(trace)
        , m_program(trace.program())
        , m_cta(cta)
        , m_roles(m_program.streamOf(cta).roles.size())
        , m_barriers(m_program.barriers.size())
        , m_groups(m_program, m_program.streamOf(cta))
        , m_history(m_program.buffers.size())
    {
        for (std::size_t k = 0; k < m_history.size(); ++k)
            m_history[k].resize(m_groups.count(BufferId(k)));
    }

    HazardReport run(std::size_t keep)
    {
        m_keep = keep;
        for (const auto& [position, op, ends] : orderedEvents()) {
            const Op& o = m_program.op(op);
            if (ends) {
                if (o.kind == OpKind::Sync && !o.dropped)
                    passBarrier(o);
            } else {
                begins(op, o);
            }
        }
        return std::move(m_report);
    }

private:
    struct Step {
        std::uint32_t position;
        OpId op;
        bool ends;
    };

    [[nodiscard]] std::vector<Step> orderedEvents() const
    {
        std::vector<Step> steps;
        const Stream& stream = m_program.streamOf(m_cta);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const InstanceId instance = m_trace.instance(m_cta, OpId(k));
            if (m_trace.began(instance))
                steps.push_back({ m_trace.beginPosition(instance).value, OpId(k), false });
            if (m_trace.ended(instance) && m_program.ops[k].kind == OpKind::Sync)
                steps.push_back({ m_trace.endPosition(instance).value, OpId(k), true });
        }
        std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.position < b.position; });
        return steps;
    }

    void begins(OpId id, const Op& op)
    {
        Role& role = m_roles[op.role.index()];
        ++role.clock[op.role.index()];
        switch (op.kind) {
        case OpKind::Commit:
            role.groups.push_back(role.copies);
            return;
        case OpKind::Wait:
            if (!op.dropped && role.groups.size() > op.pending)
                role.clock[copyActor(op)]
                    = std::max(role.clock[copyActor(op)], role.groups[role.groups.size() - 1 - op.pending]);
            return;
        case OpKind::Sync:
            arrive(op);
            return;
        default:
            break;
        }
        access(id, op);
    }

    [[nodiscard]] std::size_t copyActor(const Op& op) const { return m_roles.size() + op.role.index(); }

    void arrive(const Op& op)
    {
        const BarrierDecl& decl = m_program.barriers[op.barrier.index()];
        Barrier& barrier = m_barriers[op.barrier.index()];
        join(barrier.gathering, m_roles[op.role.index()].clock);
        barrier.arrived += decl.perArrival;
        while (barrier.arrived >= decl.count) {
            barrier.arrived -= decl.count;
            barrier.turns.push_back(barrier.gathering);
            barrier.gathering = {};
        }
    }

    void passBarrier(const Op& op)
    {
        const Barrier& barrier = m_barriers[op.barrier.index()];
        for (std::size_t t = 0; t <= op.turn && t < barrier.turns.size(); ++t)
            join(m_roles[op.role.index()].clock, barrier.turns[t]);
    }

    void access(OpId id, const Op& op)
    {
        Role& role = m_roles[op.role.index()];
        // An asynchronous copy knows what its role knew when it was issued, and is known to nobody until it is waited
        // for.
        const std::size_t actor = op.async ? copyActor(op) : op.role.index();
        const Access self { op.async ? ++role.copies : role.clock[actor], static_cast<std::uint32_t>(id.index()) };
        for (std::size_t k = 0; k < op.in.size(); ++k) {
            if (!op.in[k].valid())
                continue;
            const BufferId root = RowGroups::rootOf(m_program, op.in[k]);
            if (op.kind == OpKind::Mma && k == 1) { // the B operand: every row
                for (RowHistory& history : m_history[root.index()])
                    read(op.in[k], history, actor, self, role.clock);
                continue;
            }
            for (const std::uint32_t group : m_groups.of(root, op.rows))
                read(op.in[k], m_history[root.index()][group], actor, self, role.clock);
        }
        for (const BufferId out : { op.out, op.out2 }) {
            if (!out.valid())
                continue;
            const BufferId root = RowGroups::rootOf(m_program, out);
            for (const std::uint32_t group : m_groups.of(root, op.rows))
                write(out, m_history[root.index()][group], actor, self, role.clock);
        }
    }

    void read(BufferId buffer, RowHistory& history, std::size_t actor, const Access& self, const Clock& clock)
    {
        conflicts("read before write", buffer, history.writes, self, clock);
        remember(history.reads[actor], actor, self);
    }

    void write(BufferId buffer, RowHistory& history, std::size_t actor, const Access& self, const Clock& clock)
    {
        conflicts("write after write", buffer, history.writes, self, clock);
        conflicts("write after read", buffer, history.reads, self, clock);
        remember(history.writes[actor], actor, self);
    }

    // Of each actor's accesses those that are not known at `clock`: the newest ones, up to the first that is.
    void conflicts(const char* kind, BufferId buffer, const std::array<std::vector<Access>, maxActors>& earlier,
        const Access& self, const Clock& clock)
    {
        for (std::size_t actor = 0; actor < 2 * m_roles.size(); ++actor)
            for (std::size_t k = earlier[actor].size(); k > 0 && earlier[actor][k - 1].clock > clock[actor]; --k)
                report(kind, buffer, self, earlier[actor][k - 1]);
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

    void report(const char* kind, BufferId buffer, const Access& self, const Access& other)
    {
        if (!m_seen.insert({ self.op, other.op, buffer.index() }).second)
            return;
        ++m_report.count;
        if (m_report.list.size() >= m_keep)
            return;
        const OpId op(self.op);
        m_report.list.push_back({ kind, m_cta, m_program.op(op).role, op, OpId(other.op), buffer,
            m_trace.beginCycle(m_trace.instance(m_cta, op)) });
    }

    const Trace& m_trace;
    const Program& m_program;
    CtaId m_cta;
    std::vector<Role> m_roles;
    std::vector<Barrier> m_barriers;
    RowGroups m_groups;
    std::vector<std::vector<RowHistory>> m_history; // by root buffer and group of rows
    std::set<std::array<std::size_t, 3>> m_seen;
    std::size_t m_keep = 0;
    HazardReport m_report;
};

} // namespace

HazardReport findHazards(const Trace& trace, std::size_t keep)
{
    const Program& program = trace.program();
    enum class Verdict : std::uint8_t { Unknown, Clean, Dirty };
    std::vector<Verdict> verdicts(program.streams.size(), Verdict::Unknown);
    HazardReport all;
    for (std::size_t k = 0; k < program.ctas.size(); ++k) {
        Verdict& verdict = verdicts[program.ctas[k].stream.index()];
        if (verdict == Verdict::Clean)
            continue;
        HazardReport one = CtaAnalysis(trace, CtaId(k)).run(keep - std::min(keep, all.list.size()));
        verdict = one.count == 0 && verdict == Verdict::Unknown ? Verdict::Clean : Verdict::Dirty;
        all.count += one.count;
        all.list.insert(all.list.end(), one.list.begin(), one.list.end());
    }
    return all;
}

} // namespace flashstep
