// SPDX-License-Identifier: Apache-2.0
#include "core/io/perfetto.h"

#include "core/io/flows.h"
#include "core/io/marks.h"
#include "core/io/op_classes.h"
#include "core/io/proto_message.h"
#include "core/io/scenario_line.h"
#include "core/io/tracks.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <array>

namespace flashstep {

namespace {

// Field numbers of the few messages used, as Perfetto's reference documentation lists them.
namespace field {
enum Trace { packet = 1 };
enum TracePacket {
    timestamp = 8,
    sequenceId = 10,
    trackEvent = 11,
    internedData = 12,
    sequenceFlags = 13,
    trackDescriptor = 60
};
enum TrackEvent {
    annotations = 4,
    type = 9,
    trackUuid = 11,
    categories = 22,
    eventName = 23,
    doubleCounterValue = 44,
    flowIds = 47,
    terminatingFlowIds = 48
};
enum Annotation { nameIid = 1, intValue = 4, doubleValue = 5, stringValue = 6 };
enum Descriptor {
    uuid = 1,
    trackName = 2,
    process = 3,
    parentUuid = 5,
    counter = 8,
    childOrdering = 11,
    siblingOrderRank = 12
};
enum Process { pid = 1, processName = 6 };
enum Counter { unit = 3, unitName = 6 };
enum Interned { annotationNames = 3 };
enum InternedName { iid = 1, internedText = 2 };
} // namespace field

constexpr std::uint64_t sliceBegin = 1, sliceEnd = 2, instant = 3, counterEvent = 4;
constexpr std::uint64_t stateCleared = 1, needsState = 2;
constexpr std::uint64_t explicitOrder = 3, unitBytes = 3;
constexpr std::uint64_t sequence = 1;
constexpr std::int32_t processOfCounters = 1; // CTAs follow

// Names of annotations are sent once; their number stands for them. Those of facts follow.
enum class Note : std::uint8_t {
    Cta = 1,
    Role,
    I,
    J,
    BeginCycle,
    EndCycle,
    Source,
    ClockMhz,
    Provenance,
    Note,
    Scenario
};
constexpr std::array<std::string_view, 11> noteNames { "cta", "role", "i", "j", "begin_cycle", "end_cycle", "source",
    "clock_mhz", "provenance", "note", "scenario" };

constexpr std::uint64_t iidOf(Note note)
{
    return static_cast<std::uint64_t>(note);
}
constexpr std::uint64_t iidOf(FactKey key)
{
    return noteNames.size() + 1 + static_cast<std::uint64_t>(key);
}

std::uint64_t processUuid(CtaId cta)
{
    return static_cast<std::uint64_t>(cta.index() + 2) << 20U;
}

// Buffers of the protobuf library, emptied into a stream of the standard library.
class Sink : public google::protobuf::io::CopyingOutputStream {
public:
    explicit Sink(std::ostream& out)
        : m_out(out)
    {
    }
    bool Write(const void* bytes, int size) override
    {
        return static_cast<bool>(m_out.write(static_cast<const char*>(bytes), size));
    }

private:
    std::ostream& m_out;
};

class Writer {
public:
    Writer(const Run& run, const Range& range, std::ostream& out, const Progress& progress)
        : m_run(run)
        , m_trace(*run.trace)
        , m_range(range)
        , m_progress(progress)
        , m_sink(out)
        , m_stream(&m_sink, 1 << 16)
        , m_out(&m_stream)
        , m_ns(m_trace.clockMhz())
        , m_classes(*run.program)
        , m_tracks(*run.program)
        , m_flows(m_trace, range)
    {
    }

    bool write()
    {
        preamble();
        counters();
        SpanVisitor visitor;
        visitor.cta = [this](CtaId cta) { return enter(cta); };
        visitor.span = [this](const Span& span) { return slice(span); };
        forEachSpan(m_trace, m_range, visitor);
        return !m_cancelled;
    }

private:
    void emit()
    {
        m_out.WriteTag((static_cast<std::uint32_t>(field::packet) << 3U) | 2U);
        m_out.WriteVarint32(static_cast<std::uint32_t>(m_packet.bytes().size()));
        m_out.WriteRaw(m_packet.bytes().data(), static_cast<int>(m_packet.bytes().size()));
        m_packet.clear();
    }

