// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/fa1_paper.h"
#include "core/algorithms/tables.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace flashstep {

namespace {

// FlashAttention-1, forward, as v1.0.9 shipped it. A CTA walks the column blocks of K and V in the outer loop, from
// left to right, and for each of them sweeps over row tiles of 16 queries. All four warps share a row tile and split
// the keys, so the maximum, the sum and O have to be put together through SMEM. Between column blocks O lives in HBM,
// fp32 and normalised, with one statistic: the log-sum-exp. Kernel: fmha_fprop_kernel_1xN.h.
class Fa1Shipped {
public:
    explicit Fa1Shipped(Kernel& kernel)
        : p(kernel.problem())
        , grid(kernel.launch("fa1_forward", kernel.warps()))
        , tiles((p.seqlenQ + kernel.tile().rows - 1) / kernel.tile().rows)
        , blocks((p.seqlenK + kernel.tile().keys - 1) / kernel.tile().keys)
    {
        declareMemory(kernel);
        declareBarriers();
        visits.resize(static_cast<std::size_t>(tiles));
        for (int i = 0; i < tiles; ++i)
            visits[static_cast<std::size_t>(i)] = grid.blocksLeftToRight(i);
        splits = splitsOf(kernel);
        if (kernel.setting().samplesOnly && blocks > 2 * sampledBlocks)
            every = blocks / sampledBlocks;
    }

    void run()
    {
        if (every == 1)
            return grid.overHeads(splits, [this](CtaScope& cta) { sweep(cta); });
        std::vector<int> ofShare(static_cast<std::size_t>(splits));
        for (int i = 0; i < tiles; ++i)
            ofShare[static_cast<std::size_t>(i % splits)]
                += static_cast<int>(visits[static_cast<std::size_t>(i)].size());
        grid.overHeadsInPart(splits, ofShare, [this](CtaScope& cta) { return sweep(cta); });
    }

private:
    static constexpr int sampledBlocks = 4; // of a long sweep, where its time alone is asked for

    void declareMemory(Kernel& kernel)
    {
        using Tile = Launch::Tile;
        const int warps = grid.warps();
        const int rows = kernel.tile().rows;
        sQ[0] = grid.smem("Q[0]", Tile::Query, p.headDim, p.dtype);
        sQ[1] = grid.smem("Q[1]", Tile::Query, p.headDim, p.dtype);
        // K and V share one buffer, which is dead once their fragments are in registers; then it holds the partial
        // results of the warps.
        sV = grid.smem("sV", Tile::Key, p.headDimV, p.dtype);
        sK = grid.smemAlias("sK", Tile::Key, sV, p.headDim, p.dtype);
        const Bytes partBytes = Bytes { 4 } * warps * rows;
        sO = grid.smemAlias("sO", Tile::Query, sV, p.headDimV, DType::Fp32, warps * rows, 0, true);
        sMax = grid.smemAlias("row max", Tile::Query, sV, 1, DType::Fp32, warps * rows, partBytes * p.headDimV, true);
        sSum = grid.smemAlias(
            "row sum", Tile::Query, sV, 1, DType::Fp32, warps * rows, partBytes * (p.headDimV + 1), true);
        const TileSize cost = kernel.costTile();
        const Bytes overlay = Bytes { 4 } * warps * cost.rows * (paddedHeadDim(p.headDimV) + 2);
        const Bytes shared = Bytes { cost.keys } * paddedHeadDim(p.headDimV) * bytesOf(p.costedDtype());
        grid.needSmem(std::max(Bytes { 0 }, overlay - shared));

        rQ = grid.registers("rQ", Tile::Query, p.headDim, p.dtype);
        rK = grid.registers("rK", Tile::Key, p.headDim, p.dtype);
        rV = grid.registers("rV", Tile::Key, p.headDimV, p.dtype);
        K = grid.registers("K", Tile::Key, p.headDim, p.dtype); // fragments, for the whole sweep
        V = grid.registers("V", Tile::Key, p.headDimV, p.dtype);
        S = grid.registers("S", Tile::Pair, kernel.tile().keys);
        P = grid.registers("P", Tile::Pair, kernel.tile().keys);
        Opart = grid.registers("O_part", Tile::Query, p.headDimV, DType::Fp32, warps);
        mPart = grid.registers("m_part", Tile::Query, 1, DType::Fp32, warps);
        lPart = grid.registers("l_part", Tile::Query, 1, DType::Fp32, warps);
        m = grid.registers("m", Tile::Query, 1, DType::Fp32, warps); // each warp has its copy
        scale = grid.registers("scale", Tile::Query, 1, DType::Fp32, warps);
        lsePrev = grid.registers("LSE_prev", Tile::Query, 1, DType::Fp32, warps);
        oPrev = grid.registers("O_prev", Tile::Query, p.headDimV);
        l = grid.registers("l", Tile::Query, 1);
        O = grid.registers("O", Tile::Query, p.headDimV);
        lse = grid.registers("LSE", Tile::Query, 1);
    }

