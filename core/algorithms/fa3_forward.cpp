// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/fa3_parts.h"
#include "core/algorithms/tables.h"

#include <string>

namespace flashstep {

namespace {

// FlashAttention-3, forward. A producer warp brings K and V through two rings by TMA, V one block behind K; two or
// three consumer warpgroups own 64 query rows each and compute with WGMMA, which runs on its own. Two overlaps hide the
// softmax: the warpgroups take turns on the tensor cores (ping-pong), and within one of them the softmax of block j
// runs beside O += P V of block j - 1. Paper: arXiv:2407.08608; kernel: hopper/mainloop_fwd_sm90_tma_gmma_ws.hpp.
class Fa3Forward : private Fa3Parts {
public:
    explicit Fa3Forward(Kernel& kernel)
        : Fa3Parts(kernel)
    {
    }

    void run()
    {
        grid.setSchedule(c.schedule, c.cluster, c.stages);
        grid.overQueryTiles([this](CtaScope& cta) { tile(cta); }, c.order);
    }

private:
    // ---- one work tile ----------------------------------------------------------------------------------------------

    void tile(CtaScope& cta)
    {
        blocks = grid.blocksRightToLeft(cta.i);
        if (c.specialised)
            cta.role("producer", 0, 0, [this](Warp& w) { producer(w); });
        for (int k = 1; c.transposesV && k < transposers; ++k)
            cta.role(producerWarp(k), 0, 0, [this, k](Warp& w) { transposer(w, k); });
        for (int w = 0; w < c.consumers; ++w)
            cta.role(consumer(w + 1), w, c.consumers, [this, w](Warp& warp) { consume(warp, w); });
        cta.role("store warp", 0, 0, [this](Warp& w) { storeO(w); });
    }

    [[nodiscard]] int count() const { return static_cast<int>(blocks.size()); }
    [[nodiscard]] const VisitedBlock& block(int u) const { return blocks[static_cast<std::size_t>(u)]; }

    // ---- producer ---------------------------------------------------------------------------------------------------

    void producer(Warp& w)
    {
        if (c.persistent())
            w.paper(3).setRegisters();
        if (blocks.empty()) { // only the number of the next tile
            if (c.dynamic())
                w.fetchTile();
            handOverTile(w);
            return;
        }
        if (c.transposesV)
            loadVt(w, 0);
        loadK(w, 0);
        if (c.persistent())
            w.sync(queryEmpty, qFree);
        loadQ(w);
        if (c.persistent())
            w.wait(barrierO, -1, oGone);
        if (c.transposesV) {
            loadAndTranspose(w);
            return;
        }
        if (!c.overlap)
            loadV(w, 0);
        for (int u = 1; u < count(); ++u) {
            loadK(w, u);
            loadV(w, c.overlap ? u - 1 : u); // with the overlap V is needed one block later than K
        }
        if (c.dynamic())
            w.fetchTile();
        if (c.overlap)
            loadV(w, count() - 1);
        handOverTile(w);
        if (c.persistent())
            w.once(When::Last).wait(barrierO, 0, oGone);
    }

    // 8-bit operands: V is turned round one block behind the loads, by all four warps of the producer.
    void loadAndTranspose(Warp& w)
    {
        for (int u = 1; u < count(); ++u) {
            loadVt(w, u);
            loadK(w, u);
            transposeV(w, u - 1, 0);
        }
        if (c.dynamic())
            w.fetchTile();
        transposeV(w, count() - 1, 0);
        handOverTile(w);
        if (c.persistent())
            w.once(When::Last).wait(barrierO, 0, oGone);
    }

    // The producer's other warps: they only transpose, and read which tile comes next.
    void transposer(Warp& w, int index)
    {
        if (c.persistent())
            w.paper(3).setRegisters();
        if (c.dynamic())
            w.once(When::First).arrive(idEmpty, 32);
        if (c.persistent() && !blocks.empty())
            w.wait(barrierO, -1, oGone);
        for (int u = 0; u < count(); ++u)
            transposeV(w, u, index);
        if (!c.dynamic())
            return;
        w.sync(idFull, idThere);
        w.readTile(nextTile);
        w.arrive(idEmpty, 32);
    }

    void loadVt(Warp& w, int u)
    {
        w.paper(7).waitEmpty(Vt, u, vtFree);
        w.expect(w.fullOf(Vt, u));
        w.paper(8).copyTile(w.slot(Vt, u), TensorId::V, block(u).j, w.fullOf(Vt, u), c.via(), c.multicast());
    }

