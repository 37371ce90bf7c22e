// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"
#include "core/io/scenario.h"
#include "core/trace/query.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace flashstep::test {

struct SampleRun {
    Run run;
    Labels labels;
};

// The shipped 64 x 64 causal sample with all its values: emulated once per program.
inline const SampleRun& sampleRun()
{
    static const SampleRun sample = [] {
        auto file = readScenario(std::string(FLASHSTEP_SOURCE_DIR) + "/resources/samples/licence-causal.json");
        auto inputs = file ? loadInputs(*file) : Result<LoadedInputs>(file.error());
        auto run = inputs ? runScenario(file->scenario, inputs->inputs, Progress {}) : Result<Run>(inputs.error());
        if (!run) {
            std::fprintf(stderr, "%s\n", run.error().line().c_str());
            std::abort();
        }
        return SampleRun { std::move(run).value(), inputs->labels };
    }();
    return sample;
}

inline Moment momentOf(const Trace& trace, const std::string& text)
{
    auto moment = findMoment(trace, text);
    if (!moment) {
        std::fprintf(stderr, "%s\n", moment.error().line().c_str());
        std::abort();
    }
    return *moment;
}

} // namespace flashstep::test
