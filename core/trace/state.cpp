// SPDX-License-Identifier: Apache-2.0
#include "core/trace/state.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flashstep {

std::string_view name(RoleState::Kind kind)
{
    constexpr std::array<std::string_view, 5> names { "not started", "running", "waiting", "done", "stuck" };
    return names[static_cast<std::size_t>(kind)];
}

std::string_view name(BufferState::Kind kind)
{
    constexpr std::array<std::string_view, 4> names { "empty", "loading", "valid", "writing" };
    return names[static_cast<std::size_t>(kind)];
}

namespace {

const RoleRange& rangeOf(const Trace& trace, CtaId cta, std::size_t role)
{
    return trace.program().streamOf(cta).roles[role];
}

// Copies of this role still in flight at p, by the tensors they bring: "K", "Q, K".
std::string inFlight(const Trace& trace, CtaId cta, const RoleRange& role, InstanceId current, Position p)
{
    std::string tensors;
    const std::size_t count = current.index() - trace.instance(cta, OpId(role.first)).index();
    for (std::size_t k = 0; k < count; ++k) {
        const Op& op = trace.program().ops[role.first + k];
        const InstanceId instance = trace.instance(cta, OpId(role.first + k));
        if (!op.async || trace.endedAt(instance, p))
            continue;
        const std::string tensor(name(op.tensor));
        if (tensors.find(tensor) == std::string::npos)
            tensors += (tensors.empty() ? "" : ", ") + tensor;
    }
    return tensors;
}

std::string missingOf(const Trace& trace, CtaId cta, const RoleRange& role, InstanceId current, Position p)
{
    const Program& program = trace.program();
    const Op& op = program.op(trace.opOf(current));
    if (op.kind == OpKind::Wait)
        return "its copies of " + inFlight(trace, cta, role, current, p) + " to land";
    const BarrierDecl& decl = program.barriers[op.barrier.index()];
    for (const BarrierState& barrier : barriersAt(trace, cta, p)) {
        if (barrier.barrier != op.barrier)
            continue;
        const bool complete = barrier.phase > static_cast<int>(op.turn); // only the barrier's own latency is left
        const std::string arrived = complete ? "all " : std::to_string(barrier.arrived) + " of ";
        return decl.name + ": " + arrived + std::to_string(barrier.expected) + " " + decl.unit + " have arrived";
    }
    return decl.name;
}

} // namespace

std::vector<RoleState> rolesAt(const Trace& trace, CtaId cta, Position p)
{
    const Program& program = trace.program();
    const Stream& stream = program.streamOf(cta);
    std::vector<RoleState> roles;
    for (std::size_t k = 0; k < stream.roles.size(); ++k) {
        const RoleRange& range = rangeOf(trace, cta, k);
        RoleState& role = roles.emplace_back();
        role.cta = cta;
        role.role = range.role;
        role.current = trace.currentOp(cta, range, p);
        if (!role.current.valid())
            continue;
        const Op& op = program.op(trace.opOf(role.current));
        role.since = trace.beginCycle(role.current);
        const bool ended = trace.endedAt(role.current, p);
        const bool last = trace.opOf(role.current).index() + 1 == range.first + range.count;
        const bool waits = op.kind == OpKind::Wait || op.kind == OpKind::Sync;
        if (ended && last)
            role.kind = RoleState::Kind::Done;
        else if (!ended && op.kind == OpKind::Wait && inFlight(trace, cta, range, role.current, p).empty())
            role.kind = RoleState::Kind::Running; // nothing is missing any more: it goes on within this cycle
        else if (!ended && waits) {
            const bool stuck = !trace.ended(role.current) && p == trace.end();
            role.kind = stuck ? RoleState::Kind::Stuck : RoleState::Kind::Waiting;
            role.waitingFor = missingOf(trace, cta, range, role.current, p);
        } else
            role.kind = RoleState::Kind::Running;
    }
    return roles;
}

