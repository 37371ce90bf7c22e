// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace flashstep {

namespace {

constexpr std::size_t mostRows = 64; // of one lane; what lies deeper shares the last

// order[k]: which item comes k-th. Moves them there in place.
template <typename Item> void rearrange(std::vector<Item>& items, std::vector<std::uint32_t> order)
{
    for (std::uint32_t start = 0; start < order.size(); ++start) {
        if (order[start] == start)
            continue;
        const Item first = items[start];
        std::uint32_t to = start;
        while (order[to] != start) {
            const std::uint32_t from = order[to];
            items[to] = items[from];
            order[to] = to;
            to = from;
        }
        items[to] = first;
        order[to] = to;
    }
}

std::vector<std::uint32_t> inverse(const std::vector<std::uint32_t>& order)
{
    std::vector<std::uint32_t> places(order.size());
    for (std::uint32_t k = 0; k < order.size(); ++k)
        places[order[k]] = k;
    return places;
}

bool earlier(const Recording::Slice& a, const Recording::Slice& b)
{
    if (a.begin != b.begin)
        return a.begin < b.begin;
    // Of two that begin together the longer holds the other; one without length comes before what it touches.
    const bool aPoint = a.end == a.begin, bPoint = b.end == b.begin;
    return aPoint != bPoint ? aPoint : a.end > b.end;
}

// The order of slices: lane by lane, in a lane by time; else as the file has them.
std::vector<std::uint32_t> byTrackAndTime(const std::vector<Recording::Slice>& slices, std::size_t tracks)
{
    std::vector<std::uint32_t> ends(tracks + 1, 0);
    for (const Recording::Slice& slice : slices)
        ++ends[slice.track + 1];
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    std::vector<std::uint32_t> order(slices.size());
    std::vector<std::uint32_t> next(ends.begin(), ends.end() - 1);
    for (std::uint32_t k = 0; k < slices.size(); ++k)
        order[next[slices[k].track]++] = k;
    const auto before = [&](std::uint32_t a, std::uint32_t b) { return earlier(slices[a], slices[b]); };
    for (std::size_t t = 0; t < tracks; ++t) {
        const auto from = order.begin() + ends[t], to = order.begin() + ends[t + 1];
        if (!std::is_sorted(from, to, before))
            std::stable_sort(from, to, before);
    }
    return order;
}

} // namespace

void RecordingBuilder::findExtent()
{
    std::int64_t low = std::numeric_limits<std::int64_t>::max(), high = std::numeric_limits<std::int64_t>::min();
    const auto take = [&](std::int64_t at) {
        low = std::min(low, at);
        high = std::max(high, at);
    };
    for (const Recording::Slice& slice : m_out.m_slices) {
        take(slice.begin);
        take(slice.end);
    }
    for (const Recording::Slice& instant : m_out.m_instants)
        take(instant.begin);
    for (const PendingSample& sample : m_samples)
        take(sample.at);
    m_out.m_begin = low <= high ? low : 0;
    m_out.m_end = low <= high ? high : 0;
}

void RecordingBuilder::closeOpen()
{
    for (Recording::Slice& slice : m_out.m_slices)
        if (slice.open) {
            slice.end = m_out.m_end;
            lose(Loss::NeverEnded);
        }
}

// Asynchronous work shares a thread's lane only where the thread does nothing else.
void RecordingBuilder::splitAsync()
{
    std::vector<std::array<bool, 2>> has(m_out.m_tracks.size(), { false, false });
    for (std::size_t k = 0; k < m_out.m_slices.size(); ++k)
        has[m_out.m_slices[k].track][m_async[k] ? 1 : 0] = true;
    std::vector<std::uint32_t> own(has.size());
    m_seen.resize(has.size());
    std::iota(m_seen.begin(), m_seen.end(), 0U);
    for (std::size_t t = 0; t < has.size(); ++t) {
        own[t] = static_cast<std::uint32_t>(t);
        if (!has[t][1])
            continue;
        if (has[t][0]) {
            Recording::Track split = m_out.m_tracks[t];
            const std::string name(textOf(split.name));
            split.name = text(name.empty() ? "async" : name + " (async)");
            own[t] = static_cast<std::uint32_t>(m_out.m_tracks.size());
            m_out.m_tracks.push_back(split);
            m_seen.push_back(static_cast<std::uint32_t>(t));
        }
        m_out.m_tracks[own[t]].async = true;
    }
    for (std::size_t k = 0; k < m_out.m_slices.size(); ++k)
        if (m_async[k])
            m_out.m_slices[k].track = own[m_out.m_slices[k].track];
    m_async = {};
}

