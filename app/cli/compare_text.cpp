// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/causes.h"
#include "app/cli/compare.h"
#include "app/cli/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace flashstep::cli {

namespace {

constexpr std::size_t mostLines = 10; // of a list whose length depends on the kernel

// What rounds to nothing has no sign.
std::string unsignedZero(std::string text)
{
    const bool zero = text.find_first_of("123456789n") == std::string::npos;
    return zero && (text.front() == '-' || text.front() == '+') ? text.substr(1) : text;
}

std::string whole(double value)
{
    return unsignedZero(value < 0 ? "-" + thousands(-value) : thousands(value));
}

std::string signedWhole(double value)
{
    return unsignedZero(value > 0 ? "+" + whole(value) : whole(value));
}

// "+12.5 %", or "x 13" from tenfold on; nothing where there is nothing to divide by, or nothing changes.
std::string change(double a, double b)
{
    if (a == 0 || a == b || !std::isfinite(a) || !std::isfinite(b))
        return "";
    if (b / a >= 10)
        return fmt::format("x {:.3g}", b / a);
    const std::string text = fmt::format("{:+.1f} %", 100 * (b - a) / a);
    return unsignedZero(text) == text ? text : "";
}

std::string row(std::string_view label, std::string_view a, std::string_view b, std::string_view delta = {},
    std::string_view percent = {})
{
    std::string text = fmt::format("  {:<30} {:>20} {:>20} {:>18} {:>11}", label, a, b, delta, percent);
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
}

std::string heading(std::string_view title)
{
    return fmt::format("\n{:<32} {:>20} {:>20} {:>18}\n", title, "A", "B", "B - A");
}

std::string countRow(std::string_view label, double a, double b)
{
    return row(label, whole(a), whole(b), signedWhole(b - a), change(a, b));
}

std::string realRow(std::string_view label, const std::optional<double>& a, const std::optional<double>& b)
{
    const auto text = [](const std::optional<double>& x) { return x ? fmt::format("{:.4g}", *x) : std::string("-"); };
    const bool both = a && b;
    return row(
        label, text(a), text(b), both ? unsignedZero(fmt::format("{:+.4g}", *b - *a)) : "", both ? change(*a, *b) : "");
}

// With its share of the whole.
std::string sharedCycles(Cycle cycles, Cycle of)
{
    const double share = of > 0 ? 100.0 * static_cast<double>(cycles) / static_cast<double>(of) : 0;
    return fmt::format("{} {:>7}", whole(static_cast<double>(cycles)), fmt::format("{:.1f} %", share));
}

std::string sharedRow(std::string_view label, Cycle a, Cycle b, Cycle ofA, Cycle ofB)
{
    return row(label, sharedCycles(a, ofA), sharedCycles(b, ofB), signedWhole(static_cast<double>(b - a)),
        change(static_cast<double>(a), static_cast<double>(b)));
}

// ---- the parts ------------------------------------------------------------------------------------------------------

std::string headText(const Compared& compared)
{
    std::string text;
    const Run& a = compared.sessions[0].run;
    const Run& b = compared.sessions[1].run;
    const std::string problem = problemLine(a.program->problem);
    const bool same = problem == problemLine(b.program->problem);
    for (const Run* run : { &a, &b }) {
        text += fmt::format("{}  {}\n", run == &a ? "A" : "B", titleOf(*run));
        if (!same)
            text += fmt::format("   {}\n", problemLine(run->program->problem));
        text += fmt::format("   tile {}\n", tileLine(*run->program));
        std::string knobs;
        for (const auto& [key, value] : run->scenario.knobs)
            knobs += fmt::format("{}{}={}", knobs.empty() ? "" : ", ", key, value);
        if (!knobs.empty())
            text += fmt::format("   {}\n", knobs);
    }
    if (same)
        text += "   " + problem + "\n";
    for (const std::string& note : comparisonNotes(compared))
        text += "note: " + note + "\n";
    return text;
}

std::string reportRows(const Report& a, const Report& b)
{
    std::string text = heading("modelled");
    text += countRow("cycles", static_cast<double>(a.cycles), static_cast<double>(b.cycles));
    text += realRow("microseconds with launch", a.microseconds, b.microseconds);
    text += realRow("TFLOP/s", a.tflops, b.tflops);
    text += countRow("FLOP executed", a.flopsExecuted, b.flopsExecuted);
    text += countRow("bytes read (global)", a.globalReadBytes, b.globalReadBytes);
    text += countRow("bytes written (global)", a.globalWriteBytes, b.globalWriteBytes);
    text += countRow("bytes read (HBM)", a.hbmReadBytes, b.hbmReadBytes);
    text += countRow("bytes written (HBM)", a.hbmWriteBytes, b.hbmWriteBytes);
    text += countRow("exp2 by the unit", a.exp2Hardware, b.exp2Hardware);
    text += countRow("exp2 by polynomial", a.exp2Emulated, b.exp2Emulated);
    text += countRow("row rescales done", a.rescalesDone, b.rescalesDone);
    text += countRow("row rescales skipped", a.rescalesSkipped, b.rescalesSkipped);
    text += countRow("hazards", static_cast<double>(a.hazards), static_cast<double>(b.hazards));
    text += realRow("largest error of O", a.maxAbsError, b.maxAbsError);
    return text;
}

std::string useRows(const Report& a, const Report& b)
{
    std::string text = heading("in use");
    const auto add = [&](const char* engine, double x, double y) {
        text += row(engine, fmt::format("{:.1f} %", 100 * x), fmt::format("{:.1f} %", 100 * y),
            unsignedZero(fmt::format("{:+.1f}", 100 * (y - x))));
    };
    add("tensor", a.utilisation.tensor, b.utilisation.tensor);
    add("exp", a.utilisation.exp, b.utilisation.exp);
    add("issue", a.utilisation.issue, b.utilisation.issue);
    add("smem", a.utilisation.smem, b.utilisation.smem);
    add("l2", a.utilisation.l2, b.utilisation.l2);
    add("hbm", a.utilisation.hbm, b.utilisation.hbm);
    return text + row("busiest", a.binding, b.binding);
}

// Both runs' figures under one name; those that are largest in either first.
struct Beside {
    std::string label;
    std::array<Cycle, 2> cycles {};
    [[nodiscard]] Cycle largest() const { return std::max(cycles[0], cycles[1]); }
};

void addBeside(std::vector<Beside>& rows, std::size_t run, const std::string& label, Cycle cycles)
{
    const auto found = std::ranges::find(rows, label, &Beside::label);
    (found == rows.end() ? rows.emplace_back(Beside { label }) : *found).cycles[run] += cycles;
}

std::string besideText(std::vector<Beside> rows, Cycle ofA, Cycle ofB)
{
    std::ranges::stable_sort(rows, std::ranges::greater {}, &Beside::largest);
    std::string text;
    for (std::size_t k = 0; k < std::min(rows.size(), mostLines); ++k)
        text += sharedRow(rows[k].label, rows[k].cycles[0], rows[k].cycles[1], ofA, ofB);
    if (rows.size() > mostLines)
        text += fmt::format("  … {} more with --json\n", rows.size() - mostLines);
    return text;
}

std::string phaseRows(const std::array<ComparedRun, 2>& runs)
{
    std::vector<Beside> busy;
    std::vector<Beside> waits;
    for (std::size_t k = 0; k < 2; ++k) {
        for (const auto& [kind, cycles] : runs[k].phases.busy)
            addBeside(busy, k, std::string(name(kind)), cycles);
        for (const auto& [reason, cycles] : runs[k].phases.waits)
            addBeside(waits, k, reason, cycles);
    }
    const PhaseTimes& a = runs[0].phases;
    const PhaseTimes& b = runs[1].phases;
    return heading("cycles of all roles, busy") + besideText(busy, a.total, b.total) + heading("… waiting for")
        + besideText(waits, a.total, b.total) + sharedRow("idle", a.idle, b.idle, a.total, b.total)
        + sharedRow("total", a.total, b.total, a.total, b.total);
}

std::string barrierRows(const std::array<ComparedRun, 2>& runs)
{
    std::array<BarrierUse, 2> all;
    for (std::size_t k = 0; k < 2; ++k)
        for (const BarrierUse& use : runs[k].barriers) {
            all[k].turns += use.turns;
            all[k].waits += use.waits;
            all[k].waited += use.waited;
        }
    const auto real = [](auto x) { return static_cast<double>(x); };
    return heading("barriers") + countRow("turns completed", real(all[0].turns), real(all[1].turns))
        + countRow("waits", real(all[0].waits), real(all[1].waits))
        + countRow("cycles waited", real(all[0].waited), real(all[1].waited));
}

std::string pathRows(const std::array<ComparedRun, 2>& runs)
{
    std::vector<Beside> parts;
    for (std::size_t k = 0; k < 2; ++k)
        for (const PathPart& part : runs[k].path)
            addBeside(parts, k, partText(part), part.cycles);
    return heading("critical path") + besideText(parts, runs[0].pathCycles, runs[1].pathCycles);
}

std::string onlyText(const std::array<ComparedRun, 2>& runs)
{
    std::string text;
    for (std::size_t k = 0; k < 2; ++k) {
        std::string kinds;
        for (const auto& [kind, count] : runs[k].only)
            kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", name(kind), whole(static_cast<double>(count)));
        text += fmt::format("{}only in {}: {}\n", k == 0 ? "\n" : "", k == 0 ? "A" : "B", kinds.empty() ? "-" : kinds);
    }
    return text;
}

std::string cellsText(const CommonTiles& common)
{
    std::array<std::size_t, 2> known {};
    std::size_t both = 0;
    for (const CommonTile& tile : common.tiles) {
        known[0] += tile.cycles[0] ? 1 : 0;
        known[1] += tile.cycles[1] ? 1 : 0;
        both += tile.cycles[0] && tile.cycles[1] ? 1 : 0;
    }
    return fmt::format("\n{} common tiles of rows and keys; {} with cycles in both, {} in A alone, {} in B alone\n",
        common.tiles.size(), both, known[0] - both, known[1] - both);
}

std::string placesText(const CommonTiles& common)
{
    if (common.places.empty())
        return "";
    std::string text = heading("begins in its tile at (mean)");
    for (const PlaceInTile& place : common.places) {
        const double a = place.mean(0);
        const double b = place.mean(1);
        text += row(tileOpText(place.op), fmt::format("{:.1f}", a), fmt::format("{:.1f}", b),
            unsignedZero(fmt::format("{:+.1f}", b - a)));
    }
    return text;
}

// Moves within the tile that are the same to the cycle, as in every head, are one line.
struct Alike {
    const Move* first = nullptr;
    std::size_t count = 0;
};
std::vector<Alike> alikeMoves(const std::vector<Move>& moves)
{
    std::vector<Alike> groups;
    for (const Move& move : moves) {
        const auto found = std::ranges::find_if(groups,
            [&](const Alike& group) { return group.first->op == move.op && group.first->inTile == move.inTile; });
        if (found == groups.end())
            groups.push_back({ &move, 1 });
        else
            ++found->count;
    }
    return groups;
}

std::string movesText(const CommonTiles& common)
{
    if (common.moveCount == 0)
        return "\nno op begins elsewhere\n";
    const std::vector<Alike> groups = alikeMoves(common.moves);
    const std::size_t shown = std::min(groups.size(), mostLines);
    std::string text
        = fmt::format("\nthe largest of {} moves: where the first op of a kind begins, in cycles since its "
                      "tile's begin, and the run's\n",
            common.moveCount);
    text += fmt::format("  {:<11} {:>3} {:>3} {:>13} {:>13} {:>8} {:>8} {:>8}  {:>9} {:>9} {:>9}\n", "op", "b", "h",
        "rows", "keys", "A", "B", "B - A", "A in run", "B in run", "B - A");
    for (std::size_t k = 0; k < shown; ++k) {
        const Move& move = *groups[k].first;
        const CommonTile& tile = common.tiles[move.tile];
        text += fmt::format("  {:<11} {:>3} {:>3} {:>13} {:>13} {:>8} {:>8} {:>+8}  {:>9} {:>9} {:>+9}{}\n",
            tileOpText(move.op), tile.b, tile.h, fmt::format("{}-{}", tile.rows.begin, tile.rows.end),
            fmt::format("{}-{}", tile.keys.begin, tile.keys.end), move.inTile[0], move.inTile[1], move.shiftInTile(),
            move.inRun[0], move.inRun[1], move.shiftInRun(),
            groups[k].count > 1 ? fmt::format("  and {} alike in their tiles", groups[k].count - 1) : "");
    }
    return text;
}

} // namespace

std::string comparisonText(const Compared& compared)
{
    const Report& a = compared.sessions[0].run.report;
    const Report& b = compared.sessions[1].run.report;
    const auto& runs = compared.comparison.runs;
    return headText(compared) + reportRows(a, b) + useRows(a, b) + barrierRows(runs) + phaseRows(runs) + pathRows(runs)
        + onlyText(runs) + cellsText(compared.comparison.common) + placesText(compared.comparison.common)
        + movesText(compared.comparison.common) + "\nTimes come from a model, not from a measurement.\n";
}

} // namespace flashstep::cli
