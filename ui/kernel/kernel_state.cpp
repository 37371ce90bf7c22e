// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/kernel_state.h"

#include <algorithm>

namespace flashstep::ui {

KernelState::KernelState(QObject* parent)
    : QObject(parent)
{
}

void KernelState::load(std::shared_ptr<KernelSubject> subject)
{
    // The same kernel again, with a line dropped or put back: about where it was.
    const double share = m_subject && m_subject->request.kernel == subject->request.kernel && end() > 0
        ? static_cast<double>(m_position) / static_cast<double>(end())
        : 0;
    m_subject = std::move(subject);
    m_position = static_cast<std::uint64_t>(share * static_cast<double>(end()));
    m_pointed.clear();
    m_now = {};
    refresh();
    emit loaded();
    emit moved();
}

std::uint32_t KernelState::ctaCount() const
{
    return m_subject->session->ctaCount(m_position);
}

std::uint32_t KernelState::warpCount() const
{
    const ptx::Launch& launch = session().run().launches[m_now.launch];
    return (launch.block[0] * launch.block[1] * launch.block[2] + 31) / 32;
}

std::optional<std::uint64_t> KernelState::nextStep(std::uint32_t cta, std::uint32_t warp) const
{
    const ptx::KernelSession& s = session();
    if (m_position >= s.end())
        return {};
    const std::uint64_t after = s.next(m_position, ptx::StepKind::Instruction, cta, warp);
    if (after == 0 || after <= m_position)
        return {};
    const ptx::Step& step = s.step(after - 1);
    if (step.cta != cta || step.warp != warp || s.launchOf(after - 1) != s.launchOf(m_position))
        return {};
    return after - 1;
}

void KernelState::refresh()
{
    ptx::KernelSession& s = *m_subject->session;
    m_position = std::min(m_position, s.end());
    const std::uint64_t at = m_position < s.end() ? m_position : s.end() - 1;
    Now n;
    n.position = m_position;
    n.launch = s.launchOf(at);
    n.code = s.run().codes[n.launch].get();
    if (n.launch != m_now.launch)
        m_pointed.clear(); // they were instructions of another kernel
    m_now.launch = n.launch;
    if (m_any) { // the warp whose turn it is
        m_cta = s.step(at).cta;
        m_warp = s.step(at).warp;
    }
    m_cta = std::min(m_cta, s.ctaCount(m_position) - 1);
    m_warp = std::min(m_warp, warpCount() - 1);
    n.cta = m_cta;
    n.warp = m_warp;
    n.machine = &s.at(m_position);
    n.block = n.machine->resident(n.cta);
    n.registers = n.block != nullptr && n.warp < n.block->warps.size() ? &n.block->warps[n.warp] : nullptr;
    n.next = nextStep(n.cta, n.warp);
    if (m_position > 0 && s.launchOf(m_position - 1) == n.launch) {
        const std::uint64_t past = s.newestStep(m_position, n.cta, n.warp);
        if (past != ptx::none)
            n.past = past;
    }
    // Of the CTA on show: another SM may be a little ahead.
    std::optional<std::uint64_t> newest;
    for (std::uint32_t w = 0; m_position > 0 && w < warpCount(); ++w) {
        const std::uint64_t step = s.newestStep(m_position, n.cta, w);
        if (step != ptx::none && s.launchOf(step) == n.launch && step >= newest.value_or(0))
            newest = step;
    }
    n.cycle = newest ? s.step(*newest).issued : 0;
    if (n.next) {
        n.pc = s.step(*n.next).pc;
        n.mask = s.step(*n.next).mask;
        n.active = n.mask;
    }
    if (n.registers != nullptr && !n.registers->finished()) {
        if (!n.next) {
            n.stuck = true;
            const std::uint32_t split = n.registers->splits.empty() ? ptx::none : 0;
            if (split != ptx::none)
                n.pc = n.registers->splits[split].pc;
        }
        for (const ptx::Split& split : n.registers->splits) {
            if (split.pc == n.pc)
                n.active |= split.mask;
        }
        if (n.pc != ptx::none && n.pc < n.code->instructions.size())
            n.touching = ptx::touchingOf(*n.code, n.pc, *n.registers, n.mask);
    }
    m_now = n;
}

void KernelState::seek(std::uint64_t position)
{
    if (!m_subject)
        return;
    m_position = std::min(position, end());
    refresh();
    emit moved();
}

void KernelState::step(ptx::StepKind kind, bool forward)
{
    if (!m_subject)
        return;
    const ptx::KernelSession& s = session();
    const std::uint32_t warp = m_any ? ptx::none : m_warp;
    if (forward) {
        if (!m_any && !m_now.next) {
            // On to the next launch, where there is one.
            const std::uint64_t first = m_subject->firstSteps[m_now.launch + 1];
            if (first < end() && m_now.registers == nullptr)
                seek(first);
            else
                emit said(m_now.stuck ? tr("this warp waits for ever") : tr("this warp has left the kernel"));
            return;
        }
        seek(s.next(m_position, kind, m_cta, warp));
        return;
    }
    if (!m_any && !m_now.past) {
        if (m_now.launch > 0)
            seek(m_subject->firstSteps[m_now.launch] - 1); // back into the launch before
        else
            emit said(tr("this warp has executed nothing before this"));
        return;
    }
    seek(s.previous(m_position, kind, m_cta, warp));
}

void KernelState::follow(std::uint32_t cta, std::uint32_t warp)
{
    m_any = false;
    m_cta = cta;
    m_warp = warp;
    if (!m_subject)
        return;
    refresh();
    emit moved();
}

void KernelState::followAny()
{
    m_any = true;
    if (!m_subject)
        return;
    refresh();
    emit moved();
}

bool KernelState::seekAny(const std::vector<bool>& pcs, std::uint32_t launch, bool forward, bool wraps)
{
    const ptx::KernelSession& s = session();
    const std::uint64_t from = m_subject->firstSteps[launch], to = m_subject->firstSteps[launch + 1];
    // Only arrivals count: a warp that is within the line already is not there anew.
    std::uint32_t mostWarps = 0;
    for (const ptx::Launch& l : s.run().launches)
        mostWarps = std::max(mostWarps, (l.block[0] * l.block[1] * l.block[2] + 31) / 32);
    const ptx::Launch& grid = s.run().launches[launch];
    std::vector<bool> within(std::size_t { grid.grid[0] } * grid.grid[1] * grid.grid[2] * mostWarps, false);
    std::optional<std::uint64_t> first, before, after, last;
    for (std::uint64_t k = from; k < to; ++k) {
        const ptx::Step& step = s.step(k);
        if (!m_any && (step.cta != m_cta || step.warp != m_warp))
            continue;
        const std::size_t who = std::size_t { step.cta } * mostWarps + step.warp;
        const bool here = pcs[step.pc];
        if (here && !within[who]) {
            if (!first)
                first = k;
            last = k;
            if (k < m_position)
                before = k;
            if (k > m_position && !after)
                after = k;
        }
        within[who] = here;
    }
    std::optional<std::uint64_t> found = forward ? after : before;
    if (!found && wraps)
        found = forward ? first : last;
    if (!found)
        return false;
    seek(*found);
    return true;
}

std::set<std::uint32_t> KernelState::pcsOf(const SourcePlace& place) const
{
    return m_subject ? pcsOf(place, m_now.launch) : std::set<std::uint32_t>();
}

std::set<std::uint32_t> KernelState::pcsOf(const SourcePlace& place, std::uint32_t launch) const
{
    std::set<std::uint32_t> out;
    const auto& chains = m_subject->chains[launch];
    for (std::uint32_t pc = 0; pc < chains.size(); ++pc) {
        for (const ptx::CudaLine& at : chains[pc]) {
            if (static_cast<int>(at.line) == place.line && fileName(at.file) == place.file)
                out.insert(pc);
        }
    }
    return out;
}

// In the launch under way first, then in those that lie on that side, then, where it wraps, in all of them.
bool KernelState::seekIn(
    const std::function<std::set<std::uint32_t>(std::uint32_t launch)>& wanted, bool forward, bool wraps)
{
    const auto launches = static_cast<int>(session().run().launches.size());
    const auto here = static_cast<int>(m_now.launch);
    for (int k = 0; k <= (wraps ? launches : forward ? launches - 1 - here : here); ++k) {
        const auto launch = static_cast<std::uint32_t>((here + (forward ? k : launches * 2 - k)) % launches);
        const std::set<std::uint32_t> some = wanted(launch);
        if (some.empty())
            continue;
        std::vector<bool> pcs(session().run().codes[launch]->instructions.size(), false);
        for (const std::uint32_t pc : some)
            pcs[pc] = true;
        if (seekAny(pcs, launch, forward, wraps && k > 0))
            return true;
    }
    return false;
}

bool KernelState::seekLine(const SourcePlace& place, bool forward)
{
    return m_subject && seekIn([&](std::uint32_t launch) { return pcsOf(place, launch); }, forward, true);
}

bool KernelState::seekPtxLine(std::uint32_t line, bool forward)
{
    const auto wanted = [&](std::uint32_t launch) {
        std::set<std::uint32_t> out;
        const auto& statements = session().run().codes[launch]->function->statements;
        for (std::uint32_t k = 0; k < statements.size(); ++k) {
            if (statements[k].line == line)
                out.insert(k);
        }
        return out;
    };
    return m_subject && seekIn(wanted, forward, true);
}

bool KernelState::seekBreakpoint(bool forward)
{
    const auto wanted = [&](std::uint32_t launch) {
        std::set<std::uint32_t> out;
        for (const SourcePlace& place : m_breakpoints)
            out.merge(pcsOf(place, launch));
        return out;
    };
    return m_subject && seekIn(wanted, forward, false);
}

void KernelState::toggleBreakpoint(const SourcePlace& place)
{
    if (m_breakpoints.erase(place) == 0)
        m_breakpoints.insert(place);
    emit marked();
}

bool KernelState::seekText(const QString& text, QString* why)
{
    const QString t = text.trimmed();
    const auto& findings = session().run().findings;
    bool ok = false;
    if (t == QStringLiteral("end")) {
        seek(end());
        return true;
    }
    if (t.startsWith(QStringLiteral("fault"))) {
        const int which = t.contains(QLatin1Char(':')) ? t.section(QLatin1Char(':'), 1).toInt(&ok) : (ok = true, 1);
        if (ok && which >= 1 && which <= static_cast<int>(findings.size())) {
            seekFinding(static_cast<std::size_t>(which - 1));
            return true;
        }
    } else if (t.startsWith(QStringLiteral("ptx:")) || t.startsWith(QStringLiteral("line:"))) {
        const int line = t.section(QLatin1Char(':'), 1).toInt(&ok);
        if (ok && line > 0
            && (t.startsWith(QLatin1Char('p')) ? seekPtxLine(static_cast<std::uint32_t>(line), true)
                                               : seekLine({ m_subject->plan->file, line }, true)))
            return true;
    } else if (t.endsWith(QStringLiteral("cy"))) {
        const qlonglong cycle = t.left(t.size() - 2).toLongLong(&ok);
        if (ok && cycle >= 0) {
            const std::uint64_t from = m_subject->firstSteps[m_now.launch];
            const std::uint64_t to = m_subject->firstSteps[m_now.launch + 1];
            std::uint64_t k = from;
            while (k < to
                && !(session().step(k).issued >= cycle
                    && (m_any || (session().step(k).cta == m_cta && session().step(k).warp == m_warp))))
                ++k;
            seek(k);
            return true;
        }
    } else {
        const qulonglong position = QString(t).remove(QChar(0x00a0)).remove(QLatin1Char(' ')).toULongLong(&ok);
        if (ok && position <= end()) {
            seek(position);
            return true;
        }
    }
    if (why != nullptr)
        *why = tr("0 … %1, end, 1200cy, fault:2, line:72 or ptx:518 that is executed").arg(end());
    return false;
}

void KernelState::seekFinding(std::size_t index)
{
    const ptx::Finding& finding = session().run().findings[index];
    if (!m_any) {
        m_cta = finding.party.cta;
        m_warp = finding.party.warp;
    }
    // Just before it: the instruction that is at fault is the current one.
    const std::uint64_t after = session().positionOf(finding);
    seek(after > 0 ? after - 1 : 0);
}

} // namespace flashstep::ui
