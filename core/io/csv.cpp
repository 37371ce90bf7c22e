// SPDX-License-Identifier: Apache-2.0
#include "core/io/csv.h"

#include "core/io/json.h"
#include "core/io/op_classes.h"
#include "core/io/text_buffer.h"
#include "core/trace/state.h"

#include <array>
#include <concepts>

namespace flashstep {

namespace {

// A cell as RFC 4180 has it: in quotes where it holds a comma, a quote or a line's end.
std::string cell(std::string_view text)
{
    if (text.find_first_of(",\"\r\n") == std::string_view::npos)
        return std::string(text);
    std::string quotes = "\"";
    for (const char c : text)
        quotes.append(c == '"' ? 2 : 1, c);
    return quotes + '"';
}

// Rows on their way to a stream.
class Lines {
public:
    Lines(std::ostream& out, const Program& program, const Progress& progress)
        : m_out(out)
        , m_classes(program)
        , m_progress(progress)
    {
        for (const RoleDecl& role : program.roles)
            m_roles.push_back(cell(role.name));
    }

    TextBuffer& text() { return m_out; }
    void header(std::string_view columns) { m_out << columns << '\n'; }
    template <typename Value> Lines& add(Value value) // a cell, and the comma behind it
    {
        put(value);
        m_out << ',';
        return *this;
    }
    template <typename Value> void last(Value value)
    {
        put(value);
        m_out << '\n';
    }
    Lines& index(int value) // empty for none
    {
        if (value >= 0)
            m_out.integer(value);
        m_out << ',';
        return *this;
    }
    Lines& role(const Op& op) { return add(std::string_view(m_roles[op.role.index()])); }
    [[nodiscard]] std::string_view source(const Op& op)
    {
        const std::size_t kind = m_classes.indexOf(op);
        if (kind == m_sources.size())
            m_sources.push_back(cell(m_classes.at(kind).source));
        return m_sources[kind];
    }
    // To be asked often; looks now and then, and says how far the table is.
    [[nodiscard]] bool cancelled(double fraction) { return (m_asked++ & 1023U) == 0 && stopped(fraction); }
    [[nodiscard]] bool stopped(double fraction) const
    {
        m_progress.at(fraction);
        return m_progress.cancelled();
    }

private:
    void put(std::string_view text) { m_out << text; }
    void put(double value) { m_out << std::string_view(numberText(value)); }
    template <std::integral Number> void put(Number value) { m_out.integer(static_cast<std::int64_t>(value)); }

    TextBuffer m_out;
    OpClasses m_classes;
    const Progress& m_progress;
    std::vector<std::string> m_roles, m_sources; // as cells; sources by class
    std::size_t m_asked = 0;
};

double shareOf(CtaId cta, const Program& program)
{
    return static_cast<double>(cta.index()) / static_cast<double>(program.ctaCount());
}

double shareOf(std::uint32_t event, const Range& range)
{
    return static_cast<double>(event - range.from.value) / static_cast<double>(range.to.value - range.from.value);
}

bool writeSpans(const Run& run, const Range& range, Lines& lines)
{
    bool whole = true;
    lines.header("cta,role,engine,op,i,j,begin,end");
    SpanVisitor visitor;
    visitor.span = [&](const Span& span) {
        lines.add(span.cta.index())
            .role(*span.op)
            .add(span.engine ? name(*span.engine) : std::string_view())
            .add(name(span.op->kind))
            .add(span.i)
            .index(span.j)
            .add(span.begin)
            .last(span.end);
        whole = !lines.cancelled(shareOf(span.cta, *run.program));
        return whole;
    };
    forEachSpan(*run.trace, range, visitor);
    return whole;
}

bool writeEvents(const Run& run, const Range& range, Lines& lines)
{
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    lines.header("event,cycle,what,cta,role,op,i,j,source");
    for (std::uint32_t k = range.from.value; k < range.to.value; ++k) {
        const Event event = trace.eventAt(k);
        const WorkId workId = trace.workOf(event.instance);
        const Work& work = program.work(workId);
        const Op& op = trace.op(event.instance);
        lines.add(k)
            .add(trace.timeAt(Position { k + 1 }))
            .add(event.ends ? std::string_view("end") : std::string_view("begin"))
            .add(trace.ctaOf(workId).index())
            .role(op)
            .add(name(op.kind))
            .add(program.queryTile(work, op))
            .index(program.keyBlock(work, op))
            .last(lines.source(op));
        if (lines.cancelled(shareOf(k, range)))
            return false;
    }
    return true;
}

// Adds what an op counts when it ends; of a conditional rescale, what its vote does.
void addCountsOf(const Trace& trace, InstanceId instance, std::array<double, counterCount>& totals)
{
    const Op& op = trace.op(instance);
    if (!op.conditional || op.kind != OpKind::Rescale)
        addCounts(countsOf(trace.program(), trace.program().work(trace.workOf(instance)), op), totals);
    else if (const auto vote = trace.voteOf(instance))
        addVote(*vote, totals);
}

bool writeCounters(const Run& run, const Range& range, Lines& lines)
{
    const Trace& trace = *run.trace;
    lines.text() << "event,cycle";
    for (std::size_t c = 0; c < counterCount; ++c)
        lines.text() << ',' << name(static_cast<Counter>(c));
    lines.text() << '\n';
    std::array<double, counterCount> totals {};
    for (std::size_t c = 0; c < counterCount; ++c)
        totals.at(c) = trace.counter(static_cast<Counter>(c), range.from);
    std::array<double, counterCount> before = totals; // what is so from the beginning is no change
    for (std::uint32_t k = range.from.value; k < range.to.value; ++k) {
        if (lines.cancelled(shareOf(k, range)))
            return false;
        const Event event = trace.eventAt(k);
        if (!event.ends)
            continue;
        addCountsOf(trace, event.instance, totals);
        if (totals == before)
            continue;
        before = totals;
        lines.add(k).text().integer(trace.timeAt(Position { k + 1 }));
        for (const double value : totals)
            lines.text() << ',' << std::string_view(numberText(value));
        lines.text() << '\n';
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
            lines.add(cta.index())
                .add(row.b)
                .add(row.h)
                .add(row.row)
                .add(step.n)
                .add(run.trace->timeAt(p))
                .add(row.m)
                .add(row.mUsed)
                .add(row.l)
                .add(row.blocks)
                .add(std::string_view(row.decision))
                .last(row.scale);
}

bool writeLedger(const Run& run, const Range& range, Lines& lines)
{
    const Trace& trace = *run.trace;
    lines.header("cta,b,h,row,block,cycle,m,m_used,l,blocks,decision,scale");
    for (std::size_t k = 0; k < run.program->ctaCount(); ++k) {
        const CtaId cta(k);
        if (!trace.hasValues(cta))
            continue;
        for (const WorkId work : trace.worksOf(cta))
            for (const StepDecl& step : trace.streamOf(trace.productsOf(work)).steps) {
                if (lines.stopped(shareOf(cta, *run.program))) // a block takes long
                    return false;
                const std::optional<Position> p = trace.block(work, step.i, step.n);
                if (p && *p >= range.from && *p <= range.to)
                    writeBlock(run, cta, run.program->work(work), step, *p, lines);
            }
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
    Lines lines(out, *run.program, progress);
    if (!writers.at(static_cast<std::size_t>(table))(run, range, lines))
        return Error { "cancelled", "", "" };
    return Nothing {};
}

} // namespace flashstep
