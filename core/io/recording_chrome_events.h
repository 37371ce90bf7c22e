// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/recording_builder.h"

#include <unordered_map>

namespace flashstep {

// One event of a Chrome trace as its members come, in any order.
struct ChromeEvent {
    using Text = Recording::Text;
    struct Scalar {
        enum class Kind : std::uint8_t { None, Text, Number } kind = Kind::None;
        Text text = 0; // as the file writes it
        Decimal number;
    };
    char phase = 0;
    bool endpointEnclosing = false;
    Text name = 0, category = 0, scope = 0;
    Scalar pid, tid, ts, dur, id, localId;
    // Of metadata events: args.name, args.sort_index.
    Text newName = 0;
    std::optional<std::int64_t> sortIndex;
    // Of counters: each argument is a line.
    std::vector<std::pair<Text, double>> series;
};

// Turns events into lanes, slices, arrows and counters.
class ChromeEvents {
public:
    explicit ChromeEvents(RecordingBuilder& builder);

    // Its arguments are in the builder.
    [[nodiscard]] Status take(const ChromeEvent& event);

private:
    using Text = Recording::Text;
    struct AsyncKey {
        std::uint64_t id = 0;
        Text pid = 0, category = 0, scope = 0, idText = 0;
        bool operator==(const AsyncKey&) const = default;
    };
    struct AsyncHash {
        std::size_t operator()(const AsyncKey& key) const;
    };

    [[nodiscard]] std::uint32_t processOf(Text pid);
    [[nodiscard]] std::uint32_t trackOf(const ChromeEvent& event);
    [[nodiscard]] Status timeOf(const ChromeEvent& event, std::int64_t& at);
    [[nodiscard]] Status complete(const ChromeEvent& event);
    [[nodiscard]] Status async(const ChromeEvent& event);
    void metadata(const ChromeEvent& event);
    void endInnermost(std::uint32_t track, std::int64_t at);
    [[nodiscard]] AsyncKey keyOf(const ChromeEvent& event);
    [[nodiscard]] std::uint64_t flowId(const ChromeEvent& event);
    void flow(const ChromeEvent& event, std::uint32_t track, std::int64_t at);

    RecordingBuilder& m_builder;
    std::unordered_map<Text, std::uint32_t> m_processes;
    std::unordered_map<std::uint64_t, std::uint32_t> m_tracks; // by process and tid
    std::vector<std::vector<std::uint32_t>> m_open; // by track: B without E
    std::vector<std::uint32_t> m_latest; // by track: the slice that the file had last
    std::unordered_map<AsyncKey, std::vector<std::uint32_t>, AsyncHash> m_asyncOpen;
    std::map<std::pair<Text, Text>, std::uint64_t> m_flowKinds; // by category and name
    std::unordered_map<Text, std::uint64_t> m_flowNames; // ids that are no numbers
};

} // namespace flashstep
