// SPDX-License-Identifier: Apache-2.0
// One kind of op after the other: which numbers of the trace its sentences hold.
#include "core/io/narrate.h"

#include "core/tensor/real_math.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

namespace flashstep {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string number(double value)
{
    if (std::isnan(value))
        return "NaN";
    if (std::isinf(value))
        return value < 0 ? "-inf" : "inf";
    return fmt::format("{:.2f}", value);
}

// A factor of which small values matter.
std::string factor(double value)
{
    return value == 0 || !std::isfinite(value) || value >= 0.1 ? fmt::format("{:.3g}", value)
                                                               : fmt::format("{:.3g}", value);
}

std::string bold(const std::string& text)
{
    return "**" + text + "**";
}

std::string grouped(std::int64_t value)
{
    std::string digits = std::to_string(value);
    for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), " ");
    return digits;
}

// A statistic of one row; `otherwise` where nothing has been written yet.
double rowValue(const TileValues& values, int row, double otherwise)
{
    if (row >= values.rows || values.cols < 1 || std::isnan(values.at(row, 0)))
        return otherwise;
    return static_cast<double>(values.at(row, 0));
}

// The copies that a wait is the first to make sure of.
std::vector<OpId> copiesOf(const Program& program, const RoleRange& role, OpId wait)
{
    std::vector<OpId> open;
    std::deque<std::vector<OpId>> groups;
    std::vector<OpId> landed;
    for (std::size_t k = role.first; k <= wait.index(); ++k) {
        const Op& op = program.ops[k];
        if (op.kind == OpKind::Load && op.async)
            open.emplace_back(k);
        if (op.kind == OpKind::Commit)
            groups.push_back(std::exchange(open, {}));
        if (op.kind != OpKind::Wait)
            continue;
        landed.clear();
        for (; groups.size() > op.pending; groups.pop_front())
            landed.insert(landed.end(), groups.front().begin(), groups.front().end());
    }
    return landed;
}

const RoleRange& rangeOf(const Program& program, CtaId cta, RoleId role)
{
    const auto& roles = program.streamOf(cta).roles;
    return *std::find_if(roles.begin(), roles.end(), [&](const RoleRange& range) { return range.role == role; });
}

} // namespace

std::string Narrator::explainLoad(const Step& step, CtaId cta) const
{
    Words::Values values = common(step, cta);
    const Program& program = *m_run.program;
    const BufferDecl& to = program.buffers[step.op->out.index()];
    values["rows"] = std::to_string(program.rows(*step.op).count());
    values["columns"]
        = std::to_string(program.columns(step.op->out, program.keyBlock(program.ctas[cta.index()], *step.op)).count);
    values["space"] = to.space == Space::Smem ? "SMEM" : "registers";
    values["what"] = values["tensor"]
        + (program.keyBlock(program.ctas[cta.index()], *step.op) < 0 ? " of query tile " + values["i"]
                                                                     : " of key block " + values["j"]);
    if (step.op->async)
        return say(step.ends ? "load.async.end" : "load.async.begin", values);
    return say(step.ends ? "load.end" : "load.begin", values);
}

std::string Narrator::explainWait(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    values["reason"] = program.waits[step.op->wait.index()].reason;
    if (step.op->dropped)
        return say("wait.dropped", values);
    const Cycle begin = trace.beginCycle(step.instance);
    std::string missing;
    OpId newest;
    Cycle newestCycle = -1;
    for (const OpId copy : copiesOf(program, rangeOf(program, cta, step.op->role), step.id)) {
        const InstanceId instance = trace.instance(cta, copy);
        const Cycle landed = trace.endCycle(instance);
        const Op& op = program.op(copy);
        const int j = program.keyBlock(program.ctas[cta.index()], op);
        if (landed > begin || !trace.ended(instance))
            missing += fmt::format(
                "{}{}{}", missing.empty() ? "" : ", ", name(op.tensor), j < 0 ? "" : fmt::format(" of block {}", j));
        if (landed > newestCycle) {
            newestCycle = landed;
            newest = copy;
        }
    }
    values["missing"] = missing;
    if (!step.ends)
        return say(missing.empty() ? "wait.begin.landed" : "wait.begin", values);
    if (!newest.valid())
        return say("wait.end.nothing", values);
    const Op& op = program.op(newest);
    values["tensor"] = std::string(name(op.tensor));
    values["landed"] = grouped(newestCycle);
    return say(missing.empty() ? "wait.end.landed" : "wait.end", values);
}