    void preamble()
    {
        ProtoMessage interned;
        const auto intern = [&](std::uint64_t iid, std::string_view text) {
            m_part.clear();
            m_part.varint(field::iid, iid);
            m_part.text(field::internedText, text);
            interned.message(field::annotationNames, m_part);
        };
        for (std::size_t k = 0; k < noteNames.size(); ++k)
            intern(k + 1, noteNames.at(k));
        for (std::size_t k = 0; k < factKeyCount; ++k)
            intern(iidOf(static_cast<FactKey>(k)), name(static_cast<FactKey>(k)));
        m_packet.varint(field::sequenceId, sequence);
        m_packet.message(field::internedData, interned);
        m_packet.varint(field::sequenceFlags, stateCleared);
        emit();
        process(1, processOfCounters, "GPU: " + provenance(m_run), 0);
        track(2, 1, "run", 0);
        m_event.clear();
        annotate(iidOf(Note::ClockMhz), m_trace.clockMhz());
        annotate(iidOf(Note::Provenance), provenance(m_run));
        annotate(iidOf(Note::Note), "times are modelled; nanoseconds = cycles x 1000 / clock_mhz, rounded");
        annotate(iidOf(Note::Scenario), scenarioLine(m_run.scenario));
        event(2, instant, m_ns.of(m_trace.timeAt(m_range.from)), "run");
    }

    void counters()
    {
        std::uint64_t uuid = 3;
        for (const CounterLine& line : counterLines(m_run, m_range)) {
            m_part.clear();
            if (line.unit == "bytes")
                m_part.varint(field::unit, unitBytes);
            else
                m_part.text(field::unitName, line.unit);
            ProtoMessage descriptor;
            descriptor.varint(field::uuid, uuid);
            descriptor.varint(field::parentUuid, 1);
            descriptor.text(field::trackName, line.name);
            descriptor.message(field::counter, m_part);
            descriptor.varint(field::siblingOrderRank, uuid);
            emitDescriptor(descriptor);
            for (const CounterLine::Sample& sample : line.samples) {
                m_event.clear();
                m_event.real(field::doubleCounterValue, sample.value);
                event(uuid, counterEvent, m_ns.of(sample.cycle), {});
            }
            ++uuid;
        }
    }

    bool enter(CtaId cta)
    {
        m_tracks.enter();
        m_flows.enter(cta);
        if (m_progress.cancelled())
            m_cancelled = true;
        process(
            processUuid(cta), static_cast<std::int32_t>(cta.index()) + 2, processName(m_trace, cta), cta.index() + 1);
        marks(cta);
        m_progress.at(static_cast<double>(cta.index()) / static_cast<double>(m_run.program->ctaCount()));
        return !m_cancelled;
    }

    void marks(CtaId cta)
    {
        std::string line;
        std::uint64_t uuid = processUuid(cta) + (1U << 19U);
        forEachMark(m_trace, cta, m_range, [&](const Mark& mark) {
            if (mark.line != line) {
                line = mark.line;
                track(++uuid, processUuid(cta), line, 1U << 20U);
            }
            m_event.clear();
            event(uuid, instant, m_ns.of(mark.cycle), mark.text);
        });
    }

    bool slice(const Span& span)
    {
        if ((++m_slices & 1023U) == 0 && m_progress.cancelled())
            m_cancelled = true;
        const Tracks::Place place = m_tracks.place(span);
        const std::uint64_t uuid = processUuid(span.cta) + place.track.number;
        if (place.isNew)
            track(uuid, processUuid(span.cta), place.track.name, static_cast<std::uint64_t>(place.track.order));
        const std::int64_t end = m_ns.of(span.end);
        const std::size_t kind = m_classes.indexOf(*span.op);
        m_event.clear();
        m_event.raw(fixedFields(kind));
        facts(span);
        flows(span);
        m_text = m_classes.at(kind).label;
        appendTile(m_text, span);
        event(uuid, sliceBegin, m_ns.of(span.begin), m_text);
        arrivals(uuid);
        m_event.clear();
        event(uuid, sliceEnd, end, {});
        return !m_cancelled;
    }

    void facts(const Span& span)
    {
        annotate(iidOf(Note::Cta), static_cast<std::int64_t>(span.cta.index()));
        annotate(iidOf(Note::I), std::int64_t { span.i });
        if (span.j >= 0)
            annotate(iidOf(Note::J), std::int64_t { span.j });
        annotate(iidOf(Note::BeginCycle), span.begin);
        annotate(iidOf(Note::EndCycle), span.end);
        factsOf(m_run, span, m_facts);
        for (const Fact& fact : m_facts)
            annotate(iidOf(fact.key), fact.value);
    }

    // Category, role and source line are the same for every op of a class.
    std::string_view fixedFields(std::size_t kind)
    {
        if (kind < m_fixed.size())
            return m_fixed[kind];
        ProtoMessage keep;
        std::swap(keep, m_event);
        annotate(iidOf(Note::Role), m_classes.at(kind).role);
        annotate(iidOf(Note::Source), m_classes.at(kind).source);
        m_event.text(field::categories, name(m_classes.at(kind).kind));
        m_fixed.emplace_back(m_event.bytes()); // classes come in order of first use
        std::swap(keep, m_event);
        return m_fixed.back();
    }

