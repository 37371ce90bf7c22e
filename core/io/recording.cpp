// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording.h"

#include "core/io/json.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace flashstep {

namespace {

double powerOfTen(int exponent)
{
    double power = 1;
    for (int k = 0; k < exponent; ++k)
        power *= 10;
    return power;
}

std::string plain(const Json& value)
{
    return value.is_string()      ? value.get<std::string>()
        : value.is_number_float() ? numberText(value.get<double>())
                                  : value.dump();
}

} // namespace

std::string_view name(RecordingFormat source)
{
    constexpr std::array<std::string_view, 3> names { "recording", "chrome-json", "perfetto" };
    return names.at(static_cast<std::size_t>(source));
}

double RecordingClock::perSecond() const
{
    if (!known)
        return 0;
    return unit == Unit::Ticks ? tickRateHz : powerOfTen(6 + decimals);
}

std::string RecordingClock::unitName() const
{
    if (unit == Unit::Ticks)
        return "ticks";
    if (known)
        return decimals == 3 ? "ns" : decimals == 6 ? "ps" : "fs";
    return decimals == 3 ? "thousandths of ts" : "10^-" + std::to_string(decimals) + " of ts";
}

std::string Recording::metadataText(std::string_view key, std::string_view inside) const
{
    for (const auto& [name, value] : m_metadata) {
        if (name != key)
            continue;
        const Json json = Json::parse(value, nullptr, false);
        if (inside.empty())
            return json.is_discarded() || json.is_null() ? "" : plain(json);
        const auto found = json.is_object() ? json.find(inside) : json.end();
        return json.is_object() && found != json.end() && !found->is_null() ? plain(*found) : "";
    }
    return {};
}

bool Recording::measured() const
{
    return !metadataText("device").empty() && !metadataText("driver").empty()
        && !metadataText("kernel", "hash").empty();
}

bool Recording::modelled() const
{
    return metadataText("time") == "modelled";
}

std::string Recording::standing() const
{
    if (modelled())
        return "modelled, not measured";
    if (measured())
        return "measured on " + metadataText("device");
    std::string lacks;
    const auto ask = [&](bool there, std::string_view what) {
        if (!there)
            lacks += (lacks.empty() ? "no " : ", no ") + std::string(what);
    };
    ask(!metadataText("device").empty(), "device");
    ask(!metadataText("driver").empty(), "driver");
    ask(!metadataText("kernel", "hash").empty(), "kernel hash");
    return "not shown as measured: " + lacks + " in the file";
}

Recording::Argument Recording::argument(const Slice& slice, std::size_t k) const
{
    const std::uint32_t part = m_shapes[m_shapeEnds[slice.shape] + k];
    const std::uint64_t value = m_values[slice.firstValue + k];
    Argument argument;
    argument.type = static_cast<Argument::Type>(part & 7U);
    argument.key = text(part >> 3U);
    switch (argument.type) {
    case Argument::Type::Integer:
    case Argument::Type::Boolean:
        argument.integer = static_cast<std::int64_t>(value);
        break;
    case Argument::Type::Unsigned:
        argument.natural = value;
        break;
    case Argument::Type::Real:
        argument.real = std::bit_cast<double>(value);
        break;
    case Argument::Type::Text:
    case Argument::Type::Nested:
        argument.text = text(static_cast<Text>(value));
        break;
    }
    return argument;
}

std::int64_t Recording::integer(const Slice& slice, std::string_view key, std::int64_t otherwise) const
{
    for (std::size_t k = 0; k < argumentCount(slice); ++k) {
        const Argument argument = this->argument(slice, k);
        if (argument.key != key)
            continue;
        if (argument.type == Argument::Type::Integer)
            return argument.integer;
        if (argument.type == Argument::Type::Real && std::fabs(argument.real) < 1e15
            && argument.real == std::trunc(argument.real))
            return static_cast<std::int64_t>(argument.real);
    }
    return otherwise;
}

