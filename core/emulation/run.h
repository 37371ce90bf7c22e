// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/emulation/hazards.h"
#include "core/hardware/guesses.h"
#include "core/hardware/spec.h"
#include "core/program/inputs.h"
#include "core/program/scenario.h"
#include "core/trace/trace.h"

#include <memory>

namespace flashstep {

struct Utilisation {
    double tensor = 0, exp = 0, issue = 0, smem = 0, l2 = 0, hbm = 0; // 0…1 of the grid's time
};

// What `run` says of a scenario: every key of `run --json` that is not the scenario itself.
struct Report {
    Cycle cycles = 0;
    double clockMhz = 0, microseconds = 0;
    std::optional<double> tflops; // nullopt where shown and costed tiles differ
    Utilisation utilisation;
    std::string binding;
    double flops = 0, flopsExecuted = 0;
    double globalReadBytes = 0, globalWriteBytes = 0;
    double hbmReadBytes = 0, hbmWriteBytes = 0; // behind L2
    double exp2Hardware = 0, exp2Emulated = 0;
    double rescalesDone = 0, rescalesSkipped = 0; // rows; of a vote, warps
    double rescaleWarpsDone = 0, rescaleWarpsSkipped = 0;
    std::uint64_t pClipped = 0; // elements of P that e4m3 could not hold, of CTAs whose values were computed
    std::string rescaleSource; // "values", "assumed", "mixed"
    std::uint64_t events = 0, traceBytes = 0;
    bool twoSteps = false; // the grid was scheduled from the times of its tiles; `events` are those of one SM
    std::uint64_t hazards = 0;
    std::vector<Hazard> hazardList; // the first 1000
    std::optional<double> maxAbsError, rmsError,
        maxAbsErrorLse; // against float64; nullopt where no values were computed
    std::optional<double> errorBound;
    std::vector<GuessEffect> guessEffects; // where they were asked for
    std::vector<std::string> inputNotes; // "k.npy holds 3 NaN", for people
};

// One run with everything that belongs to it. Immutable; shared between threads.
struct Run {
    Scenario scenario; // completed: gpu, tiles, record filled in
    std::shared_ptr<const Program> program;
    std::shared_ptr<const Trace> trace;
    GpuSpec gpu; // with the knobs applied
    std::shared_ptr<const Inputs> inputs; // as rounded to the dtype, with their factors; null without values
    Tensor o, lse; // outputs of recorded CTAs; NaN elsewhere; empty without values
    Report report;
};

// Events beyond which a grid is timed in two steps (grid.h), unless all its values are asked for.
constexpr double eventsInFull = 3e7;

// What a scenario will take before it is started.
struct Estimate {
    double events = 0;
    double traceBytes = 0; // timing alone
    double valueBytes = 0; // every CTA recorded
};

// Completes the scenario (defaults of gpu, tile, record), checks it, builds its program. No emulation yet.
struct Prepared {
    Scenario scenario;
    GpuSpec gpu;
    std::shared_ptr<const Program> program;
    Estimate estimate;
};
// `forTime`: only to be timed in two steps (predict.h); nothing is recorded, and ops are left out where no time is
// measured.
[[nodiscard]] Result<Prepared> prepare(const Scenario& scenario, bool forTime = false);

// The whole way: program, static checks of capacity, emulation, hazards, comparison with float64.
// `inputs` are the tensors of the scenario's files, not yet rounded; without them they are generated.
// A cancelled run gives the error "cancelled".
[[nodiscard]] Result<Run> runScenario(const Scenario& scenario, std::optional<Inputs> inputs, const Progress& progress);

// The same, with choices that only benchmarks and tests make.
struct RunOptions {
    bool discardValues = false; // compute the values, keep none
    bool compare = true; // with float64
    bool hazards = true;
    enum class Grid : std::uint8_t { Automatic, Whole, TwoSteps } grid = Grid::Automatic;
};
[[nodiscard]] Result<Run> runScenario(
    const Scenario& scenario, std::optional<Inputs> inputs, const Progress& progress, const RunOptions& options);

} // namespace flashstep
