// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/formats.h"

#include <algorithm>
#include <array>

namespace flashstep::cli {

namespace {

#ifdef FLASHSTEP_HAS_PAINT
constexpr bool hasPictures = true;
#else
constexpr bool hasPictures = false;
#endif

constexpr std::array allFormats {
    Format {
        "perfetto", false, true, "timeline for ui.perfetto.dev: tracks, flows, counters", "Perfetto trace protobuf" },
    Format { "chrome", false, true, "the same slices as Chrome-trace JSON", "Trace Event Format" },
    Format { "csv", false, true, "tables: events, spans, counters, ledger", "RFC 4180" },
    Format { "svg", true, hasPictures, "a view as a vector picture", "SVG 1.1" },
    Format { "png", true, hasPictures, "a view as pixels", "PNG" },
};
constexpr std::array<std::string_view, 6> laterFormats { "kanata", "npz", "pdf", "gif", "mp4", "html" };

constexpr std::array allViews {
    View { "timeline", "one lane per role and per engine of a CTA, with counters", true },
    View { "tiles", "the score matrix as tiles and their states", true },
    View { "numbers", "S, the reference, P and O of one tile, element by element" },
    View { "memory", "what lies in HBM, L2, shared and tensor memory, and registers", true },
    View { "grid", "the whole run over the SMs: who runs which tile, waves, the tail" },
    View { "ledger", "per row: maximum, sum, rescale", true },
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
    View { "welcome", "the four versions at a glance: predicted, published, and what binds" },
};
// As pictures, of which the grid is none yet.
constexpr std::array<std::string_view, 4> laterViews { "grid", "charts", "figure", "window" };

template <typename Table> auto findIn(const Table& table, std::string_view name)
{
    const auto found = std::find_if(table.begin(), table.end(), [&](const auto& entry) { return entry.name == name; });
    return found == table.end() ? nullptr : &*found;
}

template <typename Names> bool has(const Names& names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

std::span<const Format> formats()
{
    return allFormats;
}

const Format* findFormat(std::string_view name)
{
    return findIn(allFormats, name);
}

bool isLaterFormat(std::string_view name)
{
    return has(laterFormats, name);
}

std::span<const View> views()
{
    return allViews;
}

const View* findView(std::string_view name)
{
    return findIn(allViews, name);
}

bool isLaterView(std::string_view name)
{
    return has(laterViews, name);
}

} // namespace flashstep::cli
