// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/memory_system.h"

namespace flashstep {

namespace {

constexpr int largestTile = 1024; // rows

// Unique for a piece of a tensor: which one, of which head, and which of its pieces.
std::uint64_t pieceKey(TensorId tensor, std::uint64_t head, std::uint64_t piece)
{
    return (static_cast<std::uint64_t>(tensor) << 60U) | (head << 40U) | piece;
}

// Scores and what is kept between two visits are written by other roles than read them, so their pieces are rows.
bool byRows(TensorId tensor)
{
    return tensor != TensorId::Q && tensor != TensorId::K && tensor != TensorId::V && tensor != TensorId::O;
}

} // namespace

L2Cache::Traffic MemorySystem::access(const Work& work, const Op& op, int rank, double bytes)
{
    const Problem& p = m_program.problem;
    const bool keyTile = op.tensor == TensorId::K || op.tensor == TensorId::V;
    const int perHead = keyTile ? p.kvHeads : p.heads;
    const int h = keyTile ? p.kvHeadOf(work.h) : work.h;
    const auto head
        = static_cast<std::uint64_t>(work.b) * static_cast<std::uint64_t>(perHead) + static_cast<std::uint64_t>(h);
    const bool store = op.kind == OpKind::Store;
    const auto touch
        = [&](std::uint64_t key, Bytes size) { return store ? m_cache.write(key, size) : m_cache.read(key, size); };
    if (!byRows(op.tensor)) {
        const int tile = keyTile ? m_program.keyBlock(work, op) : m_program.queryTile(work, op);
        // Of a tile that two CTAs fetch in halves, each half is a piece.
        const bool half = op.reach == Reach::Both
            || (op.kind == OpKind::Load && m_program.buffers[op.out.index()].half != BufferDecl::Half::None);
        const std::uint64_t roles = m_program.roles.size();
        const std::uint64_t part = half ? roles + static_cast<unsigned>(rank) : op.role.index();
        return touch(pieceKey(op.tensor, head, static_cast<std::uint64_t>(tile) * (roles + 2) + part),
            static_cast<Bytes>(bytes));
    }
    const bool scores = op.tensor == TensorId::S || op.tensor == TensorId::P;
    const auto block = static_cast<std::uint64_t>(scores ? m_program.keyBlock(work, op) : 0);
    const auto headRows = static_cast<std::uint64_t>(m_program.headRows() + largestTile); // the last tile may overhang
    const RowSet& rows = m_program.rows(op);
    L2Cache::Traffic traffic;
    const auto each = static_cast<Bytes>(bytes / rows.count());
    rows.forEach([&](int r) {
        const auto row = static_cast<std::uint64_t>(m_program.firstRow(work, op) + r);
        const L2Cache::Traffic one = touch(pieceKey(op.tensor, head, block * headRows + row), each);
        traffic.read += one.read;
        traffic.written += one.written;
    });
    return traffic;
}

} // namespace flashstep
