// SPDX-License-Identifier: Apache-2.0
#include "core/trace/trace.h"

#include "core/program/effects.h"

#include <algorithm>
#include <limits>

namespace flashstep {

std::string_view name(Counter counter)
{
    constexpr std::array<std::string_view, counterCount> names { "global_read_bytes", "global_write_bytes",
        "flops_executed", "exp2_hardware", "exp2_emulated", "rescales_done", "rescales_skipped", "rescale_warps_done",
        "rescale_warps_skipped" };
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

WorkId Trace::workOf(InstanceId instance) const
{
    const auto after = std::upper_bound(m_workFirst.begin(), m_workFirst.end(), instance.index());
    return WorkId(static_cast<std::size_t>(after - m_workFirst.begin()) - 1);
}

OpId Trace::opOf(InstanceId instance) const
{
    const WorkId work = workOf(instance);
    return OpId(streamOf(work).firstOp + instance.index() - m_workFirst[work.index()]);
}

InstanceId Trace::instance(WorkId work, OpId op) const
{
    return InstanceId(m_workFirst[work.index()] + op.index() - streamOf(work).firstOp);
}

std::span<const WorkId> Trace::worksOf(CtaId cta) const
{
    return std::span(m_ctaWorks)
        .subspan(m_ctaWorksFirst[cta.index()], m_ctaWorksFirst[cta.index() + 1] - m_ctaWorksFirst[cta.index()]);
}

std::int64_t Trace::turnsBefore(WorkId work, BarrierId barrier) const
{
    std::int64_t turns = 0;
    for (const WorkId earlier : worksOf(ctaOf(work))) {
        if (earlier == work)
            break;
        turns += streamOf(earlier).turns[barrier.index()];
    }
    return turns;
}

WorkId Trace::workAt(CtaId cta, Position p) const
{
    const auto works = worksOf(cta);
    for (std::size_t k = works.size(); k-- > 1;)
        for (const RoleRange& role : streamOf(works[k]).roles)
            if (currentOp(works[k], role, p).valid())
                return works[k];
    return works.empty() ? WorkId::none() : works.front();
}

double Trace::total(Counter counter) const
{
    return m_totals ? m_totals->counters[static_cast<std::size_t>(counter)] : this->counter(counter, end());
}

bool Trace::hasEvents(CtaId cta) const
{
    const auto works = worksOf(cta);
    return !works.empty() && hasEvents(works.front());
}

InstanceId Trace::currentOp(WorkId work, const RoleRange& role, Position p) const
{
    if (!hasEvents(work))
        return InstanceId::none();
    const auto first = m_spans.begin() + static_cast<std::ptrdiff_t>(instance(work, OpId(role.first)).index());
    // A role begins its ops in order, so "begun" is true for a prefix of them.
    auto end
        = std::partition_point(first, first + role.count, [&](const SpanRow& span) { return span.begin < p.value; });
    while (end != first && (end - 1)->end == skipped)
        --end;
    return end == first ? InstanceId::none() : InstanceId(static_cast<std::size_t>(end - m_spans.begin()) - 1);
}

InstanceId Trace::currentOp(CtaId cta, std::size_t role, Position p) const
{
    const auto works = worksOf(cta);
    for (std::size_t k = works.size(); k-- > 0;)
        if (const InstanceId found = currentOp(works[k], streamOf(works[k]).roles[role], p); found.valid())
            return found;
    return InstanceId::none();
}

std::span<const Arrival> Trace::arrivals(CtaId cta, BarrierId barrier) const
{
    const std::size_t at = cta.index() * m_program->barriers.size() + barrier.index();
    return std::span(m_arrivals).subspan(m_arrivalsFirst[at], m_arrivalsFirst[at + 1] - m_arrivalsFirst[at]);
}

std::span<const std::uint32_t> Trace::hopsOf(CtaId cta) const
{
    return std::span(m_ctaHops).subspan(
        m_ctaHopsFirst[cta.index()], m_ctaHopsFirst[cta.index() + 1] - m_ctaHopsFirst[cta.index()]);
}

void addCounts(const OpCounts& counts, std::array<double, counterCount>& totals)
{
    totals[static_cast<std::size_t>(Counter::GlobalRead)] += static_cast<double>(counts.globalRead);
    totals[static_cast<std::size_t>(Counter::GlobalWrite)] += static_cast<double>(counts.globalWrite);
    totals[static_cast<std::size_t>(Counter::Flops)] += static_cast<double>(counts.flops);
    totals[static_cast<std::size_t>(Counter::Exp2)] += static_cast<double>(counts.exp2);
    totals[static_cast<std::size_t>(Counter::Exp2Emulated)] += static_cast<double>(counts.exp2Emulated);
    totals[static_cast<std::size_t>(Counter::Rescales)] += static_cast<double>(counts.rescales);
}

void addVote(const Vote& vote, std::array<double, counterCount>& totals)
{
    totals[static_cast<std::size_t>(Counter::Rescales)] += vote.rowsDone;
    totals[static_cast<std::size_t>(Counter::RescalesSkipped)] += vote.rowsSkipped;
    totals[static_cast<std::size_t>(Counter::RescaleWarps)] += vote.warpsDone;
    totals[static_cast<std::size_t>(Counter::RescaleWarpsSkipped)] += vote.warpsSkipped;
}

void Trace::addCounts(InstanceId instance, OpId op, std::array<double, counterCount>& totals) const
{
    if (!m_program->op(op).conditional || m_program->op(op).kind != OpKind::Rescale)
        flashstep::addCounts(m_opCounts[op.index()], totals);
    else if (const auto vote = voteOf(instance))
        addVote(*vote, totals);
}

std::optional<Vote> Trace::voteOf(InstanceId instance) const
{
    const auto found = std::lower_bound(m_votes.begin(), m_votes.end(), instance.index(),
        [](const VoteRow& row, std::size_t at) { return row.instance < at; });
    if (found == m_votes.end() || found->instance != instance.index())
        return std::nullopt;
    return Vote { found->rowsDone, found->rowsSkipped, found->warpsDone, found->warpsSkipped, found->multiply };
}

double Trace::counter(Counter counter, Position p) const
{
    if (p == end())
        return m_counters.back()[static_cast<std::size_t>(counter)];
    const std::size_t block = p.value / counterEvery;
    std::array<double, counterCount> totals = m_counters[block];
    for (std::size_t k = block * counterEvery; k < p.value; ++k)
        if (const Event e = eventAt(k); e.ends)
            addCounts(e.instance, opOf(e.instance), totals);
    return totals[static_cast<std::size_t>(counter)];
}

WorkId Trace::workOfTile(int b, int h, int i) const
{
    return WorkId(m_program->tileWorks[m_program->tileIndex(b, h, i)]);
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
    if (after == versions.begin())
        return -1;
    const InstanceId writer = writerOf(*(after - 1));
    return m_program->keyBlock(m_program->work(workOf(writer)), op(writer));
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
    const InstanceId writer = writerOf(version);
    const Op& op = this->op(writer);
    if (repeatable(op, buffer)) {
        repeat(version, cta, buffer, tile);
        return;
    }
    const Performed performed { *m_program, m_program->work(workOf(writer)), op, rankOf(ctaOf(writer)) };
    const float* from = m_values.data() + version.offset;
    performed.forEachSpan(buffer, [&](int row, int column, int count) {
        std::copy(from, from + count, tile.data.begin() + static_cast<std::ptrdiff_t>(row) * tile.cols + column);
        from += count;
    });
}

int Trace::rankOf(CtaId cta) const
{
    const LaunchDecl& launch = m_program->launchOf(cta);
    return static_cast<int>((cta.index() - launch.firstCta) % static_cast<std::size_t>(launch.clusterSize));
}

void Trace::repeat(const Version& version, CtaId cta, BufferId buffer, TileValues& tile) const
{
    const Program& program = *m_program;
    const InstanceId writer = writerOf(version);
    const Op& op = this->op(writer);
    const Performed performed { program, program.work(workOf(writer)), op, rankOf(ctaOf(writer)) };
    const TileValues scale = op.kind == OpKind::Rescale && !op.dropped
        ? value(cta, op.in[2], Position { version.event + 1 })
        : TileValues {};
    const float change = scale.data.empty() ? 1.0F : frameChange(performed, *m_inputs);
    const int copies = program.rowOffset(program.buffers[buffer.index()], op);
    const std::optional<Vote> vote = voteOf(writer);
    performed.forEachSpan(buffer, [&](int row, int column, int count) {
        const std::span<float> stretch = std::span(tile.data).subspan(
            static_cast<std::size_t>(row * tile.cols + column), static_cast<std::size_t>(count));
        if (op.kind == OpKind::Load)
            loadRow(performed, *m_inputs, row - copies, stretch);
        else if (op.kind == OpKind::Mask)
            maskRow(performed, row - copies, column - program.columns(buffer, performed.j()).first, stretch);
        else if (op.kind == OpKind::Convert)
            convertRow(op, stretch);
        else if (!op.dropped && (!vote || votingWarps(program, op).multiply(*vote, row - copies))) { // Rescale
            const int from = row - copies + program.rowOffset(program.buffers[op.in[2].index()], op);
            for (float& x : stretch)
                x *= scale.at(from, 0) * change;
        }
    });
}

std::size_t Trace::bytesWithoutValues() const
{
    std::size_t bytes
        = m_events.size() * sizeof(EventRow) + m_spans.size() * sizeof(SpanRow) + m_hops.size() * sizeof(Hop);
    bytes += (m_workFirst.size() + m_ctaHops.size() + m_ctaHopsFirst.size() + m_innerFirst.size() + m_innerByCta.size()
                 + m_stepFirst.size() + m_stepPositions.size() + m_ctaWorks.size() + m_ctaWorksFirst.size()
                 + m_arrivalsFirst.size())
        * sizeof(std::uint32_t);
    bytes += m_arrivals.size() * sizeof(Arrival) + m_works.size() * sizeof(WorkRow);
    bytes += m_ctaSpans.size() * sizeof(CtaSpan) + m_counters.size() * sizeof(m_counters[0]);
    bytes += m_opCounts.size() * sizeof(OpCounts) + m_votes.size() * sizeof(VoteRow);
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
