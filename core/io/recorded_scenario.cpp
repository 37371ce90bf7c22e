// SPDX-License-Identifier: Apache-2.0
#include "core/io/recorded_scenario.h"

#include "core/io/json.h"

namespace flashstep {

Result<ScenarioFile> recordedScenario(const Recording& recording)
{
    // A recording of a device states its problem, one of ours the scenario.
    const bool exported = recording.metadataText("problem").empty();
    const std::string text = recording.metadataText(exported ? "scenario" : "problem");
    const Json problem = Json::parse(text, nullptr, false);
    if (!problem.is_object())
        return Error { "it does not say which problem it ran", "problem", "" };
    // The whole scenario, or its problem alone.
    Json scenario = exported || problem.contains("algorithm") ? problem : Json { { "problem", problem } };
    scenario["flashstep"] = 1;
    Result<ScenarioFile> file = parseScenario(scenario.dump(), "", "problem");
    if (!file)
        return file;
    // What follows from other sizes; that of tensors only they know.
    if (const Scenario& s = file->scenario; s.qFile.empty() && s.kFile.empty() && s.vFile.empty())
        if (const Result<LoadedInputs> completed = loadInputs(*file); !completed)
            return completed.error();
    return file;
}

} // namespace flashstep
