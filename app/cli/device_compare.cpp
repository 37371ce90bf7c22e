// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/device_compare.h"

#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/io/files.h"
#include "core/io/json.h"
#include "core/io/recorded_scenario.h"
#include "core/io/recording_read.h"
#include "core/io/recording_write.h"

#include <fmt/format.h>

#include <cmath>

namespace flashstep::cli {

namespace {

std::string sideText(const OpTimes& side)
{
    const std::string clock = side.perSecond > 0 ? fmt::format(" at {:.6g} MHz", side.perSecond / 1e6) : "";
    return fmt::format("{}: {}{}, {}", side.what, side.unit, clock, side.standing);
}

Json sideJson(const OpTimes& side)
{
    return { { "what", side.what }, { "standing", side.standing }, { "unit", side.unit },
        { "per_second", side.perSecond > 0 ? jsonNumber(side.perSecond) : Json() }, { "ops", side.rows.size() } };
}

std::string number(double value)
{
    return groupedNumber(static_cast<std::int64_t>(std::llround(value)));
}

std::string signedNumber(double value)
{
    return std::llround(value) > 0 ? "+" + number(value) : number(value);
}

std::string ratioText(double a, double b)
{
    return a > 0 ? fmt::format("x {:.3g}", b / a) : "";
}

Json ratioJson(double a, double b)
{
    return a > 0 ? jsonNumber(b / a) : Json();
}

// "measured" of "measured on NVIDIA H200".
std::string standingWord(const OpTimes& side)
{
    return side.standing.substr(0, side.standing.find_first_of(" ,:"));
}

Json rowJson(const OpTimes& side, std::uint32_t index)
{
    const OpTimes::Row& row = side.rows[index];
    const auto orNull = [](std::int64_t value) { return value == OpTimes::none ? Json() : Json(value); };
    return { { "op", side.ops[row.op] }, { "cta", orNull(row.cta) }, { "role", side.roles[row.role] },
        { "i", orNull(row.i) }, { "j", orNull(row.j) } };
}

Json pairJson(const OpDifferences& d, const OpPair& pair)
{
    // Of the two the recording says more often of which key block it is.
    Json row = d.b.rows[pair.b].j == OpTimes::none ? rowJson(d.a, pair.a) : rowJson(d.b, pair.b);
    row["a"] = d.a.rows[pair.a].length;
    row["b"] = d.b.rows[pair.b].length;
    row["b_in_a"] = jsonNumber(d.timeB(pair));
    row["difference"] = jsonNumber(d.timeB(pair) - d.timeA(pair));
    row["ratio"] = ratioJson(d.timeA(pair), d.timeB(pair));
    return row;
}

Json aloneJson(const OpTimes& side, std::uint32_t index)
{
    Json row = rowJson(side, index);
    row["time"] = side.rows[index].length;
    return row;
}

Json summaryJson(const OpDifferences& d, const OpSummary& s)
{
    return { { "op", d.ops[s.op] }, { "pairs", s.pairs }, { "median_a", jsonNumber(s.medianA) },
        { "median_b", jsonNumber(s.medianB) }, { "spread_a", jsonNumber(s.spreadA) },
        { "spread_b", jsonNumber(s.spreadB) }, { "sum_a", jsonNumber(s.sumA) }, { "sum_b", jsonNumber(s.sumB) },
        { "difference", jsonNumber(s.medianB - s.medianA) }, { "ratio", ratioJson(s.medianA, s.medianB) },
        { "only_in_a", s.onlyInA }, { "only_in_b", s.onlyInB } };
}

// A list with an entry a line: there may be a million of them.
template <typename List, typename Entry>
void appendList(std::string& out, const char* key, const List& list, Entry entry)
{
    out += fmt::format(",\n  \"{}\": [", key);
    bool first = true;
    for (const auto& each : list) {
        out += first ? "\n    " : ",\n    ";
        first = false;
        out += entry(each).dump();
    }
    out += first ? "]" : "\n  ]";
}

Result<OpTimes> timesOf(const std::string& path, Recording& recording, bool quiet)
{
    const ProgressLine line("reading", quiet);
    Result<Recording> read = readRecordingFile(path, line.progress());
    if (!read)
        return read.error();
    recording = std::move(*read);
    OpTimes times = opTimes(recording, fileNameOf(path));
    if (times.rows.empty())
        return Error { "there are no slices in it", path, "" };
    return times;
}

Result<OpTimes> scheduleOf(const Recording& recording, const std::string& path, bool quiet)
{
    Result<ScenarioFile> file = recordedScenario(recording);
    if (!file)
        return Error { file.error().line(), path, "a second recording to compare with" };
    Status set = setOption(*file, "record", "none");
    Result<Stated> stated = set ? stateProblem(std::move(*file), {}) : Result<Stated>(set.error());
    if (!stated)
        return stated.error();
    Result<Session> session = emulate(std::move(*stated), quiet);
    return session ? opTimes(*session->run.trace) : Result<OpTimes>(session.error());
}

} // namespace

std::string differencesText(const OpDifferences& d)
{
    std::string text = "A  " + sideText(d.a) + "\nB  " + sideText(d.b) + "\n";
    for (const std::string& note : d.notes)
        text += "   " + note + "\n";
    std::string unit = d.a.unit;
    if (!d.converted)
        unit += ", B as it stands";
    text += fmt::format(
        "\nHow long a warp was at an op on a tile: median and, behind it, how far the quartiles lie apart; in "
        "{} of A. A is {}, B {}.\n\n",
        unit, standingWord(d.a), standingWord(d.b));
    text += fmt::format("{:<24} {:>9} {:>9} {:>8} {:>9} {:>8} {:>9} {:>8} {:>12} {:>12} {:>9} {:>9}\n", "op",
        "compared", "A", "spread", "B", "spread", "B - A", "B / A", "sum A", "sum B", "only in A", "only in B");
    for (const OpSummary& s : d.summaries) {
        const bool any = s.pairs > 0;
        std::string row = fmt::format("{:<24} {:>9} {:>9} {:>8} {:>9} {:>8} {:>9} {:>8} {:>12} {:>12} {:>9} {:>9}",
            d.ops[s.op], s.pairs, any ? number(s.medianA) : "", any ? number(s.spreadA) : "",
            any ? number(s.medianB) : "", any ? number(s.spreadB) : "", any ? signedNumber(s.medianB - s.medianA) : "",
            any ? ratioText(s.medianA, s.medianB) : "", any ? number(s.sumA) : "", any ? number(s.sumB) : "",
            s.onlyInA > 0 ? std::to_string(s.onlyInA) : "", s.onlyInB > 0 ? std::to_string(s.onlyInB) : "");
        row.erase(row.find_last_not_of(' ') + 1);
        text += row + "\n";
    }
    return text
        + fmt::format(
            "\n{} ops compared, {} only in A, {} only in B\n", d.pairs.size(), d.onlyInA.size(), d.onlyInB.size());
}

std::string differencesJson(const OpDifferences& d)
{
    std::string out = fmt::format("{{\n  \"a\": {},\n  \"b\": {},\n  \"factor\": {},\n  \"converted\": {}",
        sideJson(d.a).dump(), sideJson(d.b).dump(), numberText(d.factor), d.converted);
    appendList(out, "notes", d.notes, [](const std::string& note) { return Json(note); });
    appendList(out, "ops", d.summaries, [&](const OpSummary& s) { return summaryJson(d, s); });
    appendList(out, "rows", d.pairs, [&](const OpPair& pair) { return pairJson(d, pair); });
    appendList(out, "only_in_a", d.onlyInA, [&](std::uint32_t row) { return aloneJson(d.a, row); });
    appendList(out, "only_in_b", d.onlyInB, [&](std::uint32_t row) { return aloneJson(d.b, row); });
    return out + "\n}\n";
}

int compareRecordings(const std::vector<std::string>& files, bool json, bool quiet)
{
    if (files.empty())
        return fail({ "compare needs a recording", "", "A.json, or A.json B.json" });
    Recording recording;
    Result<OpTimes> first = timesOf(files.front(), recording, quiet);
    if (!first)
        return fail(first.error());
    if (files.size() > 1) {
        Recording other;
        Result<OpTimes> second = timesOf(files.back(), other, quiet);
        if (!second)
            return fail(second.error());
        const OpDifferences d = differencesOf(std::move(*first), std::move(*second));
        return print(json ? differencesJson(d) : differencesText(d));
    }
    Result<OpTimes> schedule = scheduleOf(recording, files.front(), quiet);
    if (!schedule)
        return fail(schedule.error());
    const OpDifferences d = differencesOf(std::move(*schedule), std::move(*first));
    return print(json ? differencesJson(d) : differencesText(d));
}

} // namespace flashstep::cli
