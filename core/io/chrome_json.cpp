// SPDX-License-Identifier: Apache-2.0
#include "core/io/chrome_json.h"

#include "core/io/flows.h"
#include "core/io/json.h"
#include "core/io/tracks.h"

#include <fmt/format.h>

#include <iterator>

namespace flashstep {

namespace {

constexpr std::size_t flushAt = 1U << 16U;
constexpr std::size_t processOfCounters = 1; // CTAs follow

class Writer {
public:
    Writer(const Run& run, const Range& range, std::ostream& out, const Progress& progress)
        : m_run(run)
        , m_trace(*run.trace)
        , m_range(range)
        , m_progress(progress)
        , m_out(out)
        , m_ns(m_trace.clockMhz())
        , m_names(*run.program)
        , m_tracks(*run.program)
        , m_flows(m_trace, range)
    {
        for (const Op& op : run.program->ops)
            m_fixed.push_back(R"("role":)" + quoted(run.program->roles[op.role.index()].name) + R"(,"source":)"
                + quoted(run.program->sourceOf(op.line)));
    }

    bool write()
    {
        m_text = R"({"displayTimeUnit":"ns","traceEvents":[)";
        metadata("process_name", processOfCounters, 0, "GPU: " + provenance(m_run));
        sortIndex("process_sort_index", processOfCounters, 0, 0);
        counters();
        SpanVisitor visitor;
        visitor.cta = [this](CtaId cta) { return enter(cta); };
        visitor.span = [this](const Span& span) { return slice(span); };
        forEachSpan(m_trace, m_range, visitor);
        m_text += "\n],\"metadata\":{\"provenance\":" + quoted(provenance(m_run))
            + ",\"clock_mhz\":" + numberText(m_trace.clockMhz())
            + ",\"time\":\"modelled\",\"note\":\"ts and dur are microseconds; nanoseconds = cycles x 1000 / clock_mhz, "
              "rounded\"}}\n";
        flush();
        return !m_cancelled;
    }

private:
    template <typename... Args> void add(fmt::format_string<Args...> format, Args&&... args)
    {
        fmt::format_to(std::back_inserter(m_text), format, std::forward<Args>(args)...);
    }
    void next()
    {
        if (m_text.size() > flushAt)
            flush();
        m_text += m_first ? "\n" : ",\n";
        m_first = false;
    }
    void flush()
    {
        m_out.write(m_text.data(), static_cast<std::streamsize>(m_text.size()));
        m_text.clear();
    }
    // Microseconds with three decimals, from whole nanoseconds.
    void time(std::string_view key, std::int64_t ns) { add(",\"{}\":{}.{:03}", key, ns / 1000, ns % 1000); }

