// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/tables.h"

namespace flashstep {

namespace {

// Probabilities are at most 1, and most of them far smaller than e4m3 can hold: they are stored 256 times as large, and
// O is divided by that, both without a rounding of its own.
float scaleOfP(const Problem& p)
{
    return p.dtype == DType::E4m3 ? 256 : 1;
}

// S = Q Kᵀ, one CTA for each tile of scores. Every tile is computed, hidden by the mask or not.
void scores(Kernel& kernel)
{
    const Problem& p = kernel.problem();
    using Tile = Launch::Tile;
    Launch grid = kernel.launch("standard_scores", kernel.warps(), 0, 128);
    const BufferId Q = grid.smem("Q", Tile::Query, p.headDim, p.dtype);
    const BufferId K = grid.smem("K", Tile::Key, p.headDim, p.dtype);
    const BufferId sS = grid.smem("sS", Tile::Pair, kernel.tile().keys, p.outputDtype());
    const BufferId S = grid.registers("S", Tile::Pair, kernel.tile().keys);
    const BarrierId all = grid.barrier("syncthreads_scores");
    const WaitId landed
        = grid.wait("QK_landed", BarrierId::none(), "the warp's own parts of Q and K have landed in SMEM");
    const WaitId visible = grid.wait("QK_visible", all, "the other warps' parts of Q and K have landed");
    const WaitId staged = grid.wait(
        "S_staged", all, "every warp's rows of S are in SMEM before they are shared out anew for the store");

    grid.overScoreTiles([&](CtaScope& cta) {
        const VisitedBlock block { cta.j, 0, true, true, true, 0 };
        cta.eachWarp([&](Warp& w) {
            w.paper(1).copyAsync(Q, TensorId::Q);
            w.paper(1).copyAsync(K, TensorId::K, cta.j);
            w.commit();
            w.waitGroup(0, landed);
            w.sync(all, visible);
            w.paper(1).mmaTransposed(S, Q, K, block); // S = Q Kᵀ
            w.convert(S, cta.j);
            w.last().format = p.outputDtype(); // scores of e4m3 operands go out in bf16
            w.stage(sS, S, cta.j);
            w.sync(all, staged);
            w.paper(1).store(TensorId::S, sS, cta.j);
        });
    });
}

struct SoftmaxShape {
    int warps = 0, rows = 0; // of a CTA
};

// Rows a CTA of the softmax kernel can hold whole, so that S is read once: BR halved until the fp32 scores fit in SMEM,
// then fewer warps, as long as each has a row.
SoftmaxShape softmaxShape(const Kernel& kernel)
{
    const TileSize tile = kernel.tile();
    const TileSize cost = kernel.costTile();
    const Bytes keys = static_cast<Bytes>((kernel.problem().seqlenK + tile.keys - 1) / tile.keys) * cost.keys;
    SoftmaxShape shape { kernel.warps(), tile.rows };
    const auto fits
        = [&] { return bytesOf(DType::Fp32) * keys * cost.rows / (tile.rows / shape.rows) <= kernel.smemPerCta(); };
    while (!fits() && shape.rows % 2 == 0) {
        shape.rows /= 2;
        while (shape.rows % shape.warps != 0)
            shape.warps /= 2;
    }
    return shape;
}

// P = softmax(S), whole rows at a time: each row belongs to one warp, so nothing is shared and nothing has to be waited
// for.
void softmax(Kernel& kernel)
{
    using Tile = Launch::Tile;
    const SoftmaxShape shape = softmaxShape(kernel);
    Launch grid = kernel.launch("standard_softmax", shape.warps, shape.rows, 64);
    const BufferId S = grid.smemRow("S");
    const BufferId P = grid.registers("P", Tile::Pair, kernel.tile().keys);
    const BufferId m = grid.registers("m", Tile::Query, 1);
    const BufferId l = grid.registers("l", Tile::Query, 1);
    const BufferId scale = grid.registers("scale", Tile::Query, 1);
    const BufferId lse = grid.registers("LSE", Tile::Query, 1);

    grid.overQueryTiles([&](CtaScope& cta) {
        const std::vector<VisitedBlock> blocks = grid.allBlocks();
        cta.eachWarp([&](Warp& w) {
            for (const VisitedBlock& block : blocks) {
                w.paper(2).load(S, TensorId::S, block.j);
                w.mask(S, block);
                w.paper(2).rowMax(m, scale, S, block);
            }
            for (const VisitedBlock& block : blocks) {
                w.paper(2).exp2(P, S, m, block);
                w.paper(2).rowSum(l, P, block);
                w.stage(S, P, block.j); // until l is known
            }
            for (const VisitedBlock& block : blocks) {
                w.paper(2).divide(S, l, block.j); // P = exp2(…) / l
                w.convert(S, block.j);
                w.last().factor = scaleOfP(kernel.problem());
                w.paper(2).store(TensorId::P, S, block.j);
            }
            w.normalise(BufferId::none(), lse, l, m);
            w.store(TensorId::Lse, lse);
        });
    });
}

// O = P V, one CTA for each query tile.
void output(Kernel& kernel)
{
    const Problem& p = kernel.problem();
    using Tile = Launch::Tile;
    Launch grid = kernel.launch("standard_output", kernel.warps(), 0, 128);
    const BufferId P = grid.smem("P", Tile::Pair, kernel.tile().keys, p.dtype);
    const BufferId V = grid.smem("V", Tile::Key, p.headDimV, p.dtype);
    const BufferId sO = grid.smem("sO", Tile::Query, p.headDimV, p.outputDtype());
    const BufferId O = grid.registers("O", Tile::Query, p.headDimV);
    const BarrierId all = grid.barrier("syncthreads_output");
    const WaitId landed
        = grid.wait("PV_landed", BarrierId::none(), "the warp's own parts of P and V have landed in SMEM");
    const WaitId visible = grid.wait("PV_visible", all, "the other warps' parts of P and V have landed");
    const WaitId free = grid.wait("PV_free", all, "P and V have been read by all and may be overwritten");
    const WaitId staged = grid.wait(
        "O_staged", all, "every warp's rows of O are in SMEM before they are shared out anew for the store");

    grid.overQueryTiles([&](CtaScope& cta) {
        cta.eachWarp([&](Warp& w) {
            for (const VisitedBlock& block : grid.allBlocks()) {
                w.paper(3).copyAsync(P, TensorId::P, block.j);
                w.paper(3).copyAsync(V, TensorId::V, block.j);
                w.commit();
                w.waitGroup(0, landed);
                w.sync(all, visible);
                w.paper(3).mma(O, P, V, block); // O = O + P V
                if (!block.last)
                    w.sync(all, free);
            }
            w.convert(O);
            w.last().factor = 1 / scaleOfP(p);
            w.stage(sO, O);
            w.sync(all, staged);
            w.paper(3).store(TensorId::O, sO);
        });
    });
}

} // namespace

// Attention as three kernels that hand S and P over through HBM: the baseline the FlashAttention papers compare with.
// [arXiv:2205.14135, Algorithm 0]. Nothing is skipped: a masked tile costs as much as any other.
void standardForward(Kernel& kernel)
{
    scores(kernel);
    softmax(kernel);
    output(kernel);
}

// Our own tiles: what a plain matrix product of these shapes uses. Any head dimension that the tensor cores take.
Result<KernelTable> standardTable(const TableQuery& query)
{
    for (const int d : { query.problem.headDim, query.problem.headDimV })
        if (d % 8 != 0 || d < 8 || d > 256)
            return Error { "no kernel for head_dim " + std::to_string(d), "standard", "a multiple of 8 up to 256" };
    return KernelTable { { 128, 64 }, 4, 1 };
}

} // namespace flashstep
