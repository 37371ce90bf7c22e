// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/bench_ptx.h"

#include "core/io/kernel_recording.h"
#include "core/io/ptx_shipped.h"

#include <algorithm>
#include <chrono>

namespace flashstep::cli {

namespace {

struct Measured {
    double seconds = 0; // the least of several runs
    double instructions = 0; // of lanes
};

// fa2_forward_d64 on so many heads of 512 x 512, on one core; nothing is kept.
Result<Measured> measure(int heads, bool checks, const Progress& progress)
{
    const Result<const cuda::KernelPlan*> kernel = findShippedKernel("fa2_forward_d64");
    if (!kernel)
        return kernel.error();
    const Result<ShippedPtx> shipped = shippedPtx(**kernel);
    if (!shipped)
        return shipped.error();
    Problem problem;
    problem.heads = problem.kvHeads = heads;
    problem.seqlenQ = problem.seqlenK = 512;
    const Inputs inputs = generateInputs(problem);
    ptx::RunOptions options;
    options.checks = checks;
    options.gpu = findGpu("a100");
    Measured best;
    for (int k = 0; k < 3; ++k) {
        Result<ptx::KernelRun> run = ptx::prepareKernel(**kernel, shipped->module, shipped->file, problem, inputs);
        if (!run)
            return run.error();
        const auto start = std::chrono::steady_clock::now();
        ptx::runKernel(*run, options, { progress.stop, {}, {} });
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (run->cancelled)
            return Error { "cancelled", "ptx_instructions_per_s", "" };
        best.seconds = k == 0 ? seconds : std::min(best.seconds, seconds);
        best.instructions = static_cast<double>(run->instructions);
    }
    return best;
}

} // namespace

Status benchPtx(Json& out, const Progress& progress)
{
    const Result<Measured> plain = measure(1, false, progress);
    if (!plain)
        return plain.error();
    const Result<Measured> twice = measure(2, false, progress);
    if (!twice)
        return twice.error();
    const Result<Measured> checked = measure(1, true, progress);
    if (!checked)
        return checked.error();
    out["ptx_instructions_per_s"] = plain->instructions / plain->seconds; // without looking for hazards
    out["ptx_checked_instructions_per_s"] = checked->instructions / checked->seconds;
    out["ptx_growth_2x_time"] = twice->seconds / plain->seconds;
    return Nothing {};
}

} // namespace flashstep::cli
