// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/id.h"
#include "core/tensor/dtype.h"

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
using CtaId = Id<struct CtaTag>; // a thread block
using WorkId = Id<struct WorkTag>; // a work tile: what a CTA does in one go; persistent CTAs do several

// Everything a role can do. A closed list: one row each for name, engines, numeric effect and cost.
enum class OpKind : std::uint8_t {
    Load, // a tile's rows from HBM (through L2) to SMEM or registers; async: cp.async or TMA
    Commit, // closes the role's current group of asynchronous copies or bulk stores; with a barrier (tcgen05.commit):
            // arrives there when every product that the role has issued is done
    Wait, // for a turn of a barrier, or until all but the newest `pending` of the role's own groups are done
    Sync, // arrive at a named barrier and wait for its turn to complete (bar.sync)
    Arrive, // arrive at a barrier and go on; at a byte barrier it announces the bytes of the turn (expect_tx)
    Fence, // generic writes to SMEM become visible to the asynchronous proxy (TMA, WGMMA)
    NextTile, // asks the tile scheduler, or reads from SMEM, which work tile comes next
    SetRegisters, // setmaxnreg
    Mma, // out = A Bᵀ, or out += A B, fp32 accumulation; async: WGMMA, tcgen05.mma
    Mask, // S = -inf where the mask or the bounds hide the key
    RowMax, // m = max(m, rowmax S), a = exp2((m_old - m) c)
    Rescale, // O = a O, l = a l
    Exp2, // P = exp2(S c - m c)
    RowSum, // l = l + rowsum P, in fp32, before P is rounded
    Convert, // round to the stored number format
    Normalise, // O = O / l, LSE = m scale + ln l (or P = P / l where the rows are still scores)
    Reduce, // the warps' partial results of a row, read from SMEM and put together
    Stage, // between registers, SMEM and tensor memory; SMEM to SMEM: a tile transposed
    Store, // to HBM; async: bulk store by TMA
    Allocate, // columns of tensor memory; their address goes to SMEM
    Free, // gives them back
};
constexpr std::size_t opKindCount = static_cast<std::size_t>(OpKind::Free) + 1;
[[nodiscard]] std::string_view name(OpKind kind); // "load", "commit", "wait", "sync", "mma", "mask", "rowmax", …
[[nodiscard]] std::optional<OpKind> opKindFromName(std::string_view text);

// Tensors in HBM.
enum class TensorId : std::uint8_t { Q, K, V, O, Lse, S, P, OTmp, M, L, None };
[[nodiscard]] std::string_view name(TensorId tensor); // OTmp: O in fp32 between two visits; M, L: statistics alike

// How the bytes of a Load or Store travel.
enum class Via : std::uint8_t { Lsu, CpAsync, Tma };

// Asynchronous work of a role is waited for in groups, in the order in which they were closed; each kind on its own.
enum class GroupKind : std::uint8_t { Copies, Mma, Stores };
constexpr std::size_t groupKinds = 3;

// Whose barrier or buffer an op of a CTA in a cluster reaches. A Load that reaches the Peer lands in its own CTA and is
// counted at the peer's barrier; an Mma that reaches Both is the product of the pair.
enum class Reach : std::uint8_t { Own, Peer, Both };

// Persistent CTAs run a stream once for each work tile; some ops only with the first or the last of them.
enum class When : std::uint8_t { Always, First, Last };

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

// One step of one role, as data. Tiles are named relative to the work: `i` counts query tiles from the work's, `j` key
// blocks from its jBase.
struct Op {
    OpKind kind = OpKind::Load;
    RoleId role;
    bool async = false; // the role goes on while it runs; it completes into a group, or on a barrier
    bool transposed = false; // Mma: out = A Bᵀ (else A B)
    bool accumulate = false; // Mma, RowMax, RowSum: fold into what is there; else start anew
    bool dropped = false; // broken on purpose: a wait is not performed (its arrival still is), a rescale has no effect
    Via via = Via::Lsu; // Load, Store
    DType format = DType::Fp32; // Convert: what it rounds to
    float factor = 1; // Convert: what its values are multiplied by first
    GroupKind group = GroupKind::Copies; // Commit, Wait without a barrier
    Reach reach = Reach::Own; // Arrive; Load: multicast
    When when = When::Always;
    bool lse = false; // RowMax, Reduce: the statistic before is a log-sum-exp in natural units, not a maximum
    bool cached = false; // Load: another warp has just fetched the same bytes, they come from L1
    bool maximum = false; // Reduce: takes the maximum of the parts, else their sum
    bool conditional = false; // RowMax: keeps the reference while it may; Rescale: done by the warps that need it
    bool framesMixed = false; // broken on purpose: RowMax takes the new maximum where O and l keep the old reference
    std::uint8_t barriers = 1; // Sync, Arrive: so many barriers side by side, one for each warp of the role
    std::uint8_t pending = 0; // Wait: groups that may stay in flight
    std::uint8_t part = 0; // which of the warps' copies of a perWarp buffer is this role's
    std::uint16_t arrivals = 0; // Arrive, Sync, and a load that arrives when it lands: what it is worth at the barrier
    TensorId tensor = TensorId::None; // Load, Store
    BufferId out;
    BufferId out2; // RowMax: scale; Rescale: l; Normalise: LSE
    std::array<BufferId, 3> in;
    BarrierId barrier; // Sync, Arrive, Wait; Load: where it arrives, or counts its bytes, when it lands
    WaitId wait; // Wait, Sync: its name in `list waits`
    RowSetId rows; // of the query tile; of the key block for loads of K and V
    RowSetId keys; // columns of a score tile, or rows of V, where warps share out the keys; none: all
    std::uint16_t paperLine = 0; // line of the paper's algorithm, 0: none
    std::int32_t extraBytes = 0; // Arrive at a byte barrier: announces so many more than its count
    std::int32_t turn = 0; // Sync, Wait: which completion of the barrier within this work tile, from 0; -1: the last
                           // one of the work tile before
    std::uint32_t step = noStep; // index into Stream::steps: this op is a part of what lands there
    std::int32_t i = 0; // query tile relative to the work's
    std::int32_t j = -1; // key block relative to the work's jBase, -1: none
    std::int32_t n = 0; // this block is the n-th visited, from 1; 0: outside the loop
    std::uint32_t line = 0; // in Program::source

    static constexpr std::uint32_t noStep = 0xffffffffU;
};

} // namespace flashstep
