// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording_write.h"

#include "core/io/json.h"
#include "core/io/recording_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

namespace flashstep {

namespace {

constexpr std::size_t flushAt = 1U << 16U;

bool isNumber(std::string_view text)
{
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size()
        && std::to_string(value) == text;
}

class Writer {
public:
    Writer(const Recording& recording, std::ostream& out, const Progress& progress)
        : m_recording(recording)
        , m_out(out)
        , m_progress(progress)
        , m_flowOrder(recording.flowEnds().size())
    {
        for (std::uint32_t k = 0; k < m_flowOrder.size(); ++k)
            m_flowOrder[k] = k;
        std::stable_sort(m_flowOrder.begin(), m_flowOrder.end(), [&](std::uint32_t a, std::uint32_t b) {
            return recording.flowEnds()[a].slice < recording.flowEnds()[b].slice;
        });
    }

    bool write()
    {
        head();
        names();
        for (std::uint32_t t = 0; t < m_recording.tracks().size(); ++t)
            if (!track(t))
                return false;
        counters();
        m_text += "\n]}\n";
        flush();
        return true;
    }

private:
    template <typename... Args> void add(fmt::format_string<Args...> format, Args&&... args)
    {
        fmt::format_to(std::back_inserter(m_text), format, std::forward<Args>(args)...);
    }
    void flush()
    {
        m_out.write(m_text.data(), static_cast<std::streamsize>(m_text.size()));
        m_text.clear();
    }
    void next()
    {
        if (m_text.size() > flushAt)
            flush();
        m_text += m_first ? "\n" : ",\n";
        m_first = false;
    }
    [[nodiscard]] std::string inQuotes(Recording::Text text) const
    {
        return quoted(std::string(m_recording.text(text)));
    }
    // Numbers as numbers: viewers expect them of pid and tid.
    [[nodiscard]] std::string number(Recording::Text text) const
    {
        return isNumber(m_recording.text(text)) ? std::string(m_recording.text(text)) : inQuotes(text);
    }

    void head()
    {
        m_text = R"({"displayTimeUnit":"ns","metadata":{"flashstep_import":)" + importedAs(m_recording).dump();
        for (const auto& [key, value] : m_recording.metadata())
            if (key != "flashstep_import")
                m_text += "," + quoted(key) + ':' + value;
        m_text += "},\"traceEvents\":[";
    }

