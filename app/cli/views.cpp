// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/views.h"

#include <array>

namespace flashstep::cli {

namespace {

constexpr std::array allViews {
    View { "timeline", "one lane per role and per engine of a CTA, with counters", true },
    View { "tiles", "the score matrix as tiles and their states", true },
    View { "numbers", "S, the reference, P and O of one tile, element by element" },
    View { "memory", "what lies in HBM, L2, shared and tensor memory, and registers", true },
    View { "grid", "the whole run over the SMs: who runs which tile, waves, the tail", true },
    View { "ledger", "per row: maximum, sum, rescale", true },
    View { "figure", "the version's pipeline as in a paper, or chosen views on one page", true, false },
    View { "charts", "small plots of a run: roofline, engines, traffic, errors", true, false },
    View { "window", "the whole window, as its --shot", true, false },
    View { "row", "one row over its key blocks: maximum and reference, exponents, values of P" },
    View { "exp", "exponentials by unit and by polynomial: errors, shares, rates" },
    View { "why", "who waits, for whom, and what lets it go; barriers; faults" },
    View { "explain", "the current step in words" },
    View { "source", "schedule, paper, CUDA and NumPy: the line each role is at" },
    View { "inspector", "a buffer, element by element" },
    View { "outline", "the steps of a CTA as a tree" },
    View { "bookmarks", "moments kept, and where playing stops" },
    View { "scenario", "problem, tiles, machine and knobs" },
    View { "transport", "position, grain and speed of stepping" },
    View { "glossary", "every term with its card: what it is, and what it is right now" },
    View { "differences", "a recording against the schedule, op by op" },
    View { "welcome", "the four versions at a glance: predicted, published, and what binds" },
};
} // namespace

std::span<const View> views()
{
    return allViews;
}

} // namespace flashstep::cli
