// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cuda/launch.h"
#include "core/program/inputs.h"
#include "core/ptx/machine.h"

namespace flashstep::ptx {

// A shipped kernel on a problem: its launches one after the other, in one memory, with the same checker.
struct KernelRun {
    cuda::LaunchPlan plan;
    std::vector<std::shared_ptr<const Code>> codes; // by launch
    std::vector<Launch> launches;
    std::vector<std::uint64_t> addresses; // of the plan's buffers

    std::uint64_t instructions = 0, steps = 0;
    Cycle cycles = 0; // one launch after the other
    std::vector<Cycle> launchCycles;
    std::vector<Finding> findings; // Finding::launch says which code their places are in
    std::vector<BlockedWarp> deadlock;
    std::uint32_t stuckLaunch = 0;
    bool limit = false, cancelled = false;
    GlobalMemory memory; // at the end
};

struct KernelInputs {
    const Problem* problem = nullptr;
    const Inputs* inputs = nullptr;
};

// What the kernel can do of the problem, as its own launch data describe it; a refusal is an error.
[[nodiscard]] Result<cuda::LaunchPlan> planKernel(const cuda::KernelPlan& kernel, const Problem& problem);
// A memory with the plan's buffers: the inputs as the kernel's type stores them, everything else poisoned.
[[nodiscard]] GlobalMemory fillMemory(
    const cuda::LaunchPlan& plan, const Inputs& inputs, std::vector<std::uint64_t>& addresses);
// The bytes of the launch's parameters, at the offsets that the kernel's declaration gives them.
[[nodiscard]] Result<std::vector<std::byte>> parametersOf(
    const Function& function, const cuda::Launch& launch, const std::vector<std::uint64_t>& addresses);

// Prepares: the plan, the code of each launch, the memory. Nothing has run yet.
[[nodiscard]] Result<KernelRun> prepareKernel(const cuda::KernelPlan& kernel, std::shared_ptr<const Module> module,
    const std::string& file, const Problem& problem, const Inputs& inputs);
// Runs all launches to the end. `each` sees every step with the number of its launch.
void runKernel(KernelRun& run, const RunOptions& options, const Progress& progress,
    const std::function<void(std::uint32_t launch, const Step&)>& each = {});

// A buffer of the memory as numbers.
[[nodiscard]] std::vector<float> readBuffer(const KernelRun& run, cuda::BufferRole role);

} // namespace flashstep::ptx
