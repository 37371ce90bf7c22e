// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/fa4_d256.h"
#include "core/algorithms/fa4_setting.h"
#include "core/algorithms/tables.h"

#include <string>
#include <vector>

namespace flashstep {

namespace {

constexpr int warpgroup = 128; // threads

// FlashAttention-4, forward, on Blackwell. A CTA keeps two query tiles. One thread issues all products to the tensor
// cores, whose accumulators S and O lie in tensor memory; each tile has a softmax warpgroup, one thread to a row, that
// writes P over S. O is rescaled by a third warpgroup, off the critical path, and only where a row's maximum has
// outgrown its reference by more than a threshold. While one tile's softmax runs, the tensor cores work on the other.
// Kernel: flash_attn/cute/flash_fwd_sm100.py; paper: arXiv:2603.05451.
class Fa4Forward {
public:
    Fa4Forward(Kernel& kernel, const Fa4Setting& setting)
        : p(kernel.problem())
        , c(setting)
        , grid(kernel.launch("fa4_forward", 16, 0, 128))
        , Br(kernel.tile().rows)
        , Bc(kernel.tile().keys)
    {
        grid.setPackedMath();
        grid.setSchedule(c.schedule, c.stride(), c.stages);
        grid.setQueryTiles(c.queryStages, c.pair);
        declareRoles();
        declareMemory(kernel);
        declareBarriers();
        declareWaits();
    }

    void run()
    {
        grid.overQueryTiles([this](CtaScope& cta) { work(cta); }, c.order, Bytes { 50 } * 1024 * 1024);
    }

private:
    // ---- what there is ----------------------------------------------------------------------------------------------

    // What belongs to one of the query tiles.
    struct Tile {
        BufferId Q, sO, sScale, sMax; // SMEM: sScale is the factor of a block, then l
        BufferId S, P, O; // tensor memory
        BufferId rS, rP, m, l, scale; // registers of its softmax warpgroup
        BufferId rO, rl, rm, lse; // registers of the correction warpgroup
        BarrierId qFull, qEmpty, sFull, pAndO, lastSplit, oFinal, statsEmpty, statsFull, epiFull, epiEmpty;
    };

    void declareRoles()
    {
        for (int s = 0; s < c.queryStages; ++s)
            grid.declareRole(softmaxOf(s), 4, 4 * s, c.softmaxRegisters);
        grid.declareRole("correction", 4, 8, c.correctionRegisters);
        grid.declareRole("mma", 1, 12, c.otherRegisters);
        grid.declareRole("epilogue", 1, 13, c.otherRegisters);
        grid.declareRole("load", c.qByTma ? 1 : 2, 14, c.otherRegisters);
    }

