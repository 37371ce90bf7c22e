// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/run.h"

#include "core/algorithms/registry.h"
#include "core/emulation/emulator.h"
#include "core/emulation/error_bound.h"
#include "core/hardware/cost.h"
#include "core/hardware/what_if.h"
#include "core/program/breaks.h"
#include "core/program/effects.h"
#include "core/tensor/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <unistd.h>

namespace flashstep {

namespace {

constexpr double gibibyte = 1024.0 * 1024.0 * 1024.0;

// ---- what is asked for, before anything is built -------------------------------------------------------------------

Result<const Algorithm*> algorithmOf(const Scenario& s)
{
    if (const Algorithm* found = findAlgorithm(s.algorithm, s.pass))
        return found;
    for (const char* later : { "fa1", "fa3", "fa4" })
        if (s.algorithm == later)
            return Error { s.algorithm + " is not in this version", "algorithm", "standard, fa2" };
    for (const char* later : { "backward", "decode" })
        if (s.pass == later)
            return Error { "the pass " + s.pass + " is not in this version", "pass", "forward" };
    if (s.pass != "forward")
        return Error { "unknown pass " + s.pass, "pass", "forward" };
    return Error { "unknown algorithm " + s.algorithm, "algorithm", "standard, fa2" };
}

Result<const GpuSpec*> gpuOf(const Scenario& s)
{
    if (const GpuSpec* found = findGpu(s.gpu))
        return found;
    for (const char* later : { "h200", "b200", "gb200", "b300" })
        if (s.gpu == later)
            return Error { s.gpu + " is not in this version", "gpu", "a100, h100" };
    return Error { "unknown GPU " + s.gpu, "gpu", "a100, h100" };
}

Status checkSizes(const Problem& p)
{
    struct Limit {
        const char* name;
        int value, low, high;
    };
    for (const Limit& limit : { Limit { "batch", p.batch, 1, 1 << 16 }, Limit { "heads", p.heads, 1, 1 << 16 }, Limit { "kv_heads", p.kvHeads, 1, 1 << 16 },
             Limit { "seqlen_q", p.seqlenQ, 1, 1 << 24 }, Limit { "seqlen_k", p.seqlenK, 1, 1 << 24 }, Limit { "head_dim", p.headDim, 1, 1024 },
             Limit { "head_dim_v", p.headDimV, 1, 1024 } })
        if (limit.value < limit.low || limit.value > limit.high)
            return Error { "cannot be " + std::to_string(limit.value), limit.name,
                std::to_string(limit.low) + " … " + std::to_string(limit.high) };
    if (p.heads % p.kvHeads != 0)
        return Error { "kv_heads " + std::to_string(p.kvHeads) + " does not divide heads " + std::to_string(p.heads), "kv_heads", "a divisor of heads" };
    if (p.dtype == DType::E4m3)
        return Error { "e4m3 is not in this version", "dtype", "fp32, fp16, bf16" };
    if (p.mask.kind == MaskKind::Window && (p.mask.left < 0 || p.mask.right < 0))
        return Error { "cannot be negative", "mask", "window:L,R with L and R from 0" };
    return Nothing {};
}

Status checkTile(const char* which, const TileSize& tile, int warps)
{
    const auto bad = [&](int size) { return size < warps || size % warps != 0 || size > 1024; };
    if (bad(tile.rows) || bad(tile.keys))
        return Error { tile.text() + " cannot be shared by " + std::to_string(warps) + " warps", which,
            "BR and BC multiples of " + std::to_string(warps) + " up to 1024" };
    return Nothing {};
}

// CTAs and ops that a scenario will have, near enough to refuse what no memory holds, before anything is built.
double estimateInstances(const Scenario& s, const TileSize& tile, int warps)
{
    const Problem& p = s.problem;
    const double tiles = std::ceil(static_cast<double>(p.seqlenQ) / tile.rows);
    const double blocks = std::ceil(static_cast<double>(p.seqlenK) / tile.keys);
    double visited = tiles * blocks;
    if (s.algorithm == "fa2" && p.mask.kind == MaskKind::Causal)
        visited *= 0.5;
    if (s.algorithm == "fa2" && p.mask.kind == MaskKind::Window)
        visited = tiles * std::min(blocks, (static_cast<double>(tile.rows) + p.mask.left + p.mask.right) / tile.keys + 1);
    const double perBlock = s.algorithm == "standard" ? 27 : 15;
    return static_cast<double>(p.batch) * p.heads * warps * (visited * perBlock + tiles * 12);
}

double physicalMemory()
{
    return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

Status checkMemory(const Scenario& s, double instances)
{
    constexpr double bytesPerInstance = 56; // timing alone
    const Problem& p = s.problem;
    const double tensors = 4.0 * p.batch
        * ((static_cast<double>(p.heads) * p.seqlenQ + static_cast<double>(p.kvHeads) * p.seqlenK) * (p.headDim + p.headDimV));
    const double bytes = instances * bytesPerInstance + tensors;
    if (instances > 2.0e9 || bytes > 0.8 * physicalMemory())
        return Error { "would take about " + std::to_string(static_cast<long long>(bytes / gibibyte) + 1) + " GiB", "problem",
            "a smaller problem or larger tiles; this machine has " + std::to_string(static_cast<long long>(physicalMemory() / gibibyte)) + " GiB" };
    return Nothing {};
}

Status checkFit(const GpuSpec& gpu, const Program& program)
{
    for (const LaunchDecl& launch : program.launches) {
        const Occupancy occupancy = occupancyOf(gpu, launch);
        if (occupancy.ctasPerSm > 0)
            continue;
        if (occupancy.limit == "shared memory")
            return Error { launch.name + " needs " + std::to_string(occupancy.neededSmem) + " bytes of shared memory, "
                    + std::to_string(occupancy.neededSmem - occupancy.availableSmem) + " more than a CTA may have",
                "tile " + program.costTile.text(), std::to_string(occupancy.availableSmem) + " bytes on " + std::string(gpu.name) };
        return Error { launch.name + " does not fit: too many " + std::string(occupancy.limit), "tile " + program.costTile.text(), "a smaller tile" };
    }
    return Nothing {};
}

// Bytes of values that a CTA of each stream leaves when recorded.
double valueBytes(const Program& program)
{
    std::vector<double> perStream(program.streams.size());
    for (std::size_t k = 0; k < program.streams.size(); ++k) {
        const Stream& stream = program.streams[k];
        for (std::uint32_t o = stream.firstOp; o < stream.firstOp + stream.opCount; ++o) {
            const Op& op = program.ops[o];
            for (const BufferId out : { op.out, op.out2 }) {
                if (!out.valid())
                    continue;
                const BufferDecl& decl = program.buffers[out.index()];
                const double columns = repeatable(op, out) ? 0 : program.columns(out, 0).count;
                perStream[k] += 24 + 4.0 * (program.rows(op).count() * columns + static_cast<double>(decl.rows) * decl.cols / 64);
            }
        }
    }
    double bytes = 0;
    for (const Cta& cta : program.ctas)
        bytes += perStream[cta.stream.index()];
    return bytes;
}

// ---- what came of it -----------------------------------------------------------------------------------------------

double nominalPairs(const Problem& p)
{
    const double all = static_cast<double>(p.seqlenQ) * p.seqlenK;
    if (p.mask.kind == MaskKind::Causal)
        return all / 2;
    if (p.mask.kind == MaskKind::None)
        return all;
    double visible = 0;
    for (int row = 0; row < p.seqlenQ; ++row) {
        const Problem::KeyRange keys = p.visibleKeys(row);
        visible += keys.empty() ? 0 : keys.last - keys.first;
    }
    return visible;
}

void reportTime(Report& report, const Trace& trace, const GpuSpec& gpu)
{
    const Program& program = trace.program();
    const Problem& p = program.problem;
    report.cycles = trace.cycles();
    report.clockMhz = gpu.clockMhz;
    report.microseconds = static_cast<double>(report.cycles) / gpu.clockMhz + gpu.launchMicroseconds * static_cast<double>(program.launches.size());
    report.flops = 2.0 * nominalPairs(p) * (p.headDim + p.headDimV) * p.heads * p.batch;
    if (program.tile == program.costTile)
        report.tflops = report.flops / report.microseconds * 1e-6;

    const double smCycles = static_cast<double>(std::max<Cycle>(1, report.cycles)) * trace.smCount();
    const auto share = [&](Engine engine, double count) { return trace.busy(engine) / (smCycles * count); };
    Utilisation& u = report.utilisation;
    u = { share(Engine::Tensor, 4), share(Engine::Exp, 4), share(Engine::Issue, 4), share(Engine::Smem, 1), share(Engine::L2, 1),
        share(Engine::Hbm, 1) * trace.smCount() };
    const std::array<std::pair<const char*, double>, 6> all { { { "tensor", u.tensor }, { "exp", u.exp }, { "issue", u.issue }, { "smem", u.smem },
        { "l2", u.l2 }, { "hbm", u.hbm } } };
    report.binding = std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
}

void reportCounts(Report& report, const Trace& trace)
{
    const auto total = [&](Counter counter) { return trace.counter(counter, trace.end()); };
    report.flopsExecuted = total(Counter::Flops);
    report.globalReadBytes = total(Counter::GlobalRead);
    report.globalWriteBytes = total(Counter::GlobalWrite);
    report.exp2Hardware = total(Counter::Exp2);
    report.rescalesDone = total(Counter::Rescales);
    report.rescaleSource = "values"; // every row is rescaled, whatever its values
    report.events = trace.end().value;
    report.traceBytes = trace.bytes();
}

struct ErrorSums {
    double maxO = 0, sumSquares = 0, maxLse = 0;
    std::uint64_t count = 0;

    // Not finite in the reference: equal is right, anything else is infinitely wrong.
    static double difference(double ours, double exact)
    {
        if (std::isfinite(exact) && std::isfinite(ours))
            return std::fabs(ours - exact);
        const bool same = (std::isnan(ours) && std::isnan(exact)) || ours == exact;
        return same ? 0 : std::numeric_limits<double>::infinity();
    }
};

Status compareWithReference(Run& run, const Progress& progress)
{
    const Program& program = *run.program;
    const Problem& p = program.problem;
    ErrorSums sums;
    std::vector<double> o;
    std::vector<double> lse;
    const LaunchDecl& launch = program.launches.back();
    for (std::uint32_t k = launch.firstCta; k < launch.firstCta + launch.ctaCount; ++k) {
        if (!run.trace->hasValues(CtaId(k)) && !(run.o.data.size() > 0 && run.scenario.record.kind == Record::Kind::All))
            continue;
        if (progress.cancelled())
            return Error { "cancelled", "comparison with float64", {} };
        const Cta& cta = program.ctas[k];
        const int rows = program.rowsInside(cta);
        o.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(p.headDimV));
        lse.resize(static_cast<std::size_t>(rows));
        ReferenceHead head;
        head.q = run.inputs->q.row(cta.b, cta.h, 0).data();
        head.k = run.inputs->k.row(cta.b, p.kvHeadOf(cta.h), 0).data();
        head.v = run.inputs->v.row(cta.b, p.kvHeadOf(cta.h), 0).data();
        head.headDim = p.headDim;
        head.headDimV = p.headDimV;
        head.scale = p.softmaxScale();
        head.visibleKeys = [&p](int row) {
            const Problem::KeyRange keys = p.visibleKeys(row);
            return std::pair(keys.first, keys.last);
        };
        referenceForward(head, cta.row, cta.row + rows, o.data(), lse.data());
        for (int r = 0; r < rows; ++r) {
            const auto ours = run.o.row(cta.b, cta.h, cta.row + r);
            for (int d = 0; d < p.headDimV; ++d) {
                const double e = ErrorSums::difference(ours[static_cast<std::size_t>(d)],
                    o[static_cast<std::size_t>(r) * static_cast<std::size_t>(p.headDimV) + static_cast<std::size_t>(d)]);
                sums.maxO = std::max(sums.maxO, e);
                sums.sumSquares += e * e;
                ++sums.count;
            }
            sums.maxLse = std::max(sums.maxLse, ErrorSums::difference(run.lse.row(cta.b, cta.h, cta.row + r)[0], lse[static_cast<std::size_t>(r)]));
        }
        progress.at(0.8 + 0.2 * (k - launch.firstCta + 1) / launch.ctaCount);
    }
    if (sums.count > 0) {
        run.report.maxAbsError = sums.maxO;
        run.report.rmsError = std::sqrt(sums.sumSquares / static_cast<double>(sums.count));
        run.report.maxAbsErrorLse = sums.maxLse;
    }
    return Nothing {};
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
    return std::string(tensorName) + " holds " + std::to_string(nans) + " NaN and " + std::to_string(infinities) + " infinite values";
}

std::vector<bool> recordedCtas(const Program& program, const Record& record)
{
    std::vector<bool> recorded(program.ctas.size(), record.kind == Record::Kind::All);
    if (record.kind != Record::Kind::OneCta)
        return recorded;
    // With several launches, those that work on the same query tile too: they hand it over through HBM.
    const Cta& chosen = program.ctas[record.cta];
    for (std::size_t k = 0; k < recorded.size(); ++k) {
        const Cta& cta = program.ctas[k];
        recorded[k] = cta.b == chosen.b && cta.h == chosen.h && cta.i == chosen.i;
    }
    return recorded;
}

Status checkInputs(const Problem& p, const Inputs& inputs)
{
    const auto matches = [](const Tensor& t, int b, int h, int n, int d) { return t.batch == b && t.heads == h && t.seqlen == n && t.dim == d; };
    if (!matches(inputs.q, p.batch, p.heads, p.seqlenQ, p.headDim))
        return Error { "q does not have the problem's shape", "inputs", "(batch, heads, seqlen_q, head_dim)" };
    if (!matches(inputs.k, p.batch, p.kvHeads, p.seqlenK, p.headDim))
        return Error { "k does not have the problem's shape", "inputs", "(batch, kv_heads, seqlen_k, head_dim)" };
    if (!matches(inputs.v, p.batch, p.kvHeads, p.seqlenK, p.headDimV))
        return Error { "v does not have the problem's shape", "inputs", "(batch, kv_heads, seqlen_k, head_dim_v)" };
    return Nothing {};
}

Result<std::shared_ptr<const Inputs>> roundedInputs(const Problem& p, std::optional<Inputs> given, Report& report)
{
    auto inputs = std::make_shared<Inputs>(given ? std::move(*given) : generateInputs(p));
    if (Status ok = checkInputs(p, *inputs); !ok)
        return ok.error();
    for (const auto& [tensorName, tensor] : { std::pair("q", &inputs->q), std::pair("k", &inputs->k), std::pair("v", &inputs->v) }) {
        roundTo(p.dtype, tensor->data);
        if (std::string note = nonFiniteNote(tensorName, *tensor); !note.empty())
            report.inputNotes.push_back(std::move(note));
    }
    return std::shared_ptr<const Inputs>(std::move(inputs));
}

} // namespace

Result<Prepared> prepare(const Scenario& asked)
{
    Prepared prepared;
    prepared.scenario = asked;
    Scenario& s = prepared.scenario;
    const Result<const Algorithm*> algorithm = algorithmOf(s);
    if (!algorithm)
        return algorithm.error();
    if (s.gpu.empty())
        s.gpu = std::string((*algorithm)->defaultGpu);
    const Result<const GpuSpec*> gpu = gpuOf(s);
    if (!gpu)
        return gpu.error();
    Result<GpuSpec> turned = applyKnobs(**gpu, s);
    if (!turned)
        return turned.error();
    prepared.gpu = *turned;
    if (Status sizes = checkSizes(s.problem); !sizes)
        return sizes.error();

    const Bytes smemPerSm = static_cast<Bytes>(prepared.gpu.smemPerSmKib * 1024);
    const Result<KernelTable> table = (*algorithm)->table(s.problem, prepared.gpu.computeCapability, smemPerSm);
    if (!table)
        return table.error();
    if (s.stages && *s.stages != table->stages)
        return Error { "cannot be " + std::to_string(*s.stages), "stages", s.algorithm + " has " + std::to_string(table->stages) };
    s.stages = table->stages;
    // A costed tile asked for alone leaves what is shown as the kernel's; a shown one is costed as itself.
    s.tile = s.tile.value_or(table->tile);
    s.costTile = s.costTile.value_or(*s.tile);
    for (const auto& [which, tile] : { std::pair("tile", *s.tile), std::pair("cost_tile", *s.costTile) })
        if (Status ok = checkTile(which, tile, table->warps); !ok)
            return ok.error();

    const double instances = estimateInstances(s, *s.tile, table->warps);
    if (Status memory = checkMemory(s, instances); !memory)
        return memory.error();

    auto program = std::make_shared<Program>();
    program->algorithm = s.algorithm;
    program->pass = s.pass;
    program->problem = s.problem;
    program->tile = *s.tile;
    program->costTile = *s.costTile;
    program->stages = *s.stages;
    program->source = std::string((*algorithm)->file);
    program->paper = std::string((*algorithm)->source);
    Kernel kernel(*program, table->warps, prepared.gpu.computeCapability, static_cast<Bytes>(prepared.gpu.smemPerCtaKib * 1024));
    (*algorithm)->build(kernel);
    for (const std::string& spec : s.breaks)
        if (Status broken = breakProgram(*program, spec); !broken)
            return broken.error();
    if (Status fits = checkFit(prepared.gpu, *program); !fits)
        return fits.error();

    prepared.estimate.events = 0;
    for (const Cta& cta : program->ctas)
        prepared.estimate.events += 2.0 * program->streams[cta.stream.index()].opCount;
    prepared.estimate.traceBytes = prepared.estimate.events * 24;
    prepared.estimate.valueBytes = valueBytes(*program);
    if (s.record.kind == Record::Kind::Automatic) {
        const bool small = prepared.estimate.valueBytes + prepared.estimate.traceBytes < gibibyte;
        s.record = small ? Record { Record::Kind::All } : Record { Record::Kind::OneCta, 0 };
    }
    if (s.record.kind == Record::Kind::OneCta && s.record.cta >= program->ctas.size())
        return Error { "there is no CTA " + std::to_string(s.record.cta), "record", "cta:0 … cta:" + std::to_string(program->ctas.size() - 1) };
    if (s.record.kind == Record::Kind::All && prepared.estimate.valueBytes + prepared.estimate.traceBytes > 0.8 * physicalMemory())
        return Error { "the values would take about " + std::to_string(static_cast<long long>(prepared.estimate.valueBytes / gibibyte) + 1) + " GiB",
            "record", "cta:K or none" };
    prepared.program = std::move(program);
    return prepared;
}

Result<Run> runScenario(const Scenario& scenario, std::optional<Inputs> inputs, const Progress& progress)
{
    return runScenario(scenario, std::move(inputs), progress, {});
}

Result<Run> runScenario(const Scenario& scenario, std::optional<Inputs> inputs, const Progress& progress, const RunOptions& options)
{
    Result<Prepared> prepared = prepare(scenario);
    if (!prepared)
        return prepared.error();
    Run run;
    run.scenario = prepared->scenario;
    run.program = prepared->program;
    run.gpu = prepared->gpu;
    const Problem& p = run.program->problem;

    EmulationOptions emulation;
    emulation.discardValues = options.discardValues;
    emulation.recorded = recordedCtas(*run.program, run.scenario.record);
    const bool values = run.scenario.record.kind != Record::Kind::None;
    std::unique_ptr<Numerics> numerics;
    if (values) {
        Result<std::shared_ptr<const Inputs>> rounded = roundedInputs(p, std::move(inputs), run.report);
        if (!rounded)
            return rounded.error();
        run.inputs = emulation.inputs = *rounded;
        numerics = std::make_unique<Numerics>(*run.program, *run.inputs);
    }

    const Progress emulating { progress.stop, [&](double fraction) { progress.at(0.8 * fraction); } };
    Result<std::shared_ptr<const Trace>> trace = emulate(run.program, run.gpu, emulation, numerics.get(), emulating);
    if (!trace)
        return trace.error();
    run.trace = *trace;
    reportTime(run.report, *run.trace, run.gpu);
    reportCounts(run.report, *run.trace);
    if (options.hazards) {
        HazardReport hazards = findHazards(*run.trace);
        run.report.hazards = hazards.count;
        run.report.hazardList = std::move(hazards.list);
    }
    if (values) {
        run.o = numerics->o();
        run.lse = numerics->lse();
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
