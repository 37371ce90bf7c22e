// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/emulator.h"

#include "core/emulation/engines.h"
#include "core/emulation/event_queue.h"
#include "core/emulation/resident.h"
#include "core/hardware/cost.h"
#include "core/trace/trace_builder.h"

#include <algorithm>
#include <array>
#include <utility>

namespace flashstep {

namespace {

// What is due at some cycle.
struct Due {
    enum class Kind : std::uint8_t { OpEnds, CopyLands, RoleGoesOn, CtaBegins } kind = Kind::OpEnds;
    std::uint8_t role = 0;
    std::uint32_t resident = 0;
    OpId op;
};

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
        , m_trace(m_programPtr, options.inputs, options.recorded)
        , m_sms(static_cast<int>(gpu.sms))
        , m_engines(m_sms)
    {
        computeCosts();
    }

    Result<std::shared_ptr<const Trace>> run()
    {
        int widest = 1;
        for (std::size_t k = 0; k < m_program.launches.size() && m_deadlocked.empty(); ++k) {
            if (Status ran = runLaunch(static_cast<int>(k)); !ran)
                return ran.error();
            widest = std::max(widest, m_ctasPerSm);
        }
        for (Blocked& blocked : m_deadlocked)
            m_trace.blocked(std::move(blocked));
        return m_trace.finish(m_now, m_sms, widest, m_gpu.clockMhz);
    }

private:
    // ---- the grid ---------------------------------------------------------------------------------------------------

    Status runLaunch(int index)
    {
        const LaunchDecl& launch = m_program.launches[static_cast<std::size_t>(index)];
        m_ctasPerSm = std::max(1, occupancyOf(m_gpu, launch).ctasPerSm);
        m_nextCta = launch.firstCta;
        m_lastCta = launch.firstCta + launch.ctaCount;
        m_residents.assign(static_cast<std::size_t>(m_sms) * static_cast<std::size_t>(m_ctasPerSm), {});
        m_deadlocked.clear();
        // CTA k starts on SM k mod SMs while there is room; later ones where a CTA ends first.
        for (int slot = 0; slot < m_ctasPerSm; ++slot)
            for (int sm = 0; sm < m_sms; ++sm)
                startNextCta(sm, slot);
        return drain();
    }