    void declareMemory(Kernel& kernel)
    {
        using Place = Launch::Tile;
        const TileSize cost = kernel.costTile();
        const int dv = (p.headDimV + 15) / 16 * 16;
        const int element = bytesOf(p.costedDtype());
        tiles.resize(static_cast<std::size_t>(c.queryStages));
        const auto each = [&](auto declare) {
            for (int s = 0; s < c.queryStages; ++s)
                declare(tiles[static_cast<std::size_t>(s)], std::to_string(s), s);
        };
        each([&](Tile& t, const std::string& s, int) { t.Q = grid.smem("Q" + s, Place::Query, p.headDim, p.dtype); });
        ring = grid.sharedRing("pipeline_kv", c.stages, c.pair, Via::Tma, 0, slotPlaces());
        if (c.unevenSlots)
            grid.needSmem(Bytes { cost.keys } * (2 * p.headDim + p.headDimV) * element);
        each([&](Tile& t, const std::string& s, int) {
            t.sO = c.oInQ ? grid.smemAlias("sO" + s, Place::Query, t.Q, p.headDimV, p.outputDtype())
                          : grid.smem("sO" + s, Place::Query, p.headDimV, p.outputDtype());
            t.sScale = grid.smemScratch("sScale" + s, Br, 1);
            t.sMax = grid.smemScratch("sMax" + s, Br, 1);
        });
        tmemAddress = grid.smemScratch("tmem_ptr", 1, 1);
        // S of every tile, then O; P over the second half of its S.
        const int n = c.queryStages;
        each([&](Tile& t, const std::string& s, int k) {
            t.S = grid.tmem("S" + s, Place::Pair, Bc, DType::Fp32, { k * Bc, k * cost.keys, cost.keys });
            t.P = grid.tmem("P" + s, Place::Pair, Bc, p.dtype,
                { k * Bc + Bc / 2, k * cost.keys + cost.keys / 2, cost.keys * element / 4, element });
        });
        each([&](Tile& t, const std::string& s, int k) {
            t.O = grid.tmem(
                "O" + s, Place::Query, p.headDimV, DType::Fp32, { n * Bc + k * dv, n * cost.keys + k * dv, dv });
        });
        each([&](Tile& t, const std::string& s, int) {
            t.rS = grid.registers("rS" + s, Place::Pair, Bc); // the scores, then exp2 of them in place
            t.rP = grid.registers("rP" + s, Place::Pair, Bc, p.dtype);
            t.m = grid.registers("m" + s, Place::Query, 2); // the reference in use; the true maximum
            t.l = grid.registers("l" + s, Place::Query, 1);
            t.scale = grid.registers("scale" + s, Place::Query, 1);
            t.rO = grid.registers("rO" + s, Place::Query, p.headDimV);
            t.rl = grid.registers("rl" + s, Place::Query, 1);
            t.rm = grid.registers("rm" + s, Place::Query, 1);
            t.lse = grid.registers("LSE" + s, Place::Query, 1);
        });
        address = grid.registers("tmem", Place::Query, 1);
        each([&](Tile& t, const std::string&, int s) {
            for (const BufferId buffer :
                { t.Q, t.sO, t.sScale, t.sMax, t.S, t.P, t.O, t.rS, t.rP, t.m, t.l, t.scale, t.rO, t.rl, t.rm, t.lse })
                grid.belongsTo(buffer, s * c.stride());
        });
    }

    // Three slots of which the second holds V first, then K: what K needs more it takes from the slot before.
    [[nodiscard]] std::vector<Launch::SlotPlace> slotPlaces() const
    {
        if (!c.unevenSlots)
            return {};
        const Bytes k = Bytes { Bc } * p.headDim;
        const Bytes v = Bytes { Bc } * p.headDimV;
        return { { 0, 0 }, { v, k }, { k + v, k + v } };
    }

    void declareBarriers()
    {
        const int ctas = c.pair ? 2 : 1;
        const int qBytes = Br * p.headDim * bytesOf(p.costedDtype()) * ctas;
        // The warps of a softmax warpgroup and of the correction meet one by one.
        std::vector<BarrierId> warpStats;
        for (int w = 0; w < 4 * c.queryStages; ++w)
            warpStats.push_back(grid.namedBarrier("SoftmaxStatsW" + std::to_string(w), 64));
        for (int s = 0; s < c.queryStages; ++s) {
            Tile& t = tiles[static_cast<std::size_t>(s)];
            const auto barrier = [&](const std::string& family, const std::string& unit, int count) {
                return grid.mbarrier(family + "[" + std::to_string(s) + "]", unit, count, family);
            };
            t.qFull = barrier("pipeline_q.full", c.qByTma ? "bytes" : "threads", c.qByTma ? qBytes : c.loadThreads());
            if (c.persistent())
                t.qEmpty = barrier("pipeline_q.empty", "arrivals", 1);
            t.sFull = barrier("pipeline_s_p_o.full", "arrivals", 1);
            t.pAndO = barrier("pipeline_s_p_o.empty", "threads", 2 * warpgroup * ctas);
            t.lastSplit = barrier("pipeline_p_lastsplit.full", "arrivals", 4 * ctas);
            t.oFinal = barrier("pipeline_o_acc.full", "arrivals", 1);
            t.statsFull = warpStats[static_cast<std::size_t>(4 * s)];
            t.statsEmpty = barrier("pipeline_sm_stats.empty", "threads", warpgroup);
            if (c.oByTma)
                t.epiFull = barrier("pipeline_o_epi.full", "threads", warpgroup);
            if (c.oByTma && c.persistent())
                t.epiEmpty = barrier("pipeline_o_epi.empty", "threads", 32);
        }
        if (c.oInQ && c.persistent())
            loadEpi = grid.mbarrier("pipeline_load_epi.full", "arrivals", 1);
        tmemPtr = grid.namedBarrier("TmemPtr", 32 + warpgroup * (c.queryStages + 1));
    }

