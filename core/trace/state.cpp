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

std::string_view name(TileState::Kind kind)
{
    constexpr std::array<std::string_view, 6> names { "untouched", "loading", "in SMEM", "computing", "done", "skipped" };
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
        barriers.push_back({ cta, BarrierId(b), count, static_cast<int>(arrivals % count), static_cast<int>(arrivals / count) });
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
                    // Roles are on different blocks: the newer one (visited later, right to left or left to right) counts.
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

namespace {

// The ops of one role that keep the statistics of its rows, for one visited block.
struct BlockOps {
    OpId rowMax, rowSum;
};
BlockOps opsOfBlock(const Program& program, const RoleRange& role, int n)
{
    BlockOps ops;
    const auto first = program.ops.begin() + role.first;
    for (auto op = first; op != first + role.count; ++op) {
        if (op->n != n)
            continue;
        const OpId id(static_cast<std::size_t>(op - program.ops.begin()));
        if (op->kind == OpKind::RowMax)
            ops.rowMax = id;
        if (op->kind == OpKind::RowSum)
            ops.rowSum = id;
    }
    return ops;
}

// Blocks whose sum this role has added, as of p.
int blocksAdded(const Trace& trace, CtaId cta, const RoleRange& role, Position p)
{
    const InstanceId current = trace.currentOp(cta, role, p);
    if (!current.valid())
        return 0;
    for (std::size_t k = trace.opOf(current).index() + 1; k-- > role.first;) {
        const Op& op = trace.program().ops[k];
        if (op.kind == OpKind::RowSum && trace.endedAt(trace.instance(cta, OpId(k)), p))
            return op.n;
    }
    return 0;
}

} // namespace

std::vector<RowState> ledgerAt(const Trace& trace, CtaId cta, Position p)
{
    const Program& program = trace.program();
    const Problem& problem = program.problem;
    const Cta& c = program.ctas[cta.index()];
    const BufferId m = program.buffer("m", c.launch);
    const BufferId l = program.buffer("l", c.launch);
    const BufferId scale = program.buffer("scale", c.launch);
    const BufferId O = program.buffer("O", c.launch);
    if (!trace.hasValues(cta) || !m.valid() || !l.valid() || !O.valid())
        return {};

    int exactBlock = 0; // p is just the moment block(i, n)
    for (int n = 1; n <= program.streamOf(cta).visitedBlocks && exactBlock == 0; ++n)
        if (const auto at = trace.block(cta, n); at && *at == p)
            exactBlock = n;

    std::vector<RowState> rows(static_cast<std::size_t>(program.rowsInside(c)));
    for (const RoleRange& role : program.streamOf(cta).roles) {
        const int blocks = exactBlock > 0 ? exactBlock : blocksAdded(trace, cta, role, p);
        Position at = p;
        Position before { 0 };
        if (blocks > 0) {
            const BlockOps ops = opsOfBlock(program, role, blocks);
            at = trace.endPosition(trace.instance(cta, ops.rowSum));
            before = Position { trace.endPosition(trace.instance(cta, ops.rowMax)).value - 1 };
        }
        if (exactBlock == 0)
            at = p;
        const TileValues ms = trace.value(cta, m, at);
        const TileValues ls = trace.value(cta, l, at);
        const TileValues scales = trace.value(cta, scale, at);
        const TileValues older = trace.value(cta, m, before);
        if (role.count == 0)
            continue;
        program.rows(program.ops[role.first + role.count - 1]).forEach([&](int r) { // the last op is the store of LSE: the role's own rows
            if (r >= static_cast<int>(rows.size()))
                return;
            RowState& row = rows[static_cast<std::size_t>(r)];
            const double minusInf = -std::numeric_limits<double>::infinity();
            const auto natural = [&](float x) { return std::isnan(x) ? minusInf : static_cast<double>(x) * problem.softmaxScale(); };
            row.b = c.b;
            row.h = c.h;
            row.row = c.row + r;
            row.blocks = blocks;
            row.m = row.mUsed = natural(ms.at(r, 0));
            row.mBefore = blocks > 1 ? natural(older.at(r, 0)) : minusInf;
            row.l = std::isnan(ls.at(r, 0)) ? 0.0 : static_cast<double>(ls.at(r, 0));
            row.scale = blocks > 1 ? static_cast<double>(scales.at(r, 0)) : 1.0;
            row.decision = blocks == 0 ? "none" : blocks == 1 ? "first" : "rescale";
        });
    }
    return rows;
}

TileState tileAt(const Trace& trace, int b, int h, int i, int j, Position p)
{
    const Program& program = trace.program();
    TileState tile;
    tile.cta = trace.ctaOfTile(b, h, i);
    const Stream& stream = program.streamOf(tile.cta);
    const Cta& cta = program.ctas[tile.cta.index()];
    if (stream.roles.empty())
        return tile;

    // The block's place among those the CTA visits, and which of its ops have run, over all roles.
    int loads = 0;
    int landed = 0;
    int products = 0;
    bool started = false;
    bool finished = true;
    for (const RoleRange& role : stream.roles) {
        const InstanceId current = trace.currentOp(tile.cta, role, p);
        bool done = false;
        for (std::uint32_t k = role.first; k < role.first + role.count; ++k) {
            const Op& op = program.ops[k];
            if (program.keyBlock(cta, op) != j)
                continue;
            tile.n = std::max(tile.n, op.n);
            const InstanceId instance = trace.instance(tile.cta, OpId(k));
            if (op.kind == OpKind::Load && op.tensor != TensorId::V) {
                ++loads;
                landed += trace.endedAt(instance, p) ? 1 : 0;
                started = started || trace.begunAt(instance, p);
            }
            if (op.kind == OpKind::Mma && trace.begunAt(instance, p))
                ++products;
            if (op.kind == OpKind::Mma && !op.transposed)
                done = trace.endedAt(instance, p);
        }
        finished = finished && done;
        (void)current;
    }
    const Problem& problem = program.problem;
    const int firstKey = j * program.tile.keys;
    for (int r = cta.row; r < cta.row + program.rowsInside(cta) && !tile.masked; ++r) {
        const Problem::KeyRange keys = problem.visibleKeys(r);
        tile.masked = keys.first > firstKey || keys.last < firstKey + program.keysInside(j);
    }
    if (tile.n == 0) {
        tile.kind = TileState::Kind::Skipped;
        return tile;
    }
    tile.fraction = loads > 0 ? static_cast<double>(landed) / loads : 1.0;
    if (finished)
        tile.kind = TileState::Kind::Done;
    else if (products > 0)
        tile.kind = TileState::Kind::Computing;
    else if (loads > 0 && landed == loads)
        tile.kind = TileState::Kind::InSmem;
    else if (started)
        tile.kind = TileState::Kind::Loading;
    return tile;
}

} // namespace flashstep
