// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hardware/spec.h"
#include "core/io/json.h"
#include "core/io/ptx_arguments.h"
#include "core/ptx/kernel_run.h"

#include <optional>
#include <string>
#include <vector>

namespace flashstep {

// What a run of a kernel's instructions left behind, whichever way it was started.
struct PtxOutcome {
    std::string kernel; // the entry, or the shipped kernel's name
    std::string file; // of the PTX
    std::string gpu, gpuTitle;
    std::uint64_t orderSeed = 0;
    bool checked = true; // races and the like were looked for
    ptx::KernelRun run;
    struct Output {
        std::string argument, file, type;
        std::vector<std::uint64_t> shape;
    };
    std::vector<Output> outputs;
    // Of a shipped kernel.
    std::optional<Problem> problem;
    std::optional<double> maxAbsError, maxAbsErrorLse;
};

[[nodiscard]] std::vector<PtxOutcome::Output> outputsOf(std::span<const PtxArgument> arguments);

// Where an instruction stands. Lines count from 1.
struct CodePlace {
    std::uint32_t ptxLine = 0;
    std::uint32_t cudaLine = 0; // of the innermost .loc in force; 0: there is none
    std::string cudaFile;
    std::string instruction; // "ld.shared.f32"
    [[nodiscard]] std::string text() const; // "reduce.cu:17, PTX line 40, ld.shared.f32"
};
[[nodiscard]] CodePlace placeOf(const ptx::Code& code, std::uint32_t pc);

// The findings in an order of their places, so that runs in different orders list the same faults alike.
[[nodiscard]] std::vector<const ptx::Finding*> sortedFindings(const PtxOutcome& outcome);

[[nodiscard]] Json ptxReportObject(const PtxOutcome& outcome);
[[nodiscard]] std::string ptxReportText(const PtxOutcome& outcome);

} // namespace flashstep