    void metadata(std::string_view what, std::size_t pid, std::size_t tid, const std::string& text)
    {
        next();
        add(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", what, pid, tid, quoted(text));
    }
    void sortIndex(std::string_view what, std::size_t pid, std::size_t tid, std::size_t index)
    {
        next();
        add(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"sort_index":{}}}}})", what, pid, tid, index);
    }

    void counters()
    {
        for (const CounterLine& line : counterLines(m_run, m_range))
            for (const CounterLine::Sample& sample : line.samples) {
                next();
                add(R"({{"ph":"C","name":"{}","pid":{},"tid":0)", line.name, processOfCounters);
                time("ts", m_ns.of(sample.cycle));
                add(R"(,"args":{{"{}":{}}}}})", line.unit, numberText(sample.value));
            }
    }

    bool enter(CtaId cta)
    {
        const std::size_t pid = cta.index() + 2;
        m_tracks.enter();
        m_flows.enter(cta);
        metadata("process_name", pid, 0, processName(m_trace, cta));
        sortIndex("process_sort_index", pid, 0, cta.index() + 1);
        marks(cta, pid);
        m_progress.at(static_cast<double>(cta.index()) / static_cast<double>(m_run.program->ctaCount()));
        return true;
    }

    void marks(CtaId cta, std::size_t pid)
    {
        std::string line;
        std::size_t tid = 1U << 19U;
        for (const Mark& mark : marksOf(m_trace, cta, m_range)) {
            if (mark.line != line) {
                line = mark.line;
                metadata("thread_name", pid, ++tid, line);
                sortIndex("thread_sort_index", pid, tid, tid);
            }
            next();
            add(R"({{"ph":"i","s":"t","name":{},"pid":{},"tid":{})", quoted(mark.text), pid, tid);
            time("ts", m_ns.of(mark.cycle));
            m_text += '}';
        }
    }

    bool slice(const Span& span)
    {
        if ((++m_slices & 1023U) == 0 && m_progress.cancelled())
            m_cancelled = true;
        const Tracks::Place place = m_tracks.place(span);
        const std::size_t pid = span.cta.index() + 2;
        const std::size_t tid = place.track.number;
        if (place.isNew) {
            metadata("thread_name", pid, tid, place.track.name);
            sortIndex("thread_sort_index", pid, tid, static_cast<std::size_t>(place.track.order));
        }
        const std::int64_t begin = m_ns.of(span.begin);
        next();
        m_text += R"({"ph":"X","cat":")";
        m_text += name(span.op->kind);
        m_text += R"(","name":")";
        m_names.append(m_text, span); // labels need no escapes
        add("\",\"pid\":{},\"tid\":{}", pid, tid);
        time("ts", begin);
        time("dur", m_ns.of(span.end) - begin);
        arguments(span);
        flows(span, pid, tid);
        return !m_cancelled;
    }

    void arguments(const Span& span)
    {
        add(R"(,"args":{{"cta":{},{},"i":{})", span.cta.index(), m_fixed[span.opId.index()], span.i);
        if (span.j >= 0)
            add(R"(,"j":{})", span.j);
        add(R"(,"begin_cycle":{},"end_cycle":{})", span.begin, span.end);
        factsOf(m_run, span, m_facts);
        for (const Fact& fact : m_facts)
            add(R"(,"{}":{})", fact.key, jsonText(fact.value));
        m_text += "}}";
    }

    static std::string jsonText(double value)
    {
        const std::string text = numberText(value);
        return jsonNumber(value).is_string() ? '"' + text + '"' : text;
    }

    void flows(const Span& span, std::size_t pid, std::size_t tid)
    {
        m_flows.outOf(span, m_ends);
        for (const FlowEnd& end : m_ends)
            flow("s", end, pid, tid);
        m_flows.into(span, m_ends);
        for (const FlowEnd& end : m_ends)
            flow("f", end, pid, tid);
    }
    void flow(std::string_view phase, const FlowEnd& end, std::size_t pid, std::size_t tid)
    {
        next();
        add(R"({{"ph":"{}","bp":"e","cat":"dependency","name":"dependency","id":"{:#x}","pid":{},"tid":{})", phase,
            end.id, pid, tid);
        time("ts", m_ns.of(end.at));
        m_text += '}';
    }

    const Run& m_run;
    const Trace& m_trace;
    Range m_range;
    const Progress& m_progress;
    std::ostream& m_out;
    Nanoseconds m_ns;
    SliceNames m_names;
    Tracks m_tracks;
    Flows m_flows;
    std::vector<std::string> m_fixed; // by op: role and source
    std::vector<Fact> m_facts;
    std::vector<FlowEnd> m_ends;
    std::string m_text;
    std::size_t m_slices = 0;
    bool m_first = true;
    bool m_cancelled = false;
};

} // namespace

Status writeChromeJson(const Run& run, const Range& range, std::ostream& out, const Progress& progress)
{
    if (!Writer(run, range, out, progress).write())
        return Error { "cancelled", "", "" };
    return Nothing {};
}

} // namespace flashstep
