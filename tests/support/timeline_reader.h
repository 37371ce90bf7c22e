// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace flashstep::test {

// What an exported timeline comes down to, read by decoders that share nothing with the writers. They also look at
// what any reader needs: nesting, order of time, ends that match.
struct ReadSlice {
    std::string process, track, name;
    std::int64_t begin = 0, end = 0; // nanoseconds
    std::map<std::string, std::string> arguments;
    [[nodiscard]] auto key() const { return std::tie(process, track, name, begin, end); }
    bool operator<(const ReadSlice& other) const { return key() < other.key(); }
};

// One end of an arrow: when, at which place of the file, in which slice.
struct ReadFlowEnd {
    std::int64_t at = 0;
    std::size_t place = 0;
    std::string slice; // "process/track/name"; of Perfetto files
    bool operator<(const ReadFlowEnd& other) const { return std::tie(at, place) < std::tie(other.at, other.place); }
};

struct ReadTimeline {
    std::vector<ReadSlice> slices;
    std::multimap<std::uint64_t, ReadFlowEnd> flowStarts, flowEnds;
    std::map<std::string, std::vector<std::pair<std::int64_t, double>>> counters;
    std::map<std::string, std::vector<std::pair<std::int64_t, std::string>>> marks; // by process and track
    std::size_t asynchronous = 0; // slices that are asynchronous events
};

[[nodiscard]] ReadTimeline readPerfettoBytes(const std::string& bytes);
[[nodiscard]] ReadTimeline readChromeText(const std::string& text);

// Every arrow leaves one slice and reaches one other, later in time or, at the same time, later in the file.
void expectFlowsMatch(const ReadTimeline& timeline);

} // namespace flashstep::test
