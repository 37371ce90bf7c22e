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
    View { "memory", "what lies in HBM, shared memory and registers", true },
    View { "grid", "the whole run over the SMs: who runs which tile, waves, the tail" },
    View { "ledger", "per row: maximum, sum, rescale", true },
    View { "row", "one row over its key blocks: maximum and reference, exponents, values of P" },
    View { "exp", "exponentials by unit and by polynomial: errors, shares, rates" },
    View { "explain", "the current step in words" },
    View { "source", "the line of the algorithm each role is at" },
    View { "glossary", "every term with its card: what it is, and what it is right now" },
    View { "welcome", "the four versions at a glance: predicted, published, and what binds" },
};
constexpr std::array<std::string_view, 3> laterViews { "charts", "figure", "window" };

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