    void declareBarriers()
    {
        all = grid.barrier("syncthreads");
        sweepDone
            = grid.wait("KV_free", all, "the partial results of the sweep before have been read: K and V may go there");
        vLoaded = grid.wait("QV_loaded", BarrierId::none(), "the warp's own parts of Q and V are in its registers");
        vVisible = grid.wait("QV_visible", all, "the other warps' parts of Q and V are in SMEM");
        kLoaded = grid.wait("K_loaded", BarrierId::none(), "the warp's own part of K is in its registers");
        vRead = grid.wait("V_read", all, "every warp has V in registers: K may overwrite it");
        kVisible = grid.wait("K_visible", all, "the other warps' parts of K are in SMEM");
        kRead = grid.wait("K_read", all, "every warp has K in registers: its memory becomes scratch");
        stateLoaded
            = grid.wait("state_loaded", BarrierId::none(), "the log-sum-exp of the visits before is in the registers");
        maxVisible = grid.wait("max_visible", all, "every warp's row maxima over its keys are in SMEM");
        qLoaded = grid.wait("Q_loaded", BarrierId::none(), "the warp's own part of the next Q is in its registers");
        oVisible = grid.wait("O_visible", all, "every warp's partial O and row sums, and the next Q, are in SMEM");
        oLoaded = grid.wait("O_loaded", BarrierId::none(), "O of the visits before is in the registers");
    }

    // The smallest split of the row tiles that fills the waves nearly as well as the best, at most 30.
    int splitsOf(const Kernel& kernel) const
    {
        const double slots = kernel.setting().sms * 2.0; // 255 registers a thread: two CTAs of 128 threads
        const double heads = static_cast<double>(p.batch) * p.heads;
        const int most = std::min(30, tiles);
        const auto efficiency = [&](int s) {
            const double waves = heads * s / slots;
            return waves / std::ceil(waves);
        };
        double best = 0;
        for (int s = 1; s <= most; ++s)
            best = std::max(best, efficiency(s));
        int s = 1;
        while (s < most && efficiency(s) <= 0.95 * best)
            ++s;
        return s;
    }

    // ---- one CTA ----------------------------------------------------------------------------------------------------

    // Row tiles of this CTA that see something of column block j: which visit it is for them.
    struct Visit {
        int i = 0; // row tile, counted from the CTA's first
        VisitedBlock block;
    };
    [[nodiscard]] std::vector<Visit> visitsOf(int first, int j) const
    {
        std::vector<Visit> list;
        for (int i = first; i < tiles; i += splits)
            for (VisitedBlock block : visits[static_cast<std::size_t>(i)])
                if (block.j == j) {
                    block.masked = true; // the element mask runs on every tile
                    list.push_back({ i - first, block });
                }
        return list;
    }

    // How many visits it has recorded.
    int sweep(CtaScope& cta)
    {
        int recorded = 0;
        cta.eachWarp([&](Warp& w) {
            const int index = w.index();
            for (int i = cta.i; i < tiles; i += splits)
                if (visits[static_cast<std::size_t>(i)].empty()) { // no key is visible: O = 0, LSE = -inf
                    w.ofTile(i - cta.i);
                    w.normalise(O, lse, BufferId::none(), BufferId::none());
                    w.store(TensorId::O, O);
                    w.store(TensorId::Lse, lse);
                }
            bool scratchUsed = false;
            for (int j = 0; j < blocks; ++j) {
                const std::vector<Visit> list = j % every == every / 2 ? visitsOf(cta.i, j) : std::vector<Visit>();
                if (list.empty())
                    continue;
                recorded += index == 0 ? static_cast<int>(list.size()) : 0;
                loadBlock(w, j, list.front(), scratchUsed);
                for (std::size_t k = 0; k < list.size(); ++k)
                    rowTile(w, index, list, k);
                scratchUsed = true;
            }
        });
        return recorded;
    }

    // K and V of a column block go through one SMEM buffer into registers, where they stay for the sweep.
    void loadBlock(Warp& w, int j, const Visit& first, bool scratchUsed)
    {
        w.ofTile(first.i);
        w.paper(6).prefetch(rV, TensorId::V, j);
        w.paper(8).prefetch(rQ, TensorId::Q);
        w.commit();
        w.paper(6).prefetch(rK, TensorId::K, j);
        w.commit();
        if (scratchUsed)
            w.sync(all, sweepDone);
        w.waitGroup(1, vLoaded);
        w.stageShared(sV, rV, j);
        w.stageShared(sQ[0], rQ);
        w.sync(all, vVisible);
        w.fragments(V, sV, j);
        w.sync(all, vRead);
        w.waitGroup(0, kLoaded);
        w.stageShared(sK, rK, j);
        w.sync(all, kVisible);
        w.fragments(K, sK, j);
    }

