// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/fa1_paper.h"

#include <algorithm>
#include <vector>

namespace flashstep {

namespace {

// FlashAttention-1 by the paper: Algorithm 1 of arXiv:2205.14135. K and V blocks in the outer loop, query tiles in the
// inner one; O, l and m live in HBM and are read and written at every visit, and O is divided by l each time. With
// loop-order=q-outer the loops are exchanged, so that O, l and m can stay in registers (Triton's fused kernel); with
// divide=end O stays unnormalised until the last visit. What is left then is FlashAttention-2.
class Fa1Paper {
public:
    explicit Fa1Paper(Kernel& kernel)
        : p(kernel.problem())
        , grid(kernel.launch("fa1_paper", kernel.warps()))
        , tiles((p.seqlenQ + kernel.tile().rows - 1) / kernel.tile().rows)
        , blocks((p.seqlenK + kernel.tile().keys - 1) / kernel.tile().keys)
        , qOuter(kernel.choices().loopOrder == Choices::LoopOrder::QOuter)
        , divideNow(kernel.choices().divide.value_or(Choices::Divide::Now) == Choices::Divide::Now)
    {
        using Tile = Launch::Tile;
        Q = grid.smem("Q", Tile::Query, p.headDim, p.dtype);
        K = grid.smem("K", Tile::Key, p.headDim, p.dtype);
        V = grid.smem("V", Tile::Key, p.headDimV, p.dtype);
        S = grid.registers("S", Tile::Pair, kernel.tile().keys);
        P = grid.registers("P", Tile::Pair, kernel.tile().keys);
        PV = grid.registers("PV", Tile::Query, p.headDimV); // of this block alone
        O = grid.registers("O", Tile::Query, p.headDimV);
        oOld = qOuter ? O : grid.registers("O_old", Tile::Query, p.headDimV);
        const auto column = [&](const char* name) { return grid.registers(name, Tile::Query, 1); };
        mTilde = column("m~");
        lTilde = column("l~");
        m = column("m");
        mOld = qOuter ? m : column("m_old");
        lOld = column("l_old");
        l = column("l");
        scale = column("scale"); // e^(m_old - m): what was there before is brought to the new maximum
        beta = column("beta"); // e^(m~ - m): and so is this block
        lse = column("LSE");
        all = grid.barrier("syncthreads");
        landed = grid.wait("QKV_landed", BarrierId::none(),
            qOuter ? "the warp's own parts of Q, K and V have landed in SMEM"
                   : "the warp's own parts of Q, K and V have landed in SMEM, and O, l and m of the visits before in "
                     "registers");
        visible = grid.wait("QKV_visible", all, "the other warps' parts of Q, K and V have landed");
        read = grid.wait("QKV_free", all, "Q, K and V have been read by all and may be overwritten");
        visits.resize(static_cast<std::size_t>(tiles));
        for (int i = 0; i < tiles; ++i)
            visits[static_cast<std::size_t>(i)] = grid.blocksLeftToRight(i);
    }

    void run()
    {
        if (qOuter)
            grid.overQueryTiles([this](CtaScope& cta) { oneTile(cta); });
        else
            grid.overHeads(1, [this](CtaScope& cta) { sweep(cta); });
    }

private:
    void nothingVisible(Warp& w)
    {
        w.normalise(O, lse, BufferId::none(), BufferId::none()); // O = 0, LSE = -inf
        w.store(TensorId::O, O);
        w.store(TensorId::Lse, lse);
    }

    void loadKV(Warp& w, int j)
    {
        w.paper(6).copyAsync(K, TensorId::K, j);
        w.paper(6).copyAsync(V, TensorId::V, j);
        w.commit();
    }

    // K and V outside, queries inside.
    void sweep(CtaScope& cta)
    {
        cta.eachWarp([&](Warp& w) {
            for (int i = 0; i < tiles; ++i)
                if (visits[static_cast<std::size_t>(i)].empty())
                    nothingVisible(w.ofTile(i));
            bool used = false;
            for (int j = 0; j < blocks; ++j) {
                bool loaded = false;
                for (int i = 0; i < tiles; ++i)
                    for (VisitedBlock b : visits[static_cast<std::size_t>(i)]) {
                        if (b.j != j)
                            continue;
                        w.ofTile(i);
                        if (used)
                            w.sync(all, read);
                        if (!loaded)
                            loadKV(w, j);
                        loadRows(w, b);
                        w.waitGroup(0, landed);
                        w.sync(all, visible);
                        visit(w, b);
                        keep(w, b);
                        used = loaded = true;
                    }
            }
        });
    }

    void loadRows(Warp& w, const VisitedBlock& b)
    {
        w.paper(8).copyAsync(Q, TensorId::Q);
        if (!b.first) {
            w.paper(8).prefetch(oOld, TensorId::OTmp);
            w.last().rows = w.ownRows();
            w.paper(8).prefetch(lOld, TensorId::L);
            w.paper(8).prefetch(mOld, TensorId::M);
        }
        w.commit();
    }

