// SPDX-License-Identifier: Apache-2.0
// The part of PerfettoEvents that takes what a file says once: names by number, defaults, threads, tracks.
#include "core/io/perfetto_fields.h"
#include "core/io/recording_perfetto_events.h"

#include <array>

namespace flashstep {

bool PerfettoEvents::nameInto(std::string_view bytes, InternedNames& names)
{
    std::uint64_t iid = 0;
    std::string_view text;
    ProtoReader in(bytes);
    while (in.next())
        if (in.field() == field::iid)
            iid = in.value();
        else if (in.field() == field::text)
            text = in.bytes();
    names.set(iid, m_builder.text(text));
    return !in.damaged();
}

bool PerfettoEvents::sourceInto(std::string_view bytes, InternedNames& names)
{
    std::uint64_t iid = 0, line = 0;
    std::string_view file, function;
    ProtoReader in(bytes);
    while (in.next())
        switch (in.field()) {
        case field::iid:
            iid = in.value();
            break;
        case field::fileName:
            file = in.bytes();
            break;
        case field::functionName:
            function = in.bytes();
            break;
        case field::lineNumber:
            line = in.value();
            break;
        default:
            break;
        }
    names.set(iid, m_builder.text(std::string(file.empty() ? function : file) + ':' + std::to_string(line)));
    return !in.damaged();
}

bool PerfettoEvents::interned(std::string_view bytes, PerfettoSequence& sequence)
{
    ProtoReader in(bytes);
    bool whole = true;
    while (whole && in.next())
        switch (in.field()) {
        case field::categories:
            whole = nameInto(in.bytes(), sequence.categories);
            break;
        case field::eventNames:
            whole = nameInto(in.bytes(), sequence.names);
            break;
        case field::annotationNames:
            whole = nameInto(in.bytes(), sequence.annotationNames);
            break;
        case field::sourceLocations:
            whole = sourceInto(in.bytes(), sequence.sourceFiles);
            break;
        case field::annotationStrings:
            whole = nameInto(in.bytes(), sequence.strings);
            break;
        default:
            break;
        }
    return whole && !in.damaged();
}

bool PerfettoEvents::defaults(std::string_view bytes, PerfettoSequence& sequence)
{
    ProtoReader in(bytes);
    while (in.next())
        if (in.field() == field::clockId) {
            sequence.defaultClock = in.value();
        } else if (in.field() == field::eventDefaults) {
            ProtoReader part(in.bytes());
            while (part.next())
                if (part.field() == field::trackUuid)
                    sequence.defaultTrack = part.value();
            if (part.damaged())
                return false;
        }
    return !in.damaged();
}

bool PerfettoEvents::process(std::string_view bytes, PerfettoSequence& sequence)
{
    ProtoReader in(bytes);
    while (in.next())
        if (in.field() == field::pid)
            sequence.pid = in.value();
    return !in.damaged();
}

bool PerfettoEvents::thread(std::string_view bytes, PerfettoSequence& sequence)
{
    std::string_view name;
    ProtoReader in(bytes);
    while (in.next())
        switch (in.field()) {
        case field::threadPid:
            sequence.pid = in.value();
            break;
        case field::threadTid:
            sequence.tid = in.value();
            break;
        case field::threadName:
            name = in.bytes();
            break;
        case field::referenceUs:
            sequence.referenceUs = in.integer();
            break;
        default:
            break;
        }
    if (!name.empty())
        m_tracks.ofThread(sequence.pid, sequence.tid).threadName = m_builder.text(name);
    return !in.damaged();
}

bool PerfettoEvents::descriptor(std::string_view bytes)
{
    std::uint64_t uuid = 0;
    ProtoReader first(bytes);
    while (first.next())
        if (first.field() == field::uuid)
            uuid = first.value();
    PerfettoTrack& track = m_tracks.at(uuid);
    ProtoReader in(bytes);
    bool whole = true;
    while (in.next())
        switch (in.field()) {
        case field::trackName:
        case field::staticName:
            track.name = m_builder.text(in.bytes());
            break;
        case field::parentUuid:
            track.parent = in.value();
            break;
        case field::siblingOrderRank:
            track.order = static_cast<std::int32_t>(in.integer());
            track.hasOrder = true;
            break;
        case field::processOf: {
            track.isProcess = true;
            ProtoReader part(in.bytes());
            while (part.next())
                if (part.field() == field::pid)
                    track.pid = part.value();
                else if (part.field() == field::processName)
                    track.processName = m_builder.text(part.bytes());
            whole = whole && !part.damaged();
            break;
        }
        case field::threadOf: {
            track.isThread = true;
            ProtoReader part(in.bytes());
            while (part.next())
                if (part.field() == field::threadPid)
                    track.pid = part.value();
                else if (part.field() == field::threadTid)
                    track.tid = part.value();
                else if (part.field() == field::threadName)
                    track.threadName = m_builder.text(part.bytes());
            whole = whole && !part.damaged();
            break;
        }
        case field::counter: {
            track.isCounter = true;
            constexpr std::array<std::string_view, 4> units { "", "ns", "count", "bytes" };
            ProtoReader part(in.bytes());
            while (part.next())
                if ((part.field() == field::unit || part.field() == field::counterType) && part.value() < units.size())
                    track.unit = m_builder.text(units.at(part.value()));
                else if (part.field() == field::unitName)
                    track.unit = m_builder.text(part.bytes());
                else if (part.field() == field::unitMultiplier)
                    track.multiplier = static_cast<double>(part.integer());
                else if (part.field() == field::incremental)
                    track.incrementalCounter = part.value() != 0;
            whole = whole && !part.damaged();
            break;
        }
        default:
            break;
        }
    return whole && !in.damaged();
}

} // namespace flashstep
