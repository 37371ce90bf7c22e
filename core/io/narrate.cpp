// SPDX-License-Identifier: Apache-2.0
#include "core/io/narrate.h"

#include "core/io/narrate_numbers.h"
#include "core/io/step_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flashstep {

using namespace narration;

namespace {

// Steps of the softmax: what they say is said of a row.
bool isOfRows(const Op& op)
{
    switch (op.kind) {
    case OpKind::RowMax:
    case OpKind::Rescale:
    case OpKind::Exp2:
    case OpKind::RowSum:
    case OpKind::Reduce:
        return true;
    case OpKind::Normalise:
        return op.in[1].valid();
    default:
        return false;
    }
}

// Which form of its kind a step's title takes.
std::string titleForm(const Program& program, const Op& op)
{
    const auto spaceOf = [&](BufferId id) { return program.buffers[id.index()].space; };
    switch (op.kind) {
    case OpKind::Arrive:
        return program.barriers[op.barrier.index()].countsBytes() ? "expect" : "arrive";
    case OpKind::Commit:
        return op.barrier.valid() ? "commit.mma" : op.group == GroupKind::Stores ? "commit.stores" : "commit";
    case OpKind::Stage:
        if (!op.in[0].valid())
            return "stage.tile";
        if (transposes(program, op))
            return "stage.transpose";
        if (spaceOf(op.in[0]) == Space::Tmem)
            return "stage.tmem.read";
        if (spaceOf(op.out) == Space::Tmem)
            return "stage.tmem.write";
        return spaceOf(op.out) == Space::Registers ? "stage.read" : "stage";
    case OpKind::Rescale:
        return op.conditional ? "rescale.vote" : "rescale";
    default:
        return std::string(name(op.kind));
    }
}

// A statistic of each row that goes to another role through SMEM.
bool handsOver(const Program& program, const Op& op)
{
    return program.softmax.conditional && op.in[0].valid() && op.out.valid()
        && program.buffers[op.out.index()].space == Space::Smem
        && program.buffers[op.in[0].index()].space == Space::Registers && program.buffers[op.out.index()].cols == 1;
}

std::string markdownHead(const Run& run, const Words& words)
{
    const Problem& p = run.program->problem;
    return words.say("markdown.head",
        { { "algorithm", run.scenario.algorithm }, { "pass", run.scenario.pass }, { "gpu", std::string(run.gpu.title) },
            { "queries", std::to_string(p.seqlenQ) }, { "keys", std::to_string(p.seqlenK) },
            { "d", std::to_string(p.headDim) }, { "mask", p.mask.text() }, { "dtype", std::string(name(p.dtype)) },
            { "tile", run.program->tile.text() }, { "clock", fmt::format("{:.0f}", run.trace->clockMhz()) } });
}

} // namespace

Narrator::Narrator(const Run& run, Labels labels, Words words)
    : m_run(run)
    , m_labels(std::move(labels))
    , m_words(std::move(words))
{
}

Narrator::Step Narrator::stepAt(Position p, CtaId cta) const
{
    const Trace& trace = *m_run.trace;
    for (std::uint32_t k = p.value; k > 0; --k) {
        const Event event = trace.eventAt(k - 1);
        const OpId id = trace.opOf(event.instance);
        const Op& op = m_run.program->op(id);
        const bool ofPair = op.kind == OpKind::Mma && op.reach == Reach::Both // a product of both CTAs
            && m_run.program->peerOf(cta) == trace.ctaOf(event.instance);
        if (trace.ctaOf(event.instance) != cta && !ofPair)
            continue;
        return { event.instance, trace.workOf(event.instance), event.ends, &m_run.program->op(id), id };
    }
    return {};
}

std::string Narrator::rowName(const Step& step, int r) const
{
    const Program& program = *m_run.program;
    const int row = program.firstRow(workOf(step), *step.op) + r;
    const Program::QueryRow query = program.queryRow(workOf(step).h, row);
    const std::string which
        = program.packed > 1 ? fmt::format("{} (query {} of head {})", row, query.row, query.h) : std::to_string(row);
    return m_labels.has(query.row)
        ? fmt::format("**Row {} \"{}\"**", which, m_labels.tokens[static_cast<std::size_t>(query.row)])
        : fmt::format("**Row {}**", which);
}

