// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/stalls.h"

#include "core/emulation/engines.h"
#include "core/hardware/cost.h"
#include "core/trace/causes.h"

#include <algorithm>
#include <array>

namespace flashstep {

namespace {

template <typename Key, typename Value, typename What>
void addTo(std::vector<std::pair<Key, Value>>& list, const What& key, Value value)
{
    const auto found = std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.first == key; });
    if (found != list.end())
        found->second += value;
    else
        list.emplace_back(Key(key), value);
}

// ---- roles ----------------------------------------------------------------------------------------------------------

class RoleTimes {
public:
    explicit RoleTimes(const Trace& trace)
        : t(trace)
        , c(trace)
    {
    }

    [[nodiscard]] RoleTime of(CtaId cta, std::size_t role)
    {
        RoleTime time;
        time.cta = cta;
        time.role = t.streamOf(t.worksOf(cta).front()).roles[role].role;
        time.total = c.endOf(cta) - t.span(cta).begin;
        m_busy = {};
        for (const WorkId work : t.worksOf(cta)) {
            const RoleRange& range = t.streamOf(work).roles[role];
            for (std::uint32_t k = range.first; k < range.first + range.count; ++k)
                if (const InstanceId instance = t.instance(work, OpId(k)); t.began(instance))
                    add(time, instance);
        }
        Cycle spent = 0;
        for (std::size_t kind = 0; kind < opKindCount; ++kind) {
            if (m_busy[kind] > 0)
                time.busy.emplace_back(static_cast<OpKind>(kind), m_busy[kind]);
            spent += m_busy[kind];
        }
        for (const auto& [reason, cycles] : time.waits)
            spent += cycles;
        time.idle = time.total - spent;
        return time;
    }

private:
    void add(RoleTime& time, InstanceId instance)
    {
        const Op& op = t.op(instance);
        const Cycle begin = t.beginCycle(instance);
        const Cycle held = c.heldUntil(instance) - begin;
        if (held == 0)
            return;
        if (isWaiting(op)) {
            const std::string_view reason
                = op.wait.valid() ? std::string_view(t.program().waits[op.wait.index()].name) : name(op.kind);
            addTo(time.waits, reason, held);
            return;
        }
        const Cycle queue = queued(instance, begin + held);
        if (queue > 0)
            addTo(time.waits, std::string(name(t.hops()[c.holdingHop(instance)].engine())) + " busy", queue);
        m_busy[static_cast<std::size_t>(op.kind)] += held - queue;
    }

    // How long nothing of the op was done because the engine that it ends with was busy.
    [[nodiscard]] Cycle queued(InstanceId instance, Cycle until) const
    {
        const std::uint32_t holding = c.holdingHop(instance);
        if (!c.queued(holding))
            return 0;
        const Cycle end = std::min(c.begin(holding), until);
        std::array<std::pair<Cycle, Cycle>, maxHops> working;
        std::size_t count = 0;
        const Causes::Bookings own = c.bookingsOf(instance);
        for (std::uint32_t k = own.first; k < own.first + own.count && count < maxHops; ++k)
            working[count++] = { c.begin(k), t.hops()[k].end() };
        std::sort(working.begin(), working.begin() + static_cast<std::ptrdiff_t>(count));
        Cycle queue = 0;
        Cycle at = t.beginCycle(instance);
        for (std::size_t k = 0; k < count && at < end; ++k) {
            queue += std::max<Cycle>(0, std::min(end, working[k].first) - at);
            at = std::max(at, working[k].second);
        }
        return queue + std::max<Cycle>(0, end - at);
    }

    static constexpr std::size_t maxHops = 8;
    const Trace& t;
    Causes c;
    std::array<Cycle, opKindCount> m_busy {};
};

// ---- engines --------------------------------------------------------------------------------------------------------

class EngineTimes {
public:
    explicit EngineTimes(const Run& run)
        : m_run(run)
        , t(*run.trace)
        , m_program(*run.program)
        , m_swizzled(choicesOf(run.scenario).swizzled())
        , m_executed(m_program.ops.size(), 0)
        , m_landed(m_program.ops.size(), 0)
        , m_hbm(m_program.ops.size(), 0)
        , m_work(m_program.ops.size())
    {
    }

