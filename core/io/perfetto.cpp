// SPDX-License-Identifier: Apache-2.0
#include "core/io/perfetto.h"

#include "core/io/flows.h"
#include "core/io/proto_message.h"
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

// Names of annotations are sent once; their place here, from 1, stands for them.
constexpr std::array<std::string_view, 19> annotationNames { "cta", "role", "i", "j", "begin_cycle", "end_cycle",
    "source", "global_read_bytes", "global_write_bytes", "flops", "exp2", "rows_rescaled", "m_lowest", "m_highest",
    "l_lowest", "l_highest", "clock_mhz", "provenance", "note" };

std::uint64_t iidOf(std::string_view name)
{
    for (std::size_t k = 0; k < annotationNames.size(); ++k)
        if (annotationNames.at(k) == name)
            return k + 1;
    return annotationNames.size();
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
        , m_names(*run.program)
        , m_tracks(*run.program)
        , m_flows(m_trace, range)
        , m_fixedFacts(run.program->ops.size())
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
        for (std::size_t k = 0; k < annotationNames.size(); ++k) {
            m_part.clear();
            m_part.varint(field::iid, k + 1);
            m_part.text(field::internedText, annotationNames.at(k));
            interned.message(field::annotationNames, m_part);
        }
        m_packet.varint(field::sequenceId, sequence);
        m_packet.message(field::internedData, interned);
        m_packet.varint(field::sequenceFlags, stateCleared);
        emit();
        process(1, processOfCounters, "GPU: " + provenance(m_run), 0);
        track(2, 1, "run", 0);
        m_event.clear();
        annotate("clock_mhz", m_trace.clockMhz());
        annotate("provenance", provenance(m_run));
        annotate("note", "times are modelled; nanoseconds = cycles x 1000 / clock_mhz, rounded");
        event(2, instant, m_trace.timeAt(m_range.from), "run");
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
                event(uuid, counterEvent, sample.cycle, {});
            }
            ++uuid;
        }
    }

    bool enter(CtaId cta)
    {
        m_tracks.enter();
        m_flows.enter(cta);
        process(
            processUuid(cta), static_cast<std::int32_t>(cta.index()) + 2, processName(m_trace, cta), cta.index() + 1);
        marks(cta);
        m_progress.at(static_cast<double>(cta.index()) / static_cast<double>(m_run.program->ctaCount()));
        return true;
    }

    void marks(CtaId cta)
    {
        std::string line;
        std::uint64_t uuid = processUuid(cta) + (1U << 19U);
        for (const Mark& mark : marksOf(m_trace, cta, m_range)) {
            if (mark.line != line) {
                line = mark.line;
                track(++uuid, processUuid(cta), line, 1U << 20U);
            }
            m_event.clear();
            event(uuid, instant, mark.cycle, mark.text);
        }
    }

    bool slice(const Span& span)
    {
        if ((++m_slices & 1023U) == 0 && m_progress.cancelled())
            m_cancelled = true;
        const Tracks::Place place = m_tracks.place(span);
        const std::uint64_t uuid = processUuid(span.cta) + place.track.number;
        if (place.isNew)
            track(uuid, processUuid(span.cta), place.track.name, static_cast<std::uint64_t>(place.track.order));
        m_event.clear();
        facts(span);
        flows(span);
        m_text.clear();
        m_names.append(m_text, span);
        m_event.text(field::categories, name(span.op->kind));
        event(uuid, sliceBegin, span.begin, m_text);
        m_event.clear();
        event(uuid, sliceEnd, span.end, {});
        return !m_cancelled;
    }

    void facts(const Span& span)
    {
        annotate("cta", static_cast<std::int64_t>(span.cta.index()), 1);
        m_event.raw(fixedFacts(span));
        annotate("i", span.i, 3);
        if (span.j >= 0)
            annotate("j", span.j, 4);
        annotate("begin_cycle", span.begin, 5);
        annotate("end_cycle", span.end, 6);
        factsOf(m_run, span, m_facts);
        for (const Fact& fact : m_facts)
            annotate(fact.key, fact.value);
    }

    // Role and source line are the same for every execution of an op.
    std::string_view fixedFacts(const Span& span)
    {
        std::string& known = m_fixedFacts[span.opId.index()];
        if (known.empty()) {
            ProtoMessage keep;
            std::swap(keep, m_event);
            annotate("role", m_run.program->roles[span.op->role.index()].name);
            annotate("source", m_run.program->sourceOf(span.op->line));
            known = std::string(m_event.bytes());
            std::swap(keep, m_event);
        }
        return known;
    }

    void flows(const Span& span)
    {
        m_flows.outOf(span, m_ends);
        for (const FlowEnd& end : m_ends)
            m_event.fixed64(field::flowIds, end.id);
        m_flows.into(span, m_ends);
        for (const FlowEnd& end : m_ends)
            m_event.fixed64(field::terminatingFlowIds, end.id);
    }

    void annotate(std::string_view key, std::int64_t value, std::uint64_t iid)
    {
        (void)key;
        m_part.clear();
        m_part.varint(field::nameIid, iid);
        m_part.signedVarint(field::intValue, value);
        m_event.message(field::annotations, m_part);
    }
    void annotate(std::string_view key, double value)
    {
        m_part.clear();
        m_part.varint(field::nameIid, iidOf(key));
        m_part.real(field::doubleValue, value);
        m_event.message(field::annotations, m_part);
    }
    void annotate(std::string_view key, std::string_view value)
    {
        m_part.clear();
        m_part.varint(field::nameIid, iidOf(key));
        m_part.text(field::stringValue, value);
        m_event.message(field::annotations, m_part);
    }

    // Sends m_event, to which the parts that every event has are added.
    void event(std::uint64_t uuid, std::uint64_t type, Cycle cycle, std::string_view text)
    {
        m_event.varint(field::type, type);
        m_event.varint(field::trackUuid, uuid);
        if (!text.empty())
            m_event.text(field::eventName, text);
        m_packet.varint(field::timestamp, static_cast<std::uint64_t>(m_ns.of(cycle)));
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
    SliceNames m_names;
    Tracks m_tracks;
    Flows m_flows;
    ProtoMessage m_packet, m_event, m_part;
    std::vector<std::string> m_fixedFacts; // by op
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
