// SPDX-License-Identifier: Apache-2.0
// Partial results of a row put together, and the factors that bring what was there before to a new reference.
#include "core/io/narrate.h"
#include "core/io/narrate_numbers.h"

#include <fmt/format.h>

#include <limits>

namespace flashstep {

using namespace narration;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// "4 warps": whose parts of a row there are.
std::string warpsOf(const Program& program, const Work& work, BufferId parts)
{
    const int copies = program.buffers[parts.index()].rows / program.launches[work.launch].queryRows;
    return fmt::format("{} {}", copies, copies == 1 ? "warp" : "warps");
}

} // namespace

int Narrator::shrunkMost(const Step& step, const TileValues& factors, int at) const
{
    int found = -1;
    double least = infinity;
    m_run.program->rows(*step.op).forEach([&](int r) {
        if (r >= rowsInside(step))
            return;
        const double value = rowValue(factors, r + at, 1);
        const double weight = value > 0 ? value : 2; // 0: nothing had been seen, or it no longer counts
        if (found < 0 || weight < least) {
            found = r;
            least = weight;
        }
    });
    return found;
}

std::string Narrator::beside(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    const Position begin = trace.beginPosition(step.instance);
    const std::uint32_t first = trace.streamOf(step.work).firstOp;
    for (std::uint32_t k = step.id.index(); k-- > first && program.ops[k].role == step.op->role;) {
        const Op& product = program.ops[k];
        if (product.kind != OpKind::Mma || !product.async || product.transposed)
            continue;
        const InstanceId instance = trace.instance(step.work, OpId(k));
        if (!trace.began(instance) || trace.endedAt(instance, begin))
            return {};
        Words::Values values = common(step, cta);
        values["product"] = program.buffers[product.out.index()].name + (product.accumulate ? " += P V" : " = P V");
        values["other"] = std::to_string(program.keyBlock(workOf(step), product));
        return " " + say(step.ends ? "beside.end" : "beside.begin", values);
    }
    return {};
}

// Partial results of a row put together: those of the warps, from SMEM, or a warp's own, in its registers.
std::string Narrator::explainReduce(const Step& step, CtaId cta) const
{
    return step.op->maximum ? explainReduceMax(step, cta) : explainReduceSum(step, cta);
}

std::string Narrator::explainReduceMax(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    const Op& op = *step.op;
    const auto [parts, before, none] = op.in;
    const bool own = program.buffers[parts.index()].space == Space::Registers;
    // The new maximum as the part: what is compared with it is the block's own, and gets a factor.
    const bool ofBlock = own && parts == program.buffer("m", workOf(step).launch);
    const std::string which = !own ? "reduce.max" : ofBlock ? "reduce.max.block" : "reduce.max.own";
    Words::Values values = common(step, cta);
    values["copies"] = warpsOf(program, workOf(step), parts);
    if (!step.ends)
        return say(which + ".begin", values);
    if (!trace.hasValues(cta))
        return say(which + ".end", values);
    const Position after = trace.endPosition(step.instance);
    const Position until { after.value - 1 };
    const TileValues now = trace.value(cta, op.out, after);
    const TileValues factors = op.out2.valid() ? trace.value(cta, op.out2, after) : TileValues {};
    const int row = shrunkMost(step, factors, offsetIn(step, op.out2));
    const auto unit = static_cast<double>(program.problem.softmaxScaleLog2()); // raw scores into log2 units
    values["row"] = rowName(step, row);
    const double newest = unit * rowValue(now, row + offsetIn(step, op.out), -infinity);
    values["m"] = number(newest);
    values["new"] = bold(number(newest));
    if (!before.valid())
        return say(which + (own ? ".end.first" : ".end.row"), values);
    const double old = rowValue(trace.value(cta, before, until), row + offsetIn(step, before), -infinity);
    values["lse"] = number(old);
    values["old"] = number(op.lse ? unit * old / program.problem.softmaxScale() : unit * old);
    values["part"]
        = number(unit * rowValue(trace.value(cta, parts, until), row + (own ? offsetIn(step, parts) : 0), -infinity));
    values["factor"] = bold(factor(rowValue(factors, row + offsetIn(step, op.out2), 1)));
    return say(which + (op.lse ? ".end.lse" : own ? ".end.row" : ".end.again"), values);
}

std::string Narrator::explainReduceSum(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    const Op& op = *step.op;
    const auto [parts, before, scale] = op.in;
    const bool own = program.buffers[parts.index()].space == Space::Registers;
    const bool rows = program.buffers[op.out.index()].cols > 1;
    const std::string which = std::string(rows ? "reduce.rows" : "reduce.sum") + (own ? ".own" : "");
    Words::Values values = common(step, cta);
    values["copies"] = warpsOf(program, workOf(step), parts);
    if (!step.ends)
        return say(which + (own && !before.valid() ? ".begin.first" : ".begin"), values);
    if (own && rows && !before.valid())
        return say(which + ".end.first", values);
    if (!trace.hasValues(cta) || (rows && !scale.valid()))
        return say(which + (rows && before.valid() ? ".end.unscaled" : ".end"), values);
    const Position until { trace.endPosition(step.instance).value - 1 };
    // The factor in a column of its own: what O is multiplied by, or what l begins with.
    const BufferId column = rows ? scale : before;
    const TileValues factors = column.valid() ? trace.value(cta, column, until) : TileValues {};
    const int row = shrunkMost(step, factors, offsetIn(step, column));
    const std::string was = factor(rowValue(factors, row + offsetIn(step, column), 1));
    values["row"] = rowName(step, row);
    values["factor"] = bold(was);
    if (rows) {
        const bool withSum = scale == program.buffer("l_old", workOf(step).launch);
        return say(which + (withSum ? ".end.sum" : ".end.scaled"), values);
    }
    const TileValues all = trace.value(cta, parts, until);
    const int tileRows = program.launches[workOf(step).launch].queryRows;
    std::string terms;
    for (int r = row; r < all.rows; r += tileRows)
        terms += (terms.empty() ? "" : " + ") + factor(rowValue(all, r, 0));
    values["parts"] = terms;
    const TileValues now = trace.value(cta, op.out, trace.endPosition(step.instance));
    values["new"] = bold(factor(rowValue(now, row + offsetIn(step, op.out), 0)));
    return say(which + (before.valid() ? ".end.again" : own ? ".end.first" : ".end.row"), values);
}

} // namespace flashstep
