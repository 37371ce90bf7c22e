// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <vector>

namespace flashstep::cli {

// A subcommand: its parser, and what it does once everything is parsed.
struct Command {
    CLI::App* parser = nullptr;
    std::function<int()> run;
};

// Each in a file of its own name.
Command addList(CLI::App& app);
Command addRun(CLI::App& app);
Command addCompare(CLI::App& app);
Command addCheck(CLI::App& app);
Command addDump(CLI::App& app);
Command addExport(CLI::App& app);
Command addImport(CLI::App& app);
Command addBatch(CLI::App& app);
Command addSweep(CLI::App& app);
Command addMerge(CLI::App& app);
Command addNarrate(CLI::App& app);
Command addWhy(CLI::App& app);
Command addStalls(CLI::App& app);
Command addCriticalPath(CLI::App& app);
Command addNumerics(CLI::App& app);
Command addValidate(CLI::App& app);
Command addOverview(CLI::App& app);
Command addPtx(CLI::App& app);
Command addDevice(CLI::App& app);
Command addBench(CLI::App& app);
Command addCompletion(CLI::App& app);

// What bash gets from `flashstep-cli completion bash`: every command with its options.
[[nodiscard]] std::string bashCompletion(const CLI::App& app);

} // namespace flashstep::cli