    // WGMMA reads 8-bit operands only with the dimension that is summed over contiguous: for P V, the keys.
    void transposeV(Warp& w, int u, int index)
    {
        w.waitFull(Vt, u, vtLanded);
        w.waitEmpty(V, u, vFree);
        w.transposeShared(w.slot(V, u), w.slot(Vt, u), block(u).j, index, transposers);
        w.fence();
        w.arrive(w.fullOf(V, u), 32);
        w.sync(transposed, vtRead);
        if (index == 0)
            w.release(Vt, u, 1, c.reach());
    }

    void loadQ(Warp& w)
    {
        if (c.tma)
            w.expect(barrierQ);
        w.paper(4).copyTile(Q, TensorId::Q, -1, barrierQ, c.via(), false);
    }

    void loadK(Warp& w, int u)
    {
        w.paper(7).waitEmpty(K, u, kFree);
        if (c.tma)
            w.expect(w.fullOf(K, u));
        w.paper(8).copyTile(w.slot(K, u), TensorId::K, block(u).j, w.fullOf(K, u), c.via(), c.multicast());
    }

    void loadV(Warp& w, int u)
    {
        w.paper(7).waitEmpty(V, u, vFree);
        if (c.tma)
            w.expect(w.fullOf(V, u));
        w.paper(8).copyTile(w.slot(V, u), TensorId::V, block(u).j, w.fullOf(V, u), c.via(), c.multicast());
    }

    void handOverTile(Warp& w)
    {
        if (!c.dynamic())
            return;
        w.sync(idEmpty, idRead);
        w.publishTile(nextTile);
        w.arrive(idFull, c.loadThreads());
    }

    // ---- consumers --------------------------------------------------------------------------------------------------

    void consume(Warp& w, int index)
    {
        if (c.persistent())
            w.paper(1).setRegisters();
        if (c.persistent())
            w.once(When::First).arrive(queryEmpty, warpgroup);
        if (c.pingPong && index == 0) // the first turn is the first warpgroup's
            w.once(When::First).arrive(turnOf[0], warpgroup);
        if (c.dynamic())
            w.once(When::First).arrive(idEmpty, warpgroup);
        if (blocks.empty()) { // no key is visible: O = 0, LSE = -inf
            readTileNumber(w);
            w.normalise(O, lse, BufferId::none(), BufferId::none());
            w.store(TensorId::O, O);
            w.store(TensorId::Lse, lse);
            return;
        }
        if (!c.specialised && index == 0)
            fillRings(w);
        w.paper(3).wait(barrierQ, 0, qLanded);
        if (c.overlap)
            overlapped(w, index);
        else
            oneAfterTheOther(w, index);
        epilogue(w);
    }

    // Without a producer the first warpgroup issues the copies between its own work.
    void fillRings(Warp& w)
    {
        loadQ(w);
        for (int u = 0; u < std::min(c.stages, count()); ++u) {
            loadK(w, u);
            loadV(w, u);
        }
    }

    void releaseK(Warp& w, int u, int index)
    {
        w.paper(c.overlap ? 15 : 22).release(K, u, 1, c.reach());
        if (!c.specialised && index == 0 && u + c.stages < count())
            loadK(w, u + c.stages);
    }

    void releaseV(Warp& w, int u, int index)
    {
        giveBackV(w.paper(c.overlap ? 15 : 22), u);
        refillV(w, u, index);
    }

    void giveBackV(Warp& w, int u)
    {
        if (c.transposesV) // every thread arrives, and the stage is this CTA's alone
            w.release(V, u, warpgroup, Reach::Own);
        else
            w.release(V, u, 1, c.reach());
    }

    void refillV(Warp& w, int u, int index)
    {
        if (!c.specialised && index == 0 && u + c.stages < count())
            loadV(w, u + c.stages);
    }

    // m, exp2 of the scores, l; the rescale of O follows when nothing writes O any more.
    void softmax(Warp& w, const VisitedBlock& b)
    {
        if (b.masked)
            w.mask(S, b);
        const int ofMax = c.overlap ? 13 : 18; // lines of Algorithm 2, of Algorithm 1
        const int ofP = c.overlap ? 13 : 19;
        w.paper(ofMax).rowMax(m, scale, S, b); // m' = max(m, rowmax S), scale = exp2((m - m') c)
        if (!b.first)
            w.paper(ofP).rescaleOne(l, scale, b); // l = scale l
        w.paper(ofP).exp2(S, S, m, b); // exp2(S c - m' c)
        w.paper(ofP).rowSum(l, S, b); // l = l + rowsum, before P is rounded
    }

    // P as the A operand of the next product.
    void makeP(Warp& w, const VisitedBlock& b)
    {
        w.convertTo(P, S, b);
        if (!c.pInSmem)
            return;
        w.stage(sP, P, b.j);
        w.fence();
    }

    [[nodiscard]] BufferId operandP() const { return c.pInSmem ? sP : P; }

