// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/emulation/numerics.h"
#include "core/hardware/spec.h"

#include <memory>

namespace flashstep {

struct EmulationOptions {
    std::vector<bool> recorded; // by CTA: compute its values and keep them
    std::shared_ptr<const Inputs> inputs; // what loads copy from, where anything is recorded
    bool discardValues = false; // compute them, but leave none in the trace: what keeping costs is the difference
};

// Runs the program on the GPU: the whole grid, CTA by CTA, one event after the other in time; ties in the order in
// which they came about. `numerics` may be null when nothing is recorded. The error is "cancelled", or that the run
// would last more cycles than a trace can hold.
[[nodiscard]] Result<std::shared_ptr<const Trace>> emulate(std::shared_ptr<const Program> program, const GpuSpec& gpu,
    const EmulationOptions& options, Numerics* numerics, const Progress& progress);

} // namespace flashstep
