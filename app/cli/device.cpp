// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/device_compare.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/io/device_record.h"
#include "core/io/files.h"
#include "core/io/recording_write.h"

#include <fmt/format.h>

#include <memory>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    DeviceProgram program;
    std::string action, kernel, out;
    std::vector<std::string> files;
    int repeats = 0; // 0: the program's own
    bool json = false;
};

int statusOf(DeviceTrouble trouble)
{
    switch (trouble) {
    case DeviceTrouble::None:
        return success;
    case DeviceTrouble::BadUsage:
        return badUsage;
    case DeviceTrouble::NoProgram:
    case DeviceTrouble::Unreachable:
    case DeviceTrouble::NoDevice:
    case DeviceTrouble::WrongArchitecture:
    case DeviceTrouble::DriverTooOld:
    case DeviceTrouble::OutOfMemory:
    case DeviceTrouble::WrongVersion:
        return notHere;
    case DeviceTrouble::Cancelled:
        return interrupted;
    case DeviceTrouble::Killed:
    case DeviceTrouble::TimedOut:
    case DeviceTrouble::Garbled:
    case DeviceTrouble::WrongRecording:
    case DeviceTrouble::Failed:
        break;
    }
    return failedCheck;
}

int failAs(const DeviceOutcome& outcome)
{
    return fail(outcome.error, statusOf(outcome.trouble));
}

// A number or a text of an answer, whatever the program made of it.
std::string valueOf(const Json& object, const char* key)
{
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (!object.is_object() || found == object.end())
        return "?";
    if (found->is_number_float())
        return fmt::format("{:.4g}", found->get<double>());
    return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string deviceText(const Json& device)
{
    return fmt::format("{}, compute capability {}, {} SMs, driver {}, CUDA {}", valueOf(device, "name"),
        valueOf(device, "compute_capability"), valueOf(device, "sms"), valueOf(device, "driver"),
        valueOf(device, "cuda"));
}

std::string listText(const Json& answer)
{
    std::string text;
    for (const Json& device : answer["devices"])
        text += fmt::format("device {}  {}\n", valueOf(device, "index"), deviceText(device));
    for (const Json& kernel : answer.value("kernels", Json::array()))
        text += fmt::format("kernel {}  {}, {}, {}, head dimension {}\n", valueOf(kernel, "name"),
            valueOf(kernel, "file"), valueOf(kernel, "target"), valueOf(kernel, "dtype"), valueOf(kernel, "head_dim"));
    return text;
}

std::string checkText(const Json& answer)
{
    std::string text = fmt::format("measured on {}\n", deviceText(answer.value("device", Json())));
    for (const Json& kernel : answer["kernels"]) {
        const std::string first = valueOf(kernel, "first");
        text += fmt::format("{:<24} {} of {} cases wrong, O off by up to {}, LSE by {}{}\n", valueOf(kernel, "kernel"),
            valueOf(kernel, "failed"), valueOf(kernel, "cases"), valueOf(kernel, "max_abs_error"),
            valueOf(kernel, "max_abs_error_lse"), first.empty() ? "" : "; first wrong: " + first);
    }
    return text;
}

std::string benchText(const Json& answer)
{
    std::string text = fmt::format("measured on {}\n", deviceText(answer.value("device", Json())));
    for (const Json& result : answer["results"])
        text += fmt::format("{:<24} {} ms median of {}, quartiles {} ms apart, {} TFLOP/s\n", valueOf(result, "kernel"),
            valueOf(result, "median_ms"), valueOf(result, "repeats"), valueOf(result, "spread_ms"),
            valueOf(result, "tflops"));
    return text;
}

// The kernel and the problem that were asked for; no kernel where neither was named.
struct Wanted {
    const cuda::KernelPlan* kernel = nullptr;
    Problem problem;
};

Result<Wanted> wantedOf(const Options& o, bool needsKernel)
{
    ProblemOptions problem = o.problem;
    const bool stated = !problem.scenario.empty() || !problem.given.empty();
    if (const cuda::KernelPlan* kernel = cuda::findKernelPlan(o.kernel)) {
        // What the kernel's name says; options beside it win, and then it says what it cannot do.
        problem.given.insert(problem.given.begin(),
            { { "algorithm", kernel->algorithm }, { "head_dim", std::to_string(kernel->headDim) },
                { "dtype", cuda::name(kernel->dtype) } });
    }
    Result<Stated> made = stateProblem(problem);
    if (!made)
        return made.error();
    Wanted wanted { nullptr, made->file.scenario.problem };
    if (!needsKernel && o.kernel.empty() && !stated)
        return wanted;
    const Result<const cuda::KernelPlan*> kernel = kernelOf(made->file.scenario, o.kernel);
    if (!kernel)
        return kernel.error();
    wanted.kernel = *kernel;
    return wanted;
}

int ask(const Options& o, const char* key, std::string (*text)(const Json&))
{
    std::vector<std::string> arguments { o.action };
    if (o.action != "list") {
        const Result<Wanted> wanted = wantedOf(o, false);
        if (!wanted)
            return fail(wanted.error());
        if (wanted->kernel != nullptr)
            arguments.insert(arguments.end(), { "--kernel", wanted->kernel->name });
        if (!o.problem.scenario.empty() || !o.problem.given.empty())
            for (std::string& argument : deviceArguments(wanted->problem))
                arguments.push_back(std::move(argument));
    }
    if (o.repeats > 0)
        arguments.insert(arguments.end(), { "--repeats", std::to_string(o.repeats) });
    DeviceOutcome outcome;
    {
        const ProgressLine line("on the device", o.problem.quiet);
        outcome = askDevice(o.program, std::move(arguments), key, line.progress());
    }
    if (!outcome.ok())
        return failAs(outcome);
    if (!outcome.answer[key].is_array())
        return fail({ fmt::format("its '{}' is no list", key), o.program.prefix, "is it flashstep-gpu?" }, failedCheck);
    const int printed = print(o.json ? jsonText(outcome.answer) + "\n" : text(outcome.answer));
    return printed != success ? printed : outcome.status;
}

int record(const Options& o)
{
    if (o.out.empty())
        return fail({ "record needs a file", "--out", "--out F.json" });
    const Result<Wanted> wanted = wantedOf(o, true);
    if (!wanted)
        return fail(wanted.error());
    DeviceRecording made;
    {
        const ProgressLine line("on the device", o.problem.quiet);
        made = recordOnDevice(o.program, *wanted->kernel, wanted->problem, line.progress());
    }
    if (!made.outcome.ok())
        return failAs(made.outcome);
    const Status written = writeFileAtomically(o.out, [&](std::ostream& out) -> Status {
        out << made.outcome.out;
        return Nothing {};
    });
    if (!written)
        return fail(written.error());
    return print(o.json ? recordingAccountJson(*made.recording) : recordingAccount(*made.recording));
}

int perform(Options& o)
{
    if (o.action == "compare")
        return compareRecordings(o.files, o.json, o.problem.quiet);
    if (!o.files.empty())
        return fail({ "files are for compare", "'" + o.files.front() + "'", "" });
    if (!o.out.empty() && o.action != "record")
        return fail({ "it is for record", "--out", "" });
    if (o.action == "list")
        return ask(o, "devices", listText);
    if (o.action == "check")
        return ask(o, "kernels", checkText);
    if (o.action == "bench")
        return ask(o, "results", benchText);
    return record(o);
}

} // namespace

