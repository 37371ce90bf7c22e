// SPDX-License-Identifier: Apache-2.0
// One kind of op after the other: which numbers of the trace its sentences hold.
#include "core/io/narrate.h"
#include "core/io/narrate_numbers.h"

#include "core/algorithms/registry.h"
#include "core/program/effects.h"
#include "core/tensor/real_math.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace flashstep {

using namespace narration;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

bool keptInHbm(TensorId tensor) // between two visits of a query tile
{
    return tensor == TensorId::OTmp || tensor == TensorId::M || tensor == TensorId::L || tensor == TensorId::O
        || tensor == TensorId::Lse;
}

// Whether O is divided by l with every block and not once at the end.
bool dividesEachBlock(const Program& program, const Stream& stream, const Op& op)
{
    const auto divides = [&](const Op& other) {
        return other.kind == OpKind::Normalise && other.role == op.role && other.i == op.i && other.out == op.out;
    };
    const auto first = program.ops.begin() + stream.firstOp;
    return std::count_if(first, first + stream.opCount, divides) > 1;
}

// Whether a statistic of the block alone is formed, beside the one of all blocks so far.
bool standsApart(const Program& program, const Work& work, std::string_view ofAll, const Op& op)
{
    const BufferId all = program.buffer(ofAll, work.launch);
    return all.valid() && op.out != all && !op.accumulate && program.buffer("beta", work.launch).valid();
}

// ", keys 64 to 127 of it": which half of an operand that a pair of CTAs shares out an op loads.
std::string halfOf(const Program& program, const Op& op)
{
    const BufferDecl& to = program.buffers[op.out.index()];
    if (to.half == BufferDecl::Half::None)
        return "";
    const int first = program.halfOffset(op);
    return to.half == BufferDecl::Half::Rows
        ? fmt::format(", the half with its keys {} to {}", first, first + to.rows - 1)
        : fmt::format(", the half with its columns {} to {}", first, first + to.cols - 1);
}

// Rows of a tile of Q, K or V, or of what is kept between visits, that a load moves: those inside the bounds.
int rowsMoved(const Program& program, const Work& work, const Op& op)
{
    const bool keys = op.tensor == TensorId::K || op.tensor == TensorId::V;
    const bool half = program.buffers[op.out.index()].half == BufferDecl::Half::Rows;
    const int inside = keys ? program.keysInside(program.keyBlock(work, op)) - (half ? program.halfOffset(op) : 0)
                            : program.rowsInside(work, op.i);
    int count = 0;
    program.rows(op).forEach([&](int r) { count += r < inside ? 1 : 0; });
    return count;
}

// Where what is staged goes: out to HBM, to the other warps, or back into registers.
std::string stageForm(const Program& program, const Stream& stream, const Op& op)
{
    if (!op.in[0].valid())
        return ".tile";
    if (program.buffers[op.out.index()].space == Space::Registers)
        return program.rows(op).count() == 1 && program.launches[program.buffers[op.out.index()].launch].tmemColumns > 0
            ? ".address"
            : ".read";
    if (transposes(program, op))
        return ".transpose";
    const auto first = program.ops.begin() + stream.firstOp;
    const bool leaves = std::any_of(first, first + stream.opCount,
        [&](const Op& other) { return other.kind == OpKind::Store && other.in[0] == op.out; });
    const bool byTma = std::any_of(first, first + stream.opCount,
        [&](const Op& other) { return other.kind == OpKind::Store && other.in[0] == op.out && other.via == Via::Tma; });
    return byTma ? ".tma" : leaves ? "" : ".kept";
}

} // namespace

std::string Narrator::explainLoad(const Step& step, CtaId cta) const
{
    Words::Values values = common(step, cta);
    const Program& program = *m_run.program;
    const BufferDecl& to = program.buffers[step.op->out.index()];
    const int moved = rowsMoved(program, workOf(step), *step.op);
    values["rows"] = std::to_string(moved);
    const int j = program.keyBlock(workOf(step), *step.op);
    values["columns"] = std::to_string(program.columns(step.op->out, j).count);
    values["space"] = to.space == Space::Smem ? "SMEM" : "registers";
    values["what"] = values["tensor"]
        + (j < 0 || keptInHbm(step.op->tensor) ? " of query tile " + values["i"] : " of key block " + values["j"]);
    if (moved == 0 && step.op->reach != Reach::Both)
        return say(step.ends ? "load.outside.end" : "load.outside.begin", values);
    if (step.op->barrier.valid()) {
        values["barrier"] = program.barriers[step.op->barrier.index()].name;
        values["half"] = program.launches[workOf(step).launch].pairs ? halfOf(program, *step.op) : "";
        values["peer"] = std::to_string(program.peerOf(cta).index());
        const std::string which = step.op->reach == Reach::Both ? "load.multicast"
            : step.op->reach == Reach::Peer                     ? "load.peer"
            : step.op->via == Via::Tma                          ? "load.tma"
                                                                : "load.arrives";
        return say(which + (step.ends ? ".end" : ".begin"), values);
    }
    if (step.op->async && to.space == Space::Registers)
        return say(step.ends ? "load.registers.end" : "load.registers.begin", values);
    if (step.op->async)
        return say(step.ends ? "load.async.end" : "load.async.begin", values);
    return say(step.ends ? "load.end" : "load.begin", values);
}

