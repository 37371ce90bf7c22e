// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording_chrome_events.h"

#include <charconv>

namespace flashstep {

namespace {

// An id as a number: 17, "17", "0x11". Nothing for other words.
std::optional<std::uint64_t> numberOf(std::string_view text)
{
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    const std::string_view digits = hex ? text.substr(2) : text;
    std::uint64_t value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
    if (digits.empty() || read.ec != std::errc() || read.ptr != digits.data() + digits.size())
        return std::nullopt;
    return value;
}

} // namespace

ChromeEvents::ChromeEvents(RecordingBuilder& builder)
    : m_builder(builder)
{
}

std::size_t ChromeEvents::AsyncHash::operator()(const AsyncKey& key) const
{
    std::uint64_t hash = key.id * 0x9E37'79B9'7F4A'7C15;
    for (const std::uint64_t part : { key.pid, key.category, key.scope, key.idText })
        hash = (hash ^ part ^ (hash >> 31U)) * 0xBF58'476D'1CE4'E5B9;
    return hash ^ (hash >> 32U);
}

std::uint32_t ChromeEvents::processOf(Text pid)
{
    const auto [found, isNew] = m_processes.emplace(pid, 0U);
    if (isNew) {
        found->second = m_builder.addProcess(pid);
        m_builder.process(found->second).name = pid; // until it is named
    }
    return found->second;
}

std::uint32_t ChromeEvents::trackOf(const ChromeEvent& event)
{
    const std::uint32_t process = processOf(event.pid.text);
    const auto [found, isNew] = m_tracks.emplace(static_cast<std::uint64_t>(process) << 32U | event.tid.text, 0U);
    if (isNew) {
        found->second = m_builder.addTrack(process, event.tid.text);
        m_builder.track(found->second).name = event.tid.text;
        m_open.emplace_back();
        m_latest.push_back(Recording::none);
    }
    return found->second;
}

Status ChromeEvents::timeOf(const ChromeEvent& event, std::int64_t& at)
{
    if (event.ts.kind != ChromeEvent::Scalar::Kind::Number)
        return Error { "ts is missing or no number", "", "microseconds" };
    if (!m_builder.time(event.ts.number, at))
        return Error { "ts does not fit", "", "less than 9.2e15 microseconds" };
    return Nothing {};
}

Status ChromeEvents::complete(const ChromeEvent& event)
{
    const std::uint32_t track = trackOf(event);
    std::int64_t begin = 0;
    if (Status status = timeOf(event, begin); !status)
        return status;
    const std::uint32_t slice = m_builder.begin(track, begin, event.name, event.category, false);
    std::int64_t length = 0;
    if (event.dur.kind != ChromeEvent::Scalar::Kind::Number) {
        m_builder.lose(RecordingBuilder::Loss::NoDuration);
    } else if (!m_builder.time(event.dur.number, length)) {
        return Error { "dur does not fit", "", "less than 9.2e15 microseconds" };
    } else if (length < 0) {
        m_builder.lose(RecordingBuilder::Loss::NegativeDuration);
        length = 0;
    }
    begin = m_builder.beginOf(slice); // a finer duration may have changed the unit
    std::int64_t end = 0;
    if (__builtin_add_overflow(begin, length, &end))
        return Error { "ts + dur does not fit", "", "less than 9.2e15 microseconds" };
    m_builder.clearArguments();
    m_builder.end(slice, end);
    m_latest[track] = slice;
    return Nothing {};
}

void ChromeEvents::endInnermost(std::uint32_t track, std::int64_t at)
{
    if (m_open[track].empty()) {
        m_builder.lose(RecordingBuilder::Loss::EndWithoutBegin);
        return;
    }
    m_builder.end(m_open[track].back(), at);
    m_latest[track] = m_open[track].back();
    m_open[track].pop_back();
}

ChromeEvents::AsyncKey ChromeEvents::keyOf(const ChromeEvent& event)
{
    const bool local
        = event.id.kind == ChromeEvent::Scalar::Kind::None && event.localId.kind != ChromeEvent::Scalar::Kind::None;
    const Text id = local ? event.localId.text : event.id.text;
    AsyncKey key { 0, local ? event.pid.text : 0, event.category, event.scope, 0 };
    if (const auto number = numberOf(m_builder.textOf(id)))
        key.id = *number;
    else
        key.idText = id;
    return key;
}

// Nested events with one id share a stack; the innermost ends first, of those with its name where there is one.
Status ChromeEvents::async(const ChromeEvent& event)
{
    const std::uint32_t track = trackOf(event);
    std::int64_t at = 0;
    if (Status status = timeOf(event, at); !status)
        return status;
    const AsyncKey key = keyOf(event);
    if (event.phase == 'b' || event.phase == 'S') {
        const std::uint32_t slice = m_builder.begin(track, at, event.name, event.category, true);
        m_asyncOpen[key].push_back(slice);
        m_latest[track] = slice;
        return Nothing {};
    }
    const auto found = m_asyncOpen.find(key);
    if (found == m_asyncOpen.end()) {
        m_builder.lose(RecordingBuilder::Loss::EndWithoutBegin);
        return Nothing {};
    }
    m_builder.end(found->second.back(), at);
    m_latest[track] = found->second.back();
    found->second.pop_back();
    if (found->second.empty())
        m_asyncOpen.erase(found);
    return Nothing {};
}

void ChromeEvents::metadata(const ChromeEvent& event)
{
    const std::string_view what = m_builder.textOf(event.name);
    if (what == "process_name")
        m_builder.process(processOf(event.pid.text)).name = event.newName;
    else if (what == "process_sort_index" && event.sortIndex)
        m_builder.process(processOf(event.pid.text)).order = *event.sortIndex;
    else if (what == "thread_name")
        m_builder.track(trackOf(event)).name = event.newName;
    else if (what == "thread_sort_index" && event.sortIndex)
        m_builder.track(trackOf(event)).order = *event.sortIndex;
}

std::uint64_t ChromeEvents::flowId(const ChromeEvent& event)
{
    const auto kind = m_flowKinds.emplace(std::pair(event.category, event.name), m_flowKinds.size()).first->second;
    const Text text = event.id.kind != ChromeEvent::Scalar::Kind::None ? event.id.text : event.localId.text;
    std::optional<std::uint64_t> number = numberOf(m_builder.textOf(text));
    if (!number)
        number = 1ULL << 62U | m_flowNames.emplace(text, m_flowNames.size()).first->second;
    // Ids of another category or name are others, even where the numbers are the same.
    return *number ^ (kind << 48U);
}

void ChromeEvents::flow(const ChromeEvent& event, std::uint32_t track, std::int64_t at)
{
    using Kind = Recording::FlowEnd::Kind;
    const Kind kind = event.phase == 's' ? Kind::Start : event.phase == 't' ? Kind::Step : Kind::End;
    // A writer that puts arrows right behind their slice says which of two touching ones it means.
    const std::uint32_t latest = m_latest[track];
    const bool bound = latest != Recording::none && m_builder.holds(latest, at);
    m_builder.flow(track, bound ? latest : Recording::none, flowId(event), at, kind, false);
}

Status ChromeEvents::take(const ChromeEvent& event)
{
    std::int64_t at = 0;
    switch (event.phase) {
    case 'X':
        return complete(event);
    case 'b':
    case 'e':
    case 'S':
    case 'F':
        return async(event);
    case 'M':
        metadata(event);
        return Nothing {};
    case 'B':
    case 'E':
    case 'i':
    case 'I':
    case 'R':
    case 'n':
    case 's':
    case 't':
    case 'f':
    case 'C':
        break;
    case 0:
        return Error { "ph is missing", "", "one of X B E b e n i C s t f M" };
    default:
        m_builder.lose(RecordingBuilder::Loss::OtherPhase);
        return Nothing {};
    }
    const std::uint32_t track = event.phase == 'C' ? 0 : trackOf(event);
    if (Status status = timeOf(event, at); !status)
        return status;
    if (event.phase == 'B') {
        m_open[track].push_back(m_builder.begin(track, at, event.name, event.category, false));
        m_latest[track] = m_open[track].back();
    } else if (event.phase == 'E') {
        endInnermost(track, at);
    } else if (event.phase == 'C') {
        const std::uint32_t process = processOf(event.pid.text);
        for (const auto& [series, value] : event.series)
            m_builder.sample(m_builder.counter(process, event.name, series), at, value);
    } else if (event.phase == 's' || event.phase == 't' || event.phase == 'f') {
        flow(event, track, at);
    } else {
        m_builder.instant(track, at, event.name, event.category);
    }
    return Nothing {};
}

} // namespace flashstep
