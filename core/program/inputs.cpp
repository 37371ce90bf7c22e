// SPDX-License-Identifier: Apache-2.0
#include "core/program/inputs.h"

#include "core/tensor/generator.h"

#include <algorithm>
#include <cmath>

namespace flashstep {

namespace {

// Further streams of the same tensor.
constexpr std::uint32_t outlierChoice = 0x100;
constexpr std::uint32_t outlierSize = 0x200;

constexpr double outlierProbability = 0.001;
constexpr double outlierDeviation = 10;

// The scaled score climbs by this much, in natural units, from one end of the keys to the other; around that line
// it scatters by a quarter.
constexpr double scoreRise = 32;
constexpr float scoreScatter = 0.25f;

float element(Init init, std::uint64_t seed, std::uint32_t stream, std::uint64_t n)
{
    if (init == Init::Constant)
        return 1;
    double value = normalAt(seed, stream, n);
    if (init == Init::Outliers && uniformAt(seed, stream + outlierChoice, n) < outlierProbability)
        value += outlierDeviation * normalAt(seed, stream + outlierSize, n);
    return static_cast<float>(value);
}

void fill(Tensor& tensor, Init init, std::uint64_t seed, RandomStream stream)
{
    for (std::size_t n = 0; n < tensor.data.size(); ++n)
        tensor.data[n] = element(init, seed, static_cast<std::uint32_t>(stream), n);
}

// Component 0 carries the line: q0 k0 / sqrt(headDim) = scoreRise * t, t from 0 to 1 along the keys. The others
// stay normal, in q scaled down to give the scatter.
void makeScoresRise(Inputs& inputs, const Problem& problem)
{
    const auto q0 = static_cast<float>(std::sqrt(static_cast<double>(problem.headDim)));
    for (std::size_t i = 0; i < inputs.q.data.size(); ++i)
        inputs.q.data[i] = i % static_cast<std::size_t>(problem.headDim) == 0 ? q0 : inputs.q.data[i] * scoreScatter;
    for (int batch = 0; batch < problem.batch; ++batch) {
        for (int head = 0; head < problem.kvHeads; ++head) {
            for (int key = 0; key < problem.seqlenK; ++key) {
                const int step = problem.init == Init::RisingRight ? key : problem.seqlenK - 1 - key;
                inputs.k.row(batch, head, key)[0]
                    = static_cast<float>(scoreRise * step / std::max(problem.seqlenK - 1, 1));
            }
        }
    }
}

} // namespace

Inputs generateInputs(const Problem& problem)
{
    Inputs inputs { { problem.batch, problem.heads, problem.seqlenQ, problem.headDim },
        { problem.batch, problem.kvHeads, problem.seqlenK, problem.headDim },
        { problem.batch, problem.kvHeads, problem.seqlenK, problem.headDimV } };
    fill(inputs.q, problem.init, problem.seed, RandomStream::Q);
    fill(inputs.k, problem.init, problem.seed, RandomStream::K);
    fill(inputs.v, problem.init, problem.seed, RandomStream::V);
    if (problem.init == Init::RisingLeft || problem.init == Init::RisingRight)
        makeScoresRise(inputs, problem);
    for (Tensor* tensor : { &inputs.q, &inputs.k, &inputs.v })
        roundTo(problem.dtype, tensor->data);
    return inputs;
}

} // namespace flashstep
