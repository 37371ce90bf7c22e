// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/recording_perfetto_state.h"

#include <deque>
#include <map>

namespace flashstep {

// The tracks of a Perfetto file, which may be described after they are used; at the end they become the processes and
// lanes of a recording.
class PerfettoTracks {
public:
    explicit PerfettoTracks(RecordingBuilder& builder)
        : m_builder(builder)
    {
    }

    [[nodiscard]] PerfettoTrack& at(std::uint64_t uuid);
    // Of a legacy event, which has a thread and no track.
    [[nodiscard]] PerfettoTrack& ofThread(std::uint64_t pid, std::uint64_t tid);
    [[nodiscard]] std::uint32_t laneOf(PerfettoTrack& track);
    [[nodiscard]] std::uint32_t counterOf(PerfettoTrack& track);
    [[nodiscard]] std::size_t count() const { return m_tracks.size(); }

    void resolve();

private:
    [[nodiscard]] const PerfettoTrack* parentOf(const PerfettoTrack& track) const;
    [[nodiscard]] std::uint32_t processOf(const PerfettoTrack& track);
    [[nodiscard]] std::uint32_t processOfPid(std::uint64_t pid);
    [[nodiscard]] Recording::Text nameOf(const PerfettoTrack& track);
    [[nodiscard]] std::int64_t orderOf(const PerfettoTrack& track) const;

    RecordingBuilder& m_builder;
    std::deque<PerfettoTrack> m_tracks; // in order of appearance; they stay where they are
    std::unordered_map<std::uint64_t, PerfettoTrack*> m_byUuid;
    std::map<std::pair<std::uint64_t, std::uint64_t>, PerfettoTrack*> m_byThread;
    std::map<std::uint64_t, std::uint32_t> m_processes; // by pid
    std::optional<std::uint32_t> m_nameless;
    PerfettoTrack* m_last = nullptr;
};

} // namespace flashstep