void RecordingBuilder::orderProcesses()
{
    std::vector<std::uint32_t> order(m_out.m_processes.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(),
        [&](std::uint32_t a, std::uint32_t b) { return m_out.m_processes[a].order < m_out.m_processes[b].order; });
    const std::vector<std::uint32_t> places = inverse(order);
    rearrange(m_out.m_processes, order);
    for (Recording::Track& track : m_out.m_tracks)
        track.process = places[track.process];
    for (Recording::Counter& counter : m_out.m_counters)
        counter.process = places[counter.process];
}

void RecordingBuilder::orderTracks()
{
    auto& tracks = m_out.m_tracks;
    // What never had anything is no lane.
    std::vector<bool> used(tracks.size(), false);
    for (const auto* column : { &m_out.m_slices, &m_out.m_instants })
        for (const Recording::Slice& slice : *column)
            used[slice.track] = true;
    std::vector<std::uint32_t> order;
    for (std::uint32_t t = 0; t < tracks.size(); ++t)
        if (used[t])
            order.push_back(t);
    // A lane split off stands behind the one that it was split from.
    const auto key = [&](std::uint32_t t) { return std::tuple(tracks[t].process, tracks[t].order, m_seen[t], t); };
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return key(a) < key(b); });
    std::vector<std::uint32_t> places(tracks.size(), 0);
    std::vector<Recording::Track> kept;
    kept.reserve(order.size());
    for (const std::uint32_t t : order) {
        places[t] = static_cast<std::uint32_t>(kept.size());
        kept.push_back(tracks[t]);
    }
    tracks = std::move(kept);
    for (auto* column : { &m_out.m_slices, &m_out.m_instants })
        for (Recording::Slice& slice : *column)
            slice.track = places[slice.track];
    for (PendingFlow& flow : m_flows)
        if (flow.track != Recording::none)
            flow.track = flow.track < used.size() && used[flow.track] ? places[flow.track] : Recording::none;
}

void RecordingBuilder::orderSlices()
{
    std::vector<std::uint32_t> order = byTrackAndTime(m_out.m_slices, m_out.m_tracks.size());
    const std::vector<std::uint32_t> places = inverse(order);
    for (PendingFlow& flow : m_flows)
        if (flow.slice != Recording::none)
            flow.slice = places[flow.slice];
    rearrange(m_out.m_slices, std::move(order));
    for (Recording::Track& track : m_out.m_tracks)
        track.slices = 0;
    for (std::uint32_t k = 0; k < m_out.m_slices.size(); ++k) {
        Recording::Track& track = m_out.m_tracks[m_out.m_slices[k].track];
        if (track.slices++ == 0)
            track.firstSlice = k;
    }
}

void RecordingBuilder::orderInstants()
{
    rearrange(m_out.m_instants, byTrackAndTime(m_out.m_instants, m_out.m_tracks.size()));
    for (Recording::Track& track : m_out.m_tracks)
        track.instants = 0;
    for (std::uint32_t k = 0; k < m_out.m_instants.size(); ++k) {
        Recording::Track& track = m_out.m_tracks[m_out.m_instants[k].track];
        if (track.instants++ == 0)
            track.firstInstant = k;
    }
}

