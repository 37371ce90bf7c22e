// SPDX-License-Identifier: Apache-2.0
#include "core/program/quantise.h"

#include "core/tensor/generator.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace flashstep {

namespace {

constexpr std::uint32_t signStream = 0x300; // next to those of docs/inputs.md

// Largest finite magnitude of rows [first, last) of a head.
float largest(const Tensor& tensor, int b, int h, int first, int last)
{
    float amax = 0;
    for (int n = first; n < last; ++n)
        for (const float x : tensor.row(b, h, n))
            if (std::isfinite(x))
                amax = std::max(amax, std::fabs(x));
    return amax;
}

// A factor for every `rows` rows of each head, with which the largest becomes the format's largest.
Factors factorsOf(const Tensor& tensor, int rows, DType format)
{
    Factors factors;
    factors.rows = rows;
    factors.each = Tensor(tensor.batch, tensor.heads, (tensor.seqlen + rows - 1) / rows, 1);
    for (int b = 0; b < tensor.batch; ++b)
        for (int h = 0; h < tensor.heads; ++h)
            for (int first = 0; first < tensor.seqlen; first += rows) {
                const int last = std::min(tensor.seqlen, first + rows);
                const float amax = largest(tensor, b, h, first, last);
                float factor = amax / maxFinite(format);
                if (!(factor > 0)) // nothing but zeros, or so small that the quotient is none
                    factor = 1;
                factors.each.row(b, h, first / rows)[0] = factor;
            }
    return factors;
}

void divide(Tensor& tensor, const Factors& factors)
{
    for (int b = 0; b < tensor.batch; ++b)
        for (int h = 0; h < tensor.heads; ++h)
            for (int n = 0; n < tensor.seqlen; ++n)
                for (float& x : tensor.row(b, h, n))
                    x /= factors.at(b, h, n);
}

void multiply(Tensor& tensor, const Factors& factors)
{
    if (factors.none())
        return;
    for (int b = 0; b < tensor.batch; ++b)
        for (int h = 0; h < tensor.heads; ++h)
            for (int n = 0; n < tensor.seqlen; ++n)
                for (float& x : tensor.row(b, h, n))
                    x *= factors.at(b, h, n);
}

} // namespace

void rotateHadamard(std::uint64_t seed, Tensor& tensor)
{
    const int dim = tensor.dim;
    const int size = dim & -dim;
    const double length = std::sqrt(static_cast<double>(size)); // IEEE: the same everywhere
    std::vector<double> sign;
    for (int k = 0; k < dim; ++k)
        sign.push_back(uniformAt(seed, signStream, static_cast<std::uint64_t>(k)) < 0.5 ? -1.0 : 1.0);
    std::vector<double> x(sign.size());
    for (std::size_t at = 0; at < tensor.data.size(); at += x.size()) {
        float* row = tensor.data.data() + at;
        for (std::size_t k = 0; k < x.size(); ++k)
            x[k] = sign[k] * static_cast<double>(row[k]);
        for (std::size_t half = 1; half < static_cast<std::size_t>(size); half *= 2)
            for (std::size_t first = 0; first < x.size(); first += 2 * half)
                for (std::size_t k = first; k < first + half; ++k) {
                    const double a = x[k];
                    const double b = x[k + half];
                    x[k] = a + b;
                    x[k + half] = a - b;
                }
        for (std::size_t k = 0; k < x.size(); ++k)
            row[k] = static_cast<float>(x[k] / length);
    }
}

Inputs quantised(Inputs values, const Problem& problem, TileSize tile, const Choices& choices)
{
    if (choices.hadamard) {
        rotateHadamard(problem.seed, values.q);
        rotateHadamard(problem.seed, values.k);
    }
    if (choices.fp8Scale) {
        const bool blocks = *choices.fp8Scale == Choices::Fp8Scale::Block;
        values.qFactors = factorsOf(values.q, blocks ? tile.rows : problem.seqlenQ, problem.dtype);
        values.kFactors = factorsOf(values.k, blocks ? tile.keys : problem.seqlenK, problem.dtype);
        values.vFactors = factorsOf(values.v, blocks ? tile.keys : problem.seqlenK, problem.dtype);
        divide(values.q, values.qFactors);
        divide(values.k, values.kFactors);
        divide(values.v, values.vFactors);
    }
    for (Tensor* tensor : { &values.q, &values.k, &values.v })
        roundTo(problem.dtype, tensor->data);
    return values;
}

Inputs dequantised(const Inputs& inputs)
{
    Inputs values { inputs.q, inputs.k, inputs.v };
    multiply(values.q, inputs.qFactors);
    multiply(values.k, inputs.kFactors);
    multiply(values.v, inputs.vFactors);
    return values;
}

float Factors::at(int b, int h, int row) const
{
    if (none())
        return 1;
    return each.row(b, h, std::min(row / rows, each.seqlen - 1))[0]; // a tile's rows beyond the sequence are zeros
}

} // namespace flashstep
