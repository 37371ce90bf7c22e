// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/guesses.h"

#include <algorithm>

namespace flashstep {

namespace {

bool anyOp(const Program& program, auto matches)
{
    return std::any_of(program.ops.begin(), program.ops.end(), matches);
}

// Figures that only some programs use; the others count for all.
bool uses(const Program& program, std::string_view field)
{
    if (field == "reduceAddBytesPerClkPerSm" || field == "clusterSync" || field == "dsmemBytesPerClkPerSm")
        return false; // by no version yet
    const auto inTmem
        = [&](const Op& op) { return op.kind == OpKind::Mma && program.buffers[op.out.index()].space == Space::Tmem; };
    if (field.starts_with("tmem") || field.starts_with("umma"))
        return anyOp(program, inTmem);
    if (field == "polynomialInstructions")
        return !program.softmax.emulated.empty();
    if (field == "tensorFp8FlopsPerClk")
        return program.problem.dtype == DType::E4m3;
    if (field == "tmaIssueCycles" || field == "tmaLatency")
        return anyOp(program, [](const Op& op) { return op.via == Via::Tma; });
    if (field == "tmaStoreLatency")
        return anyOp(program, [](const Op& op) { return op.via == Via::Tma && op.kind == OpKind::Store; });
    if (field.starts_with("wgmma") || field == "registerContentionWgmma")
        return anyOp(program, [&](const Op& op) { return op.kind == OpKind::Mma && op.async && !inTmem(op); });
    if (field.starts_with("mmaSync") || field == "mmaStepLatency" || field == "registerContention")
        return anyOp(program, [](const Op& op) { return op.kind == OpKind::Mma && !op.async; });
    if (field == "setmaxnregCycles")
        return anyOp(program, [](const Op& op) { return op.kind == OpKind::SetRegisters; });
    if (field == "atomicLatency")
        return anyOp(program, [](const Op& op) { return op.kind == OpKind::NextTile; });
    if (field == "dsmemLatency")
        return anyOp(program, [](const Op& op) { return op.reach != Reach::Own; });
    if (field == "mbarrierLatency")
        return std::any_of(
            program.barriers.begin(), program.barriers.end(), [](const BarrierDecl& b) { return !b.named; });
    if (field == "globalLatency" || field == "l2Latency" || field == "fmaPerClk" || field == "maxClusterSize")
        return false; // shown, but no cost is made of it
    return true;
}

} // namespace

std::vector<std::string_view> guessesIn(const GpuSpec& gpu, const Program& program)
{
    std::vector<std::string_view> guesses;
    for (const auto& [field, figure] : gpuFigures())
        if ((gpu.*figure).confidence == Confidence::Guess && uses(program, field))
            guesses.push_back(field);
    return guesses;
}

} // namespace flashstep
