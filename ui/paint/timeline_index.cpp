// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/timeline_index.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace flashstep::paint {

namespace {

constexpr int maxRows = 4;

bool waits(const Op& op)
{
    return op.kind == OpKind::Wait || op.kind == OpKind::Sync;
}

// Each quarter of the SM has its own of these; the others serve the whole SM.
bool perQuarter(Engine engine)
{
    return engine == Engine::Tensor || engine == Engine::Exp || engine == Engine::Alu || engine == Engine::Issue;
}

// The order of lanes: who computes, then who moves.
constexpr std::array<Engine, engineCount> order { Engine::Tensor, Engine::Exp, Engine::Alu, Engine::Issue, Engine::Smem,
    Engine::L2, Engine::Hbm };

} // namespace

TimelineIndex::TimelineIndex(std::shared_ptr<const Trace> trace, CtaId cta)
    : m_trace(std::move(trace))
    , m_cta(cta)
{
    for (const RoleRange& role : m_trace->program().streamOf(m_cta).roles)
        addRole(role);
    addEngines();
}

const Op& TimelineIndex::op(InstanceId instance) const
{
    return m_trace->program().op(m_trace->opOf(instance));
}

int TimelineIndex::keyBlock(InstanceId instance) const
{
    const Program& program = m_trace->program();
    return program.keyBlock(program.ctas[m_cta.index()], op(instance));
}

double TimelineIndex::end() const
{
    const double end = m_trace->span(m_cta).end;
    return std::max(end, begin() + 1);
}

void TimelineIndex::addRole(const RoleRange& role)
{
    if (role.count == 0)
        return;
    RoleLane lane;
    lane.role = role;
    lane.firstInstance = static_cast<std::uint32_t>(m_trace->instance(m_cta, OpId(role.first)).index());
    double busy = 0;
    while (lane.count < role.count && m_trace->began(instance(lane, lane.count))) {
        if (lane.count % blockSize == 0)
            lane.busyBefore.push_back(static_cast<std::uint32_t>(busy));
        const InstanceId at = instance(lane, lane.count);
        if (lane.count % blockSize == 0)
            lane.blockBegin.push_back(static_cast<std::uint32_t>(m_trace->beginCycle(at)));
        const Op& o = m_trace->program().ops[role.first + lane.count];
        if (!waits(o) && !o.async)
            busy += static_cast<double>(m_trace->endCycle(at) - m_trace->beginCycle(at));
        ++lane.count;
    }
    m_roles.push_back(std::move(lane));
}

void TimelineIndex::addEngines()
{
    std::array<EngineLane, engineCount> lanes;
    for (const std::uint32_t index : m_trace->hopsOf(m_cta)) {
        const Hop& hop = m_trace->hops()[index];
        if (hop.cycles() > 0)
            lanes[static_cast<std::size_t>(hop.engine())].hops.push_back(index);
    }
    for (const Engine engine : order) {
        EngineLane& lane = lanes[static_cast<std::size_t>(engine)];
        if (lane.hops.empty())
            continue;
        lane.engine = engine;
        lane.servers = perQuarter(engine) ? 4 : 1;
        const std::span<const Hop> all = m_trace->hops();
        const auto earlier = [&](std::uint32_t a, std::uint32_t b) { return all[a].begin < all[b].begin; };
        if (!std::is_sorted(lane.hops.begin(), lane.hops.end(), earlier))
            std::stable_sort(lane.hops.begin(), lane.hops.end(), earlier);
        sum(lane, *m_trace);
        m_engines.push_back(std::move(lane));
    }
}

void TimelineIndex::sum(EngineLane& lane, const Trace& trace)
{
    const Program& program = trace.program();
    std::array<Cycle, maxRows> free {};
    Cycle latest = 0;
    std::uint64_t busy = 0;
    lane.row.reserve(lane.hops.size());
    lane.rows = 1;
    for (std::size_t k = 0; k < lane.hops.size(); ++k) {
        const Hop& hop = trace.hops()[lane.hops[k]];
        if (k % blockSize == 0) {
            lane.busyBefore.push_back(busy);
            lane.blockBegin.push_back(hop.begin);
        }
        busy += static_cast<std::uint64_t>(hop.cycles());
        int row = 0;
        if (lane.servers > 1) {
            row = program.roles[program.op(trace.opOf(InstanceId(hop.instance))).role.index()].quarter % maxRows;
        } else {
            // Bookings may have fractions of a cycle: the one begun as another ends rounds to one cycle of overlap.
            while (row < maxRows - 1 && free[static_cast<std::size_t>(row)] > static_cast<Cycle>(hop.begin) + 1)
                ++row;
        }
        free[static_cast<std::size_t>(row)] = std::max(free[static_cast<std::size_t>(row)], hop.end());
        lane.row.push_back(static_cast<std::uint8_t>(row));
        lane.rows = std::max(lane.rows, row + 1);
        latest = std::max(latest, hop.end());
        if (k % blockSize == 0)
            lane.latestEnd.push_back(0);
        lane.latestEnd.back() = static_cast<std::uint32_t>(latest);
    }
}

