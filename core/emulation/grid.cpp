// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/grid.h"

#include "core/emulation/machine.h"
#include "core/hardware/cost.h"
#include "core/trace/trace_builder.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <queue>
#include <tuple>

namespace flashstep {

namespace {

// Where and when a work ran.
struct Placed {
    WorkId work;
    CtaId cta;
    int sm = 0, slot = 0;
    Cycle begin = 0, end = 0;
};

struct Slot {
    Cycle free = 0;
    int sm = 0, slot = 0; // of a cluster: its first SM
    bool fresh = true; // nothing has run here in this launch
    bool operator<(const Slot& other) const // the queue's top is the earliest, then the lowest
    {
        return std::tie(free, slot, sm) > std::tie(other.free, other.slot, other.sm);
    }
};

// The grid from the times of its tiles: each work, in the order in which they are handed out, goes to whoever is free.
class GridSchedule {
public:
    GridSchedule(const Program& program, const GpuSpec& gpu, const TileTimes& times)
        : m_program(program)
        , m_gpu(gpu)
        , m_times(times)
    {
        for (const LaunchDecl& launch : program.launches) {
            if (launch.schedule == Schedule::SingleTile)
                runSharing(launch);
            else
                runPersistent(launch);
        }
        std::stable_sort(m_placed.begin(), m_placed.end(),
            [](const Placed& a, const Placed& b) { return std::tie(a.begin, a.work) < std::tie(b.begin, b.work); });
    }

    [[nodiscard]] const std::vector<Placed>& placed() const { return m_placed; }
    [[nodiscard]] Cycle end() const { return m_end; }

private:
    // ---- a CTA for each work: those that share an SM slow each other down -----------------------------------------

    struct Active {
        std::size_t placed = 0; // its first work's index into m_placed
        std::uint32_t work = 0; // relative to the launch
        double left = 1; // of its time
        bool fresh = true;
    };
    struct Sm {
        std::vector<Active> active;
        double now = 0;
        std::uint32_t version = 0;
    };
    struct Next {
        double at = 0;
        std::size_t sm = 0;
        std::uint32_t version = 0;
        bool operator<(const Next& other) const { return std::tie(at, sm) > std::tie(other.at, other.sm); }
    };

    [[nodiscard]] double duration(const LaunchDecl& launch, const Active& a, std::size_t residents) const
    {
        const Work& work = m_program.works[launch.firstWork + a.work];
        const auto& byResidents = m_times[work.launch];
        const TileTime& time = byResidents[std::min(residents, byResidents.size()) - 1][work.stream.index()];
        return static_cast<double>(a.fresh ? time.first : time.next);
    }

    void runSharing(const LaunchDecl& launch)
    {
        const auto step = static_cast<std::uint32_t>(launch.clusterSize);
        const std::size_t residents = m_times[static_cast<std::size_t>(&launch - m_program.launches.data())].size();
        std::vector<Sm> sms(static_cast<std::size_t>(m_gpu.sms) / step);
        for (Sm& sm : sms)
            sm.now = static_cast<double>(m_end);
        std::uint32_t next = 0;
        for (std::size_t slot = 0; slot < residents; ++slot)
            for (std::size_t s = 0; s < sms.size() && next < launch.workCount; ++s, next += step)
                start(launch, sms[s], s, static_cast<int>(slot), next, true);
        std::priority_queue<Next> queue;
        for (std::size_t s = 0; s < sms.size(); ++s)
            schedule(launch, sms[s], s, queue);
        while (!queue.empty()) {
            const Next due = queue.top();
            queue.pop();
            Sm& sm = sms[due.sm];
            if (due.version != sm.version)
                continue;
            advance(launch, sm, due.at);
            for (std::size_t k = 0; k < sm.active.size();) {
                if (sm.active[k].left > 1e-9) {
                    ++k;
                    continue;
                }
                const int slot = finish(launch, sm.active[k], due.at);
                sm.active.erase(sm.active.begin() + static_cast<std::ptrdiff_t>(k));
                if (next < launch.workCount) {
                    start(launch, sm, due.sm, slot, next, false);
                    next += step;
                }
            }
            schedule(launch, sm, due.sm, queue);
        }
    }

