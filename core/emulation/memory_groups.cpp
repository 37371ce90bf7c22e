// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/memory_groups.h"

#include <algorithm>
#include <set>

namespace flashstep {

namespace {

struct Stretch {
    Bytes begin = 0, end = 0;
};

} // namespace

BufferId MemoryGroups::bufferOf(const Op& op, std::size_t operand)
{
    switch (static_cast<Operand>(operand)) {
    case Operand::Out:
        return op.out;
    case Operand::Out2:
        return op.out2;
    default:
        return op.in[operand - static_cast<std::size_t>(Operand::In0)];
    }
}

MemoryGroups::MemoryGroups(const Program& program, int launch)
{
    std::size_t last = 0;
    m_firstOp = program.ops.size();
    const LaunchDecl& decl = program.launches[static_cast<std::size_t>(launch)];
    for (std::uint32_t w = decl.firstWork; w < decl.firstWork + decl.workCount; ++w)
        for (int position = 0; position < decl.ringPositions; ++position) {
            const Stream& stream
                = program.streams[program.works[w].stream.index() + static_cast<std::size_t>(position)];
            m_firstOp = std::min<std::size_t>(m_firstOp, stream.firstOp);
            last = std::max<std::size_t>(last, stream.firstOp + stream.opCount);
        }
    m_pieces.emplace_back(); // an operand that is not there
    m_access.assign((last - m_firstOp) * operands * 2, 0);
    for (std::size_t k = m_firstOp; k < last; ++k)
        for (std::size_t operand = 0; operand < operands; ++operand)
            for (int rank = 0; rank < 2; ++rank)
                m_access[(k - m_firstOp) * operands * 2 + operand * 2 + static_cast<std::size_t>(rank)]
                    = accessTo(program, program.ops[k], operand, rank);
    cutRegions(program);
}

std::uint32_t MemoryGroups::pieceOfRegisters(BufferId buffer, RoleId role)
{
    const auto [entry, isNew]
        = m_registers.emplace(std::pair(buffer.index(), role.index()), static_cast<std::uint32_t>(m_pieces.size()));
    if (isNew)
        m_pieces.push_back({ static_cast<std::uint32_t>(m_count++) });
    return entry->second;
}

std::uint32_t MemoryGroups::accessTo(const Program& program, const Op& op, std::size_t operand, int rank)
{
    const BufferId buffer = bufferOf(op, operand);
    if (!buffer.valid())
        return 0;
    const BufferDecl& decl = program.buffers[buffer.index()];
    if (decl.space == Space::Registers)
        return pieceOfRegisters(buffer, op.role);
    Access access { buffer, static_cast<std::uint32_t>(op.rows.index()), 0, allKeys };
    if (decl.space == Space::Tmem && decl.tile == BufferDecl::Tile::Pair && op.keys.valid())
        access.keys = static_cast<std::uint32_t>(op.keys.index());
    // The B operand of a product is read whole, and so are all warps' parts that are put together.
    const bool whole = (op.kind == OpKind::Mma && operand == static_cast<std::size_t>(Operand::In1))
        || (op.kind == OpKind::Reduce && operand == static_cast<std::size_t>(Operand::In0));
    if (op.kind == OpKind::Free)
        access.rows = wholeRegion;
    else if (whole)
        access.rows = wholeBuffer;
    else if (op.kind != OpKind::NextTile)
        access.offset = Performed { program, program.works.front(), op, rank }.rowOffset(buffer);
    const auto [entry, isNew] = m_smem.emplace(access, static_cast<std::uint32_t>(m_pieces.size()));
    if (isNew)
        m_pieces.emplace_back();
    return entry->second;
}

// Each region is cut where any access to it begins or ends; stretches that the same accesses touch are one piece.
void MemoryGroups::cutRegions(const Program& program)
{
    std::map<std::size_t, std::vector<std::pair<std::uint32_t, std::vector<Stretch>>>> regions;
    for (const auto& [access, pieces] : m_smem) {
        const BufferDecl& decl = program.buffers[access.buffer.index()];
        std::vector<Stretch> stretches;
        const Bytes pitch = decl.pitch > 0 ? decl.pitch : decl.rowBytes();
        const Bytes row = decl.pitch > 0 ? decl.extent : decl.rowBytes();
        const auto addRow = [&](Bytes begin) {
            if (access.keys == allKeys) {
                stretches.push_back({ begin, begin + row });
                return;
            }
            const RowSet& keys = program.rowSets[access.keys];
            for (int k = 0; k < keys.repeat; ++k) {
                const Bytes first = begin + (keys.start + k * keys.stride) * row / decl.cols;
                stretches.push_back({ first, first + keys.run * row / decl.cols });
            }
        };
        const RowSet everyRow { 0, static_cast<std::uint16_t>(decl.rows), 0, 1 };
        const bool region = access.rows == wholeRegion;
        const RowSet& rows = region || access.rows == wholeBuffer ? everyRow : program.rowSets[access.rows];
        if (decl.pitch > 0) { // lane by lane
            rows.forEach([&](int r) {
                if (region)
                    stretches.push_back({ r * pitch, (r + 1) * pitch });
                else
                    addRow(decl.regionByte + (access.offset + r) * pitch);
            });
        } else {
            for (int k = 0; k < rows.repeat; ++k) {
                const Bytes begin = decl.regionByte + (access.offset + rows.start + k * rows.stride) * row;
                stretches.push_back({ begin, begin + rows.run * row });
            }
        }
        regions[decl.region.index()].emplace_back(pieces, std::move(stretches));
    }
    for (const auto& [region, accesses] : regions) {
        std::set<Bytes> cuts;
        for (const auto& [pieces, stretches] : accesses)
            for (const Stretch& s : stretches) {
                cuts.insert(s.begin);
                cuts.insert(s.end);
            }
        std::map<std::vector<std::uint32_t>, std::uint32_t> known; // who touches it: which piece
        for (auto cut = cuts.begin(); cut != cuts.end() && std::next(cut) != cuts.end(); ++cut) {
            std::vector<std::uint32_t> touching;
            for (const auto& [pieces, stretches] : accesses)
                if (std::any_of(stretches.begin(), stretches.end(),
                        [&](const Stretch& s) { return s.begin <= *cut && *cut < s.end; }))
                    touching.push_back(pieces);
            const auto [entry, isNew] = known.emplace(touching, static_cast<std::uint32_t>(m_count));
            if (!isNew)
                continue;
            ++m_count;
            for (const std::uint32_t pieces : touching)
                m_pieces[pieces].push_back(entry->second);
        }
    }
}

} // namespace flashstep
