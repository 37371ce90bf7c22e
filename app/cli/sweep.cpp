// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/io/sweep.h"
#include "app/cli/beside.h"
#include "app/cli/commands.h"
#include "app/cli/export.h"
#include "app/cli/report.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/base/version.h"
#include "core/io/files.h"
#include "core/io/fingerprint.h"
#include "core/io/input_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    std::vector<std::string> vary;
    std::string out, chart, shard = "1/1";
    unsigned jobs = 0; // 0: one for each hardware thread
};

// One combination that has run, or was refused.
struct Outcome {
    std::string line; // of the table
    std::string status;
    std::string error;
};

ProblemOptions optionsOf(const ProblemOptions& base, std::span<const Varied> varied, std::size_t number)
{
    ProblemOptions options = base;
    const std::vector<std::string> values = combination(varied, number);
    for (std::size_t k = 0; k < varied.size(); ++k) {
        if (varied[k].key == "scenario")
            options.scenario = values[k];
        else if (varied[k].isKnob)
            options.given.emplace_back("what_if", varied[k].key + "=" + values[k]);
        else
            options.given.emplace_back(varied[k].key, values[k]);
    }
    return options;
}

std::string statusOf(const Run& run)
{
    if (!run.trace->deadlock().empty())
        return "deadlock";
    if (run.report.hazards > 0)
        return "hazards";
    return failed(run.report, *run.trace) ? "inaccurate" : "ok";
}

Result<Run> runOf(const ProblemOptions& options, const Progress& progress)
{
    Result<Stated> stated = stateProblem(options);
    if (!stated)
        return stated.error();
    if (Status status = checkMemory(stated->prepared); !status)
        return status.error();
    return runScenario(stated->file.scenario, std::move(stated->loaded.inputs), progress);
}

// Of everything that makes one sweep differ from another; the same on each computer that does a share of it.
std::string fingerprintOf(const ProblemOptions& base, std::span<const Varied> varied)
{
    Fingerprint print;
    print.addPart(version());
    for (const Varied& one : varied) {
        print.addPart(one.name);
        for (const std::string& value : one.values)
            print.addPart(value);
        print.addPart({});
    }
    for (const auto& [key, value] : base.given) {
        print.addPart(key);
        print.addPart(value);
    }
    if (!base.scenario.empty()) // by content: its folder may differ
        if (const Result<ScenarioFile> file = readScenario(base.scenario); file)
            print.addPart(scenarioText(*file, directoryOf(base.scenario)));
    return print.text();
}

Outcome outcomeOf(const ProblemOptions& base, std::span<const Varied> varied, const std::string& sweep,
    std::size_t number, const Progress& progress)
{
    const Result<Run> run = runOf(optionsOf(base, varied, number), progress);
    if (!run) {
        const std::string error = run.error().line();
        return { sweepLine(varied, { number, nullptr, "refused", error, sweep }), "refused", error };
    }
    const Json report = runObject(*run, false);
    const std::string status = statusOf(*run);
    return { sweepLine(varied, { number, &report, status, {}, sweep }), status, {} };
}

// Runs them on threads, whoever is free taking the next one, and hands them out in order.
class Combinations {
public:
    Combinations(const ProblemOptions& base, std::span<const Varied> varied, std::vector<std::size_t> numbers,
        unsigned jobs, std::stop_token interrupt)
        : m_base(base)
        , m_varied(varied)
        , m_sweep(fingerprintOf(base, varied))
        , m_numbers(std::move(numbers))
        , m_interrupt(std::move(interrupt))
    {
        for (std::size_t k = 0; k < std::min<std::size_t>(jobs, m_numbers.size()); ++k)
            m_threads.emplace_back([this] { work(); });
    }
    Combinations(const Combinations&) = delete;
    Combinations& operator=(const Combinations&) = delete;
    ~Combinations() { m_all.request_stop(); } // the threads end with it

    [[nodiscard]] std::size_t count() const { return m_numbers.size(); }
    // The k-th one, once it is there; nothing after an interrupt.
    std::optional<Outcome> take(std::size_t k)
    {
        std::unique_lock lock(m_mutex);
        // An interrupt wakes nobody: it is looked for.
        while (!m_outcomes.contains(k) && !m_interrupt.stop_requested())
            m_ready.wait_for(lock, std::chrono::milliseconds(100));
        if (m_interrupt.stop_requested())
            return std::nullopt;
        return std::move(m_outcomes.extract(k).mapped());
    }

private:
    void work()
    {
        const Progress progress { m_all.get_token(), {} };
        for (;;) {
            std::size_t mine = 0;
            {
                const std::lock_guard lock(m_mutex);
                if (m_next >= m_numbers.size() || m_all.stop_requested())
                    return;
                mine = m_next++;
            }
            Outcome outcome = outcomeOf(m_base, m_varied, m_sweep, m_numbers[mine], progress);
            const std::lock_guard lock(m_mutex);
            m_outcomes.emplace(mine, std::move(outcome));
            m_ready.notify_all();
        }
    }

    const ProblemOptions& m_base;
    std::span<const Varied> m_varied;
    std::string m_sweep;
    std::vector<std::size_t> m_numbers;
    std::stop_token m_interrupt;
    std::stop_source m_all;
    std::mutex m_mutex;
    std::condition_variable m_ready;
    std::size_t m_next = 0;
    std::map<std::size_t, Outcome> m_outcomes; // by place in m_numbers, until they are taken
    std::vector<std::jthread> m_threads;
};

// How many ended how, and what the first refusal said.
struct Tally {
    std::map<std::string, std::size_t> counts;
    std::string firstRefusal;

