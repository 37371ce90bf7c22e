// SPDX-License-Identifier: Apache-2.0
#include "core/io/chrome_json.h"

#include "core/io/flows.h"
#include "core/io/json.h"
#include "core/io/marks.h"
#include "core/io/op_classes.h"
#include "core/io/scenario_line.h"
#include "core/io/text_buffer.h"
#include "core/io/tracks.h"

namespace flashstep {

namespace {

constexpr std::size_t processOfCounters = 1; // CTAs follow

class Writer {
public:
    Writer(const Run& run, const Range& range, std::ostream& out, const Progress& progress)
        : m_run(run)
        , m_trace(*run.trace)
        , m_range(range)
        , m_progress(progress)
        , m_text(out)
        , m_ns(m_trace.clockMhz())
        , m_classes(*run.program)
        , m_tracks(*run.program)
        , m_flows(m_trace, range)
    {
    }

    bool write()
    {
        m_text << R"({"displayTimeUnit":"ns","traceEvents":[)";
        processName(processOfCounters, "GPU: " + provenance(m_run), 0);
        counters();
        SpanVisitor visitor;
        visitor.cta = [this](CtaId cta) { return enter(cta); };
        visitor.span = [this](const Span& span) { return slice(span); };
        forEachSpan(m_trace, m_range, visitor);
        m_text << "\n],\"metadata\":{\"provenance\":" << quoted(provenance(m_run)) << ",\"clock_mhz\":";
        m_text.number(m_trace.clockMhz());
        m_text << ",\"time\":\"modelled\",\"note\":\"ts and dur are microseconds; nanoseconds = cycles x 1000 / "
                  "clock_mhz, rounded\",\"scenario\":"
               << scenarioLine(m_run.scenario) << "}}\n";
        m_text.flush();
        return !m_cancelled;
    }

private:
    // An event's beginning, up to its thread.
    TextBuffer& next(std::string_view phase)
    {
        m_text << (m_first ? "\n{\"ph\":\"" : ",\n{\"ph\":\"") << phase << '"';
        m_first = false;
        return m_text;
    }
    void thread(std::size_t pid, std::size_t tid)
    {
        m_text << ",\"pid\":";
        m_text.integer(static_cast<std::int64_t>(pid));
        m_text << ",\"tid\":";
        m_text.integer(static_cast<std::int64_t>(tid));
    }
    void time(std::int64_t ns)
    {
        m_text << ",\"ts\":";
        m_text.thousandths(ns);
    }

    void metadata(std::string_view what, std::size_t pid, std::size_t tid, std::string_view key, std::string_view value)
    {
        next("M") << ",\"name\":\"" << what << '"';
        thread(pid, tid);
        m_text << ",\"args\":{\"" << key << "\":" << value << "}}";
    }
    void processName(std::size_t pid, const std::string& name, std::size_t order)
    {
        metadata("process_name", pid, 0, "name", quoted(name));
        metadata("process_sort_index", pid, 0, "sort_index", std::to_string(order));
    }
    void threadName(std::size_t pid, std::size_t tid, const std::string& name, std::size_t order)
    {
        metadata("thread_name", pid, tid, "name", quoted(name));
        metadata("thread_sort_index", pid, tid, "sort_index", std::to_string(order));
    }

    void counters()
    {
        for (const CounterLine& line : counterLines(m_run, m_range))
            for (const CounterLine::Sample& sample : line.samples) {
                next("C") << ",\"name\":\"" << line.name << '"';
                thread(processOfCounters, 0);
                time(m_ns.of(sample.cycle));
                m_text << ",\"args\":{\"" << line.unit << "\":";
                m_text.number(sample.value) << "}}";
            }
    }

    bool enter(CtaId cta)
    {
        const std::size_t pid = cta.index() + 2;
        m_tracks.enter();
        m_flows.enter(cta);
        m_asyncLines.clear();
        processName(pid, flashstep::processName(m_trace, cta), cta.index() + 1);
        marks(cta, pid);
        m_progress.at(static_cast<double>(cta.index()) / static_cast<double>(m_run.program->ctaCount()));
        m_cancelled = m_cancelled || m_progress.cancelled();
        return !m_cancelled;
    }

    void marks(CtaId cta, std::size_t pid)
    {
        std::string line;
        std::size_t tid = 1U << 19U;
        forEachMark(m_trace, cta, m_range, [&](const Mark& mark) {
            if (mark.line != line) {
                line = mark.line;
                ++tid;
                threadName(pid, tid, line, tid);
            }
            next("i") << R"(,"s":"t","name":)" << quoted(std::string(mark.text));
            thread(pid, tid);
            time(m_ns.of(mark.cycle));
            m_text << '}';
        });
    }

