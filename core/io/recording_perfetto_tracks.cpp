// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording_perfetto_tracks.h"

#include <set>
#include <string>

namespace flashstep {

namespace {
constexpr int mostAncestors = 16;
constexpr std::size_t longestName = 256; // with those of its ancestors, which many tracks may share
} // namespace

PerfettoTrack& PerfettoTracks::at(std::uint64_t uuid)
{
    if (m_last && m_last->uuid == uuid)
        return *m_last;
    const auto [found, isNew] = m_byUuid.emplace(uuid, nullptr);
    if (isNew) {
        found->second = &m_tracks.emplace_back();
        found->second->uuid = uuid;
    }
    m_last = found->second;
    return *m_last;
}

PerfettoTrack& PerfettoTracks::ofThread(std::uint64_t pid, std::uint64_t tid)
{
    const auto [found, isNew] = m_byThread.emplace(std::pair(pid, tid), nullptr);
    if (isNew) {
        found->second = &m_tracks.emplace_back();
        found->second->isThread = true;
        found->second->pid = pid;
        found->second->tid = tid;
    }
    return *found->second;
}

std::uint32_t PerfettoTracks::laneOf(PerfettoTrack& track)
{
    if (track.lane == Recording::none)
        track.lane = m_builder.addTrack(0, 0); // its process is known at the end
    return track.lane;
}

std::uint32_t PerfettoTracks::counterOf(PerfettoTrack& track)
{
    if (track.counter == Recording::none) // told apart by a number until its name is known
        track.counter = m_builder.counter(static_cast<std::uint32_t>(m_builder.soFar().counters().size()), 0, 0);
    return track.counter;
}

const PerfettoTrack* PerfettoTracks::parentOf(const PerfettoTrack& track) const
{
    const auto found = track.parent == 0 ? m_byUuid.end() : m_byUuid.find(track.parent);
    return found == m_byUuid.end() || found->second == &track ? nullptr : found->second;
}

std::uint32_t PerfettoTracks::processOfPid(std::uint64_t pid)
{
    const auto [found, isNew] = m_processes.emplace(pid, 0U);
    if (isNew)
        found->second = m_builder.addProcess(m_builder.text(std::to_string(pid)));
    return found->second;
}

std::uint32_t PerfettoTracks::processOf(const PerfettoTrack& track)
{
    const PerfettoTrack* at = &track;
    for (int k = 0; at && k < mostAncestors; ++k, at = parentOf(*at))
        if (at->isProcess || at->isThread)
            return processOfPid(at->pid);
    if (!m_nameless) { // tracks of no process
        std::uint64_t pid = 0;
        while (m_processes.contains(pid))
            ++pid;
        m_nameless = processOfPid(pid);
    }
    return *m_nameless;
}

// Its own, behind those of the tracks between it and its process.
Recording::Text PerfettoTracks::nameOf(const PerfettoTrack& track)
{
    const auto own = [&](const PerfettoTrack& which) {
        for (const Recording::Text name : { which.name, which.threadName, which.processName })
            if (name != 0)
                return std::string(m_builder.textOf(name));
        return which.isThread ? "thread " + std::to_string(which.tid) : "track " + std::to_string(which.uuid);
    };
    std::string name = own(track);
    const PerfettoTrack* at = track.isProcess ? nullptr : parentOf(track);
    for (int k = 0; at && !at->isProcess && k < mostAncestors && name.size() < longestName; ++k, at = parentOf(*at))
        name = own(*at).substr(0, longestName) + " \xE2\x80\xBA " + name;
    return m_builder.text(name);
}

std::int64_t PerfettoTracks::orderOf(const PerfettoTrack& track) const
{
    const PerfettoTrack* parent = track.isProcess ? nullptr : parentOf(track);
    if (!parent || parent->isProcess)
        return track.isProcess ? -1 : track.order;
    constexpr std::int64_t room = 1 << 20;
    return parent->order * room + std::min(track.order, room - 1);
}

void PerfettoTracks::resolve()
{
    for (const PerfettoTrack& track : m_tracks)
        if (track.isProcess) {
            Recording::Process& process = m_builder.process(processOfPid(track.pid));
            const Recording::Text name = track.processName != 0 ? track.processName : track.name;
            process.name = name != 0 ? name : process.name;
            process.order = track.hasOrder ? track.order : process.order;
        }
    std::set<std::pair<std::uint32_t, std::uint64_t>> taken;
    for (const PerfettoTrack& track : m_tracks)
        if (track.isThread)
            taken.emplace(processOf(track), track.tid);
    std::map<std::uint32_t, std::uint64_t> next; // by process
    for (const PerfettoTrack& track : m_tracks) {
        if (track.counter != Recording::none) {
            Recording::Counter& counter = m_builder.counterAt(track.counter);
            counter.process = processOf(track);
            counter.name = nameOf(track);
            counter.unit = track.unit;
        }
        if (track.lane == Recording::none)
            continue;
        const std::uint32_t process = processOf(track);
        std::uint64_t tid = track.tid;
        if (!track.isThread) {
            while (!taken.emplace(process, ++next[process]).second) { }
            tid = next[process];
        }
        Recording::Track& lane = m_builder.track(track.lane);
        lane.process = process;
        lane.tid = m_builder.text(std::to_string(tid));
        lane.name = nameOf(track);
        lane.order = orderOf(track);
    }
    for (std::uint32_t k = 0; k < m_builder.soFar().processes().size(); ++k)
        if (Recording::Process& process = m_builder.process(k); process.name == 0)
            process.name = process.pid;
}

} // namespace flashstep