    void add(const Outcome& outcome)
    {
        ++counts[outcome.status];
        if (outcome.status == "refused" && firstRefusal.empty())
            firstRefusal = outcome.error;
    }
    [[nodiscard]] std::size_t of(const std::string& status) const
    {
        const auto found = counts.find(status);
        return found == counts.end() ? 0 : found->second;
    }
    [[nodiscard]] std::string text(std::size_t all) const
    {
        std::string out = fmt::format("{} {}", all, all == 1 ? "combination" : "combinations");
        for (const auto& [status, count] : counts)
            out += fmt::format("{} {} {}", out.find(':') == std::string::npos ? ":" : ",", count, status);
        return out;
    }
};

Status writeTable(
    Combinations& all, std::span<const Varied> varied, const Options& o, const Progress& progress, Tally& tally)
{
    return writeFileAtomically(o.out, [&](std::ostream& out) -> Status {
        out << sweepHeader(varied);
        for (std::size_t k = 0; k < all.count(); ++k) {
            const std::optional<Outcome> outcome = all.take(k);
            if (!outcome)
                return Error { "cancelled", "", "" };
            tally.add(*outcome);
            out << outcome->line;
            if (!out.flush())
                return Error { "cannot write", o.out, "is the disk full?" };
            progress.at(static_cast<double>(k + 1) / static_cast<double>(all.count()));
        }
        if (o.shard == "1/1" && all.count() > 0 && tally.of("refused") == all.count())
            return Error { "every combination was refused; the first: " + tally.firstRefusal, "", "" };
        return Nothing {};
    });
}

// What the name of the chart says it is.
Result<std::string> chartFormat(const std::string& path)
{
    const std::string name = fileNameOf(path);
    const std::size_t dot = name.rfind('.');
    const std::string suffix = dot == std::string::npos ? std::string() : name.substr(dot + 1);
    for (const char* const format : { "svg", "pdf", "png" })
        if (suffix == format)
            return std::string(format);
    return Error { "'" + path + "' does not say what the chart is written as", "--chart",
        "a name that ends in .svg, .pdf or .png" };
}

int perform(const Options& o)
{
    const Result<std::vector<Varied>> varied = parseSweep(o.vary);
    if (!varied)
        return fail(varied.error());
    const Result<Shard> shard = parseShard(o.shard);
    if (!shard)
        return fail(shard.error());
    for (const std::string* target : { &o.out, &o.chart })
        if (const Status status = target->empty() ? Status(Nothing {}) : checkTarget(*target); !status)
            return fail(status.error());
    const Result<std::string> format = o.chart.empty() ? Result<std::string>(std::string()) : chartFormat(o.chart);
    if (!format)
        return fail(format.error());
    if (!o.chart.empty() && o.chart == o.out)
        return fail({ "the table is written there", "--chart " + o.chart, "another name" });
    ScenarioFile base;
    if (!o.problem.scenario.empty()) {
        Result<ScenarioFile> read = readScenario(o.problem.scenario);
        if (!read)
            return fail(read.error());
        base = std::move(*read);
    }
    for (const auto& [key, value] : o.problem.given)
        (void)setOption(base, key, value); // what is not accepted refuses its rows
    const std::vector<std::string> inputs = inputFilesOf(base.scenario, o.problem.scenario);
    for (const std::string* target : { &o.out, &o.chart })
        if (const Status status = checkNotRead(*target, inputs); !status)
            return fail(status.error());
    std::vector<std::size_t> numbers;
    for (std::size_t k = 0; k < combinationCount(*varied); ++k)
        if (shard->takes(k))
            numbers.push_back(k);
    const unsigned jobs = o.jobs > 0 ? o.jobs : std::max(1U, std::thread::hardware_concurrency());
    Tally tally;
    const std::size_t count = numbers.size();
    {
        const ProgressLine line("sweeping", o.problem.quiet);
        Combinations all(o.problem, *varied, std::move(numbers), jobs, line.progress().stop);
        if (Status written = writeTable(all, *varied, o, line.progress(), tally); !written)
            return fail(written.error());
    }
    if (tally.of("refused") > 0)
        note(fmt::format(
                 "{} of {} combinations were refused; the first: {}", tally.of("refused"), count, tally.firstRefusal),
            o.problem.quiet);
    if (!o.chart.empty())
        if (const int status = startBeside(
                "--chart", { "--charts", o.chart, "--sweep", o.out, "--format", *format, "--theme", "print" });
            status != success)
            return status;
    const int printed = o.problem.quiet ? success : print(tally.text(count) + "\n");
    return printed != success ? printed : tally.of("ok") + tally.of("refused") == count ? success : failedCheck;
}

} // namespace

Command addSweep(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("sweep", "one row of a CSV table for each combination of options and knobs");
    const auto o = std::make_shared<Options>();
    parser->add_option("--vary", o->vary, "an option without its dashes, or a knob, and its values; repeatable")
        ->required()
        ->allow_extra_args(false)
        ->type_name("KEY=a,b,c");
    parser->add_option("--out", o->out, "the table")->required()->type_name("F.csv");
    parser->add_option("--chart", o->chart, "also draw it")->type_name("F.svg|pdf|png");
    parser->add_option("--shard", o->shard, "only every n-th combination, from the k-th on, k from 1; see 'merge'")
        ->type_name("k/n");
    parser->add_option("--jobs", o->jobs, "runs at a time (default: one for each hardware thread)")
        ->type_name("N")
        ->check(CLI::Range(1U, 1024U));
    addProblemOptions(*parser, o->problem);
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
