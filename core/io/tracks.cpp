// SPDX-License-Identifier: Apache-2.0
#include "core/io/tracks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace flashstep {

namespace {

constexpr std::size_t ownLine = engineCount;
constexpr int linesPerRole = 64; // in the order of lines: room for each engine's lanes

std::size_t slotOf(const Span& span)
{
    return span.engine ? static_cast<std::size_t>(*span.engine) : ownLine;
}

} // namespace

void Tracks::enter()
{
    m_role = RoleId::none();
    m_used.fill(0);
    m_count = 0;
    for (std::vector<Lane>& lanes : m_lanes)
        lanes.clear();
}

std::string Tracks::nameOf(const Span& span)
{
    const std::size_t slot = slotOf(span);
    if (slot == ownLine)
        return m_program.roles[span.op->role.index()].name;
    const int lane = ++m_used[slot];
    return lane == 1 ? std::string(name(*span.engine)) : fmt::format("{} (lane {})", name(*span.engine), lane);
}

Tracks::Place Tracks::place(const Span& span)
{
    if (span.op->role != m_role) {
        for (std::vector<Lane>& lanes : m_lanes)
            lanes.clear();
        m_role = span.op->role;
    }
    std::vector<Lane>& lanes = m_lanes[slotOf(span)];
    const auto free
        = std::find_if(lanes.begin(), lanes.end(), [&](const Lane& lane) { return lane.busyUntil <= span.begin; });
    if (free != lanes.end()) {
        free->busyUntil = span.end;
        return { free->track, false };
    }
    const int engineOrder = slotOf(span) == ownLine
        ? 0
        : 1 + static_cast<int>(slotOf(span)) * 8 + std::min(static_cast<int>(lanes.size()), 7);
    const int order = static_cast<int>(span.op->role.index()) * linesPerRole + engineOrder;
    lanes.push_back({ { nameOf(span), order, ++m_count }, span.end });
    return { lanes.back().track, true };
}

std::string processName(const Trace& trace, CtaId cta)
{
    return fmt::format("CTA {} · SM {}", cta.index(), trace.span(cta).sm);
}

void appendTile(std::string& out, const Span& span)
{
    const auto number = [&](int value) {
        std::array<char, 12> digits {};
        out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
    };
    if (span.j < 0 && !span.engine)
        return;
    out += " (";
    number(span.i);
    if (span.j >= 0) {
        out += ", ";
        number(span.j);
    }
    out += ')';
}

} // namespace flashstep
