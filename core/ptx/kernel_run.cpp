// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/kernel_run.h"

#include "core/ptx/globals.h"
#include "core/ptx/half.h"

#include <cstring>

#include <fmt/format.h>

namespace flashstep::ptx {

namespace {

std::vector<std::byte> stored(const std::vector<float>& values, cuda::ElementType type)
{
    const std::size_t size = cuda::bytesOf(type);
    std::vector<std::byte> bytes(values.size() * size);
    for (std::size_t k = 0; k < values.size(); ++k) {
        std::uint32_t bits = 0;
        switch (type) {
        case cuda::ElementType::Bf16:
            bits = Bf16::encode(values[k]);
            break;
        case cuda::ElementType::Fp16:
            bits = Fp16::encode(values[k]);
            break;
        default:
            bits = std::bit_cast<std::uint32_t>(values[k]);
        }
        std::memcpy(bytes.data() + k * size, &bits, size);
    }
    return bytes;
}

cuda::ElementType elementOf(DType dtype)
{
    return dtype == DType::Fp16 ? cuda::ElementType::Fp16
        : dtype == DType::Bf16  ? cuda::ElementType::Bf16
                                : cuda::ElementType::F32;
}

} // namespace

Result<cuda::LaunchPlan> planKernel(const cuda::KernelPlan& kernel, const Problem& problem)
{
    cuda::LaunchProblem p;
    p.dtype = elementOf(problem.dtype);
    p.batch = problem.batch;
    p.heads = problem.heads;
    p.kvHeads = problem.kvHeads;
    p.seqlenQ = problem.seqlenQ;
    p.seqlenK = problem.seqlenK;
    p.headDim = problem.headDim;
    p.headDimV = problem.headDimV;
    p.mask = problem.mask.kind == MaskKind::None ? cuda::LaunchMask::None
        : problem.mask.kind == MaskKind::Causal  ? cuda::LaunchMask::Causal
                                                 : cuda::LaunchMask::Window;
    if (problem.dtype == DType::E4m3 || problem.dtype == DType::Fp32)
        return Error { fmt::format("dtype {}", flashstep::name(problem.dtype)), kernel.name,
            fmt::format("this kernel takes {}", cuda::name(kernel.dtype)) };
    if (problem.mask.topLeft)
        return Error { "a mask aligned at the top left", kernel.name, "the kernels align it at the bottom right" };
    cuda::LaunchPlan plan = cuda::planLaunches(kernel, p);
    if (!plan.ok())
        return Error { plan.refusal, kernel.name, {} };
    return plan;
}

GlobalMemory fillMemory(const cuda::LaunchPlan& plan, const Inputs& inputs, std::vector<std::uint64_t>& addresses)
{
    GlobalMemory memory;
    addresses.clear();
    for (const cuda::LaunchBuffer& buffer : plan.buffers) {
        if (buffer.use != cuda::BufferUse::Input) {
            addresses.push_back(memory.allocatePoisoned(buffer.name, static_cast<std::uint64_t>(buffer.bytes())));
            continue;
        }
        const Tensor& tensor = buffer.role == cuda::BufferRole::Q ? inputs.q
            : buffer.role == cuda::BufferRole::K                  ? inputs.k
                                                                  : inputs.v;
        addresses.push_back(memory.allocate(buffer.name, stored(tensor.data, buffer.type), false));
    }
    return memory;
}

Result<std::vector<std::byte>> parametersOf(
    const Function& function, const cuda::Launch& launch, const std::vector<std::uint64_t>& addresses)
{
    if (function.parameters.size() != launch.arguments.size())
        return Error { fmt::format(
                           "{} arguments for {} parameters", launch.arguments.size(), function.parameters.size()),
            function.name, {} };
    std::vector<std::byte> bytes(function.parameterBytes);
    for (std::size_t k = 0; k < launch.arguments.size(); ++k) {
        const cuda::LaunchArgument& a = launch.arguments[k];
        const Parameter& p = function.parameters[k];
        const std::uint64_t address
            = a.kind == cuda::LaunchArgument::Kind::Buffer ? addresses[static_cast<std::size_t>(a.buffer)] : 0;
        const std::size_t size = a.kind == cuda::LaunchArgument::Kind::Buffer ? 8 : 4;
        if (p.bytes != size)
            return Error { fmt::format("an argument of {} bytes for parameter {} of {}", size, p.name, p.bytes),
                function.name, {} };
        const void* from = a.kind == cuda::LaunchArgument::Kind::Buffer ? static_cast<const void*>(&address)
            : a.kind == cuda::LaunchArgument::Kind::I32                 ? static_cast<const void*>(&a.i32)
                                                                        : static_cast<const void*>(&a.f32);
        std::memcpy(bytes.data() + p.offset, from, size);
    }
    return bytes;
}

Result<KernelRun> prepareKernel(const cuda::KernelPlan& kernel, std::shared_ptr<const Module> module,
    const std::string& file, const Problem& problem, const Inputs& inputs)
{
    Result<cuda::LaunchPlan> plan = planKernel(kernel, problem);
    if (!plan)
        return plan.error();
    KernelRun run;
    run.plan = std::move(plan).value();
    run.memory = fillMemory(run.plan, inputs, run.addresses);
    for (const cuda::Launch& launch : run.plan.launches) {
        Result<Code> code = load(module, launch.entry, file);
        if (!code)
            return code.error();
        auto shared = std::make_shared<const Code>(std::move(code).value());
        placeVariables(run.memory, *shared);
        Result<std::vector<std::byte>> parameters = parametersOf(*shared->function, launch, run.addresses);
        if (!parameters)
            return parameters.error();
        run.launches.push_back({ launch.grid, launch.block, launch.sharedBytes, std::move(parameters).value() });
        run.codes.push_back(std::move(shared));
    }
    return run;
}

void runKernel(KernelRun& run, const RunOptions& options, const Progress& progress,
    const std::function<void(std::uint32_t launch, const Step&)>& each)
{
    auto checker = options.checks ? std::make_shared<Checker>() : nullptr;
    for (std::uint32_t k = 0; k < run.launches.size(); ++k) {
        RunOptions one = options;
        one.launch = k;
        one.maxInstructions = options.maxInstructions - run.instructions;
        Result<Machine> machine = Machine::start(run.codes[k], run.launches[k], std::move(run.memory), one, checker);
        if (!machine) {
            // prepareKernel() has let through what no GPU of this kind can start.
            run.findings.push_back({ Fault::Limit, {}, 0, {}, {}, machine.error().line(), k, 0 });
            run.limit = true;
            return;
        }
        const std::uint32_t launch = k;
        machine->run(progress,
            each ? std::function<void(const Step&)>([&](const Step& s) { each(launch, s); })
                 : std::function<void(const Step&)>());
        run.instructions += machine->instructions();
        run.steps += machine->steps();
        run.cycles += machine->cycles();
        run.launchCycles.push_back(machine->cycles());
        const auto& found = machine->findings().all();
        run.findings.insert(run.findings.end(), found.begin(), found.end());
        run.deadlock = machine->deadlock();
        run.stuckLaunch = k;
        run.memory = std::move(machine->memory());
        run.cancelled = progress.cancelled();
        for (const Finding& f : found)
            run.limit = run.limit || f.fault == Fault::Limit || f.fault == Fault::Trap;
        if (!run.deadlock.empty() || run.limit || run.cancelled)
            return;
    }
}

std::vector<float> readBuffer(const KernelRun& run, cuda::BufferRole role)
{
    const int index = run.plan.indexOf(role);
    if (index < 0)
        return {};
    const cuda::LaunchBuffer& buffer = run.plan.buffers[static_cast<std::size_t>(index)];
    const std::uint32_t found = run.memory.find(run.addresses[static_cast<std::size_t>(index)], 0);
    if (found == none)
        return {};
    const std::vector<std::byte>& bytes = run.memory.allocation(found).bytes;
    std::vector<float> values(static_cast<std::size_t>(buffer.elements()));
    const std::size_t size = cuda::bytesOf(buffer.type);
    for (std::size_t k = 0; k < values.size(); ++k) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, bytes.data() + k * size, size);
        values[k] = buffer.type == cuda::ElementType::Bf16 ? Bf16::decode(static_cast<std::uint16_t>(bits))
            : buffer.type == cuda::ElementType::Fp16       ? Fp16::decode(static_cast<std::uint16_t>(bits))
                                                           : std::bit_cast<float>(bits);
    }
    return values;
}

} // namespace flashstep::ptx
