// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording_perfetto_state.h"

#include <algorithm>

namespace flashstep {

namespace {

constexpr std::uint64_t nearest = 4096; // numbers up to here may lie in a row
constexpr std::size_t widestGap = 16; // so many may be missing: a single large number takes no room for those below it

} // namespace

void InternedNames::set(std::uint64_t iid, Recording::Text text)
{
    if (iid >= nearest || iid > m_near.size() + widestGap) {
        m_far[iid] = text;
        return;
    }
    if (iid >= m_near.size())
        m_near.resize(iid + 1, Recording::none);
    m_near[iid] = text;
}

std::optional<Recording::Text> InternedNames::find(std::uint64_t iid) const
{
    if (iid < m_near.size() && m_near[iid] != Recording::none)
        return m_near[iid];
    const auto found = m_far.find(iid);
    return found == m_far.end() ? std::nullopt : std::optional(found->second);
}

void PerfettoSequence::clearState()
{
    for (InternedNames* each : { &names, &categories, &annotationNames, &strings, &sourceFiles })
        each->clear();
    clocks.clear();
    defaultClock = defaultTrack = 0;
}

PerfettoClock* PerfettoSequence::clock(std::uint64_t id)
{
    const auto found = std::find_if(clocks.begin(), clocks.end(), [&](const PerfettoClock& c) { return c.id == id; });
    return found == clocks.end() ? nullptr : &*found;
}

} // namespace flashstep