std::string Narrator::explainSync(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    const BarrierDecl& barrier = program.barriers[step.op->barrier.index()];
    Words::Values values = common(step, cta);
    values["barrier"] = barrier.name;
    values["unit"] = barrier.unit;
    values["count"] = std::to_string(barrier.count);
    values["reason"] = program.waits[step.op->wait.index()].reason;
    if (step.op->dropped)
        return say("sync.dropped", values);
    int arrived = 0;
    InstanceId last = step.instance;
    std::string lastRole = program.roles[step.op->role.index()].name;
    const Position here = step.ends ? trace.endPosition(step.instance) : trace.beginPosition(step.instance);
    for (const RoleRange& role : program.streamOf(cta).roles)
        for (std::uint32_t k = 0; k < role.count; ++k) {
            const Op& op = program.ops[role.first + k];
            const InstanceId other = trace.instance(cta, OpId(role.first + k));
            if (op.kind != OpKind::Sync || op.barrier != step.op->barrier || op.turn != step.op->turn
                || !trace.began(other) || !trace.begunAt(other, here))
                continue;
            arrived += barrier.perArrival;
            if (trace.beginPosition(other) > trace.beginPosition(last)) {
                last = other;
                lastRole = program.roles[role.role.index()].name;
            }
        }
    values["arrived"] = std::to_string(arrived);
    values["last"] = lastRole;
    if (!step.ends)
        return say(arrived >= barrier.count ? "sync.begin.last" : "sync.begin", values);
    return say(last == step.instance ? "sync.end.last" : "sync.end", values);
}

std::string Narrator::explainMma(const Step& step, CtaId cta) const
{
    Words::Values values = common(step, cta);
    const Problem& p = m_run.program->problem;
    values["d"] = std::to_string(p.headDim);
    values["dv"] = std::to_string(p.headDimV);
    // Without m and l of its own the CTA hands its scores over, or is handed P already divided.
    const bool running = m_run.program->buffer("l", m_run.program->ctas[cta.index()].launch).valid();
    const std::string which = step.op->transposed ? running ? "mma.scores" : "mma.scores.handed"
        : !step.op->accumulate                    ? "mma.output.first"
        : running                                 ? "mma.output"
                                                  : "mma.output.divided";
    return say(which + (step.ends ? ".end" : ".begin"), values);
}

std::string Narrator::explainMask(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Cta& which = program.ctas[cta.index()];
    const int firstKey = program.keyBlock(which, *step.op) * program.tile.keys;
    int hidden = 0;
    program.rows(*step.op).forEach([&](int r) {
        for (int key = firstKey; key < firstKey + program.tile.keys; ++key)
            hidden += key >= program.problem.seqlenK || !program.problem.visible(which.row + r, key) ? 1 : 0;
    });
    Words::Values values = common(step, cta);
    values["hidden"] = bold(std::to_string(hidden));
    values["all"] = std::to_string(program.rows(*step.op).count() * program.tile.keys);
    values["mask"] = program.problem.mask.text();
    return say(hidden == 0 ? "mask.nothing" : step.ends ? "mask.end" : "mask.begin", values);
}

std::string Narrator::explainRowMax(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    if (!step.ends || !trace.hasValues(cta))
        return say(step.ends ? "rowmax.end.unrecorded" : "rowmax.begin", values);
    const Position after = trace.endPosition(step.instance);
    const TileValues now = trace.value(cta, step.op->out, after);
    const TileValues before = trace.value(cta, step.op->out, Position { after.value - 1 });
    const auto c = static_cast<double>(program.problem.softmaxScaleLog2()); // raw scores into log2 units
    int tellingRow = -1;
    int grown = 0;
    int inside = 0;
    double largest = -1;
    program.rows(*step.op).forEach([&](int r) {
        if (r >= program.rowsInside(program.ctas[cta.index()]))
            return;
        ++inside;
        const double old = step.op->accumulate ? rowValue(before, r, -infinity) : -infinity;
        const double rise = rowValue(now, r, -infinity) - old;
        grown += rise > 0 ? 1 : 0;
        const double weight = std::isnan(rise) ? 0 : rise;
        if (tellingRow < 0 || weight > largest) {
            tellingRow = r;
            largest = weight;
        }
    });
    if (tellingRow < 0)
        return say("rowmax.end.unrecorded", values);
    const double old = step.op->accumulate ? rowValue(before, tellingRow, -infinity) : -infinity;
    const double newest = rowValue(now, tellingRow, -infinity);
    values["row"] = rowName(cta, tellingRow);
    values["old"] = bold(number(old * c));
    values["new"] = bold(number(newest * c));
    values["gap"] = number((newest - old) * c);
    values["negative"] = number((old - newest) * c);
    values["factor"] = bold(factor(exp2Real((old - newest) * c)));
    values["grown"] = std::to_string(grown);
    values["inside"] = std::to_string(inside);
    if (newest == -infinity)
        return say("rowmax.end.blind", values);
    if (!step.op->accumulate)
        return say("rowmax.end.start", values);
    if (old == -infinity)
        return say("rowmax.end.first", values);
    return say(newest > old ? "rowmax.end.grew" : "rowmax.end.kept", values);
}

