// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/tables.h"

namespace flashstep {

namespace {

// FlashAttention-2, forward. A CTA owns one tile of Br query rows and walks the key blocks from right to left. Its
// warps share out the rows, so m and l never leave a warp. O stays unnormalised in registers until one division at the
// end. Paper: arXiv:2307.08691, Algorithm 1. Kernel: flash_fwd_kernel.h for sm80 (cp.async, mma.sync m16n8k16).
class Fa2Forward {
public:
    explicit Fa2Forward(Kernel& kernel)
        : p(kernel.problem())
        , grid(kernel.launch("fa2_forward", kernel.warps()))
        , splitKeys(kernel.choices().warpSplit == Choices::WarpSplit::Keys)
        , divideNow(kernel.choices().divide == Choices::Divide::Now)
        , longestFirst(kernel.choices().scheduler == Choices::Scheduler::Lpt)
    {
        declareMemory(kernel);
        declareBarriers();
    }

    void run()
    {
        grid.overQueryTiles([this](CtaScope& cta) { tile(cta); },
            longestFirst ? Launch::Order::LongestFirst : Launch::Order::TilesBatchHeads);
    }

private:
    void declareMemory(Kernel& kernel)
    {
        using Tile = Launch::Tile;
        const int Bc = kernel.tile().keys;
        const int copies = splitKeys ? grid.warps() : 1; // of what each warp then keeps for all rows
        Q = grid.smem("Q", Tile::Query, p.headDim, p.dtype);
        K = grid.smem("K", Tile::Key, p.headDim, p.dtype); // one buffer: the next block waits for this one
        V = grid.smem("V", Tile::Key, p.headDimV, p.dtype);
        sO = grid.smemAlias("sO", Tile::Query, Q, p.headDimV, p.dtype); // O leaves through Q's memory
        S = grid.registers("S", Tile::Pair, Bc);
        P = grid.registers("P", Tile::Pair, Bc);
        O = grid.registers("O", Tile::Query, p.headDimV);
        m = grid.registers("m", Tile::Query, 1, DType::Fp32, copies);
        l = grid.registers("l", Tile::Query, 1);
        scale = grid.registers("scale", Tile::Query, 1, DType::Fp32, copies);
        lse = grid.registers("LSE", Tile::Query, 1);
        if (!splitKeys)
            return;
        const int rows = copies * kernel.tile().rows;
        Opart = grid.registers("O_part", Tile::Query, p.headDimV, DType::Fp32, copies);
        mPart = grid.registers("m_part", Tile::Query, 1, DType::Fp32, copies);
        lPart = grid.registers("l_part", Tile::Query, 1, DType::Fp32, copies);
        sMax = grid.smemScratch("row max", rows, 1, true);
        sSum = grid.smemScratch("row sum", rows, 1, true);
        sParts = grid.smemScratch("sO_part", rows, p.headDimV, true);
    }

    void declareBarriers()
    {
        all = grid.barrier("syncthreads");
        kLanded = grid.wait(
            "K_landed", BarrierId::none(), "the warp's own part of K (and of Q, the first time) has landed in SMEM");
        kVisible = grid.wait("K_visible", all,
            "the other warps' parts of K (and of Q, the first time) have landed; V of the block before has been read "
            "by all");
        vLanded = grid.wait("V_landed", BarrierId::none(), "the warp's own part of V has landed in SMEM");
        vVisible = grid.wait(
            "V_visible", all, "the other warps' parts of V have landed; K has been read by all and may be overwritten");
        oStaged = grid.wait(
            "O_staged", all, "every warp's rows of O are in SMEM before they are shared out anew for the store");
        if (!splitKeys)
            return;
        maxVisible = grid.wait("max_visible", all, "every warp's row maxima over its keys are in SMEM");
        partsVisible = grid.wait("O_part_visible", all, "every warp's partial O and row sums are in SMEM");
    }

    void tile(CtaScope& cta)
    {
        const std::vector<VisitedBlock> blocks = grid.blocksRightToLeft(cta.i);
        cta.eachWarp([&](Warp& w) {
            if (blocks.empty()) { // no key is visible: O = 0, LSE = -inf
                w.normalise(O, lse, BufferId::none(), BufferId::none());
                w.store(TensorId::O, O);
                w.store(TensorId::Lse, lse);
                return;
            }
            w.paper(4).copyAsync(Q, TensorId::Q);
            w.paper(7).copyAsync(K, TensorId::K, blocks.front().j);
            w.commit();

            for (const VisitedBlock& block : blocks) {
                w.waitGroup(0, kLanded);
                w.sync(all, kVisible);
                w.paper(7).copyAsync(V, TensorId::V, block.j); // lands while S is computed
                w.commit();
                if (splitKeys)
                    w.keysOf(w.index());

                w.paper(8).mmaTransposed(S, Q, K, block); // S = Q Kᵀ
                if (block.masked)
                    w.mask(S, block);
                if (splitKeys)
                    shareMaximum(w, block);

                w.waitGroup(0, vLanded);
                w.sync(all, vVisible);
                if (!block.last) { // lands while softmax and O += P V run
                    w.paper(7).copyAsync(K, TensorId::K, block.j - 1);
                    w.commit();
                }
                if (splitKeys)
                    blockOfKeys(w, block);
                else
                    blockOfRows(w, block);
            }

            if (splitKeys)
                putTogether(w);
            if (!divideNow)
                w.paper(12).normalise(O, lse, l, m); // O = O / l, LSE = m scale + ln l
            w.convert(O);
            w.stage(sO, O);
            w.sync(all, oStaged);
            w.paper(14).store(TensorId::O, sO);
            w.paper(15).store(TensorId::Lse, lse);
        });
    }

