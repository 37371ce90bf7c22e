// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/recording_source.h"

#include "core/io/json.h"
#include "core/io/recording_write.h"

#include <QStringList>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace flashstep::paint {

namespace {

constexpr int noBlock = -1;
constexpr std::size_t palette = 8;

QString qt(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<int>(text.size()));
}

QString ratio(double value)
{
    return QString::number(value, 'g', 4);
}

QString valueOf(const Recording::Argument& argument)
{
    using Type = Recording::Argument::Type;
    switch (argument.type) {
    case Type::Integer:
        return QString::number(argument.integer);
    case Type::Unsigned:
        return QString::number(argument.natural);
    case Type::Boolean:
        return argument.integer != 0 ? QStringLiteral("true") : QStringLiteral("false");
    case Type::Real:
        return qt(numberText(argument.real));
    case Type::Text:
    case Type::Nested:
        break;
    }
    const QString text = qt(argument.text);
    return text.size() > 120 ? text.left(119) + QChar(0x2026) : text;
}

// Of a microsecond, or of what the file's ts counts; nullptr: as the clock names it.
const char* unitOf(int decimals, bool known)
{
    switch (decimals) {
    case 3:
        return known ? "ns" : "thousandths of ts";
    case 6:
        return known ? "ps" : "millionths of ts";
    case 9:
        return known ? "fs" : "billionths of ts";
    default:
        return nullptr;
    }
}

} // namespace

RecordingAxis aloneAxis(const Recording& recording)
{
    const RecordingClock& clock = recording.clock();
    RecordingAxis axis;
    axis.unit = qt(clock.unitName());
    if (clock.unit != RecordingClock::Unit::Ticks) {
        double length = static_cast<double>(recording.end()) - static_cast<double>(recording.begin());
        int decimals = clock.decimals;
        for (; decimals > 3 && length >= 1e6; decimals -= 3, length /= 1000)
            axis.factor /= 1000;
        if (const char* unit = unitOf(decimals, clock.known))
            axis.unit = QLatin1String(unit);
    }
    axis.words = QStringLiteral("axis in %1 from the first").arg(axis.unit);
    return axis;
}

RecordingAxis besideAxis(const Recording& recording, double clockMhz, double begin, double end)
{
    const double length = std::max(1.0, static_cast<double>(recording.end()) - static_cast<double>(recording.begin()));
    const double perSecond = recording.clock().perSecond();
    if (!(perSecond > 0))
        return { std::max(1.0, end - begin) / length, begin,
            QStringLiteral("its clock is unknown: drawn to fit, lengths do not compare"), {} };
    const double factor = clockMhz * 1e6 / perSecond;
    return { factor, begin,
        QStringLiteral("1 %1 = %2 cycles at the run's %3 MHz; its first slice lies at the run's begin")
            .arg(recording.clock().unit == RecordingClock::Unit::Ticks ? QStringLiteral("tick")
                                                                       : qt(recording.clock().unitName()),
                ratio(factor), QString::number(clockMhz)),
        {} };
}

// ---- lanes ----

RecordingLanes::RecordingLanes(std::shared_ptr<const Recording> recording, QString name)
    : m_recording(std::move(recording))
    , m_name(std::move(name))
{
    addLanes();
    colour();
}

void RecordingLanes::addLanes()
{
    const Recording& r = *m_recording;
    m_processes.resize(r.processes().size());
    for (std::uint32_t t = 0; t < r.tracks().size(); ++t) {
        const Recording::Track& track = r.tracks()[t];
        if (track.slices == 0)
            continue;
        if (m_lanes.size() + track.rows > mostLanes) {
            m_leftOut += track.rows;
            continue;
        }
        Process& process = m_processes[track.process];
        if (process.lanes == 0)
            process.firstLane = m_lanes.size();
        process.lanes += track.rows;
        const std::size_t first = m_lanes.size();
        for (std::uint32_t row = 0; row < track.rows; ++row)
            m_lanes.push_back({ t, row, {} });
        if (track.rows > 1)
            for (std::uint32_t k = track.firstSlice; k < track.firstSlice + track.slices; ++k)
                m_lanes[first + r.slices()[k].row].slices.push_back(k);
    }
}

