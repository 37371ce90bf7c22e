// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/session.h"

#include "app/cli/status.h"
#include "core/io/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <sys/resource.h>

namespace flashstep::cli {

namespace {

void addOne(CLI::App& command, const ScenarioOption& option, ProblemOptions& target)
{
    const std::string key(option.key);
    const auto keep = [&target, key](const std::vector<std::string>& values) {
        for (const std::string& value : values)
            target.given.emplace_back(key, value);
    };
    CLI::Option* added
        = command.add_option_function<std::vector<std::string>>(optionName(key), keep, std::string(option.help));
    added->allow_extra_args(false)->type_name(std::string(option.value))->group("Problem and machine");
    added->multi_option_policy(option.repeats ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
}

} // namespace

std::string optionName(std::string_view key)
{
    std::string text = "--" + std::string(key);
    std::replace(text.begin(), text.end(), '_', '-');
    return text;
}

void addProblemOptions(CLI::App& command, ProblemOptions& options)
{
    command.add_option("--scenario", options.scenario, "everything below from a file; options given beside it win")
        ->type_name("F.json")
        ->group("Problem and machine");
    for (const ScenarioOption& option : scenarioOptions())
        addOne(command, option, options);
    command.add_flag("--quiet", options.quiet, "no progress and no remarks on standard error");
}

Result<Stated> stateProblem(const ProblemOptions& options)
{
    ScenarioFile file;
    if (!options.scenario.empty()) {
        Result<ScenarioFile> read = readScenario(options.scenario);
        if (!read)
            return read.error();
        file = std::move(*read);
    }
    return stateProblem(std::move(file), options);
}

Result<Stated> stateProblem(ScenarioFile file, const ProblemOptions& options)
{
    for (const auto& [key, value] : options.given)
        if (Status status = setOption(file, key, value); !status)
            return status.error();
    if (Status status = checkKnobs(file.scenario); !status)
        return status.error();
    Result<LoadedInputs> loaded = loadInputs(file);
    if (!loaded)
        return loaded.error();
    Result<Prepared> prepared = prepare(file.scenario);
    if (!prepared)
        return prepared.error();
    return Stated { std::move(file), std::move(*loaded), std::move(*prepared), options.scenario };
}

Status checkMemory(const Prepared& prepared)
{
    const auto memory = static_cast<double>(physicalMemory());
    const bool everything = prepared.scenario.record.kind == Record::Kind::All;
    const double needed = prepared.estimate.traceBytes + (everything ? prepared.estimate.valueBytes : 0);
    if (memory == 0 || needed < 0.9 * memory)
        return Nothing {};
    return Error { fmt::format("this would take about {} of memory, of {} that this computer has", bytesInWords(needed),
                       bytesInWords(memory)),
        "",
        everything ? "fewer or shorter sequences, or --record cta:0" : "fewer or shorter sequences, or larger tiles" };
}

Result<Session> emulate(Stated stated, bool quiet)
{
    const Prepared& prepared = stated.prepared;
    if (Status status = checkMemory(prepared); !status)
        return status.error();
    if (stated.file.scenario.record.kind == Record::Kind::Automatic
        && prepared.scenario.record.kind != Record::Kind::All)
        note(fmt::format("keeping every value would take about {}: --record {}",
                 bytesInWords(prepared.estimate.valueBytes), prepared.scenario.record.text()),
            quiet);
    for (const std::string& text : stated.loaded.notes)
        note(text, quiet);
    const auto start = std::chrono::steady_clock::now();
    const ProgressLine line("emulating", quiet);
    Result<Run> run = runScenario(stated.file.scenario, std::move(stated.loaded.inputs), line.progress());
    if (!run)
        return run.error();
    Session session { std::move(stated.file), std::move(stated.loaded.labels), std::move(*run), 0,
        std::move(stated.path) };
    session.wallSeconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return session;
}

Result<Session> emulate(const ProblemOptions& options)
{
    Result<Stated> stated = stateProblem(options);
    if (!stated)
        return stated.error();
    return emulate(std::move(*stated), options.quiet);
}

double peakRssMib()
{
    rusage usage {};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

} // namespace flashstep::cli