std::string Narrator::explainMma(const Step& step, CtaId cta) const
{
    Words::Values values = common(step, cta);
    const Problem& p = m_run.program->problem;
    values["d"] = std::to_string(p.headDim);
    values["dv"] = std::to_string(p.headDimV);
    // Without m and l of its own the CTA hands its scores over, or is handed P already divided.
    const bool running = m_run.program->buffer("l", workOf(step).launch).valid();
    if (step.op->async)
        return say(step.ends ? "mma.async.end" : "mma.async.begin", values);
    const bool part = !step.op->transposed && step.op->step == Op::noStep;
    const bool eachBlock = !step.op->transposed && running
        && dividesEachBlock(*m_run.program, m_run.trace->streamOf(step.work), *step.op);
    const std::string which = part ? step.op->keys.valid() ? "mma.part" : "mma.alone"
        : eachBlock                ? "mma.output.each"
        : step.op->transposed      ? running ? "mma.scores" : "mma.scores.handed"
        : !step.op->accumulate     ? "mma.output.first"
        : running                  ? "mma.output"
                                   : "mma.output.divided";
    return say(which + (step.ends ? ".end" : ".begin"), values);
}

std::string Narrator::explainMask(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const int firstKey = program.keyBlock(workOf(step), *step.op) * program.tile.keys;
    const int firstRow = program.firstRow(workOf(step), *step.op);
    const int offset = offsetIn(step, step.op->out);
    int hidden = 0;
    int all = 0;
    const Performed performed { program, workOf(step), *step.op };
    const int firstColumn = program.columns(step.op->out, performed.j()).first;
    performed.forEachSpan(step.op->out, [&](int r, int column, int count) {
        all += count;
        const int first = firstKey + column - firstColumn;
        for (int key = first; key < first + count; ++key)
            hidden += key >= program.problem.seqlenK
                    || !program.problem.visible(program.queryRow(0, firstRow + r - offset).row, key)
                ? 1
                : 0;
    });
    Words::Values values = common(step, cta);
    values["hidden"] = bold(std::to_string(hidden));
    values["all"] = std::to_string(all);
    values["mask"] = program.problem.mask.text();
    return say(hidden == 0 ? "mask.nothing" : step.ends ? "mask.end" : "mask.begin", values);
}

std::string Narrator::explainRowMax(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    const std::string meanwhile = beside(step, cta);
    const bool own = !step.op->keys.valid() && standsApart(program, workOf(step), "m", *step.op);
    if (!step.ends)
        return say(own ? "rowmax.begin.own" : "rowmax.begin", values) + meanwhile;
    if (!trace.hasValues(cta))
        return say("rowmax.end.unrecorded", values) + meanwhile;
    const Position after = trace.endPosition(step.instance);
    const TileValues now = trace.value(cta, step.op->out, after);
    const BufferId reference = step.op->in[1];
    const TileValues before
        = step.op->accumulate ? trace.value(cta, reference, Position { after.value - 1 }) : TileValues {};
    const int at = offsetIn(step, step.op->out);
    const auto oldOf = [&](int r) { // a log-sum-exp is in natural units, a maximum in raw scores
        const double old = step.op->accumulate ? rowValue(before, r + offsetIn(step, reference), -infinity) : -infinity;
        return step.op->lse ? old / program.problem.softmaxScale() : old;
    };
    const auto c = static_cast<double>(program.problem.softmaxScaleLog2()); // raw scores into log2 units
    int tellingRow = -1;
    int grown = 0;
    int inside = 0;
    double largest = -1;
    program.rows(*step.op).forEach([&](int r) {
        if (r >= rowsInside(step))
            return;
        ++inside;
        const double rise = rowValue(now, r + at, -infinity) - oldOf(r);
        grown += rise > 0 ? 1 : 0;
        const double weight = std::isnan(rise) ? 0 : rise;
        if (tellingRow < 0 || weight > largest) {
            tellingRow = r;
            largest = weight;
        }
    });
    const double old = oldOf(tellingRow);
    const double newest = rowValue(now, tellingRow + at, -infinity);
    values["row"] = rowName(step, tellingRow);
    values["old"] = bold(number(old * c));
    values["new"] = bold(number(newest * c));
    values["gap"] = number((newest - old) * c);
    values["negative"] = number((old - newest) * c);
    values["factor"] = bold(factor(exp2Real((old - newest) * c)));
    values["grown"] = std::to_string(grown);
    values["inside"] = std::to_string(inside);
    if (step.op->keys.valid())
        return say("rowmax.end.part", values);
    if (own)
        return say(newest == -infinity ? "rowmax.end.own.blind" : "rowmax.end.own", values);
    if (newest == -infinity)
        return say("rowmax.end.blind", values) + meanwhile;
    if (!step.op->accumulate)
        return say("rowmax.end.start", values);
    if (old == -infinity)
        return say("rowmax.end.first", values) + meanwhile;
    return say(newest > old ? "rowmax.end.grew" : "rowmax.end.kept", values) + meanwhile;
}

