// SPDX-License-Identifier: Apache-2.0
// Tensor memory: what lies in which columns of it, the products into it, and the ways in and out.
#include "core/io/narrate.h"
#include "core/io/narrate_numbers.h"

#include <fmt/format.h>

#include <algorithm>

namespace flashstep {

using namespace narration;

namespace {

// "three quarters of": keys [first, first + count) of a block's.
std::string shareOf(int count, int all)
{
    if (count == all)
        return "all";
    if (4 * count == 3 * all)
        return "three quarters";
    if (4 * count == all)
        return "a quarter";
    return fmt::format("{} of {}", count, all);
}

// Keys of the block that an op is for: all, where it names none.
RowSet keysOf(const Program& program, const Op& op)
{
    return op.keys.valid() ? program.rowSets[op.keys.index()]
                           : RowSet { 0, static_cast<std::uint16_t>(program.tile.keys), 0, 1 };
}

// The role's newest product before this op; none() where it has issued none in this work.
InstanceId productBefore(const Trace& trace, WorkId work, OpId before)
{
    const Program& program = trace.program();
    const RoleId role = program.op(before).role;
    for (std::size_t k = before.index(); k-- > trace.streamOf(work).firstOp && program.ops[k].role == role;)
        if (program.ops[k].kind == OpKind::Mma)
            return trace.instance(work, OpId(k));
    return InstanceId::none();
}

} // namespace

std::string Narrator::tmemColumns(BufferId buffer, int first, int keys) const
{
    const Program& program = *m_run.program;
    const BufferDecl& decl = program.buffers[buffer.index()];
    const int from = decl.column + decl.columns * first / decl.cols;
    const int to = decl.column + decl.columns * (first + keys) / decl.cols;
    return fmt::format("columns {} to {}", from, to - 1);
}

std::string Narrator::tmemColumns(const Step& step, BufferId buffer) const
{
    const Program& program = *m_run.program;
    const BufferDecl& decl = program.buffers[buffer.index()];
    if (step.op->keys.valid() && decl.tile == BufferDecl::Tile::Pair) {
        const RowSet& keys = program.rowSets[step.op->keys.index()];
        return tmemColumns(buffer, keys.start, keys.count());
    }
    return tmemColumns(buffer, 0, decl.cols);
}

// S = Q Kᵀ, or a piece of O += P V.
std::string Narrator::explainTensorMma(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Op& op = *step.op;
    Words::Values values = common(step, cta);
    values["columns"] = tmemColumns(step, op.out);
    values["d"] = std::to_string(program.problem.headDim);
    values["dv"] = std::to_string(program.problem.headDimV);
    const bool pair = op.reach == Reach::Both;
    values["peer"] = std::to_string(program.peerOf(cta).index());
    const bool issued = trace().ctaOf(step.work) == cta;
    values["together"] = pair && !issued ? " " + say("mma.tmem.pair.peer", values)
        : pair                           ? " " + say(step.ends ? "mma.tmem.pair.end" : "mma.tmem.pair.begin", values)
                                         : "";
    if (op.transposed)
        return say(step.ends ? "mma.tmem.scores.end"
                : op.n > 1   ? "mma.tmem.scores.begin.over"
                             : "mma.tmem.scores.begin",
            values);
    const RowSet keys = keysOf(program, op);
    values["keys"] = std::to_string(keys.count());
    values["first_key"] = std::to_string(keys.start);
    values["last_key"] = std::to_string(keys.start + keys.count() - 1);
    values["share"] = shareOf(keys.count(), program.tile.keys);
    values["p_columns"] = tmemColumns(step, op.in[0]);
    const bool broken = std::any_of(program.ops.begin(), program.ops.end(),
        [](const Op& other) { return (other.kind == OpKind::Rescale && other.dropped) || other.framesMixed; });
    values["frame"] = broken ? "" : " " + say("mma.tmem.frame", values);
    // The wait between the pieces, as the trace has it.
    const OpId before(step.id.index() - 1);
    const Op& wait = program.op(before);
    const InstanceId waited = trace().instance(step.work, before);
    const bool waits = step.id.index() > 0 && wait.kind == OpKind::Wait && wait.role == op.role && wait.wait.valid();
    const bool took = waits && trace().ended(waited) && !wait.dropped;
    values["waited"] = waits ? program.waits[wait.wait.index()].reason : "";
    values["waited_cycles"]
        = took ? thousands(trace().endCycle(waited) - trace().beginCycle(waited)) : std::string("0");
    values["after"] = took ? " " + say("mma.tmem.waited", values) : "";
    const bool last = op.step != Op::noStep && keys.start > 0 && keys.start + keys.count() == program.tile.keys;
    const std::string which = last ? "mma.tmem.output.last" : "mma.tmem.output.first";
    return say(which + (step.ends ? ".end" : op.accumulate ? ".begin" : ".begin.new"), values);
}

std::string Narrator::explainMmaCommit(const Step& step, CtaId cta) const
{
    Words::Values values = barrierValues(step, cta);
    const InstanceId product = productBefore(trace(), step.work, step.id);
    values["product"] = "everything";
    if (product.valid()) {
        const Op& mma = trace().op(product);
        values["product"]
            = labelOf(*m_run.program, mma) + fmt::format(" of block {}", m_run.program->keyBlock(workOf(step), mma));
    }
    values["whose"] = step.op->reach == Reach::Both ? " of both CTAs of the pair" : "";
    return say(step.ends ? "commit.mma.end" : "commit.mma.begin", values) + tells(step, cta);
}

// tcgen05.ld and tcgen05.st.
std::string Narrator::explainTmemCopy(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const Op& op = *step.op;
    Words::Values values = common(step, cta);
    const bool reads = inTmem(op.in[0]);
    values["columns"] = tmemColumns(step, reads ? op.in[0] : op.out);
    const std::string end = step.ends ? ".end" : ".begin";
    if (reads)
        return say((op.n > 0 ? "tmem.read" : "tmem.read.output") + end, values);
    const RowSet keys = keysOf(program, op);
    values["keys"] = std::to_string(keys.count());
    values["first_key"] = std::to_string(keys.start);
    values["last_key"] = std::to_string(keys.start + keys.count() - 1);
    values["share"] = shareOf(keys.count(), program.tile.keys);
    const BufferId scores = program.bufferOf("S", workOf(step).launch, op.i);
    values["scores"] = scores.valid() ? program.buffers[scores.index()].name : "S";
    return say((keys.start == 0 ? "tmem.write.first" : "tmem.write.last") + end, values);
}

std::string Narrator::explainTmem(const Step& step, CtaId cta) const
{
    Words::Values values = common(step, cta);
    const LaunchDecl& launch = m_run.program->launches[workOf(step).launch];
    values["columns"] = std::to_string(launch.tmemColumns);
    std::string what;
    for (const BufferDecl& buffer : m_run.program->buffers)
        if (buffer.space == Space::Tmem && buffer.launch == workOf(step).launch)
            what += fmt::format("{}{} in {} to {}", what.empty() ? "" : ", ", buffer.name, buffer.column,
                buffer.column + buffer.columns - 1);
    values["what"] = what;
    const std::string which(name(step.op->kind));
    return say(which + (step.ends ? ".end" : ".begin"), values);
}

// ---- who is told ----------------------------------------------------------------------------------------------------

namespace {

// The wait of the work that takes this turn of the barrier; nullptr where it has none.
const Op* waiterIn(const Trace& trace, WorkId work, BarrierId barrier, std::int64_t turn)
{
    const Stream& stream = trace.streamOf(work);
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const Op& op = trace.program().ops[k];
        if ((op.kind == OpKind::Wait || op.kind == OpKind::Sync) && op.barrier == barrier
            && trace.turnsBefore(work, barrier) + op.turn == turn && trace.began(trace.instance(work, OpId(k))))
            return &op;
    }
    return nullptr;
}

bool keepsStatistics(const Trace& trace, WorkId work, RoleId role)
{
    const auto first = trace.program().ops.begin() + trace.streamOf(work).firstOp;
    return std::any_of(first, first + trace.streamOf(work).opCount,
        [&](const Op& op) { return op.role == role && op.kind == OpKind::RowMax; });
}

// Whether a role that serves several query tiles has come to another than `tile` last, of those it serves.
bool atAnotherTile(const Trace& trace, WorkId work, OpId id, int tile)
{
    const Program& program = trace.program();
    const RoleId role = program.op(id).role;
    const Stream& stream = trace.streamOf(work);
    const auto ofBlock = [&](std::size_t k) { return program.ops[k].role == role && program.ops[k].n > 0; };
    int newest = -1;
    bool serves = false;
    for (std::size_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        if (!ofBlock(k))
            continue;
        serves = serves || program.ops[k].i == tile;
        if (k < id.index())
            newest = program.ops[k].i;
    }
    return serves && newest >= 0 && newest != tile;
}

} // namespace

