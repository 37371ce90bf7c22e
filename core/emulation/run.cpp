// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/run.h"

#include "core/emulation/comparison.h"
#include "core/emulation/emulator.h"
#include "core/emulation/error_bound.h"
#include "core/emulation/grid.h"
#include "core/emulation/predict.h"
#include "core/program/quantise.h"

#include <algorithm>
#include <cmath>

namespace flashstep {

namespace {

void reportTime(Report& report, const Trace& trace, const GpuSpec& gpu)
{
    const Program& program = trace.program();
    report.cycles = trace.cycles();
    EngineShares busy {};
    for (std::size_t e = 0; e < engineCount; ++e)
        busy[e] = trace.busy(static_cast<Engine>(e));
    report.utilisation = utilisationOf(engineShares(busy, report.cycles, gpu.sms));
    report.binding = bindingOf(report.utilisation);
    report.clockMhz = clockUnder(gpu, report.utilisation.tensor, report.utilisation.exp);
    report.microseconds = static_cast<double>(report.cycles) / report.clockMhz
        + gpu.launchMicroseconds * static_cast<double>(program.launches.size());
    report.flops = nominalFlops(program.problem);
    if (program.tile == program.costTile)
        report.tflops = report.flops / report.microseconds * 1e-6;
}

void reportCounts(Report& report, const Trace& trace)
{
    const auto total = [&](Counter counter) { return trace.total(counter); };
    report.flopsExecuted = total(Counter::Flops);
    report.globalReadBytes = total(Counter::GlobalRead);
    report.globalWriteBytes = total(Counter::GlobalWrite);
    report.exp2Hardware = total(Counter::Exp2);
    report.exp2Emulated = total(Counter::Exp2Emulated);
    report.rescalesDone = total(Counter::Rescales);
    report.rescalesSkipped = total(Counter::RescalesSkipped);
    report.rescaleWarpsDone = total(Counter::RescaleWarps);
    report.rescaleWarpsSkipped = total(Counter::RescaleWarpsSkipped);
    report.hbmReadBytes = trace.hbmRead();
    report.hbmWriteBytes = trace.hbmWrite();
    report.events = trace.end().value;
    report.traceBytes = trace.bytes();
}

std::string nonFiniteNote(const char* tensorName, const Tensor& tensor)
{
    std::size_t nans = 0;
    std::size_t infinities = 0;
    for (const float x : tensor.data) {
        nans += std::isnan(x) ? 1 : 0;
        infinities += std::isinf(x) ? 1 : 0;
    }
    if (nans + infinities == 0)
        return {};
    return std::string(tensorName) + " holds " + std::to_string(nans) + " NaN and " + std::to_string(infinities)
        + " infinite values";
}

// The chosen CTA and its cluster; with several launches, those that work on the same query tile too: they hand it over
// through HBM.
std::vector<bool> recordedCtas(const Program& program, const Record& record)
{
    std::vector<bool> recorded(program.ctaCount(), record.kind == Record::Kind::All);
    if (record.kind != Record::Kind::OneCta)
        return recorded;
    recorded[record.cta] = true;
    recorded[program.peerOf(CtaId(record.cta)).index()] = true;
    if (program.launches.size() == 1)
        return recorded;
    const auto workOf = [&](std::size_t cta) -> const Work& { // none of these launches is persistent
        const LaunchDecl& launch = program.launchOf(CtaId(cta));
        return program.works[launch.firstWork + cta - launch.firstCta];
    };
    const Work& chosen = workOf(record.cta);
    for (std::size_t k = 0; k < recorded.size(); ++k) {
        const Work& work = workOf(k);
        recorded[k] = work.b == chosen.b && work.h == chosen.h && work.i == chosen.i;
    }
    return recorded;
}

Status checkInputs(const Problem& p, const Inputs& inputs)
{
    const auto matches = [](const Tensor& t, int b, int h, int n, int d) {
        return t.batch == b && t.heads == h && t.seqlen == n && t.dim == d;
    };
    if (!matches(inputs.q, p.batch, p.heads, p.seqlenQ, p.headDim))
        return Error { "q does not have the problem's shape", "inputs", "(batch, heads, seqlen_q, head_dim)" };
    if (!matches(inputs.k, p.batch, p.kvHeads, p.seqlenK, p.headDim))
        return Error { "k does not have the problem's shape", "inputs", "(batch, kv_heads, seqlen_k, head_dim)" };
    if (!matches(inputs.v, p.batch, p.kvHeads, p.seqlenK, p.headDimV))
        return Error { "v does not have the problem's shape", "inputs", "(batch, kv_heads, seqlen_k, head_dim_v)" };
    return Nothing {};
}

Result<std::shared_ptr<const Inputs>> roundedInputs(
    const Program& program, const Choices& choices, std::optional<Inputs> given, Report& report)
{
    const Problem& p = program.problem;
    Problem exact = p;
    exact.dtype = DType::Fp32; // rounded once, after rotation and factors
    auto inputs = std::make_shared<Inputs>(given ? std::move(*given) : generateInputs(exact));
    if (Status ok = checkInputs(p, *inputs); !ok)
        return ok.error();
    *inputs = quantised(std::move(*inputs), p, program.tile, choices);
    for (const auto& [tensorName, tensor] :
        { std::pair("q", &inputs->q), std::pair("k", &inputs->k), std::pair("v", &inputs->v) }) {
        if (std::string note = nonFiniteNote(tensorName, *tensor); !note.empty())
            report.inputNotes.push_back(std::move(note));
    }
    return std::shared_ptr<const Inputs>(std::move(inputs));
}

} // namespace

Result<Run> runScenario(const Scenario& scenario, std::optional<Inputs> inputs, const Progress& progress)
{
    return runScenario(scenario, std::move(inputs), progress, {});
}

Result<Run> runScenario(
    const Scenario& scenario, std::optional<Inputs> inputs, const Progress& progress, const RunOptions& options)
{
    Result<Prepared> prepared = prepare(scenario);
    if (!prepared)
        return prepared.error();
    Run run;
    run.scenario = prepared->scenario;
    run.program = prepared->program;
    run.gpu = prepared->gpu;

    EmulationOptions emulation;
    emulation.discardValues = options.discardValues;
    const Choices choices = choicesOf(run.scenario);
    emulation.swizzled = choices.swizzled();
    emulation.jitterSeed = choices.jitterSeed;
    emulation.assumedRescaleRate = choices.assumedRescaleRate;
    emulation.recorded = recordedCtas(*run.program, run.scenario.record);
    const bool values = run.scenario.record.kind != Record::Kind::None;
    std::unique_ptr<Numerics> numerics;
    if (values) {
        Result<std::shared_ptr<const Inputs>> rounded
            = roundedInputs(*run.program, choices, std::move(inputs), run.report);
        if (!rounded)
            return rounded.error();
        run.inputs = emulation.inputs = *rounded;
        numerics = std::make_unique<Numerics>(*run.program, *run.inputs, choices.kernelEmptyRowLse);
    }

    const Progress emulating { progress.stop, [&](double fraction) { progress.at(0.8 * fraction); } };
    run.report.twoSteps = options.grid == RunOptions::Grid::TwoSteps
        || (options.grid == RunOptions::Grid::Automatic && prepared->estimate.events > eventsInFull
            && run.scenario.record.kind != Record::Kind::All
            && (run.program->launches.size() == 1 || !values)); // launches hand their values over through HBM
    const CtaId asked(run.scenario.record.kind == Record::Kind::OneCta ? run.scenario.record.cta : 0);
    Result<std::shared_ptr<const Trace>> trace = run.report.twoSteps
        ? emulateInTwoSteps(run.program, run.gpu, emulation, asked, numerics.get(), emulating)
        : emulate(run.program, run.gpu, emulation, numerics.get(), emulating);
    if (!trace)
        return trace.error();
    run.trace = *trace;
    reportTime(run.report, *run.trace, run.gpu);
    reportCounts(run.report, *run.trace);
    // Where every row is rescaled whatever its values are, nothing is assumed.
    run.report.rescaleSource = !run.program->softmax.conditional || run.scenario.record.kind == Record::Kind::All
        ? "values"
        : values ? "mixed"
                 : "assumed";
    if (options.hazards) {
        HazardReport hazards = findHazards(*run.trace);
        run.report.hazards = hazards.count;
        run.report.hazardList = std::move(hazards.list);
    }
    if (values) {
        run.o = numerics->o();
        run.lse = numerics->lse();
        run.report.pClipped = numerics->clipped();
        if (options.compare) {
            if (Status compared = compareWithReference(run, progress); !compared)
                return compared.error();
            if (run.report.maxAbsError)
                run.report.errorBound = errorBound(*run.program, *run.inputs);
        }
    }
    return run;
}

} // namespace flashstep