bool Narrator::hadNothing(const Step& step, CtaId cta, int row) const
{
    const Position until { trace().endPosition(step.instance).value - 1 };
    const auto empty = [&](BufferId buffer) {
        if (!buffer.valid())
            return true;
        const TileValues before = trace().value(cta, buffer, until);
        const int at = row + offsetIn(step, buffer);
        for (int k = 0; at < before.rows && k < before.cols; ++k)
            if (before.at(at, k) != 0)
                return false;
        return true;
    };
    return empty(step.op->out) && empty(step.op->out2);
}

std::string Narrator::explainRescale(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    if (step.op->dropped)
        return say("rescale.dropped", values);
    const BufferId scale = step.op->in[2];
    const int launch = workOf(step).launch;
    const BufferId beta = program.buffer("beta", launch); // of two factors the one that this block is multiplied by
    const bool ofBlock = beta.valid() && scale == beta;
    const bool lazy = program.softmax.conditional;
    values["by"] = say(lazy ? "factor.lazy"
            : !beta.valid() ? "factor.scale"
            : ofBlock       ? "factor.beta"
                            : "factor.alpha",
        values);
    if (!step.ends || !trace.hasValues(cta) || !scale.valid())
        return say(step.ends ? "rescale.end.unrecorded" : "rescale.begin", values);
    const TileValues factors = trace.value(cta, scale, trace.endPosition(step.instance));
    const int at = offsetIn(step, scale);
    int smallestRow = -1;
    int firstEmpty = -1;
    int nothing = 0;
    int shrunk = 0;
    int inside = 0;
    program.rows(*step.op).forEach([&](int r) {
        if (r >= rowsInside(step))
            return;
        ++inside;
        const double value = rowValue(factors, r + at, 1);
        if (value == 0 && hadNothing(step, cta, r)) {
            firstEmpty = nothing++ == 0 ? r : firstEmpty;
            return;
        }
        shrunk += value < 1 ? 1 : 0;
        if (smallestRow < 0 || value < rowValue(factors, smallestRow + at, 1))
            smallestRow = r;
    });
    const Algorithm* version = findAlgorithm(program.algorithm, program.pass);
    values["version"] = version == nullptr ? program.algorithm : std::string(version->title);
    values["shrunk"] = std::to_string(shrunk);
    values["inside"] = std::to_string(inside);
    values["nothing"] = std::to_string(nothing);
    if (shrunk == 0 && nothing > 0) {
        values["row"] = rowName(step, firstEmpty);
        return say("rescale.end.nothing", values);
    }
    values["others"] = say(nothing > 0 ? "rescale.others.nothing" : "rescale.others", values);
    if (shrunk == 0 && lazy)
        return say("rescale.end.ones.lazy", values);
    if (shrunk == 0)
        return say(ofBlock ? "rescale.end.ones.block" : "rescale.end.ones", values);
    const double least = rowValue(factors, smallestRow + at, 1);
    values["row"] = rowName(step, smallestRow);
    values["factor"] = bold(factor(least));
    values["power"] = number(log2Real(least));
    return say(least == 0 ? "rescale.end.zero" : "rescale.end", values);
}

