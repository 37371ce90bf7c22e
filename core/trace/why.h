// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/causes.h"

#include <string>

namespace flashstep {

// What ended a wait: an op that began (an arrival) or ended (a copy, a product) then.
struct ReleasedBy {
    InstanceId instance;
    bool ended = false;
    Cycle cycle = 0;
};

// One stretch of waiting: who, for what, from when until when, and what ended it.
struct WaitLink {
    enum class Kind : std::uint8_t {
        Barrier, // a turn of a barrier
        Group, // the role's own copies, products or stores
        Engine, // the op waits until the engine is free
        Tile, // the tile scheduler has not answered yet
        Start, // the CTA begins: nothing came before
        Missing, // an op that would have ended a wait, and was never reached
    } kind = Kind::Barrier;
    CtaId cta;
    InstanceId instance; // the op that waits; Start: the role's first
    Engine engine = Engine::Tensor; // Engine
    Cycle begin = 0, end = 0;
    bool stuck = false; // it never ended
    std::optional<ReleasedBy> releasedBy; // empty: nobody did, or nobody had to
};
[[nodiscard]] std::string_view name(WaitLink::Kind kind); // "barrier", "group", "engine", "tile", "start", "missing"
[[nodiscard]] std::string barrierOf(const Trace& trace, const WaitLink& link); // its name; empty where there is none
[[nodiscard]] std::string reasonOf(const Trace& trace, const WaitLink& link); // what it waits for, in words

// A wait with what lies behind it: each link of the chain is what the one before it was released by had waited for
// itself, last; in between it was busy. It ends at a CTA's start. For a wait that is stuck: who would have had to come,
// and where that one is stuck in turn.
struct WaitExplained {
    WaitLink wait;
    std::vector<WaitLink> chain;
};
// `instance`: a wait, or an op that had to wait for an engine.
[[nodiscard]] WaitExplained explainWait(const Causes& causes, InstanceId instance);

// Every role of the CTA (none(): of all) that waits at p, longest first.
[[nodiscard]] std::vector<WaitExplained> waitsAt(const Causes& causes, CtaId cta, Position p);
// The n-th wait of the run, or of one CTA, in the order in which they began, from 0; none() beyond the last.
[[nodiscard]] InstanceId nthWait(const Trace& trace, std::size_t n, CtaId cta);

} // namespace flashstep