std::string Narrator::queryTilesOf(const Work& work) const
{
    const LaunchDecl& launch = m_run.program->launches[work.launch];
    std::string tiles;
    for (int k = 0; k < launch.tilesPerWork; ++k)
        if (const int i = work.i + k * launch.tileStride; k == 0 || i < m_run.program->queryTiles())
            tiles += (k == 0 ? "" : " and ") + std::to_string(i);
    return (tiles.find(' ') == std::string::npos ? "query tile " : "query tiles ") + tiles;
}

std::string Narrator::rowsOf(const Work& work) const
{
    const Program& program = *m_run.program;
    const LaunchDecl& launch = program.launches[work.launch];
    std::string rows;
    for (int k = 0; k < launch.tilesPerWork; ++k) {
        const int inside = program.rowsInside(work, k * launch.tileStride);
        const int first = work.row + k * launch.tileStride * launch.queryRows;
        const int last = first + inside - 1;
        if (inside > 0 || k == 0)
            rows += fmt::format("{}{} to {}", k == 0 ? "rows " : " and ", first, last);
    }
    if (program.packed == 1)
        return rows + fmt::format(" of head {}", work.h);
    return rows
        + fmt::format(", in which heads {} to {} take turns (row r is query r / {} of head {} + r mod {})", work.h,
            work.h + program.packed - 1, program.packed, work.h, program.packed);
}

Words::Values Narrator::common(const Step& step, CtaId ctaId) const
{
    const Program& program = *m_run.program;
    const Work& work = workOf(step);
    const int i = program.queryTile(work, *step.op);
    const int j = program.keyBlock(work, *step.op);
    Words::Values values;
    values["warp"] = program.roles[step.op->role.index()].name;
    values["cta"] = std::to_string(ctaId.index());
    values["i"] = std::to_string(i);
    values["j"] = std::to_string(j);
    values["n"] = std::to_string(step.op->n);
    values["blocks"] = std::to_string(program.streamOf(step.work).visitedBlocks);
    values["rows"] = std::to_string(program.rows(*step.op).count());
    if (isOfRows(*step.op) || handsOver(program, *step.op)) { // those that exist, unless none does
        int inside = 0;
        program.rows(*step.op).forEach([&](int r) { inside += r < rowsInside(step) ? 1 : 0; });
        if (inside > 0)
            values["rows"] = std::to_string(inside);
    }
    const RowSetId keys = step.op->keys; // the role's share, where the warps share out the keys
    values["keys"] = std::to_string(keys.valid() ? program.rowSets[keys.index()].count() : program.tile.keys);
    values["label"] = labelOf(program, *step.op);
    values["tensor"] = std::string(name(step.op->tensor));
    values["dtype"] = std::string(name(program.problem.dtype));
    const auto bufferName = [&](BufferId id) { return id.valid() ? program.buffers[id.index()].name : std::string(); };
    values["out"] = bufferName(step.op->out);
    values["in"] = bufferName(step.op->in[0]);
    values["in2"] = bufferName(step.op->in[1]);
    values["out2"] = bufferName(step.op->out2);
    values["scaled"] = values["out"] + (step.op->out2.valid() ? " and " + values["out2"] : "");
    values["block"] = j < 0 ? fmt::format("query tile {}", i) : fmt::format("block {}", j);
    const OpCounts counts = countsOf(program, work, *step.op);
    values["bytes"] = thousands(counts.globalRead + counts.globalWrite);
    values["flops"] = thousands(counts.flops);
    values["exps"] = thousands(counts.exp2);
    const Trace& trace = *m_run.trace;
    const bool began = trace.began(step.instance);
    values["cycles"] = thousands(began ? trace.endCycle(step.instance) - trace.beginCycle(step.instance) : 0);
    return values;
}

