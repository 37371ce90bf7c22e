// SPDX-License-Identifier: Apache-2.0
#include "core/io/timeline_facts.h"

#include "core/base/version.h"
#include "core/io/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace flashstep {

namespace {

constexpr std::size_t windows = 256;

void add(std::vector<Fact>& facts, std::string_view key, std::int64_t value)
{
    if (value != 0)
        facts.push_back({ key, static_cast<double>(value) });
}

// Smallest and largest of a per-row statistic over the rows the op wrote; maxima in natural units of the scaled scores.
void addRowStatistics(const Run& run, const Span& span, std::string_view low, std::string_view high, double unit,
    std::vector<Fact>& facts)
{
    const Trace& trace = *run.trace;
    if (!span.op->out.valid() || !trace.hasValues(span.cta) || !trace.ended(span.instance))
        return;
    const TileValues values = trace.value(span.cta, span.op->out, trace.endPosition(span.instance));
    double least = INFINITY;
    double most = -INFINITY;
    run.program->rows(*span.op).forEach([&](int row) {
        if (row >= values.rows || values.cols < 1)
            return;
        const auto value = unit * static_cast<double>(values.at(row, 0));
        least = std::min(least, value);
        most = std::max(most, value);
    });
    facts.push_back({ low, least });
    facts.push_back({ high, most });
}

Cycle cycleOf(const Trace& trace, Position p)
{
    return trace.timeAt(p);
}

CounterLine totalLine(const Trace& trace, Counter counter, const Range& range)
{
    CounterLine line { std::string(name(counter)), "bytes", {} };
    const Cycle begin = cycleOf(trace, range.from);
    const Cycle end = cycleOf(trace, range.to);
    for (std::size_t k = 0; k <= windows; ++k) {
        const Cycle cycle = begin + (end - begin) * static_cast<Cycle>(k) / static_cast<Cycle>(windows);
        if (!line.samples.empty() && line.samples.back().cycle == cycle)
            continue;
        const Position p = std::clamp(trace.positionAt(cycle), range.from, range.to);
        line.samples.push_back({ cycle, trace.counter(counter, p) });
    }
    return line;
}

CounterLine smemLine(const Trace& trace, const Range& range)
{
    const Program& program = trace.program();
    std::map<Cycle, Bytes> changes;
    for (std::size_t k = 0; k < program.ctas.size(); ++k) {
        const Bytes bytes = program.launches[program.ctas[k].launch].smemBytes;
        changes[trace.span(CtaId(k)).begin] += bytes;
        changes[trace.span(CtaId(k)).end] -= bytes;
    }
    CounterLine line { "smem_bytes_of_resident_ctas", "bytes", {} };
    const Cycle begin = cycleOf(trace, range.from);
    const Cycle end = cycleOf(trace, range.to);
    Bytes held = 0;
    for (const auto& [cycle, change] : changes) {
        held += change;
        if (cycle <= end) {
            if (cycle < begin)
                line.samples.clear();
            line.samples.push_back({ std::max(cycle, begin), static_cast<double>(held) });
        }
    }
    return line;
}

// Busy part of each window, over all SMs; an engine that comes once per quarter counts four times.
CounterLine useLine(const Run& run, Engine engine, const Range& range)
{
    const Trace& trace = *run.trace;
    CounterLine line { fmt::format("{}_utilisation", name(engine)), "%", {} };
    const Cycle begin = cycleOf(trace, range.from);
    const Cycle length = std::max<Cycle>(1, cycleOf(trace, range.to) - begin);
    const double width = static_cast<double>(length) / static_cast<double>(windows);
    std::vector<double> busy(windows);
    double total = 0;
    for (const Hop& hop : trace.hops()) {
        if (hop.engine() != engine)
            continue;
        total += static_cast<double>(hop.cycles());
        const double from = std::clamp(static_cast<double>(hop.begin - begin), 0.0, static_cast<double>(length));
        const double to = std::clamp(static_cast<double>(hop.end() - begin), 0.0, static_cast<double>(length));
        for (auto k = static_cast<std::size_t>(from / width); k < windows && static_cast<double>(k) * width < to; ++k)
            busy[k] += std::max(
                0.0, std::min(to, static_cast<double>(k + 1) * width) - std::max(from, static_cast<double>(k) * width));
    }
    // Cycles into shares: so that the whole run's mean is the utilisation that `run` reports.
    const double reported = engine == Engine::Tensor ? run.report.utilisation.tensor : run.report.utilisation.exp;
    const double perCycle = total > 0 ? reported * static_cast<double>(trace.cycles()) / total : 0;
    for (std::size_t k = 0; k < windows; ++k)
        line.samples.push_back(
            { begin + static_cast<Cycle>(static_cast<double>(k) * width), 100 * busy[k] * perCycle / width });
    line.samples.push_back({ begin + length, 0 });
    return line;
}

} // namespace