    void declareWaits()
    {
        const BarrierId none = BarrierId::none();
        const Tile& t = tiles.front();
        tmemThere = grid.wait("TmemPtr", tmemPtr, "tensor memory is allocated and its address is in SMEM");
        tmemDone = grid.wait("TmemPtr_free", tmemPtr, "nobody reads tensor memory any more: it can be given back");
        slotFree = grid.wait("KV_free", "pipeline_kv.empty", "the product that read this slot of K or V is done");
        if (c.unevenSlots)
            nextSlotFree = grid.wait(
                "KV_next_free", "pipeline_kv.empty", "the K whose beginning lies in this slot's memory has been read");
        // O of the tile before has left: whatever came before that is over too.
        const std::vector<std::string> byO
            = loadEpi.valid() ? std::vector<std::string> { "sO_left_sQ" } : std::vector<std::string> {};
        if (c.persistent())
            qFree = grid.wait("Q_free", t.qEmpty, "every product with the Q of the tile before is done", byO);
        if (loadEpi.valid())
            qMemoryFree = grid.wait("sO_left_sQ", loadEpi, "O of this tile has left the memory of Q");
        qLanded = grid.wait("Q_landed", t.qFull, "Q has landed in SMEM");
        kLanded = grid.wait("K_landed", "pipeline_kv.full", "K of the next block has landed in SMEM");
        vLanded = grid.wait("V_landed", "pipeline_kv.full", "V of the block has landed in SMEM");
        pAndO = grid.wait("P_and_O_ready", t.pAndO,
            "three quarters of P are in tensor memory, and O has been rescaled (or found to need it not)");
        lastSplit = grid.wait("P_last_split", t.lastSplit, "the last quarter of P is in tensor memory");
        sReady = grid.wait("S_ready", t.sFull, "S of the block is in tensor memory");
        statsFree
            = grid.wait("Stats_free", t.statsEmpty, "the correction warps have read the factor of the block before");
        if (c.persistent())
            statsFreeFirst = grid.wait(
                "Stats_free_first", t.statsEmpty, "the correction warps have read l and m of the tile before", byO);
        statsGo = grid.wait("SoftmaxStats_first", t.statsFull, "the softmax warp has begun the tile");
        stats = grid.wait("SoftmaxStats", t.statsFull, "the softmax warp has left the factor of the block");
        statsLast = grid.wait("SoftmaxStats_last", t.statsFull, "the softmax warp has left l and m of the tile");
        oFinal = grid.wait("O_final", t.oFinal, "the last product with V is in O");
        if (c.oByTma && c.persistent())
            stagingFree
                = grid.wait("sO_free", t.epiEmpty, "the bulk store has read O of the tile before out of SMEM", byO);
        if (c.oByTma)
            oStaged = grid.wait("O_staged", t.epiFull, "O of the tile is in SMEM");
        if (c.oByTma)
            oReadOut = grid.wait("O_read_out", none, "the bulk store has read O out of SMEM");
    }

    static std::string softmaxOf(int s) { return "softmax" + std::to_string(s); }
    // ---- one work tile ----------------------------------------------------------------------------------------------

    void work(CtaScope& cta)
    {
        blocks = grid.blocksRightToLeft(cta.i);
        if (blocks.empty()) // no key is visible: a block is processed all the same, and all of it is masked
            blocks.push_back({ 0, 1, true, true, true, 0 });
        rank = cta.rank;
        cta.role("load", 0, 0, [this](Warp& w) { load(w); });
        cta.role("mma", 0, 0, [this](Warp& w) { mma(w); });
        for (int s = 0; s < c.queryStages; ++s)
            cta.role(softmaxOf(s), 0, 0, [this, s](Warp& w) { softmax(w.ofTile(s * c.stride()), tile(s)); });
        cta.role("correction", 0, 0, [this](Warp& w) { correct(w); });
        cta.role("epilogue", 0, 0, [this](Warp& w) { storeO(w); });
    }