    // Queries outside, K and V inside: a CTA for each query tile, whose O never leaves the registers.
    void oneTile(CtaScope& cta)
    {
        cta.eachWarp([&](Warp& w) {
            const auto& list = visits[static_cast<std::size_t>(cta.i)];
            if (list.empty()) {
                nothingVisible(w);
                return;
            }
            w.paper(8).copyAsync(Q, TensorId::Q);
            w.commit();
            for (const VisitedBlock& b : list) {
                if (!b.first)
                    w.sync(all, read);
                loadKV(w, b.j);
                w.waitGroup(0, landed);
                w.sync(all, visible);
                visit(w, b);
                if (b.last)
                    finish(w);
            }
        });
    }

    void visit(Warp& w, const VisitedBlock& b)
    {
        w.paper(9).mmaTransposed(S, Q, K, b); // S = Q Kᵀ
        if (b.masked)
            w.mask(S, b);
        w.paper(10).rowMaxFrom(mTilde, BufferId::none(), S, BufferId::none(), b); // m~ = rowmax S
        w.paper(10).exp2(P, S, mTilde, b); // P = exp2(S c - m~ c)
        w.paper(10).rowSumFrom(lTilde, P, BufferId::none(), b); // l~ = rowsum P
        w.convert(P, b.j, b.n);
        w.paper(12).mmaPart(PV, P, V, b, false);
        if (b.first)
            w.paper(11).reduceMax(m, scale, mTilde, BufferId::none(), b);
        else
            w.paper(11).reduceMax(m, scale, mTilde, mOld, b); // m = max(m_old, m~), e^(m_old - m)
        w.paper(11).reduceMax(mTilde, beta, m, mTilde, b); // e^(m~ - m)
        w.paper(11).rescaleOne(lTilde, beta, b);
        if (b.first) {
            w.paper(11).reduceSum(l, lTilde, BufferId::none(), BufferId::none(), b, false);
        } else {
            if (qOuter)
                w.reduceSum(lOld, l, BufferId::none(), BufferId::none(), b, false); // kept aside: O needs it too
            w.paper(11).rescaleOne(lOld, scale, b);
            w.paper(11).reduceSum(
                l, lTilde, lOld, BufferId::none(), b, false); // l = e^(m_old - m) l_old + e^(m~ - m) l~
        }
        w.paper(12).rescaleOne(PV, beta, b);
        update(w, b);
    }

    // O = (l_old e^(m_old - m) O_old + e^(m~ - m) P V) / l; or, divided only at the end, e^(m_old - m) O_old + …
    void update(Warp& w, const VisitedBlock& b)
    {
        if (b.first)
            w.paper(12).reduceSum(O, PV, BufferId::none(), BufferId::none(), b, !divideNow);
        else
            w.paper(12).reduceSum(O, PV, oOld, divideNow ? lOld : scale, b, !divideNow);
        if (divideNow)
            w.paper(12).normaliseStep(O, lse, l, m, b);
    }

    void finish(Warp& w)
    {
        if (!divideNow)
            w.paper(12).normalise(O, lse, l, m);
        w.convert(O);
        w.paper(12).store(TensorId::O, O);
        w.paper(13).store(TensorId::Lse, lse);
    }

    void keep(Warp& w, const VisitedBlock& b)
    {
        if (b.last) {
            finish(w);
            return;
        }
        w.paper(12).store(TensorId::OTmp, O);
        w.paper(13).store(TensorId::L, l);
        w.paper(13).store(TensorId::M, m);
    }

    const Problem& p;
    Launch grid;
    int tiles, blocks;
    bool qOuter, divideNow;
    std::vector<std::vector<VisitedBlock>> visits; // by query tile
    BufferId Q, K, V, S, P, PV, O, oOld, mTilde, lTilde, mOld, lOld, m, l, scale, beta, lse;
    BarrierId all;
    WaitId landed, visible, read;
};

} // namespace

void fa1PaperForward(Kernel& kernel)
{
    kernel.setSource("core/algorithms/fa1_paper.cpp");
    Fa1Paper(kernel).run();
}

// Bc = ceil(M / 4 d), Br = min(Bc, d), with M the elements that SRAM holds; rounded to what the tensor cores take, and
// no wider than a tile may be.
Result<KernelTable> fa1PaperTable(const TableQuery& query)
{
    const int d = paddedHeadDim(query.problem.headDim);
    const Bytes elements = query.smemPerSm / bytesOf(query.problem.costedDtype());
    const int Bc = std::clamp(static_cast<int>(elements / (4 * d)) / 64 * 64, 64, 512);
    const int Br = std::max(64, std::min(Bc, d) / 64 * 64);
    return KernelTable { { Br, Bc }, 4, 1 };
}

} // namespace flashstep
