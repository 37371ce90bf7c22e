// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/emulator.h"

#include "core/emulation/cta_scheduler.h"
#include "core/emulation/due.h"
#include "core/emulation/event_queue.h"
#include "core/emulation/machine.h"
#include "core/emulation/move.h"
#include "core/emulation/resident.h"
#include "core/hardware/cost.h"
#include "core/trace/trace_builder.h"

#include <algorithm>
#include <array>
#include <utility>

namespace flashstep {

namespace {

class Emulator {
public:
    Emulator(std::shared_ptr<const Program> program, const GpuSpec& gpu, const EmulationOptions& options,
        Numerics* numerics, const Progress& progress)
        : m_programPtr(std::move(program))
        , m_program(*m_programPtr)
        , m_gpu(gpu)
        , m_options(options)
        , m_numerics(numerics)
        , m_progress(progress)
        , m_trace(m_programPtr, options.inputs, options.recorded, worksIn(*m_programPtr, options.only))
        , m_sms(static_cast<int>(gpu.sms))
        , m_machine(m_program, gpu, options, m_trace)
        , m_grid(m_program, gpu, options, m_trace)
        , m_moves(movesOf(m_program))
        , m_rules(m_program.barriers.begin(), m_program.barriers.end())
    {
    }

    Result<std::shared_ptr<const Trace>> run()
    {
        int widest = 1;
        for (std::size_t k = 0; k < m_program.launches.size() && m_deadlocked.empty(); ++k) {
            if (Status ran = runLaunch(m_program.launches[k]); !ran)
                return ran.error();
            widest = std::max(widest, m_grid.ctasPerSm());
        }
        for (Blocked& blocked : m_deadlocked)
            m_trace.blocked(std::move(blocked));
        m_machine.flush();
        if (m_options.elsewhere)
            m_options.elsewhere(m_trace);
        return m_trace.finish(m_now, std::max(m_sms, m_options.allSms), widest, m_gpu.clockMhz);
    }

private:
    // ---- the grid ---------------------------------------------------------------------------------------------------

    Status runLaunch(const LaunchDecl& launch)
    {
        m_launch = &launch;
        m_grid.beginLaunch(launch);
        m_deadlocked.clear();
        // CTA k starts on SM k mod SMs while there is room, a cluster on neighbours; later ones where one ends first.
        m_grid.forEachPlace([this](int sm, int slot) { startNextCluster(sm, slot); });
        return drain();
    }

    void startNextCluster(int sm, int slot)
    {
        for (const std::uint32_t index : m_grid.startNext(sm, slot, m_now)) {
            const Resident& r = m_grid.resident(index);
            if (m_numerics != nullptr && recorded(r.cta))
                m_numerics->start(r.cta);
            m_queue.push(m_now + static_cast<Cycle>(m_gpu.ctaStartCycles),
                { Due::Kind::CtaBegins, 0, 0, index, WorkId::none(), OpId::none() });
        }
    }

    [[nodiscard]] bool recorded(CtaId cta) const
    {
        return cta.index() < m_options.recorded.size() && m_options.recorded[cta.index()];
    }

    Status drain()
    {
        while (!m_queue.empty()) {
            const Due due = m_queue.pop();
            m_now = m_queue.now();
            if ((++m_popped & 0xffffU) == 0) {
                if (m_progress.cancelled())
                    return Error { "cancelled", "emulation", {} };
                m_progress.at(m_grid.fraction());
            }
            if (m_now > maxCycles)
                return Error { "the run lasts more than " + std::to_string(maxCycles) + " cycles", "emulation",
                    "a shorter problem" };
            if (const Due* next = m_queue.following())
                fetchAhead(*next);
            handle(due);
        }
        for (const Resident& r : m_grid.residents())
            if (r.alive())
                reportStuck(r);
        return Nothing {};
    }