std::string Narrator::explainRescale(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    if (step.op->dropped)
        return say("rescale.dropped", values);
    const BufferId scale = step.op->in[2];
    if (!step.ends || !trace.hasValues(cta) || !scale.valid())
        return say(step.ends ? "rescale.end.unrecorded" : "rescale.begin", values);
    const TileValues factors = trace.value(cta, scale, trace.endPosition(step.instance));
    int smallestRow = -1;
    int shrunk = 0;
    int inside = 0;
    program.rows(*step.op).forEach([&](int r) {
        if (r >= program.rowsInside(program.ctas[cta.index()]))
            return;
        ++inside;
        const double value = rowValue(factors, r, 1);
        shrunk += value < 1 ? 1 : 0;
        if (smallestRow < 0 || value < rowValue(factors, smallestRow, 1))
            smallestRow = r;
    });
    values["shrunk"] = std::to_string(shrunk);
    values["inside"] = std::to_string(inside);
    if (shrunk == 0)
        return say("rescale.end.ones", values);
    const double least = rowValue(factors, smallestRow, 1);
    values["row"] = rowName(cta, smallestRow);
    values["factor"] = bold(factor(least));
    values["power"] = number(log2Real(least));
    return say(least == 0 ? "rescale.end.zero" : "rescale.end", values);
}

std::string Narrator::explainExp2(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    if (!step.ends || !trace.hasValues(cta))
        return say(step.ends ? "exp2.end.unrecorded" : "exp2.begin", values);
    const TileValues p = trace.value(cta, step.op->out, trace.endPosition(step.instance));
    const Program::Columns columns
        = program.columns(step.op->out, program.keyBlock(program.ctas[cta.index()], *step.op));
    int bestRow = -1;
    int bestKey = 0;
    float best = -1;
    program.rows(*step.op).forEach([&](int r) {
        if (r >= program.rowsInside(program.ctas[cta.index()]) || r >= p.rows)
            return;
        for (int k = columns.first; k < std::min(p.cols, columns.first + columns.count); ++k)
            if (p.at(r, k) > best) {
                best = p.at(r, k);
                bestRow = r;
                bestKey = k - columns.first;
            }
    });
    if (bestRow < 0)
        return say("exp2.end.unrecorded", values);
    const int key = program.keyBlock(program.ctas[cta.index()], *step.op) * program.tile.keys + bestKey;
    values["row"] = rowName(cta, bestRow);
    values["largest"] = bold(factor(static_cast<double>(best)));
    values["key"] = m_labels.has(key) && program.problem.seqlenK == program.problem.seqlenQ
        ? fmt::format("{} \"{}\"", key, m_labels.tokens[static_cast<std::size_t>(key)])
        : std::to_string(key);
    return say("exp2.end", values);
}

std::string Narrator::explainRowSum(const Step& step, CtaId cta) const
{
    const Trace& trace = *m_run.trace;
    Words::Values values = common(step, cta);
    if (!step.ends || !trace.hasValues(cta))
        return say(step.ends ? "rowsum.end.unrecorded" : "rowsum.begin", values);
    const Position after = trace.endPosition(step.instance);
    const TileValues now = trace.value(cta, step.op->out, after);
    const TileValues before = trace.value(cta, step.op->out, Position { after.value - 1 });
    int tellingRow = -1;
    double largest = -1;
    m_run.program->rows(*step.op).forEach([&](int r) {
        if (r >= m_run.program->rowsInside(m_run.program->ctas[cta.index()]))
            return;
        const double gain = rowValue(now, r, 0) - (step.op->accumulate ? rowValue(before, r, 0) : 0);
        if (gain > largest) {
            largest = gain;
            tellingRow = r;
        }
    });
    if (tellingRow < 0)
        return say("rowsum.end.unrecorded", values);
    values["row"] = rowName(cta, tellingRow);
    values["old"] = factor(step.op->accumulate ? rowValue(before, tellingRow, 0) : 0);
    values["new"] = bold(factor(rowValue(now, tellingRow, 0)));
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
    values["row"] = rowName(cta, row);
    values["l"] = bold(factor(rowValue(l, row, 0)));
    values["lse"] = bold(number(rowValue(lse, row, -infinity)));
    if (!step.op->out.valid())
        return say("normalise.lse", values);
    return say(rowValue(l, row, 0) == 0 ? "normalise.end.blind" : "normalise.end", values);
}

std::string Narrator::explainOther(const Step& step, CtaId cta) const
{
    Words::Values values = common(step, cta);
    if (step.op->kind == OpKind::Store)
        values["what"] = values["tensor"]
            + (step.op->j >= 0 ? " (" + values["i"] + ", " + values["j"] + ")" : " of query tile " + values["i"]);
    return say(std::string(name(step.op->kind)) + (step.ends ? ".end" : ".begin"), values);
}

} // namespace flashstep
