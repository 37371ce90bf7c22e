// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/written.h"

#include "core/ptx/touching.h"

namespace flashstep::ptx {

Result<Written> Written::make(KernelSession& session, const Progress& progress)
{
    Written out;
    for (std::uint64_t k = 0; k < session.end(); ++k) {
        if (k % 16384 == 0) {
            if (progress.cancelled())
                return Error { "cancelled", {}, {} };
            progress.at(static_cast<double>(k) / static_cast<double>(session.end()));
        }
        const Step& step = session.step(k);
        const std::uint32_t launch = session.launchOf(k);
        const Code& code = *session.run().codes[launch];
        const Instruction& i = code.instructions[step.pc];
        const auto after = static_cast<std::uint32_t>(k + 1);
        if (i.writesCount > 0 && step.mask != 0) {
            auto& registers = out.m_registers[{ launch, step.cta, step.warp }];
            registers.resize(code.places.size());
            for (std::uint32_t w = 0; w < i.writesCount; ++w) {
                std::vector<Change>& changes = registers[code.uses[i.writesFirst + w]];
                const std::uint32_t before = changes.empty() ? 0 : changes.back().lanes;
                if ((step.mask & ~before) != 0)
                    changes.push_back({ after, before | step.mask });
            }
        }
        const bool mayWriteShared = i.unit == Unit::Shared || i.unit == Unit::Copy || i.unit == Unit::Global;
        if (!mayWriteShared || i.flow == Flow::Wait || step.mask == 0)
            continue;
        const Cta* cta = session.at(k).resident(step.cta);
        if (cta == nullptr)
            continue;
        const Touched touched = touchingOf(code, step.pc, cta->warps[step.warp], step.mask).touched;
        if (touched.mask == 0 || touched.space != Space::Shared || touched.touch == Touch::Read)
            continue;
        std::vector<std::uint32_t>& first = out.m_shared[{ launch, step.cta }];
        first.resize((cta->shared.size() + 1) / 2, none);
        out.noteShared(first, touched, after);
    }
    return out;
}

void Written::noteShared(std::vector<std::uint32_t>& first, const Touched& touched, std::uint32_t position)
{
    for (std::size_t lane = 0; lane < 32; ++lane) {
        const std::uint64_t address = touched.addresses[lane];
        if ((touched.mask >> lane & 1U) == 0 || address < sharedStart)
            continue;
        for (std::uint64_t half = (address - sharedStart) / 2;
             half < (address - sharedStart + touched.bytes + 1) / 2 && half < first.size(); ++half)
            first[half] = std::min(first[half], position);
    }
}

std::uint32_t Written::lanes(
    std::uint32_t launch, std::uint32_t cta, std::uint32_t warp, std::uint32_t number, std::uint64_t position) const
{
    const auto found = m_registers.find({ launch, cta, warp });
    if (found == m_registers.end() || number >= found->second.size())
        return 0;
    std::uint32_t lanes = 0;
    for (const Change& change : found->second[number]) { // at most one for each lane
        if (change.position > position)
            break;
        lanes = change.lanes;
    }
    return lanes;
}

bool Written::shared(std::uint32_t launch, std::uint32_t cta, std::uint64_t offset, std::uint64_t position) const
{
    const auto found = m_shared.find({ launch, cta });
    if (found == m_shared.end() || offset < sharedStart)
        return false;
    const std::uint64_t half = (offset - sharedStart) / 2;
    return half < found->second.size() && found->second[half] <= position;
}

} // namespace flashstep::ptx
