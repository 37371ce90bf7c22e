// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/emulation/run.h"

#include <optional>
#include <vector>

// What the pipeline figure of a run shows, worked out from its trace.
namespace flashstep::paint {

// The work tile that shows most: the one with the most visited key blocks, of equals the first (causal: the lowest).
struct FigureWork {
    CtaId cta;
    WorkId work;
    int i = 0; // of its query tiles the one that is followed, relative to the work's
    int tiles = 1; // query tiles of it
    int blocks = 0; // visited by tile i
    bool sweeps = false; // a visit is a query tile's, for each key block in turn
    double begin = 0, end = 0; // cycles: of the CTA, or of this work where the CTA does several
    std::vector<CtaId> chain; // one CTA of each launch, by launch; the last is `cta`
};
// Of the CTA that is asked for, or of all (none()); nothing where no events were kept.
[[nodiscard]] std::optional<FigureWork> figureWork(const Trace& trace, CtaId asked);

// When the visited blocks of the work's tile have landed in O; of a sweep over query tiles every visit.
[[nodiscard]] std::vector<double> blockEnds(const Trace& trace, const FigureWork& work);

// The longest stretch of blocks that take the same time each, but for 1 %.
struct SteadyState {
    std::size_t first = 0, last = 0; // into the block ends
};
// At least three blocks after each other.
[[nodiscard]] std::optional<SteadyState> steadyState(const std::vector<double>& ends);

// Two blocks to be looked at closely, and the period where there is one: from the end of a block to that of the next.
struct FigureDetail {
    double from = 0, to = 0; // cycles
    bool visits = false; // not of one query tile: of a sweep
    bool asked = false; // not two blocks: a stretch that somebody asked for
    bool periodic = false;
    double periodBegin = 0, periodEnd = 0;
};
[[nodiscard]] std::optional<FigureDetail> figureDetail(const Trace& trace, const FigureWork& work);

// Votes on O of the CTA's conditional rescales, and how many of them rescaled.
struct FigureVotes {
    int votes = 0, rescaled = 0;
};
[[nodiscard]] FigureVotes figureVotes(const Trace& trace, const FigureWork& work);

} // namespace flashstep::paint