    // Has the processor fetch what the next item needs while this one is handled: mostly another SM's, out of its
    // cache.
    void fetchAhead(const Due& due)
    {
        const Resident& r = m_grid.resident(due.resident);
        __builtin_prefetch(&r.roles[due.role]);
        if (!due.op.valid())
            return;
        __builtin_prefetch(&m_moves[due.op.index()]);
        m_trace.fetchAhead(due.work, due.op);
    }

    void handle(const Due& due)
    {
        Resident& r = m_grid.resident(due.resident);
        switch (due.kind) {
        case Due::Kind::CtaBegins:
            for (std::size_t k = 0; k < r.roles.size(); ++k)
                advance(due.resident, static_cast<std::uint8_t>(k));
            break;
        case Due::Kind::RoleGoesOn:
            advance(due.resident, due.role);
            break;
        case Due::Kind::AsyncEnds:
            asyncEnds(due);
            break;
        case Due::Kind::OpEnds:
            m_trace.end(due.work, due.op, m_now);
            applyEffect(r, due.work, due.op);
            advance(due.resident, due.role);
            break;
        }
    }

    void applyEffect(const Resident& r, WorkId work, OpId op)
    {
        if (m_numerics != nullptr && recorded(r.cta))
            m_numerics->apply(r.cta, work, op, m_options.discardValues ? nullptr : &m_trace);
    }

    // ---- roles ------------------------------------------------------------------------------------------------------

    // Moves past what this work tile leaves out, and on to the next one; false where nothing is left, or not yet known.
    bool findNextOp(std::uint32_t index, std::uint8_t role)
    {
        Resident& r = m_grid.resident(index);
        RoleRun& run = r.roles[role];
        while (true) {
            while (run.next != run.last && leavesOut(r, run, m_moves[run.next].when))
                m_trace.skip(run.tile, OpId(run.next++));
            if (run.next != run.last)
                return true;
            if (run.work + 1 < r.works.size()) {
                m_grid.enterWork(r, run, role, run.work + 1);
                continue;
            }
            if (!r.exhausted) {
                run.state = RoleRun::State::AwaitsTile;
                return false;
            }
            run.state = RoleRun::State::Done;
            --r.rolesLeft;
            endCtaIfDone(index);
            return false;
        }
    }

    [[nodiscard]] static bool leavesOut(const Resident& r, const RoleRun& run, When when)
    {
        if (when == When::First)
            return run.work != 0;
        return when == When::Last && !(r.exhausted && run.work + 1 == r.works.size());
    }

    // The role goes on to its next op, and through those that hold it no time.
    void advance(std::uint32_t index, std::uint8_t role)
    {
        if (!findNextOp(index, role))
            return;
        Resident& r = m_grid.resident(index);
        RoleRun& run = r.roles[role];
        run.state = RoleRun::State::Running;
        const OpId id(run.next++);
        const Move& op = m_moves[id.index()];
        const WorkId tile = run.tile;
        m_trace.begin(tile, id, m_now);
        if (op.votes && !rescales(r, tile, id)) {
            finishAt(m_machine.vote(m_now), index, role, id);
            return;
        }
        const int peerSm = m_launch->clusterSize > 1 ? r.sm ^ 1 : r.sm;
        const Machine::Booked booked = m_machine.book({ tile, r.sm, r.rank, peerSm }, id, m_now);
        Cycle ends = booked.done + m_machine.latency(tile, id);
        switch (op.kind) {
        case OpKind::Commit:
            if (op.barrier.valid()) {
                goOnAsync(index, role, id, ends, std::max(ends, run.productsDone), 0);
                break;
            }
            r.groups[role][op.group].commit();
            finishAt(ends, index, role, id);
            break;
        case OpKind::Wait:
        case OpKind::Sync:
            if (op.kind == OpKind::Sync)
                arrive(index, op);
            if (op.dropped) {
                finishAt(m_now + (op.kind == OpKind::Sync ? 1 : 0), index, role, id);
            } else if (op.kind == OpKind::Wait && satisfied(r, role, op)) {
                finishAt(m_now, index, role, id);
            } else {
                run.state = RoleRun::State::InWait;
                run.waiting = id;
                run.barrier = op.barrier;
                run.barriers = op.barriers;
                if (op.kind == OpKind::Sync && satisfied(r, role, op))
                    letGo(index, role); // its own arrival was the last
            }
            break;
        case OpKind::Arrive:
            arriveFor(index, role, id);
            break;
        case OpKind::NextTile:
            if (op.reads) {
                finishAt(ends, index, role, id);
            } else {
                fetchTile(index);
                goOnAsync(index, role, id, m_now + 1, ends, 0);
            }
            break;
        default:
            if (op.async) { // the role is held while it issues
                std::uint32_t group = 0;
                if (op.kind == OpKind::Mma)
                    ends = run.productsDone = std::max(run.productsDone, ends); // products of a role end in order
                if (!op.barrier.valid()) {
                    AsyncGroups& groups = r.groups[role][op.group];
                    group = groups.issue();
                    if (op.kind == OpKind::Mma)
                        groups.commit(); // each product is a group of its own
                }
                goOnAsync(index, role, id, booked.issued, ends, group);
                break;
            }
            finishAt(ends, index, role, id);
            break;
        }
    }