void factsOf(const Run& run, const Span& span, std::vector<Fact>& facts)
{
    facts.clear();
    const OpCounts counts = countsOf(*run.program, run.program->ctas[span.cta.index()], *span.op);
    add(facts, "global_read_bytes", counts.globalRead);
    add(facts, "global_write_bytes", counts.globalWrite);
    add(facts, "flops", counts.flops);
    add(facts, "exp2", counts.exp2);
    add(facts, "rows_rescaled", counts.rescales);
    if (span.op->kind == OpKind::RowMax)
        addRowStatistics(run, span, "m_lowest", "m_highest", run.program->problem.softmaxScale(), facts);
    if (span.op->kind == OpKind::RowSum)
        addRowStatistics(run, span, "l_lowest", "l_highest", 1, facts);
}

std::vector<CounterLine> counterLines(const Run& run, const Range& range)
{
    const Trace& trace = *run.trace;
    return { totalLine(trace, Counter::GlobalRead, range), totalLine(trace, Counter::GlobalWrite, range),
        smemLine(trace, range), useLine(run, Engine::Tensor, range), useLine(run, Engine::Exp, range) };
}

std::vector<Mark> marksOf(const Trace& trace, CtaId cta, const Range& range)
{
    const Program& program = trace.program();
    std::map<std::pair<std::size_t, std::uint32_t>, Cycle> turns;
    std::vector<Mark> marks;
    for (const RoleRange& role : program.streamOf(cta).roles)
        for (std::uint32_t k = 0; k < role.count; ++k) {
            const OpId id(role.first + k);
            const Op& op = program.op(id);
            const InstanceId instance = trace.instance(cta, id);
            if ((op.kind != OpKind::Sync && op.kind != OpKind::Rescale) || !trace.ended(instance)
                || !overlaps(trace, instance, range))
                continue;
            if (op.kind == OpKind::Rescale)
                marks.push_back({ "rescales",
                    fmt::format("{}: block {} rescales", program.roles[op.role.index()].name,
                        program.keyBlock(program.ctas[cta.index()], op)),
                    trace.endCycle(instance) });
            else if (!op.dropped)
                turns[{ op.barrier.index(), op.turn }] = trace.endCycle(instance);
        }
    for (const auto& [key, cycle] : turns)
        marks.push_back({ program.barriers[key.first].name, fmt::format("turn {} completed", key.second), cycle });
    std::stable_sort(marks.begin(), marks.end(),
        [](const Mark& a, const Mark& b) { return a.line != b.line ? a.line < b.line : a.cycle < b.cycle; });
    return marks;
}

std::string provenance(const Run& run)
{
    return fmt::format("FlashStep {}, {} {} on {}; times are modelled at a clock of {} MHz", version(),
        run.scenario.algorithm, run.scenario.pass, run.scenario.gpu, numberText(run.trace->clockMhz()));
}

} // namespace flashstep
