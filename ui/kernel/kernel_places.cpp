// SPDX-License-Identifier: GPL-3.0-or-later
// Where the instructions of a kernel stand in its texts, and what is pointed at there.
#include "ui/kernel/kernel_state.h"

namespace flashstep::ui {

std::string KernelState::fileName(std::uint32_t file) const
{
    const auto& files = m_subject->module->files;
    return file < files.size() ? files[file] : std::string();
}

const CudaChain& KernelState::chain(std::uint32_t pc) const
{
    return m_subject->chains[m_now.launch][pc];
}

SourcePlace KernelState::ownPlace(std::uint32_t pc) const
{
    if (pc >= m_now.code->instructions.size())
        return {};
    const ptx::CudaLine at = ptx::kernelLineOf(*m_now.code, pc, m_subject->plan->file);
    return { fileName(at.file), static_cast<int>(at.line) };
}

SourcePlace KernelState::innerPlace(std::uint32_t pc) const
{
    if (pc >= m_now.code->instructions.size())
        return {};
    const ptx::CudaLine at = ptx::cudaLineOf(*m_now.code, pc);
    return { fileName(at.file), static_cast<int>(at.line) };
}

std::uint32_t KernelState::ptxLine(std::uint32_t pc) const
{
    return pc < m_now.code->instructions.size() ? m_now.code->statementAt(pc).line : 0;
}

std::uint32_t KernelState::pcOfPtxLine(std::uint32_t line) const
{
    const auto& statements = m_now.code->function->statements;
    for (std::uint32_t k = 0; k < statements.size(); ++k) {
        if (statements[k].line == line)
            return k;
    }
    return ptx::none;
}

std::optional<std::uint64_t> KernelState::nextStepOf(std::uint32_t warp) const
{
    return nextStep(m_now.cta, warp);
}

std::uint32_t KernelState::pcOf(std::uint32_t warp) const
{
    if (const auto next = nextStep(m_now.cta, warp))
        return session().step(*next).pc;
    if (m_now.block == nullptr || warp >= m_now.block->warps.size())
        return ptx::none;
    const ptx::Warp& w = m_now.block->warps[warp];
    return w.finished() || w.splits.empty() ? ptx::none : w.splits[0].pc;
}

ptx::RegisterKind KernelState::kindOf(std::uint32_t number) const
{
    return m_subject->kinds[m_now.launch][number];
}

std::uint32_t KernelState::writtenLanes(std::uint32_t number) const
{
    return m_subject->written.lanes(m_now.launch, m_now.cta, m_now.warp, number, m_position);
}

void KernelState::point(std::set<std::uint32_t> pcs)
{
    if (pcs == m_pointed)
        return;
    m_pointed = std::move(pcs);
    emit looked();
}

void KernelState::pointLane(int lane)
{
    if (lane == m_lane)
        return;
    m_lane = lane;
    emit looked();
}

} // namespace flashstep::ui
