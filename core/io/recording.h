// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flashstep {

// What a time in a recording counts. Nothing is assumed: where the file does not say how long a unit lasts, `known` is
// false and no duration is shown in seconds.
struct RecordingClock {
    enum class Unit : std::uint8_t { Microseconds, Ticks } unit = Unit::Microseconds;
    int decimals = 3; // Microseconds: a unit is 10^-decimals of one, 3 for nanoseconds
    double tickRateHz = 0; // Ticks
    bool known = false;
    std::string statement; // in words, for people

    [[nodiscard]] double perSecond() const; // units in a second; 0 where that is not known
    [[nodiscard]] std::string unitName() const; // "ns", "ticks", "units of the file's ts / 1 000"
    bool operator==(const RecordingClock&) const = default;
};

enum class RecordingFormat : std::uint8_t { OwnRecording, ChromeJson, Perfetto };
[[nodiscard]] std::string_view name(RecordingFormat source); // "recording", "chrome-json", "perfetto"

// A timeline read back from a file: lanes of slices, with what the file says about where they come from. Immutable once
// read. Texts are kept once, arguments as columns: an event takes 48 bytes, an argument 8.
class Recording {
public:
    using Text = std::uint32_t; // an index of text()

    struct Process {
        Text name = 0, pid = 0;
        std::int64_t order = 0;
    };
    // A lane. Its slices and instants stand in a row in slices() and instants(), by begin.
    struct Track {
        std::uint32_t process = 0;
        Text name = 0, tid = 0;
        std::int64_t order = 0;
        std::uint32_t firstSlice = 0, slices = 0, firstInstant = 0, instants = 0;
        std::uint32_t rows = 1; // as many as slices lie above each other, nested or overlapping
        bool async = false; // slices may overlap without being nested
    };
    struct Slice {
        std::int64_t begin = 0, end = 0; // in the clock's unit; equal for an instant
        std::uint32_t track = 0;
        Text name = 0, category = 0;
        std::uint32_t shape = 0; // which arguments it has
        std::uint32_t firstValue = 0; // and where their values are
        std::uint16_t row = 0;
        bool open = false; // it never ended; `end` is the end of the file's time
    };
    struct FlowEnd {
        enum class Kind : std::uint8_t { Start, Step, End } kind = Kind::Start;
        std::uint32_t slice = none; // of slices()
        std::uint64_t id = 0;
        std::int64_t at = 0;
    };
    struct Counter {
        std::uint32_t process = 0;
        Text name = 0, unit = 0;
        std::uint32_t firstSample = 0, samples = 0;
    };
    struct Sample {
        std::int64_t at = 0;
        double value = 0;
    };
    static constexpr std::uint32_t none = ~0U;

    struct Argument {
        enum class Type : std::uint8_t { Integer, Unsigned, Real, Boolean, Text, Nested } type = Type::Integer;
        std::string_view key, text; // Text, Nested: JSON
        std::int64_t integer = 0; // Integer, Boolean
        std::uint64_t natural = 0; // Unsigned
        double real = 0;
    };

    [[nodiscard]] RecordingFormat source() const { return m_source; }
    [[nodiscard]] const std::string& writer() const { return m_writer; } // "Proton"; empty where the file does not tell
    [[nodiscard]] const RecordingClock& clock() const { return m_clock; }
    // What the file says of itself: keys and JSON values, in its order. metadataText: a string, or a number as text.
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& metadata() const { return m_metadata; }
    [[nodiscard]] std::string metadataText(std::string_view key, std::string_view inside = {}) const;
    // What the file lacks, or what was left out of it.
    [[nodiscard]] const std::vector<std::string>& notes() const { return m_notes; }

    // Only a file that names device, driver and the kernel's hash is shown as measured.
    [[nodiscard]] bool measured() const;
    [[nodiscard]] bool modelled() const; // written by FlashStep's emulator
    // "measured on NVIDIA H200", "modelled: …", "not shown as measured: …".
    [[nodiscard]] std::string standing() const;

    [[nodiscard]] std::span<const Process> processes() const { return m_processes; }
    [[nodiscard]] std::span<const Track> tracks() const { return m_tracks; } // in the order to be shown
    [[nodiscard]] std::span<const Slice> slices() const { return m_slices; } // track by track
    [[nodiscard]] std::span<const Slice> instants() const { return m_instants; }
    [[nodiscard]] std::span<const FlowEnd> flowEnds() const { return m_flowEnds; } // by id, then time
    [[nodiscard]] std::span<const Counter> counters() const { return m_counters; }
    [[nodiscard]] std::span<const Sample> samples() const { return m_samples; }
    [[nodiscard]] std::span<const Slice> slicesOf(const Track& track) const
    {
        return slices().subspan(track.firstSlice, track.slices);
    }
    [[nodiscard]] std::span<const Slice> instantsOf(const Track& track) const
    {
        return instants().subspan(track.firstInstant, track.instants);
    }
    [[nodiscard]] std::span<const Sample> samplesOf(const Counter& counter) const
    {
        return samples().subspan(counter.firstSample, counter.samples);
    }

    [[nodiscard]] std::string_view text(Text id) const
    {
        return std::string_view(m_characters).substr(m_textEnds[id], m_textEnds[id + 1] - m_textEnds[id]);
    }
    [[nodiscard]] std::size_t texts() const { return m_textEnds.size() - 1; }
    [[nodiscard]] std::size_t argumentCount(const Slice& slice) const
    {
        return m_shapeEnds[slice.shape + 1] - m_shapeEnds[slice.shape];
    }
    [[nodiscard]] Argument argument(const Slice& slice, std::size_t k) const;
    // An integer argument, or one that is a whole number; `otherwise` where there is none.
    [[nodiscard]] std::int64_t integer(const Slice& slice, std::string_view key, std::int64_t otherwise) const;
    [[nodiscard]] std::string_view textOf(const Slice& slice, std::string_view key) const; // empty: none

    // "CTA 0 · SM 3 / tensor"
    [[nodiscard]] std::string laneName(const Track& track) const;
    [[nodiscard]] std::int64_t begin() const { return m_begin; } // of the first and the last thing that has a time
    [[nodiscard]] std::int64_t end() const { return m_end; }
    [[nodiscard]] std::uint64_t bytes() const; // of memory

private:
    friend class RecordingBuilder;
    friend bool sameContent(const Recording& a, const Recording& b);

    RecordingFormat m_source = RecordingFormat::ChromeJson;
    std::string m_writer;
    RecordingClock m_clock;
    std::vector<std::pair<std::string, std::string>> m_metadata;
    std::vector<std::string> m_notes;
    std::vector<Process> m_processes;
    std::vector<Track> m_tracks;
    std::vector<Slice> m_slices, m_instants;
    std::vector<FlowEnd> m_flowEnds;
    std::vector<Counter> m_counters;
    std::vector<Sample> m_samples;
    std::string m_characters;
    std::vector<std::uint32_t> m_textEnds { 0, 0 }; // text 0 is empty
    std::vector<std::uint32_t> m_shapes; // key << 3 | type
    std::vector<std::uint32_t> m_shapeEnds { 0, 0 }; // shape 0 has no arguments
    std::vector<std::uint64_t> m_values;
    std::int64_t m_begin = 0, m_end = 0;
};

// Whether two recordings tell the same, however their texts are numbered.
[[nodiscard]] bool sameContent(const Recording& a, const Recording& b);

} // namespace flashstep
