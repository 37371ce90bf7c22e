// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/tables.h"

namespace flashstep {

// FlashAttention-2, forward. A CTA owns one tile of Br query rows and walks the key blocks from right to left. Its
// warps share out the rows, so m and l never leave a warp. O stays unnormalised in registers until one division at the
// end. Paper: arXiv:2307.08691, Algorithm 1. Kernel: flash_fwd_kernel.h for sm80 (cp.async, mma.sync m16n8k16).
void fa2Forward(Kernel& kernel)
{
    const Problem& p = kernel.problem();
    const int Bc = kernel.tile().keys;
    using Tile = Launch::Tile;

    Launch grid = kernel.launch("fa2_forward", kernel.warps());
    const BufferId Q = grid.smem("Q", Tile::Query, p.headDim, p.dtype);
    const BufferId K = grid.smem("K", Tile::Key, p.headDim, p.dtype); // one buffer: the next block waits for this one
    const BufferId V = grid.smem("V", Tile::Key, p.headDimV, p.dtype);
    const BufferId sO = grid.smemAlias("sO", Q, p.headDimV, p.dtype); // O leaves through Q's memory
    const BufferId S = grid.registers("S", Tile::Pair, Bc);
    const BufferId P = grid.registers("P", Tile::Pair, Bc);
    const BufferId O = grid.registers("O", Tile::Query, p.headDimV);
    const BufferId m = grid.registers("m", Tile::Query, 1);
    const BufferId l = grid.registers("l", Tile::Query, 1);
    const BufferId scale = grid.registers("scale", Tile::Query, 1);
    const BufferId lse = grid.registers("LSE", Tile::Query, 1);

    const BarrierId all = grid.barrier("syncthreads");
    const WaitId kLanded = grid.wait(
        "K_landed", BarrierId::none(), "the warp's own part of K (and of Q, the first time) has landed in SMEM");
    const WaitId kVisible = grid.wait("K_visible", all,
        "the other warps' parts of K (and of Q, the first time) have landed; V of the block before has been read by "
        "all");
    const WaitId vLanded = grid.wait("V_landed", BarrierId::none(), "the warp's own part of V has landed in SMEM");
    const WaitId vVisible = grid.wait(
        "V_visible", all, "the other warps' parts of V have landed; K has been read by all and may be overwritten");
    const WaitId oStaged = grid.wait(
        "O_staged", all, "every warp's rows of O are in SMEM before they are shared out anew for the store");

    grid.overQueryTiles([&](CtaScope& cta) {
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

                w.paper(8).mmaTransposed(S, Q, K, block); // S = Q Kᵀ
                if (block.masked)
                    w.mask(S, block);

                w.waitGroup(0, vLanded);
                w.sync(all, vVisible);
                if (!block.last) { // lands while softmax and O += P V run
                    w.paper(7).copyAsync(K, TensorId::K, block.j - 1);
                    w.commit();
                }

                w.paper(9).rowMax(m, scale, S, block); // m' = max(m, rowmax S), scale = exp2((m - m') c)
                if (!block.first)
                    w.paper(10).rescale(O, l, scale, block); // O = scale O, l = scale l
                w.paper(9).exp2(P, S, m, block); // P = exp2(S c - m' c)
                w.paper(9).rowSum(l, P, block); // l = l + rowsum P, before P is rounded
                w.convert(P, block.j, block.n);
                w.paper(10).mma(O, P, V, block); // O = O + P V
            }

            w.paper(12).normalise(O, lse, l, m); // O = O / l, LSE = m scale + ln l
            w.convert(O);
            w.stage(sO, O);
            w.sync(all, oStaged);
            w.paper(14).store(TensorId::O, sO);
            w.paper(15).store(TensorId::Lse, lse);
        });
    });
}

// Tile and warps by head dimension, rounded up to one the kernel is compiled for. [flash_fwd_launch_template.h]
Result<KernelTable> fa2Table(const Problem& problem, int computeCapability, Bytes smemPerSm)
{
    if (problem.headDimV != problem.headDim)
        return Error { "head_dim_v " + std::to_string(problem.headDimV) + " differs from head_dim "
                + std::to_string(problem.headDim),
            "fa2", "FlashAttention-2 has kernels for equal head dimensions only" };
    if (problem.headDim % 8 != 0 || problem.headDim < 8 || problem.headDim > 256)
        return Error { "no kernel for head_dim " + std::to_string(problem.headDim), "fa2",
            "a multiple of 8 up to 256" };
    const int d = problem.headDim;
    const bool sm8x = computeCapability > 80 && computeCapability < 90; // 8.6, 8.7, 8.9: less SMEM
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
    if (smemPerSm < 192 * 1024)
        return KernelTable { { 128, 64 }, 8, 1 };
    return KernelTable { { 64, 64 }, 4, 1 };
}

} // namespace flashstep