    void names()
    {
        for (std::uint32_t p = 0; p < m_recording.processes().size(); ++p) {
            const Recording::Process& process = m_recording.processes()[p];
            metadata("process_name", p, "0", "name", inQuotes(process.name));
            metadata("process_sort_index", p, "0", "sort_index", std::to_string(process.order));
        }
        for (std::uint32_t t = 0; t < m_recording.tracks().size(); ++t) {
            const Recording::Track& track = m_recording.tracks()[t];
            if (t > 0 && splitFrom(m_recording.tracks()[t - 1], track))
                continue;
            metadata("thread_name", track.process, number(track.tid), "name", inQuotes(track.name));
            metadata("thread_sort_index", track.process, number(track.tid), "sort_index", std::to_string(track.order));
        }
    }
    [[nodiscard]] static bool splitFrom(const Recording::Track& before, const Recording::Track& track)
    {
        return before.process == track.process && before.tid == track.tid;
    }
    void metadata(std::string_view what, std::uint32_t process, const std::string& tid, std::string_view key,
        const std::string& value)
    {
        next();
        add(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"{}":{}}}}})", what,
            number(m_recording.processes()[process].pid), tid, key, value);
    }

    // Microseconds, with all decimals that a unit has; of ticks as many as give them back.
    void time(std::string_view key, std::int64_t units)
    {
        const RecordingClock& clock = m_recording.clock();
        add(",\"{}\":", key);
        if (clock.unit == RecordingClock::Unit::Ticks) {
            add("{:.{}f}", static_cast<double>(units) * (1e6 / clock.tickRateHz), clock.decimals);
            return;
        }
        std::uint64_t power = 1;
        for (int k = 0; k < clock.decimals; ++k)
            power *= 10;
        const std::uint64_t size
            = units < 0 ? 0 - static_cast<std::uint64_t>(units) : static_cast<std::uint64_t>(units);
        add("{}{}.{:0{}}", units < 0 ? "-" : "", size / power, size % power, clock.decimals);
    }

    void place(const Recording::Track& track)
    {
        add(R"(,"pid":{},"tid":{})", number(m_recording.processes()[track.process].pid), number(track.tid));
    }

    bool track(std::uint32_t t)
    {
        const Recording::Track& track = m_recording.tracks()[t];
        for (const Recording::Slice& instant : m_recording.instantsOf(track)) {
            next();
            m_text += R"({"ph":"i","s":"t")";
            described(instant);
            place(track);
            time("ts", instant.begin);
            arguments(instant);
            m_text += '}';
        }
        for (std::uint32_t k = track.firstSlice; k < track.firstSlice + track.slices; ++k) {
            if ((++m_done & 4095U) == 0) {
                if (m_progress.cancelled())
                    return false;
                m_progress.at(static_cast<double>(m_done) / static_cast<double>(m_recording.slices().size()));
            }
            slice(track, m_recording.slices()[k]);
            for (; m_nextFlow < m_flowOrder.size() && flowAt(m_nextFlow).slice <= k; ++m_nextFlow)
                if (flowAt(m_nextFlow).slice == k)
                    flow(track, flowAt(m_nextFlow));
        }
        return true;
    }
    [[nodiscard]] const Recording::FlowEnd& flowAt(std::size_t k) const
    {
        return m_recording.flowEnds()[m_flowOrder[k]];
    }

    void described(const Recording::Slice& slice)
    {
        if (slice.name != 0)
            m_text += ",\"name\":" + inQuotes(slice.name);
        if (slice.category != 0)
            m_text += ",\"cat\":" + inQuotes(slice.category);
    }

    void slice(const Recording::Track& track, const Recording::Slice& slice)
    {
        const char* phase = track.async ? "b" : slice.open ? "B" : "X";
        next();
        add(R"({{"ph":"{}")", phase);
        described(slice);
        if (track.async)
            add(R"(,"id":"{:#x}")", ++m_async);
        place(track);
        time("ts", slice.begin);
        if (!track.async && !slice.open)
            time("dur", slice.end - slice.begin);
        arguments(slice);
        m_text += '}';
        if (!track.async || slice.open)
            return;
        next();
        m_text += R"({"ph":"e")";
        described(slice);
        add(R"(,"id":"{:#x}")", m_async);
        place(track);
        time("ts", slice.end);
        m_text += '}';
    }

    void arguments(const Recording::Slice& slice)
    {
        using Type = Recording::Argument::Type;
        if (m_recording.argumentCount(slice) == 0)
            return;
        m_text += ",\"args\":{";
        for (std::size_t k = 0; k < m_recording.argumentCount(slice); ++k) {
            const Recording::Argument argument = m_recording.argument(slice, k);
            m_text += (k > 0 ? "," : "") + quoted(std::string(argument.key)) + ':';
            switch (argument.type) {
            case Type::Integer:
                add("{}", argument.integer);
                break;
            case Type::Unsigned:
                add("{}", argument.natural);
                break;
            case Type::Boolean:
                m_text += argument.integer != 0 ? "true" : "false";
                break;
            case Type::Real:
                real(argument.real);
                break;
            case Type::Text:
                m_text += quoted(std::string(argument.text));
                break;
            case Type::Nested:
                m_text += argument.text;
                break;
            }
        }
        m_text += '}';
    }
    // With a point or an exponent, so that it is read back as what it was.
    void real(double value)
    {
        const std::string text = numberText(value);
        if (!std::isfinite(value))
            m_text += '"' + text + '"';
        else
            m_text += text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    }

    void flow(const Recording::Track& track, const Recording::FlowEnd& end)
    {
        using Kind = Recording::FlowEnd::Kind;
        next();
        add(R"({{"ph":"{}","bp":"e","cat":"dependency","name":"dependency","id":"{:#x}")",
            end.kind == Kind::Start      ? "s"
                : end.kind == Kind::Step ? "t"
                                         : "f",
            end.id);
        place(track);
        time("ts", end.at);
        m_text += '}';
    }

    void counters()
    {
        for (const Recording::Counter& counter : m_recording.counters())
            for (const Recording::Sample& sample : m_recording.samplesOf(counter)) {
                next();
                add(R"({{"ph":"C","name":{},"pid":{},"tid":0)", inQuotes(counter.name),
                    number(m_recording.processes()[counter.process].pid));
                time("ts", sample.at);
                m_text += ",\"args\":{" + inQuotes(counter.unit) + ':';
                real(sample.value);
                m_text += "}}";
            }
    }

    const Recording& m_recording;
    std::ostream& m_out;
    const Progress& m_progress;
    std::vector<std::uint32_t> m_flowOrder; // by slice
    std::size_t m_nextFlow = 0;
    std::uint64_t m_async = 0;
    std::uint64_t m_done = 0;
    std::string m_text;
    bool m_first = true;
};

std::string plural(std::size_t count, std::string_view one)
{
    return groupedNumber(static_cast<std::int64_t>(count)) + ' ' + std::string(one) + (count == 1 ? "" : "s");
}

std::size_t arrowsOf(const Recording& recording)
{
    std::size_t count = 0;
    std::uint64_t last = 0;
    for (const Recording::FlowEnd& end : recording.flowEnds()) {
        count += count == 0 || end.id != last ? 1 : 0;
        last = end.id;
    }
    return count;
}

} // namespace

Status writeRecording(const Recording& recording, std::ostream& out, const Progress& progress)
{
    if (!Writer(recording, out, progress).write())
        return Error { "cancelled", "", "" };
    return Nothing {};
}

std::string groupedNumber(std::int64_t value)
{
    std::string digits = std::to_string(value);
    for (int at = static_cast<int>(digits.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3)
        digits.insert(static_cast<std::size_t>(at), " ");
    return digits;
}

std::string recordingTime(const RecordingClock& clock, std::int64_t units)
{
    if (clock.perSecond() <= 0) {
        double whole = 1;
        for (int k = 0; k < clock.decimals; ++k)
            whole *= 10;
        return fmt::format("{:.3f} in the file's ts", static_cast<double>(units) / whole);
    }
    const std::string plain = groupedNumber(units) + ' ' + clock.unitName();
    const double us = static_cast<double>(units) * 1e6 / clock.perSecond();
    const std::string text = fmt::format("{:.3f}", us);
    return plain + " = " + text + " \xC2\xB5s";
}

std::string recordingAccount(const Recording& recording)
{
    std::string text;
    const auto line = [&](std::string_view key, const std::string& value) {
        if (!value.empty())
            text += fmt::format("{:<10}{}\n", key, value);
    };
    line("kind",
        std::string(name(recording.source()))
            + (recording.writer().empty() ? "" : ", written by " + recording.writer()));
    line("standing", recording.standing());
    line("clock", recording.clock().statement);
    line("kernel", recording.metadataText("kernel", "name"));
    const std::size_t processes = recording.processes().size();
    line("lanes",
        plural(recording.tracks().size(), "lane") + " of "
            + (processes == 1 ? "1 process" : std::to_string(processes) + " processes"));
    line("holds",
        plural(recording.slices().size(), "slice") + ", " + plural(recording.instants().size(), "instant") + ", "
            + plural(arrowsOf(recording), "arrow") + ", " + plural(recording.samples().size(), "sample") + " of "
            + plural(recording.counters().size(), "counter"));
    if (!recording.slices().empty())
        line("reaches", recordingTime(recording.clock(), recording.end() - recording.begin()));
    for (const std::string& note : recording.notes())
        line("note", note);
    return text;
}

std::string recordingAccountJson(const Recording& recording)
{
    Json out;
    out["kind"] = std::string(name(recording.source()));
    out["writer"] = recording.writer();
    out["measured"] = recording.measured();
    out["modelled"] = recording.modelled();
    out["standing"] = recording.standing();
    const RecordingClock& clock = recording.clock();
    out["clock"] = { { "unit", clock.unitName() }, { "known", clock.known }, { "statement", clock.statement },
        { "per_second", clock.perSecond() > 0 ? Json(clock.perSecond()) : Json() } };
    out["processes"] = recording.processes().size();
    out["lanes"] = recording.tracks().size();
    out["slices"] = recording.slices().size();
    out["instants"] = recording.instants().size();
    out["arrows"] = arrowsOf(recording);
    out["counters"] = recording.counters().size();
    out["samples"] = recording.samples().size();
    out["begin"] = recording.begin();
    out["end"] = recording.end();
    out["notes"] = recording.notes();
    return jsonText(out);
}

} // namespace flashstep
