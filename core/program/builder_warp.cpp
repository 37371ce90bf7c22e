// SPDX-License-Identifier: Apache-2.0
#include "core/program/builder.h"

#include <cassert>
#include <utility>

namespace flashstep {

Warp::Warp(CtaScope& cta, RoleId role, int index, int sharers)
    : m_cta(cta)
    , m_role(role)
    , m_index(index)
    , m_sharers(sharers)
    , m_queryRows(cta.m_launch.queryRows(index, sharers))
{
}

Warp& Warp::paper(int line)
{
    m_paper = line;
    return *this;
}

Warp& Warp::once(When when)
{
    m_when = when;
    return *this;
}

Warp& Warp::async()
{
    m_async = true;
    return *this;
}

Warp& Warp::together(bool pair)
{
    m_together = pair;
    return *this;
}

Warp& Warp::ofTile(int i)
{
    m_tile = i;
    return *this;
}

Warp& Warp::keysOf(int warp)
{
    m_keys = warp < 0 ? RowSetId::none() : m_cta.m_launch.keyColumns(warp);
    m_queryRows = m_cta.m_launch.queryRows(m_index, warp < 0 ? m_sharers : 0);
    return *this;
}

Op& Warp::last()
{
    return m_cta.m_launch.m_kernel.m_program.ops.back();
}

Op& Warp::add(OpKind kind, const SourceLine& at)
{
    Op& op = m_cta.m_launch.m_kernel.m_program.ops.emplace_back();
    op.kind = kind;
    op.role = m_role;
    op.rows = m_queryRows;
    op.i = m_tile;
    op.part = static_cast<std::uint8_t>(m_index);
    op.line = at.line;
    op.paperLine = static_cast<std::uint16_t>(std::exchange(m_paper, 0));
    op.when = std::exchange(m_when, When::Always);
    return op;
}

Op& Warp::addBlock(OpKind kind, const VisitedBlock& block, const SourceLine& at)
{
    Op& op = add(kind, at);
    op.j = relative(block.j);
    op.n = block.n;
    op.i = block.i + m_tile;
    op.keys = m_keys;
    return op;
}

// The op is one of those with which the n-th block of its query tile lands in O.
void Warp::countStep(Op& op)
{
    const auto [entry, isNew]
        = m_cta.m_steps.emplace(std::pair(op.i, op.n), static_cast<std::uint32_t>(m_cta.m_stream.steps.size()));
    if (isNew)
        m_cta.m_stream.steps.push_back({ op.i, op.n, op.j, 0 });
    ++m_cta.m_stream.steps[entry->second].parts;
    op.step = entry->second;
}

// What has no key block: j = -1.
int Warp::relative(int j) const
{
    return j < 0 ? -1 : j - m_cta.j;
}

void Warp::nameWait(WaitId name, const SourceLine& at)
{
    WaitDecl& wait = m_cta.m_launch.m_kernel.m_program.waits[name.index()];
    if (wait.line == 0)
        wait.line = at.line;
}

// ---- copies ---------------------------------------------------------------------------------------------------------

void Warp::load(BufferId to, TensorId tensor, int j, SourceLine at)
{
    Op& op = add(OpKind::Load, at);
    op.tensor = tensor;
    op.out = to;
    op.j = relative(j);
}

void Warp::loadShared(BufferId to, TensorId tensor, int j, WaitId landed, SourceLine at)
{
    const BufferDecl& buffer = m_cta.m_launch.m_kernel.m_program.buffers[to.index()];
    load(to, tensor, j, at);
    last().rows = m_cta.m_launch.copyRows(m_index, buffer.rows, buffer.cols);
    last().wait = landed;
}

void Warp::copyAsync(BufferId to, TensorId tensor, int j, SourceLine at)
{
    const BufferDecl& buffer = m_cta.m_launch.m_kernel.m_program.buffers[to.index()];
    load(to, tensor, j, at);
    last().async = true;
    last().via = Via::CpAsync;
    last().rows = m_cta.m_launch.copyRows(m_index, buffer.rows, buffer.cols);
}

void Warp::prefetch(BufferId to, TensorId tensor, int j, bool byAll, SourceLine at)
{
    const Launch& launch = m_cta.m_launch;
    const BufferDecl& buffer = launch.m_kernel.m_program.buffers[to.index()];
    load(to, tensor, j, at);
    last().async = true;
    if (byAll)
        last().cached = m_index > 0;
    else if (buffer.cols > 1)
        last().rows = m_cta.m_launch.copyRows(m_index, buffer.rows, buffer.cols);
}

void Warp::fragments(BufferId to, BufferId from, int j, SourceLine at)
{
    stage(to, from, j, at);
    last().rows = m_cta.m_launch.keyColumns(m_index);
}

void Warp::stageShared(BufferId to, BufferId from, int j, SourceLine at)
{
    const BufferDecl& buffer = m_cta.m_launch.m_kernel.m_program.buffers[to.index()];
    stage(to, from, j, at);
    last().rows = m_cta.m_launch.copyRows(m_index, buffer.rows, buffer.cols);
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
    nameWait(name, at);
}

void Warp::copyTile(BufferId to, TensorId tensor, int j, BarrierId full, Via via, bool multicast, SourceLine at)
{
    Kernel& kernel = m_cta.m_launch.m_kernel;
    const int rows = kernel.m_program.buffers[to.index()].rows;
    load(to, tensor, j, at);
    Op& op = last();
    op.async = true;
    op.via = via;
    op.barrier = full;
    const auto half = static_cast<std::uint16_t>(rows / 2);
    if (multicast) { // the CTA's rank decides which half; here the lower one stands for it
        op.reach = Reach::Both;
        op.rows = kernel.rowSet({ 0, half, 0, 1 });
    } else {
        op.rows = kernel.rowSet({ 0, static_cast<std::uint16_t>(rows), 0, 1 });
    }
    const BarrierDecl& barrier = kernel.m_program.barriers[full.index()];
    if (!barrier.countsBytes())
        op.arrivals = static_cast<std::uint16_t>(barrier.count);
}

void Warp::expect(BarrierId full, int extraBytes, SourceLine at)
{
    arrive(full, 1, Reach::Own, at);
    last().extraBytes = extraBytes;
}

void Warp::copyHalf(BufferId to, TensorId tensor, int j, BarrierId full, int rank, SourceLine at)
{
    copyTile(to, tensor, j, full, Via::Tma, false, at);
    last().part = static_cast<std::uint8_t>(rank);
    last().reach = rank == 0 ? Reach::Own : Reach::Peer;
}

void Warp::stage(BufferId to, BufferId from, int j, SourceLine at)
{
    Op& op = add(OpKind::Stage, at);
    op.out = to;
    op.in[0] = from;
    op.j = relative(j);
}

void Warp::transposeShared(BufferId to, BufferId from, int j, int warp, int warps, SourceLine at)
{
    const int rows = m_cta.m_launch.m_kernel.m_program.buffers[from.index()].rows / warps;
    stage(to, from, j, at);
    last().rows = m_cta.m_launch.m_kernel.rowSet(
        { static_cast<std::uint16_t>(warp * rows), static_cast<std::uint16_t>(rows), 0, 1 });
}

void Warp::store(TensorId tensor, BufferId from, int j, SourceLine at)
{
    Op& op = add(OpKind::Store, at);
    Launch& launch = m_cta.m_launch;
    const BufferDecl& buffer = launch.m_kernel.m_program.buffers[from.index()];
    op.tensor = tensor;
    op.in[0] = from;
    op.j = relative(j);
    if (buffer.space == Space::Smem && !buffer.wholeRow && m_sharers == launch.m_warps)
        op.rows = launch.copyRows(m_index, buffer.rows, buffer.cols); // so that rows leave in 16-byte pieces
}

void Warp::storeTile(TensorId tensor, BufferId from, SourceLine at)
{
    Op& op = add(OpKind::Store, at);
    op.tensor = tensor;
    op.in[0] = from;
    op.via = Via::Tma;
    op.async = true;
}

void Warp::commitStores(SourceLine at)
{
    add(OpKind::Commit, at).group = GroupKind::Stores;
}

void Warp::waitStores(int pending, WaitId name, SourceLine at)
{
    waitGroup(pending, name, at);
    last().group = GroupKind::Stores;
}

void Warp::fence(SourceLine at)
{
    add(OpKind::Fence, at);
}

// ---- barriers -------------------------------------------------------------------------------------------------------

void Warp::sync(BarrierId barrier, WaitId name, SourceLine at)
{
    const auto& roles = m_cta.m_launch.m_kernel.m_program.roles;
    Op& op = add(OpKind::Sync, at);
    op.barrier = barrier;
    op.wait = name;
    op.arrivals = static_cast<std::uint16_t>(32 * roles[m_role.index()].warps);
    op.turn = m_turns[barrier.index()]++;
    nameWait(name, at);
}

void Warp::arrive(BarrierId barrier, int arrivals, Reach reach, SourceLine at)
{
    Op& op = add(OpKind::Arrive, at);
    op.barrier = barrier;
    op.arrivals = static_cast<std::uint16_t>(arrivals);
    op.reach = reach;
}

void Warp::arriveEach(BarrierId first, SourceLine at)
{
    arrive(first, 32, Reach::Own, at);
    last().barriers = static_cast<std::uint8_t>(m_cta.m_launch.m_kernel.m_program.roles[m_role.index()].warps);
}

void Warp::syncEach(BarrierId first, WaitId name, SourceLine at)
{
    sync(first, name, at);
    last().arrivals = 32;
    last().barriers = static_cast<std::uint8_t>(m_cta.m_launch.m_kernel.m_program.roles[m_role.index()].warps);
}

void Warp::commitMma(BarrierId barrier, Reach reach, SourceLine at)
{
    Op& op = add(OpKind::Commit, at);
    op.group = GroupKind::Mma;
    op.async = true;
    op.barrier = barrier;
    op.arrivals = 1;
    op.reach = reach;
}

void Warp::wait(BarrierId barrier, int turn, WaitId name, SourceLine at)
{
    Op& op = add(OpKind::Wait, at);
    op.barrier = barrier;
    op.turn = turn;
    op.wait = name;
    nameWait(name, at);
}

int Warp::slotOf(const Ring& ring, int use) const
{
    return (m_cta.position + use) % static_cast<int>(ring.buffers.size());
}

// Uses of the slot by this work tile before this one.
int Warp::turnOf(const Ring& ring, int use) const
{
    return use / static_cast<int>(ring.buffers.size());
}

BufferId Warp::slot(const Ring& ring, int use) const
{
    return ring.buffers[static_cast<std::size_t>(slotOf(ring, use))];
}

BarrierId Warp::fullOf(const Ring& ring, int use) const
{
    return ring.full[static_cast<std::size_t>(slotOf(ring, use))];
}

BarrierId Warp::emptyOf(const Ring& ring, int use) const
{
    return ring.empty[static_cast<std::size_t>(slotOf(ring, use))];
}

void Warp::waitFull(const Ring& ring, int use, WaitId name, SourceLine at)
{
    wait(fullOf(ring, use), turnOf(ring, use), name, at);
}

// A slot may be filled again once its use before has been released; the first use of a fresh ring never blocks.
void Warp::waitEmpty(const Ring& ring, int use, WaitId name, SourceLine at)
{
    wait(ring.empty[static_cast<std::size_t>(slotOf(ring, use))], turnOf(ring, use) - 1, name, at);
}

void Warp::release(const Ring& ring, int use, int arrivals, Reach reach, SourceLine at)
{
    arrive(ring.empty[static_cast<std::size_t>(slotOf(ring, use))], arrivals, reach, at);
}

// ---- the machine ----------------------------------------------------------------------------------------------------

void Warp::setRegisters(SourceLine at)
{
    add(OpKind::SetRegisters, at).when = When::First;
}

void Warp::fetchTile(SourceLine at)
{
    add(OpKind::NextTile, at);
}

void Warp::publishTile(BufferId id, SourceLine at)
{
    Op& op = add(OpKind::Stage, at);
    op.out = id;
    op.rows = m_cta.m_launch.m_kernel.rowSet({ 0, 1, 0, 1 });
}

void Warp::readTile(BufferId id, SourceLine at)
{
    Op& op = add(OpKind::NextTile, at);
    op.in[0] = id;
    op.rows = m_cta.m_launch.m_kernel.rowSet({ 0, 1, 0, 1 });
}

void Warp::allocate(BufferId address, SourceLine at)
{
    Op& op = add(OpKind::Allocate, at);
    op.out = address;
    op.rows = m_cta.m_launch.m_kernel.rowSet({ 0, 1, 0, 1 });
}

void Warp::readAddress(BufferId to, BufferId address, SourceLine at)
{
    stage(to, address, -1, at);
    last().rows = m_cta.m_launch.m_kernel.rowSet({ 0, 1, 0, 1 });
}

void Warp::free(BufferId memory, SourceLine at)
{
    add(OpKind::Free, at).out = memory;
}

} // namespace flashstep