    // A conditional rescale is done if a warp votes for it. Where no values are there to tell, a fixed share of them
    // is.
    bool rescales(const Resident& r, WorkId work, OpId id)
    {
        const bool known = m_numerics != nullptr && recorded(r.cta);
        const Vote vote = m_moves[id.index()].dropped
            ? assumedVote(m_program, m_program.work(work), work, id, 0) // broken on purpose: nobody rescales
            : known ? m_numerics->vote(r.cta, work, id)
                    : assumedVote(m_program, m_program.work(work), work, id, m_options.assumedRescaleRate);
        m_trace.vote(work, id, vote);
        return vote.warpsDone > 0;
    }

    void finishAt(Cycle cycle, std::uint32_t index, std::uint8_t role, OpId op)
    {
        m_queue.push(cycle, { Due::Kind::OpEnds, role, 0, index, m_grid.resident(index).roles[role].tile, op });
    }

    void goOnAsync(std::uint32_t index, std::uint8_t role, OpId op, Cycle roleGoesOn, Cycle ends, std::uint32_t group)
    {
        Resident& r = m_grid.resident(index);
        ++r.inFlight;
        if (m_moves[op.index()].reach != Reach::Own)
            ++peerOf(r).inFlight;
        m_queue.push(std::max(ends, roleGoesOn),
            { Due::Kind::AsyncEnds, role, static_cast<std::uint16_t>(group), index, r.roles[role].tile, op });
        m_queue.push(roleGoesOn, { Due::Kind::RoleGoesOn, role, 0, index, WorkId::none(), OpId::none() });
    }

    void asyncEnds(const Due& due)
    {
        Resident& r = m_grid.resident(due.resident);
        const Move& op = m_moves[due.op.index()];
        const bool both = op.reach != Reach::Own;
        const std::uint32_t peer = both ? m_grid.indexOf(m_program.peerOf(r.cta)) : due.resident;
        m_trace.end(due.work, due.op, m_now);
        applyEffect(r, due.work, due.op);
        m_machine.bookLanding({ due.work, r.sm, r.rank, r.sm }, due.op, m_now);
        if (op.kind == OpKind::Load && op.reach == Reach::Both)
            m_machine.bookArriving(m_grid.resident(peer).sm, due.op, m_now);
        --r.inFlight;
        if (both)
            --m_grid.resident(peer).inFlight;
        if (op.kind == OpKind::Arrive) {
            arrive(peer, op);
        } else if (op.kind == OpKind::Commit) {
            arrive(due.resident, op);
            if (both)
                arrive(peer, op);
        } else if (op.barrier.valid()) {
            if (op.reach != Reach::Peer)
                land(due.resident, op);
            if (both)
                land(peer, op);
        } else if (op.kind != OpKind::NextTile) {
            groupEnds(due, op);
        }
        endCtaIfDone(due.resident);
        if (both)
            endCtaIfDone(peer);
    }