std::size_t TimelineIndex::firstVisible(const RoleLane& lane, double cycle) const
{
    // Ends never decrease along a role either, but for asynchronous copies, which are drawn as ticks where they begin.
    const std::size_t after = firstAfter(lane, cycle);
    std::size_t k = after;
    while (k > 0 && static_cast<double>(m_trace->beginCycle(instance(lane, k - 1))) >= cycle)
        --k;
    while (k > 0) { // the op in progress at `cycle`, past any copies issued since
        --k;
        if (!op(instance(lane, k)).async)
            break;
    }
    return k;
}

namespace {

// First of `count` items that begins after `cycle`: the block first, then inside it.
template <typename BeginOf>
std::size_t firstBeginAfter(
    const std::vector<std::uint32_t>& blockBegin, std::size_t count, double cycle, BeginOf beginOf)
{
    const auto block = std::upper_bound(blockBegin.begin(), blockBegin.end(), cycle,
        [](double at, std::uint32_t begin) { return at < static_cast<double>(begin); });
    if (block == blockBegin.begin())
        return 0;
    const auto end = static_cast<std::size_t>(block - blockBegin.begin()) * TimelineIndex::blockSize;
    std::size_t low = end - TimelineIndex::blockSize, high = std::min(end, count);
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (beginOf(middle) > cycle)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

} // namespace

std::size_t TimelineIndex::firstAfter(const RoleLane& lane, double cycle) const
{
    return firstBeginAfter(lane.blockBegin, lane.count, cycle,
        [&](std::size_t k) { return static_cast<double>(m_trace->beginCycle(instance(lane, k))); });
}

std::size_t TimelineIndex::firstVisible(const EngineLane& lane, double cycle) const
{
    // latestEnd never decreases: the first block in which something ends after `cycle`.
    const auto block = std::upper_bound(lane.latestEnd.begin(), lane.latestEnd.end(), cycle,
        [](double at, std::uint32_t end) { return at < static_cast<double>(end); });
    return std::min(static_cast<std::size_t>(block - lane.latestEnd.begin()) * blockSize, lane.hops.size());
}

std::size_t TimelineIndex::firstAfter(const EngineLane& lane, double cycle) const
{
    return firstBeginAfter(lane.blockBegin, lane.hops.size(), cycle,
        [&](std::size_t k) { return static_cast<double>(m_trace->hops()[lane.hops[k]].begin); });
}

double TimelineIndex::busyUntil(const RoleLane& lane, double cycle) const
{
    const std::size_t after = firstAfter(lane, cycle);
    if (after == 0)
        return 0;
    const std::size_t block = (after - 1) / blockSize;
    double busy = lane.busyBefore[block];
    for (std::size_t k = block * blockSize; k < after; ++k) {
        const InstanceId at = instance(lane, k);
        const Op& o = op(at);
        if (!waits(o) && !o.async)
            busy += std::min(static_cast<double>(m_trace->endCycle(at)), cycle)
                - static_cast<double>(m_trace->beginCycle(at));
    }
    return busy;
}

double TimelineIndex::busyUntil(const EngineLane& lane, double cycle) const
{
    const std::size_t visible = firstVisible(lane, cycle), after = firstAfter(lane, cycle);
    if (after == 0)
        return 0;
    const std::size_t from = std::min(visible, (after - 1) / blockSize * blockSize);
    double busy = static_cast<double>(lane.busyBefore[from / blockSize]);
    for (std::size_t k = from; k < after; ++k) {
        const Hop& hop = m_trace->hops()[lane.hops[k]];
        busy += std::min(static_cast<double>(hop.end()), cycle) - static_cast<double>(hop.begin);
    }
    return busy;
}

const TimelineIndex::EngineLane* TimelineIndex::lane(Engine engine) const
{
    for (const EngineLane& lane : m_engines)
        if (lane.engine == engine)
            return &lane;
    return nullptr;
}

} // namespace flashstep::paint