    // Each warp has its own rows: nothing is shared.
    void blockOfRows(Warp& w, const VisitedBlock& block)
    {
        w.paper(9).rowMax(m, scale, S, block); // m' = max(m, rowmax S), scale = exp2((m - m') c)
        if (divideNow && !block.first)
            w.rescaleOne(O, l, outside); // what was divided too early
        if (!block.first)
            w.paper(10).rescale(O, l, scale, block); // O = scale O, l = scale l
        w.paper(9).exp2(P, S, m, block); // P = exp2(S c - m' c)
        w.paper(9).rowSum(l, P, block); // l = l + rowsum P, before P is rounded
        w.convert(P, block.j, block.n);
        w.paper(10).mma(O, P, V, block); // O = O + P V
        if (divideNow)
            w.paper(12).normalise(O, block.last ? lse : BufferId::none(), l, m);
    }

    // Each warp has its own keys, as in FlashAttention-1: the maximum over all of them goes through SMEM.
    void shareMaximum(Warp& w, const VisitedBlock& block)
    {
        w.paper(9).rowMaxFrom(mPart, BufferId::none(), S, BufferId::none(), block);
        w.stage(sMax, mPart);
        w.sync(all, maxVisible);
        w.paper(9).reduceMax(m, scale, sMax, block.first ? BufferId::none() : m, block);
        w.keysOf(-1);
    }

    void blockOfKeys(Warp& w, const VisitedBlock& block)
    {
        w.keysOf(w.index());
        if (!block.first)
            w.paper(10).rescale(Opart, lPart, scale, block);
        w.paper(9).exp2(P, S, m, block);
        w.paper(9).rowSum(lPart, P, block);
        w.convert(P, block.j, block.n);
        w.last().keys = w.ownKeys();
        w.paper(10).mma(Opart, P, V, block); // over this warp's keys
        w.keysOf(-1);
    }

    // What the warps have summed over their keys, row by row.
    void putTogether(Warp& w)
    {
        w.keysOf(w.index());
        w.stage(sParts, Opart);
        w.stage(sSum, lPart);
        w.sync(all, partsVisible);
        w.keysOf(-1);
        w.reduceSum(l, sSum, BufferId::none(), BufferId::none(), outside, false);
        w.reduceSum(O, sParts, BufferId::none(), BufferId::none(), outside, false);
    }

    static constexpr VisitedBlock outside { -1, 0, false, false, false, 0 }; // of the loop over key blocks

    const Problem& p;
    Launch grid;
    bool splitKeys, divideNow, longestFirst;
    BufferId Q, K, V, sO, S, P, O, m, l, scale, lse, Opart, mPart, lPart, sMax, sSum, sParts;
    BarrierId all;
    WaitId kLanded, kVisible, vLanded, vVisible, oStaged, maxVisible, partsVisible;
};

} // namespace

void fa2Forward(Kernel& kernel)
{
    Fa2Forward(kernel).run();
}

// Tile and warps by head dimension, rounded up to one the kernel is compiled for. [flash_fwd_launch_template.h]
Result<KernelTable> fa2Table(const TableQuery& query)
{
    const Problem& problem = query.problem;
    if (problem.headDimV != problem.headDim)
        return Error { "head_dim_v " + std::to_string(problem.headDimV) + " differs from head_dim "
                + std::to_string(problem.headDim),
            "fa2", "FlashAttention-2 has kernels for equal head dimensions only" };
    if (problem.headDim % 8 != 0 || problem.headDim < 8 || problem.headDim > 256)
        return Error { "no kernel for head_dim " + std::to_string(problem.headDim), "fa2",
            "a multiple of 8 up to 256" };
    using Scheduler = Choices::Scheduler;
    if (query.choices.scheduler == Scheduler::Persistent)
        return Error { "FlashAttention-2 gives every tile a CTA of its own", "what-if scheduler",
            "linear, lpt or single-tile" };
    if (query.choices.divide == Choices::Divide::Now && query.choices.warpSplit == Choices::WarpSplit::Keys)
        return Error { "O is not together before the end where the warps split the keys", "what-if divide",
            "divide=end, or warp-split=q" };
    const int d = problem.headDim;
    const bool sm8x = query.computeCapability > 80 && query.computeCapability < 90; // 8.6, 8.7, 8.9: less SMEM
    const bool causal = problem.mask.kind == MaskKind::Causal;
    if (d <= 64)
        return KernelTable { { 128, 128 }, 4, 1 };
    if (d <= 96)
        return KernelTable { sm8x && causal ? TileSize { 64, 64 } : TileSize { 128, 64 }, 4, 1 };
    if (d <= 128) {
        if (sm8x)
            return KernelTable { causal ? TileSize { 64, 64 } : TileSize { 128, 32 }, 4, 1 };
        return KernelTable { { 128, 64 }, 4, 1 };
    }
    if (d <= 192)
        return KernelTable { { 128, 64 }, 8, 1 };
    // 128 x 64 where one CTA fills the SM anyway; smaller tiles where that leaves room for two CTAs.
    if (query.smemPerSm < 192 * 1024)
        return KernelTable { { 128, 64 }, 8, 1 };
    return KernelTable { { 64, 64 }, 4, 1 };
}

} // namespace flashstep
