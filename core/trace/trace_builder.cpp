// SPDX-License-Identifier: Apache-2.0
#include "core/trace/trace_builder.h"

#include "core/program/effects.h"

#include <algorithm>
#include <cassert>

namespace flashstep {

TraceBuilder::TraceBuilder(
    std::shared_ptr<const Program> program, std::shared_ptr<const Inputs> inputs, const std::vector<bool>& recorded)
    : m_trace(std::make_unique<Trace>())
{
    Trace& t = *m_trace;
    t.m_program = std::move(program);
    t.m_inputs = std::move(inputs);
    const Program& p = *t.m_program;
    t.m_ctaFirst.reserve(p.ctas.size() + 1);
    std::uint32_t count = 0;
    for (const Cta& cta : p.ctas) {
        t.m_ctaFirst.push_back(count);
        count += p.streams[cta.stream.index()].opCount;
    }
    t.m_ctaFirst.push_back(count);
    t.m_spans.resize(count);
    t.m_events.reserve(2 * static_cast<std::size_t>(count));
    t.m_hops.reserve(count + count / 2);
    t.m_ctaSpans.resize(p.ctas.size());
    t.m_recorded.assign(p.ctas.size(), Trace::never);
    m_progress.resize(p.ctas.size());
    t.m_innerFirst.assign(p.ctas.size() + 1, 0);
    for (std::size_t c = 0; c < p.ctas.size(); ++c)
        t.m_innerFirst[c + 1] = t.m_innerFirst[c] + static_cast<std::uint32_t>(p.streamOf(CtaId(c)).visitedBlocks);
    t.m_innerByCta.assign(t.m_innerFirst.back(), Trace::never);
    t.m_opCounts.resize(p.ops.size());
    std::vector<bool> counted(p.streams.size());
    for (const Cta& cta : p.ctas) { // CTAs of a stream move and compute the same amounts
        if (counted[cta.stream.index()])
            continue;
        counted[cta.stream.index()] = true;
        const Stream& stream = p.streams[cta.stream.index()];
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k)
            t.m_opCounts[k] = countsOf(p, cta, p.ops[k]);
    }
    std::uint32_t logs = 0;
    for (std::size_t k = 0; k < recorded.size(); ++k)
        if (recorded[k])
            t.m_recorded[k] = logs++;
    t.m_logs.resize(static_cast<std::size_t>(logs) * p.buffers.size());
    reserveValues(recorded);
}

// All at once, exactly: growing would copy the values again and again.
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
            sizes.values += sizes.versions[b] / Trace::keyframeEvery * static_cast<std::size_t>(p.buffers[b].rows)
                * static_cast<std::size_t>(p.buffers[b].cols);
    }
    std::size_t total = 0;
    for (std::size_t c = 0; c < recorded.size(); ++c) {
        if (!recorded[c])
            continue;
        const Sizes& sizes = perStream[p.ctas[c].stream.index()];
        total += sizes.values;
        for (std::size_t b = 0; b < p.buffers.size(); ++b)
            t.m_logs[t.m_recorded[c] * p.buffers.size() + b].versions.reserve(sizes.versions[b]);
    }
    t.m_values.reserve(total);
}

void TraceBuilder::append(InstanceId instance, Cycle cycle, bool ends)
{
    Trace& t = *m_trace;
    assert(t.m_events.empty() || t.m_events.back().cycle <= static_cast<std::uint32_t>(cycle));
    const auto index = static_cast<std::uint32_t>(t.m_events.size());
    if (index % Trace::counterEvery == 0)
        t.m_counters.push_back(m_totals);
    Trace::SpanRow& span = t.m_spans[instance.index()];
    (ends ? span.end : span.begin) = index;
    t.m_events.push_back(
        { static_cast<std::uint32_t>(instance.index() << 1U) | (ends ? 1U : 0U), static_cast<std::uint32_t>(cycle) });
}

void TraceBuilder::begin(CtaId cta, OpId op, Cycle cycle)
{
    append(m_trace->instance(cta, op), cycle, false);
}

void TraceBuilder::end(CtaId cta, OpId op, Cycle cycle)
{
    append(m_trace->instance(cta, op), cycle, true);
    m_trace->addCounts(op, m_totals);
    noteSteps(cta, m_trace->program().op(op));
}