    void start(const LaunchDecl& launch, Sm& sm, std::size_t index, int slot, std::uint32_t work, bool fresh)
    {
        sm.active.push_back({ m_placed.size(), work, 1, fresh });
        for (int rank = 0; rank < launch.clusterSize; ++rank) {
            const std::uint32_t k = work + static_cast<std::uint32_t>(rank);
            m_placed.push_back({ WorkId(launch.firstWork + k), CtaId(launch.firstCta + k),
                static_cast<int>(index) * launch.clusterSize + rank, slot, static_cast<Cycle>(sm.now), 0 });
        }
    }

    int finish(const LaunchDecl& launch, const Active& a, double at)
    {
        for (int rank = 0; rank < launch.clusterSize; ++rank)
            m_placed[a.placed + static_cast<std::size_t>(rank)].end = static_cast<Cycle>(at);
        m_end = std::max(m_end, static_cast<Cycle>(at));
        return m_placed[a.placed].slot;
    }

    void advance(const LaunchDecl& launch, Sm& sm, double to) const
    {
        for (Active& a : sm.active)
            a.left -= (to - sm.now) / duration(launch, a, sm.active.size());
        sm.now = to;
    }

    void schedule(const LaunchDecl& launch, Sm& sm, std::size_t index, std::priority_queue<Next>& queue) const
    {
        if (sm.active.empty())
            return;
        double first = 1e300;
        for (const Active& a : sm.active)
            first = std::min(first, sm.now + a.left * duration(launch, a, sm.active.size()));
        queue.push({ first, index, ++sm.version });
    }

    // ---- persistent CTAs: CTA c on the c-th SM; after its first work a fixed share, or whatever comes next ---------

    void runPersistent(const LaunchDecl& launch)
    {
        const auto step = static_cast<std::uint32_t>(launch.clusterSize);
        const Cycle begin = m_end;
        std::priority_queue<Slot> ctas;
        for (std::uint32_t c = 0; c < launch.ctaCount; c += step) {
            Slot slot { begin, static_cast<int>(c), 0, true };
            if (launch.schedule == Schedule::Static) {
                for (std::uint32_t k = c; k < launch.workCount; k += launch.ctaCount)
                    slot = placeOn(launch, slot, k, c);
            } else {
                ctas.push(placeOn(launch, slot, c, c));
            }
        }
        for (std::uint32_t k = launch.ctaCount; launch.schedule == Schedule::Dynamic && k < launch.workCount;
             k += step) {
            const Slot slot = ctas.top();
            ctas.pop();
            ctas.push(placeOn(launch, slot, k, static_cast<std::uint32_t>(slot.sm)));
        }
    }

    // The cluster's works, from `work` on, by its CTAs, from `cta` on.
    Slot placeOn(const LaunchDecl& launch, Slot slot, std::uint32_t work, std::uint32_t cta)
    {
        Cycle end = slot.free;
        for (int rank = 0; rank < launch.clusterSize; ++rank) {
            const auto r = static_cast<std::uint32_t>(rank);
            if (work + r >= launch.workCount)
                break;
            const WorkId id(launch.firstWork + work + r);
            const TileTime& time = m_times[m_program.work(id).launch][0][m_program.work(id).stream.index()];
            const Cycle ends = slot.free + (slot.fresh ? time.first : time.next);
            m_placed.push_back({ id, CtaId(launch.firstCta + cta + r), slot.sm + rank, slot.slot, slot.free, ends });
            end = std::max(end, ends);
        }
        m_end = std::max(m_end, end);
        slot.free = end;
        slot.fresh = false;
        return slot;
    }

