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
constexpr std::array<Engine, engineCount> order { Engine::Tensor, Engine::Exp, Engine::Alu, Engine::Registers,
    Engine::Tmem, Engine::Issue, Engine::Smem, Engine::Tma, Engine::L2, Engine::Hbm };

} // namespace

TimelineIndex::TimelineIndex(std::shared_ptr<const Trace> trace, CtaId cta)
    : m_trace(std::move(trace))
    , m_cta(cta)
{
    const auto works = m_trace->worksOf(m_cta);
    for (std::size_t place = 0; !works.empty() && place < m_trace->streamOf(works.front()).roles.size(); ++place)
        addRole(place);
    addEngines();
}

const Op& TimelineIndex::op(InstanceId instance) const
{
    return m_trace->op(instance);
}

int TimelineIndex::keyBlock(InstanceId instance) const
{
    const Program& program = m_trace->program();
    return program.keyBlock(program.work(m_trace->workOf(instance)), op(instance));
}

int TimelineIndex::queryTile(InstanceId instance) const
{
    const Program& program = m_trace->program();
    return program.queryTile(program.work(m_trace->workOf(instance)), op(instance));
}

double TimelineIndex::end() const
{
    const double end = m_trace->span(m_cta).end;
    return std::max(end, begin() + 1);
}

void TimelineIndex::addRole(std::size_t place)
{
    const Program& program = m_trace->program();
    RoleLane lane;
    lane.place = place;
    double busy = 0;
    for (const WorkId work : m_trace->worksOf(m_cta)) {
        const RoleRange& range = m_trace->streamOf(work).roles[place];
        lane.role = range.role;
        for (std::uint32_t k = range.first; k < range.first + range.count; ++k) {
            const InstanceId at = m_trace->instance(work, OpId(k));
            if (!m_trace->began(at)) // left out in this work, or never reached
                continue;
            if (lane.instances.size() % blockSize == 0) {
                lane.busyBefore.push_back(static_cast<std::uint32_t>(busy));
                lane.blockBegin.push_back(static_cast<std::uint32_t>(m_trace->beginCycle(at)));
            }
            if (!waits(program.ops[k]) && !program.ops[k].async)
                busy += static_cast<double>(m_trace->endCycle(at) - m_trace->beginCycle(at));
            lane.instances.push_back(static_cast<std::uint32_t>(at.index()));
        }
    }
    lane.count = static_cast<std::uint32_t>(lane.instances.size());
    const auto& works = m_trace->worksOf(m_cta);
    if (m_trace->streamOf(works.front()).roles[place].count > 0)
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
    // The products of a pair of CTAs keep the tensor cores of both busy; the first of them has booked them.
    if (const CtaId peer = m_trace->program().peerOf(m_cta); peer != m_cta && m_trace->program().launchOf(m_cta).pairs)
        for (const std::uint32_t index : m_trace->hopsOf(peer)) {
            const Hop& hop = m_trace->hops()[index];
            if (hop.cycles() > 0 && hop.engine() == Engine::Tensor && op(InstanceId(hop.instance)).reach == Reach::Both)
                lanes[static_cast<std::size_t>(Engine::Tensor)].hops.push_back(index);
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
        const int quarter = program.quarterOf(trace.op(InstanceId(hop.instance)));
        const bool all = lane.servers > 1 && quarter < 0;
        busy += static_cast<std::uint64_t>(hop.cycles()) * static_cast<std::uint64_t>(all ? lane.servers : 1);
        int row = 0;
        if (all) {
            row = allRows;
        } else if (lane.servers > 1) {
            row = quarter % maxRows;
        } else {
            // Bookings may have fractions of a cycle: the one begun as another ends rounds to one cycle of overlap.
            while (row < maxRows - 1 && free[static_cast<std::size_t>(row)] > static_cast<Cycle>(hop.begin) + 1)
                ++row;
            free[static_cast<std::size_t>(row)] = std::max(free[static_cast<std::size_t>(row)], hop.end());
        }
        lane.row.push_back(static_cast<std::uint8_t>(row));
        if (!all)
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

std::optional<TimelineIndex::Place> TimelineIndex::placeOf(InstanceId instance) const
{
    if (!instance.valid() || m_trace->ctaOf(instance) != m_cta || !m_trace->began(instance))
        return std::nullopt;
    const RoleId role = op(instance).role;
    const auto begin = static_cast<double>(m_trace->beginCycle(instance));
    for (std::size_t r = 0; r < m_roles.size(); ++r) {
        const RoleLane& lane = m_roles[r];
        if (lane.role != role)
            continue;
        for (std::size_t k = firstAfter(lane, begin); k-- > 0;) {
            if (lane.instances[k] == instance.index())
                return Place { r, k };
            if (static_cast<double>(m_trace->beginCycle(this->instance(lane, k))) < begin)
                break;
        }
    }
    return std::nullopt;
}

std::optional<std::uint32_t> TimelineIndex::lastHopOf(InstanceId instance) const
{
    if (!m_trace->began(instance))
        return std::nullopt;
    const auto begin = static_cast<double>(m_trace->beginCycle(instance)) - 1,
               end = static_cast<double>(m_trace->endCycle(instance));
    std::optional<std::uint32_t> found;
    for (const EngineLane& lane : m_engines) {
        if (lane.engine == Engine::Issue)
            continue;
        const std::size_t last = firstAfter(lane, end);
        for (std::size_t k = firstVisible(lane, begin); k < last; ++k) {
            const Hop& hop = m_trace->hops()[lane.hops[k]];
            if (hop.instance == instance.index() && (!found || hop.end() > m_trace->hops()[*found].end()))
                found = lane.hops[k];
        }
    }
    return found;
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
        busy += (std::min(static_cast<double>(hop.end()), cycle) - static_cast<double>(hop.begin))
            * (lane.row[k] == allRows ? lane.servers : 1);
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
