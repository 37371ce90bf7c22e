// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/bench_ptx.h"
#include "app/cli/commands.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/io/chrome_json.h"
#include "core/io/files.h"
#include "core/io/json.h"
#include "core/io/kanata.h"
#include "core/io/perfetto.h"
#include "core/io/recording_read.h"
#include "core/trace/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <thread>

#include <malloc.h>

namespace flashstep::cli {

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Timing alone: the real kernel's tiles.
Scenario timingScenario(int heads, int seqlen, Record record)
{
    Scenario s;
    s.gpu = "a100";
    s.problem.heads = s.problem.kvHeads = heads;
    s.problem.seqlenQ = s.problem.seqlenK = seqlen;
    s.problem.headDim = s.problem.headDimV = 64;
    s.tile = TileSize { 32, 32 };
    s.costTile = TileSize { 128, 128 };
    s.record = record;
    return s;
}

// A learner's size: 16 x 16 tiles with every value.
Scenario valuesScenario()
{
    Scenario s = timingScenario(1, 1024, { Record::Kind::All, 0 });
    s.tile = TileSize { 16, 16 };
    return s;
}

struct Timed {
    std::shared_ptr<const Run> run;
    double seconds = 0;
};

Result<Timed> timed(const Scenario& scenario, const RunOptions& options, int repeats, const Progress& progress)
{
    Timed best;
    for (int k = 0; k < repeats; ++k) {
        best.run.reset();
        const auto start = Clock::now();
        Result<Run> run = runScenario(scenario, std::nullopt, progress, options);
        const double seconds = secondsSince(start);
        if (!run)
            return run.error();
        best.seconds = k == 0 ? seconds : std::min(best.seconds, seconds);
        best.run = std::make_shared<const Run>(std::move(*run));
    }
    return best;
}

// FlashAttention-4 as published for B200, the whole grid.
Scenario wholeGridScenario()
{
    Scenario s;
    s.algorithm = "fa4";
    s.gpu = "b200";
    s.problem.heads = s.problem.kvHeads = 16;
    s.problem.seqlenQ = s.problem.seqlenK = 16384;
    s.problem.headDim = s.problem.headDimV = 128;
    s.record = { Record::Kind::None, 0 };
    return s;
}

constexpr RunOptions emulationOnly { false, false, false };
constexpr RunOptions withoutKeeping { true, false, false };

double eventsOf(const Timed& timed)
{
    return static_cast<double>(timed.run->trace->end().value);
}

// ---- memory ----

double statusMib(const char* key)
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key))
            return std::strtod(line.c_str() + std::string_view(key).size() + 1, nullptr) / 1024;
    return 0;
}

// From here on the high-water mark counts anew.
void resetPeak()
{
    std::ofstream("/proc/self/clear_refs") << "5";
}

std::string cpuName()
{
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("model name"))
            return line.substr(std::min(line.size(), line.find(':') + 2));
    return "unknown";
}

// ---- the figures ----

Status benchValues(Json& out, const Progress& progress)
{
    const Result<Timed> kept = timed(valuesScenario(), emulationOnly, 5, progress);
    if (!kept)
        return kept.error();
    const Result<Timed> thrown = timed(valuesScenario(), withoutKeeping, 5, progress);
    if (!thrown)
        return thrown.error();
    const double tiles = 1024.0 / 16 * 1024 / 16;
    out["values_overhead_ratio"] = kept->seconds / thrown->seconds;
    out["us_per_tile_16x16"] = 1e6 * kept->seconds / tiles;
    return Nothing {};
}

Status benchGrowth(Json& out, const Progress& progress)
{
    const Result<Timed> once = timed(timingScenario(8, 2048, { Record::Kind::None, 0 }), emulationOnly, 3, progress);
    if (!once)
        return once.error();
    const Result<Timed> twice = timed(timingScenario(16, 2048, { Record::Kind::None, 0 }), emulationOnly, 3, progress);
    if (!twice)
        return twice.error();
    out["growth_2x_time"] = twice->seconds / once->seconds;
    out["growth_2x_memory"] = static_cast<double>(twice->run->trace->bytesWithoutValues())
        / static_cast<double>(once->run->trace->bytesWithoutValues());
    return Nothing {};
}

