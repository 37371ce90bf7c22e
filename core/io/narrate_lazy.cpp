// SPDX-License-Identifier: Apache-2.0
// A reference that stays while the maximum has outgrown it by no more than a threshold: who decides it, who is told,
// and who votes on O.
#include "core/io/narrate.h"
#include "core/io/narrate_numbers.h"

#include "core/tensor/real_math.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace flashstep {

using namespace narration;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double trueMaximum(const TileValues& m, int row)
{
    if (row >= m.rows || m.cols < 2 || std::isnan(m.at(row, 1)))
        return -infinity;
    return static_cast<double>(m.at(row, 1));
}

} // namespace

std::string Narrator::explainLazyMax(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    Words::Values values = common(step, cta);
    values["threshold"] = fmt::format("{:g}", program.softmax.threshold);
    if (!step.ends)
        return say("lazymax.begin", values);
    if (!trace().hasValues(cta))
        return say("lazymax.end.unrecorded", values);
    const Position after = trace().endPosition(step.instance);
    const TileValues now = trace().value(cta, step.op->out, after);
    const TileValues before
        = step.op->accumulate ? trace().value(cta, step.op->out, Position { after.value - 1 }) : TileValues {};
    const auto c = static_cast<double>(program.problem.softmaxScaleLog2()); // raw scores into log2 units
    const auto oldOf = [&](int r) { return step.op->accumulate ? rowValue(before, r, -infinity) : -infinity; };
    // Of the rows that move the one that has grown most, else the one nearest to it.
    int tellingRow = -1;
    int moved = 0;
    int inside = 0;
    double largest = -infinity;
    bool told = false;
    program.rows(*step.op).forEach([&](int r) {
        if (r >= rowsInside(step))
            return;
        ++inside;
        const double old = oldOf(r);
        const bool moves = old != -infinity && rowValue(now, r, -infinity) != old;
        moved += moves ? 1 : 0;
        const double growth = old == -infinity ? -infinity : trueMaximum(now, r) - old;
        if (tellingRow < 0 || (moves && !told) || (moves == told && growth > largest)) {
            tellingRow = r;
            largest = growth;
            told = moves;
        }
    });
    const double old = oldOf(tellingRow);
    const double newest = trueMaximum(now, tellingRow);
    values["row"] = rowName(step, tellingRow);
    values["old"] = bold(number(old * c));
    values["new"] = bold(number(newest * c));
    values["gap"] = bold(number((newest - old) * c));
    values["power"] = number((newest - old) * c);
    values["negative"] = number((old - newest) * c);
    values["factor"] = bold(factor(exp2Real((old - newest) * c)));
    values["moved"] = bold(std::to_string(moved));
    values["others"] = moved < inside ? "; the others keep a factor of 1" : "";
    values["inside"] = std::to_string(inside);
    if (newest == -infinity)
        return say("rowmax.end.blind", values);
    if (!step.op->accumulate)
        return say("rowmax.end.start", values);
    if (old == -infinity)
        return say("lazymax.end.first", values);
    if (told)
        return say(step.op->framesMixed ? "lazymax.end.mixed" : "lazymax.end.moves", values);
    return say(newest > old ? "lazymax.end.stays" : "lazymax.end.below", values);
}

// The correction's rescale of O: a warp multiplies all of its rows when one of them asks for it.
std::string Narrator::explainVote(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Op& op = *step.op;
    Words::Values values = common(step, cta);
    values["factors"] = program.buffers[op.in[2].index()].name;
    values["columns"] = tmemColumns(op.out, 0, program.buffers[op.out.index()].cols);
    const VotingWarps voting = votingWarps(program, op);
    values["each"] = std::to_string(voting.rowsEach);
    values["warps"] = std::to_string(voting.warps);
    if (op.dropped)
        return say("rescale.dropped", values);
    if (!step.ends)
        return say("vote.begin", values);
    const auto vote = trace().voteOf(step.instance);
    if (!vote)
        return say("vote.end.unrecorded", values);
    values["asked"] = bold(std::to_string(vote->rowsDone));
    values["inside"] = std::to_string(vote->rowsDone + vote->rowsSkipped);
    values["done"] = bold(std::to_string(vote->warpsDone));
    values["voting"] = std::to_string(vote->warpsDone + vote->warpsSkipped);
    values["left"] = std::to_string(vote->warpsSkipped);
    values["others"] = vote->warpsSkipped > 0 ? " " + say("vote.others", values) : "";
    values["ones"] = vote->rowsSkipped > 0 ? " " + say("vote.ones", values) : "";
    if (vote->warpsDone == 0)
        return say(trace().hasValues(cta) ? "vote.end.none" : "vote.end.none.assumed", values);
    if (!trace().hasValues(cta))
        return say("vote.end.assumed", values);
    const TileValues factors = trace().value(cta, op.in[2], trace().endPosition(step.instance));
    const int row = shrunkMost(step, factors, 0);
    const double least = rowValue(factors, row, 1);
    values["row"] = rowName(step, row);
    values["factor"] = bold(factor(least));
    values["power"] = number(log2Real(least));
    const bool nothing = least == 0 && hadNothing(step, cta, row);
    return say(nothing ? "vote.end.nothing" : least > 0 ? "vote.end" : "vote.end.zero", values);
}

// The factor of a block, then l and m, from the softmax to the correction.
std::string Narrator::explainHandOver(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Op& op = *step.op;
    Words::Values values = common(step, cta);
    const std::string& what = program.buffers[op.in[0].index()].family;
    const std::string which = what == "scale" ? "hand.scale" : what == "l" ? "hand.l" : "hand.m";
    if (!step.ends)
        return say(which + ".begin", values);
    if (what != "scale" || !trace().hasValues(cta))
        return say(which + ".end", values);
    const TileValues factors = trace().value(cta, op.out, trace().endPosition(step.instance));
    int below = 0;
    int inside = 0;
    program.rows(op).forEach([&](int r) {
        if (r >= rowsInside(step))
            return;
        ++inside;
        below += rowValue(factors, r, 1) < 1 ? 1 : 0;
    });
    values["below"] = bold(std::to_string(below));
    values["inside"] = std::to_string(inside);
    if (below == 0)
        return say("hand.scale.end.ones", values);
    const int row = shrunkMost(step, factors, 0);
    values["row"] = rowName(step, row);
    values["factor"] = bold(factor(rowValue(factors, row, 1)));
    return say(rowValue(factors, row, 1) > 0 ? "hand.scale.end.some" : "hand.scale.end.zero", values);
}

} // namespace flashstep