std::string Narrator::tells(const Step& step, CtaId cta) const
{
    const Program& program = *m_run.program;
    const CtaId at = step.op->reach == Reach::Peer ? program.peerOf(cta) : cta;
    const BarrierId barrier = step.op->barrier;
    const auto arrivals = trace().arrivals(at, barrier);
    const auto own = std::find_if(arrivals.begin(), arrivals.end(),
        [&](const Arrival& arrival) { return trace().eventAt(arrival.event).instance == step.instance; });
    if (own == arrivals.end())
        return {};
    const std::uint32_t before = own == arrivals.begin() ? 0 : (own - 1)->turns;
    const std::int64_t turn = own->turns > before ? own->turns - 1 : own->turns;
    for (const WorkId work : trace().worksOf(at)) {
        const Op* waiter = waiterIn(trace(), work, barrier, turn);
        if (waiter == nullptr || !waiter->wait.valid())
            continue;
        Words::Values values = common(step, cta);
        values["waiter"] = program.roles[waiter->role.index()].name;
        values["reason"] = program.waits[waiter->wait.index()].reason;
        values["other"] = std::to_string(program.queryTile(program.work(work), *waiter));
        const bool alone = step.op->arrivals == program.barriers[barrier.index()].count;
        const bool crossed = step.op->kind == OpKind::Arrive && keepsStatistics(trace(), work, waiter->role)
            && atAnotherTile(trace(), step.work, step.id, waiter->i);
        return " " + say(alone ? "tells.alone" : "tells", values) + (crossed ? " " + say("tells.crossed", values) : "");
    }
    return {};
}

std::string Narrator::whoArrives(const Step& step) const
{
    const Program& program = *m_run.program;
    const Stream& stream = trace().streamOf(step.work);
    std::string who;
    std::vector<RoleId> seen;
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const Op& op = program.ops[k];
        const bool arrives = op.kind == OpKind::Arrive || op.kind == OpKind::Commit || op.kind == OpKind::Sync;
        if (!arrives || op.barrier != step.op->barrier || std::find(seen.begin(), seen.end(), op.role) != seen.end())
            continue;
        seen.push_back(op.role);
        who += (who.empty() ? "" : ", ") + program.roles[op.role.index()].name
            + (op.kind == OpKind::Commit ? "'s commit" : "");
    }
    return who;
}

} // namespace flashstep