    void groupEnds(const Due& due, const Move& op)
    {
        Resident& r = m_grid.resident(due.resident);
        RoleRun& run = r.roles[due.role];
        AsyncGroups& groups = r.groups[due.role][op.group];
        // 16 bits of the group's number are kept; no role has more than that in flight.
        const std::uint32_t behind = static_cast<std::uint16_t>(groups.current() - due.group);
        groups.finished(groups.current() - behind);
        if (run.state != RoleRun::State::InWait)
            return;
        if (!run.barrier.valid() && satisfied(r, due.role, m_moves[run.waiting.index()])) {
            run.state = RoleRun::State::Running;
            finishAt(m_now, due.resident, due.role, run.waiting);
        }
    }

    // ---- tiles ------------------------------------------------------------------------------------------------------

    void fetchTile(std::uint32_t index)
    {
        Resident& r = m_grid.resident(index);
        const auto number = static_cast<float>(m_grid.fetchNext(r));
        if (m_numerics != nullptr && recorded(r.cta))
            m_numerics->setNextWork(r.cta, number);
        for (std::size_t k = 0; k < r.roles.size(); ++k)
            if (r.roles[k].state == RoleRun::State::AwaitsTile) {
                r.roles[k].state = RoleRun::State::Running;
                m_queue.push(m_now + 1,
                    { Due::Kind::RoleGoesOn, static_cast<std::uint8_t>(k), 0, index, WorkId::none(), OpId::none() });
            }
    }

    // ---- barriers ---------------------------------------------------------------------------------------------------

    [[nodiscard]] bool satisfied(const Resident& r, std::size_t role, const Move& op) const
    {
        if (!op.barrier.valid())
            return r.groups[role][op.group].done(op.pending);
        for (std::size_t b = op.barrier.index(); b < op.barrier.index() + op.barriers; ++b)
            if (r.barriers[b].turns <= r.roles[role].turnsBefore[b] + op.turn)
                return false;
        return true;
    }

    void arriveFor(std::uint32_t index, std::uint8_t role, OpId id)
    {
        const Move& op = m_moves[id.index()];
        const Cycle next = m_now + 1;
        if (op.reach != Reach::Peer)
            arrive(index, op);
        if (op.reach == Reach::Own)
            finishAt(next, index, role, id);
        else // through distributed shared memory to the other CTA
            goOnAsync(index, role, id, next, m_now + static_cast<Cycle>(m_gpu.dsmemLatency), 0);
    }

    void arrive(std::uint32_t index, const Move& op)
    {
        for (std::size_t b = op.barrier.index(); b < op.barrier.index() + op.barriers; ++b) {
            BarrierRun& barrier = m_grid.resident(index).barriers[b];
            const std::int32_t turns = barrier.turns;
            barrier.arrive(m_rules[b], op.arrivals, op.bytes);
            barrierMoved(index, BarrierId(b), turns);
        }
    }

    void land(std::uint32_t index, const Move& op)
    {
        BarrierRun& barrier = m_grid.resident(index).barriers[op.barrier.index()];
        const std::int32_t turns = barrier.turns;
        barrier.land(m_rules[op.barrier.index()], op.bytes, op.arrivals);
        barrierMoved(index, op.barrier, turns);
    }

    void barrierMoved(std::uint32_t index, BarrierId id, std::int32_t turnsBefore)
    {
        const Resident& r = m_grid.resident(index);
        const BarrierRun& barrier = r.barriers[id.index()];
        const std::int64_t arrived = barrier.inTurn(m_rules[id.index()]);
        m_trace.arrival(r.cta, id, static_cast<std::uint32_t>(barrier.turns),
            static_cast<std::uint32_t>(std::max<std::int64_t>(0, arrived)));
        if (barrier.turns != turnsBefore)
            release(index, id);
    }

