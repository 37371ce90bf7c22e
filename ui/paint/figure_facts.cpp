// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/figure_facts.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

struct Visits {
    int i = 0, tiles = 0, blocks = 0;
};

// Of the tile that the work visits most blocks for.
Visits visitsOf(const Trace& trace, WorkId work)
{
    std::vector<int> counts;
    for (const StepDecl& step : trace.streamOf(work).steps) {
        counts.resize(std::max(counts.size(), static_cast<std::size_t>(step.i) + 1));
        ++counts[static_cast<std::size_t>(step.i)];
    }
    Visits visits;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        visits.tiles += counts[i] > 0 ? 1 : 0;
        if (counts[i] > visits.blocks) {
            visits.i = static_cast<int>(i);
            visits.blocks = counts[i];
        }
    }
    return visits;
}

// From the first of its ops to the last; where the CTA does nothing else, from its start to its end.
void setExtent(const Trace& trace, FigureWork& work)
{
    if (trace.worksOf(work.cta).size() == 1) {
        const CtaSpan& span = trace.span(work.cta);
        work.begin = span.begin;
        work.end = static_cast<double>(span.end > 0 ? Cycle { span.end } : trace.cycles());
        return;
    }
    const Stream& stream = trace.streamOf(work.work);
    bool any = false;
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const InstanceId instance = trace.instance(work.work, OpId(k));
        if (!trace.began(instance))
            continue;
        const auto begin = static_cast<double>(trace.beginCycle(instance)),
                   end = static_cast<double>(trace.endCycle(instance));
        work.begin = any ? std::min(work.begin, begin) : begin;
        work.end = any ? std::max(work.end, end) : end;
        any = true;
    }
}

// The CTA of an earlier launch that works on the same rows.
CtaId earlier(const Trace& trace, const LaunchDecl& launch, const Work& like)
{
    CtaId found;
    for (std::uint32_t w = launch.firstWork; w < launch.firstWork + launch.workCount; ++w) {
        const Work& work = trace.program().work(WorkId(w));
        const CtaId cta = trace.ctaOf(WorkId(w));
        if (work.b == like.b && work.h == like.h && work.row <= like.row && cta.valid() && trace.hasEvents(WorkId(w)))
            found = cta; // works come in order of their rows
    }
    return found;
}

} // namespace

std::optional<FigureWork> figureWork(const Trace& trace, CtaId asked)
{
    const Program& program = trace.program();
    if (program.launches.empty())
        return std::nullopt;
    const LaunchDecl& last = program.launches.back();
    std::optional<FigureWork> best;
    for (std::uint32_t k = 0; k < program.ctaCount(); ++k) {
        const CtaId cta(k);
        if (asked.valid() ? cta != asked : k < last.firstCta)
            continue;
        for (const WorkId work : trace.worksOf(cta)) {
            if (!trace.hasEvents(work))
                continue;
            const Visits visits = visitsOf(trace, trace.productsOf(work));
            // Under a causal mask the last tile has the most to do in its blocks.
            const bool later = program.problem.mask.kind == MaskKind::Causal && best && visits.blocks == best->blocks
                && program.work(work).row > program.work(best->work).row;
            if (best && visits.blocks <= best->blocks && !later)
                continue;
            best = FigureWork { cta, work, visits.i, std::max(1, visits.tiles), visits.blocks, false, 0, 0, {} };
            best->sweeps = visits.tiles > 1 && program.launches[program.work(work).launch].sweep > 0;
        }
    }
    if (!best)
        return std::nullopt;
    setExtent(trace, *best);
    for (std::size_t k = 0; !asked.valid() && k + 1 < program.launches.size(); ++k)
        if (const CtaId cta = earlier(trace, program.launches[k], program.work(best->work)); cta.valid()) {
            best->chain.push_back(cta);
            best->begin = std::min(best->begin, static_cast<double>(trace.span(cta).begin));
        }
    best->chain.push_back(best->cta);
    return best;
}

std::vector<double> blockEnds(const Trace& trace, const FigureWork& work)
{
    std::vector<double> ends;
    for (const StepDecl& step : trace.streamOf(trace.productsOf(work.work)).steps) {
        if (!work.sweeps && step.i != work.i)
            continue;
        if (const auto landed = trace.block(work.work, step.i, step.n))
            ends.push_back(static_cast<double>(trace.timeAt(*landed)));
    }
    std::sort(ends.begin(), ends.end());
    return ends;
}

std::optional<SteadyState> steadyState(const std::vector<double>& ends)
{
    constexpr std::size_t fewest = 3;
    SteadyState best;
    for (std::size_t first = 0; first + 1 < ends.size(); ++first) {
        double least = ends[first + 1] - ends[first], most = least;
        std::size_t last = first + 1;
        while (last + 1 < ends.size()) {
            const double next = ends[last + 1] - ends[last];
            if (std::max(most, next) - std::min(least, next) > 0.01 * std::min(least, next))
                break;
            least = std::min(least, next);
            most = std::max(most, next);
            ++last;
        }
        if (least > 0 && last - first > best.last - best.first)
            best = { first, last };
    }
    return best.last - best.first >= fewest ? std::optional(best) : std::nullopt;
}

std::optional<FigureDetail> figureDetail(const Trace& trace, const FigureWork& work)
{
    const std::vector<double> ends = blockEnds(trace, work);
    if (ends.size() < 4)
        return std::nullopt;
    const auto steady = steadyState(ends);
    // Its middle, or that of all blocks but the first.
    const std::size_t first = steady ? (steady->first + steady->last - 2) / 2 : (ends.size() - 2) / 2;
    FigureDetail detail;
    detail.visits = work.sweeps;
    const double margin = 0.04 * (ends[first + 2] - ends[first]);
    detail.from = ends[first] - margin;
    detail.to = ends[first + 2] + margin;
    if (steady) {
        detail.periodic = true;
        detail.periodBegin = ends[first];
        detail.periodEnd = ends[first + 1];
    }
    return detail;
}

FigureVotes figureVotes(const Trace& trace, const FigureWork& work)
{
    FigureVotes votes;
    const Stream& stream = trace.streamOf(work.work);
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const Op& op = trace.program().op(OpId(k));
        const InstanceId instance = trace.instance(work.work, OpId(k));
        if (op.kind != OpKind::Rescale || trace.program().buffers[op.out.index()].family == "l"
            || !trace.ended(instance))
            continue;
        if (const auto vote = trace.voteOf(instance)) {
            ++votes.votes;
            votes.rescaled += vote->warpsDone > 0 ? 1 : 0;
        }
    }
    return votes;
}

} // namespace flashstep::paint