void RecordingBuilder::placeRows()
{
    std::vector<std::int64_t> free;
    for (Recording::Track& track : m_out.m_tracks) {
        free.clear();
        for (std::uint32_t k = track.firstSlice; k < track.firstSlice + track.slices; ++k) {
            Recording::Slice& slice = m_out.m_slices[k];
            std::size_t row = 0;
            while (row < free.size() && free[row] > slice.begin)
                ++row;
            row = std::min(row, mostRows - 1);
            if (row == free.size())
                free.push_back(slice.end);
            free[row] = std::max(free[row], slice.end);
            slice.row = static_cast<std::uint16_t>(row);
        }
        track.rows = static_cast<std::uint32_t>(std::max<std::size_t>(1, free.size()));
    }
}

void RecordingBuilder::orderSamples()
{
    auto& counters = m_out.m_counters;
    std::vector<std::uint32_t> order(counters.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(),
        [&](std::uint32_t a, std::uint32_t b) { return counters[a].process < counters[b].process; });
    const std::vector<std::uint32_t> places = inverse(order);
    rearrange(counters, order);
    for (PendingSample& sample : m_samples)
        sample.counter = places[sample.counter];
    const auto before = [](const PendingSample& a, const PendingSample& b) {
        return a.counter != b.counter ? a.counter < b.counter : a.at < b.at;
    };
    if (!std::is_sorted(m_samples.begin(), m_samples.end(), before))
        std::stable_sort(m_samples.begin(), m_samples.end(), before);
    m_out.m_samples.reserve(m_samples.size());
    for (const PendingSample& sample : m_samples) {
        Recording::Counter& counter = counters[sample.counter];
        if (counter.samples++ == 0)
            counter.firstSample = static_cast<std::uint32_t>(m_out.m_samples.size());
        m_out.m_samples.push_back({ sample.at, sample.value });
    }
    m_samples = {};
}

// An arrow's end without a slice of its own belongs to the innermost one there at that time.
void RecordingBuilder::bindFlows()
{
    for (PendingFlow& flow : m_flows) {
        if (flow.slice != Recording::none || flow.track == Recording::none)
            continue;
        const Recording::Track& track = m_out.m_tracks[flow.track];
        const auto slices = m_out.slicesOf(track);
        auto last = std::partition_point(
            slices.begin(), slices.end(), [&](const Recording::Slice& slice) { return slice.begin <= flow.at; });
        // At most so many lie above each other, and those before them are over or hold them.
        for (std::size_t tries = 0; last != slices.begin() && tries < 4 * mostRows; ++tries)
            if ((--last)->end >= flow.at) {
                flow.slice = track.firstSlice + static_cast<std::uint32_t>(last - slices.begin());
                break;
            }
    }
}

void RecordingBuilder::takeTicks()
{
    if (!(m_tickRate > 0))
        return;
    RecordingClock read; // of ts, as it was read
    read.decimals = m_out.m_clock.decimals;
    read.known = true;
    const double perUnit = m_tickRate / read.perSecond();
    const auto converted = [&](std::int64_t at) {
        const double ticks = static_cast<double>(at) * perUnit;
        return static_cast<std::int64_t>(std::clamp(std::floor(ticks + 0.5), -9.2e18, 9.2e18));
    };
    constexpr std::int64_t missing = std::numeric_limits<std::int64_t>::min();
    for (Recording::Slice& slice : m_out.m_slices) {
        const std::int64_t begin = m_out.integer(slice, "begin", missing), end = m_out.integer(slice, "end", missing);
        if (begin != missing && end != missing && end >= begin) {
            slice.begin = begin;
            slice.end = end;
            continue;
        }
        lose(Loss::NoTicks);
        slice.begin = converted(slice.begin);
        slice.end = converted(slice.end);
        clearArguments();
        integer(text("begin"), slice.begin);
        integer(text("end"), slice.end);
        addArguments(slice);
    }
    for (Recording::Slice& instant : m_out.m_instants) {
        const std::int64_t begin = m_out.integer(instant, "begin", missing);
        instant.begin = instant.end = begin != missing ? begin : converted(instant.begin);
    }
    for (PendingSample& sample : m_samples)
        sample.at = converted(sample.at);
    for (PendingFlow& flow : m_flows) {
        flow.at = converted(flow.at);
        if (flow.slice != Recording::none)
            flow.at = std::clamp(flow.at, m_out.m_slices[flow.slice].begin, m_out.m_slices[flow.slice].end);
    }
    findExtent();
    orderSlices();
}