// All that `run --record none` does: the program, every CTA of the grid, the search for hazards, the report.
Status benchWholeGrid(Json& out, const Progress& progress)
{
    const Result<Timed> run = timed(wholeGridScenario(), {}, 3, progress);
    if (!run)
        return run.error();
    out["fa4_b200_16x16k_s"] = run->seconds;
    return Nothing {};
}

using Write = Status (*)(const Run&, const Range&, std::ostream&, const Progress&);

struct Exported {
    double seconds = 0; // for a million events
    double extraMib = 0; // beyond what was held before
};

// The file is thrown away.
Result<Exported> timeExport(const Run& run, const std::string& path, Write write, const Progress& progress)
{
    malloc_trim(0); // what the emulation gave back is not to be had for nothing
    resetPeak();
    const double before = statusMib("VmRSS:");
    const auto start = Clock::now();
    const Status written = writeFileAtomically(
        path, [&](std::ostream& out) { return write(run, Range::whole(*run.trace), out, progress); });
    const double seconds = secondsSince(start);
    const double peak = statusMib("VmHWM:");
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    if (!written)
        return written.error();
    return Exported { seconds * 1e6 / static_cast<double>(run.trace->end().value), std::max(0.0, peak - before) };
}

// All that one CTA does for a query tile and very many keys.
Scenario longScenario()
{
    Scenario s = timingScenario(1, 32, { Record::Kind::None, 0 });
    s.problem.seqlenK = 1 << 18;
    return s;
}

// Times of a grid; memory as well where a single CTA does it all.
Status benchExports(Json& out, const Progress& progress)
{
    const Result<Timed> grid = timed(timingScenario(16, 1024, { Record::Kind::None, 0 }), emulationOnly, 1, progress);
    if (!grid)
        return grid.error();
    const Result<Timed> single = timed(longScenario(), emulationOnly, 1, progress);
    if (!single)
        return single.error();
    std::error_code ignored;
    const std::string path
        = (std::filesystem::temp_directory_path(ignored) / fmt::format("flashstep-bench-{}", std::random_device {}()))
              .string();
    double extra = 0;
    struct Row {
        const Run& run;
        Write write;
        const char* key;
    };
    for (const Row& row : { Row { *grid->run, writePerfetto, "perfetto_export_s_1e6" },
             Row { *grid->run, writeChromeJson, "chrome_export_s_1e6" }, Row { *single->run, writePerfetto, nullptr },
             Row { *single->run, writeChromeJson, nullptr }, Row { *single->run, writeKanata, nullptr } }) {
        const Result<Exported> exported = timeExport(row.run, path, row.write, progress);
        if (!exported)
            return exported.error();
        extra = std::max(extra, exported->extraMib);
        if (row.key != nullptr)
            out[row.key] = exported->seconds;
    }
    out["export_peak_extra_mib"] = extra;
    return Nothing {};
}

// Seconds to read a file back, for a million events of the run that it is of; and what reading took beyond what is
// kept.
Result<double> timeImport(const Run& run, const std::string& path, double& extraMib, const Progress& progress)
{
    resetPeak();
    const double before = statusMib("VmRSS:");
    const auto start = Clock::now();
    const Result<Recording> recording = readRecordingFile(path, progress);
    const double seconds = secondsSince(start);
    if (!recording)
        return recording.error();
    const double kept = static_cast<double>(recording->bytes()) / (1 << 20);
    extraMib = std::max(extraMib, statusMib("VmHWM:") - before - kept);
    return seconds * 1e6 / static_cast<double>(run.trace->end().value);
}