    [[nodiscard]] int count() const { return static_cast<int>(blocks.size()); }
    [[nodiscard]] const VisitedBlock& block(int u) const { return blocks[static_cast<std::size_t>(u)]; }
    [[nodiscard]] const Tile& tile(int s) const { return tiles[static_cast<std::size_t>(s)]; }
    static int useOfK(int u) { return 2 * u; } // of the ring: K and V of each block in turn
    static int useOfV(int u) { return 2 * u + 1; }
    // Only the first CTA of a pair issues products: what it waits for arrives there, what it commits reaches both.
    [[nodiscard]] Reach leader() const { return rank == 0 ? Reach::Own : Reach::Peer; }
    [[nodiscard]] Reach both() const { return c.pair ? Reach::Both : Reach::Own; }

    // ---- load warp --------------------------------------------------------------------------------------------------

    void load(Warp& w)
    {
        w.setRegisters();
        loadK(w, 0);
        for (int s = 0; s < c.queryStages; ++s)
            loadQ(w.ofTile(s * c.stride()), tile(s));
        w.ofTile(0);
        loadV(w, 0);
        for (int u = 1; u < count(); ++u) {
            loadK(w, u);
            loadV(w, u);
        }
        if (loadEpi.valid())
            w.wait(loadEpi, 0, qMemoryFree);
    }

    void loadQ(Warp& w, const Tile& t)
    {
        if (c.persistent())
            w.wait(t.qEmpty, -1, qFree);
        if (c.qByTma && rank == 0)
            w.expect(t.qFull);
        w.copyTile(t.Q, TensorId::Q, -1, t.qFull, c.qByTma ? Via::Tma : Via::CpAsync, false);
        w.last().reach = c.pair ? leader() : Reach::Own;
    }

    void loadK(Warp& w, int u)
    {
        const int use = useOfK(u);
        w.waitEmpty(ring.K, use, slotFree);
        if (c.unevenSlots && w.slot(ring.K, use) == ring.K.buffers[0]) // the K before reaches into this slot's memory
            w.wait(ring.K.empty[1], use < 2 ? -1 : (use - 2) / c.stages, nextSlotFree);
        copy(w, ring.K, use, TensorId::K, block(u).j, 0);
    }

    void loadV(Warp& w, int u)
    {
        w.waitEmpty(ring.V, useOfV(u), slotFree);
        const int difference = Bc * (p.headDimV - p.headDim) * bytesOf(p.costedDtype());
        copy(w, ring.V, useOfV(u), TensorId::V, block(u).j, difference);
    }

    // The barrier of a slot expects a tile of K; V announces its difference.
    void copy(Warp& w, const Ring& from, int use, TensorId tensor, int j, int extraBytes)
    {
        if (rank == 0)
            w.expect(w.fullOf(from, use), extraBytes);
        w.copyHalf(w.slot(from, use), tensor, j, w.fullOf(from, use), rank);
    }

    // ---- MMA warp ---------------------------------------------------------------------------------------------------

    void mma(Warp& w)
    {
        w.setRegisters();
        w.once(When::First).allocate(tmemAddress);
        w.once(When::First).sync(tmemPtr, tmemThere);
        if (rank == 0)
            products(w);
        w.once(When::Last).sync(tmemPtr, tmemDone);
        w.once(When::Last).free(tile(0).S);
    }

