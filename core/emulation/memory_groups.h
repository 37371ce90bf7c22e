// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/effects.h"

#include <array>
#include <map>
#include <vector>

namespace flashstep {

// Memory of a CTA in pieces that every op touches whole or not at all, so that an access looks at a handful of pieces
// however large the tiles are. SMEM by bytes: buffers may share them. Registers belong to one role each.
class MemoryGroups {
public:
    MemoryGroups(const Program& program, int launch);

    [[nodiscard]] std::size_t count() const { return m_count; }
    enum class Operand : std::uint8_t { Out, Out2, In0, In1, In2 };
    static constexpr std::size_t operands = 5;
    static BufferId bufferOf(const Op& op, std::size_t operand);
    // The pieces an operand of an op stands for; `rank` of the CTA that performs it.
    [[nodiscard]] const std::vector<std::uint32_t>& of(OpId op, std::size_t operand, int rank) const
    {
        return m_pieces[m_access[(op.index() - m_firstOp) * operands * 2 + operand * 2
            + static_cast<std::size_t>(rank)]];
    }

private:
    static constexpr std::uint32_t allKeys = 0xffffffffU;
    struct Access {
        BufferId buffer;
        std::uint32_t rows = 0; // row set; wholeBuffer: all of it; wholeRegion: and all it shares memory with
        int offset = 0;
        std::uint32_t keys = allKeys; // columns of tensor memory, where an op touches only some
        auto operator<=>(const Access&) const = default;
    };
    static constexpr std::uint32_t wholeBuffer = 0xffffffffU, wholeRegion = 0xfffffffeU;
    std::uint32_t pieceOfRegisters(BufferId buffer, RoleId role);
    std::uint32_t accessTo(const Program& program, const Op& op, std::size_t operand, int rank);
    void cutRegions(const Program& program);

    std::size_t m_firstOp = 0;
    std::size_t m_count = 0;
    std::vector<std::uint32_t> m_access; // by op, operand and rank: into m_pieces
    std::vector<std::vector<std::uint32_t>> m_pieces;
    std::map<Access, std::uint32_t> m_smem; // into m_pieces
    std::map<std::pair<std::size_t, std::size_t>, std::uint32_t> m_registers; // buffer and role: into m_pieces
};

} // namespace flashstep