    bool slice(const Span& span)
    {
        if ((++m_slices & 1023U) == 0 && m_progress.cancelled())
            m_cancelled = true;
        const Tracks::Place place = m_tracks.place(span);
        const std::size_t pid = span.cta.index() + 2;
        const std::size_t tid = place.track.number;
        if (place.isNew)
            threadName(pid, tid, place.track.name, static_cast<std::size_t>(place.track.order));
        if (span.op->async)
            asyncSlice(span, place.track, pid);
        else
            syncSlice(span, pid, tid);
        flows(span, pid, tid);
        return !m_cancelled;
    }

    void syncSlice(const Span& span, std::size_t pid, std::size_t tid)
    {
        const std::int64_t begin = m_ns.of(span.begin);
        const std::size_t kind = m_classes.indexOf(*span.op);
        next("X");
        category(span);
        title(span, kind);
        thread(pid, tid);
        time(begin);
        m_text << ",\"dur\":";
        m_text.thousandths(m_ns.of(span.end) - begin);
        arguments(span, kind);
    }

    // A line of asynchronous work is one tree of the format, by category and id: its slices follow each other. Viewers
    // name the tree after the first event in it, so that one says which line it is.
    void asyncSlice(const Span& span, const Track& track, std::size_t pid)
    {
        const std::size_t kind = m_classes.indexOf(*span.op);
        const std::size_t tid = track.number;
        const std::size_t tree = tid * opKindCount + static_cast<std::size_t>(span.op->kind);
        if (m_asyncLines.size() <= tree)
            m_asyncLines.resize(2 * tree + 1, false);
        if (!m_asyncLines[tree]) {
            m_asyncLines[tree] = true;
            asyncEvent("n", span, pid, tid, span.begin);
            m_text << ",\"name\":" << quoted(track.name) << '}';
        }
        asyncEvent("b", span, pid, tid, span.begin);
        title(span, kind);
        arguments(span, kind);
        asyncEvent("e", span, pid, tid, span.end);
        title(span, kind);
        m_text << '}';
    }
    void asyncEvent(std::string_view phase, const Span& span, std::size_t pid, std::size_t tid, Cycle cycle)
    {
        next(phase);
        category(span);
        m_text << ",\"id\":\"0x";
        m_text.integer(static_cast<std::int64_t>(pid << 20U | tid), 16) << '"';
        thread(pid, tid);
        time(m_ns.of(cycle));
    }

    void category(const Span& span) { m_text << ",\"cat\":\"" << name(span.op->kind) << '"'; }
    // Labels need no escapes.
    void title(const Span& span, std::size_t kind)
    {
        m_tile.clear();
        appendTile(m_tile, span);
        m_text << ",\"name\":\"" << m_classes.at(kind).label << m_tile << '"';
    }

    void arguments(const Span& span, std::size_t kind)
    {
        m_text << ",\"args\":{\"cta\":";
        m_text.integer(static_cast<std::int64_t>(span.cta.index())) << fixedArguments(kind) << ",\"i\":";
        m_text.integer(span.i);
        if (span.j >= 0) {
            m_text << ",\"j\":";
            m_text.integer(span.j);
        }
        m_text << ",\"begin_cycle\":";
        m_text.integer(span.begin) << ",\"end_cycle\":";
        m_text.integer(span.end);
        factsOf(m_run, span, m_facts);
        for (const Fact& fact : m_facts) {
            m_text << ",\"" << name(fact.key) << "\":";
            if (std::isfinite(fact.value))
                m_text.number(fact.value);
            else
                m_text << '"' << numberText(fact.value) << '"';
        }
        m_text << "}}";
    }
    // Role and source line, the same for every op of a class; classes come in order of first use.
    std::string_view fixedArguments(std::size_t kind)
    {
        if (kind == m_fixed.size())
            m_fixed.push_back(R"(,"role":)" + quoted(std::string(m_classes.at(kind).role)) + R"(,"source":)"
                + quoted(m_classes.at(kind).source));
        return m_fixed[kind];
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
        next(phase) << R"(,"bp":"e","cat":"dependency","name":"dependency","id":"0x)";
        m_text.integer(static_cast<std::int64_t>(end.id), 16) << '"';
        thread(pid, tid);
        time(end.at);
        m_text << '}';
    }

    const Run& m_run;
    const Trace& m_trace;
    Range m_range;
    const Progress& m_progress;
    TextBuffer m_text;
    Nanoseconds m_ns;
    OpClasses m_classes;
    Tracks m_tracks;
    Flows m_flows;
    std::vector<std::string> m_fixed; // by class
    std::vector<bool> m_asyncLines; // of the CTA, by line and kind of op: named already
    std::vector<Fact> m_facts;
    std::vector<FlowEnd> m_ends;
    std::string m_tile;
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