std::string_view Recording::textOf(const Slice& slice, std::string_view key) const
{
    for (std::size_t k = 0; k < argumentCount(slice); ++k)
        if (const Argument argument = this->argument(slice, k);
            argument.key == key && argument.type == Argument::Type::Text)
            return argument.text;
    return {};
}

std::string Recording::laneName(const Track& track) const
{
    const std::string_view process = text(m_processes[track.process].name), lane = text(track.name);
    if (process.empty() || lane == process)
        return std::string(lane);
    return std::string(process) + " / " + std::string(lane);
}

std::uint64_t Recording::bytes() const
{
    const auto of = [](const auto& column) {
        return column.size() * sizeof(typename std::remove_cvref_t<decltype(column)>::value_type);
    };
    return of(m_processes) + of(m_tracks) + of(m_slices) + of(m_instants) + of(m_flowEnds) + of(m_counters)
        + of(m_samples) + of(m_characters) + of(m_textEnds) + of(m_shapes) + of(m_shapeEnds) + of(m_values);
}

namespace {

// Compares two recordings part by part; texts by what they say.
class Comparison {
public:
    Comparison(const Recording& a, const Recording& b)
        : m_a(a)
        , m_b(b)
    {
    }

    template <typename Item, typename Same>
    [[nodiscard]] static bool all(std::span<const Item> a, std::span<const Item> b, Same same)
    {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
    }
    [[nodiscard]] bool text(Recording::Text a, Recording::Text b) const { return m_a.text(a) == m_b.text(b); }
    [[nodiscard]] bool slice(const Recording::Slice& a, const Recording::Slice& b) const
    {
        if (a.begin != b.begin || a.end != b.end || a.track != b.track || a.row != b.row || a.open != b.open
            || !text(a.name, b.name) || !text(a.category, b.category) || m_a.argumentCount(a) != m_b.argumentCount(b))
            return false;
        for (std::size_t k = 0; k < m_a.argumentCount(a); ++k) {
            const Recording::Argument x = m_a.argument(a, k), y = m_b.argument(b, k);
            if (x.type != y.type || x.key != y.key || x.text != y.text || x.integer != y.integer
                || x.natural != y.natural
                || std::bit_cast<std::uint64_t>(x.real) != std::bit_cast<std::uint64_t>(y.real))
                return false;
        }
        return true;
    }

private:
    const Recording& m_a;
    const Recording& m_b;
};

} // namespace

bool sameContent(const Recording& a, const Recording& b)
{
    const Comparison same(a, b);
    return a.m_source == b.m_source && a.m_writer == b.m_writer && a.m_clock == b.m_clock
        && a.m_metadata == b.m_metadata && a.m_notes == b.m_notes
        && Comparison::all(a.processes(), b.processes(),
            [&](const auto& x, const auto& y) {
                return same.text(x.name, y.name) && same.text(x.pid, y.pid) && x.order == y.order;
            })
        && Comparison::all(a.tracks(), b.tracks(),
            [&](const auto& x, const auto& y) {
                return x.process == y.process && same.text(x.name, y.name) && same.text(x.tid, y.tid)
                    && x.order == y.order && x.slices == y.slices && x.instants == y.instants && x.rows == y.rows
                    && x.async == y.async;
            })
        && Comparison::all(a.slices(), b.slices(), [&](const auto& x, const auto& y) { return same.slice(x, y); })
        && Comparison::all(a.instants(), b.instants(), [&](const auto& x, const auto& y) { return same.slice(x, y); })
        && Comparison::all(a.flowEnds(), b.flowEnds(),
            [](const auto& x, const auto& y) {
                return x.kind == y.kind && x.slice == y.slice && x.id == y.id && x.at == y.at;
            })
        && Comparison::all(a.counters(), b.counters(),
            [&](const auto& x, const auto& y) {
                return x.process == y.process && same.text(x.name, y.name) && same.text(x.unit, y.unit)
                    && x.samples == y.samples;
            })
        && Comparison::all(
            a.samples(), b.samples(), [](const auto& x, const auto& y) { return x.at == y.at && x.value == y.value; });
}

} // namespace flashstep
