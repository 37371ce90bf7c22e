// SPDX-License-Identifier: Apache-2.0
#include "core/trace/trace_builder.h"

#include "core/program/effects.h"

#include <algorithm>
#include <cassert>
#include <map>

namespace flashstep {

namespace {

// How many arrivals at barriers a work of each stream makes.
std::vector<std::uint32_t> arrivalsByStream(const Program& program)
{
    std::vector<std::uint32_t> count(program.streams.size(), 0);
    for (std::size_t k = 0; k < program.streams.size(); ++k) {
        const Stream& stream = program.streams[k];
        for (std::uint32_t o = stream.firstOp; o < stream.firstOp + stream.opCount; ++o) {
            const Op& op = program.ops[o];
            if (op.barrier.valid() && op.kind != OpKind::Wait)
                count[k] += op.barriers * (op.reach == Reach::Both ? 2U : 1U);
        }
    }
    return count;
}

} // namespace

TraceBuilder::TraceBuilder(std::shared_ptr<const Program> program, std::shared_ptr<const Inputs> inputs,
    const std::vector<bool>& recorded, const std::vector<bool>& withEvents)
    : m_trace(std::make_unique<Trace>())
{
    Trace& t = *m_trace;
    t.m_program = std::move(program);
    t.m_inputs = std::move(inputs);
    const Program& p = *t.m_program;
    t.m_workFirst.reserve(p.works.size() + 1);
    t.m_stepFirst.reserve(p.works.size() + 1);
    std::uint32_t count = 0;
    std::uint32_t steps = 0;
    std::uint32_t arrivals = 0;
    const std::vector<std::uint32_t> arrivalsOf = arrivalsByStream(p);
    for (std::size_t w = 0; w < p.works.size(); ++w) {
        const Work& work = p.works[w];
        t.m_workFirst.push_back(count);
        t.m_stepFirst.push_back(steps);
        if (!withEvents.empty() && !withEvents[w])
            continue;
        count += p.streams[work.stream.index()].opCount;
        steps += static_cast<std::uint32_t>(p.streams[work.stream.index()].steps.size());
        arrivals += arrivalsOf[work.stream.index()];
    }
    m_arrivals.reserve(arrivals);
    t.m_workFirst.push_back(count);
    t.m_stepFirst.push_back(steps);
    t.m_spans.resize(count);
    t.m_stepPositions.assign(steps, Trace::never);
    t.m_events.reserve(2 * static_cast<std::size_t>(count));
    t.m_hops.reserve(count + count / 2);
    t.m_works.resize(p.works.size());
    t.m_ctaSpans.resize(p.ctaCount());
    t.m_ctaHopsFirst.assign(p.ctaCount() + 1, 0);
    t.m_recorded.assign(p.ctaCount(), Trace::never);
    t.m_counters.reserve(2 * static_cast<std::size_t>(count) / Trace::counterEvery + 2);
    m_progress.resize(p.works.size());
    m_barrierCount = p.barriers.size();
    computeCounts();
    std::uint32_t logs = 0;
    for (std::size_t k = 0; k < recorded.size(); ++k)
        if (recorded[k])
            t.m_recorded[k] = logs++;
    t.m_logs.resize(static_cast<std::size_t>(logs) * p.buffers.size());
    if (logs > 0)
        reserveValues(recorded);
}

// Works of a stream move and compute the same amounts.
void TraceBuilder::computeCounts()
{
    Trace& t = *m_trace;
    const Program& p = *t.m_program;
    t.m_opCounts.resize(p.ops.size());
    m_atEnd.resize(p.ops.size());
    std::map<std::array<double, counterCount>, std::uint32_t> known { { {}, 0 } };
    m_counts.emplace_back();
    std::vector<bool> counted(p.streams.size());
    for (const Work& work : p.works) {
        if (counted[work.stream.index()])
            continue;
        for (int position = 0; position < p.launches[work.launch].ringPositions; ++position) {
            const std::size_t at = work.stream.index() + static_cast<std::size_t>(position);
            counted[at] = true;
            const Stream& stream = p.streams[at];
            for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
                const Op& op = p.ops[k];
                t.m_opCounts[k] = countsOf(p, work, op);
                std::array<double, counterCount> counts {};
                addCounts(t.m_opCounts[k], counts);
                const auto [entry, isNew] = known.emplace(counts, static_cast<std::uint32_t>(m_counts.size()));
                if (isNew)
                    m_counts.push_back(counts);
                m_atEnd[k] = { op.step, op.conditional && op.kind == OpKind::Rescale ? byVote : entry->second };
            }
        }
    }
}

