// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/emulation/run.h"
#include "core/io/option_values.h"
#include "core/io/scenario.h"

#include <CLI/CLI.hpp>

#include <string>
#include <utility>
#include <vector>

namespace flashstep::cli {

// The options of problem and machine as they stood on the command line.
struct ProblemOptions {
    std::string scenario;
    std::vector<std::pair<std::string, std::string>> given; // key, value
    bool quiet = false;
};
void addProblemOptions(CLI::App& command, ProblemOptions& options);

// "--kv-heads" of the key "kv_heads".
[[nodiscard]] std::string optionName(std::string_view key);

// A scenario read, completed and checked, before anything runs.
struct Stated {
    ScenarioFile file;
    LoadedInputs loaded;
    Prepared prepared;
    std::string path;
};
[[nodiscard]] Result<Stated> stateProblem(const ProblemOptions& options);
// The same of a file that has been read already; the options beside it win.
[[nodiscard]] Result<Stated> stateProblem(ScenarioFile file, const ProblemOptions& options);

// A scenario that has run.
struct Session {
    ScenarioFile file;
    Labels labels;
    Run run;
    double wallSeconds = 0;
    std::string scenarioPath; // empty: stated on the command line alone
};
// What the machine it runs on can hold, said before it starts.
[[nodiscard]] Status checkMemory(const Prepared& prepared);
[[nodiscard]] Result<Session> emulate(Stated stated, bool quiet);
[[nodiscard]] Result<Session> emulate(const ProblemOptions& options);

[[nodiscard]] double peakRssMib();

} // namespace flashstep::cli