void RecordingLanes::colour()
{
    const Recording& r = *m_recording;
    for (Recording::Text id = 0; id < r.texts(); ++id)
        if (r.text(id) == "wait")
            m_wait = id;
        else if (r.text(id) == "sync")
            m_sync = id;
    const auto slices = r.slices();
    m_colours.resize(slices.size());
    m_byBlock = std::any_of(slices.begin(),
        slices.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(slices.size(), 4096)),
        [&](const Recording::Slice& slice) { return r.integer(slice, "j", noBlock) >= 0; });
    if (m_byBlock) {
        // Where the argument stands is the same for all slices of a shape.
        std::unordered_map<std::uint32_t, std::ptrdiff_t> places;
        for (std::size_t k = 0; k < slices.size(); ++k) {
            const auto [found, isNew] = places.emplace(slices[k].shape, -1);
            for (std::size_t a = 0; isNew && a < r.argumentCount(slices[k]); ++a)
                if (r.argument(slices[k], a).key == "j")
                    found->second = static_cast<std::ptrdiff_t>(a);
            const auto argument = found->second < 0 ? Recording::Argument {}
                                                    : r.argument(slices[k], static_cast<std::size_t>(found->second));
            const bool has
                = found->second >= 0 && argument.type == Recording::Argument::Type::Integer && argument.integer >= 0;
            m_blocksRepeat = m_blocksRepeat || (has && argument.integer >= static_cast<std::int64_t>(palette));
            m_colours[k]
                = static_cast<std::int8_t>(has ? argument.integer % static_cast<std::int64_t>(palette) : noBlock);
        }
        return;
    }
    std::unordered_map<Recording::Text, std::int8_t> names; // the first eight have colours of their own
    for (std::size_t k = 0; k < slices.size(); ++k) {
        const auto [found, isNew]
            = names.emplace(slices[k].name, static_cast<std::int8_t>(names.size() < palette ? names.size() : noBlock));
        if (isNew && found->second >= 0)
            m_colourNames.push_back(qt(r.text(slices[k].name)));
        m_colours[k] = found->second;
    }
}

std::size_t RecordingLanes::count(const Lane& lane) const
{
    const Recording::Track& track = m_recording->tracks()[lane.track];
    return track.rows > 1 ? lane.slices.size() : track.slices;
}

std::uint32_t RecordingLanes::number(const Lane& lane, std::size_t k) const
{
    const Recording::Track& track = m_recording->tracks()[lane.track];
    return track.rows > 1 ? lane.slices[k] : track.firstSlice + static_cast<std::uint32_t>(k);
}

const Recording::Slice& RecordingLanes::slice(const Lane& lane, std::size_t k) const
{
    return m_recording->slices()[number(lane, k)];
}

QString RecordingLanes::laneName(const Lane& lane) const
{
    return lane.row > 0 ? QString() : qt(m_recording->text(m_recording->tracks()[lane.track].name));
}

bool RecordingLanes::waits(const Recording::Slice& slice) const
{
    return slice.category == m_wait || slice.category == m_sync || slice.name == m_wait;
}

QString RecordingLanes::title(const RecordingAxis& axis) const
{
    QString title = QStringLiteral("Recording %1: %2. Clock: %3; %4.")
                        .arg(m_name, qt(m_recording->standing()), qt(m_recording->clock().statement), axis.words);
    if (m_leftOut > 0)
        title += QStringLiteral(" %1 further lanes are not drawn.").arg(m_leftOut);
    return title;
}

QString RecordingLanes::describe(std::uint32_t number) const
{
    const Recording& r = *m_recording;
    const Recording::Slice& slice = r.slices()[number];
    QStringList lines { qt(r.text(slice.name)), qt(r.laneName(r.tracks()[slice.track])) };
    const auto time = [&](std::int64_t units) { return qt(recordingTime(r.clock(), units)); };
    lines << QStringLiteral("from %1").arg(time(slice.begin))
          << (slice.open ? QStringLiteral("it never ended") : QStringLiteral("to %1").arg(time(slice.end)))
          << QStringLiteral("takes %1").arg(time(slice.end - slice.begin));
    if (!r.clock().known)
        lines << QStringLiteral("how long a unit lasts is not in the file");
    for (std::size_t k = 0; k < std::min<std::size_t>(r.argumentCount(slice), 24); ++k) {
        const Recording::Argument argument = r.argument(slice, k);
        lines << QStringLiteral("%1: %2").arg(qt(argument.key), valueOf(argument));
    }
    return lines.join(QLatin1Char('\n'));
}

// ---- a group ----

RecordingSource::RecordingSource(std::shared_ptr<const RecordingLanes> lanes, RecordingAxis axis, QString title,
    std::size_t firstLane, std::size_t laneCount)
    : m_lanes(std::move(lanes))
    , m_axis(std::move(axis))
    , m_title(std::move(title))
    , m_firstLane(firstLane)
    , m_laneCount(laneCount)
{
}

std::unique_ptr<RecordingSource> RecordingSource::upTo(std::size_t lanes) const
{
    return std::make_unique<RecordingSource>(m_lanes, m_axis, m_title, m_firstLane, std::min(lanes, m_laneCount));
}

QString RecordingSource::laneName(std::size_t lane) const
{
    return m_lanes->laneName(this->lane(lane));
}

