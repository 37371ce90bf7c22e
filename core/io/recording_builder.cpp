// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording_builder.h"

#include "core/io/json.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

namespace flashstep {

namespace {

constexpr std::size_t longestText = 4096; // bytes; more is cut, and said
constexpr std::size_t mostArguments = 4096; // of one event
constexpr std::uint64_t mostOfAColumn = 0xFFFF'FFF0;
constexpr int finestDecimals = 9; // of a microsecond

std::uint64_t hashOf(std::string_view bytes)
{
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325;
    std::size_t k = 0;
    for (; k + 8 <= bytes.size(); k += 8) {
        std::uint64_t eight = 0;
        bytes.copy(reinterpret_cast<char*>(&eight), 8, k);
        hash = (hash ^ eight) * 0x9E37'79B9'7F4A'7C15;
        hash ^= hash >> 29U;
    }
    for (; k < bytes.size(); ++k)
        hash = (hash ^ static_cast<unsigned char>(bytes[k])) * 0x100'0000'01B3;
    return hash ^ (hash >> 32U);
}

// Text that JSON can hold: bytes that are no UTF-8 become U+FFFD.
std::string cleaned(std::string_view bytes)
{
    return Json::parse(quoted(std::string(bytes))).get<std::string>();
}

bool timesTen(std::int64_t& value, int times)
{
    for (; times > 0; --times)
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    return true;
}

} // namespace

std::optional<Decimal> decimalFrom(std::string_view text)
{
    Decimal number;
    std::size_t k = 0;
    const bool negative = k < text.size() && text[k] == '-';
    k += negative ? 1 : 0;
    bool any = false, point = false;
    for (; k < text.size(); ++k) {
        const char c = text[k];
        if (c == '.' && !point) {
            point = true;
        } else if (c >= '0' && c <= '9') {
            any = true;
            if (number.digits <= (std::numeric_limits<std::int64_t>::max() - 9) / 10) {
                number.digits = number.digits * 10 + (c - '0');
                number.exponent -= point ? 1 : 0;
            } else { // no more of them fit
                number.exponent += point ? 0 : 1;
            }
        } else {
            break;
        }
    }
    if (k < text.size() && any && (text[k] == 'e' || text[k] == 'E')) {
        int exponent = 0;
        const std::size_t from = k + 1 + (k + 1 < text.size() && text[k + 1] == '+' ? 1 : 0);
        const auto read = std::from_chars(text.data() + from, text.data() + text.size(), exponent);
        if (read.ec != std::errc() || std::abs(exponent) > 10'000)
            return std::nullopt;
        number.exponent += exponent;
        k = static_cast<std::size_t>(read.ptr - text.data());
    }
    if (!any || k != text.size())
        return std::nullopt;
    if (number.digits == 0)
        return Decimal {};
    while (number.digits % 10 == 0) {
        number.digits /= 10;
        ++number.exponent;
    }
    number.digits = negative ? -number.digits : number.digits;
    return number;
}

RecordingBuilder::RecordingBuilder(RecordingFormat source)
    : m_textSlots(1024, 0)
{
    m_out.m_source = source;
}

std::size_t RecordingBuilder::Hash::operator()(const std::vector<std::uint32_t>& parts) const
{
    return hashOf({ reinterpret_cast<const char*>(parts.data()), parts.size() * sizeof(std::uint32_t) });
}

// ---- texts ----

RecordingBuilder::Text RecordingBuilder::text(std::string_view bytes)
{
    if (bytes.empty())
        return 0;
    if (bytes.size() > longestText) {
        lose(Loss::CutText);
        bytes = bytes.substr(0, longestText);
    }
    std::string clean;
    if (std::any_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
        // Looked for as it is first: nearly every text was seen before.
        clean.assign(bytes);
    }
    const auto find = [&](std::string_view what) {
        std::size_t at = hashOf(what) & (m_textSlots.size() - 1);
        while (m_textSlots[at] != 0 && textOf(m_textSlots[at]) != what)
            at = (at + 1) & (m_textSlots.size() - 1);
        return at;
    };
    std::size_t at = find(bytes);
    if (m_textSlots[at] != 0)
        return m_textSlots[at];
    if (!clean.empty()) {
        clean = cleaned(bytes);
        bytes = clean;
        at = find(bytes);
        if (m_textSlots[at] != 0)
            return m_textSlots[at];
    }
    const auto id = static_cast<Text>(m_out.texts());
    m_out.m_characters += bytes;
    m_out.m_textEnds.push_back(static_cast<std::uint32_t>(m_out.m_characters.size()));
    m_textSlots[at] = id;
    if (2 * m_out.texts() > m_textSlots.size())
        growTexts();
    return id;
}

void RecordingBuilder::growTexts()
{
    m_textSlots.assign(2 * m_textSlots.size(), 0);
    for (Text id = 1; id < m_out.texts(); ++id) {
        std::size_t at = hashOf(textOf(id)) & (m_textSlots.size() - 1);
        while (m_textSlots[at] != 0)
            at = (at + 1) & (m_textSlots.size() - 1);
        m_textSlots[at] = id;
    }
}

bool RecordingBuilder::full() const
{
    return m_out.m_characters.size() > mostOfAColumn - longestText
        || m_out.m_values.size() > mostOfAColumn - mostArguments || m_out.m_slices.size() > mostOfAColumn
        || m_out.m_instants.size() > mostOfAColumn || m_out.texts() > (1U << 29U) - mostArguments
        || m_samples.size() > mostOfAColumn || m_out.m_tracks.size() > (1U << 20U)
        || m_out.m_counters.size() > (1U << 20U);
}

// ---- time ----

bool RecordingBuilder::finer(int decimals)
{
    std::int64_t factor = 1;
    if (decimals <= m_out.m_clock.decimals)
        return true;
    if (decimals > finestDecimals || !timesTen(factor, decimals - m_out.m_clock.decimals))
        return false;
    const std::int64_t largest = std::numeric_limits<std::int64_t>::max() / factor;
    const auto fits = [&](std::int64_t at) { return at <= largest && at >= -largest; };
    const auto eachTime = [&](auto visit) {
        for (auto* column : { &m_out.m_slices, &m_out.m_instants })
            for (Recording::Slice& slice : *column) {
                visit(slice.begin);
                visit(slice.end);
            }
        for (PendingFlow& flow : m_flows)
            visit(flow.at);
        for (PendingSample& sample : m_samples)
            visit(sample.at);
    };
    bool all = true;
    eachTime([&](std::int64_t& at) { all = all && fits(at); });
    if (!all)
        return false;
    eachTime([&](std::int64_t& at) { at *= factor; });
    m_out.m_clock.decimals = decimals;
    return true;
}

bool RecordingBuilder::time(const Decimal& microseconds, std::int64_t& units)
{
    units = microseconds.digits;
    if (units == 0)
        return true;
    int shift = microseconds.exponent + m_out.m_clock.decimals;
    for (const int decimals : { 6, finestDecimals })
        if (shift < 0 && decimals > m_out.m_clock.decimals
            && (decimals + microseconds.exponent >= 0 || decimals == finestDecimals)) {
            std::int64_t here = units;
            if (decimals + microseconds.exponent >= 0 && !timesTen(here, decimals + microseconds.exponent))
                break;
            if (!finer(decimals))
                break;
            shift = microseconds.exponent + decimals;
        }
    if (shift >= 0)
        return shift < 19 && timesTen(units, shift);
    lose(Loss::RoundedTime);
    for (; shift < -1 && units != 0; ++shift)
        units /= 10;
    units = (units + (units < 0 ? -5 : 5)) / 10;
    return true;
}

// ---- what is in it ----

std::uint32_t RecordingBuilder::addProcess(Text pid)
{
    m_out.m_processes.push_back({ 0, pid, 0 });
    return static_cast<std::uint32_t>(m_out.m_processes.size() - 1);
}

std::uint32_t RecordingBuilder::addTrack(std::uint32_t process, Text tid)
{
    Recording::Track track;
    track.process = process;
    track.tid = tid;
    m_out.m_tracks.push_back(track);
    return static_cast<std::uint32_t>(m_out.m_tracks.size() - 1);
}

void RecordingBuilder::clearArguments()
{
    m_parts.clear();
    m_partValues.clear();
}

void RecordingBuilder::argument(Text key, Recording::Argument::Type type, std::uint64_t value)
{
    if (m_parts.size() >= mostArguments) {
        lose(Loss::CutArgument);
        return;
    }
    m_parts.push_back(key << 3U | static_cast<std::uint32_t>(type));
    m_partValues.push_back(value);
}

void RecordingBuilder::integer(Text key, std::int64_t value)
{
    argument(key, Recording::Argument::Type::Integer, static_cast<std::uint64_t>(value));
}

void RecordingBuilder::natural(Text key, std::uint64_t value)
{
    if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        integer(key, static_cast<std::int64_t>(value));
    else
        argument(key, Recording::Argument::Type::Unsigned, value);
}

void RecordingBuilder::real(Text key, double value)
{
    argument(key, Recording::Argument::Type::Real,
        std::bit_cast<std::uint64_t>(std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value));
}

void RecordingBuilder::boolean(Text key, bool value)
{
    argument(key, Recording::Argument::Type::Boolean, value ? 1 : 0);
}

void RecordingBuilder::word(Text key, Text value, bool json)
{
    argument(key, json ? Recording::Argument::Type::Nested : Recording::Argument::Type::Text, value);
}

std::uint32_t RecordingBuilder::shapeOfArguments()
{
    const auto partsOf = [this](std::uint32_t shape) {
        return std::span<const std::uint32_t>(m_out.m_shapes)
            .subspan(m_out.m_shapeEnds[shape], m_out.m_shapeEnds[shape + 1] - m_out.m_shapeEnds[shape]);
    };
    if (const auto last = partsOf(m_lastShape); std::equal(last.begin(), last.end(), m_parts.begin(), m_parts.end()))
        return m_lastShape;
    const auto next = static_cast<std::uint32_t>(m_out.m_shapeEnds.size() - 1);
    const auto [found, isNew]
        = m_parts.empty() ? std::pair(m_shapeNumbers.end(), false) : m_shapeNumbers.emplace(m_parts, next);
    m_lastShape = m_parts.empty() ? 0 : found->second;
    if (isNew) {
        m_out.m_shapes.insert(m_out.m_shapes.end(), m_parts.begin(), m_parts.end());
        m_out.m_shapeEnds.push_back(static_cast<std::uint32_t>(m_out.m_shapes.size()));
    }
    return m_lastShape;
}

std::uint32_t RecordingBuilder::begin(std::uint32_t track, std::int64_t at, Text name, Text category, bool async)
{
    Recording::Slice slice { at, at, track, name, category, shapeOfArguments(),
        static_cast<std::uint32_t>(m_out.m_values.size()) };
    slice.open = true;
    m_out.m_values.insert(m_out.m_values.end(), m_partValues.begin(), m_partValues.end());
    m_out.m_slices.push_back(slice);
    m_async.push_back(async);
    return static_cast<std::uint32_t>(m_out.m_slices.size() - 1);
}

void RecordingBuilder::end(std::uint32_t k, std::int64_t at)
{
    Recording::Slice& slice = m_out.m_slices[k];
    if (at < slice.begin)
        lose(Loss::EndBeforeBegin);
    slice.end = std::max(at, slice.begin);
    slice.open = false;
    // The arguments of its end follow those of its begin.
    if (!m_parts.empty())
        addArguments(slice);
}

void RecordingBuilder::addArguments(Recording::Slice& slice)
{
    const auto first = m_out.m_shapes.begin() + m_out.m_shapeEnds[slice.shape],
               last = m_out.m_shapes.begin() + m_out.m_shapeEnds[slice.shape + 1];
    const auto before = static_cast<std::uint32_t>(last - first);
    m_parts.insert(m_parts.begin(), first, last);
    const auto values = static_cast<std::uint32_t>(m_out.m_values.size());
    for (std::uint32_t n = 0; n < before; ++n)
        m_out.m_values.push_back(m_out.m_values[slice.firstValue + n]);
    m_out.m_values.insert(m_out.m_values.end(), m_partValues.begin(), m_partValues.end());
    slice.shape = shapeOfArguments();
    slice.firstValue = values;
}

void RecordingBuilder::instant(std::uint32_t track, std::int64_t at, Text name, Text category)
{
    const Recording::Slice instant { at, at, track, name, category, shapeOfArguments(),
        static_cast<std::uint32_t>(m_out.m_values.size()) };
    m_out.m_values.insert(m_out.m_values.end(), m_partValues.begin(), m_partValues.end());
    m_out.m_instants.push_back(instant);
}

void RecordingBuilder::flow(std::uint32_t track, std::uint32_t slice, std::uint64_t id, std::int64_t at,
    std::optional<Recording::FlowEnd::Kind> kind, bool ends)
{
    m_flows.push_back({ id, at, track, slice, kind, ends });
}

std::uint32_t RecordingBuilder::counter(std::uint32_t process, Text name, Text unit)
{
    const auto next = static_cast<std::uint32_t>(m_out.m_counters.size());
    const auto [found, isNew] = m_counterNumbers.emplace(std::array { process, name, unit }, next);
    if (isNew)
        m_out.m_counters.push_back({ process, name, unit, 0, 0 });
    return found->second;
}

void RecordingBuilder::sample(std::uint32_t counter, std::int64_t at, double value)
{
    m_samples.push_back({ counter, at, value });
}

void RecordingBuilder::metadata(std::string key, std::string json)
{
    for (auto& [known, value] : m_out.m_metadata)
        if (known == key) {
            value = std::move(json);
            return;
        }
    if (m_out.m_metadata.size() < 256)
        m_out.m_metadata.emplace_back(std::move(key), std::move(json));
}

std::string RecordingBuilder::takeMetadata(std::string_view key)
{
    for (auto entry = m_out.m_metadata.begin(); entry != m_out.m_metadata.end(); ++entry)
        if (entry->first == key) {
            std::string value = std::move(entry->second);
            m_out.m_metadata.erase(entry);
            return value;
        }
    return {};
}

void RecordingBuilder::expect(std::uint64_t fileBytes)
{
    // Rather too little than too much; what is not used is never touched.
    const std::uint64_t bytes = std::min<std::uint64_t>(fileBytes, 1ULL << 32U);
    m_out.m_values.reserve(bytes / 16);
    m_out.m_slices.reserve(bytes / 256);
}

} // namespace flashstep
