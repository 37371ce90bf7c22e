// SPDX-License-Identifier: Apache-2.0
#include "core/io/clock_factors.h"

#include <algorithm>
#include <array>

namespace flashstep {

namespace {

constexpr std::array factors {
    ClockFactor { "pr2605-b200", 0.912, "logs without a fixed clock; slower than other logs of the same kernels",
        "FlashAttention-4 forward, B200, d 128" },
    ClockFactor { "pr2605-gb200", 1.013, "logs without a fixed clock", "FlashAttention-4 forward, GB200, d 128" },
    ClockFactor { "cudnn-h200", 0.958, "logs without a fixed clock", "FlashAttention-2 forward, H200, d 128" },
    ClockFactor { "thunderkittens", 0.992, "a figure without a fixed clock", "FlashAttention-3 forward, H100, d 128" },
};

} // namespace

std::span<const ClockFactor> clockFactors()
{
    return factors;
}

double clockFactorOf(std::string_view machine)
{
    const auto* found = std::ranges::find(factors, machine, &ClockFactor::machine);
    return found == factors.end() ? 1 : found->factor;
}

} // namespace flashstep
