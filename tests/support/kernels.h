// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/kernel_run.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace flashstep::tests {

// The module of a shipped kernel's file, parsed once for each call.
std::shared_ptr<ptx::Module> shippedModule(const cuda::KernelPlan& kernel);
// That kernel of a shipped file, or a test failure.
const cuda::KernelPlan& shippedKernel(const std::string& name);

// The kernel, with its module changed where `change` does that, ready to run.
ptx::KernelRun prepared(const std::string& name, const Problem& problem, const Inputs& inputs,
    const std::function<void(ptx::Module&)>& change = {});
ptx::RunOptions onA100(std::uint64_t orderSeed = 0);

// Statements of an entry whose text begins so: "bar.sync", "cp.async.wait_group".
std::vector<std::size_t> statementsOf(const ptx::Module& module, const std::string& entry, const std::string& begin);
// In the statement's place one that does nothing.
void drop(ptx::Module& module, const std::string& entry, std::size_t statement);

// The largest difference of O from the float64 reference on the inputs as rounded; of LSE likewise. A row that is not
// finite where the reference is counts as 1e30.
struct KernelErrors {
    double o = 0, lse = 0;
};
KernelErrors errorsOf(const ptx::KernelRun& run, const Problem& problem, const Inputs& inputs);

} // namespace flashstep::tests
