// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/export.h"
#include "app/cli/ptx.h"
#include "app/cli/status.h"
#include "core/io/files.h"
#include "core/io/input_files.h"
#include "core/io/kernel_recording.h"
#include "core/io/ptx_shipped.h"
#include "core/ptx/globals.h"
#include "core/ptx/parser.h"
#include "core/ptx/shadow.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace flashstep::cli {

namespace {

constexpr std::uint64_t longestPtx = 1U << 28U; // bytes

Result<std::uint64_t> numberOf(const std::string& option, const std::string& text, std::uint64_t otherwise)
{
    if (text.empty())
        return otherwise;
    Result<std::uint64_t> number = parseNumber(NumberType::U64, text, option);
    if (!number)
        return Error { "cannot be '" + text + "'", option, "a whole number from 0 on" };
    return number;
}

// ---- a file ----

Status checkFileOptions(const PtxOptions& o)
{
    if (o.words.empty())
        return Error { "no PTX file is named", "ptx", "ptx FILE.ptx --kernel NAME …, or ptx --shipped NAME" };
    for (const auto& [option, value] :
        { std::pair("--kernel", &o.kernel), std::pair("--grid", &o.grid), std::pair("--block", &o.block) })
        if (value->empty())
            return Error { std::string(option) + " is required", o.words.front(),
                "ptx FILE.ptx --kernel NAME --grid X[,Y,Z] --block X[,Y,Z] ARG…" };
    if (!o.outNpy.empty())
        return Error { "it is for --shipped kernels", "--out-npy", "out:TYPE:SHAPE:F.npy among the arguments" };
    if (!o.problem.scenario.empty())
        return Error { "it is for --shipped kernels", "--scenario", "sizes are arguments of the kernel" };
    for (const auto& [key, value] : o.problem.given)
        if (key != "gpu")
            return Error { "it is for --shipped kernels", optionName(key), "sizes are arguments of the kernel" };
    const Result<std::uint64_t> cluster = numberOf("--cluster", o.cluster, 1);
    if (!cluster)
        return cluster.error();
    if (*cluster != 1)
        return Error { "not in this version: clusters come with the Hopper kernels", "--cluster", "1" };
    return Nothing {};
}

// The entry of that name, or the only one that is called so in CUDA.
Result<const ptx::Function*> findEntry(const ptx::Module& module, const std::string& name, const std::string& file)
{
    const std::string mangled = fmt::format("_Z{}{}", name.size(), name);
    std::vector<const ptx::Function*> alike;
    std::string known;
    for (const ptx::Function& f : module.functions) {
        if (!f.entry || !f.defined)
            continue;
        if (f.name == name)
            return &f;
        if (f.name.starts_with(mangled))
            alike.push_back(&f);
        known += (known.empty() ? "" : ", ") + f.name;
    }
    if (alike.size() == 1)
        return alike.front();
    return Error { "there is no kernel '" + name + "'", file, known.empty() ? "the file has no .entry" : known };
}

Result<std::vector<PtxArgument>> argumentsFrom(const PtxOptions& o, const ptx::Function& entry)
{
    std::vector<PtxArgument> arguments;
    for (std::size_t k = 1; k < o.words.size(); ++k) {
        Result<PtxArgument> argument = parsePtxArgument(o.words[k]);
        if (!argument)
            return argument.error();
        arguments.push_back(std::move(*argument));
    }
    if (Status status = checkArguments(entry, arguments); !status)
        return status.error();
    if (Status status = readArguments(arguments); !status)
        return status.error();
    for (const PtxArgument& argument : arguments)
        if (argument.writes())
            if (Status status = checkTarget(argument.out); !status)
                return status.error();
    return arguments;
}

Status checkHolds(const ptx::GlobalMemory& memory, bool checked)
{
    double bytes = 0;
    for (std::size_t k = 0; k < memory.count(); ++k)
        bytes += static_cast<double>(memory.allocation(k).bytes.size());
    // The checks keep a cell for every two bytes.
    const double needed = bytes * (checked ? 1 + sizeof(ptx::ShadowCell) / 2.0 : 1);
    const auto there = static_cast<double>(physicalMemory());
    if (there == 0 || needed < 0.9 * there)
        return Nothing {};
    return Error { fmt::format("this would take about {} of memory, of {} that this computer has", bytesInWords(needed),
                       bytesInWords(there)),
        "", checked ? "smaller buffers, or --unchecked" : "smaller buffers" };
}

// Whether every launch can begin on that GPU.
Status checkLaunches(const PtxStart& start)
{
    ptx::RunOptions options = start.options;
    options.gpu = &start.gpu;
    for (std::size_t k = 0; k < start.outcome.run.launches.size(); ++k) {
        const Result<ptx::Machine> machine = ptx::Machine::start(
            start.outcome.run.codes[k], start.outcome.run.launches[k], ptx::GlobalMemory {}, options, nullptr);
        if (!machine) {
            Error error = machine.error();
            error.where = error.where.empty() ? start.outcome.kernel : error.where;
            return error;
        }
    }
    return checkHolds(start.outcome.run.memory, start.outcome.checked);
}

} // namespace

Result<ptx::RunOptions> runOptionsOf(const PtxOptions& o)
{
    ptx::RunOptions options;
    const Result<std::uint64_t> seed = numberOf("--order-seed", o.orderSeed, 0);
    if (!seed)
        return seed.error();
    const Result<std::uint64_t> most = numberOf("--max-instructions", o.maxInstructions, options.maxInstructions);
    if (!most)
        return most.error();
    if (*most == 0)
        return Error { "cannot be 0", "--max-instructions", "from 1 on" };
    if (o.unchecked && o.check)
        return Error { "cannot stand beside --check", "--unchecked", "one of them" };
    options.orderSeed = *seed;
    options.maxInstructions = *most;
    options.checks = !o.unchecked;
    // With an order by chance copies land by chance, too.
    options.landing = *seed == 0 ? ptx::Landing::Late : ptx::Landing::Either;
    return options;
}

