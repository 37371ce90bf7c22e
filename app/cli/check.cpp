// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program/check.h"
#include "app/cli/commands.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/io/json.h"

#include <fmt/format.h>

#include <memory>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    bool json = false;
};

std::string asJson(const std::vector<Offence>& offences)
{
    Json list = Json::array();
    for (const Offence& offence : offences)
        list.push_back({ { "what", offence.what }, { "role", offence.role }, { "source", offence.source } });
    return jsonText({ { "ok", offences.empty() }, { "offences", list } });
}

std::string asText(const Program& program, const std::vector<Offence>& offences)
{
    if (offences.empty())
        return fmt::format("{} {}: {} ops in {} streams, {} CTAs; every wait can be met, nothing is read before it is "
                           "written, and it fits\n",
            program.algorithm, program.pass, program.ops.size(), program.streams.size(), program.ctaCount());
    const Offence& first = offences.front();
    std::string text = fmt::format("{}: {} ({})\n", first.source, first.what, first.role);
    if (offences.size() > 1)
        text += fmt::format("and {} more\n", offences.size() - 1);
    return text;
}

int perform(const Options& options)
{
    const Result<Stated> stated = stateProblem(options.problem);
    if (!stated)
        return fail(stated.error());
    const Program& program = *stated->prepared.program;
    const std::vector<Offence> offences = checkProgram(program);
    const int status = print(options.json ? asJson(offences) : asText(program, offences));
    return status == success && !offences.empty() ? failedCheck : status;
}

} // namespace

Command addCheck(CLI::App& app)
{
    CLI::App* parser
        = app.add_subcommand("check", "check a program before it runs: waits, reads before writes, capacities");
    const auto options = std::make_shared<Options>();
    addProblemOptions(*parser, options->problem);
    parser->add_flag("--json", options->json, "the offences as JSON");
    return { parser, [options] { return perform(*options); } };
}

} // namespace flashstep::cli
