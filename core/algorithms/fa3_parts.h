// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/algorithms/fa3_setting.h"

#include <string>

namespace flashstep {

// What FlashAttention-3 has before anything happens in it: memory, roles, barriers, and the waits with their reasons.
// [hopper/mainloop_fwd_sm90_tma_gmma_ws.hpp, named_barrier.hpp]
struct Fa3Parts {
    static constexpr int warpgroup = 128; // threads
    static constexpr int transposers = 4; // warps of the producer, where it transposes V
    explicit Fa3Parts(Kernel& kernel);

    static std::string producerWarp(int w) { return w == 0 ? "producer" : "producer warp " + std::to_string(w); }
    static std::string consumer(int w) { return "consumer " + std::to_string(w); }

    const Problem& p;
    Fa3Setting c;
    Launch grid;
    int Bc;
    BufferId Q, sP, sO, nextTile, S, P, O, m, l, scale, lse;
    Ring K, V, Vt;
    BarrierId barrierQ, barrierO, queryEmpty, epilogueRead, epilogueStaged, idEmpty, idFull, transposed;
    std::vector<BarrierId> turnOf;
    WaitId qLanded, kLandedFirst, kLanded, vLanded, vLandedLast, kFree, vFree, firstReady, sReady, oReady, oReadyLast,
        vRead, oStaged, oReadOut, qFree, oGone, idRead, idThere, vtLanded, vtRead, vtFree;
    std::vector<WaitId> turn;

private:
    void declareMemory(Kernel& kernel);
    void declareRoles();
    void declareBarriers();
};

} // namespace flashstep
