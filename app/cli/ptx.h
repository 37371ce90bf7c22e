// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/session.h"
#include "core/io/ptx_report.h"

namespace flashstep::cli {

// `ptx` as it stood on the command line; numbers are read by the form that takes them.
struct PtxOptions {
    ProblemOptions problem;
    std::vector<std::string> words; // FILE.ptx ARG…
    std::string kernel, grid, block, cluster, shared; // of a file
    std::string shipped, outNpy; // of a shipped kernel
    std::string orderSeed, maxInstructions, trace;
    bool check = false, unchecked = false, json = false;
};

// What both forms have made of it before anything runs.
struct PtxStart {
    PtxOutcome outcome; // its run is prepared
    GpuSpec gpu;
    ptx::RunOptions options; // `gpu` is set by runPtx()
};
[[nodiscard]] Result<PtxStart> startFile(const PtxOptions& options, std::vector<PtxArgument>& arguments);
struct ShippedStart {
    PtxStart start;
    const cuda::KernelPlan* kernel = nullptr;
    Inputs inputs;
    std::vector<std::string> files; // that were read
};
[[nodiscard]] Result<ShippedStart> startShipped(const PtxOptions& options);
[[nodiscard]] Result<ptx::RunOptions> runOptionsOf(const PtxOptions& options);

} // namespace flashstep::cli
