// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"

#include <array>
#include <string_view>
#include <vector>

namespace flashstep {

using EngineShares = std::array<double, engineCount>; // by Engine; 0…1 of a grid's time

// Of engines that were busy for so many cycles, all SMs and quarters counted.
[[nodiscard]] EngineShares engineShares(const EngineShares& busyCycles, Cycle cycles, double sms);
// What `run --json` has of them, and the busiest of those.
[[nodiscard]] Utilisation utilisationOf(const EngineShares& shares);
[[nodiscard]] std::string_view bindingOf(const Utilisation& utilisation);

// What a run says of its time, without a run: the grid in two steps, no values, no trace. Of any length of sequence.
struct Prediction {
    Cycle cycles = 0;
    double clockMhz = 0, microseconds = 0;
    double flops = 0; // nominal
    EngineShares shares {};
    GpuSpec gpu; // with the knobs applied
    std::vector<std::string_view> guesses; // figures its time rests on that are no better than that (guesses.h)
    [[nodiscard]] Utilisation utilisation() const { return utilisationOf(shares); }
    [[nodiscard]] std::string_view binding() const { return bindingOf(utilisation()); }
    [[nodiscard]] double tflops() const { return flops / microseconds * 1e-6; }
};
[[nodiscard]] Result<Prediction> predict(const Scenario& scenario, const Progress& progress);
// The same of what prepare(scenario, true) gave, on its GPU with some figures changed.
[[nodiscard]] Result<Prediction> predictOn(const Prepared& prepared, const GpuSpec& gpu, const Progress& progress);

// max(tensor, exponentials, HBM) at a clock: no schedule, no latency, no launch. Work is counted as in the nominal
// flops: half of it under a causal mask. [docs/validation.md]
struct Roofline {
    double tensor = 0, exp = 0, hbm = 0; // microseconds
    [[nodiscard]] double microseconds() const;
};
[[nodiscard]] Roofline rooflineOf(const Scenario& scenario, const GpuSpec& gpu, double clockMhz);

// As publications count: forward 2 N M (d + dv) h b, halved when causal; with a window N M is the visible pairs.
[[nodiscard]] double nominalFlops(const Problem& problem);
// The clock under sustained load, which the power cap lowers; by the utilisation of the tensor cores and of the
// exponential units. [docs/hardware-model.md, clock]
[[nodiscard]] double clockUnder(const GpuSpec& gpu, double tensor, double exp);

} // namespace flashstep
