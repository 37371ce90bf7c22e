// SPDX-License-Identifier: Apache-2.0
#include "core/program/program.h"

#include <algorithm>

namespace flashstep {

std::string_view name(Space space)
{
    constexpr std::array<std::string_view, 4> names { "hbm", "smem", "registers", "tmem" };
    return names[static_cast<std::size_t>(space)];
}

BufferId Program::buffer(std::string_view bufferName, int launch) const
{
    for (std::size_t k = 0; k < buffers.size(); ++k)
        if (buffers[k].name == bufferName && buffers[k].launch == launch)
            return BufferId(k);
    return BufferId::none();
}

BufferId Program::bufferOf(std::string_view family, int launch, int i) const
{
    for (std::size_t k = 0; k < buffers.size(); ++k)
        if (buffers[k].family == family && buffers[k].launch == launch && buffers[k].i == i)
            return BufferId(k);
    return buffer(family, launch);
}

int Program::padded(int headDim) const
{
    return headDimUnit > 0 ? (headDim + headDimUnit - 1) / headDimUnit * headDimUnit : paddedHeadDim(headDim);
}

int SoftmaxForm::emulatedKeys(int first, int count) const
{
    if (emulated.empty())
        return 0;
    return static_cast<int>(std::count(emulated.begin() + first, emulated.begin() + first + count, true));
}

int paddedHeadDim(int headDim)
{
    for (const int compiled : { 32, 64, 96, 128, 192, 256 })
        if (headDim <= compiled)
            return compiled;
    return (headDim + 63) / 64 * 64;
}

const LaunchDecl& Program::launchOf(CtaId cta) const
{
    std::size_t k = 0;
    while (k + 1 < launches.size() && cta.index() >= launches[k + 1].firstCta)
        ++k;
    return launches[k];
}

int Program::rowsInside(const Work& w, int i) const
{
    const int rows = launches[w.launch].queryRows;
    return std::clamp(headRows() - w.row - i * rows, 0, rows);
}

int landingBytes(const Program& program, const Op& op)
{
    const BufferDecl& to = program.buffers[op.out.index()];
    return program.rows(op).count() * to.cols * bytesOf(program.problem.costedDtype());
}

bool transposes(const Program& program, const Op& op)
{
    const auto inSmem = [&](BufferId id) { return id.valid() && program.buffers[id.index()].space == Space::Smem; };
    return op.kind == OpKind::Stage && inSmem(op.in[0]) && inSmem(op.out);
}

int Program::keysInside(int j) const
{
    return std::clamp(problem.seqlenK - j * tile.keys, 0, tile.keys);
}

Program::Columns Program::columns(BufferId id, int j) const
{
    const BufferDecl& decl = buffers[id.index()];
    if (!decl.wholeRow)
        return { 0, decl.cols };
    return { j * tile.keys, tile.keys };
}

namespace {

std::string mmaLabel(const Program& program, const Op& op)
{
    const std::string& out = program.buffers[op.out.index()].name;
    const std::string& a = program.buffers[op.in[0].index()].name;
    const std::string& b = program.buffers[op.in[1].index()].name;
    if (op.transposed)
        return out + " = " + a + " " + b + "ᵀ";
    return out + (op.accumulate ? " += " : " = ") + a + " " + b;
}

} // namespace

std::string labelOf(const Program& program, const Op& op)
{
    const auto bufferName = [&](BufferId id) { return id.valid() ? program.buffers[id.index()].name : std::string(); };
    switch (op.kind) {
    case OpKind::Load:
        return "load " + std::string(name(op.tensor));
    case OpKind::Store:
        return "store " + std::string(name(op.tensor));
    case OpKind::Stage:
        if (transposes(program, op))
            return "transpose " + bufferName(op.in[0]);
        if (op.in[0].valid() && program.buffers[op.in[0].index()].space == Space::Tmem)
            return "load " + bufferName(op.in[0]);
        if (op.out.valid() && program.buffers[op.out.index()].space == Space::Tmem)
            return "store " + bufferName(op.out);
        return op.in[0].valid() ? "stage " + bufferName(op.in[0]) : "publish " + bufferName(op.out);
    case OpKind::Convert:
        return "convert " + bufferName(op.out);
    case OpKind::Rescale:
        return "rescale " + bufferName(op.out);
    case OpKind::Normalise:
        return op.out.valid() ? bufferName(op.out) + " / l" : "LSE";
    case OpKind::Wait:
    case OpKind::Sync:
        return op.wait.valid() ? program.waits[op.wait.index()].name : std::string(name(op.kind));
    case OpKind::Mma:
        return mmaLabel(program, op);
    case OpKind::Mask:
        return "mask " + bufferName(op.out);
    case OpKind::Arrive: {
        const BarrierDecl& barrier = program.barriers[op.barrier.index()];
        return (barrier.countsBytes() ? "expect " : "arrive ") + barrier.name;
    }
    case OpKind::Reduce:
        return "reduce " + bufferName(op.out);
    case OpKind::NextTile:
        return "next tile";
    case OpKind::Commit:
        return op.barrier.valid() ? "commit " + program.barriers[op.barrier.index()].name : "commit";
    case OpKind::Allocate:
        return "allocate TMEM";
    case OpKind::Free:
        return "free TMEM";
    case OpKind::Fence:
    case OpKind::SetRegisters:
    case OpKind::RowMax:
    case OpKind::Exp2:
    case OpKind::RowSum:
        break;
    }
    return std::string(name(op.kind));
}

} // namespace flashstep
