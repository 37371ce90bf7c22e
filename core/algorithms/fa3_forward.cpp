// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/fa3_setting.h"
#include "core/algorithms/tables.h"

#include <algorithm>
#include <string>

namespace flashstep {

namespace {

constexpr int warpgroup = 128; // threads
constexpr int transposers = 4; // warps of the producer, where it transposes V

// FlashAttention-3, forward. A producer warp brings K and V through two rings by TMA, V one block behind K; two or
// three consumer warpgroups own 64 query rows each and compute with WGMMA, which runs on its own. Two overlaps hide the
// softmax: the warpgroups take turns on the tensor cores (ping-pong), and within one of them the softmax of block j
// runs beside O += P V of block j - 1. Paper: arXiv:2407.08608; kernel: hopper/mainloop_fwd_sm90_tma_gmma_ws.hpp.
class Fa3Forward {
public:
    explicit Fa3Forward(Kernel& kernel)
        : p(kernel.problem())
        , c(fa3SettingOf(kernel))
        , grid(kernel.launch("fa3_forward", c.threads() / 32, 0, c.registers()))
        , Bc(kernel.tile().keys)
    {
        declareMemory(kernel);
        declareRoles();
        declareBarriers();
    }

    void run()
    {
        grid.setSchedule(c.schedule, c.cluster, c.stages);
        grid.overQueryTiles([this](CtaScope& cta) { tile(cta); }, c.order);
    }

private:
    // ---- what there is ----------------------------------------------------------------------------------------------

    void declareMemory(Kernel& kernel)
    {
        using Tile = Launch::Tile;
        const int releases = c.consumers * c.cluster; // one arrival of each consumer warpgroup that reads the stage
        const int copyThreads = c.tma ? 0 : warpgroup; // that make a tile by cp.async
        Q = grid.smem("Q", Tile::Query, p.headDim, p.dtype);
        K = grid.ring("pipeline_k", "K", Tile::Key, p.headDim, p.dtype, c.stages, copyThreads, releases);
        if (c.transposesV) { // its stages are filled, and emptied, by all threads of this CTA
            Vt = grid.ring("pipeline_vt", "Vt", Tile::Key, p.headDimV, p.dtype, c.stages, 0, c.cluster);
            V = grid.ring(
                "pipeline_v", "V", Tile::Key, p.headDimV, p.dtype, c.stages, warpgroup, c.consumers * warpgroup);
        } else {
            V = grid.ring("pipeline_v", "V", Tile::Key, p.headDimV, p.dtype, c.stages, copyThreads, releases);
        }
        if (c.pInSmem)
            sP = grid.smem("sP", Tile::Pair, Bc, p.dtype);
        sO = grid.smemAlias(
            "sO", Tile::Query, V.buffers.front(), p.headDimV, p.outputDtype()); // O leaves through V's memory
        const TileSize cost = kernel.costTile();
        grid.needSmem(std::max(0, cost.rows * p.outputBytes() - c.stages * cost.keys * p.operandBytes())
            * Bytes { paddedHeadDim(p.headDimV) });
        if (c.dynamic())
            nextTile = grid.smemScratch("tile id", 1, 1);
        S = grid.registers("S", Tile::Pair, Bc); // the scores, then exp2 of them in place
        P = grid.registers("P", Tile::Pair, Bc, p.dtype); // the A operand
        O = grid.registers("O", Tile::Query, p.headDimV);
        m = grid.registers("m", Tile::Query, 1);
        l = grid.registers("l", Tile::Query, 1);
        scale = grid.registers("scale", Tile::Query, 1);
        lse = grid.registers("LSE", Tile::Query, 1);
    }

    void declareRoles()
    {
        if (c.specialised && !c.transposesV)
            grid.declareRole("producer", c.producerThreads / 32, 0, c.producerRegisters);
        for (int w = 0; c.transposesV && w < transposers; ++w) // each waits, transposes and arrives for itself
            grid.declareRole(producerWarp(w), 1, w, c.producerRegisters);
        for (int w = 1; w <= c.consumers; ++w)
            grid.declareRole(consumer(w), 4, 0, c.consumerRegisters);
        // The last warp of the last warpgroup: it waits for the staged O by itself.
        grid.declareRole("store warp", 1, 3, c.consumerRegisters);
    }

