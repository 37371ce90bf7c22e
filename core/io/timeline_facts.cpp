// SPDX-License-Identifier: Apache-2.0
#include "core/io/timeline_facts.h"

#include "core/base/version.h"
#include "core/io/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace flashstep {

namespace {

void add(std::vector<Fact>& facts, FactKey key, std::int64_t value)
{
    if (value != 0)
        facts.push_back({ key, static_cast<double>(value) });
}

// Smallest and largest of a per-row statistic over the rows the op wrote; maxima in natural units of the scaled scores.
void addRowStatistics(
    const Run& run, const Span& span, FactKey low, FactKey high, double unit, std::vector<Fact>& facts)
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

} // namespace

std::string_view name(FactKey key)
{
    constexpr std::array<std::string_view, factKeyCount> names { "global_read_bytes", "global_write_bytes", "flops",
        "exp2", "exp2_emulated", "rows_rescaled", "rows_skipped", "warps_rescaling", "m_lowest", "m_highest",
        "l_lowest", "l_highest" };
    return names[static_cast<std::size_t>(key)];
}

void factsOf(const Run& run, const Span& span, std::vector<Fact>& facts)
{
    facts.clear();
    const OpCounts counts = countsOf(*run.program, run.program->work(span.work), *span.op);
    add(facts, FactKey::GlobalReadBytes, counts.globalRead);
    add(facts, FactKey::GlobalWriteBytes, counts.globalWrite);
    add(facts, FactKey::Flops, counts.flops);
    add(facts, FactKey::Exp2, counts.exp2);
    add(facts, FactKey::Exp2Emulated, counts.exp2Emulated);
    if (const auto vote = run.trace->voteOf(span.instance)) {
        add(facts, FactKey::RowsRescaled, vote->rowsDone);
        add(facts, FactKey::RowsSkipped, vote->rowsSkipped);
        add(facts, FactKey::WarpsRescaling, vote->warpsDone);
    } else {
        add(facts, FactKey::RowsRescaled, counts.rescales);
    }
    if (span.op->kind == OpKind::RowMax)
        addRowStatistics(run, span, FactKey::MLowest, FactKey::MHighest, run.program->problem.softmaxScale(), facts);
    if (span.op->kind == OpKind::RowSum)
        addRowStatistics(run, span, FactKey::LLowest, FactKey::LHighest, 1, facts);
}

std::string provenance(const Run& run)
{
    return fmt::format("FlashStep {}, {} {} on {}; times are modelled at a clock of {} MHz", version(),
        run.scenario.algorithm, run.scenario.pass, run.scenario.gpu, numberText(run.trace->clockMhz()));
}

} // namespace flashstep