// A key block is complete when the last role's product has landed in O; a CTA, when its last op has ended.
void TraceBuilder::noteSteps(CtaId cta, const Op& op)
{
    Trace& t = *m_trace;
    const Stream& stream = t.program().streamOf(cta);
    CtaProgress& progress = m_progress[cta.index()];
    const auto position = static_cast<std::uint32_t>(t.m_events.size());
    if (op.kind == OpKind::Mma && !op.transposed) {
        progress.roles.resize(static_cast<std::size_t>(stream.visitedBlocks) + 1);
        if (++progress.roles[static_cast<std::size_t>(op.n)] == stream.roles.size()) {
            t.m_innerTiles.push_back({ position, static_cast<std::uint32_t>(cta.index()) });
            t.m_innerByCta[t.m_innerFirst[cta.index()] + static_cast<std::uint32_t>(op.n) - 1] = position;
        }
    }
    if (++progress.opsEnded == stream.opCount) {
        t.m_ctaSteps.push_back({ position, static_cast<std::uint32_t>(cta.index()) });
        progress.roles = {};
    }
}

void TraceBuilder::hop(CtaId cta, OpId op, Engine engine, Cycle begin, Cycle cycles)
{
    const auto length = static_cast<std::uint32_t>(std::max<Cycle>(1, cycles));
    m_trace->m_hops.push_back({ static_cast<std::uint32_t>(m_trace->instance(cta, op).index()),
        static_cast<std::uint32_t>(begin), (length << 3U) | static_cast<std::uint32_t>(engine) });
    m_ctaOfHop.push_back(static_cast<std::uint32_t>(cta.index()));
}

void TraceBuilder::ctaBegins(CtaId cta, Cycle cycle, int sm, int slot)
{
    CtaSpan& span = m_trace->m_ctaSpans[cta.index()];
    span.begin = static_cast<std::uint32_t>(cycle);
    span.sm = static_cast<std::uint16_t>(sm);
    span.slot = static_cast<std::uint16_t>(slot);
}

void TraceBuilder::write(CtaId cta, BufferId buffer, OpId op, std::span<const float> contents)
{
    Trace& t = *m_trace;
    const Program& p = *t.m_program;
    const std::uint32_t recorded = t.m_recorded[cta.index()];
    if (recorded == Trace::never)
        return;
    Trace::BufferLog& log = t.m_logs[static_cast<std::size_t>(recorded) * p.buffers.size() + buffer.index()];
    const Op& o = p.op(op);
    const BufferDecl& decl = p.buffers[buffer.index()];
    log.versions.push_back({ static_cast<std::uint32_t>(t.m_events.size() - 1), static_cast<std::uint32_t>(op.index()),
        t.m_values.size() });
    if (!repeatable(o, buffer)) {
        const Program::Columns columns = p.columns(buffer, p.keyBlock(p.ctas[cta.index()], o));
        p.rows(o).forEach([&](int row) {
            const auto first = contents.begin() + static_cast<std::ptrdiff_t>(row) * decl.cols + columns.first;
            t.m_values.insert(t.m_values.end(), first, first + columns.count);
        });
    }
    if (log.versions.size() % Trace::keyframeEvery == 0) {
        log.keyframes.push_back(t.m_values.size());
        t.m_values.insert(t.m_values.end(), contents.begin(), contents.end());
    }
}

void TraceBuilder::indexHops()
{
    Trace& t = *m_trace;
    const std::size_t ctas = t.m_ctaSpans.size();
    t.m_ctaHopsFirst.assign(ctas + 1, 0);
    for (const std::uint32_t cta : m_ctaOfHop)
        ++t.m_ctaHopsFirst[cta + 1];
    for (std::size_t c = 0; c < ctas; ++c)
        t.m_ctaHopsFirst[c + 1] += t.m_ctaHopsFirst[c];
    std::vector<std::uint32_t> next(t.m_ctaHopsFirst.begin(), t.m_ctaHopsFirst.end() - 1);
    t.m_ctaHops.resize(t.m_hops.size());
    for (std::size_t k = 0; k < t.m_hops.size(); ++k)
        t.m_ctaHops[next[m_ctaOfHop[k]]++] = static_cast<std::uint32_t>(k);
}

std::shared_ptr<const Trace> TraceBuilder::finish(Cycle cycles, int smCount, int ctasPerSm, double clockMhz)
{
    Trace& t = *m_trace;
    t.m_cycles = cycles;
    t.m_smCount = smCount;
    t.m_ctasPerSm = ctasPerSm;
    t.m_clockMhz = clockMhz;
    t.m_counters.push_back(m_totals);
    indexHops();
    return std::shared_ptr<const Trace>(std::move(m_trace));
}

} // namespace flashstep
