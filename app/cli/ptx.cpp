// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/ptx.h"

#include "app/cli/commands.h"
#include "app/cli/export.h"
#include "app/cli/status.h"
#include "core/io/files.h"
#include "core/io/input_files.h"
#include "core/io/kernel_recording.h"
#include "core/io/ptx_shipped.h"
#include "core/io/ptx_trace.h"
#include "core/io/recording_write.h"

#include <fmt/format.h>

#include <limits>
#include <memory>
#include <optional>

namespace flashstep::cli {

namespace {

// A trap and the limit end a run as a deadlock does.
bool failed(const PtxOutcome& outcome, bool check)
{
    return !outcome.run.deadlock.empty() || outcome.run.limit || (check && !outcome.run.findings.empty());
}

// To the end, with a timeline of the instructions where `traceFile` names one.
Status runPtx(PtxStart& start, const PtxOptions& o, const std::string& traceFile)
{
    PtxOutcome& outcome = start.outcome;
    outcome.gpu = start.gpu.name;
    outcome.gpuTitle = start.gpu.title;
    outcome.orderSeed = start.options.orderSeed;
    outcome.checked = start.options.checks;
    start.options.gpu = &start.gpu;
    std::optional<PtxTrace> trace;
    if (!traceFile.empty())
        trace.emplace(start.gpu);
    {
        const ProgressLine line("executing", o.problem.quiet);
        const auto keep = [&](std::uint32_t launch, const ptx::Step& step) {
            trace->step(*outcome.run.codes[launch], launch, outcome.run.cycles, step);
        };
        ptx::runKernel(outcome.run, start.options, line.progress(),
            trace ? std::function<void(std::uint32_t, const ptx::Step&)>(keep) : nullptr);
    }
    if (outcome.run.cancelled)
        return Error { "cancelled", outcome.kernel, "" };
    if (!trace)
        return Nothing {};
    if (!trace->complete())
        note("the trace ends before the run: it is longer than a recording can be", o.problem.quiet);
    const Recording recording = std::move(*trace).finish(outcome.kernel, outcome.file);
    const ProgressLine line("writing", o.problem.quiet);
    return writeFileAtomically(
        traceFile, [&](std::ostream& out) { return writeRecording(recording, out, line.progress()); });
}

int report(const PtxOutcome& outcome, const PtxOptions& o)
{
    const int status = print(o.json ? jsonText(ptxReportObject(outcome)) : ptxReportText(outcome));
    return status == success && failed(outcome, o.check) ? failedCheck : status;
}

Status checkTrace(const PtxOptions& o, const std::vector<std::string>& read, const std::vector<std::string>& written)
{
    if (o.trace.empty())
        return Nothing {};
    if (Status status = checkTarget(o.trace); !status)
        return status;
    for (const std::string& other : written)
        if (other == o.trace)
            return Error { "an output would be written there", "--trace " + o.trace, "another name" };
    return checkNotRead(o.trace, read);
}

int performFile(const PtxOptions& o)
{
    std::vector<PtxArgument> arguments;
    Result<PtxStart> start = startFile(o, arguments);
    if (!start)
        return fail(start.error());
    std::vector<std::string> read { o.words.front() };
    std::vector<std::string> written;
    for (const PtxArgument& argument : arguments) {
        if (!argument.in.empty())
            read.push_back(argument.in);
        if (argument.writes())
            written.push_back(argument.out);
    }
    if (Status status = checkTrace(o, read, written); !status)
        return fail(status.error());
    if (Status status = runPtx(*start, o, o.trace); !status)
        return fail(status.error());
    PtxOutcome& outcome = start->outcome;
    if (Status status = writeArguments(arguments, outcome.run.memory); !status)
        return fail(status.error());
    outcome.outputs = outputsOf(arguments);
    return report(outcome, o);
}

// A kernel with a form that stamps its ops tells them itself, as on a device; of the others there are instructions.
bool tellsItsOps(const ShippedStart& shipped)
{
    return cuda::findKernelPlan(std::string(shipped.kernel->name) + "_traced") != nullptr;
}

Status writeOps(const ShippedStart& shipped, const PtxOptions& o)
{
    const PtxOutcome& outcome = shipped.start.outcome;
    if (!outcome.run.deadlock.empty() || outcome.run.limit) {
        note("no trace: the run did not come to its end", o.problem.quiet);
        return Nothing {};
    }
    ptx::RunOptions options = shipped.start.options;
    options.checks = false;
    options.maxInstructions = std::numeric_limits<std::uint64_t>::max(); // the run itself kept to it
    const ProgressLine line("executing with stamps", o.problem.quiet);
    const Result<KernelRecording> recording
        = recordKernel(*shipped.kernel, *outcome.problem, shipped.inputs, options, line.progress());
    if (!recording)
        return recording.error();
    if (recording->dropped > 0)
        note(fmt::format("the trace lacks {} stamps that found no room", recording->dropped), o.problem.quiet);
    return writeFileAtomically(o.trace, [&](std::ostream& out) -> Status {
        out << recording->json;
        return Nothing {};
    });
}

int performShipped(const PtxOptions& o)
{
    Result<ShippedStart> shipped = startShipped(o);
    if (!shipped)
        return fail(shipped.error());
    if (Status status = checkTrace(o, shipped->files, {}); !status)
        return fail(status.error());
    const bool ops = tellsItsOps(*shipped);
    if (Status status = runPtx(shipped->start, o, ops ? "" : o.trace); !status)
        return fail(status.error());
    if (ops && !o.trace.empty())
        if (Status status = writeOps(*shipped, o); !status)
            return fail(status.error());
    PtxOutcome& outcome = shipped->start.outcome;
    {
        const ProgressLine line("comparing", o.problem.quiet);
        const Result<KernelErrors> errors
            = kernelErrors(outcome.run, *outcome.problem, shipped->inputs, line.progress());
        if (!errors)
            return fail(errors.error());
        outcome.maxAbsError = errors->o;
        outcome.maxAbsErrorLse = errors->lse;
    }
    if (!o.outNpy.empty())
        if (Status status = writeKernelTensors(outcome.run, *outcome.problem, shipped->inputs, o.outNpy); !status)
            return fail(status.error());
    return report(outcome, o);
}

} // namespace

Command addPtx(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand(
        "ptx", "execute a kernel's own instructions: a PTX file with its arguments, or one of the shipped kernels");
    const auto o = std::make_shared<PtxOptions>();
    parser
        ->add_option("files", o->words,
            "FILE.ptx, then an ARG for each parameter of the kernel: in:F.npy, out:TYPE:SHAPE:F.npy, "
            "inout:F.npy:OUT.npy "
            "or TYPE:VALUE")
        ->type_name("");
    parser->add_option("--kernel", o->kernel, "the entry of the file")->type_name("NAME");
    parser->add_option("--grid", o->grid, "CTAs")->type_name("X[,Y,Z]");
    parser->add_option("--block", o->block, "threads of a CTA")->type_name("X[,Y,Z]");
    parser->add_option("--cluster", o->cluster, "CTAs of a cluster (1)")->type_name("N");
    parser->add_option("--shared", o->shared, "dynamic shared memory of a CTA (default 0)")->type_name("BYTES");
    parser->add_option("--shipped", o->shipped, "one of 'list kernels', on the problem below")->type_name("NAME");
    parser->add_option("--out-npy", o->outNpy, "with --shipped: write q k v o lse there as .npy")->type_name("DIR");
    parser
        ->add_option("--order-seed", o->orderSeed,
            "0 (default): in the order of modelled time; else warps, CTAs and copies by chance")
        ->type_name("S");
    parser->add_option("--max-instructions", o->maxInstructions, "of lanes; the run ends there (default 10^9)")
        ->type_name("N");
    parser->add_flag("--check", o->check, "status 1 where there is a hazard");
    parser->add_flag("--unchecked", o->unchecked, "do not look for races and the like: some times as fast");
    parser->add_option("--trace", o->trace, "write the run as a timeline, Chrome-trace JSON")->type_name("OUT");
    parser->add_flag("--json", o->json, "the report as JSON");
    addProblemOptions(*parser, o->problem);
    return { parser, [o] { return o->shipped.empty() ? performFile(*o) : performShipped(*o); } };
}

} // namespace flashstep::cli
