// SPDX-License-Identifier: GPL-3.0-or-later
// flashstep-cli: everything of FlashStep that needs neither a window nor a display.
#include "app/cli/commands.h"
#include "app/cli/status.h"
#include "core/base/version.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep::cli {
namespace {

// CLI11's messages, on one line and in our words.
std::string reworded(const CLI::App& app, const CLI::ParseError& error)
{
    std::string text = error.what();
    text = text.substr(0, text.find('\n'));
    const auto replace = [&](std::string_view from, std::string_view to) {
        if (const std::size_t at = text.find(from); at != std::string::npos)
            text.replace(at, from.size(), to);
    };
    replace("The following arguments were not expected:", "not an option or argument here:");
    replace("The following argument was not expected:", "not an option or argument here:");
    replace("A subcommand is required", "no command given");
    const auto chosen = app.get_subcommands();
    const std::string name = chosen.empty() ? "" : " " + chosen.front()->get_name();
    return text + " (see 'flashstep-cli" + name + " --help')";
}

// The first word, before any option, has to be a command of this version.
int checkCommand(const CLI::App& app, int argc, char** argv)
{
    const std::string word = argc > 1 ? argv[1] : "";
    const auto known = app.get_subcommands([&](const CLI::App* command) { return command->get_name() == word; });
    if (word.empty() || word.front() == '-' || !known.empty())
        return success;
    return fail(Error { "there is no command '" + word + "'", "", "see 'flashstep-cli --help'" });
}

int runCli(int argc, char** argv)
{
    CLI::App app("FlashStep without a window: emulates FlashAttention on a model of a GPU. Times are modelled.",
        "flashstep-cli");
    app.set_version_flag("--version", "flashstep-cli " + std::string(version()));
    app.require_subcommand(1);
    app.footer(
        "Exit status: 0 success, 1 a check failed, 2 bad usage or input, 3 not available here, 130 interrupted.");
    const std::vector<Command> commands { addList(app), addRun(app), addCompare(app), addCheck(app), addDump(app),
        addExport(app), addImport(app), addBatch(app), addSweep(app), addMerge(app), addNarrate(app), addWhy(app),
        addStalls(app), addCriticalPath(app), addNumerics(app), addValidate(app), addOverview(app), addPtx(app),
        addDevice(app), addBench(app), addCompletion(app) };
    if (const int status = checkCommand(app, argc, argv); status != success)
        return status;
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0)
            return app.exit(error);
        return fail(Error { reworded(app, error), "", "" });
    }
    const auto chosen = std::find_if(
        commands.begin(), commands.end(), [](const Command& command) { return command.parser->parsed(); });
    return chosen == commands.end() ? fail(Error { "no command given", "", "" }) : chosen->run();
}

} // namespace
} // namespace flashstep::cli

int main(int argc, char** argv)
{
    flashstep::cli::catchInterrupts();
    return flashstep::cli::runCli(argc, argv);
}
