// SPDX-License-Identifier: Apache-2.0
// Figures of the emulated GPU's instruction level: parsing, loading, executing. Looked at, never tested.
#include "core/io/kernel_recording.h"
#include "core/ptx/parser.h"
#include "resources/embedded/resources.h"

#include <benchmark/benchmark.h>

namespace {

using namespace flashstep;

void parsePtx(benchmark::State& state)
{
    const std::string_view text = *resource("ptx/fa2_forward.ptx");
    for (auto _ : state)
        benchmark::DoNotOptimize(ptx::parse(text, "fa2_forward.ptx").ok());
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(parsePtx)->Unit(benchmark::kMillisecond);

void loadEntry(benchmark::State& state)
{
    const auto module = shippedPtx(*cuda::findKernelPlan("fa2_forward_d64"))->module;
    for (auto _ : state)
        benchmark::DoNotOptimize(ptx::load(module, "fa2_forward_d64", "fa2_forward.ptx").ok());
}
BENCHMARK(loadEntry)->Unit(benchmark::kMillisecond);

// Items are lane-instructions. First argument: heads of 256 x 256; second: whether hazards are looked for.
void executeFa2(benchmark::State& state)
{
    const cuda::KernelPlan& kernel = *cuda::findKernelPlan("fa2_forward_d64");
    const auto module = shippedPtx(kernel)->module;
    Problem problem;
    problem.heads = problem.kvHeads = static_cast<int>(state.range(0));
    const Inputs inputs = generateInputs(problem);
    ptx::RunOptions options;
    options.gpu = findGpu("a100");
    options.checks = state.range(1) != 0;
    std::uint64_t instructions = 0;
    for (auto _ : state) {
        state.PauseTiming();
        ptx::KernelRun run = *ptx::prepareKernel(kernel, module, "fa2_forward.ptx", problem, inputs);
        state.ResumeTiming();
        ptx::runKernel(run, options, {});
        instructions += run.instructions;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(instructions));
}
BENCHMARK(executeFa2)->Args({ 1, 0 })->Args({ 2, 0 })->Args({ 4, 0 })->Args({ 1, 1 })->Unit(benchmark::kMillisecond);

} // namespace
