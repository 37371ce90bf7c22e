// SPDX-License-Identifier: Apache-2.0
#include "core/io/csv.h"

#include "core/io/json.h"
#include "core/trace/state.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace flashstep {

namespace {

constexpr std::size_t flushAt = 1U << 16U;

// Lines of text on their way to a stream. Roles and ops have no commas or quotes in their names.
class Lines {
public:
    Lines(std::ostream& out, const Progress& progress)
        : m_out(out)
        , m_progress(progress)
    {
    }
    Lines(const Lines&) = delete;
    Lines& operator=(const Lines&) = delete;
    ~Lines() { flush(); }

    template <typename... Args> void add(fmt::format_string<Args...> format, Args&&... args)
    {
        fmt::format_to(std::back_inserter(m_text), format, std::forward<Args>(args)...);
        if (m_text.size() > flushAt)
            flush();
    }
    [[nodiscard]] bool cancelled() { return (++m_asked & 1023U) == 0 && m_progress.cancelled(); }

private:
    void flush()
    {
        m_out.write(m_text.data(), static_cast<std::streamsize>(m_text.size()));
        m_text.clear();
    }

    std::ostream& m_out;
    const Progress& m_progress;
    std::string m_text;
    std::size_t m_asked = 0;
};

std::string indexText(int value)
{
    return value < 0 ? std::string() : std::to_string(value);
}

bool writeSpans(const Run& run, const Range& range, Lines& lines)
{
    bool whole = true;
    lines.add("cta,role,engine,op,i,j,begin,end\n");
    SpanVisitor visitor;
    visitor.span = [&](const Span& span) {
        lines.add("{},{},{},{},{},{},{},{}\n", span.cta.index(), run.program->roles[span.op->role.index()].name,
            span.engine ? name(*span.engine) : std::string_view(), name(span.op->kind), span.i, indexText(span.j),
            span.begin, span.end);
        whole = !lines.cancelled();
        return whole;
    };
    forEachSpan(*run.trace, range, visitor);
    return whole;
}

bool writeEvents(const Run& run, const Range& range, Lines& lines)
{
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    lines.add("event,cycle,what,cta,role,op,i,j,source\n");
    for (std::uint32_t k = range.from.value; k < range.to.value; ++k) {
        const Event event = trace.eventAt(k);
        const WorkId workId = trace.workOf(event.instance);
        const Work& work = program.work(workId);
        const Op& op = trace.op(event.instance);
        lines.add("{},{},{},{},{},{},{},{},{}\n", k, trace.timeAt(Position { k + 1 }), event.ends ? "end" : "begin",
            trace.ctaOf(workId).index(), program.roles[op.role.index()].name, name(op.kind),
            program.queryTile(work, op), indexText(program.keyBlock(work, op)), program.sourceOf(op.line));
        if (lines.cancelled())
            return false;
    }
    return true;
}

bool writeCounters(const Run& run, const Range& range, Lines& lines)
{
    const Trace& trace = *run.trace;
    std::array<double, counterCount> before {};
    lines.add("event,cycle");
    for (std::size_t c = 0; c < counterCount; ++c)
        lines.add(",{}", name(static_cast<Counter>(c)));
    lines.add("\n");
    for (std::uint32_t k = range.from.value; k < range.to.value; ++k) {
        const Position p { k + 1 };
        if (!trace.eventAt(k).ends)
            continue;
        std::array<double, counterCount> now {};
        for (std::size_t c = 0; c < counterCount; ++c)
            now.at(c) = trace.counter(static_cast<Counter>(c), p);
        if (now == before)
            continue;
        before = now;
        lines.add("{},{}", k, trace.timeAt(p));
        for (const double value : now)
            lines.add(",{}", numberText(value));
        lines.add("\n");
        if (lines.cancelled())
            return false;
    }
    return true;
}

// The rows of the block's own query tile: other roles may have gone on to another.
void writeBlock(const Run& run, CtaId cta, const Work& work, const StepDecl& step, Position p, Lines& lines)
{
    const Program& program = *run.program;
    const int rows = program.launches[work.launch].queryRows;
    const int first = work.row + step.i * rows;
    const auto inTile = [&](const RowState& row) { // of heads packed together each has some rows of it
        const int at = row.row * program.packed + row.h - work.h;
        return row.b == work.b && row.h >= work.h && row.h < work.h + program.packed && at >= first
            && at < first + rows;
    };
    for (const RowState& row : ledgerAt(*run.trace, cta, p))
        if (inTile(row))
            lines.add("{},{},{},{},{},{},{},{},{},{},{},{}\n", cta.index(), row.b, row.h, row.row, step.n,
                run.trace->timeAt(p), numberText(row.m), numberText(row.mUsed), numberText(row.l), row.blocks,
                row.decision, numberText(row.scale));
}

bool writeLedger(const Run& run, const Range& range, Lines& lines)
{
    const Trace& trace = *run.trace;
    lines.add("cta,b,h,row,block,cycle,m,m_used,l,blocks,decision,scale\n");
    for (std::size_t k = 0; k < run.program->ctaCount(); ++k) {
        const CtaId cta(k);
        if (!trace.hasValues(cta))
            continue;
        for (const WorkId work : trace.worksOf(cta))
            for (const StepDecl& step : trace.streamOf(trace.productsOf(work)).steps) {
                const std::optional<Position> p = trace.block(work, step.i, step.n);
                if (p && *p >= range.from && *p <= range.to)
                    writeBlock(run, cta, run.program->work(work), step, *p, lines);
            }
        if (lines.cancelled())
            return false;
    }
    return true;
}

} // namespace

std::optional<CsvTable> csvTableFromName(std::string_view name)
{
    constexpr std::array<std::string_view, 4> names { "events", "spans", "counters", "ledger" };
    for (std::size_t k = 0; k < names.size(); ++k)
        if (names.at(k) == name)
            return static_cast<CsvTable>(k);
    return std::nullopt;
}

Status writeCsv(const Run& run, CsvTable table, const Range& range, std::ostream& out, const Progress& progress)
{
    constexpr std::array writers { writeEvents, writeSpans, writeCounters, writeLedger };
    Lines lines(out, progress);
    if (!writers.at(static_cast<std::size_t>(table))(run, range, lines))
        return Error { "cancelled", "", "" };
    return Nothing {};
}

} // namespace flashstep
