// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/cuda/launch.h"
#include "core/io/ptx_report.h"
#include "core/io/scenario.h"
#include "core/ptx/kernel_run.h"

#include <memory>
#include <string>
#include <vector>

namespace flashstep {

// Those to choose from, without the traced ones, in their order.
[[nodiscard]] std::vector<const cuda::KernelPlan*> shippedKernels();
[[nodiscard]] Result<const cuda::KernelPlan*> findShippedKernel(const std::string& name); // traced ones too
[[nodiscard]] std::string ptxFileOf(const cuda::KernelPlan& kernel); // "resources/ptx/fa2_forward.ptx"
// Its entries, in the order of the launches.
[[nodiscard]] std::vector<std::string> entriesOf(const cuda::KernelPlan& kernel);

// Fills in what the kernel's name fixes, and refuses what contradicts it or has no say over a kernel's own
// instructions. Then the tensors' files are read, and what is left of the sizes follows.
[[nodiscard]] Result<LoadedInputs> settleProblem(const cuda::KernelPlan& kernel, ScenarioFile& file);
// The GPU it is to run on, with the machine's knobs turned; it has to be able to.
[[nodiscard]] Result<GpuSpec> gpuFor(const std::string& target, const Scenario& scenario);

// Largest differences of O and LSE from float64 attention on `inputs`, which are as the kernel took them.
struct KernelErrors {
    double o = 0, lse = 0;
};
[[nodiscard]] Result<KernelErrors> kernelErrors(
    const ptx::KernelRun& run, const Problem& problem, const Inputs& inputs, const Progress& progress);

// q k v o lse as .npy, fp32; the directory is made where it is not there.
[[nodiscard]] Status writeKernelTensors(
    const ptx::KernelRun& run, const Problem& problem, const Inputs& inputs, const std::string& directory);

} // namespace flashstep