// All at once: growing would copy the values again and again. Exact where every CTA has one work; else a little more.
void TraceBuilder::reserveValues(const std::vector<bool>& recorded)
{
    Trace& t = *m_trace;
    const Program& p = *t.m_program;
    struct Sizes {
        std::size_t values = 0;
        std::vector<std::uint32_t> versions; // by buffer
    };
    std::vector<Sizes> perStream(p.streams.size());
    for (std::size_t s = 0; s < p.streams.size(); ++s) {
        const Stream& stream = p.streams[s];
        Sizes& sizes = perStream[s];
        sizes.versions.resize(p.buffers.size());
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const Op& op = p.ops[k];
            for (const BufferId out : { op.out, op.out2 }) {
                if (!out.valid())
                    continue;
                ++sizes.versions[out.index()];
                if (!repeatable(op, out))
                    sizes.values += static_cast<std::size_t>(p.rows(op).count())
                        * static_cast<std::size_t>(p.columns(out, 0).count);
            }
        }
        for (std::size_t b = 0; b < p.buffers.size(); ++b)
            sizes.values += sizes.versions[b] * static_cast<std::size_t>(p.buffers[b].rows)
                * static_cast<std::size_t>(p.buffers[b].cols) / Trace::keyframeEvery;
    }
    std::size_t total = 0;
    for (const LaunchDecl& launch : p.launches) {
        const bool single = launch.schedule == Schedule::SingleTile;
        for (std::uint32_t k = 0; k < launch.workCount; ++k) {
            const Sizes& sizes = perStream[p.works[launch.firstWork + k].stream.index()];
            // Who does a persistent CTA's works is not known yet: they are shared out evenly here.
            const std::size_t cta = launch.firstCta + k % launch.ctaCount;
            if (!recorded[cta])
                continue;
            total += sizes.values;
            for (std::size_t b = 0; single && b < p.buffers.size(); ++b)
                t.m_logs[t.m_recorded[cta] * p.buffers.size() + b].versions.reserve(sizes.versions[b]);
        }
    }
    t.m_values.reserve(total);
}

inline void TraceBuilder::append(std::uint32_t instance, Cycle cycle, bool ends)
{
    Trace& t = *m_trace;
    assert(t.m_events.empty() || t.m_events.back().cycle <= static_cast<std::uint32_t>(cycle));
    const auto index = static_cast<std::uint32_t>(t.m_events.size());
    if (index % Trace::counterEvery == 0)
        keepTotals();
    Trace::SpanRow& span = t.m_spans[instance];
    (ends ? span.end : span.begin) = index;
    t.m_events.push_back({ (instance << 1U) | (ends ? 1U : 0U), static_cast<std::uint32_t>(cycle) });
}

void TraceBuilder::keepTotals()
{
    m_trace->m_counters.push_back(m_totals);
}

void TraceBuilder::workBegins(WorkId work, CtaId cta, int position)
{
    m_trace->m_works[work.index()] = { static_cast<std::uint32_t>(cta.index()), static_cast<std::uint32_t>(position) };
    m_worksBegun.emplace_back(static_cast<std::uint32_t>(cta.index()), work);
    const Stream& stream = m_trace->streamOf(work);
    WorkProgress& progress = m_progress[work.index()];
    progress.stream = &stream;
    progress.firstInstance = m_trace->m_workFirst[work.index()] - stream.firstOp;
    progress.cta = static_cast<std::uint32_t>(cta.index());
    progress.parts.resize(stream.steps.size());
}