Result<PtxStart> startFile(const PtxOptions& o, std::vector<PtxArgument>& arguments)
{
    if (Status status = checkFileOptions(o); !status)
        return status.error();
    ptx::Launch launch;
    const Result<std::array<std::uint32_t, 3>> grid = parseDimensions("--grid", o.grid);
    const Result<std::array<std::uint32_t, 3>> block = parseDimensions("--block", o.block);
    const Result<std::uint64_t> shared = numberOf("--shared", o.shared, 0);
    if (!grid || !block || !shared)
        return !grid ? grid.error() : !block ? block.error() : shared.error();
    const Result<ptx::RunOptions> options = runOptionsOf(o);
    if (!options)
        return options.error();
    const std::string& file = o.words.front();
    const Result<std::string> text = readFile(file, longestPtx);
    if (!text)
        return text.error();
    Result<ptx::Module> parsed = ptx::parse(*text, file);
    if (!parsed)
        return parsed.error();
    const auto module = std::make_shared<const ptx::Module>(std::move(*parsed));
    const Result<const ptx::Function*> entry = findEntry(*module, o.kernel, file);
    if (!entry)
        return entry.error();
    Result<ptx::Code> code = ptx::load(module, (*entry)->name, file);
    if (!code)
        return code.error();
    Scenario machine;
    for (const auto& [key, value] : o.problem.given)
        machine.gpu = value;
    Result<GpuSpec> gpu = gpuFor(module->target, machine);
    if (!gpu)
        return gpu.error();
    Result<std::vector<PtxArgument>> read = argumentsFrom(o, **entry);
    if (!read)
        return read.error();
    arguments = std::move(*read);

    PtxStart start { {}, std::move(*gpu), *options };
    PtxOutcome& outcome = start.outcome;
    outcome.kernel = (*entry)->name;
    outcome.file = file;
    const auto loaded = std::make_shared<const ptx::Code>(std::move(*code));
    ptx::placeVariables(outcome.run.memory, *loaded);
    launch.grid = *grid;
    launch.block = *block;
    launch.dynamicShared = *shared;
    launch.parameters = placeArguments(**entry, arguments, outcome.run.memory);
    outcome.run.codes.push_back(loaded);
    outcome.run.launches.push_back(std::move(launch));
    if (Status status = checkLaunches(start); !status)
        return status.error();
    return start;
}

// ---- a shipped kernel ----

namespace {

Status checkShippedOptions(const PtxOptions& o)
{
    for (const auto& [option, value] : { std::pair("--kernel", &o.kernel), std::pair("--grid", &o.grid),
             std::pair("--block", &o.block), std::pair("--cluster", &o.cluster), std::pair("--shared", &o.shared) })
        if (!value->empty())
            return Error { "a shipped kernel has its own launch", option, "leave it out" };
    if (!o.words.empty())
        return Error { "a shipped kernel has its own arguments", o.words.front(),
            "the options of problem and machine say what it works on" };
    return Nothing {};
}

} // namespace

Result<ShippedStart> startShipped(const PtxOptions& o)
{
    if (Status status = checkShippedOptions(o); !status)
        return status.error();
    const Result<const cuda::KernelPlan*> kernel = findShippedKernel(o.shipped);
    if (!kernel)
        return kernel.error();
    const Result<ptx::RunOptions> options = runOptionsOf(o);
    if (!options)
        return options.error();
    ScenarioFile file;
    if (!o.problem.scenario.empty()) {
        Result<ScenarioFile> read = readScenario(o.problem.scenario);
        if (!read)
            return read.error();
        file = std::move(*read);
    }
    for (const auto& [key, value] : o.problem.given)
        if (Status status = setOption(file, key, value); !status)
            return status.error();
    Result<LoadedInputs> loaded = settleProblem(**kernel, file);
    if (!loaded)
        return loaded.error();
    for (const std::string& text : loaded->notes)
        note(text, o.problem.quiet);
    const Problem& problem = file.scenario.problem;
    Result<GpuSpec> gpu = gpuFor((*kernel)->target, file.scenario);
    if (!gpu)
        return gpu.error();
    const Result<cuda::LaunchPlan> plan = ptx::planKernel(**kernel, problem);
    if (!plan)
        return plan.error();
    double bytes = 0;
    for (const cuda::LaunchBuffer& buffer : plan->buffers)
        bytes += static_cast<double>(buffer.bytes());
    if (const auto there = static_cast<double>(physicalMemory()); there != 0 && 4 * bytes > 0.9 * there)
        return Error { fmt::format("its buffers alone have {}, of {} of memory that this computer has",
                           bytesInWords(bytes), bytesInWords(there)),
            o.shipped, "fewer or shorter sequences" };
    const Result<ShippedPtx> shipped = shippedPtx(**kernel);
    if (!shipped)
        return shipped.error();
    ShippedStart made { { {}, std::move(*gpu), *options }, *kernel,
        loaded->inputs ? std::move(*loaded->inputs) : generateInputs(problem),
        inputFilesOf(file.scenario, o.problem.scenario) };
    Result<ptx::KernelRun> run = ptx::prepareKernel(**kernel, shipped->module, shipped->file, problem, made.inputs);
    if (!run)
        return run.error();
    PtxOutcome& outcome = made.start.outcome;
    outcome.kernel = (*kernel)->name;
    outcome.file = shipped->file;
    outcome.problem = problem;
    outcome.run = std::move(*run);
    if (Status status = checkLaunches(made.start); !status)
        return status.error();
    return made;
}

} // namespace flashstep::cli