    // In the order of the tensor cores: S0 S1 | O0 S0 | O1 S1 | … | O0 O1. The next S goes over the P of the product
    // before it, which the tensor cores, working in order, have read by then.
    void products(Warp& w)
    {
        const int last = c.queryStages - 1;
        for (int s = 0; s <= last; ++s) {
            w.wait(tile(s).qFull, 0, qLanded);
            if (s == 0)
                w.waitFull(ring.K, useOfK(0), kLanded);
            scores(w, s, 0);
        }
        w.commitMma(w.emptyOf(ring.K, useOfK(0)), both());

        for (int u = 0; u + 1 < count(); ++u) {
            w.waitFull(ring.V, useOfV(u), vLanded);
            for (int s = 0; s <= last; ++s) {
                weighted(w, s, u);
                if (s == last)
                    w.commitMma(w.emptyOf(ring.K, useOfV(u)), both());
                if (s == 0)
                    w.waitFull(ring.K, useOfK(u + 1), kLanded);
                scores(w, s, u + 1);
            }
            w.commitMma(w.emptyOf(ring.K, useOfK(u + 1)), both());
        }

        if (c.persistent())
            for (int s = 0; s <= last; ++s)
                w.commitMma(tile(s).qEmpty, both());
        w.waitFull(ring.V, useOfV(count() - 1), vLanded);
        for (int s = 0; s <= last; ++s) {
            weighted(w, s, count() - 1);
            w.commitMma(tile(s).oFinal, both());
        }
        w.commitMma(w.emptyOf(ring.K, useOfV(count() - 1)), both());
    }

    // S = Q Kᵀ
    void scores(Warp& w, int s, int u)
    {
        const Tile& t = tile(s);
        w.ofTile(s * c.stride());
        w.async().together(c.pair).mmaTransposed(t.S, t.Q, w.slot(ring.K, useOfK(u)), block(u));
        w.commitMma(t.sFull, both());
    }

    // O += P V in two pieces: three quarters of the keys, then, once they are there, the last quarter.
    void weighted(Warp& w, int s, int u)
    {
        const Tile& t = tile(s);
        const BufferId V = w.slot(ring.V, useOfV(u));
        w.ofTile(s * c.stride());
        w.wait(t.pAndO, u, pAndO);
        w.async().together(c.pair).mmaKeys(t.O, t.P, V, block(u), 0, firstKeys(), !block(u).first);
        w.wait(t.lastSplit, u, lastSplit);
        w.async().together(c.pair).mmaKeys(t.O, t.P, V, block(u), firstKeys(), Bc - firstKeys(), true);
    }

    [[nodiscard]] int firstKeys() const { return Bc / 4 * 3; }

    // ---- softmax warpgroups -----------------------------------------------------------------------------------------

    void softmax(Warp& w, const Tile& t)
    {
        w.setRegisters();
        w.once(When::First).sync(tmemPtr, tmemThere);
        w.once(When::First).readAddress(address, tmemAddress);
        if (c.persistent())
            w.wait(t.statsEmpty, -1, statsFreeFirst);
        for (int u = 0; u < count(); ++u)
            softmaxOfBlock(w, t, u);
        w.stage(t.sScale, t.l);
        w.stage(t.sMax, t.m);
        w.arriveEach(t.statsFull);
        w.once(When::Last).arrive(tmemPtr, warpgroup);
    }

    void softmaxOfBlock(Warp& w, const Tile& t, int u)
    {
        const VisitedBlock& b = block(u);
        w.wait(t.sFull, u, sReady);
        w.stageBlock(t.rS, t.S, b); // tcgen05.ld: a row to a thread
        if (b.masked)
            w.mask(t.rS, b);
        w.rowMaxLazy(t.m, t.scale, t.rS, b); // the reference stays, or O and l have to follow it
        if (!b.first)
            w.stageBlock(t.sScale, t.scale, b);
        w.arriveEach(t.statsFull);
        w.exp2(t.rS, t.rS, t.m, b); // exp2(S c - m c), some of it by the FMA units
        w.convertTo(t.rP, t.rS, b);
        w.stageKeys(t.P, t.rP, b, 0, firstKeys()); // tcgen05.st
        w.fence();
        w.arrive(t.pAndO, warpgroup, leader());
        w.stageKeys(t.P, t.rP, b, firstKeys(), Bc - firstKeys());
        w.fence();
        w.arrive(t.lastSplit, 4, leader()); // a lane of each warp
        w.wait(t.statsEmpty, u, statsFree);
        if (!b.first)
            w.rescaleOne(t.l, t.scale, b); // l = scale l
        w.rowSum(t.l, t.rS, b); // l = l + rowsum, before P is rounded
    }

    // ---- correction warpgroup ---------------------------------------------------------------------------------------