    const Program& m_program;
    const GpuSpec& m_gpu;
    const TileTimes& m_times;
    std::vector<Placed> m_placed;
    Cycle m_end = 0;
};

// What all works come to. Bytes behind L2: the works touch their pieces one after the other, as they began.
GridTotals totalsOf(const Program& program, const GpuSpec& gpu, const EmulationOptions& options,
    const std::vector<Placed>& placed, MemorySystem& memory)
{
    GridTotals totals;
    struct StreamTotals {
        bool known = false;
        std::array<double, counterCount> counters {};
        std::array<double, engineCount> busy {};
        std::vector<std::pair<OpId, OpCost>> memory, votes;
    };
    std::vector<StreamTotals> streams(program.streams.size());
    double written = 1;
    for (const Placed& p : placed) {
        const Work& work = program.work(p.work);
        StreamTotals& s = streams[work.stream.index()];
        if (!s.known) {
            s.known = true;
            const Stream& stream = program.streams[work.stream.index()];
            for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
                const Op& op = program.ops[k];
                const OpCost cost = costOf(gpu, program, work, op, options.swizzled);
                if (op.conditional && op.kind == OpKind::Rescale) {
                    s.votes.emplace_back(OpId(k), cost);
                    continue;
                }
                addCounts(countsOf(program, work, op), s.counters);
                addBusy(program, op, cost, s.busy);
                if (cost.memoryBytes > 0)
                    s.memory.emplace_back(OpId(k), cost);
            }
        }
        for (std::size_t c = 0; c < counterCount; ++c)
            totals.counters[c] += s.counters[c];
        for (std::size_t e = 0; e < engineCount; ++e)
            totals.busy[e] += s.busy[e];
        for (const auto& [op, cost] : s.votes) {
            const Vote vote = assumedVote(program, work, p.work, op, options.assumedRescaleRate);
            addVote(vote, totals.counters);
            if (vote.warpsDone > 0)
                addBusy(program, program.op(op), cost, totals.busy);
        }
        const LaunchDecl& launch = program.launches[work.launch];
        const int rank
            = static_cast<int>((p.cta.index() - launch.firstCta) % static_cast<std::size_t>(launch.clusterSize));
        for (const auto& [op, cost] : s.memory) {
            const L2Cache::Traffic traffic = memory.access(work, program.op(op), rank, cost.memoryBytes);
            const double shown = cost.shownBytes / cost.memoryBytes;
            if (program.op(op).kind == OpKind::Store)
                written = shown;
            totals.hbmRead += static_cast<double>(traffic.read) * shown;
            totals.hbmWrite += static_cast<double>(traffic.written) * shown;
            totals.busy[static_cast<std::size_t>(Engine::Hbm)]
                += static_cast<double>(traffic.read + traffic.written) * gpu.clockMhz / (gpu.hbmGBps * 1e3);
        }
    }
    totals.hbmWrite += static_cast<double>(memory.leftWritten()) * written;
    return totals;
}

// Busy cycles of each engine but HBM in a work of each stream; of a shape without ops, linear in its blocks like its
// time. Where a rescale depends on a vote, the share of it that is assumed.
class EngineWork {
public:
    using Busy = std::array<double, engineCount>;

    EngineWork(const Program& program, const GpuSpec& gpu, const EmulationOptions& options)
        : m_program(program)
        , m_ofStream(program.streams.size())
    {
        for (std::size_t k = 0; k < program.works.size(); ++k) {
            const Work& work = program.works[k];
            const Stream& stream = program.streams[work.stream.index()];
            if (stream.opCount == 0 || m_ofStream[work.stream.index()])
                continue;
            Busy busy {};
            Busy voted {};
            for (std::uint32_t o = stream.firstOp; o < stream.firstOp + stream.opCount; ++o) {
                const Op& op = program.ops[o];
                const bool vote = op.conditional && op.kind == OpKind::Rescale;
                addBusy(program, op, costOf(gpu, program, work, op, options.swizzled), vote ? voted : busy);
            }
            for (std::size_t e = 0; e < engineCount; ++e)
                busy[e] = stream.standsFor * (busy[e] + options.assumedRescaleRate * voted[e]);
            m_ofStream[work.stream.index()] = busy;
            m_known[rankOf(k)].insert_or_assign(stream.visitedBlocks, busy);
        }
    }