    void startNextCta(int sm, int slot)
    {
        if (m_nextCta == m_lastCta)
            return;
        const CtaId cta(m_nextCta++);
        const auto index = static_cast<std::uint32_t>(slot * m_sms + sm);
        Resident& r = m_residents[index];
        const Stream& stream = m_program.streamOf(cta);
        r.cta = cta;
        r.sm = sm;
        r.slot = slot;
        r.roles.assign(stream.roles.size(), {});
        for (std::size_t k = 0; k < stream.roles.size(); ++k) {
            r.roles[k].next = stream.roles[k].first;
            r.roles[k].last = stream.roles[k].first + stream.roles[k].count;
        }
        r.barriers.assign(m_program.barriers.size(), {});
        r.rolesLeft = static_cast<int>(stream.roles.size());
        r.copies.clear();
        m_trace.ctaBegins(cta, m_now, sm, slot);
        if (m_numerics != nullptr && recorded(cta))
            m_numerics->start(cta);
        m_queue.push(
            m_now + static_cast<Cycle>(m_gpu.ctaStartCycles), { Due::Kind::CtaBegins, 0, index, OpId::none() });
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
                m_progress.at(static_cast<double>(m_nextCta) / static_cast<double>(m_program.ctas.size()));
            }
            if (m_now > maxCycles)
                return Error { "the run lasts more than " + std::to_string(maxCycles) + " cycles", "emulation",
                    "a shorter problem" };
            handle(due);
        }
        for (const Resident& r : m_residents)
            if (r.alive())
                reportStuck(r);
        return Nothing {};
    }

    void handle(const Due& due)
    {
        Resident& r = m_residents[due.resident];
        switch (due.kind) {
        case Due::Kind::CtaBegins:
            for (std::size_t k = 0; k < r.roles.size(); ++k)
                advance(due.resident, static_cast<std::uint8_t>(k));
            break;
        case Due::Kind::RoleGoesOn:
            advance(due.resident, due.role);
            break;
        case Due::Kind::CopyLands:
            copyLands(due.resident, due.role, due.op);
            break;
        case Due::Kind::OpEnds:
            m_trace.end(r.cta, due.op, m_now);
            applyEffect(r, due.op);
            advance(due.resident, due.role);
            break;
        }
    }

    void applyEffect(const Resident& r, OpId op)
    {
        if (m_numerics != nullptr && recorded(r.cta))
            m_numerics->apply(r.cta, op, m_options.discardValues ? nullptr : &m_trace);
    }

    // ---- roles ------------------------------------------------------------------------------------------------------

    // The role goes on to its next op, and through those that hold it no time.
    void advance(std::uint32_t index, std::uint8_t role)
    {
        Resident& r = m_residents[index];
        RoleRun& run = r.roles[role];
        run.state = RoleRun::State::Running;
        if (run.next == run.last) {
            run.state = RoleRun::State::Done;
            --r.rolesLeft;
            endCtaIfDone(index);
            return;
        }
        const OpId id(run.next++);
        m_trace.begin(r.cta, id, m_now);
        const Op& op = m_program.op(id);
        const Cycle ends = book(r, id);
        switch (op.kind) {
        case OpKind::Commit:
            run.groups.committed.push_back(std::exchange(run.groups.open, 0));
            retireGroups(run.groups);
            finishAt(ends + cycles(m_costs[id.index()].latency), index, role, id);
            break;
        case OpKind::Wait:
            if (op.dropped || run.groups.landed(op.pending)) {
                finishAt(ends, index, role, id);
            } else {
                run.state = RoleRun::State::InWait;
                run.waiting = id;
            }
            break;
        case OpKind::Sync:
            arrive(index, role, id);
            break;
        case OpKind::Load:
            if (op.async) { // the role is held while it issues; the copy lands later
                const std::uint32_t group = run.groups.current();
                ++run.groups.open;
                r.copies.emplace_back(id, group);
                const Cycle lands = ends + cycles(m_costs[id.index()].latency);
                m_queue.push(lands, { Due::Kind::CopyLands, role, index, id });
                m_queue.push(m_issueEnds, { Due::Kind::RoleGoesOn, role, index, OpId::none() });
                break;
            }
            finishAt(ends + cycles(m_costs[id.index()].latency), index, role, id);
            break;
        default:
            finishAt(ends + cycles(m_costs[id.index()].latency), index, role, id);
            break;
        }
    }

    void finishAt(Cycle cycle, std::uint32_t index, std::uint8_t role, OpId op)
    {
        m_queue.push(cycle, { Due::Kind::OpEnds, role, index, op });
    }

    void copyLands(std::uint32_t index, std::uint8_t role, OpId op)
    {
        Resident& r = m_residents[index];
        m_trace.end(r.cta, op, m_now);
        applyEffect(r, op);
        const OpCost& cost = m_costs[op.index()];
        if (cost.landing > 0)
            bookOne(r, op, Engine::Smem, cost.landing, m_now * ticksPerCycle);
        const auto copy = std::find_if(r.copies.begin(), r.copies.end(), [&](const auto& c) { return c.first == op; });
        const std::uint32_t group = copy->second;
        r.copies.erase(copy);
        RoleRun& run = r.roles[role];
        CopyGroups& groups = run.groups;
        if (group == groups.current())
            --groups.open;
        else
            --groups.committed[group - groups.oldest];
        retireGroups(groups);
        if (run.state == RoleRun::State::InWait && groups.landed(m_program.op(run.waiting).pending)) {
            run.state = RoleRun::State::Running;
            finishAt(m_now, index, role, run.waiting);
        }
        endCtaIfDone(index);
    }

    static void retireGroups(CopyGroups& groups)
    {
        while (!groups.committed.empty() && groups.committed.front() == 0) {
            groups.committed.pop_front();
            ++groups.oldest;
        }
    }

    // ---- barriers ---------------------------------------------------------------------------------------------------

    void arrive(std::uint32_t index, std::uint8_t role, OpId id)
    {
        Resident& r = m_residents[index];
        const Op& op = m_program.op(id);
        const BarrierDecl& decl = m_program.barriers[op.barrier.index()];
        BarrierRun& barrier = r.barriers[op.barrier.index()];
        RoleRun& run = r.roles[role];
        barrier.arrived += decl.perArrival;
        if (op.dropped) {
            finishAt(m_now + 1, index, role, id);
        } else {
            run.state = RoleRun::State::InSync;
            run.waiting = id;
        }
        while (barrier.arrived >= decl.count) {
            barrier.arrived -= decl.count;
            ++barrier.turns;
        }
        release(index, op.barrier);
    }

    void release(std::uint32_t index, BarrierId barrier)
    {
        Resident& r = m_residents[index];
        for (std::size_t k = 0; k < r.roles.size(); ++k) {
            RoleRun& run = r.roles[k];
            if (run.state != RoleRun::State::InSync)
                continue;
            const Op& op = m_program.op(run.waiting);
            if (op.barrier != barrier || r.barriers[barrier.index()].turns <= op.turn)
                continue;
            run.state = RoleRun::State::Running;
            finishAt(
                m_now + cycles(m_costs[run.waiting.index()].latency), index, static_cast<std::uint8_t>(k), run.waiting);
        }
    }

    // ---- ends -------------------------------------------------------------------------------------------------------

    void endCtaIfDone(std::uint32_t index)
    {
        Resident& r = m_residents[index];
        if (r.rolesLeft > 0 || !r.copies.empty())
            return;
        m_trace.ctaEnds(r.cta, m_now);
        if (m_numerics != nullptr && recorded(r.cta))
            m_numerics->finish(r.cta);
        const int sm = r.sm;
        const int slot = r.slot;
        r.cta = CtaId::none();
        startNextCta(sm, slot);
    }

    void reportStuck(const Resident& r)
    {
        for (std::size_t k = 0; k < r.roles.size(); ++k) {
            const RoleRun& run = r.roles[k];
            if (run.state == RoleRun::State::Done)
                continue;
            const Op& op = m_program.op(run.waiting);
            std::string what = "its copies";
            if (op.kind == OpKind::Sync) {
                const BarrierDecl& decl = m_program.barriers[op.barrier.index()];
                what = decl.name + ": " + std::to_string(r.barriers[op.barrier.index()].arrived) + " of "
                    + std::to_string(decl.count) + " " + decl.unit + " have arrived";
            }
            m_deadlocked.push_back({ r.cta, RoleId(k), run.waiting, what });
        }
    }

    // ---- engines ----------------------------------------------------------------------------------------------------

    static Cycle cycles(Ticks ticks) { return (ticks + ticksPerCycle - 1) / ticksPerCycle; }

    Ticks bookOne(const Resident& r, OpId id, Engine engine, Ticks busy, Ticks from)
    {
        const int quarter = m_program.roles[m_program.op(id).role.index()].quarter;
        Ticks& free = m_engines.free(r.sm, quarter, engine);
        const Ticks begin = std::max(from, free);
        free = begin + busy;
        const Cycle beginCycle = begin / ticksPerCycle;
        m_trace.hop(r.cta, id, engine, beginCycle, cycles(free) - beginCycle);
        m_trace.busy(engine, static_cast<double>(busy) / ticksPerCycle);
        return free;
    }

    // Books the op's engines from now on; the cycle at which the last of them is done.
    Cycle book(const Resident& r, OpId id)
    {
        const OpCost& cost = m_costs[id.index()];
        const Ticks now = m_now * ticksPerCycle;
        Ticks done = now;
        m_issueEnds = m_now + 1;
        for (std::uint8_t k = 0; k < cost.bookingCount; ++k) {
            const Ticks ends = bookOne(r, id, cost.bookings[k].engine, cost.bookings[k].busy, now);
            if (cost.bookings[k].engine == Engine::Issue)
                m_issueEnds = cycles(ends);
            done = std::max(done, ends);
        }
        if (cost.hbm > 0 && missesL2(r.cta, id))
            done = std::max(done, bookOne(r, id, Engine::Hbm, cost.hbm, now));
        if (cost.contention > 0) {
            const int quarter = m_program.roles[m_program.op(id).role.index()].quarter;
            Ticks& tensor = m_engines.free(r.sm, quarter, Engine::Tensor);
            tensor = std::max(tensor, now) + cost.contention;
        }
        return cycles(done);
    }

    // A tile's rows come from HBM the first time any CTA asks for them, later from L2, which forgets nothing here.
    // Stores always go through.
    bool missesL2(CtaId cta, OpId id)
    {
        const Op& op = m_program.op(id);
        if (op.kind == OpKind::Store)
            return true;
        const Cta& c = m_program.ctas[cta.index()];
        if (op.tensor != TensorId::K && op.tensor != TensorId::V)
            return op.tensor != TensorId::Q
                || c.jBase == 0; // S and P are streamed; Q is shared by a row of score tiles
        const Problem& p = m_program.problem;
        const std::size_t blocks = static_cast<std::size_t>(m_program.keyBlocks());
        const std::size_t head = static_cast<std::size_t>(c.b) * static_cast<std::size_t>(p.kvHeads)
            + static_cast<std::size_t>(p.kvHeadOf(c.h));
        const std::size_t tensors
            = 2 * static_cast<std::size_t>(p.batch) * static_cast<std::size_t>(p.kvHeads) * blocks * maxRoles;
        if (m_touched.empty())
            m_touched.assign(tensors, false);
        const std::size_t tile = (head * blocks + static_cast<std::size_t>(m_program.keyBlock(c, op))) * 2
            + (op.tensor == TensorId::V ? 1U : 0U);
        const std::size_t at = tile * maxRoles + op.role.index();
        if (m_touched[at])
            return false;
        m_touched[at] = true;
        return true;
    }

    // CTAs of one stream cost the same, so an op is priced once.
    void computeCosts()
    {
        m_costs.resize(m_program.ops.size());
        std::vector<bool> priced(m_program.streams.size());
        for (const Cta& cta : m_program.ctas) {
            if (priced[cta.stream.index()])
                continue;
            priced[cta.stream.index()] = true;
            const Stream& stream = m_program.streams[cta.stream.index()];
            for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k)
                m_costs[k] = costOf(m_gpu, m_program, cta, m_program.ops[k]);
        }
    }

    static constexpr Cycle maxCycles = 0xfffffff0;
    static constexpr std::size_t maxRoles = 16;

    std::shared_ptr<const Program> m_programPtr;
    const Program& m_program;
    const GpuSpec& m_gpu;
    const EmulationOptions& m_options;
    Numerics* m_numerics;
    const Progress& m_progress;
    TraceBuilder m_trace;
    int m_sms;
    Engines m_engines;
    std::vector<OpCost> m_costs;
    std::vector<Resident> m_residents;
    std::vector<Blocked> m_deadlocked;
    std::vector<bool> m_touched;
    EventQueue<Due> m_queue;
    std::uint64_t m_popped = 0;
    std::uint32_t m_nextCta = 0, m_lastCta = 0;
    int m_ctasPerSm = 1;
    Cycle m_now = 0, m_issueEnds = 0;
};

} // namespace

Result<std::shared_ptr<const Trace>> emulate(std::shared_ptr<const Program> program, const GpuSpec& gpu,
    const EmulationOptions& options, Numerics* numerics, const Progress& progress)
{
    // On the heap: its queue is larger than a worker's stack may like.
    return std::make_unique<Emulator>(std::move(program), gpu, options, numerics, progress)->run();
}

} // namespace flashstep