    void takeTurn(Warp& w, int index)
    {
        if (c.pingPong)
            w.sync(turnOf[static_cast<std::size_t>(index)], turn[static_cast<std::size_t>(index)]);
    }

    void passTurn(Warp& w, int index)
    {
        if (c.pingPong)
            w.arrive(turnOf[static_cast<std::size_t>((index + 1) % c.consumers)], warpgroup);
    }

    // Softmax of a block beside the product with V of the block before.
    void overlapped(Warp& w, int index)
    {
        const bool waits = !c.pingPong || index == 0; // the others are told by the turn
        w.paper(3).waitFull(K, 0, kLandedFirst);
        w.paper(4).async().mmaTransposed(S, Q, w.slot(K, 0), block(0)); // S = Q Kᵀ
        w.paper(4).waitMma(0, firstReady);
        releaseK(w, 0, index);
        softmax(w, block(0));
        makeP(w, block(0));

        for (int u = 1; u < count(); ++u) {
            if (waits)
                w.paper(8).waitFull(K, u, kLanded);
            takeTurn(w, index);
            w.paper(9).async().mmaTransposed(S, Q, w.slot(K, u), block(u)); // S of the next block
            if (c.rescaleFirst && u > 1)
                w.rescaleOne(O, scale, block(u - 1));
            if (waits)
                w.paper(10).waitFull(V, u - 1, vLanded);
            w.paper(11).async().mma(O, operandP(), w.slot(V, u - 1), block(u - 1)); // O = O + P V of this one
            passTurn(w, index);
            w.paper(12).waitMma(1, sReady);
            releaseK(w, u, index);
            softmax(w, block(u));
            w.paper(14).waitMma(0, oReady);
            releaseV(w, u - 1, index);
            makeP(w, block(u));
            if (!c.rescaleFirst)
                w.paper(14).rescaleOne(O, scale, block(u)); // O = scale O
        }

        const int last = count() - 1;
        if (c.persistent())
            w.arrive(queryEmpty, warpgroup);
        if (c.rescaleFirst && last > 0)
            w.rescaleOne(O, scale, block(last));
        w.paper(18).waitFull(V, last, vLandedLast);
        w.paper(19).async().mma(O, operandP(), w.slot(V, last), block(last));
        w.paper(20).normalise(BufferId::none(), lse, l, m); // LSE = m scale + ln l, while the product runs
        w.paper(19).waitMma(0, oReadyLast);
        releaseV(w, last, index);
        w.paper(20).normalise(O, BufferId::none(), l, m); // O = O / l
    }

    // Every block whole before the next; only the warpgroups overlap.
    void oneAfterTheOther(Warp& w, int index)
    {
        takeTurn(w, index);
        for (int u = 0; u < count(); ++u) {
            w.paper(16).waitFull(K, u, kLanded);
            w.paper(17).async().mmaTransposed(S, Q, w.slot(K, u), block(u));
            passTurn(w, index);
            if (u > 0)
                refillV(w, u - 1, index); // not before: the others read that V in their turns
            w.paper(17).waitMma(0, sReady);
            releaseK(w, u, index);
            softmax(w, block(u));
            makeP(w, block(u));
            if (u > 0)
                w.paper(21).rescaleOne(O, scale, block(u));
            w.paper(20).waitFull(V, u, vLanded);
            takeTurn(w, index);
            w.paper(21).async().mma(O, operandP(), w.slot(V, u), block(u));
            w.paper(21).waitMma(0, oReady);
            giveBackV(w.paper(22), u);
        }
        passTurn(w, index);
        if (c.persistent())
            w.arrive(queryEmpty, warpgroup);
        w.paper(24).normalise(O, lse, l, m);
    }

    void readTileNumber(Warp& w)
    {
        if (!c.dynamic())
            return;
        w.sync(idFull, idThere);
        w.readTile(nextTile);
        w.arrive(idEmpty, warpgroup);
    }

    void epilogue(Warp& w)
    {
        readTileNumber(w);
        w.convert(O);
        w.sync(epilogueRead, vRead);
        w.stage(sO, O);
        w.fence();
        w.arrive(epilogueStaged, warpgroup);
        w.paper(c.overlap ? 20 : 25).store(TensorId::Lse, lse);
    }

    void storeO(Warp& w)
    {
        if (blocks.empty())
            return;
        w.sync(epilogueStaged, oStaged);
        w.paper(c.overlap ? 20 : 25).storeTile(TensorId::O, sO);
        w.commitStores();
        w.waitStores(0, oReadOut);
        if (c.persistent())
            w.arrive(barrierO, 1, c.reach());
    }

    std::vector<VisitedBlock> blocks; // of the tile being recorded
};

} // namespace

void fa3Forward(Kernel& kernel)
{
    Fa3Forward(kernel).run();
}

} // namespace flashstep