    void declareBarriers()
    {
        const int mma = c.consumers * warpgroup;
        const int copyThreads = c.tma ? 0 : warpgroup; // that make a tile by cp.async
        const int qBytes = grid.tile().rows * p.headDim * bytesOf(p.costedDtype());
        barrierQ = grid.mbarrier("barrier_Q", c.tma ? "bytes" : "threads", c.tma ? qBytes : copyThreads);
        qLanded = grid.wait("barrier_Q", barrierQ, "Q has landed in SMEM");
        kLandedFirst = grid.wait("K_landed_first", "pipeline_k.full", "the first K block has landed in SMEM");
        kLanded = grid.wait("K_landed", "pipeline_k.full", "K of the next block has landed in SMEM");
        vLanded = grid.wait("V_landed", "pipeline_v.full", "V of the block before has landed in SMEM");
        vLandedLast = grid.wait("V_landed_last", "pipeline_v.full", "V of the last block has landed in SMEM");
        kFree = grid.wait("K_free", "pipeline_k.empty", "every consumer has read the stage K goes to");
        if (c.transposesV) {
            vtLanded = grid.wait("Vt_landed", "pipeline_vt.full", "V as it lies in HBM has landed in SMEM");
            transposed = grid.namedBarrier("TransposeBarrier", warpgroup);
            vtRead = grid.wait("TransposeBarrier", transposed,
                "every warp of the producer has read its share of V before the stage is given back");
            vtFree = grid.wait("Vt_free", "pipeline_vt.empty",
                "the producers of the cluster have transposed the V whose stage the next one goes to",
                { "TransposeBarrier" });
        }
        vFree = grid.wait("V_free", "pipeline_v.empty", "every consumer has read the stage V goes to");
        firstReady = grid.wait("S_ready_first", BarrierId::none(), "S of the first block is in the registers");
        sReady = grid.wait("S_ready", BarrierId::none(),
            "S of the next block is in the registers (wgmma wait<1>: the product with V may still run)");
        oReady = grid.wait("O_ready", BarrierId::none(), "the product with V is in O; P and the stage of V are free");
        oReadyLast = grid.wait("O_ready_last", BarrierId::none(), "the last product with V is in O");
        epilogueRead = grid.namedBarrier("EpilogueBarrier.v_read", mma);
        epilogueStaged = grid.namedBarrier("EpilogueBarrier.o_staged", mma + 32);
        vRead = grid.wait("EpilogueBarrier_v_read", epilogueRead,
            "every warpgroup has read the V that O is about to overwrite",
            c.dynamic() ? std::vector<std::string> { "StreamkBarrier1" } : std::vector<std::string> {});
        oStaged = grid.wait("EpilogueBarrier_o_staged", epilogueStaged, "every warpgroup's rows of O are in SMEM");
        oReadOut = grid.wait("O_read_out", BarrierId::none(), "the bulk store has read O out of SMEM");
        if (c.persistent()) {
            queryEmpty = grid.namedBarrier("QueryEmpty", mma + c.loadThreads());
            qFree = grid.wait("QueryEmpty", queryEmpty, "Q of the tile before has been read by every consumer",
                c.stages == 1 ? std::vector<std::string> { "K_free" } : std::vector<std::string> {});
            barrierO = grid.mbarrier("barrier_O", "arrivals", c.cluster);
            oGone = grid.wait("barrier_O", barrierO, "O of the tile before has left the memory of V");
        }
        for (int w = 1; c.pingPong && w <= c.consumers; ++w) {
            const std::string name = "WarpSchedulerWG" + std::to_string(w);
            turnOf.push_back(grid.namedBarrier(name, 2 * warpgroup));
            turn.push_back(grid.wait(name, turnOf.back(),
                w == 1
                    ? "its turn on the tensor cores: the last warpgroup has issued its products"
                    : "its turn on the tensor cores: the warpgroup before has issued its products, and has seen that K "
                      "and V are there",
                w == 1 && (c.stages == 1 || !c.specialised) ? std::vector<std::string> { "K_free" }
                                                            : std::vector<std::string> {}));
        }
        if (c.dynamic()) {
            idEmpty = grid.namedBarrier("StreamkBarrier0", mma + c.producerThreads);
            idFull = grid.namedBarrier("StreamkBarrier1", mma + c.producerThreads);
            idRead = grid.wait(
                "StreamkBarrier0", idEmpty, "every consumer has read the number of this tile", { "barrier_O" });
            idThere = grid.wait("StreamkBarrier1", idFull, "the number of the next tile is in SMEM");
        }
    }

    static std::string producerWarp(int w) { return w == 0 ? "producer" : "producer warp " + std::to_string(w); }
    static std::string consumer(int w) { return "consumer " + std::to_string(w); }

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
        w.paper(13).rowMax(m, scale, S, b); // m' = max(m, rowmax S), scale = exp2((m - m') c)
        if (!b.first)
            w.paper(13).rescaleOne(l, scale, b); // l = scale l
        w.paper(13).exp2(S, S, m, b); // exp2(S c - m' c)
        w.paper(13).rowSum(l, S, b); // l = l + rowsum, before P is rounded
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
        w.paper(20).store(TensorId::Lse, lse);
    }

    void storeO(Warp& w)
    {
        if (blocks.empty())
            return;
        w.sync(epilogueStaged, oStaged);
        w.paper(20).storeTile(TensorId::O, sO);
        w.commitStores();
        w.waitStores(0, oReadOut);
        if (c.persistent())
            w.arrive(barrierO, 1, c.reach());
    }

    const Problem& p;
    Fa3Setting c;
    Launch grid;
    int Bc;
    std::vector<VisitedBlock> blocks; // of the tile being recorded

    BufferId Q, sP, sO, nextTile, S, P, O, m, l, scale, lse;
    Ring K, V, Vt;
    BarrierId barrierQ, barrierO, queryEmpty, epilogueRead, epilogueStaged, idEmpty, idFull, transposed;
    std::vector<BarrierId> turnOf;
    WaitId qLanded, kLandedFirst, kLanded, vLanded, vLandedLast, kFree, vFree, firstReady, sReady, oReady, oReadyLast,
        vRead, oStaged, oReadOut, qFree, oGone, idRead, idThere, vtLanded, vtRead, vtFree;
    std::vector<WaitId> turn;
};

} // namespace

void fa3Forward(Kernel& kernel)
{
    Fa3Forward(kernel).run();
}

} // namespace flashstep
