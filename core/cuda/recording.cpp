// SPDX-License-Identifier: Apache-2.0
// A recording: one run of a traced kernel, as Chrome-trace JSON, with figures of the same kernel without stamps.
#include "profile_json.h"
#include "runner.h"

#include <algorithm>
#include <cstdio>

namespace flashstep::cuda {

namespace {

Failure takeProfiles(const Prepared& prepared, TakenProfiles& taken)
{
    int cta = 0;
    for (const Launch& launch : prepared.plan().launches) {
        const DeviceBuffer& buffer = prepared.buffer(launch.profile);
        std::vector<unsigned char> bytes(buffer.bytes());
        if (const Failure failure = buffer.read(bytes.data()); failure.any())
            return failure;
        std::string damage;
        Profile profile = decodeProfile(bytes.data(), bytes.size(), launch.stamps, &damage);
        if (!damage.empty() || profile.unfinished > 0)
            return { 1, launch.entry + ": " + (damage.empty() ? "warps without stamps" : damage) };
        taken.dropped += profile.dropped;
        taken.profiles.push_back(std::move(profile));
        taken.firstCta.push_back(cta);
        cta += static_cast<int>(launch.grid[0] * launch.grid[1] * launch.grid[2]);
    }
    return {};
}

// Which preset of the emulator the device is; empty: none.
std::string presetOf(const std::string& device)
{
    for (const auto& [word, preset] :
        { std::pair { "GB200", "gb200" }, std::pair { "B200", "b200" }, std::pair { "B300", "b300" },
            std::pair { "H200", "h200" }, std::pair { "H100", "h100" }, std::pair { "A100", "a100" } })
        if (device.find(word) != std::string::npos)
            return preset;
    return {};
}

struct Figures {
    DeviceFacts device;
    Times times; // without stamps
    double tracedMs = 0;
    Errors errors; // of the traced run
};

void writeMetadata(std::FILE* file, const KernelPlan& kernel, const Options& options, const Figures& figures,
    const TakenProfiles& taken)
{
    const DeviceFacts& device = figures.device;
    const std::string preset = presetOf(device.name);
    std::string scenario = "{\"algorithm\": " + quoted(kernel.algorithm) + ", \"pass\": " + quoted(kernel.pass)
        + (preset.empty() ? "" : ", \"gpu\": " + quoted(preset)) + ", \"tile\": \"" + std::to_string(kernel.rows) + "x"
        + std::to_string(kernel.keys) + "\"";
    if (std::string(kernel.algorithm) == "fa1")
        scenario += ", \"knobs\": {\"fa1-form\": \"paper\"}";
    scenario += ", \"problem\": " + problemJson(options.problem, options) + "}";
    std::fprintf(file,
        "\n],\n\"metadata\": {\n"
        " \"flashstep\": 1,\n \"device\": %s,\n \"driver\": %s,\n \"cuda\": %s,\n"
        " \"kernel\": {\"name\": %s, \"hash\": \"%s\"},\n \"problem\": %s,\n"
        " \"tick_rate_hz\": %s,\n \"repeats\": %d,\n \"median_ms\": %s,\n \"spread_ms\": %s,\n \"max_error\": %s,\n"
        " \"tracing\": false,\n \"traced_ms\": %s,\n \"dropped_stamps\": %llu\n}}\n",
        quoted(device.name).c_str(),
        quoted(device.driverVersion.empty() ? device.driver : device.driverVersion).c_str(),
        quoted(device.runtime).c_str(), quoted(kernel.name).c_str(), FLASHSTEP_KERNEL_HASH, scenario.c_str(),
        number(taken.hertz).c_str(), options.repeats, number(figures.times.median()).c_str(),
        number(figures.times.spread()).c_str(), number(figures.errors.worstO).c_str(), number(figures.tracedMs).c_str(),
        static_cast<unsigned long long>(taken.dropped));
}

void writeJson(std::FILE* file, const KernelPlan& kernel, const Options& options, const Figures& figures,
    const TakenProfiles& taken)
{
    std::fputs("{\"displayTimeUnit\": \"ns\",\n\"traceEvents\": [", file);
    const WriteText write
        = [](void* to, const std::string& text) { std::fputs(text.c_str(), static_cast<std::FILE*>(to)); };
    writeProfileEvents(taken, write, file);
    writeMetadata(file, kernel, options, figures, taken);
}

// Beside the target first, so that it is never half-written.
Failure writeRecording(
    const KernelPlan& kernel, const Options& options, const Figures& figures, const TakenProfiles& taken)
{
    if (options.out == "-") {
        writeJson(stdout, kernel, options, figures, taken);
        return std::fflush(stdout) != 0 || std::ferror(stdout) != 0 ? Failure { 2, "standard output cannot be written" }
                                                                    : Failure {};
    }
    const std::string beside = options.out + ".part";
    std::FILE* file = std::fopen(beside.c_str(), "w");
    if (file == nullptr)
        return { 2, options.out + " cannot be written" };
    writeJson(file, kernel, options, figures, taken);
    const bool failed = std::ferror(file) != 0;
    if (std::fclose(file) != 0 || failed || std::rename(beside.c_str(), options.out.c_str()) != 0) {
        std::remove(beside.c_str());
        return { 2, options.out + " cannot be written" };
    }
    return {};
}

// The traced kernel of the options and its twin without stamps.
Failure twins(const Options& options, const KernelPlan*& plain, const KernelPlan*& traced)
{
    std::string name = options.kernel;
    if (name.empty()) {
        Options wanted = options;
        if (wanted.algorithm.empty())
            wanted.algorithm = "fa2";
        const auto chosen = chosenKernels(wanted, false);
        if (chosen.empty())
            return { 2, "no kernel for head_dim " + std::to_string(options.problem.headDim) };
        name = chosen.front()->name;
    }
    const std::string suffix = "_traced";
    if (name.size() > suffix.size() && name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0)
        name.resize(name.size() - suffix.size());
    plain = findKernelPlan(name);
    traced = findKernelPlan(name + suffix);
    if (plain == nullptr || traced == nullptr)
        return { 2, name + " has no form with stamps (bf16 kernels have)" };
    return { planLaunches(*traced, options.problem).ok() ? 0 : 2, planLaunches(*traced, options.problem).refusal };
}

Failure measure(
    const KernelPlan& plain, const KernelPlan& traced, const Options& options, Figures& figures, TakenProfiles& taken)
{
    Failure failure;
    const ProgressLine progress(options);
    progress.tell(0, std::string("time ") + plain.name);
    {
        Prepared prepared;
        failure = prepared.make(plain, options.problem, options.init, options.seed);
        if (!failure.any())
            failure = timeLaunches(prepared, figures.device, options.repeats, figures.times);
    }
    if (!failure.any())
        failure = measureTickRate(taken.hertz);
    if (failure.any())
        return failure;
    if (!(taken.hertz > 0))
        return { 1, "the device's timers stand still" };
    progress.tell(0.5, std::string("record ") + traced.name);
    Prepared prepared;
    Times tracedTimes;
    failure = prepared.make(traced, options.problem, options.init, options.seed);
    if (!failure.any())
        failure = timeLaunches(prepared, figures.device, 1, tracedTimes); // its last run is the one that is recorded
    figures.tracedMs = tracedTimes.median();
    if (!failure.any())
        failure = takeProfiles(prepared, taken);
    progress.tell(0.75, std::string("check ") + traced.name);
    if (!failure.any())
        failure = compareWithReference(prepared, traced, options.problem, figures.errors);
    return failure;
}

} // namespace

int runRecord(const Options& options)
{
    Figures figures;
    TakenProfiles taken;
    const KernelPlan* plain = nullptr;
    const KernelPlan* traced = nullptr;
    Failure failure = twins(options, plain, traced);
    if (!failure.any())
        failure = useDevice(options.device, figures.device);
    if (!failure.any())
        failure = measure(*plain, *traced, options, figures, taken);
    if (!failure.any())
        failure = writeRecording(*plain, options, figures, taken);
    if (failure.any())
        return fail(failure);
    if (taken.dropped > 0 && !options.quiet)
        std::fprintf(stderr, "flashstep-gpu: %llu stamps found no room (--stamps N makes more)\n",
            static_cast<unsigned long long>(taken.dropped));
    if (!figures.errors.first.empty())
        return fail({ 1, std::string(traced->name) + ": " + figures.errors.first });
    return 0;
}

} // namespace flashstep::cuda
