// SPDX-License-Identifier: Apache-2.0
#include "core/program/effects.h"

#include <algorithm>
#include <limits>

namespace flashstep {

const Tensor* inputOf(const Inputs& inputs, TensorId tensor)
{
    switch (tensor) {
    case TensorId::Q:
        return &inputs.q;
    case TensorId::K:
        return &inputs.k;
    case TensorId::V:
        return &inputs.v;
    default:
        return nullptr;
    }
}

void loadRow(const Performed& p, const Inputs& inputs, int r, std::span<float> row)
{
    const Tensor& tensor = *inputOf(inputs, p.op.tensor);
    const bool query = p.op.tensor == TensorId::Q;
    const bool columns = p.program.buffers[p.op.out.index()].half == BufferDecl::Half::Columns;
    const int half = p.program.halfOffset(p.op);
    Program::QueryRow at { p.program.problem.kvHeadOf(p.work.h), p.j() * p.program.tile.keys + r };
    if (query)
        at = p.program.queryRow(p.work.h, p.program.firstRow(p.work, p.op) + r);
    else if (!columns)
        at.row += half;
    if (at.row >= tensor.seqlen) {
        std::fill(row.begin(), row.end(), 0.0F);
        return;
    }
    const auto from = tensor.row(p.work.b, at.h, at.row).subspan(static_cast<std::size_t>(columns ? half : 0));
    std::copy_n(from.begin(), row.size(), row.begin());
}

void maskRow(const Performed& p, int r, int column, std::span<float> row)
{
    const Problem::KeyRange keys
        = p.program.problem.visibleKeys(p.program.queryRow(0, p.program.firstRow(p.work, p.op) + r).row);
    const int firstKey = p.j() * p.program.tile.keys + column;
    for (int k = 0; k < static_cast<int>(row.size()); ++k)
        if (firstKey + k < keys.first || firstKey + k >= keys.last)
            row[static_cast<std::size_t>(k)] = -std::numeric_limits<float>::infinity();
}

int convertRow(const Op& op, std::span<float> row)
{
    if (op.factor != 1)
        for (float& x : row)
            x *= op.factor;
    const float most = maxFinite(op.format);
    const bool clips = op.format == DType::E4m3; // the others have infinities
    const auto clipped
        = clips ? std::count_if(row.begin(), row.end(), [&](float x) { return x > most || x < -most; }) : 0;
    roundTo(op.format, row);
    return static_cast<int>(clipped);
}

namespace {

// What the numbers of O are to be multiplied by while key block j is the last one in it.
float frameOf(const Performed& p, const Inputs& inputs, int j)
{
    return inputs.vFactors.at(p.work.b, p.program.problem.kvHeadOf(p.work.h), std::max(j, 0) * p.program.tile.keys);
}

} // namespace

float frameChange(const Performed& p, const Inputs& inputs)
{
    if (inputs.vFactors.none() || p.program.buffers[p.op.out.index()].family != "O")
        return 1; // l is a sum of exponentials: V has no part in it
    return frameOf(p, inputs, p.j() + 1) / frameOf(p, inputs, p.j()); // blocks are visited from right to left
}

float lastFrame(const Performed& p, const Inputs& inputs)
{
    if (inputs.vFactors.none())
        return 1;
    const StepDecl* last = nullptr;
    for (const StepDecl& step : p.program.streams[p.work.stream.index()].steps)
        if (step.i == p.op.i && (last == nullptr || step.n > last->n))
            last = &step;
    return frameOf(p, inputs, last == nullptr ? 0 : p.work.jBase + last->j);
}

bool repeatable(const Op& op, BufferId buffer)
{
    switch (op.kind) {
    case OpKind::Load:
        return op.tensor == TensorId::Q || op.tensor == TensorId::K || op.tensor == TensorId::V;
    case OpKind::Mask:
        return true;
    case OpKind::Convert:
        return op.in[0] == op.out;
    case OpKind::Rescale: // l too, but it is one number a row: not worth it
        return buffer == op.out;
    default:
        return false;
    }
}

} // namespace flashstep
