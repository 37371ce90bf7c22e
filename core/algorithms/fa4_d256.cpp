// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/fa4_d256.h"

#include "core/algorithms/fa4_setting.h"

#include <string>
#include <vector>

namespace flashstep {

namespace {

constexpr int warpgroup = 128; // threads

// FlashAttention-4, forward, head dimension 256: a kernel of its own. O fills half of tensor memory, so a CTA has one
// query tile and one softmax warpgroup; what hides the softmax is a second S, whose product runs while the first one's
// rows are exponentiated. Always pairs of CTAs, and every block rescales. [flash_attn/cute, kernel for head dim 256]
//
// Known of the kernel: roles and warps, the two S with P over the first columns of each, O in the upper half, four
// slots, the order S0, then S and the product before it in turn, no threshold, one stage from the products to the
// correction. Unconfirmed, and chosen here: the names of barriers but that one; that the factor goes to the correction
// as one number in the column behind P (the kernel hands over both maxima); that the correction warps store O.
class Fa4Wide {
public:
    Fa4Wide(Kernel& kernel, const Fa4Setting& setting)
        : p(kernel.problem())
        , c(setting)
        , grid(kernel.launch("fa4_forward_d256", 12, 0, 168))
        , Br(kernel.tile().rows)
        , Bc(kernel.tile().keys)
    {
        grid.setPackedMath();
        grid.setSchedule(c.schedule, 2, c.stages);
        grid.setQueryTiles(1, true);
        grid.declareRole("softmax", 4, 0, c.softmaxRegisters);
        grid.declareRole("correction", 4, 4, c.correctionRegisters);
        grid.declareRole("mma", 1, 8, c.otherRegisters);
        grid.declareRole("load", 1, 9, c.otherRegisters);
        declareMemory(kernel.costTile());
        declareBarriers();
        declareWaits();
    }

    void run()
    {
        grid.overQueryTiles([this](CtaScope& cta) { work(cta); }, c.order, Bytes { 50 } * 1024 * 1024);
    }

private:
    // ---- what there is ----------------------------------------------------------------------------------------------

    void declareMemory(const TileSize& cost)
    {
        using Tile = Launch::Tile;
        const int element = bytesOf(p.costedDtype());
        Q = grid.smem("Q", Tile::Query, p.headDim, p.dtype);
        ring = grid.sharedRing("pipeline_kv", c.stages, true, Via::Tma, 0, {});
        sSum = grid.smemScratch("sSum", Br, 1);
        sMax = grid.smemScratch("sMax", Br, 1);
        tmemAddress = grid.smemScratch("tmem_ptr", 1, 1);
        for (int s = 0; s < 2; ++s) {
            const std::string name = std::to_string(s);
            S[s] = grid.tmem("S" + name, Tile::Pair, Bc, DType::Fp32, { s * Bc, s * cost.keys, cost.keys });
            P[s] = grid.tmem(
                "P" + name, Tile::Pair, Bc, p.dtype, { s * Bc, s * cost.keys, cost.keys * element / 4, element });
            factor[s] = grid.tmem(
                "factor" + name, Tile::Query, 1, DType::Fp32, { s * Bc + Bc / 2, s * cost.keys + cost.keys / 2, 1 });
        }
        O = grid.tmem("O", Tile::Query, p.headDimV, DType::Fp32, { 2 * Bc, 2 * cost.keys, p.headDimV });
        for (const BufferId buffer : { S[0], S[1], P[0], P[1], factor[0], factor[1] })
            grid.belongsTo(buffer, 0);
        rS = grid.registers("rS", Tile::Pair, Bc); // the scores, then exp2 of them in place
        rP = grid.registers("rP", Tile::Pair, Bc, p.dtype);
        m = grid.registers("m", Tile::Query, 1);
        l = grid.registers("l", Tile::Query, 1);
        scale = grid.registers("scale", Tile::Query, 1);
        rO = grid.registers("rO", Tile::Query, p.headDimV);
        rl = grid.registers("rl", Tile::Query, 1);
        rm = grid.registers("rm", Tile::Query, 1);
        lse = grid.registers("LSE", Tile::Query, 1);
        address = grid.registers("tmem", Tile::Query, 1);
    }

