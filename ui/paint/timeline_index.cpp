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
    const std::uint32_t end = m_trace->span(m_cta).end; // 0: it never ends
    return std::max(static_cast<double>(end > 0 ? end : m_trace->cycles()), begin() + 1);
}

void TimelineIndex::addRole(std::size_t place)
{
    const Program& program = m_trace->program();
    RoleLane lane;
    lane.place = place;
    std::uint32_t busy = 0;
    for (const WorkId work : m_trace->worksOf(m_cta)) {
        const RoleRange& range = m_trace->streamOf(work).roles[place];
        lane.role = range.role;
        if (!m_trace->hasEvents(work)) // of a grid timed in two steps
            continue;
        for (std::uint32_t k = range.first; k < range.first + range.count; ++k) {
            const InstanceId at = m_trace->instance(work, OpId(k));
            if (!m_trace->began(at)) // left out in this work, or never reached
                continue;
            const Op& op = program.ops[k];
            const auto begin = static_cast<std::uint32_t>(m_trace->beginCycle(at)),
                       end = static_cast<std::uint32_t>(m_trace->endCycle(at));
            const bool counts = !waits(op) && !op.async;
            lane.slices.push_back({ begin, end, busy, program.keyBlock(program.work(work), op), &op, counts });
            busy += counts ? end - begin : 0;
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
        sum(lane);
        m_engines.push_back(std::move(lane));
    }
}

bool TimelineIndex::sameWork(InstanceId first, InstanceId second) const
{
    const Op& a = op(first);
    const Op& b = op(second);
    return (a.role == b.role || !m_trace->program().roles[a.role.index()].warpgroup()) && a.kind == b.kind
        && a.tensor == b.tensor && a.j == b.j && a.out == b.out && m_trace->workOf(first) == m_trace->workOf(second);
}

void TimelineIndex::sum(EngineLane& lane) const
{
    const Program& program = m_trace->program();
    std::array<Cycle, maxRows> free {};
    std::array<InstanceId, maxRows + 1> before; // by row, the last of all rows
    Cycle latest = 0;
    std::uint64_t busy = 0;
    lane.row.reserve(lane.hops.size());
    lane.bookings.reserve(lane.hops.size());
    lane.rows = 1;
    for (const std::uint32_t index : lane.hops) {
        const Hop& hop = m_trace->hops()[index];
        const InstanceId instance(hop.instance);
        const int quarter = program.quarterOf(op(instance));
        const bool all = lane.servers > 1 && quarter < 0;
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
        InstanceId& previous = before[static_cast<std::size_t>(all ? maxRows : row)];
        lane.bookings.push_back({ hop.begin, static_cast<std::uint32_t>(hop.end()), static_cast<std::uint32_t>(latest),
            busy, keyBlock(instance), previous.valid() && sameWork(previous, instance) });
        previous = instance;
        busy += static_cast<std::uint64_t>(hop.cycles()) * static_cast<std::uint64_t>(all ? lane.servers : 1);
    }
}

namespace {

// The first of them that begins after `cycle`.
template <typename Items> std::size_t firstBeginAfter(const Items& items, double cycle)
{
    return static_cast<std::size_t>(std::partition_point(items.begin(), items.end(), [&](const auto& item) {
        return static_cast<double>(item.begin) <= cycle;
    }) - items.begin());
}

} // namespace

std::size_t TimelineIndex::firstVisible(const RoleLane& lane, double cycle) const
{
    // Ends never decrease along a role either, but for asynchronous copies, which are drawn as ticks where they begin.
    std::size_t k = firstAfter(lane, cycle);
    while (k > 0 && static_cast<double>(lane.slices[k - 1].begin) >= cycle)
        --k;
    while (k > 0) { // the op in progress at `cycle`, past any copies issued since
        --k;
        if (!lane.slices[k].op->async)
            break;
    }
    return k;
}

std::size_t TimelineIndex::firstAfter(const RoleLane& lane, double cycle) const
{
    return firstBeginAfter(lane.slices, cycle);
}

std::size_t TimelineIndex::firstVisible(const EngineLane& lane, double cycle) const
{
    // latestEnd never decreases.
    return static_cast<std::size_t>(std::partition_point(lane.bookings.begin(), lane.bookings.end(),
                                        [&](const Booking& b) { return static_cast<double>(b.latestEnd) <= cycle; })
        - lane.bookings.begin());
}

std::size_t TimelineIndex::firstAfter(const EngineLane& lane, double cycle) const
{
    return firstBeginAfter(lane.bookings, cycle);
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
            if (static_cast<double>(lane.slices[k].begin) < begin)
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
    const bool copies = op(instance).kind == OpKind::Load; // its landing in SMEM comes after the copy itself
    std::optional<std::uint32_t> found;
    for (const EngineLane& lane : m_engines) {
        if (lane.engine == Engine::Issue || (lane.engine == Engine::Smem && copies))
            continue;
        const std::size_t last = firstAfter(lane, end);
        for (std::size_t k = firstVisible(lane, begin); k < last; ++k) {
            const Hop& hop = m_trace->hops()[lane.hops[k]];
            if (hop.instance == instance.index() && (!found || hop.end() > m_trace->hops()[*found].end()))
                found = lane.hops[k];
        }
        if (found && lane.engine == Engine::Tensor)
            break; // what feeds it may be done a little later
    }
    return found;
}

double TimelineIndex::busyUntil(const RoleLane& lane, double cycle) const
{
    // Those that count follow each other, so all but the last of them are over.
    std::size_t k = firstAfter(lane, cycle);
    while (k > 0 && !lane.slices[k - 1].busy)
        --k;
    if (k == 0)
        return 0;
    const Slice& last = lane.slices[k - 1];
    return last.busyBefore + std::min(static_cast<double>(last.end), cycle) - static_cast<double>(last.begin);
}

double TimelineIndex::busyUntil(const EngineLane& lane, double cycle) const
{
    const std::size_t after = firstAfter(lane, cycle);
    if (after == 0)
        return 0;
    // Before the first that may still be under way all are over.
    const std::size_t from = std::min(firstVisible(lane, cycle), after - 1);
    double busy = static_cast<double>(lane.bookings[from].busyBefore);
    for (std::size_t k = from; k < after; ++k) {
        const Booking& booking = lane.bookings[k];
        busy += (std::min(static_cast<double>(booking.end), cycle) - static_cast<double>(booking.begin))
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