    [[nodiscard]] Busy all()
    {
        Busy sum {};
        for (std::size_t k = 0; k < m_program.works.size(); ++k) {
            const StreamId stream = m_program.works[k].stream;
            std::optional<Busy>& busy = m_ofStream[stream.index()];
            if (!busy)
                busy = between(m_known[rankOf(k)], stream);
            for (std::size_t e = 0; e < engineCount; ++e)
                sum[e] += (*busy)[e];
        }
        return sum;
    }

private:
    using Rank = std::pair<int, std::size_t>; // launch, and rank in a pair
    [[nodiscard]] Rank rankOf(std::size_t work) const
    {
        const int launch = m_program.works[work].launch;
        const LaunchDecl& decl = m_program.launches[static_cast<std::size_t>(launch)];
        return { launch, decl.pairs ? (work - decl.firstWork) % 2 : 0 };
    }
    [[nodiscard]] Busy between(const std::map<int, Busy>& known, StreamId stream) const
    {
        const int blocks = m_program.streams[stream.index()].visitedBlocks;
        const auto above = known.lower_bound(blocks); // the most that any work visits is always known
        if (above == known.begin())
            return above->second;
        const auto below = std::prev(above);
        const double part
            = static_cast<double>(blocks - below->first) / static_cast<double>(above->first - below->first);
        Busy busy = below->second;
        for (std::size_t e = 0; e < engineCount; ++e)
            busy[e] += part * (above->second[e] - busy[e]);
        return busy;
    }

    const Program& m_program;
    std::vector<std::optional<Busy>> m_ofStream;
    std::map<Rank, std::map<int, Busy>> m_known;
};

// What at least passes between L2 and HBM: inputs and outputs once; where S and P go that way too, both there and back.
double leastHbmBytes(const Program& program, const GpuSpec& gpu)
{
    const Problem& p = program.problem;
    const double batch = p.batch;
    double bytes = batch * p.heads * p.seqlenQ * (p.headDim * p.operandBytes() + p.headDimV * p.outputBytes() + 4.0);
    bytes += batch * p.kvHeads * p.seqlenK * (p.headDim + p.headDimV) * p.operandBytes();
    if (const int shares = program.launches.front().sweep; shares > 0) {
        // K and V anew for each share of the query tiles, where L2 does not hold those of all heads; and O as it stands
        // between two visits.
        const double keys = batch * p.kvHeads * p.seqlenK * (p.headDim + p.headDimV) * p.operandBytes();
        bytes += keys > gpu.l2Mib * 1024 * 1024 ? (shares - 1) * keys : 0;
        bytes += batch * p.heads * p.seqlenQ * p.headDimV * 4.0;
    }
    if (program.launches.size() > 1)
        bytes += batch * p.heads * p.seqlenQ * p.seqlenK * 2 * (p.outputBytes() + p.operandBytes());
    return bytes;
}

// Pieces that all works touch in L2; infinite where some have no ops.
double accesses(const Program& program)
{
    std::vector<std::optional<double>> ofStream(program.streams.size());
    double sum = 0;
    for (const Work& work : program.works) {
        std::optional<double>& count = ofStream[work.stream.index()];
        if (!count) {
            const Stream& stream = program.streams[work.stream.index()];
            count = stream.opCount == 0 ? std::numeric_limits<double>::infinity() : 0;
            for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
                const Op& op = program.ops[k];
                const bool rows = op.tensor == TensorId::S || op.tensor == TensorId::P;
                if (op.kind == OpKind::Load || op.kind == OpKind::Store)
                    *count += rows ? program.rows(op).count() : 1;
            }
        }
        sum += *count;
    }
    return sum;
}

} // namespace

