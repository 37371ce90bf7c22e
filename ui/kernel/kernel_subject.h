// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/progress.h"
#include "core/io/scenario.h"
#include "core/ptx/register_kind.h"
#include "core/ptx/written.h"

#include <memory>
#include <set>

namespace flashstep::ui {

// What is to be run: a shipped kernel on a scenario's problem, with lines of its PTX left out on purpose.
struct KernelRequest {
    std::string kernel;
    ScenarioFile file;
    std::set<std::uint32_t> dropped; // lines of the PTX text, from 1
};

// The lines of source that an instruction stands for, from where it stands itself out to the kernel's own file.
using CudaChain = std::vector<ptx::CudaLine>;

// A kernel that has been run and can be looked at after each step. Made on a worker thread, looked at on one other.
struct KernelSubject {
    KernelRequest request;
    const cuda::KernelPlan* plan = nullptr;
    Problem problem;
    std::string gpu; // whose figures the modelled times are made of
    std::string ptxFile; // "resources/ptx/fa2_forward.ptx"
    std::shared_ptr<const ptx::Module> module;
    std::unique_ptr<ptx::KernelSession> session;
    ptx::Written written;
    // By launch.
    std::vector<std::vector<CudaChain>> chains; // by instruction
    std::vector<std::vector<ptx::RegisterKind>> kinds; // by register
    std::vector<std::uint64_t> firstSteps; // and, last, the end
};

// The shipped kernel that computes what the scenario asks for, or why there is none and what would do.
[[nodiscard]] Result<const cuda::KernelPlan*> kernelFor(const Scenario& scenario);
// A small problem that this kernel can do; options that were given stay.
[[nodiscard]] ScenarioFile smallProblem(const cuda::KernelPlan& kernel, ScenarioFile given);
[[nodiscard]] Result<std::shared_ptr<KernelSubject>> makeSubject(KernelRequest request, const Progress& progress);

} // namespace flashstep::ui
