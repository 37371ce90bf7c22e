// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/fa4_setting.h"

#include "core/algorithms/tables.h"

#include <algorithm>
#include <cmath>

namespace flashstep {

namespace {

constexpr TileSize kernelTile { 128, 128 };
constexpr Bytes ringMemory = Bytes { 224 } * 1024; // that Q, O and the ring share

int padded(int dim)
{
    return (dim + 15) / 16 * 16;
}

bool dense(const Problem& p)
{
    return p.mask.kind == MaskKind::None;
}

bool isWide(const Problem& p)
{
    return p.headDim == 256 && p.headDimV == 256;
}

// Query heads that share a tile's rows.
int packedHeads(const Problem& p, const Choices& choices)
{
    const int ratio = isWide(p) ? 1 : p.heads / p.kvHeads;
    return choices.packGqa.value_or(ratio > 1) ? ratio : 1;
}

// What the problem and the knobs decide before the schedule is built.
struct Shape {
    int packed = 1;
    int queryStages = 2;
    bool pair = false;
    Choices::Scheduler scheduler = Choices::Scheduler::Persistent;
    bool unevenSlots = false, oInQ = false;
    int stages = 3;
};

Shape shapeOf(const Problem& p, const Choices& choices, int shownRows, int sms)
{
    Shape s;
    using Scheduler = Choices::Scheduler;
    if (isWide(p)) {
        s.queryStages = 1;
        s.pair = true;
        s.stages = 4;
        s.scheduler = choices.scheduler.value_or(dense(p) ? Scheduler::Persistent : Scheduler::Lpt);
        return s;
    }
    s.packed = packedHeads(p, choices);
    const int rows = p.seqlenQ * s.packed;
    s.queryStages = choices.queryStages.value_or(rows <= shownRows ? 1 : 2);
    s.scheduler = choices.scheduler.value_or(dense(p) ? Scheduler::Persistent : Scheduler::Lpt);
    const int d = padded(p.headDim);
    const int dv = padded(p.headDimV);
    const bool pairDims = (d == 128 && dv == 128) || (d == 192 && dv == 128);
    const bool mayPair
        = dense(p) && s.queryStages == 2 && shownRows % s.packed == 0 && sms >= 2 && s.scheduler != Scheduler::Lpt;
    s.pair = mayPair && choices.twoCta.value_or(pairDims && rows > 2 * shownRows);

    // [flash_fwd_sm100.py, _setup_attributes]
    const int element = bytesOf(p.costedDtype());
    const Bytes q = Bytes { s.queryStages } * kernelTile.rows * d * element;
    s.oInQ = d == 192 && dv >= 64;
    const Bytes o = s.oInQ ? 0 : Bytes { s.queryStages } * kernelTile.rows * dv * p.outputBytes();
    const Bytes slot = Bytes { kernelTile.keys } * std::max(d, dv) * element / (s.pair ? 2 : 1);
    s.stages = static_cast<int>(std::min<Bytes>((ringMemory - q - o) / slot, 32));
    s.unevenSlots = d == 192 && dv == 128 && s.stages == 2;
    if (s.unevenSlots)
        s.stages = 3;
    return s;
}

// setmaxnreg of softmax, correction and the other warps. [flash_fwd_sm100.py, tuning table]
struct Registers {
    int softmax = 0, correction = 0, other = 0;
};

Registers registersOf(const Problem& p, const Shape& s, int computeCapability)
{
    const int d = padded(p.headDim);
    const bool causal = p.mask.kind == MaskKind::Causal;
    if (d == 256)
        return { 256, 160, 32 };
    if (p.dtype == DType::E4m3 && d < 96)
        return { 168, 96, 80 };
    if (p.dtype == DType::E4m3 && d == 128 && s.pair)
        return { 160, 72, 120 };
    if (d < 96)
        return { 200, 64, 48 };
    const bool newer = computeCapability == 103;
    if (d == 128 && s.pair)
        return newer ? Registers { 176, 80, 80 } : Registers { 176, 88, 72 };
    if (d == 128 && causal)
        return newer ? Registers { 176, 64, 96 } : Registers { 192, 72, 56 };
    if (d == 192 && s.pair)
        return newer ? Registers { 176, 64, 96 } : Registers { 184, 80, 64 };
    if (d == 192 && causal)
        return newer ? Registers { 176, 72, 88 } : Registers { 192, 72, 56 };
    return { 192, 80, 48 };
}

using Emulation = Fa4Emulation;

Emulation emulationOf(const Problem& p, const Shape& s, int computeCapability)
{
    const int d = padded(p.headDim);
    const bool causal = p.mask.kind == MaskKind::Causal;
    if (computeCapability == 103)
        return {};
    if (p.dtype == DType::E4m3 && d == 128 && causal)
        return { 8, 1 };
    if (d == 256)
        return { 14, 0, 6 };
    if (d == 192)
        return s.pair ? Emulation { 16, 0 } : causal ? Emulation { 32, 1 } : Emulation {};
    if (d == 128 && s.pair)
        return { 10, 1 };
    if (s.packed > 1 && d > 64 && dense(p))
        return { 10, 1 };
    return { 16, 1 };
}

bool emulatedInKernel(const Emulation& e, int key)
{
    const int fragment = key / 32;
    const int k = key % 32 / 2 * 2;
    return e.frequency > 0 && fragment >= e.start && fragment < 3 && k % e.frequency >= e.frequency - e.run;
}

int emulatedInKernel(const Emulation& e)
{
    int count = 0;
    for (int key = 0; key < kernelTile.keys; ++key)
        count += emulatedInKernel(e, key) ? 1 : 0;
    return count;
}

// So many keys of each fragment's end, the last fragment only when the others are full.
std::vector<bool> spread(int keys, int count, int start)
{
    const int width = keys / 4;
    std::vector<bool> emulated(static_cast<std::size_t>(keys));
    if (count > (3 - start) * width)
        start = 0;
    for (int fragment = start, left = count; left > 0 && fragment < 4; ++fragment) {
        const int sharers = std::max(1, 3 - fragment);
        const int here = std::min(width, fragment == 3 ? left : (left + sharers - 1) / sharers);
        for (int k = width - here; k < width; ++k)
            emulated[static_cast<std::size_t>(fragment * width + k)] = true;
        left -= here;
    }
    return emulated;
}

std::vector<bool> emulatedKeys(int keys, const Choices& choices, const Emulation& table)
{
    if (choices.emulatedShare) {
        const int count = static_cast<int>(std::floor(*choices.emulatedShare * keys + 0.5));
        return count == 0 ? std::vector<bool> {} : spread(keys, count, table.frequency > 0 ? table.start : 1);
    }
    const int inKernel = emulatedInKernel(table);
    if (inKernel == 0)
        return {};
    if (keys != kernelTile.keys) // a shown tile keeps the share
        return spread(keys, inKernel * keys / kernelTile.keys, table.start);
    std::vector<bool> emulated;
    for (int key = 0; key < keys; ++key)
        emulated.push_back(emulatedInKernel(table, key));
    return emulated;
}

Status checkDims(const Problem& p)
{
    const bool equal = p.headDim == p.headDimV && p.headDim <= 128;
    const bool deepseek = p.headDim == 192 && p.headDimV == 128;
    if (!equal && !deepseek && !isWide(p))
        return Error { "no kernel for head_dim " + std::to_string(p.headDim) + " with head_dim_v "
                + std::to_string(p.headDimV),
            "fa4", "equal head dimensions up to 128, 192 with 128, or 256" };
    if (p.headDim % 8 != 0)
        return Error { "no kernel for head_dim " + std::to_string(p.headDim), "fa4", "a multiple of 8" };
    return Nothing {};
}

// What the kernel of head dimension 256 does not do.
Status checkWide(const Problem& p, const Choices& choices, int sms)
{
    if (!isWide(p))
        return Nothing {};
    const auto refuse = [](const char* what, const char* where, const char* hint) {
        return Error { std::string("the kernel of head_dim 256 has ") + what, where, hint };
    };
    if (p.mask.kind == MaskKind::Window)
        return refuse("no window", "mask", "none, causal");
    if (p.dtype == DType::E4m3)
        return refuse("no FP8", "dtype", "fp32, fp16, bf16");
    if (choices.packGqa.value_or(false))
        return refuse("no packed heads", "what-if pack-gqa", "off");
    if (choices.queryStages.value_or(1) != 1)
        return refuse("one query tile a CTA", "what-if q-stage", "1");
    if (!choices.twoCta.value_or(true) || sms < 2)
        return refuse("pairs of CTAs only", "what-if two-cta", "on");
    if (choices.rescaleThreshold)
        return refuse("no threshold: every block rescales", "what-if rescale-threshold", "leave it out");
    return Nothing {};
}

} // namespace

Fa4Setting fa4SettingOf(const Kernel& kernel)
{
    const Problem& p = kernel.problem();
    const Choices& choices = kernel.choices();
    const Shape s = shapeOf(p, choices, kernel.tile().rows, kernel.setting().sms);
    Fa4Setting c;
    c.wide = isWide(p);
    c.queryStages = s.queryStages;
    c.packed = s.packed;
    c.pair = s.pair;
    c.stages = kernel.stages();
    c.unevenSlots = s.unevenSlots && c.stages == s.stages;
    c.oInQ = s.oInQ;
    c.qByTma = c.oByTma = kernel.tile().rows % s.packed == 0;
    const Registers registers = registersOf(p, s, kernel.setting().computeCapability);
    c.softmaxRegisters = registers.softmax;
    c.correctionRegisters = registers.correction;
    c.otherRegisters = registers.other;
    using Scheduler = Choices::Scheduler;
    c.schedule = s.scheduler == Scheduler::Persistent ? Schedule::Static : Schedule::SingleTile;
    c.order = s.scheduler == Scheduler::Lpt ? Launch::Order::LongestFirst : Launch::Order::TilesHeadsBatch;
    return c;
}

SoftmaxForm fa4SoftmaxOf(const Kernel& kernel, const Fa4Setting& setting)
{
    const Problem& p = kernel.problem();
    const Choices& choices = kernel.choices();
    const bool fp8 = p.dtype == DType::E4m3;
    SoftmaxForm form;
    form.conditional = !setting.wide;
    form.threshold = static_cast<float>(choices.rescaleThreshold.value_or(fp8 ? 0 : 8));
    form.offset = kernel.softmax().offset;
    form.polynomialDegree = choices.polynomialDegree;
    Shape s;
    s.pair = setting.pair;
    s.packed = packedHeads(p, choices);
    form.emulated = emulatedKeys(kernel.tile().keys, choices, emulationOf(p, s, kernel.setting().computeCapability));
    return form;
}

Fa4Emulation fa4EmulationOf(const Program& program, int computeCapability)
{
    Shape s;
    s.packed = program.packed;
    s.pair = program.launches.back().pairs;
    return emulationOf(program.problem, s, computeCapability);
}

Result<KernelTable> fa4Table(const TableQuery& query)
{
    const Problem& p = query.problem;
    if (query.computeCapability / 10 != 10)
        return Error { "FlashAttention-4 needs tcgen05 and tensor memory, which this GPU does not have", "gpu",
            "b200, gb200, b300" };
    if (Status dims = checkDims(p); !dims)
        return dims.error();
    const Choices& choices = query.choices;
    if (Status wide = checkWide(p, choices, query.sms); !wide)
        return wide.error();
    if (choices.fp8Scale == Choices::Fp8Scale::Block) // O stays in the frame of its reference, and V's would change it
        return Error { "FlashAttention-4 has one factor for a tensor and head", "what-if fp8-scale", "tensor" };
    const int shownRows = query.tile.rows > 0 ? query.tile.rows : kernelTile.rows;
    const Shape s = shapeOf(p, choices, shownRows, query.sms);
    if (choices.twoCta.value_or(false) && !s.pair)
        return Error { "pairs of CTAs only without a mask, with two query tiles a CTA, and not longest first",
            "what-if two-cta", "off" };
    if (choices.stages.value_or(2) < 2) // V of a block is let go only after K of the next has come
        return Error { "cannot be 1", "stages", "at least 2: K and V share the ring" };
    KernelTable table;
    table.tile = kernelTile;
    table.warps = 16;
    table.stages = choices.stages.value_or(s.stages);
    table.rowUnit = 4;
    table.keyUnit = 4;
    if (!choices.emulatedShare) // fragments and the share of the polynomial have to come out whole
        for (const int emulated = emulatedInKernel(emulationOf(p, s, query.computeCapability));
             emulated * table.keyUnit % kernelTile.keys != 0;)
            table.keyUnit *= 2;
    return table;
}

} // namespace flashstep