std::vector<BarrierState> barriersAt(const Trace& trace, CtaId cta, Position p)
{
    const Program& program = trace.program();
    std::vector<BarrierState> barriers;
    for (std::size_t b = 0; b < program.barriers.size(); ++b) {
        bool used = false;
        std::int64_t arrivals = 0; // in the barrier's unit, since the CTA began
        for (const RoleRange& role : program.streamOf(cta).roles) {
            // A role's turns of a barrier count up, so the last arrival begun tells how many there were.
            for (std::uint32_t k = role.count; k-- > 0;) {
                const Op& op = program.ops[role.first + k];
                if (op.kind != OpKind::Sync || op.barrier.index() != b)
                    continue;
                used = true;
                if (!trace.begunAt(trace.instance(cta, OpId(role.first + k)), p))
                    continue;
                arrivals += static_cast<std::int64_t>(op.turn + 1) * program.barriers[b].perArrival;
                break;
            }
        }
        if (!used)
            continue;
        const int count = program.barriers[b].count;
        barriers.push_back(
            { cta, BarrierId(b), count, static_cast<int>(arrivals % count), static_cast<int>(arrivals / count) });
    }
    return barriers;
}

std::vector<BufferState> buffersAt(const Trace& trace, CtaId cta, Position p)
{
    const Program& program = trace.program();
    const Cta& c = program.ctas[cta.index()];
    std::vector<BufferState> states;
    std::vector<std::size_t> stateOf(program.buffers.size(), program.buffers.size());
    for (std::size_t b = 0; b < program.buffers.size(); ++b) {
        if (program.buffers[b].launch != c.launch)
            continue;
        stateOf[b] = states.size();
        BufferState& state = states.emplace_back();
        state.cta = cta;
        state.buffer = BufferId(b);
    }
    // What each role did last to each buffer: the newest block any of them writes is what the buffer is becoming.
    struct Latest {
        int n = -1, j = -1;
        int writers = 0, done = 0;
        bool loading = false, normalised = false;
    };
    std::vector<Latest> latest(states.size());
    for (const RoleRange& role : program.streamOf(cta).roles) {
        const InstanceId current = trace.currentOp(cta, role, p);
        if (!current.valid())
            continue;
        const std::size_t lastOp = trace.opOf(current).index();
        std::vector<bool> seen(states.size(), false);
        std::size_t left = states.size();
        for (std::size_t k = lastOp + 1; k-- > role.first && left > 0;) {
            const Op& op = program.ops[k];
            for (const BufferId out : { op.out, op.out2 }) {
                if (!out.valid() || seen[stateOf[out.index()]])
                    continue;
                const std::size_t at = stateOf[out.index()];
                seen[at] = true;
                --left;
                const int j = program.keyBlock(c, op);
                Latest& l = latest[at];
                if (l.writers > 0 && j != l.j && program.buffers[out.index()].tile != BufferDecl::Tile::Query) {
                    // Roles are on different blocks: the newer one (visited later, right to left or left to right)
                    // counts.
                    const bool newer = op.n > l.n || (op.n == 0 && k > lastOp);
                    if (!newer)
                        continue;
                    l = {};
                }
                l.j = j;
                l.n = std::max(l.n, op.n);
                ++l.writers;
                l.done += trace.endedAt(trace.instance(cta, OpId(k)), p) ? 1 : 0;
                l.loading = l.loading || op.kind == OpKind::Load;
                l.normalised = l.normalised || op.kind == OpKind::Normalise;
                if (op.kind == OpKind::Convert || op.kind == OpKind::Stage)
                    l.normalised = l.normalised || (op.n == 0 && op.j < 0);
            }
        }
    }
    const double roles = static_cast<double>(program.streamOf(cta).roles.size());
    for (std::size_t k = 0; k < states.size(); ++k) {
        const Latest& l = latest[k];
        if (l.writers == 0)
            continue;
        BufferState& state = states[k];
        const BufferDecl& decl = program.buffers[state.buffer.index()];
        state.i = decl.tile == BufferDecl::Tile::Key ? -1 : c.i;
        state.j = decl.tile == BufferDecl::Tile::Query ? -1 : l.j;
        state.fraction = l.done / roles;
        state.normalised = l.normalised && decl.name.ends_with("O");
        if (l.done == static_cast<int>(roles))
            state.kind = BufferState::Kind::Valid;
        else
            state.kind = l.loading ? BufferState::Kind::Loading : BufferState::Kind::Writing;
    }
    return states;
}

} // namespace flashstep
