// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording_perfetto.h"

#include "core/io/perfetto_packets.h"
#include "core/io/recording_import.h"
#include "core/io/recording_perfetto_events.h"

#include <fmt/format.h>

#include <limits>

namespace flashstep {

namespace {

// Field numbers, as Perfetto's reference documentation lists them.
namespace field {
enum TracePacket {
    clockSnapshot = 6,
    timestamp = 8,
    sequenceId = 10,
    trackEvent = 11,
    internedData = 12,
    sequenceFlags = 13,
    traceConfig = 33,
    traceStats = 35,
    synchronizationMarker = 36,
    stateCleared = 41,
    previousDropped = 42,
    processDescriptor = 43,
    threadDescriptor = 44,
    systemInfo = 45,
    compressedPackets = 50,
    timestampClock = 58,
    packetDefaults = 59,
    trackDescriptor = 60,
    serviceEvent = 69,
    traceUuid = 89
};
enum Snapshot { clocks = 1, primaryClock = 2 };
enum Clock { clockId = 1, clockTime = 2, isIncremental = 3, multiplierNs = 4 };
} // namespace field

constexpr std::size_t mostSequences = 1U << 16U;

// The parts of a packet: what belongs together may come in any order.
struct Packet {
    std::string_view event, interned, defaults, descriptor, snapshot, process, thread;
    std::optional<std::uint64_t> timestamp;
    std::uint64_t sequence = 0, clock = 0;
    bool cleared = false, dropped = false, compressed = false, other = false;
};

bool take(std::string_view bytes, Packet& packet)
{
    ProtoReader in(bytes);
    while (in.next())
        switch (in.field()) {
        case field::timestamp:
            packet.timestamp = in.value();
            break;
        case field::sequenceId:
            packet.sequence = in.value();
            break;
        case field::trackEvent:
            packet.event = in.bytes();
            break;
        case field::internedData:
            packet.interned = in.bytes();
            break;
        case field::sequenceFlags:
            packet.cleared = packet.cleared || (in.value() & 1U) != 0;
            break;
        case field::stateCleared:
            packet.cleared = packet.cleared || in.value() != 0;
            break;
        case field::previousDropped:
            packet.dropped = in.value() != 0;
            break;
        case field::processDescriptor:
            packet.process = in.bytes();
            break;
        case field::threadDescriptor:
            packet.thread = in.bytes();
            break;
        case field::compressedPackets:
            packet.compressed = true;
            break;
        case field::timestampClock:
            packet.clock = in.value();
            break;
        case field::packetDefaults:
            packet.defaults = in.bytes();
            break;
        case field::trackDescriptor:
            packet.descriptor = in.bytes();
            break;
        case field::clockSnapshot:
            packet.snapshot = in.bytes();
            break;
        case field::traceConfig:
        case field::traceStats:
        case field::synchronizationMarker:
        case field::systemInfo:
        case field::serviceEvent:
        case field::traceUuid:
            break;
        default:
            packet.other = packet.other || !in.bytes().empty();
        }
    return !in.damaged();
}

class Reader {
public:
    Reader(std::istream& in, std::uint64_t size, const Progress& progress)
        : m_progress(progress)
        , m_size(size)
        , m_packets(in, size)
        , m_builder(RecordingFormat::Perfetto)
        , m_tracks(m_builder)
        , m_events(m_builder, m_tracks)
    {
        m_builder.expect(size);
    }

    [[nodiscard]] Status read()
    {
        std::string_view bytes;
        std::uint64_t count = 0;
        while (m_packets.next(bytes)) {
            ++count;
            const Status taken = packet(bytes);
            if (!taken)
                return Error { taken.error().what, fmt::format("packet {}, byte {}", count, m_packets.offset()),
                    taken.error().hint };
            if ((count & 4095U) == 0) {
                if (m_progress.cancelled())
                    return Error { "cancelled", "", "" };
                m_progress.at(static_cast<double>(m_packets.offset()) / static_cast<double>(m_size));
            }
        }
        if (m_packets.error())
            return Error { *m_packets.error(), fmt::format("packet {}, byte {}", count + 1, m_packets.offset()),
                "a Perfetto protobuf" };
        if (count == 0)
            return Error { "there is no packet in it", "", "a Perfetto protobuf" };
        return Nothing {};
    }

    [[nodiscard]] Recording finish()
    {
        m_tracks.resolve();
        m_events.tellOwn();
        describePerfetto(m_builder, m_hasSnapshot);
        return std::move(m_builder).finish();
    }

private:
    [[nodiscard]] static Error damaged() { return { "it is damaged", "", "a Perfetto protobuf" }; }