std::string Narrator::title(Position p, CtaId cta) const
{
    const Step step = stepAt(p, cta);
    if (step.op == nullptr)
        return say("title.start", { { "cta", std::to_string(cta.index()) } });
    const std::string kind = titleForm(*m_run.program, *step.op);
    return say((step.ends ? "title.end." : "title.begin.") + kind, common(step, cta));
}

std::string Narrator::explain(Position p, CtaId cta) const
{
    const Step step = stepAt(p, cta);
    if (step.op == nullptr)
        return explainStart(cta);
    if (step.ends && isOfRows(*step.op) && m_run.program->rows(*step.op).start >= rowsInside(step))
        return say("beyond", common(step, cta));
    switch (step.op->kind) {
    case OpKind::Load:
        return explainLoad(step, cta);
    case OpKind::Wait:
        return explainWait(step, cta);
    case OpKind::Sync:
        return explainSync(step, cta);
    case OpKind::Mma:
        return inTmem(step.op->out) ? explainTensorMma(step, cta) : explainMma(step, cta);
    case OpKind::Mask:
        return explainMask(step, cta);
    case OpKind::RowMax:
        return step.op->conditional ? explainLazyMax(step, cta) : explainRowMax(step, cta);
    case OpKind::Rescale:
        return step.op->conditional ? explainVote(step, cta) : explainRescale(step, cta);
    case OpKind::Exp2:
        return explainExp2(step, cta);
    case OpKind::RowSum:
        return explainRowSum(step, cta);
    case OpKind::Normalise:
        return explainNormalise(step, cta);
    case OpKind::Arrive:
        return explainArrive(step, cta);
    case OpKind::NextTile:
        return explainNextTile(step, cta);
    case OpKind::Reduce:
        return explainReduce(step, cta);
    case OpKind::Allocate:
    case OpKind::Free:
        return explainTmem(step, cta);
    case OpKind::Commit:
        if (step.op->barrier.valid())
            return explainMmaCommit(step, cta);
        break;
    case OpKind::Stage:
        if (inTmem(step.op->out) || inTmem(step.op->in[0]))
            return explainTmemCopy(step, cta);
        if (handsOver(*m_run.program, *step.op))
            return explainHandOver(step, cta);
        break;
    case OpKind::Convert:
    case OpKind::Fence:
    case OpKind::SetRegisters:
    case OpKind::Store:
        break;
    }
    return explainOther(step, cta);
}

std::string Narrator::explainStart(CtaId cta) const
{
    const Program& program = *m_run.program;
    const LaunchDecl& launch = program.launchOf(cta);
    const WorkId first(launch.firstWork + cta.index() - launch.firstCta);
    const Work& work = program.work(first);
    const Words::Values values { { "cta", std::to_string(cta.index()) }, { "i", std::to_string(work.i) },
        { "h", std::to_string(work.h) }, { "what", queryTilesOf(work) }, { "which", rowsOf(work) },
        { "peer", std::to_string(program.peerOf(cta).index()) }, { "first", std::to_string(work.row) },
        { "last", std::to_string(work.row + program.rowsInside(work) - 1) },
        { "blocks", std::to_string(program.streamOf(first).visitedBlocks) },
        { "tiles", std::to_string(launch.sweep > 0 ? (program.queryTiles() - work.i - 1) / launch.sweep + 1 : 1) },
        { "works", std::to_string(launch.workCount) }, { "ctas", std::to_string(launch.ctaCount) } };
    if (launch.tilesPerWork > 1 || program.packed > 1) {
        const std::string form = launch.schedule != Schedule::SingleTile ? ".persistent" : "";
        const std::string pair = launch.pairs ? " " + say("explain.start.pair", values) : "";
        return say("explain.start.tiles" + form, values) + pair;
    }
    if (launch.schedule != Schedule::SingleTile)
        return say("explain.start.persistent", values);
    return say(launch.sweep > 0 ? "explain.start.sweep" : "explain.start", values);
}