void TraceBuilder::place(WorkId work, CtaId cta, Cycle begin, Cycle end, int sm, int slot)
{
    Trace& t = *m_trace;
    t.m_works[work.index()].cta = static_cast<std::uint32_t>(cta.index());
    m_worksBegun.emplace_back(static_cast<std::uint32_t>(cta.index()), work);
    CtaSpan& span = t.m_ctaSpans[cta.index()];
    if (span.end == 0)
        span = { static_cast<std::uint32_t>(begin), 0, static_cast<std::uint16_t>(sm),
            static_cast<std::uint16_t>(slot) };
    span.end = std::max(span.end, static_cast<std::uint32_t>(end));
}

void TraceBuilder::begin(WorkId work, OpId op, Cycle cycle)
{
    // A role begins its ops in order, and there are more roles under way than a processor sees streams of.
    const std::uint32_t instance = instanceOf(work, op);
    fetchAhead(instance + 16);
    append(instance, cycle, false);
}

void TraceBuilder::end(WorkId work, OpId op, Cycle cycle)
{
    const std::uint32_t instance = instanceOf(work, op);
    append(instance, cycle, true);
    const AtEnd& atEnd = m_atEnd[op.index()];
    if (atEnd.counts == byVote)
        countVote(instance);
    else if (atEnd.counts != 0)
        for (std::size_t c = 0; c < counterCount; ++c)
            m_totals[c] += m_counts[atEnd.counts][c];
    if (atEnd.step != Op::noStep)
        noteStep(work, atEnd.step);
    WorkProgress& progress = m_progress[work.index()];
    if (++progress.opsEnded == progress.stream->opCount)
        noteWorkEnds(work);
}

void TraceBuilder::countVote(std::uint32_t instance)
{
    // Few rescales are under way at a time: the vote is among the newest.
    const Trace& t = *m_trace;
    const auto found = std::find_if(
        t.m_votes.rbegin(), t.m_votes.rend(), [&](const Trace::VoteRow& row) { return row.instance == instance; });
    addVote({ found->rowsDone, found->rowsSkipped, found->warpsDone, found->warpsSkipped, found->multiply }, m_totals);
}

void TraceBuilder::vote(WorkId work, OpId op, const Vote& vote)
{
    const auto rows = [](int x) { return static_cast<std::uint16_t>(x); };
    const auto warps = [](auto x) { return static_cast<std::uint8_t>(x); };
    m_trace->m_votes.push_back({ instanceOf(work, op), rows(vote.rowsDone), rows(vote.rowsSkipped),
        warps(vote.warpsDone), warps(vote.warpsSkipped), warps(vote.multiply) });
}

void TraceBuilder::skip(WorkId work, OpId op)
{
    Trace::SpanRow& span = m_trace->m_spans[instanceOf(work, op)];
    span.begin = static_cast<std::uint32_t>(m_trace->m_events.size()); // as if begun with what follows
    span.end = Trace::skipped;
    WorkProgress& progress = m_progress[work.index()];
    if (++progress.opsEnded == progress.stream->opCount)
        noteWorkEnds(work);
}

// A key block is complete when the last of its parts has landed in O; a work, when its last op has ended. An outer tile
// is a query tile; in a sweep over query tiles, one key block's sweep.
void TraceBuilder::noteStep(WorkId work, std::uint32_t step)
{
    Trace& t = *m_trace;
    WorkProgress& progress = m_progress[work.index()];
    const std::vector<StepDecl>& steps = progress.stream->steps;
    if (++progress.parts[step] != steps[step].parts)
        return;
    const auto position = static_cast<std::uint32_t>(t.m_events.size());
    const bool sweep = t.program().launches[t.program().work(work).launch].sweep > 0;
    const bool lastOfSweep = sweep && (step + 1 == steps.size() || steps[step + 1].j != steps[step].j);
    const CtaId cta(progress.cta);
    t.m_innerTiles.push_back({ position, progress.cta, lastOfSweep, false });
    if (t.program().launchOf(cta).pairs) // the same product landed in the other CTA's O
        t.m_innerTiles.push_back(
            { position, static_cast<std::uint32_t>(t.program().peerOf(cta).index()), lastOfSweep, false });
    t.m_stepPositions[t.m_stepFirst[work.index()] + step] = position;
}

