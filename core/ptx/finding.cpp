// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/finding.h"

#include "core/ptx/code.h"

#include <algorithm>

namespace flashstep::ptx {

std::string_view name(Fault fault)
{
    switch (fault) {
    case Fault::Race:
        return "race";
    case Fault::UninitialisedRead:
        return "uninitialised-read";
    case Fault::OutOfRange:
        return "out-of-range";
    case Fault::Misaligned:
        return "misaligned";
    case Fault::CopyNotWaited:
        return "copy-not-waited";
    case Fault::CopyInFlightAtExit:
        return "copy-in-flight-at-exit";
    case Fault::DivergentCollective:
        return "divergent-collective";
    case Fault::BarrierMisuse:
        return "barrier-misuse";
    case Fault::Trap:
        return "trap";
    case Fault::Limit:
        return "limit";
    }
    return "";
}

char classOf(Fault fault)
{
    switch (fault) {
    case Fault::Race:
        return 'l';
    case Fault::UninitialisedRead:
        return 'm';
    case Fault::OutOfRange:
    case Fault::Misaligned:
        return 'n';
    case Fault::CopyNotWaited:
        return 'o';
    case Fault::CopyInFlightAtExit:
        return 'k';
    case Fault::DivergentCollective:
        return 'j';
    default:
        return 0;
    }
}

bool Findings::samePlace(std::uint32_t pc, std::uint32_t other) const
{
    if (pc == other || m_code == nullptr)
        return pc == other;
    std::uint32_t a = m_code->statementAt(pc).location, b = m_code->statementAt(other).location;
    if (a == none || b == none)
        return false;
    while (a != none && b != none && a != b) {
        const Location& one = m_code->module->locations[a];
        const Location& two = m_code->module->locations[b];
        if (one.file != two.file || one.line != two.line)
            return false;
        a = one.inlinedAt;
        b = two.inlinedAt;
    }
    return a == b;
}

void Findings::add(Finding finding)
{
    const auto same = [&](const Finding& known) {
        return known.fault == finding.fault && known.launch == finding.launch
            && samePlace(known.party.pc, finding.party.pc) && known.other.has_value() == finding.other.has_value()
            && (!known.other || samePlace(known.other->pc, finding.other->pc));
    };
    if (std::none_of(m_all.begin(), m_all.end(), same))
        m_all.push_back(std::move(finding));
}

} // namespace flashstep::ptx