Status benchImports(Json& out, const Progress& progress)
{
    const Result<Timed> run = timed(timingScenario(16, 1024, { Record::Kind::None, 0 }), emulationOnly, 1, progress);
    if (!run)
        return run.error();
    std::error_code ignored;
    const std::string path
        = (std::filesystem::temp_directory_path(ignored) / fmt::format("flashstep-bench-{}", std::random_device {}()))
              .string();
    double extraMib = 0;
    for (const auto& [key, write] : { std::pair<const char*, Write>("perfetto_import_s_1e6", writePerfetto),
             std::pair<const char*, Write>("chrome_import_s_1e6", writeChromeJson) }) {
        Status written = writeFileAtomically(
            path, [&](std::ostream& file) { return write(*run->run, Range::whole(*run->run->trace), file, progress); });
        const Result<double> seconds
            = written ? timeImport(*run->run, path, extraMib, progress) : Result<double>(written.error());
        std::filesystem::remove(path, ignored);
        if (!seconds)
            return seconds.error();
        out[key] = *seconds;
    }
    out["import_peak_extra_mib"] = std::max(0.0, extraMib);
    return Nothing {};
}

double p99(std::vector<double>& milliseconds)
{
    std::sort(milliseconds.begin(), milliseconds.end());
    return milliseconds[milliseconds.size() * 99 / 100];
}

// A step and everything a picture of it needs: roles, barriers, buffers and the ledger of the chosen CTA.
double seekMilliseconds(const Trace& trace, Position from, bool forward, CtaId cta)
{
    const auto start = Clock::now();
    const Position p = forward ? trace.next(from, Level::InnerTile) : trace.previous(from, Level::InnerTile);
    std::size_t seen
        = rolesAt(trace, cta, p).size() + barriersAt(trace, cta, p).size() + ledgerAt(trace, cta, p).size();
    for (const BufferState& state : buffersAt(trace, cta, p))
        seen += trace.hasValues(cta) ? trace.value(cta, state.buffer, p).data.size() : 1;
    const double milliseconds = 1e3 * secondsSince(start);
    return seen == 0 ? 0 : milliseconds;
}

Status benchSeeks(Json& out, const Progress& progress)
{
    const Result<Timed> run = timed(timingScenario(32, 2048, { Record::Kind::OneCta, 0 }), emulationOnly, 1, progress);
    if (!run)
        return run.error();
    const Trace& trace = *run->run->trace;
    out["emulate_events_per_s"] = eventsOf(*run) / run->seconds;
    out["bytes_per_event"] = static_cast<double>(trace.bytesWithoutValues()) / eventsOf(*run);
    std::minstd_rand random(1);
    std::uniform_int_distribution<std::uint32_t> anywhere(0, trace.end().value);
    for (const bool forward : { true, false }) {
        std::vector<double> times(2000);
        for (double& time : times)
            time = seekMilliseconds(trace, Position { anywhere(random) }, forward, CtaId(0));
        out[forward ? "seek_forward_p99_ms" : "seek_back_p99_ms"] = p99(times);
    }
    out["events"] = trace.end().value;
    return Nothing {};
}

std::string asText(const Json& figures)
{
    std::string text;
    for (const auto& [key, value] : figures.items())
        text += fmt::format(
            "{:<26}{}\n", key, value.is_string() ? value.get<std::string>() : numberText(value.get<double>()));
    return text;
}

int perform(bool json, bool quiet)
{
    Json out;
    const ProgressLine line("measuring", quiet);
    for (Status (*bench)(Json&, const Progress&) :
        { benchExports, benchImports, benchValues, benchWholeGrid, benchGrowth, benchSeeks, benchPtx })
        if (Status status = bench(out, line.progress()); !status)
            return fail(status.error());
    out["cpu"] = cpuName();
    out["threads"] = std::thread::hardware_concurrency();
    return print(json ? jsonText(out) : asText(out));
}

} // namespace

Command addBench(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("bench", "measure the project's figures on this computer");
    struct Options {
        bool json = false, quiet = false;
    };
    const auto options = std::make_shared<Options>();
    parser->add_flag("--json", options->json, "as JSON");
    parser->add_flag("--quiet", options->quiet, "no progress on standard error");
    return { parser, [options] { return perform(options->json, options->quiet); } };
}

} // namespace flashstep::cli