Result<GridTime> timeInTwoSteps(
    const Program& program, const GpuSpec& gpu, const EmulationOptions& options, const Progress& progress)
{
    const Result<TileTimes> times = tileTimes(program, gpu, options, progress);
    if (!times)
        return times.error();
    const GridSchedule schedule(program, gpu, *times);
    // The bus of the whole GPU holds a grid up where little is computed for each byte: with short sequences, whose L2
    // is gone through piece by piece, or where S and P pass it, which a long sequence has far more of than L2 holds.
    constexpr double fewAccesses = 2e6;
    GridTime time;
    double& hbm = time.busy[static_cast<std::size_t>(Engine::Hbm)];
    const bool inPart = std::ranges::any_of(program.streams, [](const Stream& s) { return s.standsFor != 1; });
    if (!inPart && accesses(program) <= fewAccesses) {
        MemorySystem memory(program, gpu);
        time.busy = totalsOf(program, gpu, options, schedule.placed(), memory).busy;
    } else {
        time.busy = EngineWork(program, gpu, options).all();
        hbm = leastHbmBytes(program, gpu) * gpu.clockMhz / (gpu.hbmGBps * 1e3);
    }
    time.cycles = std::max(schedule.end(), static_cast<Cycle>(hbm) + 1);
    return time;
}

Result<std::shared_ptr<const Trace>> emulateInTwoSteps(std::shared_ptr<const Program> program, const GpuSpec& gpu,
    EmulationOptions options, CtaId asked, Numerics* numerics, const Progress& progress)
{
    const Result<TileTimes> times = tileTimes(*program, gpu, options, progress);
    if (!times)
        return times.error();
    const GridSchedule schedule(*program, gpu, *times);
    MemorySystem memory(*program, gpu);
    GridTotals totals = totalsOf(*program, gpu, options, schedule.placed(), memory);
    // The bus of the whole GPU may be what all of it waits for.
    totals.cycles
        = std::max(schedule.end(), static_cast<Cycle>(totals.busy[static_cast<std::size_t>(Engine::Hbm)]) + 1);

    // The events of the SM (or the pair) that the CTA asked for ran on.
    const LaunchDecl& launch = program->launchOf(asked);
    const auto home = std::find_if(
        schedule.placed().begin(), schedule.placed().end(), [&](const Placed& p) { return p.cta == asked; });
    const int sm = home->sm / launch.clusterSize * launch.clusterSize;
    std::map<CtaId, std::vector<WorkId>> works;
    std::vector<CtaId> order;
    std::vector<Placed> others;
    for (const Placed& p : schedule.placed()) {
        const bool here = &program->launchOf(p.cta) == &launch && p.sm >= sm && p.sm < sm + launch.clusterSize;
        if (!here) {
            others.push_back(p);
            continue;
        }
        if (works[p.cta].empty())
            order.push_back(p.cta);
        works[p.cta].push_back(p.work);
    }
    for (const CtaId cta : order)
        options.only.push_back({ cta, works[cta] });
    options.firstSm = sm;
    options.allSms = static_cast<int>(gpu.sms);
    options.warmKeys = true;
    options.elsewhere = [others, totals](TraceBuilder& trace) {
        for (const Placed& p : others)
            trace.place(p.work, p.cta, p.begin, p.end, p.sm, p.slot);
        trace.setTotals(totals);
    };
    GpuSpec one = gpu;
    one.sms.value = launch.clusterSize;
    one.hbmGBps.value = gpu.hbmGBps * launch.clusterSize / gpu.sms;
    return emulate(std::move(program), one, options, numerics, progress);
}

} // namespace flashstep
