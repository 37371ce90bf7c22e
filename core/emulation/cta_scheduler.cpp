// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/cta_scheduler.h"

#include "core/hardware/cost.h"

#include <algorithm>
#include <utility>

namespace flashstep {

CtaScheduler::CtaScheduler(
    const Program& program, const GpuSpec& gpu, const EmulationOptions& options, TraceBuilder& trace)
    : m_program(program)
    , m_gpu(gpu)
    , m_options(options)
    , m_trace(trace)
    , m_sms(static_cast<int>(gpu.sms))
    , m_residentOf(program.ctaCount(), 0)
{
}

void CtaScheduler::beginLaunch(const LaunchDecl& launch)
{
    m_launch = &launch;
    m_ctasPerSm = std::max(1, occupancyOf(m_gpu, launch).ctasPerSm);
    m_residents.assign(static_cast<std::size_t>(m_sms) * static_cast<std::size_t>(m_ctasPerSm), {});
    m_queued.clear();
    for (std::uint32_t c = launch.firstCta; m_options.only.empty() && c < launch.firstCta + launch.ctaCount; ++c)
        m_queued.push_back({ CtaId(c), {} });
    for (const CtaPlan& plan : m_options.only)
        if (&m_program.launchOf(plan.cta) == m_launch)
            m_queued.push_back(plan);
    m_nextCta = 0;
    m_nextWork = launch.firstWork + launch.ctaCount; // the first ones have theirs
}

double CtaScheduler::fraction() const
{
    return static_cast<double>(m_launch->firstCta + m_nextCta)
        / static_cast<double>(std::max(1U, m_program.ctaCount()));
}

std::vector<std::uint32_t> CtaScheduler::startNext(int sm, int slot, Cycle now)
{
    std::vector<std::uint32_t> started;
    for (int rank = 0; rank < m_launch->clusterSize && m_nextCta < m_queued.size(); ++rank)
        started.push_back(start(m_queued[m_nextCta++], sm + rank, slot, now));
    return started;
}

std::uint32_t CtaScheduler::start(const CtaPlan& plan, int sm, int slot, Cycle now)
{
    const auto index = static_cast<std::uint32_t>(slot * m_sms + sm);
    Resident& r = m_residents[index];
    r = {};
    r.cta = plan.cta;
    r.sm = sm;
    r.slot = slot;
    r.rank
        = static_cast<int>((plan.cta.index() - m_launch->firstCta) % static_cast<std::size_t>(m_launch->clusterSize));
    r.barriers.assign(m_program.barriers.size(), {});
    m_residentOf[plan.cta.index()] = index;
    m_trace.ctaBegins(plan.cta, now, m_options.firstSm + sm, slot);
    addPlannedWorks(r, plan);
    r.roles.assign(streamOf(r, 0).roles.size(), {});
    r.groups.assign(r.roles.size(), {});
    r.rolesLeft = static_cast<int>(r.roles.size());
    for (std::size_t k = 0; k < r.roles.size(); ++k)
        enterWork(r, r.roles[k], k, 0);
    return index;
}

// What is known of a CTA's works when it starts: all of them, unless they are handed out as it goes.
void CtaScheduler::addPlannedWorks(Resident& r, const CtaPlan& plan)
{
    r.exhausted = m_launch->schedule != Schedule::Dynamic || !plan.works.empty();
    for (const WorkId work : plan.works)
        addWork(r, work);
    if (!plan.works.empty())
        return;
    const std::uint32_t end = m_launch->firstWork + m_launch->workCount;
    std::uint32_t next = m_launch->firstWork + static_cast<std::uint32_t>(r.cta.index()) - m_launch->firstCta;
    addWork(r, WorkId(next));
    for (next += m_launch->ctaCount; m_launch->schedule == Schedule::Static && next < end; next += m_launch->ctaCount)
        addWork(r, WorkId(next));
}

void CtaScheduler::addWork(Resident& r, WorkId work)
{
    WorkRun run;
    run.work = work;
    run.turns.assign(m_program.barriers.size(), 0);
    if (!r.works.empty()) {
        const WorkRun& before = r.works.back();
        const Stream& stream = streamOf(r, r.works.size() - 1);
        const auto positions = static_cast<std::uint32_t>(m_launch->ringPositions);
        const int uses = stream.visitedBlocks * m_launch->ringUsesPerBlock;
        run.position = (before.position + static_cast<std::uint32_t>(uses)) % positions;
        for (std::size_t b = 0; b < run.turns.size(); ++b)
            run.turns[b] = before.turns[b] + stream.turns[b];
    }
    m_trace.workBegins(work, r.cta, static_cast<int>(run.position));
    r.works.push_back(std::move(run));
}

int CtaScheduler::fetchNext(Resident& r)
{
    if (!m_options.only.empty() || m_nextWork == m_launch->firstWork + m_launch->workCount) {
        r.exhausted = true;
        return -1;
    }
    addWork(r, WorkId(m_nextWork));
    return static_cast<int>(m_nextWork++ - m_launch->firstWork);
}

void CtaScheduler::enterWork(Resident& r, RoleRun& run, std::size_t role, std::uint32_t work) const
{
    const RoleRange& range = streamOf(r, work).roles[role];
    run.work = work;
    run.tile = r.works[work].work;
    run.turnsBefore = r.works[work].turns.data(); // stays where it is when more works come
    run.next = range.first;
    run.last = range.first + range.count;
}

} // namespace flashstep