void RecordingBuilder::orderFlows()
{
    using Kind = Recording::FlowEnd::Kind;
    std::stable_sort(m_flows.begin(), m_flows.end(),
        [](const PendingFlow& a, const PendingFlow& b) { return a.id != b.id ? a.id < b.id : a.at < b.at; });
    m_out.m_flowEnds.reserve(m_flows.size());
    for (std::size_t first = 0; first < m_flows.size();) {
        std::size_t last = first;
        while (last < m_flows.size() && m_flows[last].id == m_flows[first].id)
            ++last;
        std::size_t bound = 0;
        bool started = false;
        for (std::size_t k = first; k < last; ++k) {
            const PendingFlow& flow = m_flows[k];
            const bool isLast = k + 1 == last;
            const Kind kind = flow.kind ? *flow.kind
                : flow.ends             ? Kind::End
                : !started              ? Kind::Start
                : isLast                ? Kind::End
                                        : Kind::Step;
            started = kind != Kind::End;
            if (flow.slice == Recording::none) {
                lose(Loss::UnboundFlow);
                continue;
            }
            ++bound;
            m_out.m_flowEnds.push_back({ kind, flow.slice, flow.id, flow.at });
        }
        if (bound == 1)
            lose(Loss::LoneFlow);
        first = last;
    }
    m_flows = {};
}

void RecordingBuilder::countLosses()
{
    const auto say = [this](Loss loss, std::string_view words) {
        if (const std::uint64_t times = m_lost[static_cast<std::size_t>(loss)]; times > 0)
            note(fmt::format("{} {}", times, words));
    };
    say(Loss::Dropped, "times the writer says that it dropped packets before one");
    say(Loss::Compressed, "compressed packets were not read");
    say(Loss::OtherPackets, "packets of other kinds were not read");
    say(Loss::OtherPhase, "events of other phases were not read");
    say(Loss::NoTime, "events without a time were left out");
    say(Loss::NeverEnded, "slices never ended: they reach to the end of the file's time");
    say(Loss::EndWithoutBegin, "ends without a begin were left out");
    say(Loss::EndBeforeBegin, "slices ended before they began: they are shown with no length");
    say(Loss::NegativeDuration, "negative durations are shown as none");
    say(Loss::NoDuration, "complete events without a duration are shown with no length");
    say(Loss::NoTicks, "slices have no begin and end in ticks: theirs are rounded from ts");
    say(Loss::RoundedTime, "times with more decimals than fit were rounded");
    say(Loss::UnboundFlow, "ends of arrows lie in no slice and were left out");
    say(Loss::LoneFlow, "arrows have one end only");
    say(Loss::UnknownName, "names are given by a number that the file does not explain");
    say(Loss::CutText, "texts longer than 4096 bytes were cut");
    say(Loss::CutArgument, "arguments were left out: too many or too long");
    say(Loss::Deep, "arguments were nested too deep and left out");
    if (m_notesAsFound)
        m_out.m_notes = std::move(*m_notesAsFound);
}

Recording RecordingBuilder::finish() &&
{
    findExtent();
    closeOpen();
    splitAsync();
    orderProcesses();
    orderTracks();
    orderSlices();
    bindFlows();
    takeTicks();
    orderInstants();
    orderSamples();
    orderFlows();
    placeRows();
    countLosses();
    m_shapeNumbers = {};
    m_textSlots = {};
    return std::move(m_out);
}

} // namespace flashstep
