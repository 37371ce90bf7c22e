// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/error_bound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace flashstep {

namespace {

double unitRoundoff(DType dtype)
{
    switch (dtype) {
    case DType::Fp32:
        return 0x1p-24;
    case DType::Fp16:
        return 0x1p-11;
    case DType::Bf16:
        return 0x1p-8;
    case DType::E4m3:
        break;
    }
    return 0x1p-4;
}

// Largest |x| and largest row norm.
struct Size {
    double element = 0, row = 0;
};

Size sizeOf(const Tensor& tensor)
{
    Size size;
    for (std::size_t at = 0; at < tensor.data.size(); at += static_cast<std::size_t>(tensor.dim)) {
        double sum = 0;
        for (std::size_t k = at; k < at + static_cast<std::size_t>(tensor.dim); ++k) {
            const double x = std::fabs(static_cast<double>(tensor.data[k]));
            size.element = std::max(size.element, x);
            sum += x * x;
            if (!(x <= 3.5e38))
                return { x, x };
        }
        size.row = std::max(size.row, std::sqrt(sum));
    }
    return size;
}

// Largest |mean| of a column: where it is far from 0, the roundings of a long sum add up instead of cancelling.
double largestMean(const Tensor& tensor)
{
    double largest = 0;
    const auto dim = static_cast<std::size_t>(tensor.dim);
    std::vector<double> sums(dim);
    for (int b = 0; b < tensor.batch; ++b)
        for (int h = 0; h < tensor.heads; ++h) {
            std::fill(sums.begin(), sums.end(), 0.0);
            for (int n = 0; n < tensor.seqlen; ++n)
                for (std::size_t k = 0; k < dim; ++k)
                    sums[k] += static_cast<double>(tensor.row(b, h, n)[k]);
            for (const double sum : sums)
                largest = std::max(largest, std::fabs(sum) / tensor.seqlen);
        }
    return largest;
}

} // namespace

std::optional<double> errorBound(const Program& program, const Inputs& inputs)
{
    const Size q = sizeOf(inputs.q);
    const Size k = sizeOf(inputs.k);
    const Size v = sizeOf(inputs.v);
    const double scores = q.row * k.row * program.problem.softmaxScale(); // no scaled score is larger (Cauchy, Schwarz)
    if (!(scores <= 1e30) || !(v.element <= 1e30))
        return std::nullopt;
    const double u = unitRoundoff(program.problem.dtype);
    const double u32 = unitRoundoff(DType::Fp32);
    // P and O are each rounded once; the products and sums are fp32; a score off by e changes its weight by e, and it
    // is rounded as a sum of products, times c, and less m c.
    double relative = u32 * (4 + 3 * scores);
    if (program.problem.dtype != DType::Fp32)
        relative += 2 * u;
    if (program.algorithm == "standard" && program.problem.dtype != DType::Fp32)
        relative += u * std::min(scores, 1 / u) / 2; // S is rounded on its way through HBM
    // An exponential off by e moves O by e w (v - O) of its key: at most e v / 2 where some keys are exact, e v where
    // none are.
    if (!program.softmax.emulated.empty()) {
        constexpr std::array<double, 5> polynomial { 3.9e-2, 2.1e-3, 8.8e-5, 3.1e-6, 1.5e-7 }; // by degree
        const bool all = std::find(program.softmax.emulated.begin(), program.softmax.emulated.end(), false)
            == program.softmax.emulated.end();
        relative += (all ? 1.0 : 0.5) * polynomial[static_cast<std::size_t>(program.softmax.polynomialDegree - 1)];
    }
    const double sums = u32 * program.problem.seqlenK / 2 * largestMean(inputs.v);
    return std::min(v.element * relative + sums, 2 * v.element);
}

} // namespace flashstep
