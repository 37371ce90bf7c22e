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

constexpr double fp8Offset = 8; // of the kernels: P reaches up to 256. [hopper/softmax.h, Max_offset]
constexpr double gibibyte = 1024.0 * 1024.0 * 1024.0;

Result<const Algorithm*> algorithmOf(const Scenario& s)
{
    if (const Algorithm* found = findAlgorithm(s.algorithm, s.pass))
        return found;
    for (const char* later : { "backward", "decode" })
        if (s.pass == later)
            return Error { "the pass " + s.pass + " is not in this version", "pass", "forward" };
    if (s.pass != "forward")
        return Error { "unknown pass " + s.pass, "pass", "forward" };
    std::string known;
    for (const Algorithm& algorithm : algorithms())
        known += (known.empty() ? "" : ", ") + std::string(algorithm.name);
    return Error { "unknown algorithm " + s.algorithm, "algorithm", known };
}

Result<const GpuSpec*> gpuOf(const Scenario& s)
{
    if (const GpuSpec* found = findGpu(s.gpu))
        return found;
    std::string known;
    for (const GpuSpec& gpu : gpuSpecs())
        known += (known.empty() ? "" : ", ") + std::string(gpu.name);
    return Error { "unknown GPU " + s.gpu, "gpu", known };
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
    if (p.mask.kind == MaskKind::Window && (p.mask.left < 0 || p.mask.right < 0))
        return Error { "cannot be negative", "mask", "window:L,R with L and R from 0" };
    return Nothing {};
}

// Who has a kernel for 8-bit operands, on which GPU, and what may be asked of it.
Status checkFp8(const Scenario& s, const Algorithm& algorithm, const GpuSpec& gpu)
{
    if (s.problem.dtype != DType::E4m3) {
        for (const auto& [key, text] : s.knobs)
            for (const char* own : { "fp8-offset", "fp8-scale", "hadamard" })
                if (key == own)
                    return Error { "means something for e4m3 operands only", "what-if " + key, "dtype e4m3" };
        return Nothing {};
    }
    if (!algorithm.fp8) {
        std::string names;
        for (const Algorithm& other : algorithms())
            if (other.fp8)
                names += (names.empty() ? "" : ", ") + std::string(other.name);
        return Error { std::string(algorithm.title) + " has no FP8 kernel", "dtype", "e4m3 with " + names };
    }
    if (gpu.tensorFp8FlopsPerClk.absent())
        return Error { std::string(gpu.title) + " has " + std::string(gpu.tensorFp8FlopsPerClk.note), "dtype",
            "e4m3 on h100, h200, b200, gb200, b300" };
    return Nothing {};
}

Status checkTile(const char* which, const TileSize& tile, const KernelTable& table)
{
    const int rows = table.rowUnit > 0 ? table.rowUnit : table.warps;
    const int keys = table.keyUnit > 0 ? table.keyUnit : table.warps;
    const auto bad = [&](int size, int unit) { return size < unit || size % unit != 0 || size > 1024; };
    if (bad(tile.rows, rows) || bad(tile.keys, keys))
        return Error { tile.text() + " cannot be shared by " + std::to_string(table.warps) + " warps", which,
            rows == keys
                ? "BR and BC multiples of " + std::to_string(rows) + " up to 1024"
                : "BR a multiple of " + std::to_string(rows) + ", BC of " + std::to_string(keys) + ", up to 1024" };
    return Nothing {};
}

// Key blocks that a scenario visits, over all query tiles of a head, and the tiles: near enough to refuse what no
// memory holds, before anything is built.
struct Size {
    double visited = 0, tiles = 0;
};
Size sizeOf(const Scenario& s, const TileSize& tile)
{
    const Problem& p = s.problem;
    Size size;
    size.tiles = std::ceil(static_cast<double>(p.seqlenQ) / tile.rows);
    const double blocks = std::ceil(static_cast<double>(p.seqlenK) / tile.keys);
    size.visited = size.tiles * blocks;
    if (s.algorithm == "standard")
        return size;
    if (p.mask.kind == MaskKind::Causal)
        size.visited *= 0.5;
    if (p.mask.kind == MaskKind::Window)
        size.visited = size.tiles
            * std::min(blocks, (static_cast<double>(tile.rows) + p.mask.left + p.mask.right) / tile.keys + 1);
    return size;
}

