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

// Asynchronous work of this role still in flight at p, of the kind it waits for: "K", "Q, K", "S".
std::string inFlight(const Trace& trace, CtaId cta, std::size_t role, const Op& wait, Position p)
{
    std::string what;
    const Program& program = trace.program();
    const auto add = [&](std::string_view item) {
        if ((", " + what + ",").find(", " + std::string(item) + ",") == std::string::npos)
            what += (what.empty() ? "" : ", ") + std::string(item);
    };
    for (const WorkId work : trace.worksOf(cta)) {
        const RoleRange& range = trace.streamOf(work).roles[role];
        const InstanceId current = trace.currentOp(work, range, p);
        if (!current.valid())
            break;
        const std::size_t count = current.index() - trace.instance(work, OpId(range.first)).index();
        for (std::size_t k = 0; k < count; ++k) {
            const Op& op = program.ops[range.first + k];
            const InstanceId instance = trace.instance(work, OpId(range.first + k));
            const bool waitedFor = op.async && !op.barrier.valid()
                && (wait.group == GroupKind::Mma          ? op.kind == OpKind::Mma
                        : wait.group == GroupKind::Stores ? op.kind == OpKind::Store
                                                          : op.kind == OpKind::Load);
            if (!waitedFor || !trace.began(instance) || trace.endedAt(instance, p))
                continue;
            add(op.kind == OpKind::Mma ? program.buffers[op.out.index()].name : std::string(name(op.tensor)));
        }
    }
    return what;
}

std::string missingOf(const Trace& trace, CtaId cta, std::size_t role, InstanceId current, Position p)
{
    const Program& program = trace.program();
    const Op& op = trace.op(current);
    if (!op.barrier.valid()) {
        const std::string_view whose = op.group == GroupKind::Mma ? "its product "
            : op.group == GroupKind::Stores                       ? "its store of "
                                                                  : "its copies of ";
        const std::string_view until = op.group == GroupKind::Mma ? " to be done"
            : op.group == GroupKind::Stores                       ? " to be read out of SMEM"
                                                                  : " to land";
        return std::string(whose) + inFlight(trace, cta, role, op, p) + std::string(until);
    }
    const BarrierDecl& decl = program.barriers[op.barrier.index()];
    for (const BarrierState& barrier : barriersAt(trace, cta, p)) {
        if (barrier.barrier != op.barrier)
            continue;
        // Only the barrier's own latency is left where the turn is complete.
        const bool complete = barrier.phase > trace.turnsBefore(trace.workOf(current), op.barrier) + op.turn;
        const std::string arrived = complete ? "all " : std::to_string(barrier.arrived) + " of ";
        return decl.name + ": " + arrived + std::to_string(barrier.expected) + " " + decl.unit + " have arrived";
    }
    return decl.name;
}

} // namespace

std::vector<RoleState> rolesAt(const Trace& trace, CtaId cta, Position p)
{
    const auto works = trace.worksOf(cta);
    std::vector<RoleState> roles;
    if (works.empty())
        return roles;
    const auto& ranges = trace.streamOf(works.front()).roles;
    for (std::size_t k = 0; k < ranges.size(); ++k) {
        RoleState& role = roles.emplace_back();
        role.cta = cta;
        role.role = ranges[k].role;
        role.current = trace.currentOp(cta, k, p);
        if (!role.current.valid())
            continue;
        const WorkId work = trace.workOf(role.current);
        const Op& op = trace.op(role.current);
        const RoleRange& range = trace.streamOf(work).roles[k];
        role.since = trace.beginCycle(role.current);
        const bool ended = trace.endedAt(role.current, p);
        bool last = work == works.back();
        for (std::uint32_t o = range.first + range.count; last && --o > trace.opOf(role.current).index();)
            last = !trace.began(trace.instance(work, OpId(o)));
        const bool waits = op.kind == OpKind::Wait || op.kind == OpKind::Sync;
        if (ended && last)
            role.kind = RoleState::Kind::Done;
        else if (!ended && op.kind == OpKind::Wait && !op.barrier.valid() && inFlight(trace, cta, k, op, p).empty())
            role.kind = RoleState::Kind::Running; // nothing is missing any more: it goes on within this cycle
        else if (!ended && waits) {
            const bool stuck = !trace.ended(role.current) && p == trace.end();
            role.kind = stuck ? RoleState::Kind::Stuck : RoleState::Kind::Waiting;
            role.waitingFor = missingOf(trace, cta, k, role.current, p);
        } else
            role.kind = RoleState::Kind::Running;
    }
    return roles;
}

std::vector<BarrierState> barriersAt(const Trace& trace, CtaId cta, Position p)
{
    const Program& program = trace.program();
    const auto launch = static_cast<std::size_t>(&program.launchOf(cta) - program.launches.data());
    std::vector<BarrierState> barriers;
    for (std::size_t b = 0; b < program.barriers.size(); ++b) {
        if (program.barriers[b].launch != launch)
            continue;
        const auto arrivals = trace.arrivals(cta, BarrierId(b));
        const auto after = std::partition_point(
            arrivals.begin(), arrivals.end(), [&](const Arrival& a) { return a.event < p.value; });
        BarrierState& state = barriers.emplace_back();
        state.cta = cta;
        state.barrier = BarrierId(b);
        state.expected = program.barriers[b].count;
        if (after == arrivals.begin())
            continue;
        state.arrived = static_cast<int>((after - 1)->arrived);
        state.phase = static_cast<int>((after - 1)->turns);
    }
    return barriers;
}

