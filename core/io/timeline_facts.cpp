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
    const int offset = run.program->rowOffset(run.program->buffers[span.op->out.index()], *span.op);
    run.program->rows(*span.op).forEach([&](int r) {
        const int row = r + offset;
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
    for (std::size_t k = 0; k < program.ctaCount(); ++k) {
        const Bytes bytes = program.launchOf(CtaId(k)).smemBytes;
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
    const OpCounts counts = countsOf(*run.program, run.program->work(span.work), *span.op);
    add(facts, "global_read_bytes", counts.globalRead);
    add(facts, "global_write_bytes", counts.globalWrite);
    add(facts, "flops", counts.flops);
    add(facts, "exp2", counts.exp2);
    add(facts, "exp2_emulated", counts.exp2Emulated);
    if (const auto vote = run.trace->voteOf(span.instance)) {
        add(facts, "rows_rescaled", vote->rowsDone);
        add(facts, "rows_skipped", vote->rowsSkipped);
        add(facts, "warps_rescaling", vote->warpsDone);
    } else {
        add(facts, "rows_rescaled", counts.rescales);
    }
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

namespace {

// Turns of the CTA's mbarriers, each completed by an arrival; those of named barriers are marked where they let go.
void addMbarrierTurns(const Trace& trace, CtaId cta, const Range& range, std::vector<Mark>& marks)
{
    const Program& program = trace.program();
    for (std::size_t b = 0; b < program.barriers.size(); ++b) {
        std::uint32_t turns = 0;
        if (program.barriers[b].named)
            continue;
        for (const auto arrivals = trace.arrivals(cta, BarrierId(b)); const Arrival& arrival : arrivals) {
            const Position p { arrival.event + 1 };
            if (arrival.turns > turns && p >= range.from && p <= range.to)
                marks.push_back(
                    { program.barriers[b].name, fmt::format("turn {} completed", arrival.turns - 1), trace.timeAt(p) });
            turns = arrival.turns;
        }
    }
}

} // namespace

std::vector<Mark> marksOf(const Trace& trace, CtaId cta, const Range& range)
{
    const Program& program = trace.program();
    std::map<std::pair<std::size_t, std::int64_t>, Cycle> turns;
    std::vector<Mark> marks;
    for (const WorkId work : trace.worksOf(cta)) {
        const Stream& stream = trace.streamOf(work);
        std::vector<std::int64_t> before(program.barriers.size(), -1);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const Op& op = program.ops[k];
            const InstanceId instance = trace.instance(work, OpId(k));
            if ((op.kind != OpKind::Sync && op.kind != OpKind::Rescale) || !trace.ended(instance)
                || !overlaps(trace, instance, range))
                continue;
            if (op.kind == OpKind::Rescale) {
                if (program.buffers[op.out.index()].family == "l")
                    continue; // l follows the decision that O is marked with
                const auto vote = trace.voteOf(instance);
                marks.push_back({ "rescales",
                    fmt::format("{}: block {} {}", program.roles[op.role.index()].name,
                        program.keyBlock(program.work(work), op),
                        !vote                     ? std::string("rescales")
                            : vote->warpsDone > 0 ? fmt::format("rescales in {} warps", vote->warpsDone)
                                                  : std::string("needs no rescale")),
                    trace.endCycle(instance) });
            } else if (!op.dropped) {
                std::int64_t& first = before[op.barrier.index()];
                first = first < 0 ? trace.turnsBefore(work, op.barrier) : first;
                turns[{ op.barrier.index(), first + op.turn }] = trace.endCycle(instance);
            }
        }
    }
    for (const auto& [key, cycle] : turns)
        marks.push_back({ program.barriers[key.first].name, fmt::format("turn {} completed", key.second), cycle });
    addMbarrierTurns(trace, cta, range, marks);
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
