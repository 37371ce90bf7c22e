// SPDX-License-Identifier: Apache-2.0
#include "core/program/builder.h"

#include <utility>

namespace flashstep {

// ---- mathematics ----------------------------------------------------------------------------------------------------

void Warp::mmaTransposed(BufferId out, BufferId a, BufferId b, const VisitedBlock& block, SourceLine at)
{
    Op& op = addBlock(OpKind::Mma, block, at);
    op.out = out;
    op.in = { a, b, BufferId::none() };
    op.transposed = true;
    op.async = std::exchange(m_async, false);
    op.reach = std::exchange(m_together, false) ? Reach::Both : Reach::Own;
    op.group = GroupKind::Mma;
}

void Warp::mmaKeys(BufferId out, BufferId a, BufferId b, const VisitedBlock& block, int firstKey, int keys,
    bool accumulate, SourceLine at)
{
    const bool together = std::exchange(m_together, false);
    mmaPart(out, a, b, block, accumulate, at);
    const auto u = [](int x) { return static_cast<std::uint16_t>(x); };
    last().keys = m_cta.m_launch.m_kernel.rowSet({ u(firstKey), u(keys), 0, 1 });
    last().reach = together ? Reach::Both : Reach::Own;
    countStep(last());
}

void Warp::mmaPart(BufferId out, BufferId a, BufferId b, const VisitedBlock& block, bool accumulate, SourceLine at)
{
    Op& op = addBlock(OpKind::Mma, block, at);
    op.out = out;
    op.in = { a, b, BufferId::none() };
    op.accumulate = accumulate;
    op.async = std::exchange(m_async, false);
    op.group = GroupKind::Mma;
}

void Warp::mma(BufferId out, BufferId a, BufferId b, const VisitedBlock& block, SourceLine at)
{
    mmaPart(out, a, b, block, !block.first, at);
    countStep(last());
}

void Warp::waitMma(int pending, WaitId name, SourceLine at)
{
    waitGroup(pending, name, at);
    last().group = GroupKind::Mma;
}

void Warp::mask(BufferId s, const VisitedBlock& block, SourceLine at)
{
    Op& op = addBlock(OpKind::Mask, block, at);
    op.out = s;
    op.in[0] = s;
}

void Warp::rowMax(BufferId m, BufferId scale, BufferId s, const VisitedBlock& block, SourceLine at)
{
    rowMaxFrom(m, scale, s, block.first ? BufferId::none() : m, block, at);
}

void Warp::rowMaxFrom(BufferId m, BufferId scale, BufferId s, BufferId before, const VisitedBlock& block, SourceLine at)
{
    Op& op = addBlock(OpKind::RowMax, block, at);
    op.out = m;
    op.out2 = scale;
    op.in = { s, before, BufferId::none() };
    op.accumulate = before.valid();
}

void Warp::rowMaxLazy(BufferId m, BufferId scale, BufferId s, const VisitedBlock& block, SourceLine at)
{
    rowMax(m, scale, s, block, at);
    last().conditional = true;
}

void Warp::rescaleLazy(BufferId o, BufferId scale, const VisitedBlock& block, SourceLine at)
{
    rescaleOne(o, scale, block, at);
    last().conditional = true;
}

void Warp::stageBlock(BufferId to, BufferId from, const VisitedBlock& block, SourceLine at)
{
    Op& op = addBlock(OpKind::Stage, block, at);
    op.out = to;
    op.in[0] = from;
}

void Warp::stageKeys(BufferId to, BufferId from, const VisitedBlock& block, int firstKey, int keys, SourceLine at)
{
    Op& op = addBlock(OpKind::Stage, block, at);
    op.out = to;
    op.in[0] = from;
    const auto u = [](int x) { return static_cast<std::uint16_t>(x); };
    op.keys = m_cta.m_launch.m_kernel.rowSet({ u(firstKey), u(keys), 0, 1 });
}

void Warp::rescale(BufferId o, BufferId l, BufferId scale, const VisitedBlock& block, SourceLine at)
{
    Op& op = addBlock(OpKind::Rescale, block, at);
    op.out = o;
    op.out2 = l;
    op.in = { o, l, scale };
}

void Warp::rescaleOne(BufferId x, BufferId scale, const VisitedBlock& block, SourceLine at)
{
    Op& op = addBlock(OpKind::Rescale, block, at);
    op.out = x;
    op.in = { x, BufferId::none(), scale };
}

void Warp::exp2(BufferId p, BufferId s, BufferId m, const VisitedBlock& block, SourceLine at)
{
    Op& op = addBlock(OpKind::Exp2, block, at);
    op.out = p;
    op.in = { s, m, BufferId::none() };
}

void Warp::rowSum(BufferId l, BufferId p, const VisitedBlock& block, SourceLine at)
{
    rowSumFrom(l, p, block.first ? BufferId::none() : l, block, at);
}

void Warp::rowSumFrom(BufferId l, BufferId p, BufferId before, const VisitedBlock& block, SourceLine at)
{
    Op& op = addBlock(OpKind::RowSum, block, at);
    op.out = l;
    op.in = { p, before, BufferId::none() };
    op.accumulate = before.valid();
}

void Warp::convert(BufferId tile, int j, int n, SourceLine at)
{
    Op& op = add(OpKind::Convert, at);
    op.out = tile;
    op.in[0] = tile;
    op.j = relative(j);
    op.n = n;
    op.format = formatOf(tile);
}

void Warp::convertTo(BufferId to, BufferId from, const VisitedBlock& block, SourceLine at)
{
    Op& op = addBlock(OpKind::Convert, block, at);
    op.out = to;
    op.in[0] = from;
    op.format = formatOf(to);
}

void Warp::normalise(BufferId o, BufferId lse, BufferId l, BufferId m, SourceLine at)
{
    Op& op = add(OpKind::Normalise, at);
    op.out = o;
    op.out2 = lse;
    op.in = { l.valid() ? o : BufferId::none(), l, m };
}

void Warp::normaliseStep(BufferId o, BufferId lse, BufferId l, BufferId m, const VisitedBlock& block, SourceLine at)
{
    normalise(o, lse, l, m, at);
    Op& op = last();
    op.j = relative(block.j);
    op.n = block.n;
    op.i = block.i + m_tile;
    countStep(op);
}

void Warp::divide(BufferId p, BufferId l, int j, SourceLine at)
{
    Op& op = add(OpKind::Normalise, at);
    op.out = p;
    op.in = { p, l, BufferId::none() };
    op.j = relative(j);
}

void Warp::reduceMax(
    BufferId m, BufferId scale, BufferId parts, BufferId before, const VisitedBlock& block, SourceLine at)
{
    Op& op = addBlock(OpKind::Reduce, block, at);
    op.out = m;
    op.out2 = scale;
    op.in = { parts, before, BufferId::none() };
    op.accumulate = before.valid();
    op.maximum = true;
}

void Warp::reduceSum(
    BufferId out, BufferId parts, BufferId before, BufferId scale, const VisitedBlock& block, bool step, SourceLine at)
{
    Op& op = addBlock(OpKind::Reduce, block, at);
    op.out = out;
    op.in = { parts, before, scale };
    op.accumulate = before.valid();
    if (step)
        countStep(op);
}

} // namespace flashstep
