// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/io/recording.h"

#include <array>
#include <map>
#include <optional>
#include <unordered_map>

namespace flashstep {

// A decimal number as a file writes it: digits x 10^exponent. Exact, where a double would not be.
struct Decimal {
    std::int64_t digits = 0;
    int exponent = 0;
};
// JSON's numbers. Of more than 18 digits those that do not fit are dropped; nothing where it is no number.
[[nodiscard]] std::optional<Decimal> decimalFrom(std::string_view text);

// Puts a recording together in the order in which a file tells it. What the readers share: texts kept once, arguments
// by shape, slices matched, lanes put in order, arrows bound to slices, losses counted.
class RecordingBuilder {
public:
    using Text = Recording::Text;
    enum class Loss : std::uint8_t {
        NeverEnded,
        EndWithoutBegin,
        EndBeforeBegin,
        NegativeDuration,
        NoDuration,
        UnboundFlow,
        LoneFlow,
        RoundedTime,
        CutText,
        CutArgument,
        UnknownName,
        OtherPhase,
        Dropped,
        Compressed,
        OtherPackets,
        NoTicks,
        NoTime,
        Deep,
        Count
    };

    explicit RecordingBuilder(RecordingFormat source);

    [[nodiscard]] Text text(std::string_view bytes);
    [[nodiscard]] std::string_view textOf(Text id) const { return m_out.text(id); }
    // Beyond what the columns can number; the reader stops with an error.
    [[nodiscard]] bool full() const;

    // Of microseconds; finer decimals than so far change what a unit is. False where it does not fit.
    [[nodiscard]] bool time(const Decimal& microseconds, std::int64_t& units);
    [[nodiscard]] bool finer(int decimals); // false where what was read does not fit

    [[nodiscard]] std::uint32_t addProcess(Text pid);
    [[nodiscard]] std::uint32_t addTrack(std::uint32_t process, Text tid);
    [[nodiscard]] Recording::Process& process(std::uint32_t k) { return m_out.m_processes[k]; }
    [[nodiscard]] Recording::Track& track(std::uint32_t k) { return m_out.m_tracks[k]; }
    [[nodiscard]] std::size_t trackCount() const { return m_out.m_tracks.size(); }

    // The arguments of what is added next.
    void clearArguments();
    void integer(Text key, std::int64_t value);
    void natural(Text key, std::uint64_t value);
    void real(Text key, double value);
    void boolean(Text key, bool value);
    void word(Text key, Text value, bool json = false);

    // Gives the slice's number, by which it is ended. A second set of arguments is added to the first.
    std::uint32_t begin(std::uint32_t track, std::int64_t at, Text name, Text category, bool async);
    void end(std::uint32_t slice, std::int64_t at);
    [[nodiscard]] std::int64_t beginOf(std::uint32_t slice) const { return m_out.m_slices[slice].begin; }
    [[nodiscard]] bool holds(std::uint32_t slice, std::int64_t at) const
    {
        const Recording::Slice& s = m_out.m_slices[slice];
        return s.begin <= at && (s.open || at <= s.end);
    }
    void instant(std::uint32_t track, std::int64_t at, Text name, Text category);
    // `slice`: none where only the time says which; `ends`: the file calls it the last of its arrow.
    void flow(std::uint32_t track, std::uint32_t slice, std::uint64_t id, std::int64_t at,
        std::optional<Recording::FlowEnd::Kind> kind, bool ends);
    [[nodiscard]] std::uint32_t counter(std::uint32_t process, Text name, Text unit);
    [[nodiscard]] Recording::Counter& counterAt(std::uint32_t k) { return m_out.m_counters[k]; }
    void sample(std::uint32_t counter, std::int64_t at, double value);

    void lose(Loss loss) { ++m_lost[static_cast<std::size_t>(loss)]; }
    void note(std::string line) { m_out.m_notes.push_back(std::move(line)); }
    void metadata(std::string key, std::string json);
    [[nodiscard]] std::string metadataText(std::string_view key, std::string_view inside = {}) const
    {
        return m_out.metadataText(key, inside);
    }
    [[nodiscard]] std::string takeMetadata(std::string_view key); // and it is there no more; empty: it never was
    [[nodiscard]] const Recording& soFar() const { return m_out; }
    void setWriter(std::string writer) { m_out.m_writer = std::move(writer); }
    void setClock(RecordingClock clock) { m_out.m_clock = std::move(clock); }
    void setSource(RecordingFormat source) { m_out.m_source = source; }
    // Of a file that was imported before: what was said of it then stands, whatever is counted now.
    void setNotes(std::vector<std::string> notes) { m_notesAsFound = std::move(notes); }

    // Times are taken from the integer arguments begin and end of each slice, in ticks.
    void useTicks(double ratePerSecond) { m_tickRate = ratePerSecond; }
    // What a file of so many bytes may hold: the columns need not move while they grow.
    void expect(std::uint64_t fileBytes);

    [[nodiscard]] Recording finish() &&;

private:
    struct Hash {
        std::size_t operator()(const std::vector<std::uint32_t>& parts) const;
    };
    struct PendingFlow {
        std::uint64_t id = 0;
        std::int64_t at = 0;
        std::uint32_t track = 0, slice = Recording::none;
        std::optional<Recording::FlowEnd::Kind> kind;
        bool ends = false;
    };
    struct PendingSample {
        std::uint32_t counter = 0;
        std::int64_t at = 0;
        double value = 0;
    };

    void argument(Text key, Recording::Argument::Type type, std::uint64_t value);
    [[nodiscard]] std::uint32_t shapeOfArguments();
    void addArguments(Recording::Slice& slice);
    void growTexts();
    void closeOpen();
    void splitAsync();
    void orderProcesses();
    void orderTracks();
    void orderSlices();
    void takeTicks();
    void orderInstants();
    void placeRows();
    void orderSamples();
    void bindFlows();
    void orderFlows();
    void findExtent();
    void countLosses();

    Recording m_out;
    std::vector<std::uint32_t> m_textSlots;
    std::unordered_map<std::vector<std::uint32_t>, std::uint32_t, Hash> m_shapeNumbers;
    std::vector<std::uint32_t> m_parts; // of the next thing's arguments
    std::vector<std::uint64_t> m_partValues;
    std::uint32_t m_lastShape = 0;
    std::vector<bool> m_async; // by slice, in the file's order
    std::vector<std::uint32_t> m_seen; // by track: when its thread was first seen
    double m_tickRate = 0;
    std::vector<PendingFlow> m_flows;
    std::vector<PendingSample> m_samples;
    std::map<std::array<std::uint32_t, 3>, std::uint32_t> m_counterNumbers;
    std::array<std::uint64_t, static_cast<std::size_t>(Loss::Count)> m_lost {};
    std::optional<std::vector<std::string>> m_notesAsFound;
};

} // namespace flashstep
