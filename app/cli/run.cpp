// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/report.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/emulation/guess_effects.h"
#include "core/io/npy.h"
#include "core/program/quantise.h"

#include <filesystem>
#include <future>
#include <memory>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    bool json = false;
    std::string outNpy;
};

Status prepareDirectory(const std::string& directory)
{
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
        return Error { "cannot make the directory: " + error.message(), directory, "" };
    return Nothing {};
}

Status writeTensors(const Run& run, const std::string& directory)
{
    const auto path = [&](const char* file) { return (std::filesystem::path(directory) / file).string(); };
    if (Status status = prepareDirectory(directory); !status)
        return status;
    const Inputs inputs = dequantised(*run.inputs); // the numbers whose attention O is
    const std::initializer_list<std::pair<const char*, const Tensor*>> tensors { { "q.npy", &inputs.q },
        { "k.npy", &inputs.k }, { "v.npy", &inputs.v }, { "o.npy", &run.o } };
    for (const auto& [file, tensor] : tensors)
        if (Status status = writeNpy(path(file), *tensor); !status)
            return status;
    return writeNpy(path("lse.npy"), run.lse, 3);
}

int perform(const Options& options)
{
    Result<Stated> stated = stateProblem(options.problem);
    if (!stated)
        return fail(stated.error());
    if (!options.outNpy.empty() && stated->prepared.scenario.record.kind != Record::Kind::All)
        return fail(Error { "it needs every value", "--out-npy",
            "--record all; this run would keep " + stated->prepared.scenario.record.text() });
    // Beside the run, on a thread of its own: the report needs both.
    auto guesses = std::async(
        std::launch::async, [scenario = stated->file.scenario] { return guessEffects(scenario, Progress {}); });
    Result<Session> session = emulate(std::move(*stated), options.problem.quiet);
    if (!session)
        return fail(session.error());
    if (Result<std::vector<GuessEffect>> effects = guesses.get())
        session->run.report.guessEffects = std::move(*effects);
    if (!options.outNpy.empty())
        if (Status status = writeTensors(session->run, options.outNpy); !status)
            return fail(status.error());
    const int status = print(options.json ? reportJson(*session) : reportText(*session));
    return status == success && failed(session->run.report, *session->run.trace) ? failedCheck : status;
}

} // namespace

Command addRun(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("run", "run one scenario and report on it");
    const auto options = std::make_shared<Options>();
    addProblemOptions(*parser, options->problem);
    parser->add_flag("--json", options->json, "the report as JSON");
    parser->add_option("--out-npy", options->outNpy, "write q k v o lse there as .npy (needs --record all)")
        ->type_name("DIR");
    return { parser, [options] { return perform(*options); } };
}

} // namespace flashstep::cli