    void declareBarriers()
    {
        qFull = grid.mbarrier("pipeline_q.full", "bytes", 2 * Br * p.headDim * bytesOf(p.costedDtype()));
        if (c.persistent())
            qEmpty = grid.mbarrier("pipeline_q.empty", "arrivals", 1);
        for (int s = 0; s < 2; ++s) {
            const auto barrier = [&](const std::string& family, const std::string& unit, int count) {
                return grid.mbarrier(family + "[" + std::to_string(s) + "]", unit, count, family);
            };
            sFull[s] = barrier("pipeline_s.full", "arrivals", 1);
            pAndO[s] = barrier("pipeline_p_and_o.full", "threads", 4 * warpgroup); // softmax, correction; both CTAs
            stats[s] = barrier("pipeline_stats.full", "threads", warpgroup);
        }
        product = grid.mbarrier("pipeline_mma_corr.full", "arrivals", 1);
        sumFull = grid.mbarrier("pipeline_sum.full", "threads", warpgroup);
        sumEmpty = grid.mbarrier("pipeline_sum.empty", "threads", warpgroup);
        tmemPtr = grid.namedBarrier("TmemPtr", 32 + 2 * warpgroup);
    }

    void declareWaits()
    {
        tmemThere = grid.wait("TmemPtr", tmemPtr, "tensor memory is allocated and its address is in SMEM");
        tmemDone = grid.wait("TmemPtr_free", tmemPtr, "nobody reads tensor memory any more: it can be given back");
        slotFree = grid.wait("KV_free", "pipeline_kv.empty", "the product that read this slot of K or V is done");
        if (c.persistent())
            qFree = grid.wait("Q_free", qEmpty, "every product with the Q of the tile before is done");
        qLanded = grid.wait("Q_landed", qFull, "Q has landed in SMEM");
        kLanded = grid.wait("K_landed", "pipeline_kv.full", "K of the next block has landed in SMEM");
        vLanded = grid.wait("V_landed", "pipeline_kv.full", "V of the block has landed in SMEM");
        pReady = grid.wait("P_and_O_ready", pAndO[0], "P of the block is in tensor memory, and O has been rescaled");
        sReady = grid.wait("S_ready", sFull[0], "S of the block is in tensor memory");
        statsThere = grid.wait("Stats", stats[0], "the factor of the block is in tensor memory");
        productDone = grid.wait("Product_done", product, "the product before is in O, which may be rescaled");
        oFinal = grid.wait("O_final", product, "the last product with V is in O");
        sumThere = grid.wait("Sum", sumFull, "l and m of the tile are in SMEM");
        if (c.persistent())
            sumFree = grid.wait(
                "Sum_free", sumEmpty, "the correction warps have read l and m of the tile before", { "P_and_O_ready" });
    }

    // ---- one work tile ----------------------------------------------------------------------------------------------

    void work(CtaScope& cta)
    {
        blocks = grid.blocksRightToLeft(cta.i);
        if (blocks.empty()) // no key is visible: a block is processed all the same, and all of it is masked
            blocks.push_back({ 0, 1, true, true, true, 0 });
        rank = cta.rank;
        cta.role("load", 0, 0, [this](Warp& w) { load(w); });
        cta.role("mma", 0, 0, [this](Warp& w) { mma(w); });
        cta.role("softmax", 0, 0, [this](Warp& w) { softmax(w); });
        cta.role("correction", 0, 0, [this](Warp& w) { correct(w); });
    }

    [[nodiscard]] int count() const { return static_cast<int>(blocks.size()); }
    [[nodiscard]] const VisitedBlock& block(int u) const { return blocks[static_cast<std::size_t>(u)]; }
    [[nodiscard]] Reach leader() const { return rank == 0 ? Reach::Own : Reach::Peer; }

    void load(Warp& w)
    {
        w.setRegisters();
        copy(w, ring.K, 0, TensorId::K, 0);
        if (c.persistent())
            w.wait(qEmpty, -1, qFree);
        if (rank == 0)
            w.expect(qFull);
        w.copyHalf(Q, TensorId::Q, -1, qFull, rank);
        for (int u = 1; u < count(); ++u) { // V of a block is needed after K of the next
            copy(w, ring.K, u, TensorId::K, 2 * u - 1);
            copy(w, ring.V, u - 1, TensorId::V, 2 * u);
        }
        copy(w, ring.V, count() - 1, TensorId::V, 2 * count() - 1);
    }

    // Uses of the ring: K of the first block, then K of each next and V of the one before it.
    [[nodiscard]] static int useOfK(int u) { return u == 0 ? 0 : 2 * u - 1; }
    [[nodiscard]] int useOfV(int u) const { return u + 1 == count() ? 2 * u + 1 : 2 * u + 2; }

    void copy(Warp& w, const Ring& to, int u, TensorId tensor, int use)
    {
        w.waitEmpty(to, use, slotFree);
        if (rank == 0)
            w.expect(w.fullOf(to, use));
        w.copyHalf(w.slot(to, use), tensor, block(u).j, w.fullOf(to, use), rank);
    }

    void mma(Warp& w)
    {
        w.setRegisters();
        w.once(When::First).allocate(tmemAddress);
        w.once(When::First).sync(tmemPtr, tmemThere);
        if (rank == 0)
            products(w);
        w.once(When::Last).sync(tmemPtr, tmemDone);
        w.once(When::Last).free(S[0]);
    }