namespace {

bool writes(const BufferDecl& buffer, RoleId role)
{
    return (buffer.writers >> role.index() & 1U) != 0;
}

// What each role did last to a buffer: the newest block any of them writes is what the buffer is becoming.
struct Latest {
    std::uint32_t begun = 0; // position of the newest write begun
    int i = -1, j = -1, n = -1;
    int writers = 0, done = 0;
    bool loading = false, normalised = false;
};

} // namespace

std::vector<BufferState> buffersAt(const Trace& trace, CtaId cta, Position p)
{
    const Program& program = trace.program();
    const auto launch = static_cast<std::size_t>(&program.launchOf(cta) - program.launches.data());
    std::vector<BufferState> states;
    std::vector<std::size_t> stateOf(program.buffers.size(), program.buffers.size());
    for (std::size_t b = 0; b < program.buffers.size(); ++b) {
        if (program.buffers[b].launch != launch)
            continue;
        stateOf[b] = states.size();
        BufferState& state = states.emplace_back();
        state.cta = cta;
        state.buffer = BufferId(b);
    }
    const auto works = trace.worksOf(cta);
    if (works.empty())
        return states;
    std::vector<Latest> latest(states.size());
    const auto& ranges = trace.streamOf(works.front()).roles;
    for (std::size_t r = 0; r < ranges.size(); ++r) {
        // Roles that never write a buffer are not waited for.
        std::vector<bool> seen(states.size(), true);
        std::size_t left = 0;
        for (std::size_t k = 0; k < states.size(); ++k)
            if (writes(program.buffers[states[k].buffer.index()], ranges[r].role)) {
                seen[k] = false;
                ++left;
            }
        const auto lookAt = [&](const Work& work, WorkId performer) {
            const RoleRange& range = trace.streamOf(performer).roles[r];
            const InstanceId current = trace.currentOp(performer, range, p);
            if (!current.valid())
                return;
            const bool theirs = &work != &program.work(performer); // a pair's products alone reach this CTA
            for (std::size_t k = trace.opOf(current).index() + 1; k-- > range.first && left > 0;) {
                const Op& op = program.ops[k];
                if (theirs && op.kind != OpKind::Mma)
                    continue;
                const InstanceId instance = trace.instance(performer, OpId(k));
                for (const BufferId out : { op.out, op.out2 }) {
                    if (!out.valid() || seen[stateOf[out.index()]] || !trace.began(instance))
                        continue;
                    const std::size_t at = stateOf[out.index()];
                    seen[at] = true;
                    --left;
                    Latest& l = latest[at];
                    const int j = program.keyBlock(work, op);
                    const int i = program.queryTile(work, op);
                    const std::uint32_t begun = trace.beginPosition(instance).value;
                    if (l.writers > 0 && (j != l.j || i != l.i)) { // roles are on different tiles: the newer counts
                        if (begun < l.begun)
                            continue;
                        l = {};
                    }
                    l.begun = std::max(l.begun, begun);
                    l.i = i;
                    l.j = j;
                    l.n = std::max(l.n, op.n);
                    ++l.writers;
                    l.done += trace.endedAt(instance, p) ? 1 : 0;
                    l.loading = l.loading || op.kind == OpKind::Load;
                    l.normalised = l.normalised || op.kind == OpKind::Normalise;
                    if (op.kind == OpKind::Convert || op.kind == OpKind::Stage)
                        l.normalised = l.normalised || (op.n == 0 && op.j < 0);
                }
            }
        };
        for (std::size_t w = works.size(); w-- > 0 && left > 0;) {
            const Work& work = program.work(works[w]);
            lookAt(work, works[w]);
            if (const WorkId products = trace.productsOf(works[w]); products != works[w])
                lookAt(work, products);
        }
    }
    for (std::size_t k = 0; k < states.size(); ++k) {
        const Latest& l = latest[k];
        if (l.writers == 0)
            continue;
        BufferState& state = states[k];
        const BufferDecl& decl = program.buffers[state.buffer.index()];
        const auto writers = std::count_if(
            ranges.begin(), ranges.end(), [&](const RoleRange& role) { return writes(decl, role.role); });
        state.i = decl.tile == BufferDecl::Tile::Key ? -1 : l.i;
        state.j = decl.tile == BufferDecl::Tile::Query ? -1 : l.j;
        state.fraction = static_cast<double>(l.done) / static_cast<double>(writers);
        state.normalised = l.normalised && decl.family.ends_with("O");
        if (l.done == writers)
            state.kind = BufferState::Kind::Valid;
        else
            state.kind = l.loading ? BufferState::Kind::Loading : BufferState::Kind::Writing;
    }
    return states;
}

TileValues shownValue(const Trace& trace, CtaId cta, BufferId buffer, Position p)
{
    TileValues shown = trace.value(cta, buffer, p);
    const Program& program = trace.program();
    const std::string& family = program.buffers[buffer.index()].family;
    if (p.value == 0 || (family != "O" && family != "O_part"))
        return shown;
    const InstanceId newest = trace.eventAt(p.value - 1).instance;
    const WorkId work = trace.workOf(newest);
    const Op& landed = trace.op(newest);
    if (trace.ctaOf(work) != cta || landed.step == Op::noStep || landed.out != buffer
        || trace.block(work, landed.i, landed.n) != p)
        return shown;
    const Stream& stream = trace.streamOf(work);
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const Op& op = program.ops[k];
        if (op.step != landed.step)
            continue;
        const TileValues then = trace.value(cta, buffer, trace.endPosition(trace.instance(work, OpId(k))));
        const int offset = program.rowOffset(program.buffers[buffer.index()], op);
        program.rows(op).forEach([&](int r) {
            const auto row = static_cast<std::ptrdiff_t>(r + offset) * shown.cols;
            std::copy_n(then.data.begin() + row, shown.cols, shown.data.begin() + row);
        });
    }
    return shown;
}

} // namespace flashstep
