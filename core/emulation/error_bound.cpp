// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/error_bound.h"

#include "core/program/quantise.h"
#include "core/tensor/real_math.h"

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

// What e4m3 may cost O, of the largest |V|. P is rounded, near 0 in steps of 2^-9 however small it is, and the row's
// largest is 2^offset (256 of probabilities); beyond 448 it is clipped. O is rounded to bf16.
double fp8Error(const Program& program, double scores)
{
    const bool probabilities = program.algorithm == "standard";
    const double least = probabilities ? 256 : exp2Real(static_cast<double>(program.softmax.offset));
    // Where the reference may stay behind, the row's largest may be as many times larger.
    const double most = least * exp2Real(static_cast<double>(program.softmax.threshold));
    const double smallest = 0x1p-10 / least * program.problem.seqlenK;
    const double clipped = std::max(0.0, 1 - static_cast<double>(maxFinite(DType::E4m3)) / most);
    const double output = unitRoundoff(program.problem.outputDtype());
    const double viaHbm = probabilities ? output * std::min(scores, 1 / output) / 2 : 0.0; // S in bf16
    return unitRoundoff(DType::E4m3) + smallest + clipped + output + viaHbm;
}

} // namespace

std::optional<double> errorBound(const Program& program, const Inputs& stored)
{
    const Inputs inputs = dequantised(stored);
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
    // Factors of quantised operands round it three times more.
    double relative = u32 * (4 + (stored.qFactors.none() ? 3 : 6) * scores);
    if (program.problem.dtype == DType::E4m3)
        relative += fp8Error(program, scores);
    else if (program.problem.dtype != DType::Fp32)
        relative += 2 * u;
    if (program.algorithm == "standard" && program.problem.dtype != DType::Fp32 && program.problem.dtype != DType::E4m3)
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