double RecordingSource::toAxis(double ticks) const
{
    return m_axis.offset + (ticks - static_cast<double>(m_lanes->recording().begin())) * m_axis.factor;
}

double RecordingSource::toTicks(double axis) const
{
    return (axis - m_axis.offset) / m_axis.factor + static_cast<double>(m_lanes->recording().begin());
}

double RecordingSource::begin() const
{
    return toAxis(static_cast<double>(m_lanes->recording().begin()));
}

double RecordingSource::end() const
{
    return std::max(begin() + 1, toAxis(static_cast<double>(m_lanes->recording().end())));
}

// In a row neither begins nor ends ever decrease: its slices do not overlap.
std::size_t RecordingSource::firstEndingAfter(const RecordingLanes::Lane& lane, double ticks) const
{
    std::size_t low = 0, high = m_lanes->count(lane);
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (static_cast<double>(m_lanes->slice(lane, middle).end) < ticks)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

std::size_t RecordingSource::firstBeginningFrom(const RecordingLanes::Lane& lane, std::size_t from, double ticks) const
{
    // Mostly it is near: the steps double until it is passed.
    const std::size_t count = m_lanes->count(lane);
    std::size_t step = 1, low = from, high = from;
    while (high < count && static_cast<double>(m_lanes->slice(lane, high).begin) < ticks) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    high = std::min(high, count);
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (static_cast<double>(m_lanes->slice(lane, middle).begin) < ticks)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void RecordingSource::visit(
    std::size_t which, double from, double to, double detail, const std::function<void(const Slice&)>& visitor) const
{
    const RecordingLanes::Lane& lane = this->lane(which);
    const std::size_t count = m_lanes->count(lane);
    const double last = toTicks(to), grain = detail / m_axis.factor;
    for (std::size_t k = firstEndingAfter(lane, toTicks(from)); k < count;) {
        const Recording::Slice& slice = m_lanes->slice(lane, k);
        const auto begin = static_cast<double>(slice.begin), end = static_cast<double>(slice.end);
        if (begin >= last)
            return;
        const std::uint32_t number = m_lanes->number(lane, k);
        if (end - begin >= grain) {
            visitor({ toAxis(begin), toAxis(end), qt(m_lanes->recording().text(slice.name)), m_lanes->colourOf(number),
                m_lanes->waits(slice) });
            ++k;
            continue;
        }
        // Those that begin within one grain are drawn as one, in the colour of the first.
        // Only the last of them can be longer than that: it is drawn as what it is.
        std::size_t next = firstBeginningFrom(lane, k + 1, begin + grain);
        if (const Recording::Slice& longer = m_lanes->slice(lane, next - 1);
            next - 1 > k && static_cast<double>(longer.end - longer.begin) >= grain)
            --next;
        const auto reach = static_cast<double>(m_lanes->slice(lane, next - 1).end);
        visitor({ toAxis(begin), toAxis(std::max(reach, end)), QString(), m_lanes->colourOf(number), false });
        k = next;
    }
}

std::optional<std::uint32_t> RecordingSource::sliceAt(std::size_t which, double axis, double slack) const
{
    const RecordingLanes::Lane& lane = this->lane(which);
    const double at = toTicks(axis), width = slack / m_axis.factor;
    std::optional<std::uint32_t> found;
    for (std::size_t k = firstEndingAfter(lane, at - width); k < m_lanes->count(lane); ++k) {
        const Recording::Slice& slice = m_lanes->slice(lane, k);
        const auto begin = static_cast<double>(slice.begin);
        if (begin > at)
            break;
        if (at < std::max(static_cast<double>(slice.end), begin + width))
            found = m_lanes->number(lane, k);
        if (begin + width<at&& static_cast<double>(slice.end)> at)
            break;
    }
    return found;
}

std::vector<std::unique_ptr<RecordingSource>> recordingGroups(
    const std::shared_ptr<const RecordingLanes>& lanes, const RecordingAxis& axis, bool alone)
{
    const Recording& r = lanes->recording();
    std::vector<std::unique_ptr<RecordingSource>> groups;
    const auto add = [&](const QString& title, std::size_t first, std::size_t count) {
        groups.push_back(std::make_unique<RecordingSource>(lanes, axis, title, first, count));
    };
    if (alone) // beside the ruler
        add(axis.unit, 0, 0);
    add(lanes->title(axis), 0, 0);
    for (std::size_t p = 0; p < lanes->processes().size(); ++p)
        if (const RecordingLanes::Process& process = lanes->processes()[p]; process.lanes > 0)
            add(qt(r.text(r.processes()[p].name)), process.firstLane, process.lanes);
    return groups;
}

} // namespace flashstep::paint