// Ops of a head's tiles, all warps.
double opsPerHead(const Scenario& s, const TileSize& tile, int warps)
{
    const Size size = sizeOf(s, tile);
    if (s.algorithm == "fa4") // roles of a pair of query tiles
        return size.visited * 38 + size.tiles * 40;
    if (s.algorithm == "fa3") // warpgroups and the producer
        return (warps / 4.0) * (size.visited * 14 + size.tiles * 24)
            + size.visited * (s.problem.dtype == DType::E4m3 ? 32 : 6); // four warps that transpose V
    const double perBlock = s.algorithm == "standard" ? 27 : s.algorithm == "fa1" ? 30 : 15;
    return warps * (size.visited * perBlock + size.tiles * 12);
}

double physicalMemory()
{
    return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

// Events in the trace take memory, unless the grid is timed in two steps; the ops of each distinct tile always do.
Status checkMemory(const Scenario& s, double headOps)
{
    constexpr double bytesPerInstance = 56; // timing alone
    constexpr double bytesPerOp = 96;
    const Problem& p = s.problem;
    const double instances = headOps * p.batch * p.heads;
    const bool twoSteps = 2 * instances > eventsInFull && s.record.kind != Record::Kind::All;
    const bool sameTiles = p.mask.kind == MaskKind::None && s.algorithm != "fa1";
    const double distinct = sameTiles ? headOps / std::ceil(static_cast<double>(p.seqlenQ) / 64) : headOps;
    const double tensors = s.record.kind == Record::Kind::None ? 0
                                                               : 4.0 * p.batch
            * ((static_cast<double>(p.heads) * p.seqlenQ + static_cast<double>(p.kvHeads) * p.seqlenK)
                * (p.headDim + p.headDimV));
    const double bytes = (twoSteps ? 0 : instances * bytesPerInstance) + distinct * bytesPerOp + tensors;
    if (distinct > 2.0e9 || bytes > 0.8 * physicalMemory())
        return Error { "would take about " + std::to_string(static_cast<long long>(bytes / gibibyte) + 1) + " GiB",
            "problem",
            "a smaller problem or larger tiles; this machine has "
                + std::to_string(static_cast<long long>(physicalMemory() / gibibyte)) + " GiB" };
    return Nothing {};
}

Status checkFit(const GpuSpec& gpu, const Program& program)
{
    for (const LaunchDecl& launch : program.launches) {
        if (launch.tmemColumns > gpu.tmemColumns)
            return Error { launch.name + " needs " + std::to_string(launch.tmemColumns) + " columns of tensor memory",
                "tile " + program.costTile.text(),
                std::to_string(static_cast<int>(gpu.tmemColumns)) + " columns on " + std::string(gpu.name) };
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
    for (const Work& work : program.works)
        bytes += perStream[work.stream.index()];
    return bytes;
}

} // namespace

Result<Prepared> prepare(const Scenario& asked, bool forTime)
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

    if (Status fp8 = checkFp8(s, **algorithm, prepared.gpu); !fp8)
        return fp8.error();

    Choices choices = choicesOf(s);
    if (s.costTile || s.tile)
        choices.costedRows = s.costTile.value_or(s.tile.value_or(TileSize {})).rows;
    s.problem.mask.topLeft = choices.topLeft;
    const Bytes smemPerSm = static_cast<Bytes>(prepared.gpu.smemPerSmKib * 1024);
    const Result<KernelTable> table = (*algorithm)
                                          ->table({ s.problem, prepared.gpu.computeCapability, smemPerSm, choices,
                                              static_cast<int>(prepared.gpu.sms), s.tile.value_or(TileSize {}) });
    if (!table)
        return table.error();
    if (choices.stages && *choices.stages != table->stages)
        return Error { "cannot be " + std::to_string(*choices.stages), "stages",
            s.algorithm + " has " + std::to_string(table->stages) };
    s.stages = table->stages;
    // A costed tile asked for alone leaves what is shown as the kernel's; a shown one is costed as itself.
    s.tile = s.tile.value_or(table->tile);
    s.costTile = s.costTile.value_or(*s.tile);
    for (const auto& [which, tile] : { std::pair("tile", *s.tile), std::pair("cost_tile", *s.costTile) })
        if (Status ok = checkTile(which, tile, *table); !ok)
            return ok.error();

    if (forTime)
        s.record = { Record::Kind::None };
    else if (Status memory = checkMemory(s, opsPerHead(s, *s.tile, table->warps)); !memory)
        return memory.error();

    auto program = std::make_shared<Program>();
    program->algorithm = s.algorithm;
    program->pass = s.pass;
    program->problem = s.problem;
    program->tile = *s.tile;
    program->costTile = *s.costTile;
    program->stages = *s.stages;
    if (s.problem.dtype == DType::E4m3 && s.algorithm != "standard") // which stores probabilities, not exponentials
        program->softmax.offset = static_cast<float>(choices.fp8Offset.value_or(fp8Offset));
    program->source = std::string((*algorithm)->file);
    program->paper = std::string((*algorithm)->source);
    Kernel kernel(*program,
        { table->warps, prepared.gpu.computeCapability, static_cast<Bytes>(prepared.gpu.smemPerCtaKib * 1024),
            static_cast<int>(prepared.gpu.sms), choices, forTime });
    (*algorithm)->build(kernel);
    kernel.finish();
    for (const std::string& spec : s.breaks)
        if (Status broken = breakProgram(*program, spec); !broken)
            return broken.error();
    if (Status fits = checkFit(prepared.gpu, *program); !fits)
        return fits.error();

    prepared.estimate.events = 0;
    for (const Work& work : program->works)
        prepared.estimate.events += 2.0 * program->streams[work.stream.index()].opCount;
    prepared.estimate.traceBytes = prepared.estimate.events * 24;
    prepared.estimate.valueBytes = valueBytes(*program);
    // Of one CTA (and its cluster): a persistent one does many works.
    const double ctas = std::max(1.0, static_cast<double>(program->ctaCount()));
    const double oneCta = 2 * prepared.estimate.valueBytes
        * std::ceil(static_cast<double>(program->works.size()) / ctas)
        / std::max(1.0, static_cast<double>(program->works.size()));
    if (s.record.kind == Record::Kind::Automatic) {
        const bool small = prepared.estimate.valueBytes + prepared.estimate.traceBytes < gibibyte;
        s.record = small                       ? Record { Record::Kind::All }
            : oneCta < 0.25 * physicalMemory() ? Record { Record::Kind::OneCta, 0 }
                                               : Record { Record::Kind::None };
    }
    if (s.record.kind == Record::Kind::OneCta && s.record.cta >= program->ctaCount())
        return Error { "there is no CTA " + std::to_string(s.record.cta), "record",
            "cta:0 … cta:" + std::to_string(program->ctaCount() - 1) };
    if (s.record.kind == Record::Kind::OneCta && oneCta > 0.6 * physicalMemory())
        return Error { "the values of one CTA would take about "
                + std::to_string(static_cast<long long>(oneCta / gibibyte) + 1) + " GiB",
            "record", "none" };
    if (s.record.kind == Record::Kind::All
        && prepared.estimate.valueBytes + prepared.estimate.traceBytes > 0.8 * physicalMemory())
        return Error { "the values would take about "
                + std::to_string(static_cast<long long>(prepared.estimate.valueBytes / gibibyte) + 1) + " GiB",
            "record", "cta:K or none" };
    prepared.program = std::move(program);
    return prepared;
}

} // namespace flashstep
