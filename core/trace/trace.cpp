// SPDX-License-Identifier: Apache-2.0
#include "core/trace/trace.h"

#include "core/program/effects.h"

#include <algorithm>
#include <limits>

namespace flashstep {

std::string_view name(Counter counter)
{
    constexpr std::array<std::string_view, counterCount> names { "global_read_bytes", "global_write_bytes",
        "flops_executed", "exp2_hardware", "rescales_done" };
    return names[static_cast<std::size_t>(counter)];
}

Position Trace::positionAt(Cycle cycle) const
{
    const auto after = std::upper_bound(
        m_events.begin(), m_events.end(), cycle, [](Cycle c, const EventRow& e) { return c < e.cycle; });
    return Position { static_cast<std::uint32_t>(after - m_events.begin()) };
}

Event Trace::eventAt(std::size_t index) const
{
    const std::uint32_t packed = m_events[index].packed;
    return { InstanceId(packed >> 1U), (packed & 1U) != 0 };
}

CtaId Trace::ctaOf(InstanceId instance) const
{
    const auto after = std::upper_bound(m_ctaFirst.begin(), m_ctaFirst.end(), instance.index());
    return CtaId(static_cast<std::size_t>(after - m_ctaFirst.begin()) - 1);
}

OpId Trace::opOf(InstanceId instance) const
{
    const CtaId cta = ctaOf(instance);
    return OpId(m_program->streamOf(cta).firstOp + instance.index() - m_ctaFirst[cta.index()]);
}

InstanceId Trace::instance(CtaId cta, OpId op) const
{
    return InstanceId(m_ctaFirst[cta.index()] + op.index() - m_program->streamOf(cta).firstOp);
}

InstanceId Trace::currentOp(CtaId cta, const RoleRange& role, Position p) const
{
    const auto first = m_spans.begin() + static_cast<std::ptrdiff_t>(instance(cta, OpId(role.first)).index());
    // A role begins its ops in order, so "begun" is true for a prefix of them.
    const auto end
        = std::partition_point(first, first + role.count, [&](const SpanRow& span) { return span.begin < p.value; });
    return end == first ? InstanceId::none() : InstanceId(static_cast<std::size_t>(end - m_spans.begin()) - 1);
}

std::span<const std::uint32_t> Trace::hopsOf(CtaId cta) const
{
    return std::span(m_ctaHops).subspan(
        m_ctaHopsFirst[cta.index()], m_ctaHopsFirst[cta.index() + 1] - m_ctaHopsFirst[cta.index()]);
}

void Trace::addCounts(OpId op, std::array<double, counterCount>& totals) const
{
    const OpCounts& counts = m_opCounts[op.index()];
    totals[static_cast<std::size_t>(Counter::GlobalRead)] += static_cast<double>(counts.globalRead);
    totals[static_cast<std::size_t>(Counter::GlobalWrite)] += static_cast<double>(counts.globalWrite);
    totals[static_cast<std::size_t>(Counter::Flops)] += static_cast<double>(counts.flops);
    totals[static_cast<std::size_t>(Counter::Exp2)] += static_cast<double>(counts.exp2);
    totals[static_cast<std::size_t>(Counter::Rescales)] += static_cast<double>(counts.rescales);
}

double Trace::counter(Counter counter, Position p) const
{
    if (p == end())
        return m_counters.back()[static_cast<std::size_t>(counter)];
    const std::size_t block = p.value / counterEvery;
    std::array<double, counterCount> totals = m_counters[block];
    for (std::size_t k = block * counterEvery; k < p.value; ++k)
        if (const Event e = eventAt(k); e.ends)
            addCounts(opOf(e.instance), totals);
    return totals[static_cast<std::size_t>(counter)];
}

CtaId Trace::ctaOfTile(int b, int h, int i) const
{
    const Program& p = *m_program;
    const LaunchDecl& launch = p.launches.back(); // the one that makes O
    const std::size_t tiles = launch.ctaCount / static_cast<std::size_t>(p.problem.batch * p.problem.heads);
    const std::size_t head
        = static_cast<std::size_t>(h) * static_cast<std::size_t>(p.problem.batch) + static_cast<std::size_t>(b);
    return CtaId(launch.firstCta + head * tiles + static_cast<std::size_t>(i));
}

bool Trace::hasValues(CtaId cta) const
{
    return cta.valid() && m_recorded[cta.index()] != never;
}

const Trace::BufferLog* Trace::log(CtaId cta, BufferId buffer) const
{
    if (!hasValues(cta) || !buffer.valid())
        return nullptr;
    return &m_logs[static_cast<std::size_t>(m_recorded[cta.index()]) * m_program->buffers.size() + buffer.index()];
}

std::size_t Trace::versionCount(CtaId cta, BufferId buffer) const
{
    const BufferLog* found = log(cta, buffer);
    return found == nullptr ? 0 : found->versions.size();
}

int Trace::keyBlockIn(CtaId cta, BufferId buffer, Position p) const
{
    const BufferLog* found = log(cta, buffer);
    if (found == nullptr)
        return -1;
    const auto& versions = found->versions;
    const auto after
        = std::partition_point(versions.begin(), versions.end(), [&](const Version& v) { return v.event < p.value; });
    return after == versions.begin()
        ? -1
        : m_program->keyBlock(m_program->ctas[cta.index()], m_program->ops[(after - 1)->op]);
}

// From the last keyframe at or before p, write by write.
TileValues Trace::value(CtaId cta, BufferId buffer, Position p) const
{
    const Program& program = *m_program;
    const BufferDecl& decl = program.buffers[buffer.index()];
    const auto cols = static_cast<std::size_t>(decl.cols);
    TileValues tile { decl.rows, decl.cols, {} };
    tile.data.assign(static_cast<std::size_t>(decl.rows) * cols, std::numeric_limits<float>::quiet_NaN());
    const BufferLog* found = log(cta, buffer);
    if (found == nullptr)
        return tile;

    const auto& versions = found->versions;
    const auto after
        = std::partition_point(versions.begin(), versions.end(), [&](const Version& v) { return v.event < p.value; });
    const auto count = static_cast<std::size_t>(after - versions.begin());
    // Oldest needed: just after the last keyframe at or before `count`.
    const std::size_t keyframe = count / keyframeEvery;
    if (keyframe > 0) {
        const auto* whole = m_values.data() + found->keyframes[keyframe - 1];
        std::copy(whole, whole + tile.data.size(), tile.data.begin());
    }
    for (std::size_t v = keyframe * keyframeEvery; v < count; ++v)
        apply(versions[v], cta, buffer, tile);
    return tile;
}

void Trace::apply(const Version& version, CtaId cta, BufferId buffer, TileValues& tile) const
{
    const Op& op = m_program->ops[version.op];
    if (repeatable(op, buffer)) {
        repeat(version, cta, buffer, tile);
        return;
    }
    const Program::Columns columns = m_program->columns(buffer, m_program->keyBlock(m_program->ctas[cta.index()], op));
    const float* from = m_values.data() + version.offset;
    m_program->rows(op).forEach([&](int row) {
        std::copy(from, from + columns.count,
            tile.data.begin() + static_cast<std::ptrdiff_t>(row) * tile.cols + columns.first);
        from += columns.count;
    });
}

void Trace::repeat(const Version& version, CtaId cta, BufferId buffer, TileValues& tile) const
{
    const Program& program = *m_program;
    const Op& op = program.ops[version.op];
    const Cta& c = program.ctas[cta.index()];
    const Program::Columns columns = program.columns(buffer, program.keyBlock(c, op));
    const auto rowOf = [&](int r) {
        return std::span(tile.data).subspan(
            static_cast<std::size_t>(r * tile.cols + columns.first), static_cast<std::size_t>(columns.count));
    };
    const RowSet& rows = program.rows(op);
    if (op.kind == OpKind::Load) {
        rows.forEach([&](int r) { loadRow(program, *m_inputs, c, op, r, rowOf(r)); });
    } else if (op.kind == OpKind::Mask) {
        rows.forEach([&](int r) { maskRow(program, c, op, r, rowOf(r)); });
    } else if (op.kind == OpKind::Convert) {
        rows.forEach([&](int r) { roundTo(program.problem.dtype, rowOf(r)); });
    } else if (!op.dropped) { // Rescale
        const TileValues scale = value(cta, op.in[2], Position { version.event + 1 });
        rows.forEach([&](int r) {
            for (float& x : rowOf(r))
                x *= scale.at(r, 0);
        });
    }
}

std::size_t Trace::bytesWithoutValues() const
{
    std::size_t bytes
        = m_events.size() * sizeof(EventRow) + m_spans.size() * sizeof(SpanRow) + m_hops.size() * sizeof(Hop);
    bytes += (m_ctaFirst.size() + m_ctaHops.size() + m_ctaHopsFirst.size() + m_innerFirst.size() + m_innerByCta.size())
        * sizeof(std::uint32_t);
    bytes += m_ctaSpans.size() * sizeof(CtaSpan) + m_counters.size() * sizeof(m_counters[0]);
    bytes += m_opCounts.size() * sizeof(OpCounts);
    bytes += (m_innerTiles.size() + m_ctaSteps.size()) * sizeof(StepRow);
    return bytes;
}

std::size_t Trace::bytes() const
{
    std::size_t bytes = bytesWithoutValues() + m_values.size() * sizeof(float);
    for (const BufferLog& log : m_logs)
        bytes += log.versions.size() * sizeof(Version) + log.keyframes.size() * sizeof(std::uint64_t);
    return bytes;
}

} // namespace flashstep
