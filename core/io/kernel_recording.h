// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/recording.h"
#include "core/ptx/kernel_run.h"

namespace flashstep {

// A shipped kernel's ops in time as its own stamps tell them, run on the emulated GPU: the same kernel with the same
// stamps as `flashstep-gpu record` runs on a device, and the same kind of file, marked as modelled. An error where the
// kernel has no traced form (16-bit floats of bf16 have), or cannot do the problem.
struct KernelRecording {
    std::string json; // the file
    std::uint64_t dropped = 0; // stamps that found no room
};
[[nodiscard]] Result<KernelRecording> recordKernel(const cuda::KernelPlan& kernel, const Problem& problem,
    const Inputs& inputs, const ptx::RunOptions& options, const Progress& progress);

// The PTX that the program carries for a kernel, parsed; and under which name errors speak of it.
struct ShippedPtx {
    std::shared_ptr<const ptx::Module> module;
    std::string file; // "resources/ptx/fa2_forward.ptx"
};
[[nodiscard]] Result<ShippedPtx> shippedPtx(const cuda::KernelPlan& kernel);

} // namespace flashstep