namespace {

// How many keys of each quarter of a block the FMA units compute: "0, 12, 12 and 0".
std::string emulatedByFragment(const Program& program)
{
    const int width = program.tile.keys / 4;
    const auto count = [&](int fragment) { return program.softmax.emulatedKeys(fragment * width, width); };
    return fmt::format("{}, {}, {} and {}", count(0), count(1), count(2), count(3));
}

} // namespace

std::string Narrator::explainExp2(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    const std::string meanwhile = beside(step, cta);
    const SoftmaxForm& form = program.softmax;
    const OpCounts counts = countsOf(program, workOf(step), *step.op);
    const auto offset = static_cast<double>(form.offset);
    const std::string raised = offset == 0 || form.conditional ? "" : ".offset";
    const std::string which = form.conditional ? "exp2.lazy" : "exp2";
    values["emulated"] = thousands(counts.exp2Emulated);
    values["degree"] = std::to_string(form.polynomialDegree);
    values["fragments"] = counts.exp2Emulated > 0 ? emulatedByFragment(program) : std::string();
    values["offset"]
        = form.conditional ? (offset == 0 ? "" : fmt::format(" + {:g}", offset)) : fmt::format("{:g}", offset);
    values["most"]
        = fmt::format("{:g}", form.conditional ? static_cast<double>(form.threshold) + offset : exp2Real(offset));
    values["polynomial"]
        = counts.exp2Emulated > 0 ? say(step.ends ? "exp2.emulated.end" : "exp2.emulated", values) : "";
    const std::string share = !form.conditional && counts.exp2Emulated > 0 ? say("exp2.share", values) : std::string();
    if (!step.ends || !trace.hasValues(cta))
        return say(step.ends ? which + ".end.unrecorded" + raised : which + ".begin", values) + share + meanwhile;
    const TileValues p = trace.value(cta, step.op->out, trace.endPosition(step.instance));
    const Performed performed { program, workOf(step), *step.op };
    const int firstColumn = program.columns(step.op->out, performed.j()).first;
    const int at = offsetIn(step, step.op->out);
    int bestRow = -1;
    int bestKey = 0;
    float best = -1;
    performed.forEachSpan(step.op->out, [&](int row, int column, int count) {
        if (row - at >= rowsInside(step) || row >= p.rows)
            return;
        for (int k = column; k < std::min(p.cols, column + count); ++k)
            if (p.at(row, k) > best) {
                best = p.at(row, k);
                bestRow = row - at;
                bestKey = k - firstColumn;
            }
    });
    if (bestRow < 0)
        return say(which + ".end.unrecorded" + raised, values) + meanwhile;
    const int key = performed.j() * program.tile.keys + bestKey;
    values["row"] = rowName(step, bestRow);
    values["largest"] = bold(factor(static_cast<double>(best)));
    values["key"] = m_labels.has(key) && program.problem.seqlenK == program.problem.seqlenQ
        ? fmt::format("{} \"{}\"", key, m_labels.tokens[static_cast<std::size_t>(key)])
        : std::to_string(key);
    return say(which + ".end" + raised, values) + share + meanwhile;
}

std::string Narrator::explainRowSum(const Step& step, CtaId cta) const
{
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    const bool own = !step.op->keys.valid() && standsApart(*m_run.program, workOf(step), "l", *step.op);
    if (!step.ends)
        return say(own ? "rowsum.begin.own" : "rowsum.begin", values);
    if (!trace.hasValues(cta))
        return say("rowsum.end.unrecorded", values);
    const Position after = trace.endPosition(step.instance);
    const TileValues now = trace.value(cta, step.op->out, after);
    const BufferId sum = step.op->in[1];
    const TileValues before = step.op->accumulate ? trace.value(cta, sum, Position { after.value - 1 }) : TileValues {};
    const int at = offsetIn(step, step.op->out);
    const auto oldOf = [&](int r) { return step.op->accumulate ? rowValue(before, r + offsetIn(step, sum), 0) : 0; };
    int tellingRow = -1;
    double largest = -1;
    m_run.program->rows(*step.op).forEach([&](int r) {
        if (r >= rowsInside(step))
            return;
        const double gain = rowValue(now, r + at, 0) - oldOf(r);
        if (gain > largest) {
            largest = gain;
            tellingRow = r;
        }
    });
    if (tellingRow < 0)
        return say("rowsum.end.unrecorded", values);
    values["row"] = rowName(step, tellingRow);
    values["old"] = factor(oldOf(tellingRow));
    values["new"] = bold(factor(rowValue(now, tellingRow + at, 0)));
    if (step.op->keys.valid())
        return say("rowsum.end.part", values);
    if (own)
        return say("rowsum.end.own", values);
    return say(step.op->accumulate ? "rowsum.end" : "rowsum.end.first", values);
}

