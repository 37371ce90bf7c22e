// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/id.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace flashstep {

using RoleId = Id<struct RoleTag, std::uint8_t>;
using BufferId = Id<struct BufferTag, std::uint8_t>;
using BarrierId = Id<struct BarrierTag, std::uint8_t>;
using WaitId = Id<struct WaitTag, std::uint8_t>;
using RowSetId = Id<struct RowSetTag, std::uint16_t>;
using OpId = Id<struct OpTag>; // into Program::ops
using StreamId = Id<struct StreamTag>;
using CtaId = Id<struct CtaTag>;

// Everything a role can do. A closed list: one row each for name, engines, numeric effect and cost.
enum class OpKind : std::uint8_t {
    Load, // a tile's rows from HBM (through L2) to SMEM or registers; async: cp.async
    Commit, // closes the role's current group of asynchronous copies
    Wait, // until all but the newest `pending` of the role's own copy groups have landed
    Sync, // arrive at a CTA barrier and wait for its turn to complete (__syncthreads)
    Mma, // out = A Bᵀ, or out += A B, fp32 accumulation
    Mask, // S = -inf where the mask or the bounds hide the key
    RowMax, // m = max(m, rowmax S), a = exp2((m_old - m) c)
    Rescale, // O = a O, l = a l
    Exp2, // P = exp2(S c - m c)
    RowSum, // l = l + rowsum P, in fp32, before P is rounded
    Convert, // round to the stored number format, in place
    Normalise, // O = O / l, LSE = m scale + ln l (or P = P / l where the rows are still scores)
    Stage, // registers to SMEM, on the way out
    Store, // to HBM
};
constexpr std::size_t opKindCount = static_cast<std::size_t>(OpKind::Store) + 1;
[[nodiscard]] std::string_view name(OpKind kind); // "load", "commit", "wait", "sync", "mma", "mask", "rowmax", …
[[nodiscard]] std::optional<OpKind> opKindFromName(std::string_view text);

// Tensors in HBM.
enum class TensorId : std::uint8_t { Q, K, V, O, Lse, S, P, None };
[[nodiscard]] std::string_view name(TensorId tensor);

// Rows of a tile that one op touches: `repeat` runs of `run` rows, `stride` apart.
// Warp w of W owns rows 16 w … 16 w + 15 of every slab of 16 W rows, as the m16n8k16 layout of the kernels does.
struct RowSet {
    std::uint16_t start = 0, run = 0, stride = 0, repeat = 1;

    [[nodiscard]] int count() const { return run * repeat; }
    [[nodiscard]] bool contains(int row) const
    {
        if (row < start)
            return false;
        const int offset = row - start;
        return stride == 0 ? offset < run : offset / stride < repeat && offset % stride < run;
    }
    template <typename Visit> void forEach(Visit visit) const
    {
        for (int r = 0; r < repeat; ++r)
            for (int k = 0; k < run; ++k)
                visit(start + r * stride + k);
    }
    bool operator==(const RowSet&) const = default;
};

// One step of one role, as data. Tiles are named relative to the CTA: the query tile is the CTA's own, `j` counts key
// blocks from the CTA's jBase.
struct Op {
    OpKind kind = OpKind::Load;
    RoleId role;
    bool async = false; // the role goes on while it runs; completes into a copy group
    bool transposed = false; // Mma: out = A Bᵀ (else A B)
    bool accumulate = false; // Mma, RowMax, RowSum: fold into what is there; else start anew
    bool dropped = false; // broken on purpose: a wait is not performed (its arrival still is), a rescale has no effect
    std::uint8_t pending = 0; // Wait: groups that may stay in flight
    TensorId tensor = TensorId::None; // Load, Store
    BufferId out;
    BufferId out2; // RowMax: scale; Rescale: l; Normalise: LSE
    std::array<BufferId, 3> in;
    BarrierId barrier; // Sync
    WaitId wait; // Wait, Sync: its name in `list waits`
    RowSetId rows; // of the query tile; of the key block for loads of K and V
    std::uint16_t paperLine = 0; // line of the paper's algorithm, 0: none
    std::uint32_t turn = 0; // Sync: which completion of the barrier, from 0
    std::int32_t j = -1; // key block relative to the CTA's jBase, -1: none
    std::int32_t n = 0; // this block is the n-th visited, from 1; 0: outside the loop
    std::uint32_t line = 0; // in Program::source
};

} // namespace flashstep