    // Ops cost the same wherever they are performed, so they are counted first.
    void add(CtaId cta)
    {
        for (const WorkId work : t.worksOf(cta))
            forEachEnded(work, [&](std::size_t op) {
                const auto vote = t.voteOf(t.instance(work, OpId(op)));
                if (!vote || vote->warpsDone > 0) // a rescale that no warp asked for keeps nothing busy
                    ++m_executed[op];
                ++m_landed[op];
                m_work[op] = work;
            });
        if (const CtaId peer = m_program.peerOf(cta); peer != cta && t.hasEvents(peer))
            for (const WorkId work : t.worksOf(peer))
                forEachEnded(work, [&](std::size_t op) { // a multicast lands here too, a pair's product is here too
                    const bool both = m_program.ops[op].reach == Reach::Both;
                    m_landed[op] += both ? 1 : 0;
                    m_executed[op] += both && m_program.ops[op].kind == OpKind::Mma ? 1 : 0;
                    m_work[op] = work;
                });
        for (const std::uint32_t hop : t.hopsOf(cta))
            if (const Hop& h = t.hops()[hop]; h.engine() == Engine::Hbm)
                if (const InstanceId instance(h.instance); t.ended(instance))
                    m_hbm[t.opOf(instance).index()] += h.cycles();
    }

    [[nodiscard]] std::vector<EngineTime> take()
    {
        for (std::size_t op = 0; op < m_executed.size(); ++op)
            if (m_executed[op] + m_landed[op] > 0)
                price(op);
        std::vector<EngineTime> all;
        for (const Engine engine : { Engine::Tensor, Engine::Exp, Engine::Issue, Engine::Alu, Engine::Smem, Engine::L2,
                 Engine::Hbm, Engine::Tma, Engine::Registers, Engine::Tmem }) {
            EngineTime& time = all.emplace_back();
            time.engine = engine;
            std::int64_t total = 0;
            const double unit = static_cast<double>(ticksPerCycle * Engines::quarters);
            for (const auto& [component, ticks] : m_ticks[static_cast<std::size_t>(engine)]) {
                time.busy.emplace_back(component, static_cast<double>(ticks) / unit);
                total += ticks;
            }
            time.total = static_cast<double>(total) / unit;
        }
        return all;
    }

private:
    template <typename Visit> void forEachEnded(WorkId work, Visit visit) const
    {
        const Stream& stream = t.streamOf(work);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k)
            if (const InstanceId instance = t.instance(work, OpId(k)); t.began(instance) && t.ended(instance))
                visit(k);
    }

    void price(std::size_t index)
    {
        const Op& op = m_program.ops[index];
        const OpCost cost = costOf(m_run.gpu, m_program, m_program.work(m_work[index]), op, m_swizzled);
        const int quarter = m_program.quarterOf(op);
        const auto add = [&](Engine engine, const Component& component, Ticks busy, std::int64_t times) {
            const bool one = quarter >= 0 && (Engines::perQuarter(engine) || engine == Engine::Registers);
            addTo(m_ticks[static_cast<std::size_t>(engine)], componentName(m_program, op, component),
                busy * times * (one ? 1 : Engines::quarters));
        };
        for (std::uint8_t k = 0; k < cost.bookingCount && m_executed[index] > 0; ++k)
            add(cost.bookings[k].engine, cost.bookings[k].component, cost.bookings[k].busy, m_executed[index]);
        if (cost.contention > 0 && m_executed[index] > 0)
            add(Engine::Registers, Component {}, cost.contention, m_executed[index]);
        if (cost.landing > 0 && op.async) // a copy that its warp waits for is booked as it is made
            add(Engine::Smem, cost.landingComponent, cost.landing, m_landed[index]);
        if (m_hbm[index] > 0)
            add(Engine::Hbm, Component {}, m_hbm[index] * ticksPerCycle, 1);
    }

    const Run& m_run;
    const Trace& t;
    const Program& m_program;
    bool m_swizzled;
    std::vector<std::int64_t> m_executed, m_landed; // by op
    std::vector<Cycle> m_hbm; // by op: what missed L2, as booked
    std::vector<WorkId> m_work; // by op: one that performed it
    // Quarters of ticks: of an engine that each quarter has, what they booked; of the others four times that.
    std::array<std::vector<std::pair<std::string, std::int64_t>>, engineCount> m_ticks;
};

} // namespace

Stalls stallsOf(const Run& run, CtaId cta)
{
    const Trace& trace = *run.trace;
    Stalls stalls;
    RoleTimes roles(trace);
    EngineTimes engines(run);
    for (std::size_t k = 0; k < run.program->ctaCount(); ++k) {
        const CtaId each(k);
        if ((cta.valid() && each != cta) || !trace.hasEvents(each))
            continue;
        for (std::size_t role = 0; role < trace.streamOf(trace.worksOf(each).front()).roles.size(); ++role)
            stalls.roles.push_back(roles.of(each, role));
        engines.add(each);
    }
    stalls.engines = engines.take();
    return stalls;
}

} // namespace flashstep