    void products(Warp& w)
    {
        w.wait(qFull, 0, qLanded);
        scores(w, 0);
        for (int u = 1; u < count(); ++u) {
            scores(w, u);
            weighted(w, u - 1);
        }
        if (c.persistent())
            w.commitMma(qEmpty, Reach::Both);
        weighted(w, count() - 1);
    }

    void scores(Warp& w, int u)
    {
        w.waitFull(ring.K, useOfK(u), kLanded);
        w.async().together(true).mmaTransposed(S[u % 2], Q, w.slot(ring.K, useOfK(u)), block(u));
        w.commitMma(sFull[u % 2], Reach::Both);
        w.commitMma(w.emptyOf(ring.K, useOfK(u)), Reach::Both);
    }

    void weighted(Warp& w, int u)
    {
        w.waitFull(ring.V, useOfV(u), vLanded);
        w.wait(pAndO[u % 2], u / 2, pReady);
        w.async().together(true).mmaKeys(O, P[u % 2], w.slot(ring.V, useOfV(u)), block(u), 0, Bc, !block(u).first);
        w.commitMma(product, Reach::Both);
        w.commitMma(w.emptyOf(ring.V, useOfV(u)), Reach::Both);
    }

    void softmax(Warp& w)
    {
        w.setRegisters();
        w.once(When::First).sync(tmemPtr, tmemThere);
        w.once(When::First).readAddress(address, tmemAddress);
        for (int u = 0; u < count(); ++u) {
            const VisitedBlock& b = block(u);
            w.wait(sFull[u % 2], u / 2, sReady);
            w.stageBlock(rS, S[u % 2], b);
            if (b.masked)
                w.mask(rS, b);
            w.rowMax(m, scale, rS, b);
            if (!b.first) {
                w.stageBlock(factor[u % 2], scale, b);
                w.fence();
                w.arrive(stats[u % 2], warpgroup);
            }
            w.exp2(rS, rS, m, b);
            w.convertTo(rP, rS, b);
            w.stageKeys(P[u % 2], rP, b, 0, Bc);
            w.fence();
            w.arrive(pAndO[u % 2], warpgroup, leader());
            if (!b.first)
                w.rescaleOne(l, scale, b);
            w.rowSum(l, rS, b);
        }
        if (c.persistent())
            w.wait(sumEmpty, -1, sumFree);
        w.stage(sSum, l);
        w.stage(sMax, m);
        w.arrive(sumFull, warpgroup);
        w.once(When::Last).arrive(tmemPtr, warpgroup);
    }

    void correct(Warp& w)
    {
        w.setRegisters();
        w.once(When::First).sync(tmemPtr, tmemThere);
        w.once(When::First).readAddress(address, tmemAddress);
        w.once(When::First).arrive(pAndO[0], warpgroup, leader());
        for (int u = 1; u < count(); ++u) {
            w.wait(stats[u % 2], (u - 1) / 2, statsThere);
            w.wait(product, u - 1, productDone);
            w.rescaleOne(O, factor[u % 2], block(u));
            w.arrive(pAndO[u % 2], warpgroup, leader());
        }
        w.wait(sumFull, 0, sumThere);
        w.stage(rl, sSum);
        w.stage(rm, sMax);
        if (c.persistent())
            w.arrive(sumEmpty, warpgroup);
        w.wait(product, count() - 1, oFinal);
        w.stage(rO, O);
        w.arrive(pAndO[0], warpgroup, leader()); // O is free for the next tile
        w.normalise(rO, lse, rl, rm);
        w.convert(rO);
        w.store(TensorId::O, rO);
        w.store(TensorId::Lse, lse);
        w.once(When::Last).arrive(tmemPtr, warpgroup);
    }

    const Problem& p;
    Fa4Setting c;
    Launch grid;
    int Br, Bc;
    int rank = 0;
    std::vector<VisitedBlock> blocks;

    BufferId Q, sSum, sMax, tmemAddress, address, O, rS, rP, m, l, scale, rO, rl, rm, lse;
    BufferId S[2], P[2], factor[2];
    SharedRing ring;
    BarrierId qFull, qEmpty, product, sumFull, sumEmpty, tmemPtr;
    BarrierId sFull[2], pAndO[2], stats[2];
    WaitId tmemThere, tmemDone, slotFree, qFree, qLanded, kLanded, vLanded, pReady, sReady, statsThere, productDone,
        oFinal, sumThere, sumFree;
};

} // namespace

void fa4ForwardD256(Kernel& kernel, const Fa4Setting& setting)
{
    Fa4Wide(kernel, setting).run();
}

} // namespace flashstep
