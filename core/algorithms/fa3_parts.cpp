// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/fa3_parts.h"

#include <algorithm>

namespace flashstep {

Fa3Parts::Fa3Parts(Kernel& kernel)
    : p(kernel.problem())
    , c(fa3SettingOf(kernel))
    , grid(kernel.launch("fa3_forward", c.threads() / 32, 0, c.registers()))
    , Bc(kernel.tile().keys)
{
    declareMemory(kernel);
    declareRoles();
    declareBarriers();
}

void Fa3Parts::declareMemory(Kernel& kernel)
{
    using Tile = Launch::Tile;
    const int releases = c.consumers * c.cluster; // one arrival of each consumer warpgroup that reads the stage
    const int copyThreads = c.tma ? 0 : warpgroup; // that make a tile by cp.async
    Q = grid.smem("Q", Tile::Query, p.headDim, p.dtype);
    K = grid.ring("pipeline_k", "K", Tile::Key, p.headDim, p.dtype, c.stages, copyThreads, releases);
    if (c.transposesV) { // its stages are filled, and emptied, by all threads of this CTA
        Vt = grid.ring("pipeline_vt", "Vt", Tile::Key, p.headDimV, p.dtype, c.stages, 0, c.cluster);
        V = grid.ring("pipeline_v", "V", Tile::Key, p.headDimV, p.dtype, c.stages, warpgroup, c.consumers * warpgroup);
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

void Fa3Parts::declareRoles()
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

void Fa3Parts::declareBarriers()
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
            w == 1 ? "its turn on the tensor cores: the last warpgroup has issued its products"
                   : "its turn on the tensor cores: the warpgroup before has issued its products, and has seen that K "
                     "and V are there",
            w == 1 && (c.stages == 1 || !c.specialised) ? std::vector<std::string> { "K_free" }
                                                        : std::vector<std::string> {}));
    }
    if (c.dynamic()) {
        idEmpty = grid.namedBarrier("StreamkBarrier0", mma + c.producerThreads);
        idFull = grid.namedBarrier("StreamkBarrier1", mma + c.producerThreads);
        idRead
            = grid.wait("StreamkBarrier0", idEmpty, "every consumer has read the number of this tile", { "barrier_O" });
        idThere = grid.wait("StreamkBarrier1", idFull, "the number of the next tile is in SMEM");
    }
}

} // namespace flashstep
