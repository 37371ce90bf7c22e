// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/proto_reader.h"
#include "core/io/recording_perfetto_tracks.h"

namespace flashstep {

// Takes the parts of packets: names and defaults of their sequence, descriptions of tracks, events. Each gives false
// where the message is damaged.
class PerfettoEvents {
public:
    PerfettoEvents(RecordingBuilder& builder, PerfettoTracks& tracks)
        : m_builder(builder)
        , m_tracks(tracks)
    {
    }

    [[nodiscard]] bool interned(std::string_view bytes, PerfettoSequence& sequence);
    [[nodiscard]] bool defaults(std::string_view bytes, PerfettoSequence& sequence);
    [[nodiscard]] bool process(std::string_view bytes, PerfettoSequence& sequence);
    [[nodiscard]] bool thread(std::string_view bytes, PerfettoSequence& sequence);
    [[nodiscard]] bool descriptor(std::string_view bytes);
    [[nodiscard]] bool event(std::string_view bytes, std::optional<std::int64_t> at, PerfettoSequence& sequence);
    // What FlashStep's own export says of itself on its line "run".
    void tellOwn();

private:
    using Text = Recording::Text;
    struct Event {
        std::uint64_t type = 0, track = 0;
        bool hasTrack = false;
        Text name = 0, category = 0;
        std::optional<double> counterValue;
        std::vector<std::pair<std::uint64_t, bool>> flows; // id, and whether it ends here
        std::string_view legacy;
        std::optional<std::int64_t> deltaUs, absoluteUs;
    };
    struct Legacy {
        int phase = 0;
        std::int64_t durationUs = 0;
        std::optional<std::uint64_t> pid, tid;
        std::uint64_t nameIid = 0;
    };

    [[nodiscard]] bool nameInto(std::string_view bytes, InternedNames& names);
    [[nodiscard]] bool sourceInto(std::string_view bytes, InternedNames& names);
    [[nodiscard]] Text named(const InternedNames& names, std::uint64_t iid);
    [[nodiscard]] bool annotation(std::string_view bytes, PerfettoSequence& sequence);
    void json(std::string& out, std::string_view bytes, PerfettoSequence& sequence, int depth);
    void addFlows(const ProtoReader& in, bool isFixed, bool ends);
    void addCategory(Text category);
    [[nodiscard]] bool takeLegacy(std::string_view bytes, Legacy& legacy) const;
    [[nodiscard]] bool legacyEvent(std::optional<std::int64_t> at, PerfettoSequence& sequence);
    void slice(PerfettoTrack& track, std::int64_t at);
    void sliceEnd(PerfettoTrack& track, std::int64_t at);
    void bind(std::uint32_t lane, std::uint32_t slice, std::int64_t at);

    RecordingBuilder& m_builder;
    PerfettoTracks& m_tracks;
    Event m_event;
};

} // namespace flashstep
