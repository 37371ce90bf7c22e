// SPDX-License-Identifier: Apache-2.0
#include "core/io/device_record.h"

#include "core/io/recording_read.h"
#include "core/ptx/kernel_run.h"

#include <fmt/format.h>

namespace flashstep {

namespace {

std::string commandOf(const DeviceProgram& program)
{
    const Result<std::vector<std::string>> words = program.words();
    std::string text;
    for (const std::string& word : words ? *words : std::vector<std::string> {})
        text += (text.empty() ? "" : " ") + word;
    return text;
}

DeviceOutcome trouble(DeviceTrouble kind, std::string what, std::string where, std::string hint)
{
    return { kind, Error { std::move(what), std::move(where), std::move(hint) }, 0, {}, {} };
}

std::string kernelNames(std::string_view algorithm)
{
    std::string names;
    for (const cuda::KernelPlan& plan : cuda::kernelPlans())
        if (!plan.traced && (algorithm.empty() || algorithm == plan.algorithm))
            names += (names.empty() ? "" : ", ") + std::string(plan.name);
    return names;
}

// What the file says of its problem, key by key, against what was asked for.
Json askedProblem(const Problem& p)
{
    return Json { { "batch", p.batch }, { "heads", p.heads }, { "kv_heads", p.kvHeads }, { "seqlen_q", p.seqlenQ },
        { "seqlen_k", p.seqlenK }, { "head_dim", p.headDim }, { "dtype", std::string(name(p.dtype)) },
        { "mask", p.mask.text() }, { "init", std::string(name(p.init)) }, { "seed", p.seed } };
}

} // namespace

Result<const cuda::KernelPlan*> kernelOf(const Scenario& scenario, std::string_view named)
{
    if (!scenario.qFile.empty() || !scenario.kFile.empty() || !scenario.vFile.empty())
        return Error { "a device makes its own inputs, it takes no tensors of a file", "--q, --k, --v",
            "--init, --seed" };
    const cuda::KernelPlan* kernel = nullptr;
    if (!named.empty()) {
        kernel = cuda::findKernelPlan(named);
        if (kernel == nullptr)
            return Error { "there is no kernel " + quotedExcerpt(named), "--kernel", kernelNames("") };
    }
    for (const cuda::KernelPlan& plan : cuda::kernelPlans()) {
        const bool suits = scenario.algorithm == plan.algorithm && scenario.pass == plan.pass && !plan.traced
            && plan.headDim == scenario.problem.headDim && name(plan.dtype) == name(scenario.problem.dtype);
        if (kernel == nullptr && suits)
            kernel = &plan;
    }
    if (kernel == nullptr)
        return Error { fmt::format("no kernel of this version does {} {} with {} and head dimension {}",
                           scenario.algorithm, scenario.pass, name(scenario.problem.dtype), scenario.problem.headDim),
            "", kernelNames("") };
    const Result<cuda::LaunchPlan> plan = ptx::planKernel(*kernel, scenario.problem);
    if (!plan)
        return plan.error();
    return kernel;
}

std::vector<std::string> deviceArguments(const Problem& p)
{
    std::vector<std::string> arguments;
    const Json asked = askedProblem(p);
    for (const auto& [key, value] : asked.items()) {
        std::string option = "--" + key;
        std::replace(option.begin(), option.end(), '_', '-');
        arguments.push_back(std::move(option));
        arguments.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    }
    return arguments;
}

DeviceOutcome checkRecording(
    const Recording& recording, const cuda::KernelPlan& kernel, const Problem& problem, const std::string& command)
{
    if (recording.source() != RecordingFormat::OwnRecording || !recording.measured())
        return trouble(DeviceTrouble::Garbled, "what came names no device, driver and kernel hash", command,
            "a recording of flashstep-gpu");
    std::string_view wanted = kernel.name;
    if (wanted.ends_with("_traced"))
        wanted.remove_suffix(std::string_view("_traced").size());
    if (const std::string made = recording.metadataText("kernel", "name"); made != wanted)
        return trouble(DeviceTrouble::WrongRecording,
            fmt::format("the recording is of the kernel {}, asked for was '{}'", quotedExcerpt(made), wanted), command,
            "");
    const Json said = Json::parse(recording.metadataText("problem", "problem"), nullptr, false);
    const Json asked = askedProblem(problem);
    for (const auto& [key, value] : asked.items())
        if (!said.is_object() || !said.contains(key) || said[key] != value)
            return trouble(DeviceTrouble::WrongRecording,
                fmt::format("the recording is of another problem: {} is {}, asked for was {}", key,
                    said.is_object() && said.contains(key) ? said[key].dump() : "missing", value.dump()),
                command, "");
    return {};
}

DeviceRecording recordOnDevice(
    DeviceProgram program, const cuda::KernelPlan& kernel, const Problem& problem, const Progress& progress)
{
    std::vector<std::string> arguments { "record", "--kernel", kernel.name, "--out", "-" };
    for (std::string& argument : deviceArguments(problem))
        arguments.push_back(std::move(argument));
    program.mostOutput = std::max(program.mostOutput, largestDeviceRecording);
    DeviceRecording made { runDeviceProgram(program, arguments, progress), {} };
    if (!made.outcome.ok())
        return made;
    const std::string command = commandOf(program);
    Result<Recording> read = readRecording(made.outcome.out, "the recording");
    if (!read) {
        const std::size_t first = made.outcome.out.find_first_not_of(" \t\r\n");
        const std::string begin = first == std::string::npos
            ? "it said nothing"
            : "it begins with " + quotedExcerpt(std::string_view(made.outcome.out).substr(first, 60));
        made.outcome = trouble(DeviceTrouble::Garbled, "what came is no recording: " + read.error().line(), command,
            fmt::format("{}, {} bytes", begin, made.outcome.out.size()));
        return made;
    }
    if (DeviceOutcome bad = checkRecording(*read, kernel, problem, command); !bad.ok())
        made.outcome = std::move(bad);
    else
        made.recording = std::move(*read);
    return made;
}

} // namespace flashstep