void TraceBuilder::noteWorkEnds(WorkId work)
{
    Trace& t = *m_trace;
    const LaunchDecl& launch = t.program().launches[t.program().work(work).launch];
    const bool outer = launch.sweep == 0 && t.program().work(work).launch + 1U == t.program().launches.size();
    t.m_ctaSteps.push_back({ static_cast<std::uint32_t>(t.m_events.size()),
        static_cast<std::uint32_t>(t.ctaOf(work).index()), outer, false });
    m_progress[work.index()].parts = {};
}

void TraceBuilder::hop(WorkId work, OpId op, Engine engine, Cycle begin, Cycle cycles)
{
    const auto length = static_cast<std::uint32_t>(std::max<Cycle>(1, cycles));
    m_trace->m_hops.push_back({ instanceOf(work, op), static_cast<std::uint32_t>(begin),
        (length << 4U) | static_cast<std::uint32_t>(engine) });
    ++m_trace->m_ctaHopsFirst[m_progress[work.index()].cta + 1];
}

void TraceBuilder::ctaBegins(CtaId cta, Cycle cycle, int sm, int slot)
{
    CtaSpan& span = m_trace->m_ctaSpans[cta.index()];
    span.begin = static_cast<std::uint32_t>(cycle);
    span.sm = static_cast<std::uint16_t>(sm);
    span.slot = static_cast<std::uint16_t>(slot);
}

void TraceBuilder::ctaEnds(CtaId cta, Cycle cycle)
{
    Trace& t = *m_trace;
    t.m_ctaSpans[cta.index()].end = static_cast<std::uint32_t>(cycle);
    for (std::size_t k = t.m_ctaSteps.size(); k-- > 0;) {
        if (t.m_ctaSteps[k].cta != cta.index())
            continue;
        t.m_ctaSteps[k].endsCta = true;
        break;
    }
}

void TraceBuilder::arrival(CtaId cta, BarrierId barrier, std::uint32_t turns, std::uint32_t arrived)
{
    const std::size_t key = cta.index() * m_barrierCount + barrier.index();
    m_arrivals.push_back({ static_cast<std::uint32_t>(key),
        { static_cast<std::uint32_t>(m_trace->m_events.size() - 1), turns, arrived } });
}

void TraceBuilder::write(CtaId cta, BufferId buffer, const Performed& performed, std::span<const float> contents)
{
    Trace& t = *m_trace;
    const Program& p = *t.m_program;
    const std::uint32_t recorded = t.m_recorded[cta.index()];
    if (recorded == Trace::never)
        return;
    Trace::BufferLog& log = t.m_logs[static_cast<std::size_t>(recorded) * p.buffers.size() + buffer.index()];
    const BufferDecl& decl = p.buffers[buffer.index()];
    log.versions.push_back({ static_cast<std::uint32_t>(t.m_events.size() - 1), t.m_values.size() });
    if (!repeatable(performed.op, buffer))
        performed.forEachSpan(buffer, [&](int row, int column, int count) {
            const auto first = contents.begin() + static_cast<std::ptrdiff_t>(row) * decl.cols + column;
            t.m_values.insert(t.m_values.end(), first, first + count);
        });
    if (log.versions.size() % Trace::keyframeEvery == 0) {
        log.keyframes.push_back(t.m_values.size());
        t.m_values.insert(t.m_values.end(), contents.begin(), contents.end());
    }
}