Command addDevice(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand(
        "device", "measure on a GPU, here or behind a prefix (ssh, srun, docker exec), and compare with the schedule");
    const auto o = std::make_shared<Options>();
    parser->add_option("what", o->action, "list, check, bench, record or compare")
        ->required()
        ->check(CLI::IsMember({ "list", "check", "bench", "record", "compare" }))
        ->type_name("");
    parser->add_option("files", o->files, "compare: A.json with the schedule of its problem, or with B.json")
        ->expected(0, 2)
        ->type_name("");
    parser->add_option("--on", o->program.prefix, "words before the program: 'ssh gpubox', 'srun --gres=gpu:1'")
        ->type_name("PREFIX");
    parser
        ->add_option(
            "--program", o->program.program, "flashstep-gpu (default: beside this program, or by its name there)")
        ->type_name("PATH");
    parser
        ->add_option("--timeout", o->program.timeoutSeconds, "seconds after which it is ended (default 600, 0: never)")
        ->check(CLI::Range(0.0, 1e7))
        ->type_name("S");
    parser->add_option("--kernel", o->kernel, "one of 'device list' (default: the one that does the problem)")
        ->type_name("NAME");
    parser->add_option("--repeats", o->repeats, "bench: how often each kernel is timed (default 50)")
        ->check(CLI::Range(1, 100000))
        ->type_name("N");
    parser->add_option("--out", o->out, "record: the file")->type_name("F.json");
    parser->add_flag("--json", o->json, "the answer as JSON");
    addProblemOptions(*parser, o->problem);
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
