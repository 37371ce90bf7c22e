// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/fa3_setting.h"

#include "core/algorithms/tables.h"

#include <algorithm>

namespace flashstep {

namespace {

// Tiles by head dimension and mask; where P goes through SMEM. [hopper/tile_size.h]
struct Fa3Tile {
    TileSize tile;
    bool pInSmem = false;
};

// 8-bit operands, with V row-major; P stays in the registers.
TileSize fp8TileOf(int d, bool local)
{
    if (d <= 64)
        return { 192, 160 };
    if (d <= 96)
        return { 192, 128 };
    if (d <= 128)
        return { 128, 224 };
    if (d <= 192)
        return { 128, 160 };
    return { 128, local ? 64 : 128 };
}

Fa3Tile tileOf(const Problem& p)
{
    if (p.dtype == DType::E4m3)
        return { fp8TileOf(std::max(p.headDim, p.headDimV), p.mask.kind == MaskKind::Window), false };
    const bool causal = p.mask.kind == MaskKind::Causal;
    const bool local = p.mask.kind == MaskKind::Window;
    const int d = std::max(p.headDim, p.headDimV);
    if (d <= 64)
        return causal || local ? Fa3Tile { { 192, 128 }, false } : Fa3Tile { { 192, 192 }, true };
    if (d <= 96)
        return { { 192, local ? 128 : 144 }, true };
    if (d <= 128)
        return { { 128, causal || local ? 128 : 176 }, false };
    if (d <= 192)
        return { { 128, local ? 96 : p.headDimV <= 128 ? 128 : 112 }, false };
    return { { 128, local ? 64 : 80 }, false };
}

// A warpgroup for each 64 rows of the tile that is costed, as far as a CTA has room for them.
int consumersOf(const Problem& p, const Choices& choices)
{
    if (choices.consumerWarpgroups)
        return *choices.consumerWarpgroups;
    const int asked = choices.costedRows.value_or(0);
    return (asked > 0 && asked <= 192 && asked % 64 == 0 ? asked : tileOf(p).tile.rows) / 64;
}

} // namespace

int Fa3Setting::registers() const
{
    // 65536 registers of the SM over all threads, in units of 8; setmaxnreg shares them out anew.
    return std::min(255, 65536 / threads() / 8 * 8);
}

Fa3Setting fa3SettingOf(const Kernel& kernel)
{
    const Problem& p = kernel.problem();
    const Choices& choices = kernel.choices();
    Fa3Setting c;
    c.consumers = consumersOf(p, choices);
    c.stages = kernel.stages();
    c.specialised = choices.warpSpecialisation.value_or(true);
    c.tma = choices.copy.value_or(Choices::Copy::Tma) == Choices::Copy::Tma;
    const bool fp8 = p.dtype == DType::E4m3;
    c.transposesV = fp8;
    c.producerThreads = !c.specialised ? 0 : c.tma && !c.transposesV ? 32 : 128;
    c.pInSmem = tileOf(p).pInSmem;
    c.overlap = choices.intraOverlap.value_or(true);
    const int d = std::max(p.headDim, p.headDimV);
    // With the overlap, 2 or 3 warpgroups take turns up to head dimension 128 (8-bit operands: from above 96 on, which
    // is compiled for 128); without, exactly 2.
    c.pingPong
        = choices.pingPong.value_or(c.overlap ? (fp8 ? d > 96 : d <= 128) : c.consumers == 2) && c.consumers >= 2;
    c.rescaleFirst = c.overlap && d > 128 && !c.transposesV;
    if (c.consumers == 1) {
        c.producerRegisters = 56;
        c.consumerRegisters = 256;
    } else if (c.consumers == 2) {
        c.producerRegisters = c.tma ? 24 : 40;
        c.consumerRegisters = c.tma ? 240 : 232;
    } else {
        c.producerRegisters = 32;
        c.consumerRegisters = 160;
    }

    const bool dense = p.mask.kind == MaskKind::None;
    using Scheduler = Choices::Scheduler;
    switch (choices.scheduler.value_or(dense ? Scheduler::Persistent : Scheduler::Lpt)) {
    case Scheduler::Persistent:
        c.schedule = Schedule::Static;
        break;
    case Scheduler::Lpt:
        c.schedule = Schedule::Dynamic;
        c.order = Launch::Order::LongestFirst;
        break;
    case Scheduler::Linear:
        c.schedule = Schedule::Dynamic;
        break;
    case Scheduler::SingleTile:
        c.schedule = Schedule::SingleTile;
        break;
    }
    if (!c.specialised) // its copies are part of a tile's own work
        c.schedule = Schedule::SingleTile;
    const int tiles = (p.seqlenQ + kernel.tile().rows - 1) / kernel.tile().rows;
    const bool pairs = dense && c.tma && c.specialised && c.schedule != Schedule::Dynamic && tiles % 2 == 0
        && kernel.tile().keys % 2 == 0 && kernel.setting().sms >= 2;
    c.cluster = pairs && choices.multicast.value_or(fp8 ? d > 128 && d <= 192 : d >= 128) ? 2 : 1;
    return c;
}

Result<KernelTable> fa3Table(const TableQuery& query)
{
    const Problem& p = query.problem;
    if (query.computeCapability != 90)
        return Error { "FlashAttention-3 needs TMA and WGMMA: A100 has neither, Blackwell no WGMMA", "gpu",
            "h100, h200" };
    const bool equal = p.headDim == p.headDimV;
    const bool deepseek = p.headDim > 128 && p.headDim <= 192 && p.headDimV <= 128;
    if (!equal && !deepseek)
        return Error { "no kernel for head_dim " + std::to_string(p.headDim) + " with head_dim_v "
                + std::to_string(p.headDimV),
            "fa3", "equal head dimensions, or up to 192 with up to 128" };
    for (const int d : { p.headDim, p.headDimV })
        if (d % 8 != 0 || d < 8 || d > 256)
            return Error { "no kernel for head_dim " + std::to_string(d), "fa3", "a multiple of 8 up to 256" };
    if (p.dtype == DType::E4m3) {
        if (p.headDim % 16 != 0 || p.headDimV % 16 != 0)
            return Error { "no FP8 kernel for head_dim " + std::to_string(p.headDim), "fa3",
                "a multiple of 16 up to 256" };
        if (!query.choices.warpSpecialisation.value_or(true))
            return Error { "FP8 needs the producer warpgroup, which transposes V", "what-if warp-specialisation",
                "on" };
        if (query.choices.copy == Choices::Copy::CpAsync)
            return Error { "FP8 by cp.async is not in this version", "what-if copy", "tma" };
        if (query.choices.stages == 1)
            return Error { "FP8 loads a block of V before it transposes the one before", "stages", "2 and more" };
    }
    const int consumers = consumersOf(p, query.choices);
    KernelTable table;
    table.tile = { 64 * consumers, tileOf(p).tile.keys };
    table.warps = 4 * consumers;
    table.stages = query.choices.stages.value_or(2);
    table.rowUnit = consumers;
    table.keyUnit = p.dtype == DType::E4m3 ? 4 : 2; // four warps share out the transposition
    return table;
}

} // namespace flashstep
