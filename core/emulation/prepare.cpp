// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/run.h"

#include "core/algorithms/registry.h"
#include "core/hardware/cost.h"
#include "core/hardware/what_if.h"
#include "core/program/breaks.h"
#include "core/program/effects.h"

#include <algorithm>
#include <cmath>

#include <unistd.h>

namespace flashstep {

namespace {

constexpr double gibibyte = 1024.0 * 1024.0 * 1024.0;

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
    for (const Limit& limit : { Limit { "batch", p.batch, 1, 1 << 16 }, Limit { "heads", p.heads, 1, 1 << 16 },
             Limit { "kv_heads", p.kvHeads, 1, 1 << 16 }, Limit { "seqlen_q", p.seqlenQ, 1, 1 << 24 },
             Limit { "seqlen_k", p.seqlenK, 1, 1 << 24 }, Limit { "head_dim", p.headDim, 1, 1024 },
             Limit { "head_dim_v", p.headDimV, 1, 1024 } })
        if (limit.value < limit.low || limit.value > limit.high)
            return Error { "cannot be " + std::to_string(limit.value), limit.name,
                std::to_string(limit.low) + " … " + std::to_string(limit.high) };
    if (p.heads % p.kvHeads != 0)
        return Error { "kv_heads " + std::to_string(p.kvHeads) + " does not divide heads " + std::to_string(p.heads),
            "kv_heads", "a divisor of heads" };
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
        visited
            = tiles * std::min(blocks, (static_cast<double>(tile.rows) + p.mask.left + p.mask.right) / tile.keys + 1);
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
        * ((static_cast<double>(p.heads) * p.seqlenQ + static_cast<double>(p.kvHeads) * p.seqlenK)
            * (p.headDim + p.headDimV));
    const double bytes = instances * bytesPerInstance + tensors;
    if (instances > 2.0e9 || bytes > 0.8 * physicalMemory())
        return Error { "would take about " + std::to_string(static_cast<long long>(bytes / gibibyte) + 1) + " GiB",
            "problem",
            "a smaller problem or larger tiles; this machine has "
                + std::to_string(static_cast<long long>(physicalMemory() / gibibyte)) + " GiB" };
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
                "tile " + program.costTile.text(),
                std::to_string(occupancy.availableSmem) + " bytes on " + std::string(gpu.name) };
        return Error { launch.name + " does not fit: too many " + std::string(occupancy.limit),
            "tile " + program.costTile.text(), "a smaller tile" };
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
                perStream[k] += 24
                    + 4.0 * (program.rows(op).count() * columns + static_cast<double>(decl.rows) * decl.cols / 64);
            }
        }
    }
    double bytes = 0;
    for (const Cta& cta : program.ctas)
        bytes += perStream[cta.stream.index()];
    return bytes;
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
        return Error { "cannot be " + std::to_string(*s.stages), "stages",
            s.algorithm + " has " + std::to_string(table->stages) };
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
    Kernel kernel(
        *program, table->warps, prepared.gpu.computeCapability, static_cast<Bytes>(prepared.gpu.smemPerCtaKib * 1024));
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
        return Error { "there is no CTA " + std::to_string(s.record.cta), "record",
            "cta:0 … cta:" + std::to_string(program->ctas.size() - 1) };
    if (s.record.kind == Record::Kind::All
        && prepared.estimate.valueBytes + prepared.estimate.traceBytes > 0.8 * physicalMemory())
        return Error { "the values would take about "
                + std::to_string(static_cast<long long>(prepared.estimate.valueBytes / gibibyte) + 1) + " GiB",
            "record", "cta:K or none" };
    prepared.program = std::move(program);
    return prepared;
}

} // namespace flashstep
