// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/session.h"

#include <algorithm>

#include <fmt/format.h>

namespace flashstep::ptx {

namespace {

constexpr std::uint64_t mostSteps = 8'000'000;
constexpr std::size_t mostKept = std::size_t { 512 } << 20U;

} // namespace

KernelSession::KernelSession(KernelRun run, const RunOptions& options)
    : m_run(std::move(run))
    , m_options(options)
{
}

Result<std::unique_ptr<KernelSession>> KernelSession::make(
    KernelRun run, const RunOptions& options, const Progress& progress)
{
    RunOptions together = options;
    together.smsTogether = 8; // who steps through wants to see CTAs side by side
    std::unique_ptr<KernelSession> session(new KernelSession(std::move(run), together));
    if (Status done = session->runAll(progress); !done)
        return done.error();
    session->indexWarps();
    return session;
}

Status KernelSession::runAll(const Progress& progress)
{
    auto checker = std::make_shared<Checker>();
    for (std::uint32_t k = 0; k < m_run.launches.size(); ++k) {
        m_launchFirst.push_back(m_steps.size());
        RunOptions one = m_options;
        one.launch = k;
        Result<Machine> machine
            = Machine::start(m_run.codes[k], m_run.launches[k], std::move(m_run.memory), one, checker);
        if (!machine)
            return machine.error();
        keep(m_steps.size(), k, *machine);
        while (const std::optional<Step> done = machine->step()) {
            m_steps.push_back(*done);
            if (m_steps.size() > mostSteps)
                return Error { fmt::format("the run has more than {} warp instructions", mostSteps), {},
                    "choose a shorter sequence, fewer heads or a smaller batch" };
            if (m_steps.size() % m_every == 0)
                keep(m_steps.size(), k, *machine);
            if (m_steps.size() % 65536 == 0 && progress.cancelled())
                return Error { "cancelled", {}, {} };
        }
        m_run.instructions += machine->instructions();
        m_run.steps += machine->steps();
        m_run.cycles += machine->cycles();
        const auto& found = machine->findings().all();
        m_run.findings.insert(m_run.findings.end(), found.begin(), found.end());
        m_run.deadlock = machine->deadlock();
        m_run.stuckLaunch = k;
        for (const Finding& f : found)
            m_run.limit = m_run.limit || f.fault == Fault::Limit || f.fault == Fault::Trap;
        m_run.memory = std::move(machine->memory());
        if (!m_run.deadlock.empty() || m_run.limit)
            break;
    }
    return Nothing {};
}

void KernelSession::keep(std::uint64_t position, std::uint32_t launch, const Machine& machine)
{
    Kept kept { position, launch, machine, machine.bytes() };
    kept.machine.stopChecking();
    m_keptBytes += kept.bytes;
    m_kept.push_back(std::move(kept));
    // Every other one goes when they are too many; the first of each launch stays.
    while (m_keptBytes > mostKept && m_kept.size() > m_launchFirst.size() + 1) {
        m_every *= 2;
        std::vector<Kept> left;
        m_keptBytes = 0;
        for (Kept& k : m_kept) {
            const bool first = std::find(m_launchFirst.begin(), m_launchFirst.end(), k.position) != m_launchFirst.end();
            if (!first && k.position % m_every != 0)
                continue;
            m_keptBytes += k.bytes;
            left.push_back(std::move(k));
        }
        const bool same = left.size() == m_kept.size();
        m_kept = std::move(left);
        if (same && m_every > mostSteps)
            break;
    }
}

std::uint32_t KernelSession::launchOf(std::uint64_t index) const
{
    const auto after = std::upper_bound(m_launchFirst.begin(), m_launchFirst.end(), index);
    return static_cast<std::uint32_t>(std::max<std::ptrdiff_t>(0, after - m_launchFirst.begin() - 1));
}

const Code& KernelSession::codeAt(std::uint64_t position) const
{
    return *m_run.codes[launchOf(position < end() ? position : (end() > 0 ? end() - 1 : 0))];
}

const Machine& KernelSession::at(std::uint64_t position)
{
    position = std::min(position, end());
    const bool forward = m_now && m_nowPosition <= position
        && launchOf(position == end() && position > 0 ? position - 1 : position) == m_nowLaunch;
    const auto after = std::upper_bound(
        m_kept.begin(), m_kept.end(), position, [](std::uint64_t p, const Kept& k) { return p < k.position; });
    const Kept* best = after == m_kept.begin() ? nullptr : &*(after - 1);
    // At the very end of a launch its own machine is looked at, not the next one's.
    if (best != nullptr && best->position == position && position == end() && best != &m_kept.front() && position > 0
        && launchOf(position - 1) != best->launch)
        --best;
    if (best != nullptr && (!forward || best->position > m_nowPosition)) {
        m_now = best->machine;
        m_nowPosition = best->position;
        m_nowLaunch = best->launch;
    }
    while (m_nowPosition < position && m_now->step())
        ++m_nowPosition;
    return *m_now;
}

CudaLine cudaLineOf(const Code& code, std::uint32_t pc)
{
    const std::uint32_t location = code.statementAt(pc).location;
    if (location == none)
        return {};
    const Location& at = code.module->locations[location];
    return { at.file, at.line };
}

CudaLine kernelLineOf(const Code& code, std::uint32_t pc, std::string_view kernelFile)
{
    std::uint32_t location = code.statementAt(pc).location;
    CudaLine found;
    while (location != none) {
        const Location& at = code.module->locations[location];
        found = { at.file, at.line };
        if (at.file != none && at.file < code.module->files.size() && code.module->files[at.file] == kernelFile)
            return found;
        location = at.inlinedAt;
    }
    return found;
}

bool KernelSession::ends(std::uint64_t index, StepKind kind) const
{
    const Code& code = *m_run.codes[launchOf(index)];
    const Instruction& i = code.instructions[m_steps[index].pc];
    if (kind == StepKind::Barrier)
        return i.flow == Flow::Barrier || i.flow == Flow::Wait || i.flow == Flow::Exit;
    return kind == StepKind::Instruction;
}

void KernelSession::indexWarps()
{
    for (std::uint32_t k = 0; k < m_steps.size(); ++k) {
        const Step& s = m_steps[k];
        const std::uint32_t launch = launchOf(k);
        const auto at = std::lower_bound(m_warps.begin(), m_warps.end(), s, [&](const WarpSteps& w, const Step& step) {
            return std::tuple(w.launch, w.cta, w.warp) < std::tuple(launch, step.cta, std::uint32_t { step.warp });
        });
        if (at != m_warps.end() && at->launch == launch && at->cta == s.cta && at->warp == s.warp)
            at->steps.push_back(k);
        else
            m_warps.insert(at, { launch, s.cta, s.warp, { k } });
    }
}

const std::vector<std::uint32_t>* KernelSession::stepsOf(
    std::uint32_t cta, std::uint32_t warp, std::uint64_t position) const
{
    const std::uint32_t launch = launchOf(position < end() ? position : (end() > 0 ? end() - 1 : 0));
    const auto at = std::lower_bound(m_warps.begin(), m_warps.end(), std::tuple(launch, cta, warp),
        [](const WarpSteps& w, const auto& key) { return std::tuple(w.launch, w.cta, w.warp) < key; });
    return at != m_warps.end() && std::tuple(at->launch, at->cta, at->warp) == std::tuple(launch, cta, warp)
        ? &at->steps
        : nullptr;
}

std::uint64_t KernelSession::next(std::uint64_t position, StepKind kind, std::uint32_t cta, std::uint32_t warp) const
{
    if (warp == none) {
        if (kind == StepKind::Instruction)
            return std::min(position + 1, end());
        if (position >= end())
            return end();
        cta = m_steps[position].cta; // the warp whose turn it is
        warp = m_steps[position].warp;
    }
    const std::vector<std::uint32_t>* steps = stepsOf(cta, warp, position);
    if (steps == nullptr)
        return end();
    auto at = std::lower_bound(steps->begin(), steps->end(), position);
    if (at == steps->end())
        return end();
    const Code& code = *m_run.codes[launchOf(*at)];
    const CudaLine from = cudaLineOf(code, m_steps[*at].pc);
    for (; at != steps->end(); ++at) {
        if (kind == StepKind::Line) {
            const bool last = at + 1 == steps->end();
            const CudaLine to = last ? CudaLine {} : cudaLineOf(code, m_steps[*(at + 1)].pc);
            if (last || to.line != from.line || to.file != from.file)
                return std::uint64_t { *at } + 1;
        } else if (ends(*at, kind))
            return std::uint64_t { *at } + 1;
    }
    return end();
}

std::uint64_t KernelSession::previous(
    std::uint64_t position, StepKind kind, std::uint32_t cta, std::uint32_t warp) const
{
    if (position == 0)
        return 0;
    if (warp == none) {
        if (kind == StepKind::Instruction)
            return position - 1;
        cta = m_steps[position - 1].cta;
        warp = m_steps[position - 1].warp;
    }
    const std::vector<std::uint32_t>* steps = stepsOf(cta, warp, position - 1);
    if (steps == nullptr)
        return 0;
    auto at = std::lower_bound(steps->begin(), steps->end(), position);
    if (at == steps->begin())
        return 0;
    --at; // the newest step of the warp: it is the one to be undone
    if (kind == StepKind::Instruction)
        return *at;
    const Code& code = *m_run.codes[launchOf(*at)];
    const CudaLine from = cudaLineOf(code, m_steps[*at].pc);
    while (at != steps->begin()) {
        const auto before = at - 1;
        if (kind == StepKind::Line) {
            const CudaLine line = cudaLineOf(code, m_steps[*before].pc);
            if (line.line != from.line || line.file != from.file)
                return *at;
        } else if (ends(*before, kind))
            return std::uint64_t { *before } + 1;
        at = before;
    }
    return *at;
}

std::uint64_t KernelSession::newestStep(std::uint64_t position, std::uint32_t cta, std::uint32_t warp) const
{
    const std::vector<std::uint32_t>* steps = stepsOf(cta, warp, position == 0 ? 0 : position - 1);
    if (steps == nullptr)
        return none;
    const auto at = std::lower_bound(steps->begin(), steps->end(), position);
    return at == steps->begin() ? none : *(at - 1);
}

std::uint64_t KernelSession::positionOf(const Finding& finding) const
{
    const std::uint64_t first = finding.launch < m_launchFirst.size() ? m_launchFirst[finding.launch] : 0;
    return std::min(first + finding.step + 1, end());
}

std::uint32_t KernelSession::ctaCount(std::uint64_t position) const
{
    const Launch& launch = m_run.launches[launchOf(position < end() ? position : (end() > 0 ? end() - 1 : 0))];
    return launch.grid[0] * launch.grid[1] * launch.grid[2];
}

} // namespace flashstep::ptx