    [[nodiscard]] Status packet(std::string_view bytes)
    {
        Packet packet;
        if (!take(bytes, packet))
            return damaged();
        if (m_builder.full() || m_sequences.size() > mostSequences || m_tracks.count() > (1U << 20U))
            return Error { "too many events, tracks or sequences to be numbered", "", "a smaller recording" };
        PerfettoSequence& sequence = m_sequences[packet.sequence];
        if (packet.cleared)
            sequence.clearState();
        if (packet.dropped && !packet.event.empty())
            m_builder.lose(RecordingBuilder::Loss::Dropped);
        if (packet.compressed)
            m_builder.lose(RecordingBuilder::Loss::Compressed);
        if (packet.other && packet.event.empty() && packet.descriptor.empty())
            m_builder.lose(RecordingBuilder::Loss::OtherPackets);
        const bool whole = (packet.snapshot.empty() || snapshot(packet.snapshot, sequence))
            && (packet.interned.empty() || m_events.interned(packet.interned, sequence))
            && (packet.defaults.empty() || m_events.defaults(packet.defaults, sequence))
            && (packet.process.empty() || m_events.process(packet.process, sequence))
            && (packet.thread.empty() || m_events.thread(packet.thread, sequence))
            && (packet.descriptor.empty() || m_events.descriptor(packet.descriptor));
        if (!whole)
            return damaged();
        if (packet.event.empty())
            return Nothing {};
        std::optional<std::int64_t> at;
        if (packet.timestamp) {
            at = timeOf(*packet.timestamp, packet.clock != 0 ? packet.clock : sequence.defaultClock, sequence);
            if (!at)
                return Error { "its timestamp does not fit", "", "less than 2^63 nanoseconds" };
        }
        return m_events.event(packet.event, at, sequence) ? Status(Nothing {}) : Status(damaged());
    }

    // In nanoseconds of the file's own clock.
    [[nodiscard]] std::optional<std::int64_t> timeOf(
        std::uint64_t timestamp, std::uint64_t id, PerfettoSequence& sequence)
    {
        PerfettoClock* clock = id == 0 ? nullptr : sequence.clock(id);
        if (!clock && id != 0 && id < 64) {
            const auto found = m_global.find(id);
            clock = found == m_global.end() ? nullptr : &found->second;
        }
        std::int64_t ns = 0;
        constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        if (clock) {
            if (clock->incremental && __builtin_add_overflow(timestamp, clock->current, &timestamp))
                return std::nullopt;
            clock->current = timestamp;
            if (__builtin_mul_overflow(timestamp, clock->multiplier, &timestamp))
                return std::nullopt;
        }
        if (timestamp > most)
            return std::nullopt;
        ns = static_cast<std::int64_t>(timestamp);
        if (clock && __builtin_add_overflow(ns, clock->offset, &ns))
            return std::nullopt;
        return ns;
    }

    [[nodiscard]] bool snapshot(std::string_view bytes, PerfettoSequence& sequence)
    {
        constexpr std::uint64_t boottime = 6;
        std::uint64_t primary = boottime;
        std::vector<PerfettoClock> clocks;
        ProtoReader in(bytes);
        while (in.next()) {
            if (in.field() == field::primaryClock) {
                primary = in.value();
            } else if (in.field() == field::clocks && clocks.size() < 256) {
                PerfettoClock& clock = clocks.emplace_back();
                ProtoReader part(in.bytes());
                while (part.next())
                    (part.field() == field::clockId               ? clock.id
                            : part.field() == field::clockTime    ? clock.current
                            : part.field() == field::multiplierNs ? clock.multiplier
                                                                  : m_unused)
                        = part.value();
                ProtoReader again(in.bytes());
                while (again.next())
                    clock.incremental = again.field() == field::isIncremental ? again.value() != 0 : clock.incremental;
                if (part.damaged())
                    return false;
            }
        }
        if (in.damaged())
            return false;
        m_hasSnapshot = true;
        const auto own = std::find_if(
            clocks.begin(), clocks.end(), [&](const PerfettoClock& clock) { return clock.id == primary; });
        for (PerfettoClock& clock : clocks) {
            clock.multiplier = std::max<std::uint64_t>(1, clock.multiplier);
            std::uint64_t here = 0, there = 0;
            if (own != clocks.end() && !__builtin_mul_overflow(clock.current, clock.multiplier, &here)
                && !__builtin_mul_overflow(own->current, std::max<std::uint64_t>(1, own->multiplier), &there))
                clock.offset = static_cast<std::int64_t>(there - here);
        }
        for (const PerfettoClock& clock : clocks)
            if (clock.id >= 64 && clock.id < 128) {
                if (PerfettoClock* known = sequence.clock(clock.id))
                    *known = clock;
                else if (sequence.clocks.size() < 256)
                    sequence.clocks.push_back(clock);
            } else if (m_global.size() < 256) {
                m_global.emplace(clock.id, clock); // the first snapshot stands: clocks drift apart
            }
        return true;
    }

    const Progress& m_progress;
    std::uint64_t m_size;
    PerfettoPackets m_packets;
    RecordingBuilder m_builder;
    PerfettoTracks m_tracks;
    PerfettoEvents m_events;
    std::unordered_map<std::uint64_t, PerfettoSequence> m_sequences;
    std::map<std::uint64_t, PerfettoClock> m_global;
    std::uint64_t m_unused = 0;
    bool m_hasSnapshot = false;
};

} // namespace

Result<Recording> readPerfetto(std::istream& in, std::uint64_t size, const std::string& where, const Progress& progress)
{
    Reader reader(in, size, progress);
    if (const Status status = reader.read(); !status) {
        Error error = status.error();
        error.where = error.where.empty() ? where : where + ", " + error.where;
        return error;
    }
    return reader.finish();
}

} // namespace flashstep
