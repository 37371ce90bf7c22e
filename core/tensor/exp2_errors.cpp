// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/exp2_errors.h"

#include "core/tensor/dtype.h"
#include "core/tensor/exp2_polynomial.h"
#include "core/tensor/real_math.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace flashstep {

namespace {

constexpr int pointsAtOnce = 4096;
constexpr double ulpOfFp32 = 0x1p-23, ulpOfBf16 = 0x1p-7; // of numbers in [1, 2)

// All are positive and bf16, so neighbours differ by 1 in the upper half of their bits.
bool isWithinOneUlp(float a, float b)
{
    constexpr std::uint32_t ulp = 0x10000;
    return std::bit_cast<std::uint32_t>(a) - std::bit_cast<std::uint32_t>(b) + ulp <= 2 * ulp;
}

void compute(int way, const std::vector<float>& x, std::vector<float>& results)
{
    const int count = static_cast<int>(x.size());
    if (way == 0)
        exp2UnitRow(x.data(), results.data(), count, 1, 0);
    else
        exp2PolynomialRow(x.data(), results.data(), count, 1, 0, way);
}

struct Truth {
    std::vector<double> exact;
    std::vector<float> exactBf16, unitBf16;
};

// What one way of computing adds to its errors; shares as counts for now.
void add(Exp2Errors& errors, const Truth& truth, const std::vector<float>& results)
{
    std::vector<float> rounded = results;
    roundTo(DType::Bf16, rounded);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const double exact = truth.exact[i];
        errors.fp32 = std::max(errors.fp32, std::fabs(results[i] - exact) / exact);
        errors.bf16 = std::max(errors.bf16, std::fabs(rounded[i] - exact) / exact);
        errors.ulpFp32 = std::max(errors.ulpFp32, std::fabs(results[i] - exact) / ulpOfFp32);
        errors.ulpBf16 = std::max(errors.ulpBf16, std::fabs(rounded[i] - exact) / ulpOfBf16);
        errors.sameBf16 += rounded[i] == truth.exactBf16[i] ? 1 : 0;
        errors.nearUnit += isWithinOneUlp(rounded[i], truth.unitBf16[i]) ? 1 : 0;
    }
}

} // namespace

std::array<Exp2Errors, 6> exp2Errors(int points)
{
    std::array<Exp2Errors, 6> errors;
    Truth truth;
    for (int begin = 0; begin < points; begin += pointsAtOnce) {
        const int count = std::min(pointsAtOnce, points - begin);
        std::vector<float> x(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i)
            x[static_cast<std::size_t>(i)] = static_cast<float>(begin + i) / static_cast<float>(points);
        truth.exact.assign(x.begin(), x.end());
        for (double& value : truth.exact)
            value = exp2Real(value);
        truth.exactBf16.assign(truth.exact.begin(), truth.exact.end()); // by way of fp32, as a kernel would
        roundTo(DType::Bf16, truth.exactBf16);
        std::vector<float> results(x.size());
        for (std::size_t way = 0; way < errors.size(); ++way) {
            compute(static_cast<int>(way), x, results);
            if (way == 0) {
                truth.unitBf16 = results;
                roundTo(DType::Bf16, truth.unitBf16);
            }
            add(errors[way], truth, results);
        }
    }
    for (Exp2Errors& one : errors) {
        one.sameBf16 /= points;
        one.nearUnit /= points;
    }
    return errors;
}

Exp2Curve exp2Curve(int way, int bins, int pointsEach)
{
    Exp2Curve curve;
    std::vector<float> x(static_cast<std::size_t>(pointsEach));
    std::vector<float> results(x.size());
    for (int bin = 0; bin < bins; ++bin) {
        for (int k = 0; k < pointsEach; ++k)
            x[static_cast<std::size_t>(k)]
                = static_cast<float>(bin * pointsEach + k) / static_cast<float>(bins * pointsEach);
        compute(way, x, results);
        std::vector<float> rounded = results;
        roundTo(DType::Bf16, rounded);
        double low = 0, high = 0, lowRounded = 0, highRounded = 0;
        for (std::size_t k = 0; k < x.size(); ++k) {
            const double exact = exp2Real(static_cast<double>(x[k]));
            const double error = (results[k] - exact) / ulpOfFp32, after = (rounded[k] - exact) / ulpOfBf16;
            low = k == 0 ? error : std::min(low, error);
            high = k == 0 ? error : std::max(high, error);
            lowRounded = k == 0 ? after : std::min(lowRounded, after);
            highRounded = k == 0 ? after : std::max(highRounded, after);
        }
        curve.lowFp32.push_back(static_cast<float>(low));
        curve.highFp32.push_back(static_cast<float>(high));
        curve.lowBf16.push_back(static_cast<float>(lowRounded));
        curve.highBf16.push_back(static_cast<float>(highRounded));
    }
    return curve;
}

} // namespace flashstep