std::string Narrator::summary(Position p, CtaId cta, Level level) const
{
    const Step step = stepAt(p, cta);
    if (step.op == nullptr || level == Level::Event || level == Level::Operation
        || !completesStep(*m_run.trace, p, level, cta))
        return explain(p, cta);
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    const Program& program = *m_run.program;
    const Work& which = workOf(step);
    const int firstRow = program.firstRow(which, *step.op);
    values["first"] = std::to_string(firstRow);
    values["last"] = std::to_string(firstRow + rowsInside(step) - 1);
    values["read"] = thousands(static_cast<std::int64_t>(trace.counter(Counter::GlobalRead, p)));
    values["written"] = thousands(static_cast<std::int64_t>(trace.counter(Counter::GlobalWrite, p)));
    const CtaSpan& span = trace.span(cta);
    values["sm"] = std::to_string(span.sm);
    values["cycles"] = thousands(static_cast<std::int64_t>(span.end) - span.begin);
    values["launch"] = program.launches[which.launch].name;
    const int visited = program.streamOf(step.work).visitedBlocks;
    const bool last = step.op->n == visited;
    const bool sweep = program.launches[which.launch].sweep > 0;
    if (level == Level::OuterTile && sweep)
        return say("summary.sweep", values);
    const bool several = program.launches[which.launch].tilesPerWork > 1 || program.packed > 1;
    values["what"] = queryTilesOf(which);
    values["which"] = rowsOf(which);
    const auto works = trace.worksOf(cta);
    if (level == Level::Cta && (sweep || works.size() > 1)) {
        values["works"] = std::to_string(works.size());
        return say(sweep ? "summary.cta.sweep" : "summary.cta.persistent", values);
    }
    if (level == Level::OuterTile && program.launches[which.launch].schedule != Schedule::SingleTile)
        return say(several ? "summary.work.tiles" : "summary.work", values);
    if (level != Level::InnerTile && several)
        return say("summary.cta.tiles", values);
    if (level != Level::InnerTile)
        return say(visited == 0 ? "summary.cta.plain" : "summary.cta", values);
    return say(last ? "summary.block.last" : "summary.block", values);
}

std::string Narrator::heading(Position p, CtaId cta, Level level) const
{
    const Step step = stepAt(p, cta);
    if (step.op == nullptr || level == Level::Event || level == Level::Operation)
        return title(p, cta);
    const Program& program = *m_run.program;
    const Work& work = workOf(step);
    Words::Values values = common(step, cta);
    values["what"] = queryTilesOf(work);
    values["h"] = std::to_string(work.h);
    values["b"] = std::to_string(work.b);
    const bool sweep = program.launches[work.launch].sweep > 0;
    const std::string_view form = level == Level::InnerTile ? "heading.block"
        : level == Level::Cta                               ? "heading.cta"
        : sweep                                             ? "heading.sweep"
                                                            : "heading.work";
    const bool severalHeads = program.problem.batch * program.problem.heads > 1;
    return say(std::string(form), values) + (severalHeads ? say("heading.head", values) : "");
}

Status narrateMarkdown(const Run& run, const Labels& labels, const Range& range, Level level, CtaId only,
    std::string_view lang, std::ostream& out, const Progress& progress)
{
    Result<Words> words = Words::load(lang);
    if (!words)
        return words.error();
    out << markdownHead(run, *words);
    const Narrator narrator(run, labels, *words);
    const Trace& trace = *run.trace;
    std::size_t steps = 0;
    forEachStep(trace, range, level, only, [&](const Step& step) {
        out << fmt::format("- `{} cy` CTA {}: {}\n", trace.timeAt(step.at), step.cta.index(),
            narrator.summary(step.at, step.cta, level));
        if (++steps % 256 == 0)
            progress.at(static_cast<double>(step.at.value - range.from.value)
                / std::max(1.0, static_cast<double>(range.to.value - range.from.value)));
        return out.good() && !progress.cancelled();
    });
    if (progress.cancelled())
        return Error { "cancelled", "", "" };
    return Nothing {};
}

} // namespace flashstep