void TraceBuilder::indexWorks()
{
    Trace& t = *m_trace;
    std::stable_sort(
        m_worksBegun.begin(), m_worksBegun.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    t.m_ctaWorksFirst.assign(t.m_ctaSpans.size() + 1, 0);
    for (const auto& [cta, work] : m_worksBegun) {
        ++t.m_ctaWorksFirst[cta + 1];
        t.m_ctaWorks.push_back(work);
    }
    for (std::size_t c = 0; c < t.m_ctaSpans.size(); ++c)
        t.m_ctaWorksFirst[c + 1] += t.m_ctaWorksFirst[c];
}

void TraceBuilder::indexArrivals()
{
    Trace& t = *m_trace;
    t.m_arrivalsFirst.assign(t.m_ctaSpans.size() * t.program().barriers.size() + 1, 0);
    for (const ArrivalAt& a : m_arrivals)
        ++t.m_arrivalsFirst[a.key + 1];
    for (std::size_t k = 0; k + 1 < t.m_arrivalsFirst.size(); ++k)
        t.m_arrivalsFirst[k + 1] += t.m_arrivalsFirst[k];
    std::vector<std::uint32_t> next(t.m_arrivalsFirst.begin(), t.m_arrivalsFirst.end() - 1);
    t.m_arrivals.resize(m_arrivals.size());
    constexpr std::size_t ahead = 16; // of so many the places are fetched before they are written: they lie far apart
    for (std::size_t k = 0; k < m_arrivals.size(); ++k) {
        if (k + ahead < m_arrivals.size())
            __builtin_prefetch(t.m_arrivals.data() + next[m_arrivals[k + ahead].key], 1);
        t.m_arrivals[next[m_arrivals[k].key]++] = m_arrivals[k].arrival;
    }
}

// Positions of each CTA's inner tiles, as they came.
void TraceBuilder::indexSteps()
{
    Trace& t = *m_trace;
    t.m_innerFirst.assign(t.m_ctaSpans.size() + 1, 0);
    for (const Trace::StepRow& row : t.m_innerTiles)
        ++t.m_innerFirst[row.cta + 1];
    for (std::size_t c = 0; c < t.m_ctaSpans.size(); ++c)
        t.m_innerFirst[c + 1] += t.m_innerFirst[c];
    std::vector<std::uint32_t> next(t.m_innerFirst.begin(), t.m_innerFirst.end() - 1);
    t.m_innerByCta.resize(t.m_innerTiles.size());
    for (const Trace::StepRow& row : t.m_innerTiles)
        t.m_innerByCta[next[row.cta]++] = row.position;
}

void TraceBuilder::indexHops()
{
    Trace& t = *m_trace;
    for (std::size_t c = 0; c < t.m_ctaSpans.size(); ++c)
        t.m_ctaHopsFirst[c + 1] += t.m_ctaHopsFirst[c];
    // The work of an instance is looked up by its place in a coarse list, and then a step or two further on.
    constexpr std::uint32_t coarse = 64;
    std::vector<std::uint32_t> workAt;
    for (std::uint32_t work = 0, instance = 0; instance < t.m_spans.size(); instance += coarse) {
        while (t.m_workFirst[work + 1] <= instance)
            ++work;
        workAt.push_back(work);
    }
    std::vector<std::uint32_t> next(t.m_ctaHopsFirst.begin(), t.m_ctaHopsFirst.end() - 1);
    t.m_ctaHops.resize(t.m_hops.size());
    for (std::size_t k = 0; k < t.m_hops.size(); ++k) {
        const std::uint32_t instance = t.m_hops[k].instance;
        std::uint32_t work = workAt[instance / coarse];
        while (t.m_workFirst[work + 1] <= instance)
            ++work;
        t.m_ctaHops[next[m_progress[work].cta]++] = static_cast<std::uint32_t>(k);
    }
}

std::shared_ptr<const Trace> TraceBuilder::finish(Cycle cycles, int smCount, int ctasPerSm, double clockMhz)
{
    Trace& t = *m_trace;
    t.m_cycles = cycles;
    t.m_smCount = smCount;
    t.m_ctasPerSm = ctasPerSm;
    t.m_clockMhz = clockMhz;
    t.m_counters.push_back(m_totals);
    std::sort(t.m_votes.begin(), t.m_votes.end(),
        [](const Trace::VoteRow& a, const Trace::VoteRow& b) { return a.instance < b.instance; });
    indexHops();
    indexWorks();
    indexArrivals();
    indexSteps();
    return std::shared_ptr<const Trace>(std::move(m_trace));
}

} // namespace flashstep