    void rowTile(Warp& w, int index, const std::vector<Visit>& list, std::size_t k)
    {
        const Visit& visit = list[k];
        VisitedBlock b = visit.block;
        const bool more = k + 1 < list.size();
        const BufferId q = sQ[k % 2];

        w.ofTile(visit.i).keysOf(index); // all 16 rows, this warp's keys
        if (!b.first) {
            w.paper(8).prefetch(lsePrev, TensorId::Lse, -1, true);
            w.commit();
        }
        w.paper(9).mmaTransposed(S, q, K, b); // S = Q Kᵀ
        w.keysOf(-1);
        if (!b.first) {
            w.paper(8).prefetch(oPrev, TensorId::OTmp);
            w.last().rows = w.ownRows(); // those that it will put together
            w.commit();
        }
        if (more) {
            w.ofTile(list[k + 1].i);
            w.paper(8).prefetch(rQ, TensorId::Q);
            w.commit();
            w.ofTile(visit.i);
        }
        w.keysOf(index);
        w.mask(S, b);
        w.paper(10).rowMaxFrom(mPart, BufferId::none(), S, BufferId::none(), b);
        if (k == 0)
            w.sync(all, kRead);
        w.stage(sMax, mPart);
        if (!b.first)
            w.waitGroup(more ? 2 : 1, stateLoaded);
        w.sync(all, maxVisible);
        // m = max(LSE before / scale, rowmax S): the old log-sum-exp plays the old maximum; prev = exp2((it - m) c)
        w.paper(11).reduceMax(m, scale, sMax, b.first ? BufferId::none() : lsePrev, b);
        w.last().lse = true;
        w.paper(10).exp2(P, S, m, b); // P = exp2(S c - m c)
        w.paper(10).rowSumFrom(lPart, P, BufferId::none(), b);
        w.stage(sSum, lPart);
        w.convert(P, b.j, b.n);
        w.last().keys = w.ownKeys();
        if (more) {
            w.waitGroup(0, qLoaded);
            w.keysOf(-1).ofTile(list[k + 1].i);
            w.stageShared(sQ[(k + 1) % 2], rQ);
            w.ofTile(visit.i).keysOf(index);
        }
        w.paper(12).mmaPart(Opart, P, V, b, false); // over this warp's keys
        w.stage(sO, Opart);
        w.sync(all, oVisible);

        w.keysOf(-1); // from here each warp has rows of its own
        w.paper(11).reduceSum(l, sSum, b.first ? BufferId::none() : scale, BufferId::none(), b, false);
        if (!b.first && !more)
            w.waitGroup(0, oLoaded);
        w.paper(12).reduceSum(
            O, sO, b.first ? BufferId::none() : oPrev, b.first ? BufferId::none() : scale, b, false); // prev O + P V
        w.paper(12).normaliseStep(O, lse, l, m, b); // O = O / l at every visit, LSE = m scale + ln l
        if (b.last) {
            w.convert(O);
            w.paper(12).store(TensorId::O, O);
        } else {
            w.paper(12).store(TensorId::OTmp, O);
        }
        w.paper(13).store(TensorId::Lse, lse);
    }

    const Problem& p;
    Launch grid;
    int tiles, blocks, splits = 1;
    int every = 1; // of the key blocks, one in so many is recorded
    std::vector<std::vector<VisitedBlock>> visits; // by row tile
    BufferId sQ[2], sV, sK, sO, sMax, sSum, rQ, rK, rV, K, V, S, P, Opart, mPart, lPart, m, scale, lsePrev, oPrev, l, O,
        lse;
    BarrierId all;
    WaitId sweepDone, vLoaded, vVisible, kLoaded, vRead, kVisible, kRead, stateLoaded, maxVisible, qLoaded, oVisible,
        oLoaded;
};

[[nodiscard]] bool asShipped(const Choices& choices)
{
    return choices.fa1Form.value_or(Choices::Fa1Form::Shipped) == Choices::Fa1Form::Shipped && !choices.loopOrder
        && !choices.divide;
}

} // namespace

void fa1Forward(Kernel& kernel)
{
    if (asShipped(kernel.choices()))
        Fa1Shipped(kernel).run();
    else
        fa1PaperForward(kernel);
}

// Head dimensions 32, 64 and 128 by rounding up; columns by head dimension and by the keys there are.
// [fmha_fwd_hdim*.cu, fmha_api.cpp, v1.0.9]
Result<KernelTable> fa1Table(const TableQuery& query)
{
    const Problem& p = query.problem;
    if (p.headDimV != p.headDim)
        return Error { "head_dim_v " + std::to_string(p.headDimV) + " differs from head_dim "
                + std::to_string(p.headDim),
            "fa1", "FlashAttention-1 has kernels for equal head dimensions only" };
    if (p.headDim % 8 != 0 || p.headDim < 8 || p.headDim > 128)
        return Error { "no kernel for head_dim " + std::to_string(p.headDim), "fa1", "a multiple of 8 up to 128" };
    if (!asShipped(query.choices))
        return fa1PaperTable(query);
    const bool wide = p.headDim <= 64 && p.seqlenK > 128;
    return KernelTable { { 16, wide ? 256 : 128 }, 4, 1 };
}

} // namespace flashstep