    // Whoever waits in the CTA for the turn that this barrier has completed goes on.
    void release(std::uint32_t index, BarrierId id)
    {
        Resident& r = m_grid.resident(index);
        for (std::size_t k = 0; k < r.roles.size(); ++k) {
            const RoleRun& run = r.roles[k];
            if (run.state == RoleRun::State::InWait && run.barrier.valid()
                && id.index() - run.barrier.index() < run.barriers && satisfied(r, k, m_moves[run.waiting.index()]))
                letGo(index, static_cast<std::uint8_t>(k));
        }
    }

    void letGo(std::uint32_t index, std::uint8_t role)
    {
        RoleRun& run = m_grid.resident(index).roles[role];
        run.state = RoleRun::State::Running;
        finishAt(m_now + m_machine.waitLatency(run.waiting), index, role, run.waiting);
    }

    // ---- ends -------------------------------------------------------------------------------------------------------

    Resident& peerOf(const Resident& r) { return m_grid.resident(m_grid.indexOf(m_program.peerOf(r.cta))); }

    void endCtaIfDone(std::uint32_t index)
    {
        Resident& r = m_grid.resident(index);
        if (!r.alive() || r.rolesLeft > 0 || r.inFlight > 0)
            return;
        Resident& peer = peerOf(r);
        const bool alone = m_launch->clusterSize == 1 || !peer.alive() || peer.cta != m_program.peerOf(r.cta);
        if (m_launch->pairs && !alone) { // neither may end while the other still reaches into its memory
            if (peer.rolesLeft > 0 || peer.inFlight > 0)
                return;
            endCta(peer);
            endCta(r);
            startNextCluster(r.sm / m_launch->clusterSize * m_launch->clusterSize, r.slot);
            return;
        }
        endCta(r);
        if (alone)
            startNextCluster(r.sm / m_launch->clusterSize * m_launch->clusterSize, r.slot);
    }

    void endCta(Resident& r)
    {
        m_trace.ctaEnds(r.cta, m_now);
        if (m_numerics != nullptr && recorded(r.cta))
            m_numerics->finish(r.cta);
        r.cta = CtaId::none();
    }

    void reportStuck(const Resident& r)
    {
        for (std::size_t k = 0; k < r.roles.size(); ++k) {
            const RoleRun& run = r.roles[k];
            if (run.state != RoleRun::State::InWait)
                continue;
            const Op& op = m_program.op(run.waiting);
            const RoleId role = m_grid.streamOf(r, run.work).roles[k].role;
            m_deadlocked.push_back({ r.cta, run.tile, role, run.waiting, waitingFor(m_program, r, op) });
        }
    }

    static constexpr Cycle maxCycles = 0xfffffff0;

    std::shared_ptr<const Program> m_programPtr;
    const Program& m_program;
    const GpuSpec& m_gpu;
    const EmulationOptions& m_options;
    Numerics* m_numerics;
    const Progress& m_progress;
    TraceBuilder m_trace;
    int m_sms;
    Machine m_machine;
    CtaScheduler m_grid;
    std::vector<Move> m_moves; // by op
    std::vector<BarrierRule> m_rules; // by barrier
    std::vector<Blocked> m_deadlocked;
    EventQueue<Due> m_queue;
    std::uint64_t m_popped = 0;
    const LaunchDecl* m_launch = nullptr;
    Cycle m_now = 0;
};

} // namespace

Result<std::shared_ptr<const Trace>> emulate(std::shared_ptr<const Program> program, const GpuSpec& gpu,
    const EmulationOptions& options, Numerics* numerics, const Progress& progress)
{
    // On the heap: its queue is larger than a worker's stack may like.
    return std::make_unique<Emulator>(std::move(program), gpu, options, numerics, progress)->run();
}

} // namespace flashstep
