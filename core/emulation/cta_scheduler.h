// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/emulator.h"
#include "core/emulation/resident.h"
#include "core/trace/trace_builder.h"

namespace flashstep {

// Which works run where only some CTAs do; empty: all of them.
[[nodiscard]] inline std::vector<bool> worksIn(const Program& program, const std::vector<CtaPlan>& only)
{
    if (only.empty())
        return {};
    std::vector<bool> in(program.works.size(), false);
    for (const CtaPlan& plan : only)
        for (const WorkId work : plan.works)
            in[work.index()] = true;
    return in;
}

// Which CTA runs where, and which works it does: waves, clusters, persistent CTAs with a fixed share of the works or
// with whatever comes next.
class CtaScheduler {
public:
    CtaScheduler(const Program& program, const GpuSpec& gpu, const EmulationOptions& options, TraceBuilder& trace);

    void beginLaunch(const LaunchDecl& launch);
    [[nodiscard]] const LaunchDecl& launch() const { return *m_launch; }
    [[nodiscard]] int ctasPerSm() const { return m_ctasPerSm; }
    [[nodiscard]] double fraction() const; // of the program's CTAs, started

    // The places that a cluster may start at, in the order in which they are filled.
    template <typename Visit> void forEachPlace(Visit visit) const
    {
        for (int slot = 0; slot < m_ctasPerSm; ++slot)
            for (int sm = 0; sm + m_launch->clusterSize <= m_sms; sm += m_launch->clusterSize)
                visit(sm, slot);
    }
    // Starts the next cluster there at `now`; the indices of its residents, none when all have started.
    std::vector<std::uint32_t> startNext(int sm, int slot, Cycle now);
    // The resident's next work by the atomic counter; its number within the launch, -1 when there is none.
    int fetchNext(Resident& r);

    [[nodiscard]] Resident& resident(std::uint32_t index) { return m_residents[index]; }
    [[nodiscard]] const std::vector<Resident>& residents() const { return m_residents; }
    [[nodiscard]] std::uint32_t indexOf(CtaId cta) const { return m_residentOf[cta.index()]; }
    [[nodiscard]] const Stream& streamOf(const Resident& r, std::size_t work) const
    {
        const WorkRun& run = r.works[work];
        return m_program.streams[m_program.work(run.work).stream.index() + run.position];
    }
    void enterWork(Resident& r, RoleRun& run, std::size_t role, std::uint32_t work) const;

private:
    std::uint32_t start(const CtaPlan& plan, int sm, int slot, Cycle now);
    void addPlannedWorks(Resident& r, const CtaPlan& plan);
    void addWork(Resident& r, WorkId work);

    const Program& m_program;
    const GpuSpec& m_gpu;
    const EmulationOptions& m_options;
    TraceBuilder& m_trace;
    int m_sms;
    const LaunchDecl* m_launch = nullptr;
    int m_ctasPerSm = 1;
    std::vector<Resident> m_residents;
    std::vector<std::uint32_t> m_residentOf; // by CTA
    std::vector<CtaPlan> m_queued; // CTAs of the launch, in the order in which they start
    std::size_t m_nextCta = 0;
    std::uint32_t m_nextWork = 0;
};

} // namespace flashstep