    void correct(Warp& w)
    {
        w.setRegisters();
        w.once(When::First).sync(tmemPtr, tmemThere);
        w.once(When::First).readAddress(address, tmemAddress);
        for (const Tile& t : tiles) // O of the first tile needs no reader's leave
            w.once(When::First).arrive(t.pAndO, warpgroup, leader());
        const int last = c.queryStages - 1;
        w.syncEach(tile(0).statsFull, statsGo); // the first block: there is nothing to rescale
        w.arrive(tile(0).statsEmpty, warpgroup);
        if (last == 1)
            w.syncEach(tile(1).statsFull, statsGo);
        for (int u = 1; u < count(); ++u)
            for (int s = 0; s <= last; ++s) {
                const Tile& t = tile(s);
                w.ofTile(s * c.stride());
                w.syncEach(t.statsFull, stats);
                w.rescaleLazy(t.O, t.sScale, block(u)); // O = scale O, where a row of the warp asks for it
                w.arrive(t.pAndO, warpgroup, leader());
                // The other tile's: so the two softmax warpgroups stay half a period apart.
                w.arrive(tile(last - s).statsEmpty, warpgroup);
            }
        if (last == 1)
            w.arrive(tile(1).statsEmpty, warpgroup);
        for (int s = 0; s <= last; ++s)
            finish(w.ofTile(s * c.stride()), tile(s));
        w.once(When::Last).arrive(tmemPtr, warpgroup);
    }

    void finish(Warp& w, const Tile& t)
    {
        w.syncEach(t.statsFull, statsLast);
        w.stage(t.rl, t.sScale);
        w.stage(t.rm, t.sMax);
        w.arrive(t.statsEmpty, warpgroup);
        w.wait(t.oFinal, 0, oFinal);
        if (c.persistent() && c.oByTma)
            w.wait(t.epiEmpty, -1, stagingFree);
        w.stage(t.rO, t.O); // tcgen05.ld
        w.normalise(t.rO, t.lse, t.rl, t.rm); // O = O / l, LSE = m scale + ln l
        w.convert(t.rO);
        if (c.oByTma) {
            w.stage(t.sO, t.rO);
            w.fence();
            w.arrive(t.pAndO, warpgroup, leader()); // O is free for the next tile
            w.arrive(t.epiFull, warpgroup);
        } else {
            w.arrive(t.pAndO, warpgroup, leader());
            w.store(TensorId::O, t.rO);
        }
        w.store(TensorId::Lse, t.lse);
    }

    // ---- epilogue warp ----------------------------------------------------------------------------------------------

    void storeO(Warp& w)
    {
        if (!c.oByTma)
            return;
        w.setRegisters();
        for (int s = 0; s < c.queryStages; ++s) {
            w.ofTile(s * c.stride());
            w.wait(tile(s).epiFull, 0, oStaged);
            w.storeTile(TensorId::O, tile(s).sO);
            w.commitStores();
        }
        for (int s = 0; s < c.queryStages; ++s) {
            w.waitStores(c.queryStages - 1 - s, oReadOut);
            if (c.persistent())
                w.arrive(tile(s).epiEmpty, 32);
        }
        if (loadEpi.valid())
            w.arrive(loadEpi, 1);
    }

    const Problem& p;
    Fa4Setting c;
    Launch grid;
    int Br, Bc;
    int rank = 0; // of the CTA being recorded, in its pair
    std::vector<VisitedBlock> blocks; // of the work being recorded

    std::vector<Tile> tiles;
    SharedRing ring;
    BufferId tmemAddress, address;
    BarrierId tmemPtr, loadEpi;
    WaitId tmemThere, tmemDone, slotFree, nextSlotFree, qFree, qMemoryFree, qLanded, kLanded, vLanded, pAndO, lastSplit,
        sReady, statsFree, statsFreeFirst, statsGo, stats, statsLast, oFinal, stagingFree, oStaged, oReadOut;
};

} // namespace

void fa4Forward(Kernel& kernel)
{
    const Fa4Setting setting = fa4SettingOf(kernel);
    kernel.padHeadDim(16);
    kernel.packHeads(setting.packed);
    kernel.setSoftmax(fa4SoftmaxOf(kernel, setting));
    if (setting.wide)
        fa4ForwardD256(kernel, setting);
    else
        Fa4Forward(kernel, setting).run();
}

} // namespace flashstep
