// SPDX-License-Identifier: Apache-2.0
#include "core/program/builder.h"

#include <utility>

namespace flashstep {

Warp::Warp(CtaScope& cta, int index)
    : m_cta(cta)
    , m_index(index)
    , m_queryRows(cta.m_launch.queryRows(index))
{
}

Warp& Warp::paper(int line)
{
    m_paper = line;
    return *this;
}

Op& Warp::add(OpKind kind, const SourceLine& at)
{
    Op& op = m_cta.m_launch.m_kernel.m_program.ops.emplace_back();
    op.kind = kind;
    op.role = RoleId(static_cast<std::size_t>(m_index));
    op.rows = m_queryRows;
    op.line = at.line;
    op.paperLine = static_cast<std::uint16_t>(std::exchange(m_paper, 0));
    return op;
}

void Warp::load(BufferId to, TensorId tensor, int j, SourceLine at)
{
    Op& op = add(OpKind::Load, at);
    op.tensor = tensor;
    op.out = to;
    op.j = j < 0 ? -1 : j - m_cta.j;
}

void Warp::copyAsync(BufferId to, TensorId tensor, int j, SourceLine at)
{
    load(to, tensor, j, at);
    const Launch& launch = m_cta.m_launch;
    const BufferDecl& buffer = launch.m_kernel.m_program.buffers[to.index()];
    Op& op = launch.m_kernel.m_program.ops.back();
    op.async = true;
    op.rows = m_cta.m_launch.copyRows(m_index, buffer.rows, buffer.cols);
}

void Warp::commit(SourceLine at)
{
    add(OpKind::Commit, at);
}

void Warp::waitGroup(int pending, WaitId name, SourceLine at)
{
    Op& op = add(OpKind::Wait, at);
    op.pending = static_cast<std::uint8_t>(pending);
    op.wait = name;
    m_cta.m_launch.m_kernel.m_program.waits[name.index()].line = at.line;
}

void Warp::sync(BarrierId barrier, WaitId name, SourceLine at)
{
    Op& op = add(OpKind::Sync, at);
    op.barrier = barrier;
    op.wait = name;
    op.turn = m_turns[barrier.index()]++;
    m_cta.m_launch.m_kernel.m_program.waits[name.index()].line = at.line;
}

namespace {

void place(Op& op, const VisitedBlock& block, int jBase)
{
    op.j = block.j - jBase;
    op.n = block.n;
}

} // namespace

void Warp::mmaTransposed(BufferId out, BufferId a, BufferId b, const VisitedBlock& block, SourceLine at)
{
    Op& op = add(OpKind::Mma, at);
    op.out = out;
    op.in = { a, b, BufferId::none() };
    op.transposed = true;
    place(op, block, m_cta.j);
}

void Warp::mma(BufferId out, BufferId a, BufferId b, const VisitedBlock& block, SourceLine at)
{
    Op& op = add(OpKind::Mma, at);
    op.out = out;
    op.in = { a, b, BufferId::none() };
    op.accumulate = !block.first;
    place(op, block, m_cta.j);
}

void Warp::mask(BufferId s, const VisitedBlock& block, SourceLine at)
{
    Op& op = add(OpKind::Mask, at);
    op.out = s;
    op.in[0] = s;
    place(op, block, m_cta.j);
}

void Warp::rowMax(BufferId m, BufferId scale, BufferId s, const VisitedBlock& block, SourceLine at)
{
    Op& op = add(OpKind::RowMax, at);
    op.out = m;
    op.out2 = scale;
    op.in = { s, block.first ? BufferId::none() : m, BufferId::none() };
    op.accumulate = !block.first;
    place(op, block, m_cta.j);
}

void Warp::rescale(BufferId o, BufferId l, BufferId scale, const VisitedBlock& block, SourceLine at)
{
    Op& op = add(OpKind::Rescale, at);
    op.out = o;
    op.out2 = l;
    op.in = { o, l, scale };
    place(op, block, m_cta.j);
}

void Warp::exp2(BufferId p, BufferId s, BufferId m, const VisitedBlock& block, SourceLine at)
{
    Op& op = add(OpKind::Exp2, at);
    op.out = p;
    op.in = { s, m, BufferId::none() };
    place(op, block, m_cta.j);
}

void Warp::rowSum(BufferId l, BufferId p, const VisitedBlock& block, SourceLine at)
{
    Op& op = add(OpKind::RowSum, at);
    op.out = l;
    op.in = { p, block.first ? BufferId::none() : l, BufferId::none() };
    op.accumulate = !block.first;
    place(op, block, m_cta.j);
}

void Warp::convert(BufferId tile, int j, int n, SourceLine at)
{
    Op& op = add(OpKind::Convert, at);
    op.out = tile;
    op.in[0] = tile;
    op.j = j < 0 ? -1 : j - m_cta.j;
    op.n = n;
}

void Warp::normalise(BufferId o, BufferId lse, BufferId l, BufferId m, SourceLine at)
{
    Op& op = add(OpKind::Normalise, at);
    op.out = o;
    op.out2 = lse;
    op.in = { l.valid() ? o : BufferId::none(), l, m };
}

void Warp::divide(BufferId p, BufferId l, int j, SourceLine at)
{
    Op& op = add(OpKind::Normalise, at);
    op.out = p;
    op.in = { p, l, BufferId::none() };
    op.j = j - m_cta.j;
}

void Warp::stage(BufferId to, BufferId from, int j, SourceLine at)
{
    Op& op = add(OpKind::Stage, at);
    op.out = to;
    op.in[0] = from;
    op.j = j < 0 ? -1 : j - m_cta.j;
}

void Warp::store(TensorId tensor, BufferId from, int j, SourceLine at)
{
    Op& op = add(OpKind::Store, at);
    Launch& launch = m_cta.m_launch;
    const BufferDecl& buffer = launch.m_kernel.m_program.buffers[from.index()];
    op.tensor = tensor;
    op.in[0] = from;
    op.j = j < 0 ? -1 : j - m_cta.j;
    if (buffer.space == Space::Smem
        && !buffer.wholeRow) // through SMEM, so that rows leave in 16-byte pieces, shared out anew
        op.rows = launch.copyRows(m_index, buffer.rows, buffer.cols);
}

} // namespace flashstep
