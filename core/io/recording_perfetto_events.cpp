// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording_perfetto_events.h"

#include "core/io/json.h"
#include "core/io/perfetto_fields.h"

namespace flashstep {

namespace {

constexpr std::uint64_t sliceBegin = 1, sliceEnds = 2, instantEvent = 3, counterEvent = 4;
constexpr int deepest = 16; // of nested annotations
constexpr std::size_t longestJson = 4096; // bytes

} // namespace

PerfettoEvents::Text PerfettoEvents::named(const InternedNames& names, std::uint64_t iid)
{
    if (const auto found = names.find(iid))
        return *found;
    m_builder.lose(RecordingBuilder::Loss::UnknownName);
    return m_builder.text("#" + std::to_string(iid));
}

// The value of an annotation, as JSON.
void PerfettoEvents::json(std::string& out, std::string_view bytes, PerfettoSequence& sequence, int depth)
{
    ProtoReader in(bytes);
    std::string entries, values, scalar;
    bool isDict = false, isArray = false;
    while (in.next() && out.size() + entries.size() + values.size() <= longestJson)
        switch (in.field()) {
        case field::boolValue:
            scalar = in.value() != 0 ? "true" : "false";
            break;
        case field::uintValue:
        case field::pointerValue:
            scalar = std::to_string(in.value());
            break;
        case field::intValue:
            scalar = std::to_string(in.integer());
            break;
        case field::doubleValue:
            scalar = jsonNumber(in.real()).dump();
            break;
        case field::stringValue:
            scalar = quoted(std::string(in.bytes().substr(0, longestJson)));
            break;
        case field::stringIid:
            scalar = quoted(std::string(m_builder.textOf(named(sequence.strings, in.value()))));
            break;
        case field::dictEntries:
        case field::arrayValues: {
            const bool entry = in.field() == field::dictEntries;
            (entry ? isDict : isArray) = true;
            std::string& list = entry ? entries : values;
            list += list.empty() ? "" : ",";
            if (entry) {
                Text name = 0;
                ProtoReader part(in.bytes());
                while (part.next())
                    if (part.field() == field::annotationNameIid)
                        name = named(sequence.annotationNames, part.value());
                    else if (part.field() == field::annotationName)
                        name = m_builder.text(part.bytes());
                list += quoted(std::string(m_builder.textOf(name))) + ':';
            }
            if (depth >= deepest) {
                m_builder.lose(RecordingBuilder::Loss::Deep);
                list += "null";
            } else {
                json(list, in.bytes(), sequence, depth + 1);
            }
            break;
        }
        default:
            break;
        }
    out += isDict ? '{' + entries + '}' : isArray ? '[' + values + ']' : scalar.empty() ? "null" : scalar;
}

bool PerfettoEvents::annotation(std::string_view bytes, PerfettoSequence& sequence)
{
    Text key = 0;
    int kind = 0;
    std::uint64_t value = 0;
    double real = 0;
    std::string_view text;
    ProtoReader in(bytes);
    while (in.next()) {
        switch (in.field()) {
        case field::annotationNameIid:
            key = named(sequence.annotationNames, in.value());
            break;
        case field::annotationName:
            key = m_builder.text(in.bytes());
            break;
        case field::doubleValue:
            real = in.real();
            kind = in.field();
            break;
        case field::boolValue:
        case field::uintValue:
        case field::intValue:
        case field::pointerValue:
        case field::stringIid:
            value = in.value();
            kind = in.field();
            break;
        case field::stringValue:
        case field::legacyJson:
            text = in.bytes();
            kind = in.field();
            break;
        case field::nestedValue:
        case field::dictEntries:
        case field::arrayValues:
            kind = in.field();
            break;
        default:
            break;
        }
    }
    switch (kind) {
    case field::boolValue:
        m_builder.boolean(key, value != 0);
        break;
    case field::uintValue:
    case field::pointerValue:
        m_builder.natural(key, value);
        break;
    case field::intValue:
        m_builder.integer(key, static_cast<std::int64_t>(value));
        break;
    case field::doubleValue:
        m_builder.real(key, real);
        break;
    case field::stringValue:
    case field::legacyJson:
        m_builder.word(key, m_builder.text(text));
        break;
    case field::stringIid:
        m_builder.word(key, named(sequence.strings, value));
        break;
    case field::dictEntries:
    case field::arrayValues: {
        std::string list;
        json(list, bytes, sequence, 0);
        if (list.size() > longestJson)
            m_builder.lose(RecordingBuilder::Loss::CutArgument);
        else
            m_builder.word(key, m_builder.text(list), true);
        break;
    }
    default: // a message of somebody's own
        m_builder.lose(RecordingBuilder::Loss::CutArgument);
    }
    return !in.damaged();
}

void PerfettoEvents::addFlows(const ProtoReader& in, bool isFixed, bool ends)
{
    if (in.bytes().empty()) {
        m_event.flows.emplace_back(in.value(), ends);
        return;
    }
    // Packed: one after the other, without tags.
    google::protobuf::io::CodedInputStream list(
        reinterpret_cast<const std::uint8_t*>(in.bytes().data()), static_cast<int>(in.bytes().size()));
    std::uint64_t id = 0;
    while (list.CurrentPosition() < static_cast<int>(in.bytes().size())
        && (isFixed ? list.ReadLittleEndian64(&id) : list.ReadVarint64(&id)))
        m_event.flows.emplace_back(id, ends);
}

void PerfettoEvents::addCategory(Text category)
{
    constexpr std::size_t longest = 256; // of several together, which many events may share
    if (m_event.category != 0) {
        if (m_builder.textOf(m_event.category).size() + m_builder.textOf(category).size() > longest)
            return;
        std::string both(m_builder.textOf(m_event.category));
        both += ',';
        both += m_builder.textOf(category);
        category = m_builder.text(both);
    }
    m_event.category = category;
}

bool PerfettoEvents::takeEvent(std::string_view bytes, PerfettoSequence& sequence)
{
    m_event.type = 0;
    m_event.hasTrack = false;
    m_event.name = m_event.category = 0;
    m_event.counterValue.reset();
    m_event.flows.clear();
    m_event.legacy = {};
    m_event.deltaUs.reset();
    m_event.absoluteUs.reset();
    m_builder.clearArguments();
    bool whole = true;
    ProtoReader in(bytes);
    while (whole && in.next())
        switch (in.field()) {
        case field::annotations:
            whole = annotation(in.bytes(), sequence);
            break;
        case field::type:
            m_event.type = in.value();
            break;
        case field::trackUuid:
            m_event.track = in.value();
            m_event.hasTrack = true;
            break;
        case field::eventName:
            m_event.name = m_builder.text(in.bytes());
            break;
        case field::nameIid:
            m_event.name = named(sequence.names, in.value());
            break;
        case field::categoryNames:
            addCategory(m_builder.text(in.bytes()));
            break;
        case field::categoryIids:
            // A number without a name is no loss: writers put one there to have something.
            if (const auto found = sequence.categories.find(in.value()))
                addCategory(*found);
            break;
        case field::counterValue:
            m_event.counterValue = static_cast<double>(in.integer());
            break;
        case field::doubleCounterValue:
            m_event.counterValue = in.real();
            break;
        case field::sourceIid:
            if (const auto found = sequence.sourceFiles.find(in.value()))
                m_builder.word(m_builder.text("source"), *found);
            break;
        case field::flowIds:
        case field::terminatingFlowIds:
            addFlows(in, true, in.field() == field::terminatingFlowIds);
            break;
        case field::flowIdsOld:
        case field::terminatingFlowIdsOld:
            addFlows(in, false, in.field() == field::terminatingFlowIdsOld);
            break;
        case field::legacyEvent:
            m_event.legacy = in.bytes();
            break;
        case field::timestampDeltaUs:
            m_event.deltaUs = in.integer();
            break;
        case field::timestampAbsoluteUs:
            m_event.absoluteUs = in.integer();
            break;
        default:
            break;
        }
    return whole && !in.damaged();
}

bool PerfettoEvents::event(std::string_view bytes, std::optional<std::int64_t> at, PerfettoSequence& sequence)
{
    if (!takeEvent(bytes, sequence))
        return false;
    if (m_event.type == 0 && !m_event.legacy.empty())
        return legacyEvent(at, sequence);
    if (!at) {
        m_builder.lose(RecordingBuilder::Loss::NoTime);
        return true;
    }
    PerfettoTrack& track = m_tracks.at(m_event.hasTrack ? m_event.track : sequence.defaultTrack);
    switch (m_event.type) {
    case sliceBegin:
        slice(track, *at);
        break;
    case sliceEnds:
        sliceEnd(track, *at);
        break;
    case instantEvent:
        m_builder.instant(m_tracks.laneOf(track), *at, m_event.name, m_event.category);
        // An arrow to a moment inside a slice is one to the slice.
        if (!track.open.empty())
            bind(track.lane, track.open.back(), *at);
        else
            bind(Recording::none, Recording::none, *at);
        break;
    case counterEvent:
        if (m_event.counterValue) {
            const double value = *m_event.counterValue * track.multiplier;
            track.counterTotal = track.incrementalCounter ? track.counterTotal + value : value;
            m_builder.sample(m_tracks.counterOf(track), *at, track.counterTotal);
        }
        break;
    default:
        m_builder.lose(RecordingBuilder::Loss::OtherPhase);
    }
    return true;
}

void PerfettoEvents::slice(PerfettoTrack& track, std::int64_t at)
{
    const std::uint32_t lane = m_tracks.laneOf(track);
    track.open.push_back(m_builder.begin(lane, at, m_event.name, m_event.category, false));
    bind(lane, track.open.back(), at);
}

void PerfettoEvents::sliceEnd(PerfettoTrack& track, std::int64_t at)
{
    if (track.open.empty()) {
        m_builder.lose(RecordingBuilder::Loss::EndWithoutBegin);
        return;
    }
    m_builder.end(track.open.back(), at);
    bind(track.lane, track.open.back(), at);
    track.open.pop_back();
}

void PerfettoEvents::bind(std::uint32_t lane, std::uint32_t slice, std::int64_t at)
{
    for (const auto& [id, ends] : m_event.flows)
        m_builder.flow(lane, slice, id, at, std::nullopt, ends);
}

bool PerfettoEvents::takeLegacy(std::string_view bytes, Legacy& legacy) const
{
    ProtoReader in(bytes);
    while (in.next())
        switch (in.field()) {
        case field::legacyNameIid:
            legacy.nameIid = in.value();
            break;
        case field::phase:
            legacy.phase = static_cast<int>(in.value() & 0x7FU);
            break;
        case field::durationUs:
            legacy.durationUs = in.integer();
            break;
        case field::pidOverride:
            legacy.pid = in.value();
            break;
        case field::tidOverride:
            legacy.tid = in.value();
            break;
        default:
            break;
        }
    return !in.damaged();
}

// Events as they were before Perfetto: a phase as in Chrome's JSON, microseconds, a thread in place of a track.
bool PerfettoEvents::legacyEvent(std::optional<std::int64_t> at, PerfettoSequence& sequence)
{
    Legacy legacy;
    if (!takeLegacy(m_event.legacy, legacy))
        return false;
    const auto inNs = [](std::int64_t us) -> std::optional<std::int64_t> {
        std::int64_t ns = 0;
        return __builtin_mul_overflow(us, 1000, &ns) ? std::nullopt : std::optional(ns);
    };
    if (m_event.absoluteUs)
        at = inNs(*m_event.absoluteUs);
    if (m_event.deltaUs && !__builtin_add_overflow(sequence.referenceUs, *m_event.deltaUs, &sequence.referenceUs))
        at = inNs(sequence.referenceUs);
    if (!at) {
        m_builder.lose(RecordingBuilder::Loss::NoTime);
        return true;
    }
    if (m_event.name == 0 && legacy.nameIid != 0)
        m_event.name = named(sequence.names, legacy.nameIid);
    PerfettoTrack& track = m_event.hasTrack
        ? m_tracks.at(m_event.track)
        : m_tracks.ofThread(legacy.pid.value_or(sequence.pid), legacy.tid.value_or(sequence.tid));
    const auto length = inNs(legacy.durationUs);
    std::int64_t end = 0;
    switch (legacy.phase) {
    case 'B':
        slice(track, *at);
        break;
    case 'E':
        sliceEnd(track, *at);
        break;
    case 'X':
        slice(track, *at);
        m_builder.clearArguments();
        if (!length || *length < 0 || __builtin_add_overflow(*at, *length, &end)) {
            m_builder.lose(RecordingBuilder::Loss::NegativeDuration);
            end = *at;
        }
        m_builder.end(track.open.back(), end);
        track.open.pop_back();
        break;
    case 'I':
    case 'i':
        m_builder.instant(m_tracks.laneOf(track), *at, m_event.name, m_event.category);
        break;
    default:
        m_builder.lose(RecordingBuilder::Loss::OtherPhase);
    }
    return true;
}

void PerfettoEvents::tellOwn()
{
    const Recording& recording = m_builder.soFar();
    if (recording.instants().empty())
        return;
    const Recording::Slice first = recording.instants().front();
    if (!recording.textOf(first, "provenance").starts_with("FlashStep "))
        return;
    for (std::size_t k = 0; k < recording.argumentCount(first); ++k) {
        const Recording::Argument argument = recording.argument(first, k);
        if (argument.type == Recording::Argument::Type::Text && argument.key == "scenario"
            && Json::accept(argument.text)) // an object in Chrome's JSON, so one here
            m_builder.metadata("scenario", Json::parse(argument.text).dump());
        else if (argument.type == Recording::Argument::Type::Text)
            m_builder.metadata(std::string(argument.key), quoted(std::string(argument.text)));
        else if (argument.type == Recording::Argument::Type::Real)
            m_builder.metadata(std::string(argument.key), jsonNumber(argument.real).dump());
    }
}

} // namespace flashstep