std::string Narrator::explainNormalise(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    if (!step.op->in[1].valid())
        return say("normalise.blind", values);
    if (step.op->n == 0 && step.op->j >= 0)
        return say(step.ends ? "divide.end" : "divide.begin", values);
    if (!step.ends || !trace.hasValues(cta))
        return say(step.ends ? "normalise.end.unrecorded" : "normalise.begin", values);
    const Position after = trace.endPosition(step.instance);
    const TileValues l = trace.value(cta, step.op->in[1], after);
    const TileValues lse = step.op->out2.valid() ? trace.value(cta, step.op->out2, after) : TileValues {};
    const int row = program.rows(*step.op).start;
    values["row"] = rowName(step, row);
    const double sum = rowValue(l, row + offsetIn(step, step.op->in[1]), 0);
    values["l"] = bold(factor(sum));
    values["inverse"] = bold(factor(sum == 0 ? 1 : 1 / sum));
    values["lse"] = bold(number(rowValue(lse, row + offsetIn(step, step.op->out2), -infinity)));
    if (!step.op->out.valid())
        return say("normalise.lse", values);
    if (!step.op->out2.valid())
        return say("normalise.end.output", values);
    const std::string each
        = dividesEachBlock(program, trace.streamOf(step.work), *step.op) ? "normalise.end.each" : "normalise.end";
    return say(sum == 0 ? each + ".blind" : each, values);
}

std::string Narrator::explainOther(const Step& step, CtaId cta) const
{
    Words::Values values = common(step, cta);
    std::string which(name(step.op->kind));
    if (step.op->kind == OpKind::Store) {
        values["what"] = values["tensor"]
            + (step.op->j >= 0 ? " (" + values["i"] + ", " + values["j"] + ")" : " of query tile " + values["i"]);
        which += step.op->async ? ".async" : "";
        const OpCounts counts = countsOf(*m_run.program, workOf(step), *step.op);
        if (counts.globalWrite == 0)
            return say(step.ends ? "store.outside.end" : "store.outside.begin", values);
    }
    const bool tmem = m_run.program->launches[workOf(step).launch].tmemColumns > 0;
    values["proxy"] = tmem ? "TMA" : "TMA and WGMMA";
    if (step.op->kind == OpKind::Fence && step.id.index() > 0 && inTmem(m_run.program->ops[step.id.index() - 1].out))
        which += ".tmem";
    if (step.op->kind == OpKind::Commit && step.op->group == GroupKind::Stores)
        which += ".stores";
    if (step.op->kind == OpKind::Convert)
        values["dtype"] = std::string(name(step.op->format)); // O's is not that of the operands
    if (step.op->kind == OpKind::Convert && step.op->in[0] != step.op->out)
        which += ".to";
    if (step.op->kind == OpKind::Stage)
        which += stageForm(*m_run.program, m_run.trace->streamOf(step.work), *step.op);
    if (step.op->kind == OpKind::SetRegisters) {
        const int own = m_run.program->roles[step.op->role.index()].registers;
        const int launch = m_run.program->launches[workOf(step).launch].registersPerThread;
        values["registers"] = std::to_string(own > 0 ? own : launch);
        values["launch"] = std::to_string(launch);
        which += own <= launch ? ".less" : tmem ? ".more.tmem" : ".more";
    }
    return say(which + (step.ends ? ".end" : ".begin"), values) + sayClipped(step, cta);
}

// How much of P was too large for e4m3, where P still stands beside what it was made of.
std::string Narrator::sayClipped(const Step& step, CtaId cta) const
{
    const Op& op = *step.op;
    const bool rounded = step.ends && op.kind == OpKind::Convert && op.in[0] != op.out;
    if (!rounded || op.format != DType::E4m3 || !m_run.trace->hasValues(cta))
        return {};
    const TileValues from = m_run.trace->value(cta, op.in[0], m_run.trace->endPosition(step.instance));
    std::vector<float> row;
    int clipped = 0;
    m_run.program->rows(op).forEach([&](int r) {
        if (r >= rowsInside(step) || r >= from.rows)
            return;
        row.clear();
        for (int k = 0; k < from.cols; ++k)
            row.push_back(from.at(r, k));
        clipped += convertRow(op, row);
    });
    return " "
        + say(clipped == 0 ? "convert.clipped.none" : "convert.clipped",
            { { "clipped", std::to_string(clipped) }, { "most", "448" } });
}

} // namespace flashstep
