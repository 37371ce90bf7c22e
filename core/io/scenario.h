// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/io/labels.h"
#include "core/program/inputs.h"
#include "core/program/scenario.h"

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// A scenario as somebody stated it: which of its options were given, and what belongs to the window alone (JSON texts,
// kept as they were; empty: absent).
struct ScenarioFile {
    Scenario scenario;
    std::set<std::string, std::less<>> given; // keys with '_': "seqlen_q"
    std::string compare, view, bookmarks, breakpoints;

    [[nodiscard]] bool has(std::string_view key) const { return given.find(key) != given.end(); }
};

// One option of the problem and the machine; the same table serves the command line (with '-'), the window's and the
// file.
struct ScenarioOption {
    std::string_view key; // with '_', as in the file
    std::string_view value; // what it takes: "N", "BRxBC"
    std::string_view help;
    bool inProblem = false; // stands inside "problem" in the file
    bool isNumber = false; // written as a JSON number
    bool repeats = false; // "break" and "what_if"
};
[[nodiscard]] std::span<const ScenarioOption> scenarioOptions();
[[nodiscard]] const ScenarioOption* findScenarioOption(std::string_view key);

// Takes a value as the command line gives it. Names of the option in errors are written with '-'.
[[nodiscard]] Status setOption(ScenarioFile& file, std::string_view key, std::string_view value);

// Strict: an unknown key, a wrong type or a higher major version is an error that names it. Paths are taken relative to
// `directory`.
[[nodiscard]] Result<ScenarioFile> parseScenario(
    const std::string& json, const std::string& directory, const std::string& where);
[[nodiscard]] Result<ScenarioFile> readScenario(const std::string& path);
// The other run that a file's "compare" describes: the file with that block applied to it as a JSON merge patch (RFC
// 7396: objects key by key, null takes a key away, all else is replaced).
[[nodiscard]] Result<ScenarioFile> parseOtherScenario(
    const std::string& json, const std::string& directory, const std::string& where);
[[nodiscard]] Result<ScenarioFile> readOtherScenario(const std::string& path);
// The file that reads back as the same scenario; paths are written relative to `directory` where they lie in it.
[[nodiscard]] std::string scenarioText(const ScenarioFile& file, const std::string& directory);

// Fills in what follows from other options (kv heads, seqlen-k, head-dim-v) and reads the tensors, whose sizes count.
struct LoadedInputs {
    std::optional<Inputs> inputs; // nothing where they are generated
    Labels labels;
    std::vector<std::string> notes; // "k.npy holds 3 NaN"
};
[[nodiscard]] Result<LoadedInputs> loadInputs(ScenarioFile& file);

// Knobs have to exist: "not in this version" for what a later one brings. Whether a version obeys them, and the rest of
// the scenario, is for prepare() to say.
[[nodiscard]] Status checkKnobs(const Scenario& scenario);

} // namespace flashstep