    void flows(const Span& span)
    {
        m_flows.outOf(span, m_ends);
        for (const FlowEnd& end : m_ends)
            m_event.fixed64(field::flowIds, end.id);
        m_flows.into(span, m_ends);
        for (const FlowEnd& end : m_ends)
            if (!end.late)
                m_event.fixed64(field::terminatingFlowIds, end.id);
    }

    // A slice that began before the one an arrow leaves cannot end it: readers take events in order of time, and would
    // turn it round or drop it. An instant inside the slice does.
    void arrivals(std::uint64_t uuid)
    {
        std::int64_t at = -1;
        m_event.clear();
        for (const FlowEnd& end : m_ends) {
            if (!end.late)
                continue;
            m_event.fixed64(field::terminatingFlowIds, end.id);
            at = std::max(at, end.at);
        }
        if (at < 0)
            return;
        m_event.text(field::categories, "flow");
        event(uuid, instant, at, "released");
    }

    void annotate(std::uint64_t iid, std::int64_t value)
    {
        m_part.clear();
        m_part.varint(field::nameIid, iid);
        m_part.signedVarint(field::intValue, value);
        m_event.message(field::annotations, m_part);
    }
    void annotate(std::uint64_t iid, double value)
    {
        m_part.clear();
        m_part.varint(field::nameIid, iid);
        m_part.real(field::doubleValue, value);
        m_event.message(field::annotations, m_part);
    }
    void annotate(std::uint64_t iid, std::string_view value)
    {
        m_part.clear();
        m_part.varint(field::nameIid, iid);
        m_part.text(field::stringValue, value);
        m_event.message(field::annotations, m_part);
    }

    // Sends m_event, to which the parts that every event has are added.
    void event(std::uint64_t uuid, std::uint64_t type, std::int64_t ns, std::string_view text)
    {
        m_event.varint(field::type, type);
        m_event.varint(field::trackUuid, uuid);
        if (!text.empty())
            m_event.text(field::eventName, text);
        m_packet.varint(field::timestamp, static_cast<std::uint64_t>(ns));
        m_packet.varint(field::sequenceId, sequence);
        m_packet.message(field::trackEvent, m_event);
        m_packet.varint(field::sequenceFlags, needsState);
        emit();
    }

    void process(std::uint64_t uuid, std::int32_t pid, const std::string& text, std::uint64_t rank)
    {
        m_part.clear();
        m_part.signedVarint(field::pid, pid);
        m_part.text(field::processName, text);
        ProtoMessage descriptor;
        descriptor.varint(field::uuid, uuid);
        descriptor.text(field::trackName, text);
        descriptor.message(field::process, m_part);
        descriptor.varint(field::childOrdering, explicitOrder);
        descriptor.varint(field::siblingOrderRank, rank);
        emitDescriptor(descriptor);
    }

    void track(std::uint64_t uuid, std::uint64_t parent, const std::string& text, std::uint64_t rank)
    {
        ProtoMessage descriptor;
        descriptor.varint(field::uuid, uuid);
        descriptor.varint(field::parentUuid, parent);
        descriptor.text(field::trackName, text);
        descriptor.varint(field::siblingOrderRank, rank);
        emitDescriptor(descriptor);
    }

    void emitDescriptor(const ProtoMessage& descriptor)
    {
        m_packet.varint(field::sequenceId, sequence);
        m_packet.message(field::trackDescriptor, descriptor);
        emit();
    }

    const Run& m_run;
    const Trace& m_trace;
    Range m_range;
    const Progress& m_progress;
    Sink m_sink;
    google::protobuf::io::CopyingOutputStreamAdaptor m_stream;
    google::protobuf::io::CodedOutputStream m_out;
    Nanoseconds m_ns;
    OpClasses m_classes;
    Tracks m_tracks;
    Flows m_flows;
    ProtoMessage m_packet, m_event, m_part;
    std::vector<std::string> m_fixed; // by class
    std::vector<Fact> m_facts;
    std::vector<FlowEnd> m_ends;
    std::string m_text;
    std::size_t m_slices = 0;
    bool m_cancelled = false;
};

} // namespace

Status writePerfetto(const Run& run, const Range& range, std::ostream& out, const Progress& progress)
{
    if (!Writer(run, range, out, progress).write())
        return Error { "cancelled", "", "" };
    return Nothing {};
}

} // namespace flashstep
