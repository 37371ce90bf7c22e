// SPDX-License-Identifier: Apache-2.0
#include "core/io/ptx_shipped.h"

#include "core/hardware/what_if.h"
#include "core/io/npy.h"
#include "core/tensor/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>

namespace flashstep {

namespace {

std::string stemOf(const cuda::KernelPlan& kernel)
{
    return std::filesystem::path(kernel.file).stem().string();
}

DType dtypeOf(const cuda::KernelPlan& kernel)
{
    return kernel.dtype == cuda::ElementType::Fp16 ? DType::Fp16
        : kernel.dtype == cuda::ElementType::Bf16  ? DType::Bf16
                                                   : DType::Fp32;
}

bool isOfMachine(std::string_view key)
{
    constexpr std::array<std::string_view, 4> renamed { "register-contention", "tensor-rate", "mufu-rate", "smem-kib" };
    return std::find(renamed.begin(), renamed.end(), key) != renamed.end() || figureMember(key) != nullptr;
}

// What an option says and what the kernel's name says have to agree.
Status agree(const ScenarioFile& file, std::string_view key, const std::string& said, const std::string& wanted,
    const cuda::KernelPlan& kernel)
{
    if (!file.has(key) || said == wanted)
        return Nothing {};
    std::string option = "--" + std::string(key);
    std::replace(option.begin(), option.end(), '_', '-');
    return Error { fmt::format("'{}', and {} is made for {}", said, kernel.name, wanted), option,
        "leave it out, or name another kernel of 'list kernels'" };
}

Status checkAgreement(const cuda::KernelPlan& kernel, const ScenarioFile& file)
{
    const Scenario& s = file.scenario;
    const std::string tile = fmt::format("{}x{}", kernel.rows, kernel.keys);
    const std::string dim = std::to_string(kernel.headDim);
    struct Pair {
        std::string_view key;
        std::string said, wanted;
    };
    const Pair pairs[] { { "algorithm", s.algorithm, kernel.algorithm }, { "pass", s.pass, kernel.pass },
        { "dtype", std::string(name(s.problem.dtype)), std::string(name(dtypeOf(kernel))) },
        { "head_dim", std::to_string(s.problem.headDim), dim },
        { "head_dim_v", std::to_string(s.problem.headDimV), dim }, { "tile", s.tile ? s.tile->text() : tile, tile },
        { "cost_tile", s.costTile ? s.costTile->text() : tile, tile } };
    for (const Pair& pair : pairs)
        if (Status status = agree(file, pair.key, pair.said, pair.wanted, kernel); !status)
            return status;
    if (s.stages)
        return Error { "a kernel's own instructions say it", "--stages", "leave it out" };
    if (!s.breaks.empty())
        return Error { "it breaks a schedule, not a kernel's instructions", "--break",
            "'flashstep-cli run' takes it; a broken kernel is a PTX file of your own" };
    if (s.record.kind != Record::Kind::Automatic && s.record.kind != Record::Kind::All)
        return Error { "instructions compute every value", "--record", "leave it out" };
    for (const auto& [key, value] : s.knobs)
        if (!isOfMachine(key))
            return Error { "it is a knob of a schedule, not of the machine", "--what-if " + key,
                "the machine's: sms, clock-mhz, tensor-rate and the other figures of 'list gpus'" };
    return Nothing {};
}

double difference(double ours, double exact)
{
    if (std::isfinite(exact) && std::isfinite(ours))
        return std::fabs(ours - exact);
    const bool same = (std::isnan(ours) && std::isnan(exact)) || ours == exact;
    return same ? 0 : std::numeric_limits<double>::infinity();
}

} // namespace

std::vector<const cuda::KernelPlan*> shippedKernels()
{
    std::vector<const cuda::KernelPlan*> list;
    for (const cuda::KernelPlan& plan : cuda::kernelPlans())
        if (!plan.traced)
            list.push_back(&plan);
    return list;
}

Result<const cuda::KernelPlan*> findShippedKernel(const std::string& name)
{
    if (const cuda::KernelPlan* found = cuda::findKernelPlan(name))
        return found;
    std::string known;
    for (const cuda::KernelPlan* plan : shippedKernels())
        known += (known.empty() ? "" : ", ") + std::string(plan->name);
    return Error { "there is no kernel '" + name + "'", "--shipped", known };
}

std::string ptxFileOf(const cuda::KernelPlan& kernel)
{
    return "resources/ptx/" + stemOf(kernel) + ".ptx";
}

std::vector<std::string> entriesOf(const cuda::KernelPlan& kernel)
{
    cuda::LaunchProblem problem;
    problem.dtype = kernel.dtype;
    problem.headDim = problem.headDimV = kernel.headDim;
    std::vector<std::string> entries;
    for (const cuda::Launch& launch : cuda::planLaunches(kernel, problem).launches)
        entries.push_back(launch.entry);
    return entries;
}

Result<LoadedInputs> settleProblem(const cuda::KernelPlan& kernel, ScenarioFile& file)
{
    if (Status status = checkKnobs(file.scenario); !status)
        return status.error();
    if (Status status = checkAgreement(kernel, file); !status)
        return status.error();
    Scenario& s = file.scenario;
    s.algorithm = kernel.algorithm;
    s.pass = kernel.pass;
    s.problem.dtype = dtypeOf(kernel);
    if (!file.has("head_dim"))
        s.problem.headDim = kernel.headDim;
    if (!file.has("head_dim_v"))
        s.problem.headDimV = kernel.headDim;
    Result<LoadedInputs> loaded = loadInputs(file);
    if (loaded && loaded->inputs)
        for (Tensor* tensor : { &loaded->inputs->q, &loaded->inputs->k, &loaded->inputs->v })
            roundTo(s.problem.dtype, tensor->data);
    return loaded;
}

Result<GpuSpec> gpuFor(const std::string& target, const Scenario& scenario)
{
    // "sm_80" runs there and on all that is later, "sm_100f" in its family, "sm_90a" there alone.
    int capability = 0;
    const std::size_t digits = std::min(target.find_first_of("0123456789"), target.size());
    const char* const end = target.data() + target.size();
    const char* const rest = std::from_chars(target.data() + digits, end, capability).ptr;
    const char suffix = rest == end ? ' ' : *rest;
    const auto can = [&](const GpuSpec& gpu) {
        return suffix == 'a'
            ? gpu.computeCapability == capability
            : gpu.computeCapability >= capability && (suffix != 'f' || gpu.computeCapability / 10 == capability / 10);
    };
    const GpuSpec* found = nullptr;
    std::string known;
    for (const GpuSpec& gpu : gpuSpecs()) {
        if (!can(gpu))
            continue;
        known += (known.empty() ? "" : ", ") + std::string(gpu.name);
        if (scenario.gpu == gpu.name || (found == nullptr && scenario.gpu.empty()))
            found = &gpu;
    }
    if (found != nullptr)
        return applyKnobs(*found, scenario);
    if (scenario.gpu.empty())
        return Error { "no GPU of the list runs " + target, "", "sm_80 and later" };
    if (findGpu(scenario.gpu) == nullptr)
        return Error { "unknown GPU " + scenario.gpu, "--gpu", known };
    return Error { scenario.gpu + " does not run " + target, "--gpu", known };
}

Result<KernelErrors> kernelErrors(
    const ptx::KernelRun& run, const Problem& problem, const Inputs& inputs, const Progress& progress)
{
    const std::vector<float> ours = readBuffer(run, cuda::BufferRole::O);
    const std::vector<float> oursLse = readBuffer(run, cuda::BufferRole::Lse);
    const auto rows = static_cast<std::size_t>(problem.seqlenQ);
    const auto dim = static_cast<std::size_t>(problem.headDimV);
    std::vector<double> o(rows * dim);
    std::vector<double> lse(rows);
    KernelErrors errors;
    std::size_t at = 0; // of the head's first row
    for (int b = 0; b < problem.batch; ++b)
        for (int h = 0; h < problem.heads; ++h, at += rows) {
            if (progress.cancelled())
                return Error { "cancelled", "comparison with float64", {} };
            ReferenceHead head;
            head.q = inputs.q.row(b, h, 0).data();
            head.k = inputs.k.row(b, problem.kvHeadOf(h), 0).data();
            head.v = inputs.v.row(b, problem.kvHeadOf(h), 0).data();
            head.headDim = problem.headDim;
            head.headDimV = problem.headDimV;
            head.scale = problem.softmaxScale();
            head.visibleKeys = [&problem](int row) {
                const Problem::KeyRange keys = problem.visibleKeys(row);
                return std::pair(keys.first, keys.last);
            };
            referenceForward(head, 0, problem.seqlenQ, o.data(), lse.data());
            for (std::size_t k = 0; k < o.size(); ++k)
                errors.o = std::max(errors.o, difference(static_cast<double>(ours[at * dim + k]), o[k]));
            for (std::size_t k = 0; k < rows; ++k)
                errors.lse = std::max(errors.lse, difference(static_cast<double>(oursLse[at + k]), lse[k]));
        }
    return errors;
}

Status writeKernelTensors(
    const ptx::KernelRun& run, const Problem& problem, const Inputs& inputs, const std::string& directory)
{
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
        return Error { "cannot make the directory: " + error.message(), directory, "" };
    Tensor o(problem.batch, problem.heads, problem.seqlenQ, problem.headDimV);
    o.data = readBuffer(run, cuda::BufferRole::O);
    Tensor lse(problem.batch, problem.heads, problem.seqlenQ, 1);
    lse.data = readBuffer(run, cuda::BufferRole::Lse);
    const auto path = [&](const char* file) { return (std::filesystem::path(directory) / file).string(); };
    const std::initializer_list<std::pair<const char*, const Tensor*>> tensors { { "q.npy", &inputs.q },
        { "k.npy", &inputs.k }, { "v.npy", &inputs.v }, { "o.npy", &o } };
    for (const auto& [file, tensor] : tensors)
        if (Status status = writeNpy(path(file), *tensor); !status)
            return status;
    return writeNpy(path("lse.npy"), lse, 3);
}

} // namespace flashstep
