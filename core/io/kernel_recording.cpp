// SPDX-License-Identifier: Apache-2.0
#include "core/io/kernel_recording.h"

#include "core/base/version.h"
#include "core/cuda/profile_json.h"
#include "core/io/json.h"
#include "core/ptx/parser.h"
#include "resources/embedded/resources.h"

#include <fmt/format.h>

namespace flashstep {

namespace {

// The stamps of one launch out of the memory as the kernel left it.
Status take(const ptx::KernelRun& run, std::size_t launch, cuda::TakenProfiles& taken)
{
    const cuda::Launch& plan = run.plan.launches[launch];
    const cuda::LaunchBuffer& buffer = run.plan.buffers[static_cast<std::size_t>(plan.profile)];
    const std::uint32_t at = run.memory.find(run.addresses[static_cast<std::size_t>(plan.profile)], 0);
    const std::vector<std::byte>& bytes = run.memory.allocation(at).bytes;
    std::string damage;
    cuda::Profile profile
        = cuda::decodeProfile(bytes.data(), static_cast<std::size_t>(buffer.bytes()), plan.stamps, &damage);
    if (!damage.empty() || profile.unfinished > 0)
        return Error { damage.empty() ? "warps without stamps" : damage, plan.entry, {} };
    taken.dropped += profile.dropped;
    taken.firstCta.push_back(taken.profiles.empty() ? 0 : taken.firstCta.back());
    if (!taken.profiles.empty()) {
        const cuda::Launch& before = run.plan.launches[launch - 1];
        taken.firstCta.back() += static_cast<int>(before.grid[0] * before.grid[1] * before.grid[2]);
    }
    taken.profiles.push_back(std::move(profile));
    return Nothing {};
}

Json metadataOf(const cuda::KernelPlan& kernel, const Problem& problem, const ptx::RunOptions& options)
{
    Json scenario { { "algorithm", kernel.algorithm }, { "pass", kernel.pass },
        { "gpu", std::string(options.gpu->name) }, { "tile", fmt::format("{}x{}", kernel.rows, kernel.keys) } };
    if (std::string_view(kernel.algorithm) == "fa1")
        scenario["knobs"] = Json { { "fa1-form", "paper" } };
    scenario["problem"] = Json { { "batch", problem.batch }, { "heads", problem.heads },
        { "kv_heads", problem.kvHeads }, { "seqlen_q", problem.seqlenQ }, { "seqlen_k", problem.seqlenK },
        { "head_dim", problem.headDim }, { "dtype", std::string(name(problem.dtype)) }, { "mask", problem.mask.text() },
        { "init", std::string(name(problem.init)) }, { "seed", problem.seed } };
    return Json { { "flashstep", 1 }, { "writer", fmt::format("FlashStep {}", version()) }, { "time", "modelled" },
        { "emulated", fmt::format("its own PTX on an emulated {}", options.gpu->title) },
        { "kernel", Json { { "name", kernel.name } } }, { "problem", scenario },
        { "tick_rate_hz", options.gpu->clockMhz * 1e6 }, { "tracing", true } };
}

} // namespace

Result<ShippedPtx> shippedPtx(const cuda::KernelPlan& kernel)
{
    const std::string file = kernel.file;
    const std::size_t slash = file.rfind('/') + 1;
    const std::string name = file.substr(slash, file.rfind('.') - slash) + ".ptx";
    const auto text = resource("ptx/" + name);
    if (!text)
        return Error { "the program carries no PTX of it", kernel.name, {} };
    ShippedPtx shipped { nullptr, "resources/ptx/" + name };
    Result<ptx::Module> module = ptx::parse(*text, shipped.file);
    if (!module)
        return module.error();
    shipped.module = std::make_shared<const ptx::Module>(std::move(module).value());
    return shipped;
}

Result<KernelRecording> recordKernel(const cuda::KernelPlan& kernel, const Problem& problem, const Inputs& inputs,
    const ptx::RunOptions& options, const Progress& progress)
{
    const cuda::KernelPlan* traced = cuda::findKernelPlan(std::string(kernel.name) + "_traced");
    if (traced == nullptr)
        return Error { "it has no form with stamps", kernel.name, "the kernels of bf16 have" };
    Result<ShippedPtx> shipped = shippedPtx(*traced);
    if (!shipped)
        return shipped.error();
    Result<ptx::KernelRun> run = ptx::prepareKernel(*traced, shipped->module, shipped->file, problem, inputs);
    if (!run)
        return run.error();
    cuda::TakenProfiles taken;
    taken.hertz = options.gpu->clockMhz * 1e6;
    taken.oneClock = true;
    ptx::runKernel(*run, options, progress);
    if (run->cancelled)
        return Error { "cancelled", {}, {} };
    if (!run->deadlock.empty() || run->limit)
        return Error { "the run did not come to its end", kernel.name, {} };
    std::uint64_t tick = 0;
    for (std::size_t k = 0; k < run->plan.launches.size(); ++k) {
        taken.firstTick.push_back(tick);
        tick += static_cast<std::uint64_t>(run->launchCycles[k]);
        if (Status took = take(*run, k, taken); !took)
            return took.error();
    }
    KernelRecording made;
    made.dropped = taken.dropped;
    made.json = "{\"displayTimeUnit\": \"ns\",\n\"traceEvents\": [";
    cuda::writeProfileEvents(
        taken, [](void* to, const std::string& text) { *static_cast<std::string*>(to) += text; }, &made.json);
    Json metadata = metadataOf(kernel, problem, options);
    metadata["dropped_stamps"] = taken.dropped;
    made.json += "\n],\n\"metadata\": " + metadata.dump(1) + "}\n";
    return made;
}

} // namespace flashstep
