// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/recording_builder.h"

#include <unordered_map>

namespace flashstep {

// What a Perfetto file says once and means from there on: per sequence of packets the names that numbers stand for,
// defaults and clocks; for the whole file its tracks.

// Numbers are small where tools write them, and anything where they do not.
class InternedNames {
public:
    void clear()
    {
        m_near.clear();
        m_far.clear();
    }
    void set(std::uint64_t iid, Recording::Text text);
    [[nodiscard]] std::optional<Recording::Text> find(std::uint64_t iid) const;

private:
    std::vector<Recording::Text> m_near; // by iid; none where there is nothing
    std::unordered_map<std::uint64_t, Recording::Text> m_far;
};

struct PerfettoClock {
    std::uint64_t id = 0;
    std::uint64_t multiplier = 1;
    bool incremental = false;
    std::uint64_t current = 0; // of an incremental one
    std::int64_t offset = 0; // to the file's own time, in ns
};

struct PerfettoSequence {
    InternedNames names, categories, annotationNames, strings, sourceFiles;
    std::vector<PerfettoClock> clocks;
    std::uint64_t defaultClock = 0; // 0: the file's own
    std::uint64_t defaultTrack = 0;
    std::uint64_t pid = 0, tid = 0; // of its thread descriptor
    std::int64_t referenceUs = 0; // of the times of legacy events
    std::uint32_t process = Recording::none;

    void clearState();
    [[nodiscard]] PerfettoClock* clock(std::uint64_t id);
};

// A track as its descriptor has it; descriptors may come late, and more than once.
struct PerfettoTrack {
    std::uint64_t uuid = 0, parent = 0;
    Recording::Text name = 0;
    bool isProcess = false, isThread = false, isCounter = false, incrementalCounter = false;
    std::uint64_t pid = 0, tid = 0;
    Recording::Text processName = 0, threadName = 0, unit = 0;
    double multiplier = 1, counterTotal = 0;
    std::int64_t order = 0;
    bool hasOrder = false;
    std::uint32_t lane = Recording::none; // of the builder, once something happens on it
    std::vector<std::uint32_t> open; // slices that have begun on it
    std::vector<std::uint32_t> samples; // of a counter: numbers in the builder
    std::uint32_t counter = Recording::none;
};

} // namespace flashstep
