// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/emulation/numerics.h"
#include "core/hardware/spec.h"

#include <functional>
#include <memory>

namespace flashstep {

// A CTA that is to run, and on which works; without works: as its launch says.
struct CtaPlan {
    CtaId cta;
    std::vector<WorkId> works;
};

struct EmulationOptions {
    std::vector<CtaPlan> only; // these CTAs alone, in the order in which they start; empty: the whole grid
    std::function<void(TraceBuilder&)> elsewhere; // adds what is known of the rest of the grid
    int firstSm = 0, allSms = 0; // where they run, and of how many
    bool warmKeys = false; // K and V are in L2 already: other SMs have fetched them
    std::vector<bool> recorded; // by CTA: compute its values and keep them
    std::shared_ptr<const Inputs> inputs; // what loads copy from, where anything is recorded
    bool discardValues = false; // compute them, but leave none in the trace: what keeping costs is the difference
    bool swizzled = true; // SMEM tiles are laid out without bank conflicts
    double assumedRescaleRate = 0.1; // of the blocks whose values are not computed
    std::uint32_t jitterSeed = 0; // latencies are stretched by up to a half, by this seed; 0: not
};

// Runs the program on the GPU: the whole grid, CTA by CTA, one event after the other in time; ties in the order in
// which they came about. `numerics` may be null when nothing is recorded. The error is "cancelled", or that the run
// would last more cycles than a trace can hold.
[[nodiscard]] Result<std::shared_ptr<const Trace>> emulate(std::shared_ptr<const Program> program, const GpuSpec& gpu,
    const EmulationOptions& options, Numerics* numerics, const Progress& progress);

} // namespace flashstep
